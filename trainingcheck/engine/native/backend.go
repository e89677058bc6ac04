package native

import (
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// Name is the backend's name.
const Name = "native"

// Backend implements compute.Backend. The zero value is not usable, see New.
type Backend struct {
	family    kernel.Family
	finalized atomic.Bool
}

var _ compute.Backend = (*Backend)(nil)

// New returns a backend on the kernels of a family, which must be one of kernel.Available. It needs no resources beyond
// the buffers of its graphs.
func New(f kernel.Family) *Backend { return &Backend{family: f} }

// Kernels is the family of the backend's kernels.
func (b *Backend) Kernels() kernel.Family { return b.family }

// Name implements compute.Backend.
func (b *Backend) Name() string { return Name }

// String implements compute.Backend.
func (b *Backend) String() string { return Name }

// Description implements compute.Backend.
func (b *Backend) Description() string {
	return fmt.Sprintf("float32 and float64, %s kernels, %d cores", b.family, runtime.GOMAXPROCS(0))
}

// NumDevices implements compute.Backend: the CPU is one device.
func (b *Backend) NumDevices() int { return 1 }

// DeviceDescription implements compute.Backend.
func (b *Backend) DeviceDescription(compute.DeviceNum) string { return runtime.GOARCH }

// Capabilities implements compute.Backend.
func (b *Backend) Capabilities() compute.Capabilities {
	c := compute.Capabilities{Operations: map[compute.OpType]bool{}, DTypes: map[dtypes.DType]bool{}}
	for _, op := range operations {
		c.Operations[op] = true
	}
	for _, t := range []dtypes.DType{dtypes.Float32, dtypes.Float64, dtypes.Bool} {
		c.DTypes[t] = true
	}
	return c
}

// operations are the implemented ones.
var operations = []compute.OpType{
	compute.OpTypeParameter, compute.OpTypeConstant, compute.OpTypeIdentity,
	compute.OpTypeNeg, compute.OpTypeSqrt, compute.OpTypeConvertDType,
	compute.OpTypeAdd, compute.OpTypeSub, compute.OpTypeMul, compute.OpTypeDiv, compute.OpTypeMax, compute.OpTypeMin,
	compute.OpTypeGreaterThan, compute.OpTypeWhere,
	compute.OpTypeReshape, compute.OpTypeTranspose, compute.OpTypeBroadcastInDim, compute.OpTypeSlice,
	compute.OpTypeConcatenate, compute.OpTypePad, compute.OpTypeReduceSum, compute.OpTypeDotGeneral, compute.OpTypeConvGeneral, compute.OpTypeReverse,
}

// missing is the error for an operation outside the set.
func missing(op compute.OpType) error {
	return fmt.Errorf("native: operation %s: %w", op, compute.ErrNotImplemented)
}

// Builder implements compute.Backend.
func (b *Backend) Builder(name string) compute.Builder {
	g := &builder{Builder: notimplemented.Builder{ErrFn: missing}, backend: b, name: name}
	g.main = &function{Function: notimplemented.Function{ErrFn: missing}, builder: g}
	return g
}

// Finalize implements compute.Backend.
func (b *Backend) Finalize() { b.finalized.Store(true) }

// IsFinalized implements compute.Backend.
func (b *Backend) IsFinalized() bool { return b.finalized.Load() }

// Buffer is a flat slice with a shape.
type Buffer struct {
	backend *Backend
	shape   shapes.Shape
	flat    any // []float32, []float64 or []bool; nil once finalized
}

var _ compute.Buffer = (*Buffer)(nil)

// Backend implements compute.Buffer.
func (b *Buffer) Backend() compute.Backend { return b.backend }

// Finalize implements compute.Buffer.
func (b *Buffer) Finalize() error {
	b.flat = nil
	return nil
}

// Shape implements compute.Buffer.
func (b *Buffer) Shape() (shapes.Shape, error) { return b.shape, nil }

// DeviceNum implements compute.Buffer.
func (b *Buffer) DeviceNum() (compute.DeviceNum, error) { return 0, nil }

// Data implements compute.Buffer: the slice itself.
func (b *Buffer) Data() (any, error) {
	if b.flat == nil {
		return nil, fmt.Errorf("native: buffer %s has been finalized", b.shape)
	}
	return b.flat, nil
}

// ToFlatData implements compute.Buffer: a copy into a slice of the same type and length.
func (b *Buffer) ToFlatData(flat any) error {
	if b.flat == nil {
		return fmt.Errorf("native: buffer %s has been finalized", b.shape)
	}
	if to := reflect.ValueOf(flat); to.Type() != reflect.TypeOf(b.flat) || to.Len() != b.shape.Size() {
		return fmt.Errorf("native: buffer %s does not fit %T of %d", b.shape, flat, to.Len())
	}
	dtypes.CopyAnySlice(flat, b.flat)
	return nil
}

// CopyToDevice implements compute.Buffer.
func (b *Buffer) CopyToDevice(compute.DeviceNum) (compute.Buffer, error) {
	if b.flat == nil {
		return nil, fmt.Errorf("native: buffer %s has been finalized", b.shape)
	}
	return b.backend.BufferFromFlatData(0, b.flat, b.shape)
}

// BufferFromFlatData implements compute.DataInterface: a copy of flat.
func (b *Backend) BufferFromFlatData(_ compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	own, err := makeFlat(shape)
	if err != nil {
		return nil, err
	}
	if from := reflect.ValueOf(flat); from.Type() != reflect.TypeOf(own) || from.Len() != shape.Size() {
		return nil, fmt.Errorf("native: %T of %d for a buffer %s", flat, from.Len(), shape)
	}
	dtypes.CopyAnySlice(own, flat)
	return &Buffer{b, shape.Clone(), own}, nil
}

// HasSharedBuffers implements compute.DataInterface.
func (b *Backend) HasSharedBuffers() bool { return true }

// NewSharedBuffer implements compute.DataInterface.
func (b *Backend) NewSharedBuffer(_ compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	flat, err := makeFlat(shape)
	if err != nil {
		return nil, nil, err
	}
	return &Buffer{b, shape.Clone(), flat}, flat, nil
}

// makeFlat allocates the values of a shape.
func makeFlat(s shapes.Shape) (any, error) {
	switch s.DType {
	case dtypes.Float32:
		return make([]float32, s.Size()), nil
	case dtypes.Float64:
		return make([]float64, s.Size()), nil
	case dtypes.Bool:
		return make([]bool, s.Size()), nil
	}
	return nil, fmt.Errorf("native: type %s: %w", s.DType, compute.ErrNotImplemented)
}
