package model

import (
	"fmt"

	"stopgrad/theory/kernel"
)

// NoValue says that a term has no value at a state: a divisor is zero, a radicand negative (or zero where it is
// differentiated), an inverted matrix singular.
type NoValue struct {
	what string
	term *kernel.Term
}

// Term is the divisor, radicand or matrix at fault.
func (e *NoValue) Term() *kernel.Term { return e.term }

// Error says what is at fault.
func (e *NoValue) Error() string {
	return fmt.Sprintf("model: no value: %s %s", kernel.Print(e.term), e.what)
}

func noValue(t *kernel.Term, what string) { panic(&failure{&NoValue{what, t}}) }

// Evaluate returns the value of a term of the dynamics at a state, or why it has none.
func Evaluate(d *kernel.Dynamics, t *kernel.Term, st *State) (v Value, err error) {
	defer caught(&err)
	if d == nil || t == nil || st == nil || t.Signature() != d.Signature() || st.sig != d.Signature() {
		fail("a term and a state of one signature are needed")
	}
	e := newEvaluator(d, st)
	return e.value(e.at(nil).eval(t)), nil
}

// evaluator evaluates terms of one dynamics at one state and changed copies of it.
type evaluator struct {
	field
	dyn    *kernel.Dynamics
	st     *State
	deep   int                   // evaluations inside one another
	chance map[*kernel.Term]bool // terms that mention random columns
	motion map[*kernel.Term]moving
	// staySymmetric are the letters that stay symmetric for a while along the motion asked about.
	staySymmetric map[*kernel.Term]bool
}

func newEvaluator(d *kernel.Dynamics, st *State) *evaluator {
	st.fits()
	return &evaluator{field: field{radicands: append([]*number(nil), st.field.radicands...), limit: st.field.limit}, dyn: d, st: st, chance: map[*kernel.Term]bool{}, motion: map[*kernel.Term]moving{}}
}

// frame is a state as an operator sees it: what reading a letter gives, how many infinitesimals are about, and which
// of them belong to gradients. What is evaluated in it is remembered.
type frame struct {
	*evaluator
	read    func(x *kernel.Term) matrix
	depth   int   // infinitesimals 0 … depth − 1 are about
	grads   []int // those of the gradients and partial derivatives around, outermost first
	memo    map[*kernel.Term]matrix
	outside *frame // the frame without values of the random columns, of a frame inside E
	apart   *frame // closed, once made
	still   *frame // frozen, once made
}

// at is the frame of the state, with other values for the letters in now.
func (e *evaluator) at(now map[*kernel.Symbol]matrix) *frame {
	return &frame{evaluator: e, memo: map[*kernel.Term]matrix{}, read: func(x *kernel.Term) matrix {
		if m, ok := now[x.Symbol()]; ok {
			return m
		}
		m, ok := e.st.values[x.Symbol()]
		if !ok {
			fail("the %s symbol %s has no value at a state", x.Symbol().Class(), x.Symbol().Name())
		}
		return m
	}}
}

// child is a frame around which the same infinitesimals are about, with other letters.
func (fr *frame) child(read func(x *kernel.Term) matrix) *frame {
	return &frame{evaluator: fr.evaluator, read: read, depth: fr.depth, grads: fr.grads, memo: map[*kernel.Term]matrix{}}
}

// closed is the frame for equations of motion and moments: they are written outside of every gradient and say
// nothing of the random columns.
func (fr *frame) closed() *frame {
	if fr.apart == nil {
		fr.apart = fr.child(func(x *kernel.Term) matrix {
			if random(x) {
				fail("an equation mentions the random column %s", x.Symbol().Name())
			}
			return fr.read(x)
		})
		fr.apart.grads = nil
		fr.apart.apart = fr.apart
	}
	return fr.apart
}

func random(x *kernel.Term) bool {
	c := x.Symbol().Class()
	return c == kernel.Random || c == kernel.Centred
}

// moved is a frame in which letters have an infinitesimal part of their own: toward returns the direction in which x
// moves, nil if it stays.
func (fr *frame) moved(toward func(x *kernel.Term) *matrix) *frame {
	if fr.depth == maxNesting {
		fail("derivatives nested deeper than %d", maxNesting)
	}
	letters := map[*kernel.Term]matrix{}
	child := fr.child(func(x *kernel.Term) matrix {
		if m, ok := letters[x]; ok {
			return m
		}
		m := fr.read(x)
		if v := toward(x); v != nil {
			m = fr.sum(m, fr.scale(fr.epsilon(), *v))
		}
		letters[x] = m
		return m
	})
	child.depth++
	return child
}

// epsilon is the next infinitesimal.
func (fr *frame) epsilon() jet {
	e := make(jet, 2<<fr.depth)
	e[1<<fr.depth] = one
	return e
}

// derivative is the coefficient of the infinitesimal that the child frame has added.
func (fr *frame) derivative(child *frame, t *kernel.Term) matrix {
	return child.eval(t).each(func(x jet) jet { return fr.plus(jet{zero}, x.along(fr.depth)) })
}

// flowing is the frame in which the state moves along the flow, its right-hand sides evaluated here. Constants stay.
func (fr *frame) flowing() *frame {
	return fr.moved(func(x *kernel.Term) *matrix {
		switch x.Symbol().Class() {
		case kernel.Param:
			return nil
		case kernel.State:
			if f := fr.dyn.FlowOf(x); f != nil {
				if idle(f) {
					return nil
				}
				v := fr.closed().eval(f)
				return &v
			}
		}
		fail("%s has no derivative in time", x.Symbol().Name())
		return nil
	})
}

// idle reports whether an equation of motion is written 0: then what it is of does not depend on the infinitesimal, and its
// roots have a derivative where they are zero. Of an equation that comes to 0 the letter moves, with the speed 0.
func idle(law *kernel.Term) bool {
	return law.Head() == kernel.Zero || law.Head() == kernel.Number && law.Value().Sign() == 0
}

// stirred is the frame in which all state variables depend on an infinitesimal, in no direction: a term has a value in
// it only if it does and is continuous near the state, with no radicand that may move at the end of its domain.
func (fr *frame) stirred() *frame {
	return fr.moved(func(x *kernel.Term) *matrix {
		if x.Symbol().Class() != kernel.State {
			return nil
		}
		m := fr.shaped(x)
		return &m
	})
}

// stepped is the frame of the state after one step of the map.
func (fr *frame) stepped() *frame {
	return fr.child(func(x *kernel.Term) matrix {
		switch x.Symbol().Class() {
		case kernel.Param:
			return fr.read(x)
		case kernel.State:
			if f := fr.dyn.MapOf(x); f != nil {
				return fr.closed().eval(f)
			}
		}
		fail("%s has no next value", x.Symbol().Name())
		return matrix{}
	})
}

// partially is the frame in which the letter x alone moves, in a direction, under one more gradient.
func (fr *frame) partially(x *kernel.Term, direction matrix) *frame {
	child := fr.moved(func(y *kernel.Term) *matrix {
		if y != x {
			return nil
		}
		return &direction
	})
	child.grads = append(append([]int(nil), fr.grads...), fr.depth)
	return child
}

// shaped is the zero of a term's shape.
func (e *evaluator) shaped(x *kernel.Term) matrix {
	if x.Scalar() {
		return matrix{true, 1, 1, []jet{{zero}}}
	}
	rows, cols := x.Shape()
	return nought(e.st.dim(rows), e.st.dim(cols))
}

// partial is the derivative of t as the entry (i, j) of the letter x moves.
func (fr *frame) partial(t, x *kernel.Term, i, j int) matrix {
	m := fr.shaped(x)
	m.at[i*m.cols+j] = jet{one}
	return fr.derivative(fr.partially(x, m), t)
}

// gradient is ∂t/∂x as a matrix.
func (fr *frame) gradient(t, x *kernel.Term) matrix {
	out := fr.shaped(x)
	for k := range out.at {
		out.at[k] = fr.partial(t, x, k/out.cols, k%out.cols).at[0]
	}
	return out
}

// frozen is the frame in which letters do not depend on the infinitesimal of the one gradient around.
func (fr *frame) frozen() *frame {
	if fr.still == nil {
		fr.still = fr.child(func(x *kernel.Term) matrix {
			return fr.read(x).each(func(j jet) jet { return j.without(fr.grads[0]) })
		})
		fr.still.still = fr.still
	}
	return fr.still
}

// replaced is the frame of at(t, x, v, …): the letters have the values that v, … have here, needed or not.
func (fr *frame) replaced(t *kernel.Term) *frame {
	now := map[*kernel.Term]matrix{}
	for i := 1; i < t.Len(); i += 2 {
		now[t.Arg(i)] = fr.eval(t.Arg(i + 1))
	}
	return fr.child(func(x *kernel.Term) matrix {
		if m, ok := now[x]; ok {
			return m
		}
		return fr.read(x)
	})
}

// eval is the value of a term in the frame.
func (fr *frame) eval(t *kernel.Term) matrix {
	if fr.outside != nil && !fr.mentionsRandom(t) {
		return fr.outside.eval(t)
	}
	m, ok := fr.memo[t]
	if !ok {
		fr.spend(1)
		if fr.deep++; fr.deep > maxDeep {
			fail("terms and equations inside one another more than %d deep", maxDeep)
		}
		m = fr.find(t)
		fr.deep--
		fr.pay(m.places())
		fr.memo[t] = m
	}
	return m
}

func (fr *frame) find(t *kernel.Term) matrix {
	arg := func(i int) matrix { return fr.eval(t.Arg(i)) }
	scalar := func(x jet) matrix { return matrix{true, 1, 1, []jet{x}} }
	switch t.Head() {
	case kernel.Number:
		return scalar(jet{rational(t.Value())})
	case kernel.Letter:
		return fr.read(t)
	case kernel.Size:
		return scalar(jet{integer(int64(fr.st.dim(t.Dim())))})
	case kernel.Identity:
		return unit(fr.st.dim(t.Dim()))
	case kernel.Zero:
		return fr.shaped(t)
	case kernel.Sum:
		return fr.sum(arg(0), arg(1))
	case kernel.Product:
		return fr.product(arg(0), arg(1))
	case kernel.Power:
		return fr.power(arg(0), t.Exponent())
	case kernel.Trace:
		m, s := arg(0), jet{zero}
		for i := 0; i < m.rows; i++ {
			s = fr.plus(s, m.entry(i, i))
		}
		return scalar(s)
	case kernel.Transpose:
		return arg(0).transposed()
	case kernel.Reciprocal:
		x := arg(0).at[0]
		if x.base().isZero() {
			noValue(t.Arg(0), "is zero and divides")
		}
		return scalar(fr.over(x))
	case kernel.Root:
		return scalar(fr.rootAt(t.Arg(0), arg(0).at[0]))
	case kernel.Inverse:
		m, ok := fr.inverse(arg(0))
		if !ok {
			noValue(t.Arg(0), "has no inverse")
		}
		return m
	case kernel.RowStack:
		m := arg(0)
		m.rows, m.cols = m.rows*m.cols, 1
		return m
	case kernel.Kronecker:
		a, b := arg(0), arg(1)
		out := fresh(a.rows*b.rows, a.cols*b.cols)
		for i := 0; i < out.rows; i++ {
			for j := 0; j < out.cols; j++ {
				out.at[i*out.cols+j] = fr.times(a.entry(i/b.rows, j/b.cols), b.entry(i%b.rows, j%b.cols))
			}
		}
		return out
	case kernel.Ddt:
		return fr.derivative(fr.flowing(), t.Arg(0))
	case kernel.Next:
		return fr.stepped().eval(t.Arg(0))
	case kernel.Diff:
		return fr.partial(t.Arg(0), t.Arg(1), 0, 0)
	case kernel.Grad:
		return fr.gradient(t.Arg(0), t.Arg(1))
	case kernel.GradSym, kernel.GradSkew:
		g := fr.gradient(t.Arg(0), t.Arg(1))
		h := g.transposed()
		if t.Head() == kernel.GradSkew {
			h = fr.scale(jet{integer(-1)}, h)
		}
		return fr.scale(jet{fr.inv(two)}, fr.sum(g, h))
	case kernel.At:
		return fr.replaced(t).eval(t.Arg(0))
	case kernel.Expect:
		return fr.expectation(t.Arg(0))
	case kernel.StopGrad:
		switch len(fr.grads) {
		case 0:
			return arg(0)
		case 1:
			return fr.frozen().eval(t.Arg(0))
		}
		fail("a stop-gradient inside of two gradients")
	}
	fail("%s cannot be evaluated", t.Head())
	return matrix{}
}

// rootAt is the root of x, the value of q.
func (fr *frame) rootAt(q *kernel.Term, x jet) jet {
	if fr.sign(x.base()) < 0 {
		noValue(q, "is negative under a root")
	}
	r := fr.rootOf(x)
	if r == nil {
		noValue(q, "is zero under a root that is differentiated")
	}
	return r
}

// moving says what a term mentions that may move.
type moving struct{ states, inputs bool }

// moves finds the state variables and inputs in a term, and in all moments if it mentions an expectation.
func (e *evaluator) moves(t *kernel.Term) moving {
	if m, ok := e.motion[t]; ok {
		return m
	}
	var m moving
	seen := map[*kernel.Term]bool{}
	var note func(t *kernel.Term) bool
	note = func(t *kernel.Term) bool {
		e.spend(1)
		if t.Head() == kernel.Letter {
			m.states = m.states || t.Symbol().Class() == kernel.State
			m.inputs = m.inputs || t.Symbol().Class() == kernel.Input
		}
		for i := 0; t.Head() == kernel.Expect && i < e.dyn.Moments(); i++ {
			_, _, v := e.dyn.Moment(i)
			reaches(v, seen, note)
		}
		return false
	}
	reaches(t, seen, note)
	e.motion[t] = m
	return m
}

// reaches reports whether t or something in it is hit.
func reaches(t *kernel.Term, seen map[*kernel.Term]bool, hit func(*kernel.Term) bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	if hit(t) {
		return true
	}
	for i := 0; i < t.Len(); i++ {
		if reaches(t.Arg(i), seen, hit) {
			return true
		}
	}
	return false
}
