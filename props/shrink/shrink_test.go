package shrink_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"stopgrad/props"
	"stopgrad/props/shrink"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

func part(t *testing.T, id, name string) *lang.Part {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Claim(id).Parts {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("claim %s has no part %s", id, name)
	return nil
}

// TestCounterexamplesShrinkToTheSimplest compares what rapid shrinks a false statement's counterexample to
// with the simplest one there is. Numbers are ordered 1, 0, 2, 1/2, −1, … for scalars and 0, 1, −1, … for
// entries of matrices.
func TestCounterexamplesShrinkToTheSimplest(t *testing.T) {
	for _, c := range []struct{ id, part, want string }{
		// E f₁f₁ᵀ = W(X+X')Wᵀ ≠ WXWᵀ needs W ≠ 0 and X' ≠ 0, nothing else.
		{"F-def", "printed", "n1=1 n2=1 W=[1] X=[0] Xp=[1]"},
		// f + v₂ ≠ f + v₁.
		{"code-defects", "symmetric", "f=[1] v1=[1] v2=[0]"},
		// Data and bias of one dimension; E x̄x̄ᵀ − E xxᵀ = ABᵀ + BAᵀ + BBᵀ with A = 0, B = 1.
		{"moments", "covariance", "k=1 n1=1 n2=1 A=[0] B=[1] Xp=[0]"},
	} {
		p := props.Part{Part: part(t, c.id, c.part)}
		var last string
		failed, err := shrink.Falsify(200, 1, 10*time.Second, func(t *rapid.T) {
			if o := p.Check(shrink.Choices(t)); o.Status == props.Violated {
				last = shrink.Format(o.State)
				t.Fatalf("violated")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if !failed || last != c.want {
			t.Errorf("%s/%s shrinks to %q, want %q", c.id, c.part, last, c.want)
		}
	}
}

func TestFalsifyFindsNothingWrongWithTheTruth(t *testing.T) {
	p := props.Part{Part: part(t, "F-def", "input")}
	runs := 0
	failed, err := shrink.Falsify(50, 1, 0, func(t *rapid.T) {
		runs++
		if p.Check(shrink.Choices(t)).Status == props.Violated {
			t.Fatalf("violated")
		}
	})
	if err != nil || failed || runs != 50 {
		t.Errorf("failed %t after %d runs, %v", failed, runs, err)
	}
}

// TestFalsifyRestoresTheFlags: the number of checks of other tests is not touched.
func TestFalsifyRestoresTheFlags(t *testing.T) {
	count := func() (n int) {
		rapid.Check(t, func(*rapid.T) { n++ })
		return n
	}
	before := count()
	if _, err := shrink.Falsify(7, 1, 0, func(*rapid.T) {}); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before || before == 7 {
		t.Errorf("%d checks before, %d after", before, after)
	}
}

func TestAtMostLowersTheDefaultOnly(t *testing.T) {
	count := func(t *testing.T) (n int) {
		rapid.Check(t, func(*rapid.T) { n++ })
		return n
	}
	before := count(t)
	usual, lowered := 100, 10
	if testing.Short() { // rapid makes a fifth
		usual, lowered = usual/5, lowered/5
	}
	t.Run("lowered", func(t *testing.T) {
		shrink.AtMost(t, 10)
		if n := count(t); before == usual && n != lowered || before != usual && n != before {
			t.Errorf("%d checks instead of %d", n, before)
		}
	})
	if after := count(t); after != before {
		t.Errorf("%d checks before, %d after", before, after)
	}
}
