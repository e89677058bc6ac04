package statecheck

import (
	"math"

	"stopgrad/theory/eval"
)

// integrated holds a statement over time against the whole of the trajectory: what it says between the beginning and each
// point is asked of [eval.Course], and holds up to rounding, eval.Tolerance times the largest number met in L, and the
// error of the trajectory: the distance in L between two integrations, of which the one judged has a hundredth of the
// other's tolerance and so about a hundredth of its error, which leaves two digits for where errors and tolerances are
// not proportional. Of what vanishes or tends a finite time decides nothing; it is told how much remains.
func (b *binding) integrated(tr *trajectory, points []*binding, res *PartResult) error {
	if !eval.OverTime(b.part) {
		return nil
	}
	fine, err := eval.NewCourse(eval.Float{}, points[0].part, points[0].st)
	if err != nil {
		return err
	}
	coarse, err := eval.NewCourse(eval.Float{}, points[0].part, points[0].st)
	if err != nil {
		return err
	}
	for i, c := range points {
		off, err := b.at(tr.coarse[i])
		if err != nil {
			return err
		}
		for _, r := range b.rates {
			off.st.Vals[r.name] = c.st.Vals[r.name]
		}
		s, err := fine.At(tr.times[i], c.st)
		if err != nil {
			return err
		}
		o, err := coarse.At(tr.times[i], off.st)
		if err != nil {
			return err
		}
		for name, v := range s.Measures {
			if name != "remaining" || i == len(points)-1 {
				res.measure(name, v)
			}
		}
		if s.Says && s.From == 0 {
			res.Holds = res.Holds && s.Excess <= eval.Tolerance*s.Scale+distance(s.Values, o.Values)
		}
	}
	return nil
}

// distance returns ‖a − b‖.
func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = math.Hypot(d, a[i]-b[i])
	}
	return d
}
