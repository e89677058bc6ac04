package certify

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"stopgrad/fuzz/campaign"
	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/region"
)

// Options bound a search. What is found depends on Nodes and Work alone, unless the context ends first.
type Options struct {
	// Nodes is how many boxes are looked at for one formula; zero means DefaultNodes.
	Nodes int
	// Work is how many operations the searches for all formulas of a part may take together; zero means [WorkOfBox] for each
	// box, and no fewer than 400,000,000. Of motions these are operations on intervals.
	Work int
	// Workers is how many tiles are searched at the same time; at least 1.
	Workers int
	// Results, if not nil, keeps finished tiles.
	Results *campaign.Results
	// Progress, if not nil, is told the share of the region that is certified and how many boxes are open.
	Progress func(certified float64, open int)
}

// DefaultNodes is how many boxes are looked at for one formula.
const DefaultNodes = 400_000

const (
	tileNodes = 256 // boxes of one tile
	maxDepth  = 120 // splits one within another
)

// Open is a box that is left undecided.
type Open struct {
	Condition int
	Box       []region.Side
	Share     float64 // of the region, each split taken as half
	Reason    string  // why its tile was given up, empty if the budget ran out

	at *node
}

// Result is what a search for one formula came to: an argument with the boxes that are left, and points at which the
// formula seems to fail.
type Result struct {
	Names    []string
	Box      []region.Side
	Sheds    []region.Shed
	Open     []Open
	Suspects [][]*big.Rat // values of the coordinates
	Nodes    int
	// Work is how many operations the search took.
	Work int
	// Limit is what ended the search before the boxes were used up; empty if nothing did.
	Limit string

	roots []*node
	sides bool // there are fewer boxes than asked for, because of their sides
}

// Decided reports whether no box is left.
func (r *Result) Decided() bool { return len(r.Open) == 0 && len(r.Suspects) == 0 }

// Steps is the argument in preorder; the boxes that are left have a leaf without a rule.
func (r *Result) Steps() []region.Step {
	var out []region.Step
	for _, n := range r.roots {
		out = n.steps(r.Names, out)
	}
	return out
}

// node is a box of the argument.
type node struct {
	coordinate int
	at         *big.Rat
	lower      *node
	upper      *node
	step       region.Step // of a leaf; without a rule where it is open
	reason     string
}

func (n *node) steps(names []string, out []region.Step) []region.Step {
	if n.lower == nil {
		return append(out, n.step)
	}
	out = append(out, region.Step{Rule: "split", Coordinate: names[n.coordinate], At: n.at})
	return n.upper.steps(names, n.lower.steps(names, out))
}

// tile is an open box: a leaf of the tree that is to be replaced by what its search finds.
type tile struct {
	at        *node
	condition int
	box       []region.Side
	depth     int
}

// Search looks for an argument that the formula holds over the region that the context states.
func Search(ctx context.Context, c *kernel.Context, goal kernel.Formula, o Options) (*Result, error) {
	o = o.filled()
	m := newMeter(ctx, o.Work)
	var first *searcher
	var sheds []region.Shed
	var err error
	if !within(func() {
		sheds = findSheds(c, goal, m)
		first, err = newSearcher(c, goal, sheds, m)
	}) {
		r := &Result{Work: min(m.spent, o.Work), Limit: limitOf(o.Work)}
		r.Open = []Open{{Share: 1, at: &node{}}}
		return r, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	more := func() (s looker, err error) {
		// What it counts as was counted once.
		s, err = newSearcher(c, goal, sheds, newMeter(context.WithoutCancel(ctx), math.MaxInt))
		return s, err
	}
	r := &Result{Names: first.s.Names(), Box: first.root, Sheds: sheds, Work: m.spent}
	nodes := tileNodes
	if n := len(first.root); n > 0 {
		nodes = max(1, min(nodes, maxSides/4/n))
		if most := max(1, maxSides/n); most < o.Nodes {
			o.Nodes, r.sides = most, true
		}
	}
	var open []tile
	for i := range first.conditions {
		root := &node{}
		r.roots = append(r.roots, root)
		open = append(open, tile{root, i, first.root, 0})
	}
	text := "" // of the addresses of tiles that are kept
	if o.Results != nil {
		text = certificate.Sequent(c, goal) + fmt.Sprint(len(sheds))
	}
	return r, r.search(ctx, &worker{first, nodes}, more, open, text, o)
}

// filled has the defaults.
func (o Options) filled() Options {
	if o.Nodes <= 0 {
		o.Nodes = DefaultNodes
	}
	if o.Work <= 0 {
		o.Work = max(leastWork, WorkOfBox*o.Nodes)
	}
	return o
}

func limitOf(work int) string {
	return fmt.Sprintf("the search is open: more than %d operations", work)
}

// finding is what looking at a box comes to: a leaf, a point at which the statement seems to fail, or where to cut.
type finding struct {
	step       region.Step
	found      bool
	suspect    []*big.Rat
	coordinate int
	at         *big.Rat // nil: it cannot be cut
}

// looker looks at boxes. It is for one goroutine.
type looker interface {
	// begin is called before the boxes of a tile, each of which is of the same condition.
	begin(condition int, m *meter)
	look(b tile, m *meter) finding
	coordinates() int
}

// worker searches tiles of so many boxes.
type worker struct {
	looker
	nodes int
}

// search looks at open boxes, in rounds, until none is left or the boxes or the work are used up. In a round what is left of the
// work is shared among the tiles evenly, so that what each does depends on nothing that another does.
func (r *Result) search(ctx context.Context, first *worker, more func() (looker, error), open []tile, text string, o Options) error {
	pool := []*worker{first}
	given := []tile{} // up
	conditions := float64(len(open))
	for len(open) > 0 && r.Nodes < o.Nodes && len(r.Suspects) == 0 && ctx.Err() == nil {
		// A round: each open box becomes a tile, as many as the budget has room for.
		batch := open
		if room := max(1, (o.Nodes-r.Nodes)/first.nodes); len(batch) > room {
			batch = batch[:room]
		}
		if o.Work-r.Work < leastTile {
			r.Limit = limitOf(o.Work)
			break
		}
		batch = batch[:min(len(batch), (o.Work-r.Work)/leastTile)]
		work := (o.Work - r.Work) / len(batch)
		// Signatures are not safe for concurrent use: every worker gets a statement of its own, one after the other, when there
		// is something for it to do.
		for len(pool) < min(o.Workers, len(batch)) {
			s, err := more()
			if err != nil {
				return err
			}
			pool = append(pool, &worker{s, first.nodes})
		}
		found := make([]outcome, len(batch))
		var taken atomic.Int64
		search := func(s *worker) {
			for i := int(taken.Add(1)) - 1; i < len(batch); i = int(taken.Add(1)) - 1 {
				found[i] = s.kept(ctx, text, batch[i], work, o)
			}
		}
		var wg sync.WaitGroup
		for _, s := range pool[1:min(len(pool), len(batch))] {
			wg.Go(func() { search(s) })
		}
		search(first)
		wg.Wait()
		if ctx.Err() != nil {
			break
		}
		left := slices.Clone(open[len(batch):])
		for i, f := range found {
			if f.err != nil {
				return f.err
			}
			r.Nodes += f.nodes
			r.Work += f.work
			if f.reason != "" {
				batch[i].at.reason = f.reason
				given = append(given, batch[i])
				continue
			}
			t := batch[i]
			r.Suspects = append(r.Suspects, f.suspects...)
			*t.at = *f.root
			more := t.open(nil)
			left = append(left, more...)
		}
		open = left
		if o.Progress != nil {
			share := 0.0
			for _, t := range append(given, open...) {
				share += math.Ldexp(1, -t.depth) / conditions
			}
			o.Progress(1-share, len(open))
		}
	}
	if r.sides && r.Nodes >= o.Nodes {
		r.Limit = fmt.Sprintf("the search is open: boxes of more than %d sides", maxSides)
	}
	for _, t := range append(given, open...) {
		r.Open = append(r.Open, Open{t.condition, t.box, math.Ldexp(1, -t.depth) / conditions, t.at.reason, t.at})
	}
	return nil
}

// open lists the open leaves below a tile.
func (t tile) open(out []tile) []tile {
	n := t.at
	if n.lower == nil {
		if n.step.Rule == "" {
			out = append(out, t)
		}
		return out
	}
	lower, upper := halves(t.box, n.coordinate, n.at)
	out = tile{n.lower, t.condition, lower, t.depth + 1}.open(out)
	return tile{n.upper, t.condition, upper, t.depth + 1}.open(out)
}

func halves(box []region.Side, i int, at *big.Rat) (lower, upper []region.Side) {
	lower, upper = slices.Clone(box), slices.Clone(box)
	lower[i].Hi, lower[i].HiOpen = at, false
	upper[i].Lo, upper[i].LoOpen = at, false
	return lower, upper
}

// outcome is what the search of a tile came to.
type outcome struct {
	root     *node
	nodes    int
	work     int
	suspects [][]*big.Rat
	reason   string // why it was given up
	err      error  // of the store
}

// kept is the search of a tile, or its result from the store.
func (s *worker) kept(ctx context.Context, text string, t tile, work int, o Options) (f outcome) {
	var key string
	if o.Results != nil {
		key = campaign.Key("region tile 3", text, fmt.Sprint(t.condition, s.nodes, t.depth), boxText(t.box))
		if payload, ok := o.Results.Get(key); ok {
			if f, ok := s.decode(string(payload)); ok && f.work <= work {
				return f
			}
		}
	}
	m := newMeter(ctx, work)
	f = s.guarded(ctx, t, m)
	f.work = min(m.spent, work)
	switch {
	case ctx.Err() != nil:
		return outcome{root: &node{}}
	case f.reason == "" && o.Results != nil && m.left >= 0:
		f.err = o.Results.Put(key, []byte(s.encode(f)))
	}
	return f
}

// guarded is the search of a tile, whose panic ends nothing but itself.
func (s *worker) guarded(ctx context.Context, t tile, m *meter) (f outcome) {
	defer func() {
		if r := recover(); r != nil {
			f = outcome{reason: fmt.Sprintf("its tile failed: %v", r)}
		}
	}()
	return s.tile(ctx, t, m)
}

// tile searches a box breadth first. A box that the meter does not allow to look at stays open.
func (s *worker) tile(ctx context.Context, t tile, m *meter) outcome {
	f := outcome{root: &node{}}
	if !within(func() { s.begin(t.condition, m) }) {
		return f
	}
	queue := []tile{{f.root, t.condition, t.box, t.depth}}
	for len(queue) > 0 && f.nodes < s.nodes && ctx.Err() == nil {
		b := queue[0]
		queue = queue[1:]
		f.nodes++
		var x finding
		if !within(func() { x = s.look(b, m) }) {
			break
		}
		if x.found {
			b.at.step = x.step
			continue
		}
		if x.suspect != nil {
			f.suspects = append(f.suspects, x.suspect)
			break
		}
		if x.at == nil || b.depth >= maxDepth {
			continue
		}
		lower, upper := halves(b.box, x.coordinate, x.at)
		b.at.coordinate, b.at.at, b.at.lower, b.at.upper = x.coordinate, x.at, &node{}, &node{}
		queue = append(queue, tile{b.at.lower, b.condition, lower, b.depth + 1}, tile{b.at.upper, b.condition, upper, b.depth + 1})
	}
	return f
}

func boxText(box []region.Side) string {
	var b strings.Builder
	end := func(v *big.Rat, open bool) string {
		if v == nil {
			return "inf"
		}
		if open {
			return v.RatString() + "o"
		}
		return v.RatString()
	}
	for _, d := range box {
		fmt.Fprintf(&b, "%s,%s;", end(d.Lo, d.LoOpen), end(d.Hi, d.HiOpen))
	}
	return b.String()
}

// encode is a finished tile as a line of text.
func (s *worker) encode(f outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d", f.nodes, f.work)
	for _, x := range f.suspects {
		b.WriteString(" !")
		for i, v := range x {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(v.RatString())
		}
	}
	var put func(n *node)
	put = func(n *node) {
		switch {
		case n.lower != nil:
			fmt.Fprintf(&b, " %d:%s", n.coordinate, n.at.RatString())
			put(n.lower)
			put(n.upper)
		case n.step.Rule == "":
			b.WriteString(" ?")
		case n.step.Rule == "outside":
			fmt.Fprintf(&b, " -%d:%s", n.step.Hypothesis, n.step.By)
		default:
			b.WriteString(" " + n.step.Rule)
		}
	}
	put(f.root)
	return b.String()
}

// decode reads what encode wrote; what it does not understand is computed again.
func (s *worker) decode(text string) (f outcome, ok bool) {
	words := strings.Fields(text)
	if len(words) < 2 {
		return f, false
	}
	if _, err := fmt.Sscanf(words[0], "%d/%d", &f.nodes, &f.work); err != nil || f.nodes < 0 || f.work < 0 {
		return f, false
	}
	number := func(text string) (*big.Rat, bool) {
		if strings.Trim(text, "-/0123456789") != "" {
			return nil, false // 1e999999999, which encode does not write
		}
		return new(big.Rat).SetString(text)
	}
	words = words[1:]
	for len(words) > 0 && words[0][0] == '!' {
		var x []*big.Rat
		for _, w := range strings.Split(words[0][1:], ",") {
			v, ok := number(w)
			if !ok {
				return f, false
			}
			x = append(x, v)
		}
		if len(x) != s.coordinates() {
			return f, false
		}
		f.suspects, words = append(f.suspects, x), words[1:]
	}
	var get func() *node
	get = func() *node {
		if len(words) == 0 {
			return nil
		}
		w := words[0]
		words = words[1:]
		head, tail, cut := strings.Cut(w, ":")
		switch {
		case w == "?":
			return &node{}
		case !cut:
			return &node{step: region.Step{Rule: w}}
		case w[0] == '-':
			n := &node{step: region.Step{Rule: "outside", By: tail}}
			if _, err := fmt.Sscanf(head, "-%d", &n.step.Hypothesis); err != nil {
				return nil
			}
			return n
		}
		n := &node{}
		if _, err := fmt.Sscanf(head, "%d", &n.coordinate); err != nil || n.coordinate < 0 || n.coordinate >= s.coordinates() {
			return nil
		}
		if n.at, cut = number(tail); !cut {
			return nil
		}
		if n.lower = get(); n.lower != nil {
			n.upper = get()
		}
		if n.upper == nil {
			return nil
		}
		return n
	}
	f.root = get()
	return f, f.root != nil && len(words) == 0
}
