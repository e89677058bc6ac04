package pursuit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"

	"stopgrad/fuzz/minimise"
	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/prove"
	"stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

// order of the Taylor series of an enclosure.
const order = 20

// course proposes how the motion from an exact state is followed.
func (p *pursuer) course(x []*big.Rat, w verdict.Witness) (trajectory.Course, error) {
	f := make([]float64, len(x))
	for i, v := range x {
		f[i], _ = v.Float64()
	}
	st, err := p.state(f)
	if err != nil {
		return trajectory.Course{}, err
	}
	_, at, way := p.score(st)
	m, reading, err := motionOf(p.part, w)
	if err != nil {
		return trajectory.Course{}, err
	}
	c := trajectory.Course{Order: order, Steps: trajectory.MaxSteps}
	if p.limits {
		end := way.y[len(way.y)-1]
		if c.Trap, err = p.trap(m, reading, p.entries(m, end)); err != nil {
			return c, err
		}
		if at = p.enters(m, c.Trap, way); at < 0 {
			return c, errors.New("pursuit: the motion does not come to rest in the trap")
		}
	}
	if !(at > 0) {
		return c, errors.New("pursuit: it fails at the start only")
	}
	c.End = minimise.Within(new(big.Rat).SetFloat64(at), big.NewRat(1, 32))
	tube, err := enclosed(m, c)
	if err != nil {
		return c, err
	}
	c.Steps = tube.Steps()
	return c, nil
}

// motionOf is the motion from a state in exact numbers.
func motionOf(part *lang.Part, w verdict.Witness) (*trajectory.Motion, *lang.Reading, error) {
	reading, err := lang.Elaborate(part)
	if err != nil {
		return nil, nil, err
	}
	st, err := verdict.StateOf(reading, w)
	if err != nil {
		return nil, nil, err
	}
	m, err := trajectory.Follow(reading.Context(), st, prove.Keeps(context.Background(), reading.Context())...)
	return m, reading, err
}

func enclosed(m *trajectory.Motion, c trajectory.Course) (*enclosure.Tube, error) {
	var box []interval.Interval
	for _, x := range m.Start() {
		box = append(box, interval.FromRat(x))
	}
	return enclosure.Integrate(m.System(), box, new(big.Rat), c.End, &enclosure.Settings{Order: c.Order, MaxSteps: c.Steps, MaxParts: 1})
}

// entries picks the entries that a motion's equations have from the vector that was integrated.
func (p *pursuer) entries(m *trajectory.Motion, y []float64) []float64 {
	at := map[string]float64{}
	for _, l := range p.letter {
		for i := range l.rows {
			for j := range l.cols {
				at[fmt.Sprintf("%s_%d_%d", l.name, i+1, j+1)] = y[l.from+i*l.cols+j]
			}
		}
		at[l.name] = y[l.from]
	}
	var out []float64
	for _, n := range m.Names() {
		out = append(out, at[n])
	}
	return out
}

// field evaluates a motion's equations in float64, by exact evaluation.
func field(m *trajectory.Motion, x []float64) ([]float64, error) {
	at := make([]*big.Rat, len(x))
	for i, v := range x {
		if at[i] = new(big.Rat).SetFloat64(v); at[i] == nil {
			return nil, errors.New("pursuit: not finite")
		}
	}
	var out []float64
	for _, n := range m.Names() {
		v, err := m.System().RHS(n).EvalRat(at, nil)
		if err != nil {
			return nil, err
		}
		f, _ := v.Float64()
		out = append(out, f)
	}
	return out, nil
}

// jacobian of a motion's equations, by central differences.
func jacobian(m *trajectory.Motion, x []float64) (*mat.Dense, error) {
	n := len(x)
	j := mat.NewDense(n, n, nil)
	for k := range n {
		h := 1e-5 * math.Max(1, math.Abs(x[k]))
		var side [2][]float64
		for s, d := range []float64{h, -h} {
			y := append([]float64(nil), x...)
			y[k] += d
			f, err := field(m, y)
			if err != nil {
				return nil, err
			}
			side[s] = f
		}
		for i := range n {
			j.Set(i, k, (side[0][i]-side[1][i])/(2*h))
		}
	}
	return j, nil
}

// trap proposes a trap around the rest to which a motion has come, in which L is not zero: a box in the coordinates of
// the left eigenvectors there, in which each coordinate decays by itself to first order; the largest of some that is one.
func (p *pursuer) trap(m *trajectory.Motion, r *lang.Reading, x []float64) (*trajectory.Trap, error) {
	n := len(x)
	x, err := settled(m, x)
	if err != nil {
		return nil, err
	}
	j, err := jacobian(m, x)
	if err != nil {
		return nil, err
	}
	rows, err := coordinates(j)
	if err != nil {
		return nil, err
	}
	goal := r.Goals()[0]
	if goal.Form() != kernel.Vanishes {
		return nil, errors.New("pursuit: no limit is spoken of")
	}
	l, err := m.Term(goal.Terms()[0])
	if err != nil {
		return nil, err
	}
	why := errors.New("pursuit: no trap was found")
	for k := 1; k <= 12; k++ {
		radius := big.NewRat(1, 1<<k)
		t := &trajectory.Trap{Rows: rows}
		for i := range n {
			c := 0.0
			for k, v := range rows[i] {
				f, _ := v.Float64()
				c += f * x[k]
			}
			centre := rounded(c, radius)
			t.Lo, t.Hi = append(t.Lo, new(big.Rat).Sub(centre, radius)), append(t.Hi, new(big.Rat).Add(centre, radius))
		}
		set, err := enclosure.NewTrap(m.System(), t.Rows, t.Lo, t.Hi, 0)
		if err != nil {
			why = err
			continue
		}
		rows, cols := l.Dims()
		for i := range rows {
			for j := range cols {
				if e := l.At(i, j); set.Positive(e) || set.Positive(e.Neg()) {
					return t, nil
				}
			}
		}
	}
	return nil, why
}

// rounded is the multiple of an eighth of r nearest to v.
func rounded(v float64, r *big.Rat) *big.Rat {
	unit := new(big.Rat).Quo(r, big.NewRat(8, 1))
	u, _ := unit.Float64()
	return unit.Mul(unit, new(big.Rat).SetFloat64(math.Round(v/u)))
}

// settled improves a state of rest by Newton's method.
func settled(m *trajectory.Motion, x []float64) ([]float64, error) {
	n := len(x)
	x = append([]float64(nil), x...)
	for range 20 {
		f, err := field(m, x)
		if err != nil {
			return nil, err
		}
		j, err := jacobian(m, x)
		if err != nil {
			return nil, err
		}
		var d mat.VecDense
		if err := d.SolveVec(j, mat.NewVecDense(n, f)); err != nil {
			return nil, errors.New("pursuit: the rest is not isolated")
		}
		size := 0.0
		for i := range x {
			x[i] -= d.AtVec(i)
			size = math.Max(size, math.Abs(d.AtVec(i)))
		}
		if size < 1e-13 {
			break
		}
	}
	return x, nil
}

// coordinates are the left eigenvectors of a stable matrix as simple fractions, real and imaginary parts apart.
func coordinates(j *mat.Dense) ([][]*big.Rat, error) {
	n, _ := j.Dims()
	var e mat.Eigen
	if !e.Factorize(j, mat.EigenLeft) {
		return nil, errors.New("pursuit: no eigenvalues")
	}
	values := e.Values(nil)
	var left mat.CDense
	e.LeftVectorsTo(&left)
	var rows [][]*big.Rat
	add := func(v []float64) {
		size := 0.0
		for _, x := range v {
			size = math.Max(size, math.Abs(x))
		}
		var row []*big.Rat
		for _, x := range v {
			row = append(row, big.NewRat(int64(math.Round(128*x/size)), 128))
		}
		rows = append(rows, row)
	}
	for k := range n {
		if !(real(values[k]) < 0) {
			return nil, fmt.Errorf("pursuit: the rest is not stable: %v", values)
		}
		re, im := make([]float64, n), make([]float64, n)
		for i := range n {
			re[i], im[i] = real(left.At(i, k)), imag(left.At(i, k))
		}
		switch {
		case imag(values[k]) == 0:
			add(re)
		case imag(values[k]) > 0:
			add(re)
			add(im)
		}
	}
	return rows, nil
}

// enters is the time at which a motion is well inside a trap, negative if it never is.
func (p *pursuer) enters(m *trajectory.Motion, t *trajectory.Trap, way path) float64 {
	for k, y := range way.y {
		x := p.entries(m, y)
		ok := way.t[k] > 0
		for i, row := range t.Rows {
			u := 0.0
			for j, c := range row {
				f, _ := c.Float64()
				u += f * x[j]
			}
			lo, _ := t.Lo[i].Float64()
			hi, _ := t.Hi[i].Float64()
			margin := (hi - lo) / 8
			ok = ok && u > lo+margin && u < hi-margin
		}
		if ok {
			return way.t[k]
		}
	}
	return -1
}
