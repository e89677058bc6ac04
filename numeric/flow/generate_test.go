package flow

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// randomMatrix has independent normal entries of standard deviation scale.
func randomMatrix(rng *rand.Rand, r, c int, scale float64) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, scale*rng.NormFloat64())
		}
	}
	return m
}

// randomMoment is B·Bᵀ/rank with B n×rank.
func randomMoment(rng *rand.Rand, n, rank int, scale float64) *mat.Dense {
	b := randomMatrix(rng, n, rank, 1)
	var m mat.Dense
	m.Mul(b, b.T())
	m.Scale(scale/float64(rank), &m)
	return symmetricPart(&m)
}

// randomState is a state with every matrix of lemma1, in the ranges of the claims
// ledger, section 8: α in 10^[-1,1], η zero or in 10^[-3,0], β in 10^[-2,1], general X,
// X' that may be singular.
func randomState(rng *rand.Rand, n2, n1 int) *State {
	s := NewState()
	s.Alpha = math.Pow(10, 2*rng.Float64()-1)
	if rng.IntN(4) > 0 {
		s.Eta = math.Pow(10, -3*rng.Float64())
	}
	s.Beta = math.Pow(10, 3*rng.Float64()-2)
	scale := math.Pow(10, -1.5*rng.Float64())
	s.W = randomMatrix(rng, n2, n1, scale)
	s.Wp = randomMatrix(rng, n2, n2, scale)
	s.Wa = randomMatrix(rng, n2, n1, scale)
	s.X = randomMoment(rng, n1, 1+rng.IntN(n1+2), 1)
	s.Xp = randomMoment(rng, n1, 1+rng.IntN(n1+1), 0.5)
	return s
}

// dyadic draws k/8 with |k| ≤ 16: with such entries every intermediate result of a
// right-hand side fits into 53 bits (see exact_test.go).
func dyadic(rng *rand.Rand) float64 { return float64(rng.IntN(33)-16) / 8 }

func dyadicMatrix(rng *rand.Rand, r, c int) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, dyadic(rng))
		}
	}
	return m
}

// dyadicSymmetric is symmetric with entries k/8.
func dyadicSymmetric(rng *rand.Rand, n int) *mat.Dense {
	m := dyadicMatrix(rng, n, n)
	for i := range n {
		for j := range i {
			m.Set(i, j, m.At(j, i))
		}
	}
	return m
}

// dyadicMoment is B·Bᵀ with entries of B in k/2, |k| ≤ 2: entries in k/4, positive
// semidefinite and possibly singular; sometimes diagonal.
func dyadicMoment(rng *rand.Rand, n int) *mat.Dense {
	if rng.IntN(4) == 0 {
		return scaledIdentity(n, float64(rng.IntN(5))/4)
	}
	b := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			b.Set(i, j, float64(rng.IntN(5)-2)/2)
		}
	}
	var m mat.Dense
	m.Mul(b, b.T())
	return &m
}

// orthogonal returns a random orthogonal matrix: the Q of a Gaussian matrix.
func orthogonal(rng *rand.Rand, n int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(randomMatrix(rng, n, n, 1))
	var q mat.Dense
	qr.QTo(&q)
	return &q
}
