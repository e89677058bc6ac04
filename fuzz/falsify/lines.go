package falsify

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"gonum.org/v1/gonum/mat"

	"stopgrad/fuzz/minimise"
	"stopgrad/fuzz/witness"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/univariate"
	"stopgrad/theory/verdict"
)

// maxDegree bounds the polynomials that are looked at along a line.
const maxDegree = 12

// lines draws states and moves along each scalar, and along multiples of each matrix: where the numbers that decide the
// statement are polynomials in it, found by interpolation, their zeros and extrema and the points between them are all the
// places that differ, so that a window however thin or far is met. Each is judged exactly like any other state.
func (s *searcher) lines() {
	var scalars, matrices []string
	for _, name := range s.target.Env.Order {
		switch y := s.target.Env.Symbols[name]; {
		case y.Kind == lang.Scalar && y.Root == nil:
			scalars = append(scalars, name)
		case y.Kind == lang.Matrix && y.Attr&lang.Isometry == 0:
			matrices = append(matrices, name)
		}
	}
	s.along("lines", scalars, func(i int) []string {
		// Every third line ties two scalars to each other.
		one := scalars[i%len(scalars)]
		if other := scalars[(i/len(scalars)+i+1)%len(scalars)]; i%3 == 1 && other != one {
			return []string{one, other}
		}
		return []string{one}
	})
	s.along("multiples", matrices, func(i int) []string { return []string{matrices[i%len(matrices)]} })
}

// A line that more than fewPolynomials decide counts as so many operations more for each: what interpolating it and its zeros take.
const (
	fewPolynomials = 32
	perPolynomial  = 225
)

// along moves along lines in some of the symbols, those of the i-th line by the choice; each of a state drawn afresh.
func (s *searcher) along(stage string, symbols []string, choice func(i int) []string) {
	if len(symbols) == 0 || s.finished() {
		return
	}
	stream := sample.NewStream(s.o.Seed, s.label+"/"+stage)
	sizes := s.o.sizesOf(s.target)
	for i := range s.o.Effort.Lines {
		if s.finished() {
			return
		}
		ks := drawSizes(stream, s.target, sizes, float64(i%2)/2)
		most := 1
		for _, k := range ks {
			most = max(most, k)
		}
		st, err := sample.DrawBy(s.exact, &sized{Chooser: stream, sizes: ks}, s.target, most, i%3 == 2)
		if err != nil {
			continue
		}
		if s.line(st, choice(i)) {
			return
		}
	}
}

// line looks at the states that differ from one in a scalar, in two that are equal, or in a factor of a matrix.
func (s *searcher) line(st verdict.Witness, names []string) bool {
	first := s.target.Env.Symbols[names[0]]
	at := func(x *big.Rat) verdict.Witness {
		w := verdict.Witness{Dims: st.Dims, Vals: make(map[string]witness.Matrix, len(st.Vals))}
		for k, m := range st.Vals {
			w.Vals[k] = m
		}
		for _, name := range names {
			w.Vals[name] = eval.ScalarOf(x)
		}
		if first.Kind == lang.Matrix {
			m := witness.CloneMatrix(st.Vals[first.Name])
			for i, v := range m.A {
				m.A[i] = v.Mul(v, x)
			}
			w.Vals[first.Name] = m
		}
		return w
	}
	polys := s.polynomials(at)
	if len(polys) == 0 {
		return false
	}
	s.exact.Spend(perPolynomial * max(0, len(polys)-fewPolynomials))
	for _, p := range polys {
		if first.Kind == lang.Matrix {
			break // a state's irrational numbers are scalars
		}
		for _, x := range surds(p) {
			w := at(x.Near())
			w.Surds = map[string]eval.Surd{}
			for _, name := range names {
				w.Surds[name] = x
			}
			if s.offerSurd(w) {
				return true
			}
		}
	}
	for _, x := range places(polys, first.Domain) {
		s.res.Drawn++
		if s.offer(at(x), "lines") {
			return true
		}
		if s.finished() {
			return true
		}
	}
	return false
}

// offerSurd hands a state with irrational numbers to the verdict, if floating point finds the statement failing there.
func (s *searcher) offerSurd(w verdict.Witness) bool {
	f, err := eval.Try(eval.Float{}, s.target, witness.Floats(w))
	if err != nil || !f.Met {
		return false
	}
	s.res.Drawn++
	if f.Holds && !f.Close || !sample.WorthAsking(s.refused+1) {
		return false
	}
	r, err := s.model.At(w)
	if err != nil || !r.Verdict().IsRefuted() {
		s.refused++
		return false
	}
	s.res.Refutation, s.res.Witness, s.res.Stage = r, witness.Clone(w), "lines"
	return true
}

// maxFactoring bounds the work of a square-free part, see [univariate.Polynomial.Factoring].
const maxFactoring = 1_000_000

// surds are the irrational zeros of a polynomial that are solutions of quadratic equations with fractions for
// coefficients: what is left of its square-free part after its rational zeros are divided out is quadratic. A sum of squares
// touches zero where it is a square.
func surds(p univariate.Polynomial) []eval.Surd {
	if p.Factoring() > maxFactoring {
		return nil
	}
	p = p.SquareFree()
	for _, r := range roots(p) {
		x := new(big.Rat).SetFloat64(r)
		if x == nil || len(p) <= 3 {
			break
		}
		for _, y := range minimise.Convergents(x) {
			if p.At(y).Sign() == 0 {
				p, _ = p.Divide(univariate.Linear(y))
				break
			}
		}
	}
	if len(p) != 3 {
		return nil
	}
	// −b/2a ± √((b/2a)² − c/a)
	h := new(big.Rat).Quo(p[1], new(big.Rat).Mul(p[2], big.NewRat(-2, 1)))
	c := new(big.Rat).Sub(new(big.Rat).Mul(h, h), new(big.Rat).Quo(p[0], p[2]))
	if c.Sign() <= 0 {
		return nil
	}
	if _, err := (eval.Rational{}).Sqrt(c); err == nil {
		return nil
	}
	return []eval.Surd{{A: h, B: big.NewRat(-1, 1), C: c}, {A: h, B: big.NewRat(1, 1), C: c}}
}

// polynomials interpolates the quantities of the target along a line; those that are none of a degree up to maxDegree are
// left out.
func (s *searcher) polynomials(at func(*big.Rat) verdict.Witness) (out []univariate.Polynomial) {
	var xs []*big.Rat
	var rows [][]*big.Rat // by point
	for k := int64(0); len(xs) < maxDegree+3 && k < 3*maxDegree; k++ {
		x := big.NewRat(k/2+1, 1)
		if k%2 == 1 {
			x.Neg(x)
		}
		if k == 0 {
			x = big.NewRat(1, 3)
		}
		q, err := eval.Quantities(s.exact, s.target, at(x))
		if err != nil || len(rows) > 0 && len(q) != len(rows[0]) {
			continue
		}
		xs, rows = append(xs, x), append(rows, q)
	}
	if len(rows) < 3 {
		return nil
	}
	for j := range rows[0] {
		column := make([]*big.Rat, len(rows))
		for i := range rows {
			column[i] = rows[i][j]
		}
		if p, ok := interpolate(xs, column); ok && len(p) > 1 {
			out = append(out, p)
		}
	}
	return out
}

// ErrNoPolynomial is returned for a function that is no polynomial of a degree that is looked at.
var ErrNoPolynomial = fmt.Errorf("falsify: no polynomial of degree up to %d", maxDegree)

// Polynomial is the polynomial that a function is.
func Polynomial(f func(*big.Rat) (*big.Rat, error)) (univariate.Polynomial, error) {
	var xs, ys []*big.Rat
	for k := int64(0); len(xs) < maxDegree+3; k++ {
		x := big.NewRat(k, 1)
		y, err := f(x)
		if err != nil {
			return nil, err
		}
		xs, ys = append(xs, x), append(ys, y)
	}
	p, ok := interpolate(xs, ys)
	if !ok {
		return nil, ErrNoPolynomial
	}
	return p, nil
}

// Roots are the real zeros of a polynomial in float64, ascending.
func Roots(p univariate.Polynomial) []float64 {
	out := roots(p)
	slices.Sort(out)
	return out
}

// interpolate is the polynomial through the points, if two points more than its degree asks for lie on it.
func interpolate(xs, ys []*big.Rat) (univariate.Polynomial, bool) {
	p := univariate.Through(xs, ys)
	return p, len(p) <= len(xs)-2
}

// places are numbers of a domain at, beside and between the zeros and extrema of polynomials, simple ones where they do.
func places(polys []univariate.Polynomial, domain lang.Domain) (out []*big.Rat) {
	var critical []float64
	for _, p := range polys {
		critical = append(append(critical, roots(p)...), roots(p.Derivative())...)
	}
	slices.Sort(critical)
	critical = slices.Compact(critical)
	seen := map[string]bool{}
	add := func(x *big.Rat) {
		if x != nil && domain.Contains(x) && !seen[x.RatString()] {
			seen[x.RatString()] = true
			out = append(out, x)
		}
	}
	exact := func(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }
	may := make([]mayVanish, len(polys))
	for i, p := range polys {
		may[i] = newMayVanish(p)
	}
	for i, c := range critical {
		x := exact(c)
		if x == nil {
			continue
		}
		for _, y := range minimise.Convergents(x) {
			f, _ := y.Float64()
			for i, p := range polys {
				if may[i].at(f) && p.At(y).Sign() == 0 {
					add(y) // a zero that is a fraction
				}
			}
		}
		for _, rel := range []float64{1e-3, 1e-6, 1e-12} {
			add(minimise.Within(x, exact(rel)))
		}
		size := math.Max(1e-3, math.Abs(c))
		for _, rel := range []float64{1e-1, 1e-3, 1e-6, 1e-9} {
			for _, side := range []float64{-1, 1} {
				if y := exact(c + side*rel*size); y != nil {
					add(minimise.Within(y, exact(rel/10)))
				}
			}
		}
		if i > 0 {
			if y := exact((critical[i-1] + c) / 2); y != nil {
				add(minimise.Within(y, exact(1e-3)))
				add(y)
			}
		}
	}
	if n := len(critical); n > 0 {
		for _, far := range []float64{2, 10, 1000} {
			add(exact(math.Ceil(far * (math.Abs(critical[n-1]) + 1))))
			add(exact(-math.Ceil(far * (math.Abs(critical[0]) + 1))))
		}
	}
	add(domain.Lo)
	add(domain.Hi)
	return out
}

// mayVanish are the coefficients of a polynomial in float64, by which most numbers are seen not to be its zeros.
type mayVanish []float64

func newMayVanish(p univariate.Polynomial) mayVanish {
	out := make(mayVanish, len(p))
	for i, c := range p {
		out[i], _ = c.Float64()
	}
	return out
}

// at reports whether the polynomial may be zero at a number near x, its float64. Of degree up to maxDegree, rounding of
// coefficients, of the number and of the sum makes less than 60·2⁻⁵³ of the sum of sizes.
func (p mayVanish) at(x float64) bool {
	v, size := 0.0, 0.0
	for i := len(p) - 1; i >= 0; i-- {
		v, size = v*x+p[i], size*math.Abs(x)+math.Abs(p[i])
	}
	const least = 0x1p-900 // of what is free of underflow
	return !(math.Abs(v) > 1e-12*size) || size < least || math.IsInf(size, 0)
}

// roots are the real parts of the zeros of a polynomial that are nearly real, in float64: the eigenvalues of its companion
// matrix.
func roots(p univariate.Polynomial) (out []float64) {
	n := len(p) - 1
	if n < 1 {
		return nil
	}
	m := mat.NewDense(n, n, nil)
	for i := range n {
		c, _ := new(big.Rat).Quo(p[i], p[n]).Float64()
		if math.IsInf(c, 0) {
			return nil
		}
		m.Set(i, n-1, -c)
		if i > 0 {
			m.Set(i, i-1, 1)
		}
	}
	var e mat.Eigen
	if !e.Factorize(m, mat.EigenNone) {
		return nil
	}
	for _, z := range e.Values(nil) {
		// A zero of even order is found as a pair beside the real line.
		if math.Abs(imag(z)) <= 1e-3*(1e-3+math.Abs(real(z))) {
			out = append(out, real(z))
		}
	}
	return out
}
