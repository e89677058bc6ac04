package mapping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"sort"
	"sync"

	"stopgrad/fuzz/rest"
	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
)

// Certified is a map over (p0, s0) in tiles of which each is certified as a whole, or hatched:
//
//	Collapse   from every point of the tile p and s (w and wa) tend to 0
//	Growth     from every point of the tile s stays above a positive bound from some time on, for ever
//	Undecided  neither was established
//
// Package enclosure carries a set of initial states, with a guarantee, until it is as a whole in a trap, a set that no motion
// leaves: around the origin one in which every motion tends to the origin ([enclosure.Trap.Sink]), around the stable state of
// rest with s > 0 one on which s is positive. With p0 ≥ 0 outcomes are ordered along each leaf of the invariance (leaf.go): one
// motion that bounds those of a thin strip of leaves certifies all of the strip that lies to the right of it, or to the left.
// What separates the outcomes is then enclosed from both sides, and a tile has an outcome if it lies on one side as a whole.
// With p0 < 0 the tile is carried itself. A tile that is not decided is cut in two, the second kind across the side along
// which motions part most.
type Certified struct {
	Spec  Spec // with the defaults filled in, Progress apart
	Tiles []Tile
	// Area are the exact fractions of the area, by outcome.
	Area map[Outcome]*big.Rat
	// Measured is the map by sampled trajectories that is drawn beside it; nil draws none.
	Measured *Result
}

// Tile is a rectangle of initial values, with its exact ends, and what is certified of it.
type Tile struct {
	XLo, XHi, YLo, YHi *big.Rat
	Outcome            Outcome

	cuts int
}

// cell is the tile in float64, for drawing.
func (t Tile) cell() Cell {
	f := func(r *big.Rat) float64 { v, _ := r.Float64(); return v }
	c := Cell{XLo: f(t.XLo), XHi: f(t.XHi), YLo: f(t.YLo), YHi: f(t.YHi), Outcome: t.Outcome}
	c.X, c.Y = (c.XLo+c.XHi)/2, (c.YLo+c.YHi)/2
	return c
}

// How fine a certified map is: the tiles to begin with along an axis, and how often one is halved.
const (
	certifiedCells = 16
	certifiedDepth = 12
	certifiedMost  = 20
	// hopeless is the width of a set that is not carried any further: p and s end between 0 and about 1.
	hopeless = 0.5
)

// Certify certifies the map that spec describes: X and Y are p0 and s0 on linear axes, the model is frozen or modes, and
// eta is positive. Refine is how often a tile is halved (0: 12 times); Measure and Horizon have no part in it. The result
// depends on the specification alone, not on Workers. When ctx ends, the tiles that are done come with the error.
func Certify(ctx context.Context, spec Spec) (*Certified, error) {
	depth := spec.Refine
	switch {
	case depth == 0:
		depth = certifiedDepth
	case depth == NoRefine:
		depth = 0
	case depth < 0 || depth > certifiedMost:
		return nil, fmt.Errorf("mapping: tiles halved %d times where 0 to %d are possible", depth, certifiedMost)
	}
	spec.Refine = 0
	r, err := newRunner(spec)
	if err != nil {
		return nil, err
	}
	r.spec.Refine = depth
	c, err := newCertifier(r)
	if err != nil {
		return nil, err
	}
	return c.run(ctx, depth)
}

// certifier is a model with its traps.
type certifier struct {
	*runner
	sys          *enclosure.System
	above, below *enclosure.System // the flows that bound a strip of leaves
	p, s         *Axis             // the axes of p0 and of s0
	tau          *big.Rat
	alpha        *big.Rat
	leaves       *leaves
	traps        []enclosure.Place
	says         []Outcome // of each trap
	// Where the motions that bound strips have to end: sink in collapse (nil: none was found), alive in growth.
	sink   *sink
	alive  enclosure.Place
	bounds *enclosure.Settings
	end    *big.Rat
	option *enclosure.Settings
}

func newCertifier(r *runner) (*certifier, error) {
	c := &certifier{runner: r, end: big.NewRat(1000, 1), option: &enclosure.Settings{Order: 6, Tolerance: 0x1p-16, Share: 0x1p-5, MaxSteps: 120}}
	for _, ax := range []*Axis{&r.spec.X, &r.spec.Y} {
		switch {
		case ax.Log:
			return nil, fmt.Errorf("mapping: axis %s: certified maps have linear axes", ax.Quantity)
		case ax.Quantity == "p0":
			c.p = ax
		case ax.Quantity == "s0":
			c.s = ax
		}
	}
	if c.p == nil || c.s == nil || r.spec.Model == Parabola {
		return nil, errors.New("mapping: certified maps are over p0 and s0, of the models frozen and modes")
	}
	exact := func(name string) *big.Rat {
		if v := r.spec.Set[name]; v != nil {
			return v
		}
		return defaults[name]
	}
	eta, alpha, beta, sigma2 := exact("eta"), exact("alpha"), exact("beta"), exact("sigma2")
	c.tau, c.alpha = exact("tau"), alpha
	a := new(big.Rat).Add(big.NewRat(1, 1), sigma2)
	limit := c.tau
	if r.spec.Model == Modes {
		limit = big.NewRat(1, 1)
	}
	if k := r.spec.Set["kappa"]; k != nil {
		eta = new(big.Rat).Quo(new(big.Rat).Mul(k, new(big.Rat).Mul(limit, limit)), a)
	}
	if eta.Sign() <= 0 || limit.Sign() <= 0 {
		return nil, errors.New("mapping: certified maps need eta > 0 and tau > 0")
	}
	if r.spec.Model == Modes {
		c.sys = averaged(eta, alpha, beta, a, c.tau)
	} else {
		c.sys = frozen(eta, alpha, a, c.tau)
	}
	return c, c.findTraps(eta, alpha, beta, a, limit)
}

// frozen is the flow of (p, s).
func frozen(eta, alpha, a, tau *big.Rat) *enclosure.System {
	sys := enclosure.NewSystem("p", "s")
	p, s := sys.Var("p"), sys.Var("s")
	pull := p.Mul(sys.Const(tau).Sub(sys.Const(a).Mul(p)))
	sys.SetRHS("p", sys.Const(alpha).Mul(s).Mul(sys.Const(tau).Sub(sys.Const(a).Mul(p))).Sub(sys.Const(eta).Mul(p)))
	sys.SetRHS("s", s.Mul(sys.Int(2)).Mul(pull.Sub(sys.Const(eta))))
	return sys
}

// averaged is the flow of (p, w, wa) in the variables p, w and d = wa − tau·w, which is zero at the start: in them the
// initial states of a tile are a box.
func averaged(eta, alpha, beta, a, tau *big.Rat) *enclosure.System {
	sys := enclosure.NewSystem("p", "w", "d")
	p, w, d := sys.Var("p"), sys.Var("w"), sys.Var("d")
	r := d.Add(w.Mul(sys.Const(tau).Sub(sys.Const(a).Mul(p)))) // wa − a·p·w
	dw := p.Mul(r).Sub(sys.Const(eta).Mul(w))
	sys.SetRHS("p", sys.Const(alpha).Mul(r).Mul(w).Sub(sys.Const(eta).Mul(p)))
	sys.SetRHS("w", dw)
	rest := new(big.Rat).Sub(big.NewRat(1, 1), tau)
	sys.SetRHS("d", sys.Const(beta).Mul(sys.Const(rest).Mul(w).Sub(d)).Sub(sys.Const(tau).Mul(dw)))
	return sys
}

func (c *certifier) findTraps(eta, alpha, beta, a, limit *big.Rat) error {
	n := c.sys.Dim()
	add := func(x []float64, says Outcome, first int, good func(*enclosure.Trap) bool) error {
		rows, err := rest.Coordinates(c.sys, nil, x)
		if err != nil {
			return err
		}
		_, t, err := rest.Largest(c.sys, rows, x, first, good)
		if err != nil {
			return err
		}
		c.traps, c.says = append(c.traps, t), append(c.says, says)
		return nil
	}
	if err := add(make([]float64, n), Collapse, 1, (*enclosure.Trap).Sink); err != nil {
		return fmt.Errorf("mapping: no trap of collapse: %w", err)
	}
	f := func(r *big.Rat) float64 { v, _ := r.Float64(); return v }
	square := f(limit)*f(limit) - 4*f(a)*f(eta)
	if square <= 0 {
		return c.findBounds(eta, alpha, beta, a, nil) // nothing but collapse
	}
	plus := (f(limit) + math.Sqrt(square)) / (2 * f(a))
	feature := plus * plus / f(alpha)
	settled := []float64{plus, feature}
	if c.spec.Model == Modes {
		settled = []float64{plus, math.Sqrt(feature), math.Sqrt(feature)}
	}
	if err := c.findBounds(eta, alpha, beta, a, settled); err != nil {
		return fmt.Errorf("mapping: no trap of growth below leaves: %w", err)
	}
	if c.spec.Model != Modes {
		s := c.sys.Var("s")
		return c.grows([]float64{plus, feature}, s, add)
	}
	w := math.Sqrt(feature)
	for _, sign := range []float64{1, -1} {
		if err := c.grows([]float64{plus, sign * w, sign * (1 - f(c.tau)) * w}, c.sys.Var("w").Mul(c.sys.Int(int64(sign))), add); err != nil {
			return err
		}
	}
	return nil
}

func (c *certifier) grows(x []float64, feature enclosure.Expr, add func([]float64, Outcome, int, func(*enclosure.Trap) bool) error) error {
	x, err := rest.Settle(c.sys, nil, x)
	if err == nil {
		err = add(x, Growth, 1, func(t *enclosure.Trap) bool { return t.Positive(feature) })
	}
	if err != nil {
		return fmt.Errorf("mapping: no trap of growth: %w", err)
	}
	return nil
}

// decide decides one tile, by the leaves or by carrying it.
func (c *certifier) decide(pLo, pHi, sLo, sHi *big.Rat) (o Outcome, cutP bool, err error) {
	if pLo.Sign() < 0 {
		return c.tile(pLo, pHi, sLo, sHi)
	}
	wide := new(big.Rat).Mul(new(big.Rat).Sub(pHi, pLo), new(big.Rat).Sub(c.s.Hi, c.s.Lo))
	high := new(big.Rat).Mul(new(big.Rat).Sub(sHi, sLo), new(big.Rat).Sub(c.p.Hi, c.p.Lo))
	return c.leaves.tile(pLo, pHi, sLo, sHi), wide.Cmp(high) >= 0, nil
}

// tile decides one tile by carrying it, given by the exact ends of p0 and s0. Of one that it does not decide it says whether
// p0 is the quantity to cut.
func (c *certifier) tile(pLo, pHi, sLo, sHi *big.Rat) (o Outcome, cutP bool, err error) {
	between := func(lo, hi *big.Rat) interval.Interval { return interval.FromRat(lo).Hull(interval.FromRat(hi)) }
	box := []interval.Interval{between(pLo, pHi), between(sLo, sHi)}
	if c.spec.Model == Modes {
		box[1] = box[1].Sqrt()
		box = append(box, interval.FromInt(0))
	}
	k, cut, err := enclosure.Reach(c.sys, box, c.end, hopeless, c.option, c.traps...)
	if err != nil || k < 0 {
		return Undecided, cut == 0, err
	}
	return c.says[k], false, nil
}

// ends are the exact ends of the i-th of n parts of an axis.
func (ax Axis) ends(i, n int) (lo, hi *big.Rat) {
	at := func(i int) *big.Rat {
		w := new(big.Rat).Sub(ax.Hi, ax.Lo)
		return w.Add(w.Mul(w, big.NewRat(int64(i), int64(n))), ax.Lo)
	}
	return at(i), at(i + 1)
}

// halved cuts a tile in two.
func (t Tile) halved(across bool) [2]Tile {
	middle := func(a, b *big.Rat) *big.Rat {
		m := new(big.Rat).Add(a, b)
		return m.Quo(m, big.NewRat(2, 1))
	}
	one, two := t, t
	one.cuts, two.cuts = t.cuts+1, t.cuts+1
	if across {
		one.XHi = middle(t.XLo, t.XHi)
		two.XLo = one.XHi
	} else {
		one.YHi = middle(t.YLo, t.YHi)
		two.YLo = one.YHi
	}
	return [2]Tile{one, two}
}

func (c *certifier) run(ctx context.Context, depth int) (*Certified, error) {
	c.spec.X.Cells, c.spec.Y.Cells = certifiedCells, certifiedCells
	out := &Certified{Spec: c.spec, Area: map[Outcome]*big.Rat{Collapse: new(big.Rat), Growth: new(big.Rat), Undecided: new(big.Rat)}}
	out.Spec.Progress = nil
	var open []Tile
	for j := range certifiedCells {
		for i := range certifiedCells {
			var t Tile
			t.XLo, t.XHi = c.spec.X.ends(i, certifiedCells)
			t.YLo, t.YHi = c.spec.Y.ends(j, certifiedCells)
			open = append(open, t)
		}
	}
	var mu sync.Mutex
	n := strips(depth)
	done, total := 0, n+len(open)
	step := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; c.spec.Progress != nil {
			c.spec.Progress(done, total)
		}
	}
	if err := c.findLeaves(ctx, n, step); err != nil && ctx.Err() == nil {
		return nil, err
	}
	var failed error
	for level := 0; len(open) > 0; level++ {
		cut := make([]*[2]Tile, len(open))
		err := c.parallel(ctx, len(open), func(ctx context.Context, k int) error {
			t := &open[k]
			pLo, pHi, sLo, sHi := t.XLo, t.XHi, t.YLo, t.YHi
			if c.spec.X.Quantity != "p0" {
				pLo, pHi, sLo, sHi = sLo, sHi, pLo, pHi
			}
			o, cutP, err := c.decide(pLo, pHi, sLo, sHi)
			if t.Outcome = o; err == nil && o == Undecided && level < depth {
				two := t.halved(cutP == (c.spec.X.Quantity == "p0"))
				cut[k] = &two
			}
			step()
			return err
		})
		var next []Tile
		for k, t := range open {
			if cut[k] != nil && err == nil {
				next = append(next, cut[k][:]...)
				continue
			}
			if t.Outcome == Pending {
				t.Outcome = Undecided
			}
			out.Tiles = append(out.Tiles, t)
			share := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(certifiedCells*certifiedCells), uint(t.cuts)))
			out.Area[t.Outcome].Add(out.Area[t.Outcome], share)
		}
		if err != nil {
			failed = fmt.Errorf("mapping: stopped with %d tiles looked at: %w", done, err)
			break
		}
		total += len(next)
		open = next
	}
	sort.Slice(out.Tiles, func(a, b int) bool {
		s, t := out.Tiles[a], out.Tiles[b]
		if d := s.YLo.Cmp(t.YLo); d != 0 {
			return d < 0
		}
		return s.XLo.Cmp(t.XLo) < 0
	})
	return out, failed
}

// Share is the certified fraction of the area.
func (c *Certified) Share() float64 {
	f, _ := new(big.Rat).Add(c.Area[Collapse], c.Area[Growth]).Float64()
	return f
}

// String states the certified area on one line.
func (c *Certified) String() string {
	part := func(o Outcome) float64 { f, _ := c.Area[o].Float64(); return 100 * f }
	return fmt.Sprintf("certified: %.2f %% of the area (%.2f %% collapse, %.2f %% growth) in %d tiles; %.2f %% open",
		100*c.Share(), part(Collapse), part(Growth), len(c.Tiles), part(Undecided))
}
