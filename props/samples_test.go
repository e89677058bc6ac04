package props_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"stopgrad/props"
	"stopgrad/theory/eval"
)

// TestSamplesOfEveryPart: sampling agrees with what each part asserts, and float64 arithmetic judges as exact
// arithmetic does, within the tolerance it documents.
func TestSamplesOfEveryPart(t *testing.T) {
	f := load(t)
	n := 30
	if long() {
		n = 300
	}
	worst, where := 0.0, ""
	for _, c := range f.Claims {
		p, err := props.Of(f, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range p.Parts {
			samples := n
			if random(part.Part) {
				samples = raceScaled(n)
			}
			r := props.Samples(context.Background(), part.Part, 1, samples)
			if r.Err != nil {
				t.Errorf("%s/%s: %v", c.ID, part.Name, r.Err)
			}
			if part.Asserted && r.Refutation != nil {
				t.Errorf("%s/%s: refuted at %v", c.ID, part.Name, r.Witness)
			}
			if (r.Refutation == nil) != (r.Witness == nil) {
				t.Errorf("%s/%s: refutation and witness do not go together", c.ID, part.Name)
			}
			if part.Asserted && r.Measure == "residual" && r.Worst != 0 {
				t.Errorf("%s/%s: exact residual %v", c.ID, part.Name, r.Worst)
			}
			if r.Disagreements > 0 {
				t.Errorf("%s/%s: float64 disagrees at %d of %d states", c.ID, part.Name, r.Disagreements, r.Tried)
			}
			if r.Rounding > worst {
				worst, where = r.Rounding, c.ID+"/"+part.Name
			}
		}
	}
	if worst > eval.Tolerance {
		t.Errorf("%s: float64 leaves a relative residual of %.3g, above eval.Tolerance", where, worst)
	}
	t.Logf("greatest float64 residual %.2g of the scale, in %s", worst, where)
}

func TestSamplesRepeatThemselves(t *testing.T) {
	f := load(t)
	for _, id := range []string{"thm3-bound", "F-def", "fixed-points"} {
		for _, part := range f.Claim(id).Parts {
			a := props.Samples(context.Background(), part, 5, 20)
			b := props.Samples(context.Background(), part, 5, 20)
			if a.Tried != b.Tried || a.Worst != b.Worst || !reflect.DeepEqual(a.Witness, b.Witness) {
				t.Errorf("%s/%s: two runs from one seed differ", id, part.Name)
			}
		}
	}
	// Another seed draws other states.
	part := f.Claim("pminus-monotone").Parts[0]
	if a, b := props.Samples(context.Background(), part, 5, 20), props.Samples(context.Background(), part, 6, 20); a.Worst == b.Worst {
		t.Errorf("seeds 5 and 6 have the same worst margin %v", a.Worst)
	}
}

func TestSamplesStopWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := props.Samples(ctx, load(t).Claim("thm1").Parts[0], 1, 5); !errors.Is(r.Err, context.Canceled) || r.Tried != 0 {
		t.Errorf("%+v", r)
	}
}

func TestOfNamesAnUnknownClaim(t *testing.T) {
	if _, err := props.Of(load(t), "thm9"); err == nil || err.Error() != `props: no claim "thm9"` {
		t.Errorf("error %v", err)
	}
}
