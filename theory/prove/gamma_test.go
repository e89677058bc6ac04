package prove_test

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"os"
	"slices"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/prove"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

func init() { prove.BuiltIn = theory.Load }

// weaker lists what a hypothesis can be weakened to, by name: none of it says more.
func weaker(sig *kernel.Signature, h kernel.Hypothesis) map[string][]kernel.Hypothesis {
	f := h.Formula()
	ts := f.Terms()
	with := func(m kernel.Mark, form kernel.Form, ts ...*kernel.Term) []kernel.Hypothesis {
		return []kernel.Hypothesis{must(kernel.NewHypothesis(m, must(kernel.NewFormula(form, ts...))))}
	}
	out := map[string][]kernel.Hypothesis{"dropped": nil}
	// A bound is widened on the side that is a number: x >= 2 to x >= 1.
	wide := func(form kernel.Form) {
		for i, by := range []int64{1, -1} {
			if ts[i].Head() != kernel.Number {
				continue
			}
			us := slices.Clone(ts)
			us[i] = must(sig.Number(new(big.Rat).Add(ts[i].Value(), big.NewRat(by, 1))))
			out["bound widened"] = with(h.Mark(), form, us...)
		}
	}
	transposed := func() *kernel.Term { return must(sig.Make(kernel.Transpose, 0, ts[0])) }
	switch f.Form() {
	case kernel.Greater:
		out["> to >="] = with(h.Mark(), kernel.AtLeast, ts...)
		out["> to !="] = with(h.Mark(), kernel.Unequal, ts...)
		wide(kernel.Greater)
	case kernel.AtLeast:
		wide(kernel.AtLeast)
	case kernel.Definite:
		out["pd to psd"] = with(h.Mark(), kernel.Semidefinite, ts...)
		out["pd to symmetric and invertible"] = append(with(h.Mark(), kernel.Equal, transposed(), ts[0]), with(h.Mark(), kernel.Invertible, ts...)...)
	case kernel.Semidefinite:
		out["psd to symmetric"] = with(h.Mark(), kernel.Equal, transposed(), ts[0])
	case kernel.Diagonal:
		out["diagonal to symmetric"] = with(h.Mark(), kernel.Equal, transposed(), ts[0])
	case kernel.Equal:
		if ts[0].Scalar() {
			out["== to >="] = with(h.Mark(), kernel.AtLeast, ts...)
		}
	}
	if h.Mark() == kernel.Kept || h.Mark() == kernel.Constant {
		out[h.Mark().String()+" to start"] = with(kernel.Start, f.Form(), ts...)
	}
	return out
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// mutateGamma is Γ with the hypothesis of this number replaced.
func mutateGamma(c *kernel.Context, i int, by []kernel.Hypothesis) (*kernel.Context, error) {
	hyps := c.Hypotheses()
	return kernel.NewContext(c.Dynamics(), c.Time(), slices.Concat(hyps[:i], by, hyps[i+1:])...)
}

// loosened is a part from which states are drawn without regard to what is declared of a symbol, or to how equations are
// met: whether a state meets Γ is for the model.
func loosened(p *lang.Part, owner string, draws bool) *lang.Part {
	q, env := *p, *p.Env
	env.Symbols = maps.Clone(p.Env.Symbols)
	if s := env.Symbols[owner]; s != nil {
		t := *s
		t.Attr, t.Domain, t.Bounds = 0, lang.Domain{}, nil
		env.Symbols[owner] = &t
	}
	q.Env = &env
	if !draws {
		q.Draws = nil
	}
	return &q
}

// refutes looks for a state that refutes one of the goals under Γ.
func refutes(r *lang.Reading, c *kernel.Context, owner, label string, states int) error {
	ch := sample.NewStream(1, label)
	var keeps []kernel.Theorem
	if c.Time() != kernel.AtState {
		keeps = prove.Keeps(context.Background(), c)
	}
	for i := range states {
		w, err := sample.Draw(ch, loosened(r.Part(), owner, i%3 != 0), 1+i%3)
		if err != nil {
			continue
		}
		st, err := verdict.StateOf(r, w)
		if err != nil {
			return err
		}
		for _, g := range r.Goals() {
			if x, err := model.Refute(c, g, st, keeps...); err == nil {
				return fmt.Errorf("%s at %s", x.Reason(), st)
			}
		}
	}
	return nil
}

// mutants tries the weaker Γ of a part and says what became of each.
func mutants(t *testing.T, claim string, p *lang.Part, search bool, states int, count map[string]*[4]int) {
	r, err := lang.Elaborate(p)
	if err != nil {
		t.Fatalf("%s/%s: %v", claim, p.Name, err)
	}
	if len(prove.Prove(context.Background(), r, prove.Options{Search: search}).Theorems()) == 0 {
		return
	}
	owners := r.Owners()
	for i, h := range r.Context().Hypotheses() {
		weak := weaker(r.Context().Signature(), h)
		for _, what := range slices.Sorted(maps.Keys(weak)) {
			key := fmt.Sprintf("%s/%s: %s of %s (hypothesis %d)", claim, p.Name, what, owners[i], i+1)
			n := count[what]
			if n == nil {
				n = new([4]int)
				count[what] = n
			}
			n[0]++
			c, err := mutateGamma(r.Context(), i, weak[what])
			if err != nil {
				t.Errorf("%s: %v", key, err)
				continue
			}
			o := prove.WithGamma(context.Background(), r, c, prove.Options{Search: search, Steps: 4_000})
			refuted := refutes(r, c, owners[i], key, states)
			switch proved := len(o.Theorems()) > 0; {
			case proved && refuted != nil:
				t.Errorf("%s: proved, and %v", key, refuted)
			case proved:
				n[1]++
			case refuted != nil:
				n[2]++
			default:
				n[3]++
			}
		}
	}
}

// TestMutantsOfGamma weakens each hypothesis of each proved part of the claims: it is dropped, made less strict, its bound
// widened, its structure or its mark weakened. What is then proved, by the part's script or (STOPGRAD_LONG=1) by search, is
// a theorem in greater generality; no state may refute it. Many are: a part is stated under all that its system declares.
func TestMutantsOfGamma(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	long := os.Getenv("STOPGRAD_LONG") != ""
	states, every := 4, 2
	switch {
	case long:
		states, every = 200, 1
	case testing.Short():
		every = 8
	}
	count := map[string]*[4]int{}
	k := 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Stmt.Kind == lang.Sampled || p.Fault != nil || len(p.Proof) == 0 {
				continue
			}
			if k++; k%every == 0 {
				mutants(t, c.ID, p, long, states, count)
			}
		}
	}
	var sum [4]int
	for _, what := range slices.Sorted(maps.Keys(count)) {
		n := count[what]
		for i, x := range n {
			sum[i] += x
		}
		t.Logf("%-32s %4d: %4d still proved, true in greater generality; %4d refuted; %4d neither", what, n[0], n[1], n[2], n[3])
	}
	t.Logf("%-32s %4d: %4d still proved, true in greater generality; %4d refuted; %4d neither", "all", sum[0], sum[1], sum[2], sum[3])
	if sum[2] == 0 || sum[0] < 100 {
		t.Error("the test has lost its reach")
	}
}

// A proof that did not look at Γ would be noticed: the statements below hold under their hypotheses, and each weaker Γ is
// refuted at some of the states that are drawn.
func TestWeakerGammasAreRefuted(t *testing.T) {
	for text, weakenings := range map[string][]string{
		"  scalar x > 0\n  says p: x > 0\n":                                                                       {"> to >=", "> to !=", "bound widened", "dropped"},
		"  size n\n  matrix P : n x n pd\n  says p: P pd\n":                                                       {"pd to psd", "pd to symmetric and invertible", "dropped"},
		"  size n\n  matrix P : n x n psd\n  says p: P psd\n":                                                     {"psd to symmetric", "dropped"},
		"  size n\n  matrix S : n x n symmetric\n  says p: S == S^T\n":                                            {"dropped"},
		"  size n\n  matrix V : n x n invertible\n  says p: V invertible\n":                                       {"dropped"},
		"  size n\n  matrix D, F : n x n diagonal\n  says p: D*F == F*D\n":                                        {"diagonal to symmetric", "dropped"},
		"  scalar x, y, z\n  flow\n    x' = z\n    y' = 0\n  says p: x evolves at rate 0\n    assume h: x == y\n": {"always to start", "dropped"},
	} {
		f, err := lang.Parse(lang.Source{Name: "t.claim", Text: "claim t\n  title t\n  printed nowhere\n" + text})
		if err != nil {
			t.Fatal(err)
		}
		r, err := lang.Elaborate(f.Claims[0].Parts[0])
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range r.Context().Hypotheses() {
			weak := weaker(r.Context().Signature(), h)
			for _, what := range weakenings {
				if _, ok := weak[what]; !ok {
					t.Errorf("%s has no mutant %q", text, what)
					continue
				}
				c, err := mutateGamma(r.Context(), i, weak[what])
				if err != nil {
					t.Error(err)
					continue
				}
				if refutes(r, c, r.Owners()[i], what, 200) == nil {
					t.Errorf("%s, %s: not refuted", text, what)
				}
			}
		}
	}
}
