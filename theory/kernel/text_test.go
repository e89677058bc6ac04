package kernel

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
)

// text builds terms for tests from a small notation: + - * / ^k ^T, numbers, letters, I(n), O(r,c), size(n), and
// f(x, …) for tr inv root kron rvec vec ddt next diff grad gradsym gradskew at E sg. Division and inverse powers
// are reciprocals.
type text struct {
	sig *Signature
	src string
	at  int
}

func read(t testing.TB, s *Signature, src string) *Term {
	t.Helper()
	x, err := tryRead(s, src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return x
}

func tryRead(s *Signature, src string) (x *Term, err error) {
	defer caught(&err)
	p := &text{s, src, 0}
	x = p.sum()
	p.space()
	if p.at < len(src) {
		return nil, fmt.Errorf("%q is left", src[p.at:])
	}
	return x, nil
}

func (p *text) space() {
	for p.at < len(p.src) && p.src[p.at] == ' ' {
		p.at++
	}
}

func (p *text) eat(s string) bool {
	p.space()
	if strings.HasPrefix(p.src[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *text) must(s string) {
	if !p.eat(s) {
		refuse("expected %q at %q", s, p.src[p.at:])
	}
}

func (p *text) sum() *Term {
	var x *Term
	if p.eat("-") {
		x = p.sig.neg(p.product())
	} else {
		x = p.product()
	}
	for {
		switch {
		case p.eat("+"):
			x = p.sig.add(x, p.product())
		case p.eat("-"):
			x = p.sig.sub(x, p.product())
		default:
			return x
		}
	}
}

func (p *text) product() *Term {
	x := p.power()
	for {
		switch {
		case p.eat("*"):
			x = p.sig.mul(x, p.power())
		case p.eat("/"):
			x = p.sig.mul(x, p.sig.reciprocal(p.power()))
		default:
			return x
		}
	}
}

func (p *text) power() *Term {
	x := p.atom()
	for p.eat("^") {
		if p.eat("T") {
			x = p.sig.transpose(x)
			continue
		}
		neg := p.eat("-")
		k := 0
		for p.at < len(p.src) && p.src[p.at] >= '0' && p.src[p.at] <= '9' {
			k = 10*k + int(p.src[p.at]-'0')
			p.at++
		}
		x = p.sig.pow(x, k)
		if neg {
			x = p.sig.reciprocal(x)
		}
	}
	return x
}

func (p *text) name() string {
	p.space()
	from := p.at
	for p.at < len(p.src) && strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.", rune(p.src[p.at])) {
		p.at++
	}
	return p.src[from:p.at]
}

func (p *text) atom() *Term {
	if p.eat("(") {
		x := p.sum()
		p.must(")")
		return x
	}
	w := p.name()
	if w == "" {
		refuse("expected a term at %q", p.src[p.at:])
	}
	if w[0] >= '0' && w[0] <= '9' {
		v, ok := new(big.Rat).SetString(w)
		if !ok {
			refuse("the number %q", w)
		}
		return p.sig.number(v)
	}
	if !p.eat("(") {
		if x := p.sig.Lookup(w); x != nil {
			return x
		}
		refuse("no symbol %q", w)
	}
	dim := func() Dim {
		p.space()
		from := p.at
		for p.at < len(p.src) && p.src[p.at] != ',' && p.src[p.at] != ')' {
			p.at++
		}
		return Dim(strings.TrimSpace(p.src[from:p.at]))
	}
	switch w {
	case "I":
		d := dim()
		p.must(")")
		return p.sig.identity(d)
	case "size":
		d := dim()
		p.must(")")
		return p.sig.sizeOf(d)
	case "O":
		r := dim()
		p.must(",")
		c := dim()
		p.must(")")
		return p.sig.zero(r, c)
	}
	args := []*Term{p.sum()}
	for p.eat(",") {
		args = append(args, p.sum())
	}
	p.must(")")
	if w == "vec" {
		return p.sig.make(RowStack, 0, p.sig.transpose(args[0]))
	}
	head, ok := map[string]Head{"tr": Trace, "inv": Inverse, "root": Root, "kron": Kronecker, "rvec": RowStack, "ddt": Ddt,
		"next": Next, "diff": Diff, "grad": Grad, "gradsym": GradSym, "gradskew": GradSkew, "at": At, "E": Expect, "sg": StopGrad}[w]
	if !ok {
		refuse("no function %q", w)
	}
	return p.sig.make(head, 0, args...)
}

// declare declares symbols for tests: "n m; x y; A:n,m B:n,n; state p; input u; random v:n; centred e:n".
// Parts are separated by semicolons: sizes first, then symbols, each part with a class word or params without.
func declare(t testing.TB, src string) *Signature {
	t.Helper()
	s := NewSignature()
	for i, part := range strings.Split(src, ";") {
		words := strings.Fields(part)
		if i == 0 {
			for _, w := range words {
				if err := s.DeclareSize(w); err != nil {
					t.Fatal(err)
				}
			}
			continue
		}
		class := Param
		if len(words) > 0 {
			if c, ok := ClassNamed(words[0]); ok {
				class, words = c, words[1:]
			}
		}
		for _, w := range words {
			name, shape, isMatrix := strings.Cut(w, ":")
			var err error
			if isMatrix {
				r, c, two := strings.Cut(shape, ",")
				if !two {
					c = "1"
				}
				_, err = s.DeclareMatrix(name, class, Dim(r), Dim(c))
			} else {
				_, err = s.DeclareScalar(name, class)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

// statement reads "a == b", "a >= b", "a > b", "a != b", "A psd", "A pd", "A invertible", "A diagonal", "false".
func statement(t testing.TB, s *Signature, src string) Formula {
	t.Helper()
	for _, r := range []struct {
		sep  string
		form Form
	}{{" == ", Equal}, {" >= ", AtLeast}, {" > ", Greater}, {" != ", Unequal}} {
		if l, rr, ok := strings.Cut(src, r.sep); ok {
			f, err := NewFormula(r.form, read(t, s, l), read(t, s, rr))
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	for _, r := range []struct {
		suffix string
		form   Form
	}{{" psd", Semidefinite}, {" pd", Definite}, {" invertible", Invertible}, {" diagonal", Diagonal}} {
		if x, ok := strings.CutSuffix(src, r.suffix); ok {
			f, err := NewFormula(r.form, read(t, s, x))
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	if src == "false" {
		return formula(Absurd)
	}
	t.Fatalf("no statement: %s", src)
	return Formula{}
}

// state makes a state context with these hypotheses.
func state(t testing.TB, d *Dynamics, hyps ...string) *Context {
	t.Helper()
	var hs []Hypothesis
	for _, h := range hyps {
		hs = append(hs, Hypothesis{Here, statement(t, d.sig, h)})
	}
	c, err := NewContext(d, AtState, hs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
