package cad

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// maker makes polynomials in n letters.
type maker struct {
	rng *rand.Rand
	n   int
}

func (g *maker) number() *big.Rat { return big.NewRat(g.rng.Int64N(9)-4, g.rng.Int64N(2)+1) }

func (g *maker) sum(degree, terms int) Sum {
	p := Sum{}
	for range terms {
		m := Constant(big.NewRat(1, 1), g.n)
		for range g.rng.IntN(degree + 1) {
			m = m.Times(Letter(g.rng.IntN(g.n), g.n))
		}
		p = p.Plus(m, g.number())
	}
	return p
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestDivisors: the greatest common divisor divides, and has every common factor that was put in; square-free factors
// multiply to what they are of.
func TestDivisors(t *testing.T) {
	w := &meter{1 << 40}
	for n := 1; n <= 3; n++ {
		g := &maker{rand.New(rand.NewPCG(1, uint64(n))), n}
		for range 60 {
			a, b, c := g.sum(2, 3), g.sum(2, 3), g.sum(2, 2)
			if len(a) == 0 || len(b) == 0 || len(c) == 0 {
				continue
			}
			p, q, d := a.Times(c).ordered(upTo(n)), b.Times(c).ordered(upTo(n)), c.ordered(upTo(n))
			x := w.gcd(p, q)
			for _, y := range []poly{p, q} {
				if _, ok := w.divide(y, x); !ok {
					t.Fatalf("%v does not divide %v", x.sum(upTo(n), n), y.sum(upTo(n), n))
				}
			}
			content, _ := constantFactor(w, d)
			if _, ok := w.divide(x, content); !ok {
				t.Fatalf("%v, a common divisor, does not divide %v", c, x.sum(upTo(n), n))
			}
			part, _ := w.primitive(w.mul(p, d)) // at least the square of what was put in
			if part.degree() < 1 {
				continue
			}
			back := unit(n)
			for i, f := range w.squareFree(part) {
				if f.degree() > 0 {
					if w.gcd(f, w.derivative(f)).degree() > 0 {
						t.Errorf("%v is not square-free", f.sum(upTo(n), n))
					}
					back = w.mul(back, w.power(f, i+1))
				}
			}
			if r := w.sub(w.turned(back), w.turned(part)); !r.isZero() {
				t.Errorf("the factors of %v multiply to %v", part.sum(upTo(n), n), back.sum(upTo(n), n))
			}
		}
	}
}

// constantFactor is a polynomial without the number that divides it.
func constantFactor(w *meter, p poly) (poly, *big.Int) {
	g := new(big.Int)
	for _, v := range p.sum(upTo(p.level), p.level) {
		g.GCD(nil, nil, g, new(big.Int).Abs(v.Num()))
	}
	return w.exact(p, constant(g, p.level)), g
}

// TestResultants compares with determinants of Sylvester matrices at numbers.
func TestResultants(t *testing.T) {
	w := &meter{1 << 40}
	g := &maker{rand.New(rand.NewPCG(2, 2)), 2}
	for range 200 {
		p, q := g.sum(4, 5).ordered(upTo(2)), g.sum(4, 5).ordered(upTo(2))
		if p.degree() < 1 || q.degree() < 1 {
			continue
		}
		r := w.resultant(p, q)
		x := g.number()
		if got, want := absolute(valueAt(r, x)), absolute(determinant(sylvester(p, q, x))); got.Cmp(want) != 0 {
			t.Fatalf("the resultant of %v and %v is %s at %s, the determinant %s", p.sum(upTo(2), 2), q.sum(upTo(2), 2), got, x, want)
		}
	}
}

func absolute(x *big.Rat) *big.Rat { return new(big.Rat).Abs(x) }

func valueAt(p poly, x *big.Rat) *big.Rat {
	s := new(big.Rat)
	for i := len(p.c) - 1; i >= 0; i-- {
		s.Mul(s, x)
		s.Add(s, new(big.Rat).SetInt(p.c[i].n))
	}
	return s
}

func sylvester(p, q poly, x *big.Rat) [][]*big.Rat {
	m, n := p.degree(), q.degree()
	a := make([][]*big.Rat, m+n)
	for i := range a {
		a[i] = make([]*big.Rat, m+n)
		for j := range a[i] {
			a[i][j] = new(big.Rat)
		}
		f, shift := p, i
		if i >= n {
			f, shift = q, i-n
		}
		for k := range f.c {
			a[i][shift+f.degree()-k] = valueAt(f.c[k], x)
		}
	}
	return a
}

func determinant(a [][]*big.Rat) *big.Rat {
	d := big.NewRat(1, 1)
	for i := range a {
		p := i
		for p < len(a) && a[p][i].Sign() == 0 {
			p++
		}
		if p == len(a) {
			return new(big.Rat)
		}
		if p != i {
			a[p], a[i] = a[i], a[p]
			d.Neg(d)
		}
		d.Mul(d, a[i][i])
		for k := i + 1; k < len(a); k++ {
			f := new(big.Rat).Quo(a[k][i], a[i][i])
			for j := i; j < len(a); j++ {
				a[k][j] = new(big.Rat).Sub(a[k][j], new(big.Rat).Mul(f, a[i][j]))
			}
		}
	}
	return d
}

// TestRoots isolates roots that were put in, rational ones and those of x² − k.
func TestRoots(t *testing.T) {
	w := &meter{1 << 40}
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		p := unit(1)
		want := 0
		var at []*big.Rat
		for range 1 + rng.IntN(4) {
			x := big.NewRat(rng.Int64N(41)-20, rng.Int64N(6)+1)
			at = append(at, x)
			p = w.mul(p, univariate(dense{new(big.Int).Neg(x.Num()), x.Denom()}))
		}
		if rng.IntN(2) == 0 {
			p = w.mul(p, univariate(dense{big.NewInt(-2), new(big.Int), big.NewInt(1)}))
			want += 2
		}
		if rng.IntN(2) == 0 {
			p = w.mul(p, univariate(dense{big.NewInt(3), big.NewInt(1), big.NewInt(1)}))
		}
		distinct := map[string]bool{}
		for _, x := range at {
			distinct[x.RatString()] = true
		}
		want += len(distinct)
		l := &lifting{meter: w}
		rs := l.roots([]poly{p})
		if len(rs) != want {
			t.Fatalf("%d roots are found of %v, there are %d", len(rs), p.sum(upTo(1), 1), want)
		}
		found := 0
		for i, r := range rs {
			if i > 0 && rs[i-1].hi.Cmp(r.lo) >= 0 {
				t.Errorf("the roots %v and %v are not apart", rs[i-1], r)
			}
			w.rational(r)
			if r.exact != nil {
				found++
				if !distinct[r.exact.RatString()] {
					t.Errorf("%s is called a root of %v", r.exact, p.sum(upTo(1), 1))
				}
			}
		}
		if found != len(distinct) {
			t.Errorf("%d of the roots %v are found to be rational", found, at)
		}
		gaps := l.gaps(rs)
		for i, x := range gaps {
			if i > 0 && rs[i-1].hi.Cmp(x) >= 0 || i < len(rs) && rs[i].lo.Cmp(x) <= 0 {
				t.Errorf("%s is not in gap %d of %v", x, i, p.sum(upTo(1), 1))
			}
		}
	}
}

// TestSimplestFractions compares with all fractions of small denominators.
func TestSimplestFractions(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		lo := big.NewRat(rng.Int64N(81)-40, rng.Int64N(9)+1)
		hi := new(big.Rat).Add(lo, big.NewRat(rng.Int64N(20)+1, rng.Int64N(40)+1))
		got := between(lo, hi)
		if got.Cmp(lo) <= 0 || got.Cmp(hi) >= 0 {
			t.Fatalf("%s is not between %s and %s", got, lo, hi)
		}
		for q := int64(1); q < got.Denom().Int64(); q++ {
			for n := int64(-50) * q; n <= 50*q; n++ {
				if x := big.NewRat(n, q); x.Cmp(lo) > 0 && x.Cmp(hi) < 0 {
					t.Fatalf("%s is between %s and %s, and simpler than %s", x, lo, hi, got)
				}
			}
		}
	}
}

// TestLongCoefficientsGiveUp: of a number that is squared forty times there is no polynomial, nor time to write it.
func TestLongCoefficientsGiveUp(t *testing.T) {
	p := Constant(big.NewRat(3, 1), 1)
	for range 40 {
		p = p.Times(p)
	}
	if p != nil || Constant(big.NewRat(3, 1), 1).Power(100_000, 1) != nil {
		t.Error("there is")
	}
	if p := Constant(big.NewRat(3, 1), 1).Power(100, 1); len(p) != 1 {
		t.Error("3¹⁰⁰ is none")
	}
}
