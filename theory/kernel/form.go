package kernel

// Form says what a formula states.
type Form uint8

// The forms of formulas. The first group speaks of one state, the second of a motion x on [0, T), T ≤ ∞; what it
// says of an orbit x₀, x₁, … stands in brackets. That a rate or factor c does not move is part of what is said.
const (
	Equal        Form = iota // a = b, of any shape
	AtLeast                  // a ≥ b
	Greater                  // a > b
	Unequal                  // a ≠ b, scalars
	Semidefinite             // P = Pᵀ and vᵀPv ≥ 0 for all v
	Definite                 // P = Pᵀ and vᵀPv > 0 for all v ≠ 0
	Invertible               // A is square and has an inverse
	Diagonal                 // A is square and zero off its diagonal
	Within                   // l ≤ A_ij ≤ u for every entry of the matrix A
	Absurd                   // ⊥: holds nowhere
	Zeros                    // e has n zeros for x in (lo, hi): e has a value for every value of x between lo and hi, all else as it is, and is zero for exactly n of them
	RisingZeros              // the same of those among its zeros at which its derivative in x, which it has at each zero, is > 0
	FallingZeros             // the same of those at which it is < 0

	Always           // always φ: the state formula φ holds at every t in [0, T) [at every step]
	Evolves          // L evolves at rate c: L(t) = exp(c·t)·L(0) [by factor c: L_k = c^k·L₀]
	NormDecays       // |L| decays at rate c: ‖L(t)‖_F ≤ exp(−c·t)·‖L(0)‖_F, of a scalar |L| [by factor c: ‖L_k‖ ≤ c^k·‖L₀‖, c ≥ 0]
	Decays           // V decays at rate c: V(t) ≤ exp(−c·t)·V(0), a scalar without absolute value [V_k ≤ c^k·V₀, c ≥ 0]
	StayZero         // if all of L₁, …, L_k are zero at 0, all are at every t [at every step]
	StayNonnegative  // the same of L₁ ≥ 0, …, L_k ≥ 0
	StayPositive     // the same of L₁ > 0, …, L_k > 0
	StaySemidefinite // the same of positive semidefinite L₁, …, L_k
	Vanishes         // if T = ∞, L(t) → 0 [if the orbit is infinite, L_k → 0]
	Congruence       // L(t) = Φ(t)·L(0)·Φ(t)ᵀ with Φ(t) invertible
	Tends            // x tends to r from lo < x < hi: if T = ∞ and lo < x(0) < hi then x(t) → r
	forms
)

var formNames = [forms]string{"eq", "ge", "gt", "ne", "psd", "pd", "invertible", "diagonal", "within", "absurd", "zeros", "rising", "falling", "always", "evolves",
	"normdecays", "decays", "stayzero", "staynonnegative", "staypositive", "staypsd", "vanishes", "congruence", "tends"}

// String is the name of the form in certificates.
func (f Form) String() string {
	if f < forms {
		return formNames[f]
	}
	return "?"
}

// FormNamed returns the form that certificates call name.
func FormNamed(name string) (Form, bool) {
	for f, n := range formNames {
		if n == name {
			return Form(f), true
		}
	}
	return 0, false
}

// Temporal reports whether formulas of this form speak of motions and orbits; the others speak of one state.
func (f Form) Temporal() bool { return f >= Always }

// Formula is an immutable statement about terms of one signature. Its zero value states nothing and is refused
// everywhere.
type Formula struct {
	made  bool
	form  Form
	terms []*Term
	inner *Formula // of Always
}

// Form says what the formula states.
func (f Formula) Form() Form { return f.form }

// Terms is a copy of the formula's terms, in the order of the comment at its form: L before c; A, l, u; x, r, lo, hi. Of a
// count of zeros they are e, x, n, lo, hi, then each end that belongs to the interval once more; an end that is missing is x.
func (f Formula) Terms() []*Term { return append([]*Term(nil), f.terms...) }

// Inner is φ of always φ.
func (f Formula) Inner() Formula {
	if f.inner == nil {
		return Formula{}
	}
	return *f.inner
}

// Count is what a formula that counts zeros says. Its x is bound: the value that x has at a state plays no part.
type Count struct {
	Of, In     *Term // e and x
	N          int
	Lo, Hi     *Term // the ends of the interval, nil at ∓∞
	LoIn, HiIn bool  // whether they belong to it
}

// Count is what the formula says if it counts zeros.
func (f Formula) Count() (c Count, ok bool) {
	if !f.form.counts() {
		return c, false
	}
	e, x, n, lo, hi := f.terms[0], f.terms[1], f.terms[2], f.terms[3], f.terms[4]
	c = Count{Of: e, In: x, N: int(n.num.Num().Int64())}
	if lo != x {
		c.Lo = lo
	}
	if hi != x {
		c.Hi = hi
	}
	for _, t := range f.terms[5:] {
		c.LoIn, c.HiIn = c.LoIn || t == lo, c.HiIn || t == hi
	}
	return c, true
}

// counts reports whether formulas of this form count zeros.
func (f Form) counts() bool { return f == Zeros || f == RisingZeros || f == FallingZeros }

// Ends lists the terms whose values at a state the formula speaks of: all but what a count looks at for other values of x.
func (f Formula) Ends() []*Term {
	if f.form.counts() {
		return append([]*Term(nil), f.terms[3:5]...)
	}
	return f.Terms()
}

// Same reports whether two formulas are the same object: same form, same terms.
func (f Formula) Same(g Formula) bool {
	if f.made != g.made || f.form != g.form || len(f.terms) != len(g.terms) || (f.inner == nil) != (g.inner == nil) {
		return false
	}
	for i, t := range f.terms {
		if g.terms[i] != t {
			return false
		}
	}
	return f.inner == nil || f.inner.Same(*g.inner)
}

// NewAlways returns always φ for a state formula φ.
func NewAlways(f Formula) (g Formula, err error) {
	defer caught(&err)
	return always(f), nil
}

func always(f Formula) Formula {
	if !f.assumable() {
		refuse("always is said of a state formula that counts nothing")
	}
	return Formula{made: true, form: Always, inner: &f}
}

// assumable reports whether the formula may be a hypothesis, and said to hold always: a formula about a state that looks at
// this state alone.
func (f Formula) assumable() bool { return f.made && !f.form.Temporal() && !f.form.counts() }

// NewFormula returns the formula of this form about these terms, whose number and shapes have to fit.
func NewFormula(form Form, terms ...*Term) (f Formula, err error) {
	defer caught(&err)
	return formula(form, terms...), nil
}

func formula(form Form, terms ...*Term) Formula {
	for _, t := range terms {
		if t == nil || t.self != t || t.sig != terms[0].sig {
			refuse("%s needs terms of one signature", form)
		}
	}
	count := func(n int) {
		if len(terms) != n {
			refuse("%s takes %d terms, not %d", form, n, len(terms))
		}
	}
	scalars := func(ts ...*Term) {
		for _, t := range ts {
			if !t.scalar {
				refuse("%s takes scalars, not %s", form, t.shapeText())
			}
		}
	}
	square := func(ts ...*Term) {
		for _, t := range ts {
			if t.scalar || t.rows != t.cols {
				refuse("%s takes a square matrix, not %s", form, t.shapeText())
			}
		}
	}
	switch form {
	case Equal:
		count(2)
		if terms[0].scalar != terms[1].scalar || terms[0].rows != terms[1].rows || terms[0].cols != terms[1].cols {
			refuse("%s and %s cannot be equal", terms[0].shapeText(), terms[1].shapeText())
		}
	case AtLeast, Greater, Unequal:
		count(2)
		scalars(terms...)
	case Semidefinite, Definite, Invertible, Diagonal, Congruence:
		count(1)
		square(terms...)
	case Within:
		count(3)
		if terms[0].scalar {
			refuse("%s is said of the entries of a matrix", form)
		}
		scalars(terms[1:]...)
	case Absurd:
		count(0)
	case Zeros, RisingZeros, FallingZeros:
		countOfZeros(form, terms)
	case Evolves, NormDecays:
		count(2)
		scalars(terms[1])
	case Decays:
		count(2)
		scalars(terms...)
	case StayZero, StayNonnegative, StayPositive, StaySemidefinite:
		if len(terms) == 0 {
			refuse("%s needs a term", form)
		}
		if form == StaySemidefinite {
			square(terms...)
		} else if form != StayZero {
			scalars(terms...)
		}
	case Vanishes:
		count(1)
	case Tends:
		count(4)
		scalars(terms...)
		if terms[0].head != Letter || terms[0].sym.class != State {
			refuse("tends is said of a state variable")
		}
	default:
		refuse("no form %d of terms", form)
	}
	return Formula{made: true, form: form, terms: append([]*Term(nil), terms...)}
}

// countOfZeros requires terms as a count of zeros has them.
func countOfZeros(form Form, terms []*Term) {
	if len(terms) < 5 {
		refuse("%s takes an expression, a variable, a number and two ends", form)
	}
	for _, t := range terms {
		if !t.scalar {
			refuse("%s takes scalars, not %s", form, t.shapeText())
		}
	}
	x, n, lo, hi := terms[1], terms[2], terms[3], terms[4]
	x.sig.needLetter(Diff, x)
	if n.head != Number || !n.num.IsInt() || n.num.Sign() < 0 || n.num.Num().BitLen() > 31 {
		refuse("zeros are counted by a whole number, not by %s", Print(n))
	}
	for _, end := range terms[3:5] {
		// Soundness: an interval that depends on x would be another one for each of its points.
		if end != x && mentions(end, func(y *Symbol) bool { return y == x.sym }) {
			refuse("an end of the interval mentions %s", x.sym.name)
		}
	}
	if lo == hi && lo != x {
		refuse("the two ends of the interval are the same")
	}
	// Each end that belongs to the interval stands behind, in their order, once: one text has one reading.
	rest := terms[5:]
	for _, end := range terms[3:5] {
		if len(rest) > 0 && rest[0] == end && end != x {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		refuse("behind the ends stands what is none")
	}
}

// signature is the signature of the formula's terms, or nil if it has none.
func (f Formula) signature() *Signature {
	if f.inner != nil {
		return f.inner.signature()
	}
	if len(f.terms) > 0 {
		return f.terms[0].sig
	}
	return nil
}

// mentionsHole reports whether a hole occurs in the formula.
func (f Formula) mentionsHole() bool {
	if f.inner != nil {
		return f.inner.mentionsHole()
	}
	for _, t := range f.terms {
		if mentions(t, func(y *Symbol) bool { return y.class == Hole }) {
			return true
		}
	}
	return false
}
