package prove

import (
	"encoding/binary"
	"math/big"
	"slices"
	"sort"

	"stopgrad/theory/kernel"
)

// letter is a factor of a word: a matrix symbol or the inverse of something, perhaps transposed.
type letter struct {
	t    *kernel.Term
	flip bool
}

func (l letter) key() uint64 {
	k := uint64(l.t.ID()) << 1
	if l.flip {
		k++
	}
	return k
}

// maxWord bounds the letters of a word: of a product of shared terms they double with each factor.
const maxWord = 500

// word is a product of letters; the empty word is I.
type word []letter

func (w word) key() string {
	var b []byte
	for _, l := range w {
		b = binary.BigEndian.AppendUint64(b, l.key())
	}
	return string(b)
}

// words is a matrix as a sum of words with polynomials for coefficients.
type words map[string]*wordTerm

type wordTerm struct {
	w word
	c poly
}

func (m words) sorted() []*wordTerm {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([]*wordTerm, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}

func (m words) put(w word, c poly, factor *big.Rat) {
	k := w.key()
	old := poly{}
	if t := m[k]; t != nil {
		old = t.c
	}
	c = old.plus(c, factor)
	if len(c) == 0 {
		delete(m, k)
		return
	}
	m[k] = &wordTerm{w, c}
}

func (m words) size() int {
	n := 0
	for _, t := range m {
		n += len(t.c)
	}
	return n
}

// reduce brings a word to normal form by the structure of its letters; the sign is that of the skew ones.
func (ps *polys) reduce(w word) (word, int) {
	sign := 1
	out := make(word, 0, len(w))
	for _, l := range w {
		s := ps.shapes[l.t]
		if l.t.Head() == kernel.Inverse {
			in := ps.shapes[l.t.Arg(0)]
			s.symmetric = s.symmetric || in.symmetric
			s.diagonal = s.diagonal || in.diagonal
		}
		if l.flip && (s.symmetric || s.diagonal) {
			l.flip = false
		}
		if l.flip && s.skew {
			l.flip = false
			sign = -sign
		}
		if n := len(out); n > 0 {
			p := out[n-1]
			if ps.shapes[l.t].isometry && p.t == l.t && p.flip && !l.flip {
				out = out[:n-1]
				continue
			}
			if p.flip == l.flip && (l.t.Head() == kernel.Inverse && l.t.Arg(0) == p.t || p.t.Head() == kernel.Inverse && p.t.Arg(0) == l.t) {
				out = out[:n-1]
				continue
			}
		}
		out = append(out, l)
		if s.diagonal {
			for i := len(out) - 1; i > 0 && ps.isDiagonal(out[i-1].t) && out[i-1].key() > out[i].key(); i-- {
				out[i], out[i-1] = out[i-1], out[i]
			}
		}
	}
	return out, sign
}

func (ps *polys) isDiagonal(t *kernel.Term) bool {
	return ps.shapes[t].diagonal || t.Head() == kernel.Inverse && ps.shapes[t.Arg(0)].diagonal
}

func flipped(w word) word {
	out := make(word, len(w))
	for i, l := range w {
		out[len(w)-1-i] = letter{l.t, !l.flip}
	}
	return out
}

// matrixOf is the sum of words of a pure matrix term; nil if it is none or too large, or if there is no term because one
// did not unfold.
func (ps *polys) matrixOf(t *kernel.Term) words {
	if t == nil {
		return nil
	}
	if m, ok := ps.matrices[t]; ok {
		return m
	}
	m := ps.computeMatrix(t)
	if m != nil && m.size() > maxPoly {
		m = nil
	}
	ps.matrices[t] = m
	return m
}

func (ps *polys) computeMatrix(t *kernel.Term) words {
	one := big.NewRat(1, 1)
	switch t.Head() {
	case kernel.Letter:
		return words{word{{t, false}}.key(): {word{{t, false}}, constant(one)}}
	case kernel.Identity:
		return words{"": {nil, constant(one)}}
	case kernel.Zero:
		return words{}
	case kernel.Inverse:
		// The inverse of a letter cancels against it; others stay as they are.
		return words{word{{t, false}}.key(): {word{{t, false}}, constant(one)}}
	case kernel.Sum:
		a, b := ps.matrixOf(t.Arg(0)), ps.matrixOf(t.Arg(1))
		if a == nil || b == nil {
			return nil
		}
		ps.spend(60 * (a.size() + b.size()))
		return a.plus(b, one)
	case kernel.Transpose:
		a := ps.matrixOf(t.Arg(0))
		if a == nil {
			return nil
		}
		out := words{}
		for _, x := range a {
			w, sign := ps.reduce(flipped(x.w))
			out.put(w, x.c, big.NewRat(int64(sign), 1))
		}
		return out
	case kernel.Power:
		out := words{"": {nil, constant(one)}}
		a := ps.matrixOf(t.Arg(0))
		if a == nil || t.Exponent() > 16 {
			return nil
		}
		for range t.Exponent() {
			if out = ps.multiply(out, a); out == nil {
				return nil
			}
		}
		return out
	case kernel.Product:
		x, y := t.Arg(0), t.Arg(1)
		if y.Scalar() {
			x, y = y, x
		}
		b := ps.matrixOf(y)
		if b == nil {
			return nil
		}
		if x.Scalar() {
			c := ps.of(x)
			if c == nil {
				return nil
			}
			return ps.scale(b, c)
		}
		a := ps.matrixOf(x)
		if a == nil {
			return nil
		}
		return ps.multiply(a, b)
	}
	return nil
}

func (m words) plus(n words, factor *big.Rat) words {
	out := words{}
	for k, x := range m {
		out[k] = x
	}
	for _, x := range n {
		out.put(x.w, x.c, factor)
	}
	return out
}

func (ps *polys) scale(m words, c poly) words {
	out := words{}
	for _, x := range m {
		d := ps.times(x.c, c)
		if d == nil {
			return nil
		}
		out.put(x.w, d, big.NewRat(1, 1))
	}
	return out
}

func (ps *polys) multiply(a, b words) words {
	if a.size()*b.size() > maxPoly*20 {
		return nil
	}
	out := words{}
	for _, x := range a {
		for _, y := range b {
			if len(x.w)+len(y.w) > maxWord {
				return nil
			}
			ps.spend(len(x.w) + len(y.w))
			c := ps.times(x.c, y.c)
			if c == nil {
				return nil
			}
			w, sign := ps.reduce(append(append(word{}, x.w...), y.w...))
			out.put(w, c, big.NewRat(int64(sign), 1))
		}
	}
	return out
}

// traceOf is the trace of a sum of words of n×n matrices.
func (ps *polys) traceOf(m words, n kernel.Dim) poly {
	out := poly{}
	for _, x := range m {
		g, sign := ps.traceWord(x.w, n)
		if sign == 0 {
			continue
		}
		p := ps.times(x.c, g)
		if p == nil {
			return nil
		}
		for _, mo := range p {
			c := mo.c
			if sign < 0 {
				c = new(big.Rat).Neg(c)
			}
			out.put(c, mo.at)
		}
	}
	return out
}

// traceWord is the generator for tr(w): the least of the word's rotations, transposed or not.
func (ps *polys) traceWord(w word, n kernel.Dim) (poly, int) {
	best, sign := ps.cyclic(w)
	if sign == 0 {
		return nil, 0
	}
	if len(best) == 0 {
		return single(must(ps.sig.SizeOf(n)), 1), 1
	}
	return single(ps.trace(ps.wordTerm(best, n)), 1), sign
}

func (ps *polys) cyclic(w word) (word, int) {
	var best word
	var key string
	sign := 1
	ps.spend(2 * len(w) * len(w)) // all rotations, forwards and backwards
	w, s0 := ps.reduce(w)
	// Cancellation across the ends.
	for changed := true; changed && len(w) > 1; {
		changed = false
		for i := range w {
			rot, s := ps.reduce(append(append(word{}, w[i:]...), w[:i]...))
			if len(rot) < len(w) {
				w, s0, changed = rot, s0*s, true
				break
			}
		}
	}
	zero := false
	try := func(v word, s int) {
		k := v.key()
		switch {
		case key == "" && best == nil || k < key:
			best, key, sign = v, k, s
			zero = false
		case k == key && s != sign:
			zero = true // tr(w) = −tr(w)
		}
	}
	for _, v := range []word{w, flipped(w)} {
		v, s := ps.reduce(v)
		for i := range v {
			rot, t := ps.reduce(append(append(word{}, v[i:]...), v[:i]...))
			try(rot, s0*s*t)
		}
	}
	if zero {
		return nil, 0
	}
	return best, sign
}

// wordTerm writes a word as a term.
func (ps *polys) wordTerm(w word, n kernel.Dim) *kernel.Term {
	if len(w) == 0 {
		return ps.identity(n)
	}
	var fs []*kernel.Term
	for _, l := range w {
		t := l.t
		if l.flip {
			t = ps.transpose(t)
		}
		fs = append(fs, t)
	}
	return ps.product(fs)
}

// matrixTerm writes a sum of words as a term of like's shape.
func (ps *polys) matrixTerm(m words, like *kernel.Term) *kernel.Term {
	if len(m) == 0 {
		return ps.null(like)
	}
	n, _ := like.Shape()
	var parts []*kernel.Term
	for _, x := range m.sorted() {
		t := ps.wordTerm(x.w, n)
		c := ps.term(x.c)
		if c.Head() != kernel.Number || c.Value().Cmp(big.NewRat(1, 1)) != 0 {
			t = ps.mul(c, t)
		}
		parts = append(parts, t)
	}
	return ps.sum(parts)
}

// subword lists the places at which u occurs in w.
func subword(w, u word) (at []int) {
	for i := 0; i+len(u) <= len(w); i++ {
		if slices.Equal(w[i:i+len(u)], u) {
			at = append(at, i)
		}
	}
	return at
}
