package enclosure

import (
	"errors"
	"fmt"
	"math/big"

	"stopgrad/numeric/interval"
)

// ErrNotTrapped is wrapped by the error of a set of which it was not established that no solution leaves it. It does
// not say that one does.
var ErrNotTrapped = errors.New("enclosure: not seen to be a trap")

// Trap is a bounded set that no solution leaves, for any values of the parameters: a solution that is in it at one
// time exists for ever and stays in it. The set is a box in linear coordinates,
//
//	{ x : lo_i ≤ Σ_j rows_ij·x_j ≤ hi_i for all i },   rows invertible.
type Trap struct {
	sys    *System
	lo, hi []*big.Rat
	rows   [][]*big.Rat
	linear []Expr // the coordinates, as expressions of the state
	speeds []Expr // and their derivatives in time
	u      []interval.Interval
	back   []interval.Interval // the inverse of rows, row by row
	cells  int
}

// maxCells is the number of boxes that a side of a trap, or a statement about it, is cut into at most, unless asked
// otherwise.
const maxCells = 1 << 14

// inward decides whether the speed v of a coordinate on one of its two sides points into the trap or along the side.
func inward(v interval.Interval, upper bool) bool {
	if upper {
		return v.NonPositive()
	}
	return v.NonNegative()
}

// NewTrap establishes that no solution of sys leaves the set of the states x with lo ≤ rows·x ≤ hi. On each side, cut
// into cells boxes at most (0 means 16384), the speed of that side's coordinate is enclosed. If it is not seen to be a
// trap the error wraps ErrNotTrapped; it panics if the numbers have not the shape of the system.
//
// Soundness: the right-hand sides are rational and no divisor vanishes on the set, so that they are locally Lipschitz
// there. The set is convex and closed, and at each of its points the speed lies in the tangent cone: for each side on
// which the point lies, it does not point out of that side. By Nagumo's theorem (Blanchini, Automatica 35, 1999, theorem
// 3.1) solutions do not leave it, and since it is bounded they do not end.
func NewTrap(sys *System, rows [][]*big.Rat, lo, hi []*big.Rat, cells int) (*Trap, error) {
	return newTrap(sys, rows, lo, hi, cells, inward)
}

func newTrap(sys *System, rows [][]*big.Rat, lo, hi []*big.Rat, cells int, inward func(interval.Interval, bool) bool) (*Trap, error) {
	n := sys.Dim()
	if len(rows) != n || len(lo) != n || len(hi) != n {
		panic(fmt.Sprintf("enclosure: a trap of %d coordinates for %d variables", len(rows), n))
	}
	if cells <= 0 {
		cells = maxCells
	}
	for i := range lo {
		if lo[i].Cmp(hi[i]) > 0 {
			return nil, fmt.Errorf("%w: coordinate %d is bounded by %s below and by %s above", ErrNotTrapped, i+1, lo[i].RatString(), hi[i].RatString())
		}
	}
	inverse, err := invert(rows, sys.meter)
	if err != nil {
		return nil, err
	}
	t := &Trap{sys: sys, cells: cells}
	for i := range n {
		t.lo, t.hi = append(t.lo, new(big.Rat).Set(lo[i])), append(t.hi, new(big.Rat).Set(hi[i]))
		t.rows = append(t.rows, append([]*big.Rat(nil), rows[i]...))
		t.u = append(t.u, interval.FromRat(lo[i]).Hull(interval.FromRat(hi[i])))
		for _, x := range inverse[i] {
			t.back = append(t.back, interval.FromRat(x))
		}
	}
	for _, x := range append(append([]interval.Interval(nil), t.u...), t.back...) {
		if !x.IsBounded() {
			return nil, fmt.Errorf("%w: its numbers are beyond float64", ErrNotTrapped)
		}
	}
	for _, row := range rows {
		x, v := sys.Int(0), sys.Int(0)
		for j, c := range row {
			k := sys.Const(c)
			x = x.Add(k.Mul(sys.add(node{op: opVar, a: j})))
			if sys.rhs[j] == undefined {
				return nil, fmt.Errorf("enclosure: variable %s has no right-hand side", sys.names[j])
			}
			v = v.Add(k.Mul(Expr{sys, sys.rhs[j]}))
		}
		t.linear, t.speeds = append(t.linear, x), append(t.speeds, v)
	}
	p, err := compile(sys, t.speeds...)
	if err != nil {
		return nil, err
	}
	if p.divides() {
		if !t.everywhere(p, t.u, func(values []interval.Interval) bool { return true }) {
			return nil, fmt.Errorf("%w: a divisor may vanish on it", ErrNotTrapped)
		}
	}
	for i := range n {
		for _, upper := range []bool{false, true} {
			side := append([]interval.Interval(nil), t.u...)
			side[i] = interval.FromRat(lo[i])
			if upper {
				side[i] = interval.FromRat(hi[i])
			}
			if !t.everywhere(p, side, func(v []interval.Interval) bool { return inward(v[i], upper) }) {
				name := "lower"
				if upper {
					name = "upper"
				}
				return nil, fmt.Errorf("%w: on the %s side of coordinate %d the speed may point outward", ErrNotTrapped, name, i+1)
			}
		}
	}
	return t, nil
}

// divides reports whether an operation is a quotient that depends on the state.
func (p *program) divides() bool {
	for _, in := range p.ops {
		if in.op == opDiv && !in.fixed {
			return true
		}
	}
	return false
}

// everywhere reports whether good is true of the outputs of p on boxes that cover a box of coordinates.
func (t *Trap) everywhere(p *program, u []interval.Interval, good func([]interval.Interval) bool) bool {
	run := newTaylor(p, 0, true)
	return t.cover(u, func(u []interval.Interval) (bool, []float64) {
		values, steep, ok := t.values(run, u)
		return ok && good(values), steep
	})
}

// cover reports whether judge is true of boxes that cover a box of coordinates. Of a box of which it is not, judge may say
// how steep what it looks at is in each coordinate, so that it is cut across the one that matters most.
func (t *Trap) cover(whole []interval.Interval, judge func([]interval.Interval) (bool, []float64)) bool {
	left := t.cells
	var visit func(u []interval.Interval) bool
	visit = func(u []interval.Interval) bool {
		ok, steep := judge(u)
		if ok {
			return true
		}
		if left--; left <= 0 {
			return false
		}
		cut, most := -1, 0.0
		for j := range u {
			w, m := u[j].Wid(), u[j].Mid()
			if !(w > 0) || !(u[j].Lo() < m && m < u[j].Hi()) {
				continue
			}
			if steep != nil {
				w *= steep[j]
			} else {
				w /= whole[j].Wid()
			}
			if cut < 0 || w > most {
				cut, most = j, w
			}
		}
		if cut < 0 {
			return false
		}
		lower, upper := halves(u[cut])
		for _, half := range []interval.Interval{lower, upper} {
			part := append([]interval.Interval(nil), u...)
			part[cut] = half
			if !visit(part) {
				return false
			}
		}
		return true
	}
	return visit(whole)
}

// states is the box of states of a box of coordinates, with the parameters that are known as intervals only.
func (t *Trap) states(p *program, u []interval.Interval) []interval.Interval {
	n := len(u)
	x := make([]interval.Interval, n)
	for i := range x {
		for j := range u {
			x[i] = x[i].Add(t.back[i*n+j].Mul(u[j]))
		}
	}
	return append(x, p.initial...)
}

// slopes encloses, over a box of coordinates, the outputs and their derivatives by the coordinates, n of each. It is false
// if a divisor may vanish.
func (t *Trap) slopes(run *taylor, u []interval.Interval) (values, slopes []interval.Interval, ok bool) {
	n := len(u)
	if t.sys.meter.Spend(int64(n*n)*int64(len(run.p.outputs)+1)) != nil || run.run(t.states(run.p, u), true) != nil {
		return nil, nil, false
	}
	for _, r := range run.p.outputs {
		values = append(values, run.at(r, 0))
		for j := range n {
			slope := interval.Interval{}
			for k := range n {
				slope = slope.Add(run.drow(r, k)[0].Mul(t.back[k*n+j]))
			}
			slopes = append(slopes, slope)
		}
	}
	return values, slopes, true
}

// values encloses the outputs over a box of coordinates, by interval evaluation and by the mean value form around its
// centre, and says how steep they are in each coordinate. It is false if a divisor may vanish.
func (t *Trap) values(run *taylor, u []interval.Interval) (values []interval.Interval, steep []float64, ok bool) {
	n := len(u)
	middle := make([]interval.Interval, n)
	for j := range u {
		middle[j] = interval.Point(u[j].Mid())
	}
	if run.run(t.states(run.p, middle), true) != nil {
		return nil, nil, false
	}
	for _, r := range run.p.outputs {
		values = append(values, run.at(r, 0))
	}
	natural, slopes, ok := t.slopes(run, u)
	if !ok {
		return nil, nil, false
	}
	steep = make([]float64, n)
	for i := range values {
		for j := range u {
			slope := slopes[i*n+j]
			values[i] = values[i].Add(slope.Mul(u[j].Sub(middle[j])))
			steep[j] = max(steep[j], slope.Mag())
		}
		values[i] = values[i].Intersect(natural[i])
	}
	return values, steep, true
}

// Contains reports whether every solution of the tube is in the trap at the tube's final time. It panics if the tube is
// of another system.
func (t *Trap) Contains(tube *Tube) bool {
	if tube.sys != t.sys {
		panic("enclosure: a tube of another system")
	}
	values, err := tube.evalAt(tube.t1, t.linear)
	if err != nil {
		return false
	}
	for i, v := range values {
		lo, hi, ok := v.Rats()
		if !ok || lo == nil || hi == nil || lo.Cmp(t.lo[i]) < 0 || hi.Cmp(t.hi[i]) > 0 {
			return false
		}
	}
	return true
}

// Positive reports whether e is seen to be positive everywhere in the trap; that it has a value is part of it.
func (t *Trap) Positive(e Expr) bool {
	p, err := compile(t.sys, e)
	if err != nil {
		return false
	}
	return t.everywhere(p, t.u, func(v []interval.Interval) bool { return v[0].Positive() })
}

// invert returns the inverse of a square matrix, by elimination; a singular one is an error that wraps ErrNotTrapped. The
// meter counts the length of the numbers.
func invert(a [][]*big.Rat, meter *Meter) ([][]*big.Rat, error) {
	n := len(a)
	w := make([][]*big.Rat, n)
	for i := range w {
		if len(a[i]) != n {
			panic(fmt.Sprintf("enclosure: a row of %d coordinates where there are %d", len(a[i]), n))
		}
		for j := range 2 * n {
			x := new(big.Rat)
			switch {
			case j < n:
				x.Set(a[i][j])
			case j == n+i:
				x.SetInt64(1)
			}
			w[i] = append(w[i], x)
		}
	}
	for c := range n {
		p := c
		for p < n && w[p][c].Sign() == 0 {
			p++
		}
		if p == n {
			return nil, fmt.Errorf("%w: its coordinates are not independent", ErrNotTrapped)
		}
		w[c], w[p] = w[p], w[c]
		inv := new(big.Rat).Inv(w[c][c])
		for j := range w[c] {
			w[c][j].Mul(w[c][j], inv)
		}
		for i := range w {
			if f := new(big.Rat).Set(w[i][c]); i != c && f.Sign() != 0 {
				for j := range w[i] {
					if err := meter.Spend(2 * fraction(w[i][j])); err != nil {
						return nil, err
					}
					w[i][j].Sub(w[i][j], new(big.Rat).Mul(f, w[c][j]))
				}
			}
		}
	}
	for i := range w {
		w[i] = w[i][n:]
	}
	return w, nil
}

// Sink reports whether every solution in the trap is seen to tend to its centre, which has to be a state of rest for all
// values of the parameters.
//
// Soundness: let u be the coordinates relative to the centre, r_i their bounds and J the derivative of the right-hand sides
// in these coordinates. Since f is zero at the centre, u' = (∫₀¹ J(θu) dθ)·u. Where m_i := J_ii·r_i + Σ_{j≠i} |J_ij|·r_j < 0
// on the whole trap, by compactness m_i ≤ −c·r_i for a c > 0, and V = max |u_i|/r_i obeys V' ≤ −cV: a coordinate with
// |u_i| = V·r_i has |u_i|' ≤ V·m_i.
func (t *Trap) Sink() bool {
	n := t.sys.Dim()
	radius := make([]interval.Interval, n)
	for i := range n {
		half := new(big.Rat).Sub(t.hi[i], t.lo[i])
		radius[i] = interval.FromRat(half.Quo(half, big.NewRat(2, 1)))
	}
	x, err := t.centre()
	if err != nil {
		return false
	}
	for i := range n {
		if !t.sys.zeroAt(Expr{t.sys, t.sys.rhs[i]}, x) {
			return false
		}
	}
	p, err := compile(t.sys, t.speeds...)
	if err != nil {
		return false
	}
	run := newTaylor(p, 0, true)
	return t.cover(t.u, func(u []interval.Interval) (bool, []float64) {
		_, slopes, ok := t.slopes(run, u)
		if !ok {
			return false, nil
		}
		for i := range n {
			m := slopes[i*n+i].Mul(radius[i])
			for j := range n {
				if j != i {
					m = m.Add(slopes[i*n+j].Abs().Mul(radius[j]))
				}
			}
			if !m.Negative() {
				return false, nil
			}
		}
		return true, nil
	})
}

// centre is the state at which every coordinate is in the middle of its bounds.
func (t *Trap) centre() ([]*big.Rat, error) {
	inverse, err := invert(t.rows, t.sys.meter)
	if err != nil {
		return nil, err
	}
	x := make([]*big.Rat, len(inverse))
	for i := range x {
		x[i] = new(big.Rat)
		for j := range x {
			middle := new(big.Rat).Add(t.lo[j], t.hi[j])
			x[i].Add(x[i], middle.Mul(middle, inverse[i][j]).Mul(middle, big.NewRat(1, 2)))
		}
	}
	return x, nil
}

// Vanishes reports whether e has a value around the trap's centre that is zero at the centre, for all values of the
// parameters: then e tends to zero along every solution that tends to the centre.
func (t *Trap) Vanishes(e Expr) bool {
	x, err := t.centre()
	return err == nil && t.sys.zeroAt(e, x)
}

// zeroAt reports whether an expression is zero at x for all values of the parameters: by interval evaluation, in which a
// product with what is zero exactly is zero.
func (s *System) zeroAt(e Expr, x []*big.Rat) bool {
	box := make([]interval.Interval, len(x))
	for i, v := range x {
		if box[i] = interval.FromRat(v); !box[i].IsPoint() {
			return false
		}
	}
	p, err := compile(s, e)
	if err != nil {
		return false
	}
	v, err := p.values(box)
	return err == nil && v[0].Lo() == 0 && v[0].Hi() == 0
}
