package lang

import (
	"math/big"
	"slices"

	"stopgrad/theory/kernel"
)

// join is the shape of two expressions that have to agree.
func join(a, b shape) (shape, bool) {
	switch {
	case a.scalar != b.scalar:
		return a, false
	case a.scalar || a.unit && b.unit:
		return a, true
	case a.unit:
		return b, b.rows == b.cols
	case b.unit:
		return a, a.rows == a.cols
	}
	return a, a == b
}

// product is the shape of a·b.
func product(at Pos, a, b shape) (shape, error) {
	switch {
	case a.scalar:
		return b, nil
	case b.scalar, b.unit && !a.unit:
		return a, nil
	case a.unit:
		return b, nil
	case a.cols != b.rows:
		return a, shapeErr(at, "%s times %s: %s columns do not meet %s rows", a, b, a.cols, b.rows)
	}
	return shape{rows: a.rows, cols: b.cols}, nil
}

// deeper counts the nesting of a descent; definitions make it deeper than the text is.
func (r *Reading) deeper(at Pos) error {
	if r.depth++; r.depth > 20*maxDepth {
		return errAt(at, "nested more than %d deep, definitions written out", 20*maxDepth)
	}
	return nil
}

// shapeOf finds the shape of an expression. Each node is looked at once.
func (r *Reading) shapeOf(e *Expr, expectation bool) (shape, error) {
	k := place{e, expectation}
	if s, ok := r.shapes[k]; ok {
		return s, nil
	}
	defer func() { r.depth-- }()
	if err := r.deeper(e.Pos); err != nil {
		return shape{}, err
	}
	s, err := r.findShape(e, expectation)
	if err == nil {
		r.shapes[k] = s
	}
	return s, err
}

func (r *Reading) findShape(e *Expr, expectation bool) (shape, error) {
	if e.Kind == Call {
		return r.callShape(e, expectation)
	}
	args := make([]shape, len(e.Args))
	for i, a := range e.Args {
		s, err := r.shapeOf(a, expectation)
		if err != nil {
			return s, err
		}
		args[i] = s
	}
	switch e.Kind {
	case Num:
		return scalarShape, nil
	case Unit:
		return shape{unit: true}, nil
	case Sym:
		return r.symbolShape(e, expectation)
	case Neg:
		return args[0], nil
	case Trans:
		return shape{scalar: args[0].scalar, unit: args[0].unit, rows: args[0].cols, cols: args[0].rows}, nil
	case Add, Sub:
		s, ok := join(args[0], args[1])
		if !ok {
			return s, shapeErr(e.Pos, "%s and %s cannot be added", args[0], args[1])
		}
		return s, nil
	case Mul:
		return product(e.Pos, args[0], args[1])
	case Div:
		if !args[1].scalar {
			return args[0], shapeErr(e.Pos, "division by %s; only a scalar divides (use inv of an invertible matrix)", args[1])
		}
		return args[0], nil
	case Pow:
		s := args[0]
		if !s.scalar && (e.N < 0 || !s.unit && s.rows != s.cols) {
			return s, shapeErr(e.Pos, "%s has no power %d", s, e.N)
		}
		return s, nil
	case Hyp:
		return shape{}, errAt(e.Pos, "[%s] stands in a modulo or barrier step only", e.Name)
	}
	return shape{}, errAt(e.Pos, "this expression has no meaning")
}

func (r *Reading) symbolShape(e *Expr, expectation bool) (shape, error) {
	if d := r.env.definition(e.Name); d != nil {
		if r.within[e.Name] {
			return shape{}, errAt(e.Pos, "%s is defined by way of itself", e.Name)
		}
		r.within[e.Name] = true
		defer delete(r.within, e.Name)
		s, err := r.shapeOf(d, expectation && r.env.Lets[e.Name] != nil)
		if err == nil && r.env.Lets[e.Name] == nil && !s.scalar {
			return s, shapeErr(e.Pos, "the square root of %s", s)
		}
		return s, err
	}
	x := r.sig.Lookup(e.Name)
	if x == nil {
		if slices.Contains(r.env.Sizes, Dim(e.Name)) {
			return shape{}, shapeErr(e.Pos, "%s is a size; the number is size(%s)", e.Name, e.Name)
		}
		return shape{}, shapeErr(e.Pos, "the symbol %s is not defined", e.Name)
	}
	if c := x.Symbol().Class(); (c == kernel.Random || c == kernel.Centred) && !expectation {
		return shape{}, shapeErr(e.Pos, "the random vector %s stands outside E(...)", e.Name)
	}
	return shapeOfTerm(x), nil
}

// dimOf reads a size or a product of sizes.
func (env *Env) dimOf(e *Expr) (kernel.Dim, error) {
	switch {
	case e.Kind == Num && e.Val.Cmp(big.NewRat(1, 1)) == 0:
		return "1", nil
	case e.Kind == Sym && slices.Contains(env.Sizes, Dim(e.Name)):
		return kernel.Dim(e.Name), nil
	case e.Kind == Mul:
		a, err := env.dimOf(e.Args[0])
		if err != nil {
			return "", err
		}
		b, err := env.dimOf(e.Args[1])
		if err != nil {
			return "", err
		}
		switch {
		case a == "1":
			return b, nil
		case b == "1":
			return a, nil
		}
		return a + "*" + b, nil
	}
	return "", shapeErr(e.Pos, "expected a declared size, 1, or a product of sizes; sizes declared: %v", env.Sizes)
}

// letter returns the letter of a declared symbol that an operator is taken in. A let or a root is none: what it
// stands for has no values of its own.
func (r *Reading) letter(fn string, a *Expr) (*kernel.Term, error) {
	if a.Kind == Sym && r.env.definition(a.Name) == nil {
		if x := r.sig.Lookup(a.Name); x != nil && x.Symbol().Class() != kernel.Hole {
			return x, nil
		}
	}
	if a.Kind == Sym && r.env.definition(a.Name) != nil {
		return nil, shapeErr(a.Pos, "%s expects a declared symbol here, and %s is an abbreviation", fn, a.Name)
	}
	return nil, shapeErr(a.Pos, "%s expects a declared symbol here", fn)
}

func (r *Reading) callShape(e *Expr, expectation bool) (shape, error) {
	var first shape
	var err error
	switch e.Name {
	case "I", "zero", "size":
		d := []kernel.Dim{"1", "1"}
		for i, a := range e.Args {
			if d[i], err = r.env.dimOf(a); err != nil {
				return shape{}, err
			}
		}
		switch e.Name {
		case "size":
			return scalarShape, nil
		case "I":
			d[1] = d[0]
		}
		return shape{rows: d[0], cols: d[1]}, nil
	case "rhs":
		return shape{}, errAt(e.Pos, "expected rhs(system, variable)")
	case "E":
		if expectation {
			return shape{}, errAt(e.Pos, "E inside E")
		}
		return r.shapeOf(e.Args[0], true)
	}
	if first, err = r.shapeOf(e.Args[0], expectation); err != nil {
		return first, err
	}
	known := func(s shape) error {
		if s.scalar || s.unit {
			return shapeErr(e.Pos, "%s of %s; expected a matrix of known shape", e.Name, s)
		}
		return nil
	}
	switch e.Name {
	case "sg":
		return first, nil
	case "root":
		if !first.scalar {
			return first, shapeErr(e.Pos, "the square root of %s", first)
		}
		return first, nil
	case "tr", "inv":
		if first.unit {
			return first, shapeErr(e.Pos, "%s(I) has no definite size here; expected I(n)", e.Name)
		}
		if first.scalar || first.rows != first.cols {
			return first, shapeErr(e.Pos, "%s of %s; expected a square matrix", e.Name, first)
		}
		if e.Name == "tr" {
			return scalarShape, nil
		}
		return first, nil
	case "sym", "skew":
		if first.scalar || !first.unit && first.rows != first.cols {
			return first, shapeErr(e.Pos, "%s of %s; expected a square matrix", e.Name, first)
		}
		return first, nil
	case "vec", "rvec":
		if err := known(first); err != nil {
			return first, err
		}
		d := times(first.rows, first.cols)
		if e.Name == "vec" {
			d = times(first.cols, first.rows)
		}
		return shape{rows: d, cols: "1"}, nil
	case "ddt", "next":
		if e.Name == "ddt" && r.env.Flow == nil || e.Name == "next" && r.env.Map == nil {
			return first, shapeErr(e.Pos, "%s needs a flow or map, and no system in use has one", e.Name)
		}
		return first, nil
	case "diff":
		x, err := r.letter(e.Name, e.Args[1])
		if err == nil && !x.Scalar() {
			err = shapeErr(e.Args[1].Pos, "diff differentiates in a scalar; use grad for a matrix")
		}
		return first, err
	case "grad", "gradsym", "gradskew":
		x, err := r.letter(e.Name, e.Args[1])
		if err != nil {
			return first, err
		}
		if !first.scalar {
			return first, shapeErr(e.Pos, "%s of %s; expected a scalar", e.Name, first)
		}
		return shapeOfTerm(x), nil
	case "at":
		for i := 1; i < len(e.Args); i += 2 {
			x, err := r.letter(e.Name, e.Args[i])
			if err != nil {
				return first, err
			}
			v, err := r.shapeOf(e.Args[i+1], expectation)
			if err != nil {
				return first, err
			}
			if _, ok := join(v, shapeOfTerm(x)); !ok && !isZero(e.Args[i+1]) {
				return first, shapeErr(e.Args[i+1].Pos, "%s cannot stand for %s", v, x.Symbol().Name())
			}
		}
		return first, nil
	}
	second, err := r.shapeOf(e.Args[1], expectation)
	if err != nil {
		return second, err
	}
	switch e.Name {
	case "kron":
		if err := known(first); err != nil {
			return first, err
		}
		if err := known(second); err != nil {
			return second, err
		}
		return shape{rows: times(first.rows, second.rows), cols: times(first.cols, second.cols)}, nil
	case "comm", "anti":
		ab, err := product(e.Pos, first, second)
		if err != nil {
			return ab, err
		}
		ba, err := product(e.Pos, second, first)
		if err != nil {
			return ba, err
		}
		s, ok := join(ab, ba)
		if !ok {
			return s, shapeErr(e.Pos, "the two products of %s and %s have different shapes", first, second)
		}
		return s, nil
	}
	return first, errAt(e.Pos, "%s is not a function", e.Name)
}

func times(a, b kernel.Dim) kernel.Dim {
	switch {
	case a == "1":
		return b
	case b == "1":
		return a
	}
	return a + "*" + b
}

// read elaborates an expression in a place of the shape wanted, which is a scalar or a definite matrix shape.
func (r *Reading) read(e *Expr, want shape, expectation bool) (*kernel.Term, error) {
	s, err := r.shapeOf(e, expectation)
	if err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	if err := r.deeper(e.Pos); err != nil {
		return nil, err
	}
	if got, ok := join(s, want); !ok || got != want {
		// Soundness: of numbers only 0 is also a matrix.
		if isZero(e) && !want.scalar {
			return r.zero(e.Pos, want)
		}
		return nil, shapeErr(e.Pos, "%s where %s is expected", s, want)
	}
	t, err := r.build(e, want, expectation)
	if _, ok := r.placed[t]; r.placed != nil && err == nil && !ok {
		r.placed[t] = e.Pos
	}
	return t, located(e.Pos, err)
}

func (r *Reading) zero(at Pos, s shape) (*kernel.Term, error) {
	if s.scalar {
		t, err := r.sig.Number(new(big.Rat))
		return t, located(at, err)
	}
	t, err := r.sig.ZeroOf(s.rows, s.cols)
	return t, located(at, err)
}

// build makes the term of an expression whose shape is known to fit.
func (r *Reading) build(e *Expr, want shape, expectation bool) (*kernel.Term, error) {
	if v, ok := constant(e); ok {
		return r.sig.Number(v)
	}
	sub := func(i int, want shape) (*kernel.Term, error) { return r.read(e.Args[i], want, expectation) }
	switch e.Kind {
	case Unit:
		return r.sig.IdentityOf(want.rows)
	case Sym:
		return r.symbol(e, want, expectation)
	case Neg:
		x, err := sub(0, want)
		if err != nil {
			return nil, err
		}
		return r.times(-1, x)
	case Trans:
		x, err := sub(0, shape{scalar: want.scalar, rows: want.cols, cols: want.rows})
		if err != nil || want.scalar {
			return x, err
		}
		return r.sig.Make(kernel.Transpose, 0, x)
	case Add, Sub:
		a, err := sub(0, want)
		if err != nil {
			return nil, err
		}
		b, err := sub(1, want)
		if err != nil {
			return nil, err
		}
		if e.Kind == Sub {
			if b, err = r.times(-1, b); err != nil {
				return nil, err
			}
		}
		return r.sig.Make(kernel.Sum, 0, a, b)
	case Mul:
		return r.multiply(e.Args[0], e.Args[1], want, expectation)
	case Div:
		d, err := sub(1, scalarShape)
		if err != nil {
			return nil, err
		}
		if d, err = r.sig.Make(kernel.Reciprocal, 0, d); err != nil {
			return nil, err
		}
		if v, ok := constant(e.Args[0]); ok && v.Cmp(big.NewRat(1, 1)) == 0 {
			return d, nil
		}
		n, err := sub(0, want)
		if err != nil {
			return nil, err
		}
		return r.sig.Make(kernel.Product, 0, n, d)
	case Pow:
		x, err := sub(0, want)
		if err != nil {
			return nil, err
		}
		if err := r.degree(e, x); err != nil {
			return nil, err
		}
		if e.N >= 0 {
			return r.sig.Make(kernel.Power, e.N, x)
		}
		if e.N < -1 {
			if x, err = r.sig.Make(kernel.Power, -e.N, x); err != nil {
				return nil, err
			}
		}
		return r.sig.Make(kernel.Reciprocal, 0, x)
	}
	return r.call(e, want, expectation)
}

// degree refuses powers of powers that together are beyond what the kernel multiplies out.
func (r *Reading) degree(e *Expr, x *kernel.Term) error {
	all := max(e.N, -e.N)
	for ; x.Head() == kernel.Power; x = x.Arg(0) {
		if all *= x.Exponent(); all > kernel.MaxExponent {
			return errAt(e.Pos, "an exponent above %d, with those of the powers below it", kernel.MaxExponent)
		}
	}
	return nil
}

// multiply makes a·b in a place of the shape wanted.
func (r *Reading) multiply(a, b *Expr, want shape, expectation bool) (*kernel.Term, error) {
	x, y, err := r.factors(a, b, want, expectation)
	if err != nil {
		return nil, err
	}
	return r.sig.Make(kernel.Product, 0, x, y)
}

// factors reads the factors of a product of the shape wanted.
func (r *Reading) factors(a, b *Expr, want shape, expectation bool) (x, y *kernel.Term, err error) {
	as, err := r.shapeOf(a, expectation)
	if err != nil {
		return nil, nil, err
	}
	bs, err := r.shapeOf(b, expectation)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case as.scalar:
		bs = want
	case bs.scalar:
		as = want
	case as.unit && bs.unit:
		as, bs = want, want
	case as.unit:
		as = shape{rows: bs.rows, cols: bs.rows}
	case bs.unit:
		bs = shape{rows: as.cols, cols: as.cols}
	}
	if x, err = r.read(a, as, expectation); err != nil {
		return nil, nil, err
	}
	y, err = r.read(b, bs, expectation)
	return x, y, err
}

// symbol reads a name: a let, shared by all its uses in places of one shape, a root, or a letter.
func (r *Reading) symbol(e *Expr, want shape, expectation bool) (*kernel.Term, error) {
	if l := r.env.Lets[e.Name]; l != nil {
		k := letPlace{e.Name, want, expectation}
		if t := r.lets[k]; t != nil {
			return t, nil
		}
		t, err := r.read(l.Expr, want, expectation)
		if err == nil {
			r.lets[k] = t
		}
		return t, err
	}
	if s := r.env.Symbols[e.Name]; s != nil && s.Root != nil {
		return r.root(s)
	}
	return r.sig.Lookup(e.Name), nil
}

// root is the term that a declared root abbreviates.
func (r *Reading) root(s *Symbol) (*kernel.Term, error) {
	if t := r.roots[s.Name]; t != nil {
		return t, nil
	}
	if r.within[s.Name] {
		return nil, errAt(s.Pos, "%s is defined by way of itself", s.Name)
	}
	r.within[s.Name] = true
	defer delete(r.within, s.Name)
	q, err := r.read(s.Root, scalarShape, false)
	if err != nil {
		return nil, err
	}
	t, err := r.sig.Make(kernel.Root, 0, q)
	if err == nil {
		r.roots[s.Name] = t
	}
	return t, located(s.Pos, err)
}

var unary = map[string]kernel.Head{"ddt": kernel.Ddt, "next": kernel.Next, "sg": kernel.StopGrad, "E": kernel.Expect, "tr": kernel.Trace,
	"inv": kernel.Inverse, "root": kernel.Root, "rvec": kernel.RowStack}

func (r *Reading) call(e *Expr, want shape, expectation bool) (*kernel.Term, error) {
	inside := expectation || e.Name == "E"
	if err := r.taken(e); err != nil {
		return nil, err
	}
	arg := func(i int) (*kernel.Term, error) {
		s, err := r.shapeOf(e.Args[i], inside)
		if err != nil {
			return nil, err
		}
		if s.unit {
			s = want
		}
		return r.read(e.Args[i], s, inside)
	}
	switch e.Name {
	case "I":
		return r.sig.IdentityOf(want.rows)
	case "zero":
		return r.sig.ZeroOf(want.rows, want.cols)
	case "size":
		d, err := r.env.dimOf(e.Args[0])
		if err != nil {
			return nil, err
		}
		return r.sig.SizeOf(d)
	}
	if e.Name == "comm" || e.Name == "anti" {
		// Each factor is read once: commutators stand inside one another.
		a, b, err := r.factors(e.Args[0], e.Args[1], want, inside)
		if err != nil {
			return nil, err
		}
		ab, err := r.sig.Make(kernel.Product, 0, a, b)
		if err != nil {
			return nil, err
		}
		ba, err := r.sig.Make(kernel.Product, 0, b, a)
		if err != nil {
			return nil, err
		}
		if e.Name == "comm" {
			if ba, err = r.times(-1, ba); err != nil {
				return nil, err
			}
		}
		return r.sig.Make(kernel.Sum, 0, ab, ba)
	}
	x, err := arg(0)
	if err != nil {
		return nil, err
	}
	if h, ok := unary[e.Name]; ok {
		return r.sig.Make(h, 0, x)
	}
	switch e.Name {
	case "sym", "skew":
		xt, err := r.sig.Make(kernel.Transpose, 0, x)
		if err != nil {
			return nil, err
		}
		if e.Name == "skew" {
			if xt, err = r.times(-1, xt); err != nil {
				return nil, err
			}
		}
		if x, err = r.sig.Make(kernel.Sum, 0, x, xt); err != nil {
			return nil, err
		}
		half, err := r.sig.Number(big.NewRat(1, 2))
		if err != nil {
			return nil, err
		}
		return r.sig.Make(kernel.Product, 0, half, x)
	case "vec":
		if x, err = r.sig.Make(kernel.Transpose, 0, x); err != nil {
			return nil, err
		}
		return r.sig.Make(kernel.RowStack, 0, x)
	case "kron":
		y, err := arg(1)
		if err != nil {
			return nil, err
		}
		return r.sig.Make(kernel.Kronecker, 0, x, y)
	case "diff":
		v, err := r.letter(e.Name, e.Args[1])
		if err != nil {
			return nil, err
		}
		return r.sig.Make(kernel.Diff, 0, x, v)
	case "grad", "gradsym", "gradskew":
		v, err := r.letter(e.Name, e.Args[1])
		if err != nil {
			return nil, err
		}
		h, err := r.gradient(e, v)
		if err != nil {
			return nil, err
		}
		return r.sig.Make(h, 0, x, v)
	case "at":
		args := []*kernel.Term{x}
		for i := 1; i < len(e.Args); i += 2 {
			l, err := r.letter(e.Name, e.Args[i])
			if err != nil {
				return nil, err
			}
			v, err := r.read(e.Args[i+1], shapeOfTerm(l), expectation)
			if err != nil {
				return nil, err
			}
			args = append(args, l, v)
		}
		return r.sig.Make(kernel.At, 0, args...)
	}
	return nil, errAt(e.Pos, "%s is not a function", e.Name)
}

// gradient picks the head: grad is the free gradient, or its projection by what is declared of the symbol.
func (r *Reading) gradient(e *Expr, v *kernel.Term) (kernel.Head, error) {
	switch {
	case v.Scalar():
		return kernel.Diff, nil
	case e.Name == "gradsym":
		return kernel.GradSym, nil
	case e.Name == "gradskew":
		return kernel.GradSkew, nil
	}
	home := r.env
	if e.home != nil {
		home = e.home
	}
	// Soundness: a right-hand side of another system has the gradients of that system.
	s := home.Symbols[v.Symbol().Name()]
	if s == nil {
		return 0, errAt(e.Pos, "%s is no symbol there", v.Symbol().Name())
	}
	switch a := s.Attr &^ s.Restriction; {
	case a&(Diagonal|Isometry) != 0:
		return 0, errAt(e.Pos, "the gradient among %s matrices is not defined; expected gradsym, gradskew, or a symbol without that structure",
			map[bool]string{true: "diagonal", false: "isometric"}[a&Diagonal != 0])
	case a&Symmetric != 0:
		return kernel.GradSym, nil
	case a&Skew != 0:
		return kernel.GradSkew, nil
	}
	return kernel.Grad, nil
}

// taken requires of a call in a right-hand side of another system that it means here what it means there: the derivative
// in time and the next value follow that system's motion and are refused, no definition may be captured, and an expectation
// has to be by the same moments.
func (r *Reading) taken(e *Expr) error {
	switch {
	case e.home == nil:
		return nil
	case e.Name == "ddt" || e.Name == "next":
		return errAt(e.Pos, "%s in a right-hand side follows the motion of its own system, and cannot be taken over by rhs", e.Name)
	}
	if r.defs == nil {
		r.defs, r.same = newDefinitions(r.env), map[foreign]error{}
	}
	if err := r.defs.uncaptured(e); err != nil || e.Name != "E" {
		return err
	}
	return e.averages(r.env, r.same, func(name string) (bool, error) {
		a, err := r.moment(e.home, name)
		if err != nil {
			return false, err
		}
		b, err := r.moment(r.env, name)
		return err == nil && a == b, err
	})
}

// moment is the second moment that env declares of a random vector, read here; nil if it declares none.
func (r *Reading) moment(env *Env, name string) (*kernel.Term, error) {
	x, m := r.sig.Lookup(name), env.moment(name)
	if x == nil || m == nil {
		return nil, nil
	}
	rhs := m.RHS
	if env != r.env {
		left := maxNodes
		if rhs = env.takeOver(rhs, &left); left <= 0 {
			return nil, errAt(m.Pos, "the second moment of %s is too large to take over, its definitions written out", name)
		}
	}
	n, _ := x.Symbol().Shape()
	return r.read(rhs, shape{rows: n, cols: n}, false)
}
