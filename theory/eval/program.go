package eval

import (
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// operation is a term without operators: its head, and the places of its arguments, which stand before it.
type operation struct {
	head       kernel.Head
	a, b       int
	n          int        // exponent of a power
	num        *big.Rat   // of a number
	f          float64    // the same, rounded
	name       string     // of a letter
	rows, cols []lang.Dim // sizes of a letter, size, identity or zero
	scalar     bool
}

// program is a list of operations in which each term occurs once. Programs grow at the end; what is in them does
// not change.
type program struct {
	ops   []operation
	place map[*kernel.Term]int
}

func newProgram() *program { return &program{place: map[*kernel.Term]int{}} }

// put adds a pure term and what is in it, and returns its place.
func (p *program) put(t *kernel.Term) int {
	if i, ok := p.place[t]; ok {
		return i
	}
	o := operation{head: t.Head(), scalar: t.Scalar()}
	switch t.Len() {
	case 2:
		o.a, o.b = p.put(t.Arg(0)), p.put(t.Arg(1))
	case 1:
		o.a = p.put(t.Arg(0))
	}
	r, c := t.Shape()
	switch o.head {
	case kernel.Number:
		o.num = t.Value()
		o.f, _ = o.num.Float64()
	case kernel.Letter:
		o.name = t.Symbol().Name()
		o.rows, o.cols = legs(r), legs(c)
	case kernel.Size, kernel.Identity:
		o.rows = legs(t.Dim())
	case kernel.Zero:
		o.rows, o.cols = legs(r), legs(c)
	case kernel.Power:
		o.n = t.Exponent()
	}
	p.ops = append(p.ops, o)
	p.place[t] = len(p.ops) - 1
	return len(p.ops) - 1
}

func legs(d kernel.Dim) []lang.Dim {
	if d == "" {
		return nil
	}
	var out []lang.Dim
	for _, l := range d.Legs() {
		out = append(out, lang.Dim(l))
	}
	return out
}
