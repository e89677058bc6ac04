package statecheck

import (
	"math"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// integrated checks what a statement about a stretch of time says about the whole of it:
//
//	L evolves at rate r     L(t) = exp(rt)·L(0)             law residual = max ‖L(t) − exp(rt)·L(0)‖
//	|L| decays at rate r    ‖L(t)‖ ≤ exp(−rt)·‖L(0)‖        bound excess = max ‖L(t)‖ − exp(−rt)·‖L(0)‖
//	                                                        bound ratio  = max ‖L(t)‖/(exp(−rt)·‖L(0)‖)
//	L stays zero            L(0) = 0 ⟹ L(t) = 0             largest value
//	L stays nonnegative     L(0) ≥ 0 ⟹ L(t) ≥ 0             least value (positive: L(0) > 0)
//	L vanishes, L tends     nothing at a finite time         remaining = ‖L(t)‖/‖L(0)‖ at the end
//
// up to rounding, eval.Tolerance times the largest number met in L, and the error of the trajectory: the
// distance in L between two integrations, of which the one judged has a hundredth of the other's tolerance and
// so about a hundredth of its error, which leaves two digits for where errors and tolerances are not
// proportional.
func (b *binding) integrated(tr *trajectory, points []*binding, res *PartResult) error {
	s := b.part.Stmt
	switch s.Kind {
	case lang.Evolves, lang.Decays, lang.Stays, lang.Vanishes, lang.Tends:
	default:
		return nil
	}
	at := func(c *binding) (v []float64, rate, scale float64, err error) {
		e, err := eval.New(eval.Float{}, b.part.Env, c.st)
		if err != nil {
			return nil, 0, 0, err
		}
		l := s.L
		if s.Kind == lang.Tends {
			l = lang.NewBin(lang.Sub, s.L, s.R)
		}
		m, err := e.Eval(l)
		if err != nil {
			return nil, 0, 0, err
		}
		if s.Rate != nil {
			r, err := e.Eval(s.Rate)
			if err != nil {
				return nil, 0, 0, err
			}
			rate = r.A[0]
		}
		// An L that is a bare variable is no sum; its own size is what its rounding is relative to.
		return m.A, rate, max(e.Scale(), norm(m.A)), nil
	}
	start, rate, scale, err := at(points[0])
	if err != nil {
		return err
	}
	n0 := size(s, start)
	premise := true
	if s.Kind == lang.Stays {
		premise = staysPremise(s.Word, start, eval.Tolerance*scale)
	}
	for i, c := range points {
		l, _, here, err := at(c)
		if err != nil {
			return err
		}
		scale = max(scale, here)
		off, err := b.at(tr.coarse[i])
		if err != nil {
			return err
		}
		for _, r := range b.rates {
			off.st.Vals[r.name] = c.st.Vals[r.name]
		}
		other, _, _, err := at(off)
		if err != nil {
			return err
		}
		tol := eval.Tolerance*scale + distance(l, other, 1)
		t := tr.times[i]
		switch s.Kind {
		case lang.Evolves:
			d := distance(l, start, math.Exp(rate*t))
			res.measure("law residual", d)
			res.Holds = res.Holds && d <= tol*max(1, math.Exp(rate*t))
		case lang.Decays:
			bound := math.Exp(-rate*t) * n0
			excess := size(s, l) - bound
			res.measure("bound excess", excess)
			if bound > tol {
				res.measure("bound ratio", size(s, l)/bound)
			}
			res.Holds = res.Holds && excess <= tol*max(1, math.Exp(-rate*t))
		case lang.Stays:
			if s.Word == "zero" {
				res.measure("largest value", norm(l))
				res.Holds = res.Holds && (!premise || norm(l) <= tol)
			} else {
				res.measure("least value", l[0])
				res.Holds = res.Holds && (!premise || l[0] >= -tol)
			}
		case lang.Vanishes, lang.Tends:
			if i == len(points)-1 && n0 > 0 {
				res.measure("remaining", norm(l)/norm(start))
			}
		}
	}
	return nil
}

// size is ‖L‖ for a bound on the norm, and L itself for a bound on a scalar.
func size(s *lang.Stmt, l []float64) float64 {
	if s.Kind == lang.Decays && !s.Norm {
		return l[0]
	}
	return norm(l)
}

func staysPremise(word string, l []float64, tol float64) bool {
	switch word {
	case "zero":
		return norm(l) <= tol
	case "positive":
		return l[0] > tol
	}
	return l[0] >= -tol
}

// distance returns ‖a − c·b‖.
func distance(a, b []float64, c float64) float64 {
	d := 0.0
	for i := range a {
		d = math.Hypot(d, a[i]-c*b[i])
	}
	return d
}
