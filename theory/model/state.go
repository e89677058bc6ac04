package model

import (
	"fmt"
	"math/big"
	"sort"
	"strings"

	"stopgrad/theory/kernel"
)

// State gives every size a number and every symbol that is not random and no hole an exact rational value. It is
// immutable.
type State struct {
	sig    *kernel.Signature
	sizes  map[string]int
	values map[*kernel.Symbol]matrix
}

// valued reports whether symbols of the class have values at a state.
func valued(c kernel.Class) bool {
	return c == kernel.Param || c == kernel.State || c == kernel.Input
}

// MaxSize is the greatest number that a size may have.
const MaxSize = 64

// NewState returns the state with these sizes and these values, given row by row under the symbols' names; a scalar
// is 1×1 here. Each size and each symbol needs one, of the right shape, and nothing else may be given.
func NewState(sig *kernel.Signature, sizes map[string]int, values map[string][][]*big.Rat) (s *State, err error) {
	defer caught(&err)
	if sig == nil {
		fail("a state needs a signature")
	}
	s = &State{sig: sig, sizes: map[string]int{}, values: map[*kernel.Symbol]matrix{}}
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
				if x == nil {
					fail("%s lacks an entry", y.Name())
				}
				m.at[i*cols+j] = jet{rational(new(big.Rat).Set(x))}
			}
		}
		s.values[y] = m
	}
	if len(values) > len(s.values) {
		fail("a value is given for a symbol that has none at a state")
	}
	return s, nil
}

// dim is the number that a product of sizes has.
func (s *State) dim(d kernel.Dim) int {
	n := 1
	for _, l := range d.Legs() {
		if n *= s.sizes[l]; n > maxEntries {
			fail("the dimension %s is more than %d", d, maxEntries)
		}
	}
	return n
}

// Signature is the vocabulary that the state gives values to.
func (s *State) Signature() *kernel.Signature { return s.sig }

// Size is the number of the size called name, 0 if there is none.
func (s *State) Size(name string) int { return s.sizes[name] }

// Entries is a copy of the value of the symbol called name, row by row, nil if it has none.
func (s *State) Entries(name string) [][]*big.Rat {
	t := s.sig.Lookup(name)
	if t == nil {
		return nil
	}
	m, ok := s.values[t.Symbol()]
	if !ok {
		return nil
	}
	out := make([][]*big.Rat, m.rows)
	for i := range out {
		for j := 0; j < m.cols; j++ {
			out[i] = append(out[i], new(big.Rat).Set(m.entry(i, j).base().q))
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
		rest = append(rest, y.Name()+" = "+(&field{}).value(m).String())
	}
	sort.Strings(parts)
	sort.Strings(rest)
	return strings.Join(append(parts, rest...), ", ")
}
