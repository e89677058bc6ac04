package chart

import (
	"errors"
	"maps"
	"math/big"
	"slices"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

var (
	errNotFinite = errors.New("chart: the state is not finite")
	errNoSquare  = errors.New("chart: no scalar makes the square of a root what it should be")
)

// settle solves for the scalars that roots depend on and carries out the draws.
func settle[T any](c *Chart, ar eval.Arith[T], st *eval.State[T]) error {
	env := c.part.Env
	for _, name := range env.Order {
		v := c.solved[name]
		if v == "" {
			continue
		}
		r := st.Vals[name].A[0]
		if err := solve(env, ar, st, name, v, ar.Mul(r, r)); err != nil {
			return err
		}
	}
	for name := range c.solved {
		// The draws may still change what a root depends on; its value is for the evaluator to compute.
		delete(st.Vals, name)
	}
	return Draws(c.part, ar, st)
}

// Draws carries out the part's draws: the values by which a search may meet equality hypotheses.
func Draws[T any](part *lang.Part, ar eval.Arith[T], st *eval.State[T]) error {
	for _, q := range part.Draws {
		e, err := eval.New(ar, part.Env, *st)
		if err != nil {
			return err
		}
		m, err := e.EvalFor(q.Name, q.RHS)
		if err != nil {
			return err
		}
		st.Vals[q.Name] = m
	}
	return nil
}

// solve gives the scalar v the value at which the square of the root is want. The square must be affine in v.
func solve[T any](env *lang.Env, ar eval.Arith[T], st *eval.State[T], root, v string, want T) error {
	old, had := st.Vals[v]
	at := func(k int64) (T, error) {
		st.Vals[v] = eval.ScalarOf(ar.FromRat(big.NewRat(k, 1)))
		return radicand(env, ar, *st, root)
	}
	restore := func(err error) error {
		if had {
			st.Vals[v] = old
		} else {
			delete(st.Vals, v)
		}
		return err
	}
	q0, err := at(0)
	if err != nil {
		return restore(err)
	}
	q1, err := at(1)
	if err != nil {
		return restore(err)
	}
	x, err := ar.Div(ar.Sub(want, q0), ar.Sub(q1, q0))
	if err != nil {
		return restore(err)
	}
	st.Vals[v] = eval.ScalarOf(x)
	return nil
}

// radicand evaluates the square of a root.
func radicand[T any](env *lang.Env, ar eval.Arith[T], st eval.State[T], root string) (T, error) {
	e, err := eval.New(ar, env, st)
	if err != nil {
		var none T
		return none, err
	}
	m, err := e.Eval(env.Symbols[root].Root)
	if err != nil {
		var none T
		return none, err
	}
	return m.A[0], nil
}

// affineScalar returns the last scalar in which the square of the root is affine and not constant, tried at
// two states without coincidences; taken scalars belong to another root. It returns "" if there is none.
func affineScalar(env *lang.Env, dims map[lang.Dim]int, root *lang.Symbol, taken map[string]bool) string {
	names := env.Scalars(root.Root)
	slices.Reverse(names)
	for _, v := range names {
		if !taken[v] && affine(env, dims, root, v, 1) && affine(env, dims, root, v, 2) {
			return v
		}
	}
	return ""
}

func affine(env *lang.Env, dims map[lang.Dim]int, root *lang.Symbol, v string, variant int64) bool {
	st := eval.State[*big.Rat]{Dims: dims, Vals: map[string]eval.Matrix[*big.Rat]{}}
	for i, name := range env.Order {
		s := env.Symbols[name]
		switch {
		case s.Kind == lang.Scalar && s.Root == nil:
			st.Vals[name] = eval.ScalarOf(big.NewRat(int64(3+2*i), 2+variant))
		case s.Kind == lang.Matrix:
			r, c := dims[s.Rows], dims[s.Cols]
			if s.Rows == "1" {
				r = 1
			}
			if s.Cols == "1" {
				c = 1
			}
			m := eval.Matrix[*big.Rat]{R: r, C: c, A: make([]*big.Rat, r*c)}
			for k := range m.A {
				m.A[k] = big.NewRat(int64(k)+variant, int64(1+i))
			}
			st.Vals[name] = m
		}
	}
	var q [3]*big.Rat
	for k := range q {
		st.Vals[v] = eval.ScalarOf(big.NewRat(int64(k), 1))
		x, err := radicand(env, eval.Rational{}, st, root.Name)
		if err != nil {
			return false
		}
		q[k] = x
	}
	d1, d2 := new(big.Rat).Sub(q[1], q[0]), new(big.Rat).Sub(q[2], q[1])
	return d1.Sign() != 0 && d1.Cmp(d2) == 0
}

// WithRoot returns the states that differ from w in that the root has value r: one for each scalar, but the
// fixed one, that can be solved for within its domain.
func WithRoot(part *lang.Part, w eval.State[*big.Rat], root, fixed string, r *big.Rat) []eval.State[*big.Rat] {
	env, ar := part.Env, eval.Rational{}
	s := env.Symbols[root]
	var out []eval.State[*big.Rat]
	for _, v := range env.Scalars(s.Root) {
		if v == fixed || !affine(env, w.Dims, s, v, 1) {
			continue
		}
		c := eval.State[*big.Rat]{Dims: w.Dims, Vals: maps.Clone(w.Vals)}
		if solve(env, ar, &c, root, v, ar.Mul(r, r)) != nil || !env.Symbols[v].Domain.Contains(c.Vals[v].A[0]) {
			continue
		}
		c.Vals[root] = eval.ScalarOf(r)
		out = append(out, c)
	}
	return out
}

// Repair makes the squares of the part's roots perfect squares again after a change of w, keeping the roots'
// old values where it can: a scalar other than the fixed one is solved for. It returns w with the roots'
// values in it, or an error if a root stays irrational.
func Repair(part *lang.Part, w eval.State[*big.Rat], fixed string) (eval.State[*big.Rat], error) {
	env, ar := part.Env, eval.Rational{}
	for _, name := range env.Order {
		s := env.Symbols[name]
		if s.Root == nil {
			continue
		}
		if q, err := radicand(env, ar, w, name); err == nil {
			if r, err := ar.Sqrt(q); err == nil {
				w.Vals[name] = eval.ScalarOf(r)
				continue
			}
		}
		old, ok := w.Vals[name]
		if !ok {
			return w, errNoSquare
		}
		found := false
		for _, v := range env.Scalars(s.Root) {
			if v == fixed || !affine(env, w.Dims, s, v, 1) {
				continue
			}
			before := w.Vals[v]
			if err := solve(env, ar, &w, name, v, ar.Mul(old.A[0], old.A[0])); err != nil {
				continue
			}
			if env.Symbols[v].Domain.Contains(w.Vals[v].A[0]) {
				found = true
				break
			}
			w.Vals[v] = before
		}
		if !found {
			return w, errNoSquare
		}
	}
	return w, nil
}
