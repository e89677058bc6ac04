// Package torch trains configurations of package method in PyTorch, by a script of this project's own, in a process of its
// own: a witness that shares no code with the engines, and a peer for their times.
//
// A job goes to the script as three files: the configuration, the weights and the views (train.py says in which form), so
// that both sides start from the same numbers. The interpreter is named by EnvPython.
package torch

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"stopgrad/trainingcheck/method"
)

//go:embed train.py
var trainScript []byte

//go:embed times.py
var timesScript []byte

// EnvPython names the environment variable with the Python interpreter that has torch; python3 without it.
const EnvPython = "TORCH_PYTHON"

// Python returns an interpreter that has torch, and torch's version. The error is a *MissingError.
func Python(ctx context.Context) (python, version string, err error) {
	if python = os.Getenv(EnvPython); python == "" {
		python = "python3"
	}
	out, err := exec.CommandContext(ctx, python, "-c", "import torch; print(torch.__version__)").Output()
	if err != nil {
		return "", "", &MissingError{python, err}
	}
	return python, strings.TrimSpace(string(out)), nil
}

// MissingError reports an interpreter without torch.
type MissingError struct {
	Python string
	Err    error
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("torch: %s has no torch (%v); $%s names an interpreter that has", e.Python, e.Err, EnvPython)
}

func (e *MissingError) Unwrap() error { return e.Err }

// Job is one run.
type Job struct {
	Name    string
	Config  method.Config
	Weights [][]float64 // the state it starts from, in the order of Config.Layout
	Views   []method.Batch
}

// Result is what became of a job.
type Result struct {
	Losses []float64            // of each batch, before its update
	State  map[string][]float64 // the tensors after the last step, by name
	Err    error                // the script's, for this job alone
}

// Write puts the files of a job into a folder.
func (j Job) Write(dir string) error {
	type tensor struct {
		Name string `json:"name"`
		Dims []int  `json:"dims"`
	}
	var tensors []tensor
	var weights []float64
	for i, s := range j.Config.Layout() {
		tensors, weights = append(tensors, tensor{s.Name, s.Dims}), append(weights, j.Weights[i]...)
	}
	var views []float32
	for _, b := range j.Views {
		views = append(append(views, b.X1...), b.X2...)
	}
	text, err := json.Marshal(map[string]any{"config": json.RawMessage(j.Config.Canonical()), "steps": len(j.Views), "tensors": tensors})
	if err != nil {
		return fmt.Errorf("torch: %s: %w", j.Name, err)
	}
	file := filepath.Join(dir, j.Name)
	for ext, values := range map[string]any{".weights": weights, ".views": views} {
		var b bytes.Buffer
		if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
			return fmt.Errorf("torch: %s: %w", j.Name, err)
		}
		if err := os.WriteFile(file+ext, b.Bytes(), 0o666); err != nil {
			return fmt.Errorf("torch: %w", err)
		}
	}
	if err := os.WriteFile(file+".json", text, 0o666); err != nil {
		return fmt.Errorf("torch: %w", err)
	}
	return nil
}

// read reads what the script left of a job.
func (j Job) read(dir string) (Result, error) {
	text, err := os.ReadFile(filepath.Join(dir, j.Name+".out"))
	if err != nil {
		return Result{}, fmt.Errorf("torch: %w", err)
	}
	all := make([]float64, len(text)/8)
	if err := binary.Read(bytes.NewReader(text), binary.LittleEndian, all); err != nil {
		return Result{}, fmt.Errorf("torch: %s: %w", j.Name, err)
	}
	size := len(j.Views)
	for _, s := range j.Config.Layout() {
		size += s.Size()
	}
	if len(all) != size {
		return Result{}, fmt.Errorf("torch: %s: %d values, want %d", j.Name, len(all), size)
	}
	r := Result{Losses: all[:len(j.Views)], State: map[string][]float64{}}
	all = all[len(j.Views):]
	for _, s := range j.Config.Layout() {
		r.State[s.Name], all = all[:s.Size()], all[s.Size():]
	}
	return r, nil
}

// Scripts writes the scripts to a folder and returns the paths of the one that trains and the one that measures times.
func Scripts(dir string) (train, times string, err error) {
	train, times = filepath.Join(dir, "train.py"), filepath.Join(dir, "times.py")
	if err := errors.Join(os.WriteFile(train, trainScript, 0o666), os.WriteFile(times, timesScript, 0o666)); err != nil {
		return "", "", fmt.Errorf("torch: %w", err)
	}
	return train, times, nil
}

// Train lets an interpreter train jobs one after another with a number of threads, and returns the results in their
// order. Files go through a temporary folder.
func Train(ctx context.Context, python string, jobs []Job, threads int) ([]Result, error) {
	dir, err := os.MkdirTemp("", "stopgrad-torch-")
	if err != nil {
		return nil, fmt.Errorf("torch: %w", err)
	}
	defer os.RemoveAll(dir)
	for _, j := range jobs {
		if err := j.Write(dir); err != nil {
			return nil, err
		}
	}
	script, _, err := Scripts(dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, python, script, dir, "--threads", strconv.Itoa(threads))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return nil, fmt.Errorf("torch: train.py: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	failures := map[string]string{}
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var said struct{ Job, Error string }
		if json.Unmarshal(s.Bytes(), &said) == nil && said.Error != "" {
			failures[said.Job] = said.Error
		}
	}
	results := make([]Result, len(jobs))
	for i, j := range jobs {
		if why, ok := failures[j.Name]; ok {
			results[i].Err = fmt.Errorf("torch: %s: %s", j.Name, why)
		} else if results[i], err = j.read(dir); err != nil {
			return nil, err
		}
	}
	return results, nil
}
