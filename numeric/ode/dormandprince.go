package ode

import "sync"

// DormandPrinceTableau returns the 5(4) pair of Dormand and Prince (RK5(4)7M):
// 7 stages, first-same-as-last, orders 5 and 4, with Shampine's continuous
// extension of order 4 (Some practical Runge–Kutta formulas, Math. Comp. 46
// (1986) 135–150). All coefficients are rational.
//
// The returned tableau is the caller's to change.
func DormandPrinceTableau() *Tableau {
	return &Tableau{
		Name:          "Dormand–Prince 5(4)",
		Order:         5,
		EmbeddedOrder: 4,
		DenseOrder:    4,
		A: append([][]Exact{nil}, parseRows(
			`1/5
3/40 9/40
44/45 -56/15 32/9
19372/6561 -25360/2187 64448/6561 -212/729
9017/3168 -355/33 46732/5247 49/176 -5103/18656
35/384 0 500/1113 125/192 -2187/6784 11/84`)...),
		B:    parseRow(`35/384 0 500/1113 125/192 -2187/6784 11/84 0`),
		BHat: parseRow(`5179/57600 0 7571/16695 393/640 -92097/339200 187/2100 1/40`),
		Theta: parseRows(
			`1 -8048581381/2820520608 8663915743/2820520608 -12715105075/11282082432
0 0 0 0
0 131558114200/32700410799 -68118460800/10900136933 87487479700/32700410799
0 -1754552775/470086768 14199869525/1410260304 -10690763975/1880347072
0 127303824393/49829197408 -318862633887/49829197408 701980252875/199316789632
0 -282668133/205662961 2019193451/616988883 -1453857185/822651844
0 40617522/29380423 -110615467/29380423 69997945/29380423`),
	}
}

var dormandPrince = sync.OnceValue(func() *explicitCoefficients {
	return DormandPrinceTableau().compile()
})
