package lang

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Type is the type of an expression: a scalar, a matrix of symbolic shape, or a multiple of I whose shape
// its place decides.
type Type struct {
	Scalar, Unit bool
	Rows, Cols   Dim
}

func (t Type) String() string {
	switch {
	case t.Scalar:
		return "a scalar"
	case t.Unit:
		return "a multiple of I"
	}
	return "a " + shapeText(t.Rows, t.Cols) + " matrix"
}

// TypeOf types an expression. Its errors are [*Error] values; those about meaning (shapes, undefined
// symbols) carry Shape.
func (env *Env) TypeOf(e *Expr) (Type, error) { return env.typeOf(e, newTypeCtx(nil)) }

type typeCtx struct {
	expectation bool             // inside E(...)
	hyps        map[string]*Stmt // what [name] may refer to
	lets        map[letUse]Type  // definitions typed so far
}

// letUse is a definition inside or outside an expectation.
type letUse struct {
	name        string
	expectation bool
}

func newTypeCtx(hyps map[string]*Stmt) typeCtx {
	return typeCtx{hyps: hyps, lets: map[letUse]Type{}}
}

func (env *Env) typeOf(e *Expr, ctx typeCtx) (Type, error) {
	scalar := Type{Scalar: true}
	args := make([]Type, len(e.Args))
	if e.Kind != Call {
		for i, a := range e.Args {
			t, err := env.typeOf(a, ctx)
			if err != nil {
				return t, err
			}
			args[i] = t
		}
	}
	switch e.Kind {
	case Num:
		return scalar, nil
	case Unit:
		return Type{Unit: true}, nil
	case Sym:
		if l := env.Lets[e.Name]; l != nil {
			use := letUse{e.Name, ctx.expectation}
			t, known := ctx.lets[use]
			if known {
				return t, nil
			}
			t, err := env.typeOf(l.Expr, ctx)
			if err == nil {
				ctx.lets[use] = t
			}
			return t, err
		}
		s := env.Symbols[e.Name]
		if s == nil {
			return scalar, shapeErr(e.Pos, "the symbol %s is not defined", e.Name)
		}
		if s.Kind == Scalar {
			return scalar, nil
		}
		if s.Kind == Random && !ctx.expectation {
			return scalar, shapeErr(e.Pos, "the random vector %s stands outside E(...)", e.Name)
		}
		return Type{Rows: s.Rows, Cols: s.Cols}, nil
	case Neg:
		return args[0], nil
	case Trans:
		return Type{Scalar: args[0].Scalar, Unit: args[0].Unit, Rows: args[0].Cols, Cols: args[0].Rows}, nil
	case Add, Sub:
		t, ok := unify(args[0], args[1])
		if !ok {
			return scalar, shapeErr(e.Pos, "%s and %s cannot be added", args[0], args[1])
		}
		return t, nil
	case Mul:
		return mulType(e.Pos, args[0], args[1])
	case Div:
		if !args[1].Scalar {
			return scalar, shapeErr(e.Pos, "division by %s; only a scalar divides (use inv of an invertible symbol)", args[1])
		}
		return args[0], nil
	case Pow:
		t := args[0]
		if !t.Scalar && !t.Unit && (t.Rows != t.Cols || e.N < 0) {
			return scalar, shapeErr(e.Pos, "%s has no power %d", t, e.N)
		}
		return t, nil
	case Hyp:
		s := ctx.hyps[e.Name]
		if s == nil {
			return scalar, errAt(e.Pos, "there is no hypothesis or fact called %s", e.Name)
		}
		if s.Kind == Always {
			s = s.Of
		}
		if s.L == nil {
			return scalar, errAt(e.Pos, "[%s] stands for its left side minus its right side, and has none", e.Name)
		}
		return env.typeOf(s.L, ctx)
	}
	return env.callType(e, ctx)
}

func unify(a, b Type) (Type, bool) {
	switch {
	case a.Scalar && b.Scalar:
		return a, true
	case a.Scalar || b.Scalar:
		return a, false
	case a.Unit && b.Unit:
		return a, true
	case a.Unit:
		return b, b.Rows == b.Cols
	case b.Unit:
		return a, a.Rows == a.Cols
	}
	return a, a.Rows == b.Rows && a.Cols == b.Cols
}

func mulType(p Pos, a, b Type) (Type, error) {
	switch {
	case a.Scalar:
		return b, nil
	case b.Scalar:
		return a, nil
	case a.Unit:
		return b, nil
	case b.Unit:
		return a, nil
	case a.Cols != b.Rows:
		return a, shapeErr(p, "%s times %s: %s columns do not meet %s rows", a, b, a.Cols, b.Rows)
	}
	return Type{Rows: a.Rows, Cols: b.Cols}, nil
}

func (env *Env) callType(e *Expr, ctx typeCtx) (Type, error) {
	scalar := Type{Scalar: true}
	if e.Name == "rhs" {
		return scalar, errAt(e.Pos, "rhs stands in statements, hypotheses, proofs, definitions and equations of motion; expected the right-hand side written out")
	}
	if e.Name == "E" {
		if ctx.expectation {
			return scalar, errAt(e.Pos, "E inside E")
		}
		ctx.expectation = true
	}
	switch e.Name {
	case "I", "zero", "size":
		ds := []Dim{"1", "1"}
		for i, a := range e.Args {
			d, err := env.dimOf(a)
			if err != nil {
				return scalar, err
			}
			for _, l := range d.Legs() {
				ds[i] = ds[i].Times(Dim(l))
			}
		}
		switch e.Name {
		case "I":
			return Type{Rows: ds[0], Cols: ds[0]}, nil
		case "zero":
			return Type{Rows: ds[0], Cols: ds[1]}, nil
		}
		return scalar, nil
	case "at":
		// The types are those of a substitution one by one.
		if len(e.Args) > 3 {
			last := len(e.Args) - 2
			return env.callType(&Expr{Kind: Call, Pos: e.Pos, Name: "at", Args: []*Expr{
				{Kind: Call, Pos: e.Pos, Name: "at", Args: e.Args[:last]}, e.Args[last], e.Args[last+1]}}, ctx)
		}
	}
	first, err := env.typeOf(e.Args[0], ctx)
	if err != nil {
		return first, err
	}
	square := func() error {
		if first.Scalar || !first.Unit && first.Rows != first.Cols {
			return shapeErr(e.Pos, "%s of %s; expected a square matrix", e.Name, first)
		}
		return nil
	}
	symbolArg := func(i int) (*Symbol, error) {
		a := e.Args[i]
		if a.Kind == Sym && env.Symbols[a.Name] != nil {
			return env.Symbols[a.Name], nil
		}
		return nil, shapeErr(a.Pos, "%s expects a declared symbol here", e.Name)
	}
	switch e.Name {
	case "E", "sg":
		return first, nil
	case "tr":
		if first.Unit {
			return scalar, shapeErr(e.Pos, "tr(I) has no definite size here; write tr of a matrix")
		}
		return scalar, square()
	case "sym", "skew":
		return first, square()
	case "vec", "rvec":
		if first.Scalar || first.Unit {
			return scalar, shapeErr(e.Pos, "%s of %s; expected a matrix", e.Name, first)
		}
		return Type{Rows: first.Rows.Times(first.Cols), Cols: "1"}, nil
	case "ddt", "next":
		if e.Name == "ddt" && env.Flow == nil || e.Name == "next" && env.Map == nil {
			return scalar, shapeErr(e.Pos, "%s needs a flow or map, and no system in use has one", e.Name)
		}
		return first, nil
	case "diff":
		s, err := symbolArg(1)
		if err != nil {
			return scalar, err
		}
		if s.Kind != Scalar {
			return scalar, shapeErr(e.Args[1].Pos, "diff differentiates in a scalar; use grad for a matrix")
		}
		return first, nil
	case "root":
		if !first.Scalar {
			return scalar, shapeErr(e.Pos, "the square root of %s", first)
		}
		return scalar, nil
	case "grad", "gradsym", "gradskew":
		s, err := symbolArg(1)
		if err != nil {
			return scalar, err
		}
		if !first.Scalar {
			return scalar, shapeErr(e.Pos, "grad of %s; expected a scalar", first)
		}
		if env.Restricted[s.Name] {
			return scalar, errAt(e.Pos, "grad in %s, whose extra structure holds at one instant only", s.Name)
		}
		if s.Kind == Scalar {
			return scalar, nil
		}
		return Type{Rows: s.Rows, Cols: s.Cols}, nil
	case "inv":
		if err := square(); err != nil {
			return scalar, err
		}
		// The inverse of another matrix has a meaning, too, and no statement is ill-formed for it.
		a := e.Args[0]
		s := env.Symbols[a.Name]
		if a.Kind != Sym || s == nil || s.Attr&(Invertible|PD) == 0 {
			return scalar, errAt(e.Pos, "inv is taken of a symbol that is declared invertible or pd, and %s is none", Unicode(a))
		}
		return first, nil
	case "at":
		s, err := symbolArg(1)
		if err != nil {
			return scalar, err
		}
		t, err := env.typeOf(e.Args[2], ctx)
		if err != nil {
			return scalar, err
		}
		if _, ok := unify(t, Type{Scalar: s.Kind == Scalar, Rows: s.Rows, Cols: s.Cols}); !ok && !isZero(e.Args[2]) {
			return scalar, shapeErr(e.Args[2].Pos, "%s cannot stand for %s", t, s.Name)
		}
		return first, nil
	case "kron", "comm", "anti":
		t, err := env.typeOf(e.Args[1], ctx)
		if err != nil {
			return scalar, err
		}
		if e.Name == "kron" {
			if first.Scalar || t.Scalar || first.Unit || t.Unit {
				return scalar, shapeErr(e.Pos, "kron needs two matrices of known shape, found %s and %s", first, t)
			}
			return Type{Rows: first.Rows.Times(t.Rows), Cols: first.Cols.Times(t.Cols)}, nil
		}
		ab, err := mulType(e.Pos, first, t)
		if err != nil {
			return scalar, err
		}
		ba, err := mulType(e.Pos, t, first)
		if err != nil {
			return scalar, err
		}
		if u, ok := unify(ab, ba); ok {
			return u, nil
		}
		return scalar, shapeErr(e.Pos, "the two products of %s and %s have different shapes", first, t)
	}
	return scalar, errAt(e.Pos, "%s is not a function", e.Name)
}

// checkDynamics types the roots, moments, flow and map of an environment.
func (env *Env) checkDynamics() error {
	for _, name := range env.Order {
		if s := env.Symbols[name]; s.Root != nil {
			t, err := env.TypeOf(s.Root)
			if err != nil {
				return err
			}
			if !t.Scalar {
				return shapeErr(s.Pos, "the square root of %s", t)
			}
		}
	}
	for _, m := range env.Moments {
		t, err := env.TypeOf(m.RHS)
		if err != nil {
			return err
		}
		for _, v := range m.Of {
			s := env.Symbols[v]
			if _, ok := unify(t, Type{Rows: s.Rows, Cols: s.Rows}); !ok {
				return shapeErr(m.Pos, "the second moment of %s is %s; expected %s", v, t, shapeText(s.Rows, s.Rows))
			}
		}
	}
	for _, eqs := range [][]*Equation{env.Flow, env.Map} {
		seen := map[string]bool{}
		for _, q := range eqs {
			s := env.Symbols[q.Name]
			if s == nil || s.Kind == Random || s.Root != nil {
				return shapeErr(q.Pos, "‘%s’ is not a declared scalar or matrix", q.Name)
			}
			if seen[q.Name] {
				return errAt(q.Pos, "two equations for %s", q.Name)
			}
			seen[q.Name] = true
			t, err := env.TypeOf(q.RHS)
			if err != nil {
				return err
			}
			if _, ok := unify(t, Type{Scalar: s.Kind == Scalar, Rows: s.Rows, Cols: s.Cols}); !ok && !isZero(q.RHS) {
				return shapeErr(q.Pos, "the right-hand side for %s is %s", q.Name, t)
			}
		}
	}
	return nil
}

func isZero(e *Expr) bool { return e.Kind == Num && e.Val.Sign() == 0 }

// check types every expression of the part. Shape errors of the statement itself carry Shape; those of
// hypotheses, draws and proofs do not, since they are mistakes of the file rather than of the paper.
func (part *Part) check() error {
	env := part.Env
	if err := env.checkDynamics(); err != nil {
		return plain(err)
	}
	hyps := map[string]*Stmt{}
	for _, a := range part.Assumes {
		if hyps[a.Name] != nil {
			return errAt(a.Stmt.Pos, "two hypotheses called %s", a.Name)
		}
		if err := env.checkStmt(a.Stmt); err != nil {
			return plain(err)
		}
		hyps[a.Name] = a.Stmt
	}
	for _, d := range part.Draws {
		t, err := env.TypeOf(d.RHS)
		if err != nil {
			return plain(err)
		}
		s := env.Symbols[d.Name]
		if _, ok := unify(t, Type{Scalar: s.Kind == Scalar, Rows: s.Rows, Cols: s.Cols}); !ok {
			return errAt(d.Pos, "%s cannot be drawn as %s", d.Name, t)
		}
	}
	if part.Stmt.Kind == Assumption {
		if part.Consequence == nil {
			return errAt(part.Pos, "an assumption needs a ‘consequence’ below it")
		}
		for _, q := range part.Stmt.Assign {
			if _, err := env.TypeOf(q.RHS); err != nil {
				return plain(err)
			}
		}
		if err := env.checkStmt(part.Consequence); err != nil {
			return plain(err)
		}
		for i, q := range part.Stmt.Assign {
			// In the proof [hN] is equation N of the assumption and [dN] its derivative along the flow.
			hyps[name("h", i)] = &Stmt{Kind: Equality, L: q.RHS}
			hyps[name("d", i)] = &Stmt{Kind: Equality, L: NewCall(q.Pos, "ddt", q.RHS)}
		}
	}
	if err := env.checkSteps(part.Proof, part.Stmt, hyps); err != nil {
		return err
	}
	return env.checkStmt(part.Stmt)
}

// checkSteps checks what the steps of a script state and are given, in the order in which facts become known.
func (env *Env) checkSteps(steps []*Step, stated *Stmt, hyps map[string]*Stmt) error {
	for _, st := range steps {
		if st.Stmt != nil {
			if err := env.checkStmt(st.Stmt); err != nil {
				return plain(err)
			}
		}
		known := hyps
		if st.by() == "barrier" {
			known = maps.Clone(hyps)
			says := stated
			if st.Stmt != nil {
				says = st.Stmt
			}
			if says != nil && says.Kind == Stays {
				for i, e := range append([]*Expr{says.L}, says.More...) {
					known[Self(i, 1+len(says.More))] = &Stmt{Kind: Equality, L: e}
				}
			}
		}
		for _, e := range st.exprs() {
			if _, err := env.typeOf(*e, newTypeCtx(known)); err != nil {
				return plain(err)
			}
		}
		for _, n := range st.From {
			if hyps[n] == nil {
				return errAt(st.Pos, "there is no hypothesis or fact called %s", n)
			}
		}
		if st.Name != "" {
			if hyps[st.Name] != nil {
				return errAt(st.Pos, "two hypotheses or facts called %s", st.Name)
			}
			hyps[st.Name] = st.Stmt
		}
		if err := env.checkSteps(st.Steps, nil, hyps); err != nil {
			return err
		}
	}
	return nil
}

// Self is the name of the i-th of n quantities that stay as they are, in the barrier of a script.
func Self(i, n int) string {
	if n == 1 {
		return "self"
	}
	return fmt.Sprintf("self%d", i+1)
}

// name is that of the i-th equation of an assumption, or of its derivative.
func name(prefix string, i int) string { return prefix + strconv.Itoa(i+1) }

func plain(err error) error {
	if e, ok := err.(*Error); ok {
		c := *e
		c.Shape = false
		return &c
	}
	return err
}

// course is the course of a statement over time: what it says, else the flow if there is one, else the map;
// Unsaid if there is neither.
func course(env *Env, s *Stmt) Course {
	switch {
	case s.Course != Unsaid:
		return s.Course
	case env.Flow != nil:
		return AlongFlow
	case env.Map != nil:
		return OverSteps
	}
	return Unsaid
}

// equations returns the equations of the flow or of the map.
func (env *Env) equations(c Course) []*Equation {
	if c == OverSteps {
		return env.Map
	}
	return env.Flow
}

func (env *Env) checkStmt(s *Stmt) error {
	types := map[*Expr]Type{}
	for _, e := range s.exprs() {
		t, err := env.TypeOf(*e)
		if err != nil {
			return err
		}
		types[*e] = t
	}
	needScalar := func(es ...*Expr) error {
		for _, e := range es {
			if !types[e].Scalar {
				return shapeErr(e.Pos, "%s where a scalar is expected", types[e])
			}
		}
		return nil
	}
	needFlow := func() error {
		switch c := course(env, s); {
		case c == Unsaid:
			return shapeErr(s.Pos, "this statement is about a flow, and no system in use has one")
		case env.equations(c) == nil:
			return shapeErr(s.Pos, "this statement is about a %s, and no system in use has one", map[Course]string{AlongFlow: "flow", OverSteps: "map"}[c])
		}
		return nil
	}
	switch s.Kind {
	case Equality:
		if _, ok := unify(types[s.L], types[s.R]); !ok && !isZero(s.R) && !isZero(s.L) {
			return shapeErr(s.Pos, "%s equals %s", types[s.L], types[s.R])
		}
	case Inequality:
		return needScalar(s.L, s.R)
	case Definite:
		t := types[s.L]
		if t.Scalar || t.Unit || t.Rows != t.Cols {
			return shapeErr(s.Pos, "%s cannot be positive (semi)definite; expected a square matrix", t)
		}
	case Evolves, Decays:
		if err := needScalar(s.Rate); err != nil {
			return err
		}
		if s.Kind == Decays && !s.Norm {
			if err := needScalar(s.L); err != nil {
				return err
			}
		}
		return needFlow()
	case Stays:
		for _, e := range append([]*Expr{s.L}, s.More...) {
			t := types[e]
			if s.Word == "psd" && (t.Scalar || t.Unit || t.Rows != t.Cols) {
				return shapeErr(e.Pos, "%s cannot be positive semidefinite; expected a square matrix", t)
			}
			if s.Word == "positive" || s.Word == "nonnegative" {
				if err := needScalar(e); err != nil {
					return err
				}
			}
		}
		return needFlow()
	case Vanishes, Congruence:
		return needFlow()
	case Tends:
		if err := needScalar(s.L, s.R, s.Lo, s.Hi); err != nil {
			return err
		}
		if err := needFlow(); err != nil {
			return err
		}
		eqs := env.equations(course(env, s))
		if !slices.ContainsFunc(eqs, func(q *Equation) bool { return q.Name == s.L.Name }) {
			return shapeErr(s.Pos, "%s does not move along the flow", s.L.Name)
		}
		if len(eqs) != 1 {
			return shapeErr(s.Pos, "‘tends’ speaks of a one-dimensional flow, and this one moves %d quantities", len(eqs))
		}
	case Stationary:
		for _, q := range s.Assign {
			y := env.Symbols[q.Name]
			if course(env, s) == Unsaid || y == nil || !slices.ContainsFunc(env.equations(course(env, s)), func(m *Equation) bool { return m.Name == q.Name }) {
				return shapeErr(q.Pos, "%s does not move along the flow", q.Name)
			}
			if _, ok := unify(types[q.RHS], Type{Scalar: y.Kind == Scalar, Rows: y.Rows, Cols: y.Cols}); !ok && !isZero(q.RHS) {
				return shapeErr(q.RHS.Pos, "%s cannot stand for %s", types[q.RHS], q.Name)
			}
		}
		return needFlow()
	case Inequation:
		return needScalar(s.L, s.R)
	case Regular, Diagonality:
		if t := types[s.L]; t.Scalar || t.Unit || t.Rows != t.Cols {
			return shapeErr(s.Pos, "%s; expected a square matrix", t)
		}
	case Bounded:
		if t := types[s.L]; t.Scalar || t.Unit {
			return shapeErr(s.Pos, "%s has no entries; expected a matrix", t)
		}
		return needScalar(s.Lo, s.Hi)
	case Counted:
		for _, e := range []*Expr{s.L, s.Lo, s.Hi} {
			if e != nil {
				if err := needScalar(e); err != nil {
					return err
				}
			}
		}
		if x := env.Symbols[s.R.Name]; x == nil || x.Kind != Scalar || x.Root != nil {
			return shapeErr(s.R.Pos, "zeros are counted for the values of a declared scalar, and %s is none", s.R.Name)
		}
	case Always:
		if err := env.checkStmt(s.Of); err != nil {
			return err
		}
		return needFlow()
	}
	return nil
}
