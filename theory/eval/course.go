package eval

import (
	"fmt"
	"maps"
	"math"
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Course holds a statement over time against one motion or orbit: what the definition at its form (kernel.Form) says of
// the state at the beginning and a later one. Statements that speak of the limit t → ∞ alone say nothing of finite times;
// of those a course tells how much of the way is left.
type Course[T any] struct {
	ar    Arith[T]
	c     *compiled
	marks []mark[T]
	scale float64
}

// mark is what a course keeps of the beginning, for one goal.
type mark[T any] struct {
	says   bool
	values []Matrix[T]
	rate   T
	limit  T
	count  [2]int // eigenvalues below and above zero
}

// Stretch is what a statement comes to between the beginning and a time.
type Stretch struct {
	// Says is false where the statement says nothing of this time: its premise fails at the beginning, or it speaks of
	// the limit alone.
	Says bool
	// Holds is whether what it says is so; in floating point up to rounding.
	Holds bool
	// Excess is by how much it fails, negative or zero where it holds, in the units of L; Scale the largest number met in
	// L and its bound from the beginning on.
	Excess, Scale float64
	// Left is how far what vanishes or tends is from its limit, From how far it was at the beginning; zero of others.
	Left, From float64
	// Values are the entries of every L.
	Values []float64
	// Measures are the sizes that readers want.
	Measures map[string]float64
}

// OverTime reports whether a part's statement speaks of motions or orbits.
func OverTime(part *lang.Part) bool {
	c, err := compiledOf(part)
	return err == nil && !c.assumption && len(c.goals) > 0 && c.goals[0].form.Temporal()
}

// OverSteps reports whether a part's statement speaks of orbits.
func OverSteps(part *lang.Part) bool { return OverTime(part) && must(compiledOf(part)).steps }

// Inputs names the inputs that what a part says over time depends on, through the equations too, or by what is assumed all
// along of what they move: then it depends on them how far a motion goes. Orbits and trajectories are followed with inputs
// that keep their values, which says nothing of those that move.
func Inputs(part *lang.Part) []string {
	if !OverTime(part) {
		return nil
	}
	return must(compiledOf(part)).inputs
}

func must(c *compiled, _ error) *compiled { return c }

// NewCourse begins a course of a part's statement at a state.
func NewCourse[T any](ar Arith[T], part *lang.Part, st State[T]) (*Course[T], error) {
	c, err := compiledOf(part)
	if err != nil {
		return nil, err
	}
	if !OverTime(part) {
		return nil, fmt.Errorf("eval: %s says nothing about a stretch of time", part.Name)
	}
	k := &Course[T]{ar: ar, c: c}
	j, err := newJudge(ar, c, st)
	if err != nil {
		return nil, err
	}
	for i := range c.goals {
		m, err := k.begin(j, &c.goals[i])
		if err != nil {
			return nil, err
		}
		k.marks = append(k.marks, m)
	}
	return k, nil
}

// begin notes the beginning.
func (k *Course[T]) begin(j *judge[T], g *goal) (m mark[T], err error) {
	m.says = true
	if g.form == kernel.Always {
		return m, nil
	}
	for _, p := range g.terms {
		v, err := j.at(p)
		if err == nil && (g.form == kernel.StaySemidefinite || g.form == kernel.Congruence) {
			err = j.payElimination(eliminations, true, v)
		}
		if err != nil {
			return m, err
		}
		m.values = append(m.values, v)
		k.scale = max(k.scale, j.scaleOf(k.c.ops, p), j.norm(v))
	}
	all := func(good func(Matrix[T]) bool) {
		for _, v := range m.values {
			m.says = m.says && good(v)
		}
	}
	sign := func(v Matrix[T]) int { return j.ar.Sign(v.A[0], k.scale) }
	switch g.form {
	case kernel.Evolves, kernel.NormDecays, kernel.Decays:
		m.rate, m.values = m.values[1].A[0], m.values[:1]
	case kernel.StayZero:
		all(func(v Matrix[T]) bool { return j.isZero(v, k.scale) })
	case kernel.StayNonnegative:
		all(func(v Matrix[T]) bool { return sign(v) >= 0 })
	case kernel.StayPositive:
		all(func(v Matrix[T]) bool { return sign(v) > 0 })
	case kernel.StaySemidefinite:
		all(func(v Matrix[T]) bool {
			return j.symmetric(v, k.scale) && j.definite(v, false, k.scale)
		})
	case kernel.Congruence:
		m.says = j.symmetric(m.values[0], k.scale)
		m.count, _ = k.inertia(j, m.values[0], Tolerance*k.scale)
	case kernel.Tends:
		x := m.values[0].A[0]
		m.says = j.ar.Sign(j.ar.Sub(x, m.values[2].A[0]), k.scale) > 0 && j.ar.Sign(j.ar.Sub(m.values[3].A[0], x), k.scale) > 0
		m.limit, m.values = m.values[1].A[0], m.values[:1]
	}
	return m, nil
}

// At says what the statement comes to at a later state: after time t, or after t steps of the map.
func (k *Course[T]) At(t float64, st State[T]) (Stretch, error) {
	out := Stretch{Holds: true, Excess: math.Inf(-1), Measures: map[string]float64{}}
	j, err := newJudge(k.ar, k.c, st)
	if err != nil {
		return out, err
	}
	for i := range k.c.goals {
		if err := k.goal(j, &k.c.goals[i], &k.marks[i], t, &out); err != nil {
			return out, err
		}
	}
	out.Scale = k.scale
	return out, nil
}

func (k *Course[T]) goal(j *judge[T], g *goal, m *mark[T], t float64, out *Stretch) error {
	if g.form == kernel.Always {
		return k.always(j, g, out)
	}
	var now []Matrix[T]
	for i, p := range g.terms {
		if i >= len(m.values) {
			break
		}
		v, err := j.at(p)
		if err != nil {
			return err
		}
		now = append(now, v)
		k.scale = max(k.scale, j.scaleOf(k.c.ops, p), j.norm(v))
		for _, x := range v.A {
			out.Values = append(out.Values, j.ar.Float(x))
		}
	}
	l, l0 := now[0], m.values[0]
	note := func(excess float64, holds bool) {
		if !m.says {
			return
		}
		if j.exact {
			excess = max(excess, 0)
			if holds {
				excess = -excess
			}
		} else {
			holds = excess <= Tolerance*k.scale
		}
		out.Says, out.Holds, out.Excess = true, out.Holds && holds, max(out.Excess, excess)
	}
	square := func(v Matrix[T]) T {
		s := j.zero
		for _, x := range v.A {
			s = j.ar.Add(s, j.ar.Mul(x, x))
		}
		return s
	}
	switch g.form {
	case kernel.Evolves: // L(t) = f·L(0)
		f := k.factor(m.rate, t, 1)
		d := j.sub(l, j.scale(f, l0))
		k.scale = max(k.scale, math.Abs(j.ar.Float(f))*j.norm(l0))
		note(j.norm(d), j.isZero(d, k.scale))
		out.Measures["law residual"] = j.norm(d)
	case kernel.NormDecays, kernel.Decays: // ‖L(t)‖ ≤ f·‖L(0)‖; V(t) ≤ f·V(0)
		f := k.factor(m.rate, t, -1)
		size, size0 := j.norm(l), j.norm(l0)
		holds := k.ar.Sign(k.ar.Sub(k.ar.Mul(k.ar.Mul(f, f), square(l0)), square(l)), 0) >= 0
		if g.form == kernel.Decays {
			size, size0 = j.ar.Float(l.A[0]), j.ar.Float(l0.A[0])
			holds = k.ar.Sign(k.ar.Sub(k.ar.Mul(f, l0.A[0]), l.A[0]), 0) >= 0
		}
		bound := j.ar.Float(f) * size0
		k.scale = max(k.scale, math.Abs(bound))
		if k.c.steps && j.ar.Sign(m.rate, 0) < 0 {
			note(-j.ar.Float(m.rate), false) // the factor is negative
		} else {
			note(size-bound, holds)
		}
		out.Measures["bound excess"] = size - bound
		if bound > Tolerance*k.scale {
			out.Measures["bound ratio"] = size / bound
		}
	case kernel.StayZero:
		worst, zero := 0.0, true
		for _, v := range now {
			worst, zero = max(worst, j.norm(v)), zero && j.isZero(v, k.scale)
		}
		note(worst, zero)
		out.Measures["largest value"] = worst
	case kernel.StayNonnegative, kernel.StayPositive:
		least, least0 := math.Inf(1), 0
		for i, v := range now {
			s := j.ar.Sign(v.A[0], 0)
			if x := j.ar.Float(v.A[0]); x < least {
				least = x
			}
			if i == 0 || s < least0 {
				least0 = s
			}
		}
		note(-least, least0 > 0 || g.form == kernel.StayNonnegative && least0 == 0)
		out.Measures["least value"] = least
	case kernel.StaySemidefinite:
		least, good := math.Inf(1), true
		for _, v := range now {
			good = good && j.symmetric(v, k.scale) && j.definite(v, false, k.scale)
			least = min(least, j.smallest(v), -j.norm(j.sub(v, j.transpose(v))))
		}
		note(-least, good)
		out.Measures["least value"] = least
	case kernel.Congruence: // not more eigenvalues of a sign
		count, values := k.inertia(j, l, Tolerance*k.scale)
		worst := j.norm(j.sub(l, j.transpose(l)))
		if n := m.count[0]; n < len(values) {
			worst = max(worst, -values[n])
		}
		if n := m.count[1]; n < len(values) {
			worst = max(worst, values[len(values)-1-n])
		}
		note(worst, count[0] <= m.count[0] && count[1] <= m.count[1])
		out.Measures["largest new eigenvalue"] = worst
	case kernel.Vanishes:
		out.Left, out.From = j.norm(l), j.norm(l0)
	case kernel.Tends:
		// Along a flow of one variable x does not turn round, so that it does not move away from its limit either.
		d, d0 := j.ar.Sub(l.A[0], m.limit), j.ar.Sub(l0.A[0], m.limit)
		if !m.says {
			return nil
		}
		out.Left, out.From = math.Abs(j.ar.Float(d)), math.Abs(j.ar.Float(d0))
		if !k.c.steps && !j.exact {
			note(out.Left-out.From, false)
		}
	}
	if out.From > 0 {
		out.Measures["remaining"] = out.Left / out.From
	}
	return nil
}

// always judges φ at the time.
func (k *Course[T]) always(j *judge[T], g *goal, out *Stretch) error {
	scale, err := j.reach(g.inner)
	if err != nil {
		return err
	}
	k.scale = max(k.scale, scale)
	v := j.test(g.inner, scale)
	holds := v.holds || v.near
	f := map[string]float64{}
	excess := -1.0
	if g.inner.rel != never {
		j.measure(g.inner, v, f)
		for _, x := range v.difference.A {
			out.Values = append(out.Values, j.ar.Float(x))
		}
		switch g.inner.rel {
		case equal:
			excess = f["residual"]
		case atLeast, greater:
			excess = -f["margin"]
		case semidefinite, definite:
			excess = -f["smallest eigenvalue"]
		}
	}
	if !holds {
		excess = max(excess, math.SmallestNonzeroFloat64)
		if g.inner.rel == unequal || g.inner.rel == invertible || g.inner.rel == diagonal || g.inner.rel == never {
			excess = max(1, scale)
		}
	}
	for name, x := range f {
		out.Measures[name] = x
	}
	out.Says, out.Holds, out.Excess = true, out.Holds && holds, max(out.Excess, excess)
	return nil
}

// Broken names a hypothesis assumed all along that does not hold at a state, and is empty where all do. What is assumed of
// the beginning alone may fail later.
func (k *Course[T]) Broken(st State[T]) (string, error) {
	j, err := newJudge(k.ar, k.c, st)
	if err != nil {
		return "", err
	}
	for i := range k.c.hypotheses {
		h := &k.c.hypotheses[i]
		if !h.always {
			continue
		}
		scale, err := j.reach(h.check)
		if h.declared && isMissing(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if !j.test(h.check, scale).holds {
			return h.name, nil
		}
	}
	return "", nil
}

// factor is exp(sign·c·t) along a flow, cᵗ over steps.
func (k *Course[T]) factor(c T, t float64, sign float64) T {
	f := newField(k.ar)
	if !k.c.steps {
		x := math.Exp(sign * k.ar.Float(c) * t)
		if v, ok := any(x).(T); ok {
			return v
		}
		// Exact arithmetic has no exponential; what is asked of it is at the beginning.
		return f.one
	}
	out := f.one
	for range int(t) {
		out = k.ar.Mul(out, c)
	}
	return out
}

// inertia counts the eigenvalues of the symmetric part below −tol and above tol, and lists all, ascending.
func (k *Course[T]) inertia(j *judge[T], l Matrix[T], tol float64) (count [2]int, values []float64) {
	a := make([]float64, len(l.A))
	for i := range l.R {
		for c := range l.C {
			a[i*l.C+c] = (j.ar.Float(l.At(i, c)) + j.ar.Float(l.At(c, i))) / 2
		}
	}
	values = eigenvalues(a, l.R)
	for _, v := range values {
		if v < -tol {
			count[0]++
		} else if v > tol {
			count[1]++
		}
	}
	return count, values
}

// Arrived is the share of the way to its limit that may be left where something counts as having come there: what has not
// speaks for no statement about limits.
const Arrived = 1e-3

// Orbit is what an exact orbit of the map comes to.
type Orbit struct {
	Steps int  // that were followed and of which the statement says something, of limits that it has come there
	Fails bool // the statement fails at the last of them, or the orbit goes round without its limit
	// Nearest is the least distance from failing, relative to the numbers met; +Inf if there is none.
	Nearest float64
}

// FollowOrbit follows the orbit of the part's map from a state that meets the hypotheses, with inputs that stay as they
// are, for at most the given number of steps: as long as what is assumed all along holds, and numbers stay short.
func FollowOrbit(ar Arith[*big.Rat], part *lang.Part, st State[*big.Rat], steps int) (o Orbit, err error) {
	o.Nearest = math.Inf(1)
	course, err := NewCourse(ar, part, st)
	if err != nil {
		return o, err
	}
	path := []State[*big.Rat]{st}
	apart := []bool{false}
	for k := 1; k <= steps; k++ {
		last := path[len(path)-1]
		e, err := New(ar, part.Env, last)
		if err != nil {
			return o, err
		}
		next := State[*big.Rat]{Dims: last.Dims, Vals: maps.Clone(last.Vals)}
		for _, q := range part.Env.Map {
			m, err := e.EvalFor(q.Name, q.RHS)
			if err != nil {
				return o, nil // the orbit ends here
			}
			next.Vals[q.Name] = m
		}
		if broken, err := course.Broken(next); broken != "" || err != nil {
			return o, nil
		}
		s, err := course.At(float64(k), next)
		if err != nil {
			return o, nil
		}
		switch {
		case s.Says:
			o.Steps = k
		case s.From > 0:
			// What runs away speaks for no limit.
			if o.Steps = 0; s.Left <= Arrived*s.From {
				o.Steps = k
			}
		}
		if s.Says && s.Scale > 0 {
			o.Nearest = min(o.Nearest, math.Abs(s.Excess)/s.Scale)
		}
		if s.From > 0 {
			o.Nearest = min(o.Nearest, s.Left/s.From)
		}
		if s.Says && !s.Holds {
			o.Fails = true
			return o, nil
		}
		for i := len(path) - 1; i >= 0 && s.From > 0; i-- {
			if !equalStates(part, path[i], next) {
				continue
			}
			// Round and round from here: the limit is not met if one of the states on the way is not at it.
			o.Steps, o.Fails = k, s.Left > 0
			for _, a := range apart[i+1:] {
				o.Fails = o.Fails || a
			}
			return o, nil
		}
		path, apart = append(path, next), append(apart, s.Left > 0)
	}
	return o, nil
}

// equalStates reports whether what the map moves is equal.
func equalStates(part *lang.Part, a, b State[*big.Rat]) bool {
	for _, q := range part.Env.Map {
		x, y := a.Vals[q.Name], b.Vals[q.Name]
		for i := range x.A {
			if x.A[i].Cmp(y.A[i]) != 0 {
				return false
			}
		}
	}
	return true
}
