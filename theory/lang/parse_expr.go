package lang

import (
	"math/big"
	"strconv"
)

// parser reads the tokens of one item.
type parser struct {
	toks  []token
	i     int
	end   Pos
	depth int // of brackets and signs
}

// The limits of an expression as written. A claim of the paper needs a few hundred tokens and ten levels; the
// limits keep the recursion of everything that walks an expression within any stack.
const (
	maxTokens = 20_000
	maxDepth  = 1_100 // what the kernel prints of its deepest terms is read back
)

func newParser(n *node) (*parser, error) {
	toks, err := lexItem(n)
	if err != nil {
		return nil, err
	}
	if len(toks) > maxTokens {
		return nil, errAt(toks[maxTokens].pos, "an item of more than %d words and signs; expected it split up with let", maxTokens)
	}
	last := n.lines[len(n.lines)-1]
	end := last.pos
	end.Col += len([]rune(last.text))
	return &parser{toks: toks, end: end}, nil
}

func (p *parser) peek() token {
	if p.i < len(p.toks) {
		return p.toks[p.i]
	}
	return token{kind: tEOF, pos: p.end}
}

func (p *parser) next() token { t := p.peek(); p.i++; return t }

func (p *parser) isOp(s string) bool { t := p.peek(); return t.kind == tOp && t.text == s }

func (p *parser) isWord(s string) bool { t := p.peek(); return t.kind == tIdent && t.text == s }

func (p *parser) accept(s string) bool {
	if p.isOp(s) || p.isWord(s) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(s string) error {
	if !p.accept(s) {
		return errAt(p.peek().pos, "expected ‘%s’, found %s", s, p.peek().describe())
	}
	return nil
}

func (p *parser) ident(what string) (token, error) {
	t := p.peek()
	if t.kind != tIdent {
		return t, errAt(t.pos, "expected %s, found %s", what, t.describe())
	}
	p.i++
	return t, nil
}

func (p *parser) done() error {
	if t := p.peek(); t.kind != tEOF {
		return errAt(t.pos, "expected the end of the line, found %s", t.describe())
	}
	return nil
}

// expr = term { (+|-) term }.
func (p *parser) expr() (*Expr, error) {
	l, err := p.term()
	if err != nil {
		return nil, err
	}
	for p.isOp("+") || p.isOp("-") {
		op := p.next()
		r, err := p.term()
		if err != nil {
			return nil, err
		}
		k := Add
		if op.text == "-" {
			k = Sub
		}
		l = &Expr{Kind: k, Pos: op.pos, Args: []*Expr{l, r}}
	}
	return l, nil
}

// term = unary { (*|/) unary }.
func (p *parser) term() (*Expr, error) {
	l, err := p.unary()
	if err != nil {
		return nil, err
	}
	for p.isOp("*") || p.isOp("/") {
		op := p.next()
		r, err := p.unary()
		if err != nil {
			return nil, err
		}
		k := Mul
		if op.text == "/" {
			k = Div
		}
		l = &Expr{Kind: k, Pos: op.pos, Args: []*Expr{l, r}}
	}
	return l, nil
}

func (p *parser) unary() (*Expr, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, errAt(p.peek().pos, "nested more than %d deep; expected it split up with let", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.isOp("-") {
		t := p.next()
		x, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &Expr{Kind: Neg, Pos: t.pos, Args: []*Expr{x}}, nil
	}
	return p.postfix()
}

// postfix = primary { ^ (T | [-] integer) }.
func (p *parser) postfix() (*Expr, error) {
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	for p.isOp("^") {
		op := p.next()
		switch t := p.peek(); {
		case t.kind == tIdent && t.text == "T":
			p.i++
			x = &Expr{Kind: Trans, Pos: op.pos, Args: []*Expr{x}}
		default:
			sign := 1
			if p.accept("-") {
				sign = -1
			}
			t := p.peek()
			n, err := strconv.Atoi(t.text)
			if t.kind != tNumber || err != nil || n > 64 {
				return nil, errAt(t.pos, "expected T (transpose) or a whole-number power up to 64 after ^, found %s", t.describe())
			}
			p.i++
			x = &Expr{Kind: Pow, Pos: op.pos, N: sign * n, Args: []*Expr{x}}
		}
	}
	return x, nil
}

func (p *parser) primary() (*Expr, error) {
	t := p.next()
	switch {
	case t.kind == tNumber:
		v, _ := new(big.Rat).SetString(t.text)
		return NewNum(t.pos, v), nil
	case t.kind == tIdent && t.text == "I" && !p.isOp("("):
		return &Expr{Kind: Unit, Pos: t.pos}, nil
	case t.kind == tIdent && p.isOp("("):
		arity, ok := Functions[t.text]
		if !ok || t.text == "comm" || t.text == "anti" {
			return nil, errAt(t.pos, "‘%s’ is not a function; expected one of tr, vec, rvec, kron, sym, skew, ddt, next, diff, grad, gradsym, gradskew, E, sg, inv, at, rhs, root, I, zero, size (write a product with *)", t.text)
		}
		p.next()
		e := NewCall(t.pos, t.text)
		for {
			a, err := p.expr()
			if err != nil {
				return nil, err
			}
			e.Args = append(e.Args, a)
			if !p.accept(",") {
				break
			}
		}
		if err := p.expect(")"); err != nil {
			return nil, err
		}
		if n := len(e.Args); n != arity && (t.text != "at" || n < arity || n%2 == 0) {
			return nil, errAt(t.pos, "%s takes %d argument(s), found %d", t.text, arity, len(e.Args))
		}
		return e, nil
	case t.kind == tIdent:
		return NewSym(t.pos, t.text), nil
	case t.kind == tOp && t.text == "(":
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	case t.kind == tOp && t.text == "[":
		if id := p.peek(); id.kind == tIdent && p.i+1 < len(p.toks) && p.toks[p.i+1].text == "]" {
			p.i += 2
			return &Expr{Kind: Hyp, Pos: t.pos, Name: id.text}, nil
		}
		return p.pair(t.pos, "comm", "]")
	case t.kind == tOp && t.text == "{":
		return p.pair(t.pos, "anti", "}")
	}
	return nil, errAt(t.pos, "expected a number, a symbol, a function or ‘(’, found %s", t.describe())
}

func (p *parser) pair(pos Pos, fn, closing string) (*Expr, error) {
	a, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	b, err := p.expr()
	if err != nil {
		return nil, err
	}
	return NewCall(pos, fn, a, b), p.expect(closing)
}

// stmt reads a statement and what it says of its course; see [StmtKind] for the forms.
func (p *parser) stmt() (*Stmt, error) {
	s, err := p.bareStmt()
	if err != nil {
		return nil, err
	}
	t, course := p.peek(), Unsaid
	switch {
	case p.accept("along"):
		course, err = AlongFlow, p.words("the", "flow")
	case p.accept("over"):
		course, err = OverSteps, p.words("steps")
	default:
		return s, nil
	}
	switch {
	case err != nil:
		return nil, err
	case s.Kind.ofState() || s.Kind == Counted || s.Kind == Assumption || s.Kind == Sampled:
		return nil, errAt(t.pos, "this statement takes no course; of all times is said: always STATEMENT")
	case s.Course != Unsaid && s.Course != course:
		return nil, errAt(t.pos, "a rate is along the flow, a factor over steps")
	}
	s.Course = course
	return s, nil
}

// ofState reports whether statements of this kind speak of one state alone, so that they can be assumed and said of all times.
func (k StmtKind) ofState() bool {
	switch k {
	case Equality, Inequality, Inequation, Definite, Regular, Diagonality, Absurd, Bounded:
		return true
	}
	return false
}

// rate reads `at rate c` or `by factor c`.
func (p *parser) rate(s *Stmt) (err error) {
	switch {
	case p.accept("at"):
		s.Course, err = AlongFlow, p.words("rate")
	case p.accept("by"):
		s.Course, err = OverSteps, p.words("factor")
	default:
		return errAt(p.peek().pos, "expected at rate, or by factor, found %s", p.peek().describe())
	}
	if err == nil {
		s.Rate, err = p.expr()
	}
	return err
}

// bareStmt reads a statement without its course.
func (p *parser) bareStmt() (*Stmt, error) {
	s := &Stmt{Pos: p.peek().pos}
	var err error
	switch {
	case p.accept("absurd"):
		s.Kind = Absurd
		return s, nil
	case p.accept("always"):
		s.Kind = Always
		if s.Of, err = p.bareStmt(); err == nil && !s.Of.Kind.ofState() {
			err = errAt(s.Of.Pos, "always is said of a statement about states: an equality, an inequality, psd, pd, invertible, diagonal or within")
		}
		return s, err
	case p.accept("stationary"):
		s.Kind = Stationary
		s.Assign, err = p.assignments("=")
		return s, err
	case p.accept("assumption"):
		s.Kind = Assumption
		s.Assign, err = p.assignments("==")
		return s, err
	case p.accept("sampled"):
		s.Kind = Sampled
		t := p.next()
		if t.kind != tString {
			return nil, errAt(t.pos, "expected the name of a property in quotation marks after sampled, found %s", t.describe())
		}
		s.Property = t.text
		return s, nil
	case p.accept("|"):
		if s.L, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.expect("|"); err != nil {
			return nil, err
		}
		s.Kind, s.Norm = Decays, true
		if err = p.words("decays"); err != nil {
			return nil, err
		}
		return s, p.rate(s)
	}
	if s.L, err = p.expr(); err != nil {
		return nil, err
	}
	for p.accept(",") {
		e, err := p.expr()
		if err != nil {
			return nil, err
		}
		s.More = append(s.More, e)
	}
	t := p.next()
	if s.More != nil && t.text != "stay" {
		return nil, errAt(t.pos, "of several quantities only ‘stay positive, nonnegative, zero or psd’ is said, found %s", t.describe())
	}
	switch t.text {
	case "==":
		s.Kind = Equality
		s.R, err = p.expr()
		return s, err
	case ">=", ">", "<=", "<":
		s.Kind, s.Rel = Inequality, t.text
		s.R, err = p.expr()
		return s, err
	case "!=":
		s.Kind = Inequation
		s.R, err = p.expr()
		return s, err
	case "invertible":
		s.Kind = Regular
		return s, nil
	case "diagonal":
		s.Kind = Diagonality
		return s, nil
	case "within":
		s.Kind = Bounded
		if err = p.expect("["); err != nil {
			return nil, err
		}
		if s.Lo, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.expect(","); err != nil {
			return nil, err
		}
		if s.Hi, err = p.expr(); err != nil {
			return nil, err
		}
		return s, p.expect("]")
	case "has":
		return s, p.count(s)
	case "psd", "pd":
		s.Kind, s.Strict = Definite, t.text == "pd"
		return s, nil
	case "evolves", "decays":
		s.Kind = map[string]StmtKind{"evolves": Evolves, "decays": Decays}[t.text]
		return s, p.rate(s)
	case "vanishes":
		s.Kind = Vanishes
		return s, nil
	case "stays", "stay":
		s.Kind = Stays
		w := p.next()
		if w.text != "positive" && w.text != "nonnegative" && w.text != "zero" && w.text != "psd" {
			return nil, errAt(w.pos, "expected positive, nonnegative, zero or psd after %s, found %s", t.text, w.describe())
		}
		s.Word = w.text
		return s, nil
	case "moves":
		s.Kind = Congruence
		return s, p.words("by", "congruence")
	case "tends":
		s.Kind = Tends
		if err = p.words("to"); err != nil {
			return nil, err
		}
		if s.R, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.words("from"); err != nil {
			return nil, err
		}
		if s.Lo, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.expect("<"); err != nil {
			return nil, err
		}
		id, err := p.ident("the variable of the one-dimensional flow")
		if err != nil {
			return nil, err
		}
		if s.L.Kind != Sym || s.L.Name != id.text {
			return nil, errAt(id.pos, "‘tends’ speaks of one variable; expected the same name on both sides of from")
		}
		if err := p.expect("<"); err != nil {
			return nil, err
		}
		s.Hi, err = p.expr()
		return s, err
	}
	return nil, errAt(t.pos, "expected a statement: one of == != >= > <= <, psd, pd, invertible, diagonal, within, has N zeros, evolves at rate, decays at rate, vanishes, stays, moves by congruence, tends to; found %s", t.describe())
}

// count reads what stands behind has: 2 zeros for x in (lo, hi), 1 rising zero for x in [lo, inf), ….
func (p *parser) count(s *Stmt) error {
	s.Kind = Counted
	t := p.next()
	n, err := strconv.ParseUint(t.text, 10, 31)
	if t.kind != tNumber || err != nil {
		return errAt(t.pos, "expected how many zeros there are, a whole number such as 2, found %s", t.describe())
	}
	s.N = int(n)
	if p.isWord("rising") || p.isWord("falling") {
		s.Word = p.next().text
	}
	if !p.accept("zeros") && !p.accept("zero") {
		return errAt(p.peek().pos, "expected zeros, rising zeros or falling zeros, found %s", p.peek().describe())
	}
	if err := p.expect("for"); err != nil {
		return err
	}
	x, err := p.ident("the scalar for whose values zeros are counted")
	if err != nil {
		return err
	}
	s.R = NewSym(x.pos, x.text)
	if err := p.expect("in"); err != nil {
		return err
	}
	open := p.next()
	if open.text != "[" && open.text != "(" {
		return errAt(open.pos, "expected an interval such as (0, 1] or (0, inf), found %s", open.describe())
	}
	s.LoIn = open.text == "["
	if at := p.i; p.accept("-") && p.accept("inf") {
		if s.LoIn {
			return errAt(open.pos, "an end at -inf is open: (-inf")
		}
	} else {
		p.i = at
		if s.Lo, err = p.expr(); err != nil {
			return err
		}
	}
	if err := p.expect(","); err != nil {
		return err
	}
	if !p.accept("inf") {
		if s.Hi, err = p.expr(); err != nil {
			return err
		}
	}
	closing := p.next()
	s.HiIn = closing.text == "]"
	switch {
	case !s.HiIn && closing.text != ")":
		return errAt(closing.pos, "expected ] or ) at the end of an interval, found %s", closing.describe())
	case s.HiIn && s.Hi == nil:
		return errAt(closing.pos, "an end at inf is open: inf)")
	}
	return nil
}

func (p *parser) words(ws ...string) error {
	for _, w := range ws {
		if err := p.expect(w); err != nil {
			return err
		}
	}
	return nil
}

// assignments reads L op R {, L op R}; for op "=" the left sides are names.
func (p *parser) assignments(op string) ([]*Equation, error) {
	var eqs []*Equation
	for {
		pos := p.peek().pos
		eq := &Equation{Pos: pos}
		l, err := p.expr()
		if err != nil {
			return nil, err
		}
		if err := p.expect(op); err != nil {
			return nil, err
		}
		r, err := p.expr()
		if err != nil {
			return nil, err
		}
		if op == "=" {
			if l.Kind != Sym {
				return nil, errAt(pos, "expected the name of a state variable before =")
			}
			eq.Name, eq.RHS = l.Name, r
		} else {
			eq.RHS = NewBin(Sub, l, r)
		}
		eqs = append(eqs, eq)
		if !p.accept(",") {
			return eqs, nil
		}
	}
}
