package method

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func gap(a, b mat.Matrix) float64 {
	var d mat.Dense
	d.Sub(a, b)
	var worst, scale float64 = 0, 1
	r, c := d.Dims()
	for i := range r {
		for j := range c {
			worst, scale = max(worst, math.Abs(d.At(i, j))), max(scale, math.Abs(a.At(i, j)))
		}
	}
	return worst / scale
}

func matrix(tb testing.TB, t *Trainer, name string) *mat.Dense {
	tb.Helper()
	m, err := t.Matrix(name)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func embed(tb testing.TB, t *Trainer, x []float32, n int, s Statistics) Embedding {
	tb.Helper()
	e, err := t.Embed(x, n, s)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// rounding64 bounds the relative rounding of a few chained float64 products of
// at most some hundred terms each: 1e-16·√300 a product, times ten of them.
const rounding64 = 1e-13

func float64ed(c *Config) { c.Precision = Float64 }

func TestTargetFollowsTheUpdatedWeights(t *testing.T) {
	c := variant(t, small(), BYOL, float64ed, func(c *Config) { c.Target.Init, c.Target.Momentum = Independent, 0.9 })
	tr := open(t, cpu(t), c, 1)
	for range 3 {
		before := matrix(t, tr, "target/encoder/0/w")
		train(t, tr, views(c, 1), 1)
		var want, part mat.Dense
		want.Scale(0.9, before)
		part.Scale(1-0.9, matrix(t, tr, "online/encoder/0/w"))
		want.Add(&want, &part)
		if d := gap(&want, matrix(t, tr, "target/encoder/0/w")); d > rounding64 {
			t.Errorf("the target is off m·W_a + (1−m)·W by %.2g", d)
		}
	}
}

func TestPredictionIsTheMatrixOfTheory(t *testing.T) {
	c := variant(t, small(), BYOL, float64ed)
	tr := open(t, cpu(t), c, 1)
	e := embed(t, tr, views(c, 1).Batch(0).X1, c.Batch, BatchStatistics)
	var want mat.Dense // rows: (W_p f)ᵀ = fᵀW_pᵀ
	want.Mul(e.Projection, matrix(t, tr, PredictorName).T())
	if d := gap(&want, e.Prediction); d > rounding64 {
		t.Errorf("prediction is off W_p f by %.2g", d)
	}
}

func TestEmbedWithRunningStatisticsTreatsRowsAlone(t *testing.T) {
	for _, c := range []Config{small(), smallConv()} {
		tr := open(t, cpu(t), c, 1)
		src := views(c, 1)
		train(t, tr, src, 5)
		before := dump(t, tr)
		const n = 300 // more than one chunk
		x := gaussian{9, n, c.Net.dim(), 0.5}.Batch(0).X1
		all := embed(t, tr, x, n, RunningStatistics)
		for _, i := range []int{0, 255, 256, 299} {
			one := embed(t, tr, x[i*src.dim:(i+1)*src.dim], 1, RunningStatistics)
			for _, p := range []struct{ all, one *mat.Dense }{{all.Features, one.Features}, {all.Projection, one.Projection}, {all.Prediction, one.Prediction}} {
				if !mat.Equal(p.all.Slice(i, i+1, 0, p.all.RawMatrix().Cols), p.one) {
					t.Errorf("%s: row %d alone differs from row %d among %d", c.Net.Kind, i, i, n)
				}
			}
		}
		batch := embed(t, tr, x, n, BatchStatistics)
		if d := gap(batch.Projection, all.Projection); d < 1e-3 {
			t.Errorf("%s: running and batch statistics agree to %.2g after 5 steps: one of them is not used", c.Net.Kind, d)
		}
		sameBits(t, "embedding changed the state", before, dump(t, tr))
	}
}

// TestBuffersConvergeToTheBatch: at learning rate ~0 on one batch the buffers
// tend to that batch's statistics, so both modes agree: the mean exactly, the
// variance up to the unbiased n/(n−1).
func TestBuffersConvergeToTheBatch(t *testing.T) {
	c := variant(t, small(), SimSiam, float64ed, func(c *Config) {
		c.Optimizer = Optimizer{LearningRate: 1e-12, Decay: TheoryDecay}
		c.Batch = 200
	})
	tr := open(t, cpu(t), c, 1)
	b := views(c, 1).Batch(0)
	b.X2 = b.X1
	for range 300 { // 0.9^600 = 3e-28
		if _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	run, batch := embed(t, tr, b.X1, b.N, RunningStatistics), embed(t, tr, b.X1, b.N, BatchStatistics)
	// Three BatchNorms, each scaled by √((n−1)/n) ≈ 1 − 1/2n: 3/400 = 0.75 %.
	if d := gap(run.Features, batch.Features); d > 0.01 || d < 1e-4 {
		t.Errorf("features with running statistics are off by %.3g, want about 0.0075", d)
	}
}

func TestStepRefusesBatchesOfTheWrongShape(t *testing.T) {
	c := small()
	tr := open(t, cpu(t), c, 1)
	before := dump(t, tr)
	good := views(c, 1).Batch(0)
	short := good
	short.X2 = short.X2[1:]
	wide := gaussian{1, c.Batch, 13, 0.5}.Batch(0)
	few := gaussian{1, c.Batch - 1, 12, 0.5}.Batch(0)
	for _, x := range []struct {
		name string
		b    Batch
		want string
	}{
		{"empty", Batch{}, "N = 0"}, {"no columns", Batch{N: 1}, "Dim = 0"}, {"short view", short, "X2 has 143 values"},
		{"wide", wide, "12×13, the configuration wants 12×12"}, {"few", few, "11×12, the configuration wants 12×12"},
	} {
		if _, err := tr.Step(x.b); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want an error with %q", x.name, err, x.want)
		}
	}
	for _, x := range []struct {
		n    int
		x    []float32
		s    Statistics
		want string
	}{{0, nil, BatchStatistics, "0 values"}, {2, good.X1, BatchStatistics, "want 2 rows of 12"}, {1, good.X1[:12], BatchStatistics, "one row"}, {12, good.X1, Statistics(7), "statistics 7"}} {
		if _, err := tr.Embed(x.x, x.n, x.s); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("embedding %d rows: %v, want an error with %q", x.n, err, x.want)
		}
	}
	sameBits(t, "a refused batch changed the state", before, dump(t, tr))
	if tr.Done() != 0 {
		t.Errorf("%d steps counted", tr.Done())
	}
}

func TestTensorsByName(t *testing.T) {
	c := small()
	tr := open(t, cpu(t), c, 1)
	w := matrix(t, tr, "online/encoder/0/w")
	if r, k := w.Dims(); r != 10 || k != 12 {
		t.Errorf("the first weight is %d×%d in the theory's orientation, want 10×12", r, k)
	}
	w.Apply(func(i, j int, _ float64) float64 { return float64(i*100 + j) }, w)
	if err := tr.SetMatrix("online/encoder/0/w", w); err != nil {
		t.Fatal(err)
	}
	v, dims, err := tr.Values("online/encoder/0/w")
	if err != nil || dims[0] != 12 || dims[1] != 10 || v[1] != 100 || v[10] != 1 {
		t.Errorf("stored as %v %v, %v; want 12×10 with entry (0,1) = 100 and (1,0) = 1", dims, v[:11], err)
	}
	if !mat.Equal(w, matrix(t, tr, "online/encoder/0/w")) {
		t.Error("a matrix that was set does not read back")
	}
	for _, err := range []error{
		tr.Set("nowhere", nil),
		tr.Set("online/encoder/0/w", v[1:]),
		tr.SetMatrix("online/encoder/0/w", w.T()),
		tr.SetMatrix("online/projector/out/b", w),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "method: ") {
			t.Errorf("misuse of a tensor: %v, want an error", err)
		}
	}
	if _, err := tr.Matrix("online/projector/out/b"); err == nil {
		t.Error("a bias was given as a matrix")
	}
}

// TestSameBitsWhateverGOMAXPROCS runs the digits network, whose products are
// large enough to be divided over the cores.
func TestSameBitsWhateverGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	c := variant(t, Digits(), DirectPred)
	var first map[string][]float64
	var losses []float64
	for _, p := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(p)
		e := cpu(t)
		tr := open(t, e, c, 1)
		l := train(t, tr, views(c, 1), 5)
		state := dump(t, tr)
		if first == nil {
			first, losses = state, l
			continue
		}
		sameBits(t, "GOMAXPROCS 1 and more", first, state)
		for i := range l {
			if math.Float64bits(l[i]) != math.Float64bits(losses[i]) {
				t.Errorf("GOMAXPROCS %d: loss %d is %v, want %v", p, i, l[i], losses[i])
			}
		}
	}
}

// TestSymmetrizedPredictorIsSymmetric also checks that it does not stay so unasked.
func TestSymmetrizedPredictorIsSymmetric(t *testing.T) {
	for _, on := range []bool{true, false} {
		c := variant(t, small(), BYOL, func(c *Config) { c.Predictor.Symmetrize = on })
		tr := open(t, cpu(t), c, 1)
		train(t, tr, views(c, 1), 2)
		w := matrix(t, tr, PredictorName)
		if got := mat.Equal(w, w.T()); got != on {
			t.Errorf("symmetrize %t: W_p symmetric is %t", on, got)
		}
	}
}

// TestLinearRunReachesTheTheorysFixedPoint: in the linear net on Gaussian data
// every mode tends to p* = (1 + √(1 − 4η(1+σ²)))/(2(1+σ²)) (κ = η(1+σ²) < ¼).
// The mean of the six eigenvalues of W_p's symmetric part over the second half
// of T = 100 has a standard error below 0.1 % and a bias of +0.06 % at lr 0.02
// and N = 64 from the gradient noise; a decay applied twice would be −6 %.
func TestLinearRunReachesTheTheorysFixedPoint(t *testing.T) {
	c := LinearGaussian()
	tr := open(t, cpu(t), c, 1)
	n2, n1 := c.Net.Out, c.Net.In
	w := mat.NewDense(n2, n1, nil)
	for i := range n2 {
		w.Set(i, i, 1)
	}
	if err := tr.SetMatrix("online/w", w); err != nil {
		t.Fatal(err)
	}
	if err := tr.SetMatrix(PredictorName, mat.NewDiagDense(n2, []float64{1, 1, 1, 1, 1, 1})); err != nil {
		t.Fatal(err)
	}
	src := views(c, 1)
	train(t, tr, src, c.Steps/2)
	mean, count := 0.0, 0.0
	for tr.Done() < c.Steps {
		train(t, tr, src, 50)
		mean += mat.Trace(matrix(t, tr, PredictorName)) / float64(n2)
		count++
	}
	mean /= count
	eta, a := c.Optimizer.WeightDecay, 1+src.sigma*src.sigma
	want := (1 + math.Sqrt(1-4*eta*a)) / (2 * a)
	if math.Abs(mean/want-1) > 0.005 {
		t.Errorf("mean eigenvalue of W_p is %.4f, the theory's p* is %.4f", mean, want)
	}
}

// TestRestartIsANewRun: a trainer that is put back to its start gives the bits of a new one, in every kind of run; put
// back without its number of steps, a direct method does not.
func TestRestartIsANewRun(t *testing.T) {
	for name, c := range map[string]Config{"byol": small(), "directpred": variant(t, small(), DirectPred), "solved": variant(t, small(), DirectPred, rooted)} {
		tr := open(t, cpu(t), c, 1)
		first := train(t, tr, views(c, 1), 3)
		if err := tr.Restart(c.Initial(1)); err != nil {
			t.Fatal(err)
		}
		if again := train(t, tr, views(c, 1), 3); !slices.Equal(first, again) {
			t.Errorf("%s: losses %v, after a restart %v", name, first, again)
		}
		if c.Direct == nil {
			continue
		}
		if err := tr.Restart(c.Initial(1)); err != nil {
			t.Fatal(err)
		}
		tr.done = 3
		src := views(c, 1)
		var twin []float64
		for i := range 3 {
			l, err := tr.Step(src.Batch(i))
			if err != nil {
				t.Fatal(err)
			}
			twin = append(twin, l)
		}
		if slices.Equal(first, twin) {
			t.Errorf("%s: the number of steps makes no difference", name)
		}
	}
	c := small()
	if err := open(t, cpu(t), c, 1).Restart(c.Initial(1)[1:]); err == nil {
		t.Error("a state without its first tensor was accepted")
	}
}
