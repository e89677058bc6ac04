package audit

import (
	"context"
	"os"
	"strings"
	"testing"

	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

// missed lists the claims of which a reading is not denied, fallen those of which a reading is.
func missed(l *ledger.Ledger, reading func(*ledger.Claim) ledger.Verdict) (missed, fallen []string) {
	for i := range l.Claims {
		c := &l.Claims[i]
		if v := reading(c); v.Denies() {
			fallen = append(fallen, c.ID+": "+string(v))
		} else {
			missed = append(missed, c.ID+": "+string(v)+", "+c.Statement)
		}
	}
	return missed, fallen
}

// TestHeldOutStatements judges false statements and their true neighbours at quick depth: of the false ones, whatever they
// are false by, 98 of a hundred are refuted, and of the others none. The same question the other way round, the gate's
// mutated twin, has to fail on all of them.
func TestHeldOutStatements(t *testing.T) {
	text, err := os.ReadFile("testdata/refutable.claim")
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(lang.Source{Name: "refutable.claim", Text: string(text)})
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := Run(context.Background(), f, Options{Seed: 1, Depth: Quick, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	printed := func(c *ledger.Claim) ledger.Verdict { return c.Verdict }
	corrected := func(c *ledger.Claim) ledger.Verdict { return c.Corrected.Verdict }
	left, found := missed(l, printed)
	t.Logf("%d of %d refuted; not %s", len(found), len(l.Claims), strings.Join(left, "; "))
	if 50*len(left) > len(l.Claims) {
		t.Errorf("%d of %d false statements are not refuted: %s", len(left), len(l.Claims), strings.Join(left, "; "))
	}
	for _, c := range l.Claims {
		if c.Verdict.Affirms() {
			t.Errorf("%s is false and %s", c.ID, c.Verdict)
		}
		for _, e := range c.Evidence {
			if e.Verdict == ledger.Refuted && e.Detail.Left == "" && e.Detail.Reason == "" {
				t.Errorf("%s/%s is refuted without a number", c.ID, e.Detail.Part)
			}
		}
	}
	if _, fallen := missed(l, corrected); len(fallen) > 0 {
		t.Errorf("true statements are denied: %s", strings.Join(fallen, "; "))
	}
	if left, _ := missed(l, corrected); 50*len(left) <= len(l.Claims) {
		t.Error("the gate passes with true statements in the place of false ones")
	}
}
