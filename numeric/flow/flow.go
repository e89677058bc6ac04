package flow

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/numeric/ode"
)

// Flow is one system of equations.
type Flow struct {
	Name      string
	Equations string // Unicode, one equation per line
	Source    string // where the equations come from

	variables []key // the keys of its state variables
	params    []key // the keys of its parameters and data
	bind      func(*State) (*System, error)
}

// flows is the closed list of the theory, in the order of Names.
var flows = []Flow{
	lemma1Flow, simsiamFlow, nopredictorFlow, nostopgradFlow,
	symmetrisedFlow, reducedFlow, decoupledFlow, modesFlow, parabolaFlow,
}

// ByName returns the flow called name, or an error that lists the names.
func ByName(name string) (Flow, error) {
	for _, f := range flows {
		if f.Name == name {
			return f, nil
		}
	}
	return Flow{}, fmt.Errorf("flow: unknown flow %q (known: %s)", name, strings.Join(Names(), " "))
}

// Names returns the names of the flows in a fixed order.
func Names() []string {
	names := make([]string, len(flows))
	for i, f := range flows {
		names[i] = f.Name
	}
	return names
}

// Variables returns the keys of the state variables, in packing order.
func (f Flow) Variables() []string { return keyList(f.variables) }

// Parameters returns the keys of the parameters and data that the flow reads.
func (f Flow) Parameters() []string { return keyList(f.params) }

func keyList(ks []key) []string {
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = keyNames[k]
	}
	return names
}

// Bind checks the state against the flow and returns the system to integrate. It
// copies what it needs: later changes of s have no effect.
//
// The error names the key that is missing, misshapen (with both shapes), not
// symmetric, not positive semidefinite, not finite or out of range, and the file that
// the state was read from.
func (f Flow) Bind(s *State) (*System, error) {
	if f.bind == nil {
		return nil, fmt.Errorf("flow: unknown flow %q (known: %s)", f.Name, strings.Join(Names(), " "))
	}
	sys, err := f.bindClone(s.Clone())
	if err != nil && s.source != "" {
		return nil, fmt.Errorf("flow: %s: %s", s.source, strings.TrimPrefix(err.Error(), "flow: "))
	}
	return sys, err
}

func (f Flow) bindClone(s *State) (*System, error) {
	for _, k := range append(append([]key{kT}, f.params...), f.variables...) {
		if err := s.checkValues(k); err != nil {
			return nil, err
		}
	}
	sys, err := f.bind(s)
	if err != nil {
		return nil, err
	}
	sys.flow, sys.base = f, s
	for _, b := range sys.blocks {
		sys.dim += b.size()
	}
	return sys, nil
}

// Dim returns the number of packed variables for a state.
func (f Flow) Dim(s *State) (int, error) {
	sys, err := f.Bind(s)
	if err != nil {
		return 0, err
	}
	return sys.Dim(), nil
}

// nonNegative are the scalar keys whose values must be ≥ 0.
const nonNegative = keySet(1<<kEta | 1<<kBeta | 1<<kSigma2)

// checkValues returns an error if key k is present and not finite, or a parameter
// out of range.
func (s *State) checkValues(k key) error {
	name := keyNames[k]
	if m := s.matrix(k); m != nil {
		if *m == nil {
			return nil
		}
		r, c := (*m).Dims()
		if r == 0 || c == 0 {
			return fmt.Errorf("flow: %s: empty matrix", name)
		}
		for i := range r {
			for j := range c {
				if x := (*m).At(i, j); x-x != 0 {
					return fmt.Errorf("flow: %s row %d column %d: %v is not a finite number", name, i+1, j+1, x)
				}
			}
		}
		return nil
	}
	if v := s.modes(k); v != nil && *v != nil {
		if len(*v) == 0 {
			return fmt.Errorf("flow: %s: empty array", name)
		}
		for i, x := range *v {
			if x-x != 0 {
				return fmt.Errorf("flow: %s column %d: %v is not a finite number", name, i+1, x)
			}
		}
	}
	if f, _ := s.scalar(k); f != nil {
		if *f-*f != 0 {
			return fmt.Errorf("flow: %s: %v is not a finite number", name, *f)
		}
		if *f < 0 && nonNegative.has(k) {
			return fmt.Errorf("flow: %s = %v must be ≥ 0", name, *f)
		}
	}
	return nil
}

// block is a state variable in the packed vector: a matrix in row-major order, of
// a symmetric one the upper triangle, or an array of modes.
type block struct {
	key        key
	rows, cols int
	symmetric  bool
	modes      bool
}

func (b block) size() int {
	if b.symmetric {
		return b.rows * (b.rows + 1) / 2
	}
	return b.rows * b.cols
}

// System is a flow bound to a state.
//
// A symmetric variable is packed as its upper triangle, so a trajectory stays
// exactly symmetric (claim sym-dynamics: rounding would otherwise make F slightly
// indefinite).
type System struct {
	flow   Flow
	base   *State
	blocks []block
	dim    int
	rhs    func() ode.RHS
}

// Flow returns the flow that the system belongs to.
func (sys *System) Flow() Flow { return sys.flow }

// Dim returns the length of the packed vector.
func (sys *System) Dim() int { return sys.dim }

// Pack writes the variables of s into dst (allocated if nil) and returns it. Of a
// symmetric matrix it packs the symmetric part. It returns an error that names the
// key if a variable is missing or has another shape than at Bind.
func (sys *System) Pack(s *State, dst []float64) ([]float64, error) {
	if dst == nil {
		dst = make([]float64, sys.dim)
	}
	if len(dst) != sys.dim {
		panic("flow: dimension mismatch")
	}
	at := 0
	for _, b := range sys.blocks {
		name := keyNames[b.key]
		if b.modes {
			v := *s.modes(b.key)
			if v == nil && b.key == kTau {
				v = broadcast(s.Tau, b.rows)
			}
			if len(v) != b.rows {
				return nil, fmt.Errorf("flow: %s has %d modes where %d are expected", name, len(v), b.rows)
			}
			at += copy(dst[at:], v)
			continue
		}
		m := *s.matrix(b.key)
		if m == nil {
			return nil, fmt.Errorf("flow: %s is missing", name)
		}
		if r, c := m.Dims(); r != b.rows || c != b.cols {
			return nil, fmt.Errorf("flow: %s is %d×%d where %d×%d is expected", name, r, c, b.rows, b.cols)
		}
		for i := range b.rows {
			j0 := 0
			if b.symmetric {
				j0 = i
			}
			for j := j0; j < b.cols; j++ {
				x := m.At(i, j)
				if b.symmetric && j != i {
					x = (x + m.At(j, i)) / 2
				}
				dst[at] = x
				at++
			}
		}
	}
	return dst, nil
}

// Initial returns the packed state that the system was bound to.
func (sys *System) Initial() []float64 {
	y, err := sys.Pack(sys.base, nil)
	if err != nil {
		panic(err) // Bind has checked every shape
	}
	return y
}

// Unpack returns the state at time t with the packed variables y and the
// parameters and data of the bound state, which it shares with the system: they
// must not be changed.
func (sys *System) Unpack(t float64, y []float64) *State {
	if len(y) != sys.dim {
		panic("flow: dimension mismatch")
	}
	s := &State{
		Alpha: sys.base.Alpha, Eta: sys.base.Eta, Beta: sys.base.Beta,
		Sigma2: sys.base.Sigma2, Tau: sys.base.Tau, T: t,
		number: sys.base.number,
	}
	s.given.add(kT)
	for _, k := range sys.flow.params {
		if m := s.matrix(k); m != nil {
			*m = *sys.base.matrix(k)
			continue
		}
		if k == kTau && sys.base.TauModes != nil {
			s.TauModes = sys.base.TauModes
		} else if sys.base.given.has(k) {
			s.given.add(k)
		}
	}
	at := 0
	for _, b := range sys.blocks {
		if b.modes {
			*s.modes(b.key) = append([]float64{}, y[at:at+b.rows]...)
			at += b.rows
			continue
		}
		m := mat.NewDense(b.rows, b.cols, nil)
		*s.matrix(b.key) = m
		if !b.symmetric {
			at += copy(m.RawMatrix().Data, y[at:at+b.size()])
			continue
		}
		unpackSymmetric(m.RawMatrix().Data, y[at:at+b.size()], b.rows)
		at += b.size()
	}
	return s
}

// RHS returns the right-hand side over packed vectors. Each call returns a new
// function with its own workspace: one function must not be used by two goroutines
// at a time, two may be. The function does not allocate.
func (sys *System) RHS() ode.RHS { return sys.rhs() }

// need returns an error if one of the keys is missing from s.
func need(s *State, flow string, keys ...key) error {
	for _, k := range keys {
		if m := s.matrix(k); m != nil && *m == nil {
			return fmt.Errorf("flow: %s needs the matrix %s, which is missing", flow, keyNames[k])
		} else if m == nil && *s.modes(k) == nil {
			return fmt.Errorf("flow: %s needs the modes %s, which are missing", flow, keyNames[k])
		}
	}
	return nil
}

// sameShape returns an error unless matrix k is r×c, naming the matrix that set
// the shape.
func sameShape(s *State, flow string, k key, r, c int, by key) error {
	m := *s.matrix(k)
	if mr, mc := m.Dims(); mr != r || mc != c {
		br, bc := (*s.matrix(by)).Dims()
		return fmt.Errorf("flow: %s: %s is %d×%d but %s is %d×%d: %s must be %d×%d",
			flow, keyNames[k], mr, mc, keyNames[by], br, bc, keyNames[k], r, c)
	}
	return nil
}

// sameModes returns an error unless the mode arrays have one length.
func sameModes(s *State, flow string, keys ...key) error {
	first := *s.modes(keys[0])
	for _, k := range keys[1:] {
		if v := *s.modes(k); len(v) != len(first) {
			return fmt.Errorf("flow: %s: %s has %d modes but %s has %d",
				flow, keyNames[k], len(v), keyNames[keys[0]], len(first))
		}
	}
	return nil
}

func broadcast(x float64, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = x
	}
	return v
}

// isotropic returns an error unless the data given in s are X = I, X' = σ² I, which
// the equations of the flow assume. If s has an Xp = c·I and no sigma2, it sets
// Sigma2 = c.
func isotropic(s *State, flow string) error {
	if s.X != nil {
		if r, c := s.X.Dims(); r != c {
			return fmt.Errorf("flow: %s: X is %d×%d, not square", flow, r, c)
		}
		if i, j, ok := isIdentity(s.X, 1); !ok {
			return fmt.Errorf("flow: %s assumes X = I, but X row %d column %d is %v", flow, i+1, j+1, s.X.At(i, j))
		}
	}
	if s.Xp == nil {
		return nil
	}
	if r, c := s.Xp.Dims(); r != c {
		return fmt.Errorf("flow: %s: Xp is %d×%d, not square", flow, r, c)
	}
	sigma2 := s.Sigma2
	if !s.has(kSigma2) {
		sigma2 = s.Xp.At(0, 0)
	}
	if i, j, ok := isIdentity(s.Xp, sigma2); !ok {
		return fmt.Errorf("flow: %s assumes Xp = sigma2·I, but Xp row %d column %d is %v and sigma2 = %v",
			flow, i+1, j+1, s.Xp.At(i, j), sigma2)
	}
	if sigma2 < 0 {
		return fmt.Errorf("flow: %s: Xp must be positive semidefinite: row 1 column 1 is %v", flow, sigma2)
	}
	s.Sigma2 = sigma2
	return nil
}
