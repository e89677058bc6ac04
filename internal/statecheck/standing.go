package statecheck

import "stopgrad/theory/eval"

// standing is a trajectory with the part at its points: what is known there.
type standing struct {
	b      *binding
	tr     *trajectory
	points []*binding // as far as the hypotheses are met
	// seen is how many points the doubts of a statement over time were looked for at, and first names the first found.
	seen  int
	first string
	lost  bool // the error of the trajectory was found to be as large as what it shows
}

// until leaves the points before the i-th.
func (s *standing) until(i int) *standing {
	s.points = s.points[:i]
	return s
}

// coarse is the part at point i of the coarser trajectory, with the rates of the finer one.
func (s *standing) coarse(i int) (*binding, error) {
	c, err := s.b.at(s.tr.coarse[i])
	if err != nil {
		return nil, err
	}
	for _, r := range s.b.rates {
		c.st.Vals[r.name] = s.points[i].st.Vals[r.name]
	}
	return c, nil
}

// doubt names a hypothesis that is not known to be met where something fails at point i, and is empty if there is none: of a
// statement about states, among those at the point; of one over time, among those at the beginning, and at each point so
// far of what is assumed at every time.
func (s *standing) doubt(i int) (string, error) {
	if !eval.OverTime(s.b.part) {
		return s.doubtAt(i)
	}
	for ; s.first == "" && s.seen <= i; s.seen++ {
		var err error
		if s.first, err = s.doubtAt(s.seen); err != nil {
			return "", err
		}
	}
	return s.first, nil
}

// doubtAt names a hypothesis in doubt at one point. At the beginning those are in doubt that are known to be met up to rounding
// only; later, of those that speak of what moves, all that do not hold by more than rounding and the error of the trajectory
// explain: as for what fails, by more than a third of the margin.
func (s *standing) doubtAt(i int) (string, error) {
	start := s.points[0].doubts
	over := eval.OverTime(s.b.part)
	fine, err := eval.Assurances(eval.Float{}, s.points[i].part, s.points[i].st)
	if err != nil {
		return "", err
	}
	if i == 0 {
		for _, h := range fine {
			if start[h.Name] {
				return h.Name, nil
			}
		}
		return "", nil
	}
	c, err := s.coarse(i)
	if err != nil {
		return "", err
	}
	coarse, err := eval.Assurances(eval.Float{}, c.part, c.st)
	if err != nil {
		return "", err
	}
	for k, h := range fine {
		switch {
		case over && !h.Always || !h.Moves:
			if start[h.Name] {
				return h.Name, nil
			}
		case !h.Sure || !coarse[k].Sure || abs(h.Margin-coarse[k].Margin) > abs(h.Margin)/3:
			return h.Name, nil
		}
	}
	return "", nil
}
