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

var formNames = [forms]string{"eq", "ge", "gt", "ne", "psd", "pd", "invertible", "diagonal", "within", "absurd", "always", "evolves",
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

// Terms is a copy of the formula's terms, in the order of the comment at its form: L before c; A, l, u; x, r, lo, hi.
func (f Formula) Terms() []*Term { return append([]*Term(nil), f.terms...) }

// Inner is φ of always φ.
func (f Formula) Inner() Formula {
	if f.inner == nil {
		return Formula{}
	}
	return *f.inner
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
	if !f.made || f.form.Temporal() {
		refuse("always is said of a state formula")
	}
	return Formula{made: true, form: Always, inner: &f}
}

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
