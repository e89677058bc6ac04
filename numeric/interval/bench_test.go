package interval

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// The peer of every benchmark is math/big.Float with 53 bits and directed
// modes, the other way to an outward rounded interval in the standard library.

const benchSize = 1024

func benchIntervals() []Interval {
	rng := rand.New(rand.NewPCG(1, 2))
	xs := make([]Interval, benchSize)
	for i := range xs {
		a := rng.Float64() + 0.5
		xs[i] = Interval{a, a + rng.Float64()}
		if i%4 == 0 {
			xs[i] = xs[i].Neg()
		}
	}
	return xs
}

type bigEnds struct{ lo, hi *big.Float }

func newBigEnds(x Interval) bigEnds {
	return bigEnds{
		new(big.Float).SetPrec(53).SetMode(big.ToNegativeInf).SetFloat64(x.Lo()),
		new(big.Float).SetPrec(53).SetMode(big.ToPositiveInf).SetFloat64(x.Hi()),
	}
}

func benchBig() []bigEnds {
	var out []bigEnds
	for _, x := range benchIntervals() {
		out = append(out, newBigEnds(x))
	}
	return out
}

var sink Interval

func benchPair(b *testing.B, op func(x, y Interval) Interval, peer func(z, x, y bigEnds)) {
	b.Run("interval", func(b *testing.B) {
		xs := benchIntervals()
		for i := 0; b.Loop(); i++ {
			sink = op(xs[i%benchSize], xs[(i+7)%benchSize])
		}
	})
	b.Run("bigFloat", func(b *testing.B) {
		xs := benchBig()
		z := newBigEnds(Interval{})
		for i := 0; b.Loop(); i++ {
			peer(z, xs[i%benchSize], xs[(i+7)%benchSize])
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	benchPair(b, Interval.Add, func(z, x, y bigEnds) {
		z.lo.Add(x.lo, y.lo)
		z.hi.Add(x.hi, y.hi)
	})
}

func BenchmarkMul(b *testing.B) {
	benchPair(b, Interval.Mul, func(z, x, y bigEnds) {
		// By sign, as Interval.Mul does; no factor of the benchmark straddles 0.
		switch xn, yn := x.hi.Sign() < 0, y.hi.Sign() < 0; {
		case xn && yn:
			z.lo.Mul(x.hi, y.hi)
			z.hi.Mul(x.lo, y.lo)
		case xn:
			z.lo.Mul(x.lo, y.hi)
			z.hi.Mul(x.hi, y.lo)
		case yn:
			z.lo.Mul(x.hi, y.lo)
			z.hi.Mul(x.lo, y.hi)
		default:
			z.lo.Mul(x.lo, y.lo)
			z.hi.Mul(x.hi, y.hi)
		}
	})
}

func BenchmarkDiv(b *testing.B) {
	benchPair(b, Interval.Div, func(z, x, y bigEnds) {
		switch xn, yn := x.hi.Sign() < 0, y.hi.Sign() < 0; {
		case xn && yn:
			z.lo.Quo(x.hi, y.lo)
			z.hi.Quo(x.lo, y.hi)
		case xn:
			z.lo.Quo(x.lo, y.lo)
			z.hi.Quo(x.hi, y.hi)
		case yn:
			z.lo.Quo(x.hi, y.hi)
			z.hi.Quo(x.lo, y.lo)
		default:
			z.lo.Quo(x.lo, y.hi)
			z.hi.Quo(x.hi, y.lo)
		}
	})
}

// BenchmarkSqrt has no peer: big.Float.Sqrt ignores directed modes.
func BenchmarkSqrt(b *testing.B) {
	xs := benchIntervals()
	for i := 0; b.Loop(); i++ {
		sink = xs[i%benchSize].Abs().Sqrt()
	}
}

func BenchmarkExp(b *testing.B) {
	xs := benchIntervals()
	for i := 0; b.Loop(); i++ {
		sink = xs[i%benchSize].Exp()
	}
}

func BenchmarkLog(b *testing.B) {
	xs := benchIntervals()
	for i := 0; b.Loop(); i++ {
		sink = xs[i%benchSize].Abs().Log()
	}
}

func BenchmarkPowInt(b *testing.B) {
	xs := benchIntervals()
	for i := 0; b.Loop(); i++ {
		sink = xs[i%benchSize].PowInt(5)
	}
}
