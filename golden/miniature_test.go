package golden

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Ids of recorded miniatures of the tier gpu: real networks, unlike the fixtures.
const (
	miniLinear   = "T3-mini-cpu.G-A.byol-linear"
	miniDirect   = "T3-mini-cpu.G-A.directpred"
	miniNoDecay  = "T3-mini-cpu.G-A.byol-no-decay"
	miniPlain    = "T3-mini-cpu.G-C.byol-plain-sgd"
	miniReplayed = "T3-mini-cpu.G-C.simsiam-euclidean"
)

// miniatures returns the recorded miniatures of a group.
func miniatures(t *testing.T, group string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	names, err := fs.Glob(Committed(), "T3-mini-cpu."+group+".*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(Committed(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	if len(files) == 0 {
		t.Fatal("no miniature is recorded; go run . golden record --tier gpu-mini makes them")
	}
	return files
}

// TestForgeriesOfAGPUGoldenAreRefused changes recorded miniatures and makes every hash right again: what is left to notice
// it are the laws that the numbers obey. Each is refused with the file and the field.
func TestForgeriesOfAGPUGoldenAreRefused(t *testing.T) {
	steps := func(b *Blob, name string) int { // a step in the middle that has the tensor
		var with []int
		for _, s := range b.steps() {
			if b.at(s, name) != nil {
				with = append(with, s)
			}
		}
		return with[len(with)/2]
	}
	flip := func(segment bool, name string) func(*Golden) {
		return func(g *Golden) {
			b := g.Runs[0].Snapshots
			if segment {
				b = g.Runs[0].Segment
			}
			x := entry(g, 0, segment, steps(b, name), name)
			i := 0
			for j := range x.Data {
				if x.Data[j]*x.Data[j] > x.Data[i]*x.Data[i] {
					i = j
				}
			}
			x.Data[i] = -x.Data[i]
		}
	}
	scaled := func(segment bool, name string) func(*Golden) {
		return func(g *Golden) {
			b := g.Runs[0].Snapshots
			if segment {
				b = g.Runs[0].Segment
			}
			scale(entry(g, 0, segment, steps(b, name), name), 1.01)
		}
	}
	permuted := func(g *Golden) {
		g.Runs[0].Seed, g.Runs[1].Seed = g.Runs[1].Seed, g.Runs[0].Seed
		g.Runs[0], g.Runs[1] = g.Runs[1], g.Runs[0]
	}
	for _, c := range []struct {
		name, id string
		change   func(*Golden)
		rule     string
		field    string
	}{
		{"an entry of W_p flipped", miniLinear, flip(false, TensorWp), ruleSpectra, "runs[0].series["},
		{"an entry of W_p flipped in a direct method", miniDirect, flip(true, TensorWp), ruleDirectPred, "runs[0].segment"},
		{"an entry of W_p flipped in a replayed segment", miniReplayed, flip(true, TensorWp), ruleReplay, "runs[0].segment"},
		{"W_L scaled", miniPlain, func(g *Golden) { scale(entry(g, 0, false, 60, TensorWL), 1.05) }, ruleBalance, "runs[0].snapshots"},
		{"F scaled", miniLinear, scaled(false, TensorF), ruleSpectra, "runs[0].series["},
		{"F̂ scaled", miniDirect, scaled(true, TensorFHat), ruleEMA, "runs[0].segment"},
		{"F of a batch scaled", miniDirect, scaled(true, TensorFBat), ruleEMA, "runs[0].segment"},
		{"F of a replayed batch scaled", miniReplayed, scaled(true, TensorFBat), ruleReplay, "runs[0].segment"},
		{"C of a replayed batch scaled", miniReplayed, scaled(true, TensorC), ruleReplay, "runs[0].segment"},
		{"seeds permuted", miniDirect, permuted, ruleClaims, "claims["},
		{"a rank altered throughout", miniDirect, func(g *Golden) {
			g.Runs[1].Final["er"] *= 1.01
			last := g.Runs[1].Series
			last[len(last)-1].Values["er"] *= 1.01
		}, ruleSpectra, "runs[1].series["},
		{"the momentum of a replayed run", miniReplayed, func(g *Golden) {
			m := recipe(g)
			m["optimizer"].(map[string]any)["momentum"] = 0.9
			setRecipe(g, m)
		}, ruleKept, "rules["},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := miniatures(t, strings.Split(c.id, ".")[1])
			g := load(t, files, c.id)
			c.change(g)
			reseal(t, files, g)
			refusedBy(t, files, c.id, c.rule, c.field)
		})
	}
	t.Run("labels of a direct and a trained predictor swapped", func(t *testing.T) {
		files := miniatures(t, "G-A")
		dp, linear := load(t, files, miniDirect), load(t, files, miniLinear)
		dp.Config, linear.Config = linear.Config, dp.Config
		reseal(t, files, dp)
		reseal(t, files, linear)
		refusedBy(t, files, miniDirect, ruleDirectPred, "runs[0].snapshots")
	})
	t.Run("matrices of a direct and a trained predictor swapped", func(t *testing.T) {
		files := miniatures(t, "G-A")
		dp, linear := load(t, files, miniDirect), load(t, files, miniLinear)
		dp.Runs[0].Snapshots, linear.Runs[0].Snapshots = linear.Runs[0].Snapshots, dp.Runs[0].Snapshots
		reseal(t, files, dp)
		reseal(t, files, linear)
		refusedBy(t, files, miniLinear, ruleDirectPred, "runs[0].snapshots")
	})
	t.Run("seeds permuted without a hash made right", func(t *testing.T) {
		files := miniatures(t, "G-A")
		g := load(t, files, miniNoDecay)
		permuted(g)
		text, err := g.Encode()
		if err != nil {
			t.Fatal(err)
		}
		files[miniNoDecay+".json"].Data = text
		refusedBy(t, files, miniNoDecay, ruleSeal, "sha256")
		report, _ := VerifyDir(t.Context(), files, nil)
		if e := refusal(report, ruleFiles); e == nil || !strings.HasPrefix(e.File, miniNoDecay) || !strings.HasSuffix(e.File, ".bin") {
			t.Errorf("the matrix files of other seeds: %v", e)
		}
	})
}

// refusedBy wants a rule to refuse a golden at a field.
func refusedBy(t *testing.T, files fstest.MapFS, id, rule, field string) {
	t.Helper()
	report, _ := VerifyDir(t.Context(), files, nil)
	report.Files = slices.DeleteFunc(report.Files, func(f FileReport) bool { return f.ID != id })
	e := refusal(report, rule)
	if e == nil {
		t.Fatalf("not refused by rule %s, but: %v", rule, report.Err())
	}
	if e.File != id+".json" || !strings.Contains(e.Field, field) {
		t.Errorf("refused in %s at %q, want %s.json at %q", e.File, e.Field, id, field)
	}
}

// TestAnOldGoldenOfAGPUIsStale: recorded with other kernels, it is a warning and no refusal.
func TestAnOldGoldenOfAGPUIsStale(t *testing.T) {
	files := miniatures(t, "G-C")
	g := load(t, files, miniPlain)
	g.Provenance.KernelsSHA256 = strings.Repeat("0", 64)
	reseal(t, files, g)
	sources := fstest.MapFS{}
	for _, k := range g.Provenance.Kernels {
		sources[k+"/x.go"] = &fstest.MapFile{Data: []byte("package x\n")}
	}
	report, err := (&Verifier{Sources: sources}).VerifyDir(t.Context(), files, nil)
	if err != nil {
		t.Error(err)
	}
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if o.Rule == ruleStale && (o.State != Warn || !strings.Contains(o.Detail, "older kernels")) {
				t.Errorf("%s: %s %s", f.ID, o.State, o.Detail)
			}
		}
	}
}
