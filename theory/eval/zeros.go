package eval

import (
	"errors"
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/univariate"
)

// ErrUncounted is returned where zeros are to be counted of what is no polynomial of a moderate degree, whatever the state.
var ErrUncounted = errors.New("eval: zeros are counted of polynomials of a degree up to 24")

const maxZeros = 24 // degree of a polynomial whose zeros are counted

// counting is a count of zeros: the places of the expression's values at 0, 1, …, and of the ends, −1 where there is none.
type counting struct {
	form       kernel.Form
	n          int
	values     []int
	lo, hi     int
	loIn, hiIn bool
	err        error
}

// counting compiles a count of zeros.
func (b *builder) counting(form kernel.Form, c kernel.Count) *counting {
	k := &counting{form: form, n: c.N, lo: -1, hi: -1, loIn: c.LoIn, hiIn: c.HiIn}
	// What was differentiated or replaced on the way has to have a value, too, for every value of x.
	parts, err := b.dyn.Parts(c.Of)
	if keep(b, parts, err); b.err != nil {
		return k
	}
	memo := map[*kernel.Term]int{}
	d := degreeIn(parts[0], c.In, memo)
	for _, u := range parts {
		if degreeIn(u, c.In, memo) < 0 || d > maxZeros {
			k.err = ErrUncounted
			return k
		}
	}
	for i := range d + 1 {
		k.values = append(k.values, b.place(b.make(kernel.At, 0, c.Of, c.In, b.number(int64(i)))))
	}
	if c.Lo != nil {
		k.lo = b.place(c.Lo)
	}
	if c.Hi != nil {
		k.hi = b.place(c.Hi)
	}
	return k
}

// places lists those that the count reads.
func (k *counting) places() []int {
	out := k.values
	for _, p := range []int{k.lo, k.hi} {
		if p >= 0 {
			out = append(out[:len(out):len(out)], p)
		}
	}
	return out
}

// degreeIn is the degree in x that a pure term has at most, or −1 if it is no polynomial in x by its form.
func degreeIn(t, x *kernel.Term, memo map[*kernel.Term]int) int {
	if n, ok := memo[t]; ok {
		return n
	}
	n := 0
	if t == x {
		n = 1
	}
	for i := range t.Len() {
		switch k := degreeIn(t.Arg(i), x, memo); {
		case k < 0 || n < 0:
			n = -1
		case t.Head() == kernel.Product || t.Head() == kernel.Kronecker:
			n += k
		default:
			n = max(n, k)
		}
	}
	switch t.Head() {
	case kernel.Power:
		n *= t.Exponent()
	case kernel.Reciprocal, kernel.Root, kernel.Inverse:
		if n > 0 {
			n = -1
		}
	}
	if n > 1<<20 {
		n = -1
	}
	memo[t] = n
	return n
}

// exactly is a number of the judge's arithmetic as a fraction; a float64 is one.
func exactly[T any](x T) *big.Rat {
	switch v := any(x).(type) {
	case *big.Rat:
		return v
	case float64:
		return new(big.Rat).SetFloat64(v)
	}
	return nil
}

// counts judges a count of zeros at the judge's state.
func (j *judge[T]) counts(k *counting) (bool, error) {
	if k.err != nil {
		return false, k.err
	}
	at := func(p int) (*big.Rat, error) {
		if p < 0 {
			return nil, nil
		}
		m, err := j.at(p)
		if err != nil {
			return nil, err
		}
		if x := exactly(m.A[0]); x != nil {
			return x, nil
		}
		return nil, ErrUncounted
	}
	lo, err := at(k.lo)
	if err != nil {
		return false, err
	}
	hi, err := at(k.hi)
	if err != nil {
		return false, err
	}
	var places, values []*big.Rat
	for i, p := range k.values {
		v, err := at(p)
		if err != nil {
			return false, err
		}
		places, values = append(places, big.NewRat(int64(i), 1)), append(values, v)
	}
	p := univariate.Through(places, values)
	if lo != nil && hi != nil {
		if c := lo.Cmp(hi); c > 0 || c == 0 && !(k.loIn && k.hiIn) {
			return k.n == 0, nil
		}
	}
	if err := j.payCount(p); err != nil {
		return false, err
	}
	var found univariate.Count
	switch {
	case len(p) > 0:
		found = p.Zeros(lo, hi, k.loIn, k.hiIn)
	case lo != nil && hi != nil && lo.Cmp(hi) == 0:
		found.All = 1
	case k.form == kernel.Zeros:
		return false, nil // zero everywhere
	}
	switch k.form {
	case kernel.RisingZeros:
		return found.Rising == k.n, nil
	case kernel.FallingZeros:
		return found.Falling == k.n, nil
	}
	return found.All == k.n, nil
}

// payCount counts the work of counting the zeros of a polynomial, which takes three sequences of remainders.
func (j *judge[T]) payCount(p univariate.Polynomial) error {
	n := 3 * p.Remaindering()
	if m, ok := any(j.ar).(Metered); ok {
		m.Spend(n)
	}
	return j.pay(n)
}
