package golden

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

func checkSeal(s *Subject) Outcome {
	n, err := s.json()
	if err != nil {
		return Failed(err)
	}
	sum := sealOf(n)
	if sum != s.Golden.SHA256 {
		return Failed(refuse("sha256", "the content hashes to %.12s…, the file says %.12s…: it was edited after recording", sum, s.Golden.SHA256))
	}
	return Passed("content hash %.12s…", sum)
}

// rederiveTolerance bounds the relative difference between a recorded derived number and the recomputed one. Both are
// computed by this package from the same float64 inputs, so they differ only where a compiler fuses multiply and add
// differently: a few ulp of the largest summand, 2.2e-16 each.
const rederiveTolerance = 1e-12

// factorTolerance is the same for tolerance factors, which pass through a quadrature of 384 points and a root search
// whose condition number is of order one.
const factorTolerance = 1e-10

// same reports whether a and b agree to tol, relative to scale or to themselves.
func same(a, b, scale, tol float64) bool {
	return math.Abs(a-b) <= tol*max(math.Abs(a), math.Abs(b), scale) || a == b
}

func checkRecipe(s *Subject) Outcome {
	g := s.Golden
	sum, err := g.Config.SHA256()
	if err != nil {
		return Failed(err)
	}
	if sum != g.Provenance.RecipeSHA256 {
		return Failed(refuse("provenance.recipe_sha256", "config hashes to %.12s…, recorded %.12s…", sum, g.Provenance.RecipeSHA256))
	}
	if g.Kind != Statistics {
		return Passed("config hash %.12s…", sum)
	}
	derived, err := g.Config.derived()
	if err != nil {
		return Failed(err)
	}
	if derived == nil {
		return Failed(refuse("config.optimizer", "missing"))
	}
	for _, m := range derived.members {
		path := "derived." + m.key
		if got, err := g.Config.Number(path); err != nil || !same(got, m.value.number, 0, rederiveTolerance) {
			return Failed(refuse("config."+path, "must be %s, which the other hyper-parameters give", formatNumber(m.value.number)))
		}
	}
	if n := g.Config.find("derived"); len(n.members) != len(derived.members) {
		return Failed(refuse("config.derived", "has members that follow from nothing"))
	}
	method, err := g.Config.Text(KeyMethod)
	if err != nil {
		return Failed(err)
	}
	if !g.Config.Direct() {
		if g.Config.Has(KeyDirect) {
			return Failed(refuse("config."+KeyDirect, "only direct methods have it, the method is %s", method))
		}
		return Passed("config hash %.12s…", sum)
	}
	if !g.Config.Has(KeyDirect) {
		return Failed(refuse("config."+KeyDirect, "missing, and method %s needs it", method))
	}
	var rho, eps, freq float64
	if err := g.Config.numbers(KeyRho, &rho, KeyEps, &eps, KeyFreq, &freq); err != nil {
		return Failed(err)
	}
	if _, err := g.Config.power(); err != nil {
		return Failed(err)
	}
	if form, err := g.Config.Text(KeyFormula); err != nil || form != FormulaCode && form != FormulaSlide {
		return Failed(refuse("config."+KeyFormula, "must be %q or %q", FormulaCode, FormulaSlide))
	}
	if freq < 1 || freq != math.Trunc(freq) || rho < 0 || rho >= 1 {
		return Failed(refuse("config."+KeyDirect, "rho %g must lie in [0, 1) and freq %g be a positive integer", rho, freq))
	}
	return Passed("config hash %.12s…", sum)
}

// machinePath matches an absolute path or a home folder inside a text.
var machinePath = regexp.MustCompile(`(^|[\s"'=:,(])(/[A-Za-z0-9._-]+/|/(home|root|tmp|usr|opt|mnt|var|etc)\b|~/|[A-Za-z]:\\|\\\\[A-Za-z]|file://)`)

// commitPattern matches an abbreviated or full Git object name.
var commitPattern = regexp.MustCompile(`^([0-9a-f]{7,64}|none)$`)

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}

func checkProvenance(s *Subject) Outcome {
	g, p := s.Golden, s.Golden.Provenance
	type text struct{ field, value string }
	texts := []text{
		{"command", p.Command}, {"engine.name", p.Engine.Name}, {"engine.version", p.Engine.Version},
		{"device.name", p.Device.Name}, {"host.cpu", p.Host.CPU}, {"host.os", p.Host.OS}, {"host.go", p.Host.Go},
		{"host.goarch", p.Host.GOARCH}, {"rng", p.RNG},
	}
	plugin := []text{{"engine.platform", p.Engine.Platform}, {"engine.plugin", p.Engine.Plugin}}
	accelerator := []text{{"device.sm", p.Device.SM}, {"device.driver", p.Device.Driver}, {"device.cuda", p.Device.CUDA}, {"device.cudnn", p.Device.CUDNN}}
	given := func(t text) bool { return t.value != "" }
	if slices.ContainsFunc(accelerator, given) {
		texts = append(texts, accelerator...) // all or none: a GPU is described whole
		texts = append(texts, plugin...)
	} else if slices.ContainsFunc(plugin, given) {
		texts = append(texts, plugin...)
	}
	hashes := []text{{"kernels_sha256", p.KernelsSHA256}}
	switch {
	case p.Data != nil:
		texts = append(texts, text{"data.name", p.Data.Name}, text{"data.split", p.Data.Split}, text{"data.decoder", p.Data.Decoder})
		if p.Data.SHA256 != Generated {
			hashes = append(hashes, text{"data.sha256", p.Data.SHA256})
		}
	case g.Kind == Statistics:
		return Failed(refuse("provenance.data", "missing, and %s needs it", g.Kind))
	}
	for _, f := range texts {
		if strings.TrimSpace(f.value) == "" {
			return Failed(refuse("provenance."+f.field, "empty"))
		}
	}
	if err := checkPlatform(p); err != nil {
		return Failed(err)
	}
	for _, f := range hashes {
		if !isSHA256(f.value) {
			return Failed(refuse("provenance."+f.field, "%q is no SHA-256 in lower-case hex", f.value))
		}
	}
	switch {
	case !commitPattern.MatchString(p.GitCommit):
		return Failed(refuse("provenance.git_commit", "%q is neither a commit nor \"none\"", p.GitCommit))
	case p.GitCommit == "none" && !p.Dirty:
		return Failed(refuse("provenance.dirty", "a tree without a commit is dirty"))
	case !slices.Contains(precisions, p.Engine.Precision):
		return Failed(refuse("provenance.engine.precision", "unknown precision %q", p.Engine.Precision))
	case len(p.Kernels) == 0:
		return Failed(refuse("provenance.kernels", "no source folder named"))
	case p.WallS < 0:
		return Failed(refuse("provenance.wall_s", "negative"))
	case g.Status != Gating && g.Status != Informative:
		return Failed(refuse("status", "%q is neither %s nor %s", g.Status, Gating, Informative))
	}
	for i, k := range p.Kernels {
		if !fs.ValidPath(k) {
			return Failed(refuse(fmt.Sprintf("provenance.kernels[%d]", i), "%q is no folder inside the project", k))
		}
	}
	if t, err := time.Parse(time.RFC3339, g.Created); err != nil || t.Location() != time.UTC {
		return Failed(refuse("created", "%q is no RFC 3339 time in UTC", g.Created))
	} else if t.After(time.Now().Add(clockSkew)) {
		return Failed(refuse("created", "%s lies in the future", g.Created))
	}
	if g.Supersedes != nil {
		if strings.TrimSpace(g.Supersedes.Reason) == "" {
			return Failed(refuse("supersedes.reason", "empty"))
		}
		if !isSHA256(g.Supersedes.FileSHA256) {
			return Failed(refuse("supersedes.file_sha256", "%q is no SHA-256 in lower-case hex", g.Supersedes.FileSHA256))
		}
	}
	n, err := s.json()
	if err != nil {
		return Failed(err)
	}
	if err := scanTexts(n, "", func(field, text string) error {
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			return refuse(field, "%q has a character that is not printed: a terminal may obey it", text)
		}
		if m := machinePath.FindString(text); m != "" {
			return refuse(field, "%q names a path on a machine", text)
		}
		return nil
	}); err != nil {
		return Failed(err)
	}
	if p.Dirty && g.Status == Gating {
		return Outcome{State: Warn, Detail: "gating, but recorded from a tree with uncommitted changes"}
	}
	return Passed("commit %.12s", p.GitCommit)
}

// clockSkew is how far the clocks of the recorder and of the reader may be apart.
const clockSkew = 24 * time.Hour

// platformCUDA is what XLA's client reports on an NVIDIA GPU.
const platformCUDA = "cuda"

// computeCapability is that of an NVIDIA GPU, such as 9.0.
var computeCapability = regexp.MustCompile(`^[1-9][0-9]*\.[0-9]+$`)

// checkPlatform refuses results that pass for those of a GPU and are not: an engine is a GPU, by its name, exactly when
// the platform that its client reported is CUDA, and then the compute capability and the driver are known. A device is
// described as a GPU there alone.
func checkPlatform(p Provenance) error {
	gpu := strings.HasPrefix(p.Engine.Name, "gpu")
	switch {
	case gpu && p.Engine.Platform != platformCUDA:
		return refuse("provenance.engine.platform", "the engine %s ran on platform %q, want %q", p.Engine.Name, p.Engine.Platform, platformCUDA)
	case !gpu && p.Engine.Platform == platformCUDA:
		return refuse("provenance.engine.platform", "the engine %s is no GPU and ran on platform %q", p.Engine.Name, p.Engine.Platform)
	case !gpu && p.Device.SM+p.Device.Driver+p.Device.CUDA+p.Device.CUDNN != "":
		return refuse("provenance.device", "described as a GPU, and the engine %s is none", p.Engine.Name)
	case gpu && !computeCapability.MatchString(p.Device.SM):
		return refuse("provenance.device.sm", "%q is no compute capability, such as 9.0", p.Device.SM)
	case gpu && (p.Device.Driver == Unknown || p.Device.Driver == ""):
		return refuse("provenance.device.driver", "%q: a result of a GPU names its driver", p.Device.Driver)
	}
	return nil
}

// scanTexts calls visit for every string of the tree.
func scanTexts(n *node, field string, visit func(field, text string) error) error {
	switch n.kind {
	case stringNode:
		return visit(field, n.text)
	case arrayNode:
		for i, v := range n.items {
			if err := scanTexts(v, fmt.Sprintf("%s[%d]", field, i), visit); err != nil {
				return err
			}
		}
	case objectNode:
		for _, m := range n.members {
			if err := scanTexts(m.value, childPath(field, m.key), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// blobs calls visit for every matrix file of the runs.
func (g *Golden) blobs(visit func(field string, r *Run, b *Blob) error) error {
	for i := range g.Runs {
		r := &g.Runs[i]
		for _, x := range []struct {
			name string
			blob *Blob
		}{{"snapshots", r.Snapshots}, {"segment", r.Segment}} {
			if x.blob == nil {
				continue
			}
			if err := visit(fmt.Sprintf("runs[%d].%s", i, x.name), r, x.blob); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkFiles(s *Subject) Outcome {
	g := s.Golden
	if !idPattern.MatchString(g.ID) {
		return Failed(refuse("id", "%q is no id (letters, digits, dots, dashes, underscores)", g.ID))
	}
	var first error
	files, bytes := 0, int64(0)
	s.loaded = true
	_ = g.blobs(func(field string, r *Run, b *Blob) error {
		err := s.loadBlob(field, r, b)
		if err != nil && first == nil {
			first = err
		}
		files++
		bytes += b.Bytes
		return nil
	})
	if first != nil {
		return Failed(first)
	}
	if base := path.Base(s.File); base != g.ID+".json" {
		return Failed(refuse("id", "the file of golden %q must be named %s.json", g.ID, g.ID))
	}
	return Passed("%d matrix files, %d bytes", files, bytes)
}

// maxMatrices bounds the matrix files of one golden, which are held together; the largest recorded have a megabyte.
const maxMatrices = 256 << 20

// loadBlob reads and decodes one matrix file. A file whose hash is wrong is still decoded if it can be, so that the
// later rules can say what is wrong in it.
func (s *Subject) loadBlob(field string, r *Run, b *Blob) error {
	if path.Base(b.File) != b.File || !fs.ValidPath(b.File) || b.File == "." {
		s.loaded = false
		return refuse(field+".file", "%q is no file name in the golden's folder", b.File)
	}
	beside := path.Join(path.Dir(s.File), b.File)
	fileError := func(err error) error {
		e := &Error{Offset: -1, Err: err, File: beside}
		var inner *Error
		if errors.As(err, &inner) {
			*e = *inner
			e.File = beside
		}
		if e.Field == "" {
			e.Field = field
		}
		return e
	}
	data, err := s.read(b.File)
	if err == nil && int64(len(data)) > maxMatrices-s.held {
		err = fmt.Errorf("with it the golden has more than the %d bytes of matrices that are held", int64(maxMatrices))
	}
	if err != nil {
		s.loaded = false
		return fileError(err)
	}
	s.held += int64(len(data))
	decodeErr := decodeBlob(b, data, s.Golden.Provenance.RecipeSHA256, r.Seed, r.Rerun)
	if decodeErr != nil {
		s.loaded = false
		return fileError(decodeErr)
	}
	if int64(len(data)) != b.Bytes {
		return fileError(fmt.Errorf("%d bytes, recorded %d", len(data), b.Bytes))
	}
	if sum := hexSHA256(data); sum != b.SHA256 {
		return fileError(fmt.Errorf("hashes to %.12s…, recorded %.12s…: it was edited after recording", sum, b.SHA256))
	}
	return nil
}

// checkStale warns when the sources that computed the numbers have changed since.
func checkStale(s *Subject) Outcome {
	o := Outcome{Rule: ruleStale, State: Unchecked, Detail: "the project's sources are not at hand"}
	if s.verifier.Sources == nil {
		return o
	}
	sum, err := HashSources(s.verifier.Sources, s.Golden.Provenance.Kernels...)
	switch {
	case err != nil:
		o.State, o.Detail = Warn, "recorded with older kernels: "+err.Error()
	case sum != s.Golden.Provenance.KernelsSHA256:
		o.State, o.Detail = Warn, fmt.Sprintf("recorded with older kernels: %s hash to %.12s…, recorded %.12s…",
			strings.Join(s.Golden.Provenance.Kernels, ", "), sum, s.Golden.Provenance.KernelsSHA256)
	default:
		o.State, o.Detail = Pass, "kernels unchanged"
	}
	return o
}
