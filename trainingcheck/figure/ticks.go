package figure

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// roundTicks puts labelled ticks at multiples of 1, 2 or 5 times a power of ten, about five of them.
type roundTicks struct{}

// wantedTicks is the least number of intervals aimed at.
const wantedTicks = 4

// Ticks implements plot.Ticker.
func (roundTicks) Ticks(lo, hi float64) []plot.Tick {
	span := hi - lo
	if !(span > 0) || math.IsInf(span, 0) {
		return nil
	}
	exponent := int(math.Floor(math.Log10(span / wantedTicks)))
	unit := math.Pow(10, float64(exponent))
	step := unit
	for _, m := range []float64{5, 2} {
		if span/(m*unit) >= wantedTicks {
			step = m * unit
			break
		}
	}
	decimals := max(0, -exponent)
	var ticks []plot.Tick
	for k := math.Ceil(lo / step); k*step <= hi; k++ {
		v := k * step
		if v == 0 {
			v = 0 // the negative zero of rounding up has a sign
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return ticks
}

// decades labels an axis of decimal logarithms with the powers of ten, at most eight of them.
type decades struct{}

// maxDecades is how many labels a panel has room for.
const maxDecades = 8

// Ticks implements plot.Ticker.
func (decades) Ticks(lo, hi float64) []plot.Tick {
	first, last := int(math.Ceil(lo)), int(math.Floor(hi))
	stride := 1 + (last-first)/maxDecades
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		t := plot.Tick{Value: float64(e)}
		if (e-first)%stride == 0 {
			t.Label = strconv.FormatFloat(math.Pow(10, t.Value), 'g', 3, 64)
		}
		ticks = append(ticks, t)
	}
	return ticks
}
