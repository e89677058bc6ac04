package golden

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
)

// Schema is the format written and read by this package.
const Schema = "ssl-golden/1"

// Kind says what a golden records, and so which members and rules it has.
type Kind string

const (
	// Statistics is raw training runs over seeds with the bands and verdicts derived from them.
	Statistics Kind = "statistics"
	// CounterexampleKind is an exact witness against a claim.
	CounterexampleKind Kind = "counterexample"
	// ParityKind is scalars of one computation on one engine, for another engine to reproduce.
	ParityKind Kind = "parity"
)

// Status says whether a golden's bands gate new runs.
type Status string

const (
	Gating      Status = "gating"
	Informative Status = "informative"
)

// Golden is one recorded result: the content of one file ID.json. Members marked "derived" are filled by Record and
// recomputed by Verify.
type Golden struct {
	Schema         string          `json:"schema"`
	ID             string          `json:"id"` // file name without .json, such as T2-mini.byol-lin
	Kind           Kind            `json:"kind"`
	Status         Status          `json:"status"`
	Created        string          `json:"created"` // RFC 3339 in UTC
	Provenance     Provenance      `json:"provenance"`
	Config         Config          `json:"config"`
	Runs           []Run           `json:"runs,omitempty"`
	Bands          map[string]Band `json:"bands,omitempty"` // by final metric
	Claims         []Claim         `json:"claims,omitempty"`
	NotReproduced  []string        `json:"not_reproduced,omitempty"`
	Counterexample *Counterexample `json:"counterexample,omitempty"`
	Parity         *Parity         `json:"parity,omitempty"`
	Extra          *Extra          `json:"extra,omitempty"` // for rules that other packages add
	Rules          []string        `json:"rules"`           // derived: the rules that held when it was recorded
	Supersedes     *Supersedes     `json:"supersedes"`      // derived: null for a first recording
	SHA256         string          `json:"sha256"`          // derived: of the canonical JSON without this member
}

// Provenance says where the numbers came from. It holds no machine path and no host name.
type Provenance struct {
	GitCommit string `json:"git_commit"` // lower-case hex, or "none" in a tree without commits
	Dirty     bool   `json:"dirty"`      // the source tree differed from that commit
	Command   string `json:"command"`    // what produced the runs, as typed in the project's root
	Engine    Engine `json:"engine"`
	Device    Device `json:"device"`
	Host      Host   `json:"host"`
	Data      *Data  `json:"data,omitempty"` // nil for what needs no examples
	// WallS is the wall-clock time of all runs in seconds; informative, never compared.
	WallS float64 `json:"wall_s"`
	// RecipeSHA256 is the SHA-256 of the canonical JSON of Config; derived.
	RecipeSHA256 string `json:"recipe_sha256"`
	// Kernels names the source folders, relative to the project's root, that compute the numbers.
	Kernels []string `json:"kernels"`
	// KernelsSHA256 is HashSources over Kernels at the time of recording.
	KernelsSHA256 string `json:"kernels_sha256"`
	RNG           string `json:"rng"` // generator and version of the stream layout
}

// Precision is the arithmetic of the matrix products.
type Precision string

const (
	FP64 Precision = "fp64"
	FP32 Precision = "fp32"
	TF32 Precision = "tf32"
	BF16 Precision = "bf16"
)

var precisions = []Precision{FP64, FP32, TF32, BF16}

// Engine is the software that trained.
type Engine struct {
	Name          string    `json:"name"`
	Version       string    `json:"version"`
	Precision     Precision `json:"precision"`
	Deterministic bool      `json:"deterministic"` // the same seed gives the same bits on the same machine
	// Platform is what XLA's client said that it runs on, such as cpu or cuda; empty for engines that are not XLA.
	Platform string `json:"platform,omitempty"`
	// Plugin is package@version of XLA's plugin, with the version of its C API; empty for engines that are not XLA.
	Plugin string `json:"plugin,omitempty"`
}

// Unknown stands for a member of the provenance that could not be found out.
const Unknown = "unknown"

// Device is the hardware that trained. The other members are empty on a CPU; on a GPU each has its value or Unknown.
type Device struct {
	Name   string `json:"name"`
	SM     string `json:"sm,omitempty"`     // compute capability, such as 9.0
	Driver string `json:"driver,omitempty"` // version of the kernel driver
	CUDA   string `json:"cuda,omitempty"`   // version of the CUDA runtime
	CUDNN  string `json:"cudnn,omitempty"`  // version of cuDNN
}

// Host is the machine and the Go toolchain that ran the program.
type Host struct {
	CPU          string `json:"cpu"`
	Cores        int    `json:"cores"`
	OS           string `json:"os"`
	Go           string `json:"go"`
	GOARCH       string `json:"goarch"`
	GOAMD64      string `json:"goamd64"` // empty on other architectures
	GOEXPERIMENT string `json:"goexperiment"`
}

// Data identifies the examples; NTest counts distinct examples, on which accuracy floors rest.
type Data struct {
	Name    string `json:"name"`
	SHA256  string `json:"sha256"` // or Generated
	NTrain  int    `json:"n_train"`
	NTest   int    `json:"n_test"`
	Decoder string `json:"decoder"` // name and version of what turned bytes into pixels
	Split   string `json:"split"`
}

// Generated stands for the hash of examples that are drawn from the run's own generator.
const Generated = "generated"

// Run is one training run.
type Run struct {
	Seed      uint64             `json:"seed"`
	Rerun     int                `json:"rerun"` // 0 for the first run of a seed; repeats measure nondeterminism
	Final     map[string]float64 `json:"final"` // metric → value after the last step
	Series    []Point            `json:"series,omitempty"`
	Snapshots *Blob              `json:"snapshots,omitempty"` // matrices at a few steps
	Segment   *Blob              `json:"segment,omitempty"`   // matrices at consecutive steps
}

// Point is one logged step of a run. Its JSON object is flat: step, t_eta, then one member per metric (a number) or
// spectrum (an array of numbers).
type Point struct {
	Step    int     // completed optimiser steps
	TEta    float64 // η·t, the total decay so far
	Values  map[string]float64
	Spectra map[string][]float64
}

// MarshalJSON writes the flat object.
func (p Point) MarshalJSON() ([]byte, error) {
	flat := map[string]any{"step": p.Step, "t_eta": p.TEta}
	for k, v := range p.Values {
		flat[k] = v
	}
	for k, v := range p.Spectra {
		flat[k] = v
	}
	return json.Marshal(flat)
}

func (p *Point) bindNode(n *node, path string) error {
	if n.kind != objectNode {
		return mistyped(n, path, objectNode)
	}
	p.Step = -1
	sawEta := false
	for _, m := range n.members {
		field := childPath(path, m.key)
		switch {
		case m.key == "step":
			if err := bind(m.value, reflect.ValueOf(&p.Step).Elem(), field); err != nil {
				return err
			}
			if p.Step < 0 {
				return at(m.value, field, "negative step %d", p.Step)
			}
		case m.key == "t_eta":
			if err := bind(m.value, reflect.ValueOf(&p.TEta).Elem(), field); err != nil {
				return err
			}
			sawEta = true
		case !metricName.MatchString(m.key):
			return at(m.value, field, "%q is no metric name (letters, digits and underscores)", m.key)
		case m.value.kind == arrayNode:
			var s []float64
			if err := bind(m.value, reflect.ValueOf(&s).Elem(), field); err != nil {
				return err
			}
			if p.Spectra == nil {
				p.Spectra = make(map[string][]float64)
			}
			p.Spectra[m.key] = s
		default:
			var x float64
			if err := bind(m.value, reflect.ValueOf(&x).Elem(), field); err != nil {
				return err
			}
			if p.Values == nil {
				p.Values = make(map[string]float64)
			}
			p.Values[m.key] = x
		}
	}
	if p.Step < 0 {
		return at(n, childPath(path, "step"), "missing")
	}
	if !sawEta {
		return at(n, childPath(path, "t_eta"), "missing")
	}
	return nil
}

var metricName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// Counterexample is an exact witness against a claim. Values are exact rationals in lowest terms, as text ("-3/5").
type Counterexample struct {
	Claim     string            `json:"claim"`     // claim id
	Statement string            `json:"statement"` // the inequality or identity that the witness breaks, as text
	Witness   map[string]string `json:"witness"`   // symbol → rational
	Residual  string            `json:"residual"`  // by how much it is broken: a nonzero rational
	Found     Search            `json:"found"`
}

// Search says how a counterexample was found.
type Search struct {
	By          string `json:"by"` // generator or method
	Seed        uint64 `json:"seed"`
	Budget      string `json:"budget"`
	Evaluations int64  `json:"evaluations"`
}

// Parity records scalars that another engine must reproduce from the same seed-generated inputs.
type Parity struct {
	Computation string             `json:"computation"` // name of the registered recomputation
	Seed        uint64             `json:"seed"`
	InputSHA256 string             `json:"input_sha256"` // of the generated weights and examples, as the recomputation defines it
	Values      map[string]float64 `json:"values"`       // loss, gradient norms, entries of F
	// Timings say how long the computation takes on the golden's device, in several programs beside each other.
	Timings []Timing `json:"timings,omitempty"`
}

// Timing is how long the computation of a golden takes with the batch and precision given here in place of the config's.
// Each time is that of one whole step as its caller sees it: views in from the host's memory, or where Program says
// resident what they are made from, and the loss read back.
type Timing struct {
	Program    string    `json:"program"` // such as stopgrad, pytorch-eager, pytorch-compile
	Version    string    `json:"version"` // of the program or the libraries that compute in it
	Device     string    `json:"device"`  // as in the golden's provenance
	Precision  Precision `json:"precision"`
	Batch      int       `json:"batch"`        // examples a step, each in two views
	Steps      int       `json:"steps"`        // timed, after warm-up
	MedianMS   float64   `json:"ms_median"`    // of one step, milliseconds
	MinMS      float64   `json:"ms_min"`       // of one step, milliseconds
	ImagesPerS float64   `json:"images_per_s"` // 1000·batch/ms_median
}

// Scalar is one value of a parity golden computed again in float64.
type Scalar struct {
	Value float64
	// Tolerance is the relative difference allowed for a value that the format's rounding alone does not bound; 0 is that
	// of the golden's precision.
	Tolerance float64
}

// Supersedes links a golden to the one it replaced.
type Supersedes struct {
	FileSHA256 string `json:"file_sha256"` // of the replaced file's bytes
	Reason     string `json:"reason"`
}

// Extra is a free JSON object under the seal, for rules that other packages add through Verifier.Extra.
type Extra struct {
	JSON json.RawMessage
}

// MarshalJSON returns the object.
func (e Extra) MarshalJSON() ([]byte, error) { return e.JSON, nil }

func (e *Extra) bindNode(n *node, path string) error {
	if n.kind != objectNode {
		return mistyped(n, path, objectNode)
	}
	e.JSON = canonical(nil, n, "")
	return nil
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// tree returns g as a JSON tree.
func (g *Golden) tree() (*node, error) {
	text, err := json.Marshal(g)
	if err != nil {
		var bad *json.UnsupportedValueError
		if errors.As(err, &bad) {
			return nil, refuse("", "a value is %s, which JSON cannot hold", bad.Str)
		}
		return nil, fmt.Errorf("golden: %w", err)
	}
	n, err := parseJSON(text, false)
	if s := asSyntax(err); s != nil {
		return nil, refuse(s.field, "%s", s.msg)
	}
	return n, err
}

// Encode returns the file of g: sorted keys, shortest numbers, one member a line.
func (g *Golden) Encode() ([]byte, error) {
	n, err := g.tree()
	if err != nil {
		return nil, err
	}
	return append(pretty(nil, n, ""), '\n'), nil
}

// Decode reads a golden strictly: an unknown, missing or repeated key, a wrong type, a number that is NaN or not in
// its shortest form, truncation and trailing data are errors of type *Error with the field and the byte offset. It
// checks form only; see Verify.
func Decode(text []byte) (*Golden, error) {
	g, _, err := decode(text)
	return g, err
}

// decode is Decode that also returns the JSON tree of the text.
func decode(text []byte) (*Golden, *node, error) {
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return nil, nil, &Error{Rule: ruleForm, Err: errors.New("the file starts with a byte-order mark")}
	}
	n, err := parseJSON(text, true)
	if s := asSyntax(err); s != nil {
		return nil, nil, &Error{Rule: ruleForm, Field: s.field, Offset: int64(s.offset), Err: s}
	}
	if n.kind == objectNode {
		// A file of another schema would fail on some key first; say the real reason.
		if v := n.get("schema"); v != nil && v.kind == stringNode && v.text != Schema {
			return nil, nil, &Error{Rule: ruleForm, Field: "schema", Offset: int64(v.offset),
				Err: fmt.Errorf("schema %q, this program reads %q", v.text, Schema)}
		}
	}
	g := new(Golden)
	if err := bind(n, reflect.ValueOf(g).Elem(), ""); err != nil {
		e := err.(*Error)
		e.Rule = ruleForm
		return nil, nil, e
	}
	return g, n, nil
}

// seal returns the SHA-256 of the canonical JSON of g without its sha256 member.
func (g *Golden) seal() (string, error) {
	n, err := g.tree()
	if err != nil {
		return "", err
	}
	return sealOf(n), nil
}

func sealOf(n *node) string { return hexSHA256(canonical(nil, n, "sha256")) }

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// seeds returns the distinct seeds in ascending order.
func (g *Golden) seeds() []uint64 {
	set := make(map[uint64]bool)
	for _, r := range g.Runs {
		set[r.Seed] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// finals returns the value of metric in the first run of every seed, by ascending seed.
func (g *Golden) finals(metric string) (values []float64, err error) {
	for _, seed := range g.seeds() {
		i := slices.IndexFunc(g.Runs, func(r Run) bool { return r.Seed == seed && r.Rerun == 0 })
		if i < 0 {
			return nil, refuse("runs", "seed %d has reruns but no run numbered 0", seed)
		}
		v, ok := g.Runs[i].Final[metric]
		if !ok {
			return nil, refuse(fmt.Sprintf("runs[%d].final.%s", i, metric), "missing")
		}
		values = append(values, v)
	}
	return values, nil
}
