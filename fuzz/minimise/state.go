package minimise

import (
	"context"
	"maps"
	"math/big"
	"slices"

	"stopgrad/fuzz/chart"
	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Outcome is what a minimisation came to.
type Outcome struct {
	Witness     witness.Witness
	From, To    witness.Size
	Asked       int  // times the predicate was asked
	Exhausted   bool // the limit or the context ended it before nothing changed any more
	Improvement int  // changes accepted
}

// State makes w smaller and simpler while keep accepts it, asking at most limit times: rows and columns of a
// common size removed, whole matrices replaced by 0 or I, isometries by simple rotations, numbers by 0 and
// by simpler fractions, two numbers at a time where one alone does not go. After each change the scalars that
// roots depend on are solved for again, and the part's draws carried out if keep refuses the state without. A change of
// a state of many numbers counts as several questions: it takes as much time, whether or not keep is asked.
func State(ctx context.Context, part *lang.Part, w witness.Witness, keep func(witness.Witness) bool, limit int) Outcome {
	m := &minimiser{ctx: ctx, part: part, keep: keep, limit: limit, best: witness.Clone(w)}
	if r, err := chart.Repair(part, witness.Clone(w), ""); err == nil {
		m.best = r
	}
	m.size = witness.SizeOf(part, w)
	m.out.From = m.size
	for changed := true; changed && !m.spent(); {
		changed = false
		for _, pass := range []func() bool{m.dimensions, m.matrices, m.zeros, m.roots, m.simpler, m.pairs} {
			for pass() && !m.spent() {
				changed = true
			}
		}
	}
	m.out.Witness, m.out.To, m.out.Exhausted = m.best, m.size, m.spent()
	return m.out
}

type minimiser struct {
	ctx   context.Context
	part  *lang.Part
	keep  func(witness.Witness) bool
	limit int
	best  witness.Witness
	size  witness.Size
	large int // questions that changes of large states count as
	out   Outcome
}

// manyNumbers are as much work as a question of a small state.
const manyNumbers = 256

func (m *minimiser) spent() bool { return m.out.Asked+m.large >= m.limit || m.ctx.Err() != nil }

// try accepts a changed state if it is simpler and keep agrees. fixed is the scalar that was changed.
func (m *minimiser) try(w witness.Witness, fixed string) bool {
	if m.spent() {
		return false
	}
	m.large += entries(w) / manyNumbers
	repaired, err := chart.Repair(m.part, w, fixed)
	if err != nil {
		return false
	}
	if m.ask(repaired) {
		return true
	}
	if len(m.part.Draws) == 0 || chart.Draws(m.part, eval.Rational{}, &repaired) != nil {
		return false
	}
	return m.ask(repaired)
}

// entries is how many numbers a state has.
func entries(w witness.Witness) (n int) {
	for _, a := range w.Vals {
		n += len(a.A)
	}
	return n
}

func (m *minimiser) ask(w witness.Witness) bool {
	size := witness.SizeOf(m.part, w)
	if !size.Less(m.size) || m.spent() {
		return false
	}
	m.out.Asked++
	if !m.keep(w) {
		return false
	}
	m.best, m.size = witness.Clone(w), size
	m.out.Improvement++
	return true
}

func (m *minimiser) names() []string { return slices.Sorted(maps.Keys(m.best.Vals)) }

func (m *minimiser) symbol(name string) *lang.Symbol { return m.part.Env.Symbols[name] }

// dimensions removes one row or column of every matrix of a size; if that does not do, it makes what is left
// larger as well, one matrix or all.
func (m *minimiser) dimensions() bool {
	for _, d := range m.part.Env.Sizes {
		for k := m.best.Dims[d] - 1; k >= 0 && m.best.Dims[d] > 1; k-- {
			w := m.without(d, k)
			if m.try(w, "") || m.enlarged(w, "") {
				return true
			}
		}
	}
	return false
}

// factors are by how much numbers are enlarged to make up for others.
var factors = []*big.Rat{big.NewRat(2, 1), big.NewRat(4, 1), big.NewRat(8, 1)}

// enlarged tries w with one matrix, or all, multiplied by a factor; only restricts it to one.
func (m *minimiser) enlarged(w witness.Witness, only string) bool {
	names := []string{only}
	if only == "" {
		for _, name := range m.names() {
			if s := m.symbol(name); s != nil && s.Kind == lang.Matrix && s.Attr&lang.Isometry == 0 {
				names = append(names, name)
			}
		}
	}
	for _, f := range factors {
		for _, name := range names {
			c := witness.Clone(w)
			for k, a := range c.Vals {
				s := m.symbol(k)
				if s == nil || s.Kind != lang.Matrix || s.Attr&lang.Isometry != 0 || name != "" && k != name {
					continue
				}
				for i, v := range a.A {
					a.A[i] = new(big.Rat).Mul(v, f)
				}
			}
			if m.try(c, "") {
				return true
			}
		}
	}
	return false
}

// without returns the best state without index k of size d.
func (m *minimiser) without(d lang.Dim, k int) witness.Witness {
	w := witness.Clone(m.best)
	w.Dims[d]--
	for name, a := range w.Vals {
		s := m.symbol(name)
		if s == nil || s.Kind != lang.Matrix {
			continue
		}
		b := witness.Matrix{}
		for i := range a.R {
			if s.Rows == d && i == k {
				continue
			}
			b.R++
			for j := range a.C {
				if s.Cols != d || j != k {
					b.A = append(b.A, a.At(i, j))
				}
			}
		}
		b.C = len(b.A) / max(1, b.R)
		w.Vals[name] = b
	}
	return w
}

func (m *minimiser) set(name string, a witness.Matrix) witness.Witness {
	w := witness.Clone(m.best)
	w.Vals[name] = a
	return w
}

// matrices replaces whole matrices by 0, I and, for an isometry, the rotations by quarters and by the angle of
// the triangle 3, 4, 5.
func (m *minimiser) matrices() bool {
	changed := false
	for _, name := range m.names() {
		s, a := m.symbol(name), m.best.Vals[name]
		if s == nil || s.Kind != lang.Matrix {
			continue
		}
		for _, b := range replacements(s, a) {
			if m.try(m.set(name, b), "") {
				changed = true
				break
			}
		}
	}
	return changed
}

func replacements(s *lang.Symbol, a witness.Matrix) []witness.Matrix {
	zero := witness.Matrix{R: a.R, C: a.C, A: make([]*big.Rat, len(a.A))}
	for i := range zero.A {
		zero.A[i] = new(big.Rat)
	}
	unit := witness.CloneMatrix(zero)
	for i := range min(a.R, a.C) {
		unit.A[i*a.C+i] = big.NewRat(1, 1)
	}
	if s.Attr&lang.Isometry == 0 {
		return []witness.Matrix{zero, unit}
	}
	out := []witness.Matrix{unit}
	for _, cs := range [][2]*big.Rat{{new(big.Rat), one}, {big.NewRat(4, 5), big.NewRat(3, 5)}, {big.NewRat(3, 5), big.NewRat(4, 5)}} {
		for i := range a.C {
			for j := i + 1; j < a.R; j++ {
				r := witness.CloneMatrix(unit)
				r.A[i*a.C+i], r.A[j*a.C+i] = cs[0], cs[1]
				if j < a.C {
					r.A[j*a.C+j], r.A[i*a.C+j] = cs[0], new(big.Rat).Neg(cs[1])
				}
				out = append(out, r)
			}
		}
	}
	return out
}

// number is a place in a state: a number with those tied to it by symmetry.
type number struct {
	name string
	at   int
	tied int // < 0: none
	skew bool
}

func (m *minimiser) numbers() []number {
	var out []number
	for _, name := range m.names() {
		s, a := m.symbol(name), m.best.Vals[name]
		if s == nil || s.Root != nil {
			continue
		}
		for i := range a.R {
			for j := range a.C {
				n := number{name: name, at: i*a.C + j, tied: -1}
				if s.Kind == lang.Matrix && s.Attr&(lang.Symmetric|lang.Skew) != 0 && i != j {
					if i > j {
						continue
					}
					n.tied, n.skew = j*a.C+i, s.Attr&lang.Skew != 0
				}
				out = append(out, n)
			}
		}
	}
	return out
}

func (n number) in(w witness.Witness) *big.Rat { return w.Vals[n.name].A[n.at] }

func (n number) put(w witness.Witness, v *big.Rat) {
	a := w.Vals[n.name].A
	a[n.at] = v
	if n.tied >= 0 {
		a[n.tied] = v
		if n.skew {
			a[n.tied] = new(big.Rat).Neg(v)
		}
	}
}

func (m *minimiser) with(n number, v *big.Rat) witness.Witness {
	w := witness.Clone(m.best)
	n.put(w, v)
	return w
}

func (m *minimiser) zeros() bool {
	changed := false
	for _, n := range m.numbers() {
		if m.spent() {
			break
		}
		if n.in(m.best).Sign() == 0 {
			continue
		}
		w := m.with(n, new(big.Rat))
		if m.try(w, n.name) || m.symbol(n.name).Kind == lang.Matrix && m.enlarged(w, n.name) {
			changed = true
		}
	}
	return changed
}

func (m *minimiser) simpler() bool {
	changed := false
	for _, n := range m.numbers() {
		if m.spent() {
			break
		}
		for _, v := range Simpler(n.in(m.best)) {
			if m.try(m.with(n, v), n.name) {
				changed = true
				break
			}
		}
	}
	return changed
}

// roots gives a root another value, the scalar it depends on solved for, and the other scalars the simplest
// values at the same time.
func (m *minimiser) roots() bool {
	for _, name := range m.names() {
		if s := m.symbol(name); s == nil || s.Root == nil {
			continue
		}
		for _, r := range easy() {
			if r.Sign() < 0 {
				continue
			}
			for _, other := range m.names() {
				if m.spent() {
					return false
				}
				o := m.symbol(other)
				if o == nil || o.Kind != lang.Scalar || o.Root != nil {
					continue
				}
				for _, v := range easy()[:rootPartners] {
					if !o.Domain.Contains(v) {
						continue
					}
					for _, w := range chart.WithRoot(m.part, m.with(number{name: other, tied: -1}, v), name, other, r) {
						if m.try(w, "") {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

// rootPartners is the number of simple values that are tried together with a root's.
const rootPartners = 16

// pairs changes two numbers at once, to zero or to two of the simplest numbers. It helps where an equation or
// a product ties two numbers, so that neither can change alone.
func (m *minimiser) pairs() bool {
	values := append([]*big.Rat{new(big.Rat)}, easy()[:pairedValues]...)
	ns := m.numbers()
	for i, a := range ns {
		for _, b := range ns[i+1:] {
			if m.spent() {
				return false
			}
			x0, y0 := a.in(m.best), b.in(m.best)
			before := weight(a, x0) + weight(b, y0)
			if before == 0 {
				continue
			}
			for _, x := range values {
				for _, y := range values {
					if x.Cmp(x0) == 0 || y.Cmp(y0) == 0 || weight(a, x)+weight(b, y) >= before {
						continue
					}
					w := m.with(a, x)
					b.put(w, y)
					if m.try(w, "") {
						return true
					}
				}
			}
		}
	}
	return false
}

// pairedValues is the number of simple fractions that are tried for each of two numbers at once.
const pairedValues = 18

// weight is what a number adds to the size of a state, a nonzero number first.
func weight(n number, x *big.Rat) float64 {
	const nonzero = 1e6
	c := witness.Cost(x)
	if x.Sign() != 0 {
		c += nonzero
	}
	if n.tied >= 0 {
		c *= 2
	}
	return c
}
