package method

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// rootSettings are the constants of a square root by products. All of it runs in
// float64, whatever the precision of the run: the products of one d×d matrix are
// cheap beside a step, and no engine rounds them to TF32.
//
// Let r = s/s_max be the eigenvalues of F̂ scaled to [0, 1], and u the rounding
// with which F̂ is stored.
//
// Largest eigenvalue. B ← B²/tr B², q times from F̂/tr F̂, leaves B = F̂ⁿ/tr F̂ⁿ with
// n = 2^q, and tr(F̂B) = s_max·Σr^{n+1}/Σr^n. With d−1 eigenvalues at the worst r
// = 1 − x/n it is too small by at most
//
//	max_x x/n · (d−1)e^{−x}/(1 + (d−1)e^{−x}) < (1 + ln d)/n   of s_max.
//
// Root. The coupled Newton–Schulz iteration (Higham, Functions of Matrices, 2008,
// section 6.3) from Y = A, Z = I,
//
//	T = (3I − ZY)/2,  Y ← YT,  Z ← TZ,
//
// acts on every eigenvalue λ of A alone: m = zy starts at λ and follows m ←
// m(3−m)²/4, and y = √λ·√m always, so that y is off √λ by the factor √m → 1. It
// converges for λ in (0, 3), slowly where λ is small, for m grows by 9/4 a step at
// most: steps counts them from the smallest λ. At λ < 0 it diverges, and rounding
// puts eigenvalues of F̂ that should be 0 as low as some −u·s_max. Therefore A =
// (F̂/s_max + μI)/(1+μ) with μ = 16u for float32 and far more for float64, and
//
//	|√(r+μ) − √r| ≤ min(√μ, μ/(2√r)),
//
// which is what the solver costs: √μ at a vanished eigenvalue, nothing to speak of
// at a live one. The eigendecomposition of the same F̂ is off by √u there too,
// because the root has no derivative at 0. The iteration's own rounding leaves
// ‖Y² − A‖ at up to d/10·2⁻⁵³/√μ (Frobenius; measured for d from 2 to 128 and μ from
// 2⁻⁴⁰ to 2⁻²⁰), the price of a Z that grows to 1/√μ. So μ is 2⁻²⁰ = 16u for float32,
// above what F̂'s rounding leaves below 0, and 2⁻²⁸ for float64, where that is
// nothing and ‖Y² − A‖ is still below μ/100 at d = 128. A result with ‖Y² − A‖ > μ is
// replaced by NaN: the loss shows it, and nothing trains on a wrong W_p.
type rootSettings struct {
	squarings, steps int
	shift            float64 // μ
}

// roots are the settings for F̂ stored in a precision.
func (p Precision) roots() rootSettings {
	if p == Float64 {
		return rootSettings{squarings: 40, shift: 0x1p-28}.stepped(0x1p-50)
	}
	return rootSettings{squarings: 28, shift: 0x1p-20}.stepped(0x1p-26)
}

// stepped counts the steps until the smallest λ = μ/(1+μ) has 1 − √m ≤ tol. They
// are about log μ⁻¹/log(9/4), and four more.
func (s rootSettings) stepped(tol float64) rootSettings {
	for m := s.shift / (1 + s.shift); 1-math.Sqrt(m) > tol; s.steps++ {
		m *= (3 - m) * (3 - m) / 4
	}
	return s
}

// identity is I of d×d in float64.
func identity(g *graph.Graph, d int) *graph.Node {
	rows := make([]float64, d*d)
	for i := range d {
		rows[i*d+i] = 1
	}
	return graph.Reshape(graph.Const(g, rows), d, d)
}

// inner is Σ_ij a_ij b_ij = tr(aᵀb).
func inner(a, b *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Mul(a, b)) }

// largest is the largest eigenvalue of a symmetric matrix without negative ones.
func (s rootSettings) largest(a, eye *graph.Node) *graph.Node {
	b := graph.Div(a, inner(a, eye))
	for range s.squarings {
		b = graph.MatMul(b, b)
		b = graph.Div(b, inner(b, eye))
	}
	return inner(a, b)
}

// root is √a of a symmetric matrix with eigenvalues in [0, 1].
func (s rootSettings) root(a, eye *graph.Node) *graph.Node {
	a = graph.DivScalar(graph.Add(a, graph.MulScalar(eye, s.shift)), 1+s.shift)
	y, z := a, eye
	for range s.steps {
		t := graph.Sub(graph.MulScalar(eye, 1.5), graph.MulScalar(graph.MatMul(z, y), 0.5))
		y, z = graph.MatMul(y, t), graph.MatMul(t, z)
	}
	y = graph.MulScalar(graph.Add(y, graph.Transpose(y, 0, 1)), 0.5)
	off := graph.Sub(graph.MatMul(y, y), a)
	limit := graph.Scalar(a.Graph(), dtypes.Float64, s.shift*s.shift)
	nan := graph.Scalar(a.Graph(), dtypes.Float64, math.NaN())
	// A comparison with NaN is false: a NaN within y stays one.
	good := graph.GreaterThan(limit, inner(off, off))
	good = graph.BroadcastToDims(graph.Reshape(good, 1, 1), y.Shape().Dimensions...)
	return graph.Where(good, graph.MulScalar(y, math.Sqrt(1+s.shift)), graph.BroadcastToDims(graph.Reshape(nan, 1, 1), y.Shape().Dimensions...))
}

// solve is Direct.Predictor as a graph: W_p from the symmetric part of F̂, in
// float64. An F̂ of zeros gives NaN, as does one with eigenvalues below −μ·s_max.
func (d Direct) solve(m Method, moment *graph.Node, s rootSettings) *graph.Node {
	a := graph.ConvertDType(moment, dtypes.Float64)
	a = graph.MulScalar(graph.Add(a, graph.Transpose(a, 0, 1)), 0.5)
	eye := identity(a.Graph(), a.Shape().Dimensions[0])
	w, epsilon := a, graph.MulScalar(eye, d.Epsilon)
	var top *graph.Node // s_max, where it is needed
	linear := m == DirectCopy || m == DirectSet && d.Gamma == 1
	if d.Formula == Code || !linear {
		top = s.largest(a, eye)
		w = graph.Div(a, top)
	}
	if !linear {
		w = s.root(w, eye)
		if d.Formula == Slide {
			w = graph.Mul(graph.Sqrt(top), w)
		}
		if d.Formula == Slide && m == DirectPred {
			epsilon = graph.Mul(epsilon, top)
		}
	}
	return graph.Add(w, epsilon)
}
