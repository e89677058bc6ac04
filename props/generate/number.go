package generate

import (
	"math/big"

	"stopgrad/theory/sample"
)

// Rat returns the exact number n/d.
func Rat(n, d int64) *big.Rat { return big.NewRat(n, d) }

// Scale draws m·2^e with m ∈ {8, …, 15}/8 and lo ≤ e < hi: log-uniform to within an eighth, a float64
// exactly. Choice 0 is 2^lo.
func Scale(ch sample.Chooser, lo, hi int) *big.Rat {
	e := lo + ch.Intn(hi-lo)
	v := Rat(8+int64(ch.Intn(8)), 8)
	p := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(e, -e))))
	if e < 0 {
		p.Inv(p)
	}
	return v.Mul(v, p)
}

// Fraction draws k/64 for 0 ≤ k ≤ 64.
func Fraction(ch sample.Chooser) *big.Rat { return Rat(int64(ch.Intn(65)), 64) }

// Signed draws k/16 for |k| ≤ 16, choice 0 first and then 1/16, −1/16, 2/16, …
func Signed(ch sample.Chooser) *big.Rat {
	k := int64(ch.Intn(33))
	if k%2 == 0 {
		return Rat(-k/2, 16)
	}
	return Rat((k+1)/2, 16)
}

// Float rounds to the nearest float64.
func Float(v *big.Rat) float64 { f, _ := v.Float64(); return f }

// Params are the hyper-parameters of the theory as exact numbers.
type Params struct{ Alpha, Eta, Beta, Sigma2, Tau *big.Rat }

// A returns 1 + σ².
func (p Params) A() *big.Rat { return new(big.Rat).Add(Rat(1, 1), p.Sigma2) }

// CriticalDecay returns η* = τ²/(4(1+σ²)), exactly.
func (p Params) CriticalDecay() *big.Rat {
	t := new(big.Rat).Mul(p.Tau, p.Tau)
	return t.Quo(t, new(big.Rat).Mul(Rat(4, 1), p.A()))
}

// Decay says how the weight decay of drawn parameters lies.
type Decay int

// The kinds of weight decay.
const (
	AnyDecay Decay = iota // each of the kinds below with probability at least 1/8
	Subcritical
	NoDecay
	Critical
	Supercritical
)

// Parameters draws hyper-parameters over the ranges of the claims ledger, section 8: α in 2^[−3,3], β in
// 2^[−6,3], σ² 0 or a fraction of 2, τ in (0, 1], η by kind. With AnyDecay η is 0 with probability 2/8,
// exactly η* with 1/8, above it with 1/8 and below it with 4/8.
func Parameters(ch sample.Chooser, decay Decay) Params {
	p := Params{Alpha: Rat(1, 1), Sigma2: new(big.Rat), Tau: Rat(1, 1)}
	if ch.Intn(4) > 0 {
		p.Alpha = Scale(ch, -3, 3)
	}
	if ch.Intn(4) > 0 {
		p.Sigma2 = new(big.Rat).Mul(Rat(2, 1), Fraction(ch))
	}
	if ch.Intn(4) > 0 {
		p.Tau = Rat(int64(8+ch.Intn(57)), 64)
	}
	p.Beta = Scale(ch, -6, 3)
	if decay == AnyDecay {
		decay = []Decay{Subcritical, Subcritical, Subcritical, Subcritical, NoDecay, NoDecay, Critical, Supercritical}[ch.Intn(8)]
	}
	switch star := p.CriticalDecay(); decay {
	case NoDecay:
		p.Eta = new(big.Rat)
	case Critical:
		p.Eta = star
	case Subcritical:
		p.Eta = star.Mul(star, Rat(int64(1+ch.Intn(15)), 16))
	case Supercritical:
		p.Eta = star.Mul(star, Rat(int64(17+ch.Intn(16)), 16))
	}
	return p
}
