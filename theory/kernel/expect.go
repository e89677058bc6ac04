package kernel

// The expectation of a quadratic in the random columns. The term is multiplied out into summands, without structure
// and without collecting like ones; everything without a random column stays as it is. Each summand has to have no
// random column or two.

// summand is scalars·tr(w₁)·tr(w₂)·…·w with words w; a scalar has no word of its own.
type summand struct {
	scalars []*Term
	traces  [][]link
	word    []link
	columns int // random columns in all of it
}

// link is a factor of a word: a random column, its transpose, or a matrix without random columns.
type link struct {
	term            *Term
	column, flipped bool
}

// expect is E of a term: linear, with E[a·bᵀ] the declared moment.
func (d *Dynamics) expect(u unfolding) unfolding {
	e := expectation{d: d, sig: u.term.sig, memo: map[*Term][]summand{}, fixed: map[*Term]bool{}}
	lists := [][]*Term{e.constants(u)}
	columns := map[*Symbol]bool{}
	for _, x := range d.atoms(u) {
		if x.head == Letter {
			columns[x.sym] = random(x.sym)
		}
	}
	for _, k := range d.order {
		// Columns without a moment where it is declared to be have no expectations.
		if columns[k[0]] && columns[k[1]] {
			m := d.remove(d.moments[k], 0)
			lists = append(lists, []*Term{m.term}, m.also)
		}
	}
	var means []*Term
	for _, m := range e.expand(u.term) {
		means = append(means, e.mean(m))
	}
	return unfolding{e.sig.total(means), d.union(lists...)}
}

// total is the sum of terms, by halves so that it is shallow.
func (s *Signature) total(ts []*Term) *Term {
	if len(ts) == 1 {
		return ts[0]
	}
	h := len(ts) / 2
	return s.add(s.total(ts[:h]), s.total(ts[h:]))
}

// expectation is one E being taken.
type expectation struct {
	d     *Dynamics
	sig   *Signature
	memo  map[*Term][]summand
	fixed map[*Term]bool // known to mention no random column
}

// constant reports whether a term mentions no random column.
func (e *expectation) constant(t *Term) bool {
	if c, ok := e.fixed[t]; ok {
		return c
	}
	c := t.sym == nil || !random(t.sym)
	for _, a := range t.args {
		c = e.constant(a) && c
	}
	e.fixed[t] = c
	return c
}

// constants lists the largest subterms without random columns, which need values, and refuses what has none at
// some value of a column.
func (e *expectation) constants(u unfolding) (list []*Term) {
	seen := map[*Term]bool{}
	var walk func(*Term)
	walk = func(t *Term) {
		if seen[t] {
			return
		}
		seen[t] = true
		e.d.charge(1)
		switch {
		case e.constant(t):
			list = append(list, t)
			return
		case t.head == Reciprocal || t.head == Root || t.head == Inverse:
			// Soundness: it is not linear in its argument, and need not have a value.
			refuse("E of a random divisor, radicand or inverse")
		}
		for _, a := range t.args {
			walk(a)
		}
	}
	walk(u.term)
	for _, x := range u.also {
		walk(x)
	}
	return list
}

// expand multiplies a term out.
func (e *expectation) expand(t *Term) []summand {
	if out, ok := e.memo[t]; ok {
		return out
	}
	e.d.charge(1)
	var out []summand
	switch {
	case e.constant(t) && t.scalar:
		out = []summand{{scalars: []*Term{t}}}
	case e.constant(t):
		out = []summand{{word: []link{{term: t}}}}
	case t.head == Letter:
		out = []summand{{word: []link{{term: t, column: true}}, columns: 1}}
	case t.head == Sum:
		a, b := e.expand(t.args[0]), e.expand(t.args[1])
		e.room(len(a) + len(b))
		out = append(append(out, a...), b...)
	case t.head == Product:
		out = e.cross(e.expand(t.args[0]), e.expand(t.args[1]))
	case t.head == Power && t.n == 0:
		out = e.expand(e.sig.unit(t))
	case t.head == Power:
		a := e.expand(t.args[0])
		out = a
		// A third power has a summand of three random columns, which cross refuses.
		for k := 1; k < t.n; k++ {
			out = e.cross(out, a)
		}
	case t.head == Trace:
		for _, m := range e.expand(t.args[0]) {
			e.long(m)
			m.traces = append(append([][]link(nil), m.traces...), m.word)
			m.word = nil
			out = append(out, m)
		}
	case t.head == Transpose:
		for _, m := range e.expand(t.args[0]) {
			e.long(m)
			m.word = e.transposed(m.word)
			out = append(out, m)
		}
	default:
		if t.head == Kronecker {
			e.cross(e.expand(t.args[0]), e.expand(t.args[1])) // refuses what has no meaning in any order of the factors
		}
		// RowStack and Kronecker are linear, but words cannot hold their factors apart.
		exceed("E does not go into %s of a random column", t.head)
	}
	e.memo[t] = out
	return out
}

// long counts the factors of a summand as work: a few summands may be products of any length.
func (e *expectation) long(m summand) {
	n := len(m.scalars) + len(m.word)
	for _, w := range m.traces {
		n += 1 + len(w)
	}
	e.d.charge(n)
}

// room requires that so many summands may be made.
func (e *expectation) room(n int) {
	if n > MaxMonomials {
		exceed("more than %d summands under E", MaxMonomials)
	}
	e.d.charge(n)
}

// unit is the one of a's shape.
func (s *Signature) unit(a *Term) *Term {
	if a.scalar {
		return s.integer(1)
	}
	return s.identity(a.rows)
}

// cross multiplies two sums. A scalar has no word, so that words are strung together whatever the shapes.
func (e *expectation) cross(as, bs []summand) (out []summand) {
	e.room(len(as) * len(bs))
	for _, a := range as {
		for _, b := range bs {
			e.long(a)
			e.long(b)
			m := summand{
				scalars: append(append([]*Term(nil), a.scalars...), b.scalars...),
				traces:  append(append([][]link(nil), a.traces...), b.traces...),
				word:    append(append([]link(nil), a.word...), b.word...),
				columns: a.columns + b.columns,
			}
			// Soundness: the columns of the whole summand count, traces and scalar factors included; a product of two
			// expectations is not the expectation of a product.
			if m.columns > 2 {
				refuse("E of more than two random columns in one product")
			}
			out = append(out, m)
		}
	}
	return out
}

// transposed is the transpose of a word.
func (e *expectation) transposed(w []link) []link {
	out := make([]link, len(w))
	for i, l := range w {
		if l.column {
			l.flipped = !l.flipped
		} else {
			l.term = e.sig.transpose(l.term)
		}
		out[len(w)-1-i] = l
	}
	return out
}

// mean is the expectation of a summand.
func (e *expectation) mean(m summand) *Term {
	scalars := m.scalars
	words := append(append([][]link(nil), m.traces...), m.word) // the last one is no trace
	last := len(words) - 1
	switch m.columns {
	case 0:
	case 2:
		i := 0
		for columnOf(words[i], 0) < 0 {
			i++
		}
		w := words[i]
		at := columnOf(w, 0)
		if columnOf(w, at+1) < 0 {
			// The other column is in a later word; the trace of this one, a number, goes to its side.
			words = append(words[:i:i], words[i+1:]...)
			last--
			for i = 0; columnOf(words[i], 0) < 0; i++ {
			}
			words[i] = joined(words[i], rotated(w, at))
		}
		w, scalar := e.paired(words[i])
		if scalar != nil {
			scalars = append(append([]*Term(nil), scalars...), scalar)
		}
		if len(w) == 0 && i == last {
			// All of a 1×1 matrix went into the scalar.
			w = []link{{term: e.sig.identity("1")}}
		}
		words[i] = w
	default:
		refuse("E of one random column, whose mean is not declared")
	}
	var t *Term
	put := func(x *Term) {
		if t == nil {
			t = x
		} else {
			t = e.sig.mul(t, x)
		}
	}
	for _, x := range scalars {
		put(x)
	}
	for i, w := range words {
		if len(w) == 0 {
			continue
		}
		x := e.product(w)
		if i < last {
			x = e.sig.trace(x)
		}
		put(x)
	}
	return t
}

// columnOf is the first place from i on where w has a random column, -1 if there is none.
func columnOf(w []link, i int) int {
	for ; i < len(w); i++ {
		if w[i].column {
			return i
		}
	}
	return -1
}

// rotated writes the trace of a word with a random column a at a place, tr(P·a·R) or tr(P·aᵀ·R), as a 1×1 word: R·P·a or
// aᵀ·R·P.
func rotated(w []link, at int) []link {
	around := append(append([]link(nil), w[at+1:]...), w[:at]...)
	if w[at].flipped {
		return append([]link{w[at]}, around...)
	}
	return append(around, w[at])
}

// joined puts a 1×1 word beside the random column of another word, on the side where that is one wide.
func joined(w, number []link) []link {
	at := columnOf(w, 0)
	if !w[at].flipped {
		at++
	}
	out := append(append([]link(nil), w[:at]...), number...)
	return append(out, w[at:]...)
}

// paired replaces the two random columns of a word by their moment: the word that is left, and a scalar factor if
// there is one.
func (e *expectation) paired(w []link) (left []link, scalar *Term) {
	i := columnOf(w, 0)
	j := columnOf(w, i+1)
	x, y := w[i], w[j]
	p, q, r := w[:i:i], w[i+1:j:j], w[j+1:]
	switch {
	case x.flipped && !y.flipped:
		// P·xᵀ·Q·y·R = tr(Q·E[y·xᵀ])·P·R
		scalar = e.sig.trace(e.product(append(q, link{term: e.moment(y.term, x.term)})))
		return append(p, r...), scalar
	case x.flipped:
		// P·xᵀ·Q·yᵀ·R = P·Qᵀ·E[x·yᵀ]·R, since xᵀ·Q is 1×1
		p, q = append(p, e.transposed(q)...), nil
	case y.flipped:
		// P·x·Q·yᵀ·R = tr(Q)·P·E[x·yᵀ]·R, since Q is 1×1
		if len(q) > 0 {
			scalar = e.sig.trace(e.product(q))
		}
		q = nil
	}
	// P·x·Q·y·R = P·E[x·yᵀ]·Qᵀ·R, since Q·y is 1×1
	p = append(append(p, link{term: e.moment(x.term, y.term)}), e.transposed(q)...)
	return append(p, r...), scalar
}

// product multiplies a word without random columns, by halves so that it is shallow.
func (e *expectation) product(w []link) *Term {
	if len(w) == 1 {
		return w[0].term
	}
	h := len(w) / 2
	return e.sig.mul(e.product(w[:h]), e.product(w[h:]))
}

// moment is E[a·bᵀ].
func (e *expectation) moment(a, b *Term) *Term {
	m := e.d.moments[[2]*Symbol{a.sym, b.sym}]
	turned := m == nil
	if turned {
		m = e.d.moments[[2]*Symbol{b.sym, a.sym}]
	}
	if m == nil {
		// Soundness: a centred column has mean zero given the data point and is independent of the other columns.
		if a != b && (a.sym.class == Centred || b.sym.class == Centred) {
			return e.sig.zero(a.rows, b.rows)
		}
		refuse("the moment of %s and %s is not declared", a.sym.name, b.sym.name)
	}
	m = e.d.remove(m, 0).term
	if turned {
		return e.sig.transpose(m)
	}
	return m
}
