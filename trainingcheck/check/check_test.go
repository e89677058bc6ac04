package check

import (
	"context"
	"testing"
)

// TestGatesHoldAndBrokenVariantsFail runs every check of the mini tier on one seed, and every broken variant
// of it, which the gate must refuse.
func TestGatesHoldAndBrokenVariantsFail(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("some fourteen thousand steps of training: not with -short or -race")
	}
	l, err := NewLab(Mini, []uint64{1}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Checks() {
		r, err := l.Check(context.Background(), c, "")
		if err != nil {
			t.Fatal(err)
		}
		if !r.Pass {
			t.Errorf("%s does not hold", c.ID)
		}
		for _, m := range r.Measurements {
			t.Logf("%s %s", c.ID, m)
		}
		if len(c.Defects) == 0 {
			t.Errorf("%s has no broken variant", c.ID)
		}
		for _, d := range c.Defects {
			r, err := l.Check(context.Background(), c, d.Name)
			if err != nil {
				t.Fatal(err)
			}
			if r.Pass {
				t.Errorf("%s passes with %s", c.ID, d.Name)
			}
		}
	}
}
