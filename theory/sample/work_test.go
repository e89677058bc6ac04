package sample_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// TestWhatIsTooMuchIsNotAskedAgain: a count of zeros of a high degree is more than the model counts; it is not asked at every state.
func TestWhatIsTooMuchIsNotAskedAgain(t *testing.T) {
	var terms []string
	for k := range 60 {
		terms = append(terms, fmt.Sprintf("%d*(y + %d)*(x^%d - %d*x)", 930157647947+k*k*7919, k, k+2, 3*k+1))
	}
	f, err := lang.Parse(lang.Source{Name: "long", Text: "claim c\n  scalar x, y\n  says s: " + strings.Join(terms, " + ") + " has 61 zeros for x in (-inf, inf)\n"})
	if err != nil {
		t.Fatal(err)
	}
	r := sample.Search(context.Background(), f.Claims[0].Parts[0], 1, "long", 200)
	if r.Refutation == nil && (r.Drawn > 4 || r.Tried > 0 || r.Err == nil) {
		t.Errorf("%d states drawn, %d tried: %v", r.Drawn, r.Tried, r.Err)
	}
	if r.Refutation != nil {
		t.Error("the model counts this; a test of what it does not needs a longer polynomial")
	}
}

// TestDrawingCountsAsWork: a search ends by the work of drawing, too: of long definitions that states are drawn by, of
// radicands that are made squares, of borders and states of rest that are solved for. No state meets the hypothesis, so that
// nothing else takes work.
func TestDrawingCountsAsWork(t *testing.T) {
	var sum []string
	for k := range 150 {
		sum = append(sum, fmt.Sprintf("%d/7*a^%d*b*c*a*b*c*b*a", k+1, k%3+1))
	}
	const head = "claim c\n  scalar a, b, c, x\n"
	const unmet = "\n    assume h: a^2 == 2\n"
	let := "  let L = a*(" + strings.Join(sum, " + ") + ")\n"
	flow := let + "  flow\n    a' = b\n    x' = x*L\n"
	for name, text := range map[string]string{
		"draw":   let + "  says p: x >= 0" + unmet + "    draw x = L\n",
		"root":   let + "  root r = L + x^3\n  says p: r >= x" + unmet,
		"border": flow + "  says p: L stays positive" + unmet,
		"rest":   flow + "  says p: x vanishes" + unmet,
		"short":  "  let L = a*b\n  says p: x >= 0" + unmet + "    draw x = L\n",
	} {
		f, err := lang.Parse(lang.Source{Name: name, Text: head + text})
		if err != nil {
			t.Fatal(err)
		}
		const budget = 1000
		r := sample.Search(context.Background(), f.Claims[0].Parts[0], 1, name, budget)
		if whole := r.Drawn == budget; whole != (name == "short") {
			t.Errorf("%s: %d states of %d were drawn", name, r.Drawn, budget)
		}
	}
}

// TestUncountedZerosAreAskedAbout: of a polynomial of a degree beyond the evaluator's, or with irrational coefficients, the
// model counts the zeros, at a few states and no more. In float64 root(2) and root(8)/2 are two zeros.
func TestUncountedZerosAreAskedAbout(t *testing.T) {
	for says, refuted := range map[string]bool{"(x^2 - 2)^20*(x - a) has 2 zeros for x in (-3, 3)": true, "(x^2 - 2)^20*(x^2 + a^2 + 1) has 2 zeros for x in (-3, 3)": false,
		"(x - root(2))*(x - root(8)/2) has 2 zeros for x in (-inf, inf)": true} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n  scalar a, x\n  says p: " + says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		r := sample.Search(context.Background(), f.Claims[0].Parts[0], 1, "f", 1000)
		if got := r.Refutation != nil && r.Refutation.Verdict().IsRefuted(); got != refuted || r.Drawn > 100 {
			t.Errorf("%s: refuted %t, %d states drawn", says, got, r.Drawn)
		}
	}
}

// TestFailuresBeyondTheModelSpeakAgainst: a statement about more square roots than the model has fails by far more than rounding,
// and what holds there has nothing against it.
func TestFailuresBeyondTheModelSpeakAgainst(t *testing.T) {
	roots := "x"
	for range 8 {
		roots = "root(1 + " + roots + ")"
	}
	for says, against := range map[string]bool{roots + " <= 0": true, roots + " > 17/10": true, roots + " >= 1/2": false, roots + "^2 == " + roots + "*" + roots: false} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n  scalar x >= 0\n  says p: " + says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		r := sample.Search(context.Background(), f.Claims[0].Parts[0], 1, "f", 400)
		if got := r.Tested.Against != ""; got != against || r.Refutation != nil || r.Tried == 0 {
			t.Errorf("%s: %d states, against it %q", says, r.Tried, r.Tested.Against)
		}
	}
}

// TestManySymbolsCountAsWork: a state with hundreds of values takes as long as several with few, and fewer are drawn.
func TestManySymbolsCountAsWork(t *testing.T) {
	drawn := func(symbols int) int {
		names := make([]string, symbols)
		for i := range names {
			names[i] = fmt.Sprint("x", i)
		}
		f, err := lang.Parse(lang.Source{Name: "t", Text: "claim c\n  scalar " + strings.Join(names, ", ") + "\n  says s: x0^2 + x1^2 >= 0\n"})
		if err != nil {
			t.Fatal(err)
		}
		return sample.Search(context.Background(), f.Claims[0].Parts[0], 1, "t", 4000).Drawn
	}
	if few, many := drawn(32), drawn(lang.MaxSymbols); few != 4000 || many > 400 || many < 100 {
		t.Errorf("%d states of few symbols, %d of many", few, many)
	}
}
