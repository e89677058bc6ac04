package verdict

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/prove"
	"stopgrad/theory/trajectory"
)

// Witness is a state in exact numbers.
type Witness = eval.State[*big.Rat]

// Refutation is what the model says of a part at a state, or what becomes of the part along a motion from it.
type Refutation struct {
	verdict        Verdict
	reading        *lang.Reading
	counterexample model.Counterexample
	trajectory     trajectory.Refutation
	reason         string
	undefined      bool
	finding        *eval.Finding
}

// Verdict is refuted, or not kept for an assumption, if the state is a counterexample, else undecided.
func (r *Refutation) Verdict() Verdict { return r.verdict }

// Reading is the part in the kernel's terms.
func (r *Refutation) Reading() *lang.Reading { return r.reading }

// Counterexample is the model's, invalid if the state is none.
func (r *Refutation) Counterexample() model.Counterexample { return r.counterexample }

// Trajectory is the motion along which the statement fails, invalid if it was not asked for one.
func (r *Refutation) Trajectory() trajectory.Refutation { return r.trajectory }

// Reason says in numbers how the statement fails at the state, or along the motion, or why the state is no counterexample.
func (r *Refutation) Reason() string { return r.reason }

// Undefined reports whether the statement has no value at this state, which meets all hypotheses; over time, at the beginning of
// a motion or orbit along which they hold. So it is not proved, which would be to say that it has, and not refuted either.
func (r *Refutation) Undefined() bool { return r.undefined }

// Sides are the two sides of the refuted statement at the state as numbers, in the order in which the kernel prints it; right
// is empty of a statement about one matrix. ok is false of a statement over time that does not fail at the beginning, whose
// Reason has the numbers.
func (r *Refutation) Sides() (left, right string, ok bool) {
	x := r.counterexample
	f := x.Formula()
	stmt := r.reading.Part().Stmt
	if f.Form() == kernel.Always {
		f, stmt = f.Inner(), stmt.Of
	}
	if !x.Valid() || f.Form().Temporal() || f.Form() == kernel.Absurd || stmt == nil {
		return "", "", false
	}
	j, err := model.Holds(x.Context(), f, x.State())
	if err != nil || j.Holds || len(j.Sides) == 0 {
		// Along an orbit it may hold at first.
		return "", "", false
	}
	sides := j.Sides
	if left = numbers(sides[0]); len(sides) == 2 {
		right = numbers(sides[1])
	}
	return left, right, true
}

// numbers renders a value, a long fraction with its decimals.
func numbers(v model.Value) string {
	const legible = 12
	text := v.String()
	if x, rational := v.Rational(0, 0); v.Scalar() && rational && !x.IsInt() && len(text) > legible {
		f, _ := x.Float64()
		text += fmt.Sprintf(" ≈ %.6g", f)
	}
	return text
}

// Finding is what the search's evaluator makes of the state: measures for readers, which decide nothing.
func (r *Refutation) Finding() *eval.Finding { return r.finding }

// Refute asks the model whether a state is a counterexample to a part. An error means that the question could not be
// put: the part has no meaning, or the state lacks a value.
func Refute(part *lang.Part, w Witness) (*Refutation, error) { return NewRefuter(part).At(w) }

// Refuter asks the model about states of one part, which must not change meanwhile: what the part is in the kernel's terms,
// and what its motions keep, is worked out once for many states. It is not safe for concurrent use.
type Refuter struct {
	part    *lang.Part
	reading *lang.Reading
	ctx     *kernel.Context
	goals   []kernel.Formula
	keeps   []kernel.Theorem
	err     error
	asked   int
}

// NewRefuter returns a refuter of a part.
func NewRefuter(part *lang.Part) *Refuter { return &Refuter{part: part} }

// renewal is how many states share a reading: the signature of a reading keeps the terms made at each.
const renewal = 64

// read elaborates the part, anew after some states.
func (f *Refuter) read() error {
	f.asked++
	if f.asked%renewal != 1 {
		return f.err
	}
	f.keeps = nil
	if f.reading, f.err = lang.Elaborate(f.part); f.err != nil {
		return f.err
	}
	f.ctx, f.goals = f.reading.Context(), f.reading.Goals()
	if f.part.Stmt.Kind == lang.Assumption {
		if f.ctx, f.goals, f.err = Loss(f.reading); f.err != nil {
			return f.err
		}
	}
	if f.ctx.Time() != kernel.AtState {
		f.keeps = prove.Keeps(context.Background(), f.ctx)
	}
	return nil
}

// valueless reports whether what the model found no value for at a state is part of the goal there, and not, over time, of the
// equations or of a later step. What “stays …” has no value says nothing.
func (f *Refuter) valueless(g kernel.Formula, st *model.State) bool {
	if f.ctx.Time() == kernel.AtState {
		return true
	}
	switch g.Form() {
	case kernel.StayZero, kernel.StayNonnegative, kernel.StayPositive, kernel.StaySemidefinite:
		return false
	}
	for _, h := range f.ctx.Hypotheses() {
		if j, err := model.Holds(f.ctx, h.Formula(), st); err != nil || !j.Holds {
			return false
		}
	}
	without := func(t *kernel.Term) bool {
		var none *model.NoValue
		_, err := model.Evaluate(f.ctx.Dynamics(), t, st)
		return errors.As(err, &none)
	}
	if f.ctx.Time() == kernel.Motion {
		for _, x := range f.ctx.Dynamics().FlowLetters() {
			if without(f.ctx.Dynamics().FlowOf(x)) {
				return false
			}
		}
	}
	return slices.ContainsFunc(append(g.Terms(), g.Inner().Terms()...), without)
}

// At is [Refute] of the refuter's part.
func (f *Refuter) At(w Witness) (*Refutation, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	part, reading := f.part, f.reading
	st, err := StateOf(reading, w)
	if err != nil {
		return nil, err
	}
	r := &Refutation{reading: reading}
	if len(w.Surds) == 0 {
		r.finding, err = eval.Judge(eval.Rational{}, part, w)
	} else {
		r.finding, err = eval.Judge(eval.Float{}, part, w.Floats())
	}
	if err != nil {
		// The search's evaluator is not asked for the verdict; without its measures the finding is empty.
		r.finding = &eval.Finding{Hypotheses: map[string]bool{}, Measures: map[string]float64{}}
	}
	var last error
	for _, g := range f.goals {
		x, err := model.Refute(f.ctx, g, st, f.keeps...)
		if err != nil {
			var none *model.NoValue
			r.undefined = r.undefined || part.Stmt.Kind != lang.Assumption && errors.As(err, &none) && f.valueless(g, st)
			last = err
			continue
		}
		r.counterexample, r.reason = x, x.Reason()
		r.verdict, r.undefined = OfCounterexample(reading, x), false
		if part.Stmt.Kind == lang.Assumption {
			r.verdict = OfLoss(reading, x)
		}
		return r, nil
	}
	var none *model.Unrefuted
	var without *model.NoValue
	if errors.As(last, &none) || errors.As(last, &without) {
		r.reason = last.Error()
		if r.undefined {
			r.reason += ", at " + st.String()
		}
		return r, nil
	}
	if last == nil {
		last = fmt.Errorf("verdict: %s states nothing", part.Name)
	}
	return nil, last
}

// Follow asks whether the motion from a state, followed as the course says, is a counterexample to a part. An error means
// that the question could not be put.
func Follow(part *lang.Part, w Witness, course trajectory.Course) (*Refutation, error) {
	if part.Fault != nil {
		return nil, part.Fault
	}
	reading, err := lang.Elaborate(part)
	if err != nil {
		return nil, err
	}
	st, err := StateOf(reading, w)
	if err != nil {
		return nil, err
	}
	r := &Refutation{reading: reading, finding: &eval.Finding{Hypotheses: map[string]bool{}, Measures: map[string]float64{}}}
	c := reading.Context()
	keeps := prove.Keeps(context.Background(), c)
	var last error
	for _, g := range reading.Goals() {
		x, err := trajectory.Refute(c, g, st, course, keeps...)
		if err != nil {
			last = err
			continue
		}
		r.trajectory, r.reason, r.verdict = x, x.Reason(), OfTrajectory(reading, x)
		return r, nil
	}
	var none *trajectory.Unrefuted
	if errors.As(last, &none) {
		r.reason = last.Error()
		return r, nil
	}
	if last == nil {
		last = fmt.Errorf("verdict: %s states nothing", part.Name)
	}
	return nil, last
}

// WitnessOf is a state of the model as a witness; ok is false where numbers are no fractions but one square root's in a scalar,
// or a matrix of one entry.
func WitnessOf(s *model.State) (w Witness, ok bool) {
	sig, roots := s.Signature(), s.Roots()
	if len(roots) > 1 {
		return w, false
	}
	w = Witness{Dims: map[lang.Dim]int{}, Vals: map[string]eval.Matrix[*big.Rat]{}}
	for _, n := range sig.Sizes() {
		w.Dims[lang.Dim(n)] = s.Size(n)
	}
	for _, y := range sig.Symbols() {
		rows := s.Numbers(y.Name())
		if rows == nil {
			continue
		}
		m := eval.Matrix[*big.Rat]{R: len(rows), C: len(rows[0])}
		for _, row := range rows {
			for _, x := range row {
				m.A = append(m.A, x[0])
				if len(x) == 1 {
					continue
				}
				if m.R*m.C != 1 {
					return w, false
				}
				surd := eval.Surd{A: x[0], B: x[1], C: roots[0][0]}
				if w.Surds == nil {
					w.Surds = map[string]eval.Surd{}
				}
				w.Surds[y.Name()], m.A[0] = surd, surd.Near()
			}
		}
		w.Vals[y.Name()] = m
	}
	return w, true
}

// StateOf is a witness as a state of the model: a value for every symbol that has one.
func StateOf(r *lang.Reading, w Witness) (*model.State, error) {
	sig := r.Context().Signature()
	sizes, values := map[string]int{}, map[string][][]model.Algebraic{}
	var roots []model.Algebraic
	for _, n := range sig.Sizes() {
		sizes[n] = max(1, w.Dims[lang.Dim(n)])
	}
	for _, y := range sig.Symbols() {
		switch y.Class() {
		case kernel.Random, kernel.Centred, kernel.Hole:
			continue
		}
		m, ok := w.Vals[y.Name()]
		if !ok {
			return nil, fmt.Errorf("verdict: the state has no value for %s", y.Name())
		}
		rows := make([][]model.Algebraic, m.R)
		for i := range rows {
			for j := range m.C {
				rows[i] = append(rows[i], model.Algebraic{m.At(i, j)})
			}
		}
		if x, ok := w.Surds[y.Name()]; ok {
			if roots == nil {
				roots = []model.Algebraic{{x.C}}
			}
			if roots[0][0].Cmp(x.C) != 0 {
				return nil, fmt.Errorf("verdict: the state has the square roots of %s and %s; of one number only is expected", roots[0], x.C.RatString())
			}
			rows[0][0] = model.Algebraic{x.A, x.B}
		}
		values[y.Name()] = rows
	}
	return model.NewAlgebraicState(sig, sizes, roots, values)
}
