package statecheck

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/flow"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
)

type matrix = eval.Matrix[float64]

// modeKeys are the scalars that a state gives one of per mode.
var modeKeys = []string{"p", "s", "tau", "w", "wa"}

// modesOf returns the mode array of a key, or nil.
func modesOf(s *flow.State, key string) []float64 {
	switch key {
	case "p":
		return s.P
	case "s":
		return s.S
	case "tau":
		return s.TauModes
	case "w":
		return s.Wm
	case "wa":
		return s.WaM
	}
	return nil
}

// modeCount returns the number of modes of a state, 0 if it has none.
func modeCount(s *flow.State) (int, error) {
	n, first := 0, ""
	for _, k := range modeKeys {
		switch v := modesOf(s, k); {
		case v == nil:
		case n == 0:
			n, first = len(v), k
		case len(v) != n:
			return 0, fmt.Errorf("statecheck: %s has %d modes but %s has %d", k, len(v), first, n)
		}
	}
	return n, nil
}

// pickModes returns the state with the mode arrays restricted to the modes listed.
func pickModes(s *flow.State, modes []int) *flow.State {
	c := s.Clone()
	pick := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		out := make([]float64, len(modes))
		for i, j := range modes {
			out[i] = v[j]
		}
		return out
	}
	c.P, c.S, c.TauModes, c.Wm, c.WaM = pick(c.P), pick(c.S), pick(c.TauModes), pick(c.Wm), pick(c.WaM)
	return c
}

// choices lists the modes to look at for a part: every mode if it speaks of p, s, tau, w or wa, every pair if
// it speaks of two modes (p1, p2, …), and otherwise the state as it is.
func choices(u *Uses, env *lang.Env, s *flow.State) ([][]int, error) {
	n, err := modeCount(s)
	if err != nil || n == 0 {
		return [][]int{nil}, err
	}
	single := false
	for name := range u.Symbols {
		if env.Symbols[name].Kind != lang.Scalar {
			continue
		}
		if _, _, ok := pairKey(name); ok {
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
		single = single || slices.Contains(modeKeys, name) && (name != "tau" || s.TauModes != nil || s.Wm != nil)
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

// pairKey splits p1 into p and 0, wa2 into wa and 1.
func pairKey(name string) (key string, i int, ok bool) {
	if n := len(name); n > 1 && (name[n-1] == '1' || name[n-1] == '2') && slices.Contains(modeKeys, name[:n-1]) {
		return name[:n-1], int(name[n-1] - '1'), true
	}
	return "", 0, false
}

// supply is what a state supplies to a claim: the values it gives and those that follow from them.
type supply struct {
	s *flow.State // with at most the modes looked at
}

// mode returns the i-th mode of a key, given or derived.
func (q supply) mode(key string, i int) (v float64, how string, ok bool) {
	if m := modesOf(q.s, key); i < len(m) {
		return m[i], "", true
	}
	at := func(key string) (float64, bool) {
		m := modesOf(q.s, key)
		if i < len(m) {
			return m[i], true
		}
		return 0, false
	}
	w, hasW := at("w")
	wa, hasWa := at("wa")
	s, hasS := at("s")
	switch key {
	case "s":
		if hasW {
			return w * w, "w²", true
		}
	case "tau":
		if q.s.Has("tau") {
			return q.s.Tau, "", true
		}
		if hasW && hasWa && w != 0 {
			return wa / w, "wa/w", true
		}
	case "w":
		if hasS && s >= 0 {
			return math.Sqrt(s), "√s", true
		}
	case "wa":
		w, _, ok := q.mode("w", i)
		tau, _, okTau := q.mode("tau", i)
		if ok && okTau {
			return tau * w, "tau·w", true
		}
	}
	return 0, "", false
}

// scalar returns the value of a scalar symbol.
func (q supply) scalar(name string) (v float64, how string, ok bool) {
	s := q.s
	byDefault := func(key string, v float64) (float64, string, bool) {
		if s.Has(key) {
			return v, "", true
		}
		return v, "default", true
	}
	switch name {
	case "alpha":
		return byDefault(name, s.Alpha)
	case "eta":
		return byDefault(name, s.Eta)
	case "beta":
		return byDefault(name, s.Beta)
	case "etap", "etas":
		return s.Eta, "eta", true
	case "sigma2":
		if !s.Has(name) && s.Xp != nil {
			if c := s.Xp.At(0, 0); isMultiple(s.Xp, c) {
				return c, "Xp = sigma2·I", true
			}
		}
		return byDefault(name, s.Sigma2)
	case "p", "s", "w", "wa":
		return q.mode(name, 0)
	case "tau":
		if len(s.TauModes) > 1 {
			return 0, "", false
		}
		if v, how, ok := q.mode(name, 0); ok {
			return v, how, true
		}
		if s.W != nil && s.Wa != nil && sameDims(s.W, s.Wa) {
			var num, den mat.Dense
			num.MulElem(s.W, s.Wa)
			den.MulElem(s.W, s.W)
			if d := mat.Sum(&den); d > 0 {
				return mat.Sum(&num) / d, "⟨W, Wa⟩/⟨W, W⟩", true
			}
		}
		return byDefault(name, s.Tau)
	}
	if key, i, ok := pairKey(name); ok {
		v, how, ok := q.mode(key, i)
		if how == "" {
			how = fmt.Sprintf("%s[%d]", key, i+1)
		}
		return v, how, ok
	}
	return 0, "", false
}

// matrix returns the value of a matrix symbol.
func (q supply) matrix(name string) (v *mat.Dense, how string, err error) {
	s := q.s
	switch name {
	case "W":
		return s.W, "", nil
	case "Wp":
		return s.Wp, "", nil
	case "Wa":
		return s.Wa, "", nil
	case "F":
		if s.F != nil || s.W == nil {
			return s.F, "", nil
		}
		x, _, err := q.moments()
		if err != nil {
			return nil, "", err
		}
		f := new(mat.Dense)
		f.Product(s.W, x, s.W.T())
		return f, "W·X·Wᵀ", nil
	case "X", "Xp":
		x, xp, err := q.moments()
		if err != nil || x == nil {
			return nil, "", err
		}
		if name == "X" {
			if s.X == nil {
				how = "I"
			}
			return x, how, nil
		}
		if s.Xp == nil {
			how = "sigma2·I"
		}
		return xp, how, nil
	}
	return nil, "", nil
}

// moments returns X and X' of the state, nil if nothing says how large they are.
func (q supply) moments() (x, xp *mat.Dense, err error) {
	n1 := 0
	switch s := q.s; {
	case s.W != nil:
		_, n1 = s.W.Dims()
	case s.Wa != nil:
		_, n1 = s.Wa.Dims()
	case s.X != nil:
		_, n1 = s.X.Dims()
	case s.Xp != nil:
		_, n1 = s.Xp.Dims()
	default:
		return nil, nil, nil
	}
	return q.s.Moments(n1)
}

func sameDims(a, b *mat.Dense) bool {
	r, c := a.Dims()
	s, d := b.Dims()
	return r == s && c == d
}

// isMultiple reports whether m = c·I up to flow.InputTol.
func isMultiple(m *mat.Dense, c float64) bool {
	r, n := m.Dims()
	if r != n {
		return false
	}
	return closeTo(m, func(i, j int) float64 {
		if i == j {
			return c
		}
		return 0
	}, math.Abs(c))
}

// closeTo reports whether m agrees with want up to flow.InputTol relative to the larger of 1 and size.
func closeTo(m *mat.Dense, want func(i, j int) float64, size float64) bool {
	r, c := m.Dims()
	for i := range r {
		for j := range c {
			if !(math.Abs(m.At(i, j)-want(i, j)) <= flow.InputTol*max(1, size)) {
				return false
			}
		}
	}
	return true
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
