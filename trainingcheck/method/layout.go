package method

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// The groups of tensors, the first element of a tensor's name.
const (
	groupOnline    = "online"
	groupTarget    = "target"
	groupPredictor = "predictor"
	groupVelocity  = "velocity"
	groupBuffer    = "buffer"
)

// MomentName is the name of F̂ among a trainer's tensors, MeanName that of μ̂ (Direct.ZeroMean).
const (
	MomentName = "moment"
	MeanName   = "mean"
)

// PredictorName is the name of W_p among a trainer's tensors, for the linear
// and the direct predictor.
const PredictorName = "predictor/w"

// TensorSpec is one tensor of a trainer's state.
//
// Dense weights are stored as in×out and act on rows: y = x·w. The matrices of
// the theory act on columns, so W = wᵀ and W_p = wᵀ; Trainer.Matrix gives those.
// Convolutions are stored as height×width×in×out.
type TensorSpec struct {
	// Name is a path such as "online/encoder/0/w", "predictor/w",
	// "velocity/online/projector/out/b", "buffer/encoder/0/mean" or "moment".
	Name string
	// Dims are the lengths of the axes, the last one contiguous.
	Dims []int
	// bound is the half-width of the uniform draw; 0 for the constant fill.
	bound, fill float64
}

// Size is the number of values.
func (s TensorSpec) Size() int {
	n := 1
	for _, d := range s.Dims {
		n *= d
	}
	return n
}

// Layout lists the state of a run in a fixed order: weights of the online
// network and of the predictor (the trained ones), then the target's weights,
// velocities, BatchNorm buffers of the online network, F̂ and μ̂. It panics on a
// configuration that Validate refuses.
func (c Config) Layout() []TensorSpec {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	trained := c.trained()
	all := append([]TensorSpec{}, trained...)
	if c.Target.Kind == EMA {
		for _, s := range c.network() {
			s.Name = groupTarget + "/" + s.Name
			all = append(all, s)
		}
	}
	if c.Optimizer.Momentum > 0 {
		for _, s := range trained {
			all = append(all, TensorSpec{Name: groupVelocity + "/" + s.Name, Dims: s.Dims})
		}
	}
	for _, n := range c.norms() {
		all = append(all,
			TensorSpec{Name: groupBuffer + "/" + n.name + "/mean", Dims: []int{n.width}},
			TensorSpec{Name: groupBuffer + "/" + n.name + "/var", Dims: []int{n.width}, fill: 1})
	}
	if c.Method.direct() {
		all = append(all, TensorSpec{Name: MomentName, Dims: []int{c.Net.Out, c.Net.Out}})
		if c.Direct.ZeroMean {
			all = append(all, TensorSpec{Name: MeanName, Dims: []int{c.Net.Out}})
		}
	}
	return all
}

// trained lists the tensors that the optimiser moves.
func (c Config) trained() []TensorSpec {
	var t []TensorSpec
	for _, s := range c.network() {
		s.Name = groupOnline + "/" + s.Name
		t = append(t, s)
	}
	d := c.Net.Out
	switch c.Predictor.Kind {
	case LinearP, DirectP:
		t = append(t, denseWeight(PredictorName, d, d))
	case MLP2P:
		h := c.Predictor.Hidden
		t = append(t, denseWeight(groupPredictor+"/0/w", d, h), denseWeight(groupPredictor+"/out/w", h, d), denseBias(groupPredictor+"/out/b", h, d))
	}
	return t
}

// denseWeight and denseBias follow torch.nn.Linear: U(±1/√fan_in) for both.
func denseWeight(name string, in, out int) TensorSpec {
	return TensorSpec{Name: name, Dims: []int{in, out}, bound: 1 / math.Sqrt(float64(in))}
}

func denseBias(name string, in, out int) TensorSpec {
	return TensorSpec{Name: name, Dims: []int{out}, bound: 1 / math.Sqrt(float64(in))}
}

// network lists the weights of encoder and projector.
func (c Config) network() []TensorSpec {
	var t []TensorSpec
	n := c.Net
	hidden := func(name string, in, out int) {
		t = append(t, denseWeight(name+"/w", in, out))
		if n.Bias && !n.BatchNorm {
			t = append(t, denseBias(name+"/b", in, out))
		}
	}
	width := n.In
	switch n.Kind {
	case Linear:
		return []TensorSpec{denseWeight("w", n.In, n.Out)}
	case MLP:
		for i, h := range n.Hidden {
			hidden(fmt.Sprintf("encoder/%d", i), width, h)
			width = h
		}
	default:
		for _, v := range n.convolutions() {
			t = append(t,
				TensorSpec{Name: v.name + "/w", Dims: []int{v.kernel, v.kernel, v.in, v.out}, bound: 1 / math.Sqrt(float64(v.kernel*v.kernel*v.in))},
				TensorSpec{Name: v.name + "/scale", Dims: []int{v.out}, fill: 1},
				TensorSpec{Name: v.name + "/shift", Dims: []int{v.out}})
		}
		width = n.features()
	}
	for i, h := range n.Projector {
		hidden(fmt.Sprintf("projector/%d", i), width, h)
		width = h
	}
	t = append(t, denseWeight("projector/out/w", width, n.Out))
	if n.Bias {
		t = append(t, denseBias("projector/out/b", width, n.Out))
	}
	return t
}

// features is the dimension of the encoder's output.
func (n Net) features() int {
	switch n.Kind {
	case Linear:
		return n.Out
	case MLP:
		return n.Hidden[len(n.Hidden)-1]
	case SmallConv:
		return 2 * n.Base
	}
	return 8 * n.Base
}

// convolution is one convolution of an encoder.
type convolution struct {
	name                    string
	kernel, in, out, stride int
}

// convolutions lists them in the order in which the forward pass meets them.
func (n Net) convolutions() []convolution {
	switch n.Kind {
	case SmallConv:
		return []convolution{{"encoder/0", 3, n.Channels, n.Base, 1}, {"encoder/1", 3, n.Base, 2 * n.Base, 2}}
	case ResNet18:
		list := []convolution{{"encoder/stem", 3, n.Channels, n.Base, 1}}
		in := n.Base
		for stage := range 4 {
			out := n.Base << stage
			for block := range 2 {
				stride := 1
				if stage > 0 && block == 0 {
					stride = 2
				}
				name := blockName(stage, block)
				list = append(list, convolution{name + "/a", 3, in, out, stride}, convolution{name + "/b", 3, out, out, 1})
				if stride != 1 || in != out {
					list = append(list, convolution{name + "/skip", 1, in, out, stride})
				}
				in = out
			}
		}
		return list
	}
	return nil
}

func blockName(stage, block int) string { return fmt.Sprintf("encoder/%d.%d", stage, block) }

// norm is one BatchNorm of the online network or the predictor.
type norm struct {
	name  string
	width int
}

func (c Config) norms() []norm {
	var l []norm
	n := c.Net
	for _, v := range n.convolutions() {
		l = append(l, norm{v.name, v.out})
	}
	if n.BatchNorm {
		for i, h := range n.Hidden {
			l = append(l, norm{fmt.Sprintf("encoder/%d", i), h})
		}
		for i, h := range n.Projector {
			l = append(l, norm{fmt.Sprintf("projector/%d", i), h})
		}
	}
	if n.OutputBN {
		l = append(l, norm{"projector/out", n.Out})
	}
	if c.Predictor.Kind == MLP2P {
		l = append(l, norm{groupPredictor + "/0", c.Predictor.Hidden})
	}
	return l
}

// Initial draws the starting values of every tensor of Layout, in its order.
//
// Weights and biases are uniform on ±1/√fan_in (torch.nn.Linear and Conv2d);
// BatchNorm starts at scale 1, shift 0 and buffers (0, 1), velocities and F̂ at
// 0. Every tensor has its own PCG stream, made of the seed and the tensor's
// name, so that a tensor's values do not depend on what else a configuration
// holds: the online network starts alike with every predictor and target. A
// target with Init Copy starts as the online network does. Values are rounded
// to float32 unless the precision is Float64.
func (c Config) Initial(seed uint64) [][]float64 {
	layout := c.Layout()
	values := make([][]float64, len(layout))
	online := map[string][]float64{}
	for i, s := range layout {
		v := make([]float64, s.Size())
		values[i] = v
		group, rest := cutGroup(s.Name)
		if group == groupTarget && c.Target.Init == Copy {
			copy(v, online[rest])
			continue
		}
		r := rand.New(rand.NewPCG(seed, stream(s.Name)))
		for j := range v {
			v[j] = s.fill
			if s.bound > 0 {
				v[j] = s.bound * (2*r.Float64() - 1)
			}
			if c.Precision != Float64 {
				v[j] = float64(float32(v[j]))
			}
		}
		if group == groupOnline {
			online[rest] = v
		}
	}
	return values
}

func cutGroup(name string) (group, rest string) {
	for i := range name {
		if name[i] == '/' {
			return name[:i], name[i+1:]
		}
	}
	return name, ""
}

// stream is the PCG stream of a name: its 64-bit FNV-1a hash.
func stream(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}
