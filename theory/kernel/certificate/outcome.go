package certificate

import (
	"fmt"

	"stopgrad/theory/kernel"
	"stopgrad/theory/trajectory"
)

// way reads how the motions of boxes are followed.
func (r *reader) way(args []string) error {
	if len(args) != 5 {
		return fmt.Errorf("way takes an end time, an order, a number of steps, a remainder and a share")
	}
	end, err := rational(args[0])
	if err != nil {
		return err
	}
	w := trajectory.Way{End: end}
	for i, x := range []*int{&w.Order, &w.Steps, &w.Remainder, &w.Share} {
		if *x, err = number(args[1+i], trajectory.MaxSteps+1); err != nil {
			return err
		}
	}
	r.outcome.Ways = append(r.outcome.Ways, w)
	return nil
}

// basin closes the trap of the lines above.
func (r *reader) basin(args []string) error {
	if len(args) != 0 || r.course.Trap == nil {
		return fmt.Errorf("basin takes nothing, and stands below the coordinates of a trap")
	}
	r.outcome.Traps, r.course.Trap = append(r.outcome.Traps, r.course.Trap), nil
	return nil
}

// box reads a step of the argument of the next outcome.
func (r *reader) box(word string, args []string) error {
	if len(r.outcome.Steps) >= trajectory.MaxBoxes {
		return fmt.Errorf("more than %d boxes", trajectory.MaxBoxes)
	}
	x := trajectory.Step{Rule: word}
	var places []*int
	switch word {
	case "cut":
		if len(args) != 2 {
			return fmt.Errorf("cut takes a coordinate and a number")
		}
		v, err := rational(args[1])
		if err != nil {
			return err
		}
		x.Coordinate, x.At = args[0], v
		args = nil
	case "flows":
		places = []*int{&x.Way, &x.Trap}
	case "fails":
		places = []*int{&x.Hypothesis}
	case "ends":
		places = []*int{&x.Way, &x.Hypothesis}
	}
	if len(args) != len(places) {
		return fmt.Errorf("%s takes %d numbers", word, len(places))
	}
	for i, p := range places {
		var err error
		if *p, err = number(args[i], kernel.MaxTerms); err != nil {
			return err
		}
	}
	r.outcome.Steps = append(r.outcome.Steps, x)
	return nil
}

// establish checks the argument above.
func (r *reader) establish(args []string) error {
	c, goal, err := r.conclusion("outcome", args)
	if err != nil {
		return err
	}
	x, err := r.motions.Certify(c, goal, r.outcome)
	if err != nil {
		return err
	}
	r.cert.outcomes, r.outcome = append(r.cert.outcomes, x), trajectory.Argument{}
	return nil
}

// Outcome renders motion sequents of one context that are certified over their region, each with its argument.
func Outcome(l Label, names []Abbreviation, certified ...trajectory.Certified) ([]byte, error) {
	if len(certified) == 0 || !certified[0].Valid() {
		return nil, fmt.Errorf("certificate: nothing certified to write")
	}
	w := newWriter(l, certified[0].Context().Dynamics())
	w.dynamics()
	w.abbreviations(names)
	c := w.context(certified[0].Context())
	for _, x := range certified {
		says := w.formula(x.Formula())
		a := x.Argument()
		for _, v := range a.Ways {
			fmt.Fprintf(&w.out, "way %s %d %d %d %d\n", v.End.RatString(), v.Order, v.Steps, v.Remainder, v.Share)
		}
		for _, t := range a.Traps {
			w.trap(t)
			w.out.WriteString("basin\n")
		}
		for _, s := range a.Steps {
			fmt.Fprintf(&w.out, "%s\n", s)
		}
		fmt.Fprintf(&w.out, "outcome %d %s\n", c, says)
	}
	return w.seal(), nil
}

// trap writes the coordinates of a trap.
func (w *writer) trap(t *trajectory.Trap) {
	for i, row := range t.Rows {
		fmt.Fprintf(&w.out, "trap %s %s :", t.Lo[i].RatString(), t.Hi[i].RatString())
		for _, c := range row {
			w.out.WriteString(" " + c.RatString())
		}
		w.out.WriteByte('\n')
	}
}
