package check

import (
	"math"
	"testing"

	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// few returns the mini tier's base cut to some steps.
func few(t *testing.T, steps int) method.Config {
	t.Helper()
	base, _, err := Mini.Base()
	if err != nil {
		t.Fatal(err)
	}
	base.Steps = steps
	return base
}

func train(t *testing.T, a Arm, base method.Config, w *Watch) *Outcome {
	t.Helper()
	e, err := engine.Open(engine.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	o, err := Train(t.Context(), e, d, a, base, 3, 0, w)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestTheStepsLawHoldsWithEqualDecayOnly: the law carries the imbalance to the rounding of the weights, and a predictor
// that decays twice as fast leaves it by (1 − lr·η)² − (1 − 2·lr·η)² ≈ 2·lr·η = 1e-3 of ‖W_pᵀW_p‖ a step.
func TestTheStepsLawHoldsWithEqualDecayOnly(t *testing.T) {
	base := few(t, 20)
	if o := train(t, PlainSGD, base, nil); !(o.Discrete > 0 && o.Discrete < discreteTolerance/100) {
		t.Errorf("plain SGD deviates by %g", o.Discrete)
	}
	if o := train(t, UnequalDecay, base, nil); !(o.Discrete > 10*discreteTolerance) {
		t.Errorf("unequal decay deviates by %g only", o.Discrete)
	}
	for _, a := range []Arm{BYOL, DirectPred, NoPredictor, NoStopGradient} {
		if o := train(t, a, few(t, 1), nil); !math.IsNaN(o.Discrete) {
			t.Errorf("%s deviates by %g from a law it does not obey", a, o.Discrete)
		}
	}
}

// TestWatchSeesEveryStepAndLook: and the series has what the looks had.
func TestWatchSeesEveryStepAndLook(t *testing.T) {
	base := few(t, 20)
	var before, after, progress int
	var looks []int
	o := train(t, BYOL, base, &Watch{
		Before: func(tr *method.Trainer, done int, b method.Batch) error {
			if tr.Done() != done || b.N != base.Batch {
				t.Errorf("before step %d: trainer at %d, batch of %d", done, tr.Done(), b.N)
			}
			before++
			return nil
		},
		After: func(tr *method.Trainer, done int) error {
			if tr.Done() != done {
				t.Errorf("after step %d: trainer at %d", done, tr.Done())
			}
			after++
			return nil
		},
		Look: func(_ *method.Trainer, done int, loss, decay float64, l *Look) error {
			looks = append(looks, done)
			if math.IsNaN(loss) != (done == 0) || math.Abs(decay-5*float64(done)/1000) > 1e-12 || l.Predictor == nil || l.LastLayer == nil || len(l.Bias) != 16 {
				t.Errorf("look after %d steps: loss %g, ηt %g, %+v", done, loss, decay, l)
			}
			return nil
		},
		Progress: func(int, int) { progress++ },
	})
	if before != 20 || after != 20 || progress != 20 || len(looks) != 11 {
		t.Errorf("%d, %d, %d calls and looks at %v", before, after, progress, looks)
	}
	for i, r := range o.Series {
		if r.Step != looks[i] {
			t.Errorf("record %d is of step %d", i, r.Step)
		}
	}
}

// TestFewLabelsLeaveOutTheFewLabelProbe: nine images of a class are not ten.
func TestFewLabelsLeaveOutTheFewLabelProbe(t *testing.T) {
	d, err := data.Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	part := *d
	var index []int
	count := make([]int, 10)
	for i, l := range d.Train.Labels {
		if count[l] < 9 || l > 0 && count[l] < 12 {
			count[l]++
			index = append(index, i)
		}
	}
	part.Train = d.Train.Subset(index)
	v, err := NewEvaluation(&part, 1)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Open(engine.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tr, err := method.New(e, few(t, 1), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	a, err := v.Accuracies(tr, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := a["lin10"]; ok || len(a) != 3 {
		t.Errorf("accuracies %v", a)
	}
}
