package props_test

import (
	"context"
	"math/big"
	"os"
	"testing"
	"time"

	"stopgrad/props"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
)

// trajectories draws states that meet a part's hypotheses and judges the part along its own flow from each.
func trajectories(t *testing.T, part *lang.Part, label string, n int, until props.Status) (counts [3]int, worst float64) {
	t.Helper()
	ch := sample.NewStream(1, label)
	for range n {
		var st props.State
		met := false
		for range props.Attempts {
			s, err := sample.Draw(ch, part, 2)
			if err != nil {
				continue
			}
			if f, err := eval.Judge(eval.Rational{}, part, s); err == nil && f.Met {
				st, met = s, true
				break
			}
		}
		if !met {
			continue
		}
		if b, ok := props.OnBoundary(part, st); ok {
			if f, err := eval.Judge(eval.Rational{}, part, b); err == nil && f.Met {
				st = b
			}
		}
		horizon := 2.0
		if k := part.Stmt.Kind; k == lang.Vanishes || k == lang.Tends {
			horizon = 200
		}
		tr, err := props.Along(context.Background(), part, st, horizon)
		if err != nil {
			t.Fatal(err)
		}
		counts[tr.Status]++
		worst = max(worst, tr.Worst)
		if tr.Status == until {
			return counts, worst
		}
	}
	return counts, worst
}

// random reports whether a part's flow contains expectations, with which a right-hand side costs a
// millisecond.
func random(part *lang.Part) bool {
	for _, s := range part.Env.Symbols {
		if s.Kind == lang.Random {
			return true
		}
	}
	return false
}

// TestStatementsHoldAlongTheirFlows integrates the claims' own equations.
func TestStatementsHoldAlongTheirFlows(t *testing.T) {
	f := load(t)
	n := 6
	if long() {
		n = 40
	}
	for _, c := range f.Claims {
		for _, part := range c.Parts {
			if !props.HasTime(part) || len(part.Proof) == 0 || random(part) && part.Stmt.Kind == lang.Vanishes && !long() {
				// (What such a part says follows from a decay that the same claim states.)
				continue
			}
			t.Run(c.ID+"/"+part.Name, func(t *testing.T) {
				start, n := time.Now(), n
				switch {
				case random(part) && part.Stmt.Kind == lang.Vanishes:
					n = 4
				case random(part) && !long():
					n = 2
				}
				counts, worst := trajectories(t, part, c.ID+part.Name, n, -1)
				if counts[props.Violated] > 0 {
					t.Errorf("%d of %d trajectories violate %s, by up to %.3g", counts[props.Violated], n, part.Stmt.Text, worst)
				}
				if counts[props.Holds] == 0 {
					t.Errorf("no trajectory decides %s", part.Stmt.Text)
				}
				t.Logf("%d hold, %d decide nothing, worst %.2g, %v", counts[props.Holds], counts[props.Vacuous], worst, time.Since(start).Round(time.Millisecond))
			})
		}
	}
}

// TestTwinsFailAlongTheirFlows: a false statement about time is seen to be false in time.
func TestTwinsFailAlongTheirFlows(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		for _, part := range c.Parts {
			if !props.HasTime(part) || len(part.Proof) == 0 || !long() && (!plainTwins[c.ID] || random(part)) {
				continue
			}
			t.Run(c.ID+"/"+part.Name, func(t *testing.T) {
				for _, twin := range part.Twins {
					m, err := f.Mutate(c, part, twin)
					if err != nil {
						t.Fatal(err)
					}
					start := time.Now()
					counts, worst := trajectories(t, m, c.ID+part.Name+twin.String(), 60, props.Violated)
					t.Logf("%s: %v, by %.2g, %v", twin, counts, worst, time.Since(start).Round(time.Millisecond))
					if counts[props.Violated] == 0 {
						t.Errorf("twin %s is not violated along a trajectory", twin)
					}
				}
			})
		}
	}
}

// TestOnBoundaryOfOtherStatements: only “L stays …” has a border; a statement of all times has not even an L.
func TestOnBoundaryOfOtherStatements(t *testing.T) {
	for says, want := range map[string]bool{"always y^2/y^2 == 1": false, "y evolves at rate 0": false, "y stays nonnegative": true} {
		f, err := lang.Parse(lang.Source{Name: "t", Text: "claim t\n  scalar y\n  flow\n    y' = 0\n  says s: " + says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		part := f.Claims[0].Parts[0]
		st, err := sample.Draw(sample.NewStream(1, says), part, 2)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := props.OnBoundary(part, st); ok != want {
			t.Errorf("%s: %v", says, ok)
		}
	}
}

// TestRootsOfWhatMoves: from a radicand of zero there may be several motions, and where a solver stops at one the motion need not.
func TestRootsOfWhatMoves(t *testing.T) {
	const path = "../theory/testdata/soundness/not-unique.claim"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(lang.Source{Name: path, Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	part := func(claim, name string) *lang.Part {
		for _, c := range f.Claims {
			for _, p := range c.Parts {
				if c.ID == claim && p.Name == name {
					return p
				}
			}
		}
		t.Fatalf("no part %s/%s", claim, name)
		return nil
	}
	for _, c := range []struct {
		claim, part string
		from        int64
		want        props.Status
	}{
		{"not-unique", "wrong", 0, props.Vacuous},
		{"not-unique", "right", 1, props.Holds},
		{"in-finite-time", "wrong", 1, props.Vacuous},
	} {
		st := props.State{Vals: map[string]eval.Matrix[*big.Rat]{"x": eval.ScalarOf(big.NewRat(c.from, 1))}}
		tr, err := props.Along(context.Background(), part(c.claim, c.part), st, 20)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Status != c.want {
			t.Errorf("%s/%s from %d: status %v up to t = %g", c.claim, c.part, c.from, tr.Status, tr.T)
		}
	}
}

// TestRunawayBetweenTheTimes: a trajectory that leaves float64 between two of the times that are looked at is judged where the
// solver went through.
func TestRunawayBetweenTheTimes(t *testing.T) {
	for says, want := range map[string]props.Status{"always x <= 100": props.Violated, "always x <= 10^6": props.Violated, "always x >= 0": props.Holds} {
		f, err := lang.Parse(lang.Source{Name: "f", Text: "claim c\n  scalar x\n  flow\n    x' = x^2\n  says s: " + says + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		st := props.State{Vals: map[string]eval.Matrix[*big.Rat]{"x": eval.ScalarOf(big.NewRat(2, 1))}}
		tr, err := props.Along(context.Background(), f.Claims[0].Parts[0], st, 20)
		if err != nil || tr.Status != want || !(tr.T < 0.6) {
			t.Errorf("%s: %v at t = %g, %v", says, tr.Status, tr.T, err)
		}
	}
}
