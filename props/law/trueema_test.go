package law

import (
	"context"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/props"
	"stopgrad/theory/sample"
)

// underTrueAverage is the bound of Theorem 3 where Assumption 2 is dropped: along the symmetrised isotropic
// flow with W_a(0) = 0, with τ_eff = ⟨W, W_a⟩/⟨W, W⟩ in K, over the stretch from the start on which K ≻ 0 at
// every output time. The measure is ln(‖L(t)‖/‖L(0)‖) + 2λ₀t, λ₀ the least eigenvalue of K met.
//
// Nothing asserts this bound; it is here because the claims ledger asks whether it survives (thm3-true-ema).
var underTrueAverage = Law{ID: "thm3-true-ema", Name: "bound", Tolerance: 1e-3, measure: func(r *run) (float64, error) {
	s := r.weighted()
	s.X, s.Xp = nil, nil
	s.Wp = symmetricPart(s.Wp)
	s.Wa.Zero()
	norms := func(x *flow.State) (l, terms float64) {
		f := gram(x.W)
		return measure.CommutatorNorm(f, x.Wp), size(f) * size(x.Wp)
	}
	l0, terms := norms(s)
	if l0 <= 100*logFloor*terms {
		return 0, errVacuous
	}
	tr, err := r.simulate("symmetrised", s, 6)
	if err != nil {
		return 0, err
	}
	lambda, worst := math.Inf(1), math.Inf(-1)
	for i, x := range tr.States {
		l, terms := norms(x)
		if l <= logFloor*terms {
			break
		}
		f := gram(x.W)
		var e mat.Dense
		e.MulElem(x.W, x.Wa)
		tau := mat.Sum(&e) / mat.Trace(f)
		if lambda = min(lambda, measure.MinEigenvalue(symmetricPart(measure.K(f, x.Wp, x.Alpha, x.Sigma2, tau, x.Eta)))); lambda <= 0 {
			break
		}
		if i > 0 {
			worst = max(worst, math.Log(l/l0)+2*lambda*tr.T[i])
		}
	}
	if math.IsInf(worst, -1) {
		return 0, errVacuous
	}
	return worst, nil
}}

// TestTheorem3FailsUnderATrueMovingAverage: without W_a = τW the bound does not survive, even from W_a(0) = 0;
// the violations are found by both integrators.
func TestTheorem3FailsUnderATrueMovingAverage(t *testing.T) {
	ch := sample.NewStream(1, "true average")
	var counts [3]int
	worst := 0.0
	for range 1500 {
		o, err := underTrueAverage.Check(context.Background(), ch)
		if err != nil {
			t.Fatal(err)
		}
		counts[o.Status]++
		if o.Status == props.Violated {
			worst = max(worst, o.Measure)
		}
	}
	t.Logf("%d starts keep the bound, %d violate it, ‖L‖ by a factor of up to e^%.2g", counts[props.Holds], counts[props.Violated], worst)
	if counts[props.Violated] == 0 {
		t.Error("no violation found")
	}
	if counts[props.Holds] == 0 {
		t.Error("no start keeps the bound: the measure is suspect")
	}
}
