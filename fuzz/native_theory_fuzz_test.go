package fuzz_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"stopgrad/fuzz/grow"
	"stopgrad/props"
	"stopgrad/props/shrink"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

const claimFile = "fuzz.claim"

// systems is the file of built-in systems, which claims may use.
func systems() lang.Source {
	all, err := theory.Sources()
	if err != nil {
		panic(err)
	}
	return all[0]
}

// checkClaimText parses a text after the built-in systems. A mistake must be located; what is read must render, its
// twins must mutate or say where they cannot, and reading it again must give the same.
func checkClaimText(text string) error {
	read := func() (*lang.File, error) { return lang.Parse(systems(), lang.Source{Name: claimFile, Text: text}) }
	f, err := read()
	if err != nil {
		if _, again := read(); again == nil || again.Error() != err.Error() {
			return fmt.Errorf("read twice: %v, then %v", err, again)
		}
		return grow.Located(err, claimFile, text)
	}
	var said []string
	render := func(s *lang.Stmt) error {
		for _, r := range []string{lang.UnicodeStmt(s), lang.LaTeXStmt(s)} {
			if r == "" || !utf8.ValidString(r) {
				return fmt.Errorf("%s renders as %q", s.Text, r)
			}
			said = append(said, r)
		}
		return nil
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if err := render(p.Stmt); err != nil {
				return err
			}
			for _, a := range p.Assumes {
				if err := render(a.Stmt); err != nil {
					return err
				}
			}
			for _, tw := range p.Twins {
				if _, err := f.Mutate(c, p, tw); err != nil {
					// The mutated text is not the file's, so columns may lie beyond its lines.
					var e *lang.Error
					if !errors.As(err, &e) || e.Pos.Line < 1 {
						return fmt.Errorf("twin %s: %v", tw, err)
					}
				}
			}
		}
	}
	g, err := read()
	if err != nil {
		return fmt.Errorf("read twice, the second time: %v", err)
	}
	first := said
	said = nil
	for _, c := range g.Claims {
		for _, p := range c.Parts {
			if err := render(p.Stmt); err != nil {
				return err
			}
			for _, a := range p.Assumes {
				if err := render(a.Stmt); err != nil {
					return err
				}
			}
		}
	}
	if !slices.Equal(first, said) {
		return errors.New("read twice, not the same")
	}
	return nil
}

// FuzzClaimText: the parser of claim files never panics, and every mistake has a place. Its seeds are long, and the
// engine would spend its time on making them shorter, so run it with
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzClaimText$' -fuzztime 30s -fuzzminimizetime 10x
func FuzzClaimText(f *testing.F) {
	sources, err := theory.Sources()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range sources[1:] {
		for _, block := range strings.Split("\n"+s.Text, "\nclaim ")[1:] {
			f.Add("claim " + block)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := checkClaimText(text); err != nil {
			t.Error(err)
		}
	})
}

// checkExpressionText grows an expression, writes it with as few parentheses as the grammar allows and reads it back.
func checkExpressionText(program []byte) error {
	g := &grower{Tape: grow.Tape{Bytes: program}}
	x := g.square(depth).Expr
	text := arena + "claim c\n  uses arena\n  says e: " + ascii(x, 0) + " == A\n"
	f, err := lang.Parse(lang.Source{Name: "arena", Text: text})
	if err != nil {
		return fmt.Errorf("%s: %v", ascii(x, 0), err)
	}
	if back := f.Claims[0].Parts[0].Stmt.L; !same(x, back) {
		return fmt.Errorf("%s reads as %s", ascii(x, 0), ascii(back, 0))
	}
	return nil
}

// FuzzExpressionText: expressions survive being written and read.
func FuzzExpressionText(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte) {
		if err := checkExpressionText(program); err != nil {
			t.Error(err)
		}
	})
}

// rewritten applies one law of matrix algebra at the root of x: the result is equal to x by construction.
func rewritten(law int, x, y *lang.Expr) *lang.Expr {
	bin, t := lang.NewBin, func(x *lang.Expr) *lang.Expr { return &lang.Expr{Kind: lang.Trans, Args: []*lang.Expr{x}} }
	two := lang.NewNum(lang.Pos{}, big.NewRat(2, 1))
	switch law % 5 {
	case 0: // x = (x + y) − y
		return bin(lang.Sub, bin(lang.Add, x, y), y)
	case 1: // x = (xᵀ)ᵀ
		return t(t(x))
	case 2: // x = sym x + skew x
		return bin(lang.Add, lang.NewCall(lang.Pos{}, "sym", x), lang.NewCall(lang.Pos{}, "skew", x))
	case 3: // 2xy = {x, y} + [x, y]
		s := bin(lang.Add, lang.NewCall(lang.Pos{}, "anti", x, y), lang.NewCall(lang.Pos{}, "comm", x, y))
		return bin(lang.Add, x, bin(lang.Sub, s, bin(lang.Mul, two, bin(lang.Mul, x, y))))
	}
	// (yx)ᵀ = xᵀyᵀ
	return bin(lang.Add, x, bin(lang.Sub, t(bin(lang.Mul, y, x)), bin(lang.Mul, t(x), t(y))))
}

// states is how many states a proved statement is evaluated at: each in exact arithmetic on matrices of size up to 3.
const states = 6

// holdsAt returns an error if the part fails at one of the states drawn from the seed. States at which it cannot be
// evaluated (a division by zero) say nothing.
func holdsAt(p *lang.Part, seed uint64) error {
	ch := sample.NewStream(seed, "agreement")
	for range states {
		st, err := sample.Draw(ch, p, 3)
		if err != nil {
			continue
		}
		f, err := eval.Judge(eval.Rational{}, p, st)
		if err != nil || !f.Met || f.Holds {
			continue
		}
		return fmt.Errorf("proved, and false at %s: %s", shrink.Format(st), lang.UnicodeStmt(p.Stmt))
	}
	return nil
}

// checkProofs lets the prover prove statements about expressions grown from the program, and evaluates what it says
// is proved in exact arithmetic at random states. prove is the prover; mode chooses the form of the statement.
func checkProofs(prove func(*lang.Part) bool, program []byte, mode uint8, seed uint64) error {
	g := &grower{Tape: grow.Tape{Bytes: program}}
	expand := &lang.Step{Rule: "expand"}
	zero := lang.NewNum(lang.Pos{}, new(big.Rat))
	switch mode % 5 {
	case 0, 1: // an equality that holds by construction, and one that mostly does not
		// In a small expression, so that products of x and y do not explode.
		x, y := g.square(depth-1).Expr, g.square(1).Expr
		if mode%5 == 1 {
			y = g.miss(x)
		}
		p := inArena(&lang.Stmt{Kind: lang.Equality, L: x, R: x}, expand)
		if !prove(p) {
			return nil // the algebra has no form for x; it claims nothing
		}
		p.Stmt.R = rewritten(g.Choose(5), x, y)
		if mode%5 == 1 {
			p.Stmt.R = y
		} else if yy := inArena(&lang.Stmt{Kind: lang.Equality, L: y, R: y}, expand); prove(yy) && !prove(p) {
			return fmt.Errorf("not proved: %s", lang.UnicodeStmt(p.Stmt))
		}
		if !prove(p) {
			return nil
		}
		return holdsAt(p, seed)
	case 2: // a matrix that is manifestly positive semidefinite
		x := g.square(depth - 1).Expr
		p := inArena(&lang.Stmt{Kind: lang.Definite, L: x}, &lang.Step{Rule: "manifest", Expr: x})
		if !prove(p) {
			return nil
		}
		return holdsAt(p, seed)
	}
	x := g.scalar(depth - 1).Expr
	p := inArena(&lang.Stmt{Kind: lang.Inequality, L: x, R: zero, Rel: []string{">=", ">"}[mode%5-3]}, &lang.Step{Rule: "manifest", Expr: x})
	if !prove(p) {
		return nil
	}
	return holdsAt(p, seed)
}

func proves(p *lang.Part) bool { return verdict.Prove(context.Background(), p).Verdict().IsProved() }

// FuzzProofs: what exact algebra proves, exact evaluation never refutes.
func FuzzProofs(f *testing.F) {
	f.Fuzz(func(t *testing.T, program []byte, mode uint8, seed uint64) {
		if err := checkProofs(proves, program, mode, seed); err != nil {
			t.Error(err)
		}
	})
}

// A prover with a planted error is caught within a bounded number of programs: one that believes every statement of a
// kind, one that forgets a transpose, one that lets matrices commute.
func TestPlantedErrorsOfProofAreFound(t *testing.T) {
	const programs = 400
	replace := func(p *lang.Part, f func(*lang.Expr) *lang.Expr) bool {
		var deep func(e *lang.Expr) *lang.Expr
		deep = func(e *lang.Expr) *lang.Expr {
			c := *e
			c.Args = nil
			for _, a := range e.Args {
				c.Args = append(c.Args, deep(a))
			}
			return f(&c)
		}
		q, s := *p, *p.Stmt
		s.L, s.R = deep(s.L), deep(s.R)
		q.Stmt = &s
		return proves(&q)
	}
	believes := func(kind lang.StmtKind) func(*lang.Part) bool {
		return func(p *lang.Part) bool { return p.Stmt.Kind == kind || proves(p) }
	}
	for name, prove := range map[string]func(*lang.Part) bool{
		"none":                         proves,
		"every equality is believed":   believes(lang.Equality),
		"every matrix is semidefinite": believes(lang.Definite),
		"every scalar is positive":     believes(lang.Inequality),
		"transposes are forgotten": func(p *lang.Part) bool {
			return p.Stmt.Kind == lang.Equality && replace(p, forgetTransposes) || proves(p)
		},
		"products are taken as sorted":   func(p *lang.Part) bool { return p.Stmt.Kind == lang.Equality && replace(p, sortProducts) || proves(p) },
		"the skew part is taken as zero": func(p *lang.Part) bool { return p.Stmt.Kind == lang.Equality && replace(p, forgetSkew) || proves(p) },
		"derivatives are taken as nothing": func(p *lang.Part) bool {
			return p.Stmt.Kind == lang.Equality && replace(p, forgetDerivatives) || proves(p)
		},
	} {
		caught := 0
		ch := sample.NewStream(1, "planted")
		for k := range programs {
			program := make([]byte, 24)
			for i := range program {
				program[i] = byte(ch.Intn(256))
			}
			if err := checkProofs(prove, program, uint8(k), uint64(k)); err != nil {
				if name == "none" {
					t.Fatal(err)
				}
				caught = k + 1
				break
			}
		}
		if caught == 0 && name != "none" {
			t.Errorf("%s: not found in %d programs", name, programs)
		}
		t.Logf("%s: found after %d programs", name, caught)
	}
}

func forgetTransposes(e *lang.Expr) *lang.Expr {
	if e.Kind == lang.Trans && e.Args[0].Kind == lang.Sym && e.Args[0].Name != "B" {
		return e.Args[0]
	}
	return e
}

func sortProducts(e *lang.Expr) *lang.Expr {
	if e.Kind == lang.Mul && e.Args[0].Kind == lang.Sym && e.Args[1].Kind == lang.Sym && e.Args[0].Name > e.Args[1].Name && e.Args[1].Name != "B" && e.Args[0].Name != "B" {
		return lang.NewBin(lang.Mul, e.Args[1], e.Args[0])
	}
	if e.Kind == lang.Call && e.Name == "comm" {
		return lang.NewBin(lang.Sub, e.Args[0], e.Args[0])
	}
	return e
}

func forgetSkew(e *lang.Expr) *lang.Expr {
	if e.Kind == lang.Call && e.Name == "skew" {
		return lang.NewBin(lang.Sub, e.Args[0], e.Args[0])
	}
	return e
}

func forgetDerivatives(e *lang.Expr) *lang.Expr {
	if e.Kind == lang.Call && (e.Name == "ddt" || e.Name == "next") {
		return e.Args[0]
	}
	return e
}

// FuzzClaims: no choices of a draw make a counterexample to a statement that carries a proof. A draw makes a few hundred
// choices that depend on each other, so the bytes are read by rapid; run it with
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzClaims$' -fuzztime 30s -fuzzminimizetime 0x
//
// since the engine would otherwise spend its time on making inputs shorter than a draw needs.
func FuzzClaims(f *testing.F) {
	file, err := theory.Load()
	if err != nil {
		f.Fatal(err)
	}
	var all []props.Property
	for _, c := range file.Claims {
		p, err := props.Of(file, c.ID)
		if err != nil {
			f.Fatal(err)
		}
		if slices.ContainsFunc(p.Parts, func(q props.Part) bool { return q.Asserted }) {
			all = append(all, p)
		}
	}
	f.Add(make([]byte, 4096))
	ch := sample.NewStream(1, "FuzzClaims")
	for range 4 {
		seed := make([]byte, 4096)
		for i := range seed {
			seed[i] = byte(ch.Intn(256))
		}
		f.Add(seed)
	}
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		p := all[rapid.IntRange(0, len(all)-1).Draw(t, "claim")]
		if o := p.Check(shrink.Choices(t)); o.Status == props.Violated {
			t.Fatalf("%s/%s is false at %s", p.ID, o.Part.Name, shrink.Format(o.State))
		}
	}))
}
