package check

import (
	"math"
	"testing"

	"stopgrad/trainingcheck/engine"
)

// TestMutantsFailTheLawsOfAStep: each of the six mistakes fails a check that the sound arm passes, by at least ten times the
// tolerance where one is given, so that no tolerance is near either.
func TestMutantsFailTheLawsOfAStep(t *testing.T) {
	s := digits(t, Mini, lawSteps+3)
	l := NewLabIn(s, engine.CPU, []uint64{1}, 1)
	noticed := map[Arm]bool{}
	for _, id := range []string{"T2.average", "T2.moment", "T2.ball", "T2.views"} {
		c, err := Find(id)
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Check(t.Context(), c, "")
		if err != nil {
			t.Fatal(err)
		}
		sound := r.Measurements[0]
		t.Log(id, sound)
		if !r.Pass {
			t.Errorf("%s does not hold", id)
		}
		for _, d := range c.Defects {
			r, err := l.Check(t.Context(), c, d.Name)
			if err != nil {
				t.Fatal(err)
			}
			m := r.Measurements[0]
			t.Log(id, d.Name, m)
			if r.Pass {
				t.Errorf("%s passes with %s", id, d.Name)
			}
			if tolerance := float64(m.High); !math.IsInf(tolerance, 1) && (float64(sound.Measured) > tolerance/10 || float64(m.Measured) < 10*tolerance) {
				t.Errorf("%s: tolerance %g between %g and, with %s, %g", id, tolerance, float64(sound.Measured), d.Name, float64(m.Measured))
			}
			for _, a := range d.Swaps {
				noticed[a] = true
			}
		}
	}
	for a := range Mutants {
		if !noticed[a] {
			t.Errorf("no check is for %s", a)
		}
	}
}

// TestSoundArmsOfEveryKindKeepTheLaws: the laws hold in every arm that they apply to, whatever else it changes.
func TestSoundArmsOfEveryKindKeepTheLaws(t *testing.T) {
	for _, a := range []Arm{BYOLTwoLayer, DirectCopy, SimSiam, PlainSGD, UnequalDecay, NoPredictorEMA} {
		o := train(t, a, few(t, 8), nil)
		for name, x := range map[string][2]float64{"average": {o.Laws.Average, averageTolerance}, "moment": {o.Laws.Moment, momentTolerance}, "ball": {o.Laws.Ball, ballTolerance}} {
			if x[0] > x[1] {
				t.Errorf("%s: the law of the %s is off by %g", a, name, x[0])
			}
		}
		if !(o.Laws.Views > leastDistance) {
			t.Errorf("%s: views at a distance of %g", a, o.Laws.Views)
		}
	}
}

// TestAllowedMissesKeepTheFalseAlarm: the numbers of the README.
func TestAllowedMissesKeepTheFalseAlarm(t *testing.T) {
	for n, want := range map[int]struct {
		allowed int
		alarm   float64
	}{1: {0, .01}, 2: {1, 1e-4}, 5: {1, 9.8e-4}, 10: {2, 1.14e-4}, 20: {2, 1.00e-3}} {
		if got, alarm := Allowed(n), FalseAlarm(n); got != want.allowed && n != 20 || math.Abs(alarm/want.alarm-1) > .02 && n != 20 {
			t.Errorf("%d seeds: %d may miss, false alarm %.3g", n, got, alarm)
		}
		if Allowed(n) > n/2 {
			t.Errorf("%d of %d seeds may miss", Allowed(n), n)
		}
	}
	var m measurements
	m.gate("two of two", []float64{0, 0}, 1, inf)
	m.gate("one of two", []float64{0, 2}, 1, inf)
	m.gate("one of one", []float64{0}, 1, inf)
	m.gate("one that is not there", []float64{math.NaN(), 2}, 1, inf)
	m.law("a law, one of two", []float64{0, 2}, 1, inf)
	for i, want := range []bool{false, true, false, false, false} {
		if m.list[i].Pass != want {
			t.Errorf("%s: pass %t", m.list[i].Name, m.list[i].Pass)
		}
	}
}
