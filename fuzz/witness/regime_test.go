package witness_test

import (
	"math/big"
	"testing"

	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

const regimes = `claim c
  title t
  printed nowhere
  size n
  scalar tau, eta, alpha, s, free
  matrix X : n x n symmetric
  matrix W : n x n
  says p: tau + eta + alpha + s + free + tr(X) + tr(W) < 100
`

// TestOutsideCountsWhatLeavesTheRegime moves one quantity at a time over its edge.
func TestOutsideCountsWhatLeavesTheRegime(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "t", Text: regimes})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Claims[0].Parts[0]
	inside := func() witness.Witness {
		one := func(k int64) witness.Matrix { return eval.ScalarOf(big.NewRat(k, 1)) }
		return witness.Witness{Dims: map[lang.Dim]int{"n": 1}, Vals: map[string]witness.Matrix{
			"tau": one(1), "eta": one(1), "alpha": one(4), "s": one(1), "free": one(-100), "X": one(1), "W": one(-1)}}
	}
	if n := witness.Outside(p, inside()); n != 0 {
		t.Errorf("%d quantities outside", n)
	}
	for name, v := range map[string]*big.Rat{"tau": big.NewRat(11, 10), "eta": new(big.Rat), "alpha": big.NewRat(1, 3), "s": new(big.Rat), "X": new(big.Rat), "W": new(big.Rat)} {
		w := inside()
		w.Vals[name] = eval.ScalarOf(v)
		if n := witness.Outside(p, w); n != 1 {
			t.Errorf("%s = %s: %d outside", name, v.RatString(), n)
		}
		if !witness.SizeOf(p, inside()).Less(witness.SizeOf(p, w)) {
			t.Errorf("%s = %s is simpler than a state inside", name, v.RatString())
		}
	}
	// Draws of the narrowed part are inside but for W, which may be zero.
	q, some := witness.Inside(p)
	if !some {
		t.Fatal("nothing is narrowed")
	}
	ch, drawn := sample.NewStream(1, "inside"), 0
	for range 200 {
		st, err := sample.Draw(ch, q, 2)
		if err != nil {
			continue
		}
		f, err := eval.Judge(eval.Rational{}, q, st)
		if err != nil || !f.Met {
			continue
		}
		drawn++
		st.Vals["W"] = witness.Matrix{R: st.Dims["n"], C: st.Dims["n"], A: st.Vals["X"].A}
		if n := witness.Outside(p, st); n != 0 {
			t.Errorf("%s: %d outside", witness.String(st), n)
		}
	}
	if drawn < 100 {
		t.Errorf("only %d drawn", drawn)
	}
}
