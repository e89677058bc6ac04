package algebra

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Derivation gives the derivative of each symbol: matrix letters and scalar generators. Symbols that are
// absent are constants.
type Derivation struct {
	Letters map[int]*Mat
	Scalars map[int]*Frac
}

// DeriveFrac applies a derivation to f: Leibniz' rule on products, tr(w)' = Σ tr(…x'…) on traces and
// ρ' = q'/(2ρ) on roots with ρ² = q.
func (r *Ring) DeriveFrac(f *Frac, d *Derivation) (*Frac, error) {
	return r.derive(f, func(g int) (*Frac, error) { return r.deriveGen(g, d) })
}

func (r *Ring) deriveGen(g int, d *Derivation) (*Frac, error) {
	if v, ok := d.Scalars[g]; ok {
		return v, nil
	}
	info := r.gens[g]
	switch {
	case info.square != nil:
		dq, err := r.DeriveFrac(&Frac{num: info.square}, d)
		if err != nil || dq.IsZero() {
			return nil, err
		}
		return r.DivFrac(dq, r.MulFrac(Int(2), r.Gen(g)))
	case info.word != nil:
		size := r.wordRows(info.word)
		m, err := r.DeriveMat(r.wordMat(info.word, size, size), d)
		if err != nil {
			return nil, err
		}
		return r.Trace(m)
	}
	return nil, nil
}

func (r *Ring) wordRows(w []occ) string {
	l := r.letters[w[0].letter]
	if w[0].t {
		return l.Cols
	}
	return l.Rows
}

// DeriveMat applies a derivation to m by Leibniz' rule; the derivative of an inverse is −A⁻¹A'A⁻¹.
func (r *Ring) DeriveMat(m *Mat, d *Derivation) (*Mat, error) {
	out := ZeroMat(m.Rows, m.Cols)
	for _, t := range m.sorted() {
		dc, err := r.DeriveFrac(t.c, d)
		if err != nil {
			return nil, err
		}
		if !dc.IsZero() {
			r.accumulate(out, t.w, dc)
		}
		for i, o := range t.w {
			dx, err := r.deriveLetter(o.letter, d)
			if err != nil {
				return nil, err
			}
			if dx == nil {
				continue
			}
			if o.t {
				dx = r.TransposeMat(dx)
			}
			for _, u := range dx.sorted() {
				r.accumulate(out, slices.Concat(t.w[:i], u.w, t.w[i+1:]), r.MulFrac(t.c, u.c))
			}
		}
	}
	return out, nil
}

func (r *Ring) deriveLetter(l int, d *Derivation) (*Mat, error) {
	if dx, ok := d.Letters[l]; ok {
		return dx, nil
	}
	if base := r.letters[l].InverseOf; base >= 0 {
		dx, ok := d.Letters[base]
		if !ok {
			return nil, nil
		}
		inv := r.LetterMat(l)
		m, err := r.MulMat(inv, dx)
		if err != nil {
			return nil, err
		}
		if m, err = r.MulMat(m, inv); err != nil {
			return nil, err
		}
		return r.ScaleMat(Int(-1), m), nil
	}
	return nil, nil
}

// Gradient returns ∂f/∂A in the Frobenius inner product, d f = ⟨∂f/∂A, dA⟩ = tr((∂f/∂A)ᵀ·dA):
// ∂tr(A·B)/∂A = Bᵀ and ∂tr(Aᵀ·B)/∂A = B at every occurrence. For a symmetric A it is the gradient in the
// space of symmetric matrices, the symmetric part of that sum. Frozen copies of A are constants.
func (r *Ring) Gradient(f *Frac, letter int) (*Mat, error) {
	l := r.letters[letter]
	if l.Skew || l.Diagonal || l.Isometry || l.inverse >= 0 {
		return nil, fmt.Errorf("algebra: gradient in %s, which is not a free matrix", l.Name)
	}
	out := ZeroMat(l.Rows, l.Cols)
	for g := range r.gens {
		w := r.gens[g].word
		if !slices.ContainsFunc(w, func(o occ) bool { return o.letter == letter }) {
			continue
		}
		df, err := r.partial(f, g)
		if err != nil {
			return nil, err
		}
		if df.IsZero() {
			continue
		}
		for i, o := range w {
			if o.letter != letter {
				continue
			}
			rest := slices.Concat(w[i+1:], w[:i])
			if !o.t {
				rest = transposeWord(rest)
			}
			r.accumulate(out, rest, df)
		}
	}
	if !l.Symmetric {
		return out, nil
	}
	sum, err := r.AddMat(out, r.TransposeMat(out))
	if err != nil {
		return nil, err
	}
	return r.ScaleMat(Const(big.NewRat(1, 2)), sum), nil
}

// PartialScalar returns ∂f/∂x for a scalar generator x, following roots but not traces.
func (r *Ring) PartialScalar(f *Frac, x int) (*Frac, error) {
	return r.DeriveFrac(f, &Derivation{Scalars: map[int]*Frac{x: Int(1)}})
}

func (r *Ring) partial(f *Frac, g int) (*Frac, error) {
	return r.derive(f, func(h int) (*Frac, error) {
		if h == g {
			return Int(1), nil
		}
		return nil, nil
	})
}

// FreezeFrac and FreezeMat replace every symbol that is not random by its frozen copy, the constant that
// stop-gradient makes of it.
func (r *Ring) FreezeFrac(f *Frac) (*Frac, error) {
	return r.substFrac(f, func(g int) (*Frac, error) {
		if w := r.gens[g].word; w != nil {
			return r.traceOf(r.mapWord(w, r.freezeLetter))
		}
		return r.Gen(r.freezeScalar(g)), nil
	})
}

// FreezeMat is the matrix case of [Ring.FreezeFrac].
func (r *Ring) FreezeMat(m *Mat) (*Mat, error) {
	return r.mapMat(m, r.freezeLetter, r.FreezeFrac)
}

// ThawFrac and ThawMat replace frozen copies by their originals, once gradients have been taken.
func (r *Ring) ThawFrac(f *Frac) (*Frac, error) {
	return r.substFrac(f, func(g int) (*Frac, error) {
		if w := r.gens[g].word; w != nil {
			return r.traceOf(r.mapWord(w, r.thawLetter))
		}
		if t := r.gens[g].thawed; t >= 0 {
			return r.Gen(t), nil
		}
		return nil, nil
	})
}

// ThawMat is the matrix case of [Ring.ThawFrac].
func (r *Ring) ThawMat(m *Mat) (*Mat, error) { return r.mapMat(m, r.thawLetter, r.ThawFrac) }

func (r *Ring) thawLetter(l int) int {
	if t := r.letters[l].thawed; t >= 0 {
		return t
	}
	return l
}

func (r *Ring) mapWord(w []occ, f func(int) int) []occ {
	out := make([]occ, len(w))
	for i, o := range w {
		out[i] = occ{f(o.letter), o.t}
	}
	return out
}

func (r *Ring) traceOf(w []occ) (*Frac, error) {
	size := r.wordRows(w)
	return r.Trace(r.wordMat(w, size, size))
}

func (r *Ring) mapMat(m *Mat, letter func(int) int, coef func(*Frac) (*Frac, error)) (*Mat, error) {
	out := ZeroMat(m.Rows, m.Cols)
	for _, t := range m.sorted() {
		c, err := coef(t.c)
		if err != nil {
			return nil, err
		}
		r.accumulate(out, r.mapWord(t.w, letter), c)
	}
	return out, nil
}

// Substitution replaces letters and scalar generators by elements.
type Substitution struct {
	Letters map[int]*Mat
	Scalars map[int]*Frac
}

// SubstFrac applies a substitution to f, inside traces too.
func (r *Ring) SubstFrac(f *Frac, s *Substitution) (*Frac, error) {
	return r.substFrac(f, func(g int) (*Frac, error) {
		if v, ok := s.Scalars[g]; ok {
			return v, nil
		}
		if w := r.gens[g].word; w != nil {
			size := r.wordRows(w)
			m, err := r.SubstMat(r.wordMat(w, size, size), s)
			if err != nil {
				return nil, err
			}
			return r.Trace(m)
		}
		if r.gens[g].square != nil {
			q, err := r.SubstFrac(&Frac{num: r.gens[g].square}, s)
			if err != nil {
				return nil, err
			}
			if !r.EqualFrac(q, &Frac{num: r.gens[g].square}) {
				return nil, fmt.Errorf("algebra: substitution under the root %s", r.gens[g].name)
			}
		}
		return nil, nil
	})
}

// SubstMat applies a substitution to m.
func (r *Ring) SubstMat(m *Mat, s *Substitution) (*Mat, error) {
	out := ZeroMat(m.Rows, m.Cols)
	for _, t := range m.sorted() {
		c, err := r.SubstFrac(t.c, s)
		if err != nil {
			return nil, err
		}
		prod := r.IdentityMat(m.Rows, c)
		for _, o := range t.w {
			x, ok := s.Letters[o.letter]
			if !ok {
				if base := r.letters[o.letter].InverseOf; base >= 0 {
					if _, hit := s.Letters[base]; hit {
						return nil, fmt.Errorf("algebra: substitution for %s, whose inverse occurs", r.letters[base].Name)
					}
				}
				x = r.LetterMat(o.letter)
			}
			if o.t {
				x = r.TransposeMat(x)
			}
			if prod, err = r.MulMat(prod, x); err != nil {
				return nil, err
			}
		}
		if out, err = r.AddMat(out, prod); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ErrMoment is returned for an expectation that second moments do not determine.
var ErrMoment = errors.New("algebra: expectation of a product that is not quadratic in the random vectors")

// SecondMoment returns E(a·bᵀ) for two random letters, or an error if it is not known.
type SecondMoment func(a, b int) (*Mat, error)

// ExpectFrac returns the expectation of f, each of whose monomials may contain random vectors only in one
// trace, and there exactly two of them: E tr(a·bᵀ·M) = tr(E(a·bᵀ)·M).
func (r *Ring) ExpectFrac(f *Frac, moment SecondMoment) (*Frac, error) {
	for _, d := range f.den {
		if r.isRandomPoly(d.p) {
			return nil, ErrMoment
		}
	}
	sum := Int(0)
	for _, t := range f.num.sorted() {
		prod, seen := Const(t.c), false
		for _, pw := range t.m {
			factor := r.Gen(pw.gen)
			if w := r.gens[pw.gen].word; r.randomCount(w) > 0 {
				if seen || pw.exp > 1 {
					return nil, ErrMoment
				}
				seen = true
				var err error
				if factor, err = r.expectTrace(w, moment); err != nil {
					return nil, err
				}
			}
			for range pw.exp {
				prod = r.MulFrac(prod, factor)
			}
		}
		sum = r.AddFrac(sum, prod)
	}
	if len(f.den) == 0 {
		return sum, nil
	}
	return r.MulFrac(sum, &Frac{constPoly(one), f.den}), nil
}

func (r *Ring) isRandomPoly(p *Poly) bool {
	return slices.ContainsFunc(p.generators(), func(g int) bool { return r.randomCount(r.gens[g].word) > 0 })
}

func (r *Ring) randomCount(w []occ) int {
	n := 0
	for _, o := range w {
		if r.letters[o.letter].Random {
			n++
		}
	}
	return n
}

func (r *Ring) expectTrace(w []occ, moment SecondMoment) (*Frac, error) {
	if r.randomCount(w) != 2 {
		return nil, ErrMoment
	}
	for i, o := range w {
		j := (i + 1) % len(w)
		if b := w[j]; r.letters[o.letter].Random && !o.t && r.letters[b.letter].Random && b.t {
			m, err := moment(o.letter, b.letter)
			if err != nil {
				return nil, err
			}
			rest := slices.Concat(w[i:], w[:i])[2:]
			p, err := r.MulMat(m, r.wordMat(rest, m.Cols, m.Rows))
			if err != nil {
				return nil, err
			}
			return r.Trace(p)
		}
	}
	return nil, ErrMoment
}

// ExpectMat returns the expectation of m, each of whose words holds random vectors only as one product a·bᵀ.
func (r *Ring) ExpectMat(m *Mat, moment SecondMoment) (*Mat, error) {
	out := ZeroMat(m.Rows, m.Cols)
	for _, t := range m.sorted() {
		n := r.randomCount(t.w)
		if n == 0 {
			c, err := r.ExpectFrac(t.c, moment)
			if err != nil {
				return nil, err
			}
			r.accumulate(out, t.w, c)
			continue
		}
		if n != 2 || r.isRandomPoly(t.c.num) {
			return nil, ErrMoment
		}
		hit := false
		for i := 0; i+1 < len(t.w); i++ {
			a, b := t.w[i], t.w[i+1]
			if r.letters[a.letter].Random && !a.t && r.letters[b.letter].Random && b.t {
				mm, err := moment(a.letter, b.letter)
				if err != nil {
					return nil, err
				}
				for _, u := range mm.sorted() {
					r.accumulate(out, slices.Concat(t.w[:i], u.w, t.w[i+2:]), r.MulFrac(t.c, u.c))
				}
				hit = true
				break
			}
		}
		if !hit {
			return nil, ErrMoment
		}
	}
	return out, nil
}
