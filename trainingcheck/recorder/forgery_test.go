package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
)

// forged is a golden in the hands of somebody who makes every hash and every derived number right again.
type forged struct {
	*golden.Golden
	blobs map[string][]byte // by the name in the golden
	from  fs.FS             // the goldens beside it
	alone bool              // without them
}

// statement marks a forgery that nobody can notice: it is listed by golden.Statements.
const statement = "statement"

// warned marks a forgery that is not refused, and that a verifier says aloud.
const warned = "warned"

// The goldens that are forged.
var (
	simsiam     = ID(check.Mini, engine.CPU, check.SimSiam)
	nopredictor = ID(check.Mini, engine.CPU, check.NoPredictor)
	directpred  = ID(check.Mini, engine.CPU, check.DirectPred)
	images      = ID(check.ImagesConv, engine.XLACPU, check.BYOL)
	informative = ID(check.MiniConv, engine.CPU, check.DirectPred)
	plain       = ID(check.Mini, engine.CPU, check.PlainSGD)
	euclidean   = ID(check.MiniLaws, engine.CPU, check.Euclidean)
	late        = "T3-mini-cpu.G-B.directpred"
)

// forgeries are the kinds of forgery, each with the rule that refuses it.
var forgeries = []struct {
	name string
	of   string
	edit func(f *forged)
	rule string
	says string // of the statement or the warning, a word of its line
}{
	{"a gate loosened", nopredictor, func(f *forged) { *f.Claims[1].Bound = 3 }, "gates", ""},
	{"a gate turned round", nopredictor, func(f *forged) { f.Claims[0].Op = ">" }, "gates", ""},
	{"a question dropped", nopredictor, func(f *forged) { f.Claims = f.Claims[:1] }, "gates", ""},
	{"all questions dropped", nopredictor, func(f *forged) { f.Claims = nil }, "gates", ""},
	{"a question under another check's id", nopredictor, func(f *forged) { f.Claims[0].ID = "T2.alive" }, "gates", ""},
	{"a question about another metric", nopredictor, func(f *forged) { f.Claims[0].Metric = "knn"; *f.Claims[0].Bound = 2 }, "gates", ""},
	{"a question added", nopredictor, func(f *forged) {
		c := f.Claims[0]
		c.ID = "T2.collapse-nosg"
		f.Claims = append(f.Claims, c)
	}, "gates", ""},
	{"a law loosened", simsiam, func(f *forged) { *f.Claims[0].Bound = 1 }, "gates", ""},

	{"a band dropped", simsiam, func(f *forged) { delete(f.Bands, "er") }, "required", ""},
	{"a band opened on one side", simsiam, func(f *forged) { f.Bands["er"] = golden.Band{Rule: golden.Upper} }, "required", ""},
	{"a band for a number that gets none", simsiam, func(f *forged) { f.Bands[MetricState] = golden.Band{Rule: golden.TwoSided} }, "required", ""},
	{"gating called informative", simsiam, func(f *forged) { f.Status = golden.Informative }, "required", ""},
	{"matrices of one run dropped", simsiam, func(f *forged) { f.Runs[4].Snapshots = nil }, "required", ""},
	{"all matrices dropped, with the rules about them", simsiam, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Snapshots = nil
		}
		f.Rules = slices.DeleteFunc(f.Rules, func(s string) bool { return s == "moments" || s == "spectra" || s == "trace" })
	}, "required", ""},
	{"seeds dropped", simsiam, func(f *forged) { f.Runs = f.Runs[:6] }, "required", ""},
	{"other kernels named", simsiam, func(f *forged) { f.Provenance.Kernels = f.Provenance.Kernels[:2] }, "required", ""},

	{"another learning rate", simsiam, config("optimizer.lr", .04), "tier", ""},
	{"another decay", simsiam, config("optimizer.wd", .02), "tier", ""},
	{"another momentum", simsiam, config("optimizer.momentum", .5), "tier", ""},
	{"another batch", simsiam, config("batch", 128.), "tier", ""},
	{"another length", simsiam, config("steps", 2000.), "tier", ""},
	{"another width", simsiam, config("net.out", 32.), "tier", ""},
	{"other layers", simsiam, config("net.hidden", []any{64., 64., 64.}), "tier", ""},
	{"another ratio of rates", simsiam, config("predictor.rate_ratio", 2.), "label", ""},
	{"another loss", simsiam, config("loss.kind", "euclidean"), "label", ""},
	{"one direction of the loss", simsiam, config("loss.both_directions", false), "tier", ""},
	{"another convention of decay", simsiam, config("optimizer.predictor_decay", "torch"), "tier", ""},
	{"no decay on biases", simsiam, config("optimizer.exclude_bias_and_norm", true), "tier", ""},
	{"another arithmetic", simsiam, config("precision", "float64"), "tier", ""},
	{"a member that no recipe has", simsiam, config("speed", 3.), "tier", ""},
	{"another arm's recipe", simsiam, config("method", "nostopgrad"), "label", ""},

	{"a date in the future", simsiam, func(f *forged) { f.Created = time.Now().Add(72 * time.Hour).UTC().Format(time.RFC3339) }, "provenance", ""},
	{"other examples", simsiam, func(f *forged) { f.Provenance.Data.SHA256 = strings.Repeat("0", 64) }, "examples", ""},
	{"more training images", simsiam, func(f *forged) { f.Provenance.Data.NTrain = 50000 }, "examples", ""},
	{"fewer test images", simsiam, func(f *forged) { f.Provenance.Data.NTest = 1 }, "examples", ""},
	{"another data set's name", simsiam, func(f *forged) { f.Provenance.Data.Name = "cifar10" }, "examples", ""},
	{"another split", simsiam, func(f *forged) { f.Provenance.Data.Split = "official" }, "examples", ""},
	{"a GPU's engine", simsiam, func(f *forged) { f.Provenance.Engine.Name = engine.GPU }, "provenance", ""},
	{"a GPU's platform", simsiam, func(f *forged) { f.Provenance.Engine.Platform = "cuda" }, "provenance", ""},
	{"a GPU's driver", simsiam, func(f *forged) { f.Provenance.Device.Driver = "580.1" }, "provenance", ""},

	{"a seed renamed", simsiam, func(f *forged) { f.Runs[len(f.Runs)-1].Seed = 77 }, "state", ""},
	{"two seeds exchanged", simsiam, func(f *forged) {
		a, b := &f.Runs[3], &f.Runs[4]
		a.Seed, b.Seed = b.Seed, a.Seed
		f.Runs[3], f.Runs[4] = f.Runs[4], f.Runs[3]
	}, "state", ""},
	{"a run made twice", simsiam, func(f *forged) {
		r := f.Runs[len(f.Runs)-1]
		r.Seed = 21
		f.Runs = append(f.Runs, r)
	}, "state", ""},
	{"the first steps' state", simsiam, func(f *forged) { f.Runs[2].Final[MetricState] += .01 }, "state", ""},
	{"the first steps' state left out", simsiam, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, MetricState)
		}
	}, "state", ""},
	{"a final number alone", simsiam, func(f *forged) { f.Runs[2].Final["er"] = 4 }, "runs", ""},
	{"a final number and the end of its series", simsiam, func(f *forged) {
		r := &f.Runs[2]
		r.Final["er"] = 4
		r.Series[len(r.Series)-1].Values["er"] = 4
	}, "spectra", ""},
	{"a spectrum", simsiam, func(f *forged) {
		r := &f.Runs[2]
		r.Series[len(r.Series)-1].Spectra["spec_F"][0] *= 2
	}, "spectra", ""},
	{"an entry of a matrix", simsiam, func(f *forged) {
		b := f.blobs[f.Runs[3].Snapshots.File]
		copy(b[len(b)-8:], []byte{0, 0, 128, 63, 0, 0, 128, 63})
	}, "spectra", ""},
	{"ηt of a look", simsiam, func(f *forged) { f.Runs[1].Series[3].TEta *= 1.01 }, "series", ""},
	{"a look left out", simsiam, func(f *forged) { f.Runs[1].Series = slices.Delete(f.Runs[1].Series, 4, 5) }, "series", ""},
	{"a look moved", simsiam, func(f *forged) { f.Runs[1].Series[3].Step += 5 }, "series", ""},

	{"a name that no arm has", simsiam, func(f *forged) { f.ID = "T2-mini.simsiam-better"; f.Claims[0].ID = "T9.wonder" }, "label", ""},
	{"a kind without runs under an arm's name", simsiam, func(f *forged) {
		f.Kind, f.Runs, f.Bands, f.Claims, f.Rules = golden.ParityKind, nil, nil, nil, []string{}
		f.Parity = &golden.Parity{Computation: "magic", InputSHA256: strings.Repeat("0", 64), Values: map[string]float64{"loss": 1}}
	}, "label", ""},
	{"a computation that nobody can make again", simsiam, func(f *forged) {
		f.ID, f.Kind, f.Runs, f.Bands, f.Claims, f.Rules = "parity.cpu.magic", golden.ParityKind, nil, nil, nil, []string{}
		f.Parity = &golden.Parity{Computation: "magic", InputSHA256: strings.Repeat("0", 64), Values: map[string]float64{"loss": 1}}
	}, "parity", ""},
	{"an arithmetic in which no step is made again", simsiam, func(f *forged) { f.Provenance.Engine.Precision = golden.FP64; f.Runs[2].Final[MetricState] = 9 }, "evidence", ""},
	{"a GPU's arithmetic", images, func(f *forged) { f.Provenance.Engine.Precision = golden.TF32 }, "evidence", ""},
	{"results of one's own beside the runs", simsiam, func(f *forged) { f.Extra = &golden.Extra{JSON: json.RawMessage(`{"imagenet_top1":0.99}`)} }, "evidence", ""},
	{"a number that no run has", simsiam, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Final["imagenet"] = .8 + float64(i)/1000
		}
		f.Bands["imagenet"] = golden.Band{Rule: golden.TwoSided}
	}, "evidence", ""},
	{"a number dropped from all runs", simsiam, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, golden.MetricTopCosine)
			for j := range f.Runs[i].Series {
				delete(f.Runs[i].Series[j].Values, golden.MetricTopCosine)
			}
		}
		delete(f.Bands, golden.MetricTopCosine)
	}, "evidence", ""},
	{"a spectrum left out", simsiam, func(f *forged) {
		r := f.Runs[2]
		delete(r.Series[len(r.Series)-1].Spectra, golden.SpectrumGains)
	}, "evidence", ""},
	{"the matrices that a number follows from left out, in all runs but one", simsiam, func(f *forged) {
		for i := 1; i < len(f.Runs); i++ {
			f.drop(i, golden.TensorZ, golden.TensorZMean)
			f.end(i, golden.MetricRank, 5)
		}
	}, "evidence", ""},
	{"one matrix left out, and its number changed", simsiam, func(f *forged) {
		f.drop(5, golden.TensorWp)
		f.end(5, golden.MetricAsymmetry, .01)
	}, "evidence", ""},
	{"the moments of all runs but one left out", directpred, func(f *forged) {
		for i := 1; i < len(f.Runs); i++ {
			f.drop(i, golden.TensorFHat)
		}
	}, "evidence", ""},
	{"a run counted twice as a rerun", simsiam, func(f *forged) {
		r := f.Runs[4]
		r.Rerun, r.Snapshots = 1, nil
		f.Runs = slices.Insert(f.Runs, 5, r)
	}, "evidence", ""},
	{"reruns that differ called repeatable", simsiam, func(f *forged) { f.Runs[1].Final[golden.MetricKNN] += .01 }, "evidence", ""},
	{"repeatable without a rerun", simsiam, func(f *forged) { f.Runs = slices.Delete(f.Runs, 1, 2) }, "evidence", ""},
	{"seeds picked, each with its own first steps", simsiam, func(f *forged) {
		for i := range f.Runs[2:] {
			f.reseed(2+i, uint64(1000+17*i))
		}
	}, "evidence", ""},
	{"the state of an informative golden dropped", informative, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, MetricState)
		}
	}, "state", ""},
	{"an informative golden made gating", informative, func(f *forged) { f.Status = golden.Gating }, "required", ""},
	{"no training images", images, func(f *forged) { f.Provenance.Data.NTrain = 0 }, "tier", ""},
	{"an engine that is not that of the name", images, func(f *forged) {
		f.Provenance.Engine.Name, f.Provenance.Engine.Platform, f.Provenance.Engine.Plugin = engine.CPU, "", ""
	}, "label", ""},
	{"a question dropped together with its partner", directpred, func(f *forged) {
		f.alone = true
		f.Claims = slices.DeleteFunc(f.Claims, func(c golden.Claim) bool { return c.Test == golden.PairedTestName })
	}, warned, "questions are not asked"},
	{"a question dropped, its partner left", directpred, func(f *forged) {
		f.Claims = slices.DeleteFunc(f.Claims, func(c golden.Claim) bool { return c.Test == golden.PairedTestName })
	}, "gates", ""},

	{"a segment of one run dropped", directpred, func(f *forged) { f.Runs[0].Segment = nil }, "evidence", ""},
	{"segments cut to their first step", directpred, func(f *forged) {
		f.segments(only(func(x golden.Tensor) bool { return x.Step == 1 }))
	}, "evidence", ""},
	{"the later steps of all segments dropped", directpred, func(f *forged) {
		f.segments(only(func(x golden.Tensor) bool { return x.Step <= segmentSteps }))
	}, "evidence", ""},
	{"moments of the batches dropped but the first", directpred, func(f *forged) {
		f.segments(only(func(x golden.Tensor) bool { return x.Name != golden.TensorFBat || x.Step == 1 }))
	}, "evidence", ""},
	{"a matrix that no run has in a segment", directpred, func(f *forged) {
		f.segments(func(ts []golden.Tensor) []golden.Tensor {
			x := ts[0]
			x.Name = "wonder"
			return append(ts, x)
		})
	}, "evidence", ""},
	{"a segment where none is kept", simsiam, func(f *forged) {
		f.Runs[0].Segment = f.edited(f.Runs[0].Snapshots, only(func(x golden.Tensor) bool { return x.Name == golden.TensorWp }))
	}, "evidence", ""},
	{"the segments of two runs exchanged", directpred, func(f *forged) {
		f.Runs[0].Segment, f.Runs[2].Segment = f.Runs[2].Segment, f.Runs[0].Segment
	}, "state", ""},
	{"segments of a moment that stands still", directpred, func(f *forged) {
		f.segments(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				for k := range x.Data {
					x.Data[k] = 0
					if k%(x.Cols+1) == 0 { // F = F̂ = 1 and W_p = 1 + ε obey every law
						x.Data[k] = map[string]float64{golden.TensorFBat: 1, golden.TensorFHat: 1, golden.TensorWp: 1.1}[x.Name]
					}
				}
			}
			return ts
		})
	}, "state", ""},
	{"a replayed run of one's own, by the law of the step", euclidean, func(f *forged) {
		f.segments(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				for k := range x.Data {
					if x.Name == golden.TensorWp || x.Name == golden.TensorC {
						x.Data[k] *= 2
					}
				}
			}
			return ts
		})
	}, "state", ""},
	{"a replayed run cut to two steps", euclidean, func(f *forged) {
		f.segments(only(func(x golden.Tensor) bool { return x.Step <= 1 }))
	}, "evidence", ""},
	{"matrices at a step that is no look", simsiam, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				if x.Step == 0 {
					x.Step = 77
					ts = append(ts, x)
				}
			}
			return ts
		})
	}, "evidence", ""},
	{"the matrices from which a decay is seen dropped but two", plain, func(f *forged) {
		f.snapshots(only(func(x golden.Tensor) bool { return x.Step > 0 }))
	}, "evidence", ""},
	{"weights at the start that have the same products", plain, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				if x.Step == 0 && x.Name == golden.TensorWL {
					for r := 0; r < len(x.Data); r += x.Cols {
						x.Data[r], x.Data[r+1] = x.Data[r+1], x.Data[r]
					}
				}
			}
			return ts
		})
	}, "state", ""},
	{"weights with a column of zeros more", simsiam, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for i, x := range ts {
				if x.Name == golden.TensorWL {
					var wider []float64
					for r := 0; r < len(x.Data); r += x.Cols {
						wider = append(append(wider, x.Data[r:r+x.Cols]...), 0)
					}
					ts[i].Cols, ts[i].Data = x.Cols+1, wider
				}
			}
			return ts
		})
	}, "evidence", ""},
	{"moments of a collapse of one dimension", nopredictor, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for i := range ts {
				ts[i].Rows, ts[i].Cols, ts[i].Data = 1, 1, []float64{1}
			}
			return ts
		})
		for i, r := range f.Runs {
			for _, p := range r.Series {
				p.Values[golden.MetricRank], p.Values[golden.MetricZStd] = 1, 0
			}
			f.end(i, golden.MetricRank, 1)
			f.end(i, golden.MetricZStd, 0)
		}
	}, "evidence", ""},
	{"moments of fewer digits", simsiam, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for i := range ts {
				ts[i].DType = golden.F32
			}
			return ts
		})
	}, "evidence", ""},
	{"a number in the looks that no run has", simsiam, looks(func(p golden.Point) { p.Values["imagenet"] = .9 }), "evidence", ""},
	{"a spectrum in the looks that no run has", simsiam, func(f *forged) { f.Runs[0].Series[0].Spectra["spec_wonder"] = []float64{3} }, "evidence", ""},
	{"a spectrum where no matrices are", simsiam, func(f *forged) {
		f.Runs[0].Series[5].Spectra = map[string][]float64{"spec_F": {3}}
	}, "evidence", ""},
	{"the numbers of the looks dropped", simsiam, looks(func(p golden.Point) { clear(p.Values) }), "evidence", ""},
	{"the losses dropped", simsiam, looks(func(p golden.Point) { delete(p.Values, columnLoss) }), "evidence", ""},
	{"the correlation with the parabola", directpred, func(f *forged) {
		for i := range f.Runs {
			f.end(i, columnParabola, -.5)
		}
	}, "evidence", ""},
	{"the correlation with the parabola dropped", directpred, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, columnParabola)
		}
		delete(f.Bands, columnParabola)
	}, "evidence", ""},
	{"a rerun that widens the bands", simsiam, func(f *forged) {
		f.end(1, golden.MetricRank, 9)
		f.Provenance.Engine.Deterministic = false
	}, "evidence", ""},
	{"a rerun with other looks", simsiam, func(f *forged) { f.Runs[1].Series[4].Values[golden.MetricRank] = 2 }, "evidence", ""},
	{"reruns left out, by their numbers", simsiam, func(f *forged) { f.Runs[1].Rerun = 7 }, "evidence", ""},
	{"a negative distance", simsiam, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Final[MetricBallError] = -1
		}
	}, "evidence", ""},
	{"a law's deviation dropped that no gate asks for", directpred, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, MetricViews)
		}
	}, "evidence", ""},
	{"a law's deviation where the law is not watched", simsiam, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Final[MetricReplayError] = 0
		}
	}, "evidence", ""},
	{"numbers of a matrix where the predictor is none", nopredictor, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Final[golden.MetricAsymmetry] = 0
		}
	}, "evidence", ""},
	{"an engine that is not there", simsiam, func(f *forged) { f.Provenance.Engine.Name = "quantum" }, "evidence", ""},
	{"an engine of XLA without its platform", images, func(f *forged) { f.Provenance.Engine.Platform, f.Provenance.Engine.Plugin = "", "" }, "evidence", ""},
	{"a platform that the engine does not have", images, func(f *forged) { f.Provenance.Engine.Platform = "rocm" }, "evidence", ""},
	{"a second number of steps, in capitals", simsiam, config("STEPS", 39.), "text", ""},
	{"a second section of the recipe, in capitals", simsiam, config("Optimizer", map[string]any{"lr": 9.}), "text", ""},
	{"a second number of steps in a parity", "parity.cpu.mlp", config("STEPS", 39.), "text", ""},
	{"a member of the recipe that is null", simsiam, config("optimizer.schedule", nil), "text", ""},
	{"an arithmetic that the engine does not have", informative, func(f *forged) {
		config("precision", "bfloat16")(f)
		f.Provenance.Engine.Precision = golden.BF16
	}, "state", ""},
	{"an arithmetic that the steps are made again in, with states of one's own", informative, func(f *forged) {
		config("precision", "float64")(f)
		f.Provenance.Engine.Precision = golden.FP64
		for i := range f.Runs {
			f.Runs[i].Final[MetricState] = 9
		}
	}, "state", ""},
	{"the start of a run whose matrices are of its end", simsiam, func(f *forged) { f.Runs[5].Series[0].Values[golden.MetricRank] = 14 }, "state", ""},
	{"a moment at the start, with the numbers that follow", nopredictor, func(f *forged) {
		f.snapshots(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				if x.Step == 0 && x.Name == golden.TensorF {
					for k := range x.Data {
						x.Data[k] *= 2
					}
				}
			}
			return ts
		})
	}, "state", ""},
	{"the end of one seed under another's start", simsiam, func(f *forged) {
		f.Runs[6].Snapshots = f.edited(f.Runs[5].Snapshots, func(ts []golden.Tensor) []golden.Tensor { return ts })
		for name, v := range f.Runs[5].Final {
			if name != MetricState {
				f.end(6, name, v)
			}
		}
		f.Runs[6].Series[len(f.Runs[6].Series)-1] = f.Runs[5].Series[len(f.Runs[5].Series)-1]
	}, "evidence", ""},
	{"the later segments of a moment that stands still", directpred, func(f *forged) {
		f.segments(func(ts []golden.Tensor) []golden.Tensor {
			for _, x := range ts {
				for k := range x.Data {
					if x.Step <= segmentSteps {
						break
					}
					x.Data[k] = 0
					if k%(x.Cols+1) == 0 {
						x.Data[k] = map[string]float64{golden.TensorFBat: 1, golden.TensorFHat: 1, golden.TensorWp: 1.1}[x.Name]
					}
				}
			}
			return ts
		})
	}, statement, "matrices kept of later ones"},
	{"a text that a terminal obeys", simsiam, func(f *forged) { f.Provenance.Device.Name = "a\x1b[2J\x1b[1;1H35 goldens: all rules hold" }, "provenance", ""},

	{"the name of images", images, func(f *forged) { f.Provenance.Data.Name = "imagenet" }, statement, "images"},
	{"the hash of images", images, func(f *forged) { f.Provenance.Data.SHA256 = strings.Repeat("0", 64) }, statement, "sha256"},
	{"the decoder of images", images, func(f *forged) { f.Provenance.Data.Decoder = "magic" }, statement, "decoder"},
	{"the split of images", images, func(f *forged) { f.Provenance.Data.Split = "all" }, statement, "split"},
	{"a plugin", images, func(f *forged) { f.Provenance.Engine.Plugin = "my-own@1" }, statement, "plugin"},
	{"a processor called a GPU, with all that belongs to one", images, func(f *forged) {
		f.ID = ID(check.ImagesConv, engine.GPU, check.BYOL)
		f.alone = true
		f.Claims = slices.DeleteFunc(f.Claims, func(c golden.Claim) bool { return c.Test == golden.PairedTestName })
		f.Provenance.Engine.Name, f.Provenance.Engine.Platform = engine.GPU, engine.PlatformCUDA
		d := &f.Provenance.Device
		d.SM, d.Driver, d.CUDA, d.CUDNN = "9.0", "580.1", "13.0", "9.1"
	}, statement, "that it was a GPU"},
	{"a block of other seeds, with the weights at the start of these", simsiam, func(f *forged) {
		for i := range f.Runs {
			f.reseed(i, f.Runs[i].Seed+1000)
		}
	}, "state", ""},
	{"a block of other seeds, with their first steps and looks", simsiam, func(f *forged) {
		f.snapshots(only(func(x golden.Tensor) bool { return x.Step == 1000 })) // as of a seed that is not one of the first
		for i, r := range f.Runs {
			for j, p := range r.Series {
				if p.Step < 1000 {
					r.Series[j].Spectra = nil
				}
			}
			f.reseed(i, r.Seed+1000)
		}
	}, statement, "seeds"},
	{"the ends of two runs exchanged", simsiam, func(f *forged) {
		a, b := f.Runs[5], f.Runs[6]
		a.Seed, b.Seed = b.Seed, a.Seed
		a.Final[MetricState], b.Final[MetricState] = b.Final[MetricState], a.Final[MetricState]
		a.Series[0], b.Series[0] = b.Series[0], a.Series[0]
		f.Runs[5], f.Runs[6] = b, a
	}, statement, "matrices kept of later ones"},
	{"what it supersedes", simsiam, func(f *forged) {
		f.Supersedes = &golden.Supersedes{FileSHA256: strings.Repeat("0", 64), Reason: "better"}
	}, statement, "supersedes"},
	{"the rules that held at recording dropped", simsiam, func(f *forged) { f.Rules = []string{} }, statement, "rules"},
	{"the generator", simsiam, func(f *forged) { f.Provenance.RNG = "dice" }, statement, "rng"},
	{"the commit", simsiam, func(f *forged) { f.Provenance.GitCommit = strings.Repeat("a", 40) }, statement, "git_commit"},
	{"the command", simsiam, func(f *forged) { f.Provenance.Command = "go run . golden record --seeds=0" }, statement, "command"},
	{"the device", simsiam, func(f *forged) { f.Provenance.Device.Name = "another processor" }, statement, "device"},
	{"the host", simsiam, func(f *forged) { f.Provenance.Host.Go = "go1.99" }, statement, "host"},
	{"the engine's version", simsiam, func(f *forged) { f.Provenance.Engine.Version = "stopgrad@v9" }, statement, "version"},
	{"the time it took", simsiam, func(f *forged) { f.Provenance.WallS = 1 }, statement, "wall_s"},
	{"an earlier date", simsiam, func(f *forged) { f.Created = "2020-01-01T00:00:00Z" }, statement, "created"},
	{"the sources' hash, without the sources", simsiam, func(f *forged) { f.Provenance.KernelsSHA256 = strings.Repeat("0", 64) }, statement, "kernels_sha256"},
	{"an accuracy", simsiam, func(f *forged) { f.Runs[2].Final["knn"] = .9 }, statement, "accuracies"},
	{"a loss", simsiam, func(f *forged) { f.Runs[2].Series[5].Values["loss"] = .1 }, statement, "losses"},
	{"a look between kept matrices", simsiam, func(f *forged) { f.Runs[5].Series[5].Values["er"] = 3 }, statement, "not kept"},
	{"the worst deviation of a law", simsiam, func(f *forged) { f.Runs[2].Final[MetricBallError] = 0 }, statement, "ball_error"},
	{"a number within its tolerance", simsiam, func(f *forged) { f.end(5, golden.MetricRank, f.Runs[5].Final[golden.MetricRank]*(1-9e-4)) }, statement, "within its tolerance"},
	{"a rerun left out", simsiam, func(f *forged) {
		f.Runs = slices.Delete(f.Runs, 1, 2)
		f.Provenance.Engine.Deterministic = false
	}, statement, "reruns"},
	{"numbers of a run without matrices", late, func(f *forged) { f.end(3, golden.MetricRank, 12) }, statement, "keep no matrices"},
	{"the first steps of images", images, func(f *forged) { f.Runs[2].Final[MetricState] = 99 }, statement, "first steps of images"},
	{"the size of the test set of images", images, func(f *forged) { f.Provenance.Data.NTest = 1 << 30 }, statement, "n_test"},
	{"another engine, with all that belongs to it", simsiam, func(f *forged) { f.Provenance.Engine.Name = engine.CPUGoMLX }, statement, "name"},
	{"what was not reproduced", simsiam, func(f *forged) { f.NotReproduced = []string{"nothing"} }, statement, "not_reproduced"},
}

// drop leaves matrices out of a run, in the file and in its index.
func (f *forged) drop(run int, names ...string) {
	b := f.Runs[run].Snapshots
	if b == nil {
		return
	}
	data := f.blobs[b.File]
	const count = len("SSLGOLD1") + 32 + 8 + 4 // behind recipe, seed and rerun
	at := count + 4
	out := slices.Clone(data[:at])
	less := golden.Blob{File: "less-" + b.File}
	for _, x := range b.Tensors {
		n := x.Rows * x.Cols * map[golden.DType]int{golden.F32: 4, golden.F64: 8}[x.DType]
		if !slices.Contains(names, x.Name) {
			out, less.Tensors = append(out, data[at:at+n]...), append(less.Tensors, x)
		}
		at += n
	}
	binary.LittleEndian.PutUint32(out[count:], uint32(len(less.Tensors)))
	f.blobs[less.File], f.Runs[run].Snapshots = out, &less
}

// edited is a matrix file with other matrices, and its index.
func (f *forged) edited(b *golden.Blob, change func([]golden.Tensor) []golden.Tensor) *golden.Blob {
	const count = len("SSLGOLD1") + 32 + 8 + 4 // behind recipe, seed and rerun
	data, le := f.blobs[b.File], binary.LittleEndian
	at := count + 4
	var tensors []golden.Tensor
	for _, x := range b.Tensors {
		x.Data = make([]float64, x.Rows*x.Cols)
		for i := range x.Data {
			if x.DType == golden.F32 {
				x.Data[i], at = float64(math.Float32frombits(le.Uint32(data[at:]))), at+4
			} else {
				x.Data[i], at = math.Float64frombits(le.Uint64(data[at:])), at+8
			}
		}
		tensors = append(tensors, x)
	}
	tensors = change(tensors)
	out := le.AppendUint32(slices.Clone(data[:count]), uint32(len(tensors)))
	for _, x := range tensors {
		for _, v := range x.Data {
			if x.DType == golden.F32 {
				out = le.AppendUint32(out, math.Float32bits(float32(v)))
			} else {
				out = le.AppendUint64(out, math.Float64bits(v))
			}
		}
	}
	own := &golden.Blob{File: "edited-" + b.File, Tensors: tensors}
	f.blobs[own.File] = out
	return own
}

// snapshots edits the matrices of every run's states, segments those of the steps that follow each other.
func (f *forged) snapshots(change func([]golden.Tensor) []golden.Tensor) {
	for i := range f.Runs {
		if b := f.Runs[i].Snapshots; b != nil {
			f.Runs[i].Snapshots = f.edited(b, change)
		}
	}
}

func (f *forged) segments(change func([]golden.Tensor) []golden.Tensor) {
	for i := range f.Runs {
		if b := f.Runs[i].Segment; b != nil {
			f.Runs[i].Segment = f.edited(b, change)
		}
	}
}

// only leaves the matrices that are wanted.
func only(wanted func(golden.Tensor) bool) func([]golden.Tensor) []golden.Tensor {
	return func(ts []golden.Tensor) []golden.Tensor {
		return slices.DeleteFunc(ts, func(x golden.Tensor) bool { return !wanted(x) })
	}
}

// looks changes every look of every run.
func looks(change func(golden.Point)) func(f *forged) {
	return func(f *forged) {
		for _, r := range f.Runs {
			for _, p := range r.Series {
				change(p)
			}
		}
	}
}

// end changes a final number and the last look.
func (f *forged) end(run int, metric string, v float64) {
	r := f.Runs[run]
	r.Final[metric] = v
	r.Series[len(r.Series)-1].Values[metric] = v
}

// reseed gives a run another seed and makes that seed's first steps, with the look before them.
func (f *forged) reseed(run int, seed uint64) {
	l, _, _ := read(&golden.Subject{Golden: f.Golden})
	d, err := data.Open("digits")
	if err != nil {
		panic(err)
	}
	e, err := engine.Open(engine.CPU)
	if err != nil {
		panic(err)
	}
	defer e.Close()
	f.Runs[run].Seed = seed
	m, err := firstSteps(e, d, l.config, seed)
	if err != nil {
		panic(err)
	}
	f.Runs[run].Final[MetricState] = m.state
	for i, name := range check.Columns {
		if _, ok := f.Runs[run].Series[0].Values[name]; ok {
			f.Runs[run].Series[0].Values[name] = m.look[i]
		}
	}
}

// config changes a member of the recipe; what follows from it is made right.
func config(path string, v any) func(f *forged) {
	return func(f *forged) {
		text, err := f.Config.MarshalJSON()
		if err != nil {
			panic(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(text, &tree); err != nil {
			panic(err)
		}
		m := tree
		parts := strings.Split(path, ".")
		for _, p := range parts[:len(parts)-1] {
			m = m[p].(map[string]any)
		}
		m[parts[len(parts)-1]] = v
		if f.Config, err = golden.NewConfig(tree); err != nil {
			panic(err)
		}
	}
}

// forge reads a committed golden.
func forge(t *testing.T, fsys fs.FS, id string) *forged {
	t.Helper()
	text, err := fs.ReadFile(fsys, id+".json")
	if err != nil {
		t.Fatal(err)
	}
	g, err := golden.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	f := &forged{Golden: g, blobs: map[string][]byte{}, from: fsys}
	for _, r := range g.Runs {
		for _, b := range []*golden.Blob{r.Snapshots, r.Segment} {
			if b == nil {
				continue
			}
			if f.blobs[b.File], err = fs.ReadFile(fsys, b.File); err != nil {
				t.Fatal(err)
			}
		}
	}
	return f
}

// files makes every derived number and hash right and returns the files.
func (f *forged) files(t *testing.T) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	var err error
	if f.Provenance.RecipeSHA256, err = f.Config.SHA256(); err != nil {
		t.Fatal(err)
	}
	recipe, err := hex.DecodeString(f.Provenance.RecipeSHA256)
	if err != nil {
		t.Fatal(err)
	}
	const header = len("SSLGOLD1") // then recipe, seed, rerun
	for i := range f.Runs {
		r := &f.Runs[i]
		for _, b := range []**golden.Blob{&r.Snapshots, &r.Segment} {
			if *b == nil {
				continue
			}
			own := **b
			data := slices.Clone(f.blobs[own.File])
			copy(data[header:], recipe)
			binary.LittleEndian.PutUint64(data[header+32:], r.Seed)
			own.SHA256, own.Bytes = hash(data), int64(len(data))
			own.File = "x" + own.SHA256[:16] + ".bin"
			*b = &own
			out[own.File] = &fstest.MapFile{Data: data}
		}
	}
	for name, b := range f.Bands {
		if derived, err := f.DeriveBand(name, b.Rule); err == nil {
			f.Bands[name] = derived
		}
	}
	for i := range f.Claims {
		c := &f.Claims[i]
		c.Seeds, c.Values, c.Pass = nil, nil, true
		theirs := map[uint64]float64{}
		if c.Test == golden.PairedTestName {
			text, err := fs.ReadFile(f.from, c.Other+".json")
			if err != nil {
				t.Fatal(err)
			}
			other, err := golden.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			out[c.Other+".json"], c.OtherSHA256 = &fstest.MapFile{Data: text}, other.SHA256
			for _, r := range other.Runs {
				if r.Rerun == 0 {
					theirs[r.Seed] = r.Final[c.Metric]
				}
			}
		}
		for _, r := range f.Runs {
			if r.Rerun != 0 {
				continue
			}
			v := r.Final[c.Metric] - theirs[r.Seed]
			c.Seeds, c.Values = append(c.Seeds, r.Seed), append(c.Values, v)
			c.Pass = c.Pass && (c.Bound == nil || c.Op == ">" && v > *c.Bound || c.Op == "<" && v < *c.Bound)
		}
		gap := 0.0
		if c.Gap != nil {
			gap = *c.Gap
		}
		p := golden.Paired(c.Values, gap)
		c.Mean, c.SE = p.Mean, p.SE
		if c.Gap != nil {
			c.Pass = p.Pass
		}
	}
	// Partners of the questions that are left out lie beside it all the same.
	for _, a := range Arms {
		id := ID(check.Mini, engine.CPU, a)
		if text, err := fs.ReadFile(f.from, id+".json"); err == nil && f.ID == directpred && id != f.ID && !f.alone {
			out[id+".json"] = &fstest.MapFile{Data: text}
		}
	}
	f.SHA256 = f.seal(t)
	text, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	out[f.ID+".json"] = &fstest.MapFile{Data: text}
	return out
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// seal is the hash of the golden without its seal, by another encoder than package golden's.
func (f *forged) seal(t *testing.T) string {
	t.Helper()
	text, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	delete(tree, "sha256")
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(tree); err != nil {
		t.Fatal(err)
	}
	return hash(bytes.TrimSpace(b.Bytes()))
}

// goldensOfForgeries is where the goldens to forge lie: those of the project, or of the folder in this variable.
const goldensOfForgeries = "FORGE_GOLDENS"

// TestForgeriesAreRefusedOrStatements: each kind of forgery, with every hash and derived number made right again, is refused
// by the rule that is meant for it, or it is of a member that is called a statement.
func TestForgeriesAreRefusedOrStatements(t *testing.T) {
	fsys := golden.Committed()
	if dir := os.Getenv(goldensOfForgeries); dir != "" {
		fsys = os.DirFS(dir)
	}
	// A verifier that can compute nothing of kind parity again, and knows it.
	verify := func(f *forged, rules []golden.Rule) golden.FileReport {
		v := &golden.Verifier{Extra: rules, Recompute: map[string]func(context.Context, *golden.Golden) (map[string]golden.Scalar, error){}}
		r, _ := v.VerifyDir(context.Background(), f.files(t), nil)
		i := slices.IndexFunc(r.Files, func(x golden.FileReport) bool { return x.File == f.ID+".json" })
		if i < 0 {
			t.Fatalf("%s is not among the %d files", f.ID, len(r.Files))
		}
		return r.Files[i]
	}
	for _, id := range []string{simsiam, nopredictor, directpred, images, informative, plain, euclidean, late} {
		whole := forge(t, fsys, id)
		if whole.seal(t) != whole.SHA256 {
			t.Fatalf("%s: the seal is not that of this test's encoder", id)
		}
		for _, o := range verify(whole, Rules).Outcomes {
			if o.State == golden.Fail {
				t.Fatalf("%s as it is: %v", id, o.Err)
			}
		}
	}
	refused, stated, warnings := 0, 0, 0
	for _, x := range forgeries {
		f := forge(t, fsys, x.of)
		x.edit(f)
		var by []string
		said := false
		rules := Rules
		if x.rule != "state" && x.rule != statement && x.rule != warned { // steps are not made where another rule must refuse
			rules = slices.DeleteFunc(slices.Clone(Rules), func(r golden.Rule) bool { return r.Name == "state" })
		}
		for _, o := range verify(f, rules).Outcomes {
			if o.State == golden.Fail {
				by = append(by, o.Rule)
			}
			said = said || o.State == golden.Warn && x.rule == warned && strings.Contains(o.Detail, x.says)
		}
		switch {
		case x.rule == warned:
			warnings++
			if len(by) > 0 || !said {
				t.Errorf("%s: refused by %v, warned of: %v", x.name, by, said)
			}
		case x.rule == statement:
			stated++
			if len(by) > 0 {
				t.Errorf("%s is a statement, and refused by %v", x.name, by)
			}
			if !slices.ContainsFunc(golden.Statements(), func(s string) bool { return strings.Contains(s, x.says) }) {
				t.Errorf("%s: no statement says %q", x.name, x.says)
			}
		case !slices.Contains(by, x.rule):
			t.Errorf("%s is refused by %v, want %s among them", x.name, by, x.rule)
		default:
			refused++
		}
	}
	t.Logf("%d kinds: %d refused, %d statements, %d warned of", len(forgeries), refused, stated, warnings)
}
