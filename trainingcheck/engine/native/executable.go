package native

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// executable is a planned graph. Its intermediate values live in storage that
// is allocated once and reused from call to call.
type executable struct {
	builder *builder
	mu      sync.Mutex
	crew    *crew
	steps   []step
	slots   []any       // values by slot; those of parameters are set at every call
	outputs []int       // slots of the outputs
	fresh   map[int]int // the first output that has a slot which a step writes, by slot
	spare   map[kind][]any
}

// step computes one node, or a pass.
type step struct {
	run     routine
	out, in []int // slots
	results []any // scratch for the values in them
	args    []any
}

// kind is what two storages must share to be exchangeable.
type kind struct {
	t dtypes.DType
	n int
}

func kindOf(s shapes.Shape) kind { return kind{s.DType, s.Size()} }

// plan orders the stages of a graph and assigns storage: what nobody reads any more is used again for others of its kind.
// Storage of outputs comes anew with every call.
func plan(b *builder) (*executable, error) {
	f := b.main
	e := &executable{builder: b, crew: newCrew(b.backend.family), spare: map[kind][]any{}, fresh: map[int]int{}}
	slotOf := make([]int, len(f.nodes))
	for _, n := range f.nodes {
		if n.parameter >= 0 {
			slotOf[n.index] = len(e.slots)
			e.slots = append(e.slots, nil)
		}
	}
	for _, n := range f.nodes {
		if n.constant != nil {
			slotOf[n.index] = len(e.slots)
			e.slots = append(e.slots, n.constant)
		}
	}
	isOutput := make([]bool, len(f.nodes))
	for _, n := range f.outputs {
		isOutput[n.root().index] = true
	}

	stages := fuse(f)
	in, out := make([][]*node, len(stages)), make([][]*node, len(stages))
	lastUse := make([]int, len(f.nodes))
	for i, s := range stages {
		if s.single != nil {
			out[i] = []*node{s.single}
			for _, x := range s.single.inputs {
				in[i] = append(in[i], x.root())
			}
		} else {
			in[i], out[i] = s.pass.program.in, s.pass.program.out
		}
		for _, x := range in[i] {
			lastUse[x.index] = i
		}
	}
	free := map[kind][]int{}
	for i, s := range stages {
		step := step{results: make([]any, len(out[i])), args: make([]any, len(in[i]))}
		if s.single != nil {
			step.run = s.single.run
		} else {
			step.run = byType(s.pass.t, fused[float32](s.pass.program), fused[float64](s.pass.program))
		}
		for _, n := range out[i] {
			k := kindOf(n.shape)
			slot := len(e.slots)
			switch have := free[k]; {
			case isOutput[n.index]:
				e.slots = append(e.slots, nil)
				e.fresh[slot] = slices.IndexFunc(f.outputs, func(o *node) bool { return o.root() == n })
			case len(have) > 0:
				slot, free[k] = have[len(have)-1], have[:len(have)-1]
			default:
				flat, err := makeFlat(n.shape)
				if err != nil {
					return nil, err
				}
				e.slots = append(e.slots, flat)
			}
			slotOf[n.index] = slot
			step.out = append(step.out, slot)
		}
		for k, n := range in[i] {
			step.in = append(step.in, slotOf[n.index])
			if n.parameter < 0 && n.constant == nil && !isOutput[n.index] && lastUse[n.index] == i && !slices.Contains(in[i][:k], n) {
				free[kindOf(n.shape)] = append(free[kindOf(n.shape)], slotOf[n.index])
			}
		}
		e.steps = append(e.steps, step)
	}
	for _, n := range f.outputs {
		e.outputs = append(e.outputs, slotOf[n.root().index])
	}
	return e, nil
}

// Finalize implements compute.Executable.
func (e *executable) Finalize() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.steps, e.slots, e.spare = nil, nil, nil
}

// Inputs implements compute.Executable.
func (e *executable) Inputs() (names []string, in []shapes.Shape) {
	for _, p := range e.builder.main.parameters {
		in = append(in, p.shape)
	}
	return e.builder.main.names, in
}

// Outputs implements compute.Executable.
func (e *executable) Outputs() (out []shapes.Shape) {
	for _, n := range e.builder.main.outputs {
		out = append(out, n.shape)
	}
	return out
}

// Execute implements compute.Executable. Donated inputs become storage of
// later calls' outputs of their kind; other inputs are only read.
func (e *executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.builder.main
	if e.slots == nil {
		return nil, fmt.Errorf("native: %s has been finalized", e.builder.name)
	}
	if len(inputs) != len(f.parameters) || donate != nil && len(donate) != len(inputs) {
		return nil, fmt.Errorf("native: %s takes %d inputs, got %d and %d donations", e.builder.name, len(f.parameters), len(inputs), len(donate))
	}
	for i, p := range f.parameters {
		b, ok := inputs[i].(*Buffer)
		if !ok || b.flat == nil || !b.shape.Equal(p.shape) {
			return nil, fmt.Errorf("native: input %d (%s) is no live buffer %s of this backend", i, f.names[i], p.shape)
		}
		e.slots[i] = b.flat
	}
	flats := make([]any, len(e.outputs))
	for i := range flats {
		var err error
		if flats[i], err = e.take(f.outputs[i].shape); err != nil {
			return nil, err
		}
	}
	for slot, i := range e.fresh {
		e.slots[slot] = flats[i]
	}
	e.compute()
	for i, slot := range e.outputs {
		// A parameter, a constant, and what is returned twice are copied; the rest is there.
		if owner, ok := e.fresh[slot]; !ok || owner != i {
			dtypes.CopyAnySlice(flats[i], e.slots[slot])
		}
	}
	out := make([]compute.Buffer, len(e.outputs))
	for i := range e.outputs {
		out[i] = &Buffer{e.builder.backend, f.outputs[i].shape.Clone(), flats[i]}
	}
	for o := range e.fresh {
		e.slots[o] = nil
	}
	isOutput := map[int]bool{}
	for _, o := range e.outputs {
		isOutput[o] = true
	}
	for i := range inputs {
		e.slots[i] = nil
		// A parameter that is itself an output stays whole.
		if donate != nil && donate[i] && !isOutput[i] {
			b := inputs[i].(*Buffer)
			e.give(b.shape, b.flat)
			b.flat = nil
		}
	}
	return out, nil
}

// compute runs the steps.
func (e *executable) compute() {
	e.crew.open(runtime.GOMAXPROCS(0))
	defer e.crew.close()
	for _, s := range e.steps {
		for i, x := range s.in {
			s.args[i] = e.slots[x]
		}
		for i, x := range s.out {
			s.results[i] = e.slots[x]
		}
		s.run(e.crew, s.results, s.args)
	}
}

// take returns storage for an output: that of an input which was donated to an earlier call, or new.
func (e *executable) take(s shapes.Shape) (any, error) {
	k := kindOf(s)
	if have := e.spare[k]; len(have) > 0 {
		e.spare[k] = have[:len(have)-1]
		return have[len(have)-1], nil
	}
	return makeFlat(s)
}

// give keeps a donated input for later calls, as far as they have outputs of its kind.
func (e *executable) give(s shapes.Shape, flat any) {
	k, n := kindOf(s), 0
	for _, o := range e.builder.main.outputs {
		if kindOf(o.shape) == k {
			n++
		}
	}
	if len(e.spare[k]) < n {
		e.spare[k] = append(e.spare[k], flat)
	}
}
