package linear

import (
	"errors"
	"math"
	"testing"
)

func TestStationaryPointsSolveTheirEquation(t *testing.T) {
	for _, sigma2 := range []float64{0, 0.25, 1, 4} {
		for _, eta := range []float64{0.001, 0.02, 0.04} {
			a := 1 + sigma2
			p, s, ok := Stationary(sigma2, eta, 3)
			if !ok {
				t.Fatalf("σ² = %g, η = %g: none", sigma2, eta)
			}
			residual := func(p float64) float64 { return math.Abs(p*(1-a*p) - eta) }
			if residual(p) > 1e-15 || math.Abs(3*s-p*p) > 1e-15 {
				t.Errorf("σ² = %g, η = %g: p = %g, s = %g", sigma2, eta, p, s)
			}
			minus, _ := Threshold(sigma2, eta)
			if residual(minus) > 1e-15 || minus >= p {
				t.Errorf("σ² = %g, η = %g: p₋ = %g", sigma2, eta, minus)
			}
			if residual(1.01*p) < 1e-5 {
				t.Error("the residual does not see 1 %")
			}
		}
	}
	if _, _, ok := Stationary(0.25, 0.201, 1); ok {
		t.Error("a stationary point above η* = .2")
	}
	// A feature exactly at the survival variance has η = η*.
	if v := SurvivalVariance(0.04); math.Abs(4*0.04*(1+v)-1) > 1e-15 {
		t.Errorf("survival variance %g", v)
	}
}

// TestDirectStationaryPointsHaveTheRightPredictor puts s back into the rule.
func TestDirectStationaryPointsHaveTheRightPredictor(t *testing.T) {
	const sigma2, eta = 0.25, 0.04
	p, _, _ := Stationary(sigma2, eta, 1)
	for _, power := range []float64{0.5, 1, 2} {
		for _, epsilon := range []float64{0, 0.1, 0.3} {
			for _, moment := range []Moment{CrossView, SameView} {
				rule := DirectRule{Power: power, Epsilon: epsilon, Moment: moment}
				s, ok := DirectStationary(rule, sigma2, eta)
				if !ok {
					t.Fatalf("%+v: none", rule)
				}
				m := 1.
				if moment == SameView {
					m = 1 + sigma2
				}
				if got := rule.eigenvalues([]float64{m * s})[0]; math.Abs(got-p) > 1e-14 {
					t.Errorf("%+v: predictor %g at s = %g, want %g", rule, got, s, p)
				}
			}
		}
	}
	if s, ok := DirectStationary(DirectRule{Power: 1, Epsilon: 2}, sigma2, eta); !ok || s != 0 {
		t.Errorf("ε above p*: s = %g", s)
	}
	if _, ok := DirectStationary(DirectRule{Power: 0.5, CodeFormula: true}, sigma2, eta); ok {
		t.Error("the scale-free formula has a stationary s")
	}
}

func TestNoStopBoundIsTheMinimum(t *testing.T) {
	const sigma2, eta = 0.25, 0.05
	a := 1 + sigma2
	least := math.Inf(1)
	for p := -2.; p <= 2; p += 1e-4 {
		least = min(least, a*p*p-2*p+a)
	}
	// The grid misses the minimum by at most (1e-4/2)²·a.
	if got := CollapseRateNoStopBound(sigma2, eta); math.Abs(got-least-eta) > 1e-8 {
		t.Errorf("bound %g, minimum over p %g", got, least+eta)
	}
}

func TestNoiseExcessReducesToTheIsotropicForm(t *testing.T) {
	c := Standard()
	got, ok := NoiseExcess(c)
	if !ok {
		t.Fatal("none")
	}
	a := 1 + c.Sigma2[0]
	p, _, _ := Stationary(c.Sigma2[0], c.Eta, 1)
	v := p*p*a - 2*p + a
	want := c.Rate / (2 * c.Eta * float64(c.Batch)) * p * p * a * v * float64(c.Inputs-c.Features)
	for _, g := range got {
		if math.Abs(g-want) > 1e-15 {
			t.Errorf("excess %g, want %g", g, want)
		}
	}
	c.Alpha = 5
	if gauge, _ := NoiseExcess(c); math.Abs(gauge[0]-want) > 1e-15 {
		t.Error("α_p, a gauge, changes the relative excess")
	}
	c.Eta = 1
	if _, ok := NoiseExcess(c); ok {
		t.Error("an excess above η*")
	}
}

// TestPassageTimeHasItsClosedForm: on the parabola p' = -a p (p-p₋)(p-p₊), whose
// time between two values of p follows by partial fractions.
func TestPassageTimeHasItsClosedForm(t *testing.T) {
	const sigma2, eta = 0.25, 0.04
	a := 1 + sigma2
	plus, _, _ := Stationary(sigma2, eta, 1)
	minus, _ := Threshold(sigma2, eta)
	primitive := func(p float64) float64 {
		return -(math.Log(p)/(minus*plus) + math.Log(math.Abs(p-minus))/(minus*(minus-plus)) + math.Log(math.Abs(p-plus))/(plus*(plus-minus))) / a
	}
	for _, c := range []struct{ from, to float64 }{{1.1 * minus, 0.9 * plus}, {0.9 * minus, 0.1 * minus}, {0.4, 0.7}, {0.95, 0.8}} {
		got, minTau, err := PassageTime(t.Context(), Mode{c.from, c.from, c.from}, sigma2, eta, 1, math.Inf(1), c.to*c.to, 1e4)
		if err != nil {
			t.Fatal(err)
		}
		// Integration to 1e-10 with growth e^{.04·150} of errors near p₋.
		if want := primitive(c.to) - primitive(c.from); math.Abs(got-want) > 1e-6*want || minTau != 1 {
			t.Errorf("from %g to %g: time %.9g, want %.9g", c.from, c.to, got, want)
		}
	}
	if _, _, err := PassageTime(t.Context(), Mode{0.9 * minus, 0.9 * minus, 0}, sigma2, eta, 1, math.Inf(1), 0.5, 100); !errors.Is(err, errNoPassage) {
		t.Errorf("error %v, want none reached", err)
	}
}

// TestSlowTargetsSlowTheMode: a large β is the limit W_a = W, and the time grows as β falls.
func TestSlowTargetsSlowTheMode(t *testing.T) {
	at := func(beta float64) float64 {
		w := math.Sqrt(0.15)
		time, tau, err := PassageTime(t.Context(), Mode{0.4, w, w}, 0.25, 0.04, 1, beta, 0.5, 400)
		if err != nil {
			t.Fatal(err)
		}
		if tau > 1 || tau < 0.5 {
			t.Errorf("β = %g: smallest τ %g", beta, tau)
		}
		return time
	}
	// τ differs from 1 by (s'/2s)/β: the time differs by less than 1/β of itself.
	if fast, limit := at(200), at(math.Inf(1)); math.Abs(fast/limit-1) > 1./200 {
		t.Errorf("time %g at β = 200, %g in the limit", fast, limit)
	}
	if at(1) <= at(math.Inf(1)) || at(0.1) <= at(1) {
		t.Error("the time does not grow as β falls")
	}
}
