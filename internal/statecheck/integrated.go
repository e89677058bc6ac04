package statecheck

import (
	"math"

	"stopgrad/theory/eval"
)

// integrated holds a statement over time against the whole of the trajectory: what it says between the beginning and each
// point is asked of [eval.Course], and holds up to rounding, eval.Tolerance times the largest number met in L, and the
// error of the trajectory: the distance in L between two integrations, of which the one judged has a hundredth of the
// other's tolerance and so about a hundredth of its error, which leaves two digits for where errors and tolerances are
// not proportional. Where the hypotheses, or what the statement asks of the beginning, are met up to rounding only, a failure
// decides nothing, nor where the trajectory was lost. Of what vanishes or tends a finite time decides nothing; it is told how much remains.
func (b *binding) integrated(s *standing, res *PartResult) error {
	points, tr := s.points, s.tr
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
		off, err := s.coarse(i)
		if err != nil {
			return err
		}
		now, err := fine.At(tr.times[i], c.st)
		if err != nil {
			return err
		}
		o, err := coarse.At(tr.times[i], off.st)
		if err != nil {
			return err
		}
		for name, v := range now.Measures {
			if name != "remaining" || i == len(points)-1 {
				res.measure(name, v)
			}
		}
		rounding, apart := eval.Tolerance*now.Scale, distance(now.Values, o.Values)
		if !now.Says || now.From != 0 || now.Excess <= rounding {
			continue
		}
		if now.Excess <= rounding+apart {
			if apart > coarsest*now.Scale {
				s.lost, res.Open = true, true
				res.note(courseNote)
			}
			continue
		}
		doubt, err := s.doubt(i)
		if err != nil {
			return err
		}
		switch {
		case doubt != "":
			res.Open = true
			res.note("hypothesis " + doubt + " is met up to rounding only")
			res.note(roundedNote)
		case !b.begun():
			res.Open = true
			res.note(premiseNote)
		case s.lost:
			res.Open = true
			res.note(courseNote)
		default:
			res.Holds = false
		}
	}
	return nil
}

// coarsest is the error of a trajectory, relative to the largest number met in L, up to which it is said that a statement holds
// along it. A larger one shows nothing.
const coarsest = 1e-6

// distance returns ‖a − b‖.
func distance(a, b []float64) float64 {
	d := 0.0
	for i := range a {
		d = math.Hypot(d, a[i]-b[i])
	}
	return d
}
