package statecheck

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

type (
	matrix = eval.Matrix[float64]
	exact  = eval.Matrix[*big.Rat]
)

// modeKeys are the scalars that a state gives one of per mode.
var modeKeys = []string{"p", "s", "tau", "w", "wa"}

// defaults of what a state does not give.
var defaults = map[string]float64{"alpha": flow.DefaultAlpha, "eta": flow.DefaultEta, "beta": flow.DefaultBeta, "sigma2": flow.DefaultSigma2, "tau": flow.DefaultTau}

// timeKey is the name of the time up to which a state asks for its trajectory.
const timeKey = "t"

// known are the names that have a meaning for every claim, whether or not it declares them.
func known(name string) bool {
	_, has := defaults[name]
	return has || name == timeKey || slices.Contains(modeKeys, name) || slices.Contains([]string{"W", "Wp", "Wa", "F", "X", "Xp"}, name)
}

// until is the time up to which the trajectory is asked for, 0 if there is none.
func (s *State) until(env *lang.Env) (float64, error) {
	v := s.values[timeKey]
	if v == nil || env.Symbols[timeKey] != nil {
		return 0, nil
	}
	if v.number == nil {
		return 0, s.errorf(v.line, "t: want a number")
	}
	t, _ := v.number.Float64()
	if math.IsInf(t, 0) {
		return 0, s.errorf(v.line, "t: a time beyond float64")
	}
	if t < 0 {
		return 0, s.errorf(v.line, "t: want a time from 0 on")
	}
	return t, nil
}

// modesOf returns the modes of a key, or nil. A number is one mode, except for tau, where it stands for all.
func (s *State) modesOf(key string) []*big.Rat {
	v := s.values[key]
	switch {
	case v == nil || v.size:
		return nil
	case v.modes != nil:
		return v.modes
	case v.number != nil && key != "tau":
		return []*big.Rat{v.number}
	}
	return nil
}

// modeCount returns the number of modes of a state, 0 if it has none.
func (s *State) modeCount() (int, error) {
	n, first := 0, ""
	for _, k := range modeKeys {
		switch v := s.modesOf(k); {
		case v == nil:
		case n == 0:
			n, first = len(v), k
		case len(v) != n:
			return 0, s.errorf(s.values[k].line, "%s has %d modes but %s has %d", k, len(v), first, n)
		}
	}
	return n, nil
}

// pick returns the state with the mode arrays restricted to the modes listed.
func (s *State) pick(modes []int) *State {
	c := &State{Name: s.Name, order: s.order, values: map[string]*value{}}
	for name, v := range s.values {
		if v.modes != nil && slices.Contains(modeKeys, name) {
			u := *v
			u.modes = nil
			for _, j := range modes {
				u.modes = append(u.modes, v.modes[j])
			}
			v = &u
		}
		c.values[name] = v
	}
	return c
}

// choices lists the modes to look at for a part: every mode if it speaks of p, s, tau, w or wa, every pair if
// it speaks of two modes (p1, p2, …) that are not given by themselves, and otherwise the state as it is.
func choices(u *Uses, env *lang.Env, s *State) ([][]int, error) {
	n, err := s.modeCount()
	if err != nil || n == 0 {
		return [][]int{nil}, err
	}
	if n > maxModes {
		return nil, fmt.Errorf("statecheck: %s: %d modes are given; expected %d at most, of which all pairs are looked at", s.Name, n, maxModes)
	}
	single := false
	for name := range u.Symbols {
		if env.Symbols[name].Kind != lang.Scalar {
			continue
		}
		if _, _, ok := pairKey(name); ok && s.values[name] == nil {
			var out [][]int
			for i := range n {
				for j := i + 1; j < n; j++ {
					out = append(out, []int{i, j})
				}
			}
			if out == nil {
				return [][]int{nil}, nil
			}
			return out, nil
		}
		single = single || slices.Contains(modeKeys, name) && (name != "tau" || s.modesOf("tau") != nil || s.modesOf("w") != nil)
	}
	if !single {
		return [][]int{nil}, nil
	}
	out := make([][]int, n)
	for j := range n {
		out[j] = []int{j}
	}
	return out, nil
}

// maxModes is the most modes that a state gives: of some claims all pairs are judged, some ten thousand.
const maxModes = 150

// pairKey splits p1 into p and 0, wa2 into wa and 1.
func pairKey(name string) (key string, i int, ok bool) {
	if n := len(name); n > 1 && (name[n-1] == '1' || name[n-1] == '2') && slices.Contains(modeKeys, name[:n-1]) {
		return name[:n-1], int(name[n-1] - '1'), true
	}
	return "", 0, false
}

// number is a number that is given or follows: exactly, or rounded where it is no fraction.
type number struct {
	v       *big.Rat
	rounded bool
	surd    *eval.Surd // of an irrational number that is given exactly
	how     string     // where it comes from; empty if it is given
}

// supply is what a state supplies to a claim: the values it gives and those that follow from them.
type supply struct {
	s *State // with at most the modes looked at
}

// mode returns the i-th mode of a key, given or derived.
func (q supply) mode(key string, i int) (number, bool) {
	// What is given as an irrational number is one near it here: what follows from it is rounded.
	at := func(key string) (n number) {
		if m := q.s.modesOf(key); i < len(m) {
			n = number{v: m[i], rounded: q.near(key)}
		}
		return n
	}
	if n := at(key); n.v != nil {
		return n, true
	}
	w, wa, s := at("w"), at("wa"), at("s")
	switch key {
	case "s":
		if w.v != nil {
			return number{v: new(big.Rat).Mul(w.v, w.v), rounded: w.rounded, how: "w²"}, true
		}
	case "tau":
		if v := q.s.values["tau"]; v != nil && v.number != nil {
			return number{v: v.number, rounded: v.surd != nil}, true
		}
		if w.v != nil && wa.v != nil && w.v.Sign() != 0 {
			return number{v: new(big.Rat).Quo(wa.v, w.v), rounded: w.rounded || wa.rounded, how: "wa/w"}, true
		}
	case "w":
		if s.v != nil && s.v.Sign() >= 0 {
			if r, err := (eval.Rational{}).Sqrt(s.v); err == nil {
				return number{v: r, rounded: s.rounded, how: "√s"}, true
			}
			f, _ := s.v.Float64()
			if r := new(big.Rat).SetFloat64(math.Sqrt(f)); r != nil {
				return number{v: r, rounded: true, how: "√s"}, true
			}
		}
	case "wa":
		w, ok := q.mode("w", i)
		tau, okTau := q.mode("tau", i)
		if ok && okTau {
			return number{v: new(big.Rat).Mul(tau.v, w.v), rounded: w.rounded || tau.rounded, how: "tau·w"}, true
		}
	}
	return number{}, false
}

// scalar returns the value of a scalar symbol.
func (q supply) scalar(name string) (number, bool) {
	given := func(key string) *big.Rat {
		if v := q.s.values[key]; v != nil && !v.size {
			if v.number == nil && len(v.rows) == 1 && len(v.rows[0]) == 1 {
				return v.rows[0][0]
			}
			return v.number
		}
		return nil
	}
	surd := func(key string) (number, bool) {
		v := q.s.values[key]
		if v == nil || v.surd == nil {
			return number{}, false
		}
		return number{v: v.number, surd: v.surd}, true
	}
	if n, ok := surd(name); ok {
		return n, true
	}
	if v := given(name); v != nil && !slices.Contains(modeKeys, name) {
		return number{v: v}, true
	}
	byDefault := func(key string) (number, bool) {
		if n, ok := surd(key); ok {
			return n, true
		}
		if v := given(key); v != nil {
			return number{v: v}, true
		}
		return number{v: new(big.Rat).SetFloat64(defaults[key]), how: "default"}, true
	}
	switch name {
	case "alpha", "eta", "beta":
		return byDefault(name)
	case "etap", "etas":
		n, _ := byDefault("eta")
		n.how = "eta"
		return n, true
	case "sigma2":
		if xp := q.given("Xp"); xp != nil {
			if c := xp.A[0]; isMultiple(*xp, c) {
				return number{v: c, surd: q.s.values["Xp"].surd, how: "Xp = sigma2·I"}, true
			}
		}
		return byDefault(name)
	case "p", "s", "w", "wa":
		if n, ok := q.mode(name, 0); ok {
			return n, true
		}
		v := given(name)
		return number{v: v}, v != nil
	case "tau":
		if v := q.s.values["tau"]; v != nil && len(v.modes) > 1 {
			return number{}, false
		}
		if n, ok := q.mode(name, 0); ok {
			return n, true
		}
		if v := given(name); v != nil {
			return number{v: v}, true
		}
		if w, wa := q.given("W"), q.given("Wa"); w != nil && wa != nil && w.R == wa.R && w.C == wa.C {
			num, den := new(big.Rat), new(big.Rat)
			for i, x := range w.A {
				num.Add(num, new(big.Rat).Mul(x, wa.A[i]))
				den.Add(den, new(big.Rat).Mul(x, x))
			}
			if den.Sign() > 0 {
				return number{v: num.Quo(num, den), rounded: q.near("W") || q.near("Wa"), how: "⟨W, Wa⟩/⟨W, W⟩"}, true
			}
		}
		return byDefault(name)
	}
	if key, i, ok := pairKey(name); ok {
		n, ok := q.mode(key, i)
		if n.how == "" {
			n.how = fmt.Sprintf("%s[%d]", key, i+1)
		}
		return n, ok
	}
	return number{}, false
}

// near reports whether what is given is an irrational number, which a fraction near it stands for.
func (q supply) near(name string) bool {
	v := q.s.values[name]
	return v != nil && v.surd != nil
}

// given returns a matrix as the state gives it, nil if it does not.
func (q supply) given(name string) *exact {
	v := q.s.values[name]
	switch {
	case v == nil || v.size:
		return nil
	case v.number != nil: // 1×1, as witnesses are written
		return &exact{R: 1, C: 1, A: []*big.Rat{v.number}}
	case v.rows == nil:
		return nil
	}
	m := &exact{R: len(v.rows), C: len(v.rows[0])}
	for _, r := range v.rows {
		m.A = append(m.A, r...)
	}
	return m
}

// matrix returns the value of a matrix symbol, nil if nothing gives it; whether it was rounded says near. An error says that what it
// follows from are too many or too long numbers.
func (q supply) matrix(name string) (v *exact, how string, near bool, err error) {
	if m := q.given(name); m != nil {
		return m, "", false, nil
	}
	switch name {
	case "F":
		w := q.given("W")
		if x, _, _, _ := q.matrix("X"); w != nil && x != nil && w.C == x.R && x.R == x.C {
			m, err := eval.Product(*w, *x)
			if err == nil {
				m, err = eval.Product(m, transposed(w))
			}
			return &m, "W·X·Wᵀ", q.near("W") || q.near("X"), err
		}
	case "X", "Xp":
		n := q.inputs()
		if n == 0 {
			return nil, "", false, nil
		}
		if name == "X" {
			return multiple(n, big.NewRat(1, 1)), "I", false, nil
		}
		sigma2, _ := q.scalar("sigma2")
		return multiple(n, sigma2.v), "sigma2·I", sigma2.rounded || sigma2.surd != nil, nil
	}
	return nil, "", false, nil
}

// inputs is the number of inputs that the matrices of the state show, 0 if none does.
func (q supply) inputs() int {
	for _, name := range []string{"W", "Wa", "X", "Xp"} {
		if m := q.given(name); m != nil {
			return m.C
		}
	}
	return 0
}

func transposed(a *exact) exact {
	m := exact{R: a.C, C: a.R}
	for j := range a.C {
		for i := range a.R {
			m.A = append(m.A, a.At(i, j))
		}
	}
	return m
}

func multiple(n int, c *big.Rat) *exact {
	m := &exact{R: n, C: n}
	for i := range n * n {
		x := new(big.Rat)
		if i/n == i%n {
			x = c
		}
		m.A = append(m.A, x)
	}
	return m
}

// isMultiple reports whether m = c·I up to flow.InputTol.
func isMultiple(m exact, c *big.Rat) bool {
	if m.R != m.C {
		return false
	}
	return closeTo(m, func(i, j int) *big.Rat {
		if i == j {
			return c
		}
		return new(big.Rat)
	}, c)
}

// closeTo reports whether m agrees with want up to flow.InputTol relative to the larger of 1 and |size|.
func closeTo(m exact, want func(i, j int) *big.Rat, size *big.Rat) bool {
	tol := new(big.Rat).Abs(size)
	if one := big.NewRat(1, 1); tol.Cmp(one) < 0 {
		tol = one
	}
	tol.Mul(tol, new(big.Rat).SetFloat64(flow.InputTol))
	for i := range m.R {
		for j := range m.C {
			d := new(big.Rat).Sub(m.At(i, j), want(i, j))
			if d.Abs(d).Cmp(tol) > 0 {
				return false
			}
		}
	}
	return true
}

// rounded is a matrix in float64; what is beyond float64 becomes infinite.
func rounded(m exact) matrix {
	out := matrix{R: m.R, C: m.C, A: make([]float64, len(m.A))}
	for i, x := range m.A {
		out.A[i], _ = x.Float64()
	}
	return out
}

// exactOf is a matrix of the numbers that float64 ones are; ok is false if one is not finite.
func exactOf(m matrix) (out exact, ok bool) {
	out = exact{R: m.R, C: m.C, A: make([]*big.Rat, len(m.A))}
	for i, x := range m.A {
		if out.A[i] = new(big.Rat).SetFloat64(x); out.A[i] == nil {
			return out, false
		}
	}
	return out, true
}

func fromDense(m *mat.Dense) matrix {
	r, c := m.Dims()
	out := matrix{R: r, C: c, A: make([]float64, 0, r*c)}
	for i := range r {
		out.A = append(out.A, m.RawRowView(i)...)
	}
	return out
}

func toDense(m matrix) *mat.Dense { return mat.NewDense(m.R, m.C, slices.Clone(m.A)) }
