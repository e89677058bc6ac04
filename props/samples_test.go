package props_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"stopgrad/props"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
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

// TestSamplesEndByTheirWork: of long numbers fewer states are judged.
func TestSamplesEndByTheirWork(t *testing.T) {
	for power, whole := range map[int]bool{2: true, 64: false} {
		text := fmt.Sprintf("claim c\n  scalar x, y\n  let b = ((7/3)^%d)^32\n  let c = b*x + y/b\n  let d = c*y + x/b\n  let e = d*x + c*y\n  let g = (d + c)*(e + d*c)*(e - d)\n  says s: g^2 + (g - e)^2 >= 0\n", power)
		f, err := lang.Parse(lang.Source{Name: "f", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		if r := props.Samples(context.Background(), f.Claims[0].Parts[0], 1, 400); r.Drawn == 400 != whole {
			t.Errorf("(7/3)^%d: %d states of 400", power*32, r.Drawn)
		}
	}
}
