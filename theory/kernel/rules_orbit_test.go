package kernel

import "testing"

func TestOrbits(t *testing.T) {
	b := floor(t)
	o := b.none(Orbit, "always: x >= 0", "start: y >= 0")
	b.decree(o, "geometric", "evolves x; c", "", []string{"always next(x) == c*x"})
	b.decree(o, "geometric", "evolves W; c", "", []string{"always next(W) == c*W"})
	b.decree(o, "geometric", "evolves x; y", "y moves", []string{"always next(x) == y*x"})
	b.decree(o, "geometric", "evolves x; c", "premise 1", []string{"always next(x) == c*y"})
	b.decree(o, "geometric", "evolves x; c", "premise 1", []string{"always next(x) == a*x"})
	b.decree(o, "geometric", "decays x; c", "establishes evolves", []string{"always next(x) == c*x"})
	b.decree(b.none(Motion), "geometric", "evolves x; c", "no motion", []string{"always next(x) == c*x"})

	b.decree(o, "contraction", "decays x; c", "", []string{"always c*x >= next(x)", "always c >= 0"})
	b.decree(o, "contraction", "normdecays x; c", "", []string{"always c^2*x^2 >= next(x)^2", "always c >= 0"})
	b.decree(o, "contraction", "normdecays W; c", "", []string{"always c^2*tr(W^T*W) >= tr(next(W)^T*next(W))", "always c >= 0"})
	b.decree(o, "contraction", "decays x; c", "premise 2", []string{"always c*x >= next(x)", "always 1 >= c"})
	b.decree(o, "contraction", "normdecays x; c", "premise 2", []string{"always c^2*x^2 >= next(x)^2", "always a >= 0"})
	b.decree(o, "contraction", "decays x; c", "premise 1", []string{"always c*x >= next(y)", "always c >= 0"})
	b.decree(o, "contraction", "decays x; c", "premise 1", []string{"always c^2*x^2 >= next(x)^2", "always c >= 0"})
	b.decree(o, "contraction", "normdecays x; c", "premise 1", []string{"always c*x^2 >= next(x)^2", "always c >= 0"})
	b.decree(o, "contraction", "decays x; y", "y moves", []string{"always y*x >= next(x)", "always y >= 0"})
	b.decree(o, "contraction", "normdecays x; y", "y moves", []string{"always y^2*x^2 >= next(x)^2", "always y >= 0"})
	b.decree(o, "contraction", "evolves x; c", "not evolves", []string{"always c*x >= next(x)", "always c >= 0"})
	b.decree(b.none(Motion), "contraction", "decays x; c", "no motion", []string{"always c*x >= next(x)", "always c >= 0"})

	b.try(o, "invariant", "staynonnegative y", "", list(b.at("next(y) >= 0", "false", "y >= 0", "x >= 0")))
	b.try(o, "invariant", "staypositive y", "", list(b.at("next(y) > 0", "false", "y > 0")))
	b.try(o, "invariant", "stayzero W", "", list(b.at("next(W) == O(n,n)", "false", "W == O(n,n)")))
	b.try(o, "invariant", "staypsd W", "", list(b.at("next(W) psd", "false", "W psd")))
	b.try(o, "invariant", "staynonnegative y; z", "", list(b.at("next(y) >= 0", "false", "y >= 0", "z >= 0"), b.at("next(z) >= 0", "false")))
	b.try(o, "invariant", "staynonnegative y", "", list(b.at("next(y) >= 0", "false", "a >= 0"), b.theorem(o, "always a >= 0")))
	b.try(o, "invariant", "staynonnegative y", "assumes", list(b.at("next(y) >= 0", "false", "a >= 0")))
	b.try(o, "invariant", "staynonnegative y", "assumes", list(b.at("next(y) >= 0", "false", "y > 0")))
	b.try(o, "invariant", "staynonnegative y; z", "assumes", list(b.at("next(y) >= 0", "false"), b.at("next(z) >= 0", "false", "a >= 0")))
	b.try(o, "invariant", "staynonnegative y; z", "premise 2", list(b.at("next(y) >= 0", "false"), b.at("next(y) >= 0", "false")))
	b.try(o, "invariant", "staynonnegative y; z", "premise(s) or more", list(b.at("next(y) >= 0", "false")))
	b.try(o, "invariant", "staynonnegative y", "premise 1", list(b.at("y >= 0", "false")))
	b.try(o, "invariant", "staypositive y", "premise 1", list(b.at("next(y) >= 0", "false")))
	// A step keeps root(y) ≥ 0, which says nothing of its value at the first.
	here := b.at("next(y) >= 0", "false")
	root := b.theorem(here.Context(), "next(root(y)) >= 0")
	b.try(o, "invariant", "staynonnegative root(y)", "value at each time", list(root))
	b.try(o, "invariant", "staynonnegative root(y)", "", list(root, b.theorem(o, "always root(y) == root(y)")))
	b.try(o, "invariant", "always y > 0", "something stays", nil)
	b.try(b.none(Motion), "invariant", "staynonnegative y", "no motion", list(b.at("next(y) >= 0", "false")))

	// A start that is not kept is no hypothesis at a later step.
	c := over(t, b.d, Orbit, "start: y >= 0", "always: x >= 0")
	st := state(t, b.d, "y >= 0", "x >= 0")
	y := prove(t, st, "hyp", "y >= 0", nil)
	next := prove(t, st, "product", "x*y >= 0", list(prove(t, st, "hyp", "x >= 0", nil), y))
	next = prove(t, st, "transport", "next(y) >= 0", list(next))
	b.try(c, "lift", "always next(y) >= 0", "assumes", list(next))
	stays, err := c.Apply("invariant", claim(t, b.d.sig, "staynonnegative y"), list(next))
	if err != nil {
		t.Fatal(err)
	}
	b.try(c, "keep", "always y >= 0", "", list(stays))
}
