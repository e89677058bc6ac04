package interior

import (
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

func part(t *testing.T, id, name string) *lang.Part {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Claim(id).Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("claim %s has no part %s", id, name)
	return nil
}

// TestWordsAreGoptersStatuses: each word is reached, and a counterexample stands up to the verdict.
func TestWordsAreGoptersStatuses(t *testing.T) {
	supercritical := DefaultBox()
	supercritical["eta"] = Interval{big.NewRat(2, 1), big.NewRat(3, 1)} // no root: τ² < 4aη for τ ≤ 6/5
	live := DefaultBox()                                                // well below the critical decay, p of the size of the roots
	live["eta"], live["tau"] = Interval{big.NewRat(1, 1000), big.NewRat(1, 20)}, Interval{big.NewRat(1, 1), big.NewRat(6, 5)}
	live["p"] = Interval{big.NewRat(1, 100), big.NewRat(1, 1)}
	for _, c := range []struct {
		id, part string
		box      Box
		prove    bool
		want     Word
	}{
		{"invariance-scalar", "invariance", DefaultBox(), true, Proved},
		{"invariance-scalar", "invariance", DefaultBox(), false, Passed},
		{"fixed-points", "up", live, false, Passed},
		{"thm1", "balance", DefaultBox(), false, Passed},
		{"thm1-vs-assumption3", "balance", DefaultBox(), true, Falsified},
		{"F-def", "printed", DefaultBox(), false, Falsified},
		{"fixed-points", "nodestable", supercritical, false, GaveUp},
	} {
		p := part(t, c.id, c.part)
		r, err := Check(p, c.box, c.prove, 1, 40)
		if err != nil {
			t.Fatal(err)
		}
		if r.Word != c.want {
			t.Errorf("%s/%s: %s after %d, want %s", c.id, c.part, r.Word, r.Succeeded, c.want)
		}
		if (r.State != nil) != (r.Word == Falsified) {
			t.Errorf("%s/%s: %s with state %v", c.id, c.part, r.Word, r.State)
		}
		if r.State != nil {
			if ref, err := verdict.Refute(p, *r.State); err != nil || !ref.Verdict().IsRefuted() {
				t.Errorf("%s/%s: the model does not confirm the counterexample: %v", c.id, c.part, err)
			}
		}
		if r.Word == Passed && r.Succeeded != 40 {
			t.Errorf("%s/%s: passed after %d", c.id, c.part, r.Succeeded)
		}
	}
}

// TestPointsAreUniformInTheInterior: the hyper-parameters of drawn states fill the box and touch no end of
// it. The share of n uniform points below the middle is within 5/(2√n) of 1/2 but for six in ten million.
func TestPointsAreUniformInTheInterior(t *testing.T) {
	p, box := part(t, "fixed-points", "saddle"), DefaultBox()
	prop, last, err := property(p, box, false)
	if err != nil {
		t.Fatal(err)
	}
	axes, err := box.axes(p)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(axes, []string{"eta", "sigma2", "tau"}) {
		t.Fatalf("axes %v", axes)
	}
	const n = 400
	below := map[string]int{}
	drawn := 0
	params := parameters(3, 1)
	for drawn < n {
		last.Vals = nil
		prop.Check(params)
		if last.Vals == nil {
			continue
		}
		drawn++
		for _, name := range axes {
			v := last.Vals[name].A[0]
			i := box[name]
			if v.Cmp(i.Lo) <= 0 || v.Cmp(i.Hi) >= 0 {
				t.Fatalf("%s = %v is not inside [%v, %v]", name, v, i.Lo, i.Hi)
			}
			if mid := new(big.Rat).Add(i.Lo, i.Hi); v.Cmp(mid.Mul(mid, big.NewRat(1, 2))) < 0 {
				below[name]++
			}
		}
	}
	// Roots exist below the critical decay only, so eta and tau are conditioned; sigma2 depends on them alone
	// through the factor 1 + σ², and leans to the lower half.
	if s := float64(below["sigma2"])/n - 0.5; s < -2.5/math.Sqrt(n) || s > 0.25 {
		t.Errorf("%d of %d points have sigma2 in the lower half", below["sigma2"], n)
	}
	if s := float64(below["eta"]) / n; s < 0.9 {
		t.Errorf("only %d of %d points have eta in the lower half, although η < τ²/(4a) ≤ 0.36", below["eta"], n)
	}
	u := Interval{big.NewRat(0, 1), big.NewRat(1, 1)}
	for _, x := range []float64{0, math.Nextafter(1, 0)} {
		if v := u.point(x); v.Sign() <= 0 || v.Cmp(u.Hi) >= 0 {
			t.Errorf("u = %v gives the end %v", x, v)
		}
	}
}

// TestRootsAreExactInTheInterior: a drawn root squares to its radicand.
func TestRootsAreExactInTheInterior(t *testing.T) {
	p := part(t, "eta-critical", "below")
	prop, last, err := property(p, DefaultBox(), false)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	params := parameters(1, 1)
	for range 60 {
		last.Vals = nil
		prop.Check(params)
		if last.Vals == nil {
			continue
		}
		e, err := eval.New(eval.Rational{}, p.Env, *last)
		if err != nil {
			t.Fatal(err)
		}
		q, err := e.Eval(p.Env.Symbols["r"].Root)
		if err != nil {
			t.Fatal(err)
		}
		r := last.Vals["r"].A[0]
		if new(big.Rat).Mul(r, r).Cmp(q.A[0]) != 0 {
			t.Errorf("r = %v, but r² is not %v", r, q.A[0])
		}
		seen++
	}
	if seen == 0 {
		t.Error("no root was drawn")
	}
}

func TestRunReportsEveryPart(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	ok, err := Run(&b, f, "thm1-vs-assumption3", DefaultBox(), true, 1, 30)
	if err != nil {
		t.Fatal(err)
	}
	if ok {
		t.Error("the printed reading is false, but the run succeeded")
	}
	for _, want := range []string{"! thm1-vs-assumption3/balance: Falsified", "+ thm1-vs-assumption3/trace: OK, proved property"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, b.String())
		}
	}
	var again strings.Builder
	if _, err := Run(&again, f, "thm1-vs-assumption3", DefaultBox(), true, 1, 30); err != nil {
		t.Fatal(err)
	}
	// gopter prints the elapsed time; everything else repeats itself.
	timeless := func(s string) string {
		var lines []string
		for _, l := range strings.Split(s, "\n") {
			if !strings.HasPrefix(l, "Elapsed time:") {
				lines = append(lines, l)
			}
		}
		return strings.Join(lines, "\n")
	}
	if timeless(b.String()) != timeless(again.String()) {
		t.Errorf("two runs from one seed differ:\n%s\n%s", b.String(), again.String())
	}
}

func TestBoxesThatDoNotFitAreRefused(t *testing.T) {
	one := big.NewRat(1, 1)
	for name, c := range map[string]struct {
		box  Box
		part *lang.Part
		want string
	}{
		"empty":  {Box{"eta": {one, one}}, part(t, "fixed-points", "up"), "the interval of eta is empty"},
		"matrix": {Box{"W": {new(big.Rat), one}}, part(t, "thm1", "balance"), "W is not a scalar"},
		"words":  {DefaultBox(), part(t, "skew-vanishes", "withdecay"), "no formal statement"},
	} {
		if _, err := Prop(c.part, c.box, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(&strings.Builder{}, f, "thm9", DefaultBox(), false, 1, 1); err == nil || !strings.Contains(err.Error(), "thm9") {
		t.Errorf("error %v does not name the claim", err)
	}
}
