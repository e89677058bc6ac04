package kernel

// Time says what a sequent quantifies over.
type Time uint8

// The kinds of sequents.
const (
	AtState Time = iota // all states
	Motion              // all motions of the flow
	Orbit               // all orbits of the map
	times
)

var timeNames = [times]string{"state", "motion", "orbit"}

// String is the name of the kind in certificates and printed sequents.
func (t Time) String() string {
	if t < times {
		return timeNames[t]
	}
	return "?"
}

// TimeNamed returns the kind called name.
func TimeNamed(name string) (Time, bool) {
	for t, n := range timeNames {
		if n == name {
			return Time(t), true
		}
	}
	return 0, false
}

// Mark says when a hypothesis is assumed.
type Mark uint8

// The marks of hypotheses.
const (
	Here     Mark = iota // at the state looked at; the only mark of state sequents
	Constant             // its terms do not move, so that it holds at one time if at any
	Kept                 // at every time of the motion or orbit (“assumed all along”)
	Start                // at time 0
	marks
)

var markNames = [marks]string{"here", "const", "always", "start"}

// String is the name of the mark in certificates and printed sequents.
func (m Mark) String() string {
	if m < marks {
		return markNames[m]
	}
	return "?"
}

// MarkNamed returns the mark called name.
func MarkNamed(name string) (Mark, bool) {
	for m, n := range markNames {
		if n == name {
			return Mark(m), true
		}
	}
	return 0, false
}

// Dynamics is what moves and how: second moments of the random columns, the equations of the flow and of the
// map. It is frozen by the first context made with it.
type Dynamics struct {
	sig     *Signature
	moments map[[2]*Symbol]*Term // E[a·bᵀ] under (a, b); stored once, in the order declared
	order   [][2]*Symbol
	flow    []equation
	step    []equation
	frozen  bool
	memo    unfoldings // what unfolding has found; it depends on the dynamics alone
	self    *Dynamics  // the dynamics themselves
	grown   int        // how often they have grown
	growth  *int       // the same, shared with every copy
}

type equation struct{ letter, rhs *Term }

// NewDynamics returns dynamics without moments and equations.
func NewDynamics(s *Signature) *Dynamics {
	d := &Dynamics{sig: s, moments: map[[2]*Symbol]*Term{}, memo: newUnfoldings()}
	d.self, d.growth = d, new(int)
	return d
}

// whole requires dynamics as NewDynamics made them and as they have grown since, of a signature that is whole.
func (d *Dynamics) whole() {
	if d == nil || d.self != d || d.grown != *d.growth {
		refuse("these dynamics are a copy, or were overwritten")
	}
	d.sig.whole()
}

// Signature is the vocabulary of the dynamics.
func (d *Dynamics) Signature() *Signature { return d.sig }

func (d *Dynamics) open() {
	d.whole()
	if d.frozen {
		refuse("these dynamics belong to a context and are frozen")
	}
}

// AddMoment declares E[a·bᵀ] = m for random columns a and b; for two different columns, the other order is its
// transpose.
func (d *Dynamics) AddMoment(a, b, m *Term) (err error) {
	defer caught(&err)
	d.open()
	for _, x := range []*Term{a, b, m} {
		if !d.sig.owns(x) {
			refuse("a moment of another signature")
		}
	}
	random := func(x *Term) bool { return x.head == Letter && (x.sym.class == Random || x.sym.class == Centred) }
	if !random(a) || !random(b) {
		refuse("a moment is of two declared random columns")
	}
	if m.scalar || m.rows != a.rows || m.cols != b.rows {
		refuse("the moment of %s and %s is not %s", a.sym.name, b.sym.name, m.shapeText())
	}
	// Soundness: centred columns are independent given the data point, so the moment of two different columns of
	// which one is centred is zero and nothing else may be declared.
	if a != b && (a.sym.class == Centred || b.sym.class == Centred) {
		refuse("%s and %s have no joint moment: one of them is centred given the other", a.sym.name, b.sym.name)
	}
	if d.moments[[2]*Symbol{a.sym, b.sym}] != nil || d.moments[[2]*Symbol{b.sym, a.sym}] != nil {
		refuse("the moment of %s and %s is declared twice", a.sym.name, b.sym.name)
	}
	if mentions(m, func(y *Symbol) bool { return y.class == Random || y.class == Centred || y.class == Hole }) {
		refuse("the moment of %s and %s is itself random", a.sym.name, b.sym.name)
	}
	d.grow()
	d.moments[[2]*Symbol{a.sym, b.sym}] = m
	d.order = append(d.order, [2]*Symbol{a.sym, b.sym})
	return nil
}

// AddFlow declares x' = rhs.
func (d *Dynamics) AddFlow(x, rhs *Term) (err error) {
	defer caught(&err)
	d.flow = d.addEquation(d.flow, x, rhs)
	return nil
}

// AddMap declares that x becomes rhs in one step.
func (d *Dynamics) AddMap(x, rhs *Term) (err error) {
	defer caught(&err)
	d.step = d.addEquation(d.step, x, rhs)
	return nil
}

func (d *Dynamics) addEquation(list []equation, x, rhs *Term) []equation {
	d.open()
	if !d.sig.owns(x) || !d.sig.owns(rhs) {
		refuse("an equation of another signature")
	}
	if x.head != Letter || x.sym.class != State {
		refuse("an equation of motion is of a declared state variable")
	}
	if x.scalar != rhs.scalar || x.rows != rhs.rows || x.cols != rhs.cols {
		refuse("%s is %s, its equation %s", x.sym.name, x.shapeText(), rhs.shapeText())
	}
	if mentions(rhs, func(y *Symbol) bool { return y.class == Hole }) {
		refuse("the equation of %s mentions a hole", x.sym.name)
	}
	for _, e := range list {
		if e.letter == x {
			refuse("%s has two equations", x.sym.name)
		}
	}
	d.grow()
	return append(list, equation{x, rhs})
}

// grow notes that the dynamics grow.
func (d *Dynamics) grow() {
	d.grown++
	*d.growth = d.grown
}

func find(list []equation, x *Term) *Term {
	for _, e := range list {
		if e.letter == x {
			return e.rhs
		}
	}
	return nil
}

// FlowOf returns the right-hand side of x', or nil.
func (d *Dynamics) FlowOf(x *Term) *Term { return find(d.flow, x) }

// MapOf returns what x becomes in one step, or nil.
func (d *Dynamics) MapOf(x *Term) *Term { return find(d.step, x) }

// FlowLetters lists the state variables that have an equation in the flow, in the order declared.
func (d *Dynamics) FlowLetters() []*Term { return lettersOf(d.flow) }

// MapLetters lists the state variables that have an equation in the map, in the order declared.
func (d *Dynamics) MapLetters() []*Term { return lettersOf(d.step) }

func lettersOf(list []equation) []*Term {
	out := make([]*Term, len(list))
	for i, e := range list {
		out[i] = e.letter
	}
	return out
}

// Moments is the number of declared moments.
func (d *Dynamics) Moments() int { return len(d.order) }

// Moment returns the i-th declared moment E[a·bᵀ] = m.
func (d *Dynamics) Moment(i int) (a, b, m *Term) {
	k := d.order[i]
	return d.sig.letters[k[0]], d.sig.letters[k[1]], d.moments[k]
}

// Hypothesis is a marked formula of a context.
type Hypothesis struct {
	mark    Mark
	formula Formula
}

// NewHypothesis returns φ with its mark. Hypotheses are state formulas that count no zeros.
func NewHypothesis(m Mark, f Formula) (h Hypothesis, err error) {
	defer caught(&err)
	if !f.assumable() || m >= marks {
		refuse("a hypothesis is a marked state formula that counts nothing")
	}
	return Hypothesis{m, f}, nil
}

// Mark says when the hypothesis is assumed.
func (h Hypothesis) Mark() Mark { return h.mark }

// Formula is what is assumed.
func (h Hypothesis) Formula() Formula { return h.formula }

// Context is Γ: dynamics, a kind of time and marked hypotheses, frozen when made. What its theorems have
// established about divisors, radicands and inverses is collected in it, so that later terms may use them.
type Context struct {
	dyn   *Dynamics
	time  Time
	hyps  []Hypothesis
	shape map[*Symbol]structure
	facts facts
	norm  *normaliser // with the structure of the hypotheses
	self  *Context    // the context itself
}

// structure is what the hypotheses of a context say of a letter that the normal form uses.
type structure struct{ symmetric, skew, diagonal, isometry bool }

// NewContext makes a context. State contexts take hypotheses marked Here only, the others every mark but Here;
// a hypothesis marked Constant must not move.
func NewContext(d *Dynamics, time Time, hyps ...Hypothesis) (made *Context, err error) {
	defer caught(&err)
	d.whole()
	if time >= times {
		refuse("a context needs a kind of time")
	}
	if time == Motion && len(d.flow) == 0 || time == Orbit && len(d.step) == 0 {
		refuse("there is no %s without its equations", time)
	}
	d.sig.spend(contextWork + len(hyps))
	// Soundness: what is refused below is handed to nobody.
	c := &Context{dyn: d, time: time, hyps: append([]Hypothesis(nil), hyps...), shape: map[*Symbol]structure{}}
	c.self, c.facts = c, newFacts()
	// The dynamics are frozen before anything is unfolded in them.
	if !d.frozen {
		d.grow()
		d.frozen = true
	}
	for _, h := range hyps {
		f := h.formula
		if !f.assumable() || h.mark >= marks {
			refuse("a hypothesis is a marked state formula that counts nothing")
		}
		if s := f.signature(); s != nil && s != d.sig {
			refuse("a hypothesis of another signature")
		}
		if time != AtState && f.mentionsHole() {
			refuse("a hypothesis mentions a hole")
		}
		if (h.mark == Here) != (time == AtState) {
			refuse("a %s sequent has no hypothesis marked %s", time, h.mark)
		}
		c.learnStructure(f)
	}
	c.norm = newNormaliser(d.sig, c.shape)
	for _, h := range hyps {
		if h.mark != Constant {
			continue
		}
		for _, t := range h.formula.terms {
			c.refill()
			if d.moves(t) {
				refuse("a hypothesis marked const moves")
			}
		}
	}
	return c, nil
}

// learnStructure records what a hypothesis says of a letter's shape. Structure is used by the normal form of
// this context alone, and only in state sequents, whose hypotheses all hold where the normal form is read.
func (c *Context) learnStructure(f Formula) {
	if c.time != AtState {
		return
	}
	set := func(t *Term, put func(*structure)) {
		if t.head == Letter && !t.scalar {
			s := c.shape[t.sym]
			put(&s)
			c.shape[t.sym] = s
		}
	}
	switch f.form {
	case Semidefinite, Definite:
		set(f.terms[0], func(s *structure) { s.symmetric = true })
	case Diagonal:
		set(f.terms[0], func(s *structure) { s.diagonal, s.symmetric = true, true })
	case Equal:
		l, r := f.terms[0], f.terms[1]
		switch {
		case l.head == Transpose && l.args[0].head == Letter:
			if r == l.args[0] {
				set(r, func(s *structure) { s.symmetric = true })
			} else if r.head == Product && r.args[0] == c.dyn.sig.integer(-1) && r.args[1] == l.args[0] {
				set(l.args[0], func(s *structure) { s.skew = true })
			}
		case l.head == Product && l.args[0].head == Transpose && l.args[0].args[0] == l.args[1] && r.head == Identity:
			set(l.args[1], func(s *structure) { s.isometry = true })
		}
	}
}

// whole requires a context as NewContext made it, of dynamics that are whole.
//
// Soundness: *c = *d would change Γ after the proof.
func (c *Context) whole() {
	if c == nil || c.self != c {
		refuse("this context is a copy, or was overwritten")
	}
	c.dyn.whole()
}

// Whole says whether the context, and all that it is made of, is as it was made. Those who read contexts ask first.
func (c *Context) Whole() (err error) {
	defer caught(&err)
	c.whole()
	return nil
}

// Dynamics is what moves in the context and how.
func (c *Context) Dynamics() *Dynamics { return c.dyn }

// Signature is the vocabulary of the context.
func (c *Context) Signature() *Signature { return c.dyn.sig }

// Time says what sequents of the context quantify over.
func (c *Context) Time() Time { return c.time }

// Hypotheses is a copy of the list of hypotheses.
func (c *Context) Hypotheses() []Hypothesis { return append([]Hypothesis(nil), c.hyps...) }
