package algebra

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"sort"
)

// occ is an occurrence of a letter in a word, possibly transposed.
type occ struct {
	letter int
	t      bool
}

func wordKey(w []occ) string {
	b := make([]byte, 0, 2*len(w))
	for _, o := range w {
		v := uint64(o.letter) << 1
		if o.t {
			v |= 1
		}
		b = binary.AppendUvarint(b, v)
	}
	return string(b)
}

type matTerm struct {
	w []occ
	c *Frac
}

// Mat is a matrix of symbolic shape: a sum of words with rational-function coefficients. Mats are
// immutable. The empty word is the identity and occurs only in square matrices.
type Mat struct {
	Rows, Cols string
	terms      map[string]matTerm
}

// ShapeError reports shapes that do not fit.
type ShapeError struct{ Op, A, B string }

func (e *ShapeError) Error() string {
	return fmt.Sprintf("algebra: %s of shapes %s and %s", e.Op, e.A, e.B)
}

func (m *Mat) shape() string { return m.Rows + "×" + m.Cols }

// ZeroMat returns the zero matrix of the given shape.
func ZeroMat(rows, cols string) *Mat { return &Mat{rows, cols, map[string]matTerm{}} }

// IdentityMat returns c·I of the given size.
func (r *Ring) IdentityMat(n string, c *Frac) *Mat {
	m := ZeroMat(n, n)
	r.accumulate(m, nil, c)
	return m
}

// LetterMat returns the matrix that is the single letter l.
func (r *Ring) LetterMat(l int) *Mat {
	i := r.letters[l]
	m := ZeroMat(i.Rows, i.Cols)
	r.accumulate(m, []occ{{l, false}}, Int(1))
	return m
}

// IsZero reports whether m is zero.
func (m *Mat) IsZero() bool { return len(m.terms) == 0 }

// Len returns the number of words of m, counting each monomial of a coefficient.
func (m *Mat) Len() int {
	n := 0
	for _, t := range m.terms {
		n += t.c.Len()
	}
	return n
}

// accumulate adds c·w to m in place after bringing w to normal form.
func (r *Ring) accumulate(m *Mat, w []occ, c *Frac) {
	w, sign := r.normalWord(w)
	if sign < 0 {
		c = r.NegFrac(c)
	}
	r.accumulateNormal(m, w, c)
}

func (r *Ring) accumulateNormal(m *Mat, w []occ, c *Frac) {
	k := wordKey(w)
	if t, ok := m.terms[k]; ok {
		c = r.AddFrac(t.c, c)
	}
	if c.IsZero() {
		delete(m.terms, k)
		return
	}
	m.terms[k] = matTerm{w, c}
}

// normalWord reduces a word by the relations of its letters and returns the sign that skew letters leave.
//
// Soundness: each rewriting is one of Aᵀ → A (symmetric), Aᵀ → −A (skew), UᵀU → I (isometry),
// A·A⁻¹, A⁻¹·A → I and their transposes, D₁D₂ → D₂D₁ (diagonal of one size).
func (r *Ring) normalWord(w []occ) ([]occ, int) {
	sign := 1
	out := make([]occ, 0, len(w))
	for _, o := range w {
		l := &r.letters[o.letter]
		if o.t && (l.Symmetric || l.Skew) {
			if l.Skew {
				sign = -sign
			}
			o.t = false
		}
		out = append(out, o)
		for n := len(out); n >= 2; n = len(out) {
			a, b := out[n-2], out[n-1]
			if r.cancels(a, b) {
				out = out[:n-2]
				continue
			}
			if r.letters[a.letter].Diagonal && r.letters[b.letter].Diagonal && b.letter < a.letter && r.letters[a.letter].Rows == r.letters[b.letter].Rows {
				// Insertion into the sorted run of diagonal letters.
				i := n - 1
				for i > 0 && r.letters[out[i-1].letter].Diagonal && out[i-1].letter > b.letter {
					out[i] = out[i-1]
					i--
				}
				out[i] = b
				if i > 0 && r.cancels(out[i-1], out[i]) {
					rest := slices.Clone(out[i+1:])
					out = append(out[:i-1], rest...)
					continue
				}
			}
			break
		}
	}
	return out, sign
}

// cancels reports whether the product a·b is the identity.
func (r *Ring) cancels(a, b occ) bool {
	if a.letter == b.letter && a.t && !b.t && r.letters[a.letter].Isometry {
		return true
	}
	if inv := r.letters[a.letter].inverse; inv >= 0 && inv == b.letter {
		ta, tb := a.t, b.t
		if r.letters[a.letter].Symmetric {
			return true
		}
		return ta == tb
	}
	return false
}

// AddMat returns a + b.
func (r *Ring) AddMat(a, b *Mat) (*Mat, error) {
	if a.Rows != b.Rows || a.Cols != b.Cols {
		return nil, &ShapeError{"sum", a.shape(), b.shape()}
	}
	out := &Mat{a.Rows, a.Cols, make(map[string]matTerm, len(a.terms)+len(b.terms))}
	for k, t := range a.terms {
		out.terms[k] = t
	}
	for _, t := range b.terms {
		r.accumulateNormal(out, t.w, t.c)
	}
	return out, nil
}

// ScaleMat returns c·a.
func (r *Ring) ScaleMat(c *Frac, a *Mat) *Mat {
	out := ZeroMat(a.Rows, a.Cols)
	for _, t := range a.terms {
		r.accumulateNormal(out, t.w, r.MulFrac(c, t.c))
	}
	return out
}

// SubMat returns a − b.
func (r *Ring) SubMat(a, b *Mat) (*Mat, error) { return r.AddMat(a, r.ScaleMat(Int(-1), b)) }

// MulMat returns a·b.
func (r *Ring) MulMat(a, b *Mat) (*Mat, error) {
	if a.Cols != b.Rows {
		return nil, &ShapeError{"product", a.shape(), b.shape()}
	}
	out := ZeroMat(a.Rows, b.Cols)
	for _, s := range a.terms {
		for _, t := range b.terms {
			r.accumulate(out, slices.Concat(s.w, t.w), r.MulFrac(s.c, t.c))
		}
	}
	return out, nil
}

func transposeWord(w []occ) []occ {
	out := make([]occ, len(w))
	for i, o := range w {
		out[len(w)-1-i] = occ{o.letter, !o.t}
	}
	return out
}

// TransposeMat returns aᵀ.
func (r *Ring) TransposeMat(a *Mat) *Mat {
	out := ZeroMat(a.Cols, a.Rows)
	for _, t := range a.terms {
		r.accumulate(out, transposeWord(t.w), t.c)
	}
	return out
}

// Trace returns tr(a) as a sum of trace generators. The trace of the identity is a scalar symbol named
// after its size.
func (r *Ring) Trace(a *Mat) (*Frac, error) {
	if a.Rows != a.Cols {
		return nil, &ShapeError{"trace", a.shape(), a.shape()}
	}
	sum := Int(0)
	for _, t := range a.sorted() {
		g, sign := r.traceGen(t.w, a.Rows)
		if sign == 0 {
			continue
		}
		c := r.MulFrac(t.c, Int(int64(sign)))
		if !r.gens[g].one {
			c = r.MulFrac(c, r.Gen(g))
		}
		sum = r.AddFrac(sum, c)
	}
	return sum, nil
}

// traceGen returns the generator of tr(w) up to sign; sign 0 means the trace is zero.
//
// Soundness: tr(uv) = tr(vu) and tr(w) = tr(wᵀ) are all that is used beyond word normal forms. If a
// rotation of wᵀ is w itself with a minus sign (skew letters), the trace is its own negative, hence zero.
func (r *Ring) traceGen(w []occ, size string) (int, int) {
	w, sign := r.normalWord(w)
	for len(w) >= 2 && r.cancels(w[len(w)-1], w[0]) {
		size = r.innerSize(w[0])
		w = w[1 : len(w)-1]
		var s int
		w, s = r.normalWord(w)
		sign *= s
	}
	if len(w) == 0 {
		g := r.AddScalar("size:" + size)
		if size == "1" {
			r.gens[g].one = true
		}
		return g, sign
	}
	best, bestSign, bestKey, zero := w, 1, "", false
	consider := func(v []occ) {
		v, s := r.normalWord(v)
		for i := range v {
			rot := slices.Concat(v[i:], v[:i])
			k := wordKey(rot)
			switch {
			case bestKey == "" || len(k) < len(bestKey) || len(k) == len(bestKey) && k < bestKey:
				best, bestSign, bestKey, zero = rot, s, k, false
			case k == bestKey && s != bestSign:
				zero = true
			}
		}
	}
	consider(w)
	consider(transposeWord(w))
	if zero {
		return 0, 0
	}
	name := "tr:" + bestKey
	if g, ok := r.genName[name]; ok {
		return g, sign * bestSign
	}
	return r.addGen(genInfo{name: name, word: best, frozen: -1, thawed: -1}), sign * bestSign
}

// innerSize is the size left when the cyclic pair around b cancels.
func (r *Ring) innerSize(b occ) string {
	l := r.letters[b.letter]
	if b.t {
		return l.Rows
	}
	return l.Cols
}

func (m *Mat) sorted() []matTerm {
	ts := make([]matTerm, 0, len(m.terms))
	for _, t := range m.terms {
		ts = append(ts, t)
	}
	sort.Slice(ts, func(i, j int) bool {
		if len(ts[i].w) != len(ts[j].w) {
			return len(ts[i].w) > len(ts[j].w)
		}
		return wordKey(ts[i].w) < wordKey(ts[j].w)
	})
	return ts
}

// EqualMat reports whether a − b is zero.
func (r *Ring) EqualMat(a, b *Mat) bool {
	d, err := r.SubMat(a, b)
	return err == nil && d.IsZero()
}

func (r *Ring) wordMat(w []occ, rows, cols string) *Mat {
	m := ZeroMat(rows, cols)
	r.accumulate(m, w, Const(big.NewRat(1, 1)))
	return m
}

// TensorIsZero reports whether Σ cᵢ·Aᵢ⊗Bᵢ is zero, expanding both factors into words.
func (r *Ring) TensorIsZero(c []*Frac, a, b []*Mat) bool {
	sum := map[string]*Frac{}
	for i := range c {
		for ka, ta := range a[i].terms {
			for kb, tb := range b[i].terms {
				v := r.MulFrac(c[i], r.MulFrac(ta.c, tb.c))
				k := fmt.Sprintf("%d:%s%s", len(ka), ka, kb)
				if old := sum[k]; old != nil {
					v = r.AddFrac(old, v)
				}
				sum[k] = v
			}
		}
	}
	for _, v := range sum {
		if !v.IsZero() {
			return false
		}
	}
	return true
}
