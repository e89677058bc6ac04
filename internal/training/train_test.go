package training

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/engine/enginetest"
)

// program starts the test binary as the program.
func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	return &exec.Cmd{Path: self, Args: append([]string{"stopgrad"}, args...), Env: os.Environ(), Stderr: &stderr}, &stderr
}

// records counts the lines of a series.
func records(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "series.csv"))
	if err != nil {
		return 0
	}
	return bytes.Count(text, []byte("\n"))
}

// stopAt sends a signal to a run when its series has some lines, and returns its exit code and messages.
func stopAt(t *testing.T, sig os.Signal, lines int, dir string, args ...string) (int, string) {
	t.Helper()
	c, stderr := program(t, args...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(2 * time.Minute); records(dir) < lines; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.Process.Kill()
			c.Wait()
			t.Fatalf("the run does not get to record %d: %s", lines, stderr)
		}
	}
	if err := c.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	return c.ProcessState.ExitCode(), stderr.String()
}

// TestStoppedRunsGoOnAsIfNothingHadHappened: killed before the first checkpoint, killed after it, interrupted, and gone on
// with each time, a run leaves the same files, byte for byte, as one that was left alone.
func TestStoppedRunsGoOnAsIfNothingHadHappened(t *testing.T) {
	dir := t.TempDir()
	command := func(out string, more ...string) []string {
		return append([]string{"train", "byol", "--preset", "digits-mini", "--steps", "150", "--measure-every", "3", "--checkpoint-every", "40",
			"--out", filepath.Join(dir, out)}, more...)
	}
	left, stderr := program(t, command("left")...)
	if err := left.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	stopped := filepath.Join(dir, "stopped")
	if code, _ := stopAt(t, syscall.SIGKILL, 4, stopped, command("stopped")...); code == 0 {
		t.Fatal("the run ended before it was killed")
	}
	if code, _ := stopAt(t, syscall.SIGKILL, 25, stopped, command("stopped", "--resume")...); code == 0 {
		t.Fatal("the run ended before it was killed again")
	}
	code, said := stopAt(t, os.Interrupt, 35, stopped, command("stopped", "--resume")...)
	if code != Interrupted || !strings.Contains(said, "of 150 steps are made; the same command with --resume goes on from there") {
		t.Fatalf("exit %d: %s", code, said)
	}
	last, stderr := program(t, command("stopped", "--resume")...)
	if err := last.Run(); err != nil || !strings.Contains(stderr.String(), "going on from step") {
		t.Fatalf("%v: %s", err, stderr)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "left"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join(dir, "left", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(stopped, e.Name()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs (%v)", e.Name(), err)
		}
	}
	if len(entries) != 11 {
		t.Errorf("%d files, want 11", len(entries))
	}
}

// TestBadInputIsOneLineAndLeavesNothing: and has the exit code for it.
func TestBadInputIsOneLineAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used")
	file := filepath.Join(dir, "file")
	broken := filepath.Join(dir, "broken.json")
	other := filepath.Join(dir, "other.json")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "x")
	nothing, list, null := filepath.Join(dir, "nothing.json"), filepath.Join(dir, "list.json"), filepath.Join(dir, "null.json")
	write(nothing, "null\n")
	write(list, "[]\n")
	write(null, `{"direct": {"when": null}}`)
	write(broken, "{\n  \"method\": \"byol\",\n  \"speed\": 3\n}\n")
	if err := os.Mkdir(used, 0o777); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(used, "series.csv"), "")
	recipe, err := os.ReadFile("testdata/train.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(recipe), "-- recipe.json --\n")
	write(other, text)
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		args string
		want string // in the message
	}{
		{"barlow", `there is no method "barlow"; there are byol, simsiam`},
		{"byol --data mnist", `no such data set`},
		{"byol --data cifar10:" + dir + "/nowhere", "nowhere"},
		{"byol --data cifar10", "want cifar10:PATH"},
		{"byol --backend tpu", `"tpu" is unknown, want one of cpu, cpu-gomlx, xla-cpu, gpu, gpu-tf32`},
		{"byol --preset huge", `there is no preset "huge"; there are digits, digits-mini`},
		{"byol --net vit", `there is no net "vit"`},
		{"byol --steps=-1", "--steps=-1 is negative"},
		{"byol --steps one", "--steps"},
		{"byol --measure-every=-2", "--measure-every=-2"},
		{"byol --target shared", `target.kind: "shared", want "ema"`},
		{"byol --target slow", "--target must be one of"},
		{"byol --config " + nothing, "null; a recipe is an object"},
		{"byol --config " + list, "a JSON array; a recipe is an object"},
		{"byol --config " + null, "field direct.when: null"},
		{"byol --config " + broken, `unknown field "speed"`},
		{"byol --config " + other, `field method is "directcopy", the command line says byol`},
		{"directcopy --data gaussian --config " + other, "field net reads 100 columns, the views of gaussian are 1×1×16"},
		{"byol --lr 0", "optimizer.lr: 0, want above 0"},
		{"byol --batch=-1", "batch: -1"},
		{"byol --epochs 2 --steps 3", "--epochs and --steps exclude each other"},
		{"byol --data gaussian --preset linear-gaussian --epochs 2", "--epochs is for images"},
		{"byol --seeds 1,x", `"x" is no seed`},
		{"byol --warmup 2000", "optimizer.schedule.warmup: 2000"},
		{"simsiam --ema-cosine", "optimizer.schedule.target_cosine"},
		{"simclr --preset digits-mini", `engine "cpu" has no exponential`},
		{"byol --data gaussian --probe", "--probe needs labels"},
		{"byol --resume", "--resume needs --out"},
		{"byol --resume --out " + out, "there is no run in"},
		{"byol --out " + file, "file"},
		{"byol --out " + used, "series.csv exists"},
		{"byol --out " + file + "/below", "file/below"},
		{"", "expected"},
	} {
		args := append([]string{"train"}, strings.Fields(c.args)...)
		if !strings.Contains(c.args, "--out") {
			args = append(args, "--out="+out)
		}
		if strings.Contains(c.args, "byol --resume") && !strings.Contains(c.args, "--out") {
			args = args[:len(args)-1]
		}
		var stdout, stderr bytes.Buffer
		code := commandLine(t.Context(), args, &stdout, &stderr)
		said := stderr.String()
		if code != BadInput || !strings.Contains(said, c.want) || stdout.Len() > 0 {
			t.Errorf("%s: exit %d, %q and %q; want %d and %q", c.args, code, stdout.String(), said, BadInput, c.want)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%s: left %s (%v)", c.args, out, err)
		}
	}
	entries, err := os.ReadDir(used)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder in use has %d files (%v)", len(entries), err)
	}
}

// TestTheGPUIsNeverAnsweredWithTheCPU: where there is none the command says so and ends with 2.
func TestTheGPUIsNeverAnsweredWithTheCPU(t *testing.T) {
	// The engine is asked, not the command: one that answered with the processor would end with 0 too.
	if e, err := engine.Open(engine.GPU); err == nil {
		e.Close()
		t.Skip("no machine without a GPU: the engine gpu is here")
	}
	var stdout, stderr bytes.Buffer
	out := filepath.Join(t.TempDir(), "out")
	code := commandLine(t.Context(), []string{"train", "byol", "--preset", "digits-mini", "--steps", "1", "--backend", "gpu", "--out", out}, &stdout, &stderr)
	if _, err := os.Stat(out); code != BadInput || !strings.Contains(stderr.String(), "gpu is unavailable") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("exit %d: %s (%v)", code, stderr.String(), err)
	}
}

// TestAFolderBelongsToOneRun: another run, or the same one started again, is refused and leaves the folder as it was.
func TestAFolderBelongsToOneRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	run := func(args ...string) (int, string) {
		var stdout, stderr bytes.Buffer
		code := commandLine(t.Context(), append([]string{"train", "byol", "--preset", "digits-mini", "--out", dir}, args...), &stdout, &stderr)
		return code, stderr.String()
	}
	if code, said := run("--steps", "10"); code != 0 {
		t.Fatal(said)
	}
	before, err := os.ReadFile(filepath.Join(dir, "series.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--steps", "10"}, "holds a run"},
		{[]string{"--steps", "20", "--resume"}, "is of another run"},
		{[]string{"--steps", "10", "--seed", "2", "--resume"}, `"seed": 1`},
		{[]string{"--steps", "10", "--measure-every", "5", "--resume"}, `"measure_every": 1`},
		{[]string{"--steps", "10", "--data", "gaussian", "--resume"}, `"data": "digits"`},
	} {
		if code, said := run(c.args...); code != BadInput || !strings.Contains(said, c.want) {
			t.Errorf("%v: exit %d: %s", c.args, code, said)
		}
	}
	if code, said := run("--steps", "10", "--resume"); code != 0 {
		t.Errorf("a finished run is not gone on with: %s", said)
	}
	after, err := os.ReadFile(filepath.Join(dir, "series.jsonl"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the series changed (%v)", err)
	}
	// A damaged checkpoint is named.
	if err := os.Truncate(filepath.Join(dir, "checkpoint.bin"), 100); err != nil {
		t.Fatal(err)
	}
	if code, said := run("--steps", "10", "--resume"); code != BadInput || !strings.Contains(said, "checkpoint.bin") {
		t.Errorf("exit %d: %s", code, said)
	}
}

// TestADivergedRunSaysSo: with a rate far too high the loss leaves the numbers.
func TestADivergedRunSaysSo(t *testing.T) {
	dir := t.TempDir()
	recipe := filepath.Join(dir, "recipe.json")
	if err := os.WriteFile(recipe, []byte(`{"method":"simsiam","net":{"kind":"linear","in":16,"out":6,"batchnorm":false,"bias":false,"output_bn":false},
		"predictor":{"kind":"linear","rate_ratio":1,"symmetrize":false},"loss":{"kind":"euclidean","both_directions":false},
		"target":{"kind":"shared","momentum":0},"optimizer":{"lr":900,"momentum":0,"wd":0.04,"predictor_decay":"theory"},
		"batch":8,"steps":200,"precision":"float64"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := commandLine(t.Context(), []string{"train", "simsiam", "--data", "gaussian", "--config", recipe}, &stdout, &stderr)
	if code != Difference || !strings.Contains(stderr.String(), "diverged") || stdout.Len() > 0 {
		t.Errorf("exit %d: %q %q", code, stdout.String(), stderr.String())
	}
}

// TestInterruptedWithoutAFolderSaysWhatIsLost: nothing can be gone on with.
func TestInterruptedWithoutAFolderSaysWhatIsLost(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := commandLine(ctx, []string{"train", "byol", "--preset", "digits-mini"}, &stdout, &stderr)
	if code != Interrupted || !strings.Contains(stderr.String(), "0 of 1000 steps are made and lost") || stdout.Len() > 0 {
		t.Errorf("exit %d: %q %q", code, stdout.String(), stderr.String())
	}
}

// pictures writes a folder of random colour images of 32×32 pixels in two classes.
func pictures(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	for part, n := range map[string]int{"train": 70, "test": 8} {
		for _, class := range []string{"a", "b"} {
			if err := os.MkdirAll(filepath.Join(dir, part, class), 0o777); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
				for k := range img.Pix {
					img.Pix[k] = uint8(r.IntN(256)) | uint8(255*(k&3/3)) // opaque
				}
				var b bytes.Buffer
				if err := png.Encode(&b, img); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, part, class, fmt.Sprintf("%03d.png", i)), b.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return dir
}

// TestTrainOnXLAFromTheDevice trains on images with XLA on the processor: the run whose views are made on the device ends
// where the one with the host's views does, and another seed elsewhere.
func TestTrainOnXLAFromTheDevice(t *testing.T) {
	enginetest.Need(t, engine.XLACPU)
	dir := pictures(t)
	spread := func(args ...string) float64 {
		t.Helper()
		var stdout, stderr bytes.Buffer
		args = append([]string{"train", "byol", "--data", "folder:" + dir, "--preset", "cifar-small", "--steps", "3", "--backend", "xla-cpu", "--json"}, args...)
		if code := commandLine(t.Context(), args, &stdout, &stderr); code != 0 {
			t.Fatalf("%s: exit %d: %s", args, code, stderr.String())
		}
		var s struct {
			Backend  string
			Measures map[string]float64
		}
		if err := json.Unmarshal(stdout.Bytes(), &s); err != nil || s.Backend != engine.XLACPU || !(s.Measures["er"] > 0) {
			t.Fatalf("%s: %v\n%s", args, err, stdout.String())
		}
		return s.Measures["er"]
	}
	host, device, other := spread("--views", "host"), spread("--views", "device"), spread("--views", "device", "--seed", "2")
	if d := math.Abs(device/host - 1); !(d <= 1e-3) {
		t.Errorf("the effective rank ends at %v with the host's views and %v with the device's", host, device)
	}
	if d := math.Abs(other/host - 1); d <= 1e-3 {
		t.Errorf("another seed ends at the same effective rank: %v and %v", host, other)
	}
}
