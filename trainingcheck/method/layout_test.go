package method

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestLayoutOfDigits(t *testing.T) {
	var got []string
	for _, s := range Digits().Layout() {
		got = append(got, s.Name)
	}
	want := strings.Fields(`online/encoder/0/w online/encoder/1/w online/projector/0/w online/projector/out/w online/projector/out/b
		predictor/w
		target/encoder/0/w target/encoder/1/w target/projector/0/w target/projector/out/w target/projector/out/b
		velocity/online/encoder/0/w velocity/online/encoder/1/w velocity/online/projector/0/w velocity/online/projector/out/w velocity/online/projector/out/b
		velocity/predictor/w
		buffer/encoder/0/mean buffer/encoder/0/var buffer/encoder/1/mean buffer/encoder/1/var buffer/projector/0/mean buffer/projector/0/var`)
	if !slices.Equal(got, want) {
		t.Errorf("layout of digits is\n%v, want\n%v", got, want)
	}
}

// TestResNet18HasItsParameters: 11 173 962 is the well-known count of the CIFAR
// ResNet-18 with a 10-class head of 512·10 + 10 (He et al. 2016; torchvision's
// 11 689 512 with a 7×7 stem and 1000 classes less 7·7·3·64 − 3·3·3·64 and the head).
func TestResNet18HasItsParameters(t *testing.T) {
	n := 0
	for _, s := range CIFAR().network() {
		if strings.HasPrefix(s.Name, "encoder/") {
			n += s.Size()
		}
	}
	const torchvision, stem, head = 11689512, 7*7*3*64 - 3*3*3*64, 512*1000 + 1000
	if want := torchvision - stem - head; n != want || want != 11173962-5130 {
		t.Errorf("encoder has %d parameters, want %d", n, want)
	}
}

func TestInitialDrawsAreUniformAndNamed(t *testing.T) {
	c := Digits()
	c.Precision = Float64
	values := c.Initial(3)
	for i, s := range c.Layout() {
		lo, hi, mean, square := math.Inf(1), math.Inf(-1), 0.0, 0.0
		for _, v := range values[i] {
			lo, hi = min(lo, v), max(hi, v)
			mean += v / float64(len(values[i]))
			square += v * v / float64(len(values[i]))
		}
		if s.bound == 0 {
			if lo != s.fill || hi != s.fill {
				t.Errorf("%s: values from %v to %v, want %v", s.Name, lo, hi, s.fill)
			}
			continue
		}
		// 6 standard errors of a uniform variable's mean and mean square.
		n := float64(len(values[i]))
		if lo < -s.bound || hi > s.bound || math.Abs(mean) > 6*s.bound/math.Sqrt(3*n) ||
			math.Abs(square-s.bound*s.bound/3) > 6*s.bound*s.bound*math.Sqrt(4/(45*n)) {
			t.Errorf("%s: [%v, %v], mean %v, mean square %v: not U(±%v)", s.Name, lo, hi, mean, square, s.bound)
		}
	}
	byName := func(c Config, seed uint64) map[string][]float64 {
		m := map[string][]float64{}
		v := c.Initial(seed)
		for i, s := range c.Layout() {
			m[s.Name] = v[i]
		}
		return m
	}
	const w = "online/encoder/0/w"
	a := byName(c, 3)
	if !slices.Equal(a[w], byName(variant(t, c, SimSiam, func(c *Config) { c.Predictor = Predictor{Kind: MLP2P, Hidden: 9, RateRatio: 1} }), 3)[w]) {
		t.Error("the online weights depend on predictor or target")
	}
	if slices.Equal(a[w], byName(c, 4)[w]) {
		t.Error("the seed does not change the weights")
	}
	if !slices.Equal(a[w], a["target/encoder/0/w"]) {
		t.Error("a copied target does not start at the online weights")
	}
	c.Target.Init = Independent
	if b := byName(c, 3); slices.Equal(b[w], b["target/encoder/0/w"]) || !slices.Equal(a[w], b[w]) {
		t.Error("an independent target must differ from the online weights and leave them as they are")
	}
	if slices.Equal(a["online/encoder/1/w"][:64], a["online/projector/0/w"][:64]) {
		t.Error("two tensors share a stream")
	}
}
