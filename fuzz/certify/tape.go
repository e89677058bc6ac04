package certify

import (
	"math"
	"math/big"

	"stopgrad/theory/region"
)

// operation is one step of a tape.
type operation struct {
	op    region.Op
	a, b  int32
	n     int32
	value float64
}

// tape evaluates an expression on boxes.
type tape struct {
	ops    []operation
	coords []int // that occur
	column map[int]int
	work   int // of an evaluation
	*scratch
}

// scratch is where tapes keep what they evaluate to, one at a time.
type scratch struct {
	v     []span    // of each operation, of the tape that was evaluated last
	g     []span    // partial derivatives of each, some of them at a time
	point []float64 // at a point
}

// ofLength is the beginning of a slice that is grown to be long enough.
func ofLength[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}

// expression is the work of reading an expression, in operations.
const expression = 32

func newTape(e *region.Expr, s *scratch, m *meter) *tape {
	t := &tape{column: map[int]int{}, scratch: s}
	place := map[*region.Expr]int32{}
	var visit func(*region.Expr) int32
	visit = func(e *region.Expr) int32 {
		if i, ok := place[e]; ok {
			return i
		}
		m.charge(expression)
		o := operation{op: e.Op(), n: int32(e.Exponent())}
		a, b := e.Args()
		if a != nil {
			o.a = visit(a)
		}
		if b != nil {
			o.b = visit(b)
		}
		switch e.Op() {
		case region.Constant:
			o.value, _ = e.Value().Float64()
		case region.Coordinate:
			if _, ok := t.column[e.Index()]; !ok {
				t.column[e.Index()] = len(t.coords)
				t.coords = append(t.coords, e.Index())
			}
		}
		t.work += 2
		if o.op == region.Power {
			t.work += 32
		}
		place[e] = int32(len(t.ops))
		t.ops = append(t.ops, o)
		return place[e]
	}
	visit(e)
	return t
}

// values is the natural range on a box.
func (t *tape) values(box []span, m *meter) span {
	m.charge(t.work)
	t.v = ofLength(&t.v, len(t.ops))
	for i := range t.ops {
		o := &t.ops[i]
		switch o.op {
		case region.Constant:
			t.v[i] = span{o.value, o.value}
		case region.Coordinate:
			t.v[i] = box[o.n]
		case region.Sum:
			t.v[i] = t.v[o.a].add(t.v[o.b])
		case region.Product:
			t.v[i] = t.v[o.a].mul(t.v[o.b])
		case region.Power:
			t.v[i] = t.v[o.a].pow(int(o.n))
		case region.Reciprocal:
			t.v[i] = t.v[o.a].recip()
		case region.Root:
			t.v[i] = t.v[o.a].sqrt()
		}
	}
	return t.v[len(t.ops)-1]
}

// gradient is the range of the partial derivatives on the box whose values were computed last, by coords; nil where there
// is none, or more of them than package region looks at.
func (t *tape) gradient(m *meter) []span {
	if len(t.ops)*len(t.coords) > region.MaxSlopes {
		return nil
	}
	out := make([]span, 0, len(t.coords))
	for from := 0; from < len(t.coords); {
		to := min(len(t.coords), from+max(1, maxPartials/len(t.ops)))
		g := t.partials(from, to, m)
		if g == nil {
			return nil
		}
		out, from = append(out, g...), to
	}
	return out
}

// partials are those of the gradient by coords[from:to], until it is asked for others.
func (t *tape) partials(from, to int, m *meter) []span {
	n := to - from
	m.charge(3 * len(t.ops) * (1 + n))
	t.g = ofLength(&t.g, len(t.ops)*n)
	of := func(i int32) []span { return t.g[int(i)*n : (int(i)+1)*n] }
	for i := range t.ops {
		o := &t.ops[i]
		out := of(int32(i))
		var f span
		switch o.op {
		case region.Constant:
			clear(out)
			continue
		case region.Coordinate:
			clear(out)
			if k := t.column[int(o.n)]; from <= k && k < to {
				out[k-from] = span{1, 1}
			}
			continue
		case region.Sum:
			a, b := of(o.a), of(o.b)
			for k := range out {
				out[k] = a[k].add(b[k])
			}
			continue
		case region.Product:
			a, b := of(o.a), of(o.b)
			for k := range out {
				out[k] = t.v[o.b].mul(a[k]).add(t.v[o.a].mul(b[k]))
			}
			continue
		case region.Power:
			f = t.v[o.a].pow(int(o.n) - 1)
			f = f.mul(span{float64(o.n), float64(o.n)})
		case region.Reciprocal:
			if t.v[o.a].lo <= 0 && t.v[o.a].hi >= 0 {
				return nil
			}
			f = t.v[i].pow(2).neg()
		case region.Root:
			if !(t.v[o.a].lo > 0) {
				return nil
			}
			f = t.v[i].mul(span{2, 2}).recip()
		}
		a := of(o.a)
		for k := range out {
			out[k] = f.mul(a[k])
		}
	}
	return of(int32(len(t.ops) - 1))
}

// slopes bounds the expression from both sides by its gradient g on a box: monotone coordinates at their ends, then the
// mean value form. A strict bound is not met, because a coordinate leaves its end out.
func (t *tape) slopes(box []span, open [][2]bool, g []span, meter *meter) (out span, strict [2]bool) {
	scratch := make([]span, len(box))
	bound := func(up bool) (float64, bool) {
		copy(scratch, box)
		strictly := false
		spread := span{}
		var middle []int
		for k, c := range t.coords {
			d := g[k]
			if up {
				d = d.neg()
			}
			switch {
			case d.lo >= 0 && !math.IsInf(box[c].lo, 0):
				scratch[c] = span{box[c].lo, box[c].lo}
				strictly = strictly || open[c][0] && d.lo > 0
			case d.hi <= 0 && !math.IsInf(box[c].hi, 0):
				scratch[c] = span{box[c].hi, box[c].hi}
				strictly = strictly || open[c][1] && d.hi < 0
			default:
				middle = append(middle, k)
			}
		}
		v := t.values(scratch, meter)
		for _, k := range middle {
			c := t.coords[k]
			m := box[c].lo/2 + box[c].hi/2
			spread = spread.add(g[k].mul(span{box[c].lo - m, box[c].hi - m}))
			scratch[c] = span{m, m}
		}
		m := v
		if len(middle) > 0 {
			m = t.values(scratch, meter).add(spread)
		}
		if up {
			return min(v.hi, nan(m.hi, 1)), strictly
		}
		return max(v.lo, nan(m.lo, -1)), strictly
	}
	out.lo, strict[0] = bound(false)
	out.hi, strict[1] = bound(true)
	return out, strict
}

// nan takes what is no number for an infinity of the sign.
func nan(x float64, sign int) float64 {
	if math.IsNaN(x) {
		return math.Inf(sign)
	}
	return x
}

// at is the value at a point.
func (t *tape) at(x []float64, m *meter) float64 {
	m.charge(t.work)
	t.point = ofLength(&t.point, len(t.ops))
	v := t.point
	for i := range t.ops {
		o := &t.ops[i]
		switch o.op {
		case region.Constant:
			v[i] = o.value
		case region.Coordinate:
			v[i] = x[o.n]
		case region.Sum:
			v[i] = v[o.a] + v[o.b]
		case region.Product:
			v[i] = v[o.a] * v[o.b]
		case region.Power:
			v[i] = math.Pow(v[o.a], float64(o.n))
		case region.Reciprocal:
			v[i] = 1 / v[o.a]
		case region.Root:
			v[i] = math.Sqrt(v[o.a])
		}
	}
	return v[len(v)-1]
}

// form is a polynomial whose Bernstein coefficients are looked at.
type form struct {
	vars []int
	size []int
	coef []float64
	work []float64
	cost int // of looking at them
}

// maxForm is how many coefficients are worth looking at.
const maxForm = 3000

func newForm(p []region.Monomial) *form {
	f := &form{}
	size := map[int]int{}
	for _, m := range p {
		for v, n := range m.Exponents {
			size[v] = max(size[v], n+1)
		}
	}
	for v := range region.FirstRoot * 2 {
		if n := size[v]; n > 0 {
			f.vars, f.size = append(f.vars, v), append(f.size, n)
		}
	}
	total := 1
	for _, n := range f.size {
		if total *= n; total > maxForm {
			return nil
		}
		f.cost += 4 * n
	}
	f.cost = (f.cost + 4) * total
	f.coef, f.work = make([]float64, total), make([]float64, total)
	for _, m := range p {
		at := 0
		for k, v := range f.vars {
			at = at*f.size[k] + m.Exponents[v]
		}
		c, _ := m.Coefficient.Float64()
		f.coef[at] += c
	}
	return f
}

// signs is the least and the greatest Bernstein coefficient on a box; false where the box is the whole line in a variable.
// half reports a half-line, on which coefficients have no common scale.
func (f *form) signs(side func(v int) span, m *meter) (least, most float64, ok bool) {
	m.charge(f.cost)
	c := f.work
	copy(c, f.coef)
	total := len(c)
	stride := total
	for k, v := range f.vars {
		n := f.size[k]
		stride /= n
		d := side(v)
		start, scale := d.lo, d.hi-d.lo
		switch {
		case math.IsInf(d.lo, 0) && math.IsInf(d.hi, 0):
			return 0, 0, false
		case math.IsInf(d.lo, 0):
			start, scale = d.hi, -1
		case math.IsInf(d.hi, 0):
			scale = 1
		}
		for base := range total {
			if base/stride%n != 0 {
				continue
			}
			if start != 0 {
				for i := range n - 1 {
					for j := n - 2; j >= i; j-- {
						c[base+j*stride] += start * c[base+(j+1)*stride]
					}
				}
			}
			w := 1.0
			for i := 1; i < n; i++ {
				w *= scale
				c[base+i*stride] *= w
			}
			if !d.bounded() {
				continue
			}
			binomial := 1.0
			for m := 1; m < n-1; m++ {
				binomial = binomial * float64(n-m) / float64(m)
				c[base+m*stride] /= binomial
			}
			for i := 1; i < n; i++ {
				for j := n - 1; j >= i; j-- {
					c[base+j*stride] += c[base+(j-1)*stride]
				}
			}
		}
	}
	least, most = math.Inf(1), math.Inf(-1)
	for _, x := range c {
		least, most = min(least, x), max(most, x)
	}
	return least, most, true
}

// float is the nearest float64, or an infinity where there is no number.
func float(v *big.Rat, sign int) float64 {
	if v == nil {
		return math.Inf(sign)
	}
	f, _ := v.Float64()
	return f
}
