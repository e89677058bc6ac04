package prove

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"stopgrad/theory/kernel"
)

// How many states are drawn to see where zeros lie, and how many are kept.
const (
	maxLooked   = 400
	maxInView   = 48
	maxDrawnBox = 6 // letters all corners of whose box are looked at
)

// view is what an expression in one variable looks like at one state, in floating point.
type view struct {
	at     reals
	lo, hi float64
	coef   []float64 // of a polynomial, from the constant one
	zeros  []float64 // in the interval, by size
	turns  []float64 // zeros of the derivative in the interval
}

// value is that of the polynomial.
func (v *view) value(x float64) float64 { return horner(v.coef, x) }

// slope is that of its derivative.
func (v *view) slope(x float64) float64 { return horner(derived(v.coef), x) }

func horner(c []float64, x float64) float64 {
	s := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		s = s*x + c[i]
	}
	return s
}

func derived(c []float64) (out []float64) {
	for i := 1; i < len(c); i++ {
		out = append(out, float64(i)*c[i])
	}
	return out
}

// crossings are the numbers at which a polynomial changes its sign, by size, and those at which its derivative does: between
// neighbouring turns the polynomial crosses zero once or not at all. The operations are spent.
func crossings(c []float64, spend func(operations int)) (zeros, turns []float64) {
	for len(c) > 0 && c[len(c)-1] == 0 {
		c = c[:len(c)-1]
	}
	if len(c) < 2 {
		return nil, nil
	}
	far := 1.0
	for _, x := range c[:len(c)-1] {
		far = max(far, 1+math.Abs(x/c[len(c)-1]))
	}
	turns, _ = crossings(derived(c), spend)
	ends := append(append([]float64{-far}, turns...), far)
	for i := range ends[1:] {
		a, b := ends[i], ends[i+1]
		up := horner(c, a) < 0
		if spend(2 * len(c)); up == (horner(c, b) < 0) {
			continue
		}
		for range 200 {
			m := a + (b-a)/2
			if m <= a || m >= b {
				break
			}
			if spend(len(c)); (horner(c, m) < 0) == up {
				a = m
			} else {
				b = m
			}
		}
		zeros = append(zeros, a+(b-a)/2)
	}
	return zeros, turns
}

// coefficients are those of an expression that is a polynomial in x of a degree that is looked at, from the constant one; nil
// if it is none.
func (s *state) coefficients(t, x *kernel.Term) []poly {
	u := s.unfold(t)
	if u == nil {
		return nil
	}
	p := s.polys.of(u)
	if p == nil {
		return nil
	}
	out := []poly{}
	for _, m := range p.sorted() {
		n := 0
		var rest []exponent
		for _, e := range m.at {
			switch {
			case e.g == x && e.n > 0:
				n = e.n
			case mentions(e.g, x):
				return nil
			default:
				rest = append(rest, e)
			}
		}
		if n > maxDegree {
			return nil
		}
		for len(out) <= n {
			out = append(out, poly{})
		}
		out[n].put(m.c, rest)
	}
	return out
}

// views draws states at which the hypotheses hold and looks at the expression there; none if it is no polynomial in the
// variable whose coefficients are made of scalar letters.
func (s *state) views(c kernel.Count) (out []*view) {
	ps := s.coefficients(c.Of, c.In)
	if ps == nil {
		return nil
	}
	coef := make([]*kernel.Term, len(ps))
	for i, p := range ps {
		coef[i] = s.polys.term(p)
	}
	ends := [2]*kernel.Term{}
	for i, t := range []*kernel.Term{c.Lo, c.Hi} {
		if t != nil {
			if ends[i] = s.unfold(t); ends[i] == nil {
				return nil
			}
		}
	}
	letters := map[*kernel.Term]bool{}
	note := func(t *kernel.Term) bool {
		if t.Head() == kernel.Letter && t.Scalar() && t != c.In {
			letters[t] = true
		}
		return false
	}
	type order struct {
		pure *kernel.Term
		form kernel.Form
	}
	var orders []order
	for _, f := range s.hyps {
		if ts := f.Terms(); len(ts) == 2 && ts[0].Scalar() {
			if u := s.unfold(s.difference(ts[0], ts[1])); u != nil {
				orders = append(orders, order{u, f.Form()})
				occurs(u, note)
			}
		}
	}
	for _, t := range append(coef, ends[0], ends[1]) {
		if t != nil {
			occurs(t, note)
		}
	}
	var list []*kernel.Term
	for x := range letters {
		list = append(list, x)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID() < list[j].ID() })
	ranges := make([][2]float64, len(list))
	for i, x := range list {
		lo, hi := s.rangeOf(x)
		ranges[i] = [2]float64{math.Inf(-1), math.Inf(1)}
		if lo != nil {
			ranges[i][0], _ = lo.at.Float64()
		}
		if hi != nil {
			ranges[i][1], _ = hi.at.Float64()
		}
	}
	enough := s.labour / 4 * 3
	rng := rand.New(rand.NewPCG(1, 3))
	draw := func(r [2]float64, corner int) float64 {
		lo, hi := r[0], r[1]
		size := math.Pow(10, 4*rng.Float64()-2)
		switch {
		case math.IsInf(lo, 0) && math.IsInf(hi, 0):
			if rng.IntN(2) == 0 {
				return -size
			}
			return size
		case math.IsInf(hi, 0):
			return lo + size
		case math.IsInf(lo, 0):
			return hi - size
		case corner == 0:
			return lo
		case corner == 1:
			return hi
		}
		return lo + (hi-lo)*rng.Float64()
	}
	for k := range maxLooked {
		at := reals{}
		for i, x := range list {
			corner := 2
			if k < 1<<len(list) && len(list) <= maxDrawnBox {
				corner = k >> i & 1
			} else if rng.IntN(3) == 0 {
				corner = rng.IntN(2)
			}
			at[x] = draw(ranges[i], corner)
		}
		memo := map[*kernel.Term]measured{}
		met := true
		for _, o := range orders {
			d := at.value(o.pure, memo).v
			switch o.form {
			case kernel.AtLeast:
				met = met && !(d < -1e-12)
			case kernel.Greater:
				met = met && !(d <= 1e-12)
			case kernel.Unequal:
				met = met && !(math.Abs(d) <= 1e-12)
			case kernel.Equal:
				met = met && !(math.Abs(d) > 1e-12)
			}
		}
		if !met {
			continue
		}
		v := &view{at: at, lo: math.Inf(-1), hi: math.Inf(1)}
		fine := true
		for _, t := range coef {
			x := at.value(t, memo).v
			fine = fine && !math.IsNaN(x) && !math.IsInf(x, 0)
			v.coef = append(v.coef, x)
		}
		if ends[0] != nil {
			v.lo = at.value(ends[0], memo).v
		}
		if ends[1] != nil {
			v.hi = at.value(ends[1], memo).v
		}
		if !fine || math.IsNaN(v.lo) || math.IsNaN(v.hi) {
			continue
		}
		inside := func(xs []float64) (out []float64) {
			for _, x := range xs {
				if close := 1e-9 * (1 + math.Abs(x)); x > v.lo+close && x < v.hi-close {
					out = append(out, x)
				}
			}
			return out
		}
		zeros, turns := crossings(v.coef, s.spend)
		v.zeros, v.turns = inside(zeros), inside(turns)
		// Of high degree fewer are looked at: the rest of the labour is for the proof.
		if out = append(out, v); len(out) >= maxInView || s.labour < enough {
			break
		}
	}
	return out
}

// count proves a count of zeros: it finds the pieces.
func (s *state) count(f kernel.Formula) (kernel.Theorem, error) {
	c, _ := f.Count()
	views := s.views(c)
	if len(views) == 0 {
		if th, err := s.pieces(f, nil, nil); err == nil {
			return th, nil
		}
		return kernel.Theorem{}, errors.New("nothing is known of where the zeros lie, since the expression is no polynomial with scalar coefficients, or no state was found at which the hypotheses hold; expected the points between them: count c1, c2, …")
	}
	for _, v := range views {
		up, all := 0, len(v.zeros)
		for _, z := range v.zeros {
			if v.slope(z) > 0 {
				up++
			}
		}
		have := map[kernel.Form]int{kernel.Zeros: all, kernel.RisingZeros: up, kernel.FallingZeros: all - up}[f.Form()]
		if have != c.N || all != len(views[0].zeros) {
			return kernel.Theorem{}, fmt.Errorf("at some states there seem to be %d zeros of which %d rise, at others %d", all, up, len(views[0].zeros))
		}
	}
	err := errors.New("no points were found that lie between the zeros at every state; expected them: count c1, c2, …")
	var tried []*kernel.Term
	// Numbers that lie between the zeros at the states drawn do so at all of them only where the zeros stay in bounds.
	boxed := s.boxed(s.unfold(c.Of), c.In)
	for i, numbers := range []bool{boxed, !boxed} {
		cuts, ok := s.cuts(c, views, numbers)
		if !ok || i == 1 && slices.Equal(cuts, tried) {
			continue
		}
		var th kernel.Theorem
		if th, err = s.pieces(f, cuts, views); err == nil {
			return th, nil
		}
		tried = cuts
	}
	return kernel.Theorem{}, err
}

// boxed reports whether all letters of a pure term, x apart, have numbers for bounds on both sides.
func (s *state) boxed(t, x *kernel.Term) bool {
	return !occurs(t, func(t *kernel.Term) bool {
		if t.Head() != kernel.Letter || t == x {
			return false
		}
		lo, hi := s.rangeOf(t)
		return lo == nil || hi == nil
	})
}

// cuts chooses the ends of pieces so that each zero has one of its own, on which the expression rises or falls throughout.
func (s *state) cuts(c kernel.Count, views []*view, numbers bool) (out []*kernel.Term, ok bool) {
	pool := s.pool(c)
	n := len(views[0].zeros)
	// before and after are the reach of the piece around a zero: from the last turn, or end, to the next.
	before := func(v *view, i int) float64 {
		b := v.lo
		for _, t := range v.turns {
			if t < v.zeros[i] {
				b = t
			}
		}
		return b
	}
	after := func(v *view, i int) float64 {
		for _, t := range v.turns {
			if t > v.zeros[i] {
				return t
			}
		}
		return v.hi
	}
	free := func(end *kernel.Term, at func(v *view) float64, reach func(v *view) float64) bool {
		// The interval's own end serves where the zero's piece reaches it and the expression is not zero there.
		return end != nil && !slices.ContainsFunc(views, func(v *view) bool {
			size := 0.0
			for i, x := range v.coef {
				size += math.Abs(x) * math.Pow(math.Abs(at(v)), float64(i))
			}
			return reach(v) != at(v) || math.Abs(v.value(at(v))) <= 1e-9*size
		})
	}
	choose := func(lo, hi func(v *view) float64) bool {
		t := s.apart(views, pool, numbers, lo, hi)
		if t != nil {
			out = append(out, t)
		}
		return t != nil
	}
	for i := range n {
		zero := func(v *view) float64 { return v.zeros[i] }
		from := func(v *view) float64 { return before(v, i) }
		switch {
		case i > 0:
			// One point between two zeros if there is one, else two.
			last := func(v *view) float64 { return v.zeros[i-1] }
			till := func(v *view) float64 { return after(v, i-1) }
			one := func(v *view) float64 { return max(last(v), from(v)) }
			if choose(one, func(v *view) float64 { return min(till(v), zero(v)) }) {
				break
			}
			if !choose(last, till) || !choose(from, zero) {
				return nil, false
			}
		case !free(c.Lo, func(v *view) float64 { return v.lo }, from):
			if !choose(from, zero) {
				return nil, false
			}
		}
	}
	if n > 0 {
		till := func(v *view) float64 { return after(v, n-1) }
		if !free(c.Hi, func(v *view) float64 { return v.hi }, till) && !choose(func(v *view) float64 { return v.zeros[n-1] }, till) {
			return nil, false
		}
	}
	return out, true
}

// pool lists terms that may be the end of a piece, numbers apart.
func (s *state) pool(c kernel.Count) (out []*kernel.Term) {
	put := func(t *kernel.Term) {
		if t != nil && !mentions(t, c.In) && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	put(s.integer(0))
	ratio := func(f *big.Rat, p, q poly) *kernel.Term {
		if len(p) == 0 || len(q) == 0 {
			return nil
		}
		t := s.polys.quotient(poly{}.plus(p, f), q)
		if t == nil {
			t = s.mul(s.polys.term(poly{}.plus(p, f)), s.reciprocal(s.polys.term(q)))
		}
		return t
	}
	switch ps := s.coefficients(c.Of, c.In); len(ps) {
	case 2: // on both sides of the zero of b·x + a
		if z := ratio(big.NewRat(-1, 1), ps[0], ps[1]); z != nil {
			put(s.sub(z, s.integer(1)))
			put(s.add(z, s.integer(1)))
		}
	case 3: // where a·x² + b·x turns, and its other zero
		put(ratio(big.NewRat(-1, 2), ps[1], ps[2]))
		put(ratio(big.NewRat(-1, 1), ps[1], ps[2]))
	}
	for _, t := range s.definitions() {
		if t.Scalar() {
			put(t)
		}
	}
	var letters []*kernel.Term
	occurs(s.unfold(c.Of), func(t *kernel.Term) bool {
		if t.Head() == kernel.Letter && t.Scalar() && t != c.In {
			letters = append(letters, t)
		}
		return false
	})
	for _, x := range letters {
		put(x)
		put(s.mul(s.number(big.NewRat(1, 2)), x))
		put(s.mul(s.integer(2), x))
	}
	return out
}

// apart is a number or a term of the pool that lies between lo and hi at every state, nil if there is none; numbers first, or
// last. At the sides that
// are zeros nothing but what is clearly off them will do; turns are good themselves.
func (s *state) apart(views []*view, pool []*kernel.Term, numbers bool, lo, hi func(v *view) float64) *kernel.Term {
	low, high := math.Inf(-1), math.Inf(1)
	for _, v := range views {
		low, high = max(low, lo(v)), min(high, hi(v))
	}
	isZero := func(v *view, x float64) bool { return slices.Contains(v.zeros, x) }
	good := func(x func(v *view) float64) bool {
		return !slices.ContainsFunc(views, func(v *view) bool {
			at, l, h := x(v), lo(v), hi(v)
			slack := 1e-9 * (1 + math.Abs(at))
			if math.IsNaN(at) || at < l-slack || at > h+slack {
				return true
			}
			return isZero(v, l) && at < l+slack || isZero(v, h) && at > h-slack
		})
	}
	number := func(a, b float64) *kernel.Term {
		x, y := new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b)
		if x == nil || y == nil || x.Cmp(y) >= 0 {
			return nil
		}
		q := simplestIn(x, y)
		v, _ := q.Float64()
		if !good(func(*view) float64 { return v }) {
			return nil
		}
		return s.number(q)
	}
	fromPool := func() *kernel.Term {
		for _, t := range pool {
			u := s.unfold(t)
			if u != nil && good(func(v *view) float64 { return v.at.value(u, map[*kernel.Term]measured{}).v }) {
				return t
			}
		}
		return nil
	}
	if !numbers {
		if t := fromPool(); t != nil {
			return t
		}
	}
	var t *kernel.Term
	switch {
	case math.IsInf(low, 0) && math.IsInf(high, 0):
		t = s.integer(0)
	case math.IsInf(high, 0):
		t = number(low+max(1, math.Abs(low))/4, low+max(1, math.Abs(low)))
	case math.IsInf(low, 0):
		t = number(high-max(1, math.Abs(high)), high-max(1, math.Abs(high))/4)
	case low < high-1e-9*(1+math.Abs(high)):
		t = number(low+(high-low)/3, high-(high-low)/3)
	case low < high+1e-9*(1+math.Abs(high)):
		slack := 2e-9 * (1 + math.Abs(low))
		t = number(low-slack, low+slack)
	}
	if t == nil && numbers {
		t = fromPool()
	}
	return t
}

// simplestIn is the fraction of least denominator in [lo, hi], and of those the one nearest to zero.
func simplestIn(lo, hi *big.Rat) *big.Rat {
	switch {
	case lo.Sign() <= 0 && hi.Sign() >= 0:
		return new(big.Rat)
	case hi.Sign() < 0:
		x := simplestIn(new(big.Rat).Neg(hi), new(big.Rat).Neg(lo))
		return x.Neg(x)
	}
	whole := new(big.Int).Quo(lo.Num(), lo.Denom())
	w := new(big.Rat).SetInt(whole)
	if lo.IsInt() {
		return w
	}
	if up := new(big.Rat).Add(w, big.NewRat(1, 1)); up.Cmp(hi) <= 0 {
		return up
	}
	rest := simplestIn(new(big.Rat).Inv(new(big.Rat).Sub(hi, w)), new(big.Rat).Inv(new(big.Rat).Sub(lo, w)))
	return w.Add(w, rest.Inv(rest))
}

// pieces proves a count by the chain of these points between the ends.
func (s *state) pieces(f kernel.Formula, cuts []*kernel.Term, views []*view) (kernel.Theorem, error) {
	searching := s.searching
	s.searching = true
	defer func() { s.searching = searching }()
	c, _ := f.Count()
	zero := s.integer(0)
	points := append(append([]*kernel.Term{c.Lo}, cuts...), c.Hi)
	var premises []kernel.Theorem
	rising, falling := 0, 0
	for i := range points[1:] {
		from, to := points[i], points[i+1]
		if from != nil && to != nil {
			th, ok := s.order(s.formula(kernel.AtLeast, to, from))
			if !ok {
				return th, fmt.Errorf("%s >= %s was not proved", kernel.Print(to), kernel.Print(from))
			}
			premises = append(premises, th)
		}
		bounds := func(strictly bool) (out []kernel.Formula) {
			form := func(own bool) kernel.Form {
				if strictly || !own {
					return kernel.Greater
				}
				return kernel.AtLeast
			}
			if from != nil {
				out = append(out, s.formula(form(i > 0 || c.LoIn), c.In, from))
			}
			if to != nil {
				out = append(out, s.formula(form(i < len(points)-2 || c.HiIn), to, c.In))
			}
			return out
		}
		found := false
		for _, up := range []bool{true, false} {
			if found || !s.likely(views, from, to, up, (*view).value) {
				continue
			}
			if th, ok := s.extended(s, bounds(false)...).onPiece(s.directed(c.Of, zero, up)); ok {
				premises, found = append(premises, th), true
			}
		}
		for _, up := range []bool{true, false} {
			if found || from == nil || to == nil || !s.likely(views, from, to, up, (*view).slope) {
				continue
			}
			slope, err := s.sig.Make(kernel.Diff, 0, c.Of, c.In)
			if err != nil {
				return kernel.Theorem{}, err
			}
			ends := []kernel.Theorem{}
			for k, end := range []*kernel.Term{from, to} {
				at := must(s.sig.Make(kernel.At, 0, c.Of, c.In, end))
				if th, ok := s.onPiece(s.directed(at, zero, up == (k == 1))); ok {
					ends = append(ends, th)
				}
			}
			if len(ends) < 2 {
				continue
			}
			th, ok := s.extended(s, bounds(true)...).onPiece(s.directed(slope, zero, up))
			if !ok {
				continue
			}
			premises, found = append(append(premises, th), ends...), true
			if up {
				rising++
			} else {
				falling++
			}
		}
		if !found {
			return kernel.Theorem{}, fmt.Errorf("neither a sign of %s nor that it rises or falls through zero was proved for %s %s", kernel.Print(c.Of), kernel.Print(c.In), pieceText(from, to))
		}
	}
	th, err := s.apply("count", f, premises, cuts...)
	if err != nil {
		return th, fmt.Errorf("%w: on these pieces %d rise and %d fall", err, rising, falling)
	}
	return th, nil
}

// onPiece proves an order by its shape and further, on a box by its factors or its polynomial alone: where that does not do,
// the box is too large or the piece badly chosen, and nothing else would.
func (s *state) onPiece(f kernel.Formula) (kernel.Theorem, bool) {
	s.searching = false
	th, ok := s.order(f)
	s.searching = true
	if ok || s.implausible(f) {
		return th, ok
	}
	ts := f.Terms()
	u := s.unfold(s.difference(ts[0], ts[1]))
	switch {
	case u != nil && s.boxed(u, nil):
	case s.cut:
		return s.direct(f)
	default:
		return s.deeper(f)
	}
	// Where a piece ends at a turn, the derivative touches zero, and its factors tell.
	if th, ok = s.byFactors(f); !ok {
		th, ok = s.polynomial(f)
	}
	return th, ok
}

func pieceText(from, to *kernel.Term) string {
	ends := []string{"-inf", "inf"}
	for i, t := range []*kernel.Term{from, to} {
		if t != nil {
			ends[i] = kernel.Print(t)
		}
	}
	return "from " + strings.Join(ends, " to ")
}

// directed is t > 0, or 0 > t.
func (b builder) directed(t, zero *kernel.Term, up bool) kernel.Formula {
	if up {
		return b.formula(kernel.Greater, t, zero)
	}
	return b.formula(kernel.Greater, zero, t)
}

// likely reports whether what is looked at has the sign on a piece at all states in view, at some points of it.
func (s *state) likely(views []*view, from, to *kernel.Term, positive bool, of func(*view, float64) float64) bool {
	for _, v := range views {
		a, b := v.lo, v.hi
		if from != nil {
			a = v.at.value(s.unfold(from), map[*kernel.Term]measured{}).v
		}
		if to != nil {
			b = v.at.value(s.unfold(to), map[*kernel.Term]measured{}).v
		}
		for i := 1; i < 8; i++ {
			x := a + (b-a)*float64(i)/8
			far := math.Pow(10, float64(i-4))
			switch {
			case math.IsInf(a, 0) && math.IsInf(b, 0):
				x = far
				if i%2 == 0 {
					x = -far
				}
			case math.IsInf(a, 0):
				x = b - far
			case math.IsInf(b, 0):
				x = a + far
			}
			y := of(v, x)
			size := 0.0
			for k, q := range v.coef {
				size += math.Abs(q) * math.Pow(math.Abs(x), float64(k))
			}
			if slack := 1e-9 * size; positive && y < -slack || !positive && y > slack {
				return false
			}
		}
	}
	return true
}
