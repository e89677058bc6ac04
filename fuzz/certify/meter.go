package certify

import (
	"context"
	"math/big"

	"stopgrad/theory/region"
)

// WorkOfBox is how many operations a search may take for each box that it may look at, if nothing else is said. An operation
// is one on ranges of float64 numbers, or one that package region counts; what takes longer counts as more.
const WorkOfBox = 40_000

const (
	leastWork = 400_000_000 // of a search of few boxes
	leastTile = 100_000     // what a tile is begun with

	// maxSides is how many sides of boxes may be held at the same time.
	maxSides = 4_000_000
	// maxPartials is how many partial derivatives are held at the same time.
	maxPartials = 250_000
	// maxOps is how many operations of tapes are kept, of hypotheses and roots; a search does without the others.
	maxOps = 1_000_000
	// maxCoefs is how many coefficients of polynomials are kept; a search does without the others.
	maxCoefs = 2_000_000
)

// meter counts the work of a search, and ends it.
type meter struct {
	ctx   context.Context
	left  int
	spent int
}

// exhausted is what a meter panics with.
type exhausted struct{}

func newMeter(ctx context.Context, work int) *meter { return &meter{ctx: ctx, left: work} }

func (m *meter) charge(n int) {
	m.spent += n
	if m.left -= n; m.left < 0 || m.ctx.Err() != nil {
		panic(exhausted{})
	}
}

// within does something, and reports whether the meter allowed it.
func within(f func()) (ok bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
			ok = true
		case exhausted:
		default:
			panic(r)
		}
	}()
	f()
	return
}

// shows is the statement's Shows on the meter.
func (m *meter) shows(s *region.Statement, condition int, box []region.Side, x region.Step) bool {
	allowed := region.Allow(m.left)
	before := allowed.Left()
	ok := s.Shows(allowed, condition, box, x)
	m.charge(before - allowed.Left())
	return ok
}

// effort is the work of reading the sides of a box, halving and copying them.
func effort(box []region.Side) int {
	n := 64 * len(box)
	for _, d := range box {
		for _, x := range []*big.Rat{d.Lo, d.Hi} {
			if x != nil {
				w := max(x.Num().BitLen(), x.Denom().BitLen()) / 64
				n += 4 * (w + w*w)
			}
		}
	}
	return n
}
