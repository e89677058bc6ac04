package witness

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Witness is a state in exact numbers.
type Witness = verdict.Witness

// Matrix is a matrix of exact numbers.
type Matrix = eval.Matrix[*big.Rat]

// Clone returns a deep copy of w.
func Clone(w Witness) Witness {
	c := Witness{Dims: maps.Clone(w.Dims), Surds: maps.Clone(w.Surds), Vals: make(map[string]Matrix, len(w.Vals))}
	for name, m := range w.Vals {
		c.Vals[name] = CloneMatrix(m)
	}
	return c
}

// CloneMatrix returns a deep copy of m.
func CloneMatrix(m Matrix) Matrix {
	a := make([]*big.Rat, len(m.A))
	for i, x := range m.A {
		a[i] = new(big.Rat).Set(x)
	}
	return Matrix{R: m.R, C: m.C, A: a}
}

// Floats rounds a state to float64.
func Floats(w Witness) eval.State[float64] {
	out := eval.State[float64]{Dims: w.Dims, Vals: make(map[string]eval.Matrix[float64], len(w.Vals))}
	for name, m := range w.Vals {
		a := make([]float64, len(m.A))
		for i, v := range m.A {
			a[i], _ = v.Float64()
		}
		out.Vals[name] = eval.Matrix[float64]{R: m.R, C: m.C, A: a}
	}
	return out
}

// Size is how simple a state is, the first difference deciding: how many of its quantities leave the paper's regime (see
// [Outside]), how many numbers it consists of, how many of them are not zero, and the sum of their costs.
type Size struct {
	Outside          int
	Entries, Nonzero int
	Cost             float64
}

// Less reports whether s is simpler than t.
func (s Size) Less(t Size) bool {
	switch {
	case s.Outside != t.Outside:
		return s.Outside < t.Outside
	case s.Entries != t.Entries:
		return s.Entries < t.Entries
	case s.Nonzero != t.Nonzero:
		return s.Nonzero < t.Nonzero
	}
	// Costs are sums of logarithms of integers: below 1e-9 is rounding of the sum.
	return s.Cost < t.Cost-1e-9
}

// Cost is the effort of writing x = ±m/n by hand: 0 for zero, else log₂(m + n), with a trifle more for a minus
// sign.
func Cost(x *big.Rat) float64 {
	if x.Sign() == 0 {
		return 0
	}
	const minus = 1.0 / 1024
	h := new(big.Int).Add(new(big.Int).Abs(x.Num()), x.Denom())
	c := log2(h)
	if x.Sign() < 0 {
		c += minus
	}
	return c
}

func log2(n *big.Int) float64 {
	f := new(big.Float)
	e := new(big.Float).SetInt(n).MantExp(f)
	v, _ := f.Float64()
	return math.Log2(v) + float64(e)
}

// SizeOf returns the size of w. Values of root symbols are left out: they follow from the others.
func SizeOf(part *lang.Part, w Witness) Size {
	s := Size{Outside: Outside(part, w)}
	for _, name := range slices.Sorted(maps.Keys(w.Vals)) {
		if sym := part.Env.Symbols[name]; sym != nil && sym.Root != nil {
			continue
		}
		for _, x := range w.Vals[name].A {
			s.Entries++
			if x.Sign() != 0 {
				s.Nonzero++
				s.Cost += Cost(x)
			}
		}
	}
	return s
}

// String renders a state on one line: sizes first, then values in alphabetical order, matrices by rows.
func String(w Witness) string {
	var parts []string
	for _, d := range slices.Sorted(maps.Keys(w.Dims)) {
		parts = append(parts, fmt.Sprintf("%s=%d", d, w.Dims[d]))
	}
	for _, name := range slices.Sorted(maps.Keys(w.Vals)) {
		if x, ok := w.Surds[name]; ok {
			parts = append(parts, name+"="+x.String())
			continue
		}
		parts = append(parts, name+"="+MatrixString(w.Vals[name]))
	}
	return strings.Join(parts, " ")
}

// MatrixString renders a matrix by rows, [1 2; 3 4], and a 1×1 matrix as its number.
func MatrixString(m Matrix) string {
	if m.R == 1 && m.C == 1 {
		return m.A[0].RatString()
	}
	var b strings.Builder
	b.WriteByte('[')
	for i := range m.R {
		if i > 0 {
			b.WriteString("; ")
		}
		for j := range m.C {
			if j > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(m.At(i, j).RatString())
		}
	}
	b.WriteByte(']')
	return b.String()
}

// Flatten lists every number of w under a name of its own: "size n1" for a size, "eta" for a scalar,
// "W[1,2]" for the entry in the first row and second column. Numbers are in lowest terms.
func Flatten(w Witness) map[string]string {
	out := map[string]string{}
	for d, n := range w.Dims {
		out["size "+string(d)] = strconv.Itoa(n)
	}
	for name, m := range w.Vals {
		if x, ok := w.Surds[name]; ok {
			out[name] = x.String()
			continue
		}
		if m.R == 1 && m.C == 1 {
			out[name] = m.A[0].RatString()
			continue
		}
		for i := range m.R {
			for j := range m.C {
				out[fmt.Sprintf("%s[%d,%d]", name, i+1, j+1)] = m.At(i, j).RatString()
			}
		}
	}
	return out
}

// Unflatten rebuilds the state of part that [Flatten] wrote, values of roots included. The error names what is
// missing, unknown or no size.
func Unflatten(part *lang.Part, flat map[string]*big.Rat) (Witness, error) {
	w := Witness{Dims: map[lang.Dim]int{}, Vals: map[string]Matrix{}}
	used := map[string]bool{}
	take := func(key string) (*big.Rat, error) {
		x, ok := flat[key]
		if !ok {
			return nil, fmt.Errorf("witness: no value for %s", key)
		}
		used[key] = true
		return x, nil
	}
	for _, d := range part.Env.Sizes {
		x, err := take("size " + string(d))
		if err != nil {
			return w, err
		}
		if !x.IsInt() || x.Sign() <= 0 || !x.Num().IsInt64() || x.Num().Int64() > 64 {
			return w, fmt.Errorf("witness: size %s = %s is not an integer from 1 to 64", d, x.RatString())
		}
		w.Dims[d] = int(x.Num().Int64())
	}
	dim := func(d lang.Dim) int {
		if d == "1" {
			return 1
		}
		return w.Dims[d]
	}
	for _, name := range part.Env.Order {
		s := part.Env.Symbols[name]
		if s.Kind == lang.Random {
			continue
		}
		r, c := 1, 1
		if s.Kind == lang.Matrix {
			r, c = dim(s.Rows), dim(s.Cols)
		}
		m := Matrix{R: r, C: c, A: make([]*big.Rat, r*c)}
		for i := range m.A {
			key := name
			if r*c > 1 {
				key = fmt.Sprintf("%s[%d,%d]", name, i/c+1, i%c+1)
			}
			x, err := take(key)
			if err != nil {
				return w, err
			}
			m.A[i] = x
		}
		w.Vals[name] = m
	}
	e, err := eval.New(eval.Rational{}, part.Env, w)
	if err != nil {
		return w, fmt.Errorf("witness: %w", err)
	}
	for _, name := range part.Env.Order {
		if part.Env.Symbols[name].Root == nil {
			continue
		}
		m, err := e.Eval(lang.NewSym(lang.Pos{}, name))
		if err != nil {
			return w, fmt.Errorf("witness: %w", err)
		}
		if m.A[0].Cmp(w.Vals[name].A[0]) != 0 {
			return w, fmt.Errorf("witness: the root %s is %s, not %s", name, m.A[0].RatString(), w.Vals[name].A[0].RatString())
		}
	}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		if !used[key] {
			return w, fmt.Errorf("witness: %s is no number of this statement", key)
		}
	}
	return w, nil
}
