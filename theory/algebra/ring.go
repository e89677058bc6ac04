package algebra

import (
	"fmt"
	"math/big"
)

// Letter describes a matrix symbol.
type Letter struct {
	Name       string
	Rows, Cols string // symbolic sizes; equal strings are equal sizes
	Symmetric  bool   // Aᵀ = A
	Skew       bool   // Aᵀ = −A
	Diagonal   bool   // diagonal letters of one size commute
	Isometry   bool   // Aᵀ·A = I
	Random     bool   // a random column vector
	Frozen     bool   // a constant to gradients: the image of a letter under stop-gradient
	InverseOf  int    // letter of which this is the inverse, or -1
}

type letterInfo struct {
	Letter
	inverse int // letter that is the inverse of this one, or -1
	frozen  int // frozen copy, or -1
	thawed  int // letter this is the frozen copy of, or -1
}

type genInfo struct {
	name   string
	word   []occ // the trace word, or nil for a scalar
	square *Poly // r² = square, or nil
	one    bool  // the trace of the 1×1 identity
	frozen int   // frozen copy of a scalar, or -1
	thawed int   // scalar this is the frozen copy of, or -1
}

// Ring holds the symbols of an algebra. A Ring is not safe for concurrent use.
type Ring struct {
	letters  []letterInfo
	byName   map[string]int
	gens     []genInfo
	genName  map[string]int
	hasRoots bool
}

// NewRing returns a ring without symbols.
func NewRing() *Ring {
	return &Ring{byName: map[string]int{}, genName: map[string]int{}}
}

// AddLetter declares a matrix symbol and returns its number. It panics on a repeated name.
func (r *Ring) AddLetter(l Letter) int {
	if _, ok := r.byName[l.Name]; ok {
		panic("algebra: letter " + l.Name + " declared twice")
	}
	id := len(r.letters)
	r.letters = append(r.letters, letterInfo{l, -1, -1, -1})
	r.byName[l.Name] = id
	if l.InverseOf >= 0 {
		r.letters[id].inverse = l.InverseOf
		r.letters[l.InverseOf].inverse = id
	}
	return id
}

// Inverse returns the letter declared as the inverse of l, or -1.
func (r *Ring) Inverse(l int) int { return r.letters[l].inverse }

// LetterID returns the number of a declared letter, or -1.
func (r *Ring) LetterID(name string) int {
	if id, ok := r.byName[name]; ok {
		return id
	}
	return -1
}

// AddScalar declares a scalar generator, or returns the one of that name.
func (r *Ring) AddScalar(name string) int {
	if g, ok := r.genName[name]; ok {
		return g
	}
	return r.addGen(genInfo{name: name, frozen: -1, thawed: -1})
}

func (r *Ring) addGen(g genInfo) int {
	id := len(r.gens)
	r.gens = append(r.gens, g)
	r.genName[g.name] = id
	return id
}

// SetRoot makes the scalar generator g a square root: g² = square. The square must be a polynomial.
func (r *Ring) SetRoot(g int, square *Frac) error {
	if len(square.den) > 0 {
		return fmt.Errorf("algebra: the square of %s is not a polynomial", r.gens[g].name)
	}
	r.gens[g].square = square.num
	r.hasRoots = true
	return nil
}

// Gen returns the generator g as an element.
func (r *Ring) Gen(g int) *Frac { return &Frac{num: genPoly(g)} }

// freezeScalar returns the frozen copy of a scalar generator.
func (r *Ring) freezeScalar(g int) int {
	if r.gens[g].thawed >= 0 {
		return g
	}
	if r.gens[g].frozen < 0 {
		id := r.addGen(genInfo{name: "sg(" + r.gens[g].name + ")", frozen: -1, thawed: g})
		r.gens[g].frozen = id
	}
	return r.gens[g].frozen
}

func (r *Ring) freezeLetter(l int) int {
	if r.letters[l].thawed >= 0 || r.letters[l].Random {
		return l
	}
	if r.letters[l].frozen < 0 {
		c := r.letters[l].Letter
		c.Name, c.Frozen, c.InverseOf = "sg("+c.Name+")", true, -1
		id := r.AddLetter(c)
		r.letters[id].thawed = l
		r.letters[l].frozen = id
	}
	return r.letters[l].frozen
}

var one = big.NewRat(1, 1)
