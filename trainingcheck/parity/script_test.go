package parity

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/method"
)

// tool returns the path of a program that a test needs beside the project's sources, and skips the test, naming what is
// missing, without them.
func tool(t *testing.T, name string) string {
	t.Helper()
	if root() == "" {
		t.Skip("the project's sources are not here")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// script runs a bash script of this folder with variables added to a plain environment.
func script(t *testing.T, env []string, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "bash"), append([]string{name}, args...)...)
	for _, v := range os.Environ() {
		key, _, _ := strings.Cut(v, "=")
		if !slices.Contains([]string{"PJRT_CUDA_PLUGIN", "PYTHON", "ENGINE", "ENGINE_TEST", "STAGE_TIMEOUT", "LD_LIBRARY_PATH", "XLA_FLAGS", "NVIDIA_TF32_OVERRIDE", "RECORD_ARGS", "TORCH_ARGS", "TRAIN_BACKEND"}, key) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// executable writes a script of its own for run.sh to call.
func executable(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte("#!/usr/bin/env bash\n"+text), 0o777); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRunOnTheCPU runs every stage of run.sh with this test as the program, and reads what it leaves.
func TestRunOnTheCPU(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "results")
	code, stdout, stderr := script(t, []string{"ENGINE=cpu", "ENGINE_TEST=" + self, "RECORD_ARGS=-reason=test"}, "run.sh", out)
	if code != 0 || !strings.Contains(stdout, "passed: probe parity steptime torch record") {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	log, err := os.ReadFile(filepath.Join(out, "run.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"--- PASS: TestProbe", "--- PASS: TestParity", "--- PASS: TestStepTime", "--- PASS: TestRecord", "torch: not timed on a CPU"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	text, err := os.ReadFile(filepath.Join(out, "golden", "parity.cpu.smallconv.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := golden.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Parity.Timings) != 2 || g.Parity.Timings[0].Program != Program || !slices.Contains(g.Rules, "timings") || !slices.Contains(g.Rules, "parity") {
		t.Errorf("timings %+v, rules %v", g.Parity.Timings, g.Rules)
	}
	if _, err := (&golden.Verifier{Recompute: Recompute()}).VerifyDir(t.Context(), os.DirFS(filepath.Join(out, "golden")), nil); err != nil {
		t.Error(err)
	}
	// One stage again, on what is there: goldens need a reason to be replaced.
	if code, stdout, _ := script(t, []string{"ENGINE=cpu", "ENGINE_TEST=" + self}, "run.sh", out, "record"); code != 1 || !strings.Contains(stdout, "failed: record") {
		t.Errorf("replaced without a reason: exit code %d\n%s", code, stdout)
	}
}

// TestRunWithoutGPU expects one clear line and exit code 2, before anything is run.
func TestRunWithoutGPU(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plain := executable(t, "python", "echo\n") // knows no nvidia packages
	broken := filepath.Join(t.TempDir(), "xla_cuda_plugin.so")
	if err := os.WriteFile(broken, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	ok := executable(t, "engine.test", "exit 0\n")
	aborts := executable(t, "engine.test", "echo 'Unexpected PJRT_Client_Create_Args size' >&2; exit 134\n")
	for _, c := range []struct {
		name string
		env  []string
		args []string
		says string
	}{
		{"no Python packages", []string{"ENGINE_TEST=" + self, "PYTHON=" + plain}, nil, "has no nvidia packages"},
		{"no Python", []string{"ENGINE_TEST=" + self, "PYTHON=no-such-python"}, nil, "has no nvidia packages"},
		{"no plugin", []string{"ENGINE_TEST=" + self, "PYTHON=" + plain, "PJRT_CUDA_PLUGIN=" + broken + ".none"}, nil, "there is no plugin"},
		{"a plugin that is no library, or no binding for it", []string{"ENGINE_TEST=" + self, "PYTHON=" + plain, "PJRT_CUDA_PLUGIN=" + broken}, nil, "no GPU engine: engine: gpu is unavailable"},
		{"a plugin that aborts", []string{"ENGINE_TEST=" + aborts, "PYTHON=" + plain, "PJRT_CUDA_PLUGIN=" + broken}, nil, "the plugin ended the program with exit code 134"},
		{"no program", []string{"ENGINE_TEST=" + broken + ".none"}, nil, "is not there or not executable"},
		{"no such stage", []string{"ENGINE_TEST=" + ok}, []string{"prove"}, "there is no stage prove"},
		{"no command", []string{"ENGINE_TEST=" + ok}, []string{"--"}, "no command behind --"},
		{"no such engine", []string{"ENGINE_TEST=" + ok, "ENGINE=tpu"}, nil, "ENGINE=tpu"},
		{"no such time", []string{"ENGINE_TEST=" + ok, "STAGE_TIMEOUT=never"}, nil, "STAGE_TIMEOUT=never"},
		{"a flag", []string{"ENGINE_TEST=" + ok}, nil, "usage"},
	} {
		out := filepath.Join(t.TempDir(), "results")
		args := append([]string{out}, c.args...)
		if c.name == "a flag" {
			args = []string{"--help"}
		}
		code, stdout, stderr := script(t, c.env, "run.sh", args...)
		if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit code %d, output %q, message %q; want 2 and one line with %q", c.name, code, stdout, stderr, c.says)
		}
		if _, err := os.Stat(filepath.Join(out, "run.log")); err == nil {
			t.Errorf("%s: a log was begun", c.name)
		}
	}
}

// TestRunSetsWhatTheGPUNeeds stands in for the program with one that writes down how it was called.
func TestRunSetsWhatTheGPUNeeds(t *testing.T) {
	site := t.TempDir()
	for _, d := range []string{"jax_plugins/xla_cuda13", "nvidia/cu13/lib", "nvidia/cu13/bin", "nvidia/cudnn/lib"} {
		if err := os.MkdirAll(filepath.Join(site, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	plugin := filepath.Join(site, "jax_plugins/xla_cuda13/xla_cuda_plugin.so")
	for file, mode := range map[string]os.FileMode{plugin: 0o666, filepath.Join(site, "nvidia/cu13/bin/ptxas"): 0o777} {
		if err := os.WriteFile(file, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	python := executable(t, "python", `case "$*" in *find_spec*) echo "`+site+`";; *"import torch"*) exit 0;; *torch_step.py*) echo '{"line":1}';; esac
`)
	program := executable(t, "engine.test", `echo "$*|${NVIDIA_TF32_OVERRIDE-unset}|$LD_LIBRARY_PATH|$PJRT_CUDA_PLUGIN|${XLA_FLAGS-unset}|$GOMLX_NO_AUTO_INSTALL" >>"`+site+`/calls"
[[ $* != *TestParity* ]]
`)
	out := filepath.Join(t.TempDir(), "results")
	code, stdout, stderr := script(t, []string{"ENGINE_TEST=" + program, "PYTHON=" + python}, "run.sh", out)
	if code != 1 || !strings.Contains(stdout, "failed: parity\n") {
		t.Errorf("exit code %d\n%s\n%s\nwant the failure of one stage", code, stdout, stderr)
	}
	text, err := os.ReadFile(filepath.Join(site, "calls"))
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for line := range strings.Lines(string(text)) {
		calls = append(calls, strings.TrimSpace(line))
	}
	if len(calls) != 1+2*4 {
		t.Fatalf("%d calls, want a look and four stages on two engines:\n%s", len(calls), text)
	}
	for i, call := range calls[1:] {
		f := strings.Split(call, "|")
		kind, tf32 := "gpu", "0"
		if i%2 == 1 {
			kind, tf32 = "gpu-tf32", "unset"
		}
		if !strings.HasPrefix(f[0], "-engine "+kind+" ") || f[1] != tf32 || f[3] != plugin || f[5] != "1" {
			t.Errorf("call %d: %s; want engine %s, TF32 override %s, plugin %s", i, call, kind, tf32, plugin)
		}
		for _, d := range []string{"nvidia/cu13/lib", "nvidia/cudnn/lib"} {
			if !slices.Contains(strings.Split(f[2], ":"), filepath.Join(site, d)) {
				t.Errorf("call %d: LD_LIBRARY_PATH %s lacks %s", i, f[2], d)
			}
		}
		if !strings.HasPrefix(f[4], "--xla_gpu_cuda_data_dir=") {
			t.Errorf("call %d: XLA_FLAGS %s", i, f[4])
		}
	}
	// A program of the user's gets the same environment, and its exit code is passed on.
	code, stdout, _ = script(t, []string{"ENGINE_TEST=" + program, "PYTHON=" + python}, "run.sh", out, "--", "bash", "-c", `echo "$PJRT_CUDA_PLUGIN of $1"; exit 3`, "x", "two words")
	if code != 3 || !strings.Contains(stdout, plugin+" of two words\n") {
		t.Errorf("a command: exit code %d\n%s", code, stdout)
	}
	if text, err := os.ReadFile(filepath.Join(out, "timings.jsonl")); err != nil || string(text) != "{\"line\":1}\n" {
		t.Errorf("timings %q, %v; want the line of the peer", text, err)
	}
}

// TestTorchStepIsTheSameNetwork compares what can be known without torch: the number of trained values, and the form of
// a timing.
func TestTorchStepIsTheSameNetwork(t *testing.T) {
	python := tool(t, "python3")
	out, err := exec.CommandContext(t.Context(), python, "torch_step.py", "--check").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found struct {
		Parameters int
		Example    json.RawMessage
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, s := range method.CIFAR().Layout() {
		if strings.HasPrefix(s.Name, "online/") || strings.HasPrefix(s.Name, "predictor/") {
			want += s.Size()
		}
	}
	if found.Parameters != want {
		t.Errorf("torch_step.py trains %d values, method.CIFAR %d", found.Parameters, want)
	}
	file := filepath.Join(t.TempDir(), "timings.jsonl")
	if err := os.WriteFile(file, found.Example, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadTimings(file, "none"); err != nil || len(got) != 1 {
		t.Errorf("a timing of torch_step.py: %v, %v", got, err)
	}
	for _, args := range [][]string{{"--check", "--precisions", "fp8"}, {"--check", "--batches", "1"}, {"--check", "--steps", "0"},
		{"--check", "--threads", "-1"}, {"--check", "--device", "tpu"}, {"--check", "--device", "cpu", "--precisions", "tf32"}} {
		var exit *exec.ExitError
		if err := exec.CommandContext(t.Context(), python, append([]string{"torch_step.py"}, args...)...).Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%v: %v, want exit code 2", args, err)
		}
	}
}

// TestScriptsAreClean holds them against shellcheck where it is installed.
func TestScriptsAreClean(t *testing.T) {
	check := tool(t, "shellcheck")
	if out, err := exec.CommandContext(t.Context(), check, "build.sh", "run.sh").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, args := range [][]string{nil, {"--fast", "out"}, {"a", "b"}} {
		if code, _, stderr := script(t, nil, "build.sh", args...); code != 2 || !strings.Contains(stderr, "usage") {
			t.Errorf("build.sh %v: exit code %d, %q", args, code, stderr)
		}
	}
}
