package enclosure

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/numeric/interval"
)

// dual is a + b·ε, ε² = 0, over the rationals: a value and one derivative.
type dual struct{ a, b *big.Rat }

func (x dual) add(y dual) dual {
	return dual{new(big.Rat).Add(x.a, y.a), new(big.Rat).Add(x.b, y.b)}
}

func (x dual) neg() dual { return dual{new(big.Rat).Neg(x.a), new(big.Rat).Neg(x.b)} }

func (x dual) mul(y dual) dual {
	b := new(big.Rat).Mul(x.a, y.b)
	return dual{new(big.Rat).Mul(x.a, y.a), b.Add(b, new(big.Rat).Mul(x.b, y.a))}
}

func (x dual) inv() dual {
	a := new(big.Rat).Inv(x.a)
	b := new(big.Rat).Mul(a, a)
	return dual{a, b.Mul(b, new(big.Rat).Neg(x.b))}
}

// series is a polynomial in t with dual coefficients, truncated.
type series []dual

func newSeries(n int) series {
	s := make(series, n)
	for i := range s {
		s[i] = dual{new(big.Rat), new(big.Rat)}
	}
	return s
}

func (s series) add(u series) series {
	out := newSeries(len(s))
	for i := range s {
		out[i] = s[i].add(u[i])
	}
	return out
}

func (s series) neg() series {
	out := newSeries(len(s))
	for i := range s {
		out[i] = s[i].neg()
	}
	return out
}

func (s series) mul(u series) series {
	out := newSeries(len(s))
	for i := range s {
		for j := 0; i+j < len(s); j++ {
			out[i+j] = out[i+j].add(s[i].mul(u[j]))
		}
	}
	return out
}

// inv is 1/s by Newton-free long division.
func (s series) inv() series {
	out := newSeries(len(s))
	out[0] = s[0].inv()
	for k := 1; k < len(s); k++ {
		sum := dual{new(big.Rat), new(big.Rat)}
		for i := 1; i <= k; i++ {
			sum = sum.add(s[i].mul(out[k-i]))
		}
		out[k] = sum.mul(out[0]).neg()
	}
	return out
}

// evalSeries evaluates an expression on series by walking its nodes.
func evalSeries(e Expr, x []series, params map[string]series) series {
	n := e.sys.nodes[e.id]
	sub := func(id int) series { return evalSeries(Expr{e.sys, id}, x, params) }
	switch n.op {
	case opVar:
		return x[n.a]
	case opConst:
		s := newSeries(len(x[0]))
		s[0].a.Set(e.sys.consts[n.a])
		return s
	case opParam:
		return params[e.sys.params[n.a].name]
	case opAdd:
		return sub(n.a).add(sub(n.b))
	case opSub:
		return sub(n.a).add(sub(n.b).neg())
	case opMul, opSqr:
		return sub(n.a).mul(sub(n.b))
	case opNeg:
		return sub(n.a).neg()
	case opDiv:
		return sub(n.a).mul(sub(n.b).inv())
	}
	panic("unknown operation")
}

// picard returns the exact Taylor coefficients of the solution of sys through x0,
// and their derivatives by variable j, as the fixed point of
// x ↦ x0 + ∫ f(x) dt on truncated series: the slow obvious twin of taylor.
func picard(sys *System, x0 []*big.Rat, j, order int) []series {
	x := make([]series, len(x0))
	for i := range x {
		x[i] = newSeries(order + 1)
		x[i][0].a.Set(x0[i])
		if i == j {
			x[i][0].b.SetInt64(1)
		}
	}
	for range order {
		next := make([]series, len(x))
		for i, name := range sys.names {
			f := evalSeries(sys.RHS(name), x, nil)
			next[i] = newSeries(order + 1)
			next[i][0] = x[i][0]
			for k := range order {
				c := dual{q(1, int64(k+1)), new(big.Rat)}
				next[i][k+1] = f[k].mul(c)
			}
		}
		x = next
	}
	return x
}

// randomSystem returns a damped quadratic system with rational coefficients,
// a quotient in every equation if quotients is set, and its vector field in
// big.Float, written independently of the expressions.
func randomSystem(rng *rand.Rand, n int, quotients bool) (*System, vectorField) {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("x%d", i)
	}
	sys := NewSystem(names...)
	coefficient := func() *big.Rat { return q(rng.Int64N(13)-6, 3+rng.Int64N(6)) }
	type equation struct {
		constant *big.Rat
		linear   []*big.Rat
		square   [][]*big.Rat
	}
	eqs := make([]equation, n)
	for i, name := range names {
		e := equation{constant: coefficient()}
		sum := sys.Const(e.constant).Sub(sys.Var(name))
		for j := range n {
			c := coefficient()
			e.linear = append(e.linear, c)
			sum = sum.Add(sys.Const(c).Mul(sys.Var(names[j])))
			e.square = append(e.square, nil)
			for k := range n {
				d := new(big.Rat).Quo(coefficient(), q(4, 1))
				e.square[j] = append(e.square[j], d)
				sum = sum.Add(sys.Const(d).Mul(sys.Var(names[j])).Mul(sys.Var(names[k])))
			}
		}
		if quotients {
			// sum/(1 + x_i²).
			sum = sum.Div(sys.Int(1).Add(sys.Var(name).Pow(2)))
		}
		sys.SetRHS(name, sum)
		eqs[i] = e
	}
	field := func(x []*big.Float) []*big.Float {
		out := make([]*big.Float, n)
		for i, e := range eqs {
			v := bfSub(bf(e.constant), x[i])
			for j := range n {
				v = bfAdd(v, bfMul(bf(e.linear[j]), x[j]))
				for k := range n {
					v = bfAdd(v, bfMul(bf(e.square[j][k]), bfMul(x[j], x[k])))
				}
			}
			if quotients {
				v = bfQuo(v, bfAdd(bf(q(1, 1)), bfMul(x[i], x[i])))
			}
			out[i] = v
		}
		return out
	}
	return sys, field
}

func TestTaylorCoefficientsContainExactOnes(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	const order = 6
	for trial := range 6 {
		n := 1 + trial%3
		sys, _ := randomSystem(rng, n, trial%2 == 1)
		p, err := compile(sys)
		if err != nil {
			t.Fatal(err)
		}
		x0 := make([]*big.Rat, n)
		for i := range x0 {
			x0[i] = q(rng.Int64N(9)-4, 4)
		}
		ad := newTaylor(p, order, true)
		if err := ad.run(ivs(x0...), false); err != nil {
			t.Fatal(err)
		}
		for j := range n {
			exact := picard(sys, x0, j, order)
			for i := range n {
				for k := range order + 1 {
					if c := ad.variable(i, k); !c.ContainsRat(exact[i][k].a) {
						t.Errorf("coefficient %d of variable %d: %v misses %s", k, i, c, exact[i][k].a.FloatString(20))
					} else if c.Wid() > 1e-11*max(1, c.Mag()) {
						t.Errorf("coefficient %d of variable %d: %v is wide", k, i, c)
					}
					if d := ad.drow(p.vars[i], j)[k]; !d.ContainsRat(exact[i][k].b) {
						t.Errorf("derivative by %d of coefficient %d of variable %d: %v misses %s", j, k, i, d, exact[i][k].b.FloatString(20))
					}
				}
			}
		}
	}
}

func TestTaylorRefusesAVanishingDivisor(t *testing.T) {
	sys := NewSystem("x")
	x := sys.Var("x")
	sys.SetRHS("x", sys.Int(1).Div(x))
	p, err := compile(sys)
	if err != nil {
		t.Fatal(err)
	}
	ad := newTaylor(p, 3, false)
	box, _ := interval.New(-1, 2)
	if err := ad.run([]interval.Interval{box}, false); err == nil {
		t.Error("no error for 1/[-1, 2]")
	}
	if err := ad.run([]interval.Interval{interval.Point(1)}, false); err != nil {
		t.Error(err)
	}
}
