package falsify

import (
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// sized gives the sizes, which sample.Draw chooses first, given values.
type sized struct {
	sample.Chooser
	sizes []int
}

func (s *sized) Intn(n int) int {
	if len(s.sizes) > 0 {
		k := s.sizes[0]
		s.sizes = s.sizes[1:]
		return min(k-1, n-1)
	}
	return s.Chooser.Intn(n)
}

// corner makes most choices at an end of their range, where the simplest values, the degenerate matrices and
// the ends of domains are.
type corner struct{ sample.Chooser }

func (c corner) Intn(n int) int {
	switch c.Chooser.Intn(5) {
	case 0, 1:
		return 0
	case 2:
		return n - 1
	case 3:
		return min(1, n-1)
	}
	return c.Chooser.Intn(n)
}

// Sizes bounds the symbolic sizes of a search: Lo ≤ size ≤ Hi.
type Sizes struct{ Lo, Hi int }

// DefaultMaxSize bounds the sizes of drawn matrices where no region does: three is the least size at which
// repeated and distinct eigenvalues, and shapes wider, taller and square, all occur.
const DefaultMaxSize = 3

// randomMaxSize bounds the sizes of statements with expectations, which the model that confirms a counterexample takes
// by differences in all pairs of entries.
const randomMaxSize = 2

func (o *Options) sizesOf(part *lang.Part) map[lang.Dim]Sizes {
	hi := DefaultMaxSize
	for _, name := range part.Env.Order {
		if part.Env.Symbols[name].Kind == lang.Random {
			hi = randomMaxSize
		}
	}
	out := map[lang.Dim]Sizes{}
	for _, d := range part.Env.Sizes {
		s, ok := o.Sizes[string(d)]
		if !ok {
			s = Sizes{1, hi}
		}
		out[d] = s
	}
	return out
}

// drawSizes draws the sizes; grow in [0, 1] moves the upper ends from the least to the greatest.
func drawSizes(ch sample.Chooser, part *lang.Part, sizes map[lang.Dim]Sizes, grow float64) []int {
	var out []int
	for _, d := range part.Env.Sizes {
		s := sizes[d]
		hi := s.Lo + int(grow*float64(s.Hi-s.Lo)+0.999)
		out = append(out, s.Lo+ch.Intn(min(hi, s.Hi)-s.Lo+1))
	}
	return out
}
