package prove

import (
	"context"

	"stopgrad/theory/kernel"
)

// Keeps proves of as many hypotheses of a motion or orbit context as it can that they hold all along if they hold at
// the start: theorems always φ of a context in which all that moves is assumed at the start only. A counterexample
// at one state needs them for hypotheses that hold there with equality.
func Keeps(ctx context.Context, c *kernel.Context) (kept []kernel.Theorem) {
	if c.Time() == kernel.AtState {
		return nil
	}
	var hyps []kernel.Hypothesis
	var constant []kernel.Formula
	for _, h := range c.Hypotheses() {
		mark := kernel.Start
		if h.Mark() == kernel.Constant {
			mark = kernel.Constant
			constant = append(constant, h.Formula())
		}
		g, err := kernel.NewHypothesis(mark, h.Formula())
		if err != nil {
			return nil
		}
		hyps = append(hyps, g)
	}
	gamma, err := kernel.NewContext(c.Dynamics(), c.Time(), hyps...)
	if err != nil {
		return nil
	}
	p := newProver(ctx, gamma, Options{})
	defer func() {
		switch x := recover().(type) {
		case nil:
		case stop:
			kept = p.kept
		default:
			panic(x)
		}
	}()
	p.base = p.newState(constant)
	p.keepAll()
	return p.kept
}

// newProver is a prover in a context.
func newProver(ctx context.Context, gamma *kernel.Context, o Options) *prover {
	p := &prover{builder: builder{gamma.Signature()}, patient: ctx, gamma: gamma, dyn: gamma.Dynamics(), budget: o.Steps,
		facts: map[string][]kernel.Theorem{}, madeHoles: map[string]*kernel.Term{}, levels: allLevels}
	if p.budget <= 0 {
		p.budget = DefaultSteps
	}
	p.labour = labourPerStep * p.budget
	return p
}
