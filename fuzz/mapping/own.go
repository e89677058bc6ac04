package mapping

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/fuzz/falsify"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/univariate"
)

// Own says what to map of a flow x' = f(x) of one variable, f a polynomial in it whose coefficients depend on parameters:
// where x tends from its value at the beginning.
type Own struct {
	Part *lang.Part
	// X and Y are the axes: the variable, of which they give the value at the beginning, or a parameter.
	X, Y Axis
	Set  map[string]*big.Rat // the others
	// Progress, if not nil, is called after every column.
	Progress func(done, total int)
}

// OwnCell is a point of the map: the centre of a cell.
type OwnCell struct {
	X, Y float64
	// Limit is the rest point that x tends to, or an infinity that it goes to.
	Limit float64
}

// OwnMap is a map of somebody's own flow, its cells column by column.
type OwnMap struct {
	Spec  Own
	Cells []OwnCell
}

// maxOperations bounds the cells of a map times the extent of its equation, which each cell evaluates some sixteen times: forty
// seconds.
const maxOperations = 6_000_000

// MapOwn measures the map. A solution of an equation of one variable does not pass a point of rest, and comes to the next
// one in the direction of x'; the sign of x' is exact, the points of rest are zeros of f in float64. The error names the
// quantity at fault.
func MapOwn(ctx context.Context, spec Own) (*OwnMap, error) {
	env := spec.Part.Env
	if len(env.Flow) != 1 || env.Symbols[env.Flow[0].Name].Kind != lang.Scalar {
		return nil, fmt.Errorf("mapping: %s: a map needs a flow of one scalar variable; this one moves %d quantities", spec.Part.Name, len(env.Flow))
	}
	x := env.Flow[0].Name
	var need []string
	fixed := eval.State[*big.Rat]{Dims: map[lang.Dim]int{}, Vals: map[string]eval.Matrix[*big.Rat]{}}
	for _, name := range env.Order {
		if s := env.Symbols[name]; s.Kind == lang.Scalar && s.Root == nil {
			need = append(need, name)
		}
	}
	given := map[string]bool{}
	use := func(name string) error {
		switch {
		case !slices.Contains(need, name):
			return fmt.Errorf("mapping: the flow has no quantity %s (it has %s)", name, strings.Join(need, " "))
		case given[name]:
			return fmt.Errorf("mapping: %s is given twice", name)
		}
		given[name] = true
		return nil
	}
	for _, ax := range []Axis{spec.X, spec.Y} {
		if err := use(ax.Quantity); err != nil {
			return nil, err
		}
	}
	for name, v := range spec.Set {
		if err := use(name); err != nil {
			return nil, err
		}
		if !env.Symbols[name].Domain.Contains(v) {
			return nil, fmt.Errorf("mapping: %s = %s is outside its declared domain", name, v.RatString())
		}
		fixed.Vals[name] = eval.ScalarOf(v)
	}
	for _, name := range need {
		if !given[name] {
			return nil, fmt.Errorf("mapping: %s is on no axis and has no value; --set %s=VALUE gives it one", name, name)
		}
	}
	m := &OwnMap{Spec: spec}
	law := func(st eval.State[*big.Rat]) func(v *big.Rat) (*big.Rat, error) {
		return func(v *big.Rat) (*big.Rat, error) {
			st.Vals[x] = eval.ScalarOf(v)
			e, err := eval.New(eval.Rational{}, env, st)
			if err != nil {
				return nil, err
			}
			d, err := e.RightHandSide(x)
			if err != nil {
				return nil, err
			}
			return d.A[0], nil
		}
	}
	nx, ny := spec.X.cells(), spec.Y.cells()
	if n := env.Extent(env.Equation(x).RHS); n > maxOperations/(nx*ny) {
		return nil, fmt.Errorf("mapping: %d cells with an equation of %d operations and operands are more than %d in all; expected fewer cells", nx*ny, n, maxOperations)
	}
	for i := range nx {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		for j := range ny {
			at := map[string]float64{spec.X.Quantity: spec.X.at(2*i+1, 2*nx), spec.Y.Quantity: spec.Y.at(2*j+1, 2*ny)}
			for name, v := range at {
				fixed.Vals[name] = eval.ScalarOf(new(big.Rat).SetFloat64(v))
			}
			start := fixed.Vals[x].A[0]
			f := law(fixed)
			speed, err := f(start)
			var p univariate.Polynomial
			if err == nil {
				p, err = falsify.Polynomial(f)
			}
			if err != nil {
				return nil, fmt.Errorf("mapping: x' has no value, or is no polynomial in %s, at %s=%v %s=%v: %w", x, spec.X.Quantity, at[spec.X.Quantity], spec.Y.Quantity, at[spec.Y.Quantity], err)
			}
			m.Cells = append(m.Cells, OwnCell{at[spec.X.Quantity], at[spec.Y.Quantity], limit(p, start, speed.Sign())})
		}
		if spec.Progress != nil {
			spec.Progress(i+1, nx)
		}
	}
	return m, nil
}

// limit is the zero of p next to x in a direction, x itself for none, an infinity where there is no zero.
func limit(p univariate.Polynomial, x *big.Rat, direction int) float64 {
	at, _ := x.Float64()
	if direction == 0 {
		return at
	}
	best := math.Inf(direction)
	for _, r := range falsify.Roots(p) {
		if (r-at)*float64(direction) > 0 && math.Abs(r-at) < math.Abs(best-at) {
			best = r
		}
	}
	return best
}

// Summary counts the limits on one line.
func (m *OwnMap) Summary() string {
	away, rest := 0, 0
	for _, c := range m.Cells {
		if math.IsInf(c.Limit, 0) {
			away++
		} else {
			rest++
		}
	}
	return fmt.Sprintf("%d cells: %d come to rest, %d go away for ever", len(m.Cells), rest, away)
}

// WriteCSV writes one header line and one line per cell: X, Y, limit.
func (m *OwnMap) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{m.Spec.X.Quantity, m.Spec.Y.Quantity, "limit"}); err != nil {
		return err
	}
	for _, c := range m.Cells {
		if err := out.Write([]string{number(c.X), number(c.Y), number(c.Limit)}); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// CheckOwnFile returns an error unless the name ends in .csv.
func CheckOwnFile(name string) error {
	if ext := filepath.Ext(name); !strings.EqualFold(ext, ".csv") {
		return fmt.Errorf("mapping: cannot write %s: a map of one's own flow is written as .csv, not %q", name, ext)
	}
	return writable(name)
}

// WriteFile writes the map as CSV. The file appears complete or not at all.
func (m *OwnMap) WriteFile(name string) error {
	if err := CheckOwnFile(name); err != nil {
		return err
	}
	return whole(name, m.WriteCSV)
}
