package native_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/enginetest"
	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// array is a value with its shape.
type array struct {
	shape shapes.Shape
	flat  any
}

func (a array) at(i int) float64 {
	switch v := a.flat.(type) {
	case []float32:
		return float64(v[i])
	case []float64:
		return v[i]
	case []bool:
		if v[i] {
			return 1
		}
		return 0
	}
	panic("no array")
}

// drawn is a float array of small integers and halves: sums and products of a
// few of them are exact, so that exact comparison is fair.
func drawn(r *rand.Rand, t dtypes.DType, dims ...int) array {
	s := shapes.Make(t, dims...)
	if t == dtypes.Float32 {
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = float32(r.IntN(17)-8) / 2
		}
		return array{s, v}
	}
	v := make([]float64, s.Size())
	for i := range v {
		v[i] = float64(r.IntN(17)-8) / 2
	}
	return array{s, v}
}

// program builds a graph from its parameters.
type program func(f compute.Function, in []compute.Value) []compute.Value

// must is for graph construction inside a program; evaluate recovers.
func must(v compute.Value, err error) compute.Value {
	if err != nil {
		panic(err)
	}
	return v
}

// compiled is a program ready to run on copies of its inputs.
func compiled(b compute.Backend, p program, in []array) (e compute.Executable, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("building: %v", r)
			if e, ok := r.(error); ok {
				err = fmt.Errorf("building: %w", e)
			}
		}
	}()
	g := b.Builder("test")
	f := g.Main()
	var params []compute.Value
	for i, a := range in {
		params = append(params, must(f.Parameter(fmt.Sprintf("p%d", i), a.shape, nil)))
	}
	if err := f.Return(p(f, params), nil); err != nil {
		return nil, err
	}
	return g.Compile()
}

func execute(b compute.Backend, e compute.Executable, in []array, donate []bool) ([]array, error) {
	var buffers []compute.Buffer
	for _, a := range in {
		x, err := b.BufferFromFlatData(0, a.flat, a.shape)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, x)
	}
	out, err := e.Execute(buffers, donate, 0)
	if err != nil {
		return nil, err
	}
	var arrays []array
	for _, o := range out {
		s, err := o.Shape()
		if err != nil {
			return nil, err
		}
		flat := dtypes.MakeAnySlice(s.DType, s.Size())
		if err := o.ToFlatData(flat); err != nil {
			return nil, err
		}
		arrays = append(arrays, array{s, flat})
	}
	return arrays, nil
}

func evaluate(b compute.Backend, p program, in []array) ([]array, error) {
	e, err := compiled(b, p, in)
	if err != nil {
		return nil, err
	}
	defer e.Finalize()
	return execute(b, e, in, nil)
}

// reference is GoMLX's backend, which the race detector cannot run.
func reference(t *testing.T) compute.Backend {
	t.Helper()
	return enginetest.Open(t, engine.CPUGoMLX).Backend
}

func same(a, b []array) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d results and %d", len(a), len(b))
	}
	for k := range a {
		if !a[k].shape.Equal(b[k].shape) {
			return fmt.Errorf("result %d is %s and %s", k, a[k].shape, b[k].shape)
		}
		for i := range a[k].shape.Size() {
			x, y := a[k].at(i), b[k].at(i)
			if x != y && !(math.IsNaN(x) && math.IsNaN(y)) {
				return fmt.Errorf("result %d, element %d is %v and %v", k, i, x, y)
			}
		}
	}
	return nil
}

var types = []dtypes.DType{dtypes.Float32, dtypes.Float64}

// broadcasting shapes of one rank: each axis of an operand is whole or 1.
func broadcasting(r *rand.Rand) (a, b []int) {
	for range r.IntN(5) {
		d := 1 + r.IntN(4)
		x, y := d, d
		switch r.IntN(4) {
		case 0:
			x = 1
		case 1:
			y = 1
		}
		a, b = append(a, x), append(b, y)
	}
	switch r.IntN(6) {
	case 0:
		a = nil
	case 1:
		b = nil
	}
	return a, b
}

// TestEveryOperationMatchesGoMLX runs each operation on random shapes on both
// backends; the values are such that results must be equal, not close.
func TestEveryOperationMatchesGoMLX(t *testing.T) {
	ref, b := reference(t), native.New(kernel.Best())
	r := rand.New(rand.NewPCG(1, 1))
	type binary func(compute.Function, compute.Value, compute.Value) (compute.Value, error)
	binaries := map[string]binary{
		"Add": compute.Function.Add, "Sub": compute.Function.Sub, "Mul": compute.Function.Mul, "Div": compute.Function.Div,
		"Max": compute.Function.Max, "Min": compute.Function.Min, "GreaterThan": compute.Function.GreaterThan,
	}
	cases := map[string]func(t dtypes.DType) (program, []array){}
	for name, op := range binaries {
		cases[name] = func(t dtypes.DType) (program, []array) {
			x, y := broadcasting(r)
			return func(f compute.Function, in []compute.Value) []compute.Value {
				return []compute.Value{must(op(f, in[0], in[1]))}
			}, []array{drawn(r, t, x...), drawn(r, t, y...)}
		}
	}
	dims := func(rank int) []int {
		d := make([]int, rank)
		for i := range d {
			d[i] = 1 + r.IntN(4)
		}
		return d
	}
	cases["Neg, Sqrt, Identity"] = func(t dtypes.DType) (program, []array) {
		return func(f compute.Function, in []compute.Value) []compute.Value {
			square := must(f.Mul(in[0], in[0]))
			return []compute.Value{must(f.Neg(in[0])), must(f.Sqrt(square)), must(f.Identity(in[0])), must(f.Sqrt(in[0]))}
		}, []array{drawn(r, t, dims(r.IntN(4))...)}
	}
	cases["Where, ConvertDType"] = func(t dtypes.DType) (program, []array) {
		d := dims(r.IntN(4))
		x, y := d, d
		switch r.IntN(3) {
		case 0:
			x = nil
		case 1:
			y = nil
		}
		return func(f compute.Function, in []compute.Value) []compute.Value {
			c := must(f.GreaterThan(in[0], in[1]))
			other := map[dtypes.DType]dtypes.DType{dtypes.Float32: dtypes.Float64, dtypes.Float64: dtypes.Float32}[t]
			return []compute.Value{must(f.Where(c, in[2], in[3])), must(f.ConvertDType(c, t)), must(f.ConvertDType(in[0], other)), must(f.ConvertDType(in[0], t))}
		}, []array{drawn(r, t, d...), drawn(r, t, d...), drawn(r, t, x...), drawn(r, t, y...)}
	}
	cases["Transpose, Reshape"] = func(t dtypes.DType) (program, []array) {
		rank := r.IntN(5)
		p := r.Perm(rank)
		a := drawn(r, t, dims(rank)...)
		return func(f compute.Function, in []compute.Value) []compute.Value {
			y := must(f.Transpose(in[0], p...))
			return []compute.Value{y, must(f.Reshape(y, a.shape.Size())), must(f.Transpose(must(f.GreaterThan(in[0], must(f.Neg(in[0])))), p...))}
		}, []array{a}
	}
	cases["BroadcastInDim"] = func(t dtypes.DType) (program, []array) {
		out := dims(1 + r.IntN(4))
		var in, axes []int
		for i, d := range out {
			if r.IntN(2) == 0 {
				axes = append(axes, i)
				in = append(in, []int{1, d}[r.IntN(2)])
			}
		}
		return func(f compute.Function, v []compute.Value) []compute.Value {
			return []compute.Value{must(f.BroadcastInDim(v[0], shapes.Make(t, out...), axes))}
		}, []array{drawn(r, t, in...)}
	}
	cases["Slice, Pad"] = func(t dtypes.DType) (program, []array) {
		d := dims(1 + r.IntN(4))
		var lo, hi, by []int
		var pad []compute.PadAxis
		for _, n := range d {
			from := r.IntN(n)
			lo, hi, by = append(lo, from), append(hi, from+1+r.IntN(n-from)), append(by, 1+r.IntN(3))
			pad = append(pad, compute.PadAxis{Start: r.IntN(3), End: r.IntN(3), Interior: r.IntN(3)})
		}
		return func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.Slice(in[0], lo, hi, by)), must(f.Slice(in[0], lo, hi, nil)), must(f.Pad(in[0], in[1], pad...))}
		}, []array{drawn(r, t, d...), drawn(r, t)}
	}
	cases["Concatenate"] = func(t dtypes.DType) (program, []array) {
		d := dims(1 + r.IntN(4))
		axis := r.IntN(len(d))
		var in []array
		for range 1 + r.IntN(3) {
			x := append([]int(nil), d...)
			x[axis] = 1 + r.IntN(3)
			in = append(in, drawn(r, t, x...))
		}
		return func(f compute.Function, v []compute.Value) []compute.Value {
			return []compute.Value{must(f.Concatenate(axis, v...))}
		}, in
	}
	cases["ReduceSum"] = func(t dtypes.DType) (program, []array) {
		rank := r.IntN(5)
		axes := r.Perm(rank)[:r.IntN(rank+1)]
		return func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.ReduceSum(in[0], axes...))}
		}, []array{drawn(r, t, dims(rank)...)}
	}
	cases["DotGeneral"] = func(t dtypes.DType) (program, []array) {
		// Axes get a role and a name; each side lists its own in random order.
		type axis struct{ role, n int }
		var all []axis
		for role := range 4 { // batch, contracted, left, right
			for range r.IntN(3) {
				all = append(all, axis{role, 1 + r.IntN(4)})
			}
		}
		side := func(own int) (d []int, batch, contract map[int]int) {
			batch, contract = map[int]int{}, map[int]int{}
			for _, i := range r.Perm(len(all)) {
				switch all[i].role {
				case 0:
					batch[i] = len(d)
				case 1:
					contract[i] = len(d)
				case own:
				default:
					continue
				}
				d = append(d, all[i].n)
			}
			return d, batch, contract
		}
		ld, lb, lc := side(2)
		rd, rb, rc := side(3)
		pairs := func(a, b map[int]int) (x, y []int) {
			for i := range all {
				if p, ok := a[i]; ok {
					x, y = append(x, p), append(y, b[i])
				}
			}
			return x, y
		}
		xb, yb := pairs(lb, rb)
		xc, yc := pairs(lc, rc)
		return func(f compute.Function, in []compute.Value) []compute.Value {
			return []compute.Value{must(f.DotGeneral(in[0], xc, xb, in[1], yc, yb, compute.DotGeneralConfig{}))}
		}, []array{drawn(r, t, ld...), drawn(r, t, rd...)}
	}
	for name, draw := range cases {
		t.Run(name, func(t *testing.T) {
			for range 150 {
				for _, dt := range types {
					p, in := draw(dt)
					want, err := evaluate(ref, p, in)
					if err != nil {
						t.Fatalf("reference: %v", err)
					}
					got, err := evaluate(b, p, in)
					if err != nil {
						t.Fatal(err)
					}
					if err := same(want, got); err != nil {
						t.Fatalf("%s inputs %v: %v", dt, in, err)
					}
				}
			}
		})
	}
}

// TestRandomProgramsMatchGoMLX checks the planning of storage: long programs
// with shared, dead, repeated and directly returned values, called repeatedly,
// with some parameters donated.
func TestRandomProgramsMatchGoMLX(t *testing.T) {
	ref, b := reference(t), native.New(kernel.Best())
	r := rand.New(rand.NewPCG(2, 2))
	for trial := range 150 {
		dt := types[trial%2]
		in := []array{drawn(r, dt, 3, 4), drawn(r, dt, 3, 4), drawn(r, dt, 1, 4), drawn(r, dt, 3, 1), drawn(r, dt)}
		seed := r.Uint64()
		p := func(f compute.Function, params []compute.Value) []compute.Value {
			r := rand.New(rand.NewPCG(seed, 3))
			full := append([]compute.Value{}, params[:2]...) // 3×4
			any := append([]compute.Value{}, params...)
			any = append(any, must(f.Constant(in[1].flat, 3, 4)))
			pick := func(v []compute.Value) compute.Value { return v[r.IntN(len(v))] }
			for range 5 + r.IntN(30) {
				var y compute.Value
				switch r.IntN(9) {
				case 0:
					y = must(f.Add(pick(full), pick(any)))
				case 1:
					y = must(f.Sub(pick(any), pick(full)))
				case 2:
					y = must(f.Max(pick(full), pick(any)))
				case 3:
					y = must(f.Neg(pick(full)))
				case 4:
					y = must(f.Where(must(f.GreaterThan(pick(full), pick(any))), pick(full), params[4]))
				case 5:
					y = must(f.Reshape(must(f.Reshape(pick(full), 12)), 3, 4))
				case 6:
					s := must(f.ReduceSum(pick(full), r.IntN(2)))
					any = append(any, must(f.ReduceSum(s)))
					y = must(f.Sub(pick(full), any[len(any)-1]))
				case 7: // halves keep the numbers small
					k := must(f.Constant([]float64{0.5}))
					if dt == dtypes.Float32 {
						k = must(f.Constant([]float32{0.5}))
					}
					y = must(f.Mul(pick(full), k))
				case 8:
					x := must(f.Concatenate(0, pick(full), pick(full)))
					y = must(f.Slice(x, []int{r.IntN(4), 0}, []int{6, 4}, []int{1, 1}))
					if s, err := f.Shape(y); err != nil || s.Dimensions[0] != 3 {
						y = must(f.Slice(x, []int{1, 0}, []int{4, 4}, nil))
					}
				}
				full, any = append(full, y), append(any, y)
			}
			out := []compute.Value{pick(any), pick(full), pick(any), params[r.IntN(5)]}
			return append(out, out[r.IntN(4)])
		}
		donate := make([]bool, len(in))
		for i := range donate {
			donate[i] = r.IntN(2) == 0
		}
		want, err := evaluate(ref, p, in)
		if err != nil {
			t.Fatalf("reference: %v", err)
		}
		e, err := compiled(b, p, in)
		if err != nil {
			t.Fatal(err)
		}
		for call := range 3 {
			got, err := execute(b, e, in, donate)
			if err != nil {
				t.Fatal(err)
			}
			if err := same(want, got); err != nil {
				t.Fatalf("trial %d, call %d: %v", trial, call, err)
			}
		}
	}
}

// TestProductsMatchTheDefinition crosses the sizes of tiles, blocks, chunks and tasks with every transposition and a
// batch, in every family. Values are halves, so that sums are exact.
func TestProductsMatchTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, s := range []struct{ batch, m, n, k int }{{1, 1, 1, 300}, {1, 1, 1, 1}, {1, 130, 70, 65}, {2, 64, 64, 64}, {1, 200, 3, 129}, {3, 7, 17, 5}, {1, 33, 35, 2500},
		{1, 310, 33, 257}, {1, 5, 130, 1030}} {
		for _, dt := range types {
			for transposed := range 4 {
				ls, rs := []int{s.batch, s.m, s.k}, []int{s.batch, s.k, s.n}
				lk, rk := 2, 1
				if transposed&1 != 0 {
					ls[1], ls[2], lk = s.k, s.m, 1
				}
				if transposed&2 != 0 {
					rs[1], rs[2], rk = s.n, s.k, 2
				}
				l, rt := drawn(r, dt, ls...), drawn(r, dt, rs...)
				p := func(f compute.Function, in []compute.Value) []compute.Value {
					return []compute.Value{must(f.DotGeneral(in[0], []int{lk}, []int{0}, in[1], []int{rk}, []int{0}, compute.DotGeneralConfig{}))}
				}
				want := make([]float64, s.batch*s.m*s.n)
				for b := range s.batch {
					for i := range s.m {
						for k := range s.k {
							li := (b*s.m+i)*s.k + k
							if lk == 1 {
								li = (b*s.k+k)*s.m + i
							}
							for j := range s.n {
								ri := (b*s.k+k)*s.n + j
								if rk == 2 {
									ri = (b*s.n+j)*s.k + k
								}
								want[(b*s.m+i)*s.n+j] += l.at(li) * rt.at(ri)
							}
						}
					}
				}
				for _, family := range kernel.Available() {
					got, err := evaluate(native.New(family), p, []array{l, rt})
					if err != nil {
						t.Fatal(err)
					}
					for i, v := range want {
						if got[0].at(i) != v {
							t.Fatalf("%s, %s %+v, transposed %02b: element %d is %v, want %v", family, dt, s, transposed, i, got[0].at(i), v)
						}
					}
				}
			}
		}
	}
}

// TestPassesMatchGoMLX: programs of elementwise operations, broadcasts, masks and sums, larger than a chunk and a task of a
// pass, in every family. Values stay halves and eighths, so that sums are exact.
func TestPassesMatchGoMLX(t *testing.T) {
	ref := reference(t)
	r := rand.New(rand.NewPCG(9, 9))
	for trial, full := range [][]int{{5}, {1, 1}, {3, 4}, {2, 300, 37}, {40, 1500}, {7, 3, 5, 11}, {2, 9000}, {90, 11, 64}, {2, 2, 20000}, {300, 300}, {4, 5, 6, 7, 8}} {
		for round := range 12 {
			dt := types[(trial+round)%2]
			// Operands of full size, and some that are broadcast along random axes.
			in := []array{drawn(r, dt, full...), drawn(r, dt, full...), drawn(r, dt)}
			for range 3 {
				d := append([]int(nil), full...)
				for i := range d {
					if r.IntN(2) == 0 {
						d[i] = 1
					}
				}
				in = append(in, drawn(r, dt, d...))
			}
			seed := r.Uint64()
			p := func(f compute.Function, params []compute.Value) []compute.Value {
				r := rand.New(rand.NewPCG(seed, 4))
				zero := must(f.Constant([]float64{0}))
				half := must(f.Constant([]float64{0.5}))
				if dt == dtypes.Float32 {
					zero, half = must(f.Constant([]float32{0})), must(f.Constant([]float32{0.5}))
				}
				whole := append([]compute.Value{}, params[:2]...)
				pick := func(v []compute.Value) compute.Value { return v[r.IntN(len(v))] }
				out := []compute.Value{}
				for range 4 + r.IntN(10) {
					x, y := pick(whole), pick(append(params[2:], whole...))
					switch r.IntN(9) {
					case 0:
						x = must(f.Add(x, y))
					case 1:
						x = must(f.Sub(y, x))
					case 2: // a ReLU, and its mask again
						c := must(f.GreaterThan(x, zero))
						relu := must(f.Where(c, x, zero))
						whole = append(whole, relu, must(f.Where(c, pick(whole), zero)))
						out = append(out, relu)
						x = must(f.ConvertDType(c, dt))
					case 3:
						x = must(f.Where(must(f.GreaterThan(x, y)), params[2], x))
					case 4:
						x = must(f.Max(must(f.Neg(x)), y))
					case 5:
						flat := must(f.Reshape(x, in[0].shape.Size()))
						x = must(f.Reshape(must(f.Min(flat, params[2])), full...))
					case 6:
						x = must(f.Mul(x, half))
					case 7: // a sum that is used along the axes it was taken over
						axes := r.Perm(len(full))[:1+r.IntN(len(full))]
						s := must(f.ReduceSum(must(f.ConvertDType(must(f.GreaterThan(x, y)), dt)), axes...))
						kept := append([]int(nil), full...)
						for _, a := range axes {
							kept[a] = 1
						}
						x = must(f.Sub(x, must(f.Reshape(s, kept...))))
						out = append(out, s)
					case 8:
						out = append(out, must(f.ReduceSum(must(f.Where(must(f.GreaterThan(y, x)), params[2], zero)), r.Perm(len(full))[:r.IntN(len(full)+1)]...)))
					}
					whole = append(whole, x)
				}
				return append(out, whole[len(whole)-1], pick(whole))
			}
			want, err := evaluate(ref, p, in)
			if err != nil {
				t.Fatalf("reference: %v", err)
			}
			for _, family := range kernel.Available() {
				got, err := evaluate(native.New(family), p, in)
				if err != nil {
					t.Fatal(err)
				}
				if err := same(want, got); err != nil {
					t.Fatalf("%s, %s of %v, round %d: %v", family, dt, full, round, err)
				}
			}
		}
	}
}

// TestInputsAreOnlyRead: a buffer that is not donated keeps its values, one
// that is donated is gone.
func TestInputsAreOnlyRead(t *testing.T) {
	b := native.New(kernel.Best())
	in := []array{drawn(rand.New(rand.NewPCG(5, 5)), dtypes.Float64, 4, 4)}
	e, err := compiled(b, func(f compute.Function, p []compute.Value) []compute.Value {
		return []compute.Value{must(f.Neg(must(f.Neg(must(f.Neg(p[0])))))), p[0]}
	}, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, donate := range []bool{false, true} {
		x, err := b.BufferFromFlatData(0, in[0].flat, in[0].shape)
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.Execute([]compute.Buffer{x}, []bool{donate}, 0)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Data()
		if err != nil || !reflect.DeepEqual(v, in[0].flat) {
			t.Errorf("donated %t: the input, which is an output too, holds %v, %v", donate, v, err)
		}
		if y, err := out[1].Data(); err != nil || !reflect.DeepEqual(y, in[0].flat) {
			t.Errorf("donated %t: the returned parameter is %v, %v", donate, y, err)
		}
	}
}

func TestWhatIsMissingIsAnError(t *testing.T) {
	b := native.New(kernel.Best())
	in := []array{drawn(rand.New(rand.NewPCG(6, 6)), dtypes.Float64, 2, 3)}
	one := func(g func(f compute.Function, x compute.Value) (compute.Value, error)) program {
		return func(f compute.Function, p []compute.Value) []compute.Value { return []compute.Value{must(g(f, p[0]))} }
	}
	for name, p := range map[string]program{
		"operation":        one(func(f compute.Function, x compute.Value) (compute.Value, error) { return f.Tanh(x) }),
		"integer constant": one(func(f compute.Function, x compute.Value) (compute.Value, error) { return f.Constant([]int32{1}) }),
		"bfloat16": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.ConvertDType(x, dtypes.BFloat16)
		}),
		"mixed product": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.DotGeneral(x, []int{0}, nil, x, []int{0}, nil, compute.DotGeneralConfig{OutputDType: dtypes.Float32})
		}),
		"negative padding": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Pad(x, must(f.Constant([]float64{0})), compute.PadAxis{Start: -1})
		}),
		"too many values": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			long := must(f.BroadcastInDim(x, shapes.Make(dtypes.Float64, 1<<15, 1<<15, 2, 3), []int{2, 3}))
			return f.DotGeneral(long, []int{3}, nil, x, []int{1}, nil, compute.DotGeneralConfig{})
		}),
		"no elements": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Slice(x, []int{0, 0}, []int{0, 3}, nil)
		}),
	} {
		if _, err := evaluate(b, p, in); !errors.Is(err, compute.ErrNotImplemented) {
			t.Errorf("%s: %v, want ErrNotImplemented", name, err)
		}
	}
	for name, p := range map[string]program{
		"type mismatch": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Add(x, must(f.Constant([]float32{1})))
		}),
		"shape mismatch": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Add(x, must(f.Reshape(x, 3, 2)))
		}),
		"foreign value": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.Neg(must(b.Builder("other").Main().Constant([]float64{1})))
		}),
		"bad broadcast": one(func(f compute.Function, x compute.Value) (compute.Value, error) {
			return f.BroadcastInDim(x, shapes.Make(dtypes.Float64, 2, 4), []int{0, 1})
		}),
	} {
		if _, err := evaluate(b, p, in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	e, err := compiled(b, one(func(f compute.Function, x compute.Value) (compute.Value, error) { return f.Neg(x) }), in)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]array{
		"no inputs": nil, "wrong shape": {drawn(rand.New(rand.NewPCG(6, 6)), dtypes.Float64, 3, 2)}, "wrong type": {drawn(rand.New(rand.NewPCG(6, 6)), dtypes.Float32, 2, 3)},
	} {
		if _, err := execute(b, e, bad, nil); err == nil {
			t.Errorf("%s: executed", name)
		}
	}
	e.Finalize()
	if _, err := execute(b, e, in, nil); err == nil {
		t.Error("a finalized graph was executed")
	}
}

// TestSumsDoNotDependOnGOMAXPROCS: products, a convolution with its two gradients, and the sums of a BatchNorm, in every
// family and for more workers than processors; and graphs that are executed at the same time.
func TestSumsDoNotDependOnGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(7, 7))
	noise := func(dt dtypes.DType, dims ...int) array {
		a := drawn(r, dt, dims...)
		switch v := a.flat.(type) {
		case []float32:
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
		case []float64:
			for i := range v {
				v[i] = r.NormFloat64()
			}
		}
		return a
	}
	images := compute.ConvolveAxesConfig{InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3, KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3}
	byKernel := compute.ConvolveAxesConfig{InputBatch: 3, InputSpatial: []int{1, 2}, InputChannels: 0, KernelSpatial: []int{1, 2}, KernelInputChannels: 0, KernelOutputChannels: 3,
		OutputBatch: 2, OutputSpatial: []int{0, 1}, OutputChannels: 3}
	byInput := images
	byInput.KernelInputChannels, byInput.KernelOutputChannels = 3, 2
	p := func(f compute.Function, v []compute.Value) []compute.Value {
		y := must(f.ConvGeneral(v[1], v[2], images, []int{2, 2}, [][2]int{{1, 1}, {1, 1}}, nil, nil, 1, 1))
		centred := must(f.Sub(y, must(f.Reshape(must(f.ReduceSum(y, 0, 1, 2)), 1, 1, 1, 20))))
		square := must(f.Mul(centred, centred))
		return []compute.Value{
			must(f.DotGeneral(v[0], []int{0}, nil, v[0], []int{0}, nil, compute.DotGeneralConfig{})),
			must(f.DotGeneral(v[0], []int{1}, nil, v[3], []int{1}, nil, compute.DotGeneralConfig{})),
			must(f.ReduceSum(v[0], 0)), must(f.ReduceSum(v[0])), must(f.ReduceSum(v[0], 1)), y,
			must(f.ConvGeneral(v[1], y, byKernel, nil, [][2]int{{1, 0}, {1, 0}}, nil, []int{2, 2}, 1, 1)),
			must(f.ConvGeneral(y, must(f.Reverse(v[2], 0, 1)), byInput, nil, [][2]int{{1, 2}, {1, 2}}, []int{2, 2}, nil, 1, 1)),
			must(f.ReduceSum(square, 0, 1, 2)), must(f.ReduceSum(must(f.Mul(square, y)), 0, 1, 2)), must(f.Sqrt(square)),
		}
	}
	for _, dt := range types {
		in := []array{noise(dt, 700, 64), noise(dt, 12, 16, 16, 9), noise(dt, 3, 3, 9, 20), noise(dt, 50, 64)}
		for _, family := range kernel.Available() {
			b := native.New(family)
			var first []array
			for _, n := range []int{1, 2, 3} {
				runtime.GOMAXPROCS(n)
				results := make([][]array, 2)
				var group sync.WaitGroup
				for i := range results {
					group.Go(func() {
						got, err := evaluate(b, p, in)
						if err != nil {
							t.Error(err)
						}
						results[i] = got
					})
				}
				group.Wait()
				for _, got := range results {
					if first == nil {
						first = got
					} else if err := same(first, got); err != nil {
						t.Errorf("%s, %s: GOMAXPROCS 1 and %d: %v", family, dt, n, err)
					}
				}
			}
		}
	}
}
