package lang

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
)

// parseRegion reads what stands behind for: n = 2, eta in [0, 1/4), W in [-1, 1], …. A size's value, a bound of a scalar
// or of every entry of a matrix is a hypothesis of the part like a declared one, and is added to those.
func (part *Part) parseRegion(p *parser) error {
	for {
		name, err := p.ident("a scalar, a matrix or a size")
		if err != nil {
			return err
		}
		if p.accept("=") {
			err = part.parseSize(name, p)
		} else {
			err = part.parseBounds(name, p)
		}
		if err != nil {
			return err
		}
		if !p.accept(",") {
			return nil
		}
	}
}

// parseBounds reads the interval in which a scalar or the entries of a matrix lie.
func (part *Part) parseBounds(name token, p *parser) error {
	s := part.Env.Symbols[name.text]
	if s == nil || s.Root != nil || s.Kind == Random {
		return errAt(name.pos, "expected a declared scalar or matrix, found %s", name.describe())
	}
	if err := p.expect("in"); err != nil {
		return err
	}
	bounds, err := p.interval()
	if err != nil {
		return err
	}
	c := *s
	switch {
	case s.Kind == Scalar:
		c.Bounds = slices.Concat(s.Bounds, bounds)
		for _, b := range bounds {
			c.Domain.within(b)
		}
		if c.Domain.empty() {
			return errAt(name.pos, "no value of %s is left", name.text)
		}
	case len(bounds) != 2 || bounds[0].Rel != ">=" || bounds[1].Rel != "<=":
		return errAt(name.pos, "the entries of a matrix lie in a closed interval such as [-1, 1]")
	case s.Entries != nil:
		return errAt(name.pos, "the entries of %s are bounded twice", name.text)
	default:
		c.Entries = &[2]*big.Rat{bounds[0].At, bounds[1].At}
	}
	part.Env.Symbols[name.text] = &c
	return nil
}

// interval reads [a, b], (a, b), [a, inf), (-inf, b], … as the bounds that it states.
func (p *parser) interval() ([]Bound, error) {
	var bounds []Bound
	open := p.next()
	if open.text != "[" && open.text != "(" {
		return nil, errAt(open.pos, "expected an interval such as [0, 1/4), found %s", open.describe())
	}
	if minus := p.i; p.accept("-") && p.accept("inf") {
		if open.text == "[" {
			return nil, errAt(open.pos, "an end at -inf is open: (-inf")
		}
	} else {
		p.i = minus
		v, err := p.number()
		if err != nil {
			return nil, err
		}
		bounds = append(bounds, Bound{map[string]string{"[": ">=", "(": ">"}[open.text], v})
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	at := p.peek().pos
	var high *big.Rat
	if !p.accept("inf") {
		v, err := p.number()
		if err != nil {
			return nil, err
		}
		high = v
	}
	closing := p.next()
	switch {
	case closing.text != "]" && closing.text != ")":
		return nil, errAt(closing.pos, "expected ] or ) at the end of an interval, found %s", closing.describe())
	case high == nil && closing.text == "]":
		return nil, errAt(closing.pos, "an end at inf is open: inf)")
	case high != nil:
		bounds = append(bounds, Bound{map[string]string{"]": "<=", ")": "<"}[closing.text], high})
	}
	var d Domain
	for _, b := range bounds {
		d.within(b)
	}
	if d.empty() {
		return nil, errAt(at, "this interval is empty")
	}
	return bounds, nil
}

// empty reports whether no number lies in the domain, zero apart.
func (d Domain) empty() bool {
	if d.Lo == nil || d.Hi == nil {
		return false
	}
	c := d.Lo.Cmp(d.Hi)
	return c > 0 || c == 0 && (d.LoOpen || d.HiOpen)
}

// maxFixed is the largest size that a statement can be made at.
const maxFixed = 8

// parseSize reads the value of a size.
func (part *Part) parseSize(name token, p *parser) error {
	n := Dim(name.text)
	if !slices.Contains(part.Env.Sizes, n) {
		return errAt(name.pos, "expected a declared size, found %s; sizes declared: %v", name.describe(), part.Env.Sizes)
	}
	if _, twice := part.Env.Fixed[n]; twice {
		return errAt(name.pos, "%s has two values", name.text)
	}
	t := p.next()
	k, err := strconv.Atoi(t.text)
	if t.kind != tNumber || err != nil || k < 1 || k > maxFixed {
		return errAt(t.pos, "expected a size from 1 to %d, found %s", maxFixed, t.describe())
	}
	fixed := maps.Clone(part.Env.Fixed)
	if fixed == nil {
		fixed = map[Dim]int{}
	}
	fixed[n] = k
	part.Env.Fixed = fixed
	return nil
}

// Over returns the part of claim c with more bounds, written as behind for: eta in [0, 1/4), sigma2 in [0, 2].
func (f *File) Over(c *Claim, p *Part, region string) (*Part, error) {
	f = f.again()
	n, claim := cloneNode(p.src), cloneNode(c.src)
	claim.kids = slices.DeleteFunc(claim.kids, func(k *node) bool { w := k.word(); return w == "says" || w == "corrected" })
	n.kids = append(n.kids, &node{lines: []line{{"for " + region, Pos{"region", 1, -3}}}})
	over, err := f.parsePart(claim, n, nil)
	if err != nil {
		return nil, err
	}
	return over, f.resolve(over)
}
