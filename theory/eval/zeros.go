package eval

import (
	"errors"
	"math/big"

	"stopgrad/theory/kernel"
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
	var values []*big.Rat
	for _, p := range k.values {
		v, err := at(p)
		if err != nil {
			return false, err
		}
		values = append(values, v)
	}
	p := interpolated(values)
	if lo != nil && hi != nil {
		if c := lo.Cmp(hi); c > 0 || c == 0 && !(k.loIn && k.hiIn) {
			return k.n == 0, nil
		}
	}
	all, rising, falling := 0, 0, 0
	if err := j.payCount(p); err != nil {
		return false, err
	}
	switch {
	case len(p) > 0:
		all, rising, falling = p.zeros(lo, hi, k.loIn, k.hiIn)
	case lo != nil && hi != nil && lo.Cmp(hi) == 0:
		all = 1
	case k.form == kernel.Zeros:
		return false, nil // zero everywhere
	}
	switch k.form {
	case kernel.RisingZeros:
		return rising == k.n, nil
	case kernel.FallingZeros:
		return falling == k.n, nil
	}
	return all == k.n, nil
}

// payCount counts the work of counting the zeros of a polynomial: some remainders of polynomials, whose coefficients are longer
// by a factor of twice the degree.
func (j *judge[T]) payCount(p coefficients) error {
	bits := 0
	for _, c := range p {
		bits = max(bits, c.Num().BitLen(), c.Denom().BitLen())
	}
	words := bits * len(p) / 32
	n := 3 * len(p) * len(p) * (1 + words + words*words/16)
	if m, ok := any(j.ar).(Metered); ok {
		m.Spend(n)
	}
	return j.pay(n)
}

// coefficients are a polynomial in one variable, coefficients from the constant one, the last not zero.
type coefficients []*big.Rat

func (p coefficients) trimmed() coefficients {
	for len(p) > 0 && p[len(p)-1].Sign() == 0 {
		p = p[:len(p)-1]
	}
	return p
}

// times is p·q.
func (p coefficients) times(q coefficients) coefficients {
	out := make(coefficients, max(0, len(p)+len(q)-1))
	for i := range out {
		out[i] = new(big.Rat)
	}
	for i, a := range p {
		for k, b := range q {
			out[i+k].Add(out[i+k], new(big.Rat).Mul(a, b))
		}
	}
	return out.trimmed()
}

// interpolated is the polynomial of least degree with these values at 0, 1, …, by Newton's differences.
func interpolated(values []*big.Rat) coefficients {
	d := append(coefficients(nil), values...)
	for i := 1; i < len(d); i++ {
		for k := len(d) - 1; k >= i; k-- {
			x := new(big.Rat).Sub(d[k], d[k-1])
			d[k] = x.Quo(x, big.NewRat(int64(i), 1))
		}
	}
	p := coefficients{}
	for k := len(d) - 1; k >= 0; k-- {
		p = p.times(coefficients{big.NewRat(int64(-k), 1), big.NewRat(1, 1)})
		if len(p) == 0 {
			p = coefficients{new(big.Rat)}
		}
		p[0] = new(big.Rat).Add(p[0], d[k])
		p = p.trimmed()
	}
	return p
}

func (p coefficients) at(x *big.Rat) *big.Rat {
	s := new(big.Rat)
	for i := len(p) - 1; i >= 0; i-- {
		s.Add(s.Mul(s, x), p[i])
	}
	return s
}

func (p coefficients) slope() coefficients {
	var out coefficients
	for i := 1; i < len(p); i++ {
		out = append(out, new(big.Rat).Mul(p[i], big.NewRat(int64(i), 1)))
	}
	return out
}

// over divides with a rest.
func (p coefficients) over(q coefficients) (quo, rem coefficients) {
	rem = append(coefficients(nil), p...)
	if len(p) >= len(q) {
		quo = make(coefficients, len(p)-len(q)+1)
		for i := range quo {
			quo[i] = new(big.Rat)
		}
	}
	for len(rem) >= len(q) {
		c, at := new(big.Rat).Quo(rem[len(rem)-1], q[len(q)-1]), len(rem)-len(q)
		quo[at] = c
		for i, b := range q {
			rem[at+i] = new(big.Rat).Sub(rem[at+i], new(big.Rat).Mul(c, b))
		}
		rem = rem[:len(rem)-1].trimmed()
	}
	return quo.trimmed(), rem
}

// negated is −p over a positive number, so that its coefficients are whole numbers without a common divisor: remainders of
// remainders would grow out of bounds.
func (p coefficients) negated() coefficients {
	if len(p) == 0 {
		return p
	}
	common, whole := big.NewInt(1), make([]*big.Int, len(p))
	var g big.Int
	for _, c := range p {
		g.GCD(nil, nil, common, c.Denom())
		common = new(big.Int).Mul(common, new(big.Int).Quo(c.Denom(), &g))
	}
	divisor := new(big.Int)
	for i, c := range p {
		whole[i] = new(big.Int).Mul(c.Num(), new(big.Int).Quo(common, c.Denom()))
		divisor.GCD(nil, nil, divisor, new(big.Int).Abs(whole[i]))
	}
	out := make(coefficients, len(p))
	for i, n := range whole {
		out[i] = new(big.Rat).SetInt(n.Neg(n.Quo(n, divisor)))
	}
	return out
}

// zeros counts those of p, which is not zero everywhere, between lo and hi, nil at ∓∞: all, and those at which the derivative
// is positive, and negative.
func (p coefficients) zeros(lo, hi *big.Rat, loIn, hiIn bool) (all, rising, falling int) {
	slope := p.slope()
	note := func(sign int) {
		all++
		if sign > 0 {
			rising++
		} else if sign < 0 {
			falling++
		}
	}
	q := p
	for i, x := range []*big.Rat{lo, hi} {
		if x == nil || i == 1 && lo != nil && lo.Cmp(hi) == 0 || p.at(x).Sign() != 0 {
			continue
		}
		if []bool{loIn, hiIn}[i] {
			note(slope.at(x).Sign())
		}
		for q.at(x).Sign() == 0 {
			q, _ = q.over(coefficients{new(big.Rat).Neg(x), big.NewRat(1, 1)})
		}
	}
	if lo != nil && hi != nil && lo.Cmp(hi) == 0 {
		return all, rising, falling
	}
	// Tarski's query: the zeros of q at which g > 0 less those at which g < 0.
	query := func(q, g coefficients) (n int, common coefficients) {
		a, b := q, q.slope().times(g)
		var left, right []int
		for len(a) > 0 {
			left, right = append(left, a.signAt(lo, true)), append(right, a.signAt(hi, false))
			if len(b) == 0 {
				break
			}
			_, r := a.over(b)
			a, b = b, r.negated()
		}
		return alternations(left) - alternations(right), a
	}
	one := coefficients{big.NewRat(1, 1)}
	some, common := query(q, one)
	more, _ := query(q, slope)
	multiple, _ := query(common, one)
	return all + some, rising + (some-multiple+more)/2, falling + (some-multiple-more)/2
}

// signAt is the sign at a number, or far out to the left or right.
func (p coefficients) signAt(x *big.Rat, left bool) int {
	s := p[len(p)-1].Sign()
	switch {
	case x != nil:
		s = p.at(x).Sign()
	case left && len(p)%2 == 0:
		s = -s
	}
	return s
}

// alternations counts the changes of sign, zeros left out.
func alternations(signs []int) (n int) {
	last := 0
	for _, s := range signs {
		if s != 0 && last != 0 && s != last {
			n++
		}
		if s != 0 {
			last = s
		}
	}
	return n
}
