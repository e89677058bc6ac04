package theory

import (
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// site is one place of a part where a mechanical mutation can be made.
type site struct {
	where string // statement, flow or map
	eq    *lang.Equation
	desc  string
	apply func() (undo func())
}

// sites lists the mutations of one expression: every sign, coefficient, exponent, transpose and
// stop-gradient in it.
func sites(where string, x *lang.Expr) []site {
	var out []site
	x.Walk(func(n *lang.Expr) bool {
		change := func(desc string, f func(*lang.Expr)) {
			text := lang.Unicode(n)
			out = append(out, site{where: where, desc: fmt.Sprintf("%s in %s", desc, text), apply: func() func() {
				old := *n
				f(n)
				return func() { *n = old }
			}})
		}
		switch n.Kind {
		case lang.Num:
			change(n.Val.RatString()+" → +1", func(n *lang.Expr) { n.Val = new(big.Rat).Add(n.Val, big.NewRat(1, 1)) })
		case lang.Add:
			change("+ → −", func(n *lang.Expr) { n.Kind = lang.Sub })
		case lang.Sub:
			change("− → +", func(n *lang.Expr) { n.Kind = lang.Add })
		case lang.Neg, lang.Trans:
			change("drop "+map[lang.Kind]string{lang.Neg: "minus", lang.Trans: "transpose"}[n.Kind], func(n *lang.Expr) { *n = *n.Args[0] })
		case lang.Pow:
			change(fmt.Sprintf("^%d → ^%d", n.N, n.N+1), func(n *lang.Expr) { n.N++ })
		case lang.Call:
			if n.Name == "sg" {
				change("drop stop-gradient", func(n *lang.Expr) { *n = *n.Args[0] })
			}
		}
		return true
	})
	return out
}

// statementSites are the mutations of what a part says: statement, lets it uses, flow and map.
func statementSites(p *lang.Part) []site {
	var out []site
	for _, x := range []*lang.Expr{p.Stmt.L, p.Stmt.R, p.Stmt.Rate, p.Stmt.Lo, p.Stmt.Hi} {
		if x != nil {
			out = append(out, sites("statement", x)...)
		}
	}
	for _, q := range p.Stmt.Assign {
		out = append(out, sites("statement", q.RHS)...)
	}
	for where, eqs := range map[string][]*lang.Equation{"flow": p.Env.Flow, "map": p.Env.Map} {
		for _, q := range eqs {
			for _, s := range sites(where, q.RHS) {
				s.eq = q
				out = append(out, s)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b site) int { return strings.Compare(a.where, b.where) })
	return out
}

// holdsForAnyMotion reports whether the part is still proved when the equation's right-hand side is a free
// symbol: then the statement does not depend on it, and no mutation of it can matter.
func holdsForAnyMotion(p *lang.Part, q *lang.Equation) bool {
	old, env := q.RHS, *p.Env
	sym := *env.Symbols[q.Name]
	sym.Name, sym.Root, sym.Domain = "free_"+q.Name, nil, lang.Domain{}
	env.Symbols = maps.Clone(env.Symbols)
	env.Symbols[sym.Name] = &sym
	env.Order = append(slices.Clone(env.Order), sym.Name)
	q.RHS = lang.NewSym(q.Pos, sym.Name)
	defer func() { q.RHS = old }()
	c := *p
	c.Env = &env
	return verdict.Replay(context.Background(), &c).Verdict().IsProved()
}

// survivors are the mutants that the unchanged script still proves because they are still true, by reason.
// Any other mutant that is proved fails the test, and so does a survivor that a search refutes.
var survivors = explain(map[string][]string{
	"the derivative looked at does not reach the mutated term": {
		"hyper-table/alpha flow: − → + in α·(−Wₚ·W·(X + X′) + Wₐ·X)·Wᵀ − η·Wₚ",
		"hyper-table/etap flow: + → − in −Wₚ·W·(X + X′) + Wₐ·X",
		"hyper-table/etap flow: drop minus in −Wₚ",
		"hyper-table/etap flow: + → − in X + X′",
		"hyper-table/etaw flow: drop transpose in Wₚᵀ",
		"hyper-table/etaw flow: + → − in −Wₚ·W·(X + X′) + Wₐ·X",
		"hyper-table/etaw flow: drop minus in −Wₚ",
		"hyper-table/etaw flow: + → − in X + X′",
		"beta-tau/faster flow: − → + in β·(1 − τ) − τ·(p·(τ − a·p) − η)",
		"beta-tau/faster flow: − → + in p·(τ − a·p) − η",
		"beta-tau/faster flow: − → + in τ − a·p",
		"ema-negative/slowp flow: − → + in α·s·(τ − a·p) − η·p",
		"ema-negative/slowp flow: − → + in τ − a·p",
		"ema-negative/slows flow: − → + in 2·p·s·(τ − a·p) − 2·η·s",
		"ema-negative/slows flow: − → + in τ − a·p",
		"ema-negative/slows flow: 2 → +1 in 2",
	},
	"the term is a multiple of F, which commutes with F: it drops out of [F, Wp]": {
		"thm3-identity/commutator flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
		"thm3-identity/split flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
		"thm3-bound/bound flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
		"thm3-bound/vanishing flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
		"thm3-alignment/shrinking flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
		"wd-split/commutator flow: + → − in −α/2·a·{Wₚ, F} + α·τ·F",
	},
	"the matrix is symmetric, so that its transpose is itself": {
		"decoupled/encoderframe statement: drop transpose in Wₚᵀ",
		"code-defects/meant statement: drop transpose in (F + D)ᵀ",
		"thm3-bound/apriori proof: drop transpose in (Wₚ − τ/(2·(1 + σ²))·I)ᵀ",
	},
	"the term vanishes at the point looked at": {
		"fixed-points/origin flow: − → + in p²·(τ − a·p) − η·p",
		"fixed-points/origin flow: ^2 → ^3 in p²",
		"fixed-points/origin flow: − → + in τ − a·p",
		"beta-tau/collapse flow: − → + in τ − a·p",
		"D4-3d/origin flow: − → + in α·(−wp·w·ls + wₐ·ld)·w − η·wp",
		"D4-3d/origin flow: + → − in −wp·w·ls + wₐ·ld",
		"D4-3d/origin flow: drop minus in −wp",
		"D4-3d/origin flow: − → + in wp·(−wp·w·ls + wₐ·ld) − η·w",
		"D4-3d/origin flow: − → + in w − wₐ",
		"dp-no-basin/largest statement: − → + in τ − a·pe",
	},
	"gs is zero at the fixed points, and its sign there does not matter": {
		"fixed-points/planetrace statement: + → − in fp + gs",
	},
	"eta cancels on the right-hand side, so that the value put in for it there does not matter": {
		"fixed-points/planetrace statement: − → + in τ − a·p",
	},
	"the encoder's equation does not contain alpha": {
		"alpha-positive-1/gaugeencoder statement: 1 → +1 in 1",
	},
	"alpha·p³/alpha is free of alpha as well": {
		"alpha-positive-2/empty statement: ^2 → ^3 in p²",
	},
	"Wp commutes with the estimate, whose sign in the commutator does not matter": {
		"dp-guaranteed-alignment/error statement: − → + in F − Fh",
	},
	"p+ and p− change places, and both are zeros": {
		"directset/fixed statement: + → − in τ + r",
		"directset/saddle statement: − → + in τ − r",
	},
	"the expression is negative beyond 1, where no zero comes in": {
		"fixed-points-counted/attracts statement: 1 → +1 in 1",
		"fixed-points-counted/resting proof: 1 → +1 in 1",
		"fixed-points-counted/attracting proof: 1 → +1 in 1",
	},
	"the gradient of a loss that is invariant to scale is orthogonal to the weights, whatever its sign": {
		"cosine-loss/predictor flow: drop minus in −α",
		"cosine-loss/encoder flow: drop minus in −Wₚᵀ",
	},
})

func explain(byReason map[string][]string) map[string]string {
	out := map[string]string{}
	for reason, keys := range byReason {
		for _, k := range keys {
			out[k] = reason
		}
	}
	return out
}

// TestMechanicalMutants changes one sign, coefficient, exponent, transpose or stop-gradient at a time in
// every proved statement and in the flow it is about, and requires that no false mutant is proved.
func TestMechanicalMutants(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	mutants, killed, free := 0, 0, 0
	seen := map[string]bool{}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if !verdict.Replay(context.Background(), p).Verdict().IsProved() {
				continue
			}
			anyMotion := map[*lang.Equation]bool{}
			for _, qs := range [][]*lang.Equation{p.Env.Flow, p.Env.Map} {
				for _, q := range qs {
					anyMotion[q] = holdsForAnyMotion(p, q)
				}
			}
			for _, s := range statementSites(p) {
				undo := s.apply()
				if !wellTyped(p) {
					undo()
					continue
				}
				mutants++
				switch {
				case !verdict.Replay(context.Background(), p).Verdict().IsProved():
					killed++
				case s.eq != nil && anyMotion[s.eq]:
					free++
				default:
					key := fmt.Sprintf("%s/%s %s: %s", c.ID, p.Name, s.where, s.desc)
					if r := sample.Search(context.Background(), p, 1, "mutant", 60); r.Refutation != nil {
						t.Errorf("unsound: %s is proved and refuted", key)
					}
					seen[key] = true
					if survivors[key] == "" {
						t.Errorf("%s is still proved, and no reason is on record why it is still true", key)
					}
				}
				undo()
			}
			if !verdict.Replay(context.Background(), p).Verdict().IsProved() {
				t.Fatalf("%s/%s: undoing the mutations did not restore the proof", c.ID, p.Name)
			}
		}
	}
	for key := range survivors {
		if !strings.Contains(key, " proof: ") && !seen[key] {
			t.Errorf("%s is listed as a survivor and is none", key)
		}
	}
	t.Logf("%d mutants: %d no longer proved, %d in equations the statement does not depend on, %d explained", mutants, killed, free, len(seen))
	if mutants < 500 {
		t.Errorf("only %d mutants; the test has lost its reach", mutants)
	}
}

// wellTyped reports whether the mutated statement and dynamics still make sense.
func wellTyped(p *lang.Part) bool {
	for _, x := range []*lang.Expr{p.Stmt.L, p.Stmt.R, p.Stmt.Rate, p.Stmt.Lo, p.Stmt.Hi} {
		if x != nil {
			if _, err := p.Env.TypeOf(x); err != nil {
				return false
			}
		}
	}
	for _, qs := range [][]*lang.Equation{p.Env.Flow, p.Env.Map, p.Stmt.Assign} {
		for _, q := range qs {
			if _, err := p.Env.TypeOf(q.RHS); err != nil {
				return false
			}
		}
	}
	return true
}

// TestEveryProofStepIsNeeded removes one step at a time from every proof script, and mutates every
// expression in it; a script without a step must not replay, and an altered one must not prove anything
// false (it cannot: the statement is unchanged and true), nor silently be as good as the original.
func TestEveryProofStepIsNeeded(t *testing.T) {
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	removed, altered := 0, 0
	seen := map[string]bool{}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if !verdict.Replay(context.Background(), p).Verdict().IsProved() {
				continue
			}
			for i, st := range p.Proof {
				q := *p
				q.Proof = slices.Delete(slices.Clone(p.Proof), i, i+1)
				removed++
				if verdict.Replay(context.Background(), &q).Verdict().IsProved() {
					t.Errorf("%s/%s: the proof does not need its step %d (%s)", c.ID, p.Name, i+1, st.Rule)
				}
				if st.Expr == nil {
					continue
				}
				for _, s := range sites("proof", st.Expr) {
					undo := s.apply()
					altered++
					if verdict.Replay(context.Background(), p).Verdict().IsProved() {
						key := fmt.Sprintf("%s/%s proof: %s", c.ID, p.Name, s.desc)
						if seen[key] = true; survivors[key] == "" {
							t.Errorf("%s: the altered step still proves the statement", key)
						}
					}
					undo()
				}
			}
		}
	}
	for key := range survivors {
		if strings.Contains(key, " proof: ") && !seen[key] {
			t.Errorf("%s is listed as a survivor and is none", key)
		}
	}
	t.Logf("%d steps removed, %d alterations", removed, altered)
}
