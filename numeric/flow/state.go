package flow

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Defaults of the scalar keys of a state.
const (
	DefaultAlpha  = 1.0 // α_p: the predictor learns as fast as the network
	DefaultEta    = 0.0 // η: no weight decay
	DefaultBeta   = 1.0 // β: the rate of the moving average is the unit of time
	DefaultSigma2 = 0.0 // σ²: no augmentation
	DefaultTau    = 1.0 // τ: the target equals the online network
	DefaultT      = 0.0
)

// State is a point of a flow with its parameters: the content of a state file.
//
// A matrix or mode array that is nil is absent. NewState returns the scalar
// defaults; a State literal must set Alpha, Beta and Tau itself (their zero is a
// value, not the default).
type State struct {
	Alpha  float64 // key alpha: α_p, the relative learning rate of the predictor
	Eta    float64 // key eta: η ≥ 0, the weight decay
	Beta   float64 // key beta: β ≥ 0, the rate of the moving average
	Sigma2 float64 // key sigma2: σ² ≥ 0, X' = σ² I when Xp is absent
	Tau    float64 // key tau, a number: Wa = τ W
	T      float64 // key t: the time of this state

	W  *mat.Dense // key W, n2×n1: the online network
	Wp *mat.Dense // key Wp, n2×n2: the predictor
	Wa *mat.Dense // key Wa, n2×n1: the target network
	F  *mat.Dense // key F, n2×n2 symmetric: W X Wᵀ
	X  *mat.Dense // key X, n1×n1 symmetric ⪰ 0: second moment of augmentation means
	Xp *mat.Dense // key Xp, n1×n1 symmetric ⪰ 0: X', mean variance of the augmentation

	P        []float64 // key p: eigenvalues of Wp
	S        []float64 // key s: eigenvalues of F
	TauModes []float64 // key tau, an array: τ_j per mode
	Wm       []float64 // key w: singular values of W per mode
	WaM      []float64 // key wa: of Wa per mode

	given  keySet // scalar keys that were set explicitly
	number keySet // mode keys that were written as a number
	source string // the file it came from, for messages
}

// NewState returns a state with the default parameters and nothing else.
func NewState() *State {
	return &State{
		Alpha: DefaultAlpha, Eta: DefaultEta, Beta: DefaultBeta,
		Sigma2: DefaultSigma2, Tau: DefaultTau, T: DefaultT,
	}
}

// key numbers the keys of a state file.
type key uint8

const (
	kAlpha key = iota
	kEta
	kBeta
	kSigma2
	kTau
	kT
	kW
	kWp
	kWa
	kF
	kX
	kXp
	kP
	kS
	kWm
	kWaM
	numKeys
)

var keyNames = [numKeys]string{
	"alpha", "eta", "beta", "sigma2", "tau", "t",
	"W", "Wp", "Wa", "F", "X", "Xp",
	"p", "s", "w", "wa",
}

type keySet uint32

func (s keySet) has(k key) bool { return s>>k&1 != 0 }

func (s *keySet) add(k key) { *s |= 1 << k }

// scalar returns the field of a scalar key and its default.
func (s *State) scalar(k key) (field *float64, def float64) {
	switch k {
	case kAlpha:
		return &s.Alpha, DefaultAlpha
	case kEta:
		return &s.Eta, DefaultEta
	case kBeta:
		return &s.Beta, DefaultBeta
	case kSigma2:
		return &s.Sigma2, DefaultSigma2
	case kTau:
		return &s.Tau, DefaultTau
	case kT:
		return &s.T, DefaultT
	}
	return nil, 0
}

// matrix returns the field of a matrix key, or nil.
func (s *State) matrix(k key) **mat.Dense {
	switch k {
	case kW:
		return &s.W
	case kWp:
		return &s.Wp
	case kWa:
		return &s.Wa
	case kF:
		return &s.F
	case kX:
		return &s.X
	case kXp:
		return &s.Xp
	}
	return nil
}

// modes returns the field of a mode key (kTau for the per-mode τ), or nil.
func (s *State) modes(k key) *[]float64 {
	switch k {
	case kP:
		return &s.P
	case kS:
		return &s.S
	case kTau:
		return &s.TauModes
	case kWm:
		return &s.Wm
	case kWaM:
		return &s.WaM
	}
	return nil
}

// Has reports whether the key (alpha, W, p, …) was given: for a matrix or mode key
// whether it is present, for a scalar key whether it was set by a state file or
// differs from its default. It reports false for an unknown key.
func (s *State) Has(name string) bool {
	for k := range numKeys {
		if keyNames[k] == name {
			return s.has(k)
		}
	}
	return false
}

func (s *State) has(k key) bool {
	if m := s.matrix(k); m != nil {
		return *m != nil
	}
	if v := s.modes(k); v != nil && *v != nil {
		return true
	}
	if f, def := s.scalar(k); f != nil {
		return s.given.has(k) || *f != def
	}
	return false
}

// Clone returns a deep copy of s.
func (s *State) Clone() *State {
	c := *s
	for k := range numKeys {
		if m := c.matrix(k); m != nil && *m != nil {
			*m = mat.DenseCopyOf(*m)
		}
		if v := c.modes(k); v != nil && *v != nil {
			*v = append([]float64{}, *v...)
		}
	}
	return &c
}

// Moments returns X and X' for data of dimension n1: the matrices of the state, or
// X = I and X' = σ² I where they are absent (so sigma2 has no effect beside Xp). It
// returns an error that names the key if a matrix is not n1×n1, symmetric and
// positive semidefinite.
func (s *State) Moments(n1 int) (x, xp *mat.Dense, err error) {
	x, xp = s.X, s.Xp
	if x == nil {
		x = scaledIdentity(n1, 1)
	} else if err := checkMoment("X", x, n1, s.reference(n1)); err != nil {
		return nil, nil, err
	}
	if xp == nil {
		if !(s.Sigma2 >= 0) || math.IsInf(s.Sigma2, 1) {
			return nil, nil, fmt.Errorf("flow: sigma2 = %v must be a finite number ≥ 0", s.Sigma2)
		}
		return x, scaledIdentity(n1, s.Sigma2), nil
	}
	if err := checkMoment("Xp", xp, n1, s.reference(n1)); err != nil {
		return nil, nil, err
	}
	return x, xp, nil
}

// reference names the matrix whose columns set n1, for messages.
func (s *State) reference(n1 int) string {
	if s.W != nil {
		r, _ := s.W.Dims()
		return fmt.Sprintf("W is %d×%d", r, n1)
	}
	return fmt.Sprintf("the data have dimension %d", n1)
}

func scaledIdentity(n int, c float64) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, c)
	}
	return m
}

// InputTol is the relative tolerance to which a matrix of a state file must be
// symmetric, positive semidefinite, or equal to c·I where the equations need it:
// matrices printed with 15 digits pass, matrices of another kind do not.
const InputTol = 1e-12

// isIdentity reports whether m = c·I to InputTol, and if not an entry that
// differs.
func isIdentity(m *mat.Dense, c float64) (row, col int, ok bool) {
	n, _ := m.Dims()
	for i := range n {
		for j := range n {
			want := 0.0
			if i == j {
				want = c
			}
			if !(math.Abs(m.At(i, j)-want) <= InputTol*max(1, math.Abs(c))) {
				return i, j, false
			}
		}
	}
	return 0, 0, true
}

// checkSymmetric returns an error if m is not n×n and symmetric to InputTol
// relative to its largest entry.
func checkSymmetric(name string, m *mat.Dense) error {
	n, _ := m.Dims()
	var size float64
	for _, v := range m.RawMatrix().Data {
		size = max(size, math.Abs(v))
	}
	for i := range n {
		for j := range i {
			if !(math.Abs(m.At(i, j)-m.At(j, i)) <= InputTol*size) {
				return fmt.Errorf("flow: %s must be symmetric: row %d column %d is %v, row %d column %d is %v",
					name, j+1, i+1, m.At(j, i), i+1, j+1, m.At(i, j))
			}
		}
	}
	return nil
}

// checkMoment returns an error if m is not n1×n1, symmetric and positive
// semidefinite: λ_min ≥ -n1·InputTol·λ_max (the eigenvalues of a symmetric matrix
// move by at most n1 times the largest change of an entry).
func checkMoment(name string, m *mat.Dense, n1 int, reference string) error {
	r, c := m.Dims()
	if r != n1 || c != n1 {
		return fmt.Errorf("flow: %s is %d×%d but %s: %s must be %d×%d", name, r, c, reference, name, n1, n1)
	}
	if err := checkSymmetric(name, m); err != nil {
		return err
	}
	s := mat.NewSymDense(n1, nil)
	for i := range n1 {
		for j := i; j < n1; j++ {
			s.SetSym(i, j, (m.At(i, j)+m.At(j, i))/2)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(s, false) {
		return fmt.Errorf("flow: %s has no eigenvalues (non-finite entry)", name)
	}
	v := eig.Values(nil)
	if lo, hi := v[0], v[n1-1]; !(lo >= -float64(n1)*InputTol*max(hi, -lo)) {
		return fmt.Errorf("flow: %s must be positive semidefinite: its smallest eigenvalue is %.6g", name, lo)
	}
	return nil
}
