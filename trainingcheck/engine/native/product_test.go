package native

import (
	"math/rand/v2"
	"slices"
	"testing"

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
