package model_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/verdict"
)

// asked is what the model says of a count of zeros at a state: refuted, or not and why.
func asked(t *testing.T, declared, says string, values map[string]*big.Rat) (refuted bool, reason string) {
	t.Helper()
	text := "claim c\n  title t\n  printed nowhere\n" + declared + "  says s: " + says + "\n"
	f, err := lang.Parse(lang.Source{Name: "made", Text: text})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	w := verdict.Witness{Dims: map[lang.Dim]int{}, Vals: map[string]eval.Matrix[*big.Rat]{}}
	for n, v := range values {
		w.Vals[n] = eval.ScalarOf(v)
	}
	r, err := verdict.Refute(f.Claims[0].Parts[0], w)
	if err != nil {
		t.Fatalf("%s: %v", says, err)
	}
	// The evaluator of searches says the same wherever it says something.
	if found, err := eval.Judge(eval.Rational{}, f.Claims[0].Parts[0], w); err == nil && found.Met && (strings.Contains(r.Reason(), "not counted") || found.Holds == r.Verdict().IsRefuted()) {
		t.Errorf("%s: the evaluator says %t, the model %s", says, found.Holds, r.Reason())
	}
	return r.Verdict().IsRefuted(), r.Reason()
}

// TestZerosAreCounted counts those of products of known factors.
func TestZerosAreCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	for range 150 {
		// Zeros at halves, of multiplicities up to 3, and a factor without any.
		e, turn := fmt.Sprint(rng.IntN(2)*2-1), 1
		if e == "-1" {
			turn = -1
		}
		e = "(" + e + ")"
		type zero struct {
			at   *big.Rat
			many int
		}
		var zeros []zero
		for i := range rng.IntN(4) {
			z := zero{big.NewRat(int64(4*i+rng.IntN(4)-6), 2), 1 + rng.IntN(3)*rng.IntN(2)}
			zeros = append(zeros, z)
			e += fmt.Sprintf("*(p - (%s))^%d", z.at.RatString(), z.many)
		}
		if rng.IntN(2) == 0 {
			e += "*(p^2 + a)"
		}
		lo := big.NewRat(int64(rng.IntN(10)-7), 2)
		hi := new(big.Rat).Add(lo, big.NewRat(int64(1+rng.IntN(12)), 2))
		loIn, hiIn := rng.IntN(2) == 0, rng.IntN(2) == 0
		left, right := "(-inf", "inf)"
		bounded := rng.IntN(3) > 0
		if bounded {
			left, right = "("+lo.RatString(), hi.RatString()+")"
			if loIn {
				left = "[" + lo.RatString()
			}
			if hiIn {
				right = hi.RatString() + "]"
			}
		}
		all, up, down := 0, 0, 0
		for i, z := range zeros {
			if c, d := z.at.Cmp(lo), z.at.Cmp(hi); bounded && (c < 0 || c == 0 && !loIn || d > 0 || d == 0 && !hiIn) {
				continue
			}
			all++
			sign := turn
			for _, y := range zeros[i+1:] {
				if y.many%2 == 1 {
					sign = -sign
				}
			}
			if z.many == 1 && sign > 0 {
				up++
			} else if z.many == 1 {
				down++
			}
		}
		for word, n := range map[string]int{"": all, "rising ": up, "falling ": down} {
			for _, k := range []int{n, n + 1, max(0, n-1)} {
				says := fmt.Sprintf("%s has %d %szeros for p in %s, %s", e, k, word, left, right)
				refuted, reason := asked(t, "  scalar p, a\n", says, map[string]*big.Rat{"p": big.NewRat(7, 3), "a": big.NewRat(2, 3)})
				if refuted != (k != n) {
					t.Errorf("%s: %s", says, reason)
				}
			}
		}
	}
}

// TestZerosOfOtherThings asks where a count is of more than a polynomial of scalars, and where it says nothing.
func TestZerosOfOtherThings(t *testing.T) {
	at := map[string]*big.Rat{"p": big.NewRat(1, 3), "x": big.NewRat(2, 1), "a": big.NewRat(1, 1)}
	flow := "  scalar p, x, a\n  flow\n    p' = p*(a - p)\n    x' = p*x^2\n"
	for says, want := range map[string]string{
		"ddt(p) has 2 zeros for p in (-inf, inf)":                        "",
		"ddt(p) has 1 falling zero for p in (-inf, inf)":                 "",
		"ddt(p) has 1 rising zero for p in (0, inf)":                     "0 rising zeros, against 1",
		"ddt(1/x) has 1 zero for p in (-inf, inf)":                       "",
		"at(p*x - 1, x, p) has 2 zeros for p in (-inf, inf)":             "",
		"at(p*x - 1, x, p) has 1 zero for p in (-inf, inf)":              "2 zeros, against 1",
		"diff(p^3 - 3*p, p) has 2 zeros for p in (-inf, inf)":            "",
		"diff(p^3 - 3*p, p) has 3 zeros for p in (-inf, inf)":            "2 zeros, against 3",
		"p - p has 1 zero for p in (0, 1)":                               "zero everywhere",
		"p - p has 0 zeros for p in (1, 0)":                              "",
		"p - p has 1 zero for p in [x, 2]":                               "",
		"p - p has 0 zeros for p in [x, 2]":                              "1 zero, against 0",
		"p - p has 1 rising zero for p in [x, 2]":                        "0 rising zeros, against 1",
		"p - p has 0 rising zeros for p in [0, 1]":                       "",
		"p - p has 1 falling zero for p in (-inf, inf)":                  "0 falling zeros, against 1",
		"p - x has 1 zero for p in [x, 2]":                               "",
		"p - x has 1 zero for p in (x, 2]":                               "0 zeros, against 1",
		"root(2)*p - root(2) has 1 zero for p in (0, 1]":                 "",
		"root(2)*p - root(2) has 1 zero for p in (0, 1)":                 "0 zeros, against 1",
		"sg(p)*p - 2*p + 1 has 1 zero for p in (-inf, inf)":              "",
		"sg(p)*p - 2*p + 1 has 1 rising zero for p in (-inf, inf)":       "0 rising zeros, against 1",
		"1/p - 1 has 2 zeros for p in (0, inf)":                          "not counted",
		"root(p) - 1 has 2 zeros for p in (0, inf)":                      "not counted",
		"at(1/x, x, p) - 1 has 2 zeros for p in (0, inf)":                "not counted",
		"1 + diff(1/p, x) has 0 zeros for p in (-1, 1)":                  "not counted",
		"p/(x - 2) - 1 has 2 zeros for p in (0, inf)":                    "no value",
		"p/(x - 1) - 1 has 2 zeros for p in (0, inf)":                    "1 zero, against 2",
		"(p^64 - 2)^2 has 2 zeros for p in (0, inf)":                     "not counted",
		"ddt(p/x) has 2 zeros for p in (-inf, inf)":                      "",
		"ddt(p/x) has 3 zeros for p in (-inf, inf)":                      "2 zeros, against 3",
		"p^2 - 2 has 1 zero for p in (-inf, 1)":                          "",
		"p^2 - 2 has 1 falling zero for p in (-inf, 0]":                  "",
		"(p^2 - 2)*(p^2 - 3) has 2 falling zeros for p in (-inf, inf)":   "",
		"(p^2 - 2)*(p^2 - 3)^2 has 2 falling zeros for p in (-inf, inf)": "1 falling zero, against 2",
	} {
		refuted, reason := asked(t, flow, says, at)
		if counts := want != "" && want != "not counted" && want != "no value"; refuted != counts || !strings.Contains(reason, want) {
			t.Errorf("%s: %t, %s", says, refuted, reason)
		}
	}
}

// TestEndsDoNotMove asks about an interval that is another one for each value of the variable, by the equation of something
// else.
func TestEndsDoNotMove(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "made", Text: "claim c\n  title t\n  printed nowhere\n  scalar p, x\n  flow\n    x' = p\n  says s: p - 1 == 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	sig := r.Context().Signature()
	speed, err := sig.Make(kernel.Ddt, 0, sig.Lookup("x"))
	if err != nil {
		t.Fatal(err)
	}
	number := func(n int64) *kernel.Term {
		x, err := sig.Number(big.NewRat(n, 1))
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	st, err := model.NewState(sig, nil, map[string][][]*big.Rat{"p": {{big.NewRat(2, 1)}}, "x": {{big.NewRat(5, 1)}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []*kernel.Term{speed, sig.Lookup("x")} {
		g, err := kernel.NewFormula(kernel.Zeros, r.Goals()[0].Terms()[0], sig.Lookup("p"), number(0), number(0), end)
		if err != nil {
			t.Fatal(err)
		}
		_, err = model.Refute(r.Context(), g, st)
		if depends := end == speed; depends != (err != nil && strings.Contains(err.Error(), "depends on p")) {
			t.Errorf("up to %s: %v", kernel.Print(end), err)
		}
	}
}
