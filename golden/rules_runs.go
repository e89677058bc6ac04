package golden

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

func checkRuns(s *Subject) Outcome {
	g := s.Golden
	if g.Kind != Statistics {
		if len(g.Runs)+len(g.Bands)+len(g.Claims) > 0 {
			return Failed(refuse("kind", "a %s has no runs, bands or claims", g.Kind))
		}
		if (g.Kind == CounterexampleKind) != (g.Counterexample != nil) || (g.Kind == ParityKind) != (g.Parity != nil) {
			return Failed(refuse("kind", "%q does not fit the members present", g.Kind))
		}
		return Passed("a %s", g.Kind)
	}
	if g.Counterexample != nil || g.Parity != nil {
		return Failed(refuse("kind", "a %s has neither counterexample nor parity", g.Kind))
	}
	if len(g.Runs) == 0 {
		return Failed(refuse("runs", "none"))
	}
	if n := len(g.seeds()); g.Status == Gating && n < MinSeeds {
		return Failed(refuse("runs", "%d seeds; gating needs at least %d", n, MinSeeds))
	}
	steps, err := g.Config.Number(KeySteps)
	if err != nil {
		return Failed(err)
	}
	metrics := slices.Sorted(maps.Keys(g.Runs[0].Final))
	if len(metrics) == 0 {
		return Failed(refuse("runs[0].final", "no metric"))
	}
	for i := range g.Runs {
		r := &g.Runs[i]
		field := fmt.Sprintf("runs[%d]", i)
		if r.Rerun < 0 {
			return Failed(refuse(field+".rerun", "negative"))
		}
		if i > 0 {
			p := g.Runs[i-1]
			if p.Seed == r.Seed && p.Rerun == r.Rerun {
				return Failed(refuse(field, "seed %d, rerun %d appears twice", r.Seed, r.Rerun))
			}
			if p.Seed > r.Seed || p.Seed == r.Seed && p.Rerun > r.Rerun {
				return Failed(refuse(field, "runs are not sorted by seed and rerun"))
			}
		}
		if i == 0 || g.Runs[i-1].Seed != r.Seed {
			if r.Rerun != 0 {
				return Failed(refuse(field, "seed %d has reruns but no run numbered 0", r.Seed))
			}
		}
		if got := slices.Sorted(maps.Keys(r.Final)); !slices.Equal(got, metrics) {
			return Failed(refuse(field+".final", "metrics %v, the first run has %v", got, metrics))
		}
		if err := checkSeries(r, field, steps); err != nil {
			return Failed(err)
		}
	}
	err = g.blobs(func(field string, _ *Run, b *Blob) error {
		seen := make(map[string]bool)
		for _, t := range b.Tensors {
			if seen[t.label()] {
				return refuse(field, "%s appears twice", t.label())
			}
			seen[t.label()] = true
			if float64(t.Step) > steps {
				return refuse(field, "%s lies beyond the last step, %g", t.label(), steps)
			}
		}
		return nil
	})
	if err != nil {
		return Failed(err)
	}
	return Passed("%d runs of %d seeds, %d metrics", len(g.Runs), len(g.seeds()), len(metrics))
}

// checkSeries checks ranges and order of a run, and that its final metrics are those of its last logged step.
func checkSeries(r *Run, field string, steps float64) error {
	inRange := func(metric string, v float64, where string) error {
		if !metricName.MatchString(metric) {
			return refuse(where, "%q is no metric name", metric)
		}
		if lo, hi, why := metricRange(metric); !(v >= lo && v <= hi) {
			return refuse(where, "%g is impossible for %s (%s)", v, metric, why)
		}
		return nil
	}
	for _, m := range slices.Sorted(maps.Keys(r.Final)) {
		if err := inRange(m, r.Final[m], field+".final."+m); err != nil {
			return err
		}
	}
	for j, p := range r.Series {
		where := fmt.Sprintf("%s.series[%d]", field, j)
		if j > 0 && p.Step <= r.Series[j-1].Step {
			return refuse(where+".step", "%d does not come after %d", p.Step, r.Series[j-1].Step)
		}
		if float64(p.Step) > steps {
			return refuse(where+".step", "%d lies beyond the last step, %g", p.Step, steps)
		}
		for _, m := range slices.Sorted(maps.Keys(p.Values)) {
			if err := inRange(m, p.Values[m], where+"."+m); err != nil {
				return err
			}
		}
	}
	if len(r.Series) == 0 {
		return nil
	}
	last := r.Series[len(r.Series)-1]
	if float64(last.Step) != steps {
		return nil
	}
	for _, m := range slices.Sorted(maps.Keys(last.Values)) {
		if v, ok := r.Final[m]; ok && !same(v, last.Values[m], 0, rederiveTolerance) {
			return refuse(field+".final."+m, "%s, but the series ends at %s", formatNumber(v), formatNumber(last.Values[m]))
		}
	}
	return nil
}

func checkBands(s *Subject) Outcome {
	g := s.Golden
	if len(g.Bands) == 0 {
		if g.Status == Gating {
			return Failed(refuse("bands", "a gating golden has at least one"))
		}
		return NothingToCheck("no bands")
	}
	tol := gauge{tolerance: rederiveTolerance}
	for _, metric := range slices.Sorted(maps.Keys(g.Bands)) {
		got := g.Bands[metric]
		want, err := g.DeriveBand(metric, got.Rule)
		if err != nil {
			return Failed(err)
		}
		field := "bands." + metric
		if got.N != want.N {
			return Failed(refuse(field+".n", "recorded %d, the runs have %d seeds", got.N, want.N))
		}
		if got.Reruns != want.Reruns {
			return Failed(refuse(field+".reruns", "recorded %d, the runs give %d", got.Reruns, want.Reruns))
		}
		if !same(got.K, want.K, 0, factorTolerance) {
			return Failed(refuse(field+".k", "recorded %s, k(%d) is %s", formatNumber(got.K), want.N, formatNumber(want.K)))
		}
		values, err := g.finals(metric)
		if err != nil {
			return Failed(err)
		}
		var scale float64
		for _, v := range values {
			scale = max(scale, math.Abs(v))
		}
		// Residuals are relative to the largest value averaged (times k for the ends): that is what rounding follows.
		compare := func(name string, got, want, scale float64) {
			residual := 0.0
			if got != want {
				residual = math.Abs(got-want) / max(math.Abs(got), math.Abs(want), scale)
			}
			tol.see(residual, field+"."+name, "recorded %s, the runs give %s", formatNumber(got), formatNumber(want))
		}
		compare("mean", got.Mean, want.Mean, scale)
		compare("sd_seed", got.SDSeed, want.SDSeed, scale)
		compare("sd_rerun", got.SDRerun, want.SDRerun, scale)
		compare("sd", got.SD, want.SD, scale)
		compare("floor", got.Floor, want.Floor, scale)
		for _, end := range []struct {
			name      string
			got, want *float64
		}{{"lo", got.Lo, want.Lo}, {"hi", got.Hi, want.Hi}} {
			if (end.got == nil) != (end.want == nil) {
				return Failed(refuse(field+"."+end.name, "does not fit the rule %q", got.Rule))
			}
			if end.got != nil {
				compare(end.name, *end.got, *end.want, want.K*scale)
			}
		}
	}
	return tol.outcome(fmt.Sprintf("%d bands recomputed from the runs", len(g.Bands)))
}

func checkClaims(s *Subject) Outcome {
	g := s.Golden
	tol := gauge{tolerance: rederiveTolerance}
	for i, got := range g.Claims {
		field := fmt.Sprintf("claims[%d]", i)
		if got.ID == "" {
			return Failed(refuse(field+".id", "empty"))
		}
		want, err := g.deriveClaim(got, field, s.lookup)
		if err != nil {
			return Failed(err)
		}
		if !slices.Equal(got.Seeds, want.Seeds) {
			return Failed(refuse(field+".seeds", "recorded %v, the runs have %v", got.Seeds, want.Seeds))
		}
		if len(got.Values) != len(want.Values) {
			return Failed(refuse(field+".values", "%d recorded, the runs give %d", len(got.Values), len(want.Values)))
		}
		if got.OtherSHA256 != want.OtherSHA256 {
			return Failed(refuse(field+".other_sha256", "golden %s was recorded again since (%.12s…, paired with %.12s…)",
				got.Other, want.OtherSHA256, got.OtherSHA256))
		}
		var scale float64
		for _, r := range g.Runs {
			scale = max(scale, math.Abs(r.Final[got.Metric]))
		}
		compare := func(name string, got, want float64) {
			residual := 0.0
			if got != want {
				residual = math.Abs(got-want) / max(math.Abs(got), math.Abs(want), scale)
			}
			tol.see(residual, field+"."+name, "recorded %s, the runs give %s", formatNumber(got), formatNumber(want))
		}
		for j := range got.Values {
			compare(fmt.Sprintf("values[%d]", j), got.Values[j], want.Values[j])
		}
		compare("mean", got.Mean, want.Mean)
		compare("se", got.SE, want.SE)
		if got.Pass != want.Pass && tol.err == nil {
			return Failed(refuse(field+".pass", "recorded %t, the runs give %t", got.Pass, want.Pass))
		}
	}
	return tol.outcome(fmt.Sprintf("%d claims recomputed from the runs", len(g.Claims)))
}

// rational matches an integer or a fraction, without leading zeros.
var rational = regexp.MustCompile(`^(0|-?[1-9][0-9]*)(/[1-9][0-9]*)?$`)

// maxRationalDigits bounds the text of a rational.
const maxRationalDigits = 4096

// parseRational reads an exact rational in lowest terms.
func parseRational(text, field string) (*big.Rat, error) {
	if len(text) > maxRationalDigits {
		return nil, refuse(field, "more than %d characters", maxRationalDigits)
	}
	if !rational.MatchString(text) {
		return nil, refuse(field, "%q is no exact rational such as -3/5", text)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || r.RatString() != text {
		return nil, refuse(field, "%q is not in lowest terms", text)
	}
	return r, nil
}

func checkCounterexample(s *Subject) Outcome {
	c := s.Golden.Counterexample
	if c == nil {
		return Failed(refuse("counterexample", "missing"))
	}
	for _, f := range []struct{ name, value string }{{"claim", c.Claim}, {"statement", c.Statement}, {"found.by", c.Found.By}, {"found.budget", c.Found.Budget}} {
		if strings.TrimSpace(f.value) == "" {
			return Failed(refuse("counterexample."+f.name, "empty"))
		}
	}
	if c.Found.Evaluations < 1 {
		return Failed(refuse("counterexample.found.evaluations", "must be positive"))
	}
	if len(c.Witness) == 0 {
		return Failed(refuse("counterexample.witness", "empty"))
	}
	witness := make(map[string]*big.Rat, len(c.Witness))
	for _, k := range slices.Sorted(maps.Keys(c.Witness)) {
		r, err := parseRational(c.Witness[k], "counterexample.witness."+k)
		if err != nil {
			return Failed(err)
		}
		witness[k] = r
	}
	residual, err := parseRational(c.Residual, "counterexample.residual")
	if err != nil {
		return Failed(err)
	}
	if residual.Sign() == 0 {
		return Failed(refuse("counterexample.residual", "zero: the witness breaks nothing"))
	}
	if s.verifier.Witness == nil {
		return Outcome{State: Unchecked, Detail: "well formed; no evaluator of claims is registered here"}
	}
	if err := s.verifier.Witness(s.Context, *c, witness, residual); err != nil {
		return Failed(refuse("counterexample.witness", "claim %s: %v", c.Claim, err))
	}
	return Passed("claim %s is broken by the witness", c.Claim)
}

// parityTolerance returns the relative difference allowed between a value computed at a precision and in float64:
// 1e-10, 1e-4, 1e-3 and 2e-2. Each is the unit roundoff of the format (1.1e-16, 6e-8, 4.9e-4, 3.9e-3) times the growth
// of rounding through a forward and backward pass: 1e6 and 1e3 for the wide formats, whose sums are long; 2 to 5 for
// the narrow ones, which round inputs of products but accumulate in fp32.
func parityTolerance(p Precision) float64 {
	return map[Precision]float64{FP64: 1e-10, FP32: 1e-4, TF32: 1e-3, BF16: 2e-2}[p]
}

func checkParity(s *Subject) Outcome {
	p := s.Golden.Parity
	if p == nil {
		return Failed(refuse("parity", "missing"))
	}
	if !isSHA256(p.InputSHA256) {
		return Failed(refuse("parity.input_sha256", "%q is no SHA-256 in lower-case hex", p.InputSHA256))
	}
	if len(p.Values) == 0 {
		return Failed(refuse("parity.values", "empty"))
	}
	recompute := s.verifier.Recompute[p.Computation]
	if recompute == nil && s.verifier.Recompute != nil {
		return Failed(refuse("parity.computation", "%q is no computation of this program", p.Computation))
	}
	if recompute == nil {
		return Outcome{State: Unchecked, Detail: fmt.Sprintf("no recomputation %q is registered here", p.Computation)}
	}
	want, err := recompute(s.Context, s.Golden)
	if err != nil {
		return Failed(refuse("parity", "%s: %v", p.Computation, err))
	}
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if _, ok := p.Values[k]; !ok {
			return Failed(refuse("parity.values."+k, "missing, and %s computes it", p.Computation))
		}
	}
	tol := gauge{tolerance: parityTolerance(s.Golden.Provenance.Engine.Precision)}
	for _, k := range slices.Sorted(maps.Keys(p.Values)) {
		w, ok := want[k]
		if !ok {
			return Failed(refuse("parity.values."+k, "%s does not compute it", p.Computation))
		}
		residual := 0.0
		if v := p.Values[k]; v != w.Value {
			residual = math.Abs(v-w.Value) / max(math.Abs(v), math.Abs(w.Value))
		}
		g := &tol
		if w.Tolerance != 0 {
			g = &gauge{tolerance: w.Tolerance}
		}
		g.see(residual, "parity.values."+k, "recorded %g, recomputed %g", p.Values[k], w.Value)
		if g.err != nil {
			return g.outcome("")
		}
	}
	o := tol.outcome("values recomputed in float64")
	o.Checks = len(p.Values)
	return o
}

func checkTimings(s *Subject) Outcome {
	p := s.Golden.Parity
	if p == nil || len(p.Timings) == 0 {
		return NothingToCheck("no timing recorded")
	}
	seen := make(map[Timing]bool)
	for i, t := range p.Timings {
		field := fmt.Sprintf("parity.timings[%d]", i)
		if err := t.check(field, s.Golden.Provenance.Device.Name); err != nil {
			return Failed(err)
		}
		key := Timing{Program: t.Program, Precision: t.Precision, Batch: t.Batch}
		if seen[key] {
			return Failed(refuse(field, "%s in %s with batch %d appears twice", t.Program, t.Precision, t.Batch))
		}
		seen[key] = true
	}
	return Outcome{State: Pass, Detail: "timings are consistent", Checks: len(p.Timings)}
}

// Check returns an error that names the member unless t is a possible timing on the device.
func (t Timing) Check(device string) error {
	if err := t.check("timing", device); err != nil {
		return err
	}
	return nil
}

func (t Timing) check(field, device string) *Error {
	positive := func(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
	switch {
	case strings.TrimSpace(t.Program) == "":
		return refuse(field+".program", "empty")
	case strings.TrimSpace(t.Version) == "":
		return refuse(field+".version", "empty")
	case t.Device != device:
		return refuse(field+".device", "%q, and the golden is of %q", t.Device, device)
	case !slices.Contains(precisions, t.Precision):
		return refuse(field+".precision", "unknown precision %q", t.Precision)
	case t.Batch < 1:
		return refuse(field+".batch", "%d, want at least 1", t.Batch)
	case t.Steps < 1:
		return refuse(field+".steps", "%d, want at least 1", t.Steps)
	case !positive(t.MedianMS):
		return refuse(field+".ms_median", "%g, want a positive time", t.MedianMS)
	case !positive(t.MinMS):
		return refuse(field+".ms_min", "%g, want a positive time", t.MinMS)
	case t.MedianMS < t.MinMS:
		return refuse(field+".ms_median", "%g lies below the minimum, %g", t.MedianMS, t.MinMS)
	case !same(t.ImagesPerS, 1000*float64(t.Batch)/t.MedianMS, 0, rederiveTolerance):
		return refuse(field+".images_per_s", "%g, and a batch of %d in %g ms is %g", t.ImagesPerS, t.Batch, t.MedianMS, 1000*float64(t.Batch)/t.MedianMS)
	}
	return nil
}
