package verdict_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// TestSearchOfSharedTermsEnds searches for a proof of a statement about a term that is short because it shares its parts,
// and that nothing could write out.
func TestSearchOfSharedTermsEnds(t *testing.T) {
	var text strings.Builder
	text.WriteString("claim t\n  scalar x, y\n  let l0 = x + y\n")
	const doubled = 60
	for k := range doubled {
		fmt.Fprintf(&text, "  let l%d = l%d*y + l%d\n", k+1, k, k)
	}
	fmt.Fprintf(&text, "  says s: l%d >= 0\n", doubled)
	f, err := lang.Parse(lang.Source{Name: "t", Text: text.String()})
	if err != nil {
		t.Fatal(err)
	}
	p := verdict.Prove(context.Background(), f.Claims[0].Parts[0])
	if p.Verdict() != verdict.Undecided || p.Failure() == nil {
		t.Errorf("%s: %v", p.Verdict(), p.Failure())
	}
}
