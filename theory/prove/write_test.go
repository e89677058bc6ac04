package prove

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/theory/lang"
)

// TestFoundProofsAreScripts strips the scripts of the built-in claims, and takes the statements of testdata: what search
// proves is written as a script, which, read again from the text of the file, proves the same sequent without a search.
func TestFoundProofsAreScripts(t *testing.T) {
	read := func(name string) *lang.File {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		f, err := lang.Parse(lang.Source{Name: name, Text: string(b)})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	parts, lines, longest := 0, 0, 0
	for _, f := range []*lang.File{claims(t), read("true.claim"), read("heldout_true.claim")} {
		for _, c := range f.Claims {
			for _, p := range c.Parts {
				if p.Fault != nil || p.Stmt.Kind == lang.Sampled || p.Stmt.Kind == lang.Assumption {
					continue
				}
				q := *p
				q.Proof = nil
				o := judge(t, &q, Options{Search: true})
				if len(o.Theorems()) == 0 {
					continue
				}
				name := c.ID + "/" + p.Name
				text, err := Write(context.Background(), &q, o)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				pasted, err := q.WithProof(text)
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, text)
					continue
				}
				again := judge(t, pasted, Options{})
				if again.Script() != nil || len(again.Theorems()) != len(o.Theorems()) {
					t.Errorf("%s: %v\n%s", name, again.Script(), text)
					continue
				}
				for i, th := range again.Theorems() {
					want, err1 := o.reading.Say(o.Theorems()[i].Formula())
					got, err2 := again.reading.Say(th.Formula())
					if err1 != nil || err2 != nil || got != want || again.Searched() {
						t.Errorf("%s: the script proves %s, the search %s", name, got, want)
					}
				}
				n := strings.Count(text, "\n")
				parts, lines, longest = parts+1, lines+n, max(longest, n)
			}
		}
	}
	t.Logf("%d proofs, %d lines, the longest has %d", parts, lines, longest)
	if parts < 380 {
		t.Errorf("only %d parts have been looked at", parts)
	}
}
