package linear

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/metric"
)

// Network holds the weights, row-major.
type Network struct {
	Inputs, Features int
	W                []float64 // Features×Inputs
	Wp               []float64 // Features×Features
	Wa               []float64 // Features×Inputs; follows W exactly when β is infinite
}

// Aligned returns the network with W Wᵀ = s·I, its rows a random orthonormal
// frame, W_p = p·I and W_a = W: all modes start at (p, s). It needs
// features ≤ inputs and panics otherwise.
func Aligned(inputs, features int, p, s float64, r *rand.Rand) *Network {
	n := random(inputs, features, r)
	w := mat.NewDense(features, inputs, n.W)
	var qr mat.QR
	qr.Factorize(w.T()) // panics when features > inputs
	var q mat.Dense
	qr.QTo(&q)
	for i := range features {
		for k := range inputs {
			n.W[i*inputs+k] = math.Sqrt(s) * q.At(k, i)
		}
		n.Wp[i*features+i] = p
	}
	copy(n.Wa, n.W)
	return n
}

// Asymmetric returns the network with the entries of W independent N(0, 1/inputs),
// so that W Wᵀ scatters about I, and W_p = I + N, the entries of N independent
// N(0, spread²); W_a = W.
func Asymmetric(inputs, features int, spread float64, r *rand.Rand) *Network {
	n := random(inputs, features, r)
	for i := range n.W {
		n.W[i] /= math.Sqrt(float64(inputs))
	}
	for i := range n.Wp {
		n.Wp[i] = spread * r.NormFloat64()
	}
	for i := range features {
		n.Wp[i*features+i]++
	}
	copy(n.Wa, n.W)
	return n
}

// random returns a network with independent N(0, 1) entries of W, the rest zero.
func random(inputs, features int, r *rand.Rand) *Network {
	n := &Network{Inputs: inputs, Features: features,
		W: make([]float64, features*inputs), Wp: make([]float64, features*features), Wa: make([]float64, features*inputs)}
	for i := range n.W {
		n.W[i] = r.NormFloat64()
	}
	return n
}

// F returns W Wᵀ, the F of the theory for data with X = I.
func (n *Network) F() *mat.SymDense {
	f := mat.NewSymDense(n.Features, nil)
	f.SymOuterK(1, mat.NewDense(n.Features, n.Inputs, n.W))
	return f
}

// Predictor returns W_p, sharing its memory.
func (n *Network) Predictor() *mat.Dense { return mat.NewDense(n.Features, n.Features, n.Wp) }

// Balance returns W Wᵀ - W_pᵀW_p/α, the D of Theorem 1.
func (n *Network) Balance(alpha float64) *mat.Dense {
	return metric.Balance(mat.NewDense(n.Features, n.Inputs, n.W), nil, n.Predictor(), alpha)
}

// Modes returns p_j = v_jᵀW_p v_j and s_j for the eigenvectors of F, s falling.
func (n *Network) Modes() (p, s []float64) { return metric.PredictorDiagonal(n.F(), n.Predictor()) }

// TraceF returns tr W Wᵀ = ‖W‖²_F.
func (n *Network) TraceF() float64 {
	t := 0.
	for _, w := range n.W {
		t += w * w
	}
	return t
}

// divergedAbove is a weight so large that products of four of them overflow.
const divergedAbove = 1e75

// finite tells whether the weights and the products of up to four of them are.
func (n *Network) finite() bool {
	for _, m := range [...][]float64{n.W, n.Wp, n.Wa} {
		for _, v := range m {
			if !(math.Abs(v) < divergedAbove) {
				return false
			}
		}
	}
	return true
}

// Tau returns <W, W_a>/<W, W>.
func (n *Network) Tau() float64 { return metric.Tau(n.W, n.Wa) }
