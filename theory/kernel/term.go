package kernel

import (
	"encoding/binary"
	"iter"
	"math/big"
	"strings"
)

// Head says what a term is.
type Head uint8

// The heads of terms. In the shapes below r, c, n, m are products of sizes.
const (
	// Pure terms: what is left when the operators are removed.
	Number     Head = iota // a rational constant
	Letter                 // a declared symbol
	Size                   // the size n as a number: tr(I) of an n×n identity
	Identity               // I, n×n
	Zero                   // 0, r×c
	Sum                    // a + b, both scalars or both r×c
	Product                // a·b: scalar·scalar, scalar·matrix, or (r×n)·(n×c)
	Power                  // a^k, k ≥ 0, a a scalar or square
	Trace                  // tr(a), a square
	Transpose              // a^T
	Reciprocal             // 1/a of a scalar
	Root                   // the nonnegative square root of a scalar
	Inverse                // a^-1 of a square matrix
	RowStack               // rvec(a): the rows of an r×c matrix on one another, (r*c)×1
	Kronecker              // kron(a, b): (r*n)×(c*m) for a r×c, b n×m; index of a slow, of b fast

	// Operators, removed by unfolding.
	Ddt      // derivative along the flow
	Next     // value after one step of the map
	Diff     // diff(a, x): partial derivative in the scalar letter x
	Grad     // grad(f, W): ∂f/∂W_ij as a matrix of W's shape
	GradSym  // its symmetric part: the gradient among symmetric matrices
	GradSkew // its antisymmetric part: the gradient among antisymmetric matrices
	At       // at(a, x, v, y, w, …): a with the letters x, y, … replaced by v, w, …, all at once
	Expect   // expectation over the random columns
	StopGrad // a, a constant to the gradient or partial derivative around it

	// frozen is the copy of a letter that a stop-gradient makes; it lives inside one unfolding of a gradient only.
	frozen
	heads // how many there are
)

var headNames = [heads]string{"number", "letter", "size", "identity", "zero", "sum", "product", "power", "trace", "transpose",
	"reciprocal", "root", "inverse", "rowstack", "kronecker", "ddt", "next", "diff", "grad", "gradsym", "gradskew", "at", "expect",
	"stopgrad", "frozen"}

// String is the name of the head in certificates.
func (h Head) String() string {
	if h < heads {
		return headNames[h]
	}
	return "?"
}

// HeadNamed returns the head that certificates call name.
func HeadNamed(name string) (Head, bool) {
	for h := Head(0); h < frozen; h++ {
		if headNames[h] == name {
			return h, true
		}
	}
	return 0, false
}

// Class says how a symbol behaves.
type Class uint8

// The classes of symbols.
const (
	Param   Class = iota // a constant
	State                // has an equation in the flow, the map, or both
	Input                // any continuous function of time, any sequence over steps; it has no derivative
	Random               // a random column, a function of the data point; under Expect only
	Centred              // a random column with conditional mean zero given the data point, independent of the others; under Expect only
	Hole                 // stands for a quantity inside one rule's argument
	classes
)

var classNames = [classes]string{"param", "state", "input", "random", "centred", "hole"}

// String is the name of the class in certificates and printed sequents.
func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return "?"
}

// ClassNamed returns the class called name.
func ClassNamed(name string) (Class, bool) {
	for c, n := range classNames {
		if n == name {
			return Class(c), true
		}
	}
	return 0, false
}

// Dim is a product of sizes in the order of its tensor legs, slow index first: "1", "n", "n*m". Unlike numbers,
// "n*m" and "m*n" are different: they index the same space in different order.
type Dim string

// times is the tensor product of two dimensions.
func (d Dim) times(e Dim) Dim {
	switch {
	case d == "1":
		return e
	case e == "1":
		return d
	}
	return d + "*" + e
}

// Legs lists the sizes whose product the dimension is; none for "1".
func (d Dim) Legs() []string {
	if d == "1" {
		return nil
	}
	return strings.Split(string(d), "*")
}

// Symbol is a declared letter.
type Symbol struct {
	name       string
	class      Class
	scalar     bool
	rows, cols Dim
	self       *Symbol // the symbol itself
}

// Name is the symbol's name, an ASCII identifier.
func (s *Symbol) Name() string { return s.name }

// Class says how the symbol behaves.
func (s *Symbol) Class() Class { return s.class }

// Scalar reports whether the symbol is a number.
func (s *Symbol) Scalar() bool { return s.scalar }

// Shape is the shape of a matrix symbol.
func (s *Symbol) Shape() (rows, cols Dim) { return s.rows, s.cols }

// Term is an immutable, typed, shared node. Terms are made by [Signature.Make] and its relatives only; equal
// terms of one signature are equal pointers.
type Term struct {
	head       Head
	scalar     bool
	rows, cols Dim
	n          int // exponent of Power
	args       []*Term
	num        *big.Rat
	sym        *Symbol
	dim        Dim // of Size and Identity
	sig        *Signature
	id         uint32
	height     int
	pure       bool  // no operator inside
	self       *Term // the term itself
}

// Head says what the term is.
func (t *Term) Head() Head { return t.head }

// Scalar reports whether the term is a number.
func (t *Term) Scalar() bool { return t.scalar }

// Shape is the shape of a matrix term; a 1×1 matrix is not a scalar.
func (t *Term) Shape() (rows, cols Dim) { return t.rows, t.cols }

// Args is a copy of the term's arguments.
func (t *Term) Args() []*Term { return append([]*Term(nil), t.args...) }

// Len is the number of arguments.
func (t *Term) Len() int { return len(t.args) }

// Arg is the i-th argument.
func (t *Term) Arg(i int) *Term { return t.args[i] }

// Exponent is the exponent of a Power.
func (t *Term) Exponent() int { return t.n }

// Value is a copy of the value of a Number.
func (t *Term) Value() *big.Rat {
	if t.num == nil {
		return nil
	}
	return new(big.Rat).Set(t.num)
}

// Symbol is the symbol of a Letter, nil for other heads.
func (t *Term) Symbol() *Symbol { return t.sym }

// Dim is the size that a Size or Identity is of.
func (t *Term) Dim() Dim { return t.dim }

// Signature is the signature the term belongs to.
func (t *Term) Signature() *Signature { return t.sig }

// ID counts the terms of a signature in the order in which they were made; arguments come before what they are in.
func (t *Term) ID() int { return int(t.id) }

// Pure reports whether no operator is left in the term.
func (t *Term) Pure() bool { return t.pure }

// Signature is a vocabulary: the sizes and symbols that terms may mention, and the table that shares them. It is
// not safe for concurrent use: one reading, one signature.
type Signature struct {
	sizes   []string
	sized   map[string]bool // the sizes
	symbols []*Symbol
	byName  map[string]*Symbol
	letters map[*Symbol]*Term
	table   map[termKey]*Term
	small   [32]*Term  // the integers from −16 on that have been made
	all     []*Term    // in the order made
	self    *Signature // the signature itself
	grown   int        // how often it has grown
	growth  *int       // the same, shared with every copy of the signature
	spent   int        // work done with the signature
	limit   int        // the most work that may be done, 0 for any
}

type termKey struct {
	head Head
	n    int
	args string // ids of the arguments, 4 bytes each
	text string // number, symbol or dimension
}

// NewSignature returns an empty vocabulary.
func NewSignature() *Signature {
	s := &Signature{sized: map[string]bool{}, byName: map[string]*Symbol{}, letters: map[*Symbol]*Term{}, table: map[termKey]*Term{}}
	s.self, s.growth = s, new(int)
	return s
}

// whole requires a signature as NewSignature made it and as it has grown since, with its symbols and terms as they were
// made.
//
// Soundness: in Go, *x = *y and y := *x go through in any package, whatever the fields. A letter that was overwritten
// by another one, and set right again after the proof, would be equal to it; and a signature or dynamics set back to an
// earlier copy could grow in another way.
func (s *Signature) whole() {
	s.open()
	s.spend(1 + (len(s.all)+len(s.symbols))/64)
	for _, t := range s.all {
		if t.self != t {
			refuse("a term was overwritten")
		}
	}
	for _, y := range s.symbols {
		if y.self != y {
			refuse("a symbol was overwritten")
		}
	}
}

// open requires a signature as NewSignature made it and as it has grown since.
func (s *Signature) open() {
	if s == nil || s.self != s || s.grown != *s.growth {
		refuse("this signature is a copy, or was overwritten")
	}
}

// Limit bounds the work that may be done with the signature from now on: terms made and visited, products of monomials,
// comparisons of hypotheses. The limits of limits.go bound a step; this one bounds all steps together.
func (s *Signature) Limit(work int) { s.spent, s.limit = 0, work }

// Spent is the work done since the signature was made, or since its last Limit.
func (s *Signature) Spent() int { return s.spent }

// spend counts work against the limit.
func (s *Signature) spend(work int) {
	if s.spent += work; s.limit > 0 && s.spent > s.limit {
		exceed("more than %d steps of work in all", s.limit)
	}
}

// grow notes that the signature grows.
func (s *Signature) grow() {
	s.grown++
	*s.growth = s.grown
}

// owns reports whether a term is one of the signature, and no copy.
func (s *Signature) owns(t *Term) bool { return t != nil && t.sig == s && t.self == t }

// reserved are words of the language that name no symbol: operators, and words with which a statement begins, as always x >= 0
// would read as a statement about all times where always is a number.
var reserved = map[string]bool{"I": true, "E": true, "tr": true, "sym": true, "skew": true, "inv": true, "vec": true, "rvec": true,
	"kron": true, "ddt": true, "next": true, "diff": true, "grad": true, "gradsym": true, "gradskew": true, "sg": true, "at": true,
	"rhs": true, "root": true, "size": true, "zero": true, "psd": true, "pd": true, "inf": true, "T": true,
	"always": true, "absurd": true, "stationary": true, "assumption": true, "sampled": true}

// identifier reports whether name is an ASCII identifier that may name a symbol or a size.
func identifier(name string) bool {
	if name == "" || len(name) > 200 || reserved[name] {
		return false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return true
}

// DeclareSize declares a matrix size, a whole number of at least one.
func (s *Signature) DeclareSize(name string) (err error) {
	defer caught(&err)
	s.open()
	if !identifier(name) {
		refuse("%q cannot name a size: expected an ASCII identifier that is no word of the language", name)
	}
	if s.names(name) {
		refuse("%s is declared twice", name)
	}
	if len(s.sizes) >= MaxTerms {
		refuse("more than %d sizes", MaxTerms)
	}
	s.grow()
	s.sizes, s.sized[name] = append(s.sizes, name), true
	return nil
}

func (s *Signature) hasSize(name string) bool { return s.sized[name] }

// names reports whether a size or symbol is called so.
func (s *Signature) names(name string) bool { return s.sized[name] || s.byName[name] != nil }

// Sizes is a copy of the declared sizes.
func (s *Signature) Sizes() []string { return append([]string(nil), s.sizes...) }

// Symbols is a copy of the list of declared symbols, in the order of declaration.
func (s *Signature) Symbols() []*Symbol { return append([]*Symbol(nil), s.symbols...) }

// Lookup returns the letter of the symbol called name, or nil.
func (s *Signature) Lookup(name string) *Term { return s.letters[s.byName[name]] }

// checkDim requires a product of declared sizes.
func (s *Signature) checkDim(d Dim) {
	checkLength(d)
	for _, l := range d.Legs() {
		if !s.hasSize(l) {
			refuse("the size %q is not declared", l)
		}
	}
}

// checkLength bounds the text of a dimension, which doubles with each kron of a matrix and itself.
func checkLength(d Dim) {
	if len(d) > MaxExponent {
		refuse("a dimension of more than %d characters", MaxExponent)
	}
}

// DeclareScalar declares a number and returns its letter.
func (s *Signature) DeclareScalar(name string, class Class) (t *Term, err error) {
	defer caught(&err)
	s.open()
	if class == Random || class == Centred {
		refuse("the random column %s needs a shape", name)
	}
	return s.declare(&Symbol{name: name, class: class, scalar: true}), nil
}

// DeclareMatrix declares a matrix, or a random column (cols "1"), and returns its letter.
func (s *Signature) DeclareMatrix(name string, class Class, rows, cols Dim) (t *Term, err error) {
	defer caught(&err)
	s.open()
	s.checkDim(rows)
	s.checkDim(cols)
	if (class == Random || class == Centred) && cols != "1" {
		refuse("the random %s has to be a column", name)
	}
	return s.declare(&Symbol{name: name, class: class, rows: rows, cols: cols}), nil
}

func (s *Signature) declare(y *Symbol) *Term {
	if !identifier(y.name) {
		refuse("%q cannot name a symbol: expected an ASCII identifier that is no word of the language", y.name)
	}
	if y.class >= classes {
		refuse("%s has no such class", y.name)
	}
	if s.names(y.name) {
		refuse("%s is declared twice", y.name)
	}
	y.self = y
	s.symbols = append(s.symbols, y)
	s.byName[y.name] = y
	t := s.intern(&Term{head: Letter, scalar: y.scalar, rows: y.rows, cols: y.cols, sym: y}, y.name)
	s.letters[y] = t
	return t
}

// Number returns the constant v.
func (s *Signature) Number(v *big.Rat) (t *Term, err error) {
	defer caught(&err)
	s.open()
	return s.number(v), nil
}

func (s *Signature) number(v *big.Rat) *Term {
	if v == nil {
		refuse("no number")
	}
	if v.Num().BitLen() > MaxBits || v.Denom().BitLen() > MaxBits {
		refuse("a number of more than %d bits", MaxBits)
	}
	text := v.RatString()
	if have := s.table[termKey{head: Number, text: text}]; have != nil {
		s.spend(1)
		return have
	}
	return s.intern(&Term{head: Number, scalar: true, num: new(big.Rat).Set(v)}, text)
}

func (s *Signature) integer(k int64) *Term {
	i := k + int64(len(s.small)/2)
	if i < 0 || i >= int64(len(s.small)) {
		return s.number(new(big.Rat).SetInt64(k))
	}
	if s.small[i] == nil {
		s.small[i] = s.number(new(big.Rat).SetInt64(k))
	} else {
		s.spend(1)
	}
	return s.small[i]
}

// SizeOf returns the size n as a scalar.
func (s *Signature) SizeOf(n Dim) (t *Term, err error) {
	defer caught(&err)
	s.open()
	return s.sizeOf(n), nil
}

func (s *Signature) sizeOf(n Dim) *Term {
	s.checkDim(n)
	return s.intern(&Term{head: Size, scalar: true, dim: n}, string(n))
}

// IdentityOf returns the n×n identity.
func (s *Signature) IdentityOf(n Dim) (t *Term, err error) {
	defer caught(&err)
	s.open()
	return s.identity(n), nil
}

func (s *Signature) identity(n Dim) *Term {
	s.checkDim(n)
	return s.intern(&Term{head: Identity, rows: n, cols: n, dim: n}, string(n))
}

// ZeroOf returns the r×c zero matrix.
func (s *Signature) ZeroOf(r, c Dim) (t *Term, err error) {
	defer caught(&err)
	s.open()
	return s.zero(r, c), nil
}

func (s *Signature) zero(r, c Dim) *Term {
	s.checkDim(r)
	s.checkDim(c)
	return s.intern(&Term{head: Zero, rows: r, cols: c}, string(r)+"|"+string(c))
}

// Make returns the term with this head and these arguments; n is the exponent of a Power and 0 otherwise. It
// types the arguments: the shapes are those listed at the heads.
func (s *Signature) Make(head Head, n int, args ...*Term) (t *Term, err error) {
	defer caught(&err)
	s.open()
	if head >= frozen {
		refuse("no head %d", head)
	}
	return s.make(head, n, args...), nil
}

// arity is the number of arguments of each head; -1 for those that Make does not make and for At.
var arity = [heads]int{Number: -1, Letter: -1, Size: -1, Identity: -1, Zero: -1, Sum: 2, Product: 2, Power: 1, Trace: 1,
	Transpose: 1, Reciprocal: 1, Root: 1, Inverse: 1, RowStack: 1, Kronecker: 2, Ddt: 1, Next: 1, Diff: 2, Grad: 2, GradSym: 2,
	GradSkew: 2, At: -1, Expect: 1, StopGrad: 1, frozen: 1}

func (s *Signature) make(head Head, n int, args ...*Term) *Term {
	for _, a := range args {
		if !s.owns(a) {
			refuse("an argument of %s is missing or of another signature", head)
		}
	}
	if want := arity[head]; want >= 0 && len(args) != want || want < 0 && head != At {
		refuse("%s does not take %d argument(s)", head, len(args))
	}
	if n != 0 && head != Power {
		refuse("%s has no exponent", head)
	}
	t := &Term{head: head, n: n, args: append([]*Term(nil), args...)}
	s.shape(t)
	checkLength(t.rows)
	checkLength(t.cols)
	return s.intern(t, "")
}

// shape types a term by its arguments.
func (s *Signature) shape(t *Term) {
	a := t.args
	same := func() {
		if a[0].scalar != a[1].scalar || a[0].rows != a[1].rows || a[0].cols != a[1].cols {
			refuse("%s and %s cannot be added", a[0].shapeText(), a[1].shapeText())
		}
	}
	as := func(x *Term) { t.scalar, t.rows, t.cols = x.scalar, x.rows, x.cols }
	needScalar := func(x *Term) {
		if !x.scalar {
			refuse("%s takes a scalar, not %s", t.head, x.shapeText())
		}
	}
	needMatrix := func(x *Term) {
		if x.scalar {
			refuse("%s takes a matrix, not a scalar", t.head)
		}
	}
	needSquare := func(x *Term) {
		if x.scalar || x.rows != x.cols {
			refuse("%s takes a square matrix, not %s", t.head, x.shapeText())
		}
	}
	switch t.head {
	case Sum:
		same()
		as(a[0])
	case Product:
		switch {
		case a[0].scalar:
			as(a[1])
		case a[1].scalar:
			as(a[0])
		case a[0].cols == a[1].rows:
			t.rows, t.cols = a[0].rows, a[1].cols
		default:
			refuse("%s and %s do not multiply", a[0].shapeText(), a[1].shapeText())
		}
	case Power:
		if t.n < 0 || t.n > MaxExponent {
			refuse("the exponent %d is not between 0 and %d", t.n, MaxExponent)
		}
		if !a[0].scalar {
			needSquare(a[0])
		}
		as(a[0])
	case Trace:
		needSquare(a[0])
		t.scalar = true
	case Transpose:
		needMatrix(a[0])
		t.rows, t.cols = a[0].cols, a[0].rows
	case Reciprocal, Root:
		needScalar(a[0])
		t.scalar = true
	case Inverse:
		needSquare(a[0])
		as(a[0])
	case RowStack:
		needMatrix(a[0])
		t.rows, t.cols = a[0].rows.times(a[0].cols), "1"
	case Kronecker:
		needMatrix(a[0])
		needMatrix(a[1])
		t.rows, t.cols = a[0].rows.times(a[1].rows), a[0].cols.times(a[1].cols)
	case Ddt, Next, Expect, StopGrad, frozen:
		as(a[0])
	case Diff:
		needScalar(a[1])
		s.needLetter(t.head, a[1])
		as(a[0])
	case Grad, GradSym, GradSkew:
		needScalar(a[0])
		needMatrix(a[1])
		s.needLetter(t.head, a[1])
		if t.head != Grad {
			needSquare(a[1])
		}
		as(a[1])
	case At:
		if len(a) < 3 || len(a)%2 == 0 {
			refuse("at takes a term and pairs of a letter and its value")
		}
		seen := map[*Term]bool{}
		for i := 1; i < len(a); i += 2 {
			x, v := a[i], a[i+1]
			s.needLetter(t.head, x)
			if seen[x] {
				refuse("at replaces %s twice", x.sym.name)
			}
			seen[x] = true
			if x.scalar != v.scalar || x.rows != v.rows || x.cols != v.cols {
				refuse("%s is %s and cannot be replaced by %s", x.sym.name, x.shapeText(), v.shapeText())
			}
		}
		as(a[0])
	}
}

// needLetter requires a declared symbol that has values of its own at a state.
func (s *Signature) needLetter(h Head, x *Term) {
	if x.head != Letter {
		refuse("%s needs a declared symbol there", h)
	}
	switch x.sym.class {
	case Random, Centred, Hole:
		refuse("%s cannot be taken in the %s symbol %s", h, x.sym.class, x.sym.name)
	}
}

func (t *Term) shapeText() string {
	if t.scalar {
		return "a scalar"
	}
	return "a " + string(t.rows) + " x " + string(t.cols) + " matrix"
}

// intern returns the one term equal to t.
func (s *Signature) intern(t *Term, text string) *Term {
	s.spend(1 + (len(t.rows)+len(t.cols))/16)
	var buf [24]byte
	packed := buf[:0]
	t.pure = t.head < Ddt || t.head == frozen
	for _, a := range t.args {
		packed = binary.LittleEndian.AppendUint32(packed, a.id)
		t.height = max(t.height, a.height+1)
		t.pure = t.pure && a.pure
	}
	key := termKey{t.head, t.n, string(packed), text}
	if have := s.table[key]; have != nil {
		return have
	}
	if len(s.all) >= MaxTerms {
		exceed("more than %d terms", MaxTerms)
	}
	if t.height > MaxNesting {
		exceed("a term nested deeper than %d", MaxNesting)
	}
	t.sig, t.self, t.id = s, t, uint32(len(s.all))
	s.grow()
	s.all = append(s.all, t)
	s.table[key] = t
	return t
}

// The constructions below are for rules: they build from terms that are already typed.

func (s *Signature) add(a, b *Term) *Term { return s.make(Sum, 0, a, b) }
func (s *Signature) mul(a, b *Term) *Term { return s.make(Product, 0, a, b) }
func (s *Signature) neg(a *Term) *Term    { return s.mul(s.integer(-1), a) }
func (s *Signature) sub(a, b *Term) *Term { return s.add(a, s.neg(b)) }
func (s *Signature) pow(a *Term, n int) *Term {
	return s.make(Power, n, a)
}
func (s *Signature) trace(a *Term) *Term      { return s.make(Trace, 0, a) }
func (s *Signature) transpose(a *Term) *Term  { return s.make(Transpose, 0, a) }
func (s *Signature) reciprocal(a *Term) *Term { return s.make(Reciprocal, 0, a) }
func (s *Signature) root(a *Term) *Term       { return s.make(Root, 0, a) }
func (s *Signature) inverse(a *Term) *Term    { return s.make(Inverse, 0, a) }
func (s *Signature) ddt(a *Term) *Term        { return s.make(Ddt, 0, a) }
func (s *Signature) next(a *Term) *Term       { return s.make(Next, 0, a) }

// null is the zero of a's shape: the number 0 or a zero matrix.
func (s *Signature) null(a *Term) *Term {
	if a.scalar {
		return s.integer(0)
	}
	return s.zero(a.rows, a.cols)
}

// Subterms goes through the term and all terms inside it, each once, what is inside of one before it.
func (t *Term) Subterms() iter.Seq[*Term] {
	return func(yield func(*Term) bool) {
		seen := map[*Term]bool{}
		var visit func(*Term) bool
		visit = func(t *Term) bool {
			if seen[t] {
				return true
			}
			seen[t] = true
			for _, a := range t.args {
				if !visit(a) {
					return false
				}
			}
			return yield(t)
		}
		visit(t)
	}
}

// mentions reports whether a letter for which hit is true occurs in t, operators and their variables included.
func mentions(t *Term, hit func(*Symbol) bool) bool {
	seen := map[*Term]bool{}
	var visit func(*Term) bool
	visit = func(t *Term) bool {
		if seen[t] {
			return false
		}
		seen[t] = true
		t.sig.spend(1)
		if t.sym != nil && hit(t.sym) {
			return true
		}
		for _, a := range t.args {
			if visit(a) {
				return true
			}
		}
		return false
	}
	return visit(t)
}
