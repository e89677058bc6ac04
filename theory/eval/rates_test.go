package eval_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// TestRatesAreTheRightHandSides holds every flow of the claims that can be compiled against the evaluator at random states.
func TestRatesAreTheRightHandSides(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	flows, compared, undefined := map[*lang.Expr]bool{}, 0, 0
	for label, part := range builtIn(t) {
		if part.Fault != nil || len(part.Env.Flow) == 0 || flows[part.Env.Flow[0].RHS] {
			continue
		}
		r, err := eval.NewRates(part.Env)
		if errors.Is(err, eval.ErrNotScalar) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", label, err)
		}
		flows[part.Env.Flow[0].RHS] = true
		w, names := r.NewRegisters(), r.Names()
		x, dx := make([]float64, len(names)), make([]float64, len(part.Env.Flow))
		for range 50 {
			st := eval.State[float64]{Vals: map[string]eval.Matrix[float64]{}}
			for i, name := range names {
				x[i] = float64(rng.IntN(9)-4) / float64(1+rng.IntN(3))
				st.Vals[name] = eval.Matrix[float64]{R: 1, C: 1, A: []float64{x[i]}}
			}
			e, err := eval.New(eval.Float{}, part.Env, st)
			if err != nil {
				t.Fatalf("%s: %v", label, err)
			}
			defined := r.Eval(w, x, dx)
			for i, q := range part.Env.Flow {
				m, err := e.RightHandSide(q.Name)
				switch {
				case err != nil && defined:
					t.Fatalf("%s: %s' is %v at %v, and the evaluator says: %v", label, q.Name, dx[i], st.Vals, err)
				case err == nil && defined:
					compared++
					if math.Abs(m.A[0]-dx[i]) > 1e-12*(1+math.Abs(m.A[0])) {
						t.Fatalf("%s: %s' is %v at %v, and by the evaluator %v", label, q.Name, dx[i], st.Vals, m.A[0])
					}
				case !defined:
					undefined++
				}
			}
		}
	}
	if len(flows) < 5 || compared < 500 || undefined == 0 {
		t.Errorf("%d flows, %d values compared, %d without one: too little to say anything", len(flows), compared, undefined)
	}
}
