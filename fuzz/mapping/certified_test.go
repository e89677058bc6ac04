package mapping

import (
	"context"
	"math/big"
	"syscall"
	"testing"
)

func certifiedSpec(t *testing.T, model Model, set map[string]string) Spec {
	t.Helper()
	s := Spec{Model: model, Set: map[string]*big.Rat{}}
	var err error
	if s.X, err = ParseAxis("p0=0:1"); err != nil {
		t.Fatal(err)
	}
	if s.Y, err = ParseAxis("s0=0:1"); err != nil {
		t.Fatal(err)
	}
	for k, v := range set {
		s.Set[k], _ = new(big.Rat).SetString(v)
	}
	return s
}

func TestTryCertify(t *testing.T) {
	for _, m := range []Spec{
		certifiedSpec(t, Frozen, map[string]string{"eta": "1/10", "alpha": "1", "sigma2": "0", "tau": "1"}),
	} {
		var a, b syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &a)
		c, err := Certify(context.Background(), m)
		syscall.Getrusage(syscall.RUSAGE_SELF, &b)
		t.Log(err, float64(b.Utime.Nano()-a.Utime.Nano())/1e9)
		if c != nil {
			t.Log(c)
		}
	}
}
