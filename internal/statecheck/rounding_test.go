package statecheck

import (
	"slices"
	"strings"
	"testing"
)

// standingClaims have parts in pairs: what follows from a hypothesis that computed numbers meet up to rounding only, and twins
// whose hypothesis is met for sure, or is exact.
const standingClaims = `
claim met
  title   What is met up to rounding only
  printed nowhere
  scalar  x, y, c
  flow
    x' = 3*x - 8*y
    y' = -y
  says steep: 10^6*(x - 2*y) == 0
    assume h: x == 2*y
  says pole: 1/(1 + 10^9*(x - 2*y)) == 1
    assume h: x == 2*y
  says strict: y >= 1/4
    assume h: x >= y
  says constant: c*y >= 1/4
    assume h: c == 1
  says early: x == y
    assume h: x == 2*y
  says allalong: always 10^6*(x - 2*y) == 0
    assume h: x == 2*y
  says start: always y >= 1/4
    assume start h: x == 2*y
  says kept: always y >= 1/4
    assume h: x >= y

claim flat
  title   Hypotheses that are flat where they begin to fail
  printed nowhere
  scalar  x, y
  flow
    x' = -1
    y' = 0
  says flat: x >= y
    assume h: 10^-12*(x - y) >= 0
  says along: always x >= y
    assume h: 10^-12*(x - y) >= 0
  says strict: x >= y
    assume h: x - y >= -1/2
  says strictly: always x >= y
    assume h: x - y >= -1/2

claim rounded
  title   Hypotheses about a value that is rounded
  printed nowhere
  scalar  x, y
  says steep: 10^9*(y^2 - x) == 0
    assume h: y^2 == x
    draw y = root(x)
  says pole: 1/(1 + 10^12*(y^2 - x)) == 1
    assume h: y^2 == x
    draw y = root(x)
  says strict: y < x - 1
    assume h: y > x - 1
    draw y = root(x)
  says exact: y < x - 1
    assume h: x == 2
    draw y = root(x)

claim begun
  title   What the beginning meets up to rounding only
  printed nowhere
  scalar  x, y
  flow
    x' = 10*x - 22*y
    y' = -y
  says zero: x - 2*y stays zero
  says all: always x == 2*y
    assume start h: x == 2*y
  says sign: 1/4 - (x - 1)^2 + x*y stays nonnegative

claim drawn
  title   What is drawn moves by its own equation, or not at all
  printed nowhere
  scalar  x, y, c
  flow
    x' = -c*x
    y' = 0
  says rests: y evolves at rate 0
    draw y = x, c = 1
  says bounded: always y >= 1
    assume start h: y >= 1
    draw y = x, c = 1
  says moves: y evolves at rate -1
    draw y = x, c = 1
  says falls: always y >= x + 1/2
    draw y = x, c = 1
  says constant: |x| decays at rate c
    draw c = x, y = x
  says faster: |x| decays at rate 2*c
    draw c = x, y = x

claim driven
  title   Inputs are drawn anew
  printed nowhere
  scalar  x
  input   u
  flow
    x' = 2*u
  says back: x*u <= 0
    assume h: u == -x
    draw u = -x
  says away: x*u >= 0
    assume h: u == -x
    draw u = -x
`

// TestWhatIsMetUpToRoundingViolatesNothing, at the state and later, and what is met for sure is violated.
func TestWhatIsMetUpToRoundingViolatesNothing(t *testing.T) {
	f := ownFile(t, standingClaims)
	for _, k := range []struct {
		claim, state string
		want         map[string]Status
	}{
		{"met", `{"x":"2/3","y":"1/3","c":1,"t":3}`, map[string]Status{"steep": NotDecided, "pole": NotDecided, "strict": Violated, "constant": Violated,
			"early": Violated, "allalong": NotDecided, "start": Violated, "kept": Violated}},
		{"flat", `{"x":1,"y":0,"t":"6/5"}`, map[string]Status{"flat": NotDecided, "along": NotDecided, "strict": Violated, "strictly": Violated}},
		{"rounded", `{"x":2}`, map[string]Status{"steep": Holds, "pole": Holds, "strict": Violated, "exact": Violated}},
		{"begun", `{"x":"2","y":"1","t":"1/2"}`, map[string]Status{"zero": Holds, "all": Holds}},
		{"begun", `{"x":0.6666666666666667,"y":0.3333333333333333,"t":2}`, map[string]Status{"zero": NotDecided, "all": NotDecided}},
		{"begun", `{"x":1,"y":1,"t":1}`, map[string]Status{"sign": Violated}},
		{"drawn", `{"x":1,"t":1}`, map[string]Status{"rests": Holds, "bounded": Holds, "moves": Violated, "falls": Violated, "constant": Holds,
			"faster": Violated}},
		{"driven", `{"x":1,"t":1}`, map[string]Status{"back": Holds, "away": Violated}},
	} {
		r := checkOwn(t, f.Claim(k.claim), k.state)
		wants(t, r, k.state, k.want)
		for name, want := range k.want {
			p := part(t, r, name)
			if k.claim == "driven" && want == Holds && len(p.Notes) > 0 {
				t.Errorf("driven/%s: %q", name, p.Notes) // that the hypothesis is not met later
			}
			if want == Violated && undecidedNote(p) {
				t.Errorf("%s/%s is violated: %q", k.claim, name, p.Notes)
			}
			if want == NotDecided && !undecidedNote(p) {
				t.Errorf("%s/%s: it is not said why: %q", k.claim, name, p.Notes)
			}
		}
	}
}

func undecidedNote(p PartResult) bool {
	return slices.ContainsFunc(p.Notes, func(n string) bool { return strings.HasPrefix(n, notDecided) })
}
