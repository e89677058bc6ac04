package method

import (
	"strings"
	"testing"

	"stopgrad/trainingcheck/engine"
)

func TestBFloat16NeedsAnotherEngine(t *testing.T) {
	c := small()
	c.Precision = BFloat16
	if tr, err := New(cpu(t), c, 1); err == nil || tr != nil || !strings.Contains(err.Error(), engine.CPUGoMLX) {
		t.Errorf("bfloat16 on the CPU engine: %v, %v; want an error that names %s", tr, err, engine.CPUGoMLX)
	}
}

// TestResNet18Trains makes two steps of the full ResNet-18 on two images.
func TestResNet18Trains(t *testing.T) {
	if testing.Short() {
		t.Skip("two steps of the full ResNet-18 take 3 s and 0.5 GB (package parity and TestGradientsMatchCentralDifferences run it with 2 channels)")
	}
	c := CIFAR()
	c.Batch = 2
	tr := open(t, cpu(t), c, 1)
	for i, l := range train(t, tr, views(c, 1), 2) {
		if !(l > 0 && l < 8) {
			t.Errorf("loss of step %d is %v, want one of 4 − 2cos − 2cos", i, l)
		}
	}
	if ok, name, err := tr.Finite(); err != nil || !ok {
		t.Errorf("after two steps %s is not finite (%v)", name, err)
	}
}
