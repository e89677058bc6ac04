package prove

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"

	"stopgrad/theory/lang"
)

// States where every size is one have what structure says of 1x1 matrices, and meet all hypotheses.
func TestSmallStates(t *testing.T) {
	head := "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x > 0\n"
	for _, c := range []struct {
		decl string
		want func(a float64) bool // of A; nil if there are no states
	}{
		{"symmetric", func(a float64) bool { return true }},
		{"skew", func(a float64) bool { return a == 0 }},
		{"isometry", func(a float64) bool { return math.Abs(a) == 1 }},
		{"psd", func(a float64) bool { return a >= 0 }},
		{"pd", func(a float64) bool { return a > 0 }},
		{"invertible", func(a float64) bool { return a != 0 }},
		{"skew\n  matrix B : n x n\n  hypothesis", nil},
	} {
		text := head + "  matrix A : n x n " + c.decl + "\n  says s: tr(A*A^T) >= 0\n"
		if c.want == nil {
			text = head + "  matrix A : n x n skew\n  says s: tr(A*A^T) >= 0\n    assume h: tr(A*A^T) > 1\n"
		}
		s, _ := stateOf(t, text)
		states := s.small()
		if (len(states) > 0) != (c.want != nil) {
			t.Errorf("%s: %d states", c.decl, len(states))
		}
		a, x := s.sig.Lookup("A"), s.sig.Lookup("x")
		for _, at := range states {
			if at[nil] != 1 || at[x] <= 0 || !c.want(at[a]) {
				t.Errorf("%s: A = %v, x = %v", c.decl, at[a], at[x])
			}
		}
	}
}

// What fails at a state of size one is not looked for; what holds, at whatever size, is.
func TestImplausible(t *testing.T) {
	head := "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x > 0\n  matrix A : n x n skew\n  matrix P : n x n psd\n  matrix U : n x n isometry\n  matrix W : n x n\n  matrix V : n x n invertible\n"
	for says, want := range map[string]bool{
		"tr(W) >= 0":                        true,
		"tr(P) >= x":                        true,
		"tr(A*A^T) >= x":                    true,
		"tr(U*P*U^T) >= 0":                  false,
		"tr(W*W^T) + tr(A) >= 0":            false,
		"tr(U^T*U) >= 1":                    false,
		"tr(kron(W, W)) >= 0":               false,
		"tr(kron(P, W)) >= 0":               true,
		"size(n) >= 1":                      false,
		"size(n) >= 2":                      true,
		"tr(inv(V)*V) >= 1":                 false,
		"tr(inv(V)) >= x":                   true,
		"tr(P)^2 >= tr(P*P)":                false,
		"x*tr(W^T*W) >= tr(W^T*W)":          true,
		"root(x) + tr((W + A)*(W+A)^T) > 0": false,
	} {
		s, f := stateOf(t, head+"  says s: "+says+"\n")
		if got := s.implausible(f); got != want {
			t.Errorf("%s: implausible %v", says, got)
		}
	}
}

// A power that is written out cancels near its zero: what rounding leaves there is no failure.
func TestCancellationIsNoFailure(t *testing.T) {
	for k := int64(1); k < 60; k++ {
		a := big.NewRat(k, 40)
		// (x - a)^10 in powers of x
		text, power := "", big.NewRat(1, 1)
		for i := int64(10); i >= 0; i-- {
			c := new(big.Rat).Mul(power, new(big.Rat).SetInt(new(big.Int).Binomial(10, i)))
			text += fmt.Sprintf(" + (%s)*x^%d", c.RatString(), i)
			power.Mul(power, a).Neg(power)
		}
		for rest, want := range map[string]bool{"": false, " - 1/10": true} {
			s, f := stateOf(t, "claim c\n  title t\n  printed nowhere\n  scalar x\n  says s: "+text[3:]+rest+" >= 0\n")
			if got := s.implausible(f); got != want {
				t.Errorf("(x - %s)^10%s >= 0: implausible %v", a.RatString(), rest, got)
			}
		}
	}
}

// What a search works out between its steps is bounded with them.
func TestSearchesArithmeticIsBounded(t *testing.T) {
	// Motzkin's polynomial is no sum of squares, which takes much to see and not many rules.
	text := "claim c\n  title t\n  printed nowhere\n  scalar x, y, z\n  says s: x^4*y^2 + x^2*y^4 + z^6 - 3*x^2*y^2*z^2 >= 0\n"
	for _, labour := range []int{labourPerStep * DefaultSteps, 10_000} {
		s, f := stateOf(t, text)
		s.labour = labour
		err := func() (err error) {
			defer func() {
				if x, ok := recover().(stop); ok {
					err = x.err
				}
			}()
			if _, ok := s.squares(f); ok {
				t.Error("Motzkin's polynomial is a sum of squares")
			}
			return nil
		}()
		if errors.Is(err, errBudget) != (labour == 10_000) {
			t.Errorf("with %d operations: %v", labour, err)
		}
	}
}

// TestSharedTermsAreNotWrittenOut: forty doublings are forty terms, and more summands, factors or letters of a word than
// there is memory. What they hide is not looked for; what stands beside them is.
func TestSharedTermsAreNotWrittenOut(t *testing.T) {
	doubled := func(first, op string) string {
		text := "  let a0 = " + first + "\n"
		for k := range 40 {
			text += fmt.Sprintf("  let a%d = a%d %s a%d\n", k+1, k, op, k)
		}
		return text
	}
	head := "claim c\n  title t\n  printed nowhere\n  size n\n  scalar x, y > 0\n  matrix A : n x n\n"
	for _, c := range []struct {
		lets, says string
		want       bool
	}{
		{doubled("x + y", "+"), "a40 + x^2 + 1 >= 0\n    assume h: x >= a39*y", true},
		{doubled("x + y", "+"), "a39 + 1 >= a40 + x^2", false},
		{doubled("A", "*"), "a40*a40^T psd", false},
		{doubled("A", "*"), "tr(a40*a40^T) >= 0", false},
		{doubled("A", "*"), "tr(A*A^T) + tr(a40 + A)^2 >= 0", true},
		{doubled("A", "*"), "a6*a6^T psd", true},
	} {
		f, err := lang.Parse(lang.Source{Name: "c", Text: head + c.lets + "  says s: " + c.says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(judge(t, f.Claims[0].Parts[0], Options{Search: true}).Theorems()) > 0; got != c.want {
			t.Errorf("%s: proved is %v", c.says, got)
		}
	}
}
