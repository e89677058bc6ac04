package linear

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

func small() Config {
	return Config{Inputs: 4, Features: 3, Sigma2: []float64{0.1, 0.5, 0, 2}, Batch: 5, Rate: 0.1, Alpha: 1.7,
		Eta: 0.3, Beta: 2, StopGradient: true, PredictorDecay: 1}
}

// randomNetwork has all three matrices different and none symmetric.
func randomNetwork(c Config, r *rand.Rand) *Network {
	n := Asymmetric(c.Inputs, c.Features, 0.5, r)
	for i := range n.Wa {
		n.Wa[i] += 0.3 * r.NormFloat64()
	}
	return n
}

func product(a []float64, rows, cols int, x []float64) []float64 {
	y := make([]float64, rows)
	for i := range rows {
		for k := range cols {
			y[i] += a[i*cols+k] * x[k]
		}
	}
	return y
}

// batch draws the views that a trainer with the generator r draws next.
func batch(c Config, r *rand.Rand) (x1, x2 [][]float64) {
	for range c.Batch {
		a, b := make([]float64, c.Inputs), make([]float64, c.Inputs)
		for k, sigma2 := range c.Sigma2 {
			u := r.NormFloat64()
			a[k] = math.Sqrt(1+sigma2) * u
			b[k] = u/math.Sqrt(1+sigma2) + math.Sqrt(1+sigma2-1/(1+sigma2))*r.NormFloat64()
		}
		x1, x2 = append(x1, a), append(x2, b)
	}
	return x1, x2
}

// loss is ½ mean ‖W_p W x₁ - W_a x₂‖², written out.
func loss(c Config, n *Network, wa []float64, x1, x2 [][]float64) float64 {
	total := 0.
	for i := range x1 {
		p := product(n.Wp, c.Features, c.Features, product(n.W, c.Features, c.Inputs, x1[i]))
		z := product(wa, c.Features, c.Inputs, x2[i])
		for j := range p {
			total += 0.5 * (p[j] - z[j]) * (p[j] - z[j]) / float64(len(x1))
		}
	}
	return total
}

// differences returns the central differences of f in the entries of w. The loss
// is quadratic in W_p and of fourth degree at most in W: with h = 1e-4 the
// truncation is below h²·10 = 1e-7, the rounding below 1e-16/h·10 = 1e-11.
func differences(w []float64, f func() float64) []float64 {
	const h = 1e-4
	out := make([]float64, len(w))
	for i, v := range w {
		w[i] = v + h
		up := f()
		w[i] = v - h
		down := f()
		w[i] = v
		out[i] = (up - down) / (2 * h)
	}
	return out
}

const differenceTolerance = 1e-6

func furthest(a, b []float64) float64 {
	worst := 0.
	for i := range a {
		worst = max(worst, math.Abs(a[i]-b[i]))
	}
	return worst
}

// TestGradientIsTheDerivativeOfTheLoss, with the target held fixed and not; each
// is the other's twin.
func TestGradientIsTheDerivativeOfTheLoss(t *testing.T) {
	for _, stop := range []bool{true, false} {
		c := small()
		c.StopGradient, c.Beta = stop, math.Inf(1)
		n := randomNetwork(c, rand.New(rand.NewPCG(1, 2)))
		tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(3, 4)))
		if err != nil {
			t.Fatal(err)
		}
		tr.sample()
		x1, x2 := batch(c, rand.New(rand.NewPCG(3, 4)))
		frozen := slices.Clone(n.W)
		held := func() float64 { return loss(c, n, frozen, x1, x2) }
		through := func() float64 { return loss(c, n, n.W, x1, x2) }
		want, other := held, through
		if !stop {
			want, other = through, held
		}
		if d := furthest(tr.gp, differences(n.Wp, want)); d > differenceTolerance {
			t.Errorf("stop-gradient %v: ∂/∂W_p off by %g", stop, d)
		}
		if d := furthest(tr.gw, differences(n.W, want)); d > differenceTolerance {
			t.Errorf("stop-gradient %v: ∂/∂W off by %g", stop, d)
		}
		if d := furthest(tr.gw, differences(n.W, other)); d < 0.01 {
			t.Errorf("stop-gradient %v: the gradient agrees with the other loss too", stop)
		}
	}
}

// TestExpectationIsTheDerivativeOfTheExpectedLoss: with A = diag(1+σ²), P = W_pW,
// ½E‖Px₁ - W_a x₂‖² = ½ tr PAPᵀ - tr PW_aᵀ + ½ tr W_aAW_aᵀ.
func TestExpectationIsTheDerivativeOfTheExpectedLoss(t *testing.T) {
	for _, stop := range []bool{true, false} {
		c := small()
		c.StopGradient, c.Batch = stop, 0
		if !stop {
			c.Beta = math.Inf(1)
		}
		n := randomNetwork(c, rand.New(rand.NewPCG(5, 6)))
		tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(7, 8)))
		if err != nil {
			t.Fatal(err)
		}
		frozen := slices.Clone(n.Wa)
		expected := func() float64 {
			wa := frozen
			if !stop {
				wa = n.W
			}
			total := 0.
			for i := range c.Features {
				for k := range c.Inputs {
					p := 0.
					for j := range c.Features {
						p += n.Wp[i*c.Features+j] * n.W[j*c.Inputs+k]
					}
					z := wa[i*c.Inputs+k]
					total += 0.5*(1+c.Sigma2[k])*(p*p+z*z) - p*z
				}
			}
			return total
		}
		tr.expectation()
		if d := furthest(tr.gp, differences(n.Wp, expected)); d > differenceTolerance {
			t.Errorf("stop-gradient %v: ∂/∂W_p off by %g", stop, d)
		}
		if d := furthest(tr.gw, differences(n.W, expected)); d > differenceTolerance {
			t.Errorf("stop-gradient %v: ∂/∂W off by %g", stop, d)
		}
	}
}

// TestViewsHaveTheirMoments: E[x₁²] = E[x₂²] = 1+σ², E[x₁x₂] = 1, different inputs
// independent. x y of normal variables has a variance of at most 2(1+σ²)².
func TestViewsHaveTheirMoments(t *testing.T) {
	c := small()
	c.Batch = 1
	n := randomNetwork(c, rand.New(rand.NewPCG(1, 1)))
	tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(9, 9)))
	if err != nil {
		t.Fatal(err)
	}
	const samples = 100000
	var m [3][16]float64
	for range samples {
		tr.sample()
		for i := range 4 {
			for k := range 4 {
				m[0][4*i+k] += tr.x1[i] * tr.x1[k] / samples
				m[1][4*i+k] += tr.x2[i] * tr.x2[k] / samples
				m[2][4*i+k] += tr.x1[i] * tr.x2[k] / samples
			}
		}
	}
	z := distuv.UnitNormal.Quantile(1 - 1e-6/2)
	for i := range 4 {
		for k := range 4 {
			bound := z * math.Sqrt(2*(1+c.Sigma2[i])*(1+c.Sigma2[k])/samples)
			for which, want := range [3]float64{1 + c.Sigma2[i], 1 + c.Sigma2[i], 1} {
				if i != k {
					want = 0
				}
				if got := m[which][4*i+k]; math.Abs(got-want) > bound {
					t.Errorf("moment %d of inputs %d and %d is %.4f, want %.4f ± %.4f", which, i, k, got, want, bound)
				}
			}
		}
	}
}

// TestOneStepBalanceIdentity is claim thm1-discrete: one step of gradient descent
// maps D exactly to (1-rate·η)²D + rate²(W_pᵀGGᵀW_p - α_p W GᵀG Wᵀ).
func TestOneStepBalanceIdentity(t *testing.T) {
	residual := func(change func(c *Config), scale float64) float64 {
		c := small()
		change(&c)
		n := randomNetwork(c, rand.New(rand.NewPCG(11, 1)))
		tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(12, 1)))
		if err != nil {
			t.Fatal(err)
		}
		x1, x2 := batch(c, rand.New(rand.NewPCG(12, 1)))
		g := mat.NewDense(c.Features, c.Inputs, nil)
		for i := range x1 {
			p := product(n.Wp, c.Features, c.Features, product(n.W, c.Features, c.Inputs, x1[i]))
			z := product(n.Wa, c.Features, c.Inputs, x2[i])
			for j := range p {
				for k := range c.Inputs {
					g.Set(j, k, g.At(j, k)+(p[j]-z[j])*x1[i][k]/float64(c.Batch))
				}
			}
		}
		w, wp := mat.NewDense(c.Features, c.Inputs, slices.Clone(n.W)), mat.DenseCopyOf(n.Predictor())
		var pg, gw, want, second mat.Dense
		pg.Mul(wp.T(), g)
		gw.Mul(g, w.T())
		want.Mul(&pg, pg.T())
		second.Mul(gw.T(), &gw)
		second.Scale(c.Alpha, &second)
		want.Sub(&want, &second)
		want.Scale(c.Rate*c.Rate*scale, &want)
		var before mat.Dense
		before.Scale((1-c.Rate*0.3)*(1-c.Rate*0.3), n.Balance(c.Alpha))
		want.Add(&want, &before)
		tr.Step()
		var d mat.Dense
		d.Sub(n.Balance(c.Alpha), &want)
		return mat.Norm(&d, 2)
	}
	// Some hundred operations on numbers of size 1.
	if r := residual(func(*Config) {}, 1); r > 1e-13 {
		t.Errorf("residual %g", r)
	}
	for name, r := range map[string]float64{
		"decay doubled on the predictor": residual(func(c *Config) { c.PredictorDecay = 2 }, 1),
		"no second-order term":           residual(func(*Config) {}, 0),
		"another decay":                  residual(func(c *Config) { c.Eta = 0.31 }, 1),
	} {
		if r < 1e-4 {
			t.Errorf("%s: residual %g, the identity holds for the twin too", name, r)
		}
	}
}

func TestTargetFollowsItsEquation(t *testing.T) {
	c := small()
	n := randomNetwork(c, rand.New(rand.NewPCG(1, 2)))
	tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(n.Wa)
	tr.Step()
	for i := range n.Wa {
		if want := before[i] + 0.2*(n.W[i]-before[i]); math.Abs(n.Wa[i]-want) > 1e-15 {
			t.Fatalf("W_a[%d] = %g, want %g", i, n.Wa[i], want)
		}
	}
	c.Beta = math.Inf(1)
	tr, err = NewTrainer(c, randomNetwork(c, rand.New(rand.NewPCG(1, 2))), rand.New(rand.NewPCG(3, 4)))
	if err != nil {
		t.Fatal(err)
	}
	tr.Step()
	if !slices.Equal(tr.W, tr.Wa) {
		t.Error("W_a is not W for β = ∞")
	}
	if math.Abs(tr.Time()-0.1) > 1e-15 {
		t.Errorf("time %g after a step of rate .1", tr.Time())
	}
}

// TestDirectPredictorIsTheMapOfF: W_p = U diag(p(s)) Uᵀ for the estimated F̂.
func TestDirectPredictorIsTheMapOfF(t *testing.T) {
	for _, moment := range []Moment{CrossView, SameView} {
		c := small()
		c.Predictor, c.Direct = Direct, DirectRule{Power: 0.5, Epsilon: 0.2, Rho: 0.7, Moment: moment}
		c.Batch = 0
		n := randomNetwork(c, rand.New(rand.NewPCG(1, 2)))
		tr, err := NewTrainer(c, n, rand.New(rand.NewPCG(3, 4)))
		if err != nil {
			t.Fatal(err)
		}
		estimate := func() *mat.SymDense {
			f := mat.NewSymDense(3, nil)
			for i := range 3 {
				for j := i; j < 3; j++ {
					for k := range 4 {
						m := 1.
						if moment == SameView {
							m += c.Sigma2[k]
						}
						f.SetSym(i, j, f.At(i, j)+m*n.W[4*i+k]*n.W[4*j+k])
					}
				}
			}
			return f
		}
		first := estimate()
		tr.Step()
		second := estimate() // of the features before the second step
		tr.Step()
		var f mat.SymDense
		f.ScaleSym(0.7, first)
		second.ScaleSym(0.3, second)
		f.AddSym(&f, second)
		// (W_p - ε s_max I)² = F̂.
		var eig mat.EigenSym
		eig.Factorize(&f, false)
		largest := eig.Values(nil)[2]
		wp := mat.DenseCopyOf(n.Predictor())
		for i := range 3 {
			wp.Set(i, i, wp.At(i, i)-0.2*largest)
		}
		var d mat.Dense
		d.Mul(wp, wp)
		d.Sub(&d, &f)
		if r := mat.Norm(&d, 2); r > 1e-12 {
			t.Errorf("moment %d: residual %g", moment, r)
		}
	}
}

func TestDirectRuleByHand(t *testing.T) {
	s := []float64{0.04, -0.01, 1, 0.25}
	for _, c := range []struct {
		rule DirectRule
		want []float64
	}{
		{DirectRule{Power: 0.5, Epsilon: 0.1}, []float64{0.3, 0.1, 1.1, 0.6}},
		{DirectRule{Power: 1, Epsilon: 0.1}, []float64{0.14, 0.1, 1.1, 0.35}},
		{DirectRule{Power: 0.5, Permuted: true}, []float64{0, 1, 0.5, 0.2}},
	} {
		if got := c.rule.eigenvalues(s); furthest(got, c.want) > 1e-15 {
			t.Errorf("%+v: %v, want %v", c.rule, got, c.want)
		}
	}
	code := DirectRule{Power: 0.5, Epsilon: -0.1, CodeFormula: true}
	for _, scale := range []float64{1, 1e-6} {
		scaled := slices.Clone(s)
		for i := range scaled {
			scaled[i] *= scale
		}
		if got, want := code.eigenvalues(scaled), []float64{0.1, 1e-4, 0.9, 0.4}; furthest(got, want) > 1e-15 {
			t.Errorf("code's formula at scale %g: %v, want %v", scale, got, want)
		}
	}
}

func TestStartsAreWhatTheyPromise(t *testing.T) {
	n := Aligned(7, 4, 0.3, 0.5, rand.New(rand.NewPCG(1, 2)))
	p, s := n.Modes()
	for j := range p {
		if math.Abs(p[j]-0.3) > 1e-14 || math.Abs(s[j]-0.5) > 1e-14 {
			t.Errorf("mode %d at (%g, %g)", j, p[j], s[j])
		}
	}
	if math.Abs(n.TraceF()-2) > 1e-14 || math.Abs(n.Tau()-1) > 1e-14 {
		t.Errorf("tr F = %g, τ = %g", n.TraceF(), n.Tau())
	}
	if Asymmetric(7, 4, 0.3, rand.New(rand.NewPCG(1, 2))).Wp[1] == 0 {
		t.Error("W_p is diagonal")
	}
}

func TestBadConfigurationsAreRefused(t *testing.T) {
	if err := Standard().Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(c *Config){
		"Inputs":         func(c *Config) { c.Inputs = 0 },
		"Features":       func(c *Config) { c.Features = 0 },
		"len(Sigma2)":    func(c *Config) { c.Sigma2 = c.Sigma2[1:] },
		"Sigma2[3]":      func(c *Config) { c.Sigma2 = slices.Clone(c.Sigma2); c.Sigma2[3] = math.NaN() },
		"Batch":          func(c *Config) { c.Batch = -1 },
		"Rate":           func(c *Config) { c.Rate = math.NaN() },
		"Alpha":          func(c *Config) { c.Alpha = 0 },
		"Eta":            func(c *Config) { c.Eta = -1 },
		"Beta":           func(c *Config) { c.Beta = 51 },
		"Predictor":      func(c *Config) { c.Predictor = 7 },
		"PredictorDecay": func(c *Config) { c.PredictorDecay = -1 },
		"Direct.Power":   func(c *Config) { c.Predictor = Direct },
		"Direct.Rho":     func(c *Config) { c.Predictor = Direct; c.Direct = DirectRule{Power: 1, Rho: 1} },
	} {
		c := Standard()
		change(&c)
		err := c.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), "linear: "+field+" = ") {
			t.Errorf("%s: error %v", field, err)
		}
		if _, err := NewTrainer(c, Aligned(16, 6, 1, 1, rand.New(rand.NewPCG(1, 1))), nil); err == nil {
			t.Errorf("%s: a trainer was made", field)
		}
	}
	c := Standard()
	c.StopGradient, c.Beta = false, 1
	if err := c.Validate(); err == nil {
		t.Error("an averaged target without stop-gradient")
	}
}

// TestDivergedRunsEnd: an absurd rate makes numbers that are not finite, no panic.
func TestDivergedRunsEnd(t *testing.T) {
	for _, predictor := range []Predictor{Trained, Direct} {
		c := Standard()
		c.Rate, c.Predictor, c.Direct = 40, predictor, DirectRule{Power: 1}
		r := rand.New(rand.NewPCG(1, 1))
		for name, watch := range map[string]func(*Trainer) []float64{
			"averages": stationaryAverages(40000),
			"collapse": collapseRate,
			"alignment": func(t *Trainer) []float64 {
				advance(t, 40000, 40, func() bool { return true })
				return finalAlignment(t)
			},
			"features": featureNorms,
			"passage":  func(t *Trainer) []float64 { return passage(t, 1e300, 40000) },
		} {
			tr, err := NewTrainer(c, parabolaStart(c, r), r)
			if err != nil {
				t.Fatal(err)
			}
			if got := watch(tr); len(got) == 0 {
				t.Errorf("%s: nothing", name)
			} else if tr.steps > 1000 {
				t.Errorf("%s: %d steps after divergence", name, tr.steps)
			}
		}
	}
}

func ExampleCheck_Run() {
	c, err := Find("T1.balance")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.ID, c.Claims[0], len(c.Defects) > 0)
	// Output: T1.balance thm1 true
}
