package model_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

// text reads terms for tests from a small notation: + - * / ^k ^T, numbers, letters, I(n), O(r,c), size(n), and f(x, …)
// with the kernel's names of heads, tr, inv, root, kron, E and sg for short.
type text struct {
	sig *kernel.Signature
	src string
}

func (p *text) eat(s string) bool {
	p.src = strings.TrimLeft(p.src, " ")
	if !strings.HasPrefix(p.src, s) {
		return false
	}
	p.src = p.src[len(s):]
	return true
}

func (p *text) make(h kernel.Head, n int, args ...*kernel.Term) *kernel.Term {
	return must(p.sig.Make(h, n, args...))
}

func (p *text) sum() *kernel.Term {
	t := p.product()
	for {
		switch {
		case p.eat("+"):
			t = p.make(kernel.Sum, 0, t, p.product())
		case p.eat("-"):
			t = p.make(kernel.Sum, 0, t, p.make(kernel.Product, 0, must(p.sig.Number(big.NewRat(-1, 1))), p.product()))
		default:
			return t
		}
	}
}

func (p *text) product() *kernel.Term {
	t := p.power()
	for {
		switch {
		case p.eat("*"):
			t = p.make(kernel.Product, 0, t, p.power())
		case p.eat("/"):
			t = p.make(kernel.Product, 0, t, p.make(kernel.Reciprocal, 0, p.power()))
		default:
			return t
		}
	}
}

func (p *text) power() *kernel.Term {
	if p.eat("-") {
		return p.make(kernel.Product, 0, must(p.sig.Number(big.NewRat(-1, 1))), p.power())
	}
	t := p.atom()
	for p.eat("^") {
		if p.eat("T") {
			t = p.make(kernel.Transpose, 0, t)
			continue
		}
		n := 0
		for p.src != "" && p.src[0] >= '0' && p.src[0] <= '9' {
			n, p.src = 10*n+int(p.src[0]-'0'), p.src[1:]
		}
		t = p.make(kernel.Power, n, t)
	}
	return t
}

var shortNames = map[string]kernel.Head{"tr": kernel.Trace, "inv": kernel.Inverse, "kron": kernel.Kronecker, "E": kernel.Expect,
	"sg": kernel.StopGrad, "rvec": kernel.RowStack}

func (p *text) atom() *kernel.Term {
	if p.eat("(") {
		t := p.sum()
		if !p.eat(")") {
			panic("expected ) at " + p.src)
		}
		return t
	}
	n := 0
	for n < len(p.src) && strings.IndexByte(" +-*/^(),", p.src[n]) < 0 {
		n++
	}
	name := p.src[:n]
	p.src = p.src[n:]
	if v, ok := new(big.Rat).SetString(name); ok {
		return must(p.sig.Number(v))
	}
	if t := p.sig.Lookup(name); t != nil {
		return t
	}
	if !p.eat("(") {
		panic("no letter " + name)
	}
	var words []string
	var args []*kernel.Term
	if name == "I" || name == "O" || name == "size" {
		inside, rest, _ := strings.Cut(p.src, ")")
		words, p.src = strings.Split(inside, ","), rest
	} else {
		for args = append(args, p.sum()); p.eat(","); {
			args = append(args, p.sum())
		}
		if !p.eat(")") {
			panic("expected ) at " + p.src)
		}
	}
	switch name {
	case "I":
		return must(p.sig.IdentityOf(kernel.Dim(words[0])))
	case "O":
		return must(p.sig.ZeroOf(kernel.Dim(words[0]), kernel.Dim(words[1])))
	case "size":
		return must(p.sig.SizeOf(kernel.Dim(words[0])))
	}
	h, ok := shortNames[name]
	if !ok {
		if h, ok = kernel.HeadNamed(name); !ok {
			panic("no head " + name)
		}
	}
	return p.make(h, 0, args...)
}

func term(sig *kernel.Signature, src string) *kernel.Term {
	p := &text{sig, src}
	t := p.sum()
	if strings.TrimSpace(p.src) != "" {
		panic(fmt.Sprintf("%q is left of %q", p.src, src))
	}
	return t
}

// formula reads a form's name and its terms between semicolons, or always and a formula.
func formula(sig *kernel.Signature, src string) kernel.Formula {
	name, rest, _ := strings.Cut(strings.TrimSpace(src), " ")
	if name == "always" {
		return must(kernel.NewAlways(formula(sig, rest)))
	}
	form, ok := kernel.FormNamed(name)
	if !ok {
		panic("no form " + name)
	}
	var ts []*kernel.Term
	for _, s := range strings.Split(rest, ";") {
		if s != "" {
			ts = append(ts, term(sig, s))
		}
	}
	return must(kernel.NewFormula(form, ts...))
}

// lab is a context read from lines: “size n m”, “state x”, “param W n m”, “random e n”, “x' = …”, “x+ = …”, “E e e = …”,
// “here”, “const”, “always” or “start” and a formula.
type lab struct {
	sig *kernel.Signature
	dyn *kernel.Dynamics
	ctx *kernel.Context
}

func newLab(time kernel.Time, src string) *lab {
	l := &lab{sig: kernel.NewSignature()}
	l.dyn = kernel.NewDynamics(l.sig)
	var hyps []kernel.Hypothesis
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	for _, line := range strings.Split(src, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		left, right, _ := strings.Cut(line, " = ")
		words := strings.Fields(left)
		if class, ok := kernel.ClassNamed(words[0]); ok {
			switch len(words) {
			case 2:
				must(l.sig.DeclareScalar(words[1], class))
			case 3:
				must(l.sig.DeclareMatrix(words[1], class, kernel.Dim(words[2]), "1"))
			default:
				must(l.sig.DeclareMatrix(words[1], class, kernel.Dim(words[2]), kernel.Dim(words[3])))
			}
			continue
		}
		if mark, ok := kernel.MarkNamed(words[0]); ok {
			hyps = append(hyps, must(kernel.NewHypothesis(mark, formula(l.sig, line[len(words[0]):]))))
			continue
		}
		switch {
		case words[0] == "size":
			for _, n := range words[1:] {
				check(l.sig.DeclareSize(n))
			}
		case words[0] == "E":
			check(l.dyn.AddMoment(term(l.sig, words[1]), term(l.sig, words[2]), term(l.sig, right)))
		case strings.HasSuffix(left, "'"):
			check(l.dyn.AddFlow(term(l.sig, left[:len(left)-1]), term(l.sig, right)))
		case strings.HasSuffix(left, "+"):
			check(l.dyn.AddMap(term(l.sig, left[:len(left)-1]), term(l.sig, right)))
		default:
			panic(line)
		}
	}
	l.ctx = must(kernel.NewContext(l.dyn, time, hyps...))
	return l
}

// at reads a state: “n=2 x=1/2 W=1,0;0,1”.
func (l *lab) at(src string) *model.State {
	sizes, values := map[string]int{}, map[string][][]*big.Rat{}
	for _, word := range strings.Fields(src) {
		name, value, _ := strings.Cut(word, "=")
		if l.sig.Lookup(name) == nil {
			var k int
			fmt.Sscan(value, &k)
			sizes[name] = k
			continue
		}
		for _, row := range strings.Split(value, ";") {
			var out []*big.Rat
			for _, x := range strings.Split(row, ",") {
				v, ok := new(big.Rat).SetString(x)
				if !ok {
					panic(word)
				}
				out = append(out, v)
			}
			values[name] = append(values[name], out)
		}
	}
	return must(model.NewState(l.sig, sizes, values))
}

func (l *lab) value(t *testing.T, src, state string) string {
	t.Helper()
	v, err := model.Evaluate(l.dyn, term(l.sig, src), l.at(state))
	if err != nil {
		return err.Error()
	}
	return v.String()
}
