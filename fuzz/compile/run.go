package compile

import (
	"math"

	"stopgrad/theory/eval"
)

// Workspace holds the registers of a program.
type Workspace struct {
	v, d []float64
}

// NewWorkspace returns registers for p.
func (p *Program) NewWorkspace() *Workspace {
	w := &Workspace{v: make([]float64, p.size), d: make([]float64, p.size)}
	for _, c := range p.consts {
		w.v[c.reg] = c.v
	}
	return w
}

// Judgement is what a statement comes to at a state.
type Judgement struct {
	// Defined is false if a division by zero, a negative radicand or a number that is not finite leaves the
	// statement without a value.
	Defined bool
	Met     bool // domains and hypotheses
	Holds   bool
	// Margin is relative to the largest sum met: the difference of an inequality, minus the residual of an
	// equality; for a statement that something stays nonnegative or zero, the derivative on the edge, its size
	// away from it.
	Margin float64
}

// Judge evaluates the statement where the inputs are x, in the order of Names. Draws are carried out first:
// x is changed to the state that is judged. It panics if x has another length.
func (p *Program) Judge(w *Workspace, x []float64) Judgement {
	if len(x) != len(p.names) {
		panic("compile: a state of another statement")
	}
	copy(w.v, x)
	clear(w.d[:len(x)])
	scale := 0.0
	if !w.run(p.draws, &scale) {
		return Judgement{}
	}
	for i := range p.draws {
		if o := p.draws[i]; o.code == opMove {
			w.d[o.dst] = 0
		}
	}
	copy(x, w.v[:len(x)])
	scale = 0
	j := Judgement{Defined: true, Met: true}
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Judgement{}
		}
		j.Met = j.Met && p.bounds[i].contains(v)
	}
	for i := range p.steps {
		s := &p.steps[i]
		if !w.run(s.ops, &scale) {
			return Judgement{}
		}
		holds := true
		v := w.v[s.reg]
		tol := eval.Tolerance * scale
		switch s.form {
		case equality:
			holds = math.Abs(v) <= tol
			j.Margin = -math.Abs(v)
		case inequality:
			holds = v > tol || !s.strict && v >= -tol
			j.Margin = v
		case edge, edgeZero:
			j.Margin = v
			if !(math.Abs(w.v[s.gate]) <= tol) {
				j.Margin = math.Abs(v)
			} else if s.form == edgeZero {
				holds = math.Abs(v) <= tol
				j.Margin = math.Abs(v)
			} else {
				holds = v >= -tol
			}
		}
		if math.IsNaN(v) {
			return Judgement{}
		}
		if i < len(p.steps)-1 {
			j.Met = j.Met && holds
			continue
		}
		j.Holds = holds
		if (s.form == equality || s.form == inequality) && scale > 0 {
			j.Margin /= scale
		}
	}
	return j
}

// run carries out operations; scale grows to the largest number that goes into a sum or a derivative.
func (w *Workspace) run(ops []op, scale *float64) bool {
	v, d, top := w.v, w.d, *scale
	for i := range ops {
		o := &ops[i]
		switch a, b := o.a, o.b; o.code {
		case opAdd:
			top = max(top, math.Abs(v[a]), math.Abs(v[b]))
			v[o.dst], d[o.dst] = v[a]+v[b], d[a]+d[b]
		case opSub:
			top = max(top, math.Abs(v[a]), math.Abs(v[b]))
			v[o.dst], d[o.dst] = v[a]-v[b], d[a]-d[b]
		case opMul:
			v[o.dst], d[o.dst] = v[a]*v[b], d[a]*v[b]+v[a]*d[b]
		case opInv:
			if v[a] == 0 {
				return false
			}
			r := 1 / v[a]
			v[o.dst], d[o.dst] = r, -(r * r * d[a])
		case opSqrt, opLoose:
			if v[a] < 0 {
				if o.code == opSqrt {
					return false
				}
				v[o.dst], d[o.dst] = math.NaN(), math.NaN()
				continue
			}
			r := math.Sqrt(v[a])
			v[o.dst], d[o.dst] = r, 0
			if d[a] != 0 {
				if r == 0 {
					return false
				}
				d[o.dst] = d[a] / (r + r)
			}
		case opDer:
			top = max(top, math.Abs(d[a]))
			v[o.dst], d[o.dst] = d[a], 0
		case opDirect:
			v[o.dst], d[o.dst] = v[a], v[b]
		case opStill:
			v[o.dst], d[o.dst] = v[a], 0
		case opUnit:
			v[o.dst], d[o.dst] = v[a], 1
		case opMove:
			v[o.dst], d[o.dst] = v[a], d[a]
		}
	}
	*scale = top
	return true
}
