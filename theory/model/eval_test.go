package model_test

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

const general = `
	size n m
	state x
	state y
	param p
	input u
	state W n n
	param S n n
	param B n m
	param c n
	random e n
	random g m
	centred v n
	centred z n
	random f n
	E e e = x*I(n) + S
	E v v = p*I(n)
	E g e = B^T
	E e f = W
	x' = -x*y
	y' = root(x)
	W' = sg(W)*S - grad(tr(W^T*sg(W)), W)
	x+ = 4*x
	y+ = y + u
	W+ = W*W
`

// Each value was computed by hand.
func TestValues(t *testing.T) {
	l := newLab(kernel.AtState, general)
	const at = "n=2 m=1 x=9 y=2 p=5 u=7 W=1,2;3,4 S=2,1;1,3 B=1;-1 c=1;-1"
	for _, c := range []struct{ term, want string }{
		{"3/4", "3/4"},
		{"size(n)", "2"},
		{"tr(I(n*m))", "2"},
		{"O(n,m)", "[0; 0]"},
		{"x - y", "7"},
		{"x*W", "[9, 18; 27, 36]"},
		{"W*B", "[-1; -1]"},
		{"W^2", "[7, 10; 15, 22]"},
		{"W^0", "[1, 0; 0, 1]"},
		{"x^0", "1"},
		{"tr(W)", "5"},
		{"W^T", "[1, 3; 2, 4]"},
		{"1/x", "1/9"},
		{"root(x)", "3"},
		{"root(y)", "(1)*root(2)"},
		{"root(y)^2", "2"},
		{"root(3 + 2*root(y)) - root(y)", "1"}, // √(3 + 2√2) = 1 + √2
		{"root(6)/root(y) - root(3)", "0"},
		{"inv(W)", "[-2, 1; 3/2, -1/2]"},
		{"rvec(W)", "[1; 2; 3; 4]"},
		{"kron(W, I(m))", "[1, 2; 3, 4]"},
		{"kron(B, W)", "[1, 2; 3, 4; -1, -2; -3, -4]"}, // the first factor is slow
		{"kron(B^T, B)", "[1, -1; -1, 1]"},
		{"ddt(x)", "-18"},
		{"ddt(x*y)", "-9"},          // −18·2 + 9·3
		{"ddt(ddt(x))", "9"},        // −x'y − xy' = 36 − 27
		{"ddt(ddt(ddt(x)))", "117"}, // −x″y − 2x′y′ − xy″, y″ = x′/(2√x) = −3
		{"ddt(1/x)", "2/9"},         // −x'/x²
		{"ddt(root(x))", "-3"},      // x'/(2√x)
		{"ddt(p)", "0"},
		{"ddt(inv(W))*0 + I(n)", "[1, 0; 0, 1]"},
		{"next(root(x))", "6"},
		{"ddt(root(E(diff(tr(e*e^T), y))))", "0"}, // what does not mention y has no derivative, and no moment moves it
		{"diff(x^3, x)", "243"},
		{"diff(x*root(y*2), x)", "2"},
		{"diff(diff(x^3*y, x), y)", "243"},
		{"grad(tr(W^T*S*W), W)", "[10, 16; 20, 28]"}, // (S + Sᵀ)W
		{"grad(tr(W*S), W)", "[2, 1; 1, 3]"},         // Sᵀ
		{"gradsym(tr(W*W), W)", "[2, 5; 5, 8]"},      // 2Wᵀ, symmetric part
		{"gradskew(tr(W*W), W)", "[0, 1; -1, 0]"},    // 2Wᵀ, antisymmetric part
		{"grad(tr(W^T*sg(W)), W)", "[1, 2; 3, 4]"},
		{"grad(tr(sg(W^T)*W*S), W)", "[4, 7; 10, 15]"}, // W·Sᵀ
		{"sg(x)", "9"},
		{"ddt(sg(x))", "-18"}, // outside of gradients sg is the identity
		{"diff(sg(x)*x, x)", "9"},
		{"diff(ddt(sg(x)*x), x)", "-36"}, // sg(x) = 9 moves by −18 and is constant to diff: −18·x − 9·x·y
		{"diff(ddt(x)*sg(x), x)", "-18"}, // −y·x, not 2·(−y)·x
		{"ddt(W)", "[3, 5; 7, 11]"},      // W·S − W, equations being closed: [4 7; 10 15] − W
		{"diff(tr(ddt(W)*sg(S)), x)", "0"},
		{"grad(tr(ddt(W)), W)", "[1, 1; 1, 2]"}, // W' = W·S − W: tr has the gradient Sᵀ − I
		{"at(x^2 + y, x, 2*y)", "18"},
		{"at(x*y, x, y, y, x)", "18"}, // at once
		{"at(ddt(x), x, 4)", "-8"},
		{"at(diff(x^2, x), x, y)", "4"},
		{"diff(at(x^2, x, y), y)", "4"},
		{"E(tr(v*v^T))", "10"},
		{"E(e*e^T)", "[11, 1; 1, 12]"}, // xI + S
		{"E(tr(e^T*W*e))", "64"},       // tr(W·M) = 11 + 2 + 3 + 48
		{"E(e*g^T)", "[1; -1]"},
		{"E(g*e^T)", "[1, -1]"},
		{"E(e*f^T)", "[1, 2; 3, 4]"},
		{"E(f*e^T)", "[1, 3; 2, 4]"},
		{"E(v*z^T)", "[0, 0; 0, 0]"}, // centred
		{"E(v*e^T)", "[0, 0; 0, 0]"},
		{"E((W*v)*(W*v)^T)", "[25, 55; 55, 125]"}, // 5·W·Wᵀ
		{"E(tr(e*c^T)^2)", "21"},                  // Bᵀ·M·B = 11 − 1 − 1 + 12
		{"E(tr(e*c^T)*tr(W*e*c^T))", "2"},         // cᵀ·M·Wᵀc with Wᵀc = (−2, −2)
		{"E(3 + tr(v*v^T)*y)", "23"},
		{"E((tr(e*c^T) + 1)^2 - 2*tr(e*c^T))", "22"}, // the linear part cancels
		{"ddt(tr(E(e*e^T)))", "-36"},                 // moments move: n·x'
		{"diff(tr(E(e*e^T)), x)", "2"},
		{"next(tr(E(e*e^T)))", "77"},                                  // 2·36 + 5
		{"grad(E(tr((W*v - e)*(W*v - e)^T)), W)", "[10, 20; 30, 40]"}, // 2·W·5
		{"E(grad(tr((W*v)*(W*v)^T), W))", "[10, 20; 30, 40]"},
		{"grad(E(tr((W*v)*(sg(W*v))^T)), W)", "[5, 10; 15, 20]"},
		{"E(x*tr(E(v*v^T)))", "90"},
	} {
		if got := l.value(t, c.term, at); got != c.want {
			t.Errorf("%s = %s, want %s", c.term, got, c.want)
		}
	}
}

// What has no value says what is at fault; what cannot be evaluated says why.
func TestNoValues(t *testing.T) {
	l := newLab(kernel.AtState, general)
	const at = "n=2 m=1 x=0 y=2 p=0 u=7 W=1,2;2,4 S=2,1;1,3 B=1;-1 c=1;-1"
	for _, c := range []struct{ term, want string }{
		{"1/x", "is zero and divides"},
		{"x/x", "is zero and divides"},
		{"0*(1/x)", "is zero and divides"},
		{"(1/x)^0", "is zero and divides"},
		{"at(1/y, y, x)", "is zero and divides"},
		{"at(0*p, p, 1/x)", "is zero and divides"},
		{"at(y, p, 1/x)", "is zero and divides"}, // needed or not
		{"at(diff(p, y), p, 1/x)", "is zero and divides"},
		{"ddt(1/p)", "is zero and divides"},
		{"diff(1/p, x)", "is zero and divides"},
		{"root(x - 1)", "is negative under a root"},
		{"next(root(x - y))", "is negative under a root"},
		{"inv(W)", "has no inverse"},
		{"ddt(root(x))", "is zero under a root that is differentiated"},
		{"ddt(root(x^2))", "is zero under a root that is differentiated"}, // |x| at 0
		{"diff(root(x*y), y)", "is zero under a root that is differentiated"},
		{"grad(root(tr(W^T*W) - 25), W)", "is zero under a root that is differentiated"},
		{"E(tr(v*v^T)/p)", "is zero and divides"},
		{"ddt(u)", "u has no derivative in time"},
		{"ddt(ddt(x + u) - u)", "u has no derivative in time"},
		{"next(u)", "u has no next value"},
		{"ddt(tr(E(e*e^T)) + u)", "u has no derivative in time"},
		{"e", "the random symbol e has no value at a state"},
		{"E(e)", "odd in the random columns"},
		{"E(tr(e*c^T)^3)", "odd in the random columns"},
		{"E(tr(e*c^T)^4)", "not quadratic"},
		{"E((tr(e*c^T)^4096)^2)", "the degree in random columns is too high"},
		{"E(tr(f*c^T)^2)", "the moment of f and f is not declared"},
		{"E(tr(e*v^T)*tr(e*v^T*S))", "not quadratic"},
		{"E(tr(kron(e*e^T, e*e^T)))", "not quadratic"},
		{"E(tr(v*v^T)*tr(e*e^T))", "not quadratic"},
		{"E(tr(e*c^T)/tr(e*c^T))", "is random"},
		{"E(1/(1 + tr(e*e^T)))", "is random"},
		{"E(root(tr(e*e^T)))", "is random"},
		{"E(at(root(y), y, tr(e*e^T)))", "is random"},
		{"E(g*g^T)", "the moment of g and g is not declared"},
		{"E(g*f^T)", "the moment of f and g is not declared"},
		{"E(z*z^T)", "the moment of z and z is not declared"},
		{"E(ddt(tr(e*e^T)))", "e has no derivative in time"},
		{"diff(diff(x*sg(x), x), x)", "inside of two gradients"},
		{"grad(tr(grad(tr(W*sg(W)), W)), W)", "inside of two gradients"},
	} {
		if got := l.value(t, c.term, at); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.term, got, c.want)
		}
	}
	var none *model.NoValue
	if _, err := model.Evaluate(l.dyn, term(l.sig, "1 + y/x"), l.at(at)); !errors.As(err, &none) || none.Term() != term(l.sig, "x") {
		t.Errorf("the divisor at fault is not named: %v", err)
	}
	if _, err := model.Evaluate(l.dyn, term(l.sig, "ddt(u)"), l.at(at)); err == nil || errors.As(err, &none) {
		t.Errorf("a term without meaning is said to have no value here: %v", err)
	}
}

// The moment of a column with itself is symmetric, and columns whose moment has no value have no expectations, needed or not.
func TestMoments(t *testing.T) {
	l := newLab(kernel.AtState, "size n\nparam p\nparam c n\nparam M n n\nrandom v n\nrandom w n\nE v v = M\nE w w = (1/p)*I(n)")
	for src, want := range map[string]string{
		"E(tr(v*c^T)^2)":               "the moment of v is not symmetric",
		"E(tr(w*w^T) - tr(w*w^T))":     "is zero and divides",
		"E(0*tr(w*w^T) + tr(c*c^T))":   "is zero and divides",
		"E(tr(c*c^T))":                 "2",
		"E(tr(v*v^T))":                 "0",
		"E(tr(v*v^T) - tr(v*v^T))":     "0",
		"E(tr(v*c^T) - tr(v*c^T) + 1)": "1",
	} {
		if got := l.value(t, src, "n=2 p=0 c=1;1 M=0,1;0,0"); !strings.Contains(got, want) {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
}

// An equation is one number at a state, under E too.
func TestEquationsAreNotRandom(t *testing.T) {
	l := newLab(kernel.AtState, "size n\nstate x\nparam p\nrandom e n\nE e e = I(n)\nx' = tr(e*e^T)")
	if got := l.value(t, "E(at(ddt(x), p, tr(e*e^T)))", "n=1 x=1 p=1"); !strings.Contains(got, "mentions the random column e") {
		t.Error(got)
	}
}

// A polynomial that agrees with a quadratic at many points but not at all is no quadratic.
func TestQuadraticJointly(t *testing.T) {
	l := newLab(kernel.AtState, "size n\nrandom e n\nparam c n\nstate x\nE e e = I(n)\nx' = x^4\nx+ = x^4")
	const z = "tr(e*c^T)"
	for _, extra := range []string{
		z + "*(" + z + " - 1)*(" + z + " + 1)*(" + z + " - 2)",
		z + "^2*(" + z + "^2 - 1)*(" + z + "^2 - 4)*(" + z + "^2 - 9)",
	} {
		if got := l.value(t, "E("+z+"^2 + "+extra+")", "n=1 c=1 x=0"); !strings.Contains(got, "not quadratic") && !strings.Contains(got, "odd") {
			t.Errorf("%s: %s", extra, got)
		}
	}
	for _, op := range []string{"ddt", "next"} {
		if got := l.value(t, "E(at("+op+"(x), x, "+z+"))", "n=1 c=1 x=0"); !strings.Contains(got, "not quadratic") {
			t.Errorf("%s of what is random by at: %s", op, got)
		}
	}
	if got := l.value(t, "E(("+z+"^2 + 1)^2 - "+z+"^4)", "n=1 c=1 x=0"); got != "3" {
		t.Errorf("what cancels: %s", got)
	}
}

func TestStateShapes(t *testing.T) {
	sig := kernel.NewSignature()
	sig.DeclareSize("n")
	must(sig.DeclareMatrix("W", kernel.State, "n", "1"))
	must(sig.DeclareMatrix("e", kernel.Random, "n", "1"))
	one := [][]*big.Rat{{big.NewRat(1, 1)}}
	for _, c := range []struct {
		sizes  map[string]int
		values map[string][][]*big.Rat
		want   string
	}{
		{nil, nil, "the size n needs a number"},
		{map[string]int{"n": 0}, nil, "the size n needs a number"},
		{map[string]int{"n": 1, "m": 1}, map[string][][]*big.Rat{"W": one}, "not declared"},
		{map[string]int{"n": 1}, nil, "W has no value"},
		{map[string]int{"n": 2}, map[string][][]*big.Rat{"W": one}, "W has 1 rows, not 2"},
		{map[string]int{"n": 1}, map[string][][]*big.Rat{"W": {{nil}}}, "W lacks an entry"},
		{map[string]int{"n": 1}, map[string][][]*big.Rat{"W": {nil}}, "W has 0 columns"},
		{map[string]int{"n": 1}, map[string][][]*big.Rat{"W": one, "e": one}, "has none at a state"},
	} {
		// What is refused is handed to nobody.
		if st, err := model.NewState(sig, c.sizes, c.values); st != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v %v: %v, want %s", c.sizes, c.values, err, c.want)
		}
	}
	st := must(model.NewState(sig, map[string]int{"n": 1}, map[string][][]*big.Rat{"W": one}))
	one[0][0].SetInt64(7)
	st.Entries("W")[0][0].SetInt64(8)
	if got := st.String(); got != "n = 1, W = [1]" {
		t.Errorf("the state is %s: it can be changed from outside", got)
	}
	// A size that is declared later is no number there.
	sig.DeclareSize("m")
	if v, err := model.Evaluate(kernel.NewDynamics(sig), must(sig.SizeOf("m")), st); err == nil || !strings.Contains(err.Error(), "the size m has no number") {
		t.Errorf("a size that was not known when the state was made is %v, %v", v, err)
	}
}

// A state that is made while a symbol is overwritten has a value of another shape, and says nothing.
func TestStatesOfOverwrittenSymbols(t *testing.T) {
	sig := kernel.NewSignature()
	sig.DeclareSize("n")
	sig.DeclareSize("m")
	a := must(sig.DeclareMatrix("A", kernel.Param, "n", "n"))
	b := must(sig.DeclareMatrix("B", kernel.Param, "m", "m"))
	sizes := map[string]int{"n": 3, "m": 2}
	values := map[string][][]*big.Rat{"B": {{big.NewRat(1, 1), new(big.Rat)}, {new(big.Rat), new(big.Rat)}}}
	saved := *a.Symbol()
	*a.Symbol() = *b.Symbol()
	st, err := model.NewState(sig, sizes, values)
	*a.Symbol() = saved
	if err != nil {
		t.Fatal(err)
	}
	tr := must(sig.Make(kernel.Trace, 0, a))
	if v, err := model.Evaluate(kernel.NewDynamics(sig), tr, st); err == nil || !strings.Contains(err.Error(), "has not its shape") {
		t.Errorf("the trace of a 3x3 matrix with a value of 2x2 is %v, %v", v, err)
	}
}

// What does not move has a derivative at the end of a root's domain.
func TestRootsOfWhatRests(t *testing.T) {
	l := newLab(kernel.AtState, "state x\nstate y\nparam p\nx' = 0\ny' = 0*p")
	for src, want := range map[string]string{
		"ddt(root(x))": "0", "ddt(root(p))": "0", "diff(root(p), x)": "0", "diff(x*root(y), x)": "0", "diff(sg(root(x))*x, x)": "0",
		"ddt(root(y))": "model: no value", "diff(root(x), x)": "model: no value", "diff(root(x*0), x)": "model: no value",
	} {
		if got := l.value(t, src, "x=0 y=0 p=0"); !strings.HasPrefix(got, want) {
			t.Errorf("%s = %s, want %s", src, got, want)
		}
	}
}

// What has the equation 0, written so, is at rest, and its roots have a derivative where they are zero. An equation that comes
// to 0 is another one, whatever operator it begins with, for the kernel, which then divides by the root, as for the model.
func TestEquationsThatHappenToBeZero(t *testing.T) {
	for law, rests := range map[string]bool{
		"0": true, "at(0, p, x)": false, "sg(0)": false, "E(0)": false, "next(0)": false, "ddt(p)": false, "diff(p, x)": false, "at(ddt(p), p, x)": false,
		"at(p, p, 0)": false, "next(z)": false, "ddt(z)": false, "sg(at(p, p, 0))": false, "at(ddt(x), p, 0)": false,
		"0*p": false, "at(0*p, p, x)": false, "sg(0*p)": false, "E(0*p)": false, "next(0*p)": false, "ddt(x)": false, "diff(x*p, x)": false,
		"at(diff(x*p, x), p, x)": false,
	} {
		l := newLab(kernel.AtState, "state x\nstate y\nstate z\nparam p\nx' = 0*p\nx+ = x\ny+ = y\nz' = 0\nz+ = 0\ny' = "+law)
		want := "model: no value"
		if rests {
			want = "0"
		}
		slope := term(l.sig, "ddt(root(y))")
		if got := l.value(t, "ddt(root(y))", "x=0 y=0 z=0 p=0"); !strings.HasPrefix(got, want) {
			t.Errorf("y' = %s: ddt(root(y)) = %s, want %s", law, got, want)
		}
		divides := slices.Contains(must(l.dyn.Parts(slope)), term(l.sig, "reciprocal(root(y))"))
		if divides == rests {
			t.Errorf("y' = %s: the kernel divides by root(y): %v", law, divides)
		}
	}
}

// Dynamics, term and state are of one signature.
func TestEvaluateAsksForOneSignature(t *testing.T) {
	l, other := newLab(kernel.AtState, "state x"), newLab(kernel.AtState, "state x")
	st, one := l.at("x=1"), term(l.sig, "1")
	for about, f := range map[string]func() (model.Value, error){
		"no dynamics":        func() (model.Value, error) { return model.Evaluate(nil, one, st) },
		"no term":            func() (model.Value, error) { return model.Evaluate(l.dyn, nil, st) },
		"no state":           func() (model.Value, error) { return model.Evaluate(l.dyn, one, nil) },
		"another's term":     func() (model.Value, error) { return model.Evaluate(l.dyn, term(other.sig, "1"), st) },
		"another's state":    func() (model.Value, error) { return model.Evaluate(l.dyn, one, other.at("x=1")) },
		"another's dynamics": func() (model.Value, error) { return model.Evaluate(other.dyn, one, st) },
	} {
		if v, err := f(); err == nil || !strings.Contains(err.Error(), "of one signature") {
			t.Errorf("%s: %v %v", about, v, err)
		}
	}
}

// Hostile terms end in a clear error.
func TestLimits(t *testing.T) {
	l := newLab(kernel.AtState, "size n\nstate x\nstate W n n\nx' = 1\nx+ = next(x)")
	repeat := func(n int, step string) string {
		s := "x"
		for range n {
			s = strings.ReplaceAll(step, "_", s)
		}
		return s
	}
	x := term(l.sig, "x")
	doubled, replaced := x, x
	for range 40 {
		doubled = must(l.sig.Make(kernel.Product, 0, doubled, doubled))
		twice := must(l.sig.Make(kernel.Sum, 0, x, x))
		replaced = must(l.sig.Make(kernel.Sum, 0, must(l.sig.Make(kernel.At, 0, replaced, x, twice)), must(l.sig.Make(kernel.At, 0, replaced, x, x))))
	}
	for _, c := range []struct {
		about string
		term  *kernel.Term
		want  string
	}{
		{"forty doublings", doubled, "bits"},
		{"forty doublings under at", replaced, "operations"},
		{"a map that refers to itself", term(l.sig, "next(x)"), "deep"},
		{"nine derivatives", term(l.sig, repeat(9, "ddt(_)")), "nested"},
		{"large matrices", term(l.sig, "kron(kron(W, W), kron(W, W))"), "a matrix of"},
	} {
		if _, err := model.Evaluate(l.dyn, c.term, l.at("n=20 x=3 W="+strings.TrimSuffix(strings.Repeat(strings.TrimSuffix(strings.Repeat("1,", 20), ",")+";", 20), ";"))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.about, err)
		}
	}
	for src, want := range map[string]string{
		"E(at(next(x), x, tr(e*e^T)))":               "more than 500 deep",
		"E(tr(e*e^T) + tr(e*e^T)^20 - tr(e*e^T)^20)": "too many points",
	} {
		r := newLab(kernel.AtState, "size n\nstate x\nrandom e n\nE e e = I(n)\nx+ = next(x)")
		if got := r.value(t, src, "n=4 x=1"); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", src, got, want)
		}
	}
}
