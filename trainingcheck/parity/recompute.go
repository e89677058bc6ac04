package parity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

// Kernels are the source folders that compute the numbers of a parity golden.
var Kernels = []string{"numeric/measure", "trainingcheck/data", "trainingcheck/engine/native", "trainingcheck/method", "trainingcheck/metric", "trainingcheck/parity"}

// Recompute returns what golden.Verifier.Recompute takes: Step in float64 on the engine cpu, by its name. Goldens that
// differ only in the engine are computed once.
func Recompute() map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error) {
	type result struct {
		values map[string]float64
		inputs string
	}
	var mu sync.Mutex
	done := map[string]result{}
	return map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error){
		StepName: func(ctx context.Context, g *golden.Golden) (map[string]golden.Scalar, error) {
			c, err := configOf(g)
			if err != nil {
				return nil, err
			}
			a := g.Provenance.Engine.Precision
			if want := recorder.Arithmetic(g.Provenance.Engine.Name, c.Precision); a != want {
				return nil, fmt.Errorf("config.precision %s on the engine %q is %s, and the golden says %s", c.Precision, g.Provenance.Engine.Name, want, a)
			}
			if !Recordable(c, a) {
				return nil, fmt.Errorf("a step of this network has no bounds in %s", a)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			// float32 and bfloat16 start from the same rounded weights.
			same := c
			if same.Precision == method.BFloat16 {
				same.Precision = method.Float32
			}
			key := fmt.Sprint(same.Hash(), g.Parity.Seed)
			r, ok := done[key]
			if !ok {
				e, err := engine.Open(engine.CPU)
				if err != nil {
					return nil, err
				}
				defer e.Close()
				if r.values, r.inputs, err = exactStep(e, c, g.Parity.Seed); err != nil {
					return nil, err
				}
				done[key] = r
			}
			if r.inputs != g.Parity.InputSHA256 {
				return nil, fmt.Errorf("the weights and views of seed %d hash to %.12s…, recorded %.12s…", g.Parity.Seed, r.inputs, g.Parity.InputSHA256)
			}
			want := map[string]golden.Scalar{}
			for name, v := range bounded(c, a, r.values) {
				want[name] = golden.Scalar{Value: v}
				if strings.HasPrefix(name, GradientPrefix) {
					t, _ := gradientTolerance(c, a)
					want[name] = golden.Scalar{Value: v, Tolerance: t}
				}
			}
			return want, nil
		},
	}
}

// bounded leaves the values of a step that have a bound in an arithmetic.
func bounded(c method.Config, a golden.Precision, values map[string]float64) map[string]float64 {
	_, gradients := gradientTolerance(c, a)
	out := map[string]float64{}
	for name, v := range values {
		if gradients || !strings.HasPrefix(name, GradientPrefix) {
			out[name] = v
		}
	}
	return out
}

// configOf reads the training configuration of a golden.
func configOf(g *golden.Golden) (method.Config, error) {
	text, err := g.Config.MarshalJSON()
	if err != nil {
		return method.Config{}, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return method.Config{}, err
	}
	delete(members, "derived") // golden.NewConfig adds it
	if text, err = json.Marshal(members); err != nil {
		return method.Config{}, err
	}
	return method.DecodeConfig(bytes.NewReader(text), "config")
}
