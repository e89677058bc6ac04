package prove

import (
	"context"

	"stopgrad/theory/kernel"
)

// Under looks for a proof of a formula about one state under the hypotheses of a context of states and some more. The
// theorem is of a context of its own, of the same dynamics.
func Under(ctx context.Context, c *kernel.Context, more []kernel.Formula, f kernel.Formula, o Options) (th kernel.Theorem, err error) {
	p := newProver(ctx, c, o)
	defer func() {
		switch x := recover().(type) {
		case nil:
		case stop:
			th, err = kernel.Theorem{}, x.err
		default:
			panic(x)
		}
	}()
	var hyps []kernel.Formula
	for _, h := range c.Hypotheses() {
		hyps = append(hyps, h.Formula())
	}
	p.searching = true
	return p.findState(p.newState(append(hyps, more...)), f)
}
