package certificate

import (
	"fmt"

	"stopgrad/theory/kernel"
	"stopgrad/theory/region"
)

// shed reads what is taken off the matrix of the next conclusion.
func (r *reader) shed(args []string) error {
	if len(args) != 2 || len(r.steps) > 0 {
		return fmt.Errorf("shed takes a hypothesis and a term, and stands before the argument")
	}
	h, err := number(args[0], kernel.MaxTerms)
	if err != nil {
		return err
	}
	ts, err := r.termsOf(args[1:], 1)
	if err != nil {
		return err
	}
	r.sheds = append(r.sheds, region.Shed{Hypothesis: h, Term: ts[0]})
	return nil
}

// argue reads a step of the argument of the next conclusion.
func (r *reader) argue(word string, args []string) error {
	if len(r.steps) >= region.MaxSteps {
		return fmt.Errorf("more than %d steps", region.MaxSteps)
	}
	var x region.Step
	switch {
	case word == "split" && len(args) == 2:
		v, err := rational(args[1])
		if err != nil {
			return err
		}
		x = region.Step{Rule: "split", Coordinate: args[0], At: v}
	case word == "leaf" && len(args) == 3 && args[0] == "outside":
		h, err := number(args[1], region.MaxSteps)
		if err != nil {
			return err
		}
		x = region.Step{Rule: "outside", Hypothesis: h, By: args[2]}
	case word == "leaf" && len(args) == 2 && args[0] == "theorem":
		ts, err := r.theoremsOf(args[1:])
		if err != nil {
			return err
		}
		x = region.Step{Rule: "theorem", Theorem: ts[0]}
	case word == "leaf" && len(args) == 1 && args[0] != "split" && args[0] != "outside" && args[0] != "theorem":
		x = region.Step{Rule: args[0]}
	default:
		return fmt.Errorf("a step is split COORDINATE NUMBER, leaf RULE, leaf outside HYPOTHESIS RULE or leaf theorem THEOREM")
	}
	r.steps = append(r.steps, x)
	return nil
}

// certify checks the argument above.
func (r *reader) certify(args []string) error {
	c, goal, err := r.conclusion("certified", args)
	if err != nil {
		return err
	}
	x, err := r.meter.Check(c, goal, r.sheds, r.steps)
	if err != nil {
		return err
	}
	r.cert.certified, r.sheds, r.steps = append(r.cert.certified, x), nil, nil
	return nil
}

// Region renders sequents of one context that are certified over their region, each with its argument.
func Region(l Label, names []Abbreviation, certified ...region.Certified) ([]byte, error) {
	if len(certified) == 0 || !certified[0].Valid() {
		return nil, fmt.Errorf("certificate: nothing certified to write")
	}
	w := newWriter(l, certified[0].Context().Dynamics())
	w.dynamics()
	w.abbreviations(names)
	c := w.context(certified[0].Context())
	for _, x := range certified {
		w.formula(x.Formula())
		for _, s := range x.Sheds() {
			w.term(s.Term)
		}
		for _, s := range x.Steps() {
			if s.Rule == "theorem" {
				w.theorem(s.Theorem)
			}
		}
	}
	for _, x := range certified {
		for _, s := range x.Sheds() {
			fmt.Fprintf(&w.out, "shed %d %d\n", s.Hypothesis, w.term(s.Term))
		}
		for _, s := range x.Steps() {
			switch s.Rule {
			case "split":
				fmt.Fprintf(&w.out, "split %s %s\n", s.Coordinate, s.At.RatString())
			case "outside":
				fmt.Fprintf(&w.out, "leaf outside %d %s\n", s.Hypothesis, s.By)
			case "theorem":
				fmt.Fprintf(&w.out, "leaf theorem %d\n", w.theorem(s.Theorem))
			default:
				fmt.Fprintf(&w.out, "leaf %s\n", s.Rule)
			}
		}
		fmt.Fprintf(&w.out, "certified %d %s\n", c, w.formula(x.Formula()))
	}
	return w.seal(), nil
}
