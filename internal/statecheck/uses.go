package statecheck

import (
	"slices"

	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

// Uses is what a part refers to, directly or through named expressions, roots, equations and moments.
type Uses struct {
	Symbols map[string]bool
	Lets    map[string]bool
	// Flow holds the state variables whose equations are used; Map is the same for the discrete step.
	Flow, Map map[string]bool
}

// UsesOf collects what the statement and the hypotheses of a part refer to, and, if course is true, what it
// takes to follow the flow.
func UsesOf(p *lang.Part, course bool) *Uses {
	u := &Uses{Symbols: map[string]bool{}, Lets: map[string]bool{}, Flow: map[string]bool{}, Map: map[string]bool{}}
	c := collector{u, p.Env}
	c.stmt(p.Stmt)
	for _, a := range p.Assumes {
		c.stmt(a.Stmt)
	}
	if p.Consequence != nil {
		c.stmt(p.Consequence)
	}
	switch {
	case eval.OverSteps(p):
		for _, q := range p.Env.Map {
			c.equation(c.Map, q)
		}
	case course || eval.OverTime(p):
		c.wholeFlow()
	}
	return u
}

type collector struct {
	*Uses
	env *lang.Env
}

func (c collector) stmt(s *lang.Stmt) {
	if s.Kind == lang.Counted {
		c.counted(s)
		return
	}
	if s.Of != nil {
		c.stmt(s.Of)
	}
	for _, e := range []*lang.Expr{s.L, s.R, s.Rate, s.Lo, s.Hi} {
		if e != nil {
			c.expr(e)
		}
	}
	for _, q := range s.Assign {
		if s.Kind == lang.Stationary {
			c.symbol(q.Name)
		}
		c.expr(q.RHS)
	}
	for _, e := range s.More {
		c.expr(e)
	}
	if s.Kind == lang.Stationary {
		c.wholeFlow()
	}
}

// counted collects what a count of zeros uses; the scalar whose values are counted is bound, and stands in nothing else.
func (c collector) counted(s *lang.Stmt) {
	for _, e := range []*lang.Expr{s.L, s.Lo, s.Hi} {
		if e != nil {
			c.expr(e)
		}
	}
	delete(c.Symbols, s.R.Name)
}

func (c collector) expr(e *lang.Expr) {
	e.Walk(func(n *lang.Expr) bool {
		switch {
		case n.Kind == lang.Sym:
			c.symbol(n.Name)
		case n.Kind == lang.Call && n.Name == "ddt":
			// The derivative of a bare state variable is its right-hand side and nothing else.
			if q := c.env.Equation(n.Args[0].Name); n.Args[0].Kind == lang.Sym && q != nil {
				c.equation(c.Flow, q)
				return false
			}
			c.wholeFlow()
		case n.Kind == lang.Call && n.Name == "next":
			for _, q := range c.env.Map {
				c.equation(c.Map, q)
			}
		}
		return true
	})
}

func (c collector) wholeFlow() {
	for _, q := range c.env.Flow {
		c.equation(c.Flow, q)
	}
}

func (c collector) equation(seen map[string]bool, q *lang.Equation) {
	if !seen[q.Name] {
		seen[q.Name] = true
		c.symbol(q.Name)
		c.expr(q.RHS)
	}
}

func (c collector) symbol(name string) {
	if l := c.env.Lets[name]; l != nil {
		if !c.Lets[name] {
			c.Lets[name] = true
			c.expr(l.Expr)
		}
		return
	}
	s := c.env.Symbols[name]
	if s == nil || c.Symbols[name] {
		return
	}
	c.Symbols[name] = true
	if s.Root != nil {
		c.expr(s.Root)
	}
	if s.Kind == lang.Random {
		for _, m := range c.env.Moments {
			if slices.Contains(m.Of, name) {
				c.expr(m.RHS)
			}
		}
	}
}
