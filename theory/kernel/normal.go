package kernel

// normaliser brings pure terms to normal form, with the structure of one context or with none.
type normaliser struct {
	sig   *Signature
	shape map[*Symbol]structure
	work  int // products of monomials left to the current application of a rule
}

func newNormaliser(s *Signature, shape map[*Symbol]structure) *normaliser {
	return &normaliser{sig: s, shape: shape, work: MaxProducts}
}

// isZero reports whether a pure term is zero wherever the context holds and all its divisors, radicands and
// inverses have values.
func (n *normaliser) isZero(t *Term) bool { return t == n.sig.null(t) }
