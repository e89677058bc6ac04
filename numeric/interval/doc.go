// Package interval computes with closed real intervals whose ends are float64
// numbers rounded outward, so that every result contains the exact set.
//
// It is the arithmetic behind the verdict "certified" and behind the re-check
// of a counterexample: a bound printed by this package is a bound on the real
// number, not on its rounded image. The operations + − × ÷ √ and the square
// return the tightest float64 interval; the sign of an exact residual decides
// whether an end has to move. It follows the set-based flavour of IEEE Std
// 1788-2015, bare and decorated, for the operations it has.
//
// What is believed without check: that float64 +, −, ×, ÷, math.Sqrt and
// math.FMA round to nearest as IEEE 754 says, and that math/big's Rat is exact
// and its Float honours directed rounding in Add, Sub, Mul and Quo.
package interval
