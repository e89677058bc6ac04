package method

import "fmt"

// Batch is one pair of augmented views of the same N examples.
//
// X1 and X2 are row-major N×Dim: row i of X1 and row i of X2 are two
// augmentations of one example. An image of height H, width W and C channels is
// laid out H×W×C (channels last), so that Dim = H·W·C. Values are float32
// whatever the precision of the network: a float64 network reads them exactly.
type Batch struct {
	X1, X2 []float32
	N, Dim int
}

// Check reports the first inconsistency between the lengths and N, Dim.
func (b Batch) Check() error {
	switch {
	case b.N < 1:
		return fmt.Errorf("method: batch has N = %d, want at least 1", b.N)
	case b.Dim < 1:
		return fmt.Errorf("method: batch has Dim = %d, want at least 1", b.Dim)
	case len(b.X1) != b.N*b.Dim:
		return fmt.Errorf("method: batch X1 has %d values, want N·Dim = %d·%d", len(b.X1), b.N, b.Dim)
	case len(b.X2) != b.N*b.Dim:
		return fmt.Errorf("method: batch X2 has %d values, want N·Dim = %d·%d", len(b.X2), b.N, b.Dim)
	}
	return nil
}

// Source gives the training batches of a run.
//
// Batch is a pure function of the source's own configuration (its seed
// included) and of step ≥ 0: calling it twice with one step, in any order and
// from any goroutine, gives the same values. A checkpoint therefore holds no
// state of a random generator, and a resumed run sees the batches it would have
// seen. Every batch has the same N and Dim() columns; epochs, shuffling and
// dropping of an incomplete last batch are the source's affair. The slices of
// the result may be kept and overwritten by the caller.
type Source interface {
	Batch(step int) Batch
	Dim() int
}
