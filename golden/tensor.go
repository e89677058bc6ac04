package golden

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Names of tensors that rules read. Steps count completed optimiser steps; a tensor of step t is the state after t
// steps, or a batch average computed during step t. Matrices act on columns: f = W_L h + b, p = W_p f.
//
// F is best stored as F64: the gains in its eigenbasis are compared only where the gaps between eigenvalues exceed the
// rounding of the stored matrix, and trained networks have many small eigenvalues.
const (
	TensorF     = "F"     // E[ffᵀ] of the online projector's output, over the evaluation views; uncentred
	TensorFBat  = "Fb"    // mean of ffᵀ over the batch (both views) of step t
	TensorC     = "C"     // mean of f_a fᵀ over the batch of step t, f_a the target's output on the other view
	TensorFHat  = "Fhat"  // F̂ after its update in step t
	TensorWp    = "Wp"    // predictor after step t
	TensorWL    = "WL"    // last projector layer after step t
	TensorBias  = "b"     // bias of that layer, n×1
	TensorZ     = "Z"     // E[ẑẑᵀ] of the normalised projector output ẑ = z/‖z‖
	TensorZMean = "zmean" // E[ẑ], d×1
)

// DType is the number format of a stored tensor, little endian.
type DType string

const (
	F32 DType = "f32"
	F64 DType = "f64"
)

// size returns bytes per number, or 0 for an unknown format.
func (d DType) size() int { return map[DType]int{F32: 4, F64: 8}[d] }

// roundoff returns the unit roundoff of the format.
func (d DType) roundoff() float64 {
	if d == F64 {
		return 0x1p-53
	}
	return 0x1p-24
}

// Tensor is one recorded matrix, row by row.
type Tensor struct {
	Step  int       `json:"step"`
	Name  string    `json:"name"`
	Rows  int       `json:"rows"`
	Cols  int       `json:"cols"`
	DType DType     `json:"dtype"`
	Data  []float64 `json:"-"` // kept in the binary file
}

// dense returns the tensor as a matrix that shares its data.
func (t *Tensor) dense() *mat.Dense { return mat.NewDense(t.Rows, t.Cols, t.Data) }

// Blob is a binary file of matrices beside the golden. Its index is in the golden; the file itself starts with the
// recipe hash and the seed, so that it cannot be taken for another run's.
type Blob struct {
	File    string   `json:"file"`   // derived: name in the golden's folder
	SHA256  string   `json:"sha256"` // derived
	Bytes   int64    `json:"bytes"`  // derived
	Tensors []Tensor `json:"tensors"`
}

// blobMagic opens a binary file; then follow recipe hash (32 bytes), seed (8), rerun (4), tensor count (4), and the
// tensors' numbers in the order of the index. Integers and numbers are little endian.
const blobMagic = "SSLGOLD1"

const blobHeader = len(blobMagic) + 32 + 8 + 4 + 4

// maxTensorSide bounds a dimension, so that sizes cannot overflow.
const maxTensorSide = 1 << 16

// at returns the tensor of a name and step, or nil.
func (b *Blob) at(step int, name string) *Tensor {
	if b == nil {
		return nil
	}
	for i := range b.Tensors {
		if b.Tensors[i].Step == step && b.Tensors[i].Name == name {
			return &b.Tensors[i]
		}
	}
	return nil
}

// steps returns the steps of the index in ascending order.
func (b *Blob) steps() []int {
	if b == nil {
		return nil
	}
	var s []int
	for _, t := range b.Tensors {
		s = append(s, t.Step)
	}
	slices.Sort(s)
	return slices.Compact(s)
}

// has reports whether some step holds all the named tensors.
func (b *Blob) has(names ...string) bool {
	for _, s := range b.steps() {
		if !slices.ContainsFunc(names, func(n string) bool { return b.at(s, n) == nil }) {
			return true
		}
	}
	return false
}

// encodeBlob returns the binary file of the tensors, and rounds their data to the stored format, so that what is
// checked is what is stored.
func encodeBlob(tensors []Tensor, recipe string, seed uint64, rerun int) ([]byte, error) {
	hash, err := hex.DecodeString(recipe)
	if err != nil || len(hash) != 32 {
		return nil, fmt.Errorf("golden: recipe hash %q is no SHA-256", recipe)
	}
	le := binary.LittleEndian
	out := append([]byte(blobMagic), hash...)
	out = le.AppendUint64(out, seed)
	out = le.AppendUint32(out, uint32(rerun))
	out = le.AppendUint32(out, uint32(len(tensors)))
	for i := range tensors {
		t := &tensors[i]
		if err := t.checkShape(); err != nil {
			return nil, err
		}
		if len(t.Data) != t.Rows*t.Cols {
			return nil, refuse(t.label(), "%d numbers for a %d×%d matrix", len(t.Data), t.Rows, t.Cols)
		}
		for j, x := range t.Data {
			if t.DType == F32 {
				x = float64(float32(x))
				t.Data[j] = x
				out = le.AppendUint32(out, math.Float32bits(float32(x)))
			} else {
				out = le.AppendUint64(out, math.Float64bits(x))
			}
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, refuse(t.label(), "entry (%d,%d) is not finite", j/t.Cols, j%t.Cols)
			}
		}
	}
	return out, nil
}

func (t *Tensor) label() string { return fmt.Sprintf("%s at step %d", t.Name, t.Step) }

func (t *Tensor) checkShape() error {
	switch {
	case !metricName.MatchString(t.Name):
		return refuse(t.label(), "%q is no tensor name", t.Name)
	case t.Rows < 1 || t.Cols < 1 || t.Rows > maxTensorSide || t.Cols > maxTensorSide:
		return refuse(t.label(), "shape %d×%d is out of range", t.Rows, t.Cols)
	case t.DType.size() == 0:
		return refuse(t.label(), "unknown dtype %q; known: f32, f64", t.DType)
	case t.Step < 0:
		return refuse(t.label(), "negative step")
	}
	return nil
}

// decodeBlob fills the tensors of b from the bytes of its file, which must be for this recipe, seed and rerun and
// exactly as long as the index says.
func decodeBlob(b *Blob, data []byte, recipe string, seed uint64, rerun int) error {
	fail := func(offset int, format string, args ...any) error {
		return &Error{File: b.File, Offset: int64(offset), Err: fmt.Errorf(format, args...)}
	}
	want := int64(blobHeader)
	for i := range b.Tensors {
		if err := b.Tensors[i].checkShape(); err != nil {
			return err
		}
		t := b.Tensors[i]
		want += int64(t.Rows) * int64(t.Cols) * int64(t.DType.size())
	}
	if int64(len(data)) < want {
		return fail(len(data), "truncated: %d bytes, the index needs %d", len(data), want)
	}
	if int64(len(data)) > want {
		return fail(int(want), "%d bytes after the last tensor", int64(len(data))-want)
	}
	le := binary.LittleEndian
	if !bytes.HasPrefix(data, []byte(blobMagic)) {
		return fail(0, "not a golden matrix file: it does not start with %s", blobMagic)
	}
	pos := len(blobMagic)
	if got := hex.EncodeToString(data[pos : pos+32]); got != recipe {
		return fail(pos, "recorded for recipe %.12s…, the golden's recipe is %.12s…", got, recipe)
	}
	if got := le.Uint64(data[pos+32:]); got != seed {
		return fail(pos+32, "recorded for seed %d, the run says seed %d", got, seed)
	}
	if got := le.Uint32(data[pos+40:]); int(got) != rerun {
		return fail(pos+40, "recorded for rerun %d, the run says %d", got, rerun)
	}
	if got := le.Uint32(data[pos+44:]); int(got) != len(b.Tensors) {
		return fail(pos+44, "holds %d tensors, the index lists %d", got, len(b.Tensors))
	}
	pos = blobHeader
	for i := range b.Tensors {
		t := &b.Tensors[i]
		t.Data = make([]float64, t.Rows*t.Cols)
		for j := range t.Data {
			x := 0.0
			if t.DType == F32 {
				x = float64(math.Float32frombits(le.Uint32(data[pos:])))
			} else {
				x = math.Float64frombits(le.Uint64(data[pos:]))
			}
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return fail(pos, "%s: entry (%d,%d) is not finite", t.label(), j/t.Cols, j%t.Cols)
			}
			t.Data[j] = x
			pos += t.DType.size()
		}
	}
	return nil
}
