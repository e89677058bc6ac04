package falsify

import (
	"math"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Margined reports whether a statement of this form has a margin, a number that is negative where the
// statement fails and can be optimised. An equality has none: where it is not an identity it fails at all
// states but those of a null set, which drawing finds at once.
func Margined(s *lang.Stmt) bool {
	switch s.Kind {
	case lang.Inequality, lang.Definite, lang.Decays, lang.Tends:
		return true
	case lang.Stays:
		return s.Word != "zero"
	}
	return false
}

// Margin returns how far the statement of a judged state is from failing, relative to the numbers it was
// computed from: negative where it fails. ok is false if the finding has no margin.
func Margin(f *eval.Finding) (m float64, ok bool) {
	scale := f.Measures["scale"]
	if !(scale > 0) {
		scale = 1
	}
	if v, has := f.Measures["smallest eigenvalue"]; has {
		return v, true
	}
	if v, has := f.Measures["margin"]; has {
		return v / scale, true
	}
	if v, has := f.Measures["derivative"]; has {
		return v, true
	}
	return 0, false
}

// objective is what the optimiser makes negative at a float64 state: the margin where every hypothesis holds,
// and 1 plus what is missing where one does not.
func objective(part *lang.Part, st eval.State[float64]) float64 {
	if lack := indefinite(part, st); lack > 0 {
		return 2 + squash(lack)
	}
	f, err := eval.Judge(eval.Float{}, part, st)
	if err != nil {
		return math.Inf(1)
	}
	if !f.Met {
		missing := 0.0
		for _, a := range part.Assumes {
			if !f.Hypotheses[a.Name] {
				missing += f.Lacks[a.Name]
			}
		}
		for name, ok := range f.Hypotheses {
			symbol, declared := lang.DeclaredOf(name)
			if s := part.Env.Symbols[symbol]; declared && s != nil && !ok {
				missing += outside(s, st.Vals[symbol])
			}
		}
		return 1 + squash(missing)
	}
	if part.Stmt.Kind == lang.Equality {
		if f.Holds {
			return 0
		}
		return -squash(f.Measures["residual"])
	}
	if part.Stmt.Kind == lang.Tends {
		// The speed has the wrong sign or not; how fast it is does not matter.
		if f.Holds {
			return squash(math.Abs(f.Measures["speed"]))
		}
		return -squash(math.Abs(f.Measures["speed"]))
	}
	m, ok := Margin(f)
	if !ok {
		return math.Inf(1)
	}
	if f.Holds {
		return squash(math.Max(m, 0))
	}
	return -squash(math.Abs(m))
}

// indefinite returns by how much matrices declared positive semidefinite fail to be, relative to their size, as
// they may where they were solved for.
func indefinite(part *lang.Part, st eval.State[float64]) float64 {
	lack := 0.0
	for _, name := range part.Env.Order {
		s, m := part.Env.Symbols[name], st.Vals[name]
		if s.Kind != lang.Matrix || s.Attr&lang.PSD == 0 || m.R == 0 {
			continue
		}
		size := 0.0
		for _, v := range m.A {
			size = max(size, math.Abs(v))
		}
		if low := eval.SmallestEigenvalue(append([]float64(nil), m.A...), m.R); low < -eval.Tolerance*size {
			lack -= low / size
		}
	}
	return lack
}

// outside returns how far a scalar lies outside its domain, 1 for a structure that fails.
func outside(s *lang.Symbol, m eval.Matrix[float64]) float64 {
	if s.Kind != lang.Scalar || len(m.A) != 1 {
		return 1
	}
	x, d := m.A[0], 0.0
	if s.Domain.Lo != nil {
		lo, _ := s.Domain.Lo.Float64()
		d = max(d, lo-x)
	}
	if s.Domain.Hi != nil {
		hi, _ := s.Domain.Hi.Float64()
		d = max(d, x-hi)
	}
	return d + 1e-6
}

// squash maps [0, ∞) to [0, 1) and keeps order.
func squash(x float64) float64 { return x / (1 + x) }
