// Package golden keeps recorded results with their provenance, and re-verifies them on a CPU.
//
// A golden is one JSON file (schema ssl-golden/1) with optional binary files of matrices beside it. It holds raw runs,
// the bands and verdicts derived from them, and enough recorded matrices for a machine without a GPU to check that the
// numbers belong together: the spectra follow from the matrices, W_p from F̂, and one step from the step before.
// Every check is a named [Rule]; a golden is refused with the file, the rule and the field.
//
// What a golden can show is that its file is whole and that its numbers are consistent with each other and with the
// exact identities of the training. It cannot show that a training run took place.
package golden
