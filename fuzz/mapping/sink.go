package mapping

import (
	"math"
	"math/big"

	"stopgrad/numeric/interval"
)

// sink is a set of states from which everything collapses, for every τ at once:
//
//	0 ≤ p ≤ π, 0 ≤ w ≤ ω, 0 ≤ wa ≤ ρω
//
// with w = √s, and wa = τw. With τ frozen ρ is τ, else ρ > 1. It comes close to the saddle, where a trap around the origin in
// the coordinates of its linear part is many times smaller.
//
// Soundness: let 2aπ ≤ ρ, π(ρ − aπ) < η and αω²(ρ − aπ) < ηπ, and V = max(p/π, w/ω, wa/(ρω)), without the last if τ is
// frozen. Where V = λ ≤ 1 is attained by
//
//	p = λπ     p' = αw(wa − aλπw) − ηλπ ≤ αλω·(λρω − aλ²πω) − ηλπ ≤ λ(αω²(ρ − aπ) − ηπ), since w(λρω − aλπw) grows in w up
//	           to ρω/(2aπ) ≥ ω and λ(ρ − aλπ) in λ up to ρ/(2aπ) ≥ 1
//	w = λω     w' = p(wa − aλωp) − ηλω ≤ λπ(λρω − aλ²πω) − ηλω ≤ λω(π(ρ − aπ) − η), likewise
//	wa = λρω   wa' = β(w − λρω) ≤ λβω(1 − ρ)
//
// so that V' ≤ −cV for a c > 0. That p, w and wa are not negative is kept by every motion, see leaves.
type sink struct {
	frozen      bool
	p, s, w, wa float64 // lower bounds of π, ω², ω and ρω
}

// newSink returns a sink, or nil if none was found; tau is nil with the moving average.
func newSink(eta, alpha, a, tau *big.Rat) *sink {
	rho := tau
	if tau == nil {
		rho = new(big.Rat).Add(big.NewRat(1, 1), big.NewRat(1, 1024))
	}
	f := func(r *big.Rat) float64 { v, _ := r.Float64(); return v }
	const less = 1 - 0x1p-10
	pi := f(rho) / (2 * f(a))
	if square := f(rho)*f(rho) - 4*f(a)*f(eta); square > 0 {
		pi -= math.Sqrt(square) / (2 * f(a))
	}
	pi *= less
	omega := math.Sqrt(f(eta)*pi/(f(alpha)*(f(rho)-f(a)*pi))) * less
	p, w := new(big.Rat), new(big.Rat)
	if p.SetFloat64(pi) == nil || w.SetFloat64(omega) == nil || !sinks(eta, alpha, a, rho, p, w) || tau == nil && rho.Cmp(big.NewRat(1, 1)) <= 0 {
		return nil
	}
	lower := func(r *big.Rat) float64 { return interval.FromRat(r).Lo() }
	return &sink{tau != nil, lower(p), lower(new(big.Rat).Mul(w, w)), lower(w), lower(new(big.Rat).Mul(rho, w))}
}

// sinks decides the three conditions on π = p and ω = w.
func sinks(eta, alpha, a, rho, p, w *big.Rat) bool {
	mul := func(x *big.Rat, ys ...*big.Rat) *big.Rat {
		x = new(big.Rat).Set(x)
		for _, y := range ys {
			x.Mul(x, y)
		}
		return x
	}
	pull := new(big.Rat).Sub(rho, mul(a, p))
	return p.Sign() > 0 && w.Sign() > 0 && mul(a, p, big.NewRat(2, 1)).Cmp(rho) <= 0 &&
		mul(p, pull).Cmp(eta) < 0 && mul(alpha, w, w, pull).Cmp(mul(eta, p)) < 0
}

// Holds reports whether the states of a box of (p, s, …), or of (p, w, wa, …), are in the sink, of those in which nothing is
// negative.
func (k *sink) Holds(x []interval.Interval) bool {
	if k.frozen {
		return x[0].Hi() <= k.p && x[1].Hi() <= k.s
	}
	return x[0].Hi() <= k.p && x[1].Hi() <= k.w && x[2].Hi() <= k.wa
}

// past are states beyond the corner of a sink, which are not seen to collapse. Nothing is certified by it.
type past struct{ *sink }

func (k past) Holds(x []interval.Interval) bool {
	if k.frozen {
		return x[0].Lo() > k.p && x[1].Lo() > k.s
	}
	return x[0].Lo() > k.p && x[1].Lo() > k.w && x[2].Lo() > k.wa
}
