package parity

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

// Names of this program in a golden.Timing: with views that come from the host's memory, as in the other programs, and
// with views that the step itself makes from images on the device, as training does.
const (
	Program         = "stopgrad"
	ProgramResident = "stopgrad-resident"
)

// Schedule says which steps are timed.
type Schedule struct {
	Warmup int // steps before, the first of which compiles
	Steps  int // timed steps, at least 1
}

// Time makes steps of c on one batch of views and measures each from the call with the views in the host's memory to the
// loss, which waits for the device. It stops between steps when ctx ends.
func Time(ctx context.Context, e *engine.Engine, c method.Config, seed uint64, s Schedule) (golden.Timing, error) {
	b := Views(c, seed).Batch(0)
	return timed(ctx, e, c, seed, s, Program, func(t *method.Trainer) (func() (float64, error), error) {
		return func() (float64, error) { return t.Step(b) }, nil
	})
}

// TimeResident is Time with a step that makes its views from the images of an Album on the device: only their indices
// and parameters come from the host, which draws them within the measured time. An engine without images of its own is a
// *method.UnsupportedError.
func TimeResident(ctx context.Context, e *engine.Engine, c method.Config, seed uint64, s Schedule) (golden.Timing, error) {
	album, err := Album(c, seed)
	if err != nil {
		return golden.Timing{}, err
	}
	return timed(ctx, e, c, seed, s, ProgramResident, func(t *method.Trainer) (func() (float64, error), error) {
		return t.Stepper(album, method.OnDevice)
	})
}

// timed measures the steps that stepper gives.
func timed(ctx context.Context, e *engine.Engine, c method.Config, seed uint64, s Schedule, program string, stepper func(*method.Trainer) (func() (float64, error), error)) (golden.Timing, error) {
	if s.Steps < 1 || s.Warmup < 0 {
		return golden.Timing{}, fmt.Errorf("parity: %d steps to time after %d, want at least 1 after 0 or more", s.Steps, s.Warmup)
	}
	p := golden.Provenance{Host: golden.ThisHost()}
	recorder.Describe(e, c.Precision, &p)
	t, err := method.New(e, c, seed)
	if err != nil {
		return golden.Timing{}, err
	}
	defer t.Close()
	step, err := stepper(t)
	if err != nil {
		return golden.Timing{}, err
	}
	var ms []float64
	for i := range s.Warmup + s.Steps {
		if err := ctx.Err(); err != nil {
			return golden.Timing{}, err
		}
		start := time.Now()
		if _, err := step(); err != nil {
			return golden.Timing{}, err
		}
		if i >= s.Warmup {
			ms = append(ms, time.Since(start).Seconds()*1e3)
		}
	}
	m := median(ms) // sorts them
	return golden.Timing{Program: program, Version: p.Engine.Version, Device: p.Device.Name, Precision: p.Engine.Precision,
		Batch: c.Batch, Steps: s.Steps, MedianMS: m, MinMS: ms[0], ImagesPerS: 1000 * float64(c.Batch) / m}, nil
}

// Timed returns the network whose steps are timed on an engine, the batches and precisions they are timed with, and the
// schedule: on an accelerator the full ResNet-18, on a CPU the small convolutional network.
func Timed(e *engine.Engine) (n Network, configs []method.Config, s Schedule) {
	name, batches, precisions := "smallconv", []int{16, 64}, []method.Precision{method.Float32}
	s = Schedule{Warmup: 1, Steps: 3}
	if e.OnGPU() {
		name, batches, s = "resnet18-cifar", []int{128, 512}, Schedule{Warmup: 5, Steps: 20}
	}
	if e.Kind == engine.GPU {
		precisions = append(precisions, method.BFloat16)
	}
	n, _ = Named(name)
	for _, p := range precisions {
		for _, b := range batches {
			c := n.Config
			c.Batch, c.Precision = b, p
			configs = append(configs, c)
		}
	}
	return n, configs, s
}

// AppendTiming adds one line of JSON to a file, which it makes if there is none.
func AppendTiming(file string, t golden.Timing) error {
	line, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("parity: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return fmt.Errorf("parity: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("parity: %w", err)
	}
	return nil
}

// ReadTimings reads a file of timings, one JSON object a line as golden.Timing has it; torch_step.py writes the same. It
// returns an error that names file, line and member for what is not a possible timing on the device. Of two lines on the
// same program, precision and batch the later counts.
func ReadTimings(file, device string) ([]golden.Timing, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("parity: timings: %w", err)
	}
	var all []golden.Timing
	s := bufio.NewScanner(bytes.NewReader(text))
	for line := 1; s.Scan(); line++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		var t golden.Timing
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.DisallowUnknownFields()
		err := d.Decode(&t)
		if err == nil && d.More() {
			err = fmt.Errorf("text after the object")
		}
		if err == nil {
			err = t.Check(device)
		}
		if err != nil {
			return nil, fmt.Errorf("parity: timings: %s: line %d: %s", file, line, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "json: "), "golden: "))
		}
		kept := all[:0]
		for _, old := range all {
			if old.Program != t.Program || old.Precision != t.Precision || old.Batch != t.Batch {
				kept = append(kept, old)
			}
		}
		all = append(kept, t)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("parity: timings: %s: %w", file, err)
	}
	return all, nil
}
