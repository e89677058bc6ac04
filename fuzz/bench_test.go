package fuzz

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"stopgrad/fuzz/region"
	"stopgrad/numeric/pythontest"
)

const invarianceRegion = `parameters:
  eta:    {from: 1/1000, to: 1, scale: log}
  alpha:  {from: 0.1, to: 10, scale: log}
  sigma2: {from: 0, to: 2}
`

// BenchmarkScalarInvariance samples the claim invariance-scalar over a region, as fuzz does, on one core: draw
// a point of the design, build the state, evaluate both sides of d/dt(s − p²/α) = −2η(s − p²/α), keep the
// worst. One operation is one check.
func BenchmarkScalarInvariance(b *testing.B) {
	f := load(b)
	r, err := region.Decode([]byte(invarianceRegion), "bench")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	s, err := Fuzz(context.Background(), f, "invariance-scalar", FuzzOptions{Region: r, N: b.N, Seed: 1, Workers: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.StopTimer()
	if s.Tallies[0].Holds != b.N {
		b.Fatalf("%d of %d checks hold", s.Tallies[0].Holds, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "checks/s")
}

// hypothesisScript is the same check in Python's hypothesis: seven numbers in the same ranges, the same
// derivative by the chain rule, the same comparison. It prints its checks per second.
const hypothesisScript = `
import sys, time
from hypothesis import given, settings, strategies as st, HealthCheck
n = int(sys.argv[1])
count = 0
def number(lo, hi): return st.floats(lo, hi, allow_nan=False, allow_infinity=False)
@settings(max_examples=n, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(number(0.001, 1), number(0.1, 10), number(0, 2), number(-8, 8), number(-8, 8), number(-8, 8), number(-8, 8))
def check(eta, alpha, sigma2, p, s, tau, dtau):
    global count
    count += 1
    a = 1 + sigma2
    dp = alpha*s*(tau - a*p) - eta*p
    ds = 2*p*s*(tau - a*p) - 2*eta*s
    left = ds - 2*p*dp/alpha
    right = -2*eta*(s - p*p/alpha)
    scale = max(1, abs(ds), abs(2*p*dp/alpha), abs(right), abs(a*p*p*s*2))
    assert abs(left - right) <= 1e-9*scale
t = time.perf_counter()
check()
print(count/(time.perf_counter() - t))
`

// BenchmarkScalarInvarianceHypothesis is the peer of BenchmarkScalarInvariance: python3-hypothesis of Debian.
func BenchmarkScalarInvarianceHypothesis(b *testing.B) {
	python := pythontest.With("hypothesis")
	if python == "" {
		b.Skip("no python3 with hypothesis (Debian: python3-hypothesis)")
	}
	const n = 2000 // hypothesis slows down beyond a few thousand examples
	for b.Loop() {
		out, err := exec.Command(python, "-c", hypothesisScript, strconv.Itoa(n)).Output()
		if err != nil {
			b.Fatal(err)
		}
		rate, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(rate, "checks/s")
	}
}

// BenchmarkRefute is the time to find, minimise and confirm a counterexample of each kind.
func BenchmarkRefute(b *testing.B) {
	f := load(b)
	for _, id := range []string{"thm3-alignment", "basin", "wd-alignment"} {
		b.Run(id, func(b *testing.B) {
			seed := uint64(0)
			for b.Loop() {
				seed++
				rep, err := Refute(context.Background(), f, id, Options{Seed: seed, NoVariants: true})
				if err != nil || len(rep.Refuted(Printed)) == 0 {
					b.Fatalf("%v", err)
				}
			}
		})
	}
}
