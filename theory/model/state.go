package model

import (
	"fmt"
	"math/big"
	"sort"
	"strings"

	"stopgrad/theory/kernel"
)

// State gives every size a number and every symbol that is not random and no hole an exact value. It is immutable.
type State struct {
	sig    *kernel.Signature
	sizes  map[string]int
	field  field // that the values are numbers of
	values map[*kernel.Symbol]matrix
}

// Within is the state with a bound on the operations on numbers that one question about it may take. Zero, and more than
// the model allows, is what the model allows.
func (s *State) Within(work int) *State {
	t := *s
	t.field.limit = max(work, 0)
	return &t
}

// Algebraic is a number of a state in terms of the state's square roots √r₀, √r₁, …: the sum over m of the coefficient m
// times the product of √rᵢ over the bits i of m. A fraction is its only coefficient.
type Algebraic []*big.Rat

// String is the coefficients with commas between.
func (a Algebraic) String() string {
	var out []string
	for _, c := range a {
		out = append(out, c.RatString())
	}
	return strings.Join(out, ",")
}

// valued reports whether symbols of the class have values at a state.
func valued(c kernel.Class) bool {
	return c == kernel.Param || c == kernel.State || c == kernel.Input
}

// MaxSize is the greatest number that a size may have.
const MaxSize = 64

// NewState returns the state with these sizes and these values, given row by row under the symbols' names; a scalar
// is 1×1 here. Each size and each symbol needs one, of the right shape, and nothing else may be given.
func NewState(sig *kernel.Signature, sizes map[string]int, values map[string][][]*big.Rat) (*State, error) {
	numbers := make(map[string][][]Algebraic, len(values))
	for name, rows := range values {
		out := make([][]Algebraic, len(rows))
		for i, row := range rows {
			for _, x := range row {
				out[i] = append(out[i], Algebraic{x})
			}
		}
		numbers[name] = out
	}
	return NewAlgebraicState(sig, sizes, nil, numbers)
}

// NewAlgebraicState is [NewState] over ℚ(√r₀, √r₁, …): roots are the radicands, each a positive number of the field before
// it that is no square there.
func NewAlgebraicState(sig *kernel.Signature, sizes map[string]int, roots []Algebraic, values map[string][][]Algebraic) (made *State, err error) {
	defer caught(&err)
	if sig == nil {
		fail("a state needs a signature")
	}
	// Soundness: what is refused below is handed to nobody.
	s := &State{sig: sig, sizes: map[string]int{}, values: map[*kernel.Symbol]matrix{}}
	if len(roots) > maxLevels {
		fail("more than %d square roots", maxLevels)
	}
	for i, r := range roots {
		x := s.number("a radicand", r)
		// Soundness: over a square the representation of a number is not its own, and zero might not look like it.
		if s.field.sign(x) <= 0 || s.field.squareRoot(x, i) != nil {
			fail("the radicand %s is not positive, or a square", r)
		}
		s.field.radicands = append(s.field.radicands, x)
	}
	for _, n := range sig.Sizes() {
		k, ok := sizes[n]
		if !ok || k < 1 || k > MaxSize {
			fail("the size %s needs a number from 1 to %d", n, MaxSize)
		}
		s.sizes[n] = k
	}
	if len(sizes) > len(s.sizes) {
		fail("a number is given for a size that is not declared")
	}
	for _, y := range sig.Symbols() {
		if !valued(y.Class()) {
			continue
		}
		rows, cols := 1, 1
		if !y.Scalar() {
			r, c := y.Shape()
			rows, cols = s.dim(r), s.dim(c)
		}
		given, ok := values[y.Name()]
		if !ok {
			fail("%s has no value", y.Name())
		}
		if len(given) != rows {
			fail("%s has %d rows, not %d", y.Name(), len(given), rows)
		}
		m := fresh(rows, cols)
		m.scalar = y.Scalar()
		for i, row := range given {
			if len(row) != cols {
				fail("%s has %d columns in a row, not %d", y.Name(), len(row), cols)
			}
			for j, x := range row {
				m.at[i*cols+j] = jet{s.number(y.Name(), x)}
			}
		}
		s.values[y] = m
	}
	if len(values) > len(s.values) {
		fail("a value is given for a symbol that has none at a state")
	}
	return s, nil
}

// number reads a number of the state's field.
func (s *State) number(name string, a Algebraic) *number {
	if len(a) == 0 || len(a) > 1<<len(s.field.radicands) {
		fail("%s has an entry of %d coefficients", name, len(a))
	}
	var build func(a Algebraic, level int) *number
	build = func(a Algebraic, level int) *number {
		if len(a) == 1 {
			if a[0] == nil {
				fail("%s lacks an entry", name)
			}
			return rational(new(big.Rat).Set(a[0]))
		}
		half := 1 << (level - 1)
		if len(a) <= half {
			return build(a, level-1)
		}
		return above(level, build(a[:half], level-1), build(a[half:], level-1))
	}
	return build(a, len(s.field.radicands))
}

// algebraic is the inverse of number.
func algebraic(x *number, level int) Algebraic {
	if level == 0 {
		return Algebraic{new(big.Rat).Set(x.q)}
	}
	a, b := x, zero
	if x.level == level {
		a, b = x.a, x.b
	}
	low := algebraic(a, level-1)
	if b.isZero() {
		return low
	}
	for len(low) < 1<<(level-1) {
		low = append(low, new(big.Rat))
	}
	return append(low, algebraic(b, level-1)...)
}

// dim is the number that a product of sizes has.
func (s *State) dim(d kernel.Dim) int {
	n := 1
	for _, l := range d.Legs() {
		k, ok := s.sizes[l]
		if !ok {
			// Soundness: a size that was declared later is no number, not zero.
			fail("the size %s has no number at this state", l)
		}
		if n *= k; n > maxEntries {
			fail("the dimension %s is more than %d", d, maxEntries)
		}
	}
	return n
}

// fits requires of each value the shape that its symbol has now.
//
// Soundness: what was overwritten while the state was made would be a value of another shape.
func (s *State) fits() {
	for y, m := range s.values {
		rows, cols := 1, 1
		if !y.Scalar() {
			r, c := y.Shape()
			rows, cols = s.dim(r), s.dim(c)
		}
		if m.rows != rows || m.cols != cols || m.scalar != y.Scalar() || !valued(y.Class()) {
			fail("the value of %s has not its shape", y.Name())
		}
	}
}

// Signature is the vocabulary that the state gives values to.
func (s *State) Signature() *kernel.Signature { return s.sig }

// Size is the number of the size called name, 0 if there is none.
func (s *State) Size(name string) int { return s.sizes[name] }

// Roots lists the radicands of the square roots that the values are made of.
func (s *State) Roots() []Algebraic {
	var out []Algebraic
	for i, r := range s.field.radicands {
		out = append(out, algebraic(r, i))
	}
	return out
}

// Entries is a copy of the value of the symbol called name, row by row, nil if it has none, or one that is irrational.
func (s *State) Entries(name string) [][]*big.Rat {
	var out [][]*big.Rat
	for _, row := range s.Numbers(name) {
		var xs []*big.Rat
		for _, x := range row {
			if len(x) != 1 {
				return nil
			}
			xs = append(xs, x[0])
		}
		out = append(out, xs)
	}
	return out
}

// Numbers is [State.Entries] of any value.
func (s *State) Numbers(name string) [][]Algebraic {
	t := s.sig.Lookup(name)
	if t == nil {
		return nil
	}
	m, ok := s.values[t.Symbol()]
	if !ok {
		return nil
	}
	out := make([][]Algebraic, m.rows)
	for i := range out {
		for j := 0; j < m.cols; j++ {
			out[i] = append(out[i], algebraic(m.entry(i, j).base(), len(s.field.radicands)))
		}
	}
	return out
}

// String renders the sizes and the values in alphabetical order of their names.
func (s *State) String() string {
	var parts, rest []string
	for n, k := range s.sizes {
		parts = append(parts, fmt.Sprintf("%s = %d", n, k))
	}
	for y, m := range s.values {
		rest = append(rest, y.Name()+" = "+s.field.value(m).String())
	}
	sort.Strings(parts)
	sort.Strings(rest)
	return strings.Join(append(parts, rest...), ", ")
}
