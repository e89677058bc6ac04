package oracle

import (
	"fmt"

	"stopgrad/trainingcheck/method"
)

// Stepper is what every implementation of a training run offers; *method.Trainer is one.
type Stepper interface {
	// Step trains on one batch and returns the loss before the update.
	Step(method.Batch) (float64, error)
	// Values copies a tensor of method.Config.Layout out.
	Values(name string) (values []float64, dims []int, err error)
}

// supported reports a configuration outside what the oracles implement: linear
// and MLP encoders in float64 with a trained predictor or none.
func supported(c method.Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	switch {
	case c.Net.Kind != method.Linear && c.Net.Kind != method.MLP:
		return fmt.Errorf("oracle: network %q is outside the oracle, want linear or mlp", string(c.Net.Kind))
	case c.Direct != nil:
		return fmt.Errorf("oracle: method %q is outside the oracle", string(c.Method))
	case c.Precision != method.Float64:
		return fmt.Errorf("oracle: precision %q is outside the oracle, want float64", string(c.Precision))
	}
	return nil
}

// layer is one dense layer: y = x·w, then BatchNorm or a bias, then ReLU.
type layer struct {
	w, b string // tensor names without their group; b empty without a bias
	norm string // the buffer's name, empty without BatchNorm
	relu bool
}

// networkLayers are encoder and projector, named as in method.Config.Layout.
func networkLayers(c method.Config) []layer {
	n := c.Net
	if n.Kind == method.Linear {
		return []layer{{w: "w"}}
	}
	var l []layer
	hidden := func(name string) {
		h := layer{w: name + "/w", relu: true}
		if n.BatchNorm {
			h.norm = name
		} else if n.Bias {
			h.b = name + "/b"
		}
		l = append(l, h)
	}
	for i := range n.Hidden {
		hidden(fmt.Sprintf("encoder/%d", i))
	}
	for i := range n.Projector {
		hidden(fmt.Sprintf("projector/%d", i))
	}
	out := layer{w: "projector/out/w"}
	if n.Bias {
		out.b = "projector/out/b"
	}
	if n.OutputBN {
		out.norm = "projector/out"
	}
	return append(l, out)
}

// predictorLayers are the predictor's, with full names.
func predictorLayers(c method.Config) []layer {
	switch c.Predictor.Kind {
	case method.LinearP:
		return []layer{{w: method.PredictorName}}
	case method.MLP2P:
		return []layer{{w: "predictor/0/w", norm: "predictor/0", relu: true}, {w: "predictor/out/w", b: "predictor/out/b"}}
	}
	return nil
}

// inGroup puts a group in front of the layers' tensor names.
func inGroup(group string, layers []layer) []layer {
	out := make([]layer, len(layers))
	for i, l := range layers {
		l.w = group + "/" + l.w
		if l.b != "" {
			l.b = group + "/" + l.b
		}
		out[i] = l
	}
	return out
}

// bnEpsilon, bnMomentum and normEpsilon are torch's, as package method states them.
const (
	bnEpsilon   = 1e-5
	bnMomentum  = 0.1
	normEpsilon = 1e-24
)

// state is the values of a run with its optimiser, shared by both oracles.
type state struct {
	cfg    method.Config
	layout []method.TensorSpec
	value  map[string][]float64
}

func newState(c method.Config, seed uint64) *state {
	s := &state{cfg: c, layout: c.Layout(), value: map[string][]float64{}}
	for i, v := range c.Initial(seed) {
		s.value[s.layout[i].Name] = v
	}
	return s
}

func (s *state) dims(name string) []int {
	for _, l := range s.layout {
		if l.Name == name {
			return l.Dims
		}
	}
	panic("oracle: no tensor " + name)
}

// Values copies a tensor out.
func (s *state) Values(name string) ([]float64, []int, error) {
	v, ok := s.value[name]
	if !ok {
		return nil, nil, fmt.Errorf("oracle: no tensor %q in this run", name)
	}
	return append([]float64(nil), v...), s.dims(name), nil
}

// update is torch's SGD on every tensor that has a gradient, the
// symmetrisation of W_p, and the EMA of the target.
func (s *state) update(grad map[string][]float64) {
	c := s.cfg
	o := c.Optimizer
	for _, l := range s.layout {
		g, ok := grad[l.Name]
		if !ok {
			continue
		}
		rate, decay := o.LearningRate, o.WeightDecay
		if len(l.Name) > 10 && l.Name[:10] == "predictor/" {
			rate *= c.Predictor.RateRatio
			if o.Decay == method.TheoryDecay {
				decay /= c.Predictor.RateRatio
			}
		}
		w, v := s.value[l.Name], s.value["velocity/"+l.Name]
		for i := range w {
			d := g[i] + decay*w[i]
			if v != nil {
				v[i] = o.Momentum*v[i] + d
				d = v[i]
			}
			w[i] -= rate * d
		}
	}
	if c.Predictor.Symmetrize {
		w, d := s.value[method.PredictorName], c.Net.Out
		for i := range d {
			for j := range i {
				m := (w[i*d+j] + w[j*d+i]) / 2
				w[i*d+j], w[j*d+i] = m, m
			}
		}
	}
	if c.Target.Kind == method.EMA {
		m := c.Target.Momentum
		for _, l := range s.layout {
			if len(l.Name) > 7 && l.Name[:7] == "target/" {
				a, w := s.value[l.Name], s.value["online/"+l.Name[7:]]
				for i := range a {
					a[i] = m*a[i] + (1-m)*w[i]
				}
			}
		}
	}
}

// track moves the buffers of one norm by the statistics of one view of n rows.
func (s *state) track(norm string, mean, variance []float64, n int) {
	m, v := s.value["buffer/"+norm+"/mean"], s.value["buffer/"+norm+"/var"]
	unbias := float64(n) / float64(n-1)
	for j := range m {
		m[j] = (1-bnMomentum)*m[j] + bnMomentum*mean[j]
		v[j] = (1-bnMomentum)*v[j] + bnMomentum*variance[j]*unbias
	}
}
