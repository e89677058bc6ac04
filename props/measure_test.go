package props

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/props/equations"
	"stopgrad/props/generate"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// TestProportionalIsTheClaimsFlow: the SimSiam flow with X = τI, X + X' = aI, along which skew-vanishes is
// sampled, is the claim's own system emafrozen.
func TestProportionalIsTheClaimsFlow(t *testing.T) {
	env, err := equations.Env("emafrozen")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.ByName("simsiam")
	if err != nil {
		t.Fatal(err)
	}
	ch := sample.NewStream(1, "proportional")
	for range 40 {
		p := generate.Parameters(ch, generate.Subcritical)
		n2, n1 := generate.Shape(ch, 3)
		w, wp := generate.Entries(ch, n2, n1), generate.Entries(ch, n2, n2)
		st := State{Dims: map[lang.Dim]int{"n1": n1, "n2": n2}, Vals: map[string]eval.Matrix[*big.Rat]{
			"W": w, "Wp": wp, "alpha": eval.ScalarOf(p.Alpha), "eta": eval.ScalarOf(p.Eta), "beta": eval.ScalarOf(p.Beta),
			"sigma2": eval.ScalarOf(p.Sigma2), "tau": eval.ScalarOf(p.Tau),
		}}
		e, err := eval.New(equations.Magnitude{}, env, equations.WithMagnitude(st))
		if err != nil {
			t.Fatal(err)
		}
		sys, err := f.Bind(proportional(p, generate.Dense(w), generate.Dense(wp)))
		if err != nil {
			t.Fatal(err)
		}
		dy := make([]float64, sys.Dim())
		sys.RHS()(0, sys.Initial(), dy)
		d := sys.Unpack(0, dy)
		for name, got := range map[string]*mat.Dense{"Wp": d.Wp, "W": d.W} {
			want, err := e.RightHandSide(name)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range want.A {
				// As for the other flows (props/equations): fewer than 48 roundings on any path.
				if diff := math.Abs(got.RawMatrix().Data[i] - generate.Float(v.V)); diff > 48*0x1p-53*v.M {
					t.Errorf("%s'[%d] is off by %.3g", name, i, diff)
				}
			}
		}
	}
}

// TestSkewPartStaysWithoutDecay is the twin of skew-vanishes: without weight decay the same machinery must
// see skew parts that stay, and confirm them.
func TestSkewPartStaysWithoutDecay(t *testing.T) {
	stays := 0
	const n = 6
	for i := range n {
		s := skewStart(sample.NewStream(1, fmt.Sprintf("no decay/%d", i)))
		s.Eta = 0
		f, ratio, err := followSkewFor(context.Background(), s, 500, longRun)
		if err != nil {
			t.Fatal(err)
		}
		if f != persists {
			continue
		}
		again, r2, err := followSkewFor(context.Background(), s, 500, confirmRun)
		if err != nil {
			t.Fatal(err)
		}
		if again == persists && math.Abs(ratio-r2) <= 0.01*ratio {
			stays++
		}
	}
	if stays < n/2 {
		t.Errorf("the skew part stays in %d of %d runs without decay", stays, n)
	}
}

// TestSlowSkewPartsAreReportedAsSlow: a horizon too short to decide is not a verdict.
func TestSlowSkewPartsAreReportedAsSlow(t *testing.T) {
	for i := range 20 {
		s := skewStart(sample.NewStream(1, fmt.Sprintf("slow/%d", i)))
		f, ratio, err := followSkewFor(context.Background(), s, 0.25/s.Eta, longRun)
		if err != nil {
			t.Fatal(err)
		}
		if f == slow && ratio > SkewTolerance {
			return
		}
	}
	t.Error("no run was reported slow over two time constants of the decay")
}

func TestLivingCountsEigenvalues(t *testing.T) {
	s := flow.NewState()
	s.Eta, s.Alpha = 0.1, 2
	plus := (1 + math.Sqrt(1-0.4)) / 2
	live := plus * plus / 2
	if n := living(mat.NewDense(3, 3, []float64{live, 0, 0, 0, live * 0.5, 0, 0, 0, live * 1e-3}), s); n != 2 {
		t.Errorf("%d modes live, want 2", n)
	}
}

func TestBinomialTail(t *testing.T) {
	for _, c := range []struct {
		n, k int
		want float64
	}{{5, 5, 1. / 32}, {5, 0, 1}, {4, 2, 11. / 16}, {0, 0, 1}, {10, 9, 11. / 1024}} {
		// A sum of n+1 terms through logarithms of factorials, each to a few units in the last place of up to 20.
		if got := binomialTail(c.n, c.k); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("P(K ≥ %d of %d) = %v, want %v", c.k, c.n, got, c.want)
		}
	}
}

// TestSimsiamWideIsTheFlow: the flow written out in extended arithmetic is that of numeric/flow.
func TestSimsiamWideIsTheFlow(t *testing.T) {
	f, err := flow.ByName("simsiam")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		s := nonisoStart(sample.NewStream(1, fmt.Sprintf("wide/%d", i)), false)
		sys, err := f.Bind(s)
		if err != nil {
			t.Fatal(err)
		}
		dy := make([]float64, sys.Dim())
		sys.RHS()(0, sys.Initial(), dy)
		d := sys.Unpack(0, dy)
		x, both := widen(s.X), widen(s.X).plus(number(1), widen(s.Xp))
		dwp, dw := simsiamWide(s.Alpha, s.Eta, x, both, widen(s.Wp), widen(s.W))
		for _, c := range []struct {
			got  wide
			want *mat.Dense
		}{{dwp, d.Wp}, {dw, d.W}} {
			off := c.got.plus(number(-1), widen(c.want)).norm()
			if off > 1e-12*(1+c.got.norm()) || math.IsNaN(off) {
				t.Errorf("off by %.3g of %.3g", off, c.got.norm())
			}
		}
	}
}

func TestWideNormIsNotLostToUnderflow(t *testing.T) {
	x := newWide(1, 2)
	x.a[0].SetMantExp(number(3), -2000)
	x.a[1].SetMantExp(number(4), -2000)
	if got := x.norm(); got != 0 {
		t.Errorf("‖(3, 4)·2⁻²⁰⁰⁰‖ = %v does not round to zero", got)
	}
	x.a[0].SetMantExp(number(3), -900)
	x.a[1].SetMantExp(number(4), -900)
	if got, want := x.norm(), math.Ldexp(5, -900); got != want {
		t.Errorf("‖(3, 4)·2⁻⁹⁰⁰‖ = %v, want %v", got, want)
	}
}
