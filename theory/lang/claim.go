package lang

import (
	"math/big"
	"slices"
	"sort"
	"strings"
)

// Dim is a symbolic matrix dimension: "1", a size such as "n1", or a product such as "n1*n2".
type Dim string

// Times returns the product of two dimensions in normal form.
func (d Dim) Times(e Dim) Dim {
	if d == "1" {
		return e
	}
	if e == "1" {
		return d
	}
	parts := append(strings.Split(string(d), "*"), strings.Split(string(e), "*")...)
	sort.Strings(parts)
	return Dim(strings.Join(parts, "*"))
}

// Attr is a set of structural properties of a matrix symbol.
type Attr uint

// The structural properties a matrix symbol may have.
const (
	Symmetric  Attr = 1 << iota // A^T = A
	Skew                        // A^T = -A
	PSD                         // symmetric, xᵀAx ≥ 0
	PD                          // symmetric, xᵀAx > 0 for x ≠ 0
	Diagonal                    // diagonal; diagonal symbols of one shape commute
	Invertible                  // has a two-sided inverse inv(A)
	Isometry                    // A^T*A = I
)

var attrNames = map[string]Attr{"symmetric": Symmetric, "skew": Skew, "psd": PSD | Symmetric,
	"pd": PD | PSD | Symmetric, "diagonal": Diagonal | Symmetric, "invertible": Invertible, "isometry": Isometry}

// Domain is a real interval with exact, possibly infinite ends, and optionally without zero.
type Domain struct {
	Lo, Hi         *big.Rat // nil is infinite
	LoOpen, HiOpen bool
	NonZero        bool
}

// Contains reports whether the exact number v lies in the domain.
func (d Domain) Contains(v *big.Rat) bool {
	if d.Lo != nil {
		if c := v.Cmp(d.Lo); c < 0 || c == 0 && d.LoOpen {
			return false
		}
	}
	if d.Hi != nil {
		if c := v.Cmp(d.Hi); c > 0 || c == 0 && d.HiOpen {
			return false
		}
	}
	return !d.NonZero || v.Sign() != 0
}

// Bound is one declared bound of a scalar.
type Bound struct {
	Rel string // >, >=, <, <= or !=
	At  *big.Rat
}

// within narrows the domain by a bound.
func (d *Domain) within(b Bound) {
	open := b.Rel == ">" || b.Rel == "<"
	switch b.Rel {
	case ">", ">=":
		if d.Lo == nil || d.Lo.Cmp(b.At) < 0 {
			d.Lo, d.LoOpen = b.At, open
		} else if d.Lo.Cmp(b.At) == 0 {
			d.LoOpen = d.LoOpen || open
		}
	case "<", "<=":
		if d.Hi == nil || d.Hi.Cmp(b.At) > 0 {
			d.Hi, d.HiOpen = b.At, open
		} else if d.Hi.Cmp(b.At) == 0 {
			d.HiOpen = d.HiOpen || open
		}
	default:
		d.NonZero = true
	}
}

// Narrow replaces the domain of a scalar, and what is declared of its bounds with it.
func (s *Symbol) Narrow(d Domain) {
	rel := func(open bool, strict, weak string) string {
		if open {
			return strict
		}
		return weak
	}
	s.Domain, s.Bounds = d, nil
	if d.Lo != nil {
		s.Bounds = append(s.Bounds, Bound{rel(d.LoOpen, ">", ">="), d.Lo})
	}
	if d.Hi != nil {
		s.Bounds = append(s.Bounds, Bound{rel(d.HiOpen, "<", "<="), d.Hi})
	}
	if d.NonZero {
		s.Bounds = append(s.Bounds, Bound{"!=", new(big.Rat)})
	}
}

// SymKind says what a symbol stands for.
type SymKind int

// The kinds of symbols.
const (
	Scalar SymKind = iota
	Matrix
	Random // random column vector, only inside E(...)
)

// Symbol is a declared scalar, matrix or random vector.
type Symbol struct {
	Name       string
	Kind       SymKind
	Pos        Pos
	Rows, Cols Dim
	Attr       Attr
	Domain     Domain
	// Root, if not nil, makes the scalar the nonnegative root of Root: s ≥ 0 and s² = Root.
	Root *Expr
	// Bounds are the bounds of a scalar as declared; Domain is what they leave together.
	Bounds []Bound
	// Input marks a scalar or matrix that may be any continuous function of time, any sequence over steps.
	Input bool
	// Restriction is the part of Attr that `restrict` adds: it holds at the instant looked at only.
	Restriction Attr
	// Entries bounds every entry of a matrix, ends included; nil if they are not bounded.
	Entries *[2]*big.Rat
	// Centred marks a random vector with conditional mean zero given the data point; the others are
	// functions of the data point alone.
	Centred bool
}

// Equation is one line of a flow (Name' = RHS) or of a map (Name+ = RHS).
type Equation struct {
	Name string
	RHS  *Expr
	Pos  Pos
}

// Moment declares a second moment: E(a*a^T) = RHS for the random vectors of Of.
type Moment struct {
	Of  []string
	RHS *Expr
	Pos Pos
}

// Let is a named expression.
type Let struct {
	Name string
	Expr *Expr
	Pos  Pos
}

// Env is everything a statement can refer to: symbols, named expressions, moments, and the flow and map
// that ddt and next follow.
type Env struct {
	Symbols map[string]*Symbol
	Order   []string // of declaration
	Lets    map[string]*Let
	Moments []*Moment
	Flow    []*Equation
	Map     []*Equation
	Sizes   []Dim
	// Fixed are the sizes that have a value.
	Fixed map[Dim]int
	// FlowOf names the system the flow comes from.
	FlowOf string
	// Restricted lists matrix symbols whose extra structure holds at the time looked at, not for all time.
	Restricted map[string]bool
}

// Equation returns the flow's equation for name, or nil if name is constant along the flow.
func (v *Env) Equation(name string) *Equation {
	for _, e := range v.Flow {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// System is a named block of declarations with at most one flow and one map, shared between claims.
type System struct {
	Name  string
	About string
	Uses  []string
	Pos   Pos
	src   *node
}

// StmtKind is the logical form of a statement.
type StmtKind int

// The forms of statements. Along a flow, hypotheses are assumed at all times of the interval looked at.
const (
	Equality    StmtKind = iota // L == R
	Inequality                  // L Rel R, Rel one of >= > <= <
	Definite                    // L psd, or pd when Strict
	Evolves                     // L(t) = exp(Rate·t)·L(0)
	Decays                      // ‖L(t)‖_F ≤ exp(-Rate·t)·‖L(0)‖_F, or without bars L(t) ≤ exp(-Rate·t)·L(0)
	Vanishes                    // L(t) → 0 as t → ∞, from every initial state
	Stays                       // L positive / nonnegative / zero at 0 stays so
	Congruence                  // L(t) = Φ(t)·L(0)·Φ(t)^T with Φ invertible: rank and signature are kept
	Tends                       // the one-dimensional flow's L(t) → R from every L(0) in (Lo, Hi)
	Stationary                  // the flow's right-hand side is zero at Assign
	Assumption                  // the equations of Assign, assumed along the flow, contradict it
	Sampled                     // a statement in words, decided by the named property alone
	Inequation                  // L != R, scalars
	Regular                     // L invertible
	Diagonality                 // L diagonal
	Always                      // the state statement Of holds at every time of a motion, at every step of an orbit
	Absurd                      // holds nowhere
	Bounded                     // every entry of L lies in [Lo, Hi]
	Counted                     // L has N zeros, or N rising or falling ones (Word), for the scalar R from Lo to Hi
)

// Course says whether a statement over time speaks of motions of the flow or of orbits of the map.
type Course int

// The courses. A statement that does not say which follows the flow if there is one, else the map.
const (
	Unsaid Course = iota
	AlongFlow
	OverSteps
)

// Stmt is a statement.
type Stmt struct {
	Kind   StmtKind
	Pos    Pos
	Text   string // as written
	L, R   *Expr
	Rel    string
	Strict bool
	Norm   bool    // Decays of a Frobenius norm
	Rate   *Expr   // of Evolves and Decays; over steps, the factor
	More   []*Expr // Stays: the quantities besides L that stay so together with it
	Of     *Stmt   // of Always
	Course Course
	Lo, Hi *Expr
	// LoIn and HiIn say whether the ends of the interval of Counted, nil at ∓∞, belong to it.
	LoIn, HiIn bool
	N          int    // of Counted
	Word       string // Stays: positive, nonnegative, zero or psd; Counted: rising, falling or nothing
	Assign     []*Equation
	// Property names the sampled property.
	Property string
}

// Assume is a named hypothesis of a part.
type Assume struct {
	Name string
	Stmt *Stmt
	// Always is set where the hypothesis is said to hold all along: then a statement about states is one about
	// all states of a motion or orbit.
	Always bool
	// Start is set where it is said of time 0 alone; then, too, a statement about states is one about all times.
	Start bool
}

// Step is one step of a proof script.
type Step struct {
	Rule string // the word the step begins with: a rule, fact or suppose
	Name string // of the fact stated, of the hypothesis supposed
	Uses string // the fact or symbol the rule is applied to
	Stmt *Stmt  // stated by fact, assumed by suppose
	By   string // rule that establishes the fact
	// Cites is the part whose theorem the fact is, if no rule establishes it.
	Cites *Citation
	Expr  *Expr   // argument of the rule
	More  []*Expr // further arguments: of apply after its first, of barrier and congruence
	// Apply is the kernel's rule that apply names, From the facts that apply and follows name.
	Apply string
	From  []string
	Steps []*Step // below suppose
	Pos   Pos
	Text  string
}

// by is the word of the rule that the step uses.
func (s *Step) by() string {
	if s.Rule == "fact" {
		return s.By
	}
	return s.Rule
}

// exprs returns the addresses of the arguments.
func (s *Step) exprs() []**Expr {
	var out []**Expr
	if s.Expr != nil {
		out = append(out, &s.Expr)
	}
	for i := range s.More {
		out = append(out, &s.More[i])
	}
	return out
}

// Twin is a mutation of a part that makes it false: a textual replacement, or a dropped hypothesis.
type Twin struct {
	Old, New string
	Drop     string
	Why      string
	Pos      Pos
}

// String renders the mutation.
func (t *Twin) String() string {
	if t.Drop != "" {
		return "drop hypothesis " + t.Drop
	}
	return t.Old + " → " + t.New
}

// Part is one statement of a claim with its hypotheses, proof and twins.
type Part struct {
	Name        string
	Corrected   bool // belongs to the corrected reading
	Stmt        *Stmt
	Assumes     []*Assume
	Draws       []*Equation // how a sampler may satisfy equality hypotheses
	Consequence *Stmt       // of an Assumption
	Proof       []*Step
	Twins       []*Twin
	Why         string
	// Region is set where bounds are given for the statement: it is to hold at every point between them.
	Region bool
	Env    *Env
	Pos    Pos
	// Fault is the shape error that makes a printed statement ill-formed, or nil.
	Fault *Error
	src   *node

	restricted Pos // of the first restrict
}

// Claim is one entry of the ledger.
type Claim struct {
	ID, Title, Printed, Quote, Note string
	Parts                           []*Part
	Pos                             Pos
	src                             *node
}

// Reading returns the parts of the printed reading, or of the corrected one.
func (c *Claim) Reading(corrected bool) []*Part {
	var ps []*Part
	for _, p := range c.Parts {
		if p.Corrected == corrected {
			ps = append(ps, p)
		}
	}
	return ps
}

// File is a parsed set of systems and claims.
type File struct {
	Systems map[string]*System
	Order   []string // system names as declared
	Claims  []*Claim

	library  *File            // whose claims proofs may use besides
	inlining map[string]bool  // systems whose right-hand sides are being taken over
	built    map[string]*Env  // those systems, read
	inlined  int              // nodes taken over so far
	replaced map[string]*node // systems as a twin has them
}

// Claim returns the claim with the given id, or nil.
func (f *File) Claim(id string) *Claim {
	for _, c := range f.Claims {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// PartsAndTwins lists every part, printed and corrected, as CLAIM/PART, and those twins that can be read as parts of their
// own, as CLAIM/PART with TWIN.
func (f *File) PartsAndTwins() map[string]*Part {
	out := map[string]*Part{}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			out[c.ID+"/"+p.Name] = p
			for _, t := range p.Twins {
				if m, err := f.Mutate(c, p, t); err == nil {
					out[c.ID+"/"+p.Name+" with "+t.String()] = m
				}
			}
		}
	}
	return out
}

// Moves reports whether any quantity in the statement changes along the flow.
func (v *Env) Moves(s *Stmt) bool {
	for _, e := range s.exprs() {
		if v.moves(*e) {
			return true
		}
	}
	return false
}

// Scalars lists the scalars that an expression depends on, through definitions and roots, in order of appearance.
func (v *Env) Scalars(e *Expr) (out []string) {
	seen := map[string]bool{} // definitions share what is in them
	var visit func(*Expr)
	visit = func(e *Expr) {
		e.Walk(func(n *Expr) bool {
			if n.Kind != Sym || seen[n.Name] {
				return true
			}
			seen[n.Name] = true
			s := v.Symbols[n.Name]
			switch l := v.Lets[n.Name]; {
			case l != nil:
				visit(l.Expr)
			case s != nil && s.Root != nil:
				visit(s.Root)
			case s != nil && s.Kind == Scalar:
				out = append(out, n.Name)
			}
			return true
		})
	}
	visit(e)
	return out
}

func (v *Env) moves(e *Expr) bool {
	hit := false
	seen := map[string]bool{}
	var visit func(*Expr)
	visit = func(e *Expr) {
		e.Walk(func(n *Expr) bool {
			if n.Kind != Sym || seen[n.Name] {
				return !hit
			}
			seen[n.Name] = true
			if l := v.Lets[n.Name]; l != nil {
				visit(l.Expr)
				return !hit
			}
			if v.Equation(n.Name) != nil {
				hit = true
			} else if s := v.Symbols[n.Name]; s != nil && s.Root != nil {
				visit(s.Root)
			}
			return !hit
		})
	}
	visit(e)
	return hit
}

// Extent is how many operations and operands it takes to write what a part is about, each definition and equation once: what
// evaluating it takes goes with that.
func (p *Part) Extent() int {
	var es []*Expr
	stmts := []*Stmt{p.Stmt, p.Consequence}
	for _, a := range p.Assumes {
		stmts = append(stmts, a.Stmt)
	}
	for _, s := range stmts {
		if s != nil {
			for _, e := range s.exprs() {
				es = append(es, *e)
			}
		}
	}
	for _, q := range slices.Concat(p.Env.Flow, p.Env.Map) {
		es = append(es, q.RHS)
	}
	return p.Env.Extent(es...)
}

// Extent is how many operations and operands it takes to write expressions, each definition once.
func (env *Env) Extent(es ...*Expr) (n int) {
	seen := map[string]bool{}
	var visit func(e *Expr)
	visit = func(e *Expr) {
		e.Walk(func(x *Expr) bool {
			n++
			if d := env.definition(x.Name); x.Kind == Sym && d != nil && !seen[x.Name] {
				seen[x.Name] = true
				visit(d)
			}
			return true
		})
	}
	for _, e := range es {
		visit(e)
	}
	return n
}
