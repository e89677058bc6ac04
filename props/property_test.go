package props_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stopgrad/props"
	"stopgrad/props/shrink"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// searchBudget is how many states a search for a counterexample of a printed reading may draw. The rarest,
// an aligning commutator whose normalised form grows (thm3-alignment), is met once in some ten thousand.
const searchBudget = 60000

// TestClaims runs the property of every claim under rapid, label = claim id: asserted parts hold wherever
// their hypotheses do, and a printed reading that the claim corrects fails somewhere.
func TestClaims(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		t.Run(c.ID, func(t *testing.T) {
			p, err := props.Of(f, c.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range p.Parts {
				if !part.Asserted {
					continue
				}
				t.Run(part.Name, func(t *testing.T) {
					met := 0
					checks := 100
					if random(part.Part) {
						checks = 40
					}
					shrink.AtMost(t, raceScaled(checks))
					rapid.Check(t, func(t *rapid.T) {
						o := part.Check(shrink.Choices(t))
						switch o.Status {
						case props.Violated:
							t.Fatalf("%s does not hold at %s: %v", part.Stmt.Text, shrink.Format(o.State), o.Finding.Measures)
						case props.Holds:
							met++
						}
					})
					if met == 0 {
						t.Errorf("no drawn state meets the hypotheses: nothing was tested")
					}
				})
			}
			if p.HasCorrection {
				t.Run("print", func(t *testing.T) {
					part, w := p.PrintFails(context.Background(), 1, searchBudget)
					switch {
					case part == nil:
						t.Error("the claim corrects its print, but no printed part was found to fail")
					case w == nil:
						t.Logf("%s has no meaning: %v", part.Name, part.Fault)
					default:
						t.Logf("%s fails at %s", part.Name, shrink.Format(*w))
					}
				})
			}
		})
	}
}

// TestPropertiesAreTheirParts: the property of a claim holds where its parts do, and one false part among
// them makes it fail.
func TestPropertiesAreTheirParts(t *testing.T) {
	f := load(t)
	for _, id := range []string{"thm3-identity", "invariance-scalar", "1d-dynamics"} {
		c := f.Claim(id)
		p, err := props.Of(f, id)
		if err != nil {
			t.Fatal(err)
		}
		statuses := func(p props.Property) (counts [3]int) {
			ch := sample.NewStream(1, id)
			for range 30 {
				o := p.Check(ch)
				counts[o.Status]++
				if o.Status == props.Violated && o.Finding.Holds {
					t.Errorf("%s: violated by a finding that holds", id)
				}
			}
			return counts
		}
		if counts := statuses(p); counts[props.Violated] > 0 || counts[props.Holds] == 0 {
			t.Errorf("%s: %v", id, counts)
		}
		last := len(p.Parts) - 1
		m, err := f.Mutate(c, p.Parts[last].Part, p.Parts[last].Twins[0])
		if err != nil {
			t.Fatal(err)
		}
		p.Parts[last].Part = m
		if counts := statuses(p); counts[props.Violated] == 0 {
			t.Errorf("%s with the twin %s: %v", id, c.Parts[last].Twins[0], counts)
		}
	}
	if o := (props.Property{}).Check(sample.NewStream(1, "empty")); o.Status != props.Vacuous {
		t.Errorf("a property without parts is %v", o.Status)
	}
}

// twinChecks is within how many rapid checks, of [props.Attempts] draws each, a false twin must be caught.
const twinChecks = 400

// raceScaled is n, or a fifth of it under the race detector, which slows the evaluator down eight times and
// has nothing to find in a single goroutine.
func raceScaled(n int) int {
	if raceEnabled {
		return max(1, n/5)
	}
	return n
}

// plainTwins are the claims whose twins run without the long flag: one of each kind of statement.
var plainTwins = map[string]bool{
	"lemma1": true, "thm1": true, "nopred": true, "nostopgrad": true, "lemma2": true, "assump-sym": true,
	"sym-dynamics": true, "thm3-identity": true, "thm3-bound": true, "invariance-scalar": true,
	"fixed-points": true, "eta-critical": true, "basin": true, "pminus-monotone": true, "D4-3d": true,
	"thm1-discrete": true, "cosine-loss": true, "bounded-vs-gd": true, "fixedpoint-sym": true,
}

// TestTwinsAreCaught mutation-checks the properties: rapid must find every mutated twin false, unless typing
// already does.
func TestTwinsAreCaught(t *testing.T) {
	f := load(t)
	caught, illTyped := 0, 0
	start := time.Now()
	for _, c := range f.Claims {
		if !plainTwins[c.ID] && !long() {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			for _, p := range c.Parts {
				for _, twin := range p.Twins {
					if p.Stmt.Kind == lang.Sampled {
						t.Errorf("%s: a statement in words has a twin %s", p.Name, twin)
						continue
					}
					m, err := f.Mutate(c, p, twin)
					if err != nil {
						t.Errorf("%s: twin %s: %v", p.Name, twin, err)
						continue
					}
					if m.Fault != nil {
						illTyped++
						continue
					}
					mutant := props.Part{Part: m}
					failed, err := shrink.Falsify(twinChecks, 1, 0, func(t *rapid.T) {
						if mutant.Check(shrink.Choices(t)).Status == props.Violated {
							t.Fatalf("caught")
						}
					})
					if err != nil {
						t.Fatal(err)
					}
					if !failed && m.Stmt.Kind == lang.Vanishes {
						// Only a stationary state can show at an instant that something does not vanish, and a draw
						// rarely is one; a trajectory comes to rest at one.
						counts, _ := trajectories(t, m, c.ID+p.Name+twin.String(), 60, props.Violated)
						failed = counts[props.Violated] > 0
					}
					if !failed {
						t.Errorf("%s: twin %s is not caught in %d checks", p.Name, twin, twinChecks)
						continue
					}
					caught++
				}
			}
		})
	}
	t.Logf("%d twins caught, %d have no meaning, %v", caught, illTyped, time.Since(start).Round(time.Millisecond))
}
