package training

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/recorder"
)

// invented returns the golden file of an arm of tier gpu on a data set of that name, with a linear probe by seed. Its
// numbers are made up: it serves to see what is said of them, and would not verify.
func invented(t *testing.T, tier check.Tier, a check.Arm, data string, seeds int, lin func(seed int) float64) (string, *fstest.MapFile) {
	t.Helper()
	base, _, err := check.MiniConv.Base()
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Config(base)
	if err != nil {
		t.Fatal(err)
	}
	id := recorder.ID(tier, engine.GPU, a)
	g := &golden.Golden{Schema: golden.Schema, ID: id, Kind: golden.Statistics, Status: golden.Gating, Rules: []string{}}
	g.Provenance = golden.Provenance{GitCommit: "0123456789ab", Kernels: []string{}, Engine: golden.Engine{Name: engine.GPU, Precision: golden.FP32}, Data: &golden.Data{Name: data, SHA256: "x"}}
	if g.Config, err = golden.NewConfig(c); err != nil {
		t.Fatal(err)
	}
	for seed := range seeds {
		g.Runs = append(g.Runs, golden.Run{Seed: uint64(seed), Final: map[string]float64{"lin": lin(seed), "er": 9},
			Series: []golden.Point{{Values: map[string]float64{}}}})
	}
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return id + ".json", &fstest.MapFile{Data: text}
}

// TestAClaimIsHeldAgainstGoldensOfImagesAlone: emp-wd needs both arms of its check, on images, on the same seeds; the verdict
// is that of the check's gate, with the paper's numbers beside ours.
func TestAClaimIsHeldAgainstGoldensOfImagesAlone(t *testing.T) {
	folder := func(tier check.Tier, data string, seeds, otherSeeds int, gap float64) fstest.MapFS {
		files := fstest.MapFS{}
		name, f := invented(t, tier, check.BYOL, data, seeds, func(seed int) float64 { return .7 + .01*float64(seed) })
		files[name] = f
		if otherSeeds > 0 {
			name, f = invented(t, tier, check.NoDecay, data, otherSeeds, func(seed int) float64 { return .7 + .01*float64(seed) - gap*(1+.1*float64(seed)) })
			files[name] = f
		}
		return files
	}
	find := func(fsys fs.FS) *Held {
		hs, err := heldIn(fsys)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hs {
			if h.ID == "emp-wd" {
				return &h
			}
		}
		return nil
	}
	for _, c := range []struct {
		name    string
		files   fs.FS
		verdict string // "" for none
	}{
		{"nothing", fstest.MapFS{}, ""},
		{"one arm", folder(check.GPUConv, "folder:cifar", 5, 0, .1), ""},
		{"other seeds", folder(check.GPUConv, "folder:cifar", 5, 4, .1), ""},
		{"the digits", folder(check.GPUConv, "digits", 5, 5, .1), ""},
		{"a miniature", folder(check.MiniConv, "digits", 5, 5, .1), ""},
		{"what is built in", golden.Committed(), NotObserved},
		{"the gate holds", folder(check.GPUConv, "folder:cifar", 5, 5, .1), Observed},
		{"the gate fails", folder(check.GPUConv, "folder:cifar", 5, 5, -.1), NotObserved},
		{"four seeds", folder(check.GPUConv, "folder:cifar", 4, 4, .1), NotObserved},
	} {
		if c.name == "what is built in" && hasGPU(t) {
			continue
		}
		h := find(c.files)
		switch {
		case h == nil && c.verdict != "":
			t.Errorf("%s: nothing is said", c.name)
		case h != nil && h.Verdict != c.verdict:
			t.Errorf("%s: %+v", c.name, h)
		case h != nil && (h.Check != "T3.wd" || h.Differs == "" || !strings.Contains(h.Source, "folder:cifar") || !strings.Contains(h.Measured, "gap of the linear probe")):
			t.Errorf("%s: %+v", c.name, h)
		}
		if h == nil {
			continue
		}
		text := strings.Join(strings.Fields((&Console{Width: 400}).quotedTable([]Held{*h})), " ")
		before, after, ok := strings.Cut(text, "Quoted from the paper, not run here:")
		for _, want := range []string{"emp-wd", h.Verdict, "measured: gap of the linear probe", "70.62±1.05"} {
			if !strings.Contains(before, want) {
				t.Errorf("%q is not in %s", want, before)
			}
		}
		if !ok || strings.Contains(after, "emp-wd ") || !strings.Contains(after, "emp-imagenet") {
			t.Errorf("what is quoted only: %s", after)
		}
	}
}

// hasGPU tells whether goldens of a GPU are built in.
func hasGPU(t *testing.T) bool {
	t.Helper()
	names, err := fs.Glob(golden.Committed(), "T3-gpu*.json")
	if err != nil {
		t.Fatal(err)
	}
	return len(names) > 0
}

// TestAMiniatureRunBearsOnNoQuotedClaim: in its report every quotation is one that is not run.
func TestAMiniatureRunBearsOnNoQuotedClaim(t *testing.T) {
	p, err := newPlan(check.Groups(check.GPUMini), "", engine.CPU, check.Options{}, nil, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.bears {
		t.Error("a miniature bears on the paper's claims")
	}
	n := 0
	for _, tier := range check.Groups(check.GPUMini) {
		n += len(check.Of(tier))
	}
	if p.checks() != n || len(p.linear) != 0 || fmt.Sprint(p.seeds) != "[1 2 3 4 5]" {
		t.Errorf("%d checks of %d, %d linear ones, seeds %v", p.checks(), n, len(p.linear), p.seeds)
	}
	r := &Report{Tier: "gpu-mini", Results: []Checked{}, Quoted: unheld(nil)}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Quoted) != len(quotations) || strings.Contains(string(text), "quoted_and_run") {
		t.Errorf("%s", text)
	}
}
