package parity

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// StepName is the name under which a golden refers to Step.
const StepName = "step"

// Names of the scalars of Step; gradients are GradientPrefix and the part of the network: encoder, projector or
// predictor, and w for the single matrix of a linear network.
const (
	ValueLoss      = "loss"
	ValueFNorm     = "f_norm"  // ‖F‖ (Frobenius)
	ValueFTrace    = "f_trace" // tr F
	ValueRank      = "er"      // effective rank of E[ẑẑᵀ], golden.MetricRank
	GradientPrefix = "grad_"
)

// Step makes the first training step of c, from the weights c.Initial(seed) on the first batch of Views(c, seed), and
// returns
//
//	loss     the loss of the batch before the update
//	grad_G   ‖g + wd·w‖ over the tensors of group G: the velocities after one step from rest
//	f_norm, f_trace, er   of F = E[zzᵀ], z the projection of the first view before the update
//
// and the hash of weights and views (inputHash). It returns an error for a configuration without momentum, which keeps no
// gradients.
func Step(e *engine.Engine, c method.Config, seed uint64) (values map[string]float64, inputs string, err error) {
	t, err := method.New(e, c, seed)
	if err != nil {
		return nil, "", err
	}
	defer t.Close()
	return stepFrom(t, c.Initial(seed), seed)
}

// exactStep is Step of the same weights and views in float64.
func exactStep(e *engine.Engine, c method.Config, seed uint64) (values map[string]float64, inputs string, err error) {
	weights := c.Initial(seed) // rounded as c's precision has them
	c.Precision = method.Float64
	t, err := method.New(e, c, seed)
	if err != nil {
		return nil, "", err
	}
	defer t.Close()
	return stepFrom(t, weights, seed)
}

// stepFrom makes one step from a state on the views of a seed.
func stepFrom(t *method.Trainer, weights [][]float64, seed uint64) (values map[string]float64, inputs string, err error) {
	if t.Config().Optimizer.Momentum == 0 {
		return nil, "", fmt.Errorf("parity: configuration field optimizer.momentum: 0 keeps no gradients to compare")
	}
	if err := t.Restart(weights); err != nil {
		return nil, "", err
	}
	b := Views(t.Config(), seed).Batch(0)
	inputs = inputHash(t.Names(), weights, b)
	x, err := t.Embed(b.X1, b.N, method.BatchStatistics)
	if err != nil {
		return nil, "", err
	}
	f := metric.SecondMoment(x.Projection)
	values = map[string]float64{ValueFNorm: mat.Norm(f, 2), ValueFTrace: mat.Trace(f), ValueRank: metric.EffectiveRank(x.Projection).Uncentred}
	if values[ValueLoss], err = t.Step(b); err != nil {
		return nil, "", err
	}
	squares := map[string]float64{}
	for _, name := range t.Names() {
		group, ok := gradientGroup(name)
		if !ok {
			continue
		}
		v, _, err := t.Values(name)
		if err != nil {
			return nil, "", err
		}
		for _, g := range v {
			squares[group] += g * g
		}
	}
	for group, s := range squares {
		values[GradientPrefix+group] = math.Sqrt(s)
	}
	for name, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, "", fmt.Errorf("parity: %s of the step is %v", name, v)
		}
	}
	return values, inputs, nil
}

// gradientGroup returns the part of the network that a velocity belongs to, and false for other tensors. Tensors are
// named as method.TensorSpec says: velocity/online/PART/…, velocity/online/w and velocity/predictor/….
func gradientGroup(tensor string) (group string, ok bool) {
	name, ok := strings.CutPrefix(tensor, velocityPrefix)
	group, _, _ = strings.Cut(strings.TrimPrefix(name, "online/"), "/")
	return group, ok
}

const velocityPrefix = "velocity/"

// inputHash is the SHA-256 of what a step starts from: the name and the little-endian float64 values of every tensor of
// the state in the order of Config.Layout, then both views in little-endian float32, each part after its length.
func inputHash(names []string, weights [][]float64, b method.Batch) string {
	h := sha256.New()
	for i, w := range weights {
		fmt.Fprintf(h, "%s %d\n", names[i], len(w))
		word := make([]byte, 0, 8*len(w))
		for _, v := range w {
			word = binary.LittleEndian.AppendUint64(word, math.Float64bits(v))
		}
		h.Write(word)
	}
	for _, x := range [][]float32{b.X1, b.X2} {
		fmt.Fprintf(h, "view %d\n", len(x))
		word := make([]byte, 0, 4*len(x))
		for _, v := range x {
			word = binary.LittleEndian.AppendUint32(word, math.Float32bits(v))
		}
		h.Write(word)
	}
	return hex.EncodeToString(h.Sum(nil))
}
