package region_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/region"
)

// side is a coordinate of a random statement.
type side struct {
	lo, hi         *big.Rat
	loOpen, hiOpen bool
}

func (d side) contains(v *big.Rat) bool {
	if d.lo != nil {
		if c := v.Cmp(d.lo); c < 0 || c == 0 && d.loOpen {
			return false
		}
	}
	if d.hi != nil {
		if c := v.Cmp(d.hi); c > 0 || c == 0 && d.hiOpen {
			return false
		}
	}
	return true
}

// random makes statements p REL 0 about polynomials, and now and then quotients, whose least value on the box is close to zero
// or zero, so that whether they hold hangs on a rounding or on an end that is left out.
type random struct {
	rng   *rand.Rand
	sig   *kernel.Signature
	vars  []*kernel.Term
	sides []side
}

func (g *random) rat() *big.Rat {
	return big.NewRat(g.rng.Int64N(13)-6, g.rng.Int64N(5)+1)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// polynomial is a random one with its exact value.
func (g *random) polynomial() (*kernel.Term, func([]*big.Rat) *big.Rat) {
	type monomial struct {
		c *big.Rat
		e []int
	}
	var ms []monomial
	sum := must(g.sig.Number(new(big.Rat)))
	for range 1 + g.rng.IntN(5) {
		m := monomial{g.rat(), make([]int, len(g.vars))}
		t := must(g.sig.Number(m.c))
		for i, x := range g.vars {
			m.e[i] = g.rng.IntN(4)
			if m.e[i] > 0 {
				t = must(g.sig.Make(kernel.Product, 0, t, must(g.sig.Make(kernel.Power, m.e[i], x))))
			}
		}
		ms = append(ms, m)
		sum = must(g.sig.Make(kernel.Sum, 0, sum, t))
	}
	return sum, func(x []*big.Rat) *big.Rat {
		total := new(big.Rat)
		for _, m := range ms {
			v := new(big.Rat).Set(m.c)
			for i, n := range m.e {
				for range n {
					v.Mul(v, x[i])
				}
			}
			total.Add(total, v)
		}
		return total
	}
}

// point is one of the box: an end, the middle, or somewhere.
func (g *random) point() []*big.Rat {
	out := make([]*big.Rat, len(g.sides))
	for i, d := range g.sides {
		for out[i] == nil || !d.contains(out[i]) {
			switch k := g.rng.IntN(4); {
			case k == 0 && d.lo != nil:
				out[i] = d.lo
			case k == 1 && d.hi != nil:
				out[i] = d.hi
			case d.lo != nil && d.hi != nil:
				w := new(big.Rat).Sub(d.hi, d.lo)
				w.Mul(w, big.NewRat(g.rng.Int64N(1<<20)+1, 1<<20+1))
				out[i] = w.Add(w, d.lo)
			case d.lo != nil:
				out[i] = new(big.Rat).Add(d.lo, big.NewRat(g.rng.Int64N(1000)+1, 1+g.rng.Int64N(300)))
			case d.hi != nil:
				out[i] = new(big.Rat).Sub(d.hi, big.NewRat(g.rng.Int64N(1000)+1, 1+g.rng.Int64N(300)))
			default:
				out[i] = g.rat()
			}
		}
	}
	return out
}

// TestRandomInequalities asks every rule about random inequalities on random boxes, closed, half-open and unbounded. Where
// a rule says that one holds, it holds exactly at every point tried; where a rule says that a hypothesis fails, it fails.
// 10,000 inequalities, a million with STOPGRAD_LONG.
func TestRandomInequalities(t *testing.T) {
	n := 10_000
	if os.Getenv("STOPGRAD_LONG") != "" {
		n = 1_000_000
	}
	rules := []string{"interval", "slope", "bernstein", "exact"}
	shown, failed := map[string]int{}, map[string]int{}
	strict := 0
	for k := range n {
		g := &random{rng: rand.New(rand.NewPCG(uint64(k), 7)), sig: kernel.NewSignature()}
		for i := range 1 + g.rng.IntN(3) {
			g.vars = append(g.vars, must(g.sig.DeclareScalar(fmt.Sprintf("x%d", i), kernel.Param)))
			lo := g.rat()
			hi := new(big.Rat).Add(lo, big.NewRat(1+g.rng.Int64N(8), 1+g.rng.Int64N(40)))
			d := side{lo, hi, g.rng.IntN(3) == 0, g.rng.IntN(3) == 0}
			switch g.rng.IntN(10) {
			case 0:
				d.hi, d.hiOpen = nil, false
			case 1:
				d.lo, d.loOpen = nil, false
			}
			g.sides = append(g.sides, d)
		}
		p, value := g.polynomial()
		exact := func(x []*big.Rat) (*big.Rat, bool) { return value(x), true }
		if g.rng.IntN(4) == 0 {
			q, below := g.polynomial()
			p = must(g.sig.Make(kernel.Product, 0, p, must(g.sig.Make(kernel.Reciprocal, 0, q))))
			exact = func(x []*big.Rat) (*big.Rat, bool) {
				d := below(x)
				if d.Sign() == 0 {
					return nil, false
				}
				return d.Quo(value(x), d), true
			}
		}
		// The bound is a value of the polynomial, or off by next to nothing: at that point the statement just holds, or just
		// fails.
		at := g.point()
		c, ok := exact(at)
		if !ok {
			continue
		}
		for range 3 {
			if v, ok := exact(g.point()); ok && v.Cmp(c) < 0 {
				c = v
			}
		}
		switch g.rng.IntN(4) {
		case 0:
			c = new(big.Rat).Add(c, new(big.Rat).SetFrac64(1, 1<<62))
		case 1:
			c = new(big.Rat).Sub(c, new(big.Rat).SetFrac64(1, 1<<62))
		case 2:
			c = new(big.Rat).Sub(c, big.NewRat(1, 4))
		}
		form := kernel.AtLeast
		if g.rng.IntN(2) == 0 {
			form = kernel.Greater
		}
		goal := must(kernel.NewFormula(form, p, must(g.sig.Number(c))))
		dyn := kernel.NewDynamics(g.sig)
		var hyps []kernel.Hypothesis
		bound := func(open bool, a, b *kernel.Term) {
			form := kernel.AtLeast
			if open {
				form = kernel.Greater
			}
			hyps = append(hyps, must(kernel.NewHypothesis(kernel.Here, must(kernel.NewFormula(form, a, b)))))
		}
		for i, d := range g.sides {
			if d.lo != nil {
				bound(d.loOpen, g.vars[i], must(g.sig.Number(d.lo)))
			}
			if d.hi != nil {
				bound(d.hiOpen, must(g.sig.Number(d.hi)), g.vars[i])
			}
		}
		// The same formula as a hypothesis too, for what fails outside.
		hyps = append(hyps, must(kernel.NewHypothesis(kernel.Here, goal)))
		false1 := must(kernel.NewFormula(kernel.Greater, must(g.sig.Number(new(big.Rat))), must(g.sig.Number(big.NewRat(1, 1)))))
		bare := must(kernel.NewContext(dyn, kernel.AtState, hyps[:len(hyps)-1]...))
		with := must(kernel.NewContext(dyn, kernel.AtState, hyps...))
		holds := func(x []*big.Rat) (bool, bool) {
			v, ok := exact(x)
			if !ok {
				return false, false
			}
			s := v.Cmp(c)
			return s > 0 || s == 0 && form == kernel.AtLeast, true
		}
		points := [][]*big.Rat{at}
		for range 12 {
			points = append(points, g.point())
		}
		s, err := region.State(bare, goal)
		if err != nil {
			t.Fatal(err)
		}
		last := len(s.Conditions()) - 1
		order := map[string]int{}
		for i, n := range s.Names() {
			order[n] = i
		}
		for _, rule := range rules {
			if last < 0 || !s.Shows(new(region.Meter), last, s.Box(), region.Step{Rule: rule}) {
				continue
			}
			shown[rule]++
			if form == kernel.Greater {
				strict++
			}
			for _, x := range points {
				if h, defined := holds(x); defined && !h {
					t.Fatalf("%d: %s shows %s on %v, which fails at %v", k, rule, kernel.Print(p), g.sides, x)
				}
			}
		}
		if s, err = region.State(with, false1); err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			h := len(s.Hypotheses()) - 1
			if !s.Shows(new(region.Meter), 0, s.Box(), region.Step{Rule: "outside", Hypothesis: h, By: rule}) {
				continue
			}
			failed[rule]++
			for _, x := range points {
				if h, defined := holds(x); defined && h {
					t.Fatalf("%d: by %s %s fails on all of %v, and holds at %v", k, rule, kernel.Print(p), g.sides, x)
				}
			}
		}
	}
	t.Logf("%d inequalities; shown by %v, %d of them strict; failing on all of the box by %v", n, shown, strict, failed)
	for _, rule := range rules {
		if shown[rule] < n/100 {
			t.Errorf("%s showed %d of %d: the rules are not tried", rule, shown[rule], n)
		}
	}
}
