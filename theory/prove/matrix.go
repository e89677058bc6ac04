package prove

import "stopgrad/theory/kernel"

// matrix looks at the shape of a matrix.
func (s *state) matrix(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	switch k {
	case invertible:
		return s.invertibleShape(t)
	case diagonal:
		return s.diagonalShape(t)
	}
	switch t.Head() {
	case kernel.Identity:
		return s.by("identity", k, t)
	case kernel.Zero:
		if k == psd {
			return s.by("identity", k, t)
		}
	case kernel.Sum:
		a, b := t.Arg(0), t.Arg(1)
		if k == psd {
			return s.both("msum", k, t, psd, a, psd, b)
		}
		if th, ok := s.both("msum", k, t, pd, a, psd, b); ok {
			return th, true
		}
		return s.both("msum", k, t, psd, a, pd, b)
	case kernel.Transpose:
		return s.moved(k, t, t.Arg(0))
	case kernel.Kronecker:
		return s.both("kron", k, t, k, t.Arg(0), k, t.Arg(1))
	case kernel.Inverse:
		if k == psd {
			return s.weakened(pd, psd, t)
		}
		if th, ok := s.prove(pd, t.Arg(0)); ok {
			return s.by("minverse", k, t, th)
		}
	case kernel.Product, kernel.Power:
		return s.productShape(k, t)
	}
	return none, false
}

// productShape proves a product definite: c·P, AᵀPA or AᵀA.
func (s *state) productShape(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	var none kernel.Theorem
	scalars, word := s.factors(t)
	u, ok := s.definiteWord(k, word)
	if !ok {
		return none, false
	}
	if len(scalars) > 0 {
		c := s.product(scalars)
		sign := nonnegative
		if k == pd {
			sign = positive
		}
		scaled := s.mul(c, u)
		th, ok := s.both("mscale", k, scaled, sign, c, k, u)
		if !ok {
			return none, false
		}
		s.keepTheorem(k, scaled, th)
		u = scaled
	}
	th, ok := s.prove(k, u)
	if !ok || u == t {
		return th, ok
	}
	return s.by("transport", k, t, th)
}

// definiteWord finds a term equal to a product of matrices of which k is proved.
func (s *state) definiteWord(k kind, word []*kernel.Term) (*kernel.Term, bool) {
	s.spend(60 * len(word))
	switch len(word) {
	case 0:
		return nil, false
	case 1:
		_, ok := s.prove(k, word[0])
		return word[0], ok
	}
	// A fact about the whole word, as a product from the left.
	whole := s.product(word)
	if th, ok := s.known(k, whole); ok {
		s.keepTheorem(k, whole, th)
		return whole, true
	}
	first, last := word[0], word[len(word)-1]
	if !s.mirrored(first, last) {
		return nil, false
	}
	inner := word[1 : len(word)-1]
	if len(inner) == 0 {
		// AᵀA, written with the factor whose transpose is literal.
		var u *kernel.Term
		if first.Head() == kernel.Transpose {
			u = s.mul(s.transpose(first.Arg(0)), first.Arg(0))
		} else {
			u = s.mul(first, s.transpose(first))
		}
		if k == psd {
			th, ok := s.by("gram", psd, u)
			if ok {
				s.keepTheorem(k, u, th)
			}
			return u, ok
		}
		// AᵀA of an invertible A is the congruence of I.
		n, _ := last.Shape()
		inner = []*kernel.Term{s.identity(n)}
	}
	p, ok := s.definiteWord(k, inner)
	if !ok {
		return nil, false
	}
	premises := make([]kernel.Theorem, 0, 2)
	th, ok := s.prove(k, p)
	if !ok {
		return nil, false
	}
	premises = append(premises, th)
	var u, a *kernel.Term
	if first.Head() == kernel.Transpose {
		a = first.Arg(0)
		u = s.mul(s.mul(first, p), a)
	} else {
		a = first
		u = s.mul(s.mul(a, p), s.transpose(a))
	}
	if k == pd {
		inv, ok := s.prove(invertible, a)
		if !ok {
			return nil, false
		}
		premises = append(premises, inv)
	}
	th, ok = s.by("congruence", k, u, premises...)
	if ok {
		s.keepTheorem(k, u, th)
	}
	return u, ok
}

// mirrored guesses whether one factor is the transpose of another.
func (s *state) mirrored(a, b *kernel.Term) bool {
	ar, ac := a.Shape()
	br, bc := b.Shape()
	return ar == bc && ac == br && s.same(s.flip(a), b)
}

// keepTheorem remembers a theorem reached inside a larger attempt.
func (s *state) keepTheorem(k kind, t *kernel.Term, th kernel.Theorem) {
	s.memo[goal{k, t}] = attempt{th, s.stamp()}
}

// traceSign proves that a trace is nonnegative (positive): tr(P), or tr(P·Q), of definite matrices, up to a
// rotation of the factors.
func (s *state) traceSign(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	x := t.Arg(0)
	if x.Head() == kernel.Sum {
		return s.moved(k, t, s.add(s.trace(x.Arg(0)), s.trace(x.Arg(1))))
	}
	scalars, word := s.factors(x)
	if len(scalars) > 0 && len(word) > 0 {
		return s.moved(k, t, s.mul(s.product(scalars), s.trace(s.product(word))))
	}
	m := psd
	if k == positive {
		m = pd
	}
	for i := range word {
		rot := append(append([]*kernel.Term{}, word[i:]...), word[:i]...)
		if p, ok := s.definiteWord(m, rot); ok {
			th, ok := s.prove(m, p)
			if !ok {
				continue
			}
			if th, ok = s.by("mtrace", k, s.trace(p), th); !ok {
				continue
			}
			return s.settle(k, t, s.trace(p), th)
		}
		for cut := 1; cut < len(rot); cut++ {
			p, ok := s.definiteWord(m, rot[:cut])
			if !ok {
				continue
			}
			q, ok := s.definiteWord(m, rot[cut:])
			if !ok {
				continue
			}
			thp, ok1 := s.prove(m, p)
			thq, ok2 := s.prove(m, q)
			if !ok1 || !ok2 {
				continue
			}
			u := s.trace(s.mul(p, q))
			if th, ok := s.by("mtrace", k, u, thp, thq); ok {
				return s.settle(k, t, u, th)
			}
		}
	}
	return s.distributed(k, t)
}

// settle carries a theorem about u to the equal t.
func (s *state) settle(k kind, t, u *kernel.Term, th kernel.Theorem) (kernel.Theorem, bool) {
	if t == u {
		return th, true
	}
	s.keepTheorem(k, u, th)
	return s.by("transport", k, t, th)
}

// distributed multiplies out one factor of a trace that is a sum.
func (s *state) distributed(k kind, t *kernel.Term) (kernel.Theorem, bool) {
	_, word := s.factors(t.Arg(0))
	for i, w := range word {
		if w.Head() != kernel.Sum {
			continue
		}
		var parts []*kernel.Term
		for _, x := range summands(w) {
			list := append([]*kernel.Term{}, word...)
			list[i] = x
			parts = append(parts, s.trace(s.product(list)))
		}
		return s.moved(k, t, s.sum(parts))
	}
	return kernel.Theorem{}, false
}

func (s *state) invertibleShape(t *kernel.Term) (kernel.Theorem, bool) {
	if th, ok := s.weakened(pd, invertible, t); ok {
		return th, true
	}
	switch t.Head() {
	case kernel.Product:
		a, b := t.Arg(0), t.Arg(1)
		switch {
		case a.Scalar():
			return s.both("minvertible", invertible, t, nonzero, a, invertible, b)
		case b.Scalar():
			return s.moved(invertible, t, s.mul(b, a))
		}
		if r, c := a.Shape(); r != c {
			return kernel.Theorem{}, false
		}
		return s.both("minvertible", invertible, t, invertible, a, invertible, b)
	case kernel.Inverse, kernel.Transpose:
		if th, ok := s.prove(invertible, t.Arg(0)); ok {
			return s.by("minvertible", invertible, t, th)
		}
	}
	return kernel.Theorem{}, false
}

func (s *state) diagonalShape(t *kernel.Term) (kernel.Theorem, bool) {
	var premises []kernel.Theorem
	switch t.Head() {
	case kernel.Identity, kernel.Zero:
	case kernel.Sum, kernel.Product, kernel.Power, kernel.Transpose:
		for i := range t.Len() {
			if t.Arg(i).Scalar() {
				continue
			}
			th, ok := s.prove(diagonal, t.Arg(i))
			if !ok {
				return th, false
			}
			premises = append(premises, th)
		}
	default:
		return kernel.Theorem{}, false
	}
	return s.by("diagonal", diagonal, t, premises...)
}
