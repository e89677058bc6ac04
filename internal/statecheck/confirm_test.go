package statecheck

import (
	"strings"
	"testing"
)

// confirmedClaims have true statements that floating point speaks against, or that fail at states off Γ alone, and twins that are
// violated.
const confirmedClaims = `
claim moment
  title   A second moment is psd, of symbols that the statement does not mention
  printed nowhere
  size    n
  matrix  S, Q : n x n symmetric
  random  v : n
  moment  v = S - Q^T*Q
  says s: S psd
  says q: Q psd

claim steps
  title   Parameters of the equations
  printed nowhere
  scalar  x, y, a, b
  map
    x+ = x + a
    y+ = a*y
  says below: always x <= 1
    assume start h: x <= 1
  says zero: x - 1, b*y stay zero over steps

claim unstable
  title   What the flow multiplies
  printed nowhere
  scalar  x, y
  flow
    x' = 10*x - 22*y
    y' = -y
  says square: (x - 2*y)^2 decays at rate -20
  says norm: |x| decays at rate 1
    assume start h: x == 2*y
  says value: x^2 decays at rate 2
    assume start h: x == 2*y
  says bound: always y >= 1/4
    assume start h: x == 2*y
  says sign: y - 1/4 stays nonnegative
  says state: y >= 1/4

claim barrier
  title   What holds at the points looked at and not in between
  printed nowhere
  scalar  s
  flow
    s' = 1
  says all: always s < 1
    assume always g: (s - 1)^2 >= 1/10000
    assume start h: s < 1
  says sign: 1 - s stays positive
    assume always g: s != 1
  says allfar: always s < 1
    assume always g: (s - 4)^2 >= 1/10000
    assume start h: s < 1
  says signfar: 1 - s stays positive
    assume always g: s != 4

claim pole
  title   Equations without a value
  printed nowhere
  scalar  x
  flow
    x' = 1 + 0/(x - 1)
  says all: always x < 1
    assume start h: x < 1
  says sign: 1 - x stays positive

claim polefar
  title   Equations without a value further on
  printed nowhere
  scalar  x
  flow
    x' = 1 + 0/(x - 4)
  says all: always x < 1
    assume start h: x < 1
  says sign: 1 - x stays positive

claim runaway
  title   What nothing encloses up to where it fails most
  printed nowhere
  scalar  x
  flow
    x' = x^2
  says all: always x <= 2
  says more: always x >= 1

claim cancelled
  title   Cancelled sums times large factors
  printed nowhere
  scalar  x > 0
  root    r = x
  flow
    x' = -x
  says flat: 1/(10^37*(r^2 - x)^2 + 1) >= 1/2
  says falls: r^2 >= 1

claim drawn
  title   The same of what is drawn
  printed nowhere
  scalar  x, y
  says flat: 1/(10^34*(y^2 - x)^2 + 1) >= 1/2
    draw y = root(x)
  says steep: 10^17*(y^2 - x) <= 1
    draw y = root(x)
  says wrong: 10^17*(y^2 - x) >= 1
    draw y = root(x)

claim declared
  title   Symbols without a value
  printed nowhere
  scalar  x
  scalar  q > 0
  says alone: x >= 1
`

// TestViolatedIsSaidOfExactObjectsAlone: of a counterexample at the state, of one at the fractions of a later point, of an
// enclosed motion; and what fails in floating point is never said to hold.
func TestViolatedIsSaidOfExactObjectsAlone(t *testing.T) {
	f := ownFile(t, confirmedClaims)
	for _, k := range []struct {
		claim, state string
		want         map[string]Status
	}{
		{"moment", `{"S":[[-1]],"Q":[[0]]}`, map[string]Status{"s": Unmet, "q": Holds}},
		{"moment", `{"S":[[2]],"Q":[[-1]]}`, map[string]Status{"s": Holds, "q": Violated}},
		{"moment", `{"S":[[1]],"Q":[[-2]]}`, map[string]Status{"q": Unmet}},
		{"moment", `{"Q":[[-1]]}`, map[string]Status{"q": NotDecided}},
		{"steps", `{"x":1,"y":0,"a":0,"b":2}`, map[string]Status{"below": Holds, "zero": Holds}},
		{"steps", `{"x":1,"y":0,"a":-1,"b":2}`, map[string]Status{"below": Holds, "zero": Violated}},
		{"steps", `{"x":1,"y":0,"a":1,"b":2}`, map[string]Status{"below": Violated, "zero": Violated}},
		{"unstable", `{"x":2,"y":1,"t":4}`, map[string]Status{"square": NotDecided, "norm": NotDecided, "value": NotDecided,
			"bound": Violated, "sign": Violated, "state": Violated}},
		{"unstable", `{"x":2,"y":1,"t":"1/2"}`, map[string]Status{"square": Holds, "norm": Holds, "value": Holds, "bound": Holds,
			"sign": Holds, "state": Holds}},
		{"barrier", `{"s":"1/7","t":3}`, map[string]Status{"all": NotDecided, "sign": NotDecided, "allfar": Violated, "signfar": Violated}},
		{"pole", `{"x":"1/7","t":3}`, map[string]Status{"all": NotDecided, "sign": NotDecided}},
		{"polefar", `{"x":"1/7","t":3}`, map[string]Status{"all": Violated, "sign": Violated}},
		{"runaway", `{"x":1,"t":2}`, map[string]Status{"all": Violated, "more": Holds}},
		{"cancelled", `{"x":2,"t":1}`, map[string]Status{"flat": NotDecided, "falls": Violated}},
		{"drawn", `{"x":2}`, map[string]Status{"flat": Holds, "steep": Holds, "wrong": Violated}},
		{"declared", `{"x":0,"q":1}`, map[string]Status{"alone": Violated}},
		{"declared", `{"x":0,"q":-1}`, map[string]Status{"alone": Unmet}},
		{"declared", `{"x":0}`, map[string]Status{"alone": Violated}}, // whatever q is
	} {
		r := checkOwn(t, f.Claim(k.claim), k.state)
		wants(t, r, k.state, k.want)
		for name, want := range k.want {
			p := part(t, r, name)
			if (p.Against != "") != (want == Violated) || undecidedNote(p) != (want == NotDecided) {
				t.Errorf("%s/%s at %s: against %q, notes %q", k.claim, name, k.state, p.Against, p.Notes)
			}
		}
	}
	r := checkOwn(t, f.Claim("moment"), `{"Q":[[-1]]}`)
	if p := part(t, r, "q"); !strings.Contains(strings.Join(p.Notes, " "), "S missing") {
		t.Errorf("it is not said what is missing: %q", p.Notes)
	}
}
