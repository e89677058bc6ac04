package mapping

import (
	"context"
	"math/big"
	"sort"

	"stopgrad/fuzz/rest"
	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
)

// leaves say from where on the leaves of the invariance a motion collapses or grows, so that what is certified of one motion
// holds of an area. c = s − p²/α decays as exp(−2ηt) whatever τ does (claim invariance-scalar); the states with the same c
// are a leaf.
//
// On a leaf outcomes are ordered, from p ≥ 0, s > 0 and τ ≥ 0 on: of two initial states on it the motion of the one with the
// larger p keeps the larger p and s (and w and wa) for ever. So from a state that grows all with a larger p on its leaf do,
// and from one that collapses all with a smaller one; and what starts at s = 0 collapses.
//
// Soundness: α and β are positive and τ(0) is not negative, else there is no map ([Spec]). Let w = √(p²/α + c), with the c that
// both motions share at a time, and wa = τw. With τ frozen the leaf has one
// equation, p' = αw²(τ − ap) − ηp, and solutions of it do not cross. With the moving average it has two,
//
//	p'  = αw·wa − aαw²·p − ηp
//	wa' = β(w − wa)
//
// The states with p ≥ 0, wa ≥ 0 and s > 0 are convex on a leaf, and motions do not leave them: p' = αw·wa ≥ 0 at p = 0, wa' =
// βw ≥ 0 at wa = 0, and s' is a multiple of s. There ∂p'/∂wa = αw ≥ 0 and ∂wa'/∂p = βp/(αw) ≥ 0. The difference z of two
// motions obeys z' = A(t)·z, A the mean of the derivative over the segment between them, whose entries off the diagonal are
// not negative: what is not negative in it at the start, p and wa = τ(0)·w both, never becomes so.
type leaves struct {
	alpha *big.Rat
	edges []*big.Rat // of strips of leaves, ascending
	// Of each strip, squares: from p² ≥ grows on all its motions grow, from p² ≤ falls on they collapse; nil is nowhere.
	grows, falls []*big.Rat
}

// strips is the number of strips of leaves for tiles halved depth times, and fineness how many values of p0 there are to
// each.
func strips(depth int) int { return certifiedCells << (depth / 2) }

const fineness = 2

// leaf is s − p²/α.
func leaf(s, p, alpha *big.Rat) *big.Rat {
	c := new(big.Rat).Mul(p, p)
	return c.Sub(s, c.Quo(c, alpha))
}

// findLeaves certifies the ends of both outcomes on n strips, each by bisection, which looks first whether there is a boundary.
func (c *certifier) findLeaves(ctx context.Context, n int, progress func()) error {
	zero := new(big.Rat)
	least := c.p.Lo
	if least.Sign() < 0 {
		least = zero
	}
	l := &leaves{alpha: c.alpha, grows: make([]*big.Rat, n), falls: make([]*big.Rat, n)}
	if c.p.Hi.Cmp(least) <= 0 {
		c.leaves = &leaves{alpha: c.alpha}
		return nil
	}
	across := Axis{Lo: leaf(c.s.Lo, c.p.Hi, c.alpha), Hi: leaf(c.s.Hi, least, c.alpha)}
	for i := range n {
		lo, hi := across.ends(i, n)
		if l.edges = append(l.edges, lo); i == n-1 {
			l.edges = append(l.edges, hi)
		}
	}
	values := Axis{Lo: least, Hi: c.p.Hi}
	most := n * fineness
	at := func(j int) *big.Rat { p, _ := values.ends(j, most); return p }
	err := c.parallel(ctx, n, func(ctx context.Context, i int) error {
		// The values of p that tiles of the map have on the strip.
		first := sort.Search(most, func(j int) bool { return leaf(c.s.Lo, at(j+1), c.alpha).Cmp(l.edges[i+1]) <= 0 })
		last := sort.Search(most, func(j int) bool { return leaf(c.s.Hi, at(j), c.alpha).Cmp(l.edges[i]) <= 0 })
		bisect := func(lo, hi, m int, upper func(j int) (bool, error)) (int, error) {
			for ; hi-lo > 1; m = (lo + hi) / 2 {
				up, err := upper(m)
				if err != nil {
					return 0, err
				}
				if up {
					hi = m
				} else {
					lo = m
				}
			}
			return hi, nil
		}
		ask := func(decide func(p, lo, hi *big.Rat) (bool, error), want bool) func(j int) (bool, error) {
			return func(j int) (bool, error) {
				if err := ctx.Err(); err != nil {
					return false, err
				}
				yes, err := decide(at(j), l.edges[i], l.edges[i+1])
				return yes == want, err
			}
		}
		square := func(j int) *big.Rat { p := at(j); return p.Mul(p, p) }
		up, err := bisect(first-1, last+1, first, ask(c.grow, true))
		if err != nil {
			return err
		}
		down, err := bisect(first-1, up, up-1, ask(c.collapse, false))
		if err != nil {
			return err
		}
		if up <= last {
			l.grows[i] = square(up)
		}
		if down > first {
			l.falls[i] = square(down - 1)
		}
		progress()
		return nil
	})
	c.leaves = l
	return err
}

// grow reports whether every initial state with p0 ≥ p on the leaves between lo and hi grows, by one motion that is below
// them all and stays in a trap with w > 0; collapse whether all with p0 ≤ p collapse, by one that is above them and gets
// into the sink.
//
// Soundness: let c₁(t) and c₂(t) be the c of the outermost leaves and δ = c₂ − c₁ ≥ 0. On a leaf between them p' and wa' are at
// most those of
//
//	p'  = αw·wa − aαp·(w² − δ) − ηp,    w² = p²/α + c₂
//	wa' = β(w − wa)
//
// which is cooperative like the equations of a leaf; by Müller's theorem (Walter, Differential and Integral Inequalities, 1970,
// §12) its motion from the largest p, w and wa stays above theirs. That w keeps its meaning is w' = p(wa − apw) − ηw + aδp²/w:
// then (w² − p²/α)' = −2η(w² − p²/α). Below it is the same with c₁ and −δ. With τ frozen it holds of p alone, with wa = τw; in
// s = w² there is no divisor. Where p stays above a motion with w > 0, so do w and s.
func (c *certifier) grow(p, lo, hi *big.Rat) (bool, error) {
	// Soundness: of a leaf on which no state has this p nothing would be said.
	s := new(big.Rat).Sub(lo, leaf(new(big.Rat), p, c.alpha))
	if s.Sign() <= 0 || c.below == nil {
		return false, nil
	}
	return c.ends(c.below, c.alive, p, s, lo, hi)
}

func (c *certifier) collapse(p, lo, hi *big.Rat) (bool, error) {
	s := new(big.Rat).Sub(hi, leaf(new(big.Rat), p, c.alpha))
	if s.Sign() <= 0 {
		return true, nil // at most states with s = 0
	}
	if c.sink == nil {
		return false, nil
	}
	return c.ends(c.above, c.sink, p, s, lo, hi)
}

// ends follows the motion of a bound of a strip of leaves from p and s into a place.
func (c *certifier) ends(bound *enclosure.System, place enclosure.Place, p, s, lo, hi *big.Rat) (bool, error) {
	width := interval.FromRat(new(big.Rat).Sub(hi, lo))
	box := []interval.Interval{interval.FromRat(p), interval.FromRat(s), width}
	if c.spec.Model == Modes {
		w := box[1].Sqrt()
		box = []interval.Interval{box[0], w, interval.FromRat(c.tau).Mul(w), width}
	}
	places := []enclosure.Place{place}
	if c.sink != nil { // the outcome that is not asked for: nothing more will come
		if place == c.sink {
			places = append(places, past{c.sink})
		} else {
			places = append(places, c.sink)
		}
	}
	k, _, err := enclosure.Reach(bound, box, c.end, hopeless, c.bounds, places...)
	return k == 0, err
}

// boundFrozen is the flow of (p, s, δ) above a strip of leaves, sign 1, or below it, sign −1.
func boundFrozen(eta, alpha, a, tau *big.Rat, sign int64) *enclosure.System {
	sys := enclosure.NewSystem("p", "s", "delta")
	p, s, delta := sys.Var("p"), sys.Var("s"), sys.Var("delta")
	k := sys.Const
	pull, off := k(tau).Sub(k(a).Mul(p)), sys.Int(sign).Mul(k(a)).Mul(p).Mul(delta)
	sys.SetRHS("p", k(alpha).Mul(s.Mul(pull).Add(off)).Sub(k(eta).Mul(p)))
	sys.SetRHS("s", sys.Int(2).Mul(p.Mul(s.Mul(pull).Add(off)).Sub(k(eta).Mul(s))))
	sys.SetRHS("delta", sys.Int(-2).Mul(k(eta)).Mul(delta))
	return sys
}

// boundAveraged is the flow of (p, w, wa, δ) above a strip of leaves, sign 1, or below it, sign −1.
func boundAveraged(eta, alpha, beta, a *big.Rat, sign int64) *enclosure.System {
	sys := enclosure.NewSystem("p", "w", "wa", "delta")
	p, w, wa, delta := sys.Var("p"), sys.Var("w"), sys.Var("wa"), sys.Var("delta")
	k := sys.Const
	r, off := wa.Sub(k(a).Mul(p).Mul(w)), sys.Int(sign).Mul(k(a)).Mul(p).Mul(delta)
	sys.SetRHS("p", k(alpha).Mul(w.Mul(r).Add(off)).Sub(k(eta).Mul(p)))
	sys.SetRHS("w", p.Mul(r).Sub(k(eta).Mul(w)).Add(p.Mul(off).Div(w)))
	sys.SetRHS("wa", k(beta).Mul(w.Sub(wa)))
	sys.SetRHS("delta", sys.Int(-2).Mul(k(eta)).Mul(delta))
	return sys
}

// findBounds sets the flows that bound strips of leaves, and where they have to end: collapse in a sink, growth in a trap
// around the stable state of rest plus, feature (nil: there is none).
func (c *certifier) findBounds(eta, alpha, beta, a *big.Rat, rest0 []float64) error {
	c.bounds = &enclosure.Settings{Order: 7, Tolerance: 0x1p-24, MaxSteps: 400}
	constant := c.tau
	if c.spec.Model == Modes {
		constant = nil
		c.above, c.below = boundAveraged(eta, alpha, beta, a, 1), boundAveraged(eta, alpha, beta, a, -1)
	} else {
		c.above, c.below = boundFrozen(eta, alpha, a, c.tau, 1), boundFrozen(eta, alpha, a, c.tau, -1)
	}
	c.sink = newSink(eta, alpha, a, constant)
	if rest0 == nil {
		c.below = nil
		return nil
	}
	x := append(append([]float64(nil), rest0...), 0)
	name := "s"
	if c.spec.Model == Modes {
		name = "w"
	}
	feature := c.below.Var(name)
	x, err := rest.Settle(c.below, nil, x)
	if err != nil {
		return err
	}
	rows, err := rest.Coordinates(c.below, nil, x)
	if err != nil {
		return err
	}
	_, t, err := rest.Largest(c.below, rows, x, 2, func(t *enclosure.Trap) bool { return t.Positive(feature) })
	c.alive = t
	return err
}

// tile decides the initial states in a box of p0 ≥ 0 and s0, or leaves them undecided.
func (l *leaves) tile(pLo, pHi, sLo, sHi *big.Rat) Outcome {
	// The strips that the box meets, in leaves from that of its lower right corner to that of its upper left.
	lowest, highest := leaf(sLo, pHi, l.alpha), leaf(sHi, pLo, l.alpha)
	first := sort.Search(len(l.grows), func(i int) bool { return l.edges[i+1].Cmp(lowest) >= 0 })
	if len(l.grows) == 0 || lowest.Cmp(l.edges[0]) < 0 || highest.Cmp(l.edges[len(l.grows)]) > 0 {
		return Undecided
	}
	grows, falls := true, true
	for i := first; i < len(l.grows) && l.edges[i].Cmp(highest) <= 0 && (grows || falls); i++ {
		// p² = α(s − c) on a leaf: of the box in the strip it is at least α(sLo − upper edge), at most α(sHi − lower edge).
		least, most := new(big.Rat).Mul(pLo, pLo), new(big.Rat).Mul(pHi, pHi)
		if v := new(big.Rat).Sub(sLo, l.edges[i+1]); v.Mul(v, l.alpha).Cmp(least) > 0 {
			least = v
		}
		if v := new(big.Rat).Sub(sHi, l.edges[i]); v.Mul(v, l.alpha).Cmp(most) < 0 {
			most = v
		}
		grows = grows && l.grows[i] != nil && l.grows[i].Cmp(least) <= 0
		falls = falls && l.falls[i] != nil && l.falls[i].Cmp(most) >= 0
	}
	switch {
	case grows:
		return Growth
	case falls:
		return Collapse
	}
	return Undecided
}
