package falsify

import (
	"math"
	"math/big"

	"stopgrad/fuzz/chart"
	"stopgrad/theory/lang"
)

// Axis maps [0, 1] onto the values of a coordinate.
type Axis struct {
	Lo, Hi float64
	Log    bool
	// Odd is an axis −Hi … Hi that is denser near zero: x = Hi·v³ for v = 2u − 1.
	Odd bool
}

// At returns the value at u in [0, 1].
func (a Axis) At(u float64) float64 {
	switch {
	case a.Odd:
		v := 2*u - 1
		return a.Hi * v * v * v
	case a.Log:
		return a.Lo * math.Exp(u*math.Log(a.Hi/a.Lo))
	}
	return a.Lo + u*(a.Hi-a.Lo)
}

// Reach of the axes where a domain has no end: the ranges that the ledger of claims suggests (α_p from 1/10
// to 10, matrix entries of order one) with a margin.
const (
	entryReach  = 3.0
	scalarReach = 8.0
	leastScalar = 1.0 / 256 // of a positive scalar, so that 1/x stays moderate
)

// Axes returns the axes of a chart's coordinates. Ends of bounded domains are kept a little inside, where
// open and closed domains agree; the corners are for another stage.
func Axes(c *chart.Chart) []Axis {
	var out []Axis
	for _, co := range c.Coords() {
		if co.Kind != chart.Scalar {
			// Denser near zero: products of matrices of order one, and what is solved from them, stay moderate.
			out = append(out, Axis{Hi: entryReach, Odd: true})
			continue
		}
		out = append(out, scalarAxis(co.Domain))
	}
	return out
}

func scalarAxis(d lang.Domain) Axis {
	lo, hi := float(d.Lo, math.Inf(-1)), float(d.Hi, math.Inf(1))
	switch {
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return Axis{Hi: scalarReach, Odd: true}
	case math.IsInf(lo, -1):
		return Axis{Lo: hi - scalarReach, Hi: hi}
	case math.IsInf(hi, 1) && lo >= 0:
		least := max(lo, leastScalar)
		return Axis{Lo: least, Hi: max(scalarReach, scalarReach*least), Log: true}
	case math.IsInf(hi, 1):
		return Axis{Lo: lo, Hi: lo + scalarReach}
	}
	const inside = 1.0 / 1024
	return Axis{Lo: lo + inside*(hi-lo), Hi: hi - inside*(hi-lo)}
}

func float(r *big.Rat, infinite float64) float64 {
	if r == nil {
		return infinite
	}
	f, _ := r.Float64()
	return f
}
