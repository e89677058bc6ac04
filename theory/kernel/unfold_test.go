package kernel

import (
	"fmt"
	"math/big"
	"math/rand"
	"strings"
	"testing"
)

// The tests evaluate pure terms in dual numbers a + b·ε over the integers modulo a prime: exact, with square roots,
// and with the derivative of everything in the second component.

const prime = 2147483647 // 3 modulo 4, so that q^((p+1)/4) is a root of a square q

type dual struct{ a, b uint64 }

func (x dual) add(y dual) dual { return dual{(x.a + y.a) % prime, (x.b + y.b) % prime} }
func (x dual) mul(y dual) dual {
	return dual{x.a * y.a % prime, (x.a*y.b%prime + x.b*y.a%prime) % prime}
}

func modPower(x uint64, k uint64) uint64 {
	r := uint64(1)
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			r = r * x % prime
		}
		x = x * x % prime
	}
	return r
}

// noValue is what evaluation panics with at a pole or a radicand that is no square.
type noValue struct{}

func (x dual) reciprocal() dual {
	if x.a == 0 {
		panic(noValue{})
	}
	r := modPower(x.a, prime-2)
	return dual{r, (prime - x.b) * r % prime * r % prime}
}

func (x dual) root() dual {
	r := modPower(x.a, (prime+1)/4)
	if r*r%prime != x.a || r == 0 {
		panic(noValue{})
	}
	return dual{r, x.b * modPower(2*r%prime, prime-2) % prime}
}

type array struct {
	rows, cols int
	at         []dual
}

func newArray(r, c int) array { return array{r, c, make([]dual, r*c)} }

func (x array) mul(y array) array {
	if x.cols != y.rows { // a scalar factor
		if len(x.at) != 1 {
			x, y = y, x
		}
		out := newArray(y.rows, y.cols)
		for i := range out.at {
			out.at[i] = x.at[0].mul(y.at[i])
		}
		return out
	}
	out := newArray(x.rows, y.cols)
	for i := range x.rows {
		for j := range y.cols {
			for k := range x.cols {
				out.at[i*y.cols+j] = out.at[i*y.cols+j].add(x.at[i*x.cols+k].mul(y.at[k*y.cols+j]))
			}
		}
	}
	return out
}

func (x array) transpose() array {
	out := newArray(x.cols, x.rows)
	for i := range x.rows {
		for j := range x.cols {
			out.at[j*x.rows+i] = x.at[i*x.cols+j]
		}
	}
	return out
}

// inverse is by Gauss and Jordan; duals with invertible first component are the units.
func (x array) inverse() array {
	n := x.rows
	a := append([]dual(nil), x.at...)
	out := newArray(n, n)
	for i := range n {
		out.at[i*n+i] = dual{a: 1}
	}
	for c := range n {
		p := c
		for p < n && a[p*n+c].a == 0 {
			p++
		}
		if p == n {
			panic(noValue{})
		}
		for j := range n {
			a[p*n+j], a[c*n+j] = a[c*n+j], a[p*n+j]
			out.at[p*n+j], out.at[c*n+j] = out.at[c*n+j], out.at[p*n+j]
		}
		r := a[c*n+c].reciprocal()
		for j := range n {
			a[c*n+j], out.at[c*n+j] = a[c*n+j].mul(r), out.at[c*n+j].mul(r)
		}
		for i := range n {
			if i != c {
				f := a[i*n+c].mul(dual{a: prime - 1})
				for j := range n {
					a[i*n+j] = a[i*n+j].add(f.mul(a[c*n+j]))
					out.at[i*n+j] = out.at[i*n+j].add(f.mul(out.at[c*n+j]))
				}
			}
		}
	}
	return out
}

func length(d Dim) int {
	n := 1
	for _, l := range d.Legs() {
		n *= map[string]int{"n": 2, "m": 3}[l]
	}
	return n
}

func evaluate(t *Term, at map[*Term]array) array {
	arg := func(i int) array { return evaluate(t.args[i], at) }
	one := func(x dual) array { return array{1, 1, []dual{x}} }
	switch t.head {
	case Number:
		m := big.NewInt(prime)
		v := new(big.Int).ModInverse(t.num.Denom(), m)
		return one(dual{a: v.Mul(v, t.num.Num()).Mod(v, m).Uint64()})
	case Letter:
		return at[t]
	case Size:
		return one(dual{a: uint64(length(t.dim))})
	case Zero:
		return newArray(length(t.rows), length(t.cols))
	case Identity:
		n := length(t.dim)
		out := newArray(n, n)
		for i := range n {
			out.at[i*n+i] = dual{a: 1}
		}
		return out
	case Sum:
		x, y := arg(0), arg(1)
		out := newArray(x.rows, x.cols)
		for i := range out.at {
			out.at[i] = x.at[i].add(y.at[i])
		}
		return out
	case Product:
		return arg(0).mul(arg(1))
	case Power:
		out := evaluate(t.sig.unit(t), at)
		for range t.n {
			out = out.mul(arg(0))
		}
		return out
	case Trace:
		x, s := arg(0), dual{}
		for i := range x.rows {
			s = s.add(x.at[i*x.cols+i])
		}
		return one(s)
	case Transpose:
		return arg(0).transpose()
	case Reciprocal:
		return one(arg(0).at[0].reciprocal())
	case Root:
		return one(arg(0).at[0].root())
	case Inverse:
		return arg(0).inverse()
	case RowStack:
		x := arg(0)
		return array{len(x.at), 1, x.at}
	case Kronecker:
		x, y := arg(0), arg(1)
		out := newArray(x.rows*y.rows, x.cols*y.cols)
		for i := range out.rows {
			for j := range out.cols {
				out.at[i*out.cols+j] = x.at[i/y.rows*x.cols+j/y.cols].mul(y.at[i%y.rows*y.cols+j%y.cols])
			}
		}
		return out
	}
	panic("evaluate " + t.head.String())
}

// real and epsilon are the components of an array.
func (x array) real() (out []uint64) {
	for _, e := range x.at {
		out = append(out, e.a)
	}
	return out
}

func (x array) epsilon() (out []uint64) {
	for _, e := range x.at {
		out = append(out, e.b)
	}
	return out
}

// world is a small system: x, y, c scalars; A, B n×n, W, V n×m; v and w random functions of the data point, e and f
// centred; tau an input, z a state of the map only, g of the flow only.
type world struct {
	*Signature
	d                              *Dynamics
	x, y, c, tau, z, g, h          *Term
	A, B, W, V, H, Tau, X, Y, C, F *Term
	v, w, e, f, q, p, row, col     *Term
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := NewSignature()
	d := NewDynamics(s)
	k := &world{Signature: s, d: d}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.DeclareSize("n"))
	must(s.DeclareSize("m"))
	scalar := func(name string, c Class) *Term {
		x, err := s.DeclareScalar(name, c)
		must(err)
		return x
	}
	matrix := func(name string, c Class, r, l Dim) *Term {
		x, err := s.DeclareMatrix(name, c, r, l)
		must(err)
		return x
	}
	k.x, k.y, k.c, k.tau = scalar("x", State), scalar("y", State), scalar("c", Param), scalar("tau", Input)
	k.z, k.g, k.h = scalar("z", State), scalar("g", State), scalar("h", Hole)
	k.A, k.B = matrix("A", State, "n", "n"), matrix("B", Param, "n", "n")
	k.W, k.V, k.H = matrix("W", State, "n", "m"), matrix("V", Param, "n", "m"), matrix("H", Hole, "n", "m")
	k.Tau, k.X, k.Y = matrix("Tau", Input, "n", "n"), matrix("X", Param, "m", "m"), matrix("Y", Param, "m", "n")
	k.C, k.F = matrix("C", Param, "m", "m"), matrix("F", Param, "n", "n")
	k.v, k.w = matrix("v", Random, "m", "1"), matrix("w", Random, "n", "1")
	k.e, k.f = matrix("e", Centred, "m", "1"), matrix("f", Centred, "n", "1")
	k.q, k.p = matrix("q", Random, "n", "1"), matrix("p", Centred, "n", "1")
	k.row, k.col = matrix("row", Param, "1", "m"), matrix("col", Param, "n", "1")
	// E[v·vᵀ] = X + x²·I moves with x.
	must(d.AddMoment(k.v, k.v, s.add(k.X, s.mul(s.pow(k.x, 2), s.identity("m")))))
	must(d.AddMoment(k.w, k.w, k.B))
	must(d.AddMoment(k.v, k.w, k.Y))
	must(d.AddMoment(k.e, k.e, k.C))
	must(d.AddMoment(k.f, k.f, k.F))
	must(d.AddFlow(k.x, s.mul(k.y, k.y)))
	must(d.AddFlow(k.y, s.add(s.mul(k.c, k.x), s.mul(k.tau, k.y))))
	must(d.AddFlow(k.A, s.sub(s.mul(k.A, k.B), k.Tau)))
	must(d.AddFlow(k.W, s.mul(k.A, k.W)))
	must(d.AddFlow(k.g, s.integer(0)))
	must(d.AddMap(k.x, s.add(k.y, k.tau)))
	must(d.AddMap(k.y, s.mul(k.x, s.trace(k.A))))
	must(d.AddMap(k.A, s.add(s.transpose(k.A), s.mul(k.x, k.Tau))))
	must(d.AddMap(k.W, s.mul(k.c, k.V)))
	must(d.AddMap(k.z, s.add(k.z, k.x)))
	return k
}

func (k *world) unfold(t *testing.T, term *Term) *Term {
	t.Helper()
	u, err := k.d.Unfold(term)
	if err != nil {
		t.Fatal(err)
	}
	if !u.Pure() || u.scalar != term.scalar || u.rows != term.rows || u.cols != term.cols {
		t.Fatalf("a %s became a %s", term.shapeText(), u.shapeText())
	}
	return u
}

// state draws values for all letters.
func (k *world) state(r *rand.Rand) map[*Term]array {
	at := map[*Term]array{}
	for _, y := range k.symbols {
		rows, cols := 1, 1
		if !y.scalar {
			rows, cols = length(y.rows), length(y.cols)
		}
		v := newArray(rows, cols)
		for i := range v.at {
			v.at[i].a = uint64(r.Int63n(prime))
		}
		at[k.letters[y]] = v
	}
	return at
}

// along gives each letter the second component f.
func along(at map[*Term]array, f func(x *Term) []uint64) map[*Term]array {
	out := map[*Term]array{}
	for x, v := range at {
		w := newArray(v.rows, v.cols)
		db := f(x)
		for i := range v.at {
			w.at[i].a = v.at[i].a
			if db != nil {
				w.at[i].b = db[i]
			}
		}
		out[x] = w
	}
	return out
}

// states calls check at some states where the terms in it have values.
func (k *world) states(t *testing.T, check func(at map[*Term]array)) {
	t.Helper()
	r := rand.New(rand.NewSource(1))
	found := 0
	for try := 0; found < 3 && try < 200; try++ {
		func() {
			defer func() {
				if p := recover(); p != nil {
					if _, ok := p.(noValue); !ok {
						panic(p)
					}
				}
			}()
			check(k.state(r))
			found++
		}()
	}
	if found < 3 {
		t.Error("no state at which the term has a value")
	}
}

// scalars and matrices are terms of every pure head.
func (k *world) scalars() map[string]*Term {
	s := k.Signature
	wwt := s.mul(k.W, s.transpose(k.W))
	q := s.add(s.pow(k.x, 3), s.mul(k.c, k.y))
	inv := s.inverse(s.add(wwt, s.mul(k.x, k.A)))
	col := s.make(RowStack, 0, k.W)
	kron := s.make(Kronecker, 0, k.A, s.pow(k.X, 2))
	return map[string]*Term{
		"polynomial":    q,
		"zeroth":        s.add(k.x, s.pow(s.trace(wwt), 0)),
		"shared":        s.mul(q, s.mul(q, q)),
		"reciprocal":    s.reciprocal(s.add(q, s.trace(k.A))),
		"nested":        s.reciprocal(s.add(k.x, s.reciprocal(s.mul(k.x, s.reciprocal(s.trace(wwt)))))),
		"root":          s.root(q),
		"root of trace": s.root(s.add(k.x, s.root(s.trace(wwt)))),
		"trace power":   s.trace(s.pow(s.add(wwt, s.mul(k.x, k.A)), 5)),
		"trace square":  s.pow(s.trace(s.mul(wwt, k.A)), 2),
		"inverse":       s.trace(s.mul(inv, s.mul(k.A, inv))),
		"scaled":        s.trace(s.mul(s.mul(s.trace(wwt), k.B), s.mul(wwt, s.mul(k.A, s.trace(s.mul(k.V, s.transpose(k.W))))))),
		"transposes":    s.trace(s.mul(s.transpose(s.mul(k.W, s.transpose(k.V))), s.transpose(s.transpose(k.A)))),
		"still":         s.root(s.mul(k.c, s.trace(k.B))),
		"stacked":       s.trace(s.mul(s.transpose(col), s.mul(kron, col))),
	}
}

func (k *world) matrices() map[string]*Term {
	s := k.Signature
	return map[string]*Term{
		"power":   s.pow(k.A, 7),
		"inverse": s.mul(k.A, s.inverse(s.add(k.A, s.mul(k.x, k.B)))),
		"scaled":  s.mul(k.W, s.mul(k.x, s.reciprocal(k.y))),
		"stack":   s.make(RowStack, 0, s.mul(k.A, k.W)),
		"kron":    s.make(Kronecker, 0, k.W, s.transpose(k.A)),
		"still":   s.mul(k.B, k.V),
		"moment":  s.make(Expect, 0, s.mul(k.v, s.transpose(k.v))),
	}
}

func TestDerivativeAlongTheFlow(t *testing.T) {
	k := newWorld(t)
	terms := k.scalars()
	for name, m := range k.matrices() {
		terms["matrix "+name] = m
	}
	for name, term := range terms {
		t.Run(name, func(t *testing.T) {
			first := k.unfold(t, k.ddt(term))
			moving := func(at map[*Term]array) map[*Term]array {
				return along(at, func(x *Term) []uint64 {
					if rhs := k.d.FlowOf(x); rhs != nil {
						return evaluate(rhs, at).real()
					}
					return nil
				})
			}
			k.states(t, func(at map[*Term]array) {
				got, want := evaluate(first, at).real(), evaluate(k.unfold(t, term), moving(at)).epsilon()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v, want %v", got, want)
				}
			})
		})
	}
}

// A second derivative is that of the first; the flow here has no input.
func TestSecondDerivative(t *testing.T) {
	s := NewSignature()
	x, _ := s.DeclareScalar("x", State)
	d := NewDynamics(s)
	if err := d.AddFlow(x, s.root(x)); err != nil {
		t.Fatal(err)
	}
	// x' = √x gives x'' = 1/2.
	u := d.unfold(s.ddt(s.ddt(x)))
	at := map[*Term]array{x: {1, 1, []dual{{a: 9}}}}
	if got, want := evaluate(u.term, at), evaluate(s.number(big.NewRat(1, 2)), at); got.at[0] != want.at[0] {
		t.Errorf("x'' = %v, want %v", got, want)
	}
	needs(t, u, s.reciprocal(s.root(x)))
}

func TestPartialDerivative(t *testing.T) {
	k := newWorld(t)
	for name, term := range k.scalars() {
		t.Run(name, func(t *testing.T) {
			u := k.unfold(t, k.make(Diff, 0, term, k.x))
			k.states(t, func(at map[*Term]array) {
				one := func(y *Term) []uint64 {
					if y == k.x {
						return []uint64{1}
					}
					return nil
				}
				got, want := evaluate(u, at).real(), evaluate(term, along(at, one)).epsilon()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v, want %v", got, want)
				}
			})
		})
	}
}

// gradientAt is ∂f/∂W entry by entry.
func gradientAt(f, w *Term, at map[*Term]array) (out []uint64) {
	for i := range at[w].at {
		unit := make([]uint64, len(at[w].at))
		unit[i] = 1
		f := evaluate(f, along(at, func(x *Term) []uint64 {
			if x == w {
				return unit
			}
			return nil
		}))
		out = append(out, f.at[0].b)
	}
	return out
}

func TestGradients(t *testing.T) {
	k := newWorld(t)
	for name, term := range k.scalars() {
		if name == "stacked" {
			continue // refused
		}
		for _, w := range []*Term{k.W, k.A} {
			t.Run(name+" "+w.sym.name, func(t *testing.T) {
				u := k.unfold(t, k.make(Grad, 0, term, w))
				k.states(t, func(at map[*Term]array) {
					got, want := evaluate(u, at).real(), gradientAt(term, w, at)
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%v, want %v", got, want)
					}
				})
			})
		}
		for sign, head := range map[uint64]Head{1: GradSym, prime - 1: GradSkew} {
			t.Run(name+" "+head.String(), func(t *testing.T) {
				u := k.unfold(t, k.make(head, 0, term, k.A))
				k.states(t, func(at map[*Term]array) {
					got, g := evaluate(u, at).real(), gradientAt(term, k.A, at)
					for i := range 2 {
						for j := range 2 {
							want := (g[2*i+j] + sign*g[2*j+i]) % prime * ((prime + 1) / 2) % prime
							if got[2*i+j] != want {
								t.Errorf("entry %d, %d: %d, want %d", i, j, got[2*i+j], want)
							}
						}
					}
				})
			})
		}
	}
}

func TestStepAndSubstitution(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	for name, term := range k.scalars() {
		t.Run(name, func(t *testing.T) {
			next := k.unfold(t, s.next(term))
			// simultaneous: x and y change places
			swap := k.unfold(t, s.make(At, 0, term, k.x, k.y, k.y, k.x, k.A, s.mul(k.W, s.transpose(k.V))))
			k.states(t, func(at map[*Term]array) {
				stepped, swapped := map[*Term]array{}, map[*Term]array{}
				for x, v := range at {
					stepped[x], swapped[x] = v, v
					if rhs := k.d.MapOf(x); rhs != nil {
						stepped[x] = evaluate(rhs, at)
					}
				}
				swapped[k.x], swapped[k.y] = at[k.y], at[k.x]
				swapped[k.A] = at[k.W].mul(at[k.V].transpose())
				for _, c := range []struct {
					u  *Term
					to map[*Term]array
				}{{next, stepped}, {swap, swapped}} {
					got, want := evaluate(c.u, at).real(), evaluate(term, c.to).real()
					if fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("%v, want %v", got, want)
					}
				}
			})
		})
	}
}

// TestExpectation averages over a finite distribution: v and w jointly over three points, e and f independently of
// them and of each other over two directions up and down.
func TestExpectation(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	tr, mul, tp, add := s.trace, s.mul, s.transpose, s.add
	d1 := s.sub(mul(k.W, add(k.v, k.e)), k.w)
	d2 := add(mul(k.V, s.sub(k.v, mul(k.c, k.e))), add(k.w, k.f))
	rv, re := mul(k.row, k.v), mul(k.row, k.e)         // 1×1
	cw, cf := mul(tp(k.col), k.w), mul(tp(k.col), k.f) // 1×1
	terms := map[string]*Term{
		"moment":               mul(k.v, tp(k.v)),
		"cross moment":         mul(k.v, tp(k.w)),
		"turned cross moment":  mul(k.w, tp(k.v)),
		"inner":                mul(tp(k.v), k.v),
		"inner with matrix":    mul(mul(tp(k.v), k.Y), k.w),
		"centred":              mul(k.v, tp(k.e)),
		"two centred":          mul(k.f, tp(k.e)),
		"loss":                 tr(mul(tp(d1), d2)),
		"outer":                mul(d1, tp(d2)),
		"outer with scalar":    mul(d1, tp(mul(d2, s.reciprocal(k.c)))),
		"column, number":       mul(k.v, rv),
		"number, column":       mul(mul(k.col, rv), mul(cw, k.row)),
		"row, number":          mul(mul(rv, tp(k.v)), k.X),
		"row, row":             mul(mul(mul(k.row, k.X), mul(k.v, cw)), k.row),
		"flipped rows":         mul(mul(tp(k.v), tp(k.row)), mul(mul(tp(k.w), k.col), k.row)),
		"column, row, number":  mul(mul(k.v, mul(mul(k.row, k.X), tp(k.row))), tp(k.w)),
		"traces":               mul(tr(rv), tr(cw)),
		"trace squared":        s.pow(tr(mul(k.v, k.row)), 2),
		"trace, centred":       mul(tr(re), tr(cf)),
		"trace, column":        mul(tr(mul(k.w, tp(k.col))), mul(k.W, k.v)),
		"trace, row":           mul(mul(tp(k.w), k.A), tr(tp(rv))),
		"flipped trace":        mul(tr(mul(mul(k.X, tp(k.row)), mul(tp(k.v), k.C))), mul(k.v, k.row)),
		"three traces":         mul(mul(tr(k.A), tr(rv)), mul(tr(cw), k.B)),
		"plus constant":        add(mul(k.A, k.B), mul(mul(k.W, mul(k.e, tp(k.e))), tp(k.V))),
		"scalar plus constant": add(k.x, mul(tr(mul(k.v, tp(k.v))), s.reciprocal(k.c))),
		"zeroth power":         s.pow(tr(mul(k.v, tp(k.v))), 0),
		"zeroth matrix power":  add(k.A, s.pow(mul(k.w, tp(k.w)), 0)),
		"opaque":               mul(s.root(k.x), tr(mul(mul(k.v, tp(k.v)), s.inverse(k.X)))),
		"opaque kron":          mul(tr(mul(k.e, tp(k.e))), s.make(Kronecker, 0, k.A, k.C)),
	}
	for name, term := range terms {
		t.Run(name, func(t *testing.T) {
			u := k.unfold(t, s.make(Expect, 0, term))
			k.states(t, func(at map[*Term]array) {
				r := rand.New(rand.NewSource(int64(at[k.x].at[0].a)))
				points, signs := [3]map[*Term]array{}, [4][2]map[*Term]array{}
				for i := range points {
					points[i] = k.state(r)
				}
				for i := range 2 {
					up := k.state(r)
					for j, x := range []*Term{k.e, k.f} {
						down := array{up[x].rows, 1, nil}
						for _, b := range up[x].at {
							down.at = append(down.at, b.mul(dual{a: prime - 1}))
						}
						signs[2*i][j], signs[2*i+1][j] = map[*Term]array{x: up[x]}, map[*Term]array{x: down}
					}
				}
				mean := func(f *Term) array {
					var sum array
					for _, p := range points {
						for _, e := range signs {
							for _, g := range signs {
								at[k.v], at[k.w], at[k.e], at[k.f] = p[k.v], p[k.w], e[0][k.e], g[1][k.f]
								one := evaluate(f, at)
								if sum.at == nil {
									sum = newArray(one.rows, one.cols)
								}
								for i := range sum.at {
									sum.at[i] = sum.at[i].add(one.at[i])
								}
							}
						}
					}
					return sum.mul(array{1, 1, []dual{dual{a: 48}.reciprocal()}})
				}
				outer := func(a, b *Term) *Term { return mul(a, tp(b)) }
				at[k.X] = mean(s.sub(outer(k.v, k.v), mul(s.pow(k.x, 2), s.identity("m"))))
				at[k.B], at[k.Y] = mean(outer(k.w, k.w)), mean(outer(k.v, k.w))
				at[k.C], at[k.F] = mean(outer(k.e, k.e)), mean(outer(k.f, k.f))
				got, want := evaluate(u, at).real(), mean(term).real()
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v, want %v", got, want)
				}
			})
		})
	}
}

func TestRefusals(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	op := func(h Head, args ...*Term) *Term { return s.make(h, 0, args...) }
	tr, mul, tp, add := s.trace, s.mul, s.transpose, s.add
	E := func(x *Term) *Term { return op(Expect, x) }
	sg := func(x *Term) *Term { return op(StopGrad, x) }
	vvt := mul(k.v, tp(k.v))
	evt := mul(k.e, tp(k.v))
	f := tr(mul(k.W, tp(k.W)))
	inner := op(Grad, tr(mul(sg(k.A), k.A)), k.A) // A released: sg(A)ᵀ
	col := op(RowStack, k.W)
	self, _ := s.DeclareScalar("self", State)
	noisy, _ := s.DeclareMatrix("noisy", State, "m", "1")
	for _, err := range []error{
		k.d.AddFlow(self, add(self, s.ddt(self))),
		k.d.AddMap(self, s.next(mul(self, self))),
		k.d.AddFlow(noisy, k.v),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		term *Term
		want string
	}{
		"ddt of an input":                  {s.ddt(mul(k.x, k.tau)), "input symbol tau has no derivative"},
		"ddt of an input times zero":       {s.ddt(mul(s.integer(0), k.tau)), "input symbol tau has no derivative"},
		"second derivative to an input":    {s.ddt(s.ddt(k.y)), "input symbol tau has no derivative"},
		"ddt of an input under a root":     {s.ddt(s.root(k.tau)), "input symbol tau has no derivative"},
		"ddt of an input that at drops":    {s.ddt(op(At, s.integer(1), k.c, k.tau)), "input symbol tau has no derivative"},
		"ddt of a lost input":              {s.ddt(op(Diff, s.root(k.tau), k.c)), "input symbol tau has no derivative"},
		"ddt of a state of the map":        {s.ddt(k.z), "z has no equation in the flow"},
		"ddt of a random column":           {s.ddt(k.v), "random symbol v has no derivative"},
		"ddt of a centred column":          {E(mul(s.ddt(k.e), tp(k.e))), "centred symbol e has no derivative"},
		"ddt of a hole":                    {s.ddt(mul(k.h, k.x)), "hole symbol h has no derivative"},
		"ddt of itself":                    {s.ddt(self), "refers to itself"},
		"next of itself":                   {s.next(self), "refers to itself"},
		"a random equation":                {E(mul(s.ddt(noisy), tp(k.v))), "outside of an expectation"},
		"next of an input":                 {s.next(mul(k.x, k.tau)), "input symbol tau has no next value"},
		"next of a state of the flow":      {s.next(k.g), "g has no equation in the map"},
		"next of a random column":          {E(s.next(vvt)), "random symbol v has no next value"},
		"next of a hole":                   {s.next(k.h), "hole symbol h has no next value"},
		"diff through a hole":              {op(Diff, mul(k.h, k.x), k.x), "hole h stands under"},
		"grad through a hole":              {op(Grad, tr(mul(k.H, tp(k.W))), k.W), "hole H stands under"},
		"grad of a frozen hole":            {op(Diff, mul(sg(k.h), k.x), k.x), "hole h stands under"},
		"at of a hole":                     {op(At, k.h, k.x, k.y), "hole h stands under"},
		"grad of a stacked":                {op(Grad, tr(mul(tp(col), col)), k.W), "does not go into rowstack"},
		"grad of a kron":                   {op(Grad, tr(op(Kronecker, k.A, k.B)), k.A), "does not go into kronecker"},
		"sg in two gradients":              {op(Grad, tr(mul(inner, k.A)), k.A), "inside two gradients"},
		"sg in two partial derivatives":    {op(Diff, op(Diff, mul(sg(k.x), k.x), k.x), k.x), "inside two gradients"},
		"sg in diff in grad":               {op(Grad, op(Diff, mul(k.x, sg(f)), k.x), k.W), "inside two gradients"},
		"sg in three gradients":            {op(Diff, op(Diff, op(Diff, mul(sg(k.x), k.x), k.x), k.x), k.x), "inside two gradients"},
		"next of sg in a gradient":         {op(Diff, s.next(sg(k.x)), k.x), "stop-gradient inside a gradient"},
		"ddt of sg in a gradient":          {op(Diff, s.ddt(mul(k.x, sg(k.y))), k.y), "stop-gradient inside a gradient"},
		"at of sg in a gradient":           {op(Grad, op(At, mul(sg(k.x), f), k.x, k.y), k.W), "stop-gradient inside a gradient"},
		"two zero pairs":                   {E(mul(tr(mul(k.e, mul(tp(k.w), k.V))), tr(mul(mul(evt, k.X), k.C)))), "more than two random columns"},
		"fourth moment":                    {E(mul(vvt, vvt)), "more than two random columns"},
		"fourth power":                     {E(s.pow(tr(mul(k.v, k.row)), 4)), "more than two random columns"},
		"factor of a trace":                {E(mul(tr(mul(k.e, tp(k.e))), vvt)), "more than two random columns"},
		"one column":                       {E(add(k.v, mul(k.e, mul(k.row, k.v)))), "E of one random column"},
		"three columns":                    {E(mul(k.v, mul(tp(k.e), k.e))), "more than two random columns"},
		"undeclared moment":                {E(mul(k.q, tp(k.q))), "moment of q and q is not declared"},
		"undeclared centred moment":        {E(mul(k.p, tp(k.p))), "moment of p and p is not declared"},
		"undeclared joint moment":          {E(mul(k.v, tp(k.q))), "moment of v and q is not declared"},
		"kron of columns":                  {E(op(Kronecker, vvt, k.X)), "does not go into kronecker"},
		"fourth moment in a kron":          {E(op(Kronecker, vvt, vvt)), "more than two random columns"},
		"stacked columns":                  {E(op(RowStack, vvt)), "does not go into rowstack"},
		"random divisor":                   {E(mul(vvt, s.reciprocal(add(s.integer(1), tr(vvt))))), "random divisor"},
		"random divisor that cancels":      {E(mul(tr(vvt), s.reciprocal(tr(vvt)))), "random divisor"},
		"random divisor put in by at":      {E(mul(vvt, op(At, s.reciprocal(k.x), k.x, add(s.integer(1), tr(vvt))))), "random divisor"},
		"random divisor lost by diff":      {E(mul(vvt, op(Diff, s.reciprocal(tr(vvt)), k.x))), "random divisor"},
		"random radicand":                  {E(s.root(tr(vvt))), "random divisor"},
		"random inverse":                   {E(s.inverse(vvt)), "random divisor"},
		"random divisor of a zeroth power": {E(s.pow(s.reciprocal(tr(vvt)), 0)), "random divisor"},
		"E of a derivative of a divisor":   {E(mul(vvt, op(Diff, mul(k.x, s.reciprocal(tr(vvt))), k.x))), "random divisor"},
	} {
		// A refusal does not depend on what was unfolded before, and leaves nothing behind.
		for range 2 {
			u, err := k.d.Unfold(c.term)
			if err == nil {
				t.Errorf("%s: got a %s, want a refusal", name, u.head)
			} else if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %q, want %q", name, err, c.want)
			}
		}
	}
	// Letters in which no gradient can be taken are refused where the term is made.
	for _, x := range []*Term{k.v, k.e, k.H} {
		if _, err := s.Make(Grad, 0, f, x); err == nil {
			t.Errorf("a gradient in the %s symbol %s", x.sym.class, x.sym.name)
		}
	}
	other := newWorld(t)
	if _, err := other.d.Unfold(k.x); err == nil {
		t.Error("a term of another signature")
	}
	if _, err := k.d.Unfold(nil); err == nil {
		t.Error("no term")
	}
}

// TestStopGradients: what sg is where.
func TestStopGradients(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	op := func(h Head, args ...*Term) *Term { return s.make(h, 0, args...) }
	sg := func(x *Term) *Term { return op(StopGrad, x) }
	tr, mul, tp := s.trace, s.mul, s.transpose
	product := mul(sg(k.x), k.y)
	loss := tr(mul(sg(k.A), k.A))
	inner := op(Grad, loss, k.A)
	x, _ := s.DeclareMatrix("G", State, "n", "n")
	if err := k.d.AddFlow(x, op(Grad, tr(mul(sg(k.A), mul(k.A, k.A))), k.A)); err != nil {
		t.Fatal(err)
	}
	if err := k.d.AddMoment(k.q, k.q, mul(sg(k.x), k.B)); err != nil {
		t.Fatal(err)
	}
	// From here on what was unfolded is kept.
	if _, err := NewContext(k.d, AtState); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ term, same *Term }{
		"of a moment":               {op(Diff, op(Expect, mul(k.q, tp(k.q))), k.x), k.B},
		"outside of gradients":      {sg(k.x), k.x},
		"under at":                  {op(At, sg(k.x), k.x, k.y), k.y},
		"under next":                {s.next(sg(k.x)), s.next(k.x)},
		"along the flow":            {s.ddt(product), s.ddt(mul(k.x, k.y))},
		"under diff":                {op(Diff, mul(sg(k.x), k.x), k.x), k.x},
		"of a random column":        {op(Diff, op(Expect, tr(mul(k.v, tp(sg(k.v))))), k.c), s.integer(0)},
		"twice":                     {op(Diff, mul(sg(sg(k.x)), k.x), k.x), k.x},
		"released by its gradient":  {inner, tp(k.A)},
		"then at":                   {op(At, inner, k.A, k.B), tp(k.B)},
		"then ddt":                  {s.ddt(inner), s.ddt(tp(k.A))},
		"of an inner gradient":      {op(Grad, tr(mul(sg(op(Grad, tr(mul(k.A, tp(k.A))), k.A)), k.A)), k.A), mul(s.integer(2), tp(k.A))},
		"inner gradient without sg": {op(Grad, tr(mul(op(Grad, tr(mul(k.A, tp(k.A))), k.A), tp(k.A))), k.A), mul(s.integer(4), k.A)},
	} {
		got, want := k.unfold(t, c.term), k.unfold(t, c.same)
		k.states(t, func(at map[*Term]array) {
			if g, w := evaluate(got, at).real(), evaluate(want, at).real(); fmt.Sprint(g) != fmt.Sprint(w) {
				t.Errorf("%s: %v, want %v", name, g, w)
			}
		})
	}
	// A gradient unfolded alone before does not lend its released copies to a gradient around it, and a term
	// unfolded outside of gradients not its letters to a gradient.
	if _, err := k.d.Unfold(op(Grad, tr(mul(inner, k.A)), k.A)); err == nil {
		t.Error("an inner gradient unfolded earlier comes back released")
	}
	if got := k.unfold(t, op(Diff, product, k.x)); got != s.integer(0) {
		t.Error("a stop-gradient unfolded earlier comes back as its letter")
	}
	if got := k.unfold(t, product); got != mul(k.x, k.y) {
		t.Error("a stop-gradient unfolded in a gradient comes back as a copy")
	}
	// An equation with a gradient of its own is closed: under another gradient it means what it means alone.
	under, alone := op(Grad, tr(mul(s.ddt(x), k.B)), k.A), op(Grad, tr(mul(k.unfold(t, s.ddt(x)), k.B)), k.A)
	if k.unfold(t, under) != k.unfold(t, alone) {
		t.Error("the stop-gradient of an equation belongs to the gradient around its use")
	}
}

// needs requires the value of a term to be asked for.
func needs(t *testing.T, u unfolding, want *Term) {
	t.Helper()
	found := false
	(&Dynamics{sig: want.sig, memo: newUnfoldings()}).survey(u, func(x *Term) { found = found || x == want })
	if !found {
		t.Errorf("the value of a %s is not asked for", want.head)
	}
}

// TestDefinedness: divisors, radicands and inverses that a result no longer mentions are asked for, and those that an
// operator makes.
func TestDefinedness(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	op := func(h Head, args ...*Term) *Term { return s.make(h, 0, args...) }
	one := s.integer(1)
	oneOver := s.reciprocal
	f := s.trace(s.mul(k.W, s.transpose(k.W)))
	inv := s.inverse(k.A)
	x2 := s.pow(k.x, 2)
	unmoved, _ := s.DeclareScalar("u", Param)
	lossy, _ := s.DeclareScalar("lossy", State)
	steep, _ := s.DeclareScalar("steep", State)
	lose := func(x *Term) *Term { return s.add(one, op(Diff, x, k.c)) } // 1, where x has a value and does not mention c
	lost := lose(oneOver(k.y))
	for _, err := range []error{
		k.d.AddFlow(lossy, lost),
		k.d.AddMap(lossy, lost),
		k.d.AddFlow(steep, oneOver(k.x)),
		k.d.AddMoment(k.p, k.p, s.mul(s.add(lost, oneOver(k.x)), k.B)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ term, want *Term }{
		"what an equation of the flow drops":           {s.ddt(lossy), oneOver(k.y)},
		"what an equation of the map drops":            {s.next(lossy), oneOver(k.y)},
		"what a moment drops":                          {op(Expect, s.mul(k.p, s.transpose(k.p))), oneOver(k.y)},
		"ddt of what lost its letter":                  {s.ddt(op(Diff, lossy, k.c)), oneOver(k.y)},
		"ddt of what lost a letter":                    {s.ddt(op(Diff, steep, k.c)), oneOver(k.x)},
		"what the value of at drops":                   {op(At, k.x, k.x, lost), oneOver(k.y)},
		"a moment that is not used":                    {op(Expect, s.mul(k.p, s.transpose(k.w))), oneOver(k.x)},
		"a zeroth power under E":                       {op(Expect, s.pow(s.mul(oneOver(k.c), s.trace(s.mul(k.v, s.transpose(k.v)))), 0)), oneOver(k.c)},
		"what is dropped under E":                      {op(Expect, s.mul(s.mul(lost, k.v), s.transpose(k.v))), oneOver(k.y)},
		"what is dropped with a column":                {op(Expect, op(Diff, s.mul(oneOver(k.c), s.trace(s.mul(k.v, s.transpose(k.v)))), k.x)), oneOver(k.c)},
		"a value that at drops":                        {op(At, one, k.x, oneOver(k.y)), oneOver(k.y)},
		"a value that at drops, under ddt":             {s.ddt(op(At, one, k.x, s.root(k.y))), oneOver(s.root(k.y))},
		"ddt of a lost root":                           {s.ddt(lose(s.root(k.x))), oneOver(s.root(k.x))},
		"next of what is dropped":                      {s.next(lose(oneOver(k.x))), oneOver(s.add(k.y, k.tau))},
		"the moment of a column that is averaged away": {op(Expect, s.mul(k.p, s.transpose(k.w))), oneOver(k.y)},
		"the moment of a column that diff drops":       {op(Expect, op(Diff, s.trace(s.mul(k.p, s.transpose(k.p))), k.x)), oneOver(k.y)},
		"at":                                           {op(At, oneOver(unmoved), unmoved, k.x), oneOver(k.x)},
		"at of a radicand":                             {op(At, s.root(unmoved), unmoved, k.x), s.root(k.x)},
		"next":                                         {s.next(oneOver(k.x)), oneOver(s.add(k.y, k.tau))},
		"ddt of a constant":                            {s.ddt(oneOver(k.c)), oneOver(k.c)},
		"ddt of a root":                                {s.ddt(s.root(k.x)), oneOver(s.root(k.x))},
		"ddt of the root of a square":                  {s.ddt(s.root(x2)), oneOver(s.root(x2))},
		"ddt of a root of a root":                      {s.ddt(s.root(s.root(k.x))), oneOver(s.root(s.root(k.x)))},
		"ddt of a zeroth power":                        {s.ddt(s.pow(oneOver(k.x), 0)), oneOver(k.x)},
		"diff of another letter's root":                {op(Diff, s.mul(k.c, s.root(k.x)), k.c), s.root(k.x)},
		"diff of a lost root":                          {op(Diff, lose(s.root(k.x)), k.x), oneOver(s.root(k.x))},
		"diff of zeros of a root":                      {op(Diff, s.pow(s.root(k.x), 0), k.x), oneOver(s.root(k.x))},
		"grad of what is dropped":                      {op(Grad, s.mul(k.c, oneOver(k.x)), k.W), oneOver(k.x)},
		"grad of a root":                               {op(Grad, s.root(f), k.W), oneOver(s.root(f))},
		"grad of a zeroth power of a root":             {op(Grad, s.pow(s.root(f), 0), k.W), oneOver(s.root(f))},
		"grad of an inverse":                           {op(Grad, s.trace(inv), k.W), inv},
		"second derivatives":                           {s.ddt(op(Diff, op(Diff, oneOver(k.x), k.c), k.c)), oneOver(k.x)},
		"under sg":                                     {op(Diff, op(StopGrad, oneOver(k.c)), k.x), oneOver(k.c)},
		"E of a zero moment":                           {op(Expect, s.mul(s.mul(oneOver(k.x), k.v), s.transpose(k.e))), oneOver(k.x)},
		"E under ddt":                                  {s.ddt(op(Expect, s.mul(s.mul(oneOver(k.x), k.v), s.transpose(k.e)))), oneOver(k.x)},
		"sum of arguments":                             {s.add(k.y, s.mul(k.x, op(Diff, oneOver(k.c), k.x))), oneOver(k.c)},
		"drop inside a next":                           {s.next(lose(oneOver(k.x))), oneOver(s.add(k.y, k.tau))},
		"drop inside an at":                            {op(At, lose(oneOver(k.x)), k.x, k.y), oneOver(k.y)},
		"divisor that cancels put to a pole":           {op(At, s.mul(k.x, oneOver(k.x)), k.x, s.integer(0)), oneOver(s.integer(0))},
	} {
		t.Run(name, func(t *testing.T) { needs(t, k.d.unfold(c.term), c.want) })
	}
	// A root whose radicand does not change may be zero.
	u := k.d.unfold(s.ddt(s.root(k.c)))
	(&Dynamics{sig: s, memo: newUnfoldings()}).survey(u, func(x *Term) {
		if x.head == Reciprocal {
			t.Error("the derivative of a constant root divides")
		}
	})
}

// TestStructureComesLater: unfolding knows no structure; S stays apart from Sᵀ where another value comes in.
func TestStructureComesLater(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	at := k.unfold(t, s.make(At, 0, s.sub(k.B, s.transpose(k.B)), k.B, k.F))
	if at != s.sub(k.F, s.transpose(k.F)) {
		t.Error("at")
	}
	if k.unfold(t, s.next(s.transpose(k.W))) != s.transpose(s.mul(k.c, k.V)) {
		t.Error("next")
	}
	if k.unfold(t, s.ddt(s.transpose(k.W))) != s.transpose(s.mul(k.A, k.W)) {
		t.Error("ddt")
	}
}

func TestMoves(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	op := func(h Head, args ...*Term) *Term { return s.make(h, 0, args...) }
	for name, c := range map[string]struct {
		term *Term
		want bool
	}{
		"constant":             {s.mul(k.c, s.trace(k.B)), false},
		"state":                {s.trace(k.A), true},
		"input":                {k.tau, true},
		"by a moment":          {s.trace(op(Expect, s.mul(k.v, s.transpose(k.v)))), true},
		"not by a moment":      {s.trace(op(Expect, s.mul(k.w, s.transpose(k.w)))), false},
		"no more after diff":   {op(Diff, s.mul(k.c, k.x), k.x), false},
		"by next":              {s.next(k.x), true},
		"no more after at":     {op(At, k.x, k.x, k.c), false},
		"by an sg":             {op(StopGrad, k.x), true},
		"by a lost divisor":    {op(Diff, s.mul(k.c, s.reciprocal(k.x)), k.y), true},
		"ddt of what is still": {s.ddt(k.g), false},
	} {
		if got, err := k.d.Moves(c.term); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// TestSharedTermsStayShared: forty doublings are forty nodes for every operator, and what is too much is refused.
func TestSharedTermsStayShared(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	op := func(h Head, args ...*Term) *Term { return s.make(h, 0, args...) }
	x, w := s.trace(k.A), k.v
	for range 40 {
		x, w = s.mul(x, s.add(k.x, x)), s.add(w, w)
	}
	before := len(s.all)
	for _, term := range []*Term{s.ddt(x), s.next(x), op(Diff, x, k.x), op(Grad, x, k.A), op(At, x, k.x, k.y)} {
		k.unfold(t, term)
	}
	if made := len(s.all) - before; made > 3000 {
		t.Errorf("%d new terms", made)
	}
	some := s.mul(k.v, k.row)
	for range 8 {
		some = s.add(some, some)
	}
	for name, term := range map[string]*Term{"2⁴⁰ summands": s.mul(w, s.transpose(k.v)), "2⁸·2⁸ summands": s.mul(some, s.transpose(some))} {
		if _, err := k.d.Unfold(op(Expect, term)); err == nil || !strings.Contains(err.Error(), "summands under E") {
			t.Errorf("%s: %v", name, err)
		}
	}
	k.unfold(t, s.ddt(s.pow(k.A, MaxExponent)))
	k.unfold(t, op(Grad, s.trace(s.pow(k.A, MaxExponent)), k.A))
	deep := k.x
	for range MaxNesting - 1 {
		deep = s.reciprocal(deep)
	}
	if _, err := k.d.Unfold(s.ddt(deep)); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Errorf("a deep derivative: %v", err)
	}
}

// TestOpenDynamics: nothing found before the last equation is kept.
func TestOpenDynamics(t *testing.T) {
	k := newWorld(t)
	s := k.Signature
	k.unfold(t, s.ddt(k.x))
	if len(k.d.memo.done[0]) != 0 || len(k.d.memo.rate) != 0 {
		t.Error("unfoldings of dynamics that are not frozen are kept")
	}
	if _, err := NewContext(k.d, AtState); err != nil {
		t.Fatal(err)
	}
	k.unfold(t, s.ddt(k.x))
	if len(k.d.memo.done[0]) == 0 {
		t.Error("unfoldings of frozen dynamics are not kept")
	}
}

// TestWorkIsLimited: an application of a rule has a share of steps, and a new one begins with the next.
func TestWorkIsLimited(t *testing.T) {
	k := newWorld(t)
	try := func() (err error) {
		defer caught(&err)
		k.d.unfold(k.ddt(k.pow(k.x, 2)))
		return nil
	}
	k.d.memo.work = 3
	if err := try(); err == nil || !strings.Contains(err.Error(), "steps of unfolding") {
		t.Errorf("more work than was given: %v", err)
	}
	k.unfold(t, k.ddt(k.pow(k.x, 2)))
}
