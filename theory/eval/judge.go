package eval

import (
	"fmt"
	"math"

	"stopgrad/theory/lang"
)

// Between is what a [Finding] calls that the ends of an interval have x between them; no assumption has a name with spaces.
const Between = "between the ends"

// Finding is what a part amounts to at one state.
type Finding struct {
	// Hypotheses says of each hypothesis, and of each declared domain that fails, whether it is met.
	Hypotheses map[string]bool
	Met        bool // all hypotheses
	// Open is true if every hypothesis about moving quantities holds strictly or is about constants, so that
	// it also holds for a short time after.
	Open  bool
	Holds bool
	// Close is true if the statement fails in floating point by no more than rounding explains, or where its own premise
	// is met by no more: then it is not decided there. In exact arithmetic nothing is close.
	Close bool
	// Left is true if the equations of an assumption hold here and not a moment later.
	Left bool
	// Measures are the sizes behind Holds: residual and scale of an equality, margin of an inequality.
	Measures map[string]float64
	// Lacks says by how much a hypothesis that is assumed and not met fails, relative to the numbers in it.
	Lacks map[string]float64
}

// Judge evaluates a part at a state: its hypotheses, and what the statement says of this state, which for statements
// about all times is a necessary condition (see [builder.goal]): where it fails and the hypotheses hold along a motion
// from there, the state is a counterexample. Of an assumption Holds is the consequence that it is said to have. An
// error means that the part cannot be evaluated there.
func Judge[T any](ar Arith[T], part *lang.Part, st State[T]) (*Finding, error) {
	return judged(ar, part, st, false)
}

// Try is [Judge] for a search: where a hypothesis is not met it looks no further, so that not all of the finding is there.
func Try[T any](ar Arith[T], part *lang.Part, st State[T]) (*Finding, error) {
	return judged(ar, part, st, true)
}

func judged[T any](ar Arith[T], part *lang.Part, st State[T], hasty bool) (*Finding, error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	f := &Finding{Hypotheses: map[string]bool{}, Met: true, Open: true, Holds: true, Measures: map[string]float64{}}
	for i := range c.hypotheses {
		if err := j.hypothesis(&c.hypotheses[i], f); err != nil {
			return nil, err
		}
		if hasty && !f.Met {
			return f, nil
		}
	}
	for i := range c.goals {
		if err := j.goal(&c.goals[i], f); err != nil {
			return nil, err
		}
	}
	if len(c.goals) > 1 && part.Stmt.Kind == lang.Stationary {
		f.Measures["speed"] = f.Measures["residual"]
	}
	for i := range c.kept {
		ok, err := j.holds(&c.kept[i])
		if isMissing(err) {
			// What moves the assumption need not be known to judge its consequence.
			continue
		}
		if err != nil {
			return nil, err
		}
		f.Left = f.Left || !ok
	}
	return f, nil
}

// judge is a compiled part at a state.
type judge[T any] struct {
	*run[T]
	c     *compiled
	exact bool
}

func newJudge[T any](ar Arith[T], c *compiled, st State[T]) (*judge[T], error) {
	j := &judge[T]{run: newRun(ar, st), c: c, exact: true}
	if _, inexact := any(ar).(Float); inexact {
		j.exact = false
		for _, y := range c.symbols {
			if m, ok := st.Vals[y.name]; ok && y.scalar && len(m.A) == 1 {
				if x := ar.Float(m.A[0]); math.IsNaN(x) || math.IsInf(x, 0) {
					return nil, fmt.Errorf("eval: %s is not a finite number", y.name)
				}
			}
		}
	}
	return j, j.checkShapes(c.symbols)
}

// at is the value at a place.
func (j *judge[T]) at(i int) (Matrix[T], error) { return j.value(j.c.ops, i) }

// binary reports whether a check compares two values.
func (r relation) binary() bool {
	switch r {
	case semidefinite, definite, invertible, diagonal, within, never:
		return false
	}
	return true
}

// eliminates reports whether a check of an n×n matrix takes some n³ operations: eliminations of them, in the mean.
func (r relation) eliminates() bool {
	switch r {
	case semidefinite, definite, invertible, nullSemidefinite, nullZero, sameRank:
		return true
	}
	return false
}

const eliminations = 4

// reach evaluates what a check is about and returns its scale.
func (j *judge[T]) reach(c check) (scale float64, err error) {
	if c.rel == never {
		return 0, nil
	}
	places := []int{c.a, c.b}
	if !c.rel.binary() {
		places = places[:1]
	}
	if c.rel == within {
		places = append(places, c.b, c.c)
	}
	for _, i := range places {
		m, err := j.at(i)
		if err == nil && c.rel.eliminates() && !(c.rel == invertible && j.regular(m)) {
			err = j.payElimination(eliminations, c.rel == semidefinite || c.rel == definite, m)
		}
		if err != nil {
			return 0, err
		}
		if !j.exact {
			scale = max(scale, j.scaleOf(j.c.ops, i), j.size(m))
		}
	}
	return scale, nil
}

// verdict is what a check comes to; difference is a − b, of a form on a null space that form, else a.
type verdict[T any] struct {
	holds, strict bool
	near          bool // it fails by rounding at most
	difference    Matrix[T]
}

// test decides a check whose values were found to exist.
func (j *judge[T]) test(c check, scale float64) (v verdict[T]) {
	if c.rel == never {
		return v
	}
	a, _ := j.at(c.a)
	v.difference = a
	if c.rel.binary() {
		b, _ := j.at(c.b)
		switch c.rel {
		case nullSemidefinite, nullZero:
			k := j.null(a)
			v.difference = j.mul(j.mul(j.transpose(k), b), k)
			v.holds = j.symmetric(b, scale) && (c.rel == nullZero && j.isZero(v.difference, scale) ||
				c.rel == nullSemidefinite && (k.C == 0 || j.definite(v.difference, false, scale)))
			return v
		case sameRank:
			v.holds = j.null(a).C == j.null(b).C
			return v
		}
		v.difference = j.sub(a, b)
	}
	switch c.rel {
	case equal:
		v.holds = j.isZero(v.difference, scale)
	case atLeast, greater, unequal:
		s := j.ar.Sign(v.difference.A[0], scale)
		v.strict = s > 0 || c.rel == unequal && s != 0
		v.holds = v.strict || c.rel == atLeast && s == 0
		v.near = !j.exact && s == 0
	case semidefinite, definite:
		if !j.symmetric(a, scale) {
			return v
		}
		v.strict = j.definite(a, true, scale)
		semi := v.strict || j.definite(a, false, scale)
		v.holds = v.strict || c.rel == semidefinite && semi
		v.near = !j.exact && semi
	case invertible:
		var err error
		if !j.regular(a) {
			_, err = j.inverse(a)
		}
		v.holds, v.strict = err == nil, err == nil
	case diagonal:
		v.holds = true
		for i, x := range a.A {
			v.holds = v.holds && (i/a.C == i%a.C || j.ar.Sign(x, scale) == 0)
		}
	case within:
		low, _ := j.at(c.b)
		high, _ := j.at(c.c)
		v.holds, v.strict = true, true
		for _, x := range a.A {
			above, below := j.ar.Sign(j.ar.Sub(x, low.A[0]), scale), j.ar.Sign(j.ar.Sub(high.A[0], x), scale)
			v.holds, v.strict = v.holds && above >= 0 && below >= 0, v.strict && above > 0 && below > 0
		}
	}
	return v
}

func (j *judge[T]) hypothesis(h *hypothesis, f *Finding) error {
	scale, err := j.reach(h.check)
	if h.declared && isMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if h.declared && (h.rel == atLeast || h.rel == greater || h.rel == unequal) {
		// A value is in its domain or not; it was not computed.
		scale = 0
	}
	v := j.test(h.check, scale)
	if !h.declared {
		f.Hypotheses[h.name] = v.holds
	} else if !v.holds {
		f.Hypotheses[h.name] = false
	}
	f.Met = f.Met && v.holds
	if h.moves && !v.strict && !h.declared {
		f.Open = false
	}
	if !v.holds && !h.declared {
		if f.Lacks == nil {
			f.Lacks = map[string]float64{}
		}
		f.Lacks[h.name] = j.lack(h.check, v)
	}
	return nil
}

// lack is by how much a check fails, relative to the numbers in it.
func (j *judge[T]) lack(c check, v verdict[T]) float64 {
	scale := j.scaleAt(c)
	if !(scale > 0) {
		scale = 1
	}
	switch c.rel {
	case equal, atLeast, greater, nullZero:
		return j.norm(v.difference) / scale
	case semidefinite, definite:
		if low := math.Abs(j.smallest(v.difference)); j.symmetric(v.difference, scale) {
			return low
		}
	}
	return 1
}

// scaleAt is the scale of a check for readers, in exact arithmetic too.
func (j *judge[T]) scaleAt(c check) float64 {
	s := 0.0
	places := []int{c.a, c.b}
	if !c.rel.binary() {
		places = places[:1]
	}
	for _, i := range places {
		m, err := j.at(i)
		if err == nil {
			s = max(s, j.scaleOf(j.c.ops, i), j.size(m))
		}
	}
	return s
}

// holds decides a look: premises imply conclusions.
func (j *judge[T]) holds(l *look) (bool, error) {
	ok, _, err := j.look(l, nil)
	return ok, err
}

// look decides a look, and hands each conclusion that was looked at to seen.
func (j *judge[T]) look(l *look, seen func(check, verdict[T])) (holds, said bool, err error) {
	scale, weak := 0.0, false // weak: a premise is met up to rounding only, so that nothing follows for sure
	for _, cs := range [][]check{l.premises, l.conclusions} {
		for _, c := range cs {
			s, err := j.reach(c)
			if err != nil {
				return false, false, err
			}
			scale = max(scale, s)
		}
	}
	if l.exact && !j.exact {
		return true, false, nil
	}
	for _, c := range l.premises {
		v := j.test(c, scale)
		if !v.holds {
			return true, false, nil
		}
		weak = weak || !j.exact && !v.strict
	}
	holds = true
	for _, c := range l.conclusions {
		v := j.test(c, scale)
		v.near = v.near || weak
		holds = holds && v.holds
		if seen != nil {
			seen(c, v)
		}
	}
	return holds, true, nil
}

func (j *judge[T]) goal(g *goal, f *Finding) error {
	inside := true
	for _, c := range g.inside {
		scale, err := j.reach(c)
		if err != nil {
			return err
		}
		inside = inside && j.test(c, scale).holds
	}
	if g.inside != nil {
		f.Hypotheses[Between] = inside
		f.Met = f.Met && inside
	}
	if g.count != nil {
		ok, err := j.counts(g.count)
		f.Holds = f.Holds && ok
		return err
	}
	for i := range g.looks {
		near := true
		ok, _, err := j.look(&g.looks[i], func(c check, v verdict[T]) {
			near = near && (v.holds || v.near)
			if i == 0 && g.show == plain {
				j.measure(c, v, f.Measures)
			}
		})
		if err != nil {
			return err
		}
		// What fails by rounding alone is close as long as nothing fails by more.
		f.Close = !ok && near && (f.Holds || f.Close) || f.Close && ok
		f.Holds = f.Holds && ok
	}
	return j.show(g, f.Measures)
}

// measure notes the sizes behind a conclusion.
func (j *judge[T]) measure(c check, v verdict[T], m map[string]float64) {
	note := func(name string, x float64) {
		if old, ok := m[name]; ok && name == "margin" {
			x = min(x, old)
		} else if ok && name != "smallest eigenvalue" {
			x = math.Hypot(x, old)
		}
		m[name] = x
	}
	switch c.rel {
	case equal:
		note("residual", j.norm(v.difference))
		m["scale"] = max(m["scale"], j.scaleAt(c))
	case unequal:
		note("margin", j.float(v.difference.A[0]))
		m["scale"] = max(m["scale"], j.scaleAt(c))
	case atLeast, greater:
		note("margin", j.ar.Float(v.difference.A[0]))
		m["scale"] = max(m["scale"], j.scaleAt(c))
	case semidefinite, definite:
		if !j.symmetric(v.difference, j.scaleAt(c)) {
			m["asymmetric"] = 1
			return
		}
		note("smallest eigenvalue", j.smallest(v.difference))
	case nullZero:
		worst := 0.0
		for _, x := range v.difference.A {
			worst = max(worst, j.float(x))
		}
		m["kernel dimension"], m["residual"] = float64(v.difference.R), worst
	}
}

// show notes the sizes of a statement with premises.
func (j *judge[T]) show(g *goal, m map[string]float64) error {
	ms := make([]Matrix[T], len(g.values))
	for i, p := range g.values {
		v, err := j.at(p)
		if err != nil {
			return err
		}
		ms[i] = v
	}
	total := func(ms []Matrix[T]) float64 {
		s := 0.0
		for _, v := range ms {
			s = math.Hypot(s, j.norm(v))
		}
		return s
	}
	switch g.show {
	case border:
		n := len(ms) / 2
		// Of several orders the one whose border is nearest.
		k := 0
		for i := range n {
			if j.norm(ms[i]) < j.norm(ms[k]) {
				k = i
			}
		}
		m["value"], m["derivative"] = j.norm(ms[k]), j.norm(ms[n+k])
		zero := len(g.looks) == 1 && g.looks[0].conclusions[0].rel == equal
		if zero {
			m["value"], m["derivative"] = total(ms[:n]), total(ms[n:])
		} else if len(ms[n+k].A) == 1 && j.isZero(ms[k], max(j.size(ms[n+k]), j.scaleOf(j.c.ops, g.values[k]), j.scaleOf(j.c.ops, g.values[n+k]))) {
			m["derivative"] = j.ar.Float(ms[n+k].A[0])
		}
	case rest:
		m["value"], m["speed"] = j.norm(ms[0]), total(ms[1:])
	case line:
		m["speed"] = j.ar.Float(ms[0].A[0])
	}
	return nil
}

// Failure is a conclusion of a statement that does not hold at a state.
type Failure[T any] struct {
	// Definite is true where Value is a matrix that should be positive definite or semidefinite.
	Definite bool
	// Value should be zero, or nonnegative, or positive; or it is the matrix that is not as it should be.
	Value Matrix[T]
}

// Failures lists the conclusions of the part's statement that do not hold at the state; those of an assumption about its
// consequence.
func Failures[T any](ar Arith[T], part *lang.Part, st State[T]) (out []Failure[T], err error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	for i := range c.goals {
		for k := range c.goals[i].looks {
			_, _, err := j.look(&c.goals[i].looks[k], func(c check, v verdict[T]) {
				if !v.holds {
					d := c.rel == semidefinite || c.rel == definite || c.rel == nullSemidefinite
					out = append(out, Failure[T]{d, v.difference})
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// Equations lists what has to be zero at a state for the part to say anything of it: the differences of the equations
// assumed, and what stands on the border of a statement that something stays, or moves where something vanishes.
func Equations[T any](ar Arith[T], part *lang.Part, st State[T]) (out []T, err error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	add := func(c check) error {
		if _, err := j.reach(c); err != nil {
			return err
		}
		out = append(out, j.test(c, 0).difference.A...)
		return nil
	}
	for i := range c.hypotheses {
		if h := &c.hypotheses[i]; !h.declared && h.rel == equal {
			if err := add(h.check); err != nil {
				return nil, err
			}
		}
	}
	for i := range c.goals {
		if g := &c.goals[i]; g.show == border || g.show == rest {
			for _, p := range g.looks[0].premises {
				if p.rel != equal && p.rel != semidefinite {
					continue
				}
				if err := add(p); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// Quantities lists the numbers whose signs decide the part at a state: of each hypothesis and each conclusion that compares
// two numbers their difference, of one about a definite matrix its leading minors.
func Quantities[T any](ar Arith[T], part *lang.Part, st State[T]) (out []T, err error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	add := func(c check) error {
		if _, err := j.reach(c); err != nil || c.rel == never {
			return err
		}
		switch c.rel {
		case equal, atLeast, greater, unequal:
			if d := j.test(c, 0).difference; len(d.A) == 1 {
				out = append(out, d.A[0])
			}
		case semidefinite, definite:
			m, _ := j.at(c.a)
			for n := 1; n <= min(m.R, minors); n++ {
				out = append(out, j.minor(m, n))
			}
		}
		return nil
	}
	for i := range c.hypotheses {
		if !c.hypotheses[i].declared {
			if err := add(c.hypotheses[i].check); err != nil {
				return nil, err
			}
		}
	}
	for i := range c.goals {
		for _, l := range c.goals[i].looks {
			for _, k := range append(append([]check(nil), l.premises...), l.conclusions...) {
				if err := add(k); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

// minors is the size of the largest leading minor that is computed.
const minors = 3

// minor is the determinant of the first n rows and columns, n ≤ 3, without division.
func (f *field[T]) minor(m Matrix[T], n int) T {
	two := func(i, j, k, l int) T { // columns k and l of rows i and j
		return f.ar.Sub(f.ar.Mul(m.At(i, k), m.At(j, l)), f.ar.Mul(m.At(i, l), m.At(j, k)))
	}
	switch n {
	case 1:
		return m.At(0, 0)
	case 2:
		return two(0, 1, 0, 1)
	}
	d := f.ar.Sub(f.ar.Mul(m.At(0, 0), two(1, 2, 1, 2)), f.ar.Mul(m.At(0, 1), two(1, 2, 0, 2)))
	return f.ar.Add(d, f.ar.Mul(m.At(0, 2), two(1, 2, 0, 1)))
}
