package certify

import (
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/model"
)

// fields of the format, which edits put in the place of others.
var fields = strings.Fields(`eq ge gt ne psd pd invertible diagonal here const start state param sum product power trace transpose
reciprocal root inverse number letter size identity zero leaf split interval slope bernstein exact outside theorem shed 0 1 2 -1 1/2 n : goal`)

// edited changes one field of a certificate, or drops, repeats or exchanges lines.
func edited(rng *rand.Rand, lines []string) []string {
	ls := slices.Clone(lines)
	i := 1 + rng.IntN(len(ls)-1)
	switch rng.IntN(12) {
	case 0:
		return slices.Delete(ls, i, i+1)
	case 1:
		return slices.Insert(ls, i, ls[i])
	case 2:
		j := 1 + rng.IntN(len(ls)-1)
		ls[i], ls[j] = ls[j], ls[i]
		return ls
	}
	w := strings.Split(ls[i], " ")
	k := rng.IntN(len(w))
	if n, err := strconv.Atoi(w[k]); err == nil {
		w[k] = strconv.Itoa(n + []int{-2, -1, 1, 2}[rng.IntN(4)])
	} else {
		w[k] = fields[rng.IntN(len(fields))]
	}
	ls[i] = strings.Join(w, " ")
	return ls
}

// drawn is a state with small fractions for numbers.
func drawn(rng *rand.Rand, sig *kernel.Signature) (*model.State, error) {
	number := func() *big.Rat { return big.NewRat(int64(rng.IntN(33)-16), int64(1+rng.IntN(12))) }
	sizes, values := map[string]int{}, map[string][][]*big.Rat{}
	for _, n := range sig.Sizes() {
		sizes[n] = 1 + rng.IntN(2)
	}
	for _, y := range sig.Symbols() {
		extent := func(d kernel.Dim) int {
			n := 1
			for _, leg := range d.Legs() {
				n *= sizes[leg]
			}
			return n
		}
		r, c := 1, 1
		if !y.Scalar() {
			rows, cols := y.Shape()
			r, c = extent(rows), extent(cols)
		}
		m := make([][]*big.Rat, r)
		for i := range m {
			for range c {
				m[i] = append(m[i], number())
			}
		}
		for i := range m {
			for j := range i {
				if r == c && rng.IntN(4) > 0 {
					m[i][j] = m[j][i] // symmetric, mostly
				}
			}
		}
		values[y.Name()] = m
	}
	return model.NewState(sig, sizes, values)
}

// fails is a state that meets the hypotheses of what a certificate certifies and at which that does not hold, nil if none of so
// many is one; held counts those that meet them.
func fails(rng *rand.Rand, c *certificate.Certificate, states int) (at *model.State, held int) {
	for _, x := range c.Certified() {
		ctx := x.Context()
		for range states {
			st, err := drawn(rng, ctx.Signature())
			if err != nil {
				continue
			}
			met := !slices.ContainsFunc(ctx.Hypotheses(), func(h kernel.Hypothesis) bool {
				j, err := model.Holds(ctx, h.Formula(), st)
				return err != nil || !j.Holds
			})
			if !met {
				continue
			}
			held++
			if j, err := model.Holds(ctx, x.Formula(), st); err != nil || !j.Holds {
				return st, held
			}
		}
	}
	return nil, held
}

// TestEditedRegionsAreRefusedOrTrue changes one field of certificates at random and gives them the right digest. Each is refused,
// or certifies what the model finds true at states that meet its hypotheses.
func TestEditedRegionsAreRefusedOrTrue(t *testing.T) {
	edits, states := 1_500, 60
	if os.Getenv("STOPGRAD_LONG") != "" {
		edits, states = 60_000, 400
	}
	f := claims(t, `claim t
  size n
  scalar eta, p, q
  matrix S : n x n symmetric
  says square: p^2 - p + 1/3 + eta >= 0
    for p in [-1, 2], eta in [0, 1]
  says open: p*(1 - p) + eta > 0
    for p in [0, 1], eta in (0, 1/2]
  says quotient: 1/(1 + p) + root(q) >= 1/2
    for p in [0, 1], q in [0, 2]
  says bounded: S^2 - S + 3/4*I pd
    for n = 2, S in [-1/8, 1/8]
  says assumed: p*q <= 1/2 + eta
    assume h: p + q == 1
    for p in [0, 1], q in [0, 1], eta in [0, 1]
`)
	var texts [][]string
	for _, p := range f.Claims[0].Parts {
		_, out := settled(t, f, p.Name, Options{})
		text, err := out.Certificate("t")
		if err != nil || !out.Verdict.IsCertified() {
			t.Fatalf("%s: %s, %v", p.Name, out.Say(), err)
		}
		texts = append(texts, linesOf(text))
	}
	rng := rand.New(rand.NewPCG(5, 1))
	refused, same, others, held := 0, 0, 0, 0
	for range edits {
		lines := texts[rng.IntN(len(texts))]
		text := resealed(edited(rng, lines))
		c, err := read(text)
		if err != nil {
			refused++
			continue
		}
		before, err := read(resealed(lines))
		if err != nil {
			t.Fatal(err)
		}
		if c.Sequent() == before.Sequent() {
			same++
			continue
		}
		others++
		at, n := fails(rng, c, states)
		if held += n; at != nil {
			t.Errorf("what is certified fails at %s:\n%s", at, text)
		}
	}
	t.Logf("%d edits: %d refused, %d certify the same, %d something else, %d states meet their hypotheses", edits, refused, same, others, held)
	if others < edits/100 || held < others || refused < edits/4 {
		t.Error("the edits say too little")
	}
}

// TestFalseRegionsAreFound has the search above find what is false: the hypotheses of what is certified are taken away.
func TestFalseRegionsAreFound(t *testing.T) {
	f := claims(t, "claim t\n  scalar p\n  says s: p <= 2\n    for p in [0, 1]\n")
	_, out := settled(t, f, "s", Options{})
	text, err := out.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 2))
	if at, held := fails(rng, c, 200); at != nil || held == 0 {
		t.Errorf("fails at %v, of %d states", at, held)
	}
	bare, err := kernel.NewContext(c.Certified()[0].Context().Dynamics(), kernel.AtState)
	if err != nil {
		t.Fatal(err)
	}
	goal, found := c.Certified()[0].Formula(), false
	for range 200 {
		if st, err := drawn(rng, bare.Signature()); err == nil {
			j, err := model.Holds(bare, goal, st)
			found = found || err == nil && !j.Holds
		}
	}
	if !found {
		t.Error("no state is found at which it fails")
	}
}
