package verdict_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// TestRefuterForgets asks about the same states of every built-in part and twin in two orders, sizes mixed, and of some of them
// alone: what is said of a state does not depend on the states asked about before.
func TestRefuterForgets(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	const states = 3
	told := func(r *verdict.Refutation, err error) string {
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(r.Verdict(), r.Reason(), r.Undefined(), r.Counterexample().Valid())
	}
	rng := rand.New(rand.NewPCG(7, 1))
	parts, refuted := 0, 0
	all := f.PartsAndTwins()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
			continue
		}
		parts++
		var ws []verdict.Witness
		ch := sample.NewStream(1, name)
		for i := range 4 * states {
			if w, err := sample.Draw(ch, p, 1+i%3); err == nil && len(ws) < states {
				ws = append(ws, w)
			}
		}
		if len(ws) == 0 {
			continue
		}
		first := make([]string, len(ws))
		many := verdict.NewRefuter(p)
		for i, w := range ws {
			first[i] = told(many.At(w))
		}
		for _, i := range rng.Perm(len(ws)) {
			if again := told(many.At(ws[i])); again != first[i] {
				t.Errorf("%s, state %d: first %s, then %s", name, i, first[i], again)
			}
		}
		i := rng.IntN(len(ws))
		r, err := verdict.Refute(p, ws[i])
		if alone := told(r, err); alone != first[i] {
			t.Errorf("%s, state %d: alone %s, among others %s", name, i, alone, first[i])
		}
		if err == nil && r.Verdict().IsRefuted() {
			refuted++
		}
	}
	t.Logf("%d parts, %d of the states asked about alone refute", parts, refuted)
	if refuted == 0 {
		t.Error("nothing was refuted")
	}
}
