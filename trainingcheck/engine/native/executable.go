package native

import (
	"fmt"
	"runtime"
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
	slots   []any // values by slot; those of parameters are set at every call
	outputs []int // slots of the outputs
}

// step computes one node.
type step struct {
	run routine
	out int
	in  []int
	arg []any // scratch for the operands' values
}

// kind is what two storages must share to be exchangeable.
type kind struct {
	t dtypes.DType
	n int
}

func kindOf(s shapes.Shape) kind { return kind{s.DType, s.Size()} }

// plan orders the nodes that the outputs need and assigns storage: a node takes
// over the storage of an operand that nobody reads afterwards, if its kernel
// allows that, or else any storage of its kind that is free.
func plan(b *builder) (*executable, error) {
	f := b.main
	needed := make([]bool, len(f.nodes))
	var mark func(n *node)
	mark = func(n *node) {
		if needed[n.index] {
			return
		}
		needed[n.index] = true
		for _, x := range n.inputs {
			mark(x)
		}
	}
	for _, n := range f.outputs {
		mark(n)
	}
	const forever = int(^uint(0) >> 1)
	lastUse := make([]int, len(f.nodes))
	for _, n := range f.nodes {
		if !needed[n.index] {
			continue
		}
		for _, x := range n.inputs {
			if r := x.root(); n.alias == nil && lastUse[r.index] < n.index {
				lastUse[r.index] = n.index
			}
		}
	}
	for _, n := range f.outputs {
		lastUse[n.root().index] = forever
	}

	e := &executable{builder: b, crew: newCrew(b.backend.family)}
	slotOf := make([]int, len(f.nodes))
	free := map[kind][]int{}
	var living []*node // nodes whose storage can be freed
	for range f.parameters {
		e.slots = append(e.slots, nil)
	}
	for _, n := range f.nodes {
		switch {
		case n.parameter >= 0:
			slotOf[n.index] = n.parameter
			continue
		case !needed[n.index] || n.alias != nil:
			continue
		case n.constant != nil:
			slotOf[n.index] = len(e.slots)
			e.slots = append(e.slots, n.constant)
			continue
		}
		k := kindOf(n.shape)
		slot := -1
		if n.inPlace {
			for _, x := range n.inputs {
				r := x.root()
				if r.parameter < 0 && r.constant == nil && lastUse[r.index] == n.index && kindOf(r.shape) == k {
					slot = slotOf[r.index]
					lastUse[r.index] = 0 // its storage has passed on
					break
				}
			}
		}
		if slot < 0 {
			if f := free[k]; len(f) > 0 {
				slot, free[k] = f[len(f)-1], f[:len(f)-1]
			} else {
				flat, err := makeFlat(n.shape)
				if err != nil {
					return nil, err
				}
				slot = len(e.slots)
				e.slots = append(e.slots, flat)
			}
		}
		slotOf[n.index] = slot
		s := step{run: n.run, out: slot, arg: make([]any, len(n.inputs))}
		for _, x := range n.inputs {
			s.in = append(s.in, slotOf[x.root().index])
		}
		e.steps = append(e.steps, s)

		living = append(living, n)
		kept := living[:0]
		for _, x := range living {
			switch {
			case lastUse[x.index] == 0 && x != n: // taken over
			case lastUse[x.index] <= n.index && x != n:
				free[kindOf(x.shape)] = append(free[kindOf(x.shape)], slotOf[x.index])
			default:
				kept = append(kept, x)
			}
		}
		living = kept
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
	e.steps, e.slots = nil, nil
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
// outputs of their kind; other inputs are only read.
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
	e.crew.open(runtime.GOMAXPROCS(0))
	defer e.crew.close()
	for _, s := range e.steps {
		for i, x := range s.in {
			s.arg[i] = e.slots[x]
		}
		s.run(e.crew, e.slots[s.out], s.arg)
	}
	spare := map[kind][]any{}
	isOutput := map[int]bool{}
	for _, o := range e.outputs {
		isOutput[o] = true
	}
	for i := range inputs {
		// A parameter that is itself an output is copied below, and stays whole.
		if donate != nil && donate[i] && !isOutput[i] {
			b := inputs[i].(*Buffer)
			spare[kindOf(b.shape)] = append(spare[kindOf(b.shape)], b.flat)
			b.flat = nil
		}
	}
	out := make([]compute.Buffer, len(e.outputs))
	for i, o := range e.outputs {
		s := f.outputs[i].shape
		k := kindOf(s)
		var flat any
		if have := spare[k]; len(have) > 0 {
			flat, spare[k] = have[len(have)-1], have[:len(have)-1]
		} else {
			var err error
			if flat, err = makeFlat(s); err != nil {
				return nil, err
			}
		}
		dtypes.CopyAnySlice(flat, e.slots[o])
		out[i] = &Buffer{e.builder.backend, s.Clone(), flat}
	}
	for i := range inputs {
		e.slots[i] = nil
	}
	return out, nil
}
