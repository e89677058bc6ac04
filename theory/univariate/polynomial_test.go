package univariate

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func of(cs ...int64) Polynomial {
	var out []*big.Rat
	for _, c := range cs {
		out = append(out, big.NewRat(c, 1))
	}
	return New(out...)
}

func same(p, q Polynomial) bool {
	return len(p.Plus(q.Negated())) == 0
}

// random is a polynomial of a degree up to 4 with small fractions, zero now and then.
func random(r *rand.Rand) Polynomial {
	var out []*big.Rat
	for range r.IntN(6) {
		out = append(out, big.NewRat(int64(r.IntN(9)-4), int64(1+r.IntN(3))))
	}
	return New(out...)
}

func TestArithmetic(t *testing.T) {
	if p := of(1, 2, 0, 0); len(p) != 2 {
		t.Errorf("leading zeros are kept: %v", p)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		p, q, d := random(r), random(r), random(r)
		x := big.NewRat(int64(r.IntN(9)-4), int64(1+r.IntN(4)))
		px, qx := p.At(x), q.At(x)
		if s := p.Plus(q).At(x); s.Cmp(new(big.Rat).Add(px, qx)) != 0 {
			t.Fatalf("%v + %v at %v is %v", p, q, x, s)
		}
		if s := p.Times(q).At(x); s.Cmp(new(big.Rat).Mul(px, qx)) != 0 {
			t.Fatalf("%v · %v at %v is %v", p, q, x, s)
		}
		product := p.Derivative().Times(q).Plus(p.Times(q.Derivative()))
		if !same(p.Times(q).Derivative(), product) {
			t.Fatalf("(%v · %v)'", p, q)
		}
		if len(d) == 0 {
			continue
		}
		before := p.Times(of(1))
		quo, rem := p.Divide(d)
		if len(rem) >= len(d) || !same(p, quo.Times(d).Plus(rem)) {
			t.Fatalf("%v = %v · %v + %v", p, quo, d, rem)
		}
		if !same(p, before) {
			t.Fatalf("division writes to %v", before)
		}
	}
}

// TestFactors: factors multiply to the polynomial, have no zero in common and none twice, and the common divisor of two
// products is what they share.
func TestFactors(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		p := of(int64(1 + r.IntN(3)))
		for range 1 + r.IntN(3) {
			f := random(r)
			if len(f) < 2 || len(f) > 4 {
				continue
			}
			for range 1 + r.IntN(3) {
				p = p.Times(f)
			}
		}
		product, once := of(1), of(1)
		for n, f := range p.Factors() {
			if n > 0 {
				once = once.Times(f)
			}
			for range n {
				product = product.Times(f)
			}
		}
		if !same(product, p.Monic()) {
			t.Fatalf("the factors of %v multiply to %v", p, product)
		}
		if len(GCD(once, once.Derivative())) != 1 {
			t.Fatalf("a factor of %v stands twice", p)
		}
		if !same(once, p.SquareFree().Monic()) {
			t.Fatalf("%v, without multiple factors %v, or %v", p, once, p.SquareFree())
		}
		q := random(r)
		if g := GCD(p, q); len(q) > 0 {
			if _, rem := q.Divide(g); len(rem) != 0 {
				t.Fatalf("gcd(%v, %v) = %v", p, q, g)
			}
			if h := GCD(p.Times(of(2, 1)), q.Times(of(2, 1))); !same(h, g.Times(of(2, 1))) {
				t.Fatalf("gcd(%v, %v) = %v, with a further factor %v", p, q, g, h)
			}
		}
	}
}

// TestCoprime: what is found modulo a prime is what Euclid's algorithm finds, also where the prime divides a leading coefficient,
// and a common factor is never denied.
func TestCoprime(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	m := new(big.Rat).SetInt64(modulus)
	for range 3000 {
		p, q, f := random(r), random(r), random(r)
		if len(p) == 0 || len(q) == 0 {
			continue
		}
		if r.IntN(4) == 0 {
			p = p.Plus(New(new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), m))
		}
		euclid := func(p, q Polynomial) bool {
			for len(q) > 0 {
				_, rem := p.Divide(q)
				p, q = q, rem.primitive()
			}
			return len(p) == 1
		}
		if got, want := coprime(p, q), euclid(p, q); got && !want || !got && want && p[len(p)-1].Cmp(m) != 0 {
			t.Fatalf("%v and %v: coprime %v, want %v", p, q, got, want)
		}
		if len(f) > 1 && coprime(p.Times(f), q.Times(f)) {
			t.Fatalf("%v times %v and %v are coprime", f, p, q)
		}
	}
	// Modulo the prime this one is a constant, and has no zero to share; it has one.
	if p := New(big.NewRat(-modulus, 1), m); coprime(p, p) {
		t.Error("a polynomial is coprime with itself")
	}
	if coprime(nil, of(1)) || coprime(of(1, 1), nil) {
		t.Error("coprime with zero")
	}
}

// TestLongCoefficients: a square-free polynomial is seen to be one in no time, however long its coefficients; of one that is not
// the work is told beforehand.
func TestLongCoefficients(t *testing.T) {
	var cs []*big.Rat
	for k := range 41 {
		c := new(big.Int).Exp(big.NewInt(int64(17+2*k)), big.NewInt(1500), nil)
		cs = append(cs, new(big.Rat).SetInt(c))
	}
	p := New(cs...)
	if n := p.Factoring(); n > 10_000 {
		t.Errorf("%d operations", n)
	}
	if fs := p.Factors(); len(fs) != 2 || !same(fs[1], p.Monic()) {
		t.Errorf("%d factors", len(fs)-1)
	}
	if n := p.Times(p).Factoring(); n < 1_000_000_000 {
		t.Errorf("the square: %d operations", n)
	}
}

func TestThrough(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		p := random(r)
		var xs, ys []*big.Rat
		for i := range 6 {
			x := big.NewRat(int64(i*i)-7, 2)
			xs, ys = append(xs, x), append(ys, p.At(x))
		}
		if q := Through(xs, ys); !same(p, q) {
			t.Fatalf("%v comes back as %v", p, q)
		}
		ys[3] = new(big.Rat).Add(ys[3], big.NewRat(1, 1))
		if q := Through(xs, ys); same(p, q) || q.At(xs[3]).Cmp(ys[3]) != 0 {
			t.Fatalf("%v is not moved to another point: %v", p, q)
		}
	}
}

// TestRemaindersStayShort: the zeros of a polynomial of degree 19 with long coefficients are counted from remainders whose
// coefficients have no common divisor, and are those that its factors have.
func TestRemaindersStayShort(t *testing.T) {
	p := of(1)
	for k := range 8 {
		p = p.Times(New(big.NewRat(int64(5+k), 7), big.NewRat(1, 3), big.NewRat(1, 1)))
	}
	for k := range 3 {
		p = p.Times(Linear(big.NewRat(int64(1-k)*1_000_003, 1_000_001)))
	}
	if got, want := p.Zeros(nil, nil, false, false), (Count{3, 2, 1}); got != want {
		t.Errorf("%v zeros, want %v", got, want)
	}
	if got := p.Times(p).Zeros(big.NewRat(0, 1), nil, false, false); got.All != 1 || got.Rising+got.Falling != 0 {
		t.Errorf("%v positive zeros of the square, want one that is only touched", got)
	}
	if got := New(big.NewRat(6, 5), big.NewRat(-9, 10), big.NewRat(-3, 1)).primitive(); !same(got, of(4, -3, -10)) {
		t.Errorf("%v, want 4 − 3x − 10x²", got)
	}
	longest := 0
	for a, b := p, p.Derivative(); len(b) > 0; {
		_, r := a.Divide(b)
		a, b = b, r.primitive()
		for _, c := range b {
			longest = max(longest, c.Num().BitLen())
		}
	}
	if longest == 0 || longest > 8_000 {
		t.Errorf("a coefficient of %d bits; without common divisors the longest is one of a subresultant, below 8000", longest)
	}
}

// TestZeros compares counts with the zeros that a product of linear factors was made of: each with its multiplicity, whose
// parity and the signs of the other factors say how it is crossed.
func TestZeros(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	at := func() *big.Rat { return big.NewRat(int64(r.IntN(7)-3), int64(1+r.IntN(2))) }
	for range 3000 {
		lead := int64(1 - 2*r.IntN(2))
		p := of(lead)
		if r.IntN(2) == 0 {
			p = p.Times(of(1, 1, 1)) // no real zero
		}
		times := map[string]int{}
		for range r.IntN(5) {
			z := at()
			times[z.RatString()]++
			p = p.Times(Linear(z))
		}
		lo, hi := at(), at()
		if r.IntN(4) == 0 {
			lo = nil
		}
		if r.IntN(4) == 0 {
			hi = nil
		}
		loIn, hiIn := r.IntN(2) == 0, r.IntN(2) == 0
		var want Count
		for text, n := range times {
			z, _ := new(big.Rat).SetString(text)
			above, below := 1, -1
			if lo != nil {
				above = z.Cmp(lo)
			}
			if hi != nil {
				below = z.Cmp(hi)
			}
			if above < 0 || below > 0 || above == 0 && !loIn || below == 0 && !hiIn {
				continue
			}
			want.All++
			if n != 1 {
				continue
			}
			// The derivative at a simple zero has the sign of the lead and of the other factors there.
			sign := lead
			for other, k := range times {
				o, _ := new(big.Rat).SetString(other)
				if o.Cmp(z) > 0 && k%2 == 1 {
					sign = -sign
				}
			}
			if sign > 0 {
				want.Rising++
			} else {
				want.Falling++
			}
		}
		if got := p.Zeros(lo, hi, loIn, hiIn); got != want {
			t.Fatalf("%v between %v and %v (%v, %v): %v, want %v", p, lo, hi, loIn, hiIn, got, want)
		}
	}
}
