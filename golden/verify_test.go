package golden

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryCommittedGoldenVerifies(t *testing.T) {
	report, err := (&Verifier{Sources: os.DirFS("..")}).VerifyDir(t.Context(), Committed(), nil)
	if err != nil {
		t.Error(err)
	}
	if len(report.Files) == 0 {
		t.Log("golden/data holds no golden yet: nothing was verified here; the rules are tested on recorded miniatures")
	}
	for _, s := range report.Strays {
		t.Errorf("golden/data/%s belongs to no golden", s)
	}
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if o.State == Warn || o.State == Unchecked {
				t.Logf("%s: rule %s: %s: %s", f.File, o.Rule, o.State, o.Detail)
			}
		}
	}
}

func TestRecordedMiniaturesVerify(t *testing.T) {
	var seen []string
	report, err := fixtureVerifier().VerifyDir(t.Context(), fixtures(t), func(p Progress) { seen = append(seen, fmt.Sprintf("%d/%d", p.Done, p.Total)) })
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1/5", "2/5", "3/5", "4/5", "5/5"}; !slices.Equal(seen, want) {
		t.Errorf("progress %v, want %v", seen, want)
	}
	if n := report.Count(Warn) + report.Count(Unchecked) + len(report.Strays); n != 0 {
		t.Errorf("%d warnings, unchecked rules or strays", n)
	}
	// Every rule must find something to check in some miniature, or its mutations below prove nothing.
	for _, r := range Rules() {
		applied := false
		for _, f := range report.Files {
			for _, o := range f.Outcomes {
				if o.Rule == r.Name && o.State == Pass {
					applied = true
				}
			}
		}
		if !applied {
			t.Errorf("no miniature has anything for rule %s", r.Name)
		}
	}
}

func TestVerifyingTwiceGivesTheSameReport(t *testing.T) {
	report := func() string {
		r, err := fixtureVerifier().VerifyDir(t.Context(), fixtures(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v", r)
	}
	first, second := report(), report()
	if first != second {
		t.Error("reports differ")
	}
}

// load returns a golden of the fixtures with its matrices.
func load(t *testing.T, files fstest.MapFS, id string) *Golden {
	t.Helper()
	g, err := Decode(files[id+".json"].Data)
	if err != nil {
		t.Fatal(err)
	}
	err = g.blobs(func(_ string, r *Run, b *Blob) error {
		return decodeBlob(b, files[b.File].Data, g.Provenance.RecipeSHA256, r.Seed, r.Rerun)
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// reseal writes g and its matrices back with every hash made right again, as a careful forger would: only the rules
// about content are left to notice.
func reseal(t *testing.T, files fstest.MapFS, g *Golden) {
	t.Helper()
	var err error
	if g.Provenance.RecipeSHA256, err = g.Config.SHA256(); err != nil {
		t.Fatal(err)
	}
	err = g.blobs(func(_ string, r *Run, b *Blob) error {
		data, err := encodeBlob(b.Tensors, g.Provenance.RecipeSHA256, r.Seed, r.Rerun)
		if err != nil {
			return err
		}
		b.SHA256, b.Bytes = hexSHA256(data), int64(len(data))
		files[b.File] = &fstest.MapFile{Data: data}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n, err := g.tree()
	if err != nil {
		t.Fatal(err)
	}
	g.SHA256 = sealOf(n)
	n.get("sha256").text = g.SHA256
	files[g.ID+".json"] = &fstest.MapFile{Data: pretty(nil, n, "")}
}

// refusal returns the error of a rule in a report, or nil.
func refusal(r Report, rule string) *Error {
	for _, f := range r.Files {
		for _, o := range f.Outcomes {
			if o.Rule == rule && o.State == Fail {
				return o.Err
			}
		}
	}
	return nil
}

// entry returns the tensor of a run's snapshots (or segment) at a step.
func entry(g *Golden, run int, segment bool, step int, name string) *Tensor {
	b := g.Runs[run].Snapshots
	if segment {
		b = g.Runs[run].Segment
	}
	t := b.at(step, name)
	if t == nil {
		panic("no " + name)
	}
	return t
}

func scale(t *Tensor, by float64) {
	for i := range t.Data {
		t.Data[i] *= by
	}
}

// recipe returns the fields of a golden's config.
func recipe(g *Golden) map[string]any {
	text, err := g.Config.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		panic(err)
	}
	return m
}

func setRecipe(g *Golden, m map[string]any) {
	c, err := NewConfig(m)
	if err != nil {
		panic(err)
	}
	g.Config = c
}

// A mutation changes a golden; then every hash is made right again, and a rule about content must refuse it.
var resealed = []struct {
	name   string
	id     string
	mutate func(g *Golden)
	rule   string
	field  string // in the refusal
}{
	{"one entry of W_p flipped in a snapshot of DirectPred", directID,
		func(g *Golden) { d := entry(g, 1, false, 200, TensorWp).Data; d[8] = -d[8] }, ruleDirectPred, "runs[1].snapshots"},
	{"one entry of W_p flipped in a segment of DirectPred", directID,
		func(g *Golden) { d := entry(g, 1, true, 210, TensorWp).Data; d[1] = -d[1] }, ruleDirectPred, "runs[1].segment"},
	{"one entry of W_p flipped where the slide formula is set every third step", slideID,
		func(g *Golden) { d := entry(g, 1, true, 211, TensorWp).Data; d[8] = -d[8] }, ruleDirectPred, "runs[1].segment"},
	{"one entry of W_p flipped in a segment of SGD", simsiamID,
		func(g *Golden) { d := entry(g, 1, true, 210, TensorWp).Data; d[8] = -d[8] }, ruleReplay, "runs[1].segment"},
	{"one entry of W_p flipped in a snapshot of SGD", simsiamID,
		func(g *Golden) { d := entry(g, 1, false, 200, TensorWp).Data; d[8] = -d[8] }, ruleSpectra, "runs[1].series[3]"},
	{"eigenvectors of W_p permuted", directID, func(g *Golden) {
		w := entry(g, 0, false, 300, TensorWp)
		for i := range w.Rows {
			w.Data[i*w.Cols], w.Data[i*w.Cols+1] = w.Data[i*w.Cols+1], w.Data[i*w.Cols]
		}
	}, ruleDirectPred, "runs[0].snapshots"},
	{"another ε claimed", directID, func(g *Golden) {
		m := recipe(g)
		m["direct"].(map[string]any)["epsilon"] = 0.11
		setRecipe(g, m)
	}, ruleDirectPred, "runs[0].snapshots"},
	{"another ρ claimed", directID, func(g *Golden) {
		m := recipe(g)
		m["direct"].(map[string]any)["rho"] = 0.31
		setRecipe(g, m)
	}, ruleEMA, "runs[0].segment"},
	{"the other formula claimed", directID, func(g *Golden) {
		m := recipe(g)
		m["direct"].(map[string]any)["formula"] = FormulaSlide
		setRecipe(g, m)
	}, ruleDirectPred, "runs[0].snapshots"},
	{"another power claimed", directID, func(g *Golden) {
		m := recipe(g)
		m["method"] = MethodDirectCopy
		setRecipe(g, m)
	}, ruleDirectPred, "runs[0].snapshots"},
	{"another thinning claimed", slideID, func(g *Golden) {
		m := recipe(g)
		m["direct"].(map[string]any)["freq"] = 1.0
		setRecipe(g, m)
	}, ruleDirectPred, "runs[0].snapshots"},
	{"seeds of two runs exchanged", directID, func(g *Golden) {
		a, b := &g.Runs[1], &g.Runs[2]
		a.Seed, b.Seed = b.Seed, a.Seed
		g.Runs[1], g.Runs[2] = g.Runs[2], g.Runs[1]
	}, ruleClaims, "claims[0].values[1]"},
	{"F scaled in a snapshot", directID, func(g *Golden) { scale(entry(g, 0, false, 200, TensorF), 1.01) }, ruleSpectra, "runs[0].series[3].spec_F[0]"},
	{"F̂ scaled in a snapshot", directID, func(g *Golden) { scale(entry(g, 0, false, 200, TensorFHat), 1.01) }, ruleSpectra, "runs[0].series[3].spec_Fhat[0]"},
	{"F̂ scaled at one step of a segment", directID, func(g *Golden) { scale(entry(g, 0, true, 210, TensorFHat), 1.001) }, ruleEMA, "runs[0].segment"},
	{"a batch moment scaled in a segment of DirectPred", directID, func(g *Golden) { scale(entry(g, 4, true, 210, TensorFBat), 1.001) }, ruleEMA, "runs[4].segment"},
	{"a batch moment scaled in a segment of SGD", simsiamID, func(g *Golden) { scale(entry(g, 4, true, 210, TensorFBat), 1.05) }, ruleReplay, "runs[4].segment"},
	{"all batch moments scaled in a segment of SGD", simsiamID, func(g *Golden) {
		for step := segmentFrom; step <= segmentTo; step++ {
			scale(entry(g, 4, true, step, TensorFBat), 1.002)
		}
	}, ruleReplay, "runs[4].segment"},
	{"C transposed in a segment", simsiamID, func(g *Golden) {
		c := entry(g, 0, true, 205, TensorC)
		m := c.dense().T()
		out := make([]float64, 0, len(c.Data))
		for i := range c.Rows {
			for j := range c.Cols {
				out = append(out, m.At(i, j))
			}
		}
		c.Data = out
	}, ruleReplay, "runs[0].segment"},
	{"another α_p claimed", simsiamID, func(g *Golden) {
		m := recipe(g)
		m["predictor"].(map[string]any)["rate_ratio"] = 2.01
		setRecipe(g, m)
	}, ruleReplay, "runs[0].segment"},
	{"decay of the predictor doubled", simsiamID, func(g *Golden) {
		m := recipe(g)
		m["optimizer"].(map[string]any)["predictor_decay"] = DecayTorch
		setRecipe(g, m)
	}, ruleReplay, "runs[0].segment"},
	{"a step of a segment left out", simsiamID, func(g *Golden) {
		b := g.Runs[0].Segment
		b.Tensors = slices.DeleteFunc(b.Tensors, func(t Tensor) bool { return t.Step == 210 })
		for i := range b.Tensors {
			if b.Tensors[i].Step > 210 {
				b.Tensors[i].Step--
			}
		}
	}, ruleReplay, "runs[0].segment"},
	{"method of DirectPred relabelled", directID, func(g *Golden) {
		m := recipe(g)
		m["method"] = "simsiam"
		setRecipe(g, m)
	}, ruleRecipe, "config.direct"},
	{"method of SGD relabelled", simsiamID, func(g *Golden) {
		m := recipe(g)
		m["method"] = MethodDirectPred
		setRecipe(g, m)
	}, ruleRecipe, "config.direct"},
	{"whole recipe of DirectPred replaced by SGD's", directID, func(g *Golden) {
		m := recipe(g)
		m["method"] = "simsiam"
		delete(m, "direct")
		setRecipe(g, m)
	}, ruleDirectPred, "runs[0].snapshots"},
	{"whole recipe of SGD replaced by DirectPred's", simsiamID, func(g *Golden) {
		m := recipe(g)
		m["method"], m["direct"] = MethodDirectPred, map[string]any{"formula": FormulaCode, "moment": MomentSame, "rho": 0.3, "epsilon": 0.1, "freq": 1}
		setRecipe(g, m)
	}, ruleKept, "rules["},
	{"total decay altered", directID, func(g *Golden) {
		for i := range g.Config.tree.get("derived").members {
			g.Config.tree.get("derived").members[i].value.number *= 2
		}
	}, ruleRecipe, "config.derived.eta_t"},
	{"learning rate altered, total decay not", directID, func(g *Golden) {
		g.Config.find(KeyLR).number *= 2
	}, ruleRecipe, "config.derived.eta_t"},
	{"a run deleted", directID, func(g *Golden) { g.Runs = g.Runs[:4] }, ruleRuns, "runs"},
	{"a run deleted from an informative golden", directID, func(g *Golden) { g.Runs, g.Status = g.Runs[1:], Informative }, ruleBands, "bands.asym"},
	{"a run repeated", directID, func(g *Golden) { g.Runs = append(g.Runs, g.Runs[4]) }, ruleRuns, "runs[5]"},
	{"a rerun deleted", simsiamID, func(g *Golden) { g.Runs = slices.Delete(g.Runs, 1, 2) }, ruleBands, "bands.asym.reruns"},
	{"runs out of order", directID, func(g *Golden) { g.Runs[0], g.Runs[1] = g.Runs[1], g.Runs[0] }, ruleRuns, "runs[1]"},
	{"a rerun passed off as a seed", simsiamID, func(g *Golden) {
		r := g.Runs[1]
		r.Seed, r.Rerun = 9, 0
		g.Runs = append(slices.Delete(g.Runs, 1, 2), r)
	}, ruleBands, "bands.asym"},
	{"a final metric altered", directID, func(g *Golden) { g.Runs[0].Final["er"] *= 1.0001 }, ruleRuns, "runs[0].final.er"},
	{"a final metric altered, and the series", directID, func(g *Golden) {
		g.Runs[0].Final["er"] *= 1.0001
		g.Runs[0].Series[len(g.Runs[0].Series)-1].Values["er"] *= 1.0001
	}, ruleBands, "bands.er.mean"},
	{"a logged rank altered", directID, func(g *Golden) { g.Runs[0].Series[2].Values["er"] *= 1.01 }, ruleSpectra, "runs[0].series[2].er"},
	{"a logged centred rank altered", directID, func(g *Golden) { g.Runs[0].Series[2].Values["er_centered"] *= 1.01 }, ruleSpectra, "runs[0].series[2].er_centered"},
	{"a logged asymmetry altered", simsiamID, func(g *Golden) { g.Runs[0].Series[2].Values["asym"] += 0.01 }, ruleSpectra, "runs[0].series[2].asym"},
	{"a logged commutator altered", simsiamID, func(g *Golden) { g.Runs[0].Series[2].Values["comm"] += 0.01 }, ruleSpectra, "runs[0].series[2].comm"},
	{"a logged cosine altered", simsiamID, func(g *Golden) { g.Runs[0].Series[2].Values["cos_top8"] -= 0.01 }, ruleSpectra, "runs[0].series[2].cos_top8"},
	{"a logged imbalance altered", simsiamID, func(g *Golden) { g.Runs[0].Series[2].Values["bal"] *= 1.01 }, ruleSpectra, "runs[0].series[2].bal"},
	{"a logged predictor gain altered", simsiamID, func(g *Golden) { g.Runs[0].Series[2].Spectra["p_diag"][3] += 0.01 }, ruleSpectra, "runs[0].series[2].p_diag[3]"},
	{"a spectrum shortened", simsiamID, func(g *Golden) {
		s := g.Runs[0].Series[2].Spectra
		s["spec_F"] = s["spec_F"][:3]
	}, ruleSpectra, "runs[0].series[2].spec_F"},
	{"a logged zstd altered", directID, func(g *Golden) { g.Runs[0].Series[2].Values["zstd"] += 0.01 }, ruleTrace, "runs[0].series[2].zstd"},
	{"E[ẑẑᵀ] scaled", directID, func(g *Golden) { scale(entry(g, 0, false, 100, TensorZ), 1.01) }, ruleTrace, "runs[0].snapshots"},
	{"E[ẑ] scaled beyond its variance", directID, func(g *Golden) { scale(entry(g, 0, false, 100, TensorZMean), 40) }, ruleTrace, "runs[0].snapshots"},
	{"an off-diagonal entry of F altered", directID, func(g *Golden) { entry(g, 0, false, 100, TensorF).Data[1] *= 1.01 }, ruleMoments, "runs[0].snapshots"},
	{"a moment made indefinite", directID, func(g *Golden) {
		f := entry(g, 0, true, 210, TensorFBat)
		for i := range f.Rows {
			f.Data[i*f.Cols+i] -= 2
		}
	}, ruleMoments, "runs[0].segment"},
	{"W_L scaled at one step", simsiamID, func(g *Golden) { scale(entry(g, 0, false, 100, TensorWL), 1.02) }, ruleBalance, "runs[0].snapshots"},
	{"the bias of the projector left out", simsiamID, func(g *Golden) {
		for i := range g.Runs {
			b := g.Runs[i].Snapshots
			b.Tensors = slices.DeleteFunc(b.Tensors, func(t Tensor) bool { return t.Name == TensorBias })
		}
	}, ruleBalance, "runs[0].snapshots"},
	{"decay of both networks doubled in the recipe", simsiamID, func(g *Golden) {
		m := recipe(g)
		m["optimizer"].(map[string]any)["wd"] = 0.2
		setRecipe(g, m)
	}, ruleBalance, "runs[0].snapshots"},
	{"the segments dropped", simsiamID, func(g *Golden) {
		for i := range g.Runs {
			g.Runs[i].Segment = nil
		}
	}, ruleKept, "rules["},
	{"the claims dropped", simsiamID, func(g *Golden) { g.Claims = nil }, ruleKept, "rules["},
	{"an unknown rule listed", simsiamID, func(g *Golden) { g.Rules = append(g.Rules, "magic") }, ruleKept, "rules["},
	{"a verdict reversed", directID, func(g *Golden) { g.Claims[0].Pass = !g.Claims[0].Pass }, ruleClaims, "claims[0].pass"},
	{"a paired difference altered", directID, func(g *Golden) { g.Claims[0].Values[2] += 1e-9 }, ruleClaims, "claims[0].values[2]"},
	{"a claim's mean altered", directID, func(g *Golden) { g.Claims[0].Mean *= 1.001 }, ruleClaims, "claims[0].mean"},
	{"a standard error altered", directID, func(g *Golden) { g.Claims[0].SE *= 0.9 }, ruleClaims, "claims[0].se"},
	{"a claim paired with a golden that is not there", directID, func(g *Golden) { g.Claims[0].Other = "mini.absent" }, ruleClaims, "claims[0].other"},
	{"a claim paired with another golden", directID, func(g *Golden) { g.Claims[0].Other = slideID }, ruleClaims, "claims[0].other_sha256"},
	{"a gate moved past a value", simsiamID, func(g *Golden) {
		b := g.Runs[0].Final["comm"] // "<" does not hold for it
		if !g.Claims[0].Pass {
			b = 10
		}
		g.Claims[0].Bound = &b
	}, ruleClaims, "claims[0].pass"},
	{"a band's mean altered", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.Mean *= 1.001 }) }, ruleBands, "bands.er.mean"},
	{"a band widened", directID, func(g *Golden) { changeBand(g, func(b *Band) { *b.Lo -= 0.01 }) }, ruleBands, "bands.er.lo"},
	{"a band's upper end raised", directID, func(g *Golden) { changeBand(g, func(b *Band) { *b.Hi += 1e-9 }) }, ruleBands, "bands.er.hi"},
	{"a band opened", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.Lo = nil }) }, ruleBands, "bands.er.lo"},
	{"a band of another rule", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.Rule = Lower }) }, ruleBands, "bands.er.k"},
	{"a band of no rule", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.Rule = "loose" }) }, ruleBands, "bands.er.rule"},
	{"a larger tolerance factor", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.K *= 1.01 }) }, ruleBands, "bands.er.k"},
	{"more seeds claimed", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.N++ }) }, ruleBands, "bands.er.n"},
	{"a larger standard deviation", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.SD *= 2 }) }, ruleBands, "bands.er.sd"},
	{"a larger seed spread", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.SDSeed *= 2 }) }, ruleBands, "bands.er.sd_seed"},
	{"a rerun spread out of nothing", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.SDRerun = 1 }) }, ruleBands, "bands.er.sd_rerun"},
	{"a larger floor", directID, func(g *Golden) { changeBand(g, func(b *Band) { b.Floor *= 2 }) }, ruleBands, "bands.er.floor"},
	{"a band of a metric no run has", directID, func(g *Golden) { g.Bands["knn"] = g.Bands["er"] }, ruleBands, "final.knn"},
	{"all bands dropped", directID, func(g *Golden) { g.Bands = nil }, ruleBands, "bands"},
	{"an impossible metric", directID, func(g *Golden) { g.Runs[0].Final["asym"] = 2.1 }, ruleRuns, "runs[0].final.asym"},
	{"an impossible logged metric", directID, func(g *Golden) { g.Runs[0].Series[1].Values["er"] = 0.5 }, ruleRuns, "runs[0].series[1].er"},
	{"a metric missing in one run", directID, func(g *Golden) { delete(g.Runs[2].Final, "er") }, ruleRuns, "runs[2].final"},
	{"a series out of order", directID, func(g *Golden) { g.Runs[0].Series[2].Step = 1 }, ruleRuns, "runs[0].series[2].step"},
	{"a series beyond the run", directID, func(g *Golden) { g.Runs[0].Series[4].Step = 301 }, ruleRuns, "runs[0].series[4].step"},
	{"a tensor twice", directID, func(g *Golden) {
		b := g.Runs[0].Snapshots
		b.Tensors = append(b.Tensors, b.Tensors[0])
	}, ruleRuns, "runs[0].snapshots"},
	{"the seal of nothing", directID, func(g *Golden) { g.Kind = ParityKind }, ruleRuns, "kind"},
	{"a path on a machine", directID, func(g *Golden) { g.Provenance.Command = "/home/someone/stopgrad record" }, ruleProvenance, "provenance.command"},
	{"a path inside the config", directID, func(g *Golden) {
		m := recipe(g)
		m["data"] = map[string]any{"folder": `C:\images`}
		setRecipe(g, m)
	}, ruleProvenance, "config.data.folder"},
	{"no engine", directID, func(g *Golden) { g.Provenance.Engine.Name = " " }, ruleProvenance, "provenance.engine.name"},
	{"an unknown precision", directID, func(g *Golden) { g.Provenance.Engine.Precision = "fp8" }, ruleProvenance, "provenance.engine.precision"},
	{"a commit that is none", directID, func(g *Golden) { g.Provenance.GitCommit = "HEAD" }, ruleProvenance, "provenance.git_commit"},
	{"a clean tree without commits", directID, func(g *Golden) { g.Provenance.GitCommit = "none" }, ruleProvenance, "provenance.dirty"},
	{"no data", directID, func(g *Golden) { g.Provenance.Data = nil }, ruleProvenance, "provenance.data"},
	{"data without hash", directID, func(g *Golden) { g.Provenance.Data.SHA256 = "" }, ruleProvenance, "provenance.data.sha256"},
	{"a local time", directID, func(g *Golden) { g.Created = "2026-01-02T03:04:05+02:00" }, ruleProvenance, "created"},
	{"a status of its own", directID, func(g *Golden) { g.Status = "approved" }, ruleProvenance, "status"},
	{"replaced without a reason", directID, func(g *Golden) { g.Supersedes = &Supersedes{FileSHA256: g.SHA256} }, ruleProvenance, "supersedes.reason"},
	{"kernels outside the project", directID, func(g *Golden) { g.Provenance.Kernels = []string{"../x"} }, ruleProvenance, "provenance.kernels[0]"},
	{"a witness that is no counterexample", witnessID, func(g *Golden) { g.Counterexample.Witness["p"] = "1/100" }, ruleCounterexample, "counterexample.witness"},
	{"a witness not in lowest terms", witnessID, func(g *Golden) { g.Counterexample.Witness["p"] = "2/4" }, ruleCounterexample, "counterexample.witness.p"},
	{"a witness in decimals", witnessID, func(g *Golden) { g.Counterexample.Witness["p"] = "0.5" }, ruleCounterexample, "counterexample.witness.p"},
	{"a witness without a symbol", witnessID, func(g *Golden) { delete(g.Counterexample.Witness, "s") }, ruleCounterexample, "counterexample.witness"},
	{"another residual", witnessID, func(g *Golden) { g.Counterexample.Residual = "1/3" }, ruleCounterexample, "counterexample.witness"},
	{"no residual", witnessID, func(g *Golden) { g.Counterexample.Residual = "0" }, ruleCounterexample, "counterexample.residual"},
	{"another claim", witnessID, func(g *Golden) { g.Counterexample.Claim = "thm1" }, ruleCounterexample, "counterexample.witness"},
	{"a search without evaluations", witnessID, func(g *Golden) { g.Counterexample.Found.Evaluations = 0 }, ruleCounterexample, "counterexample.found.evaluations"},
	{"a parity value altered", parityID, func(g *Golden) { g.Parity.Values["loss"] *= 1 + 1e-8 }, ruleParity, "parity.values.loss"},
	{"a parity value nobody computes", parityID, func(g *Golden) { g.Parity.Values["gain"] = 1 }, ruleParity, "parity.values.gain"},
	{"a parity value dropped", parityID, func(g *Golden) { delete(g.Parity.Values, "s_max") }, ruleParity, "parity.values.s_max"},
	{"a parity value beyond its own bound", parityID, func(g *Golden) { g.Parity.Values["s_max"] *= 1 + 2e-6 }, ruleParity, "parity.values.s_max"},
	{"parity of another seed", parityID, func(g *Golden) { g.Parity.Seed++ }, ruleParity, "parity"},
	{"parity of other inputs", parityID, func(g *Golden) { g.Parity.InputSHA256 = hexSHA256(nil) }, ruleParity, "parity"},
	{"a timing of no program", parityID, func(g *Golden) { g.Parity.Timings[0].Program = " " }, ruleTimings, "timings[0].program"},
	{"a timing of no version", parityID, func(g *Golden) { g.Parity.Timings[0].Version = "" }, ruleTimings, "timings[0].version"},
	{"a timing of another device", parityID, func(g *Golden) { g.Parity.Timings[1].Device = "NVIDIA H200" }, ruleTimings, "timings[1].device"},
	{"a golden of another device than its timings", parityID, func(g *Golden) { g.Provenance.Device.Name = "NVIDIA H200" }, ruleTimings, "timings[0].device"},
	{"a timing in no precision", parityID, func(g *Golden) { g.Parity.Timings[0].Precision = "fp8" }, ruleTimings, "timings[0].precision"},
	{"a timing of no batch", parityID, func(g *Golden) { g.Parity.Timings[0].Batch = 0 }, ruleTimings, "timings[0].batch"},
	{"a timing of no step", parityID, func(g *Golden) { g.Parity.Timings[0].Steps = 0 }, ruleTimings, "timings[0].steps"},
	{"a time of nothing", parityID, func(g *Golden) { g.Parity.Timings[0].MedianMS, g.Parity.Timings[0].MinMS = 0, 0 }, ruleTimings, "timings[0].ms_median"},
	{"a negative time", parityID, func(g *Golden) { g.Parity.Timings[0].MinMS = -1 }, ruleTimings, "timings[0].ms_min"},
	{"a median below the minimum", parityID, func(g *Golden) {
		t := &g.Parity.Timings[0]
		t.MedianMS, t.ImagesPerS = 0.2, 40000
	}, ruleTimings, "timings[0].ms_median"},
	{"images a second of another batch", parityID, func(g *Golden) { g.Parity.Timings[0].Batch = 16 }, ruleTimings, "timings[0].images_per_s"},
	{"images a second improved", parityID, func(g *Golden) { g.Parity.Timings[0].ImagesPerS *= 1.001 }, ruleTimings, "timings[0].images_per_s"},
	{"a timing twice", parityID, func(g *Golden) { g.Parity.Timings[1].Precision = FP64 }, ruleTimings, "timings[1]"},
	{"timings dropped", parityID, func(g *Golden) { g.Parity.Timings = nil }, ruleKept, "rules"},
	{"a GPU without a driver", parityID, onGPU(func(p *Provenance) { p.Device.Driver = "" }), ruleProvenance, "provenance.device.driver"},
	{"a GPU of an unknown driver", parityID, onGPU(func(p *Provenance) { p.Device.Driver = Unknown }), ruleProvenance, "provenance.device.driver"},
	{"a GPU without a plugin", parityID, onGPU(func(p *Provenance) { p.Engine.Plugin = "" }), ruleProvenance, "provenance.engine.plugin"},
	{"a GPU of unknown capability", parityID, onGPU(func(p *Provenance) { p.Device.SM = Unknown }), ruleProvenance, "provenance.device.sm"},
	{"a GPU by name alone", parityID, onGPU(func(p *Provenance) {
		p.Engine.Platform, p.Engine.Plugin, p.Device = "", "", Device{Name: p.Device.Name}
	}), ruleProvenance, "provenance.engine.platform"},
	{"a processor passed off as a GPU", parityID, onGPU(func(p *Provenance) { p.Engine.Platform = "cpu" }), ruleProvenance, "provenance.engine.platform"},
	{"a GPU passed off as a processor", parityID, onGPU(func(p *Provenance) { p.Engine.Name = "xla-cpu" }), ruleProvenance, "provenance.engine.platform"},
	{"a processor with a compute capability", parityID, onGPU(func(p *Provenance) { p.Engine.Name, p.Engine.Platform = "xla-cpu", "cpu" }), ruleProvenance, "provenance.device"},
}

// onGPU describes a golden as one of a GPU and then spoils the description.
func onGPU(spoil func(*Provenance)) func(*Golden) {
	return func(g *Golden) {
		asGPU(g)
		spoil(&g.Provenance)
	}
}

// asGPU gives a golden the provenance of a GPU, its timings included.
func asGPU(g *Golden) {
	p := &g.Provenance
	p.Engine.Name, p.Engine.Platform, p.Engine.Plugin = "gpu", "cuda", "jax-cuda13-pjrt@0.9.0"
	p.Device.SM, p.Device.Driver, p.Device.CUDA, p.Device.CUDNN = "9.0", "580.65.06", "13.0", Unknown
}

// TestProvenanceOfAGPU: what the mutants spoil is accepted unspoiled, so are XLA on a processor and an engine in Go.
func TestProvenanceOfAGPU(t *testing.T) {
	for name, describe := range map[string]func(*Golden){
		"a GPU":              asGPU,
		"XLA on a processor": func(g *Golden) { e := &g.Provenance.Engine; e.Name, e.Platform, e.Plugin = "xla-cpu", "cpu", "p@1" },
		"an engine in Go":    func(*Golden) {},
	} {
		g := load(t, fixtures(t), parityID)
		describe(g)
		if o := checkProvenance(&Subject{Golden: g, File: parityID + ".json"}); o.State != Pass {
			t.Errorf("%s: %s: %s", name, o.State, o.Detail)
		}
	}
}

func changeBand(g *Golden, change func(*Band)) {
	b := g.Bands["er"]
	lo, hi := *b.Lo, *b.Hi
	b.Lo, b.Hi = &lo, &hi
	change(&b)
	g.Bands["er"] = b
}

func TestContentRulesRefuseAForgerWhoFixesEveryHash(t *testing.T) {
	covered := map[string]bool{}
	for _, m := range resealed {
		covered[m.rule] = true
		t.Run(m.name, func(t *testing.T) {
			files := fixtures(t)
			g := load(t, files, m.id)
			m.mutate(g)
			reseal(t, files, g)
			for name := range files {
				// Of the goldens it is paired with only the numbers matter; the others do not.
				if !strings.HasPrefix(name, m.id+".") && (m.id != directID || path.Ext(name) == ".bin") {
					delete(files, name)
				}
			}
			v := fixtureVerifier()
			v.Sources = nil
			report, _ := v.VerifyDir(t.Context(), files, nil)
			report.Files = slices.DeleteFunc(report.Files, func(f FileReport) bool { return f.ID != m.id })
			err := report.Err()
			if err == nil {
				t.Fatal("accepted")
			}
			e := refusal(report, m.rule)
			if e == nil {
				t.Fatalf("not refused by rule %s, but: %v", m.rule, err)
			}
			if e.File != m.id+".json" || !strings.Contains(e.Field, m.field) {
				t.Errorf("refused in %s at %q, want %s at %q", e.File, e.Field, m.id+".json", m.field)
			}
			for _, part := range []string{e.File, "rule " + m.rule, e.Field} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the message does not say %q: %v", part, err)
				}
			}
		})
	}
	for _, r := range Rules() {
		// form, seal and files are about bytes and hashes: see the next tests. A stale golden is not refused.
		if !covered[r.Name] && !slices.Contains([]string{ruleForm, ruleSeal, ruleFiles, ruleStale}, r.Name) {
			t.Errorf("no mutation shows that rule %s can fail", r.Name)
		}
	}
}

// Changes to bytes, without any hash made right again.
func TestEditedFilesAreRefused(t *testing.T) {
	blob := func(files fstest.MapFS, id string, run int) string {
		return load(t, files, id).Runs[run].Snapshots.File
	}
	edit := func(files fstest.MapFS, name, old, new string) {
		text := string(files[name].Data)
		if !strings.Contains(text, old) {
			t.Fatalf("%s does not contain %q", name, old)
		}
		files[name].Data = []byte(strings.Replace(text, old, new, 1))
	}
	jsonName := directID + ".json"
	for _, c := range []struct {
		name string
		edit func(files fstest.MapFS) (file string)
		rule string
	}{
		{"truncated golden", func(files fstest.MapFS) string {
			files[jsonName].Data = files[jsonName].Data[:len(files[jsonName].Data)/2]
			return jsonName
		}, ruleForm},
		{"empty golden", func(files fstest.MapFS) string { files[jsonName].Data = nil; return jsonName }, ruleForm},
		{"two goldens in one file", func(files fstest.MapFS) string {
			files[jsonName].Data = append(files[jsonName].Data, files[jsonName].Data...)
			return jsonName
		}, ruleForm},
		{"golden of another id under its name", func(files fstest.MapFS) string {
			files[jsonName] = files[slideID+".json"]
			return slideID + ".json"
		}, ruleForm},
		{"renamed golden", func(files fstest.MapFS) string {
			files["better.json"] = files[jsonName]
			delete(files, jsonName)
			return "better.json"
		}, ruleFiles},
		{"method label", func(files fstest.MapFS) string {
			edit(files, jsonName, `"method": "directpred"`, `"method": "directcopy"`)
			return jsonName
		}, ruleSeal},
		{"recipe alone", func(files fstest.MapFS) string {
			edit(files, jsonName, `"epsilon": 0.1`, `"epsilon": 0.2`)
			return jsonName
		}, ruleRecipe},
		{"reason slipped in", func(files fstest.MapFS) string {
			edit(files, jsonName, `"supersedes": null`, `"supersedes": {"file_sha256":"`+strings.Repeat("0", 64)+`","reason":"x"}`)
			return jsonName
		}, ruleSeal},
		{"band", func(files fstest.MapFS) string { edit(files, jsonName, `"reruns": 0`, `"reruns": 1`); return jsonName }, ruleSeal},
		{"truncated matrices", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			files[name].Data = files[name].Data[:len(files[name].Data)-1]
			return name
		}, ruleFiles},
		{"longer matrices", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			files[name].Data = append(files[name].Data, 0)
			return name
		}, ruleFiles},
		{"missing matrices", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			delete(files, name)
			return name
		}, ruleFiles},
		{"one bit of a matrix", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			files[name].Data[blobHeader+100] ^= 1
			return name
		}, ruleFiles},
		{"NaN in a matrix", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			copy(files[name].Data[blobHeader+100:], []byte{0, 0, 0xc0, 0x7f})
			return name
		}, ruleFiles},
		{"matrices of two seeds exchanged", func(files fstest.MapFS) string {
			a, b := blob(files, directID, 0), blob(files, directID, 1)
			files[a], files[b] = files[b], files[a]
			return a
		}, ruleFiles},
		{"matrices of another recipe", func(files fstest.MapFS) string {
			a := blob(files, directID, 0)
			files[a] = files[blob(files, slideID, 0)]
			return a
		}, ruleFiles},
		{"something else for matrices", func(files fstest.MapFS) string {
			name := blob(files, directID, 0)
			files[name].Data[0]++
			return name
		}, ruleFiles},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := fixtures(t)
			file := c.edit(files)
			report, err := fixtureVerifier().VerifyDir(t.Context(), files, nil)
			if err == nil {
				t.Fatal("accepted")
			}
			e := refusal(report, c.rule)
			if e == nil || e.File != file {
				t.Fatalf("not refused by rule %s in %s, but: %v", c.rule, file, err)
			}
			if !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "rule "+c.rule) {
				t.Errorf("the message does not name file and rule: %v", err)
			}
		})
	}
}

// Every edit of one digit anywhere in a golden must be refused; 120 places are drawn.
func TestSealRefusesEveryEditedDigit(t *testing.T) {
	all := fixtures(t)
	name := simsiamID + ".json"
	text := all[name].Data
	files := fstest.MapFS{name: all[name]}
	rng := rand.New(rand.NewPCG(3, 0))
	tried := 0
	for tried < 120 {
		i := rng.IntN(len(text))
		if !isDigit(text[i]) {
			continue
		}
		tried++
		edited := slices.Clone(text)
		edited[i] = '0' + (edited[i]-'0'+1+byte(rng.IntN(9)))%10
		g, err := Decode(edited)
		if err == nil {
			// The seal alone, so that the matrices need not be read 120 times.
			o := checkSeal(&Subject{Context: t.Context(), File: name, Golden: g, verifier: new(Verifier)})
			if o.State != Fail {
				t.Errorf("byte %d changed from %q to %q in …%s…: accepted", i, text[i], edited[i], edited[max(0, i-20):i+20])
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Rule != ruleForm {
			t.Errorf("refused with %v", err)
		}
	}
	if _, err := Verify(files); err == nil {
		t.Error("a golden without its matrices was accepted")
	}
}

func TestAStaleGoldenIsReportedAndNotRefused(t *testing.T) {
	files := fixtures(t)
	v := fixtureVerifier()
	changed := fstest.MapFS{"golden/kernel.go": {Data: []byte("package golden\n")}}
	for _, c := range []struct {
		sources fs.FS
		state   State
		detail  string
	}{
		{os.DirFS(".."), Pass, "unchanged"},
		{changed, Warn, "older kernels"},
		{fstest.MapFS{}, Warn, "older kernels"},
		{nil, Unchecked, "not at hand"},
	} {
		v.Sources = c.sources
		report, err := v.VerifyDir(t.Context(), files, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range report.Files {
			o := f.Outcomes[len(f.Outcomes)-1]
			if o.Rule != ruleStale || o.State != c.state || !strings.Contains(o.Detail, c.detail) {
				t.Errorf("%s: %s is %s (%s), want %s", f.File, o.Rule, o.State, o.Detail, c.state)
			}
		}
	}
}

func TestWhatCannotBeCheckedHereIsNotCalledAPass(t *testing.T) {
	report, err := Verify(fixtures(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Files {
		for _, o := range f.Outcomes {
			if (o.Rule == ruleCounterexample || o.Rule == ruleParity || o.Rule == ruleStale) && o.State != Unchecked {
				t.Errorf("%s: rule %s is %s without a callback", f.File, o.Rule, o.State)
			}
		}
	}
}

func TestRulesOfOtherPackagesRunAndRefuse(t *testing.T) {
	v := fixtureVerifier()
	v.Extra = []Rule{{Name: "odd-seeds", Kinds: []Kind{Statistics}, Check: func(s *Subject) Outcome {
		if len(s.Golden.Runs)%2 == 1 {
			return Failed(errors.New("an odd number of runs"))
		}
		return Passed("%d runs", len(s.Golden.Runs))
	}}}
	report, err := v.VerifyDir(t.Context(), fixtures(t), nil)
	e := refusal(report, "odd-seeds")
	if err == nil || e == nil || e.File != directID+".json" {
		t.Errorf("extra rule gave %v", err)
	}
}

func TestCancelledVerificationReturnsItsReason(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := 0
	_, err := fixtureVerifier().VerifyDir(ctx, fixtures(t), func(Progress) { done++; cancel() })
	if !errors.Is(err, context.Canceled) || done != 1 {
		t.Errorf("after %d files: %v", done, err)
	}
}

func TestStrayFilesAreListed(t *testing.T) {
	files := fixtures(t)
	files["old.s0.bin"] = &fstest.MapFile{Data: []byte("x")}
	files["README.md"] = &fstest.MapFile{Data: []byte("x")}
	files["deeper/notes.txt"] = &fstest.MapFile{Data: []byte("x")}
	report, err := fixtureVerifier().VerifyDir(t.Context(), files, nil)
	if want := []string{"deeper/notes.txt", "old.s0.bin"}; err != nil || !slices.Equal(report.Strays, want) {
		t.Errorf("strays %v (%v), want %v", report.Strays, err, want)
	}
}

func TestGoldensMayLieInFolders(t *testing.T) {
	files := fixtures(t)
	deep := fstest.MapFS{}
	for name, f := range files {
		deep["t1/"+name] = f
	}
	report, err := fixtureVerifier().VerifyDir(t.Context(), deep, nil)
	if err != nil || len(report.Files) != 5 || path.Dir(report.Files[0].File) != "t1" {
		t.Errorf("%d files: %v", len(report.Files), err)
	}
}

func BenchmarkVerify(b *testing.B) {
	files := fixtures(b)
	size := 0
	for _, f := range files {
		size += len(f.Data)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		if _, err := fixtureVerifier().VerifyDir(b.Context(), files, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOnlyRegularFilesAreRead: a pipe or a device may have no end.
func TestOnlyRegularFilesAreRead(t *testing.T) {
	whole := fixtures(t)
	for name, mode := range map[string]fs.FileMode{"a pipe": fs.ModeNamedPipe, "a device": fs.ModeDevice | fs.ModeCharDevice} {
		for file := range whole {
			files := fstest.MapFS{}
			maps.Copy(files, whole)
			files[file] = &fstest.MapFile{Data: whole[file].Data, Mode: mode}
			if _, err := fixtureVerifier().VerifyDir(t.Context(), files, nil); err == nil || !strings.Contains(err.Error(), "no regular file") {
				t.Errorf("%s in place of %s: %v", name, file, err)
			}
		}
	}
}

// TestTextsThatATerminalObeysAreRefused: what a golden says is printed beside what is found of it.
func TestTextsThatATerminalObeysAreRefused(t *testing.T) {
	for _, text := range []string{"\x1b[2Jall rules hold", "a\rb", "a\nb", "a\u202eb", "a\u009b2Kb", "a\x00"} {
		g := statisticsFixture(t, "fixture.simsiam")
		g.Claims, g.Provenance.Device.Name = nil, text
		_, err := RecordFile(t.Context(), t.TempDir(), g, RecordOptions{AllowDirty: true})
		if err == nil || !strings.Contains(err.Error(), "not printed") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestFilesThatTakeTooMuchAreRefused: a golden's tree takes many times its bytes, and eigenvalues the cube of a side.
func TestFilesThatTakeTooMuchAreRefused(t *testing.T) {
	big := fstest.MapFS{"big.json": &fstest.MapFile{Data: append([]byte("[0"), bytes.Repeat([]byte(",0"), maxGoldenSize/2)...)}}
	if _, err := Verify(big); err == nil || !strings.Contains(err.Error(), "more than the 8388608 that are read") {
		t.Errorf("%v", err)
	}
	full := &Subject{File: "g.json", Golden: statisticsFixture(t, "fixture.simsiam"), held: maxMatrices - 2,
		read: func(string) ([]byte, error) { return make([]byte, 3), nil }}
	if err := full.loadBlob("runs[0].snapshots", &Run{}, &Blob{File: "x.bin"}); err == nil || !strings.Contains(err.Error(), "bytes of matrices that are held") {
		t.Errorf("%v", err)
	}
	b := &Blob{Tensors: []Tensor{{Name: TensorF, Rows: maxSquare + 1, Cols: maxSquare + 1, DType: F64}}}
	if _, err := square("runs[0].snapshots", b, 0, TensorF); err == nil || !strings.Contains(err.Error(), "no eigenvalues are taken") {
		t.Errorf("%v", err)
	}
}
