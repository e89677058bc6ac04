package certify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"stopgrad/fuzz/pursuit"
	"stopgrad/fuzz/rest"
	"stopgrad/numeric/enclosure"
	"stopgrad/numeric/interval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

const (
	slower    = 16  // times as long takes an operation on outward-rounded intervals
	boxNodes  = 100 // what a box that flows counts as, of the boxes of a budget
	flowNodes = 8   // boxes of one tile
	fewPoints = 4   // motions that are followed to where they come to rest, and boxes whose middles are tried
	fineness  = 3   // cuts of the box of what does not move before no trap is looked for
)

// usual is how motions are followed, and until when where an assumption is to end them.
var usual = trajectory.Way{End: big.NewRat(1000, 1), Order: 6, Steps: 400, Remainder: 16, Share: 7}

var ends = []*big.Rat{big.NewRat(1, 4), big.NewRat(1, 2), big.NewRat(1, 1), big.NewRat(2, 1), big.NewRat(4, 1), big.NewRat(8, 1), big.NewRat(16, 1), big.NewRat(32, 1), big.NewRat(64, 1)}

// flows settles a part over time: along all motions from its region, or by one along which it fails.
func (out *Outcome) flows(ctx context.Context, part *lang.Part, o Options) error {
	goals := out.reading.Goals()
	for g, goal := range goals {
		found, err := searchFlow(ctx, part, g, o)
		if err != nil {
			return err
		}
		out.Results = append(out.Results, found.Result)
		for _, x := range found.Suspects {
			w := witness(part, found.Names, x)
			if r, err := pursuit.From(ctx, part, w); err == nil {
				out.Refutation, out.Witness, out.Verdict = r, w, r.Verdict()
				return nil
			}
		}
		if len(found.Open) > 0 {
			return ctx.Err()
		}
		c, err := trajectory.Certify(out.reading.Context(), goal, found.argument())
		switch {
		case errors.Is(err, enclosure.ErrWork):
			// It would not be read again.
			found.Open = []Open{{Box: found.Box, Share: 1, Reason: err.Error()}}
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("certify: the argument that was found does not hold: %w", err)
		}
		out.Outcomes = append(out.Outcomes, c)
	}
	out.Verdict = verdict.OfOutcomes(out.reading, out.Outcomes)
	return ctx.Err()
}

// flowResult is what a search of motions came to.
type flowResult struct {
	*Result
	ways  []trajectory.Way
	traps []*trajectory.Trap
}

func (f *flowResult) argument() trajectory.Argument {
	a := trajectory.Argument{Ways: f.ways, Traps: f.traps}
	for _, s := range f.Steps() {
		a.Steps = append(a.Steps, stepOf(s))
	}
	return a
}

// ruleOf is a leaf as the rule of a step of a tree, in one word, and stepOf the leaf, or the cut, of a step.
func ruleOf(s trajectory.Step) string { return strings.ReplaceAll(s.String(), " ", ".") }

func stepOf(s region.Step) trajectory.Step {
	if s.Rule == "split" {
		return trajectory.Step{Rule: "cut", Coordinate: s.Coordinate, At: s.At}
	}
	words := strings.Split(s.Rule, ".")
	number := func(i int) (n int) {
		if i < len(words) {
			fmt.Sscan(words[i], &n)
		}
		return n
	}
	x := trajectory.Step{Rule: words[0]}
	switch words[0] {
	case "flows":
		x.Way, x.Trap = number(1), number(2)
	case "fails":
		x.Hypothesis = number(1)
	case "ends":
		x.Way, x.Hypothesis = number(1), number(2)
	}
	return x
}

// flower looks at boxes of a region of motions. It is for one goroutine.
type flower struct {
	r        *trajectory.Region
	a        *trajectory.Argument
	box      []region.Side
	premises []int // those that may fail at the start
	kept     []int // hypotheses that may end motions
	limit    bool  // the goal is about where motions tend
}

// newFlower reads the part by itself: signatures are not safe for concurrent use.
func newFlower(part *lang.Part, goal int) (*flower, *lang.Reading, error) {
	reading, err := lang.Elaborate(part)
	if err != nil {
		return nil, nil, err
	}
	r, err := trajectory.NewRegion(reading.Context(), reading.Goals()[goal])
	if err != nil {
		return nil, nil, err
	}
	form := reading.Goals()[goal].Form()
	f := &flower{r: r, limit: form == kernel.Vanishes || form == kernel.Tends}
	size := 1.0
	for _, s := range r.Box() {
		f.box = append(f.box, region.Side{Lo: s.Lo, Hi: s.Hi})
		for _, v := range []*big.Rat{s.Lo, s.Hi} {
			x, _ := v.Float64()
			size = max(size, math.Abs(x))
		}
	}
	r.Widest = size
	hyps := reading.Context().Hypotheses()
	n, err := r.Premises()
	if err != nil {
		return nil, nil, err
	}
	for i := range n {
		if i < len(hyps) {
			if ts := hyps[i].Formula().Terms(); slices.ContainsFunc(ts, func(t *kernel.Term) bool { return t.Head() == kernel.Number }) &&
				slices.ContainsFunc(ts, func(t *kernel.Term) bool { return t.Head() == kernel.Letter }) {
				continue // the box's affair
			}
		}
		f.premises = append(f.premises, i)
	}
	for i, h := range hyps {
		if h.Mark() == kernel.Kept {
			f.kept = append(f.kept, i)
		}
	}
	return f, reading, nil
}

func (f *flower) begin(int, *meter) {}

// within does something with the region, which is counted and bounded by the meter.
func (f *flower) within(m *meter, do func()) {
	f.r.Allow(int64(m.left))
	defer func() { m.charge(int(f.r.Spent())) }()
	do()
}

func (f *flower) coordinates() int { return len(f.box) }

func sides(box []region.Side) []trajectory.Side {
	var out []trajectory.Side
	for _, s := range box {
		out = append(out, trajectory.Side{Lo: s.Lo, Hi: s.Hi})
	}
	return out
}

// look tries the leaves on a box, those that need no motion first.
func (f *flower) look(b tile, m *meter) (out finding) {
	f.within(m, func() { out = f.leaves(b) })
	return out
}

func (f *flower) leaves(b tile) (out finding) {
	box := sides(b.box)
	cut := -1
	try := func(s trajectory.Step) bool {
		c, err := f.r.Look(box, f.a, s)
		if err == nil {
			out.step, out.found = region.Step{Rule: ruleOf(s)}, true
			return true
		}
		if c >= 0 {
			cut = c
		}
		return false
	}
	for _, h := range f.premises {
		if try(trajectory.Step{Rule: "fails", Hypothesis: h}) {
			return out
		}
	}
	for k := range f.a.Traps {
		if try(trajectory.Step{Rule: "flows", Trap: k}) {
			return out
		}
	}
	for _, h := range f.kept {
		for w := 1; w < len(f.a.Ways); w++ {
			if try(trajectory.Step{Rule: "ends", Way: w, Hypothesis: h}) {
				return out
			}
		}
	}
	if cut < 0 || b.depth%2 == 1 {
		// Now and then the widest side, so that none is forgotten.
		best := 0.0
		for i, s := range b.box {
			whole := new(big.Rat).Sub(f.box[i].Hi, f.box[i].Lo)
			if whole.Sign() == 0 {
				continue
			}
			w, _ := new(big.Rat).Quo(new(big.Rat).Sub(s.Hi, s.Lo), whole).Float64()
			if w > best {
				cut, best = i, w
			}
		}
	}
	if cut >= 0 {
		out.coordinate, out.at = cut, middleOf(b.box[cut])
	}
	return out
}

// searchFlow looks for an argument that a goal of a part holds along all motions from its region.
func searchFlow(ctx context.Context, part *lang.Part, goal int, o Options) (*flowResult, error) {
	first, reading, err := newFlower(part, goal)
	if err != nil {
		return nil, err
	}
	o = o.filled()
	o.Nodes, o.Work = max(1, o.Nodes/boxNodes), o.Work/slower
	f := &flowResult{Result: &Result{Names: first.r.Names(), Box: first.box}}
	f.ways = []trajectory.Way{usual}
	if len(first.kept) > 0 {
		for _, e := range ends {
			w := usual
			w.End = e
			f.ways = append(f.ways, w)
		}
	}
	corners := points(first.box)
	m := newMeter(ctx, o.Work)
	if !within(func() {
		first.within(m, func() { f.traps = first.traps(ctx, first.r.Box(), corners[:min(len(corners), 3)], fineness) })
	}) {
		f.Work, f.Limit, f.Open = o.Work, limitOf(o.Work), []Open{{Share: 1, at: &node{}}}
		return f, ctx.Err()
	}
	f.Work = m.spent
	// A motion along which it fails is found before any box is cut, or is not far from one that is left.
	for _, x := range corners {
		if _, err := pursuit.From(ctx, part, witness(part, f.Names, x)); err == nil {
			f.Suspects = [][]*big.Rat{x}
			return f, nil
		}
	}
	first.a = &trajectory.Argument{Ways: f.ways, Traps: f.traps}
	more := func() (looker, error) {
		s, _, err := newFlower(part, goal)
		if err == nil {
			s.a = first.a
		}
		return s, err
	}
	root := &node{}
	f.roots = []*node{root}
	text := certificate.Sequent(reading.Context(), reading.Goals()[goal]) + fmt.Sprint(f.ways, trapText(f.traps))
	if err := f.search(ctx, &worker{first, flowNodes}, more, []tile{{root, 0, first.box, 0}}, text, o); err != nil {
		return nil, err
	}
	for k, b := range f.Open {
		if k == fewPoints || ctx.Err() != nil {
			break
		}
		f.Suspects = append(f.Suspects, middle(b.Box))
	}
	return f, nil
}

func trapText(traps []*trajectory.Trap) string {
	var b strings.Builder
	for _, t := range traps {
		fmt.Fprintln(&b, t.Rows, t.Lo, t.Hi)
	}
	return b.String()
}

// points are the middle of a box and some of its corners.
func points(box []region.Side) [][]*big.Rat {
	out := [][]*big.Rat{middle(box)}
	wide := 0
	for _, d := range box {
		if d.Lo.Cmp(d.Hi) < 0 {
			wide++
		}
	}
	for k := range min(1<<min(wide, 10), fewPoints) {
		var x []*big.Rat
		bit := 0
		for _, d := range box {
			v := d.Lo
			if d.Lo.Cmp(d.Hi) < 0 {
				if k>>bit&1 == 1 {
					v = d.Hi
				}
				bit++
			}
			x = append(x, v)
		}
		out = append(out, x)
	}
	return out
}

// traps proposes traps in which the goal holds, around where motions from some points come to rest, for all values in the box of
// what does not move, or for those in parts of it.
func (f *flower) traps(ctx context.Context, box []trajectory.Side, from [][]*big.Rat, depth int) (out []*trajectory.Trap) {
	m, err := f.r.Over(box)
	if err != nil || ctx.Err() != nil {
		return nil
	}
	sys := m.System()
	params := map[string]*big.Rat{}
	for i, n := range f.r.Names() {
		v := new(big.Rat).Add(box[i].Lo, box[i].Hi)
		params[n] = v.Mul(v, big.NewRat(1, 2))
	}
	var seen [][]float64
	var ways [][][]float64
	var found [][]rest.Box
	missing := false
	for _, x := range from {
		way := f.way(box, x)
		if way == nil {
			continue
		}
		ways = append(ways, way)
		at := way[len(way)-1]
		if at, err = rest.Settle(sys, params, at); err != nil || slices.ContainsFunc(seen, func(y []float64) bool { return near(at, y) }) {
			continue
		}
		seen = append(seen, at)
		bs, err := rest.Wide(sys, params, at, f.limit, func(t *enclosure.Trap) bool { return f.r.Rests(m, t) })
		if err != nil {
			missing = true
			continue
		}
		found = append(found, bs)
	}
	// Room for a set of states, as wide as a quarter of what there is at the start.
	margin := make([]float64, len(m.Names()))
	for j, n := range m.Names() {
		if i := slices.Index(f.r.Names(), n); i >= 0 {
			w, _ := new(big.Rat).Sub(box[i].Hi, box[i].Lo).Float64()
			margin[j] = w / 4
		}
	}
	for _, bs := range found {
		// The trap that motions get into soonest.
		best, soonest := bs[0], math.MaxInt
		for _, b := range bs {
			late := 0
			for _, way := range ways {
				late += enters(b, way, margin)
			}
			if late < soonest {
				best, soonest = b, late
			}
		}
		out = append(out, &trajectory.Trap{Rows: best.Rows, Lo: best.Lo, Hi: best.Hi})
	}
	if len(out) > 0 && !missing || depth == 0 {
		return out
	}
	// Cut across what does not move and is widest.
	cut, best := -1, new(big.Rat)
	for _, n := range sys.Wide() {
		i := slices.Index(f.r.Names(), n)
		if w := new(big.Rat).Sub(box[i].Hi, box[i].Lo); w.Cmp(best) > 0 {
			cut, best = i, w
		}
	}
	if cut < 0 {
		return out
	}
	for half := range 2 {
		part, points := slices.Clone(box), [][]*big.Rat(nil)
		if half == 0 {
			part[cut].Hi = params[f.r.Names()[cut]]
		} else {
			part[cut].Lo = params[f.r.Names()[cut]]
		}
		for _, x := range from {
			y := slices.Clone(x)
			v := new(big.Rat).Add(part[cut].Lo, part[cut].Hi)
			y[cut] = v.Mul(v, big.NewRat(1, 2))
			points = append(points, y)
		}
		out = append(out, f.traps(ctx, part, points, depth-1)...)
	}
	return out
}

func near(x, y []float64) bool {
	for i := range x {
		if math.Abs(x[i]-y[i]) > 1e-6*(1+math.Abs(x[i])) {
			return false
		}
	}
	return true
}

// enters is how many steps a motion takes until it is in a box, with a margin in each variable.
func enters(b rest.Box, way [][]float64, margin []float64) int {
	for k, x := range way {
		in := true
		for i, row := range b.Rows {
			u, room := 0.0, 0.0
			for j, c := range row {
				v, _ := c.Float64()
				u, room = u+v*x[j], room+math.Abs(v)*margin[j]
			}
			lo, _ := b.Lo[i].Float64()
			hi, _ := b.Hi[i].Float64()
			in = in && lo+room <= u && u <= hi-room
		}
		if in {
			return k
		}
	}
	return len(way)
}

// way is the motion from a point, in steps of the system's variables, until it has nearly come to rest or cannot be followed; nil
// if it does not begin. What does not move is in the middle of the box.
func (f *flower) way(box []trajectory.Side, x []*big.Rat) (out [][]float64) {
	start, still := make([]trajectory.Side, len(x)), slices.Clone(box)
	for i, v := range x {
		start[i] = trajectory.Side{Lo: v, Hi: v}
		m := new(big.Rat).Add(box[i].Lo, box[i].Hi)
		m.Mul(m, big.NewRat(1, 2))
		still[i] = trajectory.Side{Lo: m, Hi: m}
	}
	m, err := f.r.Over(still)
	if err != nil {
		return nil
	}
	at, err := f.r.Begin(m, start)
	if err != nil {
		return nil
	}
	tube, _, _, err := enclosure.Into(m.System(), at, big.NewRat(60, 1), f.r.Widest, &enclosure.Settings{Order: 6, Tolerance: 0x1p-16, MaxStep: 0.5, MaxSteps: 300})
	if err != nil {
		return nil
	}
	add := func(box []interval.Interval) {
		var y []float64
		for _, v := range box {
			y = append(y, v.Mid())
		}
		out = append(out, y)
	}
	for i := range tube.Steps() {
		_, _, step := tube.Step(i)
		add(step)
	}
	add(tube.Final())
	return out
}
