package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/measure"
)

// Matrix copies n×d float32 values, row-major, to a matrix. It panics when the
// length is not n·d.
func Matrix(x []float32, n, d int) *mat.Dense {
	if len(x) != n*d {
		panic(fmt.Sprintf("metric: %d values, want %d·%d", len(x), n, d))
	}
	v := make([]float64, len(x))
	for i, a := range x {
		v[i] = float64(a)
	}
	return mat.NewDense(n, d, v)
}

func finite(m *mat.Dense) bool {
	n, _ := m.Dims()
	for i := range n {
		for _, v := range m.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return false
			}
		}
	}
	return true
}

// Normalized returns z with every row divided by its Euclidean norm. A zero row
// stays zero.
func Normalized(z mat.Matrix) *mat.Dense {
	out := mat.DenseCopyOf(z)
	n, _ := out.Dims()
	for i := range n {
		row := out.RawRowView(i)
		if norm := floats.Norm(row, 2); norm > 0 {
			floats.Scale(1/norm, row)
		}
	}
	return out
}

// ZStd is the spread of the directions of the rows of z (Chen and He 2021,
// figure 2; multiplied by √d so that 1 is the most a centred cloud can have):
//
//	zstd = √d · mean_j std_i( z_ij / ‖z_i‖ )
//
// with the population deviation (divisor N). It is 0 when all rows point the
// same way. BatchNorm on the output holds it near 1 whatever happens: then only
// the effective rank shows a collapse.
func ZStd(z mat.Matrix) float64 {
	zn := Normalized(z)
	n, d := zn.Dims()
	total := 0.
	for j := range d {
		mean := 0.
		for i := range n {
			mean += zn.At(i, j)
		}
		mean /= float64(n)
		variance := 0.
		for i := range n {
			v := zn.At(i, j) - mean
			variance += v * v
		}
		total += math.Sqrt(variance / float64(n))
	}
	return math.Sqrt(float64(d)) * total / float64(d)
}

// Rank is the effective rank of a cloud of directions.
type Rank struct {
	// Uncentred is the effective rank of E[ẑẑᵀ], 1 to min(N, d).
	Uncentred float64
	// Centred is that of E[(ẑ-E ẑ)(ẑ-E ẑ)ᵀ], 1 to min(N-1, d).
	Centred float64
	// UncentredOfMax and CentredOfMax are the same divided by their upper
	// limits. N examples cannot span more than N (centred N-1) dimensions: the
	// plain numbers can be compared only between samples with N ≫ d.
	UncentredOfMax, CentredOfMax float64
}

// EffectiveRank measures the directions ẑ = z/‖z‖ of the rows of z by
// measure.EffectiveRank, the exponential of the spectrum's entropy. The result
// is NaN when there is no variance to speak of (all of z zero; centred, all
// directions the same) and when a value is not finite.
func EffectiveRank(z mat.Matrix) Rank {
	zn := Normalized(z)
	n, d := zn.Dims()
	if !finite(zn) {
		nan := math.NaN()
		return Rank{nan, nan, nan, nan}
	}
	var r Rank
	r.Uncentred = measure.EffectiveRank(SecondMoment(zn))
	r.Centred = measure.EffectiveRank(Covariance(zn))
	r.UncentredOfMax = r.Uncentred / float64(min(n, d))
	r.CentredOfMax = r.Centred / float64(min(n-1, d))
	return r
}

// SecondMoment returns E[zzᵀ] = (1/N) ZᵀZ, not centred, d×d.
func SecondMoment(z mat.Matrix) *mat.SymDense {
	n, d := z.Dims()
	m := mat.NewSymDense(d, nil)
	m.SymOuterK(1/float64(n), z.T())
	return m
}

// Covariance returns E[(z-Ez)(z-Ez)ᵀ] with divisor N, d×d.
func Covariance(z mat.Matrix) *mat.SymDense {
	c := mat.DenseCopyOf(z)
	n, d := c.Dims()
	for j := range d {
		mean := 0.
		for i := range n {
			mean += c.At(i, j)
		}
		mean /= float64(n)
		for i := range n {
			c.Set(i, j, c.At(i, j)-mean)
		}
	}
	return SecondMoment(c)
}

// Verdict is a word for the state of a representation.
type Verdict string

// The verdicts.
const (
	// Collapsed: nearly all examples point the same way.
	Collapsed Verdict = "collapsed"
	// PartlyCollapsed: neither alive nor collapsed, few dimensions are used.
	// BYOL passes through this state early in a good run.
	PartlyCollapsed Verdict = "partly collapsed"
	// Alive: the directions are spread and use several dimensions.
	Alive Verdict = "alive"
	// TooEarly: runs that end well pass through the same numbers this early.
	TooEarly Verdict = "too early to say"
	// Undefined: a measure is not a number.
	Undefined Verdict = "undefined"
)

// The limits of the verdicts. Measured on the digits (five to ten seeds, mean ±
// deviation): without predictor and without EMA zstd .002±.001, rank
// 1.00; without predictor with EMA .066±.014, 1.04±.02; without stop-gradient
// .002±.002, 1.00; with predictor and stop-gradient at the smallest size
// .70±.03, 3.6±.3. The limits lie between, at the one-sided 99 %/95 % tolerance
// bounds of either side rounded outwards.
const (
	CollapsedZStd = 0.2
	CollapsedRank = 1.2
	AliveZStd     = 0.5
	AliveRank     = 2.
)

// Judge gives the verdict for a zstd and an uncentred effective rank: collapsed
// when both are below the limits of collapse, alive when both are above those of
// life. Both are needed: zstd does not see a collapse to few dimensions, and the
// rank is above 1 for a fixed direction with a little noise.
func Judge(zstd, rank float64) Verdict {
	switch {
	case math.IsNaN(zstd) || math.IsNaN(rank):
		return Undefined
	case zstd < CollapsedZStd && rank < CollapsedRank:
		return Collapsed
	case zstd > AliveZStd && rank > AliveRank:
		return Alive
	}
	return PartlyCollapsed
}

// When a run can be judged. Of the recorded runs of 1000 steps on the digits (110 of eleven ways of training, ten seeds
// each, ηt = 5) those with a linear predictor that end alive passed through zstd .064 to .24 and rank 1.04 to 1.38 at
// ηt ≤ 1, which a collapsed one does not tell apart, and all had come back above the limits of life or near them at
// ηt = 3; those that collapse for good without average or without stop-gradient were below zstd .03 and rank 1.01 from
// their first look (ηt = ½) on. Without decay ηt says nothing: 600 steps are what ηt = 3 took there.
const (
	SettledDecay = 3.
	SettledSteps = 600
	DeepZStd     = 0.04
	DeepRank     = 1.02
)

// JudgeAt is Judge for a run after some steps, of which decay is ηt = lr·wd·steps/(1−momentum), NaN or 0 where there is
// none or it is not known. Before the run can be judged only a collapse deeper than any that was come back from is one.
func JudgeAt(zstd, rank, decay float64, steps int) Verdict {
	v := Judge(zstd, rank)
	switch {
	case v == Undefined, steps > 0 && zstd < DeepZStd && rank < DeepRank:
		return v
	case decay > 0 && decay < SettledDecay, !(decay > 0) && steps < SettledSteps:
		return TooEarly
	}
	return v
}
