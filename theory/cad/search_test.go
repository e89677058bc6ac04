package cad

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// reader builds polynomials in x, y, z.
type reader struct{ x, y, z Sum }

var in = reader{Letter(0, 3), Letter(1, 3), Letter(2, 3)}

func num(a, b int64) Sum { return Constant(big.NewRat(a, b), 3) }

func plus(ps ...Sum) Sum {
	out := Sum{}
	for _, p := range ps {
		out = out.Plus(p, big.NewRat(1, 1))
	}
	return out
}

func times(ps ...Sum) Sum {
	out := num(1, 1)
	for _, p := range ps {
		out = out.Times(p)
	}
	return out
}

func minus(p Sum) Sum { return Sum{}.Plus(p, big.NewRat(-1, 1)) }

func greater(ps ...Sum) (out []Condition) {
	for _, p := range ps {
		out = append(out, Condition{[]Sum{p}, Greater})
	}
	return out
}

// found is a point that a search meets, nil if it meets none.
func found(t *testing.T, conds []Condition) []Number {
	t.Helper()
	var at []Number
	if _, err := Search(3, conds, 1<<30, func(p []Number) bool {
		at = p
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if at != nil {
		for _, c := range conds {
			if !c.Rel.holds(sign(c, at)) {
				t.Fatalf("a point is visited that does not meet %v", c)
			}
		}
	}
	return at
}

// TestProjection: sets that lie where only a discriminant, only a resultant, only a leading coefficient says that something
// is. Without what the projection gives for the first letter none is found, so that dropping its kind fails here.
func TestProjection(t *testing.T) {
	square := func(p Sum) Sum { return times(p, p) }
	for _, c := range []struct {
		kind  string
		conds []Condition
	}{
		// A small disc.
		{"discriminant", greater(plus(num(1, 10000), minus(square(plus(in.x, num(-7, 3)))), minus(square(plus(in.y, num(-1, 1))))))},
		// A wedge between lines that meet at x = 50.
		{"resultant", greater(plus(in.y, minus(in.x)), plus(times(num(2, 1), in.x), minus(in.y), num(-50, 1)))},
		// One branch of a hyperbola.
		{"leading coefficient", greater(plus(times(plus(in.x, num(-10, 1)), in.y), num(-1, 1)), in.y)},
	} {
		if found(t, c.conds) == nil {
			t.Errorf("%s: nothing is found", c.kind)
		}
		s := &search{meter: &meter{1 << 30}, n: 3, out: &Outcome{}}
		order := []int{0, 1}
		var ps []poly
		var cs []condition
		for _, d := range c.conds {
			p := d.Factors[0].ordered(order)
			ps = append(ps, p)
			cs = append(cs, condition{[]poly{p}, d.Rel})
		}
		for _, drop := range []bool{false, true} {
			levels := s.projections(2, ps, nil)
			if drop {
				levels[1] = nil
			}
			l := &lifting{meter: s.meter, visit: func([]Number) bool { return true }}
			if got := l.node(levels, cs, nil, false, true); got == drop {
				t.Errorf("%s: found is %v without its projection %v", c.kind, got, drop)
			}
		}
	}
}

// TestOpenCells: where one of many random points meets strict conditions, a sample point does.
func TestOpenCells(t *testing.T) {
	met := 0
	for n := 1; n <= 3; n++ {
		g := &maker{rand.New(rand.NewPCG(5, uint64(n))), n}
		for i := range 60 {
			var conds []Condition
			for range 1 + g.rng.IntN(3) {
				if p := g.sum(4-n/2, 4); len(p) > 0 {
					conds = append(conds, Condition{[]Sum{p}, Greater})
				}
			}
			any := false
			for range 300 {
				at := make([]Number, n)
				for j := range at {
					at[j] = Number{A: big.NewRat(g.rng.Int64N(2001)-1000, []int64{1, 10, 100, 1000}[g.rng.IntN(4)])}
				}
				ok := true
				for _, c := range conds {
					ok = ok && c.Rel.holds(sign(c, at))
				}
				any = any || ok
			}
			got := false
			out, err := Search(n, conds, 1<<27, func(at []Number) bool {
				for _, c := range conds {
					if !c.Rel.holds(sign(c, at)) {
						t.Fatalf("a point is visited that does not meet %v", c)
					}
				}
				got = true
				return true
			})
			if err != nil {
				t.Logf("%d letters, system %d: %v", n, i, err)
				continue
			}
			if any && !got {
				t.Errorf("%d letters: %v hold at a random point, at none of %d sample points", n, conds, out.Points)
			}
			if !got && !out.Complete {
				t.Errorf("%d letters: the search of %v is not called complete", n, conds)
			}
			if got {
				met++
			}
		}
	}
	if met < 60 {
		t.Errorf("only %d of the systems are met at all", met)
	}
}

// TestSurfaces: equations, touched bounds and irrational points are met, and what is empty is not.
func TestSurfaces(t *testing.T) {
	square := func(p Sum) Sum { return times(p, p) }
	circle := plus(square(in.x), square(in.y), num(-1, 1))
	for _, c := range []struct {
		what  string
		conds []Condition
		met   bool
	}{
		{"a circle above a line", []Condition{{[]Sum{in.y}, Greater}, {[]Sum{circle}, Equal}, {[]Sum{plus(in.x, num(-9, 10))}, Greater}}, true},
		{"a circle away from a line", []Condition{{[]Sum{plus(in.y, num(-2, 1))}, Greater}, {[]Sum{circle}, Equal}}, false},
		{"the negative root of 2", []Condition{{[]Sum{minus(in.x)}, Greater}, {[]Sum{plus(square(in.x), num(-2, 1))}, Equal}}, true},
		{"a cubic's zero, which is no root", []Condition{{[]Sum{in.x}, Greater}, {[]Sum{plus(times(in.x, in.x, in.x), num(-2, 1))}, Equal}}, false},
		{"a point that is only touched", []Condition{{[]Sum{minus(plus(square(plus(in.x, num(-1, 3))), square(plus(in.y, num(2, 7)))))}, AtLeast}}, true},
		{"a product", []Condition{{[]Sum{in.x}, Greater}, {[]Sum{plus(in.x, num(1, 1)), plus(in.y, num(-3, 1))}, Equal}, {[]Sum{plus(in.x, minus(in.y))}, Greater}}, true},
		{"a bilinear equation", []Condition{{[]Sum{plus(in.z, num(-5, 1))}, Greater}, {[]Sum{plus(times(in.x, in.y), minus(in.z))}, Equal}, {[]Sum{plus(num(2, 1), minus(in.x))}, Greater}, {[]Sum{in.x}, Greater}}, true},
		{"letters that have nothing to do with each other", []Condition{{[]Sum{in.x}, Greater}, {[]Sum{plus(num(1, 1000), minus(square(plus(in.y, num(-1, 7)))))}, Greater}, {[]Sum{plus(square(in.z), num(-3, 1))}, Equal}}, true},
		{"a wedge of a cone", []Condition{{[]Sum{plus(square(in.y), minus(times(num(4, 1), in.x, in.z)))}, Greater}, {[]Sum{plus(in.x, num(-2, 1))}, Greater}, {[]Sum{plus(in.z, num(-2, 1))}, Greater}, {[]Sum{plus(num(5, 1), minus(in.y))}, Greater}}, true},
	} {
		if at := found(t, c.conds); (at != nil) != c.met {
			t.Errorf("%s: met is %v", c.what, at)
		}
	}
}

// TestWork ends a search that has no work left.
func TestWork(t *testing.T) {
	conds := greater(plus(times(in.x, in.y, in.z), num(-1, 1)), plus(minus(times(in.x, in.x)), in.y))
	if _, err := Search(3, conds, 100, func([]Number) bool { return false }); err != ErrWork {
		t.Errorf("the error is %v", err)
	}
}

// BenchmarkSearch visits the cells of a cubic in three letters on a box that it does not leave positive.
func BenchmarkSearch(b *testing.B) {
	p := plus(times(in.x, in.x, in.x), times(in.y, in.y, in.x), minus(times(in.x, in.y, in.z)), times(in.z, in.z), num(1, 1))
	conds := append(greater(minus(plus(times(p, num(1, 1)), times(in.y, in.y), num(50, 1)))), greater(plus(in.x, num(3, 1)), plus(num(1, 1), minus(in.x)), plus(in.y, num(2, 1)), plus(num(2, 1), minus(in.y)), plus(in.z, num(2, 1)))...)
	for range b.N {
		out, err := Search(3, conds, 1<<30, func([]Number) bool { return false })
		if err != nil || out.Points < 10 {
			b.Fatal(out, err)
		}
	}
}
