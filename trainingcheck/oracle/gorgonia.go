package oracle

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"stopgrad/trainingcheck/method"
)

// Gorgonia trains with the automatic differentiation of gorgonia v0.9.18.
//
// Gorgonia has no stop-gradient. Weights whose gradient must not flow enter the
// graph a second time, as nodes of their own that are not differentiated, with
// the same values at every step: the EMA target's, or for SimSiam a copy of the
// online ones. Without stop-gradient both branches share the node. Means over
// rows and broadcasts are products with constant matrices, whose gradients are
// products again.
type Gorgonia struct {
	*state
	graph *G.ExprGraph
	vm    G.VM
	views [2]*G.Node
	// nodes holds the weights by tensor name, fixed the copies without gradient.
	nodes, fixed map[string]*G.Node
	loss         G.Value
	grads        map[string]*G.Value
	norms        []seenNorm
}

// seenNorm is a BatchNorm's statistics in one view, every row of them alike.
type seenNorm struct {
	name           string
	mean, variance *G.Value
}

// NewGorgonia starts a run at step 0 with the weights of c.Initial(seed).
func NewGorgonia(c method.Config, seed uint64) (o *Gorgonia, err error) {
	if err := supported(c); err != nil {
		return nil, err
	}
	defer func() {
		if r := recover(); r != nil {
			o, err = nil, fmt.Errorf("oracle: building the gorgonia graph: %v", r)
		}
	}()
	o = &Gorgonia{state: newState(c, seed), graph: G.NewGraph(), nodes: map[string]*G.Node{}, fixed: map[string]*G.Node{}, grads: map[string]*G.Value{}}
	o.build()
	o.vm = G.NewTapeMachine(o.graph)
	return o, nil
}

// Close releases the machine.
func (o *Gorgonia) Close() error { return o.vm.Close() }

// must unwraps the results of graph construction; NewGorgonia recovers.
func must(n *G.Node, err error) *G.Node {
	if err != nil {
		panic(err)
	}
	return n
}

func (o *Gorgonia) matrix(name string, r, c int) *G.Node {
	return G.NewMatrix(o.graph, tensor.Float64, G.WithShape(r, c), G.WithName(name))
}

// filled is a constant r×c matrix.
func (o *Gorgonia) filled(name string, r, c int, v float64) *G.Node {
	data := make([]float64, r*c)
	for i := range data {
		data[i] = v
	}
	return G.NewMatrix(o.graph, tensor.Float64, G.WithShape(r, c), G.WithName(name),
		G.WithValue(tensor.New(tensor.WithShape(r, c), tensor.WithBacking(data))))
}

// weight returns the node of a tensor, a bias as a matrix of one row.
func (o *Gorgonia) weight(in map[string]*G.Node, label, name string) *G.Node {
	n, ok := in[name]
	if !ok {
		d := o.dims(name)
		if len(d) == 1 {
			d = []int{1, d[0]}
		}
		n = o.matrix(label+name, d[0], d[1])
		in[name] = n
	}
	return n
}

func (o *Gorgonia) build() {
	c := o.cfg
	n := c.Batch
	for i := range o.views {
		o.views[i] = o.matrix(fmt.Sprintf("x%d", i), n, c.Net.In)
	}
	trained := func(name string) *G.Node { return o.weight(o.nodes, "", name) }
	frozen := func(name string) *G.Node { return o.weight(o.fixed, "sg ", name) }
	online, predictor := inGroup("online", networkLayers(c)), predictorLayers(c)

	var f [2]*G.Node
	predicting := 1
	if c.Loss.BothDirections {
		predicting = 2
	}
	// The online network sees both views whenever the configuration's BatchNorm
	// buffers follow both.
	seen := predicting
	if c.Target.Kind == method.Shared {
		seen = 2
	}
	for v := range seen {
		f[v] = o.forward(online, o.views[v], trained, true)
	}
	var total *G.Node
	for v := range predicting {
		p := o.forward(predictor, f[v], trained, true)
		var z *G.Node
		switch {
		case c.Target.Kind == method.EMA:
			z = o.forward(inGroup("target", networkLayers(c)), o.views[1-v], frozen, false)
		case c.Method == method.NoStopGradient:
			z = f[1-v]
		default:
			z = o.forward(online, o.views[1-v], frozen, false)
		}
		l := o.lossOf(c.Loss.Kind, p, z)
		if total == nil {
			total = l
		} else {
			total = must(G.Add(total, l))
		}
	}
	G.Read(total, &o.loss)

	var names []string
	var wrt []*G.Node
	for _, l := range append(append([]layer{}, online...), predictor...) {
		for _, name := range []string{l.w, l.b} {
			if name != "" {
				names, wrt = append(names, name), append(wrt, o.nodes[name])
			}
		}
	}
	grads, err := G.Grad(total, wrt...)
	if err != nil {
		panic(err)
	}
	for i, g := range grads {
		v := new(G.Value)
		o.grads[names[i]] = v
		G.Read(g, v)
	}
}

// forward maps the rows of x through the layers with the weights that get gives.
func (o *Gorgonia) forward(layers []layer, x *G.Node, get func(string) *G.Node, track bool) *G.Node {
	n := o.cfg.Batch
	for _, l := range layers {
		w := get(l.w)
		width := w.Shape()[1]
		x = must(G.Mul(x, w))
		if l.b != "" {
			x = must(G.Add(x, must(G.Mul(o.filled("ones", n, 1, 1), get(l.b)))))
		}
		if l.norm != "" {
			average := o.filled("average", n, n, 1/float64(n))
			mean := must(G.Mul(average, x))
			d := must(G.Sub(x, mean))
			variance := must(G.Mul(average, must(G.HadamardProd(d, d))))
			if track {
				s := seenNorm{l.norm, new(G.Value), new(G.Value)}
				G.Read(mean, s.mean)
				G.Read(variance, s.variance)
				o.norms = append(o.norms, s)
			}
			x = must(G.HadamardDiv(d, must(G.Sqrt(must(G.Add(variance, o.filled("eps", n, width, bnEpsilon)))))))
		}
		if l.relu {
			x = must(G.Rectify(x))
		}
	}
	return x
}

// lossOf is the loss of one direction.
func (o *Gorgonia) lossOf(kind method.LossKind, p, z *G.Node) *G.Node {
	n, d := o.cfg.Batch, o.cfg.Net.Out
	scalar := func(v float64) *G.Node { return G.NewConstant(v) }
	if kind == method.Euclidean {
		e := must(G.Sub(p, z))
		return must(G.Mul(must(G.Sum(must(G.HadamardProd(e, e)))), scalar(0.5/float64(n))))
	}
	ones := o.filled("ones", d, 1, 1)
	rowSum := func(a, b *G.Node) *G.Node { return must(G.Mul(must(G.HadamardProd(a, b)), ones)) }
	norm := func(a *G.Node) *G.Node {
		return must(G.Sqrt(must(G.Add(rowSum(a, a), o.filled("eps", n, 1, normEpsilon)))))
	}
	cos := must(G.HadamardDiv(rowSum(p, z), must(G.HadamardProd(norm(p), norm(z)))))
	return must(G.Add(must(G.Mul(must(G.Sum(cos)), scalar(-2/float64(n)))), scalar(2)))
}

// Step trains on one batch and returns the loss before the update.
func (o *Gorgonia) Step(b method.Batch) (float64, error) {
	if err := o.check(b); err != nil {
		return 0, err
	}
	let := func(n *G.Node, v []float64) error {
		s := n.Shape()
		return G.Let(n, tensor.New(tensor.WithShape(s[0], s[1]), tensor.WithBacking(v)))
	}
	for i, x := range [][]float32{b.X1, b.X2} {
		v := make([]float64, len(x))
		fill(v, x)
		if err := let(o.views[i], v); err != nil {
			return 0, fmt.Errorf("oracle: binding view %d: %w", i+1, err)
		}
	}
	for _, in := range []map[string]*G.Node{o.nodes, o.fixed} {
		for name, n := range in {
			if err := let(n, append([]float64(nil), o.value[name]...)); err != nil {
				return 0, fmt.Errorf("oracle: binding %s: %w", name, err)
			}
		}
	}
	if err := o.vm.RunAll(); err != nil {
		return 0, fmt.Errorf("oracle: running the gorgonia graph: %w", err)
	}
	loss := o.loss.Data().(float64)
	grad := map[string][]float64{}
	for name, v := range o.grads {
		grad[name] = append([]float64(nil), (*v).Data().([]float64)...)
	}
	for _, s := range o.norms {
		width := len(o.value["buffer/"+s.name+"/mean"])
		o.track(s.name, (*s.mean).Data().([]float64)[:width], (*s.variance).Data().([]float64)[:width], b.N)
	}
	o.vm.Reset()
	o.update(grad)
	return loss, nil
}
