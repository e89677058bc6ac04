package model_test

import (
	"errors"
	"math/big"
	"math/rand"
	"os"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// shaped is a vocabulary of letters of each structure that the normal form uses, with hypotheses that say it.
type shaped struct {
	rng     *rand.Rand
	sig     *kernel.Signature
	ctx     *kernel.Context
	scalars []*kernel.Term
	letters []*kernel.Term
	sizes   map[string]int
}

func newShaped(rng *rand.Rand) *shaped {
	w := &shaped{rng: rng, sig: kernel.NewSignature(), sizes: map[string]int{"n": 1 + rng.Intn(3), "m": 1 + rng.Intn(2), "k": 2}}
	if w.sizes["m"] > w.sizes["n"] {
		w.sizes["n"] = w.sizes["m"] // columns of an isometry
	}
	for _, n := range []string{"n", "m", "k"} {
		if err := w.sig.DeclareSize(n); err != nil {
			panic(err)
		}
	}
	for _, x := range []string{"x", "y"} {
		w.scalars = append(w.scalars, must(w.sig.DeclareScalar(x, kernel.Param)))
	}
	letter := func(name string, r, c kernel.Dim) *kernel.Term {
		t := must(w.sig.DeclareMatrix(name, kernel.Param, r, c))
		w.letters = append(w.letters, t)
		return t
	}
	var hyps []kernel.Hypothesis
	say := func(form kernel.Form, ts ...*kernel.Term) {
		hyps = append(hyps, must(kernel.NewHypothesis(kernel.Here, must(kernel.NewFormula(form, ts...)))))
	}
	transposed := func(t *kernel.Term) *kernel.Term { return w.make(kernel.Transpose, t) }
	isometry := func(u *kernel.Term) {
		_, c := u.Shape()
		say(kernel.Equal, w.make(kernel.Product, transposed(u), u), must(w.sig.IdentityOf(c)))
	}
	skew := func(t *kernel.Term) {
		say(kernel.Equal, transposed(t), w.make(kernel.Product, must(w.sig.Number(big.NewRat(-1, 1))), t))
	}
	letter("A", "n", "n")
	letter("B", "n", "m")
	letter("a", "n", "1")
	letter("r", "1", "n")
	letter("b", "m", "1")
	letter("c", "1", "1")
	letter("M", "m", "m")
	letter("Z", "n*m", "n*m")
	s := letter("S", "n", "n")
	say(kernel.Equal, transposed(s), s)
	say(kernel.Definite, letter("P", "n", "n"))
	skew(letter("K", "n", "n"))
	say(kernel.Diagonal, letter("D", "n", "n"))
	say(kernel.Diagonal, letter("F", "n", "n"))
	isometry(letter("U", "n", "m"))
	isometry(letter("Q", "n", "n"))
	h := letter("H", "n", "n")
	say(kernel.Equal, transposed(h), h)
	isometry(h)
	g := letter("G", "n", "n")
	say(kernel.Diagonal, g)
	isometry(g)
	j := letter("J", "k", "k")
	skew(j)
	isometry(j)
	letter("L", "k", "k")
	letter("R", "k", "n")
	w.ctx = must(kernel.NewContext(kernel.NewDynamics(w.sig), kernel.AtState, hyps...))
	return w
}

func (w *shaped) make(h kernel.Head, args ...*kernel.Term) *kernel.Term {
	return must(w.sig.Make(h, 0, args...))
}

func (w *shaped) dim() kernel.Dim { return []kernel.Dim{"n", "n", "n", "m", "1", "k"}[w.rng.Intn(6)] }

func (w *shaped) scalar(depth int) *kernel.Term {
	if depth <= 0 {
		if w.rng.Intn(4) == 0 {
			return must(w.sig.Number(big.NewRat(int64(w.rng.Intn(5)-2), int64(1+w.rng.Intn(3)))))
		}
		return w.scalars[w.rng.Intn(len(w.scalars))]
	}
	d := depth - 1
	switch w.rng.Intn(12) {
	case 0:
		return w.make(kernel.Sum, w.scalar(d), w.scalar(d))
	case 1, 2:
		return w.make(kernel.Product, w.scalar(d), w.scalar(d))
	case 3:
		return must(w.sig.Make(kernel.Power, w.rng.Intn(4), w.scalar(d)))
	case 4:
		return w.make(kernel.Reciprocal, w.scalar(d))
	case 5:
		q := w.scalar(d - 1)
		return w.make(kernel.Root, w.make(kernel.Product, q, q))
	case 6:
		return must(w.sig.SizeOf(w.dim()))
	case 7:
		r, c := w.dim(), w.dim()
		return w.make(kernel.Trace, w.make(kernel.Product, w.make(kernel.Transpose, w.make(kernel.RowStack, w.matrix(r, c, d-1))), w.make(kernel.RowStack, w.matrix(r, c, d-1))))
	default:
		r := w.dim()
		return w.make(kernel.Trace, w.matrix(r, r, d))
	}
}

func (w *shaped) matrix(r, c kernel.Dim, depth int) *kernel.Term {
	if depth <= 0 {
		for _, i := range w.rng.Perm(len(w.letters)) {
			t := w.letters[i]
			p, q := t.Shape()
			if p == r && q == c && (p != q || w.rng.Intn(2) == 0) {
				return t
			}
			if p == c && q == r {
				return w.make(kernel.Transpose, t)
			}
		}
		if r == c {
			return must(w.sig.IdentityOf(r))
		}
		return must(w.sig.ZeroOf(r, c))
	}
	d := depth - 1
	switch w.rng.Intn(11) {
	case 0:
		return w.make(kernel.Sum, w.matrix(r, c, d), w.matrix(r, c, d))
	case 1:
		return w.make(kernel.Product, w.scalar(d), w.matrix(r, c, d))
	case 2:
		return w.make(kernel.Transpose, w.matrix(c, r, d))
	case 3, 4:
		if r == c {
			return w.make(kernel.Inverse, w.matrix(r, r, d))
		}
	case 5:
		if r == c {
			return must(w.sig.Make(kernel.Power, w.rng.Intn(4), w.matrix(r, r, d)))
		}
	case 6:
		if r == c { // a matrix beside its transpose
			p := w.matrix(r, w.dim(), d)
			return w.make(kernel.Product, p, w.make(kernel.Transpose, p))
		}
	}
	m := w.dim()
	return w.make(kernel.Product, w.matrix(r, m, d), w.matrix(m, c, d))
}

// stacked draws terms of Kronecker products and stacked matrices.
func (w *shaped) stacked(depth int) *kernel.Term {
	dims := []kernel.Dim{"n", "m", "k"}
	of := func() (r, c kernel.Dim) { return dims[w.rng.Intn(3)], dims[w.rng.Intn(3)] }
	r, c := of()
	switch w.rng.Intn(5) {
	case 0: // (A ⊗ B)·rvec(T)
		p, q := of()
		return w.make(kernel.Product, w.make(kernel.Kronecker, w.matrix(p, r, depth), w.matrix(q, c, depth)), w.make(kernel.RowStack, w.matrix(r, c, depth)))
	case 1: // rvec(T)ᵀ·(A ⊗ B)
		p, q := of()
		return w.make(kernel.Product, w.make(kernel.Transpose, w.make(kernel.RowStack, w.matrix(r, c, depth))), w.make(kernel.Kronecker, w.matrix(r, p, depth), w.matrix(c, q, depth)))
	case 2: // tr((A ⊗ B)·(C ⊗ D))
		p, q := of()
		return w.make(kernel.Trace, w.make(kernel.Product, w.make(kernel.Kronecker, w.matrix(p, r, depth), w.matrix(q, c, depth)), w.make(kernel.Kronecker, w.matrix(r, p, depth), w.matrix(c, q, depth))))
	case 3:
		k := w.make(kernel.Kronecker, w.matrix(r, r, depth), w.matrix(c, c, depth))
		return must(w.sig.Make(kernel.Power, w.rng.Intn(3), w.make(kernel.Sum, k, must(w.sig.IdentityOf(r+"*"+c)))))
	default:
		z := w.sig.Lookup("Z")
		return w.make(kernel.Product, w.make(kernel.Transpose, z), w.make(kernel.Power, z))
	}
}

// state draws values that have the structures, or, loose, that need not have them.
func (w *shaped) state(loose bool) *model.State {
	num := func() *big.Rat { return big.NewRat(int64(w.rng.Intn(9)-4), int64(1+w.rng.Intn(3))) }
	values := map[string][][]*big.Rat{}
	fill := func(r, c int, f func(i, j int) *big.Rat) [][]*big.Rat {
		out := make([][]*big.Rat, r)
		for i := range out {
			for j := range c {
				out[i] = append(out[i], f(i, j))
			}
		}
		return out
	}
	size := func(d kernel.Dim) int {
		n := 1
		for _, l := range d.Legs() {
			n *= w.sizes[l]
		}
		return n
	}
	// reflection is I − 2vvᵀ/vᵀv.
	reflection := func(n int) [][]*big.Rat {
		v, s := make([]*big.Rat, n), new(big.Rat)
		for i := range v {
			v[i] = big.NewRat(int64(w.rng.Intn(5)+1), 1)
			s.Add(s, new(big.Rat).Mul(v[i], v[i]))
		}
		return fill(n, n, func(i, j int) *big.Rat {
			x := new(big.Rat).Mul(v[i], v[j])
			x.Mul(x, big.NewRat(-2, 1)).Quo(x, s)
			if i == j {
				x.Add(x, big.NewRat(1, 1))
			}
			return x
		})
	}
	product := func(a, b [][]*big.Rat) [][]*big.Rat {
		return fill(len(a), len(b[0]), func(i, j int) *big.Rat {
			s := new(big.Rat)
			for k := range b {
				s.Add(s, new(big.Rat).Mul(a[i][k], b[k][j]))
			}
			return s
		})
	}
	for _, y := range w.sig.Symbols() {
		if y.Scalar() {
			values[y.Name()] = [][]*big.Rat{{num()}}
			continue
		}
		r, c := y.Shape()
		v := fill(size(r), size(c), func(int, int) *big.Rat { return num() })
		n := size(r)
		turn := func(k *big.Rat) {
			for i := range v {
				for j := range i {
					v[i][j] = new(big.Rat).Mul(k, v[j][i])
				}
			}
		}
		name := y.Name()
		if loose {
			name = ""
		}
		switch name {
		case "S":
			turn(big.NewRat(1, 1))
		case "K":
			turn(big.NewRat(-1, 1))
			for i := range v {
				v[i][i] = new(big.Rat)
			}
		case "P":
			vt := fill(n, n, func(i, j int) *big.Rat { return v[j][i] })
			v = product(v, vt)
			for i := range v {
				v[i][i].Add(v[i][i], big.NewRat(1, 2))
			}
		case "D", "F", "G":
			v = fill(n, n, func(i, j int) *big.Rat {
				switch {
				case i != j:
					return new(big.Rat)
				case y.Name() == "G":
					return big.NewRat(int64(2*w.rng.Intn(2)-1), 1)
				}
				return num()
			})
		case "H":
			v = reflection(n)
		case "Q", "U":
			q := product(reflection(n), reflection(n))
			v = fill(n, size(c), func(i, j int) *big.Rat { return q[i][j] })
		case "J":
			s := int64(2*w.rng.Intn(2) - 1)
			v = fill(2, 2, func(i, j int) *big.Rat { return big.NewRat(s*int64(j-i), 1) })
		}
		values[y.Name()] = v
	}
	return must(model.NewState(w.sig, w.sizes, values))
}

// differ reports whether two terms have different values at a state.
func (w *shaped) differ(x, y *kernel.Term, st *model.State) bool {
	v, err := model.Evaluate(w.ctx.Dynamics(), x, st)
	if err != nil {
		return false
	}
	u, err := model.Evaluate(w.ctx.Dynamics(), y, st)
	return err == nil && !u.Equal(v)
}

// The normal form of a term has the term's value wherever the hypotheses hold whose structure it uses: symmetric, antisymmetric,
// diagonal, isometric letters and those that are several of these, inverses, roots, Kronecker products and stacked matrices.
func TestNormalFormsHaveTheValue(t *testing.T) {
	worlds := 16
	if os.Getenv("STOPGRAD_LONG") != "" {
		worlds = 2_000
	}
	same, refused, noticed := 0, 0, 0
	for seed := range worlds {
		w := newShaped(rand.New(rand.NewSource(int64(seed))))
		states := []*model.State{w.state(false), w.state(false), w.state(false)}
		for _, st := range states {
			for _, h := range w.ctx.Hypotheses() {
				if j, err := model.Holds(w.ctx, h.Formula(), st); err != nil || !j.Holds {
					t.Fatalf("seed %d: a hypothesis does not hold at %s: %v", seed, st, err)
				}
			}
		}
		for range 60 {
			var x *kernel.Term
			switch w.rng.Intn(4) {
			case 0:
				x = w.stacked(w.rng.Intn(3))
			case 1:
				x = w.matrix(w.dim(), w.dim(), 1+w.rng.Intn(4))
			default:
				x = w.scalar(1 + w.rng.Intn(4))
			}
			e, err := w.ctx.Expanded(x)
			if err != nil {
				refused++
				continue
			}
			if w.differ(x, e, w.state(true)) {
				noticed++
			}
			for _, st := range states {
				v, err := model.Evaluate(w.ctx.Dynamics(), x, st)
				var none *model.NoValue
				if errors.As(err, &none) {
					continue
				}
				if err != nil {
					break
				}
				u, err := model.Evaluate(w.ctx.Dynamics(), e, st)
				if err != nil {
					if errors.As(err, &none) {
						t.Errorf("seed %d: %s has the value %s, and its normal form %s none: %v", seed, kernel.Print(x), v, kernel.Print(e), err)
					}
					break
				}
				if !u.Equal(v) {
					t.Errorf("seed %d: %s is %s, its normal form %s is %s at %s", seed, kernel.Print(x), v, kernel.Print(e), u, st)
				}
				same++
			}
		}
	}
	t.Logf("%d values agree, %d terms have no normal form", same, refused)
	// Where the hypotheses do not hold, the normal form may have another value.
	if noticed < worlds {
		t.Errorf("only %d differences were noticed where there is no structure", noticed)
	}
	if same < worlds*20 {
		t.Errorf("only %d values were compared", same)
	}
}
