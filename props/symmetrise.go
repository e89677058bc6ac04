package props

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/numeric/measure"
	"stopgrad/numeric/ode"
	"stopgrad/props/generate"
	"stopgrad/theory/sample"
)

// Significance is the level of the one-sided exact sign tests of the paired comparison of [Run] "sym-hurts":
// pairs with equal numbers are left out, and under the hypothesis of no effect each other pair favours either
// side with probability 1/2.
const Significance = 0.01

// symModes is the number of modes of the paired comparison.
const symModes = 6

// symHurts samples the statement "fewer modes survive with a symmetrised predictor than with a free one, from
// the same random initial weights" in the model's flow with Wa = W and isotropic data. The symmetrised flow
// starts from the symmetric part of the predictor.
func symHurts(ctx context.Context, seed uint64, samples int) (Measurement, error) {
	m := Measurement{
		Says:      "fewer modes survive symmetrised than free; Worst is the level of the exact sign test for it",
		Tolerance: Significance,
	}
	var freeSum, symSum, ties int
	freeCount, symCount := make([]int, symModes+1), make([]int, symModes+1)
	for i := range samples {
		ch := sample.NewStream(seed, fmt.Sprintf("sym-hurts/%d", i))
		free, sym, err := survivors(ctx, ch)
		if err != nil {
			return m, err
		}
		m.Tried++
		freeSum, symSum = freeSum+free, symSum+sym
		freeCount[free]++
		symCount[sym]++
		switch {
		case sym < free:
			m.Holds++
		case sym > free:
			m.Violations++
		default:
			ties++
		}
	}
	decided := m.Holds + m.Violations
	fewer, more := binomialTail(decided, m.Holds), binomialTail(decided, m.Violations)
	m.Worst = fewer
	outcome := "no effect seen"
	switch {
	case fewer <= Significance:
		outcome = "fewer survive symmetrised"
	case more <= Significance:
		outcome = "more survive symmetrised"
	}
	m.Detail = map[string]any{
		"modes": symModes, "equal": ties, "level_fewer": fewer, "level_more": more, "test": outcome,
		"mean_free": float64(freeSum) / float64(m.Tried), "mean_symmetrised": float64(symSum) / float64(m.Tried),
		"free_survivors": freeCount, "symmetrised_survivors": symCount,
	}
	return m, nil
}

// survivors draws one start and counts the modes that live in the long run, free and symmetrised.
func survivors(ctx context.Context, ch sample.Chooser) (free, sym int, err error) {
	p := generate.Parameters(ch, generate.Subcritical)
	p.Tau = generate.Rat(1, 1)
	if p.Eta.Cmp(p.CriticalDecay()) > 0 {
		panic("props: a larger τ lowered the critical decay")
	}
	size := generate.Scale(ch, -3, 1)
	w := generate.Dense(generate.Scaled(size, generate.Entries(ch, symModes, symModes)))
	wp := generate.Dense(generate.Scaled(size, generate.Entries(ch, symModes, symModes)))

	s := p.State()
	s.W, s.Wp = w, wp
	// Seventy-two variables and rates within a factor of a hundred of each other: an explicit method is fastest.
	settings := ode.Settings{RelTol: 1e-8, AbsTol: 1e-10}
	t := 40 / s.Eta
	_, last, _, err := end(ctx, "simsiam", s, t, settings)
	if err != nil {
		return 0, 0, err
	}
	free = living(gram(last.W), s)

	r := s.Clone()
	r.W, r.F = nil, gram(w)
	r.Wp.Add(wp, wp.T())
	r.Wp.Scale(0.5, r.Wp)
	_, last, _, err = end(ctx, "reduced", r, t, settings)
	if err != nil {
		return 0, 0, err
	}
	return free, living(last.F, s), nil
}

// living counts the eigenvalues of F above the geometric mean of collapse and survival, CollapseFraction^½ of
// the stationary p₊²/α: between the two there is no stationary value but that of p₋, which repels.
func living(f *mat.Dense, s *flow.State) int {
	_, plus, ok := measure.Roots(s.Tau, s.Sigma2, s.Eta)
	if !ok {
		return 0
	}
	n := 0
	values, _ := measure.Eigenframe(f)
	for _, v := range values {
		if v > 0.01*plus*plus/s.Alpha {
			n++
		}
	}
	return n
}
