package certificate

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
)

const (
	firstLine = "stopgrad certificate 1"
	// MaxBytes is the size above which a certificate is refused.
	MaxBytes = 8 << 20
	// MaxWork is the work of all steps together above which a certificate is refused, see [kernel.Signature.Limit].
	MaxWork = 4_000_000
)

// Error is the reason why a certificate is refused, and its line, counted from 1.
type Error struct {
	Line   int
	Reason string
}

// Error renders the reason with its line.
func (e *Error) Error() string { return fmt.Sprintf("certificate: line %d: %s", e.Line, e.Reason) }

// Certificate is what a file establishes. Its content was made by the kernel and the model while it was read.
type Certificate struct {
	label          Label
	uses           []Use
	names          []Abbreviation
	goals          []kernel.Theorem
	vacuous        kernel.Theorem
	certified      []region.Certified
	outcomes       []trajectory.Certified
	counterexample model.Counterexample
	trajectory     trajectory.Refutation
	illFormed      string
	lines          int
	bytes          int
	sequent        string // once asked for
}

// Label is what the file is filed under; it is not part of what was established.
func (c *Certificate) Label() Label { return c.label }

// Uses is a copy of the parts that the proof is said to use; like the label, no part of what was established.
func (c *Certificate) Uses() []Use { return append([]Use(nil), c.uses...) }

// Names is a copy of the abbreviations for readers.
func (c *Certificate) Names() []Abbreviation { return append([]Abbreviation(nil), c.names...) }

// Goals is a copy of the theorems that make up the statement; none unless the certificate is a proof.
func (c *Certificate) Goals() []kernel.Theorem { return append([]kernel.Theorem(nil), c.goals...) }

// Vacuous is the theorem that the hypotheses contradict each other, or the zero Theorem.
func (c *Certificate) Vacuous() kernel.Theorem { return c.vacuous }

// Certified is a copy of the sequents of one Γ that are certified over their region; none in other certificates.
func (c *Certificate) Certified() []region.Certified {
	return append([]region.Certified(nil), c.certified...)
}

// Outcomes is a copy of the sequents of one Γ, about motions, that are certified over their region; none in other certificates.
func (c *Certificate) Outcomes() []trajectory.Certified {
	return append([]trajectory.Certified(nil), c.outcomes...)
}

// Counterexample is the counterexample of a refutation, invalid in other certificates.
func (c *Certificate) Counterexample() model.Counterexample { return c.counterexample }

// Trajectory is the motion along which a statement fails, invalid in other certificates.
func (c *Certificate) Trajectory() trajectory.Refutation { return c.trajectory }

// IllFormed is the message of a statement without meaning, empty in other certificates. It is not derived again.
func (c *Certificate) IllFormed() string { return c.illFormed }

// Lines and Bytes are the size of the file.
func (c *Certificate) Lines() int { return c.lines }

// Bytes is the size of the file.
func (c *Certificate) Bytes() int { return c.bytes }

// Sequent is the canonical text of what was established, empty for an ill-formed statement.
func (c *Certificate) Sequent() string {
	if c.sequent == "" {
		c.sequent = c.findSequent()
	}
	return c.sequent
}

func (c *Certificate) findSequent() string {
	switch {
	case len(c.goals) > 0:
		var fs []kernel.Formula
		for _, g := range c.goals {
			fs = append(fs, g.Formula())
		}
		return Sequent(c.goals[0].Context(), fs...)
	case len(c.certified) > 0:
		var fs []kernel.Formula
		for _, g := range c.certified {
			fs = append(fs, g.Formula())
		}
		return Sequent(c.certified[0].Context(), fs...)
	case len(c.outcomes) > 0:
		var fs []kernel.Formula
		for _, g := range c.outcomes {
			fs = append(fs, g.Formula())
		}
		return Sequent(c.outcomes[0].Context(), fs...)
	case c.vacuous.Valid():
		return Sequent(c.vacuous.Context(), c.vacuous.Formula())
	case c.counterexample.Valid():
		return Sequent(c.counterexample.Context(), c.counterexample.Formula())
	case c.trajectory.Valid():
		return Sequent(c.trajectory.Context(), c.trajectory.Formula())
	}
	return ""
}

// reader holds what the lines so far have made.
type reader struct {
	cert     Certificate
	sig      *kernel.Signature
	dyn      *kernel.Dynamics
	terms    []*kernel.Term
	contexts []*kernel.Context
	theorems []kernel.Theorem
	pending  []kernel.Hypothesis
	stated   map[kernel.Theorem]bool // the goals
	sizes    map[string]int
	roots    []model.Algebraic
	values   map[string][][]model.Algebraic
	course   trajectory.Course
	gamma    *kernel.Context // of the conclusions
	kind     string          // goal, vacuous, certified, outcome, refutes, follows or illformed
	sheds    []region.Shed
	steps    []region.Step
	named    []int        // the lines of the abbreviations
	meter    region.Meter // the work of all arguments
	outcome  trajectory.Argument
	motions  trajectory.Meter // the work of all outcomes
}

// Read reads a certificate and makes everything in it again. The error names the first line that does not hold.
func Read(in io.Reader) (*Certificate, error) {
	sig := kernel.NewSignature()
	sig.Limit(MaxWork)
	r := &reader{stated: map[kernel.Theorem]bool{}, sig: sig, dyn: kernel.NewDynamics(sig), sizes: map[string]int{}, values: map[string][][]model.Algebraic{}}
	whole, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	sealed := false
	n, size := 0, 0
	fail := func(format string, args ...any) (*Certificate, error) {
		return nil, &Error{n, fmt.Sprintf(format, args...)}
	}
	// A file that was changed is not worth the work that its lines ask for.
	ordinary := bytes.HasPrefix(whole, []byte(firstLine+"\n")) && bytes.Count(whole, []byte("\nsha256 ")) == 1 && len(whole) <= MaxBytes &&
		!bytes.ContainsFunc(whole, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') })
	if at := bytes.LastIndex(whole, []byte("\nsha256 ")) + 1; ordinary {
		seal := strings.TrimSuffix(strings.TrimPrefix(string(whole[at:]), "sha256 "), "\n")
		if sum := sha256.Sum256(whole[:at]); len(seal) == 2*len(sum) && seal != hex.EncodeToString(sum[:]) {
			n = 1 + bytes.Count(whole[:at], []byte("\n"))
			return fail("the digest is not that of the lines above: the file was changed")
		}
	}
	lines := bufio.NewReader(bytes.NewReader(whole))
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF && line == "" {
			break
		}
		n++
		if err != nil && err != io.EOF {
			return fail("%v", err)
		}
		size += len(line)
		if size > MaxBytes {
			return fail("more than %d bytes", MaxBytes)
		}
		if err == io.EOF {
			return fail("the file ends in the middle of a line")
		}
		if sealed {
			return fail("something follows the digest")
		}
		text := strings.TrimSuffix(line, "\n")
		for i := 0; i < len(text); i++ {
			if text[i] < ' ' || text[i] > '~' {
				return fail("a character that is not printable ASCII")
			}
		}
		if n == 1 {
			if text != firstLine {
				return fail("expected %q", firstLine)
			}
			digest.Write([]byte(line))
			continue
		}
		if sum, ok := strings.CutPrefix(text, "sha256 "); ok {
			if sum != hex.EncodeToString(digest.Sum(nil)) {
				return fail("the digest is not that of the lines above: the file was changed")
			}
			sealed = true
			continue
		}
		digest.Write([]byte(line))
		if err := r.line(text, n); err != nil {
			return fail("%s", strings.TrimPrefix(err.Error(), "kernel: "))
		}
	}
	if !sealed {
		return fail("the file is cut off: it has no digest")
	}
	if r.kind == "" {
		return fail("the file establishes nothing")
	}
	if len(r.pending) > 0 {
		return fail("hypotheses without a context")
	}
	if !r.cert.trajectory.Valid() && (r.course.End != nil || r.course.Trap != nil) {
		return fail("a course that is not followed")
	}
	if len(r.steps)+len(r.sheds)+len(r.outcome.Ways)+len(r.outcome.Traps)+len(r.outcome.Steps) > 0 {
		return fail("an argument without a conclusion")
	}
	// A name may not be that of a symbol or size, declared before or after it.
	readers := kernel.NewPrinter()
	for i, a := range r.cert.names {
		if err := readers.Abbreviate(a.Name, a.Term); err != nil {
			n = r.named[i]
			return fail("%s", strings.TrimPrefix(err.Error(), "kernel: "))
		}
	}
	r.cert.lines, r.cert.bytes = n, size
	return &r.cert, nil
}

// line reads one item.
func (r *reader) line(text string, n int) error {
	word, rest, _ := strings.Cut(text, " ")
	if word == "illformed" {
		if err := r.concludes(word); err != nil {
			return err
		}
		if rest == "" || r.cert.illFormed != "" {
			return fmt.Errorf("one message is wanted")
		}
		if strings.Join(strings.Fields(rest), " ") != rest {
			return fmt.Errorf("the words of a message are separated by single spaces")
		}
		r.cert.illFormed = rest
		return nil
	}
	w := strings.Split(text, " ")
	for _, x := range w {
		if x == "" {
			return fmt.Errorf("words are separated by single spaces, and a line has at least one")
		}
	}
	args := w[1:]
	if word == "claim" {
		if n != 2 || len(args) != 3 {
			return fmt.Errorf("claim ID PART READING stands on the second line")
		}
		r.cert.label = Label{args[0], args[1], args[2]}
		return nil
	}
	if n == 2 {
		return fmt.Errorf("expected claim ID PART READING")
	}
	argument := map[string]string{"shed": "certified", "split": "certified", "leaf": "certified", "way": "outcome", "trap": "outcome",
		"basin": "outcome", "cut": "outcome", "flows": "outcome", "fails": "outcome", "ends": "outcome"}
	if r.kind != "" && word != r.kind && argument[word] != r.kind {
		return fmt.Errorf("%s after the conclusion", word)
	}
	want := func(k int) error {
		if len(args) != k {
			return fmt.Errorf("%s takes %d words", word, k)
		}
		return nil
	}
	switch word {
	case "uses":
		if n != 3+len(r.cert.uses) || len(args) != 2 {
			return fmt.Errorf("uses ID PART stands directly below the second line")
		}
		r.cert.uses = append(r.cert.uses, Use{args[0], args[1]})
		return nil
	case "size":
		if err := want(1); err != nil {
			return err
		}
		return r.sig.DeclareSize(args[0])
	case "symbol":
		return r.symbol(args)
	case "t":
		return r.term(args)
	case "moment":
		ts, err := r.termsOf(args, 3)
		if err != nil {
			return err
		}
		return r.dyn.AddMoment(ts[0], ts[1], ts[2])
	case "flow", "map":
		ts, err := r.termsOf(args, 2)
		if err != nil {
			return err
		}
		if word == "flow" {
			return r.dyn.AddFlow(ts[0], ts[1])
		}
		return r.dyn.AddMap(ts[0], ts[1])
	case "a":
		if err := want(2); err != nil {
			return err
		}
		ts, err := r.termsOf(args[:1], 1)
		if err != nil {
			return err
		}
		r.cert.names, r.named = append(r.cert.names, Abbreviation{args[1], ts[0]}), append(r.named, n)
		return nil
	case "h":
		if len(args) < 2 {
			return fmt.Errorf("h takes a mark and a formula")
		}
		m, ok := kernel.MarkNamed(args[0])
		if !ok {
			return fmt.Errorf("there is no mark %q", args[0])
		}
		f, err := r.formula(args[1:])
		if err != nil {
			return err
		}
		h, err := kernel.NewHypothesis(m, f)
		if err != nil {
			return err
		}
		r.pending = append(r.pending, h)
		return nil
	case "c":
		if err := want(1); err != nil {
			return err
		}
		t, ok := kernel.TimeNamed(args[0])
		if !ok {
			return fmt.Errorf("there is no context %q", args[0])
		}
		c, err := kernel.NewContext(r.dyn, t, r.pending...)
		if err != nil {
			return err
		}
		r.contexts, r.pending = append(r.contexts, c), nil
		return nil
	case "p":
		return r.step(args)
	case "goal", "vacuous":
		return r.goal(word, args)
	case "shed":
		return r.shed(args)
	case "split", "leaf":
		return r.argue(word, args)
	case "certified":
		return r.certify(args)
	case "way":
		return r.way(args)
	case "basin":
		return r.basin(args)
	case "cut", "flows", "fails", "ends":
		return r.box(word, args)
	case "outcome":
		return r.establish(args)
	case "dim":
		return r.dim(args)
	case "root":
		return r.root(args)
	case "value":
		return r.value(args)
	case "course":
		return r.setCourse(args)
	case "trap":
		return r.trap(args)
	case "refutes", "follows":
		return r.refutes(word, args)
	}
	return fmt.Errorf("there is no item %q", word)
}

// concludes notes what kind of certificate this is; a file has one kind.
func (r *reader) concludes(kind string) error {
	if r.kind != "" && r.kind != kind {
		return fmt.Errorf("%s in a certificate of kind %s", kind, r.kind)
	}
	r.kind = kind
	return nil
}

// about notes the context of a conclusion.
func (r *reader) about(c *kernel.Context) error {
	// Soundness: the parts of one statement are about one Γ.
	if r.gamma != nil && r.gamma != c {
		return fmt.Errorf("the conclusions are about different contexts")
	}
	r.gamma = c
	return nil
}

// sequent reads a context and a statement, of a conclusion of this kind.
func (r *reader) sequent(word string, args []string) (c *kernel.Context, goal kernel.Formula, err error) {
	if len(args) < 2 {
		return nil, goal, fmt.Errorf("%s takes a context and a statement", word)
	}
	if c, err = r.contextOf(args[0]); err == nil {
		goal, err = r.formula(args[1:])
	}
	return c, goal, err
}

// conclusion reads one of several sequents that are certified together.
func (r *reader) conclusion(word string, args []string) (c *kernel.Context, goal kernel.Formula, err error) {
	if err = r.concludes(word); err == nil {
		c, goal, err = r.sequent(word, args)
	}
	if err == nil {
		err = r.about(c)
	}
	return c, goal, err
}

// number reads a decimal number below the bound, as it is written and no other way.
func number(s string, below int) (int, error) {
	k, err := strconv.Atoi(s)
	if err != nil || k < 0 || strconv.Itoa(k) != s {
		return 0, fmt.Errorf("%q is no number", s)
	}
	if k >= below {
		return 0, fmt.Errorf("%d refers to something that does not stand above", k)
	}
	return k, nil
}

// rational reads a fraction in lowest terms.
func rational(s string) (*big.Rat, error) {
	if len(s) > kernel.MaxBits {
		return nil, fmt.Errorf("a number of %d digits", len(s))
	}
	if s == "" || strings.Trim(s, "-/0123456789") != "" {
		return nil, fmt.Errorf("%q is no fraction", s)
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok || v.RatString() != s {
		return nil, fmt.Errorf("%q is no fraction in lowest terms", s)
	}
	return v, nil
}

func (r *reader) termsOf(words []string, k int) ([]*kernel.Term, error) {
	if k >= 0 && len(words) != k {
		return nil, fmt.Errorf("%d terms are wanted here", k)
	}
	var out []*kernel.Term
	for _, w := range words {
		i, err := number(w, len(r.terms))
		if err != nil {
			return nil, err
		}
		out = append(out, r.terms[i])
	}
	return out, nil
}

func (r *reader) symbol(args []string) error {
	if len(args) != 2 && len(args) != 4 {
		return fmt.Errorf("symbol takes a name, a class and perhaps a shape")
	}
	class, ok := kernel.ClassNamed(args[1])
	if !ok {
		return fmt.Errorf("there is no class %q", args[1])
	}
	var err error
	if len(args) == 2 {
		_, err = r.sig.DeclareScalar(args[0], class)
	} else {
		_, err = r.sig.DeclareMatrix(args[0], class, kernel.Dim(args[2]), kernel.Dim(args[3]))
	}
	return err
}

func (r *reader) term(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("t takes a head")
	}
	var t *kernel.Term
	var err error
	head, ok := kernel.HeadNamed(args[0])
	if !ok {
		return fmt.Errorf("there is no head %q", args[0])
	}
	args = args[1:]
	count := map[kernel.Head]int{kernel.Number: 1, kernel.Letter: 1, kernel.Size: 1, kernel.Identity: 1, kernel.Zero: 2, kernel.Power: 2}
	if k, fixed := count[head]; fixed && len(args) != k {
		return fmt.Errorf("%s takes %d words", head, k)
	}
	switch head {
	case kernel.Number:
		v, bad := rational(args[0])
		if bad != nil {
			return bad
		}
		t, err = r.sig.Number(v)
	case kernel.Letter:
		if t = r.sig.Lookup(args[0]); t == nil {
			return fmt.Errorf("there is no symbol %q", args[0])
		}
	case kernel.Size:
		t, err = r.sig.SizeOf(kernel.Dim(args[0]))
	case kernel.Identity:
		t, err = r.sig.IdentityOf(kernel.Dim(args[0]))
	case kernel.Zero:
		t, err = r.sig.ZeroOf(kernel.Dim(args[0]), kernel.Dim(args[1]))
	default:
		exponent := 0
		if head == kernel.Power {
			if exponent, err = number(args[0], kernel.MaxExponent+1); err != nil {
				return err
			}
			args = args[1:]
		}
		ts, bad := r.termsOf(args, -1)
		if bad != nil {
			return bad
		}
		t, err = r.sig.Make(head, exponent, ts...)
	}
	if err != nil {
		return err
	}
	if len(r.terms) >= kernel.MaxTerms {
		return fmt.Errorf("more than %d terms", kernel.MaxTerms)
	}
	r.terms = append(r.terms, t)
	return nil
}

func (r *reader) formula(words []string) (kernel.Formula, error) {
	if len(words) > 1 && words[0] == "always" && words[1] != "always" {
		f, err := r.formula(words[1:])
		if err != nil {
			return f, err
		}
		return kernel.NewAlways(f)
	}
	if len(words) == 0 {
		return kernel.Formula{}, fmt.Errorf("a formula is wanted")
	}
	form, ok := kernel.FormNamed(words[0])
	if !ok || form == kernel.Always {
		return kernel.Formula{}, fmt.Errorf("there is no form %q", words[0])
	}
	ts, err := r.termsOf(words[1:], -1)
	if err != nil {
		return kernel.Formula{}, err
	}
	return kernel.NewFormula(form, ts...)
}

// fields splits words at the single colons.
func fields(words []string, k int) ([][]string, error) {
	out := make([][]string, 1)
	for _, w := range words {
		if w == ":" {
			out = append(out, nil)
			continue
		}
		out[len(out)-1] = append(out[len(out)-1], w)
	}
	if len(out) != k {
		return nil, fmt.Errorf("%d fields separated by : are wanted", k)
	}
	return out, nil
}

func (r *reader) theoremsOf(words []string) ([]kernel.Theorem, error) {
	var out []kernel.Theorem
	for _, w := range words {
		i, err := number(w, len(r.theorems))
		if err != nil {
			return nil, err
		}
		out = append(out, r.theorems[i])
	}
	return out, nil
}

func (r *reader) contextOf(word string) (*kernel.Context, error) {
	i, err := number(word, len(r.contexts))
	if err != nil {
		return nil, err
	}
	return r.contexts[i], nil
}

// step makes a theorem again.
func (r *reader) step(args []string) error {
	fs, err := fields(args, 3)
	if err != nil {
		return err
	}
	if len(fs[0]) < 3 {
		return fmt.Errorf("p takes a context, a rule and a goal")
	}
	c, err := r.contextOf(fs[0][0])
	if err != nil {
		return err
	}
	goal, err := r.formula(fs[0][2:])
	if err != nil {
		return err
	}
	premises, err := r.theoremsOf(fs[1])
	if err != nil {
		return err
	}
	terms, err := r.termsOf(fs[2], -1)
	if err != nil {
		return err
	}
	th, err := c.Apply(fs[0][1], goal, premises, terms...)
	if err != nil {
		return err
	}
	r.theorems = append(r.theorems, th)
	return nil
}

func (r *reader) goal(word string, args []string) error {
	if err := r.concludes(word); err != nil {
		return err
	}
	ts, err := r.theoremsOf(args)
	if err != nil {
		return err
	}
	if len(ts) != 1 {
		return fmt.Errorf("%s takes one theorem", word)
	}
	t := ts[0]
	if err := t.Closed(); err != nil {
		return err
	}
	if word == "vacuous" {
		f := t.Formula()
		if r.cert.vacuous.Valid() || f.Form() != kernel.Absurd && (f.Form() != kernel.Always || f.Inner().Form() != kernel.Absurd) {
			return fmt.Errorf("vacuous takes one theorem of an absurdity")
		}
		r.cert.vacuous = t
		return nil
	}
	if r.stated[t] {
		return fmt.Errorf("the theorem is a goal already")
	}
	r.stated[t] = true
	if err := r.about(t.Context()); err != nil {
		return err
	}
	r.cert.goals = append(r.cert.goals, t)
	return nil
}

func (r *reader) dim(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("dim takes a size and its value")
	}
	k, err := number(args[1], model.MaxSize+1)
	if err != nil {
		return err
	}
	if _, twice := r.sizes[args[0]]; twice {
		return fmt.Errorf("%s has two values", args[0])
	}
	r.sizes[args[0]] = k
	return nil
}

func (r *reader) value(args []string) error {
	fs, err := fields(args, 2)
	if err != nil {
		return err
	}
	if len(fs[0]) != 3 {
		return fmt.Errorf("value takes a symbol, rows and columns")
	}
	name := fs[0][0]
	rows, err := number(fs[0][1], 1<<20)
	if err != nil {
		return err
	}
	cols, err := number(fs[0][2], 1<<20)
	if err != nil {
		return err
	}
	if rows*cols != len(fs[1]) || rows == 0 {
		return fmt.Errorf("%s has not %d x %d entries", name, rows, cols)
	}
	if r.values[name] != nil {
		return fmt.Errorf("%s has two values", name)
	}
	m := make([][]model.Algebraic, rows)
	for i := range m {
		for j := range cols {
			v, err := algebraic(fs[1][i*cols+j])
			if err != nil {
				return err
			}
			m[i] = append(m[i], v)
		}
	}
	r.values[name] = m
	return nil
}

// root reads the radicand of a square root that later values are made of.
func (r *reader) root(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("root takes a radicand")
	}
	x, err := algebraic(args[0])
	r.roots = append(r.roots, x)
	return err
}

// algebraic reads a number of a state, coefficients with commas between; which there may be is for the model to say.
func algebraic(s string) (a model.Algebraic, err error) {
	for _, word := range strings.Split(s, ",") {
		c, err := rational(word)
		if err != nil {
			return nil, err
		}
		a = append(a, c)
	}
	return a, nil
}

// setCourse reads until when a motion is followed.
func (r *reader) setCourse(args []string) error {
	if len(args) != 3 || r.course.End != nil {
		return fmt.Errorf("one course is wanted: an end time, an order and a number of steps")
	}
	end, err := rational(args[0])
	if err != nil {
		return err
	}
	order, err := number(args[1], trajectory.MaxOrder+1)
	if err != nil {
		return err
	}
	steps, err := number(args[2], trajectory.MaxSteps+1)
	if err != nil {
		return err
	}
	r.course.End, r.course.Order, r.course.Steps = end, order, steps
	return nil
}

// trap reads one coordinate of a trap.
func (r *reader) trap(args []string) error {
	fs, err := fields(args, 2)
	if err != nil {
		return err
	}
	if len(fs[0]) != 2 {
		return fmt.Errorf("trap takes two bounds")
	}
	var xs []*big.Rat
	for _, w := range append(fs[0], fs[1]...) {
		x, err := rational(w)
		if err != nil {
			return err
		}
		xs = append(xs, x)
	}
	if r.course.Trap == nil {
		r.course.Trap = &trajectory.Trap{}
	}
	t := r.course.Trap
	t.Lo, t.Hi, t.Rows = append(t.Lo, xs[0]), append(t.Hi, xs[1]), append(t.Rows, xs[2:])
	return nil
}

// refutes evaluates the counterexample again, or follows the motion from it.
func (r *reader) refutes(word string, args []string) error {
	if err := r.concludes(word); err != nil {
		return err
	}
	if r.cert.counterexample.Valid() || r.cert.trajectory.Valid() {
		return fmt.Errorf("two counterexamples")
	}
	fs, err := fields(args, 2)
	if err != nil {
		return err
	}
	c, goal, err := r.sequent(word, fs[0])
	if err != nil {
		return err
	}
	keeps, err := r.theoremsOf(fs[1])
	if err != nil {
		return err
	}
	st, err := model.NewAlgebraicState(r.sig, r.sizes, r.roots, r.values)
	if err != nil {
		return err
	}
	if word == "follows" {
		r.cert.trajectory, err = trajectory.Refute(c, goal, st, r.course, keeps...)
		return err
	}
	r.cert.counterexample, err = model.Refute(c, goal, st, keeps...)
	return err
}
