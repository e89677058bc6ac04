package mapping

import (
	"context"
)

// predict returns what the theory says of a mode: the side of the stable manifold it starts on (claims basin and
// eta-critical), for η = 0 the basin in closed form (claim basin). Of the modes flow it says what becomes of the
// frozen flow with τ = 1, the value that the moving average tends to: claim ema-negative is about the difference.
// It is Undecided on the boundary itself, and for κ = 1/4, where p₋ = p₊ is half-stable.
func (pt point) predict(ctx context.Context, m Model) (Outcome, error) {
	q := pt.theory(m)
	c := pt.s0 - pt.p0*pt.p0/q.Alpha
	if q.Eta == 0 {
		still := q.Tau / q.a()
		if c < 0 && (pt.p0 < 0 || -q.Alpha*c >= still*still) || c == 0 && pt.p0 <= 0 || pt.s0 == 0 {
			return Collapse, nil
		}
		return Growth, nil
	}
	switch k := q.Kappa(); {
	case k > 0.25 || pt.s0 == 0:
		return Collapse, nil
	case k == 0.25:
		return Undecided, nil
	}
	threshold, err := q.Threshold(ctx, c)
	switch {
	case err != nil:
		return Pending, err
	case pt.p0 < threshold:
		return Collapse, nil
	case pt.p0 > threshold:
		return Growth, nil
	}
	return Undecided, nil
}

// Style says how a curve is to be drawn.
type Style int

// The styles of curves, most important first.
const (
	Boundary  Style = iota // the predicted boundary between collapse and growth
	Landmark               // a named value of the theory: p₋ on the parabola, η*, a window of κ
	Reference              // where the printed theory speaks: the invariant parabola
)

// Curve is a predicted line over the map.
type Curve struct {
	Name  string
	Style Style
	Lines [][]XY // in the quantities of the axes
}

// Mark is a predicted point of the map.
type Mark struct {
	Name string
	At   XY
}

// windows are the values of κ that the theory names: on the parabola k(p) > 0 for every p beyond 1/9, K ≻ 0 at every
// state beyond 1/6 (claim thm3-bound), only collapse beyond 1/4 (claim eta-critical).
var windows = []struct {
	name  string
	kappa float64
}{
	{"κ = 1/4 (η*): only collapse beyond", 1. / 4},
	{"κ = 1/6: k > 0 everywhere beyond", 1. / 6},
	{"κ = 1/9: k > 0 on the parabola beyond", 1. / 9},
}

// predictions returns the curves and marks that the theory draws over a map.
func (r *runner) predictions(ctx context.Context) ([]Curve, []Mark, error) {
	var curves []Curve
	var marks []Mark
	add := func(name string, style Style, lines [][]XY) {
		if len(lines) > 0 {
			curves = append(curves, Curve{name, style, lines})
		}
	}
	fixed := r.at(0.5, 0.5).theory(r.spec.Model)
	xp, yp := r.spec.X.Quantity == "p0", r.spec.Y.Quantity == "p0"
	xs, ys := r.spec.X.Quantity == "s0", r.spec.Y.Quantity == "s0"
	plane := xp && ys || xs && yp
	if plane {
		p, s, ok := fixed.Saddle()
		orient := func(line []XY) []XY {
			if xs {
				for i, v := range line {
					line[i] = XY{v.Y, v.X}
				}
			}
			return line
		}
		w := r.plane()
		if ok {
			line, err := fixed.Manifold(ctx, w)
			if err != nil {
				return nil, nil, err
			}
			add(r.named("stable manifold of the saddle"), Boundary, r.clip(orient(line)))
			plus := fixed.Tau/fixed.a() - p
			marks = append(marks, Mark{"saddle (p−, p−²/α)", orient([]XY{{p, s}})[0]},
				Mark{"stable state (p+, p+²/α)", orient([]XY{{plus, plus * plus / fixed.Alpha}})[0]})
		}
		if !ok {
			// Without decay the basin has a closed form, above η* there is no boundary.
			lines, err := r.contour(ctx, r.grows)
			if err != nil {
				return nil, nil, err
			}
			add(r.named("basin for η = 0"), Boundary, lines)
		}
		const pieces = 400
		var line []XY
		for i := range pieces + 1 {
			p := w.PLo + (w.PHi-w.PLo)*float64(i)/pieces
			line = append(line, XY{p, p * p / fixed.Alpha})
		}
		add("invariant parabola s = p²/α", Reference, r.clip(orient(line)))
		return curves, r.inside(marks), nil
	}
	// Anywhere else the boundary is where a cell's initial state lies on the manifold for that cell's parameters.
	lines, err := r.contour(ctx, r.grows)
	if err != nil {
		return nil, nil, err
	}
	name := "start on the stable manifold of the saddle, and η*"
	if !r.free("s0") {
		name = "p(0) = p−, and η*"
	}
	add(r.named(name), Boundary, lines)
	for _, w := range windows {
		lines, err := r.contour(ctx, func(_ context.Context, pt point) (bool, error) {
			return pt.theory(r.spec.Model).Kappa() > w.kappa, nil
		})
		if err != nil {
			return nil, nil, err
		}
		add(w.name, Landmark, lines)
	}
	return curves, marks, nil
}

// grows reports whether growth is predicted for a point.
func (r *runner) grows(ctx context.Context, pt point) (bool, error) {
	o, err := pt.predict(ctx, r.spec.Model)
	return o == Growth, err
}

// named adds to the name of a predicted boundary what it holds for.
func (r *runner) named(name string) string {
	if r.spec.Model == Modes {
		name += ", for τ = 1"
	}
	if r.spec.Measure == Margin {
		name += " (collapse)"
	}
	return name
}

// free reports whether the quantity is on an axis or set, rather than a default.
func (r *runner) free(name string) bool {
	_, set := r.spec.Set[name]
	return set || r.spec.X.Quantity == name || r.spec.Y.Quantity == name
}

// plane is the window of a map over p0 and s0.
func (r *runner) plane() Window {
	px, sx := r.spec.X, r.spec.Y
	if px.Quantity != "p0" {
		px, sx = sx, px
	}
	return Window{PLo: px.at(0, 1), PHi: px.at(1, 1), SLo: sx.at(0, 1), SHi: sx.at(1, 1)}
}

// within reports whether a point of the map lies on it.
func (r *runner) within(v XY) bool {
	ux, uy := r.spec.X.unit(v.X), r.spec.Y.unit(v.Y)
	return ux >= 0 && ux <= 1 && uy >= 0 && uy <= 1
}

func (r *runner) inside(marks []Mark) []Mark {
	var in []Mark
	for _, m := range marks {
		if r.within(m.At) {
			in = append(in, m)
		}
	}
	return in
}

// clip cuts a polyline where it leaves the map.
func (r *runner) clip(line []XY) [][]XY {
	var out [][]XY
	var part []XY
	edge := func(in, gone XY) XY { // bisection: curves have short pieces
		const halvings = 50
		for range halvings {
			m := XY{(in.X + gone.X) / 2, (in.Y + gone.Y) / 2}
			if r.within(m) {
				in = m
			} else {
				gone = m
			}
		}
		return in
	}
	for i, v := range line {
		in := r.within(v)
		switch {
		case in && len(part) == 0 && i > 0:
			part = []XY{edge(v, line[i-1]), v}
		case in:
			part = append(part, v)
		case len(part) > 0:
			part = append(part, edge(part[len(part)-1], v))
			out, part = append(out, part), nil
		}
	}
	if len(part) > 1 {
		out = append(out, part)
	}
	return out
}

// lattice is the number of steps along an axis at which contours look for a change, coarse the stride of a first look.
const (
	lattice = 64
	coarse  = 4
)

// sides evaluates a property on the nodes of the lattice, row by row: on every node of a coarse lattice, on all nodes
// in and around coarse squares whose corners differ, and elsewhere by the nearest coarse node.
func (r *runner) sides(ctx context.Context, holds func(context.Context, point) (bool, error)) ([]bool, error) {
	const n = lattice
	side := make([]bool, (n+1)*(n+1))
	known := make([]bool, len(side))
	look := func(nodes []int) error {
		return r.parallel(ctx, len(nodes), func(ctx context.Context, k int) (err error) {
			i := nodes[k]
			side[i], err = holds(ctx, r.inner(float64(i%(n+1))/n, float64(i/(n+1))/n))
			return err
		})
	}
	var nodes []int
	for j := 0; j <= n; j += coarse {
		for i := 0; i <= n; i += coarse {
			nodes = append(nodes, j*(n+1)+i)
			known[j*(n+1)+i] = true
		}
	}
	if err := look(nodes); err != nil {
		return nil, err
	}
	nodes = nodes[:0]
	for j := 0; j < n; j += coarse {
		for i := 0; i < n; i += coarse {
			at := func(di, dj int) bool { return side[(j+dj)*(n+1)+i+di] }
			if at(0, 0) == at(coarse, 0) && at(0, 0) == at(0, coarse) && at(0, 0) == at(coarse, coarse) {
				continue
			}
			for y := max(0, j-coarse); y <= min(n, j+2*coarse); y++ {
				for x := max(0, i-coarse); x <= min(n, i+2*coarse); x++ {
					if k := y*(n+1) + x; !known[k] {
						known[k] = true
						nodes = append(nodes, k)
					}
				}
			}
		}
	}
	if err := look(nodes); err != nil {
		return nil, err
	}
	for k := range side {
		if !known[k] {
			i, j := k%(n+1), k/(n+1)
			side[k] = side[(j+coarse/2)/coarse*coarse*(n+1)+(i+coarse/2)/coarse*coarse]
		}
	}
	return side, nil
}

// inner is at, except that it keeps off the low end of an axis that the domain of its quantity excludes.
func (r *runner) inner(ux, uy float64) point {
	const off = 1.0 / 1024
	if q, _ := quantity(r.spec.X.Quantity); q.excluded {
		ux = max(ux, off)
	}
	if q, _ := quantity(r.spec.Y.Quantity); q.excluded {
		uy = max(uy, off)
	}
	return r.at(ux, uy)
}

// contour returns the lines along which a property of the points changes: the edges of the lattice where it does,
// bisected in the units of the axes, joined through the squares (marching squares).
func (r *runner) contour(ctx context.Context, holds func(context.Context, point) (bool, error)) ([][]XY, error) {
	const n = lattice
	side, err := r.sides(ctx, holds)
	if err != nil {
		return nil, err
	}
	// An edge runs from node i one step to the right, or up.
	type edge struct {
		node int
		up   bool
	}
	end := func(e edge) int {
		if e.up {
			return e.node + n + 1
		}
		return e.node + 1
	}
	crossing := map[edge]XY{}
	for i := range side {
		for _, e := range []edge{{i, false}, {i, true}} {
			if !e.up && i%(n+1) == n || e.up && i/(n+1) == n || side[i] == side[end(e)] {
				continue
			}
			a := XY{float64(i%(n+1)) / n, float64(i/(n+1)) / n}
			b := XY{float64(end(e)%(n+1)) / n, float64(end(e)/(n+1)) / n}
			const halvings = 24 // to 1e-9 of the axis
			for range halvings {
				m := XY{(a.X + b.X) / 2, (a.Y + b.Y) / 2}
				s, err := holds(ctx, r.inner(m.X, m.Y))
				if err != nil {
					return nil, err
				}
				if s == side[i] {
					a = m
				} else {
					b = m
				}
			}
			crossing[e] = XY{r.spec.X.value(b.X), r.spec.Y.value(b.Y)}
		}
	}
	// Each square with changes joins two of its edges, or twice two.
	next := map[edge][]edge{}
	join := func(a, b edge) { next[a], next[b] = append(next[a], b), append(next[b], a) }
	for j := range n {
		for i := range n {
			at := j*(n+1) + i
			var on []edge
			for _, e := range []edge{{at, false}, {at + 1, true}, {at + n + 1, false}, {at, true}} {
				if _, ok := crossing[e]; ok {
					on = append(on, e)
				}
			}
			if len(on) >= 2 {
				join(on[0], on[1])
			}
			if len(on) == 4 {
				join(on[2], on[3])
			}
		}
	}
	// Walk the chains, those with ends first, always from the first edge in order.
	var lines [][]XY
	used := map[edge]bool{}
	walk := func(e edge) {
		var line []XY
		for {
			used[e] = true
			line = append(line, crossing[e])
			more := false
			for _, f := range next[e] {
				if !used[f] {
					e, more = f, true
					break
				}
			}
			if !more {
				break
			}
		}
		if first := line[0]; len(line) > 2 && len(next[e]) == 2 {
			line = append(line, first) // closed
		}
		if len(line) > 1 {
			lines = append(lines, line)
		}
	}
	for _, ends := range []bool{true, false} {
		for i := range side {
			for _, e := range []edge{{i, false}, {i, true}} {
				if _, ok := crossing[e]; ok && !used[e] && (!ends || len(next[e]) < 2) {
					walk(e)
				}
			}
		}
	}
	return lines, nil
}
