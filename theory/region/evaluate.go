package region

import (
	"math"
	"math/big"
	"math/bits"

	"stopgrad/numeric/interval"
)

type iv = interval.Interval

// program is an expression in the order of evaluation.
type program struct {
	nodes  []*Expr
	args   [][2]int
	coords []int // that occur
	column []int // of a Coordinate node: its place in coords
	values []iv  // of a Constant node
	work   int   // of the natural interval extension
}

func compile(e *Expr) *program {
	p := &program{}
	place := map[*Expr]int{}
	var visit func(*Expr) int
	visit = func(e *Expr) int {
		if i, ok := place[e]; ok {
			return i
		}
		var at [2]int
		if e.a != nil {
			at[0] = visit(e.a)
		}
		if e.b != nil {
			at[1] = visit(e.b)
		}
		column := -1
		if e.op == Coordinate {
			column = len(p.coords)
			p.coords = append(p.coords, e.n)
		}
		value := iv{}
		if e.op == Constant {
			value = interval.FromRat(e.value)
		}
		p.work += 3
		if e.op == Power {
			p.work += 4 * bits.Len(uint(e.n)) // by squaring, at both ends
		}
		place[e] = len(p.nodes)
		p.values = append(p.values, value)
		p.nodes, p.args, p.column = append(p.nodes, e), append(p.args, at), append(p.column, column)
		return place[e]
	}
	visit(e)
	return p
}

// compile is the program of an expression.
func (s *Statement) compile(e *Expr) *program {
	p := compile(e)
	s.meter.charge(expression * len(p.nodes))
	return p
}

// maxKept is how many nodes of programs are kept for the next time.
const maxKept = 2_000_000

// compiled is the program of an expression that is asked for again and again.
func (s *Statement) compiled(e *Expr) *program {
	if s.progs[e] == nil {
		p := s.compile(e)
		if s.kept += len(p.nodes); s.kept > maxKept {
			s.progs, s.kept = map[*Expr]*program{}, len(p.nodes)
		}
		s.progs[e] = p
	}
	return s.progs[e]
}

// natural is the natural interval extension of each node: it contains the node's value at every point of the box at which
// that has one.
func (p *program) natural(box []iv) []iv {
	v := make([]iv, len(p.nodes))
	for i, e := range p.nodes {
		a, b := v[p.args[i][0]], v[p.args[i][1]]
		switch e.op {
		case Constant:
			v[i] = p.values[i]
		case Coordinate:
			v[i] = box[e.n]
		case Sum:
			v[i] = a.Add(b)
		case Product:
			v[i] = a.Mul(b)
		case Power:
			v[i] = a.PowInt(e.n)
		case Reciprocal:
			v[i] = a.Recip()
		case Root:
			v[i] = a.Sqrt()
		}
	}
	return v
}

// MaxSlopes is how many partial derivatives of nodes are held at once; of more, slope shows nothing.
const MaxSlopes = 4_000_000

// gradient is the range of the partial derivatives over the box, one for each of coords; false where the expression is not
// known to have a derivative on all of the box.
func (p *program) gradient(box []iv) ([]iv, bool) {
	n := len(p.coords)
	if len(p.nodes)*n > MaxSlopes {
		return nil, false
	}
	v := p.natural(box)
	all := make([]iv, len(p.nodes)*n) // zero to begin with
	of := func(i int) []iv { return all[i*n : (i+1)*n] }
	for i, e := range p.nodes {
		a, b := p.args[i][0], p.args[i][1]
		out := of(i)
		var factor iv
		switch e.op {
		case Constant:
			continue
		case Coordinate:
			out[p.column[i]] = interval.FromInt(1)
			continue
		case Sum:
			for k := range out {
				out[k] = of(a)[k].Add(of(b)[k])
			}
			continue
		case Product:
			for k := range out {
				out[k] = v[b].Mul(of(a)[k]).Add(v[a].Mul(of(b)[k]))
			}
			continue
		case Power:
			factor = interval.FromInt(int64(e.n)).Mul(v[a].PowInt(e.n - 1))
		case Reciprocal:
			// Soundness: the mean value theorem needs a derivative all the way.
			if v[a].IsEmpty() || v[a].Contains(0) {
				return nil, false
			}
			factor = v[i].Sqr().Neg()
		case Root:
			if !v[a].Positive() {
				return nil, false
			}
			factor = interval.FromInt(2).Mul(v[i]).Recip()
		}
		for k := range out {
			out[k] = factor.Mul(of(a)[k])
		}
	}
	g := of(len(p.nodes) - 1)
	for _, x := range g {
		if x.IsEmpty() {
			return nil, false
		}
	}
	return g, true
}

// last is the value of the expression itself.
func (p *program) last(box []iv) iv { v := p.natural(box); return v[len(v)-1] }

// leaf is a box.
type leaf struct {
	sides []Side
	box   []iv // the same, rounded outward
}

// holds reports whether a condition on a value that lies in v holds, or if negated fails, whatever the value.
func holds(v iv, rel Relation, negated bool) bool {
	if v.IsEmpty() {
		return false
	}
	switch {
	case rel == NonNegative && !negated:
		return v.NonNegative()
	case rel == Positive && !negated:
		return v.Positive()
	case rel == NonNegative:
		return v.Negative()
	case rel == Positive:
		return v.NonPositive()
	case rel == NonZero != negated:
		return v.Positive() || v.Negative()
	}
	return v.Lo() == 0 && v.Hi() == 0
}

// slope bounds an expression from below (from above if up) on a leaf: it is at least bound (at most), and not equal to it
// if strict. Coordinates in which the derivative has a sign on all of the box are put to the end where the bound is taken;
// what is left is bounded naturally and by the mean value form about the middle.
func (p *program) slope(l *leaf, up bool) (bound float64, strict, ok bool) {
	g, ok := p.gradient(l.box)
	if !ok {
		return 0, false, false
	}
	face := append([]iv(nil), l.box...)
	moved := make([]bool, len(g))
	for k, c := range p.coords {
		d, x := g[k], l.sides[c]
		if up {
			d = d.Neg()
		}
		switch {
		case d.NonNegative() && x.Lo != nil:
			face[c], moved[k] = interval.FromRat(x.Lo), true
			// Soundness: from the open end inwards the expression grows strictly.
			strict = strict || x.LoOpen && d.Positive()
		case d.NonPositive() && x.Hi != nil:
			face[c], moved[k] = interval.FromRat(x.Hi), true
			strict = strict || x.HiOpen && d.Negative()
		}
	}
	v := p.last(face)
	middle := append([]iv(nil), face...)
	var spread iv
	for k, c := range p.coords {
		if moved[k] {
			continue
		}
		if !face[c].IsBounded() {
			spread = interval.Entire()
			break
		}
		middle[c] = interval.Point(face[c].Mid())
		spread = spread.Add(g[k].Mul(face[c].Sub(middle[c])))
	}
	m := p.last(middle).Add(spread)
	if v.IsEmpty() || m.IsEmpty() {
		return 0, false, false
	}
	if up {
		return math.Min(v.Hi(), m.Hi()), strict, true
	}
	return math.Max(v.Lo(), m.Lo()), strict, true
}

// slopeWork is the work of sloped: two bounds where both signs are asked for, each by a gradient and two evaluations.
func (p *program) slopeWork(l *leaf, rel Relation) int {
	n := 3*p.work + 4*len(p.nodes)*len(p.coords)
	for _, c := range p.coords {
		n += l.sides[c].effort()
	}
	if rel == NonZero || rel == Null {
		n *= 2
	}
	return n
}

// sloped reports whether a condition holds, or if negated fails, on a leaf by slope.
func (p *program) sloped(l *leaf, rel Relation, negated bool) bool {
	above := func(strictly bool) bool {
		b, strict, ok := p.slope(l, false)
		return ok && (b > 0 || b == 0 && (strict || !strictly))
	}
	below := func(strictly bool) bool {
		b, strict, ok := p.slope(l, true)
		return ok && (b < 0 || b == 0 && (strict || !strictly))
	}
	switch {
	case rel == NonNegative && !negated:
		return above(false)
	case rel == Positive && !negated:
		return above(true)
	case rel == NonNegative:
		return below(true)
	case rel == Positive:
		return below(false)
	case rel == NonZero != negated:
		return above(true) || below(true)
	}
	return false
}

// signed reports whether a condition holds, or if negated fails, on a leaf by Bernstein coefficients.
func signed[T any](s *Statement, c Condition, l *leaf, a numbers[T], negated bool, charge func(int)) bool {
	f := s.ring.of(c.Expr)
	charge(conversion * (1 + len(f.den)))
	if len(f.num) == 0 {
		// Zero wherever it has a value.
		return (c.Rel == Null || c.Rel == NonNegative) != negated
	}
	side := func(v int) Side {
		if v < maxCoordinates {
			return l.sides[v]
		}
		return s.rootSide(s.ring.roots[v-maxCoordinates], l)
	}
	of := func(p poly) sign {
		return bernstein(p, side, a, charge)
	}
	// Each divisor is a number that is not zero where the expression has a value: its weak sign is a strict one there.
	flip := false
	for _, d := range sorted(f.den) {
		if f.den[d]%2 == 0 {
			continue
		}
		switch sg := of(s.ring.of(d).num); {
		case sg.nonnegative:
		case sg.nonpositive:
			flip = !flip
		default:
			return false
		}
	}
	sg := of(f.num)
	if flip {
		sg = sign{sg.nonpositive, sg.negative, sg.nonnegative, sg.positive}
	}
	switch {
	case c.Rel == NonNegative && !negated:
		return sg.nonnegative
	case c.Rel == Positive && !negated:
		return sg.positive
	case c.Rel == NonNegative:
		return sg.negative
	case c.Rel == Positive:
		return sg.nonpositive
	case c.Rel == NonZero != negated:
		return sg.positive || sg.negative
	}
	return false
}

// rootSide is the range of a root on a leaf. It is not zero where its radicand is positive by hypothesis.
func (s *Statement) rootSide(e *Expr, l *leaf) Side {
	p := s.compiled(e)
	s.meter.charge(p.work + conversion + len(s.hypotheses))
	v := p.last(l.box)
	lo, hi, ok := v.Rats()
	if !ok {
		refuse("a root has no value on the box")
	}
	out := Side{Lo: lo, Hi: hi}
	if lo == nil {
		out.Lo = new(big.Rat)
	}
	if out.Lo.Sign() == 0 {
		for _, h := range s.hypotheses {
			out.LoOpen = out.LoOpen || h.Expr == e.a && h.Rel == Positive
		}
	}
	return out
}
