package prove

import (
	"context"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Under looks for a proof of a formula about one state under the hypotheses of a reading of states and some more. The
// theorem is of a context of its own, of the same dynamics. It is looked for as on one box of many. Labour is how many
// operations on numbers that took besides the kernel's.
func Under(ctx context.Context, r *lang.Reading, more []kernel.Formula, f kernel.Formula, o Options) (th kernel.Theorem, labour int, err error) {
	p := newProver(ctx, r.Context(), o)
	given := p.labour
	p.reading, p.part, p.searching, p.cut = r, r.Part(), true, true
	defer func() {
		labour = given - p.labour
		switch x := recover().(type) {
		case nil:
		case stop:
			th, err = kernel.Theorem{}, x.err
		default:
			panic(x)
		}
	}()
	var hyps []kernel.Formula
	for _, h := range r.Context().Hypotheses() {
		hyps = append(hyps, h.Formula())
	}
	p.base = p.newState(append(hyps, more...))
	p.work = p.base
	th, err = p.findState(p.base, f)
	return th, 0, err
}
