// Package method defines BYOL, SimSiam, DirectPred and their ablations once, on GoMLX graphs, and trains them.
//
// A Config names everything that changes a number: the method, the network, the
// predictor, the loss and the optimiser, with the convention (theory's or
// torch's) wherever the paper and its code differ. A Trainer runs one
// configuration on a compute.Backend of package engine; views come from the
// caller as plain slices, so that every engine sees the same bits, or are made on
// the device from images that stay there and parameters drawn on the host (see
// Resident), so that every engine sees the same views within float32 rounding.
// Checkpoints are exact: a run that is killed and resumed continues bit for bit.
package method
