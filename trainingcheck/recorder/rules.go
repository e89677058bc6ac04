package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"stopgrad/golden"
	"stopgrad/trainingcheck/check"
	"stopgrad/trainingcheck/data"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// Rules are the rules about goldens of arms, which a verifier adds to those of package golden: that package knows no arms,
// tiers and checks. They compare a file with this program, and not with what the file says of itself.
var Rules = []golden.Rule{LabelRule,
	{Name: "text", Statement: "the recipe is written as this program writes it, member by member", Kinds: []golden.Kind{golden.Statistics, golden.ParityKind}, Check: checkText},
	{Name: "tier", Statement: "the recipe is, number by number, that of this program's tier and arm", Kinds: []golden.Kind{golden.Statistics}, Check: checkTier},
	{Name: "gates", Statement: "the questions put to the runs are this program's: check ids, metrics, bounds, partners", Kinds: []golden.Kind{golden.Statistics}, Check: checkGates},
	{Name: "required", Statement: "what an arm of the tier must be held to has something to check, seeds and bands are those a recording has, and status and kernels the tier's", Kinds: []golden.Kind{golden.Statistics}, Check: checkRequired},
	{Name: "evidence", Statement: "seeds follow each other, numbers and matrices are those that a recording keeps of a run, arithmetic and repeatability are what recipe and reruns say, and nothing is added", Kinds: []golden.Kind{golden.Statistics}, Check: checkEvidence},
	{Name: "series", Statement: "every run has the looks of its length, with ηt of the recipe at each", Kinds: []golden.Kind{golden.Statistics}, Check: checkLooks},
	{Name: "examples", Statement: "hash and numbers of the digits are those of the embedded ones", Kinds: []golden.Kind{golden.Statistics}, Check: checkExamples},
	{Name: "state", Statement: "the first ten steps, made again from the seed, end in the recorded state", Kinds: []golden.Kind{golden.Statistics}, Check: checkState},
}

// labelled is a golden of an arm with its recipe.
type labelled struct {
	tier   check.Tier
	arm    check.Arm
	config method.Config
}

// read returns what a rule needs to know; ok is false, with the outcome, for a golden that is none of an arm.
func read(s *golden.Subject) (l labelled, o golden.Outcome, ok bool) {
	var err error
	if l.tier, l.arm, err = Label(s.Golden.ID); err != nil {
		return l, refused("id", "%v", err), false
	}
	if l.config, err = recipeOf(s.Golden); err != nil {
		return l, refused("config", "%v", err), false
	}
	return l, o, true
}

// recipeOf decodes the recipe of a golden.
func recipeOf(g *golden.Golden) (c method.Config, err error) {
	text, err := g.Config.MarshalJSON()
	if err != nil {
		return c, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return c, err
	}
	delete(members, "derived") // package golden checks what follows from the others
	if text, err = json.Marshal(members); err != nil {
		return c, err
	}
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&c); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// checkText refuses a recipe that has another text than the one it is read as: a decoder of JSON takes STEPS for steps, and
// a member that is not there for one that is 0.
func checkText(s *golden.Subject) golden.Outcome {
	c, err := recipeOf(s.Golden)
	if err != nil {
		return refused("config", "%v", err)
	}
	read, err := golden.NewConfig(c)
	if err != nil {
		return refused("config", "%v", err)
	}
	want, err := read.MarshalJSON()
	if err != nil {
		return refused("config", "%v", err)
	}
	got, err := s.Golden.Config.MarshalJSON()
	if err != nil {
		return refused("config", "%v", err)
	}
	if !bytes.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		at = max(0, at-10)
		return refused("config", "it goes on …%.40s…, and what is read of it …%.40s…", got[at:], want[at:])
	}
	return golden.Passed("as it is read")
}

func refused(field, format string, args ...any) golden.Outcome {
	return golden.Failed(&golden.Error{Field: field, Offset: -1, Err: fmt.Errorf(format, args...)})
}

// maxEpochs bounds the lengths that are tried for a run of the tier gpu, which a recorder may have set.
const maxEpochs = 1000

// bases are the base configurations that the tier may have had.
func (l labelled) bases(g *golden.Golden) ([]method.Config, error) {
	if !check.Colour(l.tier.Size()) {
		d, err := data.Open("digits")
		if err != nil {
			return nil, err
		}
		// Only the length of the miniatures can be set: decay and average follow it.
		return l.over(d, g)
	}
	n := 0
	if d := g.Provenance.Data; d != nil {
		n = d.NTrain
	}
	if n < 1 || n > 1<<24 {
		return nil, fmt.Errorf("recorder: %d training images", n)
	}
	net := l.config.Net
	d := &data.Dataset{Spec: "folder:", Train: &data.Set{H: net.Rows, W: net.Columns, C: net.Channels, Labels: make([]int, n)}, Half: true}
	d.Augment = data.ColourAugmentation{}
	if _, _, _, err := d.Augment.Size(net.Rows, net.Columns, net.Channels); err != nil {
		return nil, err
	}
	return l.over(d, g)
}

// over lists the base configurations on a data set: one, or for a tier with groups one for each length that could be asked
// for and comes to the steps of the recipe.
func (l labelled) over(d *data.Dataset, g *golden.Golden) ([]method.Config, error) {
	s, err := l.tier.On(d, check.Options{})
	if err != nil {
		return nil, err
	}
	out := []method.Config{s.Base}
	if l.tier.Group() != "G-A" && l.tier.Group() != "G-B" || l.tier.Size() == check.Images {
		return out, nil
	}
	for epochs := 1; epochs <= maxEpochs; epochs++ {
		s, err := l.tier.On(d, check.Options{Epochs: epochs, Precision: l.config.Precision})
		if err != nil {
			return nil, err
		}
		if s.Base.Steps == l.config.Steps {
			out = append(out, s.Base)
		}
		if s.Base.Steps > l.config.Steps {
			break
		}
	}
	return out, nil
}

func checkTier(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	bases, err := l.bases(s.Golden)
	if err != nil {
		return refused("config", "%v", err)
	}
	var first method.Config
	for i, b := range bases {
		want, err := l.arm.Config(b)
		if err != nil {
			return refused("config", "%v", err)
		}
		if string(want.Canonical()) == string(l.config.Canonical()) {
			return golden.Passed("the recipe of %s in tier %s", l.arm, l.tier)
		}
		if i == 0 {
			first = want
		}
	}
	return refused("config", "%s; this program's %s in tier %s has another", firstUnlike(l.config, first), l.arm, l.tier)
}

// firstUnlike names the first member in which two recipes differ.
func firstUnlike(got, want method.Config) string {
	var a, b map[string]any
	_ = json.Unmarshal(got.Canonical(), &a) // both were made by Canonical
	_ = json.Unmarshal(want.Canonical(), &b)
	return unlike("", a, b)
}

func unlike(path string, a, b map[string]any) string {
	keys := map[string]bool{}
	for _, m := range []map[string]any{a, b} {
		for k := range m {
			keys[k] = true
		}
	}
	var names []string
	for k := range keys {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		x, xm := a[k].(map[string]any)
		y, ym := b[k].(map[string]any)
		switch {
		case xm && ym:
			if d := unlike(path+k+".", x, y); d != "" {
				return d
			}
		case fmt.Sprint(a[k]) != fmt.Sprint(b[k]):
			return fmt.Sprintf("%s%s is %v and not %v", path, k, a[k], b[k])
		}
	}
	return ""
}

// question is a claim without what is derived.
func question(c golden.Claim) string {
	bound := func(x *float64) string {
		if x == nil {
			return "–"
		}
		return fmt.Sprint(*x)
	}
	return fmt.Sprintf("%s: %s %s %s %s %s %s", c.ID, c.Test, c.Metric, c.Op, bound(c.Bound), c.Other, bound(c.Gap))
}

func checkGates(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	backend := s.Golden.Provenance.Engine.Name
	partners := map[check.Arm]bool{}
	for _, a := range ArmsOf(l.tier) {
		if a == l.arm {
			break
		}
		partners[a] = s.Beside(ID(l.tier, backend, a))
	}
	want := claims(l.tier, backend, l.arm, partners)
	all := map[check.Arm]bool{}
	for a := range partners {
		all[a] = true
	}
	full := claims(l.tier, backend, l.arm, all)
	for i := range max(len(want), len(s.Golden.Claims)) {
		field := fmt.Sprintf("claims[%d]", i)
		switch {
		case i >= len(s.Golden.Claims):
			return refused(field, "missing: this program asks %s", question(want[i]))
		case i >= len(want):
			return refused(field, "%s is no question of this program", question(s.Golden.Claims[i]))
		case question(s.Golden.Claims[i]) != question(want[i]):
			return refused(field, "%s; this program asks %s", question(s.Golden.Claims[i]), question(want[i]))
		}
	}
	if missing := len(full) - len(want); missing > 0 {
		var absent []string
		for _, c := range full {
			if c.Other != "" && !s.Beside(c.Other) {
				absent = append(absent, c.Other)
			}
		}
		slices.Sort(absent)
		return golden.Outcome{State: golden.Warn, Detail: fmt.Sprintf("%d questions are not asked: %s is not here", missing, strings.Join(slices.Compact(absent), ", "))}
	}
	return golden.Passed("%d questions of this program", len(want))
}

// rulesOf are the rules that must find something to check in a golden of an arm.
func rulesOf(tier check.Tier, arm check.Arm, c method.Config) []string {
	out := []string{"moments", "spectra", "trace"}
	if c.Direct != nil {
		out = append(out, "directpred")
		if tier.Group() == "" || tier.Group() == "G-A" && arm == check.DirectPred {
			out = append(out, "ema")
		}
	}
	switch arm {
	case check.PlainSGD:
		out = append(out, "balance")
	case check.Euclidean:
		out = append(out, "balance", "replay")
	}
	return out
}

func checkRequired(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	g := s.Golden
	status := golden.Gating
	if control(l.arm) || l.tier.Size() == check.GPUMini {
		status = golden.Informative
	}
	if g.Status != status {
		return refused("status", "%s, and goldens of %s in tier %s are %s", g.Status, l.arm, l.tier, status)
	}
	if !slices.Equal(g.Provenance.Kernels, Kernels) {
		return refused("provenance.kernels", "%v, and the numbers of an arm are computed by %v", g.Provenance.Kernels, Kernels)
	}
	seeds := map[uint64]bool{}
	for _, r := range g.Runs {
		seeds[r.Seed] = true
	}
	if n := MinSeeds(l.tier); len(seeds) < n && !control(l.arm) {
		return refused("runs", "%d seeds, and tier %s has at least %d", len(seeds), l.tier, n)
	}
	rules := rulesOf(l.tier, l.arm, l.config)
	for _, name := range rules {
		if s.Found(name) == golden.Inapplicable {
			return refused("runs", "rule %s has nothing to check, and goldens of %s must be held to it", name, l.arm)
		}
	}
	kept := 0
	for i, r := range g.Runs {
		if r.Snapshots != nil {
			kept++
		} else if r.Rerun == 0 && l.tier.Group() != "G-B" {
			return refused(fmt.Sprintf("runs[%d].snapshots", i), "missing, and every first run of a seed keeps the matrices of its end")
		}
	}
	if kept == 0 {
		return refused("runs", "no run keeps matrices")
	}
	for metric := range g.Runs[0].Final {
		rule, ok := bandRule(l.arm, metric)
		band, there := g.Bands[metric]
		ok = ok && !control(l.arm)
		switch {
		case ok && !there:
			return refused("bands."+metric, "missing")
		case !ok && there:
			return refused("bands."+metric, "this metric gets no band in %s", l.arm)
		case ok && band.Rule != rule:
			return refused("bands."+metric+".rule", "%q, and this program has %q", band.Rule, rule)
		}
	}
	return golden.Passed("%d rules have something to check, %d bands", len(rules), len(g.Bands))
}

// accuracies of the end of a run, as package check names them.
var accuracies = []string{golden.MetricKNN, golden.MetricLinear, golden.MetricFewShot, golden.MetricZKNN}

// matrix tells whether the predictor is a matrix, of which there are numbers and matrices to keep.
func (l labelled) matrix() bool {
	return l.config.Predictor.Kind == method.LinearP || l.config.Predictor.Kind == method.DirectP
}

// needed are the final numbers that every run of an arm has, allowed all that any has. A run that has collapsed may have
// none where a difference of nothing is divided by nothing.
func (l labelled) needed() (needed, allowed []string) {
	needed = append([]string{golden.MetricZStd, golden.MetricRank}, accuracies...)
	if l.config.Steps >= StateSteps {
		needed = append(needed, MetricState)
	}
	if l.matrix() {
		needed = append(needed, golden.MetricAsymmetry, golden.MetricCommutator, golden.MetricTopCosine, columnParabola, golden.MetricBalance)
	}
	if rule, _ := bandRule(l.arm, golden.MetricRank); rule == golden.TwoSided { // no collapse
		needed = append(needed, golden.MetricCentredRank)
	}
	laws := l.laws()
	needed = append(needed, laws...)
	allowed = append(slices.Concat(check.Columns[:3], accuracies, laws), MetricState)
	if l.matrix() {
		allowed = append(allowed, check.Columns[3:]...)
	}
	return needed, allowed
}

// laws are the names of the deviations that a run of the arm is watched for; see package check.
func (l labelled) laws() (out []string) {
	c := l.config
	add := func(name string, ok bool) {
		if ok {
			out = append(out, name)
		}
	}
	trained := c.Predictor.Kind == method.LinearP
	free := trained && c.Optimizer.Momentum == 0
	add(MetricIdentity, c.Direct != nil)
	add(MetricDiscreteError, free)
	add(MetricBalanceError, free)
	add(MetricReplayError, free && c.Loss.Kind == method.Euclidean)
	steps := l.tier.Group() == "" // the laws of single steps
	add(MetricViews, steps)
	add(MetricAverageError, steps && c.Target.Kind == method.EMA)
	add(MetricMomentError, steps && c.Direct != nil)
	add(MetricBallError, steps && trained && c.Method == method.SimSiam)
	return out
}

// shaped is a matrix by step, name, shape and format.
func shaped(x golden.Tensor) string {
	return fmt.Sprintf("%s at step %d, %d×%d in %s", x.Name, x.Step, x.Rows, x.Cols, x.DType)
}

// snapshots are the matrices that a run of some detail keeps of its state, with shapes and formats.
func (l labelled) snapshots(d Detail) (out []string) {
	n := l.config.Net.Out
	weights, moments := golden.F32, golden.F64
	if l.config.Precision == method.Float64 {
		weights = golden.F64
	}
	if n > wideMoment {
		moments = golden.F32
	}
	for _, step := range looksOf(l.config.Steps) {
		if !d.snapshot(step, l.config.Steps) {
			continue
		}
		add := func(name string, columns int, format golden.DType) {
			out = append(out, shaped(golden.Tensor{Step: step, Name: name, Rows: n, Cols: columns, DType: format}))
		}
		add(golden.TensorF, n, moments)
		add(golden.TensorZ, n, moments)
		add(golden.TensorZMean, 1, moments)
		if l.matrix() {
			add(golden.TensorWp, n, weights)
			if w := l.lastLayer(); w > 0 {
				add(golden.TensorWL, w, weights)
				if l.config.Net.Bias {
					add(golden.TensorBias, 1, weights)
				}
			}
		}
		if l.config.Direct != nil && step > 0 {
			add(golden.TensorFHat, n, weights)
		}
	}
	return out
}

// lastLayer is the number of columns of W_L, 0 where it is not recorded.
func (l labelled) lastLayer() int {
	name := "online/projector/out/w" // as in package check
	switch {
	case l.config.Net.Kind == method.Linear:
		name = "online/w"
	case l.config.Net.OutputBN:
		return 0
	}
	for _, x := range l.config.Layout() {
		if x.Name == name {
			return x.Size() / l.config.Net.Out
		}
	}
	return 0
}

// segment are the matrices that a run of some detail keeps of steps that follow each other.
func (l labelled) segment(d Detail) (out []string) {
	n, steps := l.config.Net.Out, l.config.Steps
	add := func(step int, names ...string) {
		for _, name := range names {
			out = append(out, shaped(golden.Tensor{Step: step, Name: name, Rows: n, Cols: n, DType: golden.F32}))
		}
	}
	replayed := l.config.Loss.Kind == method.Euclidean && l.config.Predictor.Kind == method.LinearP && l.config.Target.Kind == method.Shared && d == Snapshots
	for step := 1; step <= steps; step++ {
		switch {
		case l.config.Direct != nil && d.segment(step, steps):
			if step > 1 && !d.segment(step-1, steps) {
				add(step-1, golden.TensorFHat, golden.TensorWp)
			}
			add(step, golden.TensorFBat, golden.TensorFHat, golden.TensorWp)
		case l.config.Direct == nil && replayed:
			if step == 1 {
				add(0, golden.TensorWp)
			}
			add(step, golden.TensorFBat, golden.TensorC, golden.TensorWp)
		}
	}
	return out
}

func checkEvidence(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	g := s.Golden
	e := g.Provenance.Engine
	switch want := Arithmetic(e.Name, l.config.Precision); {
	case g.Extra != nil:
		return refused("extra", "set, and a recording of an arm has none")
	case !slices.Contains(engine.Kinds, e.Name):
		return refused("provenance.engine.name", "%q is no engine of this program", e.Name)
	case e.Platform != platformOf(e.Name), (e.Platform == "") != (e.Plugin == ""):
		return refused("provenance.engine.platform", "%q by plugin %q, and the engine %s has platform %q", e.Platform, e.Plugin, e.Name, platformOf(e.Name))
	case e.Precision != want:
		return refused("provenance.engine.precision", "%q, and %s on the engine %s is %q", e.Precision, l.config.Precision, e.Name, want)
	}
	reruns := false
	needed, allowed := l.needed()
	for i, r := range g.Runs {
		field := fmt.Sprintf("runs[%d]", i)
		switch first := g.Runs[0].Seed; {
		case r.Rerun > 0 && r.Seed != first:
			return refused(field+".rerun", "%d of seed %d, and only the first seed is run again", r.Rerun, r.Seed)
		case r.Rerun > 0 && r.Rerun != g.Runs[i-1].Rerun+1:
			return refused(field+".rerun", "%d after %d: reruns are numbered", r.Rerun, g.Runs[i-1].Rerun)
		case r.Rerun > 0 && e.Name == engine.CPU && !repeated(r, g.Runs[0]):
			return refused(field, "other numbers than the first run, and the engine %s gives a seed's again", e.Name)
		case i > 0 && r.Rerun == 0 && r.Seed != g.Runs[i-1].Seed+1:
			return refused(field+".seed", "%d after %d: seeds of a recording follow each other", r.Seed, g.Runs[i-1].Seed)
		}
		reruns = reruns || r.Rerun > 0
		for _, name := range needed {
			if _, ok := r.Final[name]; !ok {
				return refused(field+".final."+name, "missing, and every run of %s has it", l.arm)
			}
		}
		for name, v := range r.Final {
			switch {
			case !slices.Contains(allowed, name):
				return refused(field+".final."+name, "no number that this program records of %s", l.arm)
			case v < 0 && slices.Contains(l.laws(), name):
				return refused(field+".final."+name, "%v, and it is a distance", v)
			}
		}
		if o, ok := l.kept(field, r); !ok {
			return o
		}
	}
	if field := copied(g.Runs); field != "" {
		return refused(field, "bit by bit those of another seed")
	}
	if want := reruns && repeats(g.Runs); e.Deterministic != want {
		return refused("provenance.engine.deterministic", "%v, and the reruns say %v", e.Deterministic, want)
	}
	return golden.Passed("numbers and matrices of %d runs are those of a recording", len(g.Runs))
}

// platformOf is what the client of an engine reports, empty for those in Go.
func platformOf(kind string) string {
	return map[string]string{engine.XLACPU: engine.PlatformCPU, engine.GPU: engine.PlatformCUDA, engine.GPUTF32: engine.PlatformCUDA}[kind]
}

// repeated tells whether a rerun has the numbers of the first run, at its end and at the looks.
func repeated(r, first golden.Run) bool {
	return maps.Equal(r.Final, first.Final) && slices.EqualFunc(r.Series, first.Series, func(a, b golden.Point) bool {
		return a.Step == b.Step && maps.Equal(a.Values, b.Values)
	})
}

// copied names the matrices that a run shares with one of another seed, which no two runs end in.
func copied(runs []golden.Run) string {
	seen := map[string]bool{}
	for i, r := range runs {
		if r.Snapshots == nil || len(r.Snapshots.Tensors) == 0 {
			continue
		}
		last := slices.MaxFunc(r.Snapshots.Tensors, func(a, b golden.Tensor) int { return a.Step - b.Step })
		content := fmt.Sprint(last.Data)
		if seen[content] && last.Data != nil {
			return fmt.Sprintf("runs[%d].snapshots", i)
		}
		seen[content] = true
	}
	return ""
}

// kept refuses matrices, looks and spectra that are not those of a recording, which keeps more of the first seeds of some
// arms and less of the others.
func (l labelled) kept(field string, r golden.Run) (golden.Outcome, bool) {
	recording := &Recording{Tier: l.tier}
	j := job{arm: l.arm, seed: r.Seed, rerun: r.Rerun, config: l.config}
	if o, ok := l.keptAs(recording.detail(j, false), field, r); ok {
		return o, ok
	}
	return l.keptAs(recording.detail(j, true), field, r)
}

func (l labelled) keptAs(d Detail, field string, r golden.Run) (golden.Outcome, bool) {
	for _, x := range []struct {
		member string
		got    *golden.Blob
		want   []string
	}{{"snapshots", r.Snapshots, l.snapshots(d)}, {"segment", r.Segment, l.segment(d)}} {
		var got []string
		if x.got != nil {
			for _, t := range x.got.Tensors {
				got = append(got, shaped(t))
			}
		}
		for _, t := range x.want {
			if !slices.Contains(got, t) {
				return refused(field+"."+x.member, "%s is missing, and a recording keeps it", t), false
			}
		}
		for _, t := range got {
			if !slices.Contains(x.want, t) {
				return refused(field+"."+x.member, "%s is not what a recording keeps", t), false
			}
		}
	}
	needed, allowed := l.needed()
	for j, p := range r.Series {
		at := fmt.Sprintf("%s.series[%d].", field, j)
		for _, name := range check.Columns {
			if _, ok := p.Values[name]; !ok && slices.Contains(needed, name) {
				return refused(at+name, "missing, and every look has it"), false
			}
		}
		for name := range p.Values {
			if !slices.Contains(check.Columns, name) && name != columnLoss || name != columnLoss && !slices.Contains(allowed, name) {
				return refused(at+name, "no number that this program records"), false
			}
		}
		if _, ok := p.Values[columnLoss]; !ok && p.Step > 0 {
			return refused(at+columnLoss, "missing, and every look behind the start has it"), false
		}
		var want []string
		if d.snapshot(p.Step, l.config.Steps) && l.matrix() {
			want = []string{golden.SpectrumGains, golden.SpectrumPrefix + golden.TensorF}
		}
		got := slices.Sorted(maps.Keys(p.Spectra))
		if !slices.Equal(got, want) {
			return refused(at+golden.SpectrumGains, "spectra %v, and a recording keeps %v", got, want), false
		}
		if want == nil {
			continue
		}
		gains, s := p.Spectra[want[0]], p.Spectra[want[1]]
		if len(gains) != l.config.Net.Out || len(s) != len(gains) {
			return refused(at+golden.SpectrumGains, "%d gains and %d eigenvalues in %d dimensions", len(gains), len(s), l.config.Net.Out), false
		}
		parabola, there := p.Values[columnParabola]
		if made := metric.ParabolaCorrelation(gains, s); there != !math.IsNaN(made) || math.Abs(parabola-made) > parabolaTolerance {
			return refused(at+columnParabola, "%v, and the spectra give %v", parabola, made), false
		}
	}
	return golden.Outcome{}, true
}

// Columns of a look that package golden knows no law of, and how far the second may be from the one that the recorded
// spectra give: they are the ones it was computed from.
const (
	columnLoss        = "loss"
	columnParabola    = "parabola"
	parabolaTolerance = 1e-9
)

// looksOf are the steps at which a run is looked at: package check's default, a tenth of the run.
func looksOf(steps int) []int {
	every := max(1, steps/10)
	out := []int{0}
	for n := 1; n <= steps; n++ {
		if n%every == 0 || n == steps {
			out = append(out, n)
		}
	}
	return out
}

func checkLooks(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	want := looksOf(l.config.Steps)
	for i, r := range s.Golden.Runs {
		for j, p := range r.Series {
			field := fmt.Sprintf("runs[%d].series[%d]", i, j)
			if j < len(want) && p.Step != want[j] {
				return refused(field+".step", "%d, and the look is at %d", p.Step, want[j])
			}
			if eta := l.config.DecayAt(p.Step); math.Abs(p.TEta-eta) > 1e-9*math.Max(1, eta) {
				return refused(field+".t_eta", "%v, and the recipe gives %v at step %d", p.TEta, eta, p.Step)
			}
		}
		if len(r.Series) != len(want) {
			return refused(fmt.Sprintf("runs[%d].series", i), "%d looks, and a run of %d steps has %d", len(r.Series), l.config.Steps, len(want))
		}
	}
	return golden.Passed("%d looks a run", len(want))
}

func checkExamples(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	d := s.Golden.Provenance.Data
	digits := !check.Colour(l.tier.Size())
	if digits != (d != nil && d.Name == "digits") {
		return refused("provenance.data.name", "tier %s does not train on it", l.tier)
	}
	if !digits {
		return golden.NothingToCheck("the images are not at hand: hash and numbers are a statement")
	}
	set, err := data.Open("digits")
	if err != nil {
		return refused("provenance.data", "%v", err)
	}
	setting, err := l.tier.On(set, check.Options{})
	if err != nil {
		return refused("provenance.data", "%v", err)
	}
	if want := Examples(setting.Data); *d != *want {
		return refused("provenance.data", "%+v, and the digits are %+v", *d, *want)
	}
	return golden.Passed("the embedded digits")
}

// stateTolerance bounds the difference of MetricState between families of kernels and engines in float32. Ten steps of
// rounding leave each weight off by some 1e-6 of its size at random; on the miniatures of all engines the largest difference
// is recorded in the test beside this file.
const stateTolerance = 1e-3

func checkState(s *golden.Subject) golden.Outcome {
	l, o, ok := read(s)
	if !ok {
		return o
	}
	switch {
	case l.config.Steps < StateSteps:
		return golden.NothingToCheck("runs of %d steps", l.config.Steps)
	case s.Found("tier") != golden.Pass: // which was refused, and may ask for any size
		return golden.Outcome{State: golden.Unchecked, Detail: "the recipe is none of this program"}
	}
	for i, r := range s.Golden.Runs {
		if _, ok := r.Final[MetricState]; !ok {
			return refused(fmt.Sprintf("runs[%d].final.%s", i, MetricState), "missing")
		}
	}
	if check.Colour(l.tier.Size()) {
		return golden.NothingToCheck("the images are not at hand: the first steps are a statement")
	}
	// The engine cpu makes the steps again; it has no arithmetic of less than float32.
	if p := s.Golden.Provenance.Engine; p.Precision != golden.FP32 && p.Precision != golden.FP64 && p.Name != engine.CPU {
		return golden.NothingToCheck("the steps are made again in float32 or float64, and these are in %s", p.Precision)
	}
	d, err := data.Open("digits")
	if err != nil {
		return refused("provenance.data", "%v", err)
	}
	setting, err := l.tier.On(d, check.Options{})
	if err != nil {
		return refused("provenance.data", "%v", err)
	}
	e, err := engine.Open(engine.CPU)
	if err != nil {
		return golden.Outcome{State: golden.Unchecked, Detail: err.Error()}
	}
	defer e.Close()
	worst := 0.
	made := map[uint64]*begun{}
	for i, r := range s.Golden.Runs {
		if err := s.Context.Err(); err != nil {
			return refused("runs", "%v", err)
		}
		field := fmt.Sprintf("runs[%d]", i)
		if made[r.Seed] == nil {
			if made[r.Seed], err = firstSteps(e, setting.Data, l.config, r.Seed); err != nil {
				return refused(field, "%v", err)
			}
		}
		m := made[r.Seed]
		far := math.Abs(m.state - r.Final[MetricState])
		if worst = math.Max(worst, far); !(far <= stateTolerance) {
			return refused(field+".final."+MetricState, "%.6g, and the first %d steps of seed %d give %.6g", r.Final[MetricState], StateSteps, r.Seed, m.state)
		}
		for _, b := range []struct {
			member string
			blob   *golden.Blob
		}{{"snapshots", r.Snapshots}, {"segment", r.Segment}} {
			if b.blob == nil {
				continue
			}
			for _, x := range b.blob.Tensors {
				want := m.matrices[x.Name][x.Step]
				if want == nil || x.Data == nil { // none of these steps, or the file could not be read
					continue
				}
				far := apart(x, want)
				if worst = math.Max(worst, far); !(far <= stateTolerance) {
					return refused(field+"."+b.member, "%s at step %d is off by %.2g of its largest entry from the one of seed %d", x.Name, x.Step, far, r.Seed)
				}
			}
		}
		if len(r.Series) == 0 || r.Series[0].Step != 0 {
			continue
		}
		for j, name := range check.Columns {
			v, ok := r.Series[0].Values[name]
			if !ok {
				continue
			}
			want := m.look[j]
			far := math.Abs(v-want) / math.Max(1, math.Abs(want))
			if worst = math.Max(worst, far); !(far <= stateTolerance) {
				return refused(fmt.Sprintf("%s.series[0].%s", field, name), "%v, and before the first step of seed %d it is %v", v, r.Seed, want)
			}
		}
	}
	return golden.Outcome{State: golden.Pass, Detail: "first steps made again", Checks: len(s.Golden.Runs), Worst: worst, Tolerance: stateTolerance}
}

// apart is the largest difference of entries, relative to the largest entry and, of E[ẑ], to ‖ẑ‖ = 1: what is left of a mean
// of nothing is rounding. It is infinite for another shape.
func apart(x golden.Tensor, want *mat.Dense) float64 {
	if rows, columns := want.Dims(); rows != x.Rows || columns != x.Cols {
		return math.Inf(1)
	}
	far, size := 0., 0.
	if x.Name == golden.TensorZMean {
		size = 1
	}
	for i, v := range x.Data {
		w := want.At(i/x.Cols, i%x.Cols)
		far, size = math.Max(far, math.Abs(v-w)), math.Max(size, math.Abs(w))
	}
	if far == 0 {
		return 0
	}
	return far / size
}

// begun is what the first steps of a run give: MetricState after them, the look before them, and matrices by name and step:
// before the first step all that a recording keeps, then the predictor, or the moment that it is set from.
type begun struct {
	state    float64
	look     []float64
	matrices map[string]map[int]*mat.Dense
}

func (b *begun) keep(x golden.Tensor) {
	if b.matrices[x.Name] == nil {
		b.matrices[x.Name] = map[int]*mat.Dense{}
	}
	b.matrices[x.Name][x.Step] = mat.NewDense(x.Rows, x.Cols, x.Data)
}

// firstSteps makes the first steps of a run.
func firstSteps(e *engine.Engine, d *data.Dataset, c method.Config, seed uint64) (*begun, error) {
	t, err := method.New(e, c, seed)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	src, err := d.Source(seed, c.Batch)
	if err != nil {
		return nil, err
	}
	views, err := check.NewEvaluation(d, seed)
	if err != nil {
		return nil, err
	}
	look, err := views.Look(t)
	if err != nil {
		return nil, err
	}
	start, err := matrices(t, 0, look)
	if err != nil {
		return nil, err
	}
	out := &begun{look: look.Values, matrices: map[string]map[int]*mat.Dense{}}
	for _, x := range start {
		out.keep(x)
	}
	for range StateSteps {
		if _, err := t.Step(src.Batch(t.Done())); err != nil {
			return nil, err
		}
		// W_p of a direct method follows from F̂ (rule directpred), by a root that turns rounding δ of F̂ into √δ.
		name, of := golden.TensorWp, method.PredictorName
		if c.Direct != nil {
			name, of = golden.TensorFHat, method.MomentName
		} else if look.Predictor == nil {
			continue
		}
		m, err := t.Matrix(of)
		if err != nil {
			return nil, err
		}
		out.keep(tensor(t.Done(), name, golden.F64, m))
	}
	out.state, err = stateOf(t)
	return out, err
}
