package verdict_test

import (
	"bytes"
	"math/big"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/verdict"
)

// TestLossesAreOfTheAssumption: a motion that leaves the equations of an assumption says that it is not kept if all that is
// assumed beside it holds along that motion; one that is known to meet less, or of which another statement fails, says nothing.
func TestLossesAreOfTheAssumption(t *testing.T) {
	const head = "claim c\n  scalar x\n  scalar y\n  flow\n    x' = y\n    y' = 0\n  says s: "
	r := elaborated(t, head+"assumption x == 0\n    consequence y == 0\n    assume h: y > 0\n")
	loss, goals, err := verdict.Loss(r)
	if err != nil || loss != r.Beside() || len(goals) != 1 {
		t.Fatalf("%v %v %v", loss, goals, err)
	}
	sig := r.Context().Signature()
	less := kept(kernel.NewContext(r.Context().Dynamics(), kernel.Motion))
	y := sig.Lookup("y")
	other := kept(kernel.NewFormula(kernel.StayZero, kept(sig.Make(kernel.Sum, 0, sig.Lookup("x"), kept(sig.Make(kernel.Product, 0, y, sig.Lookup("x")))))))
	plain := elaborated(t, head+"x stays zero\n")
	for about, c := range map[string]struct {
		r       *lang.Reading
		context *kernel.Context
		goal    kernel.Formula
		y       int64
		want    string
	}{
		"all that is assumed":              {r, loss, goals[0], 1, "not kept"},
		"less is assumed, and more is not": {r, less, goals[0], -1, "undecided"},
		"less is assumed":                  {r, less, goals[0], 1, "undecided"},
		"another statement":                {r, loss, other, 1, "undecided"},
		"no assumption":                    {plain, plain.Context(), plain.Goals()[0], 1, "undecided"},
	} {
		number := func(k int64) [][]*big.Rat { return [][]*big.Rat{{big.NewRat(k, 1)}} }
		st := kept(model.NewState(c.context.Signature(), nil, map[string][][]*big.Rat{"x": number(0), "y": number(c.y)}))
		x, err := model.Refute(c.context, c.goal, st)
		if err != nil {
			t.Errorf("%s: %v", about, err)
			continue
		}
		if v := verdict.OfLoss(c.r, x); v.String() != c.want {
			t.Errorf("%s: %s, want %s", about, v, c.want)
		}
		if c.r == plain {
			continue
		}
		text := kept(certificate.Refutation(certificate.Label{Claim: "c", Part: "s", Reading: "printed"}, nil, x))
		if v, _ := verdict.OfCertificate(r.Part(), kept(certificate.Read(bytes.NewReader(text)))); v.String() != c.want {
			t.Errorf("%s: by its certificate %s, want %s", about, v, c.want)
		}
	}
}

func elaborated(t *testing.T, text string) *lang.Reading {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "c", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	r, err := lang.Elaborate(f.Claims[0].Parts[0])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kept[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
