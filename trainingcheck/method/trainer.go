package method

import (
	"errors"
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
)

// Trainer holds the state of one run on an engine and advances it step by step.
//
// The state stays on the device; a step moves the two views in, or after Upload
// only what they are made from, and the loss out (and F̂ out and W_p in, when the
// predictor is direct and solved on the host). A Trainer is not safe for
// concurrent use.
type Trainer struct {
	engine *engine.Engine
	config Config
	seed   uint64
	done   int
	loaded bool // from a checkpoint: the run has a beginning elsewhere

	layout []TensorSpec
	store  *model.Store
	vars   map[string]*model.Variable
	host   *feed // from the views
	drawn  *feed // from the images on the device, nil before Upload
	stock  augment.Stock
	pixels *tensors.Tensor // of the stock, on the device
	embed  map[Statistics]*model.Exec
}

// feed is the compiled step for one way in which views come to the device. Its
// graphs take what the views are made from and ρ.
type feed struct {
	step    *model.Exec
	between *model.Exec // the step between two settings of W_p on the device; step itself where there are none
	moment  *model.Exec // updates F̂ alone, when the host sets W_p before the step; else nil
}

// feed compiles lazily; views are [1, n, dim] each, in the run's type.
func (t *Trainer) feed(views func(in []*graph.Node) (x1, x2 *graph.Node)) (*feed, error) {
	exec := func(trace func(x1, x2, rho *graph.Node) *graph.Node) (*model.Exec, error) {
		return model.NewExec(t.engine.Backend, t.store, func(_ *model.Scope, in []*graph.Node) *graph.Node {
			last := len(in) - 1
			x1, x2 := views(in[:last])
			return trace(x1, x2, in[last])
		})
	}
	var f feed
	var err error
	if f.step, err = exec(func(x1, x2, rho *graph.Node) *graph.Node { return t.trace(x1, x2, rho, true) }); err != nil {
		return nil, fmt.Errorf("method: building the step: %w", err)
	}
	f.between = f.step
	d := t.config.Direct
	if d == nil {
		return &f, nil
	}
	switch {
	case d.Solver == NewtonSchulz && d.Freq > 1:
		f.between, err = exec(func(x1, x2, rho *graph.Node) *graph.Node { return t.trace(x1, x2, rho, false) })
	case d.Solver != NewtonSchulz && d.When == BeforeStep:
		f.moment, err = exec(func(x1, x2, rho *graph.Node) *graph.Node {
			_, z := t.pass(x1.Graph(), BatchStatistics).network(groupOnline, t.seen(x1, x2))
			weight, _ := t.numbers(rho)
			return t.follow(z, weight)
		})
	}
	if err != nil {
		return nil, fmt.Errorf("method: building the step: %w", err)
	}
	return &f, nil
}

// close releases the compiled graphs.
func (f *feed) close() {
	if f == nil {
		return
	}
	f.step.Finalize()
	if f.between != f.step {
		f.between.Finalize()
	}
	if f.moment != nil {
		f.moment.Finalize()
	}
}

// New starts a run at step 0 with the weights of c.Initial(seed). The precision
// BFloat16 needs an engine other than engine.CPU.
func New(e *engine.Engine, c Config, seed uint64) (*Trainer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return restore(e, c, seed, 0, c.Initial(seed))
}

// restore makes a trainer with the given state, in the order of Layout.
func restore(e *engine.Engine, c Config, seed uint64, done int, values [][]float64) (*Trainer, error) {
	if c.Precision == BFloat16 && e.Kind == engine.CPU {
		return nil, &UnsupportedError{Engine: e.Kind, What: string(BFloat16), Want: beyondCPU}
	}
	if c.Loss.Kind == NTXent && e.Kind == engine.CPU {
		return nil, &UnsupportedError{Engine: e.Kind, What: "exponential and logarithm, which the loss ntxent takes", Want: beyondCPU}
	}
	t := &Trainer{engine: e, config: c, seed: seed, done: done, layout: c.Layout(),
		store: model.NewStore(), vars: map[string]*model.Variable{}, embed: map[Statistics]*model.Exec{}}
	for i, s := range t.layout {
		v, err := t.store.CreateVariable(s.Name, t.tensor(values[i], s.Dims...))
		if err != nil {
			return nil, fmt.Errorf("method: creating %s: %w", s.Name, err)
		}
		t.vars[s.Name] = v
	}
	var err error
	if t.host, err = t.feed(func(in []*graph.Node) (x1, x2 *graph.Node) { return in[0], in[1] }); err != nil {
		return nil, err
	}
	for _, s := range []Statistics{BatchStatistics, RunningStatistics} {
		t.embed[s], err = model.NewExec(e.Backend, t.store, func(_ *model.Scope, x *graph.Node) []*graph.Node {
			f := t.pass(x.Graph(), s)
			features, z := f.network(groupOnline, x)
			return []*graph.Node{features, z, f.predict(z)}
		})
		if err != nil {
			return nil, fmt.Errorf("method: building the embedding: %w", err)
		}
		t.embed[s].SetMaxCache(-1) // one graph for each number of rows asked for
	}
	return t, nil
}

// Close releases the compiled graphs and the state's memory on the device.
func (t *Trainer) Close() {
	t.host.close()
	t.drawn.close()
	if t.pixels != nil {
		t.pixels.FinalizeAll()
	}
	for _, x := range t.embed {
		x.Finalize()
	}
	t.store.Finalize()
}

// Restart puts the run back to step 0 with the given state, in the order of Config.Layout. The compiled graphs stay, which
// on an accelerator take far longer to make than a run of a few steps.
func (t *Trainer) Restart(values [][]float64) error {
	if len(values) != len(t.layout) {
		return fmt.Errorf("method: %d tensors to restart from, this run has %d", len(values), len(t.layout))
	}
	for i, s := range t.layout {
		if err := t.Set(s.Name, values[i]); err != nil {
			return err
		}
	}
	t.done, t.loaded = 0, false
	return nil
}

// Config is the run's configuration.
func (t *Trainer) Config() Config { return t.config }

// Seed is the seed of the run's weights.
func (t *Trainer) Seed() uint64 { return t.seed }

// Done is the number of steps made.
func (t *Trainer) Done() int { return t.done }

// tensor copies values to a tensor of the run's type.
func (t *Trainer) tensor(v []float64, dims ...int) *tensors.Tensor {
	if t.config.Precision == Float64 {
		return tensors.FromFlatDataAndDimensions(v, dims...)
	}
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return tensors.FromFlatDataAndDimensions(w, dims...)
}

// rows copies a view to a tensor of the run's type.
func (t *Trainer) rows(x []float32, dims ...int) *tensors.Tensor {
	if t.config.Precision != Float64 {
		return tensors.FromFlatDataAndDimensions(x, dims...)
	}
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return tensors.FromFlatDataAndDimensions(w, dims...)
}

// flat copies a tensor's values out.
func flat(x *tensors.Tensor) ([]float64, error) {
	if x.DType() == dtypes.Float64 {
		return tensors.CopyFlatData[float64](x)
	}
	s, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return nil, err
	}
	v := make([]float64, len(s))
	for i, f := range s {
		v[i] = float64(f)
	}
	return v, nil
}

func (t *Trainer) pass(g *graph.Graph, s Statistics) *forward {
	return &forward{cfg: t.config, convolves: t.engine.Convolves(), repeat: t.engine.Kind == engine.CPUGoMLX, statistics: s,
		get: func(name string) *graph.Node { return t.vars[name].NodeValue(g) }}
}

// view returns views [from, to) of x.
func view(x *graph.Node, from, to int) *graph.Node {
	spec := make([]graph.SliceAxisSpec, x.Rank())
	for i := range spec {
		spec[i] = graph.AxisRange()
	}
	spec[0] = graph.AxisRange(from, to)
	return graph.Slice(x, spec...)
}

func swapped(x *graph.Node) *graph.Node {
	return graph.Concatenate([]*graph.Node{view(x, 1, 2), view(x, 0, 1)}, 0)
}

// seen stacks the views that the online network sees. The second is among them
// when it is predicted from, is the target, or enters F̂ crosswise.
func (t *Trainer) seen(x1, x2 *graph.Node) *graph.Node {
	c := t.config
	if c.Loss.BothDirections || c.Target.Kind == Shared || c.Direct != nil && c.Direct.Moment == CrossView {
		return graph.Concatenate([]*graph.Node{x1, x2}, 0)
	}
	return x1
}

// follow moves F̂ by the projections of a batch and returns it.
func (t *Trainer) follow(f, rho *graph.Node) *graph.Node {
	m := t.vars[MomentName]
	past := m.NodeValue(f.Graph())
	m.SetNodeValue(graph.Add(graph.Mul(past, rho), graph.Mul(t.config.Direct.batchMoment(f), graph.OneMinus(rho))))
	if t.config.Direct.ZeroMean {
		d := f.Shape().Dimensions
		mean := graph.ReduceMean(graph.Reshape(graph.StopGradient(f), d[0]*d[1], d[2]), 0)
		v := t.vars[MeanName]
		v.SetNodeValue(graph.Add(graph.Mul(v.NodeValue(f.Graph()), rho), graph.Mul(mean, graph.OneMinus(rho))))
	}
	return m.NodeValue(f.Graph())
}

// trace builds one training step. x1 and x2 are [1, n, dim]. With set, a W_p
// that is solved on the device is set from F̂.
func (t *Trainer) trace(x1, x2, numbers *graph.Node, set bool) *graph.Node {
	c := t.config
	g := x1.Graph()
	rho, now := t.numbers(numbers)
	online := t.pass(g, BatchStatistics)
	online.seen = map[string][2]*graph.Node{}

	x := t.seen(x1, x2)
	_, f := online.network(groupOnline, x)
	follow := func(now When) {
		d := c.Direct
		if d == nil || d.When != now || now == BeforeStep && d.Solver != NewtonSchulz {
			return
		}
		if moment := t.follow(f, rho); set && d.Solver == NewtonSchulz {
			w := graph.ConvertDType(d.solve(c.Method, moment, c.Precision.roots()), c.Precision.dtype())
			// With Freq > 1 W_p learns from here: a node of its own, since a StopGradient has no gradient.
			t.vars[PredictorName].SetNodeValue(graph.Identity(graph.StopGradient(w)))
		}
	}
	follow(BeforeStep)

	from := f // what predicts
	if !c.Loss.BothDirections && x != x1 {
		from = view(f, 0, 1)
	}
	var z *graph.Node // what is predicted, view by view
	switch {
	case c.Target.Kind == EMA && c.Loss.BothDirections:
		_, z = t.pass(g, BatchStatistics).network(groupTarget, graph.Concatenate([]*graph.Node{x2, x1}, 0))
	case c.Target.Kind == EMA:
		_, z = t.pass(g, BatchStatistics).network(groupTarget, x2)
	case c.Loss.BothDirections:
		z = swapped(f)
	default:
		z = view(f, 1, 2)
	}
	if c.Method != NoStopGradient && !c.Method.baseline() {
		z = graph.StopGradient(z)
	}
	loss := c.Loss.of(online.predict(from), z)

	t.update(g, loss, now)
	t.average(g, now)
	t.buffers(g, online.seen)
	follow(AfterStep)
	return loss
}

// scheduled are the numbers of a step that a schedule changes; nil without one.
type scheduled struct{ rate, average *graph.Node }

// numbers takes apart what a step is given besides its views: ρ alone, or ρ, the rate and m for a run with a schedule.
func (t *Trainer) numbers(in *graph.Node) (rho *graph.Node, now *scheduled) {
	if t.config.Optimizer.Schedule == nil {
		return in, nil
	}
	at := func(i int) *graph.Node { return graph.Reshape(graph.Slice(in, graph.AxisRange(i, i+1))) }
	return at(0), &scheduled{at(1), at(2)}
}

// excluded tells whether a tensor is a bias or the affine part of a BatchNorm, which the optimiser leaves alone if asked to.
func (o Optimizer) excluded(w *graph.Node) bool { return o.ExcludeBiasAndNorm && w.Rank() == 1 }

// ratio is g·Trust·‖w‖/‖g‖, and g where a norm is 0.
func (o Optimizer) ratio(w, grad *graph.Node) *graph.Node {
	norm := func(x *graph.Node) *graph.Node { return graph.Sqrt(graph.ReduceAllSum(graph.Square(x))) }
	nw, ng := norm(w), norm(grad)
	zero, one := graph.ScalarZero(w.Graph(), w.DType()), graph.ScalarOne(w.Graph(), w.DType())
	// Where a norm vanishes both become one, and the ratio with them.
	both := graph.Mul(nw, ng)
	lost := graph.GreaterThan(both, zero)
	factor := graph.Where(lost, graph.MulScalar(graph.Div(nw, graph.Where(lost, ng, one)), o.Trust), one)
	return graph.Mul(grad, factor)
}

// update applies the optimiser to every trained tensor.
func (t *Trainer) update(g *graph.Graph, loss *graph.Node, now *scheduled) {
	c, o := t.config, t.config.Optimizer
	var names []string
	var nodes []*graph.Node
	for _, s := range c.trained() {
		if c.Direct != nil && c.Direct.Freq == 1 && s.Name == PredictorName {
			continue // overwritten after the step
		}
		names, nodes = append(names, s.Name), append(nodes, t.vars[s.Name].NodeValue(g))
	}
	for i, grad := range graph.Gradient(loss, nodes...) {
		w := nodes[i]
		rate, decay := o.LearningRate, o.WeightDecay
		if group, _ := cutGroup(names[i]); group == groupPredictor {
			rate *= c.Predictor.RateRatio
			if o.Decay == TheoryDecay {
				decay /= c.Predictor.RateRatio
			}
		}
		if decay != 0 && !o.excluded(w) {
			grad = graph.Add(grad, graph.MulScalar(w, decay))
		}
		if o.Trust > 0 && !o.excluded(w) {
			grad = o.ratio(w, grad)
		}
		if o.Momentum > 0 {
			v := t.vars[groupVelocity+"/"+names[i]]
			grad = graph.Add(graph.MulScalar(v.NodeValue(g), o.Momentum), grad)
			v.SetNodeValue(grad)
		}
		if now != nil { // rate has the factor of the group alone then
			w = graph.Sub(w, graph.MulScalar(graph.Mul(grad, now.rate), rate/o.LearningRate))
		} else {
			w = graph.Sub(w, graph.MulScalar(grad, rate))
		}
		if names[i] == PredictorName && c.Predictor.Symmetrize {
			w = graph.MulScalar(graph.Add(w, graph.Transpose(w, 0, 1)), 0.5)
		}
		t.vars[names[i]].SetNodeValue(w)
	}
}

// average moves the target towards the updated online weights.
func (t *Trainer) average(g *graph.Graph, now *scheduled) {
	c := t.config
	if c.Target.Kind != EMA {
		return
	}
	m := c.Target.Momentum
	for _, s := range c.network() {
		a := t.vars[groupTarget+"/"+s.Name]
		w := t.vars[groupOnline+"/"+s.Name].NodeValue(g)
		if now != nil {
			a.SetNodeValue(graph.Add(graph.Mul(a.NodeValue(g), now.average), graph.Mul(w, graph.OneMinus(now.average))))
			continue
		}
		a.SetNodeValue(graph.Add(graph.MulScalar(a.NodeValue(g), m), graph.MulScalar(w, 1-m)))
	}
}

// buffers moves the BatchNorm buffers by the statistics of each view in turn.
func (t *Trainer) buffers(g *graph.Graph, seen map[string][2]*graph.Node) {
	for _, n := range t.config.norms() {
		for i, what := range []string{"/mean", "/var"} {
			v := t.vars[groupBuffer+"/"+n.name+what]
			r, s := v.NodeValue(g), seen[n.name][i]
			for k := range s.Shape().Dimensions[0] {
				r = graph.Add(graph.MulScalar(r, 1-bnMomentum), graph.MulScalar(graph.Reshape(view(s, k, k+1), n.width), bnMomentum))
			}
			v.SetNodeValue(r)
		}
	}
}

// batchMoment is the batch's estimate of the matrix behind F̂, from the online
// projections f [views, n, d]. With one view SameView is E[f₁f₁ᵀ] alone.
func (d Direct) batchMoment(f *graph.Node) *graph.Node {
	f = graph.StopGradient(f)
	dims := f.Shape().Dimensions
	v, n, k := dims[0], dims[1], dims[2]
	if d.Centred {
		f = graph.Sub(f, graph.ReduceAndKeep(f, graph.ReduceMean, 0, 1))
	}
	if d.Moment == SameView {
		rows := graph.Reshape(f, v*n, k)
		return graph.MulScalar(graph.DotGeneral(rows, []int{0}, nil, rows, []int{0}, nil), 1/float64(v*n))
	}
	one := func(i int) *graph.Node { return graph.Reshape(view(f, i, i+1), n, k) }
	c := graph.DotGeneral(one(0), []int{0}, nil, one(1), []int{0}, nil)
	return graph.MulScalar(graph.Add(c, graph.Transpose(c, 0, 1)), 0.5/float64(n))
}

// Step trains on one batch and returns the loss before the update.
//
// A batch of the wrong shape is refused without any change. After any other
// error (the device failed) the state is lost and the trainer must be closed.
func (t *Trainer) Step(b Batch) (loss float64, err error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	if b.N != t.config.Batch || b.Dim != t.config.Net.dim() {
		return 0, fmt.Errorf("method: batch is %d×%d, the configuration wants %d×%d", b.N, b.Dim, t.config.Batch, t.config.Net.dim())
	}
	defer recovered(&err)
	return t.advance(t.host, t.rows(b.X1, 1, b.N, b.Dim), t.rows(b.X2, 1, b.N, b.Dim))
}

// advance makes one step from what a feed makes its views from.
func (t *Trainer) advance(f *feed, in ...any) (loss float64, err error) {
	rho := 0.0 // the first batch sets F̂
	d := t.config.Direct
	set := d != nil && t.done%d.Freq == 0
	onHost := set && d.Solver != NewtonSchulz
	if d != nil && t.done > 0 {
		rho = d.Rho
		if d.PlainAverage {
			rho = float64(t.done) / float64(t.done+1)
		}
	}
	if c := t.config; c.Optimizer.Schedule != nil {
		in = append(in, t.tensor([]float64{rho, c.Rate(t.done), c.Average(t.done)}, 3))
	} else {
		in = append(in, t.tensor([]float64{rho}))
	}
	if f.moment != nil {
		if _, err := f.moment.Call(in...); err != nil {
			return 0, fmt.Errorf("method: step %d: %w", t.done, err)
		}
		if onHost {
			if err := t.setPredictor(*d); err != nil {
				return 0, fmt.Errorf("method: step %d: %w", t.done, err)
			}
		}
	}
	step := f.between
	if set {
		step = f.step
	}
	out, err := step.Call(in...)
	if err != nil {
		return 0, fmt.Errorf("method: step %d: %w", t.done, err)
	}
	v, err := flat(out[0])
	if err != nil {
		return 0, fmt.Errorf("method: step %d: reading the loss: %w", t.done, err)
	}
	if onHost && f.moment == nil {
		if err := t.setPredictor(*d); err != nil {
			return 0, fmt.Errorf("method: step %d: %w", t.done, err)
		}
	}
	t.done++
	return v[0], nil
}

// setPredictor computes W_p from F̂ on the host.
func (t *Trainer) setPredictor(d Direct) error {
	moment, err := t.Matrix(MomentName)
	if err != nil {
		return err
	}
	if d.ZeroMean {
		mean, _, err := t.Values(MeanName)
		if err != nil {
			return err
		}
		v := mat.NewVecDense(len(mean), mean)
		moment.RankOne(moment, -1, v, v)
	}
	w, err := d.Predictor(t.config.Method, moment)
	if err != nil {
		return err
	}
	return t.Set(PredictorName, w.RawMatrix().Data)
}

// recovered turns a panic of the graph library into an error.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("method: %v", r)
	}
}

// Names lists the tensors of the state in the order of Config.Layout.
func (t *Trainer) Names() []string {
	names := make([]string, len(t.layout))
	for i, s := range t.layout {
		names[i] = s.Name
	}
	return names
}

func (t *Trainer) spec(name string) (TensorSpec, error) {
	for _, s := range t.layout {
		if s.Name == name {
			return s, nil
		}
	}
	return TensorSpec{}, fmt.Errorf("method: no tensor %q in this run", name)
}

// Values copies a tensor of the state out, with the lengths of its axes.
func (t *Trainer) Values(name string) (values []float64, dims []int, err error) {
	s, err := t.spec(name)
	if err != nil {
		return nil, nil, err
	}
	x, err := t.vars[name].Value()
	if err != nil {
		return nil, nil, fmt.Errorf("method: reading %s: %w", name, err)
	}
	if values, err = flat(x); err != nil {
		return nil, nil, fmt.Errorf("method: reading %s: %w", name, err)
	}
	return values, s.Dims, nil
}

// Matrix returns a dense weight as the theory writes it, acting on columns
// (out×in: the transpose of Values), or F̂. Other tensors are an error.
func (t *Trainer) Matrix(name string) (*mat.Dense, error) {
	v, dims, err := t.Values(name)
	if err != nil {
		return nil, err
	}
	if len(dims) != 2 {
		return nil, fmt.Errorf("method: tensor %q has %d axes, want a matrix", name, len(dims))
	}
	return mat.DenseCopyOf(mat.NewDense(dims[0], dims[1], v).T()), nil
}

// Set overwrites a tensor of the state with values in the order of Values.
func (t *Trainer) Set(name string, values []float64) error {
	s, err := t.spec(name)
	if err != nil {
		return err
	}
	if len(values) != s.Size() {
		return fmt.Errorf("method: %d values for tensor %q of %v", len(values), name, s.Dims)
	}
	if err := t.vars[name].SetValue(t.tensor(values, s.Dims...)); err != nil {
		return fmt.Errorf("method: writing %s: %w", name, err)
	}
	return nil
}

// SetMatrix overwrites a dense weight with a matrix in the theory's orientation.
func (t *Trainer) SetMatrix(name string, w mat.Matrix) error {
	s, err := t.spec(name)
	if err != nil {
		return err
	}
	if r, c := w.Dims(); len(s.Dims) != 2 || c != s.Dims[0] || r != s.Dims[1] {
		return fmt.Errorf("method: %d×%d matrix for tensor %q of %v (stored as the transpose)", r, c, name, s.Dims)
	}
	return t.Set(name, mat.DenseCopyOf(w.T()).RawMatrix().Data)
}

// Embedding holds what the online network makes of n rows, one row each.
type Embedding struct {
	// Features is the encoder's output, Projection the projector's (z), and
	// Prediction the predictor's.
	Features, Projection, Prediction *mat.Dense
}

// embedChunk is the number of rows that one call embeds with running statistics.
const embedChunk = 256

// Embed applies the online network to n rows without changing the state.
// BatchStatistics normalises over all n rows together; RunningStatistics
// treats every row alone, so that the result of a row depends on that row only.
func (t *Trainer) Embed(x []float32, n int, s Statistics) (e Embedding, err error) {
	dim := t.config.Net.dim()
	switch {
	case n < 1 || len(x) != n*dim:
		return e, fmt.Errorf("method: %d values to embed, want %d rows of %d", len(x), n, dim)
	case s != BatchStatistics && s != RunningStatistics:
		return e, fmt.Errorf("method: unknown statistics %d", s)
	case s == BatchStatistics && n < 2 && t.config.normalises():
		return e, errors.New("method: one row has no batch statistics")
	}
	defer recovered(&err)
	chunk := n
	if s == RunningStatistics {
		chunk = embedChunk
	}
	widths := []int{t.config.Net.features(), t.config.Net.Out, t.config.Net.Out}
	whole := make([]*mat.Dense, len(widths))
	for i, w := range widths {
		whole[i] = mat.NewDense(n, w, nil)
	}
	for at := 0; at < n; at += chunk {
		k := min(chunk, n-at)
		part := make([]float32, chunk*dim)
		copy(part, x[at*dim:(at+k)*dim])
		out, err := t.embed[s].Call(t.rows(part, 1, chunk, dim))
		if err != nil {
			return e, fmt.Errorf("method: embedding: %w", err)
		}
		for i, w := range widths {
			v, err := flat(out[i])
			if err != nil {
				return e, fmt.Errorf("method: embedding: %w", err)
			}
			copy(whole[i].RawMatrix().Data[at*w:], v[:k*w])
		}
	}
	return Embedding{whole[0], whole[1], whole[2]}, nil
}

// Finite tells whether every tensor of the state is finite, and names the first that is not.
func (t *Trainer) Finite() (ok bool, name string, err error) {
	for _, s := range t.layout {
		v, _, err := t.Values(s.Name)
		if err != nil {
			return false, "", err
		}
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return false, s.Name, nil
			}
		}
	}
	return true, "", nil
}
