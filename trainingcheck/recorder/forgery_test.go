package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/engine"
)

// forged is a golden in the hands of somebody who makes every hash and every derived number right again.
type forged struct {
	*golden.Golden
	blobs map[string][]byte // by the name in the golden
}

// statement marks a forgery that nobody can notice: it is listed by golden.Statements.
const statement = "statement"

// forgeries are the kinds of forgery, each with the rule that refuses it.
var forgeries = []struct {
	name string
	arm  check.Arm
	edit func(f *forged)
	rule string
	says string // of the statement, a word of its line
}{
	{"a gate loosened", check.NoPredictor, func(f *forged) { *f.Claims[1].Bound = 3 }, "gates", ""},
	{"a gate turned round", check.NoPredictor, func(f *forged) { f.Claims[0].Op = ">" }, "gates", ""},
	{"a question dropped", check.NoPredictor, func(f *forged) { f.Claims = f.Claims[:1] }, "gates", ""},
	{"all questions dropped", check.NoPredictor, func(f *forged) { f.Claims = nil }, "gates", ""},
	{"a question under another check's id", check.NoPredictor, func(f *forged) { f.Claims[0].ID = "T2.alive" }, "gates", ""},
	{"a question about another metric", check.NoPredictor, func(f *forged) { f.Claims[0].Metric = "knn"; *f.Claims[0].Bound = 2 }, "gates", ""},
	{"a question added", check.NoPredictor, func(f *forged) {
		c := f.Claims[0]
		c.ID = "T2.collapse-nosg"
		f.Claims = append(f.Claims, c)
	}, "gates", ""},
	{"a law loosened", check.SimSiam, func(f *forged) { *f.Claims[0].Bound = 1 }, "gates", ""},

	{"a band dropped", check.SimSiam, func(f *forged) { delete(f.Bands, "er") }, "required", ""},
	{"a band opened on one side", check.SimSiam, func(f *forged) { f.Bands["er"] = golden.Band{Rule: golden.Upper} }, "required", ""},
	{"a band for a number that gets none", check.SimSiam, func(f *forged) { f.Bands[MetricState] = golden.Band{Rule: golden.TwoSided} }, "required", ""},
	{"gating called informative", check.SimSiam, func(f *forged) { f.Status = golden.Informative }, "required", ""},
	{"matrices of one run dropped", check.SimSiam, func(f *forged) { f.Runs[4].Snapshots = nil }, "required", ""},
	{"all matrices dropped, with the rules about them", check.SimSiam, func(f *forged) {
		for i := range f.Runs {
			f.Runs[i].Snapshots = nil
		}
		f.Rules = slices.DeleteFunc(f.Rules, func(s string) bool { return s == "moments" || s == "spectra" || s == "trace" })
	}, "required", ""},
	{"seeds dropped", check.SimSiam, func(f *forged) { f.Runs = f.Runs[:6] }, "required", ""},
	{"other kernels named", check.SimSiam, func(f *forged) { f.Provenance.Kernels = f.Provenance.Kernels[:2] }, "required", ""},

	{"another learning rate", check.SimSiam, config("optimizer.lr", .04), "tier", ""},
	{"another decay", check.SimSiam, config("optimizer.wd", .02), "tier", ""},
	{"another momentum", check.SimSiam, config("optimizer.momentum", .5), "tier", ""},
	{"another batch", check.SimSiam, config("batch", 128.), "tier", ""},
	{"another length", check.SimSiam, config("steps", 2000.), "tier", ""},
	{"another width", check.SimSiam, config("net.out", 32.), "tier", ""},
	{"other layers", check.SimSiam, config("net.hidden", []any{64., 64., 64.}), "tier", ""},
	{"another ratio of rates", check.SimSiam, config("predictor.rate_ratio", 2.), "label", ""},
	{"another loss", check.SimSiam, config("loss.kind", "euclidean"), "label", ""},
	{"one direction of the loss", check.SimSiam, config("loss.both_directions", false), "tier", ""},
	{"another convention of decay", check.SimSiam, config("optimizer.predictor_decay", "torch"), "tier", ""},
	{"no decay on biases", check.SimSiam, config("optimizer.exclude_bias_and_norm", true), "tier", ""},
	{"another arithmetic", check.SimSiam, config("precision", "float64"), "tier", ""},
	{"a member that no recipe has", check.SimSiam, config("speed", 3.), "tier", ""},
	{"another arm's recipe", check.SimSiam, config("method", "nostopgrad"), "label", ""},

	{"a date in the future", check.SimSiam, func(f *forged) { f.Created = time.Now().Add(72 * time.Hour).UTC().Format(time.RFC3339) }, "provenance", ""},
	{"other examples", check.SimSiam, func(f *forged) { f.Provenance.Data.SHA256 = strings.Repeat("0", 64) }, "examples", ""},
	{"more training images", check.SimSiam, func(f *forged) { f.Provenance.Data.NTrain = 50000 }, "examples", ""},
	{"fewer test images", check.SimSiam, func(f *forged) { f.Provenance.Data.NTest = 1 }, "examples", ""},
	{"another data set's name", check.SimSiam, func(f *forged) { f.Provenance.Data.Name = "cifar10" }, "examples", ""},
	{"another split", check.SimSiam, func(f *forged) { f.Provenance.Data.Split = "official" }, "examples", ""},
	{"a GPU's engine", check.SimSiam, func(f *forged) { f.Provenance.Engine.Name = engine.GPU }, "provenance", ""},
	{"a GPU's platform", check.SimSiam, func(f *forged) { f.Provenance.Engine.Platform = "cuda" }, "provenance", ""},
	{"a GPU's driver", check.SimSiam, func(f *forged) { f.Provenance.Device.Driver = "580.1" }, "provenance", ""},

	{"a seed renamed", check.SimSiam, func(f *forged) { f.Runs[len(f.Runs)-1].Seed = 77 }, "state", ""},
	{"two seeds exchanged", check.SimSiam, func(f *forged) {
		a, b := &f.Runs[3], &f.Runs[4]
		a.Seed, b.Seed = b.Seed, a.Seed
		f.Runs[3], f.Runs[4] = f.Runs[4], f.Runs[3]
	}, "state", ""},
	{"a run made twice", check.SimSiam, func(f *forged) {
		r := f.Runs[len(f.Runs)-1]
		r.Seed = 21
		f.Runs = append(f.Runs, r)
	}, "state", ""},
	{"the first steps' state", check.SimSiam, func(f *forged) { f.Runs[2].Final[MetricState] += .01 }, "state", ""},
	{"the first steps' state left out", check.SimSiam, func(f *forged) {
		for i := range f.Runs {
			delete(f.Runs[i].Final, MetricState)
		}
	}, "state", ""},
	{"a final number alone", check.SimSiam, func(f *forged) { f.Runs[2].Final["er"] = 4 }, "runs", ""},
	{"a final number and the end of its series", check.SimSiam, func(f *forged) {
		r := &f.Runs[2]
		r.Final["er"] = 4
		r.Series[len(r.Series)-1].Values["er"] = 4
	}, "spectra", ""},
	{"a spectrum", check.SimSiam, func(f *forged) {
		r := &f.Runs[2]
		r.Series[len(r.Series)-1].Spectra["spec_F"][0] *= 2
	}, "spectra", ""},
	{"an entry of a matrix", check.SimSiam, func(f *forged) {
		b := f.blobs[f.Runs[3].Snapshots.File]
		copy(b[len(b)-8:], []byte{0, 0, 128, 63, 0, 0, 128, 63})
	}, "spectra", ""},
	{"ηt of a look", check.SimSiam, func(f *forged) { f.Runs[1].Series[3].TEta *= 1.01 }, "series", ""},
	{"a look left out", check.SimSiam, func(f *forged) { f.Runs[1].Series = slices.Delete(f.Runs[1].Series, 4, 5) }, "series", ""},
	{"a look moved", check.SimSiam, func(f *forged) { f.Runs[1].Series[3].Step += 5 }, "series", ""},

	{"the commit", check.SimSiam, func(f *forged) { f.Provenance.GitCommit = strings.Repeat("a", 40) }, statement, "git_commit"},
	{"the command", check.SimSiam, func(f *forged) { f.Provenance.Command = "go run . golden record --seeds=0" }, statement, "command"},
	{"the device", check.SimSiam, func(f *forged) { f.Provenance.Device.Name = "another processor" }, statement, "device"},
	{"the host", check.SimSiam, func(f *forged) { f.Provenance.Host.Go = "go1.99" }, statement, "host"},
	{"the engine's version", check.SimSiam, func(f *forged) { f.Provenance.Engine.Version = "stopgrad@v9" }, statement, "version"},
	{"the time it took", check.SimSiam, func(f *forged) { f.Provenance.WallS = 1 }, statement, "wall_s"},
	{"an earlier date", check.SimSiam, func(f *forged) { f.Created = "2020-01-01T00:00:00Z" }, statement, "created"},
	{"the sources' hash, without the sources", check.SimSiam, func(f *forged) { f.Provenance.KernelsSHA256 = strings.Repeat("0", 64) }, statement, "kernels_sha256"},
	{"an accuracy", check.SimSiam, func(f *forged) { f.Runs[2].Final["knn"] = .9 }, statement, "accuracies"},
	{"a loss", check.SimSiam, func(f *forged) { f.Runs[2].Series[5].Values["loss"] = .1 }, statement, "losses"},
	{"a look between kept matrices", check.SimSiam, func(f *forged) { f.Runs[5].Series[5].Values["er"] = 3 }, statement, "between"},
	{"the worst deviation of a law", check.SimSiam, func(f *forged) { f.Runs[2].Final[MetricBallError] = 0 }, statement, "ball_error"},
	{"what was not reproduced", check.SimSiam, func(f *forged) { f.NotReproduced = []string{"nothing"} }, statement, "not_reproduced"},
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
func forge(t *testing.T, fsys fs.FS, a check.Arm) *forged {
	t.Helper()
	text, err := fs.ReadFile(fsys, ID(check.Mini, engine.CPU, a)+".json")
	if err != nil {
		t.Fatal(err)
	}
	g, err := golden.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	f := &forged{g, map[string][]byte{}}
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
		for _, r := range f.Runs {
			if r.Rerun != 0 {
				continue
			}
			v := r.Final[c.Metric]
			c.Seeds, c.Values = append(c.Seeds, r.Seed), append(c.Values, v)
			c.Pass = c.Pass && (c.Op == ">" && v > *c.Bound || c.Op == "<" && v < *c.Bound)
		}
		p := golden.Paired(c.Values, 0)
		c.Mean, c.SE = p.Mean, p.SE
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
	v := &golden.Verifier{Extra: Rules}
	verify := func(f *forged) golden.FileReport {
		r, _ := v.VerifyDir(context.Background(), f.files(t), nil)
		if len(r.Files) != 1 {
			t.Fatalf("%d files", len(r.Files))
		}
		return r.Files[0]
	}
	for _, a := range []check.Arm{check.SimSiam, check.NoPredictor} {
		whole := forge(t, fsys, a)
		if whole.seal(t) != whole.SHA256 {
			t.Fatalf("%s: the seal is not that of this test's encoder", a)
		}
		for _, o := range verify(whole).Outcomes {
			if o.State == golden.Fail {
				t.Fatalf("%s as it is: %v", a, o.Err)
			}
		}
	}
	refused, stated := 0, 0
	for _, x := range forgeries {
		f := forge(t, fsys, x.arm)
		x.edit(f)
		var by []string
		for _, o := range verify(f).Outcomes {
			if o.State == golden.Fail {
				by = append(by, o.Rule)
			}
		}
		switch {
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
	t.Logf("%d kinds: %d refused, %d statements", len(forgeries), refused, stated)
}
