package prove

import (
	"context"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Under is [Prove] of a reading's goals under another Γ of the same dynamics.
func Under(ctx context.Context, r *lang.Reading, gamma *kernel.Context, o Options) *Outcome {
	return proveUnder(ctx, r, gamma, o)
}
