package method

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
)

// Resident is a Source whose images can stay on the device that trains: per step
// only their indices and the parameters of their views go in.
type Resident interface {
	Source
	// Stock is the list of images and the way to view them. It is not ok when
	// views can be made on the host only; Draws must not be called then.
	Stock() (stock augment.Stock, ok bool)
	// Draws is a batch before its views are made, a pure function of step as
	// Batch is: the views that the stock makes of it are Batch(step) within the
	// rounding of float32.
	Draws(step int) augment.Draws
}

// UnsupportedError reports something that an engine cannot do and others can.
type UnsupportedError struct {
	// Engine is the kind of the engine at hand.
	Engine string
	// What it cannot do.
	What string
	// Want lists the kinds that can.
	Want []string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("method: engine %q has no %s, want one of %s", e.Engine, e.What, strings.Join(e.Want, ", "))
}

// beyondCPU are the engines with more operations and types than engine.CPU.
var beyondCPU = engine.Kinds[1:]

func noImages(kind string) *UnsupportedError {
	return &UnsupportedError{Engine: kind, What: "images of its own to make views from", Want: beyondCPU}
}

// Upload moves a stock's images to the device, in the eight bits they have, for
// StepDrawn. A stock uploaded before is released. On engine.CPU, which has no
// integers, it is an *UnsupportedError.
func (t *Trainer) Upload(s augment.Stock) (err error) {
	if t.engine.Kind == engine.CPU {
		return noImages(t.engine.Kind)
	}
	if err := s.Check(); err != nil {
		return fmt.Errorf("method: %w", err)
	}
	if s.Dim() != t.config.Net.dim() {
		return fmt.Errorf("method: views of %d×%d×3 have %d columns, the network reads %d", s.H, s.W, s.Dim(), t.config.Net.dim())
	}
	defer recovered(&err)
	pixels := tensors.FromFlatDataAndDimensions(s.Pixels, s.N*s.H*s.W, 3)
	if err := pixels.ToDevice(t.engine.Backend, 0); err != nil {
		return fmt.Errorf("method: moving %d images to the device: %w", s.N, err)
	}
	drawn, err := t.feed(func(in []*graph.Node) (x1, x2 *graph.Node) { return t.views(s, in[0], in[1], in[2]) })
	if err != nil {
		pixels.FinalizeAll()
		return err
	}
	t.drawn.close()
	if t.pixels != nil {
		t.pixels.FinalizeAll()
	}
	t.drawn, t.stock, t.pixels = drawn, s, pixels
	t.stock.Pixels = nil // the device has them
	return nil
}

// views makes both views of a batch in the run's type, [1, n, dim] each. indices
// are [n], params [2, n, augment.Width].
func (t *Trainer) views(s augment.Stock, pixels, indices, params *graph.Node) (x1, x2 *graph.Node) {
	n := indices.Shape().Size()
	both := s.Views(pixels, graph.Concatenate([]*graph.Node{indices, indices}, 0), graph.Reshape(params, 2*n, augment.Width))
	both = graph.Reshape(graph.ConvertDType(both, t.config.Precision.dtype()), 2, n, s.Dim())
	return view(both, 0, 1), view(both, 1, 2)
}

// StepDrawn is Step with the views made on the device from the images of Upload:
// one compiled step makes them, trains on them and returns the loss, and only d
// moves in. Draws of the wrong size, or outside the images, are refused without
// any change.
func (t *Trainer) StepDrawn(d augment.Draws) (loss float64, err error) {
	if t.drawn == nil {
		return 0, fmt.Errorf("method: a drawn step before Upload")
	}
	n := t.config.Batch
	if len(d.Indices) != n {
		return 0, fmt.Errorf("method: batch of %d, the configuration wants %d", len(d.Indices), n)
	}
	if err := d.Check(t.stock); err != nil {
		return 0, fmt.Errorf("method: %w", err)
	}
	defer recovered(&err)
	params := append(append(make([]float32, 0, 2*n*augment.Width), d.Views[0]...), d.Views[1]...)
	return t.advance(t.drawn, t.pixels, tensors.FromFlatDataAndDimensions(d.Indices, n),
		tensors.FromFlatDataAndDimensions(params, 2, n, augment.Width))
}
