package model_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"stopgrad/theory/kernel"
	"stopgrad/theory/model"
)

type trial struct {
	about, context, goal, state string
	want                        string // “refuted”, or part of the reason why not
}

func try(t *testing.T, time kernel.Time, trials []trial) {
	t.Helper()
	for _, c := range trials {
		l := newLab(time, c.context)
		goal := formula(l.sig, c.goal)
		st := l.at(c.state)
		x, err := model.Refute(l.ctx, goal, st)
		switch {
		case c.want != "refuted":
			if err == nil || !strings.Contains(err.Error(), c.want) || x.Valid() {
				t.Errorf("%s: %q %v, want %s", c.about, x.Reason(), err, c.want)
			}
		case err != nil:
			t.Errorf("%s: %v", c.about, err)
		case !x.Valid() || x.Context() != l.ctx || !x.Formula().Same(goal) || x.State() == st || x.State().String() != st.String() || x.Reason() == "":
			t.Errorf("%s: the counterexample does not say what it refutes", c.about)
		}
	}
}

const (
	unmet   = "does not hold"
	holds   = "the goal holds"
	nofail  = "the goal does not fail"
	may     = "may not hold along the motion"
	novalue = "no value"
)

func TestRefuteStates(t *testing.T) {
	try(t, kernel.AtState, []trial{
		{"x² > 0 at 0", "state x", "gt x^2; 0", "x=0", "refuted"},
		{"x² > 0 at 1", "state x", "gt x^2; 0", "x=1", holds},
		{"x² ≥ 0 at 0", "state x", "ge x^2; 0", "x=0", holds},
		{"a hypothesis fails", "state x\nhere gt x; 0", "gt x^2; 0", "x=0", unmet},
		{"a hypothesis has no value", "state x\nhere eq 1/x; 1/x", "gt x^2; 0", "x=0", "has no value"},
		{"the goal has no value", "state x", "eq x/x; 2", "x=0", novalue},
		{"the goal has a value and fails", "state x", "eq x/x; 2", "x=1", "refuted"},
		{"≠", "state x", "ne x; 1", "x=1", "refuted"},
		{"⊥: Γ can hold", "state x\nhere gt x; 0", "absurd", "x=1", "refuted"},
		{"matrices equal", "size n\nstate W n n", "eq W*W^T; W^T*W", "n=2 W=1,1;0,1", "refuted"},
		{"matrices equal for n = 1", "size n\nstate W n n", "eq W*W^T; W^T*W", "n=1 W=3", holds},
		{"psd", "size n\nstate P n n", "psd P", "n=2 P=1,2;2,1", "refuted"},
		{"psd of a matrix that is not symmetric", "size n\nstate P n n", "psd P", "n=2 P=1,1;0,1", "refuted"},
		{"psd, singular", "size n\nstate P n n", "psd P", "n=2 P=1,2;2,4", holds},
		{"psd with a zero pivot", "size n\nstate P n n", "psd P", "n=2 P=0,1;1,5", "refuted"},
		{"psd with a leading zero", "size n\nstate P n n", "psd P", "n=2 P=0,0;0,5", holds},
		{"pd, singular", "size n\nstate P n n", "pd P", "n=2 P=1,2;2,4", "refuted"},
		{"pd", "size n\nstate P n n", "pd P", "n=2 P=2,2;2,4", holds},
		{"invertible", "size n\nstate P n n", "invertible P", "n=2 P=1,2;2,4", "refuted"},
		{"invertible after exchanging rows", "size n\nstate P n n", "invertible P", "n=2 P=0,1;1,0", holds},
		{"diagonal", "size n\nstate P n n", "diagonal P", "n=2 P=1,0;1,1", "refuted"},
		{"diagonal, is", "size n\nstate P n n", "diagonal P", "n=2 P=1,0;0,0", holds},
		{"irrational numbers compare exactly", "state x", "gt root(2); x", "x=141421356237/100000000000", holds},
		{"irrational numbers compare exactly, above", "state x", "gt root(2); x", "x=141421356238/100000000000", "refuted"},
		{"moments that no random column has", "size n\nstate x\nrandom v n\nE v v = x*I(n)", "ge E(tr(v*v^T)); 0", "n=1 x=-1",
			"no random columns"},
		{"moments that no random column has, without an expectation", "size n\nparam M n n\nrandom v n\nE v v = M", "eq M^T; M", "n=2 M=0,1;0,0",
			"no random columns"},
		{"moments that random columns have", "size n\nstate x\nrandom v n\nE v v = x*I(n)", "gt E(tr(v*v^T)); 0", "n=1 x=0", "refuted"},
		{"joint moments that no random columns have", "size n\nparam x\nrandom v n\nrandom w n\nE v v = I(n)\nE w w = I(n)\nE v w = x*I(n)",
			"ge E(tr((v - w)*(v - w)^T)); 0", "n=1 x=2", "no random columns"},
		{"temporal goals are not of states", "state x", "vanishes x", "x=0", "states nothing of this form"},
	})
}

func TestRefuteMotions(t *testing.T) {
	const grow, shrink = "state x\nx' = x", "state x\nx' = -x"
	try(t, kernel.Motion, []trial{
		{"always", grow, "always gt x; 0", "x=-1", "refuted"},
		{"always, holds here", grow, "always gt x; 0", "x=1", nofail},
		{"always ⊥: there is a motion", grow, "always absurd", "x=1", "refuted"},
		{"a hypothesis that stays by being constant", "state x\nparam p\nx' = x\nconst ge p; 0", "always gt x; 0", "x=-1 p=0", "refuted"},
		{"a hypothesis that is open", "state x\nx' = x\nalways gt 0; x", "always gt x; -1", "x=-1", "refuted"},
		{"a hypothesis that holds with equality", "state x\nx' = x\nalways ge 0; x", "always gt x; 0", "x=0", "refuted"}, // at rest
		{"a hypothesis that holds with equality and moves", "state x\nx' = 1\nalways ge 0; x", "always gt x; 0", "x=0", may},
		{"an equation", "state x\nstate y\nx' = 1\ny' = 1\nalways eq x; y", "always gt x; 1", "x=1 y=1", may},
		{"a hypothesis for the start may end", "state x\nx' = 1\nstart ge 0; x", "always gt x; 0", "x=0", "refuted"},
		{"psd of a letter need not stay symmetric", "size n\nstate P n n\nparam A n n\nP' = A\nalways pd P", "always psd P - 5*I(n)",
			"n=2 P=1,0;0,1 A=0,1;0,0", may},
		{"pd of a symmetric expression is open", "size n\nstate P n n\nparam A n n\nP' = A\nalways pd P^T*P", "always psd P - 5*I(n)",
			"n=2 P=1,0;0,1 A=0,1;0,0", "refuted"},
		{"pd of a congruent expression is open", "size n\nstate P n n\nparam A n n\nP' = A\nalways pd P^T*(P*P^T + I(n))*P", "always psd P - 5*I(n)",
			"n=2 P=1,0;0,1 A=0,1;0,0", "refuted"},
		{"pd of a product need not stay symmetric", "size n\nstate P n n\nparam A n n\nP' = A\nalways pd P*P", "always psd P - 5*I(n)",
			"n=2 P=1,0;0,1 A=0,1;0,0", may},
		{"pd of a letter that stays symmetric is open", "size n\nstate x\nparam S n n\nx' = -1\nalways pd S + x*I(n)", "always gt 0; x",
			"n=2 x=1 S=1,1/2;1/2,1", "refuted"},
		{"a radicand at its end", "state x\nx' = 1 - 2*root(x)", "always gt x; 0", "x=0", "not continuous"},
		{"a constant radicand at its end", "state x\nparam p\nx' = 1 - 2*root(p)", "always gt x; 0", "x=0 p=0", "refuted"},
		{"a hypothesis with a radicand at its end", "state x\nx' = -1\nalways gt 1 + root(x); 0", "always gt x; 0", "x=0", may},
		{"a radicand that moves by what at puts in", "state x\nparam p\nx' = -1\nalways gt 1 + at(root(p), p, x); 0", "always gt x; 0", "x=0 p=1", may},
		{"a radicand that at makes constant", "state x\nparam p\nx' = -1\nalways gt 1 + at(root(x), x, p); 0", "always gt x; 0", "x=0 p=0", "refuted"},
		{"a hypothesis about an input, which stays", "state x\ninput u\nx' = u\nalways eq u; 1", "always gt x; 0", "x=0 u=1", "refuted"},
		{"a rate that is an input", "state x\ninput u\nx' = x", "evolves x; u", "x=1 u=2", "no derivative"},
		{"a hypothesis about a moment that moves", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = -x\nalways ge tr(E(v*v^T)); 1", "always gt x; 1", "n=1 x=1", may},
		{"no flow here", "state x\nx' = 1/x", "always gt x; 0", "x=0", novalue},

		{"evolves at another rate", shrink, "evolves x; 1", "x=1", "refuted"},
		{"evolves at its rate", shrink, "evolves x; -1", "x=1", nofail},
		{"evolves, a matrix", "size n\nstate W n n\nparam S n n\nW' = -W*S", "evolves W; -1", "n=2 W=1,0;0,1 S=1,1;0,1", "refuted"},
		{"evolves, a matrix at its rate", "size n\nstate W n n\nparam S n n\nW' = -W*S", "evolves W; -1", "n=2 W=1,0;0,1 S=1,0;0,1", nofail},
		{"a rate that moves", shrink, "evolves x; x", "x=1", "refuted"},
		{"a rate that moves, of zero", "state x\nstate y\nx' = 1\ny' = y", "decays y; x", "x=1 y=0", "refuted"},
		{"a rate that moves, of a norm", "state x\nstate y\nx' = 1\ny' = y", "normdecays y; x", "x=1 y=0", "refuted"},
		{"a rate that moves, but not here", "state x\nstate y\nx' = 1\ny' = y*x^2", "evolves y; x^2", "x=0 y=1", "but not here"},
		{"a rate that moves through a moment", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = x", "evolves x; tr(E(v*v^T))", "n=1 x=1", "refuted"},
		{"a norm that decays too slowly", shrink, "normdecays x; 2", "x=-1", "refuted"},
		{"a norm that decays", shrink, "normdecays x; 1", "x=-1", nofail},
		{"a norm that leaves zero", "state x\nx' = 1", "normdecays x; 1", "x=0", "refuted"},
		{"a value that decays too slowly", shrink, "decays x^2; 3", "x=1", "refuted"},
		{"a value that decays", shrink, "decays x^2; 2", "x=1", nofail},
		{"without bars a negative value decays if it grows in size", grow, "decays x; 0", "x=-1", nofail},

		{"zero is left", "state x\nx' = 1", "stayzero x", "x=0", "refuted"},
		{"zero is kept", shrink, "stayzero x", "x=0", nofail},
		{"not zero here", "state x\nx' = 1", "stayzero x", "x=1", "is not zero"},
		{"one of two is not zero", "state x\nstate y\nx' = y\ny' = 0", "stayzero x; y", "x=0 y=1", "is not zero"},
		{"zero is left though the other is zero", "state x\nstate y\nx' = y\ny' = 1", "stayzero x; y", "x=0 y=0", "refuted"},
		{"falls below zero", "state x\nx' = -1", "staynonnegative x", "x=0", "refuted"},
		{"rises from zero", "state x\nx' = 1", "staynonnegative x", "x=0", nofail},
		{"negative here", "state x\nx' = -1", "staynonnegative x", "x=-1", "is negative"},
		{"one of two falls", "state x\nstate y\nx' = -y\ny' = 0", "staynonnegative x; y", "x=0 y=1", "refuted"},
		{"the other is negative", "state x\nstate y\nx' = y\ny' = 0", "staynonnegative x; y", "x=0 y=-1", "is negative"},
		{"positive before, zero now", "state x\nx' = -1", "staypositive x", "x=0", "refuted"},
		{"positive before needs the start to hold before", "state x\nx' = -1\nstart ge 0; x", "staypositive x", "x=0", may},
		{"what holds at the start ends where zero is reached", "state x\nx' = -1\nstart gt x; 0", "staypositive x", "x=0", "refuted"},
		{"a start with equality here, and more before", "state x\nx' = -1\nstart ge x; 0", "staypositive x", "x=0", "refuted"},
		{"a start that is not equal before", "state x\nx' = -1\nstart ne x; 0", "staypositive x", "x=0", "refuted"},
		{"a start that begins here", "state x\nstate y\nx' = -1\ny' = 1\nstart gt y; 0", "staypositive x", "x=0 y=0", "does not hold"},
		{"a start that only touches here", "state x\nx' = -1\nstart gt x^2; 0", "staypositive x", "x=0", "does not hold"},
		{"a start long over", "state x\nstate y\nx' = -1\ny' = -1\nstart gt y; 0", "staypositive x", "x=0 y=-1", "does not hold"},
		{"what is assumed all along has to hold here", "state x\nx' = -1\nalways gt x; 0", "staypositive x", "x=0", "does not hold"},
		{"a start without a derivative here", "state x\nx' = -1\nstart gt root(x); 0", "staypositive x", "x=0", "does not hold"},
		{"a start of another form", "state x\nx' = -1\nstart gt x; 0", "stayzero x", "x=0", "does not hold"},
		{"nonnegative from before, where the start has ended", "state x\nx' = -1\nstart gt x; 0", "staynonnegative x", "x=0", "refuted"},
		{"nonnegative from a start that is not equal", "state x\nx' = -1\nstart ne x; 0", "staynonnegative x", "x=0", "refuted"},
		{"nonnegative from a start that begins here", "state x\nstate y\nx' = -1\ny' = 1\nstart gt y; 0", "staynonnegative x", "x=0 y=0", "does not hold"},
		{"nonnegative all along", "state x\nx' = -1\nalways gt x; 0", "staynonnegative x", "x=0", "does not hold"},
		{"nonnegative with what holds all along by equality", "state x\nstate y\nx' = -1\ny' = 0\nstart gt x; 0\nalways ge y; 0", "staynonnegative x", "x=0 y=0", may},
		{"nonnegative twice, one is zero and rests", "state x\nstate y\nx' = -1\ny' = y\nstart gt x; 0", "staynonnegative x; y", "x=0 y=0", "need not have been positive"},
		{"nonnegative twice, one is zero and rests, from here", "state x\nstate y\nx' = -1\ny' = y", "staynonnegative x; y", "x=0 y=0", "refuted"},
		{"nonnegative and rising", "state x\nx' = 1\nstart gt x; 0", "staynonnegative x", "x=0", "does not hold"},
		{"a start with equality here, which rests", "state x\nstate y\nx' = -1\ny' = 0\nstart ne y; 0", "staypositive x", "x=0 y=0", "does not hold"},
		{"a start that is open holds before", "state x\nx' = -1\nstart gt 1; x", "staypositive x", "x=0", "refuted"},
		{"positive twice, one is zero and rests", "state x\nstate y\nx' = -1\ny' = y", "staypositive x; y", "x=0 y=0", "need not have been positive"},
		{"positive twice", "state x\nstate y\nx' = -1\ny' = y", "staypositive x; y", "x=0 y=1", "refuted"},
		{"positive twice, the other without a value before", "state x\nstate y\nx' = -1\ny' = 1", "staypositive x; 1 + root(y)", "x=0 y=0",
			"not continuous"},
		{"psd is left", "size n\nstate P n n\nP' = -I(n)", "staypsd P", "n=2 P=1,0;0,0", "refuted"},
		{"psd is kept for a while", "size n\nstate P n n\nP' = -I(n)", "staypsd P", "n=2 P=1,0;0,1", nofail},
		{"symmetry is left", "size n\nstate P n n\nparam A n n\nP' = A", "staypsd P", "n=2 P=1,0;0,1 A=0,1;0,0", "refuted"},
		{"not symmetric here", "size n\nstate P n n\nP' = P", "staypsd P", "n=2 P=1,1/2;0,1", "not positive semidefinite"},
		{"not psd here", "size n\nstate P n n\nP' = -I(n)", "staypsd P", "n=2 P=1,0;0,-1", "not positive semidefinite"},
		{"congruence of what is not symmetric here", "size n\nstate P n n\nP' = P", "congruence P", "n=2 P=1,1;0,1", "not symmetric here"},
		{"the rank rises", "size n\nstate P n n\nP' = I(n)", "congruence P", "n=2 P=1,0;0,0", "refuted"},
		{"the rank stays", "size n\nstate P n n\nP' = P", "congruence P", "n=2 P=1,0;0,0", nofail},

		{"does not vanish at rest", "state x\nx' = x - 1", "vanishes x", "x=1", "refuted"},
		{"vanishes, not at rest", "state x\nx' = x - 1", "vanishes x", "x=2", nofail},
		{"at rest, hypotheses with equality hold for ever", "state x\nx' = x - 1\nalways eq x; 1", "vanishes x", "x=1", "refuted"},
		{"another variable moves", "state x\nstate y\nx' = x - 1\ny' = -y", "vanishes x", "x=1 y=1", nofail},
		{"at rest with an input that stays", "state x\ninput u\nx' = u", "vanishes x", "x=1 u=0", "refuted"},
		{"an input that moves it", "state x\ninput u\nx' = u", "vanishes x", "x=1 u=1", nofail},
		{"tends, at rest elsewhere", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 2; 0; 3", "x=1", "refuted"},
		{"tends, at rest outside", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 2; 0; 3", "x=0", nofail},
		{"tends, at rest at the limit", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 1; 0; 3", "x=1", nofail},
		{"tends, and goes away to a point of rest", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 2; 0; 3", "x=3/2", "refuted"},
		{"tends, and goes the right way", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 1; 0; 3", "x=3/2", nofail},
		{"tends, and goes away outside", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; 2; 7/4; 3", "x=3/2", nofail},
		{"tends, and ends in finite time on both sides", "state x\nx' = (x - 1)*(x^2 + 1)", "tends x; 1; -3; 2", "x=0", "may end in finite time"},
		{"tends, and ends in finite time", "state x\nx' = -x^2 - 1", "tends x; 1; -3; 2", "x=0", "may end in finite time"},
		{"tends, and goes away for ever", "state x\nx' = x", "tends x; 0; -1; 1", "x=1/2", "refuted"},
		{"tends, and goes away in finite time", "state x\nx' = x^2", "tends x; 0; -1; 1", "x=1/2", "may end in finite time"},
		{"tends, through a pole", "state x\nx' = x*(1 - x)/(x - 3)", "tends x; 1/2; 0; 2", "x=3/4", "not the motion of one variable"},
		{"tends, two variables", "state x\nstate y\nx' = x*(1 - x)*(2 - x)\ny' = y^2", "tends x; 2; 0; 3", "x=3/2 y=1", "not the motion of one variable"},
		{"tends, and goes away beyond the end", "state x\nx' = x", "tends x; 0; -1; 1", "x=2", nofail},
		{"tends, to a limit that moves", "state x\nx' = x*(1 - x)*(2 - x)", "tends x; x/2; 0; 3", "x=3/2", "moves and is no rate"},
		{"tends, to an input", "state x\ninput u\nx' = x*(1 - x)*(2 - x)", "tends x; u; 0; 3", "x=3/2 u=1", "moves and is no rate"},
		{"tends, a variable without an equation", "state x\nstate y\nx' = 1", "tends y; 0; -1; 1", "x=0 y=1/2", "not the motion of one variable"},
		{"tends, moments of random columns near the state only", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = x*(1 - x)*(2 - x)",
			"tends x; 2; 0; 3", "n=1 x=3/2", "may become those of no random columns"},
		{"tends, a hypothesis that ends", "state x\nx' = x*(1 - x)*(2 - x)\nalways gt x; 5/4", "tends x; 2; 0; 3", "x=3/2", may},
		{"tends, irrational ends", "state x\nparam c\nx' = x*(1 - x)*(root(c) - x)\nconst gt c; 1", "tends x; root(c); 0; 3", "x=5/4 c=2", "refuted"},
		{"moments that may become those of none", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = -1", "always gt E(tr(v*v^T)); 0", "n=1 x=0",
			"may become those of no random columns"},
		{"a moment that moves to one that no random column has", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = -1", "staynonnegative x", "n=1 x=0",
			"may become those of no random columns"},
		{"moments that need not stay symmetric", "size n\nstate M n n\nparam A n n\nrandom v n\nE v v = M\nM' = A", "always gt E(tr(v*v^T)); 5",
			"n=2 M=1,0;0,1 A=0,1;0,0", "may become those of no random columns"},
		{"moments that stay symmetric", "size n\nstate M n n\nparam A n n\nrandom v n\nE v v = M*M^T\nM' = A", "always gt E(tr(v*v^T)); 5",
			"n=2 M=1,0;0,1 A=0,1;0,0", "refuted"},
		{"moments without a value later", "size n\nstate x\nrandom v n\nE v v = (1 + root(x))*I(n)\nx' = -1", "always gt E(tr(v*v^T)); 5", "n=1 x=0",
			"may become those of no random columns"},
		{"moments that stay", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = -1", "always gt E(tr(v*v^T)); 1", "n=1 x=1", "refuted"},
	})
}

// A matrix that is positive definite here stays so for a while if it stays symmetric: P and S do not, B does.
func TestSymmetricByShape(t *testing.T) {
	for term, want := range map[string]string{
		"P + I(n)": may, "I(n) + P": may, "B + I(n)": "refuted",
		"2*P": may, "P*2": may, "2*B": "refuted", "B*2": "refuted",
		"P^T*S": may, "S*P^T": may, "S^T*P": may, "P*P": may, "P*P^T": "refuted", "P^T*P": "refuted",
		"P*(I(n) + I(n))*B": may, "P^T*P*P": may, "P^T*B*P": "refuted", "P*B*P^T": "refuted",
		"P^T": may, "P^2": may, "inv(P)": may, "B^T": "refuted", "B^2": "refuted", "inv(B)": "refuted",
		"kron(P, I(n))": may, "kron(I(n), P)": may, "kron(B, B)": "refuted",
		"gradsym(tr(P^T*P), P)": may, // is not looked into
	} {
		try(t, kernel.Motion, []trial{{term, "size n\nstate P n n\nstate S n n\nparam A n n\nparam B n n\nP' = A\nS' = A\nalways pd " + term,
			"always psd P - 5*I(n)", "n=2 P=1,0;0,1 S=1,0;0,1 A=0,1;0,0 B=1,0;0,1", want}})
	}
}

func TestRefuteOrbits(t *testing.T) {
	const double, half = "state x\nx+ = 2*x", "state x\nx+ = x/2"
	try(t, kernel.Orbit, []trial{
		{"always, at the third step", double, "always gt 7; x", "x=1", "refuted"},
		{"always, stays below", half, "always gt 7; x", "x=1", nofail},
		{"a hypothesis ends the orbit before", "state x\nx+ = 2*x\nalways gt 5; x", "always gt 7; x", "x=1", "before the hypothesis"},
		{"a hypothesis for the start does not", "state x\nx+ = 2*x\nstart gt 5; x", "always gt 7; x", "x=1", "refuted"},
		{"the orbit ends without a value", "state x\nx+ = 1/(x - 1)", "always gt x; 0", "x=2", novalue},
		{"evolves by another factor", double, "evolves x; 3", "x=1", "refuted"},
		{"evolves by its factor", double, "evolves x; 2", "x=1", nofail},
		{"a norm that decays too slowly", half, "normdecays x; 1/3", "x=-1", "refuted"},
		{"a norm that decays", half, "normdecays x; 1/2", "x=-1", nofail},
		{"a negative factor", half, "normdecays x; -1/2", "x=-1", "refuted"},
		{"a value that grows", double, "decays x; 1", "x=1", "refuted"},
		{"a negative value that grows in size", double, "decays x; 1", "x=-1", nofail},
		{"leaves zero", "state x\nx+ = x + 1", "stayzero x", "x=0", "refuted"},
		{"was not zero", "state x\nx+ = x + 1", "stayzero x", "x=1", nofail},
		{"becomes negative later", "state x\nx+ = x - 1", "staynonnegative x", "x=3", "refuted"},
		{"a factor that moves", "state x\nstate y\nx+ = 2*x\ny+ = x*y", "evolves y; x", "x=1 y=1", "refuted"},
		{"a factor that moves only by its form", "state x\nstate y\nx+ = 2*x\ny+ = x*y", "evolves y; x", "x=0 y=1", nofail},
		{"becomes zero", "state x\nx+ = x - 1", "staypositive x", "x=3", "refuted"},
		{"stays positive", half, "staypositive x", "x=3", nofail},
		{"loses psd", "size n\nstate P n n\nP+ = P - I(n)", "staypsd P", "n=2 P=3,0;0,3", "refuted"},
		{"loses symmetry", "size n\nstate P n n\nparam A n n\nP+ = A", "staypsd P", "n=2 P=1,0;0,1 A=1,1/2;0,1", "refuted"},
		{"was not symmetric", "size n\nstate P n n\nP+ = -P", "staypsd P", "n=2 P=1,1/2;0,1", nofail},
		{"loses rank", "size n\nstate P n n\nP+ = P - I(n)", "congruence P", "n=2 P=3,0;0,1", "refuted"},
		{"keeps rank", "size n\nstate P n n\nparam A n n\nP+ = A*P*A^T", "congruence P", "n=2 P=3,0;0,1 A=1,1;0,1", nofail},
		{"does not vanish at rest", "state x\nx+ = x^2", "vanishes x", "x=1", "refuted"},
		{"goes round", "state x\nx+ = 1 - x", "vanishes x", "x=0", "refuted"},
		{"goes round at zero", "state x\nx+ = -x", "vanishes x", "x=0", nofail},
		{"goes round away from zero, a matrix", "size n\nstate W n n\nW+ = W^T", "vanishes W", "n=2 W=0,1;0,0", "refuted"},
		{"goes round, which limits alone speak of", "state x\nx+ = 1 - x", "always gt 2; x", "x=0", nofail},
		{"goes to zero", half, "vanishes x", "x=1", nofail},
		{"tends, goes round", "state x\nx+ = 1 - x", "tends x; 1/2; 0; 1", "x=1/4", "refuted"},
		{"tends, at the limit", "state x\nx+ = 1 - x", "tends x; 1/2; 0; 1", "x=1/2", nofail},
		{"tends, from outside", "state x\nx+ = 1 - x", "tends x; 1/2; 0; 1", "x=2", nofail},
		{"inputs stay", "state x\ninput u\nx+ = x + u", "vanishes x", "x=1 u=0", "refuted"},
		{"moments become those of no random columns", "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx+ = x - 1", "always ge E(tr(v*v^T)); 0", "n=1 x=1",
			"before no random columns"},
		{"roots step too", "state x\nx+ = 4*x", "always gt 5; root(x)", "x=1", "refuted"},
	})
}

// A bound on the work of a question ends it with an error, and without one the same question is answered.
func TestWithinABound(t *testing.T) {
	l := newLab(kernel.Orbit, "state x\nx+ = 2*x")
	goal, st := formula(l.sig, "always gt 1000; x"), l.at("x=1")
	if _, err := model.Refute(l.ctx, goal, st); err != nil {
		t.Error(err)
	}
	if x, err := model.Refute(l.ctx, goal, st.Within(10)); err == nil || x.Valid() || !strings.Contains(err.Error(), "more than 10 operations") {
		t.Errorf("%q %v", x.Reason(), err)
	}
	for _, all := range []int{0, -1, 1 << 40} {
		if _, err := model.Refute(l.ctx, goal, st.Within(10).Within(all)); err != nil {
			t.Errorf("within %d: %v", all, err)
		}
	}
}

// The kinds of ../shared/soundness: true statements are refuted nowhere, false ones are.
func TestKinds(t *testing.T) {
	sweep := func(number string, time kernel.Time, context, goal, refutable string, states ...string) {
		t.Helper()
		l := newLab(time, context)
		found := ""
		for _, s := range states {
			x, err := model.Refute(l.ctx, formula(l.sig, goal), l.at(s))
			if err == nil {
				found = x.Reason() + " at " + x.State().String()
			}
		}
		if (found != "") != (refutable == "false") {
			t.Errorf("kind %s, which is %s: %q", number, refutable, found)
		}
	}
	numbers := []string{"x=-2", "x=-1", "x=0", "x=1/2", "x=1", "x=2", "x=4", "x=9", "x=10"}
	matrices := []string{"n=1 W=2 M=1 A=1", "n=2 W=1,2;2,1 M=0,1;-1,0 A=1,1;0,1", "n=2 W=0,1;1,0 M=1,0;1,0 A=0,1;2,3", "n=2 W=0,0;0,0 M=0,1;0,0 A=1,2;3,4"}
	sweep("08", kernel.AtState, "size n\nstate W n n\nstate M n n\nparam A n n\nW' = A*W\nhere eq W^T; W", "eq ddt(W)^T; ddt(W)", "false", matrices...)
	sweep("09", kernel.AtState, "size n\nstate W n n\nstate M n n\nparam A n n\nW+ = A*W\nhere eq W^T; W", "eq next(W)^T; next(W)", "false", matrices...)
	sweep("10", kernel.AtState, "size n\nstate W n n\nstate M n n\nparam A n n\nhere eq W^T; W", "eq at(W^T - W, W, M); O(n,n)", "false", matrices...)
	sweep("20", kernel.AtState, "state x\nx+ = 4*x\nhere ge x; 0", "eq next(root(x)); 2*root(x)", "true", numbers...)
	sweep("21", kernel.AtState, "state x\nx' = root(x) - 2\nhere ge x; 0", "eq at(ddt(x), x, 4); 0", "true", numbers...)
	sweep("22", kernel.Motion, "size n\nstate W n n\nstate M n n\nparam A n n\nM' = A*M + M*A^T\nW' = O(n,n)", "congruence M", "true", matrices...)
	sweep("22 with another flow", kernel.Motion, "size n\nstate W n n\nstate M n n\nparam A n n\nM' = A\nW' = O(n,n)", "congruence W + M", "false",
		"n=2 W=0,0;0,0 M=1,0;0,0 A=0,0;0,1")
	moment := "size n\nstate x\nrandom v n\nE v v = x*I(n)\nx' = x\nhere ge x; 0"
	var sized []string
	for _, x := range numbers {
		sized = append(sized, "n=2 "+x)
	}
	sweep("23", kernel.AtState, moment, "eq ddt(tr(E(v*v^T))); tr(E(v*v^T))", "true", sized...)
	sweep("23 diff", kernel.AtState, moment, "eq diff(tr(E(v*v^T)), x)*x; tr(E(v*v^T))", "true", sized...)
	sweep("23 with another factor", kernel.AtState, moment, "eq ddt(tr(E(v*v^T))); 2*tr(E(v*v^T))", "false", sized...)
	sweep("24", kernel.Motion, "state x\nx' = 2 - x\nalways gt 1; x", "tends x; 0; 0; 3", "true", numbers...)
	sweep("24 without the hypothesis", kernel.Motion, "state x\nx' = 2 - x", "tends x; 0; 0; 3", "false", numbers...)
	sweep("26", kernel.Motion, "state x\nx' = 1\nalways eq x; 0", "evolves x; 1", "true", numbers...)
	sweep("26 with the mark start", kernel.Motion, "state x\nx' = 1\nstart eq x; 0", "evolves x; 1", "false", numbers...)
	sweep("27", kernel.Motion, "state x\nx' = 1\nstart ge x; 0", "staypositive -x", "true", numbers...)
	sweep("27 without the domain", kernel.Motion, "state x\nx' = 1", "staypositive -x", "false", numbers...)
	sweep("28", kernel.AtState, "state x\nhere gt x; 5\nhere gt x; 0", "gt x; 4", "true", numbers...)
	sweep("28 without the tighter bound", kernel.AtState, "state x\nhere gt x; 0", "gt x; 4", "false", numbers...)
	sweep("29 is not inconsistent", kernel.Motion, "state x\nstate y\nx' = y\ny' = 0\nalways eq x; 0", "always absurd", "false", "x=0 y=0")
	sweep("29 where no motion keeps it", kernel.Motion, "state x\nstate y\nx' = 1\ny' = 0\nalways eq x; 0", "always absurd", "true", "x=0 y=0")
	sweep("30", kernel.AtState, "state x", "eq sg(x); x", "true", numbers...)
	sweep("31", kernel.AtState, "state x\nx+ = 2*x", "eq next(sg(x)); sg(x)", "false", numbers...)
	sweep("31 at", kernel.AtState, "state x", "eq at(sg(x), x, 2); x", "false", numbers...)
	sweep("42", kernel.AtState, "state x\nx' = 1", "eq ddt(root(x^2))^2; 1", "true", numbers...)
	sweep("42 with another slope", kernel.AtState, "state x\nx' = 1", "eq ddt(root(x^2))^2; 2", "false", numbers...)
}

func TestNothingIsRefutedByNothing(t *testing.T) {
	l := newLab(kernel.AtState, "state x")
	other := newLab(kernel.AtState, "state x")
	goal, st := formula(l.sig, "gt x; 0"), l.at("x=-1")
	var none *model.Unrefuted
	for _, f := range []func() (model.Counterexample, error){
		func() (model.Counterexample, error) { return model.Refute(nil, goal, st) },
		func() (model.Counterexample, error) { return model.Refute(l.ctx, kernel.Formula{}, st) },
		func() (model.Counterexample, error) { return model.Refute(l.ctx, goal, nil) },
		func() (model.Counterexample, error) { return model.Refute(other.ctx, goal, st) },
		func() (model.Counterexample, error) { return model.Refute(other.ctx, goal, other.at("x=-1")) },
		func() (model.Counterexample, error) { return model.Refute(l.ctx, goal, other.at("x=-1")) },
		func() (model.Counterexample, error) { return model.Refute(l.ctx, formula(other.sig, "gt 0; 1"), st) },
	} {
		if x, err := f(); err == nil || x.Valid() || errors.As(err, &none) {
			t.Errorf("%v %v", x, err)
		}
	}
	var x model.Counterexample
	if x.Valid() || x.Context() != nil || x.State() != nil || x.Keeps() != nil || x.Reason() != "" || x.Formula().Form() != 0 {
		t.Error("the zero counterexample says something")
	}
}

// The model shares terms, formulas and contexts with the kernel. It does not ask what terms unfold to, what their normal
// form is or what is derivable.
func TestIndependence(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	banned := map[string]bool{"Unfold": true, "Moves": true, "Missing": true, "Apply": true, "RuleNames": true}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if p := strings.Trim(i.Path.Value, `"`); strings.Contains(p, ".") || strings.HasPrefix(p, "stopgrad/") && p != "stopgrad/theory/kernel" ||
				p == "unsafe" || p == "reflect" {
				t.Errorf("%s imports %s", f.Name(), p)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && banned[s.Sel.Name] {
				t.Errorf("%s uses %s", f.Name(), s.Sel.Name)
			}
			return true
		})
	}
}
