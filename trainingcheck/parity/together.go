package parity

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// Entrant is a program that makes training steps on demand: it says "ready VERSION" on a line of its own once it has made
// some that are not measured, or "failed WHY", and then for every line of input the milliseconds of one step (Serve, and
// times.py of package torch).
type Entrant struct {
	Program string
	Command []string
	Env     []string // in place of this process's environment, if not nil
}

// Measured is what Together found out about an entrant.
type Measured struct {
	Program  string  `json:"program"`
	Version  string  `json:"version"`
	Steps    int     `json:"steps"`
	MedianMS float64 `json:"ms_median"`
	MinMS    float64 `json:"ms_min"`
	Failed   string  `json:"failed,omitempty"` // why it was not measured
}

// Together measures entrants side by side: all are started and made ready, and then in each of rounds every one makes a
// step while the others wait, so that what else the machine does falls on all of them alike. An entrant that fails does
// not end the others. ready is told of each, if it is not nil.
func Together(ctx context.Context, entrants []Entrant, rounds int, ready func(Measured)) ([]Measured, error) {
	if rounds < 1 {
		return nil, fmt.Errorf("parity: %d rounds, want at least 1", rounds)
	}
	all := make([]Measured, len(entrants))
	started := make([]*running, len(entrants))
	defer func() {
		for _, r := range started {
			r.stop()
		}
	}()
	for i, e := range entrants {
		all[i].Program = e.Program
		r, version, err := begin(ctx, e)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			all[i].Failed = err.Error()
		}
		started[i], all[i].Version = r, version
		if ready != nil {
			ready(all[i])
		}
	}
	times := make([][]float64, len(entrants))
	for range rounds {
		for i, r := range started {
			if all[i].Failed != "" {
				continue
			}
			ms, err := r.step()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				all[i].Failed = err.Error()
				continue
			}
			times[i] = append(times[i], ms)
		}
	}
	for i := range all {
		if all[i].Failed == "" {
			all[i].Steps, all[i].MedianMS, all[i].MinMS = rounds, median(times[i]), slices.Min(times[i])
		}
	}
	return all, nil
}

// running is a started entrant.
type running struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

// begin starts an entrant and waits until it is ready.
func begin(ctx context.Context, e Entrant) (r *running, version string, err error) {
	cmd := exec.CommandContext(ctx, e.Command[0], e.Command[1:]...)
	cmd.Env = e.Env
	cmd.WaitDelay = time.Second // for what the entrant has started and left with its output
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	r = &running{cmd, in, bufio.NewScanner(out)}
	line, err := r.line()
	if err != nil {
		return r, "", err
	}
	word, rest, _ := strings.Cut(line, " ")
	if word != "ready" {
		return r, "", fmt.Errorf("%s", rest)
	}
	return r, rest, nil
}

// line reads a line of an entrant.
func (r *running) line() (string, error) {
	if !r.out.Scan() {
		return "", fmt.Errorf("it ended without an answer")
	}
	return strings.TrimSpace(r.out.Text()), nil
}

// step asks for one.
func (r *running) step() (ms float64, err error) {
	if _, err := io.WriteString(r.in, "\n"); err != nil {
		return 0, err
	}
	line, err := r.line()
	if err != nil {
		return 0, err
	}
	if ms, err = strconv.ParseFloat(line, 64); err != nil || !(ms > 0) {
		return 0, fmt.Errorf("the answer %q is no time", line)
	}
	return ms, nil
}

// stop ends the entrant's input, and with it the entrant.
func (r *running) stop() {
	if r == nil {
		return
	}
	r.in.Close()
	r.cmd.Wait()
}

// Serve is an entrant: it trains c on the first batch of Views(c, seed) on an engine, a step for each line of in.
func Serve(e *engine.Engine, c method.Config, seed uint64, in io.Reader, out io.Writer) error {
	step, done, err := served(e, c, seed)
	if err != nil {
		_, _ = fmt.Fprintln(out, "failed", strings.ReplaceAll(err.Error(), "\n", " "))
		return err
	}
	defer done()
	version := strings.Join(e.Modules, " ")
	if p := e.Plugin(); p != "" {
		version += " " + p
	}
	if _, err := fmt.Fprintln(out, "ready", version); err != nil {
		return err
	}
	for s := bufio.NewScanner(in); s.Scan(); {
		start := time.Now()
		if _, err := step(); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, time.Since(start).Seconds()*1e3); err != nil {
			return err
		}
	}
	return nil
}

// served makes two steps that are not measured, the first of which compiles.
func served(e *engine.Engine, c method.Config, seed uint64) (step func() (float64, error), done func(), err error) {
	t, err := method.New(e, c, seed)
	if err != nil {
		return nil, nil, err
	}
	b := Views(c, seed).Batch(0)
	step = func() (float64, error) { return t.Step(b) }
	for range 2 {
		if _, err := step(); err != nil {
			t.Close()
			return nil, nil, err
		}
	}
	return step, t.Close, nil
}

// Contest is a network whose steps are measured by Together.
type Contest struct {
	Name   string
	Config method.Config
	Rounds int // by default
}

// Contests lists them: BYOL steps of the networks of the tiers, in float32.
func Contests() []Contest {
	conv, resnet := method.CIFARSmall(), method.CIFAR()
	resnet.Batch = 4
	return []Contest{{"digits", method.Digits(), 31}, {"smallconv", conv, 9}, {"resnet18", resnet, 5}}
}
