package ode

import "sync"

// VernerTableau returns Verner's 8(7) pair of 1978 (13 stages, the pair of the
// code DVERK78) with a continuous extension of order 7.
//
// Why this one. The 8(7) pairs with the smallest error constants in common use,
// Dormand and Prince's RK8(7)13M and Hairer's DOP853, are published as decimal
// or rational approximations: their order conditions hold to 1e-16 and not
// exactly. Fehlberg's 7(8) is rational, but its error estimate is
// (41/840) h (k₁ + k₁₁ - k₁₂ - k₁₃), which is zero for every y' = f(t). The
// eleven stages of Cooper and Verner (in ℚ(√21)) carry no embedded formula.
// Verner's pair is rational with small denominators and its two quadratures differ.
// The price: the norm of its principal error is 1.7e-5 (2-norm of the 286
// coefficients of order 9, each divided by its symmetry), and on the two-body problem
// it takes 1.2 to 1.4 times the evaluations of DOP853 for one accuracy.
//
// The continuous extension was made for this package by solving the (linear)
// order conditions for the weights in exact arithmetic: with f(t+h, y₁) the
// fourteen stages give values of order 5 at any θ, one more stage at θ = 1/4 gives
// order 6, and three stages of that order at 1/3, 1/2, 3/5 give order 7. It is
// continuously differentiable across steps, and its principal error, at most
// 2.8e-5 on [0, 1], is below the 3.8e-5 of the embedded formula that controls the
// step.
//
// All coefficients are rational. The returned tableau is the caller's to change.
func VernerTableau() *Tableau {
	return &Tableau{
		Name:          "Verner 8(7)",
		Order:         8,
		EmbeddedOrder: 7,
		DenseOrder:    7,
		A: append([][]Exact{nil}, parseRows(
			`1/4
5/72 1/72
1/32 0 3/32
106/125 0 -408/125 352/125
1/48 0 0 8/33 125/528
-1263/2401 0 0 39936/26411 -64125/26411 5520/2401
37/392 0 0 0 1625/9408 -2/15 61/6720
17176/25515 0 0 -47104/25515 1325/504 -41792/25515 20237/145800 4312/6075
-23834/180075 0 0 -77824/1980825 -636635/633864 254048/300125 -183/7000 8/11 -324/3773
12733/7600 0 0 -20032/5225 456485/80256 -42599/7125 339227/912000 -1029/4180 1701/1408 5145/2432
-27061/204120 0 0 40448/280665 -1353775/1197504 17662/25515 -71687/1166400 98/225 1/16 3773/11664 0
11203/8680 0 0 -38144/11935 2354425/458304 -84046/16275 673309/1636800 4704/8525 9477/10912 -1029/992 0 729/341
31/720 0 0 0 0 16/75 16807/79200 16807/79200 243/1760 0 0 243/1760 31/720
5701/61440 0 0 0 0 -23/120 0 0 6831/81920 333739/1228800 -469/76800 0 0 0
7963/174960 0 0 0 0 0 -14063/19245600 1033459/5248800 0 343/194400 -21109/492075 185/3168 84599/1574640 -346/32805 1024/32805
2719/46080 0 0 0 0 397/4500 -76489/4608000 331681/3168000 8991/450560 22981/368640 0 0 -31/2304 13/720 8/45 0
6213/125000 0 0 0 0 0 0 50421/312500 2187/625000 0 -1349/31250 6561/125000 32581/625000 -1359/156250 9216/78125 0 16776/78125`)...),
		B:    parseRow(`31/720 0 0 0 0 16/75 16807/79200 16807/79200 243/1760 0 0 243/1760 31/720`),
		BHat: parseRow(`13/288 0 0 0 0 32/125 31213/144000 2401/12375 1701/14080 2401/19200 19/450 0 0`),
		Theta: parseRows(
			`1 -32503/4080 37751/1224 -106255/1632 156001/2040 -7497/160 15857/1360
0 0 0 0 0 0 0
0 0 0 0 0 0 0
0 0 0 0 0 0 0
0 0 0 0 0 0 0
0 17808/2125 -68992/1275 12992/85 -475328/2125 20608/125 -102176/2125
0 1966419/1496000 -6369853/448800 20386891/359040 -80018127/748000 150943667/1584000 -4353013/136000
0 3008453/187000 -3966452/42075 890771/3740 -43244411/140250 2403401/12000 -19344857/374000
0 423549/119680 -278397/11968 3202983/47872 -1192401/11968 95823/1280 -2665953/119680
0 -50421/54400 16807/16320 50421/4352 -1025227/27200 789929/19200 -823543/54400
0 -133/425 266/765 133/34 -16226/1275 6251/450 -6517/1275
0 66339/7480 -9072/187 83349/748 -236439/1870 24381/352 -19683/1360
0 0 0 0 0 217/720 -31/120
0 -3/680 613/204 -591/34 13131/340 -4571/120 471/34
0 0 0 0 0 0 0
0 -2187/80 1701/8 -5103/8 37179/40 -52731/80 729/4
0 1488/85 -9152/51 11104/17 -92352/85 12656/15 -4224/17
0 -15625/816 203125/1224 -78125/136 390625/408 -109375/144 15625/68`),
	}
}

var verner8 = sync.OnceValue(func() *explicitCoefficients {
	return VernerTableau().compile()
})
