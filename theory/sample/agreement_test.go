package sample

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

const arena = `system arena
  size n, m
  scalar a, b
  matrix A : n x n
  matrix S : n x n symmetric
  matrix K : n x n skew
  matrix B : n x m
  matrix D, E0 : n x n diagonal
  flow
    A' = S*A - a*A
    S' = A*S + S*A^T
    B' = A*B
    a' = b

claim c
  uses arena
  says e: A == A
    proof
      expand
`

// grower draws random expressions over the arena's symbols.
type grower struct{ rng *rand.Rand }

func (g grower) sym(s string) *lang.Expr { return lang.NewSym(lang.Pos{}, s) }

func (g grower) num() *lang.Expr {
	return lang.NewNum(lang.Pos{}, big.NewRat(int64(g.rng.IntN(5)-2), int64(1+g.rng.IntN(2))))
}

func (g grower) scalar(depth int) *lang.Expr {
	if depth == 0 {
		return []*lang.Expr{g.sym("a"), g.sym("b"), g.num()}[g.rng.IntN(3)]
	}
	switch g.rng.IntN(5) {
	case 0:
		return lang.NewBin(lang.Add, g.scalar(depth-1), g.scalar(depth-1))
	case 1:
		return lang.NewBin(lang.Mul, g.scalar(depth-1), g.scalar(depth-1))
	case 2:
		return lang.NewBin(lang.Sub, g.scalar(depth-1), g.scalar(depth-1))
	}
	return lang.NewCall(lang.Pos{}, "tr", g.square(depth-1))
}

func (g grower) square(depth int) *lang.Expr {
	if depth == 0 {
		return g.sym([]string{"A", "S", "K", "D", "E0"}[g.rng.IntN(5)])
	}
	x := g.square(depth - 1)
	switch g.rng.IntN(8) {
	case 0:
		return lang.NewBin(lang.Add, x, g.square(depth-1))
	case 1:
		return lang.NewBin(lang.Sub, x, g.square(depth-1))
	case 2:
		return lang.NewBin(lang.Mul, x, g.square(depth-1))
	case 3:
		return &lang.Expr{Kind: lang.Trans, Args: []*lang.Expr{x}}
	case 4:
		return lang.NewBin(lang.Mul, g.scalar(depth-1), x)
	case 5:
		return lang.NewCall(lang.Pos{}, []string{"comm", "anti"}[g.rng.IntN(2)], x, g.square(depth-1))
	case 6:
		b := g.sym("B")
		return lang.NewBin(lang.Mul, b, &lang.Expr{Kind: lang.Trans, Args: []*lang.Expr{b}})
	}
	return lang.NewCall(lang.Pos{}, []string{"sym", "skew"}[g.rng.IntN(2)], x)
}

// rewrite applies one random law of matrix algebra at the root.
func (g grower) rewrite(x *lang.Expr) *lang.Expr {
	y := g.square(1)
	t := func(x *lang.Expr) *lang.Expr { return &lang.Expr{Kind: lang.Trans, Args: []*lang.Expr{x}} }
	two := lang.NewNum(lang.Pos{}, big.NewRat(2, 1))
	switch g.rng.IntN(5) {
	case 0: // x = (x + y) − y
		return lang.NewBin(lang.Sub, lang.NewBin(lang.Add, x, y), y)
	case 1: // x = (xᵀ)ᵀ
		return t(t(x))
	case 2: // x = sym x + skew x
		return lang.NewBin(lang.Add, lang.NewCall(lang.Pos{}, "sym", x), lang.NewCall(lang.Pos{}, "skew", x))
	case 3: // 2xy = {x,y} + [x,y], so x = x + {x,y} + [x,y] − 2xy
		s := lang.NewBin(lang.Add, lang.NewCall(lang.Pos{}, "anti", x, y), lang.NewCall(lang.Pos{}, "comm", x, y))
		return lang.NewBin(lang.Add, x, lang.NewBin(lang.Sub, s, lang.NewBin(lang.Mul, two, lang.NewBin(lang.Mul, x, y))))
	}
	// x = x + (yx)ᵀ − xᵀyᵀ
	return lang.NewBin(lang.Add, x, lang.NewBin(lang.Sub, t(lang.NewBin(lang.Mul, y, x)), lang.NewBin(lang.Mul, t(x), t(y))))
}

// TestAlgebraAgreesWithNumbers draws random expressions. Equal ones by construction must be proved equal;
// of others the algebra and the exact evaluation must say the same: what is proved is never refuted, and
// what is not proved is refuted.
func TestAlgebraAgreesWithNumbers(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "arena", Text: arena})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Claims[0].Parts[0]
	g := grower{rand.New(rand.NewPCG(7, 8))}
	unequal, equal := 0, 0
	for i := range 250 {
		x := g.square(3)
		if i%3 == 1 {
			x = lang.NewCall(lang.Pos{}, "ddt", x)
		}
		p.Stmt.L, p.Stmt.R = x, g.rewrite(x)
		if pr := verdict.Prove(context.Background(), p); !pr.Verdict().IsProved() {
			t.Fatalf("not proved: %s: %v", lang.UnicodeStmt(p.Stmt), pr.Failure())
		}
		if i%3 == 1 && i%2 == 0 {
			continue
		}
		p.Stmt.R = g.square(3)
		if i%3 == 1 {
			p.Stmt.L = x.Args[0]
		}
		proved := verdict.Prove(context.Background(), p).Verdict().IsProved()
		r := Search(context.Background(), p, uint64(i), "agreement", 40)
		switch {
		case proved && r.Refutation != nil:
			t.Fatalf("proved and refuted: %s", lang.UnicodeStmt(p.Stmt))
		case !proved && r.Refutation == nil:
			t.Fatalf("neither proved nor refuted in %d states: %s", r.Tried, lang.UnicodeStmt(p.Stmt))
		case proved:
			equal++
		default:
			unequal++
		}
	}
	if unequal < 100 {
		t.Errorf("only %d unequal pairs", unequal)
	}
	t.Logf("%d equal, %d unequal pairs", equal, unequal)
}
