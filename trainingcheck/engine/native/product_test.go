package native

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// TestCutsShowInTheBits: a product that is cut otherwise has other last bits, which is why nothing but its shape may decide
// the cut, and why TestSumsDoNotDependOnGOMAXPROCS would see if anything else did.
func TestCutsShowInTheBits(t *testing.T) {
	const m, n, k = 20, 24, 5000
	r := rand.New(rand.NewPCG(1, 1))
	l, b := make([]float32, m*k), make([]float32, k*n)
	for i := range l {
		l[i] = float32(r.NormFloat64())
	}
	for i := range b {
		b[i] = float32(r.NormFloat64())
	}
	product := func(f kernel.Family, cuts int) []float32 {
		c := matrix(m, n, k, false, false).plan()
		if c.parts[2] < 2 {
			t.Fatalf("%+v is not cut", c.parts)
		}
		if cuts > 0 {
			c.parts[2] = cuts
		}
		w := newCrew(f)
		w.open(1)
		defer w.close()
		y := make([]float32, m*n)
		multiply(w, []*contraction{c}, y, l, b)
		return y
	}
	for _, f := range kernel.Available() {
		if !slices.Equal(product(f, 0), product(f, 0)) {
			t.Errorf("%s: the same product twice has other bits", f)
		}
		if slices.Equal(product(f, 0), product(f, 1)) {
			t.Errorf("%s: cut or not, the bits are the same", f)
		}
	}
}

// TestTasksCoverAProduct: the tasks are those of the shape, and there are several for a large one.
func TestTasksCoverAProduct(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {256, 128, 128}, {128, 512, 4608}, {8192, 64, 576}, {27, 16, 1 << 17}} {
		c := matrix(s[0], s[1], s[2], false, false).plan()
		want := 1
		if s[0]*s[1]*s[2] >= 2*taskWork {
			want = 2
		}
		if n := c.tasks(); n < want || n > maxTasks {
			t.Errorf("%v: %d tasks, want %d to %d", s, n, want, maxTasks)
		}
		count := 0
		for _, b := range c.blocks {
			count += b.count
		}
		if count != s[2] {
			t.Errorf("%v: blocks hold %d of %d", s, count, s[2])
		}
	}
}

// TestABatchNormIsAFewPasses: the values between its operands and results are never stored. A result more is a pass more
// only if it cannot be had on the way.
func TestABatchNormIsAFewPasses(t *testing.T) {
	stages := func(also func(f *function, x, y compute.Value) []compute.Value) int {
		b := New(kernel.Generic).Builder("norm")
		f := b.Main().(*function)
		ok := func(v compute.Value, err error) compute.Value {
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		x := ok(f.Parameter("x", shapes.Make(dtypes.Float32, 2, 50, 8), nil))
		n, epsilon, zero := ok(f.Constant([]float32{50})), ok(f.Constant([]float32{1e-5})), ok(f.Constant([]float32{0}))
		average := func(v compute.Value) compute.Value {
			return ok(f.Reshape(ok(f.Div(ok(f.ReduceSum(v, 1)), n)), 2, 1, 8))
		}
		centred := ok(f.Sub(x, average(x)))
		deviation := ok(f.Sqrt(ok(f.Add(average(ok(f.Mul(centred, centred))), epsilon))))
		y := ok(f.Div(centred, deviation))
		relu := ok(f.Where(ok(f.GreaterThan(y, zero)), y, zero))
		if err := f.Return(append([]compute.Value{relu}, also(f, x, y)...), nil); err != nil {
			t.Fatal(err)
		}
		return len(fuse(f))
	}
	none := func(*function, compute.Value, compute.Value) []compute.Value { return nil }
	// Two sums, a quotient and a root on the small axes, and the result.
	if n := stages(none); n != 5 {
		t.Errorf("%d stages, want 5", n)
	}
	if n := stages(func(f *function, _, y compute.Value) []compute.Value {
		s, err := f.ReduceSum(y, 0, 1, 2)
		if err != nil {
			t.Fatal(err)
		}
		return []compute.Value{s, y}
	}); n != 5 {
		t.Errorf("with the values before the ReLU and their sum: %d stages, want 5", n)
	}
	if n := stages(func(f *function, _, y compute.Value) []compute.Value {
		s, err := f.Transpose(y, 2, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		return []compute.Value{s}
	}); n != 6 {
		t.Errorf("with a transpose: %d stages, want 6", n)
	}
}

// TestAPanicInATaskIsTheCallers, and the crew works on.
func TestAPanicInATaskIsTheCallers(t *testing.T) {
	w := newCrew(kernel.Generic)
	w.open(3)
	defer w.close()
	func() {
		defer func() {
			if r := recover(); r != "native: seven" {
				t.Errorf("recovered %v", r)
			}
		}()
		w.run(20, func(task int, _ *scratch) {
			if task == 7 {
				panic("seven")
			}
		})
		t.Error("no panic")
	}()
	done := make([]bool, 50)
	w.run(len(done), func(task int, _ *scratch) { done[task] = true })
	if slices.Contains(done, false) {
		t.Error("a task was not done")
	}
}
