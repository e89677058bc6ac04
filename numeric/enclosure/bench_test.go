package enclosure

import (
	"math/big"
	"testing"
)

// BenchmarkReducedFlow encloses the n×n reduced flow over [0, 5]; its peer is one
// extrapolation in 240-bit arithmetic over the same time, which bounds nothing.
func BenchmarkReducedFlow(b *testing.B) {
	h := Hyper{Alpha: iv(1, 1), Tau: iv(1, 1), Eta: iv(1, 20)}
	starts := map[string][]*big.Rat{
		"n=2": {q(3, 5), q(1, 5), q(2, 5), q(7, 10), q(-1, 10), q(3, 10)},
		"n=3": {
			q(3, 5), q(1, 5), q(1, 10), q(2, 5), q(1, 10), q(1, 5),
			q(7, 10), q(-1, 10), q(1, 10), q(3, 10), q(1, 5), q(1, 2),
		},
	}
	for _, name := range []string{"n=2", "n=3"} {
		flow := Reduced(int(name[2]-'0'), h)
		b.Run(name+"/enclosure", func(b *testing.B) {
			for b.Loop() {
				tube, err := Integrate(flow.System, ivs(starts[name]...), q(0, 1), q(5, 1), nil)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(tube.Steps()), "steps")
			}
		})
		b.Run(name+"/bigFloat", func(b *testing.B) {
			field := func(x []*big.Float) []*big.Float {
				out := make([]*big.Float, len(x))
				for i, v := range flow.System.Names() {
					out[i] = evalBig(flow.System.RHS(v), x, map[int]*big.Float{})
				}
				return out
			}
			x0 := make([]*big.Float, len(starts[name]))
			for i, r := range starts[name] {
				x0[i] = bf(r)
			}
			for b.Loop() {
				extrapolate(field, x0, q(5, 1), 20)
			}
		})
	}
}

// evalBig evaluates an expression in big.Float, parameters at their midpoints.
func evalBig(e Expr, x []*big.Float, known map[int]*big.Float) *big.Float {
	if v, ok := known[e.id]; ok {
		return v
	}
	n := e.sys.nodes[e.id]
	sub := func(id int) *big.Float { return evalBig(Expr{e.sys, id}, x, known) }
	var v *big.Float
	switch n.op {
	case opVar:
		v = x[n.a]
	case opConst:
		v = bf(e.sys.consts[n.a])
	case opParam:
		v = new(big.Float).SetPrec(referencePrec).SetFloat64(e.sys.params[n.a].value.Mid())
	case opAdd:
		v = bfAdd(sub(n.a), sub(n.b))
	case opSub:
		v = bfSub(sub(n.a), sub(n.b))
	case opMul, opSqr:
		v = bfMul(sub(n.a), sub(n.b))
	case opNeg:
		v = new(big.Float).Neg(sub(n.a))
	case opDiv:
		v = bfQuo(sub(n.a), sub(n.b))
	}
	known[e.id] = v
	return v
}
