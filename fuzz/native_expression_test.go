package fuzz_test

import (
	"fmt"
	"math/big"
	"strings"
	"sync"

	"stopgrad/fuzz/grow"
	"stopgrad/theory/lang"
)

// arena declares a symbol of every kind that the algebra treats in a way of its own.
const arena = `system arena
  size n, m
  scalar a, b
  scalar d > 0
  matrix A : n x n
  matrix S : n x n symmetric
  matrix K : n x n skew
  matrix P : n x n psd
  matrix V : n x n invertible
  matrix Q : n x n isometry
  matrix B : n x m
  matrix D, E0 : n x n diagonal
  flow
    A' = S*A - a*A
    S' = A*S + S*A^T
    B' = A*B
    a' = b
  map
    A+ = A - d*S
    B+ = B + A*B
    a+ = a*b

`

// loadArena returns a part over the arena, to be given a statement.
var loadArena = sync.OnceValue(func() *lang.Part {
	f, err := lang.Parse(lang.Source{Name: "arena", Text: arena + "claim c\n  uses arena\n  says e: A == A\n    proof\n      expand\n"})
	if err != nil {
		panic(err)
	}
	return f.Claims[0].Parts[0]
})

// inArena returns a part that says s, with a proof of one step.
func inArena(s *lang.Stmt, step *lang.Step) *lang.Part {
	p := *loadArena()
	p.Stmt, p.Proof = s, []*lang.Step{step}
	return &p
}

// grower grows well-typed expressions over the arena from a tape. The first choice is always a leaf, so that a tape
// that has run out ends the expression; a result of more than maxTerms monomials is pruned to its first operand.
type grower struct {
	grow.Tape
	// plain leaves out what is evaluated with derivatives, of which one may not stand inside another.
	plain bool
}

const (
	depth    = 4
	maxTerms = 400
)

// grown is an expression with a bound on the number of its monomials.
type grown struct {
	*lang.Expr
	terms int
}

func leaf(name string) grown { return grown{lang.NewSym(lang.Pos{}, name), 1} }

func pruned(e *lang.Expr, terms int, instead grown) grown {
	if terms > maxTerms {
		return instead
	}
	return grown{e, terms}
}

func sum(k lang.Kind, x, y grown) grown {
	return pruned(lang.NewBin(k, x.Expr, y.Expr), x.terms+y.terms, x)
}

func times(x, y grown) grown {
	return pruned(lang.NewBin(lang.Mul, x.Expr, y.Expr), x.terms*y.terms, y)
}

func unary(k lang.Kind, x grown) grown {
	return grown{&lang.Expr{Kind: k, Args: []*lang.Expr{x.Expr}}, x.terms}
}

func power(x grown, n int) grown {
	terms := 1
	for range n {
		terms = min(terms*x.terms, 2*maxTerms)
	}
	return pruned(&lang.Expr{Kind: lang.Pow, N: n, Args: []*lang.Expr{x.Expr}}, terms, x)
}

func call(name string, factor int, x grown, more ...*lang.Expr) grown {
	return pruned(lang.NewCall(lang.Pos{}, name, append([]*lang.Expr{x.Expr}, more...)...), factor*x.terms, x)
}

func (g *grower) number() grown {
	text := []string{"2", "0", "1", "3", "0.5", "12.25"}[g.Choose(6)]
	v, _ := new(big.Rat).SetString(text)
	return grown{lang.NewNum(lang.Pos{}, v), 1}
}

func (g *grower) scalar(depth int) grown {
	if depth == 0 {
		if g.Choose(2) == 0 {
			return leaf([]string{"a", "b", "d"}[g.Choose(3)])
		}
		return g.number()
	}
	switch g.Choose(10) {
	case 1:
		return sum(lang.Add, g.scalar(depth-1), g.scalar(depth-1))
	case 2:
		return sum(lang.Sub, g.scalar(depth-1), g.scalar(depth-1))
	case 3:
		return times(g.scalar(depth-1), g.scalar(depth-1))
	case 4:
		return unary(lang.Neg, g.scalar(depth-1))
	case 5:
		return power(g.scalar(depth-1), g.Choose(4))
	case 6:
		x := g.scalar(depth - 1)
		return grown{lang.NewBin(lang.Div, x.Expr, leaf("d").Expr), x.terms}
	case 7, 8:
		return call("tr", 1, g.square(depth-1))
	case 9:
		if !g.plain {
			return call("diff", 8, g.simple().scalar(depth-1), leaf([]string{"a", "b", "d"}[g.Choose(3)]).Expr)
		}
	}
	return g.scalar(0)
}

// simple returns the grower without derivatives; it shares the tape by reference through the caller.
func (g *grower) simple() *simpleGrower { return &simpleGrower{g, g.plain} }

// simpleGrower grows one subexpression without derivatives and puts the grower back as it was.
type simpleGrower struct {
	g   *grower
	was bool
}

func (s *simpleGrower) scalar(depth int) grown {
	s.g.plain = true
	defer func() { s.g.plain = s.was }()
	return s.g.scalar(depth)
}

func (s *simpleGrower) square(depth int) grown {
	s.g.plain = true
	defer func() { s.g.plain = s.was }()
	return s.g.square(depth)
}

func (g *grower) square(depth int) grown {
	if depth == 0 {
		return leaf([]string{"A", "S", "K", "D", "P", "V", "E0", "Q"}[g.Choose(8)])
	}
	switch g.Choose(18) {
	case 1:
		return sum(lang.Add, g.square(depth-1), g.square(depth-1))
	case 2:
		return sum(lang.Sub, g.square(depth-1), g.square(depth-1))
	case 3, 4:
		return times(g.square(depth-1), g.square(depth-1))
	case 5:
		return unary(lang.Trans, g.square(depth-1))
	case 6:
		return times(g.scalar(depth-1), g.square(depth-1))
	case 7:
		x, y := g.square(depth-1), g.square(depth-1)
		return call([]string{"comm", "anti"}[g.Choose(2)], 2*y.terms, x, y.Expr)
	case 8:
		return call([]string{"sym", "skew"}[g.Choose(2)], 2, g.square(depth-1))
	case 9:
		x, y := g.wide(depth-1), g.wide(depth-1)
		return pruned(lang.NewBin(lang.Mul, x.Expr, unary(lang.Trans, y).Expr), x.terms*y.terms, g.square(0))
	case 10:
		return power(g.square(depth-1), g.Choose(4))
	case 11:
		x := leaf("V")
		return call("inv", 1, x)
	case 12:
		x := g.square(depth - 1)
		return grown{lang.NewBin(lang.Div, x.Expr, leaf("d").Expr), x.terms}
	case 13:
		return unary(lang.Neg, g.square(depth-1))
	case 14:
		i := grown{&lang.Expr{Kind: lang.Unit}, 1}
		return sum(lang.Add, g.square(depth-1), times(g.scalar(depth-1), i))
	case 15:
		v := g.scalar(depth - 1)
		return call("at", v.terms*v.terms, g.square(depth-1), leaf("a").Expr, v.Expr)
	case 16:
		if !g.plain {
			return call([]string{"ddt", "next"}[g.Choose(2)], 8, g.simple().square(depth-1))
		}
	case 17:
		if !g.plain {
			return call("diff", 8, g.simple().square(depth-1), leaf([]string{"a", "b", "d"}[g.Choose(3)]).Expr)
		}
	}
	return g.square(0)
}

// wide grows n×m expressions.
func (g *grower) wide(depth int) grown {
	if depth == 0 {
		return leaf("B")
	}
	switch g.Choose(5) {
	case 1:
		return times(g.square(depth-1), g.wide(depth-1))
	case 2:
		return sum(lang.Sub, g.wide(depth-1), g.wide(depth-1))
	case 3:
		return times(g.scalar(depth-1), g.wide(depth-1))
	case 4:
		return unary(lang.Neg, g.wide(depth-1))
	}
	return leaf("B")
}

// ascii writes an expression in the claim language with as few parentheses as its grammar allows:
//
//	expr = term {(+|-) term},  term = unary {(*|/) unary},  unary = [-] unary | primary {^(T|number)}
//
// The levels are those of what may stand there: 0 expr, 1 term, 2 unary, 3 primary.
func ascii(e *lang.Expr, level int) string {
	wrap := func(own int, s string) string {
		if own < level {
			return "(" + s + ")"
		}
		return s
	}
	switch e.Kind {
	case lang.Num:
		if e.Val.IsInt() {
			return e.Val.RatString()
		}
		return e.Val.FloatString(2) // the numbers of the grower have two digits at most
	case lang.Sym:
		return e.Name
	case lang.Unit:
		return "I"
	case lang.Add:
		return wrap(0, ascii(e.Args[0], 0)+" + "+ascii(e.Args[1], 1))
	case lang.Sub:
		return wrap(0, ascii(e.Args[0], 0)+" - "+ascii(e.Args[1], 1))
	case lang.Mul:
		return wrap(1, ascii(e.Args[0], 1)+"*"+ascii(e.Args[1], 2))
	case lang.Div:
		return wrap(1, ascii(e.Args[0], 1)+"/"+ascii(e.Args[1], 2))
	case lang.Neg:
		return wrap(2, "-"+ascii(e.Args[0], 2))
	case lang.Trans:
		return wrap(3, ascii(e.Args[0], 3)+"^T")
	case lang.Pow:
		return wrap(3, fmt.Sprintf("%s^%d", ascii(e.Args[0], 3), e.N))
	}
	var args []string
	for _, a := range e.Args {
		args = append(args, ascii(a, 0))
	}
	list := strings.Join(args, ", ")
	switch e.Name {
	case "comm":
		return "[" + list + "]"
	case "anti":
		return "{" + list + "}"
	}
	return e.Name + "(" + list + ")"
}

// same reports whether two trees are equal, positions apart.
func same(x, y *lang.Expr) bool {
	if x.Kind != y.Kind || x.Name != y.Name || x.N != y.N || len(x.Args) != len(y.Args) || (x.Val == nil) != (y.Val == nil) {
		return false
	}
	if x.Val != nil && x.Val.Cmp(y.Val) != 0 {
		return false
	}
	for i := range x.Args {
		if !same(x.Args[i], y.Args[i]) {
			return false
		}
	}
	return true
}

// miss returns x with one node changed to something of the same shape, mostly of another value: the near misses that a
// wrong algebra takes for equal.
func (g *grower) miss(x *lang.Expr) *lang.Expr {
	x = x.Clone()
	var nodes []*lang.Expr
	x.Walk(func(e *lang.Expr) bool {
		if e.Kind == lang.Call && e.Name == "inv" {
			return false // of a symbol alone
		}
		switch e.Kind {
		case lang.Trans, lang.Neg, lang.Add, lang.Sub, lang.Mul, lang.Pow:
			nodes = append(nodes, e)
		case lang.Call:
			if e.Name != "tr" && e.Name != "diff" {
				nodes = append(nodes, e)
			}
		case lang.Sym:
			if strings.Contains("A S K P V Q D E0", e.Name) {
				nodes = append(nodes, e)
			}
		}
		return true
	})
	if len(nodes) == 0 {
		return x
	}
	e := nodes[g.Choose(len(nodes))]
	env := loadArena().Env
	switch e.Kind {
	case lang.Trans:
		if t, err := env.TypeOf(e); err == nil && t.Rows == t.Cols {
			*e = *e.Args[0]
		}
	case lang.Neg:
		*e = *e.Args[0]
	case lang.Add:
		e.Kind = lang.Sub
	case lang.Sub:
		e.Kind = lang.Add
	case lang.Pow:
		e.N++
	case lang.Mul:
		swapped := *e
		swapped.Args = []*lang.Expr{e.Args[1], e.Args[0]}
		was, err1 := env.TypeOf(e)
		is, err2 := env.TypeOf(&swapped)
		if err1 == nil && err2 == nil && was == is {
			*e = swapped
		}
	case lang.Sym:
		*e = lang.Expr{Kind: lang.Trans, Args: []*lang.Expr{lang.NewSym(lang.Pos{}, e.Name)}}
	case lang.Call:
		switch e.Name {
		case "comm":
			e.Name = "anti"
		case "anti":
			e.Name = "comm"
		case "sym":
			e.Name = "skew"
		case "skew":
			e.Name = "sym"
		default: // ddt, next, at
			*e = *e.Args[0]
		}
	}
	return x
}
