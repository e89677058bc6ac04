package eval

import (
	"math/big"
	"slices"
	"testing"
)

// TestMeteredCountsLength: an operation on short numbers counts as one, on long ones by their length and its square.
func TestMeteredCountsLength(t *testing.T) {
	m := NewMetered()
	m.Add(big.NewRat(1, 2), big.NewRat(1, 3))
	if m.Spent() != 1 {
		t.Errorf("a sum of short numbers counts as %d", m.Spent())
	}
	long := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64*64))
	m.Mul(long, long)
	if got := m.Spent() - 1; got != 1+64+256 {
		t.Errorf("a product of numbers of 64 words counts as %d, want 1 + 64 + 64²/16", got)
	}
}

// TestInputsThroughEquations: what is said over time depends on the inputs that drive what it mentions.
func TestInputsThroughEquations(t *testing.T) {
	const head = "  scalar x, y, z\n  input u, v\n  flow\n    x' = y\n    y' = u*y\n    z' = -z\n"
	for says, want := range map[string][]string{
		"always x == 0":        {"u"},
		"always v == 0":        {"v"},
		"always z*v == 0":      {"v"},
		"z evolves at rate -1": nil,
		"x == z":               nil,
		"x evolves at rate 1":  {"u"},
	} {
		if got := Inputs(partOf(t, head+"  says s: "+says+"\n")); !slices.Equal(got, want) {
			t.Errorf("%s depends on %v, want %v", says, got, want)
		}
	}
}
