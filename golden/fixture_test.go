package golden

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
)

// The goldens of these tests are recorded from real training runs of a small linear network, written here in plain
// slices and with a Jacobi eigensolver, so that none of the code under test produces the numbers it is to verify.

// matrix is a list of rows.
type matrix [][]float64

func zeros(r, c int) matrix {
	m := make(matrix, r)
	for i := range m {
		m[i] = make([]float64, c)
	}
	return m
}

func (a matrix) times(b matrix) matrix {
	out := zeros(len(a), len(b[0]))
	for i := range a {
		for k, x := range a[i] {
			for j, y := range b[k] {
				out[i][j] += x * y
			}
		}
	}
	return out
}

func (a matrix) transposed() matrix {
	out := zeros(len(a[0]), len(a))
	for i := range a {
		for j := range a[i] {
			out[j][i] = a[i][j]
		}
	}
	return out
}

// plus returns a + c·b.
func (a matrix) plus(c float64, b matrix) matrix {
	out := zeros(len(a), len(a[0]))
	for i := range a {
		for j := range a[i] {
			out[i][j] = a[i][j] + c*b[i][j]
		}
	}
	return out
}

func (a matrix) norm() float64 {
	var s float64
	for _, row := range a {
		for _, x := range row {
			s += x * x
		}
	}
	return math.Sqrt(s)
}

func (a matrix) tensor(step int, name string) Tensor {
	return Tensor{Step: step, Name: name, Rows: len(a), Cols: len(a[0]), DType: F32, Data: slices.Concat(a...)}
}

// jacobi returns the eigenvalues of a symmetric matrix in descending order, and eigenvectors as columns, by cyclic
// rotations until nothing is left off the diagonal.
func jacobi(a matrix) (values []float64, vectors matrix) {
	n := len(a)
	m, v := a.plus(0, a), zeros(n, n)
	for i := range v {
		v[i][i] = 1
	}
	for range 60 {
		var off float64
		for p := range n {
			for q := range p {
				off += m[p][q] * m[p][q]
				if m[p][q] == 0 {
					continue
				}
				theta := (m[q][q] - m[p][p]) / (2 * m[p][q])
				t := math.Copysign(1, theta) / (math.Abs(theta) + math.Hypot(theta, 1))
				c := 1 / math.Hypot(t, 1)
				s := t * c
				for k := range n {
					m[k][p], m[k][q] = c*m[k][p]-s*m[k][q], s*m[k][p]+c*m[k][q]
				}
				for k := range n {
					m[p][k], m[q][k] = c*m[p][k]-s*m[q][k], s*m[p][k]+c*m[q][k]
				}
				for k := range n {
					v[k][p], v[k][q] = c*v[k][p]-s*v[k][q], s*v[k][p]+c*v[k][q]
				}
			}
		}
		if off == 0 {
			break
		}
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		if m[i][i] > m[j][j] {
			return -1
		}
		return 1
	})
	vectors = zeros(n, n)
	for to, from := range order {
		values = append(values, m[from][from])
		for k := range n {
			vectors[k][to] = v[k][from]
		}
	}
	return values, vectors
}

// second returns (1/N) Σ a_i b_iᵀ over the rows of a and b, summed from the last row when reversed.
func second(a, b matrix, reversed bool) matrix {
	out := zeros(len(a[0]), len(b[0]))
	for i := range a {
		if reversed {
			i = len(a) - 1 - i
		}
		for j, x := range a[i] {
			for k, y := range b[i] {
				out[j][k] += x * y / float64(len(a))
			}
		}
	}
	return out
}

// linearRecipe is the configuration of a run on x ~ N(0, I), views x + σ·noise, in the JSON form of the project's
// training configuration.
type linearRecipe struct {
	Method string `json:"method"`
	Net    struct {
		In   int  `json:"in"`
		Out  int  `json:"out"`
		Bias bool `json:"bias"`
	} `json:"net"`
	Predictor struct {
		Kind      string  `json:"kind"`
		RateRatio float64 `json:"rate_ratio"`
	} `json:"predictor"`
	Direct *linearDirect `json:"direct,omitempty"`
	Loss   struct {
		Kind string `json:"kind"`
	} `json:"loss"`
	Target struct {
		Kind string `json:"kind"`
	} `json:"target"`
	Optimizer struct {
		LR       float64 `json:"lr"`
		Momentum float64 `json:"momentum"`
		WD       float64 `json:"wd"`
		Decay    string  `json:"predictor_decay"`
	} `json:"optimizer"`
	Batch    int     `json:"batch"`
	Steps    int     `json:"steps"`
	Variance float64 `json:"augmentation_variance"`
}

type linearDirect struct {
	Formula string  `json:"formula"`
	Moment  string  `json:"moment"`
	Rho     float64 `json:"rho"`
	Epsilon float64 `json:"epsilon"`
	Freq    int     `json:"freq"`
}

func simsiamRecipe() linearRecipe {
	var c linearRecipe
	c.Method, c.Batch, c.Steps, c.Variance = "simsiam", 64, 300, 0.25
	c.Net.In, c.Net.Out, c.Net.Bias = 10, 6, true
	c.Predictor.Kind, c.Predictor.RateRatio = "linear", 2
	c.Loss.Kind, c.Target.Kind = LossEuclidean, "shared"
	c.Optimizer.LR, c.Optimizer.WD, c.Optimizer.Decay = 0.02, 0.1, DecayTheory
	return c
}

func directRecipe() linearRecipe {
	c := simsiamRecipe()
	c.Net.Bias = false
	c.Method, c.Predictor.Kind, c.Predictor.RateRatio = MethodDirectPred, "direct", 1
	c.Direct = &linearDirect{Formula: FormulaCode, Moment: MomentSame, Rho: 0.3, Epsilon: 0.1, Freq: 1}
	return c
}

const (
	segmentFrom, segmentTo = 200, 232
	logEvery               = 100
)

// train runs a recipe and returns the run with its snapshots and segment. Reversed sums every batch in the opposite
// order, which is all that an engine without deterministic reductions would change.
func (c linearRecipe) train(seed uint64, reversed bool) Run {
	rng := rand.New(rand.NewPCG(seed, 1))
	eval := rand.New(rand.NewPCG(seed, 2))
	normal := func(r, n int, scale float64, rng *rand.Rand) matrix {
		m := zeros(r, n)
		for i := range m {
			for j := range m[i] {
				m[i][j] = scale * rng.NormFloat64()
			}
		}
		return m
	}
	views := func(n int, rng *rand.Rand) (x1, x2 matrix) {
		x := normal(n, c.Net.In, 1, rng)
		sigma := math.Sqrt(c.Variance)
		return x.plus(1, normal(n, c.Net.In, sigma, rng)), x.plus(1, normal(n, c.Net.In, sigma, rng))
	}
	w := normal(c.Net.Out, c.Net.In, 0.3, rng)
	wp := normal(c.Net.Out, c.Net.Out, 0.2, rng)
	for i := range wp {
		wp[i][i] += 0.8
	}
	var bias matrix
	if c.Net.Bias {
		bias = normal(c.Net.Out, 1, 0.5, rng)
	}
	x1, _ := views(300, eval)
	var fhat matrix
	r := Run{Seed: seed, Final: map[string]float64{}, Snapshots: &Blob{}, Segment: &Blob{}}
	if reversed {
		r.Rerun = 1
	}
	loss := 0.0
	log := func(step int) {
		p, tensors := c.measure(step, w, bias, wp, x1)
		p.Values["loss"] = loss
		if fhat != nil {
			values, _ := jacobi(fhat)
			p.Spectra["spec_Fhat"] = values
			tensors = append(tensors, fhat.tensor(step, TensorFHat))
		}
		r.Series = append(r.Series, p)
		r.Snapshots.Tensors = append(r.Snapshots.Tensors, tensors...)
		if step == c.Steps {
			maps.Copy(r.Final, p.Values)
		}
	}
	log(0)
	for step := 1; step <= c.Steps; step++ {
		a, b := views(c.Batch, rng)
		f1, f2 := project(a, w, bias), project(b, w, bias)
		res := f1.times(wp.transposed()).plus(-1, f2)
		moment, cross := second(f1, f1, reversed), second(f2, f1, reversed)
		loss = res.norm() * res.norm() / float64(2*c.Batch)
		gw := wp.transposed().times(second(res, a, reversed))
		gp := wp.times(moment).plus(-1, cross)
		lr, alpha, wd := c.Optimizer.LR, c.Predictor.RateRatio, c.Optimizer.WD
		next := w.plus(-lr, gw.plus(wd, w))
		if bias != nil {
			ones := zeros(c.Batch, 1)
			for i := range ones {
				ones[i][0] = 1
			}
			bias = bias.plus(-lr, wp.transposed().times(second(res, ones, reversed)).plus(wd, bias))
		}
		wp = wp.plus(-lr*alpha, gp.plus(wd/alpha, wp))
		w = next
		if c.Direct != nil {
			rho := c.Direct.Rho
			if fhat == nil {
				fhat, rho = moment, 0
			}
			fhat = moment.plus(-rho, moment).plus(rho, fhat)
			if (step-1)%c.Direct.Freq == 0 {
				wp = c.direct(fhat)
			}
		}
		if segmentFrom <= step && step <= segmentTo {
			t := []Tensor{wp.tensor(step, TensorWp), moment.tensor(step, TensorFBat)}
			if c.Direct != nil {
				t = append(t, fhat.tensor(step, TensorFHat))
			} else {
				t = append(t, cross.tensor(step, TensorC))
			}
			r.Segment.Tensors = append(r.Segment.Tensors, t...)
		}
		if step%logEvery == 0 || step == 1 || step == c.Steps {
			log(step)
		}
	}
	return r
}

// project returns the rows Wx + b; a nil b is zero.
func project(x, w, bias matrix) matrix {
	f := x.times(w.transposed())
	if bias != nil {
		for i := range f {
			for j := range f[i] {
				f[i][j] += bias[j][0]
			}
		}
	}
	return f
}

// direct returns W_p of F̂.
func (c linearRecipe) direct(fhat matrix) matrix {
	s, u := jacobi(fhat)
	up := u.plus(0, u)
	for j, v := range s {
		p := math.Sqrt(max(v, 0)/s[0]) + c.Direct.Epsilon
		if c.Direct.Formula == FormulaSlide {
			p = math.Sqrt(max(v, 0)) + c.Direct.Epsilon*s[0]
		}
		for i := range up {
			up[i][j] *= p
		}
	}
	return up.times(u.transposed())
}

// measure returns the logged point and the matrices behind it.
func (c linearRecipe) measure(step int, w, bias, wp, x matrix) (Point, []Tensor) {
	f := project(x, w, bias)
	n, d := len(f), len(f[0])
	unit, mean := zeros(n, d), zeros(d, 1)
	for i := range f {
		length := matrix{f[i]}.norm()
		for j := range f[i] {
			unit[i][j] = f[i][j] / length
			mean[j][0] += unit[i][j] / float64(n)
		}
	}
	moment, z := second(f, f, false), second(unit, unit, false)
	centred := z.plus(-1, mean.times(mean.transposed()))
	rank := func(m matrix) float64 {
		values, _ := jacobi(m)
		var sum, h float64
		for _, v := range values {
			sum += v
		}
		for _, v := range values {
			h -= v / sum * math.Log(v/sum)
		}
		return math.Exp(h)
	}
	var zstd float64
	for j := range d {
		var v float64
		for i := range unit {
			v += (unit[i][j] - mean[j][0]) * (unit[i][j] - mean[j][0]) / float64(n)
		}
		zstd += math.Sqrt(v) / math.Sqrt(float64(d))
	}
	s, v := jacobi(moment)
	gains := v.transposed().times(wp).times(v)
	diag := make([]float64, d)
	var cos float64
	wv := wp.times(v)
	for j := range d {
		diag[j] = gains[j][j]
		var length float64
		for i := range d {
			length += wv[i][j] * wv[i][j]
		}
		cos += diag[j] / math.Sqrt(length) / float64(min(8, d))
	}
	alpha := c.Predictor.RateRatio
	balance := w.times(w.transposed()).plus(-1/alpha, wp.transposed().times(wp))
	if bias != nil {
		balance = balance.plus(1, bias.times(bias.transposed()))
	}
	p := Point{Step: step, TEta: float64(step) * c.Optimizer.LR * c.Optimizer.WD,
		Values: map[string]float64{
			"asym": wp.plus(-1, wp.transposed()).norm() / wp.norm(),
			"comm": moment.times(wp).plus(-1, wp.times(moment)).norm() / (moment.norm() * wp.norm()),
			"er":   rank(z), "er_centered": rank(centred), "zstd": zstd, "cos_top8": cos, "bal": balance.norm(),
		},
		Spectra: map[string][]float64{"spec_F": s, "p_diag": diag},
	}
	tensors := []Tensor{moment.tensor(step, TensorF), wp.tensor(step, TensorWp), w.tensor(step, TensorWL),
		z.tensor(step, TensorZ), mean.tensor(step, TensorZMean)}
	if bias != nil {
		tensors = append(tensors, bias.tensor(step, TensorBias))
	}
	return p, tensors
}

// Ids of the recorded fixtures.
const (
	directID  = "mini.directpred"
	simsiamID = "mini.simsiam"
	slideID   = "mini.slide"
	witnessID = "mini.witness"
	parityID  = "mini.parity"
)

func fixtureProvenance(tb testing.TB) Provenance {
	tb.Helper()
	kernels, err := HashSources(os.DirFS(".."), "golden")
	if err != nil {
		tb.Fatal(err)
	}
	return Provenance{
		GitCommit: "0000000000000000000000000000000000000000", Command: "go test ./golden",
		Engine: Engine{Name: "slices", Version: "1", Precision: FP64, Deterministic: true},
		Device: Device{Name: "cpu"}, Host: ThisHost(),
		Data:    &Data{Name: "gaussian", SHA256: Generated, Decoder: "none", Split: "none"},
		Kernels: []string{"golden"}, KernelsSHA256: kernels, RNG: "math/rand/v2 PCG; layout 1",
	}
}

func mustConfig(tb testing.TB, v any) Config {
	tb.Helper()
	c, err := NewConfig(v)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// statisticsFixture trains a small recipe over five seeds: simsiam, directpred (the empty method) or the slide formula
// set every third step.
func statisticsFixture(tb testing.TB, id string) *Golden {
	tb.Helper()
	recipe := directRecipe()
	switch id {
	case simsiamID:
		recipe = simsiamRecipe()
	case slideID:
		recipe.Direct.Formula, recipe.Direct.Freq = FormulaSlide, 3
	default:
		id = directID
	}
	g := &Golden{ID: id, Kind: Statistics, Status: Gating, Created: "2026-01-02T03:04:05Z", Provenance: fixtureProvenance(tb), Config: mustConfig(tb, recipe)}
	for seed := range uint64(5) {
		g.Runs = append(g.Runs, recipe.train(seed, false))
	}
	switch id {
	case simsiamID:
		g.Runs = append(g.Runs, recipe.train(0, true))
		bound := 0.05
		g.Claims = []Claim{{ID: "T1.symm", Test: GateTest, Metric: "comm", Op: "<", Bound: &bound}}
	case directID:
		gap := 0.0
		g.Claims = []Claim{{ID: "dp_er", Test: PairedTestName, Metric: "er", Other: simsiamID, Gap: &gap},
			{ID: "dp_comm", Test: PairedTestName, Metric: "comm", Other: simsiamID, Gap: &gap}}
	}
	return g
}

// recordFixtures records every fixture into a folder.
func recordFixtures(tb testing.TB, dir string) {
	tb.Helper()
	record := func(g *Golden) {
		tb.Helper()
		if _, err := RecordFile(context.Background(), dir, g, RecordOptions{Verifier: fixtureVerifier()}); err != nil {
			tb.Fatalf("%s: %v", g.ID, err)
		}
	}
	record(statisticsFixture(tb, simsiamID))
	record(statisticsFixture(tb, directID))
	record(statisticsFixture(tb, slideID))
	p := fixtureProvenance(tb)
	p.Data = nil
	record(&Golden{ID: witnessID, Kind: CounterexampleKind, Status: Informative, Created: "2026-01-02T03:04:05Z", Provenance: p,
		Config: mustConfig(tb, struct{}{}), Counterexample: findCounterexample()})
	record(&Golden{ID: parityID, Kind: ParityKind, Status: Informative, Created: "2026-01-02T03:04:05Z", Provenance: p,
		Config: mustConfig(tb, simsiamRecipe()), Parity: oneStep(7)})
}

// findCounterexample searches for a state that breaks "p > 0 and s > 0 imply p(1 − p)·s < s/5", a false claim about the
// logistic gain, on a grid of rationals.
func findCounterexample() *Counterexample {
	c := &Counterexample{Claim: "mini-gain", Statement: "p > 0 and s > 0 imply p·(1 − p)·s < s/5",
		Found: Search{By: "rational grid", Budget: "400 points"}}
	for i := int64(1); i < 20; i++ {
		for j := int64(1); j < 20; j++ {
			c.Found.Evaluations++
			w := map[string]*big.Rat{"p": big.NewRat(i, 20), "s": big.NewRat(j, 7)}
			if r := gainExcess(w); r.Sign() > 0 {
				c.Witness = map[string]string{"p": w["p"].RatString(), "s": w["s"].RatString()}
				c.Residual = r.RatString()
				return c
			}
		}
	}
	return nil
}

// gainExcess returns p(1−p)s − s/5.
func gainExcess(w map[string]*big.Rat) *big.Rat {
	r := new(big.Rat).Sub(big.NewRat(1, 1), w["p"])
	r.Mul(r, w["p"])
	r.Sub(r, big.NewRat(1, 5))
	return r.Mul(r, w["s"])
}

// oneStep computes loss and F of one seeded batch; the second value is off by 1e-7, as a coarser engine would have it.
func oneStep(seed uint64) *Parity {
	c := simsiamRecipe()
	c.Steps = 1
	r := c.train(seed, false)
	return &Parity{Computation: "linear step", Seed: seed, InputSHA256: hexSHA256(fmt.Append(nil, seed)),
		Values: map[string]float64{"loss": r.Series[1].Values["loss"], "s_max": r.Series[1].Spectra["spec_F"][0] * (1 + 1e-7)},
		Timings: []Timing{
			{Program: "slices", Version: "1", Device: "cpu", Precision: FP64, Batch: 8, Steps: 3, MedianMS: 0.4, MinMS: 0.25, ImagesPerS: 20000},
			{Program: "slices", Version: "1", Device: "cpu", Precision: FP32, Batch: 8, Steps: 3, MedianMS: 0.2, MinMS: 0.2, ImagesPerS: 40000},
		}}
}

// fixtureVerifier has every callback: what the claims' and the training side would register.
func fixtureVerifier() *Verifier {
	return &Verifier{
		Sources: os.DirFS(".."),
		Witness: func(_ context.Context, c Counterexample, w map[string]*big.Rat, residual *big.Rat) error {
			switch {
			case c.Claim != "mini-gain" || w["p"] == nil || w["s"] == nil:
				return fmt.Errorf("unknown claim")
			case w["p"].Sign() <= 0 || w["s"].Sign() <= 0:
				return fmt.Errorf("the hypotheses do not hold at the witness")
			case gainExcess(w).Cmp(residual) != 0:
				return fmt.Errorf("the residual is %s", gainExcess(w).RatString())
			case residual.Sign() < 0:
				return fmt.Errorf("the claim holds at the witness")
			}
			return nil
		},
		Recompute: map[string]func(context.Context, *Golden) (map[string]Scalar, error){
			"linear step": func(_ context.Context, g *Golden) (map[string]Scalar, error) {
				p := g.Parity
				if p.InputSHA256 != hexSHA256(fmt.Append(nil, p.Seed)) {
					return nil, fmt.Errorf("the inputs of seed %d are others", p.Seed)
				}
				v := oneStep(p.Seed).Values
				// The second value has a bound of its own, wider than that of fp64.
				return map[string]Scalar{"loss": {Value: v["loss"]}, "s_max": {Value: v["s_max"] / (1 + 1e-7), Tolerance: 1e-6}}, nil
			},
		},
	}
}

var recordedFixtures struct {
	sync.Once
	files fstest.MapFS
}

// fixtures returns a fresh copy of the recorded fixtures.
func fixtures(tb testing.TB) fstest.MapFS {
	tb.Helper()
	recordedFixtures.Do(func() {
		dir := tb.TempDir()
		recordFixtures(tb, dir)
		files := fstest.MapFS{}
		entries, err := os.ReadDir(dir)
		if err != nil {
			tb.Fatal(err)
		}
		for _, e := range entries {
			data, err := fs.ReadFile(os.DirFS(dir), e.Name())
			if err != nil {
				tb.Fatal(err)
			}
			files[e.Name()] = &fstest.MapFile{Data: data}
		}
		recordedFixtures.files = files
	})
	if recordedFixtures.files == nil {
		tb.Fatal("the fixtures could not be recorded; see the first failure")
	}
	out := fstest.MapFS{}
	for name, f := range recordedFixtures.files {
		out[name] = &fstest.MapFile{Data: slices.Clone(f.Data)}
	}
	return out
}
