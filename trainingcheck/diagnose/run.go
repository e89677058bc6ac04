package diagnose

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/dump"
)

// Frame is what a dump holds of one step; what it does not hold is nil. Weights act on columns, as torch.nn.Linear keeps
// them: z = W·h + b, p = W_p·z.
type Frame struct {
	Step int
	// Z1 and Z2 are the projections of two views, a row an example.
	Z1, Z2 *mat.Dense
	// Wp is the predictor, W and B the layer before it, Wa that layer of the target network.
	Wp, W, Wa *mat.Dense
	B         []float64
	// F is E[zzᵀ], Fhat DirectPred's moving average of it.
	F, Fhat *mat.Dense
	// Measured are numbers that the run took of itself, by the names of package check.
	Measured map[string]float64
}

// Settings are the numbers of the optimiser, NaN where they are not known.
type Settings struct {
	LR, WD, Momentum float64
	AlphaP           float64 // the predictor learns at α_p·lr; 1 where nothing is said
	Epsilon          float64 // DirectPred's ε
}

// Unknown are no settings.
func Unknown() Settings {
	nan := math.NaN()
	return Settings{nan, nan, nan, nan, nan}
}

// Check refuses settings outside their domains; NaN is not known.
func (s Settings) Check() error {
	for _, x := range []struct {
		name    string
		v, low  float64
		reaches bool // low itself
		top     float64
	}{{"lr", s.LR, 0, true, math.MaxFloat64}, {"weight_decay", s.WD, 0, true, math.MaxFloat64}, {"momentum", s.Momentum, 0, true, 1 - 1e-9},
		{"alpha_p", s.AlphaP, 0, false, math.MaxFloat64}, {"epsilon", s.Epsilon, -1, true, math.MaxFloat64}} {
		if x.v < x.low || x.v == x.low && !x.reaches || x.v > x.top {
			return fmt.Errorf("%s = %v is outside its domain", x.name, x.v)
		}
	}
	return nil
}

// Run is a dump put together.
type Run struct {
	Frames   []Frame // in order of steps
	Settings Settings
	// Rates are the learning rates at the frames, where the dump has a series of them.
	Rates []float64
	// MLP tells that the predictor has several layers: W_p is no matrix then.
	MLP bool
	// Unused are arrays that no role was found for.
	Unused []string
	// Counted tells that the dump does not say its steps: they are numbered from 0.
	Counted bool
}

// role is something the theory speaks of.
type role struct {
	name string
	axes int // without that of the steps
	// names are those of arrays, in lower case.
	names []string
	set   func(f *Frame, a *dump.Array)
}

func matrix(a *dump.Array) *mat.Dense { return mat.NewDense(a.Shape[0], a.Shape[1], a.Data) }

var roles = []role{
	{"z1", 2, []string{"z1", "z", "view1", "embeddings", "embedding", "projections", "train_z"}, func(f *Frame, a *dump.Array) { f.Z1 = matrix(a) }},
	{"z2", 2, []string{"z2", "view2"}, func(f *Frame, a *dump.Array) { f.Z2 = matrix(a) }},
	{"Wp", 2, []string{"wp", "w_p"}, func(f *Frame, a *dump.Array) { f.Wp = matrix(a) }},
	{"W", 2, []string{"w", "w_l", "wl"}, func(f *Frame, a *dump.Array) { f.W = matrix(a) }},
	{"b", 1, []string{"b", "bias"}, func(f *Frame, a *dump.Array) { f.B = a.Data }},
	{"Wa", 2, []string{"wa", "w_a"}, func(f *Frame, a *dump.Array) { f.Wa = matrix(a) }},
	{"F", 2, []string{"f"}, func(f *Frame, a *dump.Array) { f.F = matrix(a) }},
	{"Fhat", 2, []string{"fhat", "f_hat", "cum_corr"}, func(f *Frame, a *dump.Array) { f.Fhat = matrix(a) }},
}

// modules are the layers of a state dictionary, by what their names start with: those of solo-learn (predictor,
// projector, momentum_projector) and of lightly's examples (prediction_head, projection_head, projection_head_momentum).
var modules = []struct{ role, prefix string }{
	{"Wp", "predictor"}, {"Wp", "prediction_head"},
	{"Wa", "momentum_projector"}, {"Wa", "projection_head_momentum"}, {"Wa", "target_projector"},
	{"W", "projector"}, {"W", "projection_head"},
}

// wrappers are what frameworks put before the names of a state dictionary.
var wrappers = []string{"module.", "model."}

// settings are names of numbers of the optimiser.
var settings = map[string]func(*Settings) *float64{
	"lr": func(s *Settings) *float64 { return &s.LR }, "learning_rate": func(s *Settings) *float64 { return &s.LR },
	"wd": func(s *Settings) *float64 { return &s.WD }, "weight_decay": func(s *Settings) *float64 { return &s.WD },
	"momentum": func(s *Settings) *float64 { return &s.Momentum },
	"alpha_p":  func(s *Settings) *float64 { return &s.AlphaP },
	"epsilon":  func(s *Settings) *float64 { return &s.Epsilon }, "dyn_eps": func(s *Settings) *float64 { return &s.Epsilon },
}

// Measures are the series that a run may have taken of itself.
var Measures = []string{"zstd", "er", "er_centered", "asym", "comm", "cos_top8", "parabola", "bal", "tau"}

// Error says what is wrong with a dump.
type Error struct {
	File, Array, Problem string
}

func (e *Error) Error() string {
	text := "diagnose: " + e.File
	if e.Array != "" {
		text += ": array " + e.Array
	}
	return text + ": " + e.Problem
}

func refuse(file, array, format string, args ...any) *Error {
	return &Error{file, array, fmt.Sprintf(format, args...)}
}

// number is the last number in a file's name.
var number = regexp.MustCompile(`(\d+)\D*$`)

// Assemble puts files together: each holds one step, or several along the first axis of its arrays. The step of a file
// with one is its array step, or the last number in its name, or its place among the files.
func Assemble(files []*dump.File) (*Run, error) {
	r := &Run{Settings: Unknown()}
	frames := map[int]*Frame{}
	rates := map[int]float64{}
	for i, f := range files {
		if err := r.add(f, i, len(files), frames, rates); err != nil {
			return nil, err
		}
	}
	if len(frames) == 0 {
		return nil, refuse(files[0].Name, "", "nothing that can be diagnosed: want z1 and z2, Wp, W and b, Wa, F (or names of solo-learn or lightly), have %s", some(files[0].Names()))
	}
	for _, step := range slices.Sorted(maps.Keys(frames)) {
		r.Frames = append(r.Frames, *frames[step])
		if v, ok := rates[step]; ok {
			r.Rates = append(r.Rates, v)
		}
	}
	if len(r.Rates) != len(r.Frames) {
		r.Rates = nil
	}
	return r, r.check(files)
}

// some joins the first names of a list.
func some(names []string) string {
	const shown = 6
	if n := len(names); n > shown {
		return strings.Join(names[:shown], ", ") + fmt.Sprintf(" and %d more", n-shown)
	}
	return strings.Join(names, ", ")
}

// found is an array with the role it plays.
type found struct {
	role role
	name string
}

func (r *Run) add(f *dump.File, index, count int, frames map[int]*Frame, rates map[int]float64) error {
	parts, err := r.find(f)
	if err != nil {
		return err
	}
	length := -1 // of the axis of steps; -1 while no array has one
	from := ""
	see := func(name string, n int) error {
		if length >= 0 && n != length {
			return refuse(f.Name, name, "%d steps, %s has %d", n, from, length)
		}
		length, from = n, name
		return nil
	}
	for _, p := range parts {
		a := f.Arrays[p.name]
		switch len(a.Shape) - p.role.axes {
		case 0:
		case 1:
			if err := see(p.name, a.Shape[0]); err != nil {
				return err
			}
		default:
			return refuse(f.Name, p.name, "shape %v; %s wants %d axes, or %d with the steps first", a.Shape, p.role.name, p.role.axes, p.role.axes+1)
		}
	}
	var measured []string
	for _, name := range Measures {
		if a := f.Arrays[name]; a != nil && len(a.Shape) == 1 {
			if err := see(name, a.Shape[0]); err != nil {
				return err
			}
			measured = append(measured, name)
		}
	}
	if len(parts)+len(measured) == 0 {
		return nil // settings alone
	}
	steps, err := r.steps(f, index, count, length)
	if err != nil {
		return err
	}
	frame := func(step int) *Frame {
		if frames[step] == nil {
			frames[step] = &Frame{Step: step, Measured: map[string]float64{}}
		}
		return frames[step]
	}
	for _, p := range parts {
		a := f.Arrays[p.name]
		if err := scaled(f.Name, p.name, a); err != nil {
			return err
		}
		if len(a.Shape) == p.role.axes {
			if len(steps) > 1 {
				return refuse(f.Name, p.name, "one matrix, and the dump has %d steps: want one for each, along the first axis", len(steps))
			}
			a = &dump.Array{Shape: append([]int{1}, a.Shape...), Data: a.Data}
		}
		for i, step := range steps {
			p.role.set(frame(step), a.Row(i))
		}
	}
	for _, name := range measured {
		for i, step := range steps {
			frame(step).Measured[name] = f.Arrays[name].Data[i]
		}
	}
	for _, name := range []string{"lr", "learning_rate"} {
		if a := f.Arrays[name]; a != nil && len(a.Data) == len(steps) {
			for i, step := range steps {
				rates[step] = a.Data[i]
			}
		}
	}
	return nil
}

// largest is the size beyond which an entry's fourth power, that of the entries of F·W_p and their squares, may leave float64;
// what is below its inverse has no square either and counts as 0.
const largest = 1e75

// scaled refuses entries that are too large, and makes those that are too small zero.
func scaled(file, name string, a *dump.Array) error {
	for i, v := range a.Data {
		switch {
		case math.Abs(v) > largest:
			return refuse(file, name, "entry %d is %.3g, beyond ±%g: its moments are no numbers of float64", i, v, largest)
		case math.Abs(v) < 1/largest:
			a.Data[i] = 0
		}
	}
	return nil
}

// steps are the numbers of the steps of a file with an axis of some length, or none.
func (r *Run) steps(f *dump.File, index, count, length int) ([]int, error) {
	n := max(length, 1)
	for _, name := range []string{"step", "steps", "iteration"} {
		a := f.Arrays[name]
		if a == nil {
			continue
		}
		if len(a.Data) != n {
			return nil, refuse(f.Name, name, "%d numbers for %d steps", len(a.Data), n)
		}
		steps := make([]int, n)
		for i, v := range a.Data {
			if v != math.Trunc(v) || v < 0 || v > math.MaxInt32 {
				return nil, refuse(f.Name, name, "entry %d is %v, no number of steps", i, v)
			}
			if steps[i] = int(v); i > 0 && steps[i] <= steps[i-1] {
				return nil, refuse(f.Name, name, "step %d comes after step %d", steps[i], steps[i-1])
			}
		}
		return steps, nil
	}
	if length < 0 {
		base := filepath.Base(f.Name)
		if m := number.FindStringSubmatch(strings.TrimSuffix(base, filepath.Ext(base))); m != nil && count > 1 {
			if step, err := strconv.Atoi(m[1]); err == nil {
				return []int{step}, nil
			}
		}
		r.Counted = true
		return []int{index}, nil
	}
	r.Counted = true
	steps := make([]int, n)
	for i := range steps {
		steps[i] = i
	}
	return steps, nil
}

// find gives the arrays of a file their roles.
func (r *Run) find(f *dump.File) ([]found, error) {
	var out []found
	taken := map[string]string{}
	take := func(role role, name string) error {
		if other := taken[role.name]; other != "" {
			return refuse(f.Name, name, "plays the part of %s, as %s does", role.name, other)
		}
		taken[role.name] = name
		out = append(out, found{role, name})
		return nil
	}
	of := func(name string) role {
		return roles[slices.IndexFunc(roles, func(r role) bool { return r.name == name })]
	}
	names := f.Names()
	layers := map[string][]string{} // role to names of a state dictionary
	pair := f.Arrays["z0"] != nil && f.Arrays["z1"] != nil
	for _, name := range names {
		plain := strings.ToLower(name)
		for _, w := range wrappers {
			plain = strings.TrimPrefix(plain, w)
		}
		if pair && (name == "z0" || name == "z1") { // lightly counts views from 0
			if err := take(of(map[string]string{"z0": "z1", "z1": "z2"}[name]), name); err != nil {
				return nil, err
			}
			continue
		}
		if set := settings[plain]; set != nil {
			a := f.Arrays[name]
			if v := set(&r.Settings); len(a.Data) == 1 {
				if !math.IsNaN(*v) && *v != a.Data[0] {
					return nil, refuse(f.Name, name, "%v, another file says %v", a.Data[0], *v)
				}
				*v = a.Data[0]
			}
			continue
		}
		if i := slices.IndexFunc(roles, func(r role) bool { return slices.Contains(r.names, plain) }); i >= 0 {
			if err := take(roles[i], name); err != nil {
				return nil, err
			}
			continue
		}
		module := slices.IndexFunc(modules, func(m struct{ role, prefix string }) bool {
			return strings.HasPrefix(plain, m.prefix+".") || plain == m.prefix
		})
		switch {
		case slices.Contains(Measures, name), slices.Contains([]string{"step", "steps", "iteration"}, name):
		case module >= 0:
			layers[modules[module].role] = append(layers[modules[module].role], name)
		case strings.HasPrefix(plain, "weights/"), len(f.Arrays[name].Shape) < 2: // the rest of a state, other series
		default:
			r.Unused = append(r.Unused, name)
		}
	}
	if len(names) == 1 && len(out) == 0 && len(layers) == 0 { // an array on its own is taken for projections
		if a := f.Arrays[names[0]]; len(a.Shape) == 2 || len(a.Shape) == 3 {
			r.Unused = slices.DeleteFunc(r.Unused, func(s string) bool { return s == names[0] })
			return []found{{of("z1"), names[0]}}, nil
		}
	}
	for _, name := range []string{"Wp", "W", "Wa"} {
		weights := slices.DeleteFunc(slices.Clone(layers[name]), func(s string) bool {
			return !strings.HasSuffix(s, "weight") && s != "predictor" || len(f.Arrays[s].Shape) != 2
		})
		if len(weights) == 0 || taken[name] != "" {
			continue
		}
		if name == "Wp" && len(weights) > 1 {
			r.MLP = true
			continue
		}
		last := slices.MaxFunc(weights, func(a, b string) int { return layer(a) - layer(b) })
		if err := take(of(name), last); err != nil {
			return nil, err
		}
		if bias := strings.TrimSuffix(last, "weight") + "bias"; name == "W" && f.Arrays[bias] != nil && taken["b"] == "" {
			if err := take(of("b"), bias); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// layer is the place of a layer among those of its module.
func layer(name string) int {
	if m := number.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// maxSide is the most rows of a moment whose eigenvalues are taken: some minutes, and 128 megabytes.
const maxSide = 4096

// check compares the shapes of what belongs together.
func (r *Run) check(files []*dump.File) error {
	where := files[0].Name
	if len(files) > 1 {
		where += " and others"
	}
	if err := r.Settings.Check(); err != nil {
		return refuse(where, "", "%v", err)
	}
	for _, v := range r.Rates {
		if v < 0 {
			return refuse(where, "lr", "a rate of %v", v)
		}
	}
	d := 0
	from := ""
	for _, f := range r.Frames {
		for _, x := range []struct {
			name          string
			m             *mat.Dense
			rows, columns bool // must be d
		}{{"z1", f.Z1, false, true}, {"z2", f.Z2, false, true}, {"Wp", f.Wp, true, true}, {"F", f.F, true, true}, {"Fhat", f.Fhat, true, true}, {"W", f.W, true, false}, {"Wa", f.Wa, true, false}} {
			if x.m == nil {
				continue
			}
			rows, columns := x.m.Dims()
			if d == 0 {
				if d, from = columns, x.name; x.rows {
					d = rows
				}
			}
			if x.rows && d > maxSide {
				return refuse(where, x.name, "%d rows, more than the %d of which a moment is taken", d, maxSide)
			}
			if x.rows && rows != d || x.columns && columns != d {
				return refuse(where, x.name, "%d×%d at step %d, and %s has the dimension %d", rows, columns, f.Step, from, d)
			}
		}
		if f.Z1 != nil {
			n, _ := f.Z1.Dims()
			if n < 2 {
				return refuse(where, "z1", "%d example at step %d, want at least 2", n, f.Step)
			}
			if min(n, d) > maxSide {
				return refuse(where, "z1", "%d examples of %d dimensions, and one of the two may be more than %d", n, d, maxSide)
			}
			if f.Z2 != nil {
				if m, _ := f.Z2.Dims(); m != n {
					return refuse(where, "z2", "%d examples at step %d, z1 has %d", m, f.Step, n)
				}
			}
		}
		if f.W != nil && f.Wa != nil {
			_, k := f.W.Dims()
			if _, l := f.Wa.Dims(); k != l {
				return refuse(where, "Wa", "%d columns at step %d, W has %d", l, f.Step, k)
			}
		}
		if f.B != nil && d > 0 && len(f.B) != d {
			return refuse(where, "b", "%d entries at step %d, want %d", len(f.B), f.Step, d)
		}
	}
	return nil
}
