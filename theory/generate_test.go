package theory

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"sort"
	"strings"
)

// made is a statement made from its proof, or by a small change from one that touches its bound.
type made struct {
	kind string
	text string // a claim file with the one part s
	says string
	// truth is what the construction makes the statement: 1 true, −1 false, 0 not known.
	truth int
}

// expansion is a polynomial over ℚ in the letters of a statement: exponents, one byte each, to coefficients.
type expansion map[string]*big.Rat

// maker makes statements from a seed.
type maker struct {
	rng     *rand.Rand
	letters []string
}

func (g *maker) number(c *big.Rat) expansion {
	if c.Sign() == 0 {
		return expansion{}
	}
	return expansion{string(make([]byte, len(g.letters))): c}
}

func (g *maker) letter(i int) expansion {
	e := make([]byte, len(g.letters))
	e[i] = 1
	return expansion{string(e): big.NewRat(1, 1)}
}

func plus(p, q expansion, c *big.Rat) expansion {
	out := expansion{}
	for k, v := range p {
		out[k] = v
	}
	for k, v := range q {
		s := new(big.Rat).Mul(v, c)
		if old := out[k]; old != nil {
			s.Add(s, old)
		}
		out[k] = s
		if s.Sign() == 0 {
			delete(out, k)
		}
	}
	return out
}

func times(p, q expansion) expansion {
	out := expansion{}
	for k, v := range p {
		for l, w := range q {
			e := []byte(k)
			for i := range e {
				e[i] += l[i]
			}
			out = plus(out, expansion{string(e): new(big.Rat).Mul(v, w)}, one)
		}
	}
	return out
}

var one = big.NewRat(1, 1)

// at is the value at a point.
func (p expansion) at(x []*big.Rat) *big.Rat {
	s := new(big.Rat)
	for k, v := range p {
		m := new(big.Rat).Set(v)
		for i := range x {
			for range k[i] {
				m.Mul(m, x[i])
			}
		}
		s.Add(s, m)
	}
	return s
}

// text writes a polynomial as a user would.
func (g *maker) text(p expansion) string {
	keys := make([]string, 0, len(p))
	for k := range p {
		keys = append(keys, k)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(keys)))
	var b strings.Builder
	for _, k := range keys {
		var fs []string
		for i, x := range g.letters {
			switch n := k[i]; {
			case n == 1:
				fs = append(fs, x)
			case n > 1:
				fs = append(fs, fmt.Sprintf("%s^%d", x, n))
			}
		}
		c := p[k]
		a := new(big.Rat).Abs(c)
		if a.Cmp(one) != 0 || len(fs) == 0 {
			fs = append([]string{a.RatString()}, fs...)
		}
		switch {
		case b.Len() > 0 && c.Sign() < 0:
			b.WriteString(" - ")
		case b.Len() > 0:
			b.WriteString(" + ")
		case c.Sign() < 0:
			b.WriteString("-")
		}
		b.WriteString(strings.Join(fs, "*"))
	}
	if b.Len() == 0 {
		return "0"
	}
	return b.String()
}

func (g *maker) between(lo, hi int64) int64 { return lo + g.rng.Int64N(hi-lo+1) }

// simple is a small fraction.
func (g *maker) simple() *big.Rat { return big.NewRat(g.between(-4, 4), g.between(1, 2)) }

// some is a small positive fraction.
func (g *maker) some() *big.Rat { return big.NewRat(g.between(1, 4), g.between(1, 2)) }

// little is what a touching bound is tightened by.
func (g *maker) little() *big.Rat { return big.NewRat(1, []int64{4, 10, 100, 1000}[g.rng.IntN(4)]) }

// domain declares the letters with bounds, picks a point inside, and returns the bounds as polynomials.
func (g *maker) domain(n int) (decl []string, bounds []expansion, at []*big.Rat) {
	g.letters = []string{"x", "y", "z"}[:n]
	for i, x := range g.letters {
		v := g.simple()
		at = append(at, v)
		lo, hi := new(big.Rat).Sub(v, g.some()), new(big.Rat).Add(v, g.some())
		switch g.rng.IntN(5) {
		case 0:
			decl = append(decl, x)
		case 1:
			decl = append(decl, x+" >= "+lo.RatString())
			bounds = append(bounds, plus(g.letter(i), g.number(lo), big.NewRat(-1, 1)))
		case 2:
			decl = append(decl, x+" >= "+v.RatString())
			bounds = append(bounds, plus(g.letter(i), g.number(v), big.NewRat(-1, 1)))
		default:
			decl = append(decl, fmt.Sprintf("%s >= %s, <= %s", x, lo.RatString(), hi.RatString()))
			bounds = append(bounds, plus(g.letter(i), g.number(lo), big.NewRat(-1, 1)), plus(g.number(hi), g.letter(i), big.NewRat(-1, 1)))
		}
	}
	return decl, bounds, at
}

// vanishing is a polynomial of degree at most d that is zero at a point.
func (g *maker) vanishing(at []*big.Rat, d int) expansion {
	p := expansion{}
	for p = (expansion{}); len(p) == 0; {
		for i := range g.letters {
			c := big.NewRat(g.between(-2, 2), 1)
			m := plus(g.letter(i), g.number(at[i]), big.NewRat(-1, 1))
			if d > 1 && g.rng.IntN(3) == 0 {
				m = times(m, plus(g.letter(g.rng.IntN(len(g.letters))), g.number(g.simple()), one))
			}
			p = plus(p, m, c)
		}
	}
	return p
}

// nonnegative is a sum of squares and of products of bounds with squares, zero at the point.
func (g *maker) nonnegative(bounds []expansion, at []*big.Rat, squares, d int) expansion {
	p := expansion{}
	for range squares {
		q := g.vanishing(at, d)
		p = plus(p, times(q, q), g.some())
	}
	for _, b := range bounds {
		switch g.rng.IntN(3) {
		case 0:
			q := g.vanishing(at, 1)
			p = plus(p, times(b, times(q, q)), g.some())
		case 1:
			if b.at(at).Sign() == 0 {
				p = plus(p, b, g.some())
			}
		}
	}
	return p
}

// claim is a claim file.
func claimText(decl []string, system, says string, assumes ...string) string {
	var b strings.Builder
	b.WriteString("claim made\n  title a statement made from a proof\n  printed nowhere\n")
	for _, d := range decl {
		b.WriteString("  scalar " + d + "\n")
	}
	b.WriteString(system + "  says s: " + says + "\n")
	for i, a := range assumes {
		fmt.Fprintf(&b, "    assume h%d: %s\n", i+1, a)
	}
	return b.String()
}

// bound states p ≥ 0 for a p that is zero somewhere, or something slightly stronger, which is false.
func (g *maker) bound(p expansion, truth int) string {
	if truth > 0 {
		// Split between the sides.
		l, r := expansion{}, expansion{}
		for k, v := range p {
			if g.rng.IntN(3) == 0 {
				r[k] = new(big.Rat).Neg(v)
			} else {
				l[k] = v
			}
		}
		return g.text(l) + " >= " + g.text(r)
	}
	if g.rng.IntN(3) == 0 {
		return g.text(p) + " > 0"
	}
	return g.text(p) + " >= " + g.little().RatString()
}

// make makes a statement; of each kind about as many, true for truth > 0 and false otherwise.
func (g *maker) make(truth int) made {
	kinds := []func(int) (kind, text, says string){g.line, g.line, g.several, g.fraction, g.conditional, g.equality, g.shape, g.rate, g.stays, g.steps}
	kind, text, says := kinds[g.rng.IntN(len(kinds))](truth)
	return made{kind, text, says, truth}
}

// scalar makes a statement about states.
func (g *maker) scalar(truth int) made {
	kinds := []func(int) (kind, text, says string){g.line, g.several, g.fraction, g.conditional, g.equality, g.shape}
	kind, text, says := kinds[g.rng.IntN(len(kinds))](truth)
	return made{kind, text, says, truth}
}

func (g *maker) line(truth int) (kind, text, says string) {
	decl, bounds, at := g.domain(1)
	p := g.nonnegative(bounds, at, 1+g.rng.IntN(2), 2)
	says = g.bound(p, truth)
	return "one letter", claimText(decl, "", says), says
}

func (g *maker) several(truth int) (kind, text, says string) {
	decl, bounds, at := g.domain(2 + g.rng.IntN(2))
	p := g.nonnegative(bounds, at, 1+g.rng.IntN(3), 1)
	says = g.bound(p, truth)
	return "several letters", claimText(decl, "", says), says
}

func (g *maker) fraction(truth int) (kind, text, says string) {
	decl, bounds, at := g.domain(1 + g.rng.IntN(2))
	p := g.nonnegative(bounds, at, 1, 1)
	q := g.vanishing(at, 1)
	d := plus(times(q, q), g.number(g.some()), one)
	b := plus(g.letter(0), g.number(g.simple()), one)
	// p/d ≥ 0 as (p + b·d)/d ≥ b.
	sign := " >= "
	if truth < 0 {
		sign = " > "
	}
	says = "(" + g.text(plus(p, times(b, d), one)) + ")/(" + g.text(d) + ")" + sign + g.text(b)
	return "fractions", claimText(decl, "", says), says
}

func (g *maker) conditional(truth int) (kind, text, says string) {
	decl, bounds, at := g.domain(2)
	h := g.vanishing(at, 2)
	rel := " >= 0"
	if g.rng.IntN(3) == 0 {
		rel = " == 0"
	}
	p := plus(g.nonnegative(bounds, at, 1, 1), h, g.some())
	says = g.bound(p, truth)
	return "under a hypothesis", claimText(decl, "", says, g.text(h)+rel), says
}

func (g *maker) equality(truth int) (kind, text, says string) {
	g.letters = []string{"x", "y", "z"}
	decl := []string{"x, y, z"}
	at := []*big.Rat{g.simple(), g.simple(), g.simple()}
	h, k := g.vanishing(at, 2), g.vanishing(at, 2)
	m := plus(g.letter(g.rng.IntN(3)), g.number(g.simple()), one)
	n := plus(g.letter(g.rng.IntN(3)), g.number(g.simple()), one)
	p := plus(times(m, h), times(n, k), one)
	if truth < 0 {
		p = plus(p, g.number(g.little()), one)
	}
	says = g.text(p) + " == 0"
	return "equalities", claimText(decl, "", says, g.text(h)+" == 0", g.text(k)+" == 0"), says
}

// shape makes what the field writes: means, discriminants, fixed points, half-saturation.
func (g *maker) shape(truth int) (kind, text, says string) {
	c := g.some().RatString()
	n := g.between(2, 4)
	more := func(v, tight string) string {
		if truth > 0 {
			return v
		}
		return tight
	}
	positive := []string{"a, b, c > 0"}
	switch g.rng.IntN(8) {
	case 0:
		says = fmt.Sprintf("a^%d + %d*b^%d >= %s*a*b^%d", n, n-1, n, more(fmt.Sprint(n), fmt.Sprintf("%d/10", 10*n+1)), n-1)
	case 1:
		says = fmt.Sprintf("a + %s^2/a >= %s", c, more("2*("+c+")", "2*("+c+") + 1/10"))
		says = strings.Replace(says, c+"^2", "("+c+")^2", 1)
	case 2:
		decl := []string{"a > 0", "x, b, c"}
		says = fmt.Sprintf("b^2 >= %s*a*c", more("4", "41/10"))
		return "field's shapes", claimText(decl, "", says, "a*x^2 + b*x + c == 0"), says
	case 3:
		says = fmt.Sprintf("a/(a + %s) %s 1", c, more("<", ">"))
	case 4:
		says = fmt.Sprintf("(a + b)^2 >= %s*a*b", more("4", "401/100"))
	case 5:
		decl := []string{"p", "a, b, c > 0"}
		says = fmt.Sprintf("p*(b - a*p) <= %s", more("b^2/(4*a)", "b^2/(5*a)"))
		return "field's shapes", claimText(decl, "", says), says
	case 6:
		says = fmt.Sprintf("a*b/(a + b) %s a", more("<", ">"))
	case 7:
		decl := []string{"x", "a, b, c > 0"}
		says = fmt.Sprintf("%s*a*x^2 - 2*%s*b*x + %s*b^2/a >= %s", c, c, c, more("0", "b/100"))
		return "field's shapes", claimText(decl, "", says), says
	}
	return "field's shapes", claimText(positive, "", says), says
}

func (g *maker) rate(truth int) (kind, text, says string) {
	c := g.between(1, 4)
	decl := []string{"k, m > 0", "x, y"}
	system := fmt.Sprintf("  flow\n    x' = -%d*k*x - m*x^3\n    y' = -k*y\n", c)
	more := fmt.Sprint(c)
	if truth < 0 {
		more = fmt.Sprint(c + 1)
	}
	switch g.rng.IntN(4) {
	case 0:
		says = "|x| decays at rate " + more + "*k"
	case 1:
		says = "x^2 decays at rate 2*" + more + "*k"
	case 2:
		says = fmt.Sprintf("y^%d evolves at rate -%s*k", c, more)
	case 3:
		says = "y vanishes"
		if truth < 0 {
			system = strings.Replace(system, "-k*y", "k*y", 1)
		}
	}
	return "rates", claimText(decl, system, says), says
}

func (g *maker) stays(truth int) (kind, text, says string) {
	c := g.between(1, 3)
	sign := map[bool]string{true: "+", false: "-"}[truth > 0]
	decl := []string{"k, m > 0", "x, y"}
	system := fmt.Sprintf("  flow\n    x' = -%d*k*x %s m*y^2\n    y' = -k*y %s x\n", c, sign, sign)
	says = []string{"x stays nonnegative", "x, y stay nonnegative"}[g.rng.IntN(2)]
	return "what stays", claimText(decl, system, says), says
}

func (g *maker) steps(truth int) (kind, text, says string) {
	c := g.between(2, 5)
	decl := []string{"q > 0, < 1", "x", "z >= 0"}
	system := fmt.Sprintf("  map\n    x+ = q*x/%d\n    z+ = z/(1 + %d*z)\n", c, c)
	f := fmt.Sprintf("q/%d", c)
	if truth < 0 {
		f = fmt.Sprintf("q/%d", c+1)
	}
	switch g.rng.IntN(3) {
	case 0:
		says = "x evolves by factor " + f
	case 1:
		says = "|x| decays by factor " + f
	case 2:
		says = "z decays by factor 1"
		if truth < 0 {
			says = "z decays by factor 1/2"
		}
	}
	return "steps", claimText(decl, system, says), says
}
