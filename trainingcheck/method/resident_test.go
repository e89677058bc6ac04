package method

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
)

// album is a Resident source of random colour images with every stage of a
// pipeline. Its batches are what the graph of the views makes on an engine;
// package data tests that against the definition.
type album struct {
	stock  augment.Stock
	seed   uint64
	n      int
	engine *engine.Engine
	change func(*augment.Params) // of every record drawn, for twins
	asked  *[2]int               // how often Batch and Draws were called
	// oversized offers a stock of more pixels than an int32 counts.
	oversized bool
}

func newAlbum(tb testing.TB, e *engine.Engine, c Config, seed uint64) album {
	tb.Helper()
	s := augment.Stock{N: 40, H: c.Net.Rows, W: c.Net.Columns, White: 255, Pipeline: augment.Pipeline{Crop: true, Jitter: true, Turn: true, Grey: true,
		BlurKernel: 3, Mean: [3]float64{0.5, 0.45, 0.4}, Std: [3]float64{0.25, 0.3, 0.2}}}
	r := rand.New(rand.NewPCG(seed, 99))
	for range s.N * s.Dim() {
		s.Pixels = append(s.Pixels, uint8(r.IntN(256)))
	}
	if err := s.Check(); err != nil {
		tb.Fatal(err)
	}
	return album{stock: s, seed: seed, n: c.Batch, engine: e, asked: new([2]int)}
}

func (a album) Dim() int { return a.stock.Dim() }

func (a album) Stock() (augment.Stock, bool) {
	s := a.stock
	if a.oversized {
		s.N = 1 << 30
	}
	return s, true
}

func (a album) Draws(step int) augment.Draws {
	a.asked[1]++
	var d augment.Draws
	r := rand.New(rand.NewPCG(a.seed, uint64(step)))
	for range a.n {
		d.Indices = append(d.Indices, int32(r.IntN(a.stock.N)))
		for v := range d.Views {
			p := augment.Params{H: 1 + r.IntN(a.stock.H), W: 1 + r.IntN(a.stock.W), Flip: r.IntN(2) == 0, Jitter: r.IntN(4) > 0,
				Brightness: 0.6 + 0.8*r.Float32(), Contrast: 0.6 + 0.8*r.Float32(), Saturation: 0.6 + 0.8*r.Float32(), Turn: 0.2*r.Float32() - 0.1,
				Grey: r.IntN(5) == 0, Sigma: max(0, r.Float64()-0.3)}
			p.Y, p.X = r.IntN(a.stock.H-p.H+1), r.IntN(a.stock.W-p.W+1)
			for i, c := range r.Perm(4) {
				p.Order[i] = augment.Change(c)
			}
			if a.change != nil {
				a.change(&p)
			}
			d.Views[v] = p.Append(d.Views[v])
		}
	}
	return d
}

func (a album) Batch(step int) Batch {
	d := a.Draws(step)
	a.asked[1]--
	a.asked[0]++
	b := Batch{N: a.n, Dim: a.Dim()}
	x, err := graph.NewExec(a.engine.Backend, a.stock.Views)
	if err != nil {
		panic(err)
	}
	defer x.Finalize()
	for v, to := range []*[]float32{&b.X1, &b.X2} {
		out, err := x.Call(tensors.FromFlatDataAndDimensions(a.stock.Pixels, len(a.stock.Pixels)/3, 3),
			tensors.FromFlatDataAndDimensions(d.Indices, a.n), tensors.FromFlatDataAndDimensions(d.Views[v], a.n, augment.Width))
		if err != nil {
			panic(err)
		}
		if *to, err = tensors.CopyFlatData[float32](out[0]); err != nil {
			panic(err)
		}
	}
	return b
}

// trainDrawn makes n steps from the images on the device.
func trainDrawn(tb testing.TB, t *Trainer, src Resident, n int) []float64 {
	tb.Helper()
	stock, _ := src.Stock()
	if err := t.Upload(stock); err != nil {
		tb.Fatal(err)
	}
	var losses []float64
	for range n {
		l, err := t.StepDrawn(src.Draws(t.Done()))
		if err != nil {
			tb.Fatal(err)
		}
		losses = append(losses, l)
	}
	return losses
}

// photographed are convolutional runs that between them have every form of the step.
func photographed(tb testing.TB) map[string]Config {
	return map[string]Config{
		"byol":                  variant(tb, smallConv(), BYOL),
		"one direction":         variant(tb, smallConv(), BYOL, func(c *Config) { c.Loss.BothDirections = false }),
		"simsiam":               variant(tb, smallConv(), SimSiam),
		"eigen before":          variant(tb, smallConv(), DirectPred),
		"eigen after":           variant(tb, smallConv(), DirectPred, func(c *Config) { c.Direct.When = AfterStep }),
		"newton-schulz before":  variant(tb, smallConv(), DirectPred, rooted),
		"newton-schulz after":   variant(tb, smallConv(), DirectPred, rooted, func(c *Config) { c.Direct.When = AfterStep }),
		"newton-schulz, freq 3": variant(tb, smallConv(), DirectPred, rooted, func(c *Config) { c.Direct.Freq = 3 }),
	}
}

// TestResidentStepsAreTheHostsSteps: on one engine the graph that makes the views
// inside the step does the operations that made the host's batches, so that the
// two runs are the same to the bit, in every precision. (Package data compares
// with batches made by the definition.)
func TestResidentStepsAreTheHostsSteps(t *testing.T) {
	e := start(t, engine.CPUGoMLX)
	for name, c := range photographed(t) {
		for _, p := range []Precision{Float64, Float32, BFloat16} {
			c.Precision = p
			a, b := open(t, e, c, 1), open(t, e, c, 1)
			src := newAlbum(t, e, c, 2)
			x, y := train(t, a, src, 5), trainDrawn(t, b, src, 5)
			if fmt.Sprint(x) != fmt.Sprint(y) {
				t.Errorf("%s in %s: losses %v from batches and %v from the device", name, p, x, y)
			}
			sameBits(t, name+" in "+string(p), dump(t, a), dump(t, b))
		}
	}
	// The twins: each changes what one of the two runs sees.
	c := photographed(t)["byol"]
	for name, change := range map[string]func(*augment.Params){
		"flip ignored":    func(p *augment.Params) { p.Flip = false },
		"order ignored":   func(p *augment.Params) { p.Order = [4]augment.Change{0, 1, 2, 3} },
		"crop off by one": func(p *augment.Params) { p.X = max(0, p.X-1) },
	} {
		a, b := open(t, e, c, 1), open(t, e, c, 1)
		src := newAlbum(t, e, c, 2)
		twin := src
		twin.change = change
		if x, y := train(t, a, src, 1)[0], trainDrawn(t, b, twin, 1)[0]; x == y {
			t.Errorf("the twin %q has the same loss", name)
		}
	}
}

// TestRunFromTheDevice: an accelerated engine takes the images without being
// asked, another when it is, and an interrupted run continues to the same bits.
func TestRunFromTheDevice(t *testing.T) {
	e := start(t, engine.CPUGoMLX)
	accelerated := *e
	accelerated.Platform = engine.PlatformCUDA // the backend stays the Go one; Run must only believe it
	for name, c := range map[string]Config{
		"byol":          variant(t, smallConv(), BYOL, func(c *Config) { c.Steps = 23 }),
		"newton-schulz": variant(t, smallConv(), DirectPred, rooted, float64ed, func(c *Config) { c.Steps, c.Direct.Freq = 23, 2 }),
	} {
		for _, x := range []struct {
			e     *engine.Engine
			views Place
			want  int // 0 from batches, 1 from the device
		}{{e, Anywhere, 0}, {e, OnHost, 0}, {e, OnDevice, 1}, {&accelerated, Anywhere, 1}, {&accelerated, OnHost, 0}, {&accelerated, OnDevice, 1}} {
			src := newAlbum(t, e, c, 2)
			short := c
			short.Steps = 2
			if err := Run(context.Background(), open(t, x.e, short, 1), src, Options{Views: x.views}); err != nil {
				t.Fatal(err)
			}
			if src.asked[x.want] != 2 || src.asked[1-x.want] != 0 {
				t.Errorf("%s on %s, views %q: %d batches and %d draws in 2 steps", name, x.e.Kind, x.views, src.asked[0], src.asked[1])
			}
		}

		// Images beyond what Views can index stay on the host, unless the device is asked for.
		large := newAlbum(t, e, c, 2)
		large.oversized = true
		short := c
		short.Steps = 1
		if err := Run(context.Background(), open(t, &accelerated, short, 1), large, Options{}); err != nil || large.asked[0] != 1 {
			t.Errorf("%s: too large a stock: %v, %d batches", name, err, large.asked[0])
		}
		if err := Run(context.Background(), open(t, &accelerated, short, 1), large, Options{Views: OnDevice}); err == nil || !strings.Contains(err.Error(), "2³¹") {
			t.Errorf("%s: too large a stock on the device: %v", name, err)
		}

		src := newAlbum(t, e, c, 2)
		run := func(ctx context.Context, tr *Trainer, dir string, stop func(Progress)) error {
			o := options(dir)
			o.Views, o.Progress = OnDevice, stop
			return Run(ctx, tr, src, o)
		}
		whole := t.TempDir()
		if err := run(context.Background(), open(t, e, c, 1), whole, nil); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		tr := open(t, e, c, 1)
		for _, at := range []int{4, 11, 12} {
			ctx, cancel := context.WithCancel(context.Background())
			err := run(ctx, tr, dir, func(p Progress) {
				if p.Step == at {
					cancel()
				}
			})
			var stopped *InterruptedError
			if !errors.As(err, &stopped) || stopped.Step != at {
				t.Fatalf("%s: %v, want an interruption after step %d", name, err, at)
			}
			if tr, err = Resume(e, filepath.Join(dir, CheckpointFile), c, 1); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tr.Close)
		}
		if err := run(context.Background(), tr, dir, nil); err != nil {
			t.Fatal(err)
		}
		if seriesOf(t, whole) != seriesOf(t, dir) || read(t, whole, CheckpointFile) != read(t, dir, CheckpointFile) {
			t.Errorf("%s: the interrupted run ends elsewhere", name)
		}
	}
}

func TestResidentMisuseIsRefused(t *testing.T) {
	c := smallConv()
	onCPU := open(t, cpu(t), c, 1)
	src := newAlbum(t, nil, c, 2)
	var u *UnsupportedError
	err := Run(context.Background(), onCPU, src, Options{Views: OnDevice})
	if !errors.As(err, &u) || u.Engine != engine.CPU || !strings.Contains(err.Error(), engine.CPUGoMLX) {
		t.Errorf("images on the engine without integers: %v", err)
	}
	dir := t.TempDir()
	for name, x := range map[string]struct {
		src  Source
		o    Options
		want string
	}{
		"host source": {views(c, 1), Options{Views: OnDevice, Dir: dir}, "on the host only"},
		"other place": {src, Options{Views: "moon", Dir: dir}, `"moon"`},
	} {
		if err := Run(context.Background(), onCPU, x.src, x.o); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a refused run wrote %v, %v", left, err)
	}
	if _, err := onCPU.StepDrawn(src.Draws(0)); err == nil || !strings.Contains(err.Error(), "before Upload") {
		t.Errorf("a step without images: %v", err)
	}

	e := start(t, engine.CPUGoMLX)
	tr := open(t, e, c, 1)
	bad, wide := src.stock, src.stock
	bad.Pixels = bad.Pixels[1:]
	wide.H, wide.W, wide.N = 4, 4, 160
	for name, x := range map[string]struct {
		s    augment.Stock
		want string
	}{"short": {bad, "values for 40 images"}, "small": {wide, "48 columns, the network reads 192"}} {
		if err := tr.Upload(x.s); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	if err := tr.Upload(src.stock); err != nil {
		t.Fatal(err)
	}
	before := dump(t, tr)
	few, outside := src.Draws(0), src.Draws(0)
	few.Indices = few.Indices[1:]
	outside.Indices[2] = 40
	for name, x := range map[string]struct {
		d    augment.Draws
		want string
	}{"few": {few, "batch of 3"}, "outside": {outside, "example 2 is image 40 of 40"}} {
		if _, err := tr.StepDrawn(x.d); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
	sameBits(t, "a refused batch changed the state", before, dump(t, tr))
	// Other images may follow.
	if err := tr.Upload(newAlbum(t, e, c, 3).stock); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.StepDrawn(src.Draws(0)); err != nil || tr.Done() != 1 {
		t.Errorf("a step after another upload: %v", err)
	}
}
