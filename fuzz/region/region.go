package region

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"stopgrad/fuzz/falsify"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Scale says how a box is sampled.
type Scale int

// The scales.
const (
	Linear Scale = iota // uniformly
	Log                 // uniformly in the logarithm
)

// String returns the word of the file format.
func (s Scale) String() string { return [...]string{"linear", "log"}[s] }

// Box is the range of one parameter, with exact ends.
type Box struct {
	Name           string
	Lo, Hi         *big.Rat
	LoOpen, HiOpen bool
	Scale          Scale
	Line           int
}

// IsPoint reports whether the parameter has one value.
func (b Box) IsPoint() bool { return b.Lo.Cmp(b.Hi) == 0 }

// Contains reports whether v lies in the box.
func (b Box) Contains(v *big.Rat) bool {
	return lang.Domain{Lo: b.Lo, Hi: b.Hi, LoOpen: b.LoOpen, HiOpen: b.HiOpen}.Contains(v)
}

// At returns the value at u in [0, 1): uniform in the value or its logarithm. An open end is not reached.
func (b Box) At(u float64) float64 {
	lo, _ := b.Lo.Float64()
	hi, _ := b.Hi.Float64()
	if b.LoOpen && u <= 0 {
		u = 0x1p-53
	}
	if b.Scale == Log {
		if q := hi / lo; q <= math.MaxFloat64 {
			return lo * math.Exp(u*math.Log(q))
		}
		// The quotient is beyond float64; rounding must not leave the box.
		v := math.Exp(math.Log(lo) + u*(math.Log(hi)-math.Log(lo)))
		return max(lo, min(hi, v))
	}
	return between(lo, hi, u)
}

// between returns lo + u·(hi − lo), also where the difference is beyond float64.
func between(lo, hi, u float64) float64 {
	if d := hi - lo; d <= math.MaxFloat64 {
		return lo + u*d
	}
	return lo*(1-u) + hi*u
}

// String renders the box as an interval: [0, 1/4).
func (b Box) String() string {
	if b.IsPoint() {
		return b.Lo.RatString()
	}
	l, r := "[", "]"
	if b.LoOpen {
		l = "("
	}
	if b.HiOpen {
		r = ")"
	}
	return l + b.Lo.RatString() + ", " + b.Hi.RatString() + r
}

// Distribution says how the free entries of a matrix are drawn, independently.
type Distribution struct {
	Name   string
	Normal *big.Rat // standard deviation; nil for a uniform distribution
	Lo, Hi *big.Rat // ends of a uniform one
	Line   int
}

// At returns the value of a uniform distribution at u in [0, 1).
func (d Distribution) At(u float64) float64 {
	lo, _ := d.Lo.Float64()
	hi, _ := d.Hi.Float64()
	return between(lo, hi, u)
}

// String renders the distribution.
func (d Distribution) String() string {
	if d.Normal != nil {
		return "N(0, " + d.Normal.RatString() + "²)"
	}
	return "U[" + d.Lo.RatString() + ", " + d.Hi.RatString() + "]"
}

// Size is the range of a matrix size.
type Size struct {
	Name   string
	Lo, Hi int
	Line   int
}

// Region is the content of a region file.
type Region struct {
	File       string
	About      string
	SizeRanges []Size
	Parameters []Box // as in the file
	Initial    []Distribution
}

// Box returns the box of a parameter.
func (r *Region) Box(name string) (Box, bool) {
	i := slices.IndexFunc(r.Parameters, func(b Box) bool { return b.Name == name })
	if i < 0 {
		return Box{}, false
	}
	return r.Parameters[i], true
}

// Distribution returns the distribution of a matrix.
func (r *Region) Distribution(name string) (Distribution, bool) {
	i := slices.IndexFunc(r.Initial, func(d Distribution) bool { return d.Name == name })
	if i < 0 {
		return Distribution{}, false
	}
	return r.Initial[i], true
}

// Sizes returns the ranges of the matrix sizes by name.
func (r *Region) Sizes() map[string]falsify.Sizes {
	out := map[string]falsify.Sizes{}
	for _, s := range r.SizeRanges {
		out[s.Name] = falsify.Sizes{Lo: s.Lo, Hi: s.Hi}
	}
	return out
}

// Narrow returns the domain of a scalar of part within the region: that of the part cut to the box.
func (r *Region) Narrow(part *lang.Part) func(name string) (lang.Domain, bool) {
	return func(name string) (lang.Domain, bool) {
		b, ok := r.Box(name)
		s := part.Env.Symbols[name]
		if !ok || s == nil {
			return lang.Domain{}, false
		}
		return cut(s.Domain, b), true
	}
}

// Cut returns the domain d of the named number within the region, and whether the region narrows it.
func (r *Region) Cut(name string, d lang.Domain) (lang.Domain, bool) {
	b, ok := r.Box(name)
	if !ok {
		return d, false
	}
	return cut(d, b), true
}

// cut intersects a domain with a box.
func cut(d lang.Domain, b Box) lang.Domain {
	out := lang.Domain{Lo: b.Lo, Hi: b.Hi, LoOpen: b.LoOpen, HiOpen: b.HiOpen, NonZero: d.NonZero}
	if d.Lo != nil {
		if c := d.Lo.Cmp(out.Lo); c > 0 {
			out.Lo, out.LoOpen = d.Lo, d.LoOpen
		} else if c == 0 {
			out.LoOpen = out.LoOpen || d.LoOpen
		}
	}
	if d.Hi != nil {
		if c := d.Hi.Cmp(out.Hi); c < 0 {
			out.Hi, out.HiOpen = d.Hi, d.HiOpen
		} else if c == 0 {
			out.HiOpen = out.HiOpen || d.HiOpen
		}
	}
	return out
}

func empty(d lang.Domain) bool {
	c := d.Lo.Cmp(d.Hi)
	return c > 0 || c == 0 && (d.LoOpen || d.HiOpen || d.NonZero && d.Lo.Sign() == 0)
}

// Fits reports as an error the first entry of the region that none of a claim's statements knows, or that
// leaves a statement's parameter no value.
// more names parameters that are known beside those of the statements.
func (r *Region) Fits(claim string, parts []*lang.Part, more []string) error {
	var scalars, matrices, sizes []string
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, name := range more {
		add(&scalars, name)
	}
	for _, p := range parts {
		if p.Env == nil {
			continue
		}
		for _, d := range p.Env.Sizes {
			add(&sizes, string(d))
		}
		for _, name := range p.Env.Order {
			switch s := p.Env.Symbols[name]; {
			case s.Kind == lang.Scalar && s.Root == nil:
				add(&scalars, name)
			case s.Kind == lang.Matrix:
				add(&matrices, name)
			}
		}
	}
	known := func(kind, name string, line int, list []string) error {
		if slices.Contains(list, name) {
			return nil
		}
		have := "none"
		if len(list) > 0 {
			have = strings.Join(list, ", ")
		}
		return fmt.Errorf("region: %s:%d: claim %s has no %s %s; it has %s", r.File, line, claim, kind, name, have)
	}
	for _, s := range r.SizeRanges {
		if err := known("size", s.Name, s.Line, sizes); err != nil {
			return err
		}
	}
	for _, b := range r.Parameters {
		if err := known("parameter", b.Name, b.Line, scalars); err != nil {
			return err
		}
		for _, p := range parts {
			if p.Env == nil || p.Env.Symbols[b.Name] == nil {
				continue
			}
			if d := p.Env.Symbols[b.Name].Domain; empty(cut(d, b)) {
				return fmt.Errorf("region: %s:%d: no value of %s in %s is allowed by claim %s (statement %s)", r.File, b.Line, b.Name, b, claim, p.Name)
			}
		}
	}
	for _, d := range r.Initial {
		if err := known("matrix", d.Name, d.Line, matrices); err != nil {
			return err
		}
	}
	return nil
}

// Unused says of each parameter and matrix which of the statements do not speak of it: on those the region has no effect.
func (r *Region) Unused(parts []*lang.Part) (out []string) {
	idle := func(name string, line int) {
		var by []string
		for _, p := range parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			if used, err := eval.Symbols(p); err == nil && !used[name] {
				by = append(by, p.Name)
			}
		}
		if len(by) > 0 {
			out = append(out, fmt.Sprintf("%s:%d: %s is not used by %s", r.File, line, name, strings.Join(by, ", ")))
		}
	}
	for _, b := range r.Parameters {
		idle(b.Name, b.Line)
	}
	for _, d := range r.Initial {
		idle(d.Name, d.Line)
	}
	return out
}

// Canonical renders what the region says, without its file name and comments: two files that say the same
// have the same.
func (r *Region) Canonical() string {
	var b strings.Builder
	for _, s := range r.SizeRanges {
		fmt.Fprintf(&b, "size %s %d %d\n", s.Name, s.Lo, s.Hi)
	}
	for _, p := range r.Parameters {
		fmt.Fprintf(&b, "parameter %s %s %s\n", p.Name, p, p.Scale)
	}
	for _, d := range r.Initial {
		fmt.Fprintf(&b, "initial %s %s\n", d.Name, d)
	}
	return b.String()
}
