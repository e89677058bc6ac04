package kernel

import "math/big"

// The rules of ≥, >, ≠ and ⊥ at a state. A sign of t is one of t ≥ 0, t > 0, t ≠ 0 with the literal 0 on the right.
// Every goal's terms have values (Apply asks), and those of a premise have, since it is a theorem.
var orderRules = map[string]rule{
	"number":        {AtState, 0, 0, (*application).number},
	"size":          {AtState, 0, 0, (*application).size},
	"sum":           {AtState, 2, 0, (*application).sum},
	"product":       {AtState, 2, 0, (*application).product},
	"power":         {AtState, many, 0, (*application).power},
	"factor":        {AtState, 1, 0, (*application).factor},
	"reciprocal":    {AtState, 1, 0, (*application).reciprocal},
	"rootsign":      {AtState, 1, 0, (*application).rootsign},
	"weaken":        {AtState, 1, 0, (*application).weaken},
	"transport":     {AtState, many, 0, (*application).transport},
	"bernstein":     {AtState, many, 0, (*application).bernstein},
	"split":         {AtState, many, 1, (*application).split},
	"contradiction": {AtState, 1, 0, (*application).contradiction},
	"absurd":        {AtState, 2, 0, (*application).absurd},
	"explode":       {allTimes, 1, 0, (*application).explode},
}

// count requires n premises.
func (a *application) count(n int) {
	if len(a.premises) != n {
		refuse("this needs %d premise(s), not %d", n, len(a.premises))
	}
}

// implies reports whether a formula of the form have implies the one of the form want about the same terms.
func implies(have, want Form) bool {
	switch have {
	case Greater:
		return want == Greater || want == AtLeast || want == Unequal
	case Definite:
		return want == Definite || want == Semidefinite || want == Invertible
	}
	return have == want
}

// signOf is t and the form of a formula that is a sign of t.
func signOf(f Formula) (*Term, Form) {
	switch f.form {
	case AtLeast, Greater, Unequal:
		// Soundness: t ≥ 5 says nothing of the sign of −t.
		if isNull(f.terms[1]) {
			return f.terms[0], f.form
		}
	}
	refuse("%s is not a sign: t >= 0, t > 0 or t != 0", f.form)
	return nil, 0
}

// signed requires the i-th premise to be a sign of t that implies the one wanted.
func (a *application) signed(i int, t *Term, want Form) {
	x, have := signOf(a.here(i))
	// Soundness: a sign of another term, or a weaker one.
	if x != t || !implies(have, want) {
		refuse("premise %d does not say %s of %s and 0", i+1, want, Print(t))
	}
}

// assuming requires the i-th premise to be a theorem of a context that assumes nothing but known formulas, and
// returns what it says. If all those formulas hold somewhere, so does the theorem there: a context of the same
// dynamics differs in its hypotheses alone. It may be of another kind of time; callers compare what it says with a
// state formula, and only state contexts have theorems of that form.
func (a *application) assuming(i int, known []Formula) Formula {
	p := a.premises[i].s
	a.sig.spend((1 + len(p.ctx.hyps)) * len(known) / 4)
	for _, h := range p.ctx.hyps {
		found := false
		for _, k := range known {
			found = found || k.Same(h.formula)
		}
		// Soundness: a theorem under a hypothesis that is not known to hold says nothing.
		if !found {
			refuse("premise %d assumes %s, which is not known here", i+1, h.formula.form)
		}
	}
	return p.goal
}

// under is assuming with the hypotheses of this state context and one more.
func (a *application) under(i int, extra Formula) Formula {
	known := []Formula{extra}
	for _, h := range a.ctx.hyps {
		known = append(known, h.formula)
	}
	return a.assuming(i, known)
}

// number: c ≥ 0, c > 0 or c ≠ 0 for a term whose normal form is a rational number of that sign.
func (a *application) number() {
	t, want := signOf(a.goal)
	c := a.constant(t)
	s := c.Sign()
	if want == AtLeast && s < 0 || want == Greater && s <= 0 || want == Unequal && s == 0 {
		refuse("the number %s does not have this sign", c.RatString())
	}
}

// size: n ≥ 1, n > 0, n ≠ 0 for a product of sizes: sizes are whole numbers of at least one.
func (a *application) size() {
	var least int64
	switch a.goal.form {
	case AtLeast:
		least = 1
	case Greater, Unequal:
	default:
		refuse("of a size this rule says n >= 1, n > 0 and n != 0")
	}
	if g := a.goal.terms; g[0].head != Size || g[1] != a.sig.integer(least) {
		refuse("of a size this rule says n >= 1, n > 0 and n != 0")
	}
}

// sum: a, b ≥ 0 give a + b ≥ 0, and a + b > 0 (hence ≠ 0) if one of them is positive.
func (a *application) sum() {
	t, want := signOf(a.goal)
	if t.head != Sum {
		refuse("%s is not a sum", Print(t))
	}
	a.signed(0, t.args[0], AtLeast)
	a.signed(1, t.args[1], AtLeast)
	// Soundness: 0 + 0 is not positive.
	if want != AtLeast && a.here(0).form != Greater && a.here(1).form != Greater {
		refuse("neither of the two is positive")
	}
}

// product: the product of two numbers ≥ 0 is ≥ 0, of two > 0 is > 0, of two ≠ 0 is ≠ 0. (A product that is a scalar
// has two scalar factors.)
func (a *application) product() {
	t, want := signOf(a.goal)
	if t.head != Product {
		refuse("%s is not a product", Print(t))
	}
	a.signed(0, t.args[0], want)
	a.signed(1, t.args[1], want)
}

// power: from nothing, a²ᵏ ≥ 0; from a ≠ 0, a²ᵏ > 0; each sign of a is one of aⁿ (n = 0 included: a⁰ = 1); and
// aⁿ ≠ 0 gives a ≠ 0 for n ≥ 1, since 0ⁿ = 0.
func (a *application) power() {
	t, want := signOf(a.goal)
	if len(a.premises) == 0 {
		// Soundness: an odd power has the sign of its base, and a square may be zero.
		if t.head != Power || t.n%2 != 0 || want != AtLeast {
			refuse("without a premise only an even power is known to be >= 0")
		}
		return
	}
	a.count(1)
	b, have := signOf(a.here(0))
	switch {
	case t.head == Power && t.args[0] == b:
		// Soundness: an odd power of a ≠ 0 may be negative; a square of a ≥ 0 may be zero.
		if !implies(have, want) && !(implies(have, Unequal) && t.n%2 == 0) {
			refuse("this does not follow for the exponent %d", t.n)
		}
	case b.head == Power && b.args[0] == t:
		// Soundness: a⁰ ≠ 0 for every a; a² > 0 for negative a too.
		if b.n == 0 || want != Unequal || !implies(have, Unequal) {
			refuse("of a base only a != 0 follows, from a power that is not zero with an exponent of at least one")
		}
	default:
		refuse("neither of the goal and the premise is a power of the other")
	}
}

// factor: a·b ≠ 0 gives a ≠ 0 and b ≠ 0.
func (a *application) factor() {
	t, want := signOf(a.goal)
	p, have := signOf(a.here(0))
	// Soundness: a·b > 0 says nothing of the sign of a.
	if want != Unequal || !implies(have, Unequal) {
		refuse("of a factor only that it is not zero follows, from a product that is not zero")
	}
	if p.head != Product || p.args[0] != t && p.args[1] != t {
		refuse("%s is no factor of %s", Print(t), Print(p))
	}
}

// reciprocal: each sign of a is one of 1/a. For a ≥ 0 it is because 1/a has a value, so that a > 0.
func (a *application) reciprocal() { a.sameSign(Reciprocal) }

// rootsign: each sign of q is one of √q. For q ≠ 0 it is because √q has a value, so that q > 0.
func (a *application) rootsign() { a.sameSign(Root) }

// sameSign requires the goal to be a sign of head(q), the premise to be one of q that implies it.
func (a *application) sameSign(h Head) {
	t, want := signOf(a.goal)
	if t.head != h {
		refuse("%s is no %s", Print(t), h)
	}
	a.signed(0, t.args[0], want)
}

// weaken: a > b gives a ≥ b, a ≠ b and b ≠ a; a ≠ b gives b ≠ a; a positive definite matrix is semidefinite and
// invertible (Pv = 0 gives vᵀPv = 0, hence v = 0).
func (a *application) weaken() {
	f, g := a.here(0), a.goal
	if !implies(f.form, g.form) {
		refuse("%s does not imply %s", f.form, g.form)
	}
	same := len(f.terms) == len(g.terms)
	for i := range f.terms {
		same = same && f.terms[i] == g.terms[i]
	}
	turned := g.form == Unequal && f.terms[0] == g.terms[1] && f.terms[1] == g.terms[0]
	// Soundness: a > b says nothing of other terms, nor b > a.
	if !same && !turned {
		refuse("the premise is about other terms")
	}
}

// transport: φ(t) from φ(s) where Γ makes t and s equal. An order, =, ≠ of a and b is a statement about a − b, and
// a − b − (l − r) = s − s′ with l = r, a premise, or without one. ≠ is also a statement about b − a. A matrix statement
// goes to any equal matrix.
func (a *application) transport() {
	if len(a.premises) != 2 {
		a.count(1)
	}
	s, t := a.sig, a.goal.terms
	p := a.premise(0, a.goal.form)
	var goal, have *Term
	switch a.goal.form {
	case Equal, AtLeast, Greater, Unequal:
		goal, have = s.sub(t[0], t[1]), s.sub(p[0], p[1])
	case Semidefinite, Definite, Invertible, Diagonal:
		goal, have = t[0], p[0]
	default:
		refuse("there is nothing to transport in %s", a.goal.form)
	}
	if len(a.premises) == 2 {
		e := a.premise(1, Equal)
		goal = s.sub(goal, s.sub(e[0], e[1]))
	}
	d := s.sub(goal, have)
	if turned := s.add(goal, have); a.goal.form == Unequal && a.ctx.norm.isZero(a.ctx.dyn.unfold(turned).term) {
		d = turned
	}
	// Soundness: the whole of the rule. The difference is zero wherever Γ holds.
	a.zero(d)
}

// split: φ holds wherever Γ does if it holds there with t ≥ 0 and with t ≤ 0, or with t > 0, t < 0 and t = 0. The
// premises are φ in contexts with the hypotheses of Γ and one of
//
//	t ≥ 0, 0 ≥ t        or        t > 0, 0 > t, t = 0        (in this order; t is the rule's term).
func (a *application) split() {
	t, zero := a.terms[0], a.sig.integer(0)
	cases := []Formula{formula(AtLeast, t, zero), formula(AtLeast, zero, t)}
	if len(a.premises) == 3 {
		cases = []Formula{formula(Greater, t, zero), formula(Greater, zero, t), formula(Equal, t, zero)}
	}
	a.count(len(cases))
	// Soundness: where t has no value none of the cases holds, and nothing is known.
	a.define(t)
	for i, c := range cases {
		if !a.under(i, c).Same(a.goal) {
			refuse("premise %d is not the goal", i+1)
		}
	}
}

// contradiction: a ≥ b if Γ with b > a is absurd, a > b if Γ with b ≥ a is, a ≠ b if Γ with a = b is: the order is
// total, and a and b have values wherever Γ holds, because Apply asks it of the goal's terms.
func (a *application) contradiction() {
	opposite := Formula{}
	switch t := a.goal.terms; a.goal.form {
	case AtLeast:
		opposite = formula(Greater, t[1], t[0])
	case Greater:
		opposite = formula(AtLeast, t[1], t[0])
	case Unequal:
		opposite = formula(Equal, t[0], t[1])
	default:
		refuse("contradiction establishes >=, > or !=, not %s", a.goal.form)
	}
	if a.under(0, opposite).form != Absurd {
		refuse("the premise is not a contradiction")
	}
}

// absurd: ⊥ from a > b and c ≥ d (or c > d) with (a − b) + (c − d) = 0, a sum of a positive number and one that is
// not negative; or from a ≠ b and c = d with a − b = c − d, a number that is zero and is not.
func (a *application) absurd() {
	a.form(Absurd)
	f, g, s := a.here(0), a.here(1), a.sig
	sum := s.add
	switch {
	case f.form == Greater && (g.form == AtLeast || g.form == Greater):
	case f.form == Unequal && g.form == Equal:
		sum = s.sub
	default:
		refuse("%s and %s do not contradict each other", f.form, g.form)
	}
	// Soundness: the two statements are about opposite (equal) differences.
	a.zero(sum(s.sub(f.terms[0], f.terms[1]), s.sub(g.terms[0], g.terms[1])))
}

// explode: from ⊥ anything, since Γ holds nowhere; from always ⊥ anything about motions and orbits, since there are
// none: each has a time 0.
func (a *application) explode() {
	f := a.here(0)
	if f.form == Always {
		f = *f.inner
	}
	if f.form != Absurd {
		refuse("the premise is not a contradiction")
	}
}

// bernstein: p ≥ 0 or p > 0 for a polynomial p in terms x₁, …, x_k between numbers, by its coefficients in a basis
// that is nonnegative there. The premises are the bounds, variable by variable:
//
//	AtLeast(x₁, l₁), AtLeast(u₁, x₁), AtLeast(x₂, l₂), …        l, u literal numbers; the upper bound may be missing.
//
// With an upper bound x = l + (u − l)·y, 0 ≤ y ≤ 1, and the basis is B_i(y) = C(d,i)·yⁱ·(1−y)^(d−i), d the degree of
// p in y; without one x = l + y, y ≥ 0, and the basis is yʲ. p = Σ c_IJ·B_I·y^J over all variables. Every basis
// function is ≥ 0, so p ≥ 0 if all c are. The B_I of all I sum to 1, so p ≥ min_I c_I0 > 0 if moreover the c_I0, those
// without a power of a half-line variable, are positive. (If some u < l, Γ holds nowhere.)
//
// p is read as it stands, unfolded: sums, products and powers of numbers and the xᵢ, which may be any scalar terms.
func (a *application) bernstein() {
	p, want := signOf(a.goal)
	if want == Unequal {
		refuse("bernstein establishes >= 0 and > 0")
	}
	b := &box{sig: a.sig, work: MaxProducts, memo: map[*Term]polynomial{}}
	for i := range a.premises {
		t, last := a.premise(i, AtLeast), len(b.sides)-1
		switch {
		case t[1].head == Number:
			b.sides = append(b.sides, side{a.ctx.dyn.unfold(t[0]).term, t[1].num, nil})
		// Soundness: an upper bound of another term says nothing of this one.
		case t[0].head == Number && last >= 0 && a.ctx.dyn.unfold(t[1]).term == b.sides[last].x:
			b.sides[last].width = new(big.Rat).Sub(t[0].num, b.sides[last].low)
		default:
			refuse("premise %d is neither a lower bound by a number nor the upper bound of the term before", i+1)
		}
	}
	for at, c := range b.coefficients(b.read(a.ctx.dyn.unfold(p).term)) {
		// Soundness: the whole of the rule, as computed above.
		if c.Sign() < 0 || c.Sign() == 0 && want == Greater && b.inner(at) {
			refuse("a Bernstein coefficient is %s", c.RatString())
		}
	}
}

// side is a bounded term: low ≤ x, and x ≤ low + width unless width is nil.
type side struct {
	x          *Term
	low, width *big.Rat
}

// polynomial has a coefficient for each list of exponents of y₁, …, y_k, two bytes each.
type polynomial map[string]*big.Rat

type box struct {
	sig   *Signature
	sides []side
	work  int
	memo  map[*Term]polynomial
	size  []int // of the coefficients' array, set by coefficients
}

// charge pays for one operation with numbers of so many words, and with their exponents.
func (b *box) charge(words int) {
	steps := 1 + effort(words) + len(b.sides)/16
	b.sig.spend(steps)
	if b.work -= steps; b.work < 0 {
		refuse("a Bernstein form of more than %d operations", MaxProducts)
	}
}

func (b *box) add(p, q polynomial) polynomial {
	sum := polynomial{}
	for _, r := range []polynomial{p, q} {
		for e, c := range r {
			if have := sum[e]; have != nil {
				b.charge(max(words(have), words(c)))
				c = new(big.Rat).Add(have, c)
			} else {
				b.charge(words(c))
			}
			sum[e] = c
			if c.Sign() == 0 {
				delete(sum, e)
			}
		}
	}
	return sum
}

func (b *box) multiply(p, q polynomial) polynomial {
	out := polynomial{}
	for e, c := range p {
		for f, d := range q {
			key := []byte(e)
			for i := 0; i < len(key); i += 2 {
				n := int(e[i])<<8 + int(e[i+1]) + int(f[i])<<8 + int(f[i+1])
				if n > MaxExponent {
					refuse("an exponent above %d", MaxExponent)
				}
				key[i], key[i+1] = byte(n>>8), byte(n)
			}
			have := out[string(key)]
			length := words(c) + words(d)
			if have != nil {
				length = max(length, words(have))
			}
			b.charge(length)
			v := new(big.Rat).Mul(c, d)
			if have != nil {
				v.Add(v, have)
			}
			out[string(key)] = v
		}
	}
	if len(out) > MaxMonomials {
		refuse("a polynomial of more than %d monomials", MaxMonomials)
	}
	return out
}

// read is a pure term as a polynomial in the y of the sides.
func (b *box) read(t *Term) polynomial {
	if p := b.memo[t]; p != nil {
		return p
	}
	b.charge(0)
	one := make([]byte, 2*len(b.sides))
	p := polynomial{}
	for i, s := range b.sides {
		if t == s.x {
			y := append([]byte(nil), one...)
			y[2*i+1] = 1
			width := s.width
			if width == nil {
				width = big.NewRat(1, 1)
			}
			p = b.add(polynomial{string(one): s.low}, polynomial{string(y): width})
			b.memo[t] = p
			return p
		}
	}
	switch t.head {
	case Number:
		p[string(one)] = t.num
	case Sum:
		p = b.add(b.read(t.args[0]), b.read(t.args[1]))
	case Product:
		p = b.multiply(b.read(t.args[0]), b.read(t.args[1]))
	case Power:
		p[string(one)] = big.NewRat(1, 1)
		for base, i := b.read(t.args[0]), 0; i < t.n; i++ {
			p = b.multiply(p, base)
		}
	default:
		// Soundness: nothing is known of a term without bounds.
		refuse("%s is not a polynomial in the bounded terms", Print(t))
	}
	b.memo[t] = p
	return p
}

// coefficients are those of p in the basis of the box, as an array whose last variable runs fastest.
func (b *box) coefficients(p polynomial) []*big.Rat {
	b.size = make([]int, len(b.sides))
	total := 1
	for i := range b.sides {
		b.size[i] = 1
		for e := range p {
			b.size[i] = max(b.size[i], 1+int(e[2*i])<<8+int(e[2*i+1]))
		}
		if total *= b.size[i]; total > MaxMonomials {
			refuse("more than %d Bernstein coefficients", MaxMonomials)
		}
	}
	c := make([]*big.Rat, total)
	for at := range c {
		c[at] = new(big.Rat)
	}
	for e, v := range p {
		at := 0
		for i, n := range b.size {
			at = at*n + int(e[2*i])<<8 + int(e[2*i+1])
		}
		c[at] = v
	}
	// yᵐ = Σ_{j ≥ m} C(j,m)/C(d,m)·B_j(y), one variable after the other, in place: over C(d,m) first, then summed by Pascal's
	// triangle.
	stride := total
	for i, n := range b.size {
		stride /= n
		if b.sides[i].width == nil {
			continue
		}
		share := big.NewRat(1, 1) // 1/C(d,m)
		for m := 1; m < n; m++ {
			b.charge(words(share))
			share = new(big.Rat).Mul(share, big.NewRat(int64(m), int64(n-m)))
			for at := m * stride; at < total; at++ {
				if at/stride%n == m && c[at].Sign() != 0 {
					b.charge(words(c[at]) + words(share))
					c[at] = new(big.Rat).Mul(c[at], share)
				}
			}
		}
		for r := 1; r < n; r++ {
			for at := total - 1; at >= 0; at-- {
				if j := at / stride % n; j >= r {
					b.charge(max(words(c[at]), words(c[at-stride])))
					c[at] = new(big.Rat).Add(c[at], c[at-stride])
				}
			}
		}
	}
	return c
}

// inner reports whether the coefficient at this place stands without a power of a half-line variable.
func (b *box) inner(at int) bool {
	for i := len(b.size) - 1; i >= 0; i-- {
		if b.sides[i].width == nil && at%b.size[i] != 0 {
			return false
		}
		at /= b.size[i]
	}
	return true
}
