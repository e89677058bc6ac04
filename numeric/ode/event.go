package ode

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
)

// Event asks for the roots of g(t, y(t)) along the solution.
//
// A root is reported where g passes from one sign to the other or reaches zero from a
// sign, and, with Tangent, where it comes within the error of the solution of zero
// and turns. Along each step g is approximated, on the dense output, by a Chebyshev
// polynomial, in parts where one does not resolve it, and its signs are compared at
// the nodes and at all extrema of the polynomial: roots are found however many a step
// has and whichever way time runs. Where g is not resolved, Solution.Doubts says so.
// A root at the initial time is not an event.
type Event struct {
	Name      string // for messages; may be empty
	G         func(t float64, y []float64) float64
	Direction int  // > 0: only from negative to positive; < 0: only the reverse; 0: both
	Terminal  bool // stop the integration at the first root
}

// Crossing is a located event. The time is accurate to a few units in the last
// place as a root on the dense output; its error as an event of the exact
// solution is that of the dense output.
type Crossing struct {
	Event   int // index into Settings.Events
	T       float64
	Y       []float64
	Tangent bool // g turns back, as near to zero as the accuracy of the solution can tell
}

// Doubt says that between two times g of an event is not resolved, because it is not
// smooth, is as rough as rounding errors, or varies faster than a step could follow:
// roots may have been missed there. (An isolated jump or kink is located and is none.)
type Doubt struct {
	Event    int
	From, To float64
}

// Constants of the search for events.
const (
	// degree of the polynomial: g linear in y follows the dense output of Verner8, of
	// degree 8, exactly, and the coefficients above show it.
	degree = 12
	// resolved: g is represented where its last three coefficients, relative to the
	// largest value, are below this; ten digits above round-off, so that extrema are
	// placed to five.
	resolved = 1e-10
	// clear: no root is near where the polynomial stays this many times above the sum
	// of those coefficients.
	clearOfZero = 16
	// halvings of a step, at most, and parts of a step, at most: a jump is confined to
	// 2⁻⁴⁰ of a step by 2·40 parts.
	halvings, parts = 40, 120
	// mostLooks is the number of looks at a part: nodes and extrema.
	mostLooks = 2*degree + 1
	// settle is the number of halvings after which the misfit of a smooth g falls
	// quickly with the next; where it does not in more parts than mostJumps, g is rough
	// everywhere, and halving is given up.
	settle, mostJumps = 4, 3
	// touch: a turning point counts as a root if it is within this many relative
	// tolerances of the range of g over the step.
	touch = 10
)

type eventFinder struct {
	events []Event
	sol    *Solution
	rtol   float64
	trace  []trace
	u      []float64
	list   []part // of one scan, and the memory of its looks
	pool   []look
}

// trace is what is known of one event at the end of the last step.
type trace struct {
	sign   int     // of g at the last look
	most   float64 // largest |g| so far
	have   bool
	before look // the last one with another value
}

// look is a value of g.
type look struct {
	th, t, g float64
	tangent  bool
}

func newEventFinder(sol *Solution, st *Settings, t0 float64, y0 []float64) (*eventFinder, error) {
	if len(st.Events) == 0 {
		return nil, nil
	}
	ef := &eventFinder{
		events: st.Events, sol: sol, rtol: st.RelTol,
		trace: make([]trace, len(st.Events)), u: make([]float64, len(y0)),
	}
	for i := range ef.events {
		g, err := ef.value(i, t0, y0)
		if err != nil {
			return nil, err
		}
		ef.trace[i].sign = sign(g)
	}
	return ef, nil
}

func sign(g float64) int {
	switch {
	case g > 0:
		return 1
	case g < 0:
		return -1
	}
	return 0
}

func (ef *eventFinder) value(i int, t float64, y []float64) (float64, error) {
	g := ef.events[i].G(t, y)
	if math.IsNaN(g) {
		name := ef.events[i].Name
		if name == "" {
			name = fmt.Sprintf("%d", i)
		}
		return g, &NonFiniteError{T: t, What: "event " + name, Component: i}
	}
	// An infinity has a sign, which is all that is asked of it.
	return max(-math.MaxFloat64, min(math.MaxFloat64, g)), nil
}

// at returns g of event i at the place th of the segment, which ends at tn.
func (ef *eventFinder) at(i int, sg *segment, tn clock, th float64) (look, error) {
	t, y := sg.t.after(th*sg.h), ef.u
	switch th {
	case 0:
		t, y = sg.t.hi, sg.y0
	case 1:
		t, y = tn.hi, sg.y1
	default:
		if sg.t.lo == 0 && tn.lo == 0 {
			th = sg.theta(t) // the float64 time, at which the state is reported
		}
		sg.evalTheta(th, y)
	}
	g, err := ef.value(i, t, y)
	return look{th: th, t: t, g: g}, err
}

// between returns a look in the middle of two, false if there is none.
func (ef *eventFinder) between(i int, sg *segment, tn clock, a, b look) (m look, ok bool, err error) {
	if sg.t.lo == 0 && tn.lo == 0 {
		m.t = a.t + (b.t-a.t)/2
		m.th = sg.theta(m.t)
		ok = m.t != a.t && m.t != b.t
	} else {
		m.th = a.th + (b.th-a.th)/2
		m.t = sg.t.after(m.th * sg.h)
		ok = m.th != a.th && m.th != b.th
	}
	if !ok {
		return m, false, nil
	}
	sg.evalTheta(m.th, ef.u)
	m.g, err = ef.value(i, m.t, ef.u)
	return m, true, err
}

// scan returns the events on a segment that ends at tn, in order of time.
func (ef *eventFinder) scan(sg *segment, tn clock) ([]Crossing, error) {
	var found []Crossing
	for i := range ef.events {
		c, err := ef.scanOne(i, sg, tn)
		found = append(found, c...)
		if err != nil {
			return found, err
		}
	}
	forward := sg.h > 0
	sort.SliceStable(found, func(i, j int) bool {
		if forward {
			return found[i].T < found[j].T
		}
		return found[i].T > found[j].T
	})
	return found, nil
}

func (ef *eventFinder) scanOne(i int, sg *segment, tn clock) ([]Crossing, error) {
	tr := &ef.trace[i]
	// A failure does not hide the roots before it.
	looks, failed := ef.looks(i, sg, tn)
	if len(looks) < 2 {
		return nil, failed
	}
	most := 0.0
	for _, l := range looks {
		most = max(most, math.Abs(l.g))
	}
	begin := 1
	if tr.have {
		looks, begin = append(looks, look{}), 2
		copy(looks[1:], looks)
		looks[0] = tr.before
	}
	// A turning point near zero between looks of one sign is one root, on whichever
	// side of zero rounding has put it. (A zero at the end of the last step has been
	// reported.)
	near := touch * ef.rtol * most
	for k := 1; k+1 < len(looks); k++ {
		a, b, c := &looks[k-1], &looks[k], &looks[k+1]
		b.tangent = math.Abs(b.g) <= near && sign(a.g) == sign(c.g) && a.g != 0 &&
			math.Abs(a.g) > math.Abs(b.g) && math.Abs(c.g) > math.Abs(b.g) && (b.g != 0 || k >= begin)
	}
	dir := ef.events[i].Direction
	wanted := func(old int) bool { return dir == 0 || (dir > 0) == (old < 0) }
	var found []Crossing
	last := looks[begin-1]
	if last.tangent && wanted(sign(looks[begin-2].g)) {
		found = append(found, Crossing{Event: i, T: last.t, Y: append([]float64(nil), sg.y0...), Tangent: true})
	}
	for k := begin; k < len(looks); k++ {
		b := looks[k]
		if b.tangent {
			if wanted(sign(looks[k-1].g)) {
				found = append(found, Crossing{Event: i, T: b.t, Y: ef.state(sg, b), Tangent: true})
			}
			continue
		}
		old, now := tr.sign, sign(b.g)
		tr.sign = now
		if old != 0 && now != old && wanted(old) {
			c, err := ef.locate(i, sg, tn, last, b, old)
			if err != nil {
				return found, err
			}
			found = append(found, c)
		}
		last = b
	}
	k := len(looks) - 2
	for k > 0 && looks[k].g == looks[len(looks)-1].g {
		k--
	}
	tr.have, tr.before = true, looks[k]
	return found, failed
}

// part is a part of a step with the values of g at its Chebyshev nodes.
type part struct {
	from, to float64
	nodes    []look  // empty: not yet taken
	tail     float64 // what its polynomial misses of g, 0 if it is resolved
	parent   float64 // that of the part it was halved from
	done     bool    // resolved, or given up
}

// looks returns values of g in order of time: those that show its signs on the whole
// step. With an error it returns those before the failure.
func (ef *eventFinder) looks(i int, sg *segment, tn clock) ([]look, error) {
	ef.pool = ef.pool[:0]
	list := append(ef.list[:0], part{from: 0, to: 1, parent: math.Inf(1)})
	total := 1
	var failed error
	for depth := 0; ; depth++ {
		open, stuck := 0, 0
		for k := range list {
			q := &list[k]
			if q.done {
				continue
			}
			var err error
			if q.nodes, q.tail, err = ef.represent(i, sg, tn, q.from, q.to); err != nil {
				// What lies behind is not looked at; the part itself is, once halved.
				list, failed = list[:k+1], err
				if depth < halvings {
					q.nodes = nil
					open++
				}
				break
			}
			if q.done = q.tail == 0; !q.done {
				open++
				if depth >= settle && q.tail > q.parent/2 {
					stuck++
				}
			}
		}
		if open == 0 || depth == halvings || total > parts {
			break
		}
		var next []part
		for _, q := range list {
			if q.done = q.done || stuck > mostJumps && q.nodes != nil; q.done {
				next = append(next, q)
				continue
			}
			m := q.from + (q.to-q.from)/2
			tail := q.tail
			if q.nodes == nil {
				tail = math.Inf(1)
			}
			next = append(next, part{from: q.from, to: m, parent: tail}, part{from: m, to: q.to, parent: tail})
			total++
		}
		list, failed = next, nil
	}
	ef.list = list
	n := 0
	for _, q := range list {
		n += len(q.nodes)
	}
	looks := make([]look, 0, n+1) // and the one before
	for _, q := range list {
		for k, l := range q.nodes {
			if k > 0 || len(looks) == 0 {
				looks = append(looks, l)
			}
		}
		if q.tail > 0 && q.to-q.from > 0x1p-20 {
			ef.doubt(i, sg.t.after(q.from*sg.h), sg.t.after(q.to*sg.h))
		}
	}
	for _, l := range looks {
		ef.trace[i].most = max(ef.trace[i].most, math.Abs(l.g))
	}
	return looks, failed
}

// doubt notes an interval, joined to the one before where they meet.
func (ef *eventFinder) doubt(i int, from, to float64) {
	for k := len(ef.sol.Doubts) - 1; k >= 0; k-- {
		if d := &ef.sol.Doubts[k]; d.Event == i {
			if d.To == from {
				d.To = to
				return
			}
			break
		}
	}
	ef.sol.Doubts = append(ef.sol.Doubts, Doubt{Event: i, From: from, To: to})
}

// chebyshev[k][j] is cos(πjk/degree).
var chebyshev = sync.OnceValue(func() *[degree + 1][degree + 1]float64 {
	var c [degree + 1][degree + 1]float64
	for k := range c {
		for j := range c[k] {
			c[k][j] = math.Cos(math.Pi * float64(j*k%(2*degree)) / degree)
		}
	}
	return &c
})

// represent takes g at the Chebyshev points of a part of a step and, if they represent
// it, at the extrema of their polynomial; tail is the size of what they miss, 0 if they do.
func (ef *eventFinder) represent(i int, sg *segment, tn clock, from, to float64) (looks []look, tail float64, err error) {
	table := chebyshev()
	if cap(ef.pool)-len(ef.pool) < mostLooks {
		ef.pool = make([]look, 0, 16*mostLooks)
	}
	begin := len(ef.pool)
	looks = ef.pool[begin : begin : begin+mostLooks]
	defer func() { ef.pool = ef.pool[:begin+len(looks)] }()
	place := func(x float64) float64 { return from + (to-from)*(1-x)/2 }
	// Node j lies at x = cos(πj/degree), from the beginning, x = 1, on.
	var g [degree + 1]float64
	most := 0.0
	for j := range g {
		th := place(table[1][j])
		switch j {
		case 0:
			th = from
		case degree:
			th = to
		}
		l, err := ef.at(i, sg, tn, th)
		if err != nil {
			return looks, 0, err
		}
		looks = append(looks, l)
		g[j] = l.g
		most = max(most, math.Abs(l.g))
	}
	if most == 0 {
		return looks, 0, nil
	}
	// c_k = (2/N) Σ'' g_j cos(πjk/N), first and last term halved, and so c_0 and c_N.
	var c [degree + 1]float64
	for k := range c {
		for j := range g {
			w := 2.0 / degree
			if j == 0 || j == degree {
				w /= 2
			}
			c[k] += w * (g[j] / most) * table[k][j]
		}
		if k == 0 || k == degree {
			c[k] /= 2
		}
	}
	tail = (math.Abs(c[degree]) + math.Abs(c[degree-1]) + math.Abs(c[degree-2])) * most
	rest := 0.0
	for _, v := range c[1:] {
		rest += math.Abs(v)
	}
	if math.Abs(c[0])-rest > clearOfZero*tail/most {
		return looks, 0, nil // no root is near
	}
	if !(tail <= max(resolved*most, 4*0x1p-52*ef.trace[i].most)) {
		return looks, tail, nil
	}
	// The derivative Σ d_k T_k: d_{k-1} = d_{k+1} + 2k c_k, d_0 halved.
	var d [degree + 2]float64
	for k := degree; k >= 1; k-- {
		d[k-1] = 2 * float64(k) * c[k]
		if k+1 <= degree {
			d[k-1] += d[k+1]
		}
	}
	d[0] /= 2
	slope := func(x float64) float64 { return clenshaw(d[:degree], x) }
	if rest == 0 {
		return looks, 0, nil // constant
	}
	// Between four points to a node a polynomial of this degree has no two extrema
	// that matter: they would differ by less than the nodes show.
	const fine = 4 * degree
	var extrema []float64
	x0, s0 := 1.0, slope(1)
	for j := 1; j <= fine; j++ {
		x1 := math.Cos(math.Pi * float64(j) / fine)
		s1 := slope(x1)
		if s0 != 0 && s1 != 0 && (s0 > 0) != (s1 > 0) || s1 == 0 && j < fine {
			lo, hi := x0, x1
			for range 60 {
				m := lo + (hi-lo)/2
				if m == lo || m == hi {
					break
				}
				if (slope(m) > 0) == (s0 > 0) {
					lo = m
				} else {
					hi = m
				}
			}
			extrema = append(extrema, hi)
		}
		x0, s0 = x1, s1
	}
	for _, x := range extrema {
		th := place(x)
		if th <= from || th >= to {
			continue
		}
		l, err := ef.at(i, sg, tn, th)
		if err != nil {
			return looks, 0, err
		}
		looks = append(looks, l)
	}
	if len(looks) > degree+1 {
		slices.SortStableFunc(looks, func(a, b look) int { return cmp.Compare(a.th, b.th) })
	}
	return looks, 0, nil
}

// clenshaw returns Σ c_k T_k(x).
func clenshaw(c []float64, x float64) float64 {
	var b1, b2 float64
	for k := len(c) - 1; k >= 1; k-- {
		b1, b2 = 2*x*b1-b2+c[k], b1
	}
	return x*b1 - b2 + c[0]
}

// state returns the state at a look.
func (ef *eventFinder) state(sg *segment, l look) []float64 {
	y := make([]float64, len(ef.u))
	switch l.th {
	case 0:
		copy(y, sg.y0)
	case 1:
		copy(y, sg.y1)
	default:
		sg.evalTheta(l.th, y)
	}
	return y
}

// locate bisects between the looks a and b, where g has sign old at a and another at
// b, until the bracket cannot be halved, and returns its far end: the first
// representable time at which the sign has changed.
func (ef *eventFinder) locate(i int, sg *segment, tn clock, a, b look, old int) (Crossing, error) {
	for {
		m, ok, err := ef.between(i, sg, tn, a, b)
		if err != nil {
			return Crossing{}, err
		}
		if !ok {
			break
		}
		if sign(m.g) == old {
			a = m
		} else {
			b = m
		}
	}
	return Crossing{Event: i, T: b.t, Y: ef.state(sg, b)}, nil
}
