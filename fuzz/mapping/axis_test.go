package mapping

import (
	"math"
	"math/big"
	"strings"
	"testing"
)

func TestAxisTexts(t *testing.T) {
	for _, c := range []struct {
		text, want string
	}{
		{"eta=0:0.5", "eta=0:1/2:64"},
		{"p0=-1:3:100", "p0=-1:3:100"},
		{"beta=1/100:10:log", "beta=1/100:10:64:log"},
		{"alpha=1e-1:1E1:40:log", "alpha=1/10:10:40:log"},
		{"s0=.5:+2.:linear:7", ""},
		{"s0=.5:+2.:7:linear", "s0=1/2:2:7"},
		{"tau=0:1.2", "tau=0:6/5:64"},
	} {
		ax, err := ParseAxis(c.text)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s is accepted", c.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if got := ax.String(); got != c.want {
			t.Errorf("%s reads as %s, want %s", c.text, got, c.want)
		}
		again, err := ParseAxis(ax.String())
		if err != nil || again.String() != ax.String() {
			t.Errorf("%s does not read back: %v", ax, err)
		}
	}
}

func TestWrongAxesAreNamed(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "want NAME=LO:HI"},
		{"eta", "want NAME=LO:HI"},
		{"eta=", "want two ends"},
		{"eta=0", "want two ends"},
		{"eta=:1", `"" is not an exact number`},
		{"eta=0:x", `"x" is not an exact number`},
		{"eta=0:NaN", `"NaN" is not an exact number`},
		{"eta=0:Inf", "not an exact number"},
		{"eta=0:0x10", "not an exact number"},
		{"eta=0:1_000", "not an exact number"},
		{"eta=0:1e999", "outside the range of float64"},
		{"eta=0:1e9999999999", "not an exact number"},
		{"eta=0:1/0", "not an exact number"},
		{"eta=0:1/010", `"1/010" is not an exact number`},
		{"eta=0:010/81", `"010/81" is not an exact number`},
		{"eta=0.5:0", "the low end 1/2 is not below the high end 0"},
		{"eta=1:1", "not below"},
		{"eta=-1:1", "eta must be ≥ 0, found -1"},
		{"alpha=-1:1", "alpha must be > 0"},
		{"gamma=0:1", `unknown quantity "gamma" (known: eta alpha`},
		{"p0=-1:1:log", "a logarithmic axis needs a low end > 0"},
		{"eta=0:1:0", "0 cells"},
		{"eta=0:1:-3", "-3 cells where 1 to"},
		{"eta=0:1:99999", "99999 cells where 1 to"},
		{"alpha=1:1e400", "outside the range of float64"},
		{"p0=-1e308:1e308", "further than float64 reaches"},
		{"alpha=1e-300:1e300:log", "further than float64 reaches"},
		{"alpha=1:" + strings.Repeat("1", 100), "has 100 characters; a number has at most 64"},
		{"eta=0:1:loq", `"loq" is neither`},
		{"eta=0:1:5:6", `"6" is neither`},
		{"eta=0:1:log:log", "given twice"},
	} {
		ax, err := ParseAxis(c.text)
		if err == nil {
			t.Errorf("%q reads as %v", c.text, ax)
			continue
		}
		if msg := err.Error(); !strings.HasPrefix(msg, `mapping: axis "`+c.text+`": `) || !strings.Contains(msg, c.says) {
			t.Errorf("%q: %s; want %q", c.text, msg, c.says)
		}
		if ax != (Axis{}) {
			t.Errorf("%q: an axis beside the error: %+v", c.text, ax)
		}
	}
	for _, c := range []struct{ text, says string }{
		{"eta", "want NAME=VALUE"}, {"eta=a", "not an exact number"}, {"eta=-1", "eta must be ≥ 0"},
		{"zeta=1", "unknown quantity"}, {"alpha=0", "alpha must be > 0"},
	} {
		if _, _, err := ParseSetting(c.text); err == nil || !strings.HasPrefix(err.Error(), `mapping: setting "`+c.text+`": `) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v; want %q", c.text, err, c.says)
		}
	}
}

// The values of an axis are exact before they are rounded: a third of the way from 0 to 0.3 is the float64
// nearest to 1/10.
func TestAxisValuesAreRoundedOnce(t *testing.T) {
	ax, err := ParseAxis("eta=0:0.3:3")
	if err != nil {
		t.Fatal(err)
	}
	if got := ax.at(1, 3); got != 0.1 {
		t.Errorf("got %v", got)
	}
	if hi, _ := ax.Hi.Float64(); hi/3 == 0.1 { // in float64, not in constant arithmetic
		t.Error("float64 division gives the same: the example shows nothing")
	}
	log := Axis{Quantity: "eta", Lo: big.NewRat(1, 1000), Hi: big.NewRat(1, 1), Log: true}
	for i, want := range []float64{0.001, 0.01, 0.1, 1} {
		// exp(log x) errs by |log x| + 2 units of round-off.
		if got := log.at(i, 3); math.Abs(got/want-1) > 10*0x1p-53 {
			t.Errorf("logarithmic step %d: %v", i, got)
		}
		if u := log.unit(log.at(i, 3)); math.Abs(u-float64(i)/3) > 1e-15 {
			t.Errorf("unit of step %d: %v", i, u)
		}
	}
}

func TestWrongSpecificationsAreNamed(t *testing.T) {
	axis := func(text string) Axis {
		ax, err := ParseAxis(text)
		if err != nil {
			t.Fatal(err)
		}
		return ax
	}
	p, s, eta := axis("p0=0:1"), axis("s0=0:1"), axis("eta=0:1")
	one := big.NewRat(1, 1)
	for _, c := range []struct {
		name string
		spec Spec
		says string
	}{
		{"no axes", Spec{}, `axis : unknown quantity ""`},
		{"one axis", Spec{X: p}, `unknown quantity ""`},
		{"an axis twice", Spec{X: p, Y: p}, "p0 is given twice"},
		{"on an axis and set", Spec{X: p, Y: s, Set: map[string]*big.Rat{"p0": one}}, "p0 is given twice"},
		{"kappa and eta", Spec{X: p, Y: eta, Set: map[string]*big.Rat{"kappa": one}}, "kappa sets eta"},
		{"beta under frozen tau", Spec{X: p, Y: s, Set: map[string]*big.Rat{"beta": one}}, "the model frozen does not depend on beta"},
		{"s0 on the parabola", Spec{X: p, Y: s, Model: Parabola}, "the model parabola does not depend on s0"},
		{"no decay with a moving average", Spec{X: p, Y: s, Model: Modes, Set: map[string]*big.Rat{"eta": new(big.Rat)}}, "needs eta > 0"},
		{"tau = 0, frozen", Spec{X: p, Y: s, Set: map[string]*big.Rat{"tau": new(big.Rat)}}, "needs tau > 0"},
		{"unknown setting", Spec{X: p, Y: s, Set: map[string]*big.Rat{"x": one}}, `unknown quantity "x"`},
		{"setting without value", Spec{X: p, Y: s, Set: map[string]*big.Rat{"eta": nil}}, "eta has no value"},
		{"refinement", Spec{X: p, Y: s, Refine: 99}, "refinement by 99 levels"},
		{"horizon", Spec{X: p, Y: s, Horizon: math.NaN()}, "the horizon NaN"},
		{"workers", Spec{X: p, Y: s, Workers: -1}, "-1 workers"},
		{"model", Spec{X: p, Y: s, Model: 7}, "unknown model 7"},
		{"measure", Spec{X: p, Y: s, Measure: 7}, "unknown measure 7"},
	} {
		r, err := Map(t.Context(), c.spec)
		if r != nil || err == nil || !strings.HasPrefix(err.Error(), "mapping: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", c.name, err, c.says)
		}
	}
	for _, name := range []string{"frozen", "modes", "parabola"} {
		if m, err := ParseModel(name); err != nil || m.String() != name {
			t.Errorf("model %s: %v", name, err)
		}
	}
	for _, name := range []string{"outcome", "margin", "time", "final-s"} {
		if m, err := ParseMeasure(name); err != nil || m.String() != name {
			t.Errorf("measure %s: %v", name, err)
		}
	}
	if _, err := ParseModel("lemma1"); err == nil {
		t.Error("the model lemma1 is accepted")
	}
	if _, err := ParseMeasure("s"); err == nil {
		t.Error("the measure s is accepted")
	}
}
