package theory

import (
	"context"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// part finds a part of a file of testdata/soundness.
func part(t *testing.T, file, name string) (*lang.File, *lang.Claim, *lang.Part) {
	t.Helper()
	path := filepath.Join("testdata", "soundness", file+".claim")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(lang.Source{Name: path, Text: string(text)})
	if err == nil {
		err = Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Name == name {
				return f, c, p
			}
		}
	}
	t.Fatalf("%s has no part %s", path, name)
	return nil, nil, nil
}

// TestSoundness judges one small file of each kind in which a verdict was wrong: never is what would be wrong, must what
// the true twin comes to.
func TestSoundness(t *testing.T) {
	for _, c := range []struct {
		file, part string
		never      []string
		must       string
	}{
		{"moment-radicand", "wrong", []string{"proved", "vacuous"}, ""},
		{"moment-radicand", "right", []string{"refuted", "contradiction"}, "proved"},
		{"rhs-root", "wrong", []string{"proved"}, ""},
		{"rhs-root", "right", []string{"refuted", "contradiction"}, "proved"},
		{"moment-impossible", "wrong", []string{"proved"}, "vacuous"},
		{"moment-impossible", "right", []string{"refuted", "vacuous"}, "proved"},
		{"start-border", "wrong", []string{"proved"}, "refuted"},
		{"start-border", "right", []string{"refuted", "contradiction"}, "proved"},
		{"start-unmet", "wrong", []string{"proved"}, "refuted"},
		{"start-unmet", "right", []string{"refuted", "contradiction"}, "proved"},
		{"start-contradictory", "wrong", []string{"proved"}, "vacuous"},
		{"start-contradictory", "never", []string{"proved"}, "vacuous"},
		{"start-contradictory", "domain", []string{"proved"}, "vacuous"},
		{"start-contradictory", "constant", []string{"proved"}, "vacuous"},
		{"start-contradictory", "kept", []string{"proved"}, "vacuous"},
		{"start-contradictory", "orbit", []string{"proved"}, "vacuous"},
		{"start-contradictory", "driven", []string{"proved"}, "vacuous"},
		{"start-contradictory", "assumption", []string{"inconsistent"}, "vacuous"},
		{"start-contradictory", "itself", []string{"vacuous"}, "inconsistent"},
		{"start-contradictory", "right", []string{"vacuous"}, "proved"},
		{"start-contradictory", "later", []string{"vacuous"}, "proved"},
		{"start-contradictory", "steps", []string{"vacuous"}, "proved"},
		{"start-contradictory", "first", []string{"vacuous"}, "refuted"},
		{"start-contradictory", "state", []string{"vacuous"}, "proved"},
		{"entries-bounded", "right", []string{"refuted", "vacuous"}, "proved"},
		{"entries-bounded", "all", []string{"refuted", "vacuous"}, "proved"},
		{"entries-bounded", "none", []string{"proved"}, "vacuous"},
		{"entries-bounded", "wrong", []string{"proved"}, "refuted"},
		{"rate-moves", "wrong", []string{"proved"}, "refuted"},
		{"rate-moves", "right", []string{"refuted", "contradiction"}, "proved"},
		{"equation-zero", "wrong", []string{"proved", "refuted", "contradiction"}, "undecided"},
		{"equation-zero", "wrong_always", []string{"proved", "refuted", "contradiction"}, "undecided"},
		{"equation-zero", "right", []string{"refuted", "contradiction"}, "proved"},
		{"equation-zero", "moved", []string{"refuted", "contradiction"}, "proved"},
		{"moment-moves", "right", []string{"refuted", "contradiction"}, ""},
		{"moment-moves", "right_in_y", []string{"refuted", "contradiction"}, ""},
		{"moment-moves", "wrong", []string{"proved"}, "refuted"},
		{"no-value", "wrong", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value", "right", []string{"refuted", "contradiction"}, "proved"},
		{"no-value-thin", "divisor", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-thin", "irrational", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-thin", "surface", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-thin", "radicand", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-thin", "right", []string{"refuted", "contradiction"}, "proved"},
		{"no-value-motion", "vanishes", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-motion", "rate", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-motion", "always", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-motion", "steps", []string{"proved", "refuted", "supported"}, "undecided"},
		{"no-value-motion", "right", []string{"refuted", "contradiction"}, "proved"},
		{"no-value-motion", "stays", []string{"refuted", "contradiction"}, ""},
		{"stays-valueless", "wrong", []string{"proved", "refuted"}, ""},
		{"stays-valueless", "zero", []string{"proved", "refuted"}, ""},
		{"stays-valueless", "divided", []string{"proved", "refuted"}, ""},
		{"stays-valueless", "right", []string{"refuted", "contradiction"}, "proved"},
		{"stays-valueless", "valued", []string{"refuted", "contradiction"}, "proved"},
		{"stays-valueless", "reciprocal", []string{"proved", "refuted"}, ""},
		{"stays-valueless", "root", []string{"proved", "refuted"}, ""},
		{"stays-valueless", "steps", []string{"refuted", "contradiction"}, "proved"},
		{"stays-valueless", "known", []string{"refuted", "contradiction"}, "proved"},
		{"no-motion", "wrong", []string{"proved", "supported"}, "vacuous"},
		{"no-motion", "right", []string{"refuted", "vacuous", "contradiction"}, "proved"},
		{"operators", "fourth", []string{"proved", "refuted"}, "ill-formed"},
		{"operators", "divisor", []string{"proved", "refuted"}, "ill-formed"},
		{"operators", "gradients", []string{"proved", "refuted"}, "ill-formed"},
		{"operators", "input", []string{"proved", "refuted"}, "ill-formed"},
		{"operators", "right", []string{"refuted", "contradiction"}, "proved"},
		{"rhs-meaning", "wrong", []string{"proved"}, ""},
		{"rhs-meaning", "right", []string{"refuted", "contradiction"}, "proved"},
		{"rhs-meaning", "moment", nil, "proved"},
		{"start-input", "wrong", []string{"proved", "vacuous"}, ""},
		{"start-input", "right", []string{"refuted", "contradiction"}, "proved"},
		{"start-input", "bound", []string{"refuted", "contradiction"}, "proved"},
		{"start-input", "later", []string{"proved", "vacuous", "supported"}, ""},
		{"start-input", "driven", []string{"proved", "vacuous", "supported"}, ""},
		{"other-course", "flow", []string{"proved", "vacuous", "supported"}, ""},
		{"other-course", "steps", []string{"proved", "vacuous", "supported"}, ""},
		{"other-course", "own", []string{"refuted", "contradiction"}, "proved"},
		{"held-inputs", "flow", []string{"proved", "vacuous", "supported"}, ""},
		{"held-inputs", "steps", []string{"proved", "vacuous", "supported"}, ""},
		{"held-inputs", "free", []string{"proved", "vacuous", "supported"}, ""},
		{"held-inputs", "own", []string{"refuted", "contradiction", "undecided"}, ""},
		{"special-sizes", "below", []string{"proved"}, "refuted"},
		{"special-sizes", "product", []string{"proved"}, "refuted"},
		{"special-sizes", "square", []string{"proved"}, "refuted"},
		{"special-sizes", "large", []string{"proved"}, "refuted"},
		{"special-sizes", "trace", []string{"proved"}, "refuted"},
		{"special-sizes", "sandwich", []string{"proved"}, "refuted"},
		{"special-sizes", "right", []string{"refuted", "contradiction"}, ""},
		{"special-sizes", "squares", []string{"refuted", "contradiction"}, "proved"},
		{"many-roots", "wrong", []string{"proved", "supported"}, "undecided"},
		{"many-roots", "near", []string{"proved", "supported"}, "undecided"},
		{"many-roots", "counted", []string{"proved", "supported"}, "refuted"},
		{"many-roots", "right", []string{"refuted", "contradiction"}, "proved"},
		{"kept-equation", "wrong", []string{"proved", "supported"}, "refuted"},
		{"kept-equation", "right", []string{"refuted", "contradiction"}, "proved"},
		{"kept-equation", "lost", []string{"vacuous", "inconsistent"}, "not kept"},
		{"assumed-beside", "kept", []string{"not kept", "inconsistent", "supported", "contradiction"}, ""},
		{"assumed-contradictory", "domain", []string{"inconsistent", "not kept", "contradiction"}, "vacuous"},
		{"assumed-contradictory", "motion", []string{"inconsistent", "not kept", "contradiction"}, "vacuous"},
		{"assumed-contradictory", "itself", []string{"vacuous", "contradiction"}, "inconsistent"},
		{"kron-large", "wrong", []string{"proved"}, "refuted"},
		{"kron-large", "right", []string{"refuted", "contradiction"}, "proved"},
		{"assumed-steps", "kept", []string{"not kept", "inconsistent", "supported", "contradiction"}, ""},
		{"assumed-left", "together", []string{"not kept", "supported"}, "undecided"},
		{"assumed-left", "apart", []string{"inconsistent", "vacuous", "contradiction"}, "not kept"},
		{"assumed-left", "driven", []string{"not kept", "supported"}, "undecided"},
		{"assumed-left", "steps", []string{"not kept", "supported"}, "undecided"},
		{"assumed-left", "lost", []string{"inconsistent", "vacuous", "contradiction"}, "not kept"},
		{"assumed-left", "radicand", []string{"not kept", "vacuous", "supported", "contradiction"}, ""},
	} {
		f, claim, p := part(t, c.file, c.part)
		v := JudgePart(context.Background(), f, claim, p, Options{Seed: 1, Budget: 5}).Verdict.String()
		if slices.Contains(c.never, v) || c.must != "" && v != c.must {
			t.Errorf("%s/%s: %s", c.file, c.part, v)
		}
	}
}

// TestSoundnessAtStates asks for the refutation at a given state, which the search may miss.
func TestSoundnessAtStates(t *testing.T) {
	for _, c := range []struct {
		file, part string
		at         map[string]int64
		want       string
	}{
		{"assumed-beside", "kept", map[string]int64{"x": 1, "z": 1}, "undecided"},
		{"assumed-beside", "lost", map[string]int64{"y": 1, "z": 1}, "not kept"},
		{"assumed-steps", "kept", map[string]int64{"x": 1, "y": 1}, "undecided"},
		{"assumed-steps", "lost", map[string]int64{"x": 1, "z": 1}, "not kept"},
		{"assumed-left", "together", map[string]int64{"z": 1}, "undecided"},
		{"assumed-left", "apart", map[string]int64{"z": 1}, "not kept"},
		{"assumed-left", "driven", map[string]int64{"u": 1}, "undecided"},
		{"assumed-left", "steps", map[string]int64{"z": 1}, "undecided"},
		{"assumed-left", "lost", map[string]int64{"z": 1}, "not kept"},
		{"assumed-left", "radicand", nil, "undecided"},
	} {
		_, _, p := part(t, c.file, c.part)
		w := verdict.Witness{Vals: map[string]eval.Matrix[*big.Rat]{}}
		for _, name := range p.Env.Order {
			w.Vals[name] = eval.Matrix[*big.Rat]{R: 1, C: 1, A: []*big.Rat{big.NewRat(c.at[name], 1)}}
		}
		r, err := verdict.Refute(p, w)
		if err != nil {
			t.Errorf("%s/%s: %v", c.file, c.part, err)
			continue
		}
		if got := r.Verdict().String(); got != c.want {
			t.Errorf("%s/%s at %v: %s, because %s", c.file, c.part, c.at, got, r.Reason())
		}
	}
}

// TestNoValueAtTheBeginning asks what the model says of states at which what moves, or what is said of it, has no value.
func TestNoValueAtTheBeginning(t *testing.T) {
	for _, c := range []struct {
		part string
		x, k int64
		want bool
	}{
		{"vanishes", 0, 0, true}, {"vanishes", 0, 1, false}, {"rate", 1, 1, true}, {"always", 1, 0, true}, {"always", -1, 0, false},
		{"steps", 1, 0, true}, {"right", 1, 0, false}, {"stays", 1, 0, false},
	} {
		_, _, p := part(t, "no-value-motion", c.part)
		w := verdict.Witness{Vals: map[string]eval.Matrix[*big.Rat]{"x": eval.ScalarOf(big.NewRat(c.x, 1)), "k": eval.ScalarOf(big.NewRat(c.k, 1))}}
		r, err := verdict.Refute(p, w)
		if err != nil || r.Undefined() != c.want || r.Verdict().IsDecided() {
			t.Errorf("%s at x = %d, k = %d: %v, %v", c.part, c.x, c.k, r, err)
		}
	}
}
