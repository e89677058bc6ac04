package method

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// Statistics says what BatchNorm normalises with.
type Statistics int

// The statistics.
const (
	// BatchStatistics are the mean and variance of the rows at hand, as in training.
	BatchStatistics Statistics = iota
	// RunningStatistics are the online network's buffers, as in torch's eval mode:
	// r ← 0.9·r + 0.1·(statistic of a view), first view first, with the unbiased
	// variance. They start at mean 0 and variance 1 and mean little before some
	// tens of steps.
	RunningStatistics
)

// bnMomentum is the weight of a new batch in the buffers (torch's default).
const bnMomentum = 0.1

// forward traces one pass through encoder and projector, or predictor, for one
// network of a configuration.
type forward struct {
	cfg Config
	// convolves uses the engine's convolution, repeat repeats weights (see dense).
	convolves, repeat bool
	// get returns the node of a tensor by its full name.
	get        func(name string) *graph.Node
	statistics Statistics
	// seen, if not nil, receives the batch statistics of every norm.
	seen map[string][2]*graph.Node
}

// norm applies the BatchNorm called name, without affine part.
func (f *forward) norm(name string, x *graph.Node) *graph.Node {
	if f.statistics == RunningStatistics {
		shape := make([]int, x.Rank())
		for i := range shape {
			shape[i] = 1
		}
		c := x.Shape().Dimensions[x.Rank()-1]
		shape[x.Rank()-1] = c
		mean := graph.Reshape(f.get(groupBuffer+"/"+name+"/mean"), shape...)
		variance := graph.Reshape(f.get(groupBuffer+"/"+name+"/var"), shape...)
		return graph.Div(graph.Sub(x, mean), graph.Sqrt(graph.AddScalar(variance, bnEpsilon)))
	}
	y, mean, variance := normalise(x)
	if f.seen != nil {
		count := float64(x.Shape().Size() / x.Shape().Dimensions[0] / x.Shape().Dimensions[x.Rank()-1])
		c := x.Shape().Dimensions[x.Rank()-1]
		v := x.Shape().Dimensions[0]
		f.seen[name] = [2]*graph.Node{graph.Reshape(mean, v, c), graph.MulScalar(graph.Reshape(variance, v, c), count/(count-1))}
	}
	return y
}

// hidden is Dense + BatchNorm or bias + ReLU.
func (f *forward) hidden(group, name string, x *graph.Node) *graph.Node {
	y := f.dense(x, f.get(group+"/"+name+"/w"))
	switch {
	case f.cfg.Net.BatchNorm:
		y = f.norm(name, y)
	case f.cfg.Net.Bias:
		y = bias(y, f.get(group+"/"+name+"/b"))
	}
	return relu(y)
}

// network maps x [v, n, dim] to the features [v, n, features] and the projection [v, n, out].
func (f *forward) network(group string, x *graph.Node) (features, z *graph.Node) {
	n := f.cfg.Net
	switch n.Kind {
	case Linear:
		z = f.dense(x, f.get(group+"/w"))
		return z, z
	case MLP:
		for i := range n.Hidden {
			x = f.hidden(group, fmt.Sprintf("encoder/%d", i), x)
		}
	default:
		d := x.Shape().Dimensions
		x = graph.Reshape(x, d[0], d[1], n.Rows, n.Columns, n.Channels)
		if n.Kind == SmallConv {
			for _, v := range n.convolutions() {
				x = relu(f.convBN(group, v, x))
			}
		} else {
			x = f.resnet(group, x)
		}
		x = graph.ReduceMean(x, 2, 3)
	}
	features = x
	for i := range n.Projector {
		x = f.hidden(group, fmt.Sprintf("projector/%d", i), x)
	}
	z = f.dense(x, f.get(group+"/projector/out/w"))
	if n.Bias {
		z = bias(z, f.get(group+"/projector/out/b"))
	}
	if n.OutputBN {
		z = f.norm("projector/out", z)
	}
	return features, z
}

// convBN is a convolution, BatchNorm and its affine part.
func (f *forward) convBN(group string, v convolution, x *graph.Node) *graph.Node {
	p := group + "/" + v.name
	y := f.norm(v.name, f.convolve(x, f.get(p+"/w"), v.stride))
	one := []int{1, 1, 1, 1, v.out}
	return graph.Add(graph.Mul(y, graph.Reshape(f.get(p+"/scale"), one...)), graph.Reshape(f.get(p+"/shift"), one...))
}

// resnet is ResNet-18 up to the last block (He et al. 2016, with the 3×3 stem
// and without pooling that CIFAR uses).
func (f *forward) resnet(group string, x *graph.Node) *graph.Node {
	byName := map[string]convolution{}
	for _, v := range f.cfg.Net.convolutions() {
		byName[v.name] = v
	}
	x = relu(f.convBN(group, byName["encoder/stem"], x))
	for stage := range 4 {
		for block := range 2 {
			name := blockName(stage, block)
			y := relu(f.convBN(group, byName[name+"/a"], x))
			y = f.convBN(group, byName[name+"/b"], y)
			if skip, ok := byName[name+"/skip"]; ok {
				x = f.convBN(group, skip, x)
			}
			x = relu(graph.Add(x, y))
		}
	}
	return x
}

// predict applies the predictor to z [v, n, out].
func (f *forward) predict(z *graph.Node) *graph.Node {
	switch f.cfg.Predictor.Kind {
	case LinearP, DirectP:
		return f.dense(z, f.get(PredictorName))
	case MLP2P:
		h := relu(f.norm(groupPredictor+"/0", f.dense(z, f.get(groupPredictor+"/0/w"))))
		return bias(f.dense(h, f.get(groupPredictor+"/out/w")), f.get(groupPredictor+"/out/b"))
	}
	return z
}

// normEpsilon keeps the cosine of a zero vector finite: norms are √(‖x‖² + ε).
// Its root, 1e-12, is the floor that torch.nn.functional.normalize puts under a norm.
const normEpsilon = 1e-24

// loss sums the loss over the views of p and z, both [v, n, d], each a mean over its examples.
func (l Loss) of(p, z *graph.Node) *graph.Node {
	switch l.Kind {
	case NTXent:
		return l.contrast(p)
	case VIC:
		return variances(p)
	}
	n := float64(p.Shape().Dimensions[1])
	if l.Kind == Euclidean {
		return graph.MulScalar(graph.ReduceAllSum(graph.Square(graph.Sub(p, z))), 0.5/n)
	}
	norm := func(x *graph.Node) *graph.Node {
		return graph.Sqrt(graph.AddScalar(graph.ReduceSum(graph.Square(x), 2), normEpsilon))
	}
	cos := graph.Div(graph.ReduceSum(graph.Mul(p, z), 2), graph.Mul(norm(p), norm(z)))
	views := float64(p.Shape().Dimensions[0])
	return graph.AddScalar(graph.MulScalar(graph.ReduceAllSum(cos), -2/n), 2*views)
}

// contrast is the loss NTXent of both views of the examples, f [2, n, d]. Cosines are at most 1, so that e^{(cos−1)/T} is
// summed without overflow; the row's own term is taken out by a mask.
func (l Loss) contrast(f *graph.Node) *graph.Node {
	g, d := f.Graph(), f.Shape().Dimensions
	rows := 2 * d[1]
	z := graph.Reshape(f, rows, d[2])
	norm := graph.Sqrt(graph.AddScalar(graph.ReduceAndKeep(graph.Square(z), graph.ReduceSum, 1), normEpsilon))
	z = graph.Div(z, norm)
	cos := graph.DotGeneral(z, []int{1}, nil, z, []int{1}, nil)
	logits := graph.MulScalar(graph.AddScalar(cos, -1), 1/l.Temperature)
	other, pair := make([]float64, rows*rows), make([]float64, rows*rows)
	for i := range rows {
		for j := range rows {
			if i != j {
				other[i*rows+j] = 1
			}
		}
		pair[i*rows+(i+d[1])%rows] = 1
	}
	mask := func(v []float64) *graph.Node {
		return graph.ConvertDType(graph.Const(g, tensors.FromFlatDataAndDimensions(v, rows, rows)), f.DType())
	}
	sums := graph.Log(graph.ReduceSum(graph.Mul(graph.Exp(logits), mask(other)), 1))
	positive := graph.ReduceSum(graph.Mul(logits, mask(pair)), 1)
	return graph.ReduceAllMean(graph.Sub(sums, positive))
}

// Weights of VICReg's terms and what keeps the root of a variance differentiable, from its section 4.2 and equation 2.
const (
	vicInvariance = 25
	vicVariance   = 25
	vicCovariance = 1
	vicEpsilon    = 1e-4
)

// variances is the loss VIC of both views of the examples, f [2, n, d].
func variances(f *graph.Node) *graph.Node {
	g, d := f.Graph(), f.Shape().Dimensions
	n, k := d[1], d[2]
	one := graph.Reshape(view(f, 0, 1), n, k)
	two := graph.Reshape(view(f, 1, 2), n, k)
	loss := graph.MulScalar(graph.ReduceAllSum(graph.Square(graph.Sub(one, two))), vicInvariance/float64(n*k))
	off := make([]float64, k*k)
	for i := range off {
		if i%(k+1) != 0 {
			off[i] = 1
		}
	}
	mask := graph.ConvertDType(graph.Const(g, tensors.FromFlatDataAndDimensions(off, k, k)), f.DType())
	for _, z := range []*graph.Node{one, two} {
		z = graph.Sub(z, graph.ReduceAndKeep(z, graph.ReduceMean, 0))
		cov := graph.MulScalar(graph.DotGeneral(z, []int{0}, nil, z, []int{0}, nil), 1/float64(n-1))
		variance := graph.MulScalar(graph.ReduceSum(graph.Square(z), 0), 1/float64(n-1))
		short := relu(graph.Neg(graph.AddScalar(graph.Sqrt(graph.AddScalar(variance, vicEpsilon)), -1)))
		loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(short), vicVariance/(2*float64(k))))
		loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(graph.Square(graph.Mul(cov, mask))), vicCovariance/float64(k)))
	}
	return loss
}
