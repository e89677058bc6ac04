// Package diagnose holds a training run that was made elsewhere, with any program, against the theory.
//
// [Assemble] finds in the arrays of package dump what the theory speaks of, by the names that people give them: the
// projections z₁, z₂ of two views, a linear predictor W_p, the last layer W, b before it, the target's W_a, the moment F,
// at one step or along an axis of steps. [Run.Examine] says what became of them: collapse, the alignment of W_p with F,
// the balance of Theorem 1, DirectPred's rule, τ. A run that is shorter than the effects take is “too early to say”, which is no
// verdict on it.
//
// Everything is relative to the recorded numbers: nothing here can tell whether they come from the run they are said to
// come from.
package diagnose
