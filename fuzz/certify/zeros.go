package certify

import (
	"context"
	"math"
	"math/big"
	"sync"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/region"
	"stopgrad/theory/verdict"
)

const (
	// zerosBoxes is how many boxes are looked at for a count of zeros at most: on each the prover looks for a theorem.
	zerosBoxes = 400
	// zerosNodes is what such a box counts as, of the boxes of a budget.
	zerosNodes = 250
	// zerosBatch is how many boxes are tried before it is asked what they took.
	zerosBatch = 16
	// kernelWork is how many of the operations of a budget a unit of the kernel's work counts as.
	kernelWork = 10
	// proverWork is how many of the prover's operations count as one of a budget.
	proverWork = 4
	// zerosSteps bounds the prover on one box, each piece of a count being a proof of its own.
	zerosSteps = 8000
)

// zeros looks for an argument that a count of zeros holds over the region: boxes on each of which it is a theorem, or on which
// a hypothesis fails. Boxes are tried in readings of their own, as many at a time as there are workers, and what was found is
// proved again in the one that the argument is about. What is found depends on the number of boxes and their work alone, unless
// the context ends first.
func zeros(ctx context.Context, part *lang.Part, r *lang.Reading, goal int, o Options) (*Result, error) {
	f := r.Goals()[goal]
	s, err := region.State(r.Context(), f)
	if err != nil {
		return nil, err
	}
	o = o.filled()
	m := region.Allow(o.Work)
	allowed := m.Left()
	most := min(zerosBoxes, max(1, o.Nodes/zerosNodes))
	out := &Result{Names: s.Names(), Box: s.Box()}
	work := 0
	spent := func() int { return allowed - m.Left() + work }
	defer func() { out.Work = min(spent(), o.Work) }()
	root := &node{}
	out.roots = []*node{root}
	open := []tile{{root, 0, s.Box(), 0}}
	var left []tile
	given := 0.0
	for len(open) > 0 && out.Nodes < most && ctx.Err() == nil {
		if spent() >= o.Work {
			out.Limit = limitOf(o.Work)
			break
		}
		batch := open[:min(len(open), most-out.Nodes, zerosBatch)]
		open = open[len(batch):]
		found := make([]attempt, len(batch))
		var wg sync.WaitGroup
		next := make(chan int)
		for range min(max(1, o.Workers), len(batch)) {
			wg.Go(func() {
				for i := range next {
					found[i] = tryBox(ctx, part, goal, out.Names, batch[i].box)
				}
			})
		}
		for i := range batch {
			next <- i
		}
		close(next)
		wg.Wait()
		if ctx.Err() != nil {
			open = append(batch, open...)
			break
		}
		for i, t := range batch {
			out.Nodes++
			a := found[i]
			work += a.work
			if a.fails != nil {
				out.Suspects = append(out.Suspects, a.fails)
				return out, nil
			}
			if a.proved {
				if th, _, err := onBox(ctx, r, f, out.Names, t.box, zerosSteps); err == nil {
					t.at.step = region.Step{Rule: "theorem", Theorem: th}
					given += share(t)
					continue
				}
			}
			if step, ok := outside(s, m, t.box); ok {
				t.at.step = step
				given += share(t)
				continue
			}
			coordinate, at := widest(out.Box, t.box)
			if at == nil || t.depth >= maxDepth {
				left = append(left, t)
				continue
			}
			lower, upper := halves(t.box, coordinate, at)
			t.at.coordinate, t.at.at, t.at.lower, t.at.upper = coordinate, at, &node{}, &node{}
			open = append(open, tile{t.at.lower, 0, lower, t.depth + 1}, tile{t.at.upper, 0, upper, t.depth + 1})
		}
		if o.Progress != nil {
			o.Progress(given, len(open)+len(left))
		}
	}
	for _, t := range append(left, open...) {
		out.Open = append(out.Open, Open{Box: t.box, Share: share(t), at: t.at})
	}
	return out, ctx.Err()
}

// theorems is the number of boxes that a theorem decided.
func (r *Result) theorems() (n int) {
	for _, x := range r.Steps() {
		if x.Rule == "theorem" {
			n++
		}
	}
	return n
}

// share is that of a tile in the region, each split taken as half.
func share(t tile) float64 {
	return math.Ldexp(1, -t.depth)
}

// attempt is what became of a box in a reading of its own.
type attempt struct {
	work   int // operations
	proved bool
	fails  []*big.Rat // a point at which the statement fails
}

func tryBox(ctx context.Context, part *lang.Part, goal int, names []string, box []region.Side) (a attempt) {
	r, err := lang.Elaborate(part)
	if err != nil {
		return a
	}
	if _, a.work, err = onBox(ctx, r, r.Goals()[goal], names, box, zerosSteps); err == nil {
		a.proved = true
		return a
	}
	exact := eval.NewMetered()
	for _, x := range append([][]*big.Rat{middle(box)}, corners(box)...) {
		w := witness(part, names, x)
		if f, err := eval.Judge(exact, part, w); err != nil || !f.Met || f.Holds {
			continue
		}
		if ref, err := verdict.Refute(part, w); err == nil && ref.Verdict().IsRefuted() {
			a.fails = x
			break
		}
	}
	a.work += exact.Spent()
	return a
}

// corners are those of a box that belong to it, of a box with few.
func corners(box []region.Side) (out [][]*big.Rat) {
	if len(box) > 4 {
		return nil
	}
	for k := range 1 << len(box) {
		x := make([]*big.Rat, len(box))
		ok := true
		for i, d := range box {
			v, open := d.Lo, d.LoOpen
			if k>>i&1 == 1 {
				v, open = d.Hi, d.HiOpen
			}
			x[i], ok = v, ok && v != nil && !open
		}
		if ok {
			out = append(out, x)
		}
	}
	return out
}

// outside is the step that says of a box that a hypothesis fails on it.
func outside(s *region.Statement, m *region.Meter, box []region.Side) (region.Step, bool) {
	for h := range s.Hypotheses() {
		for _, by := range []string{"interval", "bernstein"} {
			if x := (region.Step{Rule: "outside", Hypothesis: h, By: by}); s.Shows(m, 0, box, x) {
				return x, true
			}
		}
	}
	return region.Step{}, false
}

// widest is the coordinate that has most left of its range in the region, and where to cut it; at is nil where there is none.
func widest(root, box []region.Side) (coordinate int, at *big.Rat) {
	best := 0.0
	for i, d := range box {
		w := float(d.Hi, 1) - float(d.Lo, -1)
		if d.Lo != nil && d.Hi != nil {
			if r := root[i]; r.Lo != nil && r.Hi != nil {
				w /= float(r.Hi, 1) - float(r.Lo, -1)
			} else {
				w /= 1 + max(-float(d.Lo, -1), float(d.Hi, 1))
			}
		}
		if w > best {
			best, coordinate, at = w, i, middleOf(d)
		}
	}
	return coordinate, at
}
