package prove

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Write is a script for the proof that an outcome has: lines as they stand below `proof`, which prove the part by
// themselves. Each line is replayed as it is written, and the whole script once more at the end. What the sign search
// finds again by shape is not spelled out.
func Write(ctx context.Context, part *lang.Part, o *Outcome) (text string, err error) {
	if len(o.theorems) == 0 {
		return "", fmt.Errorf("%s: there is no proof to write", part.Pos)
	}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case stop:
			text, err = "", x.err
		default:
			panic(x)
		}
	}()
	// What the first way leaves to the sign search may rest on something tried in between; the second spells all out.
	for _, plain := range []bool{false, true} {
		if text, err = write(ctx, part, o, plain); err == nil {
			return text, nil
		}
	}
	return "", fmt.Errorf("%s: the proof is one that no script says: %w", part.Pos, err)
}

// maxScript bounds the lines of a script.
const maxScript = 4000

func write(ctx context.Context, part *lang.Part, o *Outcome, plain bool) (string, error) {
	bare := *part
	bare.Proof = nil
	to, err := lang.Elaborate(&bare)
	if err != nil {
		return "", err
	}
	p := newProver(ctx, to.Context(), Options{})
	p.reading, p.part = to, &bare
	p.open(p.starts())
	w := &writer{from: o.reading, to: p, plain: plain, names: map[written]string{}, goals: to.Goals()}
	if err := w.all(o.theorems); err != nil {
		return "", err
	}
	text := strings.Join(w.lines, "\n") + "\n"
	pasted, err := part.WithProof(text)
	if err != nil {
		return "", err
	}
	again, err := lang.Elaborate(pasted)
	if err != nil {
		return "", err
	}
	if out := Prove(ctx, again, Options{}); len(out.theorems) == 0 {
		return "", out.failure
	}
	return text, nil
}

// writer writes the theorems of one reading as steps, and has them replayed in another reading of the same part.
type writer struct {
	from  *lang.Reading
	to    *prover
	plain bool // leaves nothing to the sign search
	goals []kernel.Formula
	lines []string
	depth int
	names map[written]string
	facts int
}

// written is what a fact stands for: a formula in a context of the theorems' side.
type written struct {
	ctx  *kernel.Context
	says string
}

// all writes the steps to all goals.
func (w *writer) all(ths []kernel.Theorem) error {
	last := func(method string) error {
		st, err := lang.ParseStep(method)
		if err != nil {
			return err
		}
		if _, err := w.to.establish(w.goals, st.Rule, st); err != nil {
			return err
		}
		w.lines = append(w.lines, method)
		return nil
	}
	if len(ths) == 1 {
		return w.establish(ths[0], last)
	}
	if last("expand") == nil {
		return nil
	}
	var names []string
	for _, th := range ths {
		n, err := w.fact(th)
		if err != nil {
			return err
		}
		names = append(names, n)
	}
	return last("follows " + strings.Join(names, ", "))
}

// fact writes a theorem as a fact and returns its name.
func (w *writer) fact(th kernel.Theorem) (string, error) {
	says, err := w.from.Say(th.Formula())
	if err != nil {
		return "", err
	}
	key := written{th.Context(), says}
	if n := w.names[key]; n != "" {
		return n, nil
	}
	if th.Rule() == "hyp" {
		for _, a := range w.to.part.Assumes {
			if f, ok := w.from.Hypothesis(a.Name); ok && f.Same(th.Formula()) {
				w.names[key] = a.Name
				return a.Name, nil
			}
		}
	}
	name := ""
	err = w.establish(th, func(method string) error {
		n := w.fresh()
		line := "fact " + n + ": " + says + " by " + method
		st, err := lang.ParseStep(line)
		if err == nil {
			err = w.to.take(st)
		}
		if err != nil {
			return err
		}
		w.facts++
		name = n
		return w.put(line)
	})
	if err != nil {
		return "", err
	}
	w.names[key] = name
	return name, nil
}

func (w *writer) put(line string) error {
	if len(w.lines) >= maxScript {
		return fmt.Errorf("the script is longer than %d lines", maxScript)
	}
	w.lines = append(w.lines, strings.Repeat("  ", w.depth)+line)
	return nil
}

// fresh is a name that nothing has.
func (w *writer) fresh() string {
	for ; ; w.facts++ {
		n := fmt.Sprintf("f%d", w.facts+1)
		_, assumed := w.from.Hypothesis(n)
		if _, known := w.to.facts[n]; !known && !assumed && w.to.sig.Lookup(n) == nil && w.to.part.Env.Lets[n] == nil {
			return n
		}
	}
}

// establish finds the words for the last step of a theorem, after writing what it rests on: test replays a step and
// keeps it if it succeeds.
func (w *writer) establish(th kernel.Theorem, test func(method string) error) error {
	w.to.patience()
	if th.Formula().Form().Temporal() {
		return w.overTime(th, test)
	}
	if th.Rule() == "hyp" {
		return test("apply hyp")
	}
	if th.Formula().Form() == kernel.Equal && th.Rule() == "modulo" && len(th.Premises()) == 0 && test("expand") == nil {
		return nil
	}
	k, ok := stated(th.Formula().Form())
	if ok && !w.plain {
		// At once, by the shape of the difference of the two sides, or of what it was moved to.
		if w.manifest(th.Formula(), test) == nil {
			return nil
		}
		if ps := th.Premises(); th.Rule() == "transport" && len(ps) == 1 {
			if j, ok := stated(ps[0].Formula().Form()); ok && j == k && w.manifest(ps[0].Formula(), test) == nil {
				return nil
			}
		}
		if x := w.only(th.Formula()); x != "" && (k == nonnegative || k == positive) && test("sturm "+x) == nil {
			return nil
		}
	}
	if th.Rule() == "count" && !w.plain && w.count(th, test) == nil {
		return nil
	}
	for _, n := range th.Needs() {
		if err := w.ensure(n); err != nil {
			return err
		}
	}
	if th.Rule() == "modulo" {
		return w.modulo(th, test)
	}
	ps := th.Premises()
	if ok && !w.plain && th.Rule() == "transport" && len(ps) == 1 && ps[0].Rule() != "hyp" {
		for _, x := range append(ps[0].Needs(), ps[0].Premises()...) {
			if x.Context() != th.Context() {
				continue
			}
			if err := w.ensure(x); err != nil {
				return err
			}
		}
		if j, ok := stated(ps[0].Formula().Form()); ok && j == k && w.manifest(ps[0].Formula(), test) == nil {
			return nil
		}
	}
	return w.apply(th, test)
}

// manifest tries the shape of a formula's first side, or of the difference of its sides.
func (w *writer) manifest(f kernel.Formula, test func(string) error) error {
	ts := f.Terms()
	m, err := w.from.Text(ts[0])
	if err != nil {
		return err
	}
	if len(ts) > 1 && !isZero(ts[1]) {
		r, err := w.from.Text(ts[1])
		if err != nil {
			return err
		}
		m = m + " - (" + r + ")"
		if isZero(ts[0]) {
			m = "-(" + r + ")"
		}
	}
	return test("manifest " + m)
}

// count writes the points between the pieces of a count, each piece to be searched for again.
func (w *writer) count(th kernel.Theorem, test func(string) error) error {
	var cuts []string
	for _, t := range th.Terms() {
		s, err := w.from.Text(t)
		if err != nil {
			return err
		}
		cuts = append(cuts, s)
	}
	return test(strings.TrimSpace("count " + strings.Join(cuts, ", ")))
}

// only is the one letter that occurs in a formula, "" if there are several.
func (w *writer) only(f kernel.Formula) string {
	name, several := "", false
	for _, t := range f.Terms() {
		occurs(t, func(u *kernel.Term) bool {
			if u.Head() == kernel.Letter {
				n := u.Symbol().Name()
				several = several || !u.Scalar() || name != "" && name != n
				name = n
			}
			return several
		})
	}
	if several {
		return ""
	}
	return name
}

// ensure writes a theorem as a fact unless the sign search finds it by shape.
func (w *writer) ensure(th kernel.Theorem) error {
	if !w.plain {
		says, err := w.from.Say(th.Formula())
		if err != nil {
			return err
		}
		s, err := lang.ParseStmt(says)
		if err != nil {
			return err
		}
		fs, err := w.to.reading.Formulas(s)
		if err != nil {
			return err
		}
		if w.to.work.evident(fs[0]) {
			return nil
		}
	}
	_, err := w.fact(th)
	return err
}

// evident reports whether a formula is proved by shape.
func (s *state) evident(f kernel.Formula) bool {
	for _, t := range f.Terms() {
		if s.define(t) != nil {
			return false
		}
	}
	if f.Form() == kernel.Equal {
		_, err := s.equation(f)
		return err == nil
	}
	if _, ok := stated(f.Form()); !ok {
		return false
	}
	_, ok := s.order(f)
	return ok
}

var holeNames = regexp.MustCompile(`\bhole_\w+`)

// bracketed prints a term whose holes are written as [name].
func (w *writer) bracketed(t *kernel.Term, names map[string]string) (string, error) {
	text, err := w.from.Text(t)
	return holeNames.ReplaceAllStringFunc(text, func(h string) string { return "[" + names[h] + "]" }), err
}

// modulo writes an equality as a combination of others.
func (w *writer) modulo(th kernel.Theorem, test func(string) error) error {
	ps, ts := th.Premises(), th.Terms()
	names := map[string]string{}
	for i, p := range ps {
		n, err := w.fact(p)
		if err != nil {
			return err
		}
		names[ts[i+1].Symbol().Name()] = n
	}
	c, err := w.bracketed(ts[0], names)
	if err != nil {
		return err
	}
	return test("modulo " + c)
}

// apply writes the last step as what it is.
func (w *writer) apply(th kernel.Theorem, test func(string) error) error {
	var from, with []string
	for _, p := range th.Premises() {
		if p.Rule() == "keep" || p.Rule() == "differentiate" {
			continue // scripts leave out what is kept
		}
		n, err := w.inside(p)
		if err != nil {
			return err
		}
		from = append(from, n)
	}
	for _, t := range th.Terms() {
		s, err := w.from.Text(t)
		if err != nil {
			return err
		}
		with = append(with, s)
	}
	method := "apply " + th.Rule()
	if len(from) > 0 {
		method += " to " + strings.Join(from, ", ")
	}
	if len(with) > 0 {
		method += " with " + strings.Join(with, ", ")
	}
	return test(method)
}

// inside writes a premise where it holds: in the context at hand, or below suppose for each further hypothesis.
func (w *writer) inside(th kernel.Theorem) (string, error) {
	if th.Formula().Form().Temporal() {
		return w.fact(th)
	}
	more, err := w.beyond(th.Context())
	if err != nil || len(more) == 0 {
		if err != nil {
			return "", err
		}
		return w.fact(th)
	}
	outer, cases, depth, mark := w.to.work, len(w.to.cases), w.depth, len(w.lines)
	defer func() {
		w.to.leave(outer, cases)
		w.depth = depth
	}()
	// What was written in another case with these hypotheses is known there only.
	for k := range w.names {
		if k.ctx == th.Context() {
			delete(w.names, k)
		}
	}
	for _, f := range more {
		says, err := w.from.Say(f)
		if err != nil {
			return "", err
		}
		s, err := lang.ParseStmt(says)
		if err != nil {
			return "", err
		}
		fs, err := w.to.reading.Formulas(s)
		if err != nil {
			return "", err
		}
		name := w.fresh()
		if err := w.to.suppose(name, fs[0]); err != nil {
			return "", err
		}
		w.facts++
		w.names[written{th.Context(), says}] = name
		if err := w.put("suppose " + name + ": " + says); err != nil {
			return "", err
		}
		w.depth++
	}
	n, err := w.fact(th)
	if err == nil && len(w.lines) == mark+len(more) {
		err = fmt.Errorf("nothing to write below suppose")
	}
	return n, err
}

// beyond lists the hypotheses of a context of the theorems' side that the context at hand has not.
func (w *writer) beyond(c *kernel.Context) (out []kernel.Formula, err error) {
	have := map[string]bool{}
	for _, f := range w.to.work.hyps {
		t, err := w.to.reading.Say(f)
		if err != nil {
			return nil, err
		}
		have[t] = true
	}
	for _, h := range c.Hypotheses() {
		t, err := w.from.Say(h.Formula())
		if err != nil {
			return nil, err
		}
		if !have[t] {
			out = append(out, h.Formula())
		}
	}
	return out, nil
}

// overTime writes a theorem about a motion or an orbit: what holds all along as facts about states, then the word.
func (w *writer) overTime(th kernel.Theorem, test func(string) error) error {
	ps := th.Premises()
	// along writes what premises that hold all along rest on, and returns the name of the first.
	along := func(ps []kernel.Theorem) (string, error) {
		first := ""
		for _, p := range ps {
			if p.Rule() != "lift" {
				continue
			}
			if first == "" {
				n, err := w.fact(p.Premises()[0])
				if err != nil {
					return "", err
				}
				first = n
				continue
			}
			if err := w.ensure(p.Premises()[0]); err != nil {
				return "", err
			}
		}
		return first, nil
	}
	switch th.Rule() {
	case "lift":
		return w.establish(ps[0], test)
	case "integrate", "geometric", "gronwall", "contraction":
		n, err := along(ps)
		if err != nil {
			return err
		}
		if th.Rule() == "integrate" || th.Rule() == "geometric" {
			return test("integrate " + n)
		}
		return test("gronwall " + n)
	case "vanish", "dominate":
		n, err := w.fact(ps[0])
		if err != nil {
			return err
		}
		if _, err := along(ps[1:]); err != nil {
			return err
		}
		return test("gronwall " + n)
	case "mcongruence":
		if _, err := along(ps); err != nil {
			return err
		}
		var args []string
		for _, t := range th.Terms() {
			s, err := w.from.Text(t)
			if err != nil {
				return err
			}
			args = append(args, s)
		}
		return test("congruence " + strings.Join(args, ", "))
	case "barrier":
		if _, err := along(ps); err != nil {
			return err
		}
		for _, p := range ps {
			if p.Formula().Form() == kernel.Equal {
				if err := w.ensure(p); err != nil {
					return err
				}
			}
		}
		ts := th.Terms()
		k := len(ts) / 2
		names := map[string]string{}
		for i, h := range ts[k:] {
			names[h.Symbol().Name()] = lang.Self(i, k)
		}
		var args []string
		for _, c := range ts[:k] {
			s, err := w.bracketed(c, names)
			if err != nil {
				return err
			}
			args = append(args, s)
		}
		return test("barrier " + strings.Join(args, ", "))
	case "line":
		n, err := w.fact(ps[0])
		if err != nil {
			return err
		}
		return test("monotone " + n)
	}
	return w.apply(th, test)
}
