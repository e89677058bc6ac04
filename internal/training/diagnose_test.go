package training

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"stopgrad/trainingcheck/oracle/torch"
)

// diagnosed runs the command and returns its exit code and what it wrote.
func diagnosed(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = commandLine(t.Context(), append([]string{"diagnose"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// torchRun is a training loop around the README's snippet: BYOL with a linear predictor on views of clusters, or without
// predictor and average, for some steps.
const torchRun = `
import sys, copy, torch
from torch import nn
torch.manual_seed(1); torch.set_num_threads(1)
healthy, steps, file = sys.argv[1] == "healthy", int(sys.argv[2]), sys.argv[3]
centres = torch.randn(10, 20)
encoder = nn.Sequential(nn.Linear(20, 64, bias=False), nn.BatchNorm1d(64, affine=False), nn.ReLU())
projector = nn.Sequential(nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64, affine=False), nn.ReLU(), nn.Linear(64, 16))
predictor = nn.Linear(16, 16, bias=False)
target_encoder, target_projector = copy.deepcopy(encoder), copy.deepcopy(projector)
online, target = [*encoder.parameters(), *projector.parameters()], [*target_encoder.parameters(), *target_projector.parameters()]
opt = torch.optim.SGD([*online, *predictor.parameters()], lr=0.05, momentum=0.9, weight_decay=1e-2)
for step in range(steps + 1):
    x = centres[torch.randint(10, (64,))] + 0.3 * torch.randn(64, 20)
    x1, x2 = x + 0.5 * torch.randn_like(x), x + 0.5 * torch.randn_like(x)
    z1, z2 = projector(encoder(x1)), projector(encoder(x2))
    with torch.no_grad():
        t1, t2 = (target_projector(target_encoder(x1)), target_projector(target_encoder(x2))) if healthy else (z1.detach(), z2.detach())
    if step % (steps // 4) == 0:
        dump(step, z1=z1, z2=z2, Wp=predictor.weight, W=projector[-1].weight, b=projector[-1].bias, Wa=target_projector[-1].weight)
    p1, p2 = (predictor(z1), predictor(z2)) if healthy else (z1, z2)
    loss = 4 - 2 * nn.functional.cosine_similarity(p1, t2).mean() - 2 * nn.functional.cosine_similarity(p2, t1).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    with torch.no_grad():
        for a, w in zip(target, online):
            a.mul_(0.99).add_(w, alpha=0.01)
dump.save(file)
`

// readmeSnippet is the block of README.md that begins with the import of NumPy.
func readmeSnippet(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```python\n(import numpy.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("README.md has no snippet for PyTorch")
	}
	return string(m[1])
}

// TestTheReadmesSnippetDumpsRunsOfPyTorch: a healthy run, a collapsed one, and one that is too short.
func TestTheReadmesSnippetDumpsRunsOfPyTorch(t *testing.T) {
	python, _, err := torch.Python(t.Context())
	if err != nil && os.Getenv(torch.EnvPython) != "" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("no PyTorch that could dump a run: %v", err)
	}
	snippet := readmeSnippet(t)
	if n := len(strings.Split(strings.TrimSpace(snippet), "\n")); n > 15 {
		t.Errorf("the snippet has %d lines", n)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "run.py")
	if err := os.WriteFile(script, []byte(snippet+torchRun), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind  string
		steps int
		code  int
		want  string
	}{{"healthy", 1000, 0, `collapse +alive`}, {"collapsed", 600, Difference, `collapse +collapsed`}, {"healthy", 40, NothingYet, `collapse +too early to say`}} {
		file := filepath.Join(dir, fmt.Sprintf("%s%d.npz", c.kind, c.steps))
		if out, err := exec.CommandContext(t.Context(), python, script, c.kind, fmt.Sprint(c.steps), file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		code, out, errs := diagnosed(t, file)
		t.Logf("%s, %d steps: exit code %d\n%s", c.kind, c.steps, code, out)
		if code != c.code || errs != "" || !regexp.MustCompile(c.want).MatchString(out) {
			t.Errorf("%s, %d steps: exit code %d, want %d: %s", c.kind, c.steps, code, c.code, errs)
		}
	}
	// What torch.save writes is a pickle.
	checkpoint := filepath.Join(dir, "model.pt")
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import torch, sys; torch.save({'z1': torch.ones(3, 2)}, sys.argv[1])", checkpoint).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code, _, errs := diagnosed(t, checkpoint); code != BadInput || !strings.Contains(errs, "pickle") {
		t.Errorf("a checkpoint: exit code %d: %s", code, errs)
	}
}

// TestAFileOfTenMillionEntries: 10 steps of 4000 examples of 250 dimensions in float32.
func TestAFileOfTenMillionEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds: not with -short")
	}
	file := filepath.Join(t.TempDir(), "z1.npy")
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 4000, 250), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	text := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
	text = append(text, header...)
	r := rand.New(rand.NewPCG(1, 1))
	for range 10_000_000 {
		text = binary.LittleEndian.AppendUint32(text, math.Float32bits(float32(r.Float64()-.5)))
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := diagnosed(t, file)
	if code != NothingYet || errs != "" || !strings.Contains(out, "the dump does not say its steps") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
	if err := os.WriteFile(file, text[:len(text)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := diagnosed(t, file); code != BadInput || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "cut short") {
		t.Errorf("cut by a byte: exit code %d: %s", code, errs)
	}
}

func TestPrintableShowsWhatATerminalObeys(t *testing.T) {
	for text, want := range map[string]string{
		"one\n\ttwo ‖W_p‖ ≤ 1 é": "one\n\ttwo ‖W_p‖ ≤ 1 é",
		"a\x1b[2Jb":              `a\x1b[2Jb`,
		"a\rb\x00":               `a\rb\x00`,
		"a\u202eb\u200b":         `a\u202eb\u200b`,
		"a\u009bb":               `a\u009bb`,
		"a\x9bb":                 "a\ufffdb",
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
