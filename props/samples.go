package props

import (
	"context"
	"math"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// Result is what sampling a part came to.
type Result struct {
	Drawn int // states asked for
	Tried int // states that met every hypothesis
	// Worst is how near the statement came to failing, by Measure: the least margin of an inequality, the
	// least smallest eigenvalue of a definite matrix, the greatest residual of anything else, each relative
	// to the largest number it was computed from. Exact arithmetic leaves no residual where a statement holds.
	Worst   float64
	Measure string
	// Rounding is the greatest residual, relative in the same way, with which float64 arithmetic finds an
	// equality at the same states: at most eval.Tolerance if that constant is large enough.
	Rounding float64
	// Disagreements counts states at which float64 arithmetic judges the statement otherwise than exact
	// arithmetic, although its margin exceeds eval.Tolerance.
	Disagreements int
	// Unjudged counts states at which the statement fails and of which the model says nothing.
	Unjudged int
	// Refutation and Witness are the first counterexample, confirmed by the model; nil if there is none.
	Refutation *verdict.Refutation
	Witness    *verdict.Witness
	Err        error // of the context, or why no state could be judged
}

// Samples judges a part with a formal statement at n states of the stream of the seed; the states depend on
// the seed and the statement alone. It stops at the first counterexample, and where exact arithmetic has done as much work as
// a search does for few states.
func Samples(ctx context.Context, part *lang.Part, seed uint64, n int) Result {
	var res Result
	model := verdict.NewRefuter(part)
	ch := sample.NewStream(seed, "props/"+part.Name+"/"+part.Stmt.Text)
	exact := eval.NewMetered()
	for range n {
		if !sample.Worth(exact, n) {
			return res
		}
		if err := ctx.Err(); err != nil {
			res.Err = err
			return res
		}
		res.Drawn++
		st, err := sample.DrawBy(exact, ch, part, MaxDim, false)
		if err != nil {
			continue
		}
		f, err := eval.Judge(exact, part, st)
		if err != nil {
			if res.Tried == 0 {
				res.Err = err
			}
			continue
		}
		if !f.Met {
			continue
		}
		res.Err = nil
		res.Tried++
		if f.Holds {
			res.note(f)
			res.compare(part, st, f)
			continue
		}
		r, err := model.At(st)
		if err != nil {
			res.Unjudged++
			continue
		}
		if r.Verdict().IsRefuted() {
			res.Refutation, res.Witness = r, &st
			res.note(f)
			return res
		}
	}
	return res
}

// relative returns the measure behind a finding, relative to its scale, and its name.
func relative(f *eval.Finding) (value float64, name string) {
	scale := f.Measures["scale"]
	if scale == 0 {
		scale = 1
	}
	if v, ok := f.Measures["smallest eigenvalue"]; ok {
		return v, "smallest eigenvalue"
	}
	if v, ok := f.Measures["margin"]; ok {
		return v / scale, "margin"
	}
	return f.Measures["residual"] / scale, "residual"
}

func (r *Result) note(f *eval.Finding) {
	v, name := relative(f)
	switch {
	case r.Measure == "":
		r.Worst, r.Measure = v, name
	case name == "residual":
		r.Worst = max(r.Worst, v)
	default:
		r.Worst = min(r.Worst, v)
	}
}

// compare judges the same state in float64.
func (r *Result) compare(part *lang.Part, st State, exact *eval.Finding) {
	if part.Stmt.Kind == lang.Counted {
		return // whole numbers have no residual
	}
	f, err := eval.Judge(eval.Float{}, part, Floats(st))
	if err != nil {
		return
	}
	v, name := relative(f)
	if name == "residual" {
		r.Rounding = max(r.Rounding, v)
	}
	near := name != "residual" && math.Abs(v) <= eval.Tolerance
	if f.Met && f.Holds != exact.Holds && !near {
		r.Disagreements++
	}
}

// Floats rounds a state to float64.
func Floats(st State) eval.State[float64] { return st.Floats() }
