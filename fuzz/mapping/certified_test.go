package mapping

import (
	"bytes"
	"context"
	"encoding/csv"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// certifiedSpec is the map of p0 and s0 on the unit square.
func certifiedSpec(t *testing.T, model Model, set map[string]string) Spec {
	t.Helper()
	s := Spec{Model: model, Set: map[string]*big.Rat{}}
	var err error
	if s.X, err = ParseAxis("p0=0:1"); err != nil {
		t.Fatal(err)
	}
	if s.Y, err = ParseAxis("s0=0:1"); err != nil {
		t.Fatal(err)
	}
	for name, v := range set {
		var ok bool
		if s.Set[name], ok = new(big.Rat).SetString(v); !ok {
			t.Fatal(v)
		}
	}
	return s
}

var usual = map[string]string{"eta": "1/10", "alpha": "1", "sigma2": "0", "tau": "1"}

// TestCertifiedTilesAgreeWithTrajectories follows trajectories from random points of certified tiles: none ends otherwise.
// With STOPGRAD_LONG the maps are as fine as the default and 100,000 points of each are followed.
func TestCertifiedTilesAgreeWithTrajectories(t *testing.T) {
	refine, points := 4, 150
	if os.Getenv("STOPGRAD_LONG") != "" {
		refine, points = 0, 100_000
	}
	corner := func(s *Spec) { s.X.Hi, s.Y.Hi = big.NewRat(1, 5), big.NewRat(1, 30) } // where both outcomes have their share
	for _, q := range []struct {
		model         Model
		alpha, tau    string
		least, finest float64
		part          func(*Spec)
	}{{Frozen, "1", "1", 0.75, 0.99, nil}, {Modes, "1", "1", 0.75, 0.97, nil}, {Modes, "2", "0", 0.75, 0.97, nil},
		{Frozen, "1", "1", 0.5, 0.9, corner}, {Modes, "1", "1", 0.5, 0.9, corner}} {
		m := q.model
		set := map[string]string{"eta": "1/10", "alpha": q.alpha, "sigma2": "0", "tau": q.tau}
		spec := certifiedSpec(t, m, set)
		spec.Refine = refine
		if q.part != nil {
			q.part(&spec)
		}
		c, err := Certify(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(m, c)
		if least := map[bool]float64{false: q.least, true: q.finest}[refine == 0]; c.Share() < least {
			t.Errorf("%v: %v", m, c)
		}
		total := new(big.Rat)
		for _, a := range c.Area {
			total.Add(total, a)
		}
		if total.Cmp(big.NewRat(1, 1)) != 0 {
			t.Errorf("%v: the tiles cover %s of the area", m, total.RatString())
		}
		r, err := newRunner(spec)
		if err != nil {
			t.Fatal(err)
		}
		// Points by area: a uniform point of the map, in the tile that holds it.
		width, _ := spec.X.Hi.Float64()
		height, _ := spec.Y.Hi.Float64()
		// Tiles are halves of halves of certifiedCells squared.
		bucket := func(c Cell) [2]int {
			return [2]int{int(c.X / width * certifiedCells), int(c.Y / height * certifiedCells)}
		}
		near := map[[2]int][]Cell{}
		for _, tile := range c.Tiles {
			k := tile.cell()
			near[bucket(k)] = append(near[bucket(k)], k)
		}
		rng := rand.New(rand.NewPCG(1, uint64(m)))
		wrong, followed := 0, map[Outcome]int{}
		for followed[Collapse]+followed[Growth] < points {
			cell := Cell{X: width * rng.Float64(), Y: height * rng.Float64()}
			want := Undecided
			for _, k := range near[bucket(cell)] {
				if k.XLo < cell.X && cell.X < k.XHi && k.YLo < cell.Y && cell.Y < k.YHi {
					want = k.Outcome
					break
				}
			}
			if want == Undecided {
				continue
			}
			followed[want]++
			if err := r.fill(context.Background(), &cell); err != nil {
				t.Fatal(err)
			}
			if cell.Outcome != want {
				if wrong++; wrong <= 3 {
					t.Errorf("%v: from (%g, %g) there is %s where %s is certified", m, cell.X, cell.Y, cell.Outcome, want)
				}
			}
		}
		if q.part != nil && min(followed[Collapse], followed[Growth]) < points/20 {
			t.Errorf("%v: of too few tiles of one outcome: %v", m, followed)
		}
		t.Logf("%v, %d disagree", followed, wrong)
	}
}

// TestCertifyNeedsItsTraps breaks a trap: where collapse stands for growth, trajectories disagree at once.
func TestCertifyNeedsItsTraps(t *testing.T) {
	r, err := newRunner(certifiedSpec(t, Frozen, usual))
	if err != nil {
		t.Fatal(err)
	}
	c, err := newCertifier(r)
	if err != nil {
		t.Fatal(err)
	}
	at := func(p, s int64) Outcome {
		const n = 256
		o, _, err := c.tile(big.NewRat(p, n), big.NewRat(p+1, n), big.NewRat(s, n), big.NewRat(s+1, n))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if at(0, 0) != Collapse || at(192, 192) != Growth || at(28, 3) != Undecided {
		t.Error(at(0, 0), at(192, 192), at(28, 3))
	}
	c.says[0], c.says[1] = c.says[1], c.says[0]
	if at(0, 0) == Collapse || at(192, 192) == Growth {
		t.Error("what a trap stands for does not matter")
	}
}

// TestStripsNeedTheirBounds swaps the flows above and below a wide strip of leaves: then growth is said of it although a
// trajectory from its lowest leaf collapses. A sink beyond the saddle is refused.
func TestStripsNeedTheirBounds(t *testing.T) {
	rat := big.NewRat
	for _, q := range []struct {
		model Model
		tau   string
	}{{Modes, "0"}, {Frozen, "1"}} {
		r, err := newRunner(certifiedSpec(t, q.model, map[string]string{"eta": "1/10", "alpha": "1", "sigma2": "0", "tau": q.tau}))
		if err != nil {
			t.Fatal(err)
		}
		c, err := newCertifier(r)
		if err != nil {
			t.Fatal(err)
		}
		p, lo, hi := rat(1, 20), rat(7, 400), rat(57, 400)
		cell := Cell{X: 0.05, Y: 0.02} // not in the sink
		if err := r.fill(context.Background(), &cell); err != nil || cell.Outcome != Collapse {
			t.Fatal(cell.Outcome, err)
		}
		if yes, err := c.grow(p, lo, hi); yes || err != nil {
			t.Errorf("%v: the strip grows, %v", q.model, err)
		}
		if yes, err := c.collapse(p, lo, lo); !yes || err != nil {
			t.Errorf("%v: its lowest leaf does not collapse, %v", q.model, err)
		}
		if yes, err := c.grow(rat(1, 2), lo, hi); !yes || err != nil {
			t.Errorf("%v: the strip does not grow from far to the right of the saddle, %v", q.model, err)
		}
		c.above, c.below = c.below, c.above
		if yes, err := c.grow(p, lo, hi); !yes || err != nil {
			t.Errorf("%v: below and above are the same, %v", q.model, err)
		}
	}
	one := rat(1, 1)
	if !sinks(rat(1, 10), one, one, one, rat(11, 100), rat(11, 100)) || sinks(rat(1, 10), one, one, one, rat(12, 100), rat(11, 100)) ||
		sinks(rat(1, 10), one, one, one, rat(11, 100), rat(12, 100)) || sinks(rat(9, 10), one, one, one, rat(51, 100), rat(1, 10)) {
		t.Error("a sink has the wrong bounds")
	}
}

// TestTilesOfLeaves decides boxes by hand-made strips: what is not to the right, or to the left, of every threshold that the
// box meets is left open.
func TestTilesOfLeaves(t *testing.T) {
	rat := big.NewRat
	l := &leaves{alpha: rat(1, 1), edges: []*big.Rat{rat(-1, 1), rat(0, 1), rat(1, 1)},
		grows: []*big.Rat{rat(9, 16), rat(1, 16)}, falls: []*big.Rat{rat(1, 4), nil}}
	for _, c := range []struct {
		box  [4]*big.Rat
		want Outcome
	}{
		{[4]*big.Rat{rat(1, 4), rat(1, 2), rat(1, 2), rat(3, 4)}, Growth},
		{[4]*big.Rat{rat(1, 5), rat(1, 2), rat(1, 2), rat(3, 4)}, Undecided},
		{[4]*big.Rat{rat(1, 4), rat(3, 4), rat(1, 2), rat(3, 4)}, Undecided}, // its corner is on the other strip
		{[4]*big.Rat{rat(3, 4), rat(4, 5), rat(0, 1), rat(1, 4)}, Growth},
		{[4]*big.Rat{rat(1, 4), rat(1, 2), rat(0, 1), rat(1, 32)}, Collapse},
		{[4]*big.Rat{rat(1, 4), rat(3, 5), rat(0, 1), rat(1, 32)}, Undecided},
		{[4]*big.Rat{rat(1, 8), rat(1, 2), rat(0, 1), rat(1, 32)}, Undecided},
		{[4]*big.Rat{rat(1, 2), rat(2, 1), rat(3, 4), rat(1, 1)}, Undecided}, // beyond the strips
	} {
		if got := l.tile(c.box[0], c.box[1], c.box[2], c.box[3]); got != c.want {
			t.Errorf("%v is %v where %v is wanted", c.box, got, c.want)
		}
	}
}

func TestCertifyIsDeterministicAndWritten(t *testing.T) {
	var texts []string
	for _, workers := range []int{1, 3} {
		spec := certifiedSpec(t, Frozen, usual)
		spec.Refine, spec.Workers = 1, workers
		c, err := Certify(context.Background(), spec)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := c.WriteCSV(&b); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, b.String())
		rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil || len(rows) != len(c.Tiles)+1 || strings.Join(rows[0], " ") != "p0_lo p0_hi s0_lo s0_hi certified" {
			t.Errorf("the file: %v %v", rows[0], err)
		}
		var svg, png bytes.Buffer
		if err := c.WriteSVG(&svg); err != nil || !strings.Contains(svg.String(), "certified") {
			t.Error("the drawing does not say what is certified", err)
		}
		if err := c.WritePNG(&png); err != nil || png.Len() == 0 {
			t.Error(err)
		}
	}
	if texts[0] != texts[1] {
		t.Error("the result depends on the workers")
	}
}

func TestCertifyRefuses(t *testing.T) {
	axis := func(text string) Axis {
		ax, err := ParseAxis(text)
		if err != nil {
			t.Fatal(err)
		}
		return ax
	}
	for about, change := range map[string]func(*Spec){
		"another quantity":  func(s *Spec) { s.Y = axis("eta=0.01:0.2") },
		"a logarithmic one": func(s *Spec) { s.Y = axis("s0=0.01:1:log") },
		"no decay":          func(s *Spec) { s.Set["eta"] = new(big.Rat) },
		"the parabola":      func(s *Spec) { s.Model, s.Y, s.Set = Parabola, axis("eta=0.01:0.2"), map[string]*big.Rat{} },
	} {
		spec := certifiedSpec(t, Frozen, usual)
		change(&spec)
		if c, err := Certify(context.Background(), spec); err == nil || c != nil || !strings.HasPrefix(err.Error(), "mapping: ") {
			t.Errorf("%s: %v", about, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if c, err := Certify(ctx, certifiedSpec(t, Frozen, usual)); err == nil || c == nil || c.Share() != 0 {
		t.Errorf("after its end: %v", err)
	}
}
