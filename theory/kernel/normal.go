package kernel

import (
	"encoding/binary"
	"math/big"
	"sort"
	"strings"
)

// The normal form of pure terms. A scalar is a polynomial over ℚ whose generators are scalar letters, sizes,
// reciprocals, roots and traces of words; a matrix is a sum of words, each with a polynomial as coefficient. A
// word is a product of letters and inverses, reduced by the structure that the context's hypotheses give to
// letters; a Kronecker product is a list of words, one a leg.
//
// Soundness: two terms with one normal form have one value at every state at which the context's hypotheses hold
// and all divisors, radicands and inverses of both terms have values. Nothing here is complete: terms of different
// normal form may be equal.

// mono is a product of powers of generators: pairs of generator and exponent, 4 bytes each, sorted by generator.
type mono string

// poly is a sum of monomials with coefficients that are not zero.
type poly map[mono]*big.Rat

// generator is what a monomial is a product of. Generators are numbered in the order in which they were met, so
// that the argument of a reciprocal or root mentions elder generators only.
type generator struct {
	head Head  // Letter, Size, Reciprocal, Root or Trace
	rep  *Term // of Letter, Size and Root
	of   poly  // argument of Reciprocal or Root
	word word  // of Trace
	only int   // the generator that the argument of a Reciprocal is, or -1
}

// matrixLetter is what a word is a product of: a symbol or an opaque inverse.
type matrixLetter struct {
	rep        *Term
	rows, cols Dim
	structure
	base int // the letter an inverse is the inverse of, or -1
}

// word is a product of letters: 4 bytes each, twice the letter's number plus one if it is transposed.
type word string

// leg is one factor of a Kronecker product; a plain matrix has one.
type leg struct {
	word       word
	rows, cols Dim
}

// stacking says how a matrix is stored.
type stacking uint8

const (
	plain   stacking = iota
	column           // rvec of the one leg
	flatRow          // the transpose of that
)

type entry struct {
	legs  []leg
	stack stacking
	coef  poly
}

// matrix is a sum of entries, by the text of their legs.
type matrix map[string]*entry

type normaliser struct {
	sig        *Signature
	shape      map[*Symbol]structure
	work       int // products of monomials left to the current application of a rule
	gens       []generator
	genIndex   map[string]int
	letters    []matrixLetter
	letterFor  map[string]int
	scalarMemo map[*Term]poly
	matrixMemo map[*Term]matrix
}

func newNormaliser(s *Signature, shape map[*Symbol]structure) *normaliser {
	return &normaliser{sig: s, shape: shape, work: MaxProducts, genIndex: map[string]int{}, letterFor: map[string]int{},
		scalarMemo: map[*Term]poly{}, matrixMemo: map[*Term]matrix{}}
}

// charge pays for work that takes as long as so many products of monomials with small coefficients. Long words, long
// monomials and long coefficients cost more than short ones: their number alone bounds no time.
func (n *normaliser) charge(products int) {
	n.sig.spend(products)
	if n.work -= products; n.work < 0 {
		refuse("more work than %d products of monomials in one step", MaxProducts)
	}
}

// isZero reports whether a pure term is zero wherever the context holds and all its divisors, radicands and
// inverses have values.
func (n *normaliser) isZero(t *Term) bool {
	if t.scalar {
		return n.vanishes(n.scalar(t))
	}
	for _, e := range n.matrix(t) {
		if !n.vanishes(e.coef) {
			return false
		}
	}
	return true
}

// constant returns the number that the scalar t is, if its normal form is one.
func (n *normaliser) constant(t *Term) (*big.Rat, bool) {
	p := n.scalar(t)
	switch {
	case len(p) == 0:
		return new(big.Rat), true
	case len(p) == 1 && p[""] != nil:
		return new(big.Rat).Set(p[""]), true
	}
	return nil, false
}

// vanishes decides whether a polynomial is zero. From the youngest generator to the eldest, a reciprocal 1/d is
// multiplied away by a power of d, and even powers of a root are replaced by its radicand.
//
// Soundness: d ≠ 0 wherever the terms have values, so that p is zero where d^k·p is; and root(q)² = q.
func (n *normaliser) vanishes(p poly) bool {
	below := len(n.gens)
	for len(p) > 0 {
		youngest := -1
		n.charge(len(p))
		for m := range p {
			n.charge(len(m) / 256)
			for i := 0; i < len(m); i += 8 {
				g := int(binary.BigEndian.Uint32([]byte(m[i : i+4])))
				if h := n.gens[g].head; g < below && g > youngest && (h == Reciprocal || h == Root) {
					youngest = g
				}
			}
		}
		if youngest < 0 {
			return false
		}
		p = n.eliminate(p, youngest)
		below = youngest
	}
	return true
}

// eliminate multiplies the reciprocal g away, or reduces the powers of the root g to at most the first.
func (n *normaliser) eliminate(p poly, g int) poly {
	top := 0
	for m := range p {
		top = max(top, exponent(m, g))
	}
	highest := top
	if n.gens[g].head == Root {
		highest = top / 2
	}
	powers := []poly{one()}
	for len(powers) <= highest {
		powers = append(powers, n.times(powers[len(powers)-1], n.gens[g].of))
	}
	out := poly{}
	for m, c := range p {
		k := exponent(m, g)
		rest := without(m, g)
		var factor poly
		switch {
		case n.gens[g].head == Reciprocal:
			factor = powers[top-k]
		case k%2 == 1:
			rest = n.monoTimes(rest, generatorPower(g, 1))
			fallthrough
		default:
			factor = powers[k/2]
		}
		n.accumulate(out, n.times(poly{rest: c}, factor))
	}
	return out
}

// Monomials.

func generatorPower(g, k int) mono {
	var b [8]byte
	binary.BigEndian.PutUint32(b[:4], uint32(g))
	binary.BigEndian.PutUint32(b[4:], uint32(k))
	return mono(b[:])
}

func part(m mono, i int) (g, k int) {
	return int(binary.BigEndian.Uint32([]byte(m[i : i+4]))), int(binary.BigEndian.Uint32([]byte(m[i+4 : i+8])))
}

// exponent is that of a generator, by halving: generators ascend in a monomial.
func exponent(m mono, g int) int {
	at := 8 * sort.Search(len(m)/8, func(i int) bool {
		h, _ := part(m, 8*i)
		return h >= g
	})
	if at < len(m) {
		if h, k := part(m, at); h == g {
			return k
		}
	}
	return 0
}

func without(m mono, g int) mono {
	for i := 0; i < len(m); i += 8 {
		if h, _ := part(m, i); h == g {
			return m[:i] + m[i+8:]
		}
	}
	return m
}

// monoTimes multiplies two monomials; a generator cancels against its reciprocal.
func (n *normaliser) monoTimes(a, b mono) mono {
	if a == "" {
		return b
	}
	if b == "" {
		return a
	}
	n.charge((len(a) + len(b)) / 128)
	out := make([]byte, 0, len(a)+len(b))
	cancel := false
	put := func(g, k int) {
		if k > MaxExponent {
			refuse("an exponent above %d", MaxExponent)
		}
		out = append(out, generatorPower(g, k)...)
		cancel = cancel || n.gens[g].only >= 0
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		if j == len(b) {
			put(part(a, i))
			i += 8
			continue
		}
		if i == len(a) {
			put(part(b, j))
			j += 8
			continue
		}
		g, k := part(a, i)
		h, l := part(b, j)
		switch {
		case g < h:
			put(g, k)
			i += 8
		case h < g:
			put(h, l)
			j += 8
		default:
			put(g, k+l)
			i, j = i+8, j+8
		}
	}
	m := mono(out)
	if !cancel {
		return m
	}
	gone := map[int]int{}
	for i := 0; i < len(m); i += 8 {
		g, k := part(m, i)
		if only := n.gens[g].only; only >= 0 {
			// A generator has one reciprocal, and a reciprocal none.
			c := min(k, exponent(m, only))
			gone[g], gone[only] = c, c
		}
	}
	out = out[:0]
	for i := 0; i < len(m); i += 8 {
		if g, k := part(m, i); k > gone[g] {
			out = append(out, generatorPower(g, k-gone[g])...)
		}
	}
	return mono(out)
}

// Polynomials.

func one() poly { return poly{"": big.NewRat(1, 1)} }

func constantPoly(c *big.Rat) poly {
	if c.Sign() == 0 {
		return poly{}
	}
	return poly{"": c}
}

// put adds c·m to p, which the caller owns; paid is what c was charged.
func (n *normaliser) put(p poly, m mono, c *big.Rat, paid int) {
	s := c
	if have := p[m]; have != nil {
		n.charge(max(0, effort(max(words(have), words(c)))-paid))
		s = new(big.Rat).Add(have, c)
	}
	if s.Sign() == 0 {
		delete(p, m)
		return
	}
	if s.Num().BitLen() > MaxBits || s.Denom().BitLen() > MaxBits {
		refuse("a coefficient of more than %d bits", MaxBits)
	}
	p[m] = s
	if len(p) > MaxMonomials {
		refuse("a normal form of more than %d monomials", MaxMonomials)
	}
}

func (n *normaliser) accumulate(p, q poly) {
	n.charge(len(q)) // a sum takes as much as a product of so many monomials
	for m, c := range q {
		n.put(p, m, c, 0)
	}
}

func (n *normaliser) times(p, q poly) poly {
	n.charge(len(p) * len(q))
	out := poly{}
	for a, c := range p {
		for b, d := range q {
			price := effort(words(c) + words(d))
			n.charge(price)
			n.put(out, n.monoTimes(a, b), new(big.Rat).Mul(c, d), price)
		}
	}
	return out
}

func (n *normaliser) power(p poly, k int) poly {
	out := one()
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			out = n.times(out, p)
		}
		if k > 1 {
			p = n.times(p, p)
		}
	}
	return out
}

// sortedMonos lists the monomials of p in a fixed order.
func sortedMonos(p poly) []mono {
	ms := make([]mono, 0, len(p))
	for m := range p {
		ms = append(ms, m)
	}
	sort.Slice(ms, func(i, j int) bool { return ms[i] < ms[j] })
	return ms
}

// text is a name of the polynomial: equal for equal polynomials only.
func (n *normaliser) text(p poly) string {
	var b strings.Builder
	for _, m := range sortedMonos(p) {
		n.charge(1 + len(m)/128 + effort(words(p[m])))
		b.WriteString(p[m].RatString())
		b.WriteByte('.')
		b.WriteString(string(binary.BigEndian.AppendUint32(nil, uint32(len(m)))))
		b.WriteString(string(m))
	}
	return b.String()
}

// generator returns the number of the generator called text.
func (n *normaliser) generator(text string, make func() generator) int {
	if g, ok := n.genIndex[text]; ok {
		return g
	}
	g := make()
	n.gens = append(n.gens, g)
	n.genIndex[text] = len(n.gens) - 1
	return len(n.gens) - 1
}

func (n *normaliser) scalar(t *Term) poly {
	if p, ok := n.scalarMemo[t]; ok {
		return p
	}
	p := n.scalarOf(t)
	n.scalarMemo[t] = p
	return p
}

// single is the polynomial of one generator.
func (n *normaliser) single(text string, g func() generator) poly {
	return poly{generatorPower(n.generator(text, g), 1): big.NewRat(1, 1)}
}

func (n *normaliser) scalarOf(t *Term) poly {
	switch t.head {
	case Number:
		return constantPoly(t.num)
	case Letter:
		return n.single("x"+string(binary.BigEndian.AppendUint32(nil, t.id)), func() generator { return generator{head: Letter, rep: t, only: -1} })
	case Size:
		return n.size(t.dim)
	case Sum:
		out := poly{}
		n.accumulate(out, n.scalar(t.args[0]))
		n.accumulate(out, n.scalar(t.args[1]))
		return out
	case Product:
		return n.times(n.scalar(t.args[0]), n.scalar(t.args[1]))
	case Power:
		return n.power(n.scalar(t.args[0]), t.n)
	case Trace:
		return n.traceOf(n.matrix(t.args[0]))
	case Reciprocal:
		return n.reciprocalOf(t.args[0])
	case Root:
		return n.rootOf(n.scalar(t.args[0]), t)
	}
	refuse("%s has no normal form", t.head)
	return nil
}

// size is the product of the sizes of a dimension.
func (n *normaliser) size(d Dim) poly {
	out := one()
	for _, l := range d.Legs() {
		rep := n.sig.sizeOf(Dim(l))
		out = n.times(out, n.single("s"+l, func() generator { return generator{head: Size, rep: rep, only: -1} }))
	}
	return out
}

// reciprocalOf is 1/d. Products, powers, numbers and inner reciprocals are taken apart.
//
// Soundness: if a·b ≠ 0 then a ≠ 0 and b ≠ 0.
func (n *normaliser) reciprocalOf(d *Term) poly {
	switch d.head {
	case Product:
		return n.times(n.reciprocalOf(d.args[0]), n.reciprocalOf(d.args[1]))
	case Power:
		if d.n > 0 {
			return n.power(n.reciprocalOf(d.args[0]), d.n)
		}
	case Reciprocal:
		return n.scalar(d.args[0])
	}
	return n.invert(n.scalar(d))
}

// invert is 1/p: the common factors of its monomials and its leading number come out, the rest is a generator.
func (n *normaliser) invert(p poly) poly {
	ms := sortedMonos(p)
	if len(ms) == 0 {
		refuse("division by zero")
	}
	common := ms[0]
	for _, m := range ms[1:] {
		n.charge(1 + len(common)/64)
		common = shared(common, m)
	}
	lead := p[ms[len(ms)-1]]
	out := constantPoly(new(big.Rat).Inv(lead))
	for i := 0; i < len(common); i += 8 {
		g, k := part(common, i)
		out = n.times(out, n.power(n.invertGenerator(g), k))
	}
	if len(ms) == 1 {
		return out
	}
	rest := poly{}
	for _, m := range ms {
		price := effort(words(p[m]) + words(lead))
		n.charge(price)
		n.put(rest, divide(m, common), new(big.Rat).Quo(p[m], lead), price)
	}
	return n.times(out, n.single("r"+n.text(rest), func() generator {
		return generator{head: Reciprocal, of: rest, only: -1}
	}))
}

func (n *normaliser) invertGenerator(g int) poly {
	if n.gens[g].head == Reciprocal {
		return n.gens[g].of
	}
	of := poly{generatorPower(g, 1): big.NewRat(1, 1)}
	return n.single("r"+n.text(of), func() generator {
		return generator{head: Reciprocal, of: of, only: g}
	})
}

// shared is the greatest common divisor of two monomials.
func shared(a, b mono) mono {
	var out []byte
	for i := 0; i < len(a); i += 8 {
		g, k := part(a, i)
		if l := min(k, exponent(b, g)); l > 0 {
			out = append(out, generatorPower(g, l)...)
		}
	}
	return mono(out)
}

// divide is m/d for a divisor d of m.
func divide(m, d mono) mono {
	var out []byte
	for i := 0; i < len(m); i += 8 {
		g, k := part(m, i)
		if l := k - exponent(d, g); l > 0 {
			out = append(out, generatorPower(g, l)...)
		}
	}
	return mono(out)
}

// rootOf is the nonnegative root of q. Only roots of square numbers are taken: root(x²) is |x|, not x.
func (n *normaliser) rootOf(q poly, t *Term) poly {
	if len(q) == 0 {
		return poly{}
	}
	if c := q[""]; c != nil && len(q) == 1 && c.Sign() > 0 {
		n.charge(effort(words(c)))
		num, den := new(big.Int).Sqrt(c.Num()), new(big.Int).Sqrt(c.Denom())
		r := new(big.Rat).SetFrac(num, den)
		if new(big.Rat).Mul(r, r).Cmp(c) == 0 {
			return constantPoly(r)
		}
	}
	return n.single("q"+n.text(q), func() generator { return generator{head: Root, rep: t, of: q, only: -1} })
}

// Words.

func code(letter int, transposed bool) uint32 {
	c := uint32(letter) << 1
	if transposed {
		c |= 1
	}
	return c
}

func (w word) codes() []uint32 {
	out := make([]uint32, len(w)/4)
	for i := range out {
		out[i] = binary.BigEndian.Uint32([]byte(w[4*i : 4*i+4]))
	}
	return out
}

func packed(cs []uint32) word {
	b := make([]byte, 0, 4*len(cs))
	for _, c := range cs {
		b = binary.BigEndian.AppendUint32(b, c)
	}
	return word(b)
}

// rowsOf and colsOf are the shape of one letter of a word.
func (n *normaliser) rowsOf(c uint32) Dim {
	l := &n.letters[c>>1]
	if c&1 == 1 {
		return l.cols
	}
	return l.rows
}

func (n *normaliser) colsOf(c uint32) Dim { return n.rowsOf(c ^ 1) }

// upright drops the transposition of a symmetric or antisymmetric letter.
func (n *normaliser) upright(c uint32) (d uint32, negative bool) {
	if c&1 == 0 {
		return c, false
	}
	l := &n.letters[c>>1]
	switch {
	case l.symmetric:
		return c &^ 1, false
	case l.skew:
		return c &^ 1, true
	}
	return c, false
}

// annihilate reports whether the product of two neighbouring letters is plus or minus the identity.
//
// Soundness: A·A⁻¹ = A⁻¹·A = I; UᵀU = I for a declared isometry, and then UUᵀ = I if U is square.
func (n *normaliser) annihilate(a, b uint32) (gone, negative bool) {
	la, lb := &n.letters[a>>1], &n.letters[b>>1]
	if a&1 == b&1 && (la.base >= 0 && la.base == int(b>>1) || lb.base >= 0 && lb.base == int(a>>1)) {
		return true, false
	}
	if a>>1 != b>>1 || !la.isometry {
		return false, false
	}
	switch {
	case la.symmetric:
		return true, false
	case la.skew:
		return true, true
	case a&1 == 1 && b&1 == 0, a&1 == 0 && b&1 == 1 && la.rows == la.cols:
		return true, false
	}
	return false, false
}

// place is where a diagonal letter stands in a run of diagonal letters: beside its inverse.
func (n *normaliser) place(c uint32) int {
	if b := n.letters[c>>1].base; b >= 0 {
		return b
	}
	return int(c >> 1)
}

// reduce brings a product of letters to its reduced form, up to sign.
func (n *normaliser) reduce(cs []uint32) (out []uint32, negative bool) {
	if len(cs) > MaxExponent {
		refuse("a word of more than %d letters", MaxExponent)
	}
	n.charge(len(cs) / 4)
	for _, c := range cs {
		c, neg := n.upright(c)
		negative = negative != neg
		at := len(out)
		if n.letters[c>>1].diagonal {
			// Soundness: diagonal matrices of one shape commute.
			for at > 0 && n.letters[out[at-1]>>1].diagonal && n.place(out[at-1]) > n.place(c) {
				at--
			}
		}
		if at > 0 {
			if gone, neg := n.annihilate(out[at-1], c); gone {
				out = append(out[:at-1], out[at:]...)
				negative = negative != neg
				// What stands on both sides of the gap may now cancel in turn.
				if at-1 < len(out) && at > 1 {
					rest := append([]uint32(nil), out[at-1:]...)
					out = out[:at-1]
					more, neg := n.reduce(append(out, rest...))
					out, negative = more, negative != neg
				}
				continue
			}
		}
		n.charge((len(out) - at) / 4)
		out = append(out, 0)
		copy(out[at+1:], out[at:])
		out[at] = c
	}
	return out, negative
}

// flip is the transposed product of letters.
func flip(cs []uint32) []uint32 {
	out := make([]uint32, len(cs))
	for i, c := range cs {
		out[len(cs)-1-i] = c ^ 1
	}
	return out
}

// product multiplies the words of one leg. Scalars between two cuts of width one come out as traces: in
// x·(yᵀAz)·wᵀ the middle is a number.
func (n *normaliser) product(cs []uint32) (w word, coef poly) {
	cs, negative := n.reduce(cs)
	coef = one()
	for {
		first, last := -1, -1
		for i := 1; i < len(cs); i++ {
			if n.rowsOf(cs[i]) == "1" {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if len(cs) > 0 && n.rowsOf(cs[0]) == "1" {
			first = 0
		}
		if len(cs) > 0 && n.colsOf(cs[len(cs)-1]) == "1" {
			last = len(cs)
		}
		if first < 0 || last <= first {
			break
		}
		coef = n.times(coef, n.traceOfWord(cs[first:last], "1"))
		rest, neg := n.reduce(append(append([]uint32(nil), cs[:first]...), cs[last:]...))
		cs, negative = rest, negative != neg
	}
	if negative {
		coef = n.times(coef, constantPoly(big.NewRat(-1, 1)))
	}
	return packed(cs), coef
}

// traceOfWord is the trace of a product of letters, dim its shape if it is empty. The word is brought to the least
// of its rotations and of those of its transpose.
//
// Soundness: tr(AB) = tr(BA), tr(A) = tr(Aᵀ); a word that is minus itself has trace zero.
func (n *normaliser) traceOfWord(cs []uint32, dim Dim) poly {
	cs, negative := n.reduce(cs)
	for again := true; again && len(cs) > 1; {
		again = false
		for i := 1; i < len(cs); i++ {
			turned, neg := n.reduce(append(append([]uint32(nil), cs[i:]...), cs[:i]...))
			if len(turned) < len(cs) {
				if len(turned) == 0 {
					// What is left is the identity at the place of the cut.
					dim = n.rowsOf(cs[i])
				}
				cs, negative, again = turned, negative != neg, true
				break
			}
		}
	}
	sign := constantPoly(big.NewRat(1, 1))
	if negative {
		sign = constantPoly(big.NewRat(-1, 1))
	}
	if len(cs) == 0 {
		return n.times(sign, n.size(dim))
	}
	// Cuts of width one split the trace into a product of numbers.
	var cuts []int
	for i, c := range cs {
		if n.rowsOf(c) == "1" {
			cuts = append(cuts, i)
		}
	}
	if len(cuts) > 1 {
		out := sign
		for j, at := range cuts {
			var piece []uint32
			if j+1 < len(cuts) {
				piece = cs[at:cuts[j+1]]
			} else {
				piece = append(append(piece, cs[at:]...), cs[:cuts[0]]...)
			}
			out = n.times(out, n.traceOfWord(piece, "1"))
		}
		return out
	}
	best, bestNegative, both := []uint32(nil), false, false
	consider := func(w []uint32) {
		for i := range w {
			turned, neg := n.reduce(append(append([]uint32(nil), w[i:]...), w[:i]...))
			if len(turned) < len(w) {
				refuse("a trace word that shrinks when it is turned over")
			}
			switch order := compareWords(turned, best); {
			case best == nil || order < 0:
				best, bestNegative, both = turned, neg, false
			case order == 0 && neg != bestNegative:
				both = true
			}
		}
	}
	consider(cs)
	consider(flip(cs))
	if both {
		return poly{}
	}
	if bestNegative {
		sign = n.times(sign, constantPoly(big.NewRat(-1, 1)))
	}
	w := packed(best)
	return n.times(sign, n.single("t"+string(w), func() generator {
		return generator{head: Trace, word: w, only: -1}
	}))
}

func compareWords(a, b []uint32) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	for i := range a {
		if a[i] != b[i] {
			if a[i] < b[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// Matrices.

func (n *normaliser) letter(text string, make func() matrixLetter) int {
	if l, ok := n.letterFor[text]; ok {
		return l
	}
	n.letters = append(n.letters, make())
	n.letterFor[text] = len(n.letters) - 1
	return len(n.letters) - 1
}

func legsText(legs []leg, s stacking) string {
	var b strings.Builder
	b.WriteByte('0' + byte(s))
	for _, l := range legs {
		b.WriteString(string(l.rows))
		b.WriteByte('|')
		b.WriteString(string(l.cols))
		b.WriteByte('|')
		b.WriteString(string(binary.BigEndian.AppendUint32(nil, uint32(len(l.word)))))
		b.WriteString(string(l.word))
	}
	return b.String()
}

// include adds coef·legs to m, which the caller owns.
func (n *normaliser) include(m matrix, legs []leg, s stacking, coef poly) {
	if len(coef) == 0 {
		return
	}
	n.charge(len(legs) / 4)
	key := legsText(legs, s)
	e := m[key]
	if e == nil {
		e = &entry{legs: legs, stack: s, coef: poly{}}
		m[key] = e
		if len(m) > MaxMonomials {
			refuse("a normal form of more than %d words", MaxMonomials)
		}
	}
	n.accumulate(e.coef, coef)
	if len(e.coef) == 0 {
		delete(m, key)
	}
}

func sortedEntries(m matrix) []*entry {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := make([]*entry, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}

func (n *normaliser) matrixText(m matrix) string {
	var b strings.Builder
	for _, e := range sortedEntries(m) {
		k := legsText(e.legs, e.stack)
		c := n.text(e.coef)
		b.WriteString(string(binary.BigEndian.AppendUint32(nil, uint32(len(k)))))
		b.WriteString(k)
		b.WriteString(string(binary.BigEndian.AppendUint32(nil, uint32(len(c)))))
		b.WriteString(c)
	}
	return b.String()
}

func (n *normaliser) matrix(t *Term) matrix {
	if m, ok := n.matrixMemo[t]; ok {
		return m
	}
	m := n.matrixOf(t)
	n.matrixMemo[t] = m
	return m
}

func (n *normaliser) matrixOf(t *Term) matrix {
	out := matrix{}
	switch t.head {
	case Letter:
		s := n.shape[t.sym]
		l := n.letter("x"+string(binary.BigEndian.AppendUint32(nil, t.id)), func() matrixLetter {
			return matrixLetter{rep: t, rows: t.rows, cols: t.cols, structure: s, base: -1}
		})
		w, coef := n.product([]uint32{code(l, false)})
		n.include(out, []leg{{w, t.rows, t.cols}}, plain, coef)
	case Identity:
		n.include(out, identityLegs(t.dim), plain, one())
	case Zero:
	case Sum:
		for _, a := range t.args {
			for _, e := range n.matrix(a) {
				n.include(out, e.legs, e.stack, e.coef)
			}
		}
	case Product:
		a, b := t.args[0], t.args[1]
		switch {
		case a.scalar || b.scalar:
			if b.scalar {
				a, b = b, a
			}
			p := n.scalar(a)
			for _, e := range n.matrix(b) {
				n.include(out, e.legs, e.stack, n.times(p, e.coef))
			}
		default:
			return n.multiply(n.matrix(a), n.matrix(b))
		}
	case Power:
		out = matrix{}
		n.include(out, identityLegs(t.rows), plain, one())
		base := n.matrix(t.args[0])
		for k := t.n; k > 0; k >>= 1 {
			if k&1 == 1 {
				out = n.multiply(out, base)
			}
			if k > 1 {
				base = n.multiply(base, base)
			}
		}
	case Transpose:
		return n.transposed(n.matrix(t.args[0]))
	case Inverse:
		return n.inverseOf(t)
	case RowStack:
		a := t.args[0]
		for _, e := range sortedEntries(n.matrix(a)) {
			switch {
			case e.stack != plain || len(e.legs) != 1 || len(a.rows.Legs()) > 1 || len(a.cols.Legs()) > 1:
				refuse("vec or rvec of a stacked matrix")
			case a.cols == "1":
				n.include(out, e.legs, plain, e.coef)
			case a.rows == "1":
				l := e.legs[0]
				w, c := n.product(flip(l.word.codes()))
				n.include(out, []leg{{w, l.cols, l.rows}}, plain, n.times(c, e.coef))
			default:
				n.include(out, e.legs, column, e.coef)
			}
		}
	case Kronecker:
		for _, x := range t.args {
			if x.rows == "1" || x.cols == "1" {
				refuse("kron of a row or a column; write the product of a column and a row instead")
			}
		}
		for _, e := range sortedEntries(n.matrix(t.args[0])) {
			for _, f := range sortedEntries(n.matrix(t.args[1])) {
				legs := append(append([]leg(nil), e.legs...), f.legs...)
				n.include(out, legs, plain, n.times(e.coef, f.coef))
			}
		}
	default:
		refuse("%s has no normal form", t.head)
	}
	return out
}

// identityLegs is the identity, one leg for each size of its dimension.
func identityLegs(d Dim) []leg {
	ls := d.Legs()
	if len(ls) == 0 {
		return []leg{{"", "1", "1"}}
	}
	legs := make([]leg, len(ls))
	for i, l := range ls {
		legs[i] = leg{"", Dim(l), Dim(l)}
	}
	return legs
}

func isIdentity(legs []leg) bool {
	for _, l := range legs {
		if l.word != "" {
			return false
		}
	}
	return true
}

func (n *normaliser) transposed(m matrix) matrix {
	out := matrix{}
	for _, e := range sortedEntries(m) {
		if e.stack != plain {
			n.include(out, e.legs, column+flatRow-e.stack, e.coef)
			continue
		}
		legs, coef := make([]leg, len(e.legs)), e.coef
		for i, l := range e.legs {
			w, c := n.product(flip(l.word.codes()))
			legs[i] = leg{w, l.cols, l.rows}
			coef = n.times(coef, c)
		}
		n.include(out, legs, plain, coef)
	}
	return out
}

func (n *normaliser) multiply(a, b matrix) matrix {
	out := matrix{}
	n.charge(len(a) * len(b))
	right := sortedEntries(b)
	for _, e := range sortedEntries(a) {
		for _, f := range right {
			coef := n.times(e.coef, f.coef)
			n.multiplyEntries(out, e, f, coef)
		}
	}
	return out
}

// multiplyEntries adds coef·e·f to out.
func (n *normaliser) multiplyEntries(out matrix, e, f *entry, coef poly) {
	join := func(parts ...[]uint32) (word, poly) {
		var cs []uint32
		for _, p := range parts {
			cs = append(cs, p...)
		}
		return n.product(cs)
	}
	switch {
	case e.stack == plain && isIdentity(e.legs):
		n.include(out, f.legs, f.stack, coef)
	case f.stack == plain && isIdentity(f.legs):
		n.include(out, e.legs, e.stack, coef)
	case e.stack == plain && f.stack == plain:
		if len(e.legs) != len(f.legs) {
			refuse("a product of a Kronecker product and a matrix that is none")
		}
		legs := make([]leg, len(e.legs))
		for i := range legs {
			l, r := e.legs[i], f.legs[i]
			if l.cols != r.rows {
				refuse("a product of Kronecker products whose factors do not multiply")
			}
			w, c := join(l.word.codes(), r.word.codes())
			legs[i] = leg{w, l.rows, r.cols}
			coef = n.times(coef, c)
		}
		n.include(out, legs, plain, coef)
	case e.stack == plain && f.stack == column && len(e.legs) == 2 && e.legs[0].cols == f.legs[0].rows && e.legs[1].cols == f.legs[0].cols:
		// (A ⊗ B)·rvec(T) = rvec(A·T·Bᵀ)
		w, c := join(e.legs[0].word.codes(), f.legs[0].word.codes(), flip(e.legs[1].word.codes()))
		n.includeStack(out, leg{w, e.legs[0].rows, e.legs[1].rows}, column, n.times(coef, c))
	case e.stack == flatRow && f.stack == plain && len(f.legs) == 2 && f.legs[0].rows == e.legs[0].rows && f.legs[1].rows == e.legs[0].cols:
		// rvec(T)ᵀ·(A ⊗ B) = rvec(Aᵀ·T·B)ᵀ
		w, c := join(flip(f.legs[0].word.codes()), e.legs[0].word.codes(), f.legs[1].word.codes())
		n.includeStack(out, leg{w, f.legs[0].cols, f.legs[1].cols}, flatRow, n.times(coef, c))
	case e.stack == flatRow && f.stack == column && e.legs[0].rows == f.legs[0].rows && e.legs[0].cols == f.legs[0].cols:
		// rvec(S)ᵀ·rvec(T) = tr(Sᵀ·T)
		s, t := e.legs[0], f.legs[0]
		tr := n.traceOfWord(append(flip(s.word.codes()), t.word.codes()...), s.cols)
		n.include(out, []leg{{"", "1", "1"}}, plain, n.times(coef, tr))
	default:
		refuse("a product of stacked matrices that is none of (A x B)*vec, vec^T*(A x B) and vec^T*vec")
	}
}

// includeStack adds coef·rvec(l); no leg of a stacked matrix has width one.
func (n *normaliser) includeStack(out matrix, l leg, s stacking, coef poly) {
	if l.rows == "1" || l.cols == "1" {
		refuse("a stacked row or column")
	}
	n.include(out, []leg{l}, s, coef)
}

func (n *normaliser) traceOf(m matrix) poly {
	out := poly{}
	for _, e := range sortedEntries(m) {
		if e.stack != plain {
			refuse("the trace of a stacked matrix")
		}
		coef := e.coef
		for _, l := range e.legs {
			if l.rows != l.cols {
				refuse("the trace of a Kronecker product whose factors are not square")
			}
			coef = n.times(coef, n.traceOfWord(l.word.codes(), l.rows))
		}
		n.accumulate(out, coef)
	}
	return out
}

// inverseOf is the inverse of a matrix: of a product of square letters taken apart, of anything else a letter of
// its own.
//
// Soundness: where the inverse of c·A·B, with A and B square, has a value, c is not zero and A and B are invertible.
func (n *normaliser) inverseOf(t *Term) matrix {
	a := t.args[0]
	m := n.matrix(a)
	out := matrix{}
	entries := sortedEntries(m)
	for _, e := range entries {
		if e.stack != plain || len(e.legs) != 1 {
			refuse("the inverse of a Kronecker product")
		}
	}
	if len(entries) == 0 {
		refuse("the inverse of zero")
	}
	if len(entries) == 1 {
		e := entries[0]
		cs := e.legs[0].word.codes()
		square := true
		for _, c := range cs {
			square = square && n.rowsOf(c) == n.colsOf(c)
		}
		if square {
			var inv []uint32
			for i := len(cs) - 1; i >= 0; i-- {
				inv = append(inv, n.inverseLetter(cs[i]))
			}
			w, coef := n.product(inv)
			n.include(out, []leg{{w, a.rows, a.cols}}, plain, n.times(coef, n.invert(e.coef)))
			return out
		}
	}
	text, flipped := n.matrixText(m), n.transposed(m)
	turned, s := false, structure{}
	other := n.matrixText(flipped)
	switch {
	case other == text:
		s.symmetric = true
	case other < text:
		text, turned = other, true
	}
	rep := t
	if turned {
		rep = n.sig.inverse(n.sig.transpose(a))
	}
	l := n.letter("i"+text, func() matrixLetter {
		return matrixLetter{rep: rep, rows: a.rows, cols: a.cols, structure: s, base: -1}
	})
	w, coef := n.product([]uint32{code(l, turned)})
	n.include(out, []leg{{w, a.rows, a.cols}}, plain, coef)
	return out
}

// inverseLetter is the inverse of one letter of a word; the inverse of an inverse is the letter itself.
func (n *normaliser) inverseLetter(c uint32) uint32 {
	l := n.letters[c>>1]
	if l.base >= 0 {
		return code(l.base, c&1 == 1)
	}
	i := n.letter("v"+string(binary.BigEndian.AppendUint32(nil, c>>1)), func() matrixLetter {
		s := l.structure
		s.isometry = false
		return matrixLetter{rep: n.sig.inverse(l.rep), rows: l.rows, cols: l.cols, structure: s, base: int(c >> 1)}
	})
	return code(i, c&1 == 1)
}

// Back to terms, for messages and for those who search.

func (n *normaliser) monoTerm(m mono, c *big.Rat) *Term {
	t := n.sig.number(c)
	for i := 0; i < len(m); i += 8 {
		g, k := part(m, i)
		f := n.generatorTerm(g)
		if k > 1 {
			f = n.sig.pow(f, k)
		}
		if t.head == Number && t.num.Cmp(big.NewRat(1, 1)) == 0 {
			t = f
		} else {
			t = n.sig.mul(t, f)
		}
	}
	return t
}

// generatorTerm is the term a generator stands for.
func (n *normaliser) generatorTerm(g int) *Term {
	switch x := &n.gens[g]; x.head {
	case Reciprocal:
		return n.sig.reciprocal(n.polyTerm(x.of))
	case Trace:
		return n.sig.trace(n.wordTerm(x.word, "1"))
	default:
		return x.rep
	}
}

// polyTerm is a term with the normal form p.
func (n *normaliser) polyTerm(p poly) *Term {
	var ts []*Term
	for _, m := range sortedMonos(p) {
		ts = append(ts, n.monoTerm(m, p[m]))
	}
	if len(ts) == 0 {
		return n.sig.integer(0)
	}
	return n.balanced(Sum, ts)
}

// balanced joins terms by a binary head in a tree of least height.
func (n *normaliser) balanced(h Head, ts []*Term) *Term {
	if len(ts) == 1 {
		return ts[0]
	}
	return n.sig.make(h, 0, n.balanced(h, ts[:len(ts)/2]), n.balanced(h, ts[len(ts)/2:]))
}

// wordTerm is the product of the letters of w; the empty word is the identity of dim.
func (n *normaliser) wordTerm(w word, dim Dim) *Term {
	var ts []*Term
	for _, c := range w.codes() {
		x := n.letters[c>>1].rep
		if c&1 == 1 {
			x = n.sig.transpose(x)
		}
		ts = append(ts, x)
	}
	if len(ts) == 0 {
		return n.sig.identity(dim)
	}
	return n.balanced(Product, ts)
}

// matrixTerm is a term with the normal form m, of the shape of like.
func (n *normaliser) matrixTerm(m matrix, like *Term) *Term {
	var ts []*Term
	for _, e := range sortedEntries(m) {
		var x *Term
		for _, l := range e.legs {
			y := n.wordTerm(l.word, l.rows)
			if x == nil {
				x = y
			} else {
				x = n.sig.make(Kronecker, 0, x, y)
			}
		}
		if e.stack != plain {
			x = n.sig.make(RowStack, 0, x)
		}
		if e.stack == flatRow {
			x = n.sig.transpose(x)
		}
		if c := n.polyTerm(e.coef); c.head != Number || c.num.Cmp(big.NewRat(1, 1)) != 0 {
			x = n.sig.mul(c, x)
		}
		ts = append(ts, x)
	}
	if len(ts) == 0 {
		return n.sig.null(like)
	}
	return n.balanced(Sum, ts)
}

// Expanded returns a term with the normal form of t spelled out, for messages and for those who search for proofs;
// no rule uses it.
func (c *Context) Expanded(t *Term) (e *Term, err error) {
	defer caught(&err)
	c.whole()
	if !c.dyn.sig.owns(t) {
		refuse("a term of another signature")
	}
	c.refill()
	u := c.dyn.unfold(t).term
	if u.scalar {
		return c.norm.polyTerm(c.norm.scalar(u)), nil
	}
	return c.norm.matrixTerm(c.norm.matrix(u), u), nil
}
