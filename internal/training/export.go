package training

import (
	"math"
	"slices"
	"strings"

	"stopgrad/trainingcheck/dump"
	"stopgrad/trainingcheck/method"
)

// exportedRows is how many examples a view of an export has at least: batches are put together up to it. Ranks of
// directions want several examples a dimension.
const exportedRows = 256

// export collects a run's embeddings, matrices and series along its steps, for a file that diagnose and NumPy read.
type export struct {
	file   string
	views  [2][]float32 // of the same examples at every step
	n      int
	arrays map[string]*dump.Array
	steps  int
}

// newExport draws the two views of examples from the run's own source, of steps that no run gets to.
func newExport(file string, src method.Source) (*export, error) {
	if file == "" {
		return nil, nil
	}
	if err := dump.CheckName(file); err != nil {
		return nil, err
	}
	x := &export{file: file, arrays: map[string]*dump.Array{}}
	for i := 0; x.n < exportedRows; i++ {
		b := src.Batch(evaluationStep - i)
		x.views[0], x.views[1] = append(x.views[0], b.X1...), append(x.views[1], b.X2...)
		x.n += b.N
	}
	return x, nil
}

// add puts an array of one step behind those of the steps before.
func (x *export) add(name string, shape []int, data []float64) {
	a := x.arrays[name]
	if a == nil {
		a = &dump.Array{Shape: append([]int{0}, shape...)}
		x.arrays[name] = a
	}
	a.Shape[0]++
	a.Data = append(a.Data, data...)
}

// look takes the projections and matrices of a trainer.
func (x *export) look(t *method.Trainer) error {
	x.add("step", nil, []float64{float64(t.Done())})
	x.steps++
	for i, name := range []string{"z1", "z2"} {
		e, err := t.Embed(x.views[i], x.n, method.BatchStatistics)
		if err != nil {
			return err
		}
		n, d := e.Projection.Dims()
		x.add(name, []int{n, d}, e.Projection.RawMatrix().Data)
	}
	last := "projector/out"
	if t.Config().Net.Kind == method.Linear {
		last = ""
	}
	path := func(parts ...string) string {
		return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "/")
	}
	names := t.Names()
	for _, m := range []struct{ name, tensor string }{{"Wp", method.PredictorName}, {"Fhat", method.MomentName}, {"W", path("online", last, "w")}, {"Wa", path("target", last, "w")}} {
		if !slices.Contains(names, m.tensor) || t.Config().Net.OutputBN && (m.name == "W" || m.name == "Wa") {
			continue // with BatchNorm behind it W is not the layer before W_p
		}
		w, err := t.Matrix(m.tensor)
		if err != nil {
			return err
		}
		r, c := w.Dims()
		x.add(m.name, []int{r, c}, w.RawMatrix().Data)
	}
	if bias := path("online", last, "b"); x.arrays["W"] != nil && slices.Contains(names, bias) {
		b, dims, err := t.Values(bias)
		if err != nil {
			return err
		}
		x.add("b", dims, b)
	}
	return nil
}

// write writes the file: what was collected, the series, the optimiser's settings, and the weights of the end under
// weights/. A series with a value that is not finite is left out.
func (x *export) write(t *method.Trainer, seen *series) error {
	for _, name := range seen.columns {
		_, values := seen.column(name)
		if x.arrays[name] == nil && len(values) == x.steps && !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			x.arrays[name] = &dump.Array{Shape: []int{len(values)}, Data: values}
		}
	}
	c := t.Config()
	number := func(name string, v float64) { x.arrays[name] = &dump.Array{Data: []float64{v}} }
	number("lr", c.Optimizer.LearningRate)
	number("weight_decay", c.Optimizer.WeightDecay)
	number("momentum", c.Optimizer.Momentum)
	number("alpha_p", c.Predictor.RateRatio)
	if c.Direct != nil {
		number("epsilon", c.Direct.Epsilon)
	}
	for _, name := range t.Names() {
		v, dims, err := t.Values(name)
		if err != nil {
			return err
		}
		x.arrays["weights/"+name] = &dump.Array{Shape: dims, Data: v}
	}
	return dump.Write(x.file, x.arrays)
}
