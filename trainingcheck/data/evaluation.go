package data

import (
	"fmt"
	"math/rand/v2"
)

// Views is a list of labelled views, the input of an evaluation.
type Views struct {
	X      []float32 // N×Dim, row-major
	N, Dim int
	Labels []int // class of each row
	Images []int // index in the set of the image each row is a view of
}

// The Step of the evaluation keys, by part.
const (
	evalTrain = 0
	evalTest  = 1
	evalDraw  = 2 // the choice of images where not all are evaluated
)

// Evaluation draws the views on which features are evaluated: TrainViews of
// every labelled training image and TestViews of every labelled test image, up to
// EvalTrain and EvalTest images, rows in order of image and view. Neither depends
// on the training step, so that the numbers of a run can be compared over time.
// Gaussian data have no labels: an error.
func (d *Dataset) Evaluation(seed uint64) (train, test Views, err error) {
	if d.Gaussian != nil {
		return train, test, fmt.Errorf("data: %s has no labels to evaluate on", d.Spec)
	}
	if train, err = EvaluationViews(d.Train.Labelled(d.EvalTrain), d.EvalAugment, d.TrainViews, Key{Seed: seed, Stream: StreamEvalView, Step: evalTrain}); err != nil {
		return train, test, err
	}
	test, err = EvaluationViews(d.Test.Labelled(d.EvalTest), d.EvalAugment, d.TestViews, Key{Seed: seed, Stream: StreamEvalView, Step: evalTest})
	return train, test, err
}

// EvaluationViews draws views views of each labelled image of set. Sample and
// View of key are replaced by the image's index and the view's number.
func EvaluationViews(set *Set, aug Augmentation, views int, key Key) (Views, error) {
	h, w, c, err := aug.Size(set.H, set.W, set.C)
	if err != nil {
		return Views{}, err
	}
	if views < 1 {
		return Views{}, fmt.Errorf("data: %d views an image", views)
	}
	v := Views{Dim: h * w * c}
	for i, label := range set.Labels {
		if label == Unlabelled {
			continue
		}
		for range views {
			v.Labels = append(v.Labels, label)
			v.Images = append(v.Images, i)
		}
	}
	v.N = len(v.Labels)
	v.X = make([]float32, v.N*v.Dim)
	err = inParallel(v.N, func(row int) error {
		var p rand.PCG
		k := key
		k.Sample, k.View = uint64(v.Images[row]), uint64(row%views)
		k.Start(&p)
		aug.View(v.X[row*v.Dim:(row+1)*v.Dim], set.Image(v.Images[row]), rand.New(&p))
		return nil
	})
	return v, err
}
