package certificate_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// written are certificates of the built-in claims: those of the scripts, and counterexamples to the smallest claims.
func written(t *testing.T) (texts [][]byte) {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	refutations := 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if b := verdict.FaultCertificate(c.ID, p); b != nil {
				texts = append(texts, b)
			}
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			text, err := verdict.Replay(context.Background(), p).Certificate(c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if text == nil && refutations < 6 {
				if r := sample.Search(context.Background(), p, 1, "edits", 20); r.Refutation != nil {
					if text, err = r.Refutation.Certificate(c.ID); err != nil {
						t.Fatal(err)
					}
					refutations++
				}
			}
			if text != nil {
				texts = append(texts, text)
			}
		}
	}
	if len(texts) < 100 || refutations == 0 {
		t.Fatalf("%d certificates, %d refutations", len(texts), refutations)
	}
	return texts
}

// words of the format, which edits put in the place of others.
var words = strings.Fields(`eq ge gt ne psd pd invertible diagonal absurd always evolves normdecays decays stayzero
staynonnegative staypositive staypsd vanishes congruence tends here const start state motion orbit param input hole random centred
sum product power trace transpose reciprocal root inverse kronecker ddt next diff grad gradsym at expect stopgrad number letter
size identity zero 0 1 2 -1 1/2 n n*n : goal vacuous flow map moment`)

// edited changes one field of a certificate, or drops, repeats or exchanges lines, and gives it the right digest.
func edited(rng *rand.Rand, text []byte) []byte {
	ls := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	ls = ls[:len(ls)-1]
	i := 1 + rng.IntN(len(ls)-1)
	switch rng.IntN(12) {
	case 0:
		ls = append(ls[:i], ls[i+1:]...)
	case 1:
		ls = append(ls[:i+1], ls[i:]...)
	case 2:
		j := 1 + rng.IntN(len(ls)-1)
		ls[i], ls[j] = ls[j], ls[i]
	default:
		w := strings.Split(ls[i], " ")
		k := rng.IntN(len(w))
		n, err := strconv.Atoi(w[k])
		switch {
		case err == nil && rng.IntN(2) == 0:
			w[k] = strconv.Itoa(n + []int{-2, -1, 1, 2}[rng.IntN(4)])
		case err == nil:
			w[k] = strconv.Itoa(rng.IntN(2*max(n, 0) + 4))
		case rng.IntN(3) == 0:
			w[k] = kernel.RuleNames()[rng.IntN(len(kernel.RuleNames()))]
		case rng.IntN(3) == 0:
			w = append(w[:k], w[k+1:]...)
		default:
			w[k] = words[rng.IntN(len(words))]
		}
		ls[i] = strings.Join(w, " ")
	}
	return resealed(strings.Join(ls, "\n") + "\n")
}

// exactState gives small sizes and small values, matrices that satisfy hypotheses more often than not.
func exactState(rng *rand.Rand, sig *kernel.Signature) (*model.State, error) {
	sizes := map[string]int{}
	for _, n := range sig.Sizes() {
		sizes[n] = 1 + rng.IntN(2)
	}
	values := map[string][][]*big.Rat{}
	extent := func(d kernel.Dim) int {
		k := 1
		for _, l := range d.Legs() {
			k *= sizes[l]
		}
		return k
	}
	for _, y := range sig.Symbols() {
		switch y.Class() {
		case kernel.Random, kernel.Centred, kernel.Hole:
			continue
		}
		r, c := 1, 1
		if !y.Scalar() {
			rows, cols := y.Shape()
			r, c = extent(rows), extent(cols)
		}
		m := make([][]*big.Rat, r)
		kind := rng.IntN(4)
		for i := range m {
			for j := range c {
				v := int64(rng.IntN(5) - 1)
				switch {
				case kind == 0 && i != j:
					v = 0
				case kind == 1:
					v = 0
					if i == j {
						v = 1
					}
				case kind == 2 && r == c && j < i:
					v = m[j][i].Num().Int64()
				}
				m[i] = append(m[i], big.NewRat(v, 1))
			}
		}
		values[y.Name()] = m
	}
	return model.NewState(sig, sizes, values)
}

// tried counts what was asked of the model about theorems.
type tried struct{ states, satisfied, beyond int }

// fails asks the model for a state at which one of the goals fails, or has no value, although their hypotheses hold.
func (n *tried) fails(rng *rand.Rand, goals []kernel.Theorem, states int) error {
	for range states {
		for _, g := range goals {
			st, err := exactState(rng, g.Context().Signature())
			if err != nil {
				return err
			}
			n.states++
			x, err := model.Refute(g.Context(), g.Formula(), st)
			var not *model.Unrefuted
			var none *model.NoValue
			switch {
			case x.Valid():
				return fmt.Errorf("at %s: %s", st, x.Reason())
			case errors.As(err, &none) && g.Context().Time() == kernel.AtState:
				return fmt.Errorf("at %s: %v", st, err)
			case errors.As(err, &not):
				if strings.Contains(err.Error(), "the goal") {
					n.satisfied++
				}
			default:
				n.beyond++
			}
		}
	}
	return nil
}

// TestEditsAreRefusedOrTrue changes one field of certificates at random and gives them the right digest. Each is refused,
// or establishes a theorem that the model finds true at exact states.
func TestEditsAreRefusedOrTrue(t *testing.T) {
	edits := 2_000
	if os.Getenv("STOPGRAD_LONG") != "" {
		edits = 100_000
	}
	rng := rand.New(rand.NewPCG(12, 1))
	texts := written(t)
	sequents := make([]string, len(texts))
	for i, text := range texts {
		c, err := readAll(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		sequents[i] = c.Sequent()
	}
	refused, same, others, counterexamples, messages := 0, 0, 0, 0, 0
	var n tried
	for range edits {
		i := rng.IntN(len(texts))
		text := edited(rng, texts[i])
		c, err := readAll(text)
		if err != nil {
			refused++
			continue
		}
		goals := c.Goals()
		if c.Vacuous().Valid() {
			goals = append(goals, c.Vacuous())
		}
		switch {
		case c.IllFormed() != "":
			messages++
		case c.Counterexample().Valid():
			counterexamples++
		case c.Sequent() == sequents[i]:
			same++
		default:
			others++
			if err := n.fails(rng, goals, 8); err != nil {
				t.Errorf("a theorem fails %v\n%s", err, text)
			}
		}
	}
	t.Logf("%d edits of %d certificates: %d refused, %d establish the same, %d another theorem, %d a counterexample, %d are messages; %d states tried, at %d the hypotheses hold, %d beyond the model",
		edits, len(texts), refused, same, others, counterexamples, messages, n.states, n.satisfied, n.beyond)
	if others < edits/200 || n.satisfied < others/2 || refused < edits/4 {
		t.Error("the edits say too little")
	}
}

// TestFalseTheoremsAreFound has the search above find what is false: hypotheses taken away from theorems of the claims,
// which a wrong kernel would have left provable.
func TestFalseTheoremsAreFound(t *testing.T) {
	c, err := readAll(sealed("symbol y param", "t number 0", "t letter y", "h here gt 1 0", "c state", "c state", "p 0 hyp gt 1 0 : :", "goal 0"))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(12, 2))
	var n tried
	if err := n.fails(rng, c.Goals(), 8); err != nil || n.satisfied == 0 {
		t.Errorf("a true theorem fails %v, tried %v", err, n)
	}
	// The same formula without its hypothesis.
	g := c.Goals()[0]
	bare, err := kernel.NewContext(g.Context().Dynamics(), kernel.AtState)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for range 50 {
		st, err := exactState(rng, bare.Signature())
		if err != nil {
			t.Fatal(err)
		}
		x, _ := model.Refute(bare, g.Formula(), st)
		found = found || x.Valid()
	}
	if !found {
		t.Error("y > 0 is not refuted")
	}
}

// TestTheoremsAreReadAgainInForm writes what was read and reads it: theorems that are the same in form, and the same text,
// but for a counterexample, whose sizes may stand in another order.
func TestTheoremsAreReadAgainInForm(t *testing.T) {
	for _, text := range written(t) {
		c, err := readAll(text)
		if err != nil {
			t.Fatal(err)
		}
		var again []byte
		switch {
		case c.IllFormed() != "":
			again = certificate.IllFormed(c.Label(), c.IllFormed())
		case c.Vacuous().Valid():
			again, err = certificate.Vacuous(c.Label(), c.Names(), c.Vacuous())
		case c.Counterexample().Valid():
			again, err = certificate.Refutation(c.Label(), c.Names(), c.Counterexample())
		default:
			again, err = certificate.Proof(c.Label(), c.Uses(), c.Names(), c.Goals()...)
		}
		if err != nil || string(again) != string(text) && !c.Counterexample().Valid() {
			t.Errorf("%v: another text is written:\n%s\n%s", err, text, again)
			continue
		}
		d, err := readAll(again)
		if err != nil || c.Sequent() != d.Sequent() || len(c.Goals()) != len(d.Goals()) || c.Bytes() != len(text) ||
			c.Lines() != strings.Count(string(text), "\n") || d.Label() != c.Label() || d.IllFormed() != c.IllFormed() {
			t.Errorf("read again: %v\n%s", err, text)
			continue
		}
		if x, y := c.Counterexample(), d.Counterexample(); x.Valid() && (x.State().String() != y.State().String() || x.Reason() != y.Reason()) {
			t.Errorf("another counterexample: %s\n%s", x.State(), y.State())
		}
		for i, g := range c.Goals() {
			h := d.Goals()[i]
			if g.Rule() != h.Rule() || g.Formula().Form() != h.Formula().Form() || len(g.Premises()) != len(h.Premises()) ||
				certificate.Sequent(g.Context(), g.Formula()) != certificate.Sequent(h.Context(), h.Formula()) {
				t.Errorf("goal %d differs:\n%s", i, text)
			}
		}
	}
}
