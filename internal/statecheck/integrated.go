package statecheck

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"

	"stopgrad/theory/eval"
	validated "stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

// failure is a point of a trajectory at which something fails in floating point, and by how much.
type failure struct {
	point int
	by    float64
}

type failures []failure

// asked picks the points at which a failure is looked at exactly: the first, the worst and, unless a motion has to be enclosed
// up to it, the last.
func (fs failures) asked(overTime bool) []int {
	worst := slices.MaxFunc(fs, func(a, b failure) int { return cmp.Compare(a.by, b.by) })
	out := []int{fs[0].point, worst.point}
	if last := fs[len(fs)-1].point; !overTime && last != worst.point {
		out = append(out, last)
	}
	return slices.Compact(out)
}

// confirm looks for an exact object that violates the part where floating point speaks against it: exactly returns how it
// does at a point, or why it does not. Without one nothing is decided.
func (b *binding) confirm(fs failures, res *PartResult, exactly func(i int) (against, why string)) {
	if len(fs) == 0 || !res.Holds {
		return
	}
	reason, price := "", 1
	if eval.OverTime(b.part) {
		price = 10
	}
	for _, i := range fs.asked(eval.OverTime(b.part)) {
		if !b.left.look(price) {
			reason = "enough of this check was looked at exactly"
			break
		}
		against, why := exactly(i)
		if against != "" {
			res.Holds, res.Against = false, against
			return
		}
		if reason == "" {
			reason = why
		}
	}
	res.open("it fails in floating point along the trajectory, which decides nothing: " + reason)
}

// integrated holds a statement over time against the whole of the trajectory, and returns where it fails: what it says between
// the beginning and each point is asked of [eval.Course], and holds up to rounding, eval.Tolerance times the largest number met
// in L, and the error of the trajectory: the distance in L between two integrations, of which the one judged has a hundredth of
// the other's tolerance. Of what vanishes or tends a finite time decides nothing; it is told how much remains.
func (b *binding) integrated(points []*binding, tr *trajectory, res *PartResult) (failures, error) {
	if len(points) < 2 {
		return nil, nil
	}
	fine, err := eval.NewCourse(eval.Float{}, points[0].part, points[0].st)
	if err != nil {
		return nil, err
	}
	coarse, err := eval.NewCourse(eval.Float{}, points[0].part, points[0].st)
	if err != nil {
		return nil, err
	}
	var fails failures
	for i, c := range points {
		off, err := b.at(tr.coarse[i])
		if err != nil {
			return nil, err
		}
		for _, r := range b.rates {
			off.st.Vals[r.name] = c.st.Vals[r.name]
		}
		now, err := fine.At(tr.times[i], c.st)
		if err != nil {
			return nil, err
		}
		o, err := coarse.At(tr.times[i], off.st)
		if err != nil {
			return nil, err
		}
		for name, v := range now.Measures {
			if name != "remaining" || i == len(points)-1 {
				res.measure(name, v)
			}
		}
		apart := distance(now.Values, o.Values)
		if i > 0 && now.Says && now.From == 0 && now.Excess > eval.Tolerance*now.Scale+min(apart, coarsest*now.Scale) {
			fails = append(fails, failure{i, now.Excess - apart})
		}
	}
	return fails, nil
}

// coarsest is the error of a trajectory, relative to the largest number met in L, up to which it is said that a statement holds
// along it. A larger one shows nothing.
const coarsest = 1e-6

// The Taylor series by which a motion is enclosed, and how many steps are taken at most where one entry moves. Where n move it
// is n^(3/2) times fewer, so that no enclosure takes more than some seconds.
const (
	order = 20
	steps = 4000
)

// refutedUntil encloses the motion from the state up to a point of the trajectory and says how the part fails along it, or why
// that is not seen.
func (b *binding) refutedUntil(tr *trajectory, i int) (against, why string) {
	if len(b.rounded) > 0 {
		return "", "the state is rounded"
	}
	r, err := b.reading()
	if err != nil {
		return "", err.Error()
	}
	if missing := b.lacks(r); missing != "" {
		return "", missing
	}
	entries := 0
	for _, m := range tr.vars[i] {
		entries += len(m.A)
	}
	course := validated.Course{Order: order, Steps: max(1, int(steps/math.Pow(float64(entries), 1.5)))}
	course.End, _ = new(big.Rat).SetString(fmt.Sprintf("%.6g", tr.times[i]))
	x, err := verdict.Follow(b.whole, b.filled(), course)
	switch {
	case err != nil:
		return "", err.Error()
	case x.Trajectory().Valid():
		return x.Reason(), ""
	}
	return "", x.Reason()
}

// distance returns ‖a − b‖.
func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = math.Hypot(d, a[i]-b[i])
	}
	return d
}
