package model_test

import (
	"math/big"
	"math/rand"
	"os"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// edge draws text of terms that are often zero, with roots, under every operator.
type edge struct{ rng *rand.Rand }

func (g edge) letter() string { return pick(g.rng, "x", "y", "z", "p", "q") }

func (g edge) term(depth int, random bool) string {
	if depth <= 0 {
		if random && g.rng.Intn(4) == 0 {
			return pick(g.rng, "tr(e*e^T)", "tr(W*e*e^T)", "tr(f*f^T)")
		}
		return pick(g.rng, "x", "x", "y", "y", "z", "p", "q", "u", "0", "1", "tr(W)", "tr(S)")
	}
	next := func() string { return g.term(depth-1-g.rng.Intn(2), random) }
	switch g.rng.Intn(16) {
	case 0, 1, 2, 3:
		return "root(" + next() + ")"
	case 4, 5:
		return "(" + next() + ")*(" + next() + ")"
	case 6:
		return "(" + next() + ")+(" + next() + ")"
	case 7, 8:
		return "ddt(" + next() + ")"
	case 9:
		return "next(" + next() + ")"
	case 10:
		return "diff(" + next() + "," + g.letter() + ")"
	case 11:
		return "at(" + next() + "," + g.letter() + "," + next() + ")"
	case 12:
		return "sg(" + next() + ")"
	case 13:
		if random {
			return next()
		}
		return "E(" + g.term(depth-1, true) + ")"
	case 14:
		return "(" + next() + ")^" + pick(g.rng, "0", "1", "2", "3")
	}
	return pick(g.rng, "tr(grad(", "tr(gradsym(", "tr(gradskew(") + next() + "," + pick(g.rng, "W", "S") + "))"
}

// lab draws dynamics whose equations are often zero, by their form or not; nil where they have no meaning.
func (g edge) lab() (l *lab) {
	law := func() string {
		return pick(g.rng, "0", "0", "at(p,p,0)", "next(z)", "ddt(z)", "p", "0*x", g.term(2, false), g.term(1, false))
	}
	defer func() {
		if recover() != nil {
			l = nil
		}
	}()
	return newLab(kernel.AtState, "size n\nstate x\nstate y\nstate z\nparam p\nparam q\ninput u\nstate W n n\nparam S n n\nrandom e n\nrandom f n\nE f f = I(n)"+
		"\nE e e = "+pick(g.rng, "I(n)", "x*I(n)", "W*W^T", "0*I(n)", "O(n,n)", "y*S*S^T")+
		"\nx' = "+law()+"\ny' = "+law()+"\nz' = 0\nx+ = "+law()+"\ny+ = "+law()+"\nz+ = "+pick(g.rng, "0", "z", "x")+
		"\nW' = "+pick(g.rng, "O(n,n)", "x*W", "0*W", "S", "W*W", "grad("+g.term(1, false)+",W)")+"\nW+ = "+pick(g.rng, "W", "S", "x*W", "O(n,n)"))
}

func (g edge) state(l *lab) *model.State {
	n := 1 + g.rng.Intn(2)
	values := map[string][][]*big.Rat{}
	entries := func(r, c int) (m [][]*big.Rat) {
		for i := range r {
			m = append(m, nil)
			for range c {
				m[i] = append(m[i], big.NewRat([]int64{0, 0, 0, 1, 4, -1, 1}[g.rng.Intn(7)], 1))
			}
		}
		return m
	}
	for _, x := range []string{"x", "y", "z", "p", "q", "u"} {
		values[x] = entries(1, 1)
	}
	values["W"], values["S"] = entries(n, n), entries(n, n)
	return must(model.NewState(l.sig, map[string]int{"n": n}, values))
}

// Kernel and model say alike where roots of what is zero have derivatives, and where not.
func TestAgreementAtZeros(t *testing.T) {
	worlds := int64(400)
	if os.Getenv("STOPGRAD_LONG") != "" {
		worlds = 20_000
	}
	var count [outcomes]int
	for seed := range worlds {
		g := edge{rand.New(rand.NewSource(seed))}
		l := g.lab()
		if l == nil {
			continue
		}
		for range 40 {
			var x *kernel.Term
			src := g.term(4, false)
			func() {
				defer func() { _ = recover() }() // shapes need not fit
				x = term(l.sig, src)
			}()
			if x == nil {
				continue
			}
			st := g.state(l)
			o, err := compare(&world{dyn: l.dyn, sig: l.sig}, x, x, st)
			if err != nil && o != unreadable {
				t.Errorf("seed %d: %s at %s: %v", seed, src, st, err)
				continue
			}
			count[o]++
		}
	}
	t.Logf("%d equal, %d without a value, %d not unfolded, %d not evaluated", count[equal], count[undefined], count[refused], count[unreadable])
	if int64(count[undefined]) < worlds/2 {
		t.Errorf("only %d terms had no value", count[undefined])
	}
}
