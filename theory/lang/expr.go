package lang

import (
	"fmt"
	"math/big"
)

// Pos is a position in a claim file; Line and Col count from 1.
type Pos struct {
	File      string
	Line, Col int
}

// String renders the position as file:line:col.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Error is a mistake in a claim file: where it is and what was expected there.
type Error struct {
	Pos Pos
	Msg string
	// Shape is true when the text parses but has no meaning: shapes that do not multiply, or an undefined
	// symbol. A printed statement with such an error is ill-formed rather than a broken file.
	Shape bool
	// Operator is set, with Shape, where the shapes fit and an operator has no meaning at what it is applied to: E of more
	// than two random columns or of a random divisor, a stop-gradient inside two gradients, the derivative of an input.
	Operator bool
}

// Error renders the mistake as file:line:col: message.
func (e *Error) Error() string { return e.Pos.String() + ": " + e.Msg }

func errAt(p Pos, format string, args ...any) *Error {
	return &Error{Pos: p, Msg: fmt.Sprintf(format, args...)}
}

func shapeErr(p Pos, format string, args ...any) *Error {
	return &Error{Pos: p, Msg: fmt.Sprintf(format, args...), Shape: true}
}

// Kind says what an expression node is.
type Kind int

// The kinds of expression nodes.
const (
	Num   Kind = iota // rational constant Val
	Sym               // symbol or let Name
	Unit              // the identity matrix I, of the shape its place asks for
	Neg               // -Args[0]
	Trans             // Args[0]^T
	Add               // Args[0] + Args[1]
	Sub               // Args[0] - Args[1]
	Mul               // Args[0] * Args[1]
	Div               // Args[0] / Args[1], the divisor a scalar
	Pow               // Args[0] ^ N
	Call              // Name(Args...)
	Hyp               // [Name]: left side minus right side of a named hypothesis, in a `modulo` proof
)

// Expr is a node of an expression tree.
type Expr struct {
	Kind Kind
	Pos  Pos
	Name string
	Val  *big.Rat
	N    int
	Args []*Expr
	// home is where a call of a right-hand side taken over from another system is written, and decides what it means;
	// nil is here. What it mentions was noted there.
	home    *Env
	subject subject
}

// Functions lists the names an expression may call with the number of arguments each takes.
//
// tr trace; vec column-major and rvec row-major stacking; kron Kronecker product; comm [A,B] = AB-BA;
// anti {A,B} = AB+BA; sym and skew the (anti)symmetric parts; ddt the derivative along the flow in use;
// next the value after one step of the map in use; diff(e, x) the partial derivative in the scalar x;
// grad(J, W) the gradient ∂J/∂W in the Frobenius inner product (of symmetric matrices for a symmetric W); E expectation; sg stop-gradient (its
// argument is a constant to grad); inv the inverse of an invertible symbol; at(e, x, v, y, w, …) the value of e
// with the symbols x, y, … replaced by v, w, … all at once; rhs(system, x) the right-hand side of x' in another system.
// grad picks the gradient by the declared structure of W; gradsym and gradskew are the symmetric and antisymmetric
// part of the free one. root(q) is the nonnegative square root; I(n) the n×n identity, zero(r, c) the zero matrix and
// size(n) the number n, of sizes and products of sizes.
var Functions = map[string]int{
	"tr": 1, "vec": 1, "rvec": 1, "kron": 2, "comm": 2, "anti": 2, "sym": 1, "skew": 1,
	"ddt": 1, "next": 1, "diff": 2, "grad": 2, "E": 1, "sg": 1, "inv": 1,
	"at": 3, "rhs": 2, "gradsym": 2, "gradskew": 2, "root": 1, "I": 1, "zero": 2, "size": 1,
}

// NewNum returns the constant v at position p.
func NewNum(p Pos, v *big.Rat) *Expr { return &Expr{Kind: Num, Pos: p, Val: v} }

// NewSym returns a reference to the symbol name at position p.
func NewSym(p Pos, name string) *Expr { return &Expr{Kind: Sym, Pos: p, Name: name} }

// NewBin returns the node l (k) r at l's position.
func NewBin(k Kind, l, r *Expr) *Expr { return &Expr{Kind: k, Pos: l.Pos, Args: []*Expr{l, r}} }

// NewCall returns the node fn(args...) at position p.
func NewCall(p Pos, fn string, args ...*Expr) *Expr {
	return &Expr{Kind: Call, Pos: p, Name: fn, Args: args}
}

// Walk calls f on e and every node below it, parents first; f returning false prunes the branch.
func (e *Expr) Walk(f func(*Expr) bool) {
	if e == nil || !f(e) {
		return
	}
	for _, a := range e.Args {
		a.Walk(f)
	}
}

// Clone returns a deep copy of e.
func (e *Expr) Clone() *Expr {
	if e == nil {
		return nil
	}
	c := *e
	if e.Val != nil {
		c.Val = new(big.Rat).Set(e.Val)
	}
	c.Args = make([]*Expr, len(e.Args))
	for i, a := range e.Args {
		c.Args[i] = a.Clone()
	}
	return &c
}
