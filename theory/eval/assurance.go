package eval

import (
	"math"

	"stopgrad/theory/lang"
)

// Assurance is how well a hypothesis is known to be met at a state.
type Assurance struct {
	// Name is that of the hypothesis, or of the symbol whose declaration it is.
	Name string
	// Moves is true if it is about quantities that move; Always, if it is assumed at every time.
	Moves, Always bool
	// Sure is true if it is met: in exact arithmetic as it stands, in floating point by more than rounding explains, so
	// that an equation never is. A declaration that floats meet as they are is met, too. What is declared of a symbol
	// without a value is nothing that the part speaks of; in exact arithmetic, where others have no value, it is not sure.
	Sure bool
	// Margin is by how much an inequality holds, of a definite matrix its smallest eigenvalue; NaN of all else.
	Margin float64
}

// Assurances says of each hypothesis of a part, in their order, how well it is known to be met at a state.
func Assurances[T any](ar Arith[T], part *lang.Part, st State[T]) ([]Assurance, error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	out := make([]Assurance, len(c.hypotheses))
	for i := range c.hypotheses {
		h := &c.hypotheses[i]
		out[i] = Assurance{Name: h.name, Moves: h.moves, Always: h.always, Margin: math.NaN()}
		scale, err := j.reach(h.check)
		if err != nil {
			out[i].Sure = !j.exact && h.declared && isMissing(err)
			continue
		}
		v := j.test(h.check, scale)
		out[i].Sure = v.strict || j.exact && v.holds || h.declared && h.rel == equal && v.holds && j.norm(v.difference) == 0
		switch h.rel {
		case atLeast, greater, unequal:
			out[i].Margin = j.ar.Float(v.difference.A[0])
		case semidefinite, definite:
			// That a computed matrix is symmetric is an equation, too.
			out[i].Sure = out[i].Sure && (j.exact || j.symmetric(v.difference, 0))
			out[i].Margin = j.smallest(v.difference)
		}
	}
	return out, nil
}

// Begun reports whether the premises of the statement are known to be met where the course begins: those of what stays, keeps
// its signs or lies between two ends; in floating point by more than rounding explains.
func (k *Course[T]) Begun() bool {
	for i := range k.marks {
		if !k.marks[i].sure {
			return false
		}
	}
	return true
}
