package certificate_test

import (
	"strings"
	"testing"

	"stopgrad/theory/kernel/certificate"
)

// against is a certificate that a state with square roots refutes x ≥ 0 under x² = 2.
func against(state ...string) []byte {
	return sealed(append(append([]string{"symbol x param", "t letter x", "t power 2 0", "t number 2", "h here eq 1 2", "c state", "t number 0"},
		state...), "refutes 0 ge 0 3 :")...)
}

// TestAlgebraicStates: −√2 refutes; what is no field, or no state of it, is refused, and √2 and fractions refute nothing.
func TestAlgebraicStates(t *testing.T) {
	for _, good := range [][]string{
		{"root 2", "value x 1 1 : 0,-1"},
		{"root 8", "value x 1 1 : 0,-1/2"},
		{"root 3", "root 2", "value x 1 1 : 0,0,-1"},
		{"root 3", "root 2/3", "value x 1 1 : 0,0,0,-1"},
	} {
		c, err := readAll(against(good...))
		if err != nil || !c.Counterexample().Valid() {
			t.Errorf("%v: %v", good, err)
			continue
		}
		text, err := certificate.Refutation(c.Label(), nil, c.Counterexample())
		if err != nil {
			t.Fatal(err)
		}
		again, err := readAll(text)
		if err != nil || !again.Counterexample().Valid() || again.Counterexample().State().String() != c.Counterexample().State().String() {
			t.Errorf("%v: written again: %v\n%s", good, err, text)
		}
	}
	for _, bad := range []struct{ state, want string }{
		{"root 2|value x 1 1 : 0,1", "the goal holds"},
		{"value x 1 1 : -7/5", "does not hold"},
		{"root 4|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root 9/4|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root 0|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root -2|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root 2|root 2|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root 2|root 8|value x 1 1 : 0,-1", "not positive, or a square"},
		{"root 2|root 3,2|value x 1 1 : 0,-1", "not positive, or a square"}, // (1 + √2)²
		{"root 0,1|value x 1 1 : 0,-1", "coefficients"},
		{"value x 1 1 : 0,-1", "coefficients"},
		{"root 2|value x 1 1 : 0,-1,0", "coefficients"},
		{"root 2|value x 1 1 : ,-1", "no fraction"},
		{"root 2|value x 1 1 : 0,-2/2", "lowest terms"},
		{"root 2 3|value x 1 1 : 0,-1", "root takes a radicand"},
		{"root 2|root 3|root 5|root 7|root 11|root 13|root 17|value x 1 1 : 0,-1", "square roots"},
	} {
		c, err := readAll(against(strings.Split(bad.state, "|")...))
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: %v, %v; want %q", bad.state, c, err, bad.want)
		}
	}
}
