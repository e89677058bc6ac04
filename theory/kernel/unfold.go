package kernel

// unfolding is a term without operators, and the terms that also need a value for it to have one.
type unfolding struct {
	term *Term
	also []*Term
}

type unfoldings struct{}

func newUnfoldings() unfoldings { return unfoldings{} }

// unfold removes the operators from a term.
func (d *Dynamics) unfold(t *Term) unfolding {
	if !t.pure {
		refuse("%s is not unfolded yet", t.head)
	}
	return unfolding{term: t}
}

// moves reports whether the unfolded term mentions a state variable or an input.
func (d *Dynamics) moves(t *Term) bool {
	moving := func(y *Symbol) bool { return y.class == State || y.class == Input }
	u := d.unfold(t)
	if mentions(u.term, moving) {
		return true
	}
	for _, x := range u.also {
		if mentions(x, moving) {
			return true
		}
	}
	return false
}

// Unfold returns the term without operators that t stands for.
func (d *Dynamics) Unfold(t *Term) (u *Term, err error) {
	defer caught(&err)
	if t == nil || t.sig != d.sig {
		refuse("a term of another signature")
	}
	d.free.work = MaxProducts
	return d.unfold(t).term, nil
}

// Moves reports whether the unfolded term mentions a state variable or an input.
func (d *Dynamics) Moves(t *Term) (m bool, err error) {
	defer caught(&err)
	if t == nil || t.sig != d.sig {
		refuse("a term of another signature")
	}
	d.free.work = MaxProducts
	return d.moves(t), nil
}
