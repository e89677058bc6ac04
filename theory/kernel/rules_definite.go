package kernel

// The rules of matrices at a state. Semidefinite and definite matrices are symmetric by definition.
var definiteRules = map[string]rule{
	"identity":    {AtState, 0, 0, (*application).identityMatrix},
	"msum":        {AtState, 2, 0, (*application).matrixSum},
	"mscale":      {AtState, 2, 0, (*application).matrixScale},
	"gram":        {AtState, 0, 0, (*application).gram},
	"congruence":  {AtState, many, 0, (*application).congruence},
	"minverse":    {AtState, 1, 0, (*application).matrixInverse},
	"mtrace":      {AtState, many, 0, (*application).matrixTrace},
	"kron":        {AtState, 2, 0, (*application).kron},
	"form":        {AtState, 2, 1, (*application).quadraticForm},
	"regular":     {AtState, 2, 0, (*application).regular},
	"minvertible": {AtState, many, 0, (*application).invertible},
	"diagonal":    {AtState, many, 0, (*application).diagonal},
}

// matrix requires the i-th premise to say of P something that implies what is wanted of it.
func (a *application) matrix(i int, p *Term, want Form) {
	f := a.here(i)
	// Soundness: a statement about another matrix, or a weaker one.
	if !implies(f.form, want) || f.terms[0] != p {
		refuse("premise %d does not say %s of %s", i+1, want, Print(p))
	}
}

// definite requires the goal to be P psd or P pd and returns P and the form.
func (a *application) definite() (*Term, Form) {
	if f := a.goal.form; f != Semidefinite && f != Definite {
		refuse("this rule establishes psd and pd, not %s", f)
	}
	return a.goal.terms[0], a.goal.form
}

// headed requires a term to have this head and returns its arguments.
func headed(t *Term, h Head) []*Term {
	if t.head != h {
		refuse("%s is no %s", Print(t), h)
	}
	return t.args
}

// identity: vᵀIv = |v|² > 0 for v ≠ 0; vᵀ0v = 0.
func (a *application) identityMatrix() {
	switch p, want := a.definite(); {
	case p.head == Identity:
	// Soundness: sizes are at least one, so a zero matrix is not definite.
	case p.head == Zero && want == Semidefinite:
	default:
		refuse("this rule says that I is pd and psd, 0 psd")
	}
}

// msum: vᵀ(P + Q)v = vᵀPv + vᵀQv, ≥ 0 if both are psd, > 0 for v ≠ 0 if moreover one is pd.
func (a *application) matrixSum() {
	p, want := a.definite()
	t := headed(p, Sum)
	a.matrix(0, t[0], Semidefinite)
	a.matrix(1, t[1], Semidefinite)
	// Soundness: diag(1, 0) is the sum of two psd matrices and not pd.
	if want == Definite && a.here(0).form != Definite && a.here(1).form != Definite {
		refuse("neither of the two is pd")
	}
}

// mscale: vᵀ(cP)v = c·vᵀPv for the product of a scalar c and a matrix P.
func (a *application) matrixScale() {
	p, want := a.definite()
	t := headed(p, Product)
	sign := AtLeast
	if want == Definite {
		sign = Greater
	}
	// The signed factor is a scalar; the other one is then the matrix.
	a.signed(0, t[0], sign)
	a.matrix(1, t[1], want)
}

// gram: vᵀAᵀAv = |Av|² ≥ 0 and vᵀAAᵀv = |Aᵀv|² ≥ 0 for a matrix A of any shape.
func (a *application) gram() {
	t := headed(a.form(Semidefinite)[0], Product)
	if !transposes(t[0], t[1]) {
		refuse("%s and %s are not a matrix and its transpose", Print(t[0]), Print(t[1]))
	}
}

// transposes reports whether one of two terms is the other's transpose as written.
func transposes(x, y *Term) bool {
	return x.head == Transpose && x.args[0] == y || y.head == Transpose && y.args[0] == x
}

// congruence: vᵀ(AᵀPA)v = (Av)ᵀP(Av), in the shapes (Aᵀ·P)·A and (A·P)·Aᵀ. For pd the second premise is that A is
// invertible (then Aᵀ is), so that Av ≠ 0 for v ≠ 0.
func (a *application) congruence() {
	p, want := a.definite()
	outer := headed(p, Product)
	left := headed(outer[0], Product)
	// Soundness: A·P·A is not even symmetric.
	if !transposes(left[0], outer[1]) {
		refuse("the outer factors of %s are not a matrix and its transpose", Print(p))
	}
	if want == Semidefinite {
		a.count(1)
	} else {
		a.count(2)
		m := outer[1]
		if m == a.sig.transpose(left[0]) {
			m = left[0]
		}
		a.matrix(1, m, Invertible)
	}
	a.matrix(0, left[1], want)
}

// minverse: the inverse of a symmetric matrix is symmetric, and vᵀP⁻¹v = wᵀPw > 0 with w = P⁻¹v ≠ 0.
func (a *application) matrixInverse() {
	t := headed(a.form(Definite)[0], Inverse)
	a.matrix(0, t[0], Definite)
}

// mtrace: tr(P) is the sum of the eigenvalues, ≥ 0 for psd, > 0 for pd (there is at least one). tr(PQ) = tr(RQR) with
// R the psd square root of P; RQR is psd. If both are pd, Q − qI is psd for the least eigenvalue q > 0 of Q, so
// tr(PQ) ≥ q·tr(P) > 0.
func (a *application) matrixTrace() {
	t, sign := signOf(a.goal)
	p := headed(t, Trace)[0]
	want := Definite
	if sign == AtLeast {
		want = Semidefinite
	}
	if len(a.premises) == 2 {
		f := headed(p, Product)
		a.matrix(0, f[0], want)
		a.matrix(1, f[1], want)
		return
	}
	a.count(1)
	a.matrix(0, p, want)
}

// kron: P ⊗ Q is symmetric and its eigenvalues are the products of those of P and Q.
func (a *application) kron() {
	p, want := a.definite()
	t := headed(p, Kronecker)
	a.matrix(0, t[0], want)
	a.matrix(1, t[1], want)
}

// form: K is psd if K = Kᵀ and tr((vᵀ·K)·v) ≥ 0, where v, the rule's term, is a hole: it takes every value at every
// state of Γ. (If v has more than one column, all but one may be zero.)
func (a *application) quadraticForm() {
	k, v, s := a.form(Semidefinite)[0], a.terms[0], a.sig
	// Soundness: vᵀKv ≥ 0 for all v says nothing of the antisymmetric part of K.
	if !a.here(0).Same(formula(Equal, k, s.transpose(k))) {
		refuse("premise 1 is not K = K^T")
	}
	// Soundness: a declared symbol has one value at a state; a hole has all.
	if v.head != Letter || v.sym.class != Hole {
		refuse("the vector of a quadratic form is a hole")
	}
	isV := func(y *Symbol) bool { return y == v.sym }
	// Soundness: a form K(v) may be ≥ 0 at its own v alone.
	if mentions(k, isV) {
		refuse("the matrix mentions %s", v.sym.name)
	}
	for _, h := range a.ctx.hyps {
		for _, t := range h.formula.terms {
			// Soundness: a hypothesis about v restricts the values it takes.
			if mentions(t, isV) {
				refuse("a hypothesis mentions %s", v.sym.name)
			}
		}
	}
	if !a.here(1).Same(formula(AtLeast, s.trace(s.mul(s.mul(s.transpose(v), k), v)), s.integer(0))) {
		refuse("premise 2 is not tr((v^T K) v) >= 0")
	}
}

// regular: let P be psd and vᵀPv = 0. Then |Rv|² = 0 for the psd square root R, so Pv = R(Rv) = 0, and v = 0 if P is
// invertible: P is pd.
func (a *application) regular() {
	p := a.form(Definite)[0]
	a.matrix(0, p, Semidefinite)
	a.matrix(1, p, Invertible)
}

// minvertible: (AB)⁻¹ = B⁻¹A⁻¹, (A⁻¹)⁻¹ = A, (Aᵀ)⁻¹ = (A⁻¹)ᵀ, (cA)⁻¹ = A⁻¹/c for a scalar c ≠ 0.
func (a *application) invertible() {
	t := a.form(Invertible)[0]
	switch t.head {
	case Inverse, Transpose:
		a.count(1)
		a.matrix(0, t.args[0], Invertible)
	case Product:
		a.count(2)
		if t.args[0].scalar {
			a.signed(0, t.args[0], Unequal)
		} else {
			a.matrix(0, t.args[0], Invertible)
		}
		a.matrix(1, t.args[1], Invertible)
	default:
		refuse("nothing is known of the inverse of a %s", t.head)
	}
}

// diagonal: I and 0 are diagonal; sums, products, powers, transposes and multiples by scalars of diagonal matrices
// are. The premises say that each argument that is a matrix is diagonal, in order.
func (a *application) diagonal() {
	t := a.form(Diagonal)[0]
	switch t.head {
	case Identity, Zero, Sum, Product, Power, Transpose:
	default:
		refuse("nothing is known of the diagonal of a %s", t.head)
	}
	var parts []*Term
	for _, x := range t.args {
		if !x.scalar {
			parts = append(parts, x)
		}
	}
	a.count(len(parts))
	for i, x := range parts {
		a.matrix(i, x, Diagonal)
	}
}
