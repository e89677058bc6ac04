package data

import (
	"slices"
	"testing"
)

// TestLabelledImagesAreDrawnOnceForAll: the same ones every time, labelled ones alone, each once, and the whole set where
// nothing is to be left out.
func TestLabelledImagesAreDrawnOnceForAll(t *testing.T) {
	s := &Set{H: 1, W: 1, C: 1, White: 255, Classes: []string{"a", "b"}}
	for i := range 40 {
		label := i % 2
		if i%5 == 0 {
			label = Unlabelled
		}
		s.Labels, s.Pixels = append(s.Labels, label), append(s.Pixels, uint8(i))
	}
	all := s.Labelled(0)
	if all.Len() != 32 || !slices.Equal(all.Pixels, s.Labelled(32).Pixels) || !slices.Equal(all.Pixels, s.Labelled(100).Pixels) || slices.Contains(all.Pixels, 5) {
		t.Errorf("%v", all.Pixels)
	}
	if all.Labelled(0) != all || all.Labelled(32) != all {
		t.Error("a set is copied without need")
	}
	few := s.Labelled(10)
	if few.Len() != 10 || !slices.Equal(few.Pixels, s.Labelled(10).Pixels) || slices.Equal(few.Pixels, all.Pixels[:10]) {
		t.Errorf("%v", few.Pixels)
	}
	seen := map[uint8]bool{}
	for i, p := range few.Pixels {
		if seen[p] || p%5 == 0 || few.Labels[i] != int(p%2) {
			t.Errorf("image %d with label %d of %v", p, few.Labels[i], few.Pixels)
		}
		seen[p] = true
	}
}

// TestTheEvaluationKeepsToItsLimits: and without limits it is that of all images.
func TestTheEvaluationKeepsToItsLimits(t *testing.T) {
	d, err := Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	few := *d
	few.EvalTrain, few.EvalTest = 7, 5
	train, test, err := few.Evaluation(3)
	if err != nil {
		t.Fatal(err)
	}
	if train.N != 7*d.TrainViews || test.N != 5*d.TestViews {
		t.Errorf("%d and %d views", train.N, test.N)
	}
	if train, test, err = d.Evaluation(3); err != nil || train.N != d.Train.Len()*d.TrainViews || test.N != d.Test.Len()*d.TestViews {
		t.Errorf("%d and %d views (%v)", train.N, test.N, err)
	}
}
