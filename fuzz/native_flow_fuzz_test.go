package fuzz_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
)

// Native fuzz targets of the nine flows. Run one with
//
//	go test ./fuzz -run '^$' -fuzz '^FuzzLemma1$' -fuzztime 30s
//
// The arguments are the parameters as numbers of any kind (what is not a parameter must be refused by name), sizes,
// and a seed from which the entries of the matrices are drawn.

// parameters are the arguments of a target.
type parameters struct {
	alpha, eta, beta, sigma2, tau float64
	n2, n1                        uint8
	seed                          uint64
}

// folded brings the numbers below 16 in size, where products do not overflow; what is not finite stays.
func (q parameters) folded() parameters {
	for _, v := range []*float64{&q.alpha, &q.eta, &q.beta, &q.sigma2, &q.tau} {
		const limit = 16
		if math.Abs(*v) >= limit && !math.IsInf(*v, 0) {
			*v = math.Mod(*v, limit)
		}
	}
	return q
}

// invalid returns the keys that Bind must refuse for a flow.
func (q parameters) invalid(f flow.Flow) []string {
	var keys []string
	for _, key := range append(f.Parameters(), f.Variables()...) {
		v, nonNegative := 0.0, true
		switch key {
		case "alpha":
			v, nonNegative = q.alpha, false
		case "tau":
			v, nonNegative = q.tau, false
		case "eta":
			v = q.eta
		case "beta":
			v = q.beta
		case "sigma2":
			v = q.sigma2
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || nonNegative && v < 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

func random(rng *rand.Rand, r, c int, scale float64) *mat.Dense {
	m := mat.NewDense(r, c, nil)
	for i := range r {
		for j := range c {
			m.Set(i, j, scale*rng.NormFloat64())
		}
	}
	return m
}

// randomMoment is B·Bᵀ/rank: positive semidefinite of any rank.
func randomMoment(rng *rand.Rand, n int, scale float64) *mat.Dense {
	rank := 1 + rng.IntN(n+1)
	b := random(rng, n, rank, 1)
	return symmetricPart(linear(scale/float64(rank), product(b, b.T())))
}

// state draws what the flow needs, sizes from 1 to maxSize. A row of zeros, singular data, Wp = I and Wp = 0 come up on purpose.
func (q parameters) state(f flow.Flow) (*flow.State, *rand.Rand) {
	rng := rand.New(rand.NewPCG(q.seed, 0x666c6f77))
	s := flow.NewState()
	s.Alpha, s.Eta, s.Beta, s.Sigma2, s.Tau = q.alpha, q.eta, q.beta, q.sigma2, q.tau
	n2, n1 := 1+int(q.n2)%maxSize, 1+int(q.n1)%maxSize
	scale := []float64{0.03, 0.3, 1, 2}[rng.IntN(4)]
	modes := 1 + n2%3
	for _, key := range f.Variables() {
		switch key {
		case "W":
			s.W = random(rng, n2, n1, scale)
		case "Wa":
			s.Wa = random(rng, n2, n1, scale)
		case "Wp":
			s.Wp = random(rng, n2, n2, scale)
			switch rng.IntN(6) {
			case 0:
				s.Wp = eye(n2)
			case 1:
				s.Wp.Zero()
			}
			if f.Name == "symmetrised" || f.Name == "reduced" {
				s.Wp = symmetricPart(s.Wp)
			}
		case "F":
			s.W = random(rng, n2, n1, scale)
			if rng.IntN(4) == 0 {
				s.W.Scale(1/scale, s.W)
				for j := range n1 {
					s.W.Set(0, j, 0) // a row of zeros: a mode that must stay dead
				}
			}
			s.F = symmetricPart(product(s.W, s.W.T()))
		case "p":
			for range modes {
				s.P = append(s.P, scale*rng.NormFloat64())
			}
		case "s":
			for range modes {
				s.S = append(s.S, 0.01+scale*rng.ExpFloat64())
			}
		case "tau":
			for range modes {
				s.TauModes = append(s.TauModes, s.Tau+rng.NormFloat64()*float64(rng.IntN(2)))
			}
		case "w":
			for range modes {
				s.Wm = append(s.Wm, scale*rng.NormFloat64())
			}
		case "wa":
			for range modes {
				s.WaM = append(s.WaM, scale*rng.NormFloat64())
			}
		}
	}
	if s.W != nil && s.F == nil {
		switch rng.IntN(3) {
		case 0: // isotropic data
		default:
			s.X, s.Xp = randomMoment(rng, n1, 1), randomMoment(rng, n1, 0.5)
			if s.Sigma2 >= 0 && !math.IsInf(s.Sigma2, 1) {
				s.Sigma2 = 0 // X' takes its place
			}
		}
	}
	return s, rng
}

// target is one flow with its check.
type target struct {
	flow  string
	check func(*field, *rand.Rand) error
	// mutations are planted errors, each of which the check must find.
	mutations map[string]mutation
}

func (tg target) run(q parameters, m mutation) error {
	f, err := flow.ByName(tg.flow)
	if err != nil {
		return err
	}
	q = q.folded()
	s, rng := q.state(f)
	fd, err := newField(tg.flow, s, m)
	if bad := q.invalid(f); len(bad) > 0 {
		if err == nil {
			return errors.New("a state with no value for " + strings.Join(bad, ", ") + " is accepted")
		}
		for _, key := range bad {
			if strings.Contains(err.Error(), key) {
				return nil
			}
		}
		return errors.New("of " + strings.Join(bad, ", ") + " none is named: " + err.Error())
	}
	if err != nil {
		return err
	}
	if err := tg.check(fd, rng); !errors.Is(err, errStiff) {
		return err
	}
	return nil
}

func (tg target) fuzz(f *testing.F) {
	f.Fuzz(func(t *testing.T, alpha, eta, beta, sigma2, tau float64, n2, n1 uint8, seed uint64) {
		if err := tg.run(parameters{alpha, eta, beta, sigma2, tau, n2, n1, seed}, nil); err != nil {
			t.Error(err)
		}
	})
}

func FuzzLemma1(f *testing.F)      { targets["lemma1"].fuzz(f) }
func FuzzSimsiam(f *testing.F)     { targets["simsiam"].fuzz(f) }
func FuzzNopredictor(f *testing.F) { targets["nopredictor"].fuzz(f) }
func FuzzNostopgrad(f *testing.F)  { targets["nostopgrad"].fuzz(f) }
func FuzzSymmetrised(f *testing.F) { targets["symmetrised"].fuzz(f) }
func FuzzReduced(f *testing.F)     { targets["reduced"].fuzz(f) }
func FuzzDecoupled(f *testing.F)   { targets["decoupled"].fuzz(f) }
func FuzzModes(f *testing.F)       { targets["modes"].fuzz(f) }
func FuzzParabola(f *testing.F)    { targets["parabola"].fuzz(f) }

// add adds c·M to the matrix d.
func add(d *mat.Dense, c float64, m mat.Matrix) { d.Add(d, linear(c, m)) }

// residual is R = −Wp·W·(X+X') + Wa·X of package flow.
func residual(s *flow.State) *mat.Dense {
	x, both := moments(s)
	target := s.W
	if s.Wa != nil {
		target = s.Wa
	}
	return linear(-1.0, product(s.Wp, s.W, both), 1.0, product(target, x))
}

// augmentation is X'.
func augmentation(s *flow.State) *mat.Dense {
	x, both := moments(s)
	return linear(1.0, both, -1.0, x)
}

var targets = map[string]target{
	"lemma1": {"lemma1", checkLemma1, map[string]mutation{
		"the decay of Wp grows":      func(s, d *flow.State) { add(d.Wp, 2*s.Eta, s.Wp) },
		"the decay of Wp is αη":      func(s, d *flow.State) { add(d.Wp, s.Eta*(1-s.Alpha), s.Wp) },
		"no decay of W":              func(s, d *flow.State) { add(d.W, s.Eta, s.W) },
		"Wp learns at the rate of W": func(s, d *flow.State) { add(d.Wp, 1-s.Alpha, product(residual(s), s.W.T())) },
		"Wp in place of its transpose": func(s, d *flow.State) {
			add(d.W, 1, product(linear(1.0, s.Wp, -1.0, s.Wp.T()), residual(s)))
		},
		"X − X' in place of X + X', in W' alone": func(s, d *flow.State) {
			add(d.W, 2, product(s.Wp.T(), s.Wp, s.W, augmentation(s)))
		},
		"X − X' in place of X + X', in both": func(s, d *flow.State) {
			e := linear(2.0, product(s.Wp, s.W, augmentation(s)))
			add(d.W, 1, product(s.Wp.T(), e))
			add(d.Wp, s.Alpha, product(e, s.W.T()))
		},
		"the target through the augmentation too": func(s, d *flow.State) {
			e := product(s.Wa, augmentation(s))
			add(d.W, 1, product(s.Wp.T(), e))
			add(d.Wp, s.Alpha, product(e, s.W.T()))
		},
		"the moving average runs away": func(s, d *flow.State) { add(d.Wa, 2, linear(-s.Beta, s.W, s.Beta, s.Wa)) },
	}},
	"simsiam": {"simsiam", checkSimsiam, map[string]mutation{
		"no stop-gradient":     func(s, d *flow.State) { x, _ := moments(s); add(d.W, 1, product(s.Wp, s.W, x)) },
		"the decay of W grows": func(s, d *flow.State) { add(d.W, 2*s.Eta, s.W) },
		"the residual's sign":  func(s, d *flow.State) { add(d.W, -2, product(s.Wp.T(), residual(s))) },
		"half the predictor":   func(s, d *flow.State) { add(d.Wp, -s.Alpha/2, product(residual(s), s.W.T())) },
		"no augmentation":      func(s, d *flow.State) { add(d.Wp, s.Alpha, product(s.Wp, s.W, augmentation(s), s.W.T())) },
		"W·Rᵀ in place of R·Wᵀ": func(s, d *flow.State) {
			m := product(residual(s), s.W.T())
			add(d.Wp, s.Alpha, linear(1.0, m.T(), -1.0, m))
		},
	}},
	"nopredictor": {"nopredictor", checkNopredictor, map[string]mutation{
		"the decay grows":        func(s, d *flow.State) { add(d.W, 2*s.Eta, s.W) },
		"the augmentation grows": func(s, d *flow.State) { add(d.W, 2, product(s.W, augmentation(s))) },
		"X in place of X'": func(s, d *flow.State) {
			x, _ := moments(s)
			add(d.W, 1, product(s.W, linear(1.0, augmentation(s), -1.0, x)))
		},
		"half the augmentation": func(s, d *flow.State) { add(d.W, 0.5, product(s.W, augmentation(s))) },
	}},
	"nostopgrad": {"nostopgrad", checkNostopgrad, map[string]mutation{
		"a stop-gradient": func(s, d *flow.State) {
			x, both := moments(s)
			add(d.W, 1, linear(1.0, product(s.W, both), -1.0, product(s.Wp, s.W, x)))
		},
		"Wp + I in place of Wp − I": func(s, d *flow.State) {
			x, _ := moments(s)
			add(d.W, -2, product(linear(1.0, s.Wp, 1.0, s.Wp.T()), s.W, x))
		},
		"no identity":           func(s, d *flow.State) { add(d.W, 1, product(s.W, augmentation(s))) },
		"the decay of Wp grows": func(s, d *flow.State) { add(d.Wp, 2*s.Eta, s.Wp) },
		"no α":                  func(s, d *flow.State) { add(d.Wp, 1-s.Alpha, product(residual(s), s.W.T())) },
	}},
	"symmetrised": {"symmetrised", checkSymmetrised, map[string]mutation{
		"twice the symmetric part": func(s, d *flow.State) {
			m := product(residual(s), s.W.T())
			add(d.Wp, s.Alpha/2, linear(1.0, m, 1.0, m.T()))
		},
		"the decay of Wp halves": func(s, d *flow.State) { add(d.Wp, s.Eta/2, s.Wp) },
		"the target is W": func(s, d *flow.State) {
			x, _ := moments(s)
			add(d.W, 1, product(s.Wp, linear(1.0, s.W, -1.0, s.Wa), x))
		},
		"the average stands": func(s, d *flow.State) { d.Wa.Zero() },
		"W' without Wp": func(s, d *flow.State) {
			add(d.W, 1, product(linear(1.0, eye(s.Wp.RawMatrix().Rows), -1.0, s.Wp), residual(s)))
		},
	}},
	"reduced": {"reduced", checkReduced, map[string]mutation{
		"α in place of α/2": func(s, d *flow.State) { add(d.Wp, -s.Alpha*(1+s.Sigma2)/2, anti(s.Wp, s.F)) },
		"the drive's sign":  func(s, d *flow.State) { add(d.Wp, -2*s.Alpha*s.Tau, s.F) },
		"τ{Wp, F}, sign":    func(s, d *flow.State) { add(d.F, -2*s.Tau, anti(s.Wp, s.F)) },
		"η in place of 2η":  func(s, d *flow.State) { add(d.F, s.Eta, s.F) },
		"2·Wp·F·Wp in place of {Wp², F}": func(s, d *flow.State) {
			add(d.F, 1+s.Sigma2, linear(1.0, anti(product(s.Wp, s.Wp), s.F), -2.0, product(s.Wp, s.F, s.Wp)))
		},
		"no augmentation":   func(s, d *flow.State) { add(d.F, s.Sigma2, anti(product(s.Wp, s.Wp), s.F)) },
		"a dead mode wakes": func(s, d *flow.State) { add(d.F, 1e-3, eye(s.F.RawMatrix().Rows)) },
	}},
	"decoupled": {"decoupled", checkDecoupled, map[string]mutation{
		"no α": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.P[i] += (1 - s.Alpha) * v * (tau - a*p) })
		},
		"s' without 2":   func(s, d *flow.State) { each(s, func(i int, p, v, tau, a float64) { d.S[i] -= p * v * (tau - a*p) }) },
		"the decay of s": func(s, d *flow.State) { each(s, func(i int, p, v, tau, a float64) { d.S[i] += s.Eta * v }) },
		"τ + ap": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.P[i] += 2 * s.Alpha * v * a * p })
		},
		"frozen τ": func(s, d *flow.State) { each(s, func(i int, p, v, tau, a float64) { d.TauModes[i] = 0 }) },
		"τ' without s'/2s": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.TauModes[i] = s.Beta * (1 - tau) })
		},
		"the decay in τ'": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.TauModes[i] -= 2 * s.Eta * tau })
		},
		"a = 1": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.P[i] += s.Alpha * v * (a - 1) * p })
		},
		"p' driven by p²/α": func(s, d *flow.State) {
			each(s, func(i int, p, v, tau, a float64) { d.P[i] += (p*p - s.Alpha*v) * (tau - a*p) })
		},
	}},
	"modes": {"modes", checkModes, map[string]mutation{
		"wa' = β(wa − w)": func(s, d *flow.State) {
			for i := range d.WaM {
				d.WaM[i] = -d.WaM[i]
			}
		},
		"the decay of w grows": func(s, d *flow.State) {
			for i, w := range s.Wm {
				d.Wm[i] += 2 * s.Eta * w
			}
		},
		"w for wa in p'": func(s, d *flow.State) {
			for i, w := range s.Wm {
				d.P[i] += s.Alpha * w * (w - s.WaM[i])
			}
		},
		"−a·w in place of −a·p·w": func(s, d *flow.State) {
			for i, p := range s.P {
				d.Wm[i] += p * (1 + s.Sigma2) * (p - 1) * s.Wm[i]
			}
		},
	}},
	"parabola": {"parabola", checkParabola, map[string]mutation{
		"p in place of p²": func(s, d *flow.State) {
			for i, p := range s.P {
				d.P[i] += (p - p*p) * (s.Tau - (1+s.Sigma2)*p)
			}
		},
		"the decay's sign": func(s, d *flow.State) {
			for i, p := range s.P {
				d.P[i] += 2 * s.Eta * p
			}
		},
		"τ + ap": func(s, d *flow.State) {
			for i, p := range s.P {
				d.P[i] += 2 * p * p * (1 + s.Sigma2) * p
			}
		},
		"a = 1": func(s, d *flow.State) {
			for i, p := range s.P {
				d.P[i] += s.Sigma2 * p * p * p
			}
		},
	}},
}

// each calls f with the numbers of every mode of a decoupled state.
func each(s *flow.State, f func(i int, p, v, tau, a float64)) {
	for i, p := range s.P {
		f(i, p, s.S[i], s.TauModes[i], 1+s.Sigma2)
	}
}

func anti(a, b mat.Matrix) *mat.Dense { return linear(1.0, product(a, b), 1.0, product(b, a)) }

// plantedSeeds bounds how many seeds the check of a target may need to find a planted error.
const plantedSeeds = 20

// Every planted error in every flow is found by the check of its fuzz target within plantedSeeds seeds, and nothing is
// found in the flows as they are.
func TestPlantedErrorsAreFound(t *testing.T) {
	for name, tg := range targets {
		t.Run(name, func(t *testing.T) {
			inputs := func(k int) parameters {
				rng := rand.New(rand.NewPCG(uint64(k), 1))
				return parameters{
					alpha: math.Pow(10, 2*rng.Float64()-1), eta: math.Pow(10, -2*rng.Float64()), beta: math.Pow(10, 2*rng.Float64()-1),
					sigma2: 2 * rng.Float64(), tau: 1.2 * rng.Float64(), n2: uint8(rng.IntN(256)), n1: uint8(rng.IntN(256)), seed: rng.Uint64(),
				}
			}
			for k := range plantedSeeds {
				if err := tg.run(inputs(k), nil); err != nil {
					t.Errorf("seed %d, no error planted: %v", k, err)
				}
			}
			worst := 0
			for what, m := range tg.mutations {
				found := false
				for k := 0; k < plantedSeeds && !found; k++ {
					if found = tg.run(inputs(k), m) != nil; found {
						worst = max(worst, k+1)
					}
				}
				if !found {
					t.Errorf("%s: not found in %d seeds", what, plantedSeeds)
				}
			}
			t.Logf("%d planted errors, each found within %d seeds", len(tg.mutations), worst)
		})
	}
	if len(targets) != len(flow.Names()) {
		t.Errorf("%d targets for the flows %v", len(targets), flow.Names())
	}
}
