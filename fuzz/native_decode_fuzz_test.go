package fuzz_test

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"stopgrad/fuzz/region"
	"stopgrad/numeric/flow"
	"stopgrad/numeric/ode"
)

// placed matches the beginning of a message: package, file, line.
var placed = regexp.MustCompile(`^(flow|region): file:([0-9]+): \S`)

// inLine returns an error unless the message of err names the file and one of the lines of the text. A carriage return
// ends a line in YAML, and no line in JSON.
func inLine(err error, text []byte) error {
	m := placed.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("an error without a line: %q", err)
	}
	lines := 1 + bytes.Count(text, []byte("\n"))
	if m[1] == "region" {
		lines += bytes.Count(text, []byte("\r"))
	}
	if n, convErr := strconv.Atoi(m[2]); convErr != nil || n < 1 || n > lines {
		return fmt.Errorf("an error outside the %d lines of the file: %q", lines, err)
	}
	if strings.Contains(err.Error(), "\n") {
		return fmt.Errorf("an error of several lines: %q", err)
	}
	return nil
}

// checkState decodes a state file. A mistake must name its line; what is read must survive being written and read
// again, and fit every flow or be refused by it, and its simulation must end in a trajectory or an error.
func checkState(text []byte) error {
	s, err := flow.DecodeState(bytes.NewReader(text), "file")
	if err != nil {
		if s != nil {
			return fmt.Errorf("a state beside the error %q", err)
		}
		return inLine(err, text)
	}
	written, err := s.MarshalJSON()
	if err != nil {
		return fmt.Errorf("cannot be written: %v", err)
	}
	back, err := flow.DecodeState(bytes.NewReader(written), "file")
	if err != nil {
		return fmt.Errorf("%s cannot be read back: %v", written, err)
	}
	again, err := back.MarshalJSON()
	if err != nil || !bytes.Equal(written, again) {
		return fmt.Errorf("%s is written back as %s (%v)", written, again, err)
	}
	for _, name := range flow.Names() {
		f, err := flow.ByName(name)
		if err != nil {
			return err
		}
		sys, err := f.Bind(s)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "flow: file: ") {
				return fmt.Errorf("%s: refused without a file: %q", name, err)
			}
			continue
		}
		const largest = 64 // entries: the rest is a matter of time
		if sys.Dim() > largest {
			continue
		}
		tr, err := sys.Simulate(context.Background(), s.T+1e-3, &flow.Settings{Points: 2, ODE: ode.Settings{MaxSteps: 20}})
		switch {
		case err != nil && !strings.HasPrefix(err.Error(), "flow: "):
			return fmt.Errorf("%s: %q", name, err)
		case err == nil && (tr == nil || len(tr.T) == 0):
			return fmt.Errorf("%s: neither a trajectory nor an error", name)
		}
	}
	return nil
}

// FuzzState: state files.
func FuzzState(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := checkState(text); err != nil {
			t.Error(err)
		}
	})
}

// checkRegion decodes a region file: a mistake must name its line, and what is read must be consistent and the same
// when read again.
func checkRegion(text []byte) error {
	r, err := region.Decode(text, "file")
	if err != nil {
		if r != nil {
			return fmt.Errorf("a region beside the error %q", err)
		}
		return inLine(err, text)
	}
	again, err := region.Decode(text, "file")
	if err != nil || again.Canonical() != r.Canonical() {
		return fmt.Errorf("read twice: %q, then %q (%v)", r.Canonical(), again.Canonical(), err)
	}
	seen := map[string]bool{}
	for _, b := range r.Parameters {
		if seen["parameter "+b.Name] {
			return fmt.Errorf("parameter %s twice", b.Name)
		}
		seen["parameter "+b.Name] = true
		if b.Lo.Cmp(b.Hi) > 0 || b.IsPoint() && (b.LoOpen || b.HiOpen) || b.Scale == region.Log && b.Lo.Sign() <= 0 {
			return fmt.Errorf("an empty box: %s %s", b.Name, b)
		}
		if b.Contains(b.Lo) == b.LoOpen || b.Contains(b.Hi) == b.HiOpen {
			return fmt.Errorf("%s %s: its ends are not what it says", b.Name, b)
		}
		lo, _ := b.Lo.Float64()
		hi, _ := b.Hi.Float64()
		for _, u := range []float64{0, 0x1p-60, 0.25, 0.5, 1 - 0x1p-53} {
			// exp and log err by a few units in the last place, times the logarithm, of which 700 is the largest.
			const tol = 1e-12
			if v := b.At(u); !(v >= lo-tol*max(lo, -lo) && v <= hi+tol*max(hi, -hi)) {
				return fmt.Errorf("%s %s: at %v it is %v", b.Name, b, u, v)
			}
		}
	}
	for _, s := range r.SizeRanges {
		if s.Lo < 1 || s.Hi < s.Lo {
			return fmt.Errorf("size %s from %d to %d", s.Name, s.Lo, s.Hi)
		}
	}
	for _, d := range r.Initial {
		if (d.Normal == nil) == (d.Lo == nil) || d.Normal != nil && d.Normal.Sign() <= 0 || d.Lo != nil && d.Lo.Cmp(d.Hi) > 0 {
			return fmt.Errorf("initial %s: %+v", d.Name, d)
		}
	}
	return nil
}

// FuzzRegion: region files.
func FuzzRegion(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := checkRegion(text); err != nil {
			t.Error(err)
		}
	})
}
