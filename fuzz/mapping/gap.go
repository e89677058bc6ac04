package mapping

import "math"

// Gap returns the largest distance from the measured boundary to the predicted one, and from the predicted to the
// measured one, as the larger of the two coordinates' distances in cells of the finest grid. Where both are below one
// the map agrees with the theory as far as it resolves.
//
// Cells are measured at their centres, so what lies within half a cell of the border is not seen; there the predicted
// boundary is not asked for. Gap returns NaN if the map has no predicted or no measured boundary, and for maps of
// Margin, whose boundary is another.
func (r *Result) Gap() (measured, predicted float64) {
	var lines [][]XY
	for _, c := range r.Curves {
		if c.Style == Boundary {
			lines = append(lines, c.Lines...)
		}
	}
	boundary := r.Boundary()
	if r.Spec.Measure == Margin || len(lines) == 0 || len(boundary) == 0 {
		return math.NaN(), math.NaN()
	}
	finest := 0
	for _, c := range r.Cells {
		finest = max(finest, c.Level)
	}
	nx, ny := float64(r.Spec.X.Cells<<finest), float64(r.Spec.Y.Cells<<finest)
	scaled := func(v XY) XY { return XY{r.Spec.X.unit(v.X) * nx, r.Spec.Y.unit(v.Y) * ny} }
	var edges, curve [][2]XY
	for _, s := range boundary {
		edges = append(edges, [2]XY{scaled(s.A), scaled(s.B)})
	}
	for _, line := range lines {
		last := scaled(line[0])
		for _, v := range line[1:] {
			next := scaled(v)
			curve = append(curve, [2]XY{last, next})
			last = next
		}
	}
	for _, e := range edges {
		measured = max(measured, nearest(XY{(e[0].X + e[1].X) / 2, (e[0].Y + e[1].Y) / 2}, curve))
	}
	for _, c := range curve {
		for _, v := range c {
			if min(v.X, v.Y, nx-v.X, ny-v.Y) >= 0.5 {
				predicted = max(predicted, nearest(v, edges))
			}
		}
	}
	return measured, predicted
}

// nearest returns the distance in the maximum norm from v to the nearest of the segments.
func nearest(v XY, segments [][2]XY) float64 {
	best := math.Inf(1)
	for _, s := range segments {
		a, b := s[0], s[1]
		// The distance to the bounding box is a lower bound, and mostly enough.
		if max(min(a.X, b.X)-v.X, v.X-max(a.X, b.X), min(a.Y, b.Y)-v.Y, v.Y-max(a.Y, b.Y)) < best {
			best = min(best, chebyshev(v, a, b))
		}
	}
	return best
}

// chebyshev is the distance from v to the segment ab in the maximum norm, by ternary search: it is a convex function
// of the place on the segment.
func chebyshev(v, a, b XY) float64 {
	at := func(t float64) float64 {
		return max(math.Abs(v.X-a.X-t*(b.X-a.X)), math.Abs(v.Y-a.Y-t*(b.Y-a.Y)))
	}
	lo, hi := 0.0, 1.0
	const thirds = 60 // to 3e-11 of the segment
	for range thirds {
		l, h := lo+(hi-lo)/3, hi-(hi-lo)/3
		if at(l) <= at(h) {
			hi = h
		} else {
			lo = l
		}
	}
	return min(at(lo), at(0), at(1))
}
