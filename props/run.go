package props

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Measurement is what sampling one of the statements in words came to. It holds counts and numbers, and no
// verdict.
type Measurement struct {
	Name       string         `json:"name"`
	Says       string         `json:"says"`       // what Holds counts
	Tried      int            `json:"tried"`      // samples that the statement speaks of
	Holds      int            `json:"holds"`      // of them, those it holds for
	Violations int            `json:"violations"` // of them, confirmed counterexamples
	Worst      float64        `json:"worst"`      // what Says compares with Tolerance, at its worst over the decided samples
	Tolerance  float64        `json:"tolerance"`
	Detail     map[string]any `json:"detail"` // further counts and numbers
}

// measurements are the statements of the claims that are left to sampling.
var measurements = map[string]func(ctx context.Context, seed uint64, samples int) (Measurement, error){
	"skew-vanishes": skewVanishes,
	"sym-hurts":     symHurts,
	"noniso-align":  nonisoAlign,
}

// Names returns the names that [Run] knows, in alphabetical order.
func Names() []string {
	var names []string
	for n := range measurements {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Run measures the named statement at the given number of samples; sample i depends on the seed and i alone.
// It returns an error for an unknown name, for fewer than one sample, and when the context ends.
func Run(ctx context.Context, name string, seed uint64, samples int) (Measurement, error) {
	f, ok := measurements[name]
	if !ok {
		return Measurement{}, fmt.Errorf("props: no sampled property %q (known: %s)", name, strings.Join(Names(), " "))
	}
	if samples < 1 {
		return Measurement{}, fmt.Errorf("props: %d samples of %s", samples, name)
	}
	m, err := f(ctx, seed, samples)
	if err != nil {
		return Measurement{}, fmt.Errorf("props: %s: %w", name, err)
	}
	m.Name = name
	return m, nil
}

// spread returns the least, the median and the greatest of the numbers, for Detail; nil of none.
func spread(v []float64) map[string]float64 {
	if len(v) == 0 {
		return nil
	}
	v = slices.Sorted(slices.Values(v))
	return map[string]float64{"min": v[0], "median": v[len(v)/2], "max": v[len(v)-1]}
}

// binomialTail returns P(K ≥ k) for K binomial with n trials of probability 1/2.
func binomialTail(n, k int) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c - float64(n)*math.Ln2)
	}
	return min(1, sum)
}
