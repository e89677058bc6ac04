package algebra

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func letters(t *testing.T, r *Ring, ls ...Letter) []*Mat {
	t.Helper()
	var out []*Mat
	for _, l := range ls {
		out = append(out, r.LetterMat(r.AddLetter(l)))
	}
	return out
}

func mul(t *testing.T, r *Ring, ms ...*Mat) *Mat {
	t.Helper()
	p := ms[0]
	for _, m := range ms[1:] {
		var err error
		if p, err = r.MulMat(p, m); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func free(name string) Letter { return Letter{Name: name, Rows: "n", Cols: "n", InverseOf: -1} }

func TestTransposeReversesProducts(t *testing.T) {
	r := NewRing()
	m := letters(t, r, Letter{Name: "A", Rows: "n", Cols: "m", InverseOf: -1}, Letter{Name: "B", Rows: "m", Cols: "k", InverseOf: -1})
	l := r.TransposeMat(mul(t, r, m[0], m[1]))
	if rhs := mul(t, r, r.TransposeMat(m[1]), r.TransposeMat(m[0])); !r.EqualMat(l, rhs) {
		t.Errorf("(AB)ᵀ = %s", r.FormatMat(l))
	}
	if _, err := r.MulMat(m[1], m[0]); err == nil {
		t.Error("the product of a m×k and a n×m matrix was accepted")
	}
	if _, err := r.AddMat(m[0], m[1]); err == nil {
		t.Error("the sum of two shapes was accepted")
	}
}

func TestTraceIsCyclicAndTransposeInvariant(t *testing.T) {
	r := NewRing()
	m := letters(t, r, free("A"), free("B"), free("C"))
	tr := func(ms ...*Mat) *Frac {
		f, err := r.Trace(mul(t, r, ms...))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	abc := tr(m[0], m[1], m[2])
	for _, same := range []*Frac{tr(m[1], m[2], m[0]), tr(r.TransposeMat(m[2]), r.TransposeMat(m[1]), r.TransposeMat(m[0]))} {
		if !r.EqualFrac(abc, same) {
			t.Errorf("tr(ABC) ≠ %s", r.FormatFrac(same))
		}
	}
	if r.EqualFrac(abc, tr(m[0], m[2], m[1])) {
		t.Error("tr(ABC) = tr(ACB) for free letters")
	}
}

func TestTraceOfSkewTimesSymmetricVanishes(t *testing.T) {
	r := NewRing()
	k, s := free("K"), free("S")
	k.Skew, s.Symmetric = true, true
	m := letters(t, r, k, s, free("A"))
	f, err := r.Trace(mul(t, r, m[0], m[1]))
	if err != nil || !f.IsZero() {
		t.Errorf("tr(KS) = %s", r.FormatFrac(f))
	}
	if f, _ := r.Trace(mul(t, r, m[0], m[2])); f.IsZero() {
		t.Error("tr(KA) = 0 for a free A")
	}
}

func TestIsometryAndInverseCancelOnTheRightSide(t *testing.T) {
	r := NewRing()
	u := letters(t, r, Letter{Name: "U", Rows: "n", Cols: "m", Isometry: true, InverseOf: -1})[0]
	if got := mul(t, r, r.TransposeMat(u), u); !r.EqualMat(got, r.IdentityMat("m", Int(1))) {
		t.Errorf("UᵀU = %s", r.FormatMat(got))
	}
	if got := mul(t, r, u, r.TransposeMat(u)); r.EqualMat(got, r.IdentityMat("n", Int(1))) {
		t.Error("UUᵀ = I for a tall isometry")
	}
	// The trace of U·Uᵀ is m, the number of columns, not n.
	f, err := r.Trace(mul(t, r, u, r.TransposeMat(u)))
	if want := r.Gen(r.AddScalar("size:m")); err != nil || !r.EqualFrac(f, want) {
		t.Errorf("tr(UUᵀ) = %s, expected m", r.FormatFrac(f))
	}
	s := r.AddLetter(free("S"))
	inv := free("inv(S)")
	inv.InverseOf = s
	i := r.LetterMat(r.AddLetter(inv))
	id := r.IdentityMat("n", Int(1))
	for _, p := range []*Mat{mul(t, r, r.LetterMat(s), i), mul(t, r, i, r.LetterMat(s)), mul(t, r, r.TransposeMat(i), r.TransposeMat(r.LetterMat(s)))} {
		if !r.EqualMat(p, id) {
			t.Errorf("S·S⁻¹ = %s", r.FormatMat(p))
		}
	}
	if p := mul(t, r, r.TransposeMat(r.LetterMat(s)), i); r.EqualMat(p, id) {
		t.Error("Sᵀ·S⁻¹ = I")
	}
}

// TestRootsReduce checks (τ−r)(τ+r) = τ² − r² with r² = τ² − 4c, and the derivative r' = q'/(2r).
func TestRootsReduce(t *testing.T) {
	r := NewRing()
	tau, c, g := r.AddScalar("tau"), r.AddScalar("c"), r.AddScalar("r")
	T, C, R := r.Gen(tau), r.Gen(c), r.Gen(g)
	if err := r.SetRoot(g, r.SubFrac(r.MulFrac(T, T), r.MulFrac(Int(4), C))); err != nil {
		t.Fatal(err)
	}
	if got := r.MulFrac(r.SubFrac(T, R), r.AddFrac(T, R)); !r.EqualFrac(got, r.MulFrac(Int(4), C)) {
		t.Errorf("(τ−r)(τ+r) = %s", r.FormatFrac(got))
	}
	d, err := r.PartialScalar(R, c)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.DivFrac(Int(-2), R)
	if err != nil || !r.EqualFrac(d, want) {
		t.Errorf("∂r/∂c = %s, expected −2/r", r.FormatFrac(d))
	}
}

// TestFracIsAField draws random rational functions and checks the field laws against evaluation.
func TestFracIsAField(t *testing.T) {
	r := NewRing()
	x, y := r.Gen(r.AddScalar("x")), r.Gen(r.AddScalar("y"))
	rng := rand.New(rand.NewPCG(1, 2))
	var draw func(depth int) *Frac
	draw = func(depth int) *Frac {
		if depth == 0 {
			return []*Frac{x, y, Int(int64(rng.IntN(5)) - 2), Const(big.NewRat(1, 3))}[rng.IntN(4)]
		}
		a, b := draw(depth-1), draw(depth-1)
		switch rng.IntN(4) {
		case 0:
			return r.AddFrac(a, b)
		case 1:
			return r.SubFrac(a, b)
		case 2:
			return r.MulFrac(a, b)
		}
		if q, err := r.DivFrac(a, b); err == nil {
			return q
		}
		return a
	}
	for range 300 {
		a, b, c := draw(3), draw(3), draw(2)
		if !r.EqualFrac(r.MulFrac(a, r.AddFrac(b, c)), r.AddFrac(r.MulFrac(a, b), r.MulFrac(a, c))) {
			t.Fatalf("distributivity fails for %s, %s, %s", r.FormatFrac(a), r.FormatFrac(b), r.FormatFrac(c))
		}
		if !b.IsZero() {
			q, err := r.DivFrac(a, b)
			if err != nil || !r.EqualFrac(r.MulFrac(q, b), a) {
				t.Fatalf("(a/b)·b ≠ a for a = %s, b = %s", r.FormatFrac(a), r.FormatFrac(b))
			}
		}
		if r.EqualFrac(r.AddFrac(a, Int(1)), a) {
			t.Fatalf("a + 1 = a for a = %s", r.FormatFrac(a))
		}
	}
	if _, err := r.DivFrac(x, r.SubFrac(y, y)); err == nil {
		t.Error("division by zero was accepted")
	}
}

// TestGradientMatchesLeibniz checks d f = tr((∂f/∂A)ᵀ·dA) for f = tr(AᵀBA)·tr(AC).
func TestGradientMatchesLeibniz(t *testing.T) {
	r := NewRing()
	a, b, c, d := r.AddLetter(free("A")), r.AddLetter(free("B")), r.AddLetter(free("C")), r.AddLetter(free("dA"))
	A, B, C, D := r.LetterMat(a), r.LetterMat(b), r.LetterMat(c), r.LetterMat(d)
	f1, _ := r.Trace(mul(t, r, r.TransposeMat(A), B, A))
	f2, _ := r.Trace(mul(t, r, A, C))
	f := r.MulFrac(f1, f2)
	g, err := r.Gradient(f, a)
	if err != nil {
		t.Fatal(err)
	}
	left, err := r.DeriveFrac(f, &Derivation{Letters: map[int]*Mat{a: D}})
	if err != nil {
		t.Fatal(err)
	}
	right, _ := r.Trace(mul(t, r, r.TransposeMat(g), D))
	if !r.EqualFrac(left, right) {
		t.Errorf("df = %s, ⟨∇f, dA⟩ = %s", r.FormatFrac(left), r.FormatFrac(right))
	}
	frozen, err := r.FreezeFrac(f)
	if err != nil {
		t.Fatal(err)
	}
	if z, err := r.Gradient(frozen, a); err != nil || !z.IsZero() {
		t.Error("the gradient sees through a stop-gradient")
	}
	if back, err := r.ThawFrac(frozen); err != nil || !r.EqualFrac(back, f) {
		t.Error("lifting the stop-gradient does not restore the objective")
	}
}
