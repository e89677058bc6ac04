package golden

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"slices"
)

// State is what a rule found.
type State string

const (
	Pass         State = "pass"
	Fail         State = "fail"
	Warn         State = "warn"         // holds, but a reader should know something
	Inapplicable State = "inapplicable" // the golden records nothing the rule is about
	Unchecked    State = "unchecked"    // the rule applies, but what it needs was not at hand
)

// Outcome is the result of one rule on one golden.
type Outcome struct {
	Rule   string
	State  State
	Detail string // what was checked, or why not
	// Checks counts the comparisons made; Worst is the largest residual among them, to be read against Tolerance.
	Checks           int
	Worst, Tolerance float64
	Err              *Error // when State is Fail
}

// Rule is one named law that a golden must obey.
type Rule struct {
	Name      string
	Statement string // the law, for a reader
	Kinds     []Kind // nil: every kind
	Check     func(*Subject) Outcome
}

// Subject is what a rule looks at: a decoded golden with its matrices.
type Subject struct {
	Context context.Context
	File    string // name in the verified file system
	Golden  *Golden

	read     func(name string) ([]byte, error) // a file beside the golden
	lookup   func(id string) *Golden
	verifier *Verifier
	loaded   bool      // the files rule has filled the tensors
	held     int64     // bytes of matrix files that it has read
	tree     *node     // the golden as JSON, once it was needed
	done     []Outcome // of the rules before
}

// Found returns what a rule that ran before found; rules of other packages run after all of this one.
func (s *Subject) Found(rule string) State {
	for _, o := range s.done {
		if o.Rule == rule {
			return o.State
		}
	}
	return Unchecked
}

// Beside reports whether there is a golden of an id beside this one.
func (s *Subject) Beside(id string) bool { return s.lookup(id) != nil }

// json returns the golden as a JSON tree.
func (s *Subject) json() (*node, error) {
	if s.tree == nil {
		n, err := s.Golden.tree()
		if err != nil {
			return nil, err
		}
		s.tree = n
	}
	return s.tree, nil
}

// Verifier holds what rules need from outside this package. The zero value runs every rule that needs nothing;
// the others report Unchecked.
type Verifier struct {
	// Sources is the project's root, for the staleness rule.
	Sources fs.FS
	// Witness re-evaluates a counterexample, exactly or with intervals, and returns an error unless the witness breaks
	// the claim and the residual is right. The claims' side registers it.
	Witness func(ctx context.Context, c Counterexample, witness map[string]*big.Rat, residual *big.Rat) error
	// Recompute holds, by Parity.Computation, the functions that reproduce Parity.Values in float64 from the golden's
	// config and seed. They refuse a golden whose inputs have another hash. The training side registers them.
	Recompute map[string]func(ctx context.Context, g *Golden) (map[string]Scalar, error)
	// Extra are rules of other packages, run after those of this one.
	Extra []Rule
}

// Names of the rules.
const (
	ruleForm           = "form"
	ruleSeal           = "seal"
	ruleRecipe         = "recipe"
	ruleProvenance     = "provenance"
	ruleFiles          = "files"
	ruleRuns           = "runs"
	ruleBands          = "bands"
	ruleClaims         = "claims"
	ruleMoments        = "moments"
	ruleSpectra        = "spectra"
	ruleTrace          = "trace"
	ruleDirectPred     = "directpred"
	ruleEMA            = "ema"
	ruleReplay         = "replay"
	ruleBalance        = "balance"
	ruleCounterexample = "counterexample"
	ruleParity         = "parity"
	ruleTimings        = "timings"
	ruleKept           = "kept"
	ruleStale          = "stale"
)

// builtin are the rules in the order in which they run; form has run when a Subject exists.
var builtin = []Rule{
	{ruleSeal, "sha256 is the hash of the canonical JSON of everything else", nil, checkSeal},
	{ruleRecipe, "recipe_sha256 is the hash of config, config has the keys its method needs and no other method's, and derived members follow", nil, checkRecipe},
	{ruleProvenance, "every member of the provenance is present and none names a machine or a path on it; the date is not in the future; a GPU is one by the platform of its engine, with compute capability and driver", nil, checkProvenance},
	{ruleFiles, "the file is named by its id, and each matrix file is whole, unchanged and recorded for this recipe, seed and rerun", nil, checkFiles},
	{ruleRuns, "runs are distinct and sorted, carry the same metrics in range, and end where their series end", nil, checkRuns},
	{ruleBands, "n, mean, sd, k, floor, lo and hi follow from the runs", []Kind{Statistics}, checkBands},
	{ruleClaims, "values, differences, standard errors and verdicts follow from the runs", []Kind{Statistics}, checkClaims},
	{ruleMoments, "F, F̂ and E[ẑẑᵀ] are symmetric and positive semidefinite", []Kind{Statistics}, checkMoments},
	{ruleSpectra, "spectra, asymmetry, commutator, alignment, effective ranks and balance follow from the recorded matrices", []Kind{Statistics}, checkSpectra},
	{ruleTrace, "tr E[ẑẑᵀ] = 1 and zstd follows from its diagonal and E[ẑ]", []Kind{Statistics}, checkTrace},
	{ruleDirectPred, "W_p is the DirectPred function of the recorded F̂, and only a direct method records F̂", []Kind{Statistics}, checkDirectPred},
	{ruleEMA, "F̂_t = ρF̂_{t−1} + (1−ρ)F_t over recorded consecutive batches", []Kind{Statistics}, checkEMA},
	{ruleReplay, "W_p ← W_p − lr·α_p(c(W_pF_t − C_t) + wd_pred·W_p) reproduces the recorded W_p", []Kind{Statistics}, checkReplay},
	{ruleBalance, "‖W_LW_Lᵀ + bbᵀ − W_pᵀW_p/α_p‖ decays as e^{−2ηt} under plain SGD", []Kind{Statistics}, checkBalance},
	{ruleCounterexample, "the witness is exact and breaks the claim by the stated residual", []Kind{CounterexampleKind}, checkCounterexample},
	{ruleParity, "the recorded scalars are reproduced in float64 to the engine's precision", []Kind{ParityKind}, checkParity},
	{ruleTimings, "each timing is of this device and distinct, its median is no less than its minimum, and images_per_s = 1000·batch/ms_median", []Kind{ParityKind}, checkTimings},
}

// Rules returns the rules of this package in the order in which they run, for a reader: the verifier applies them, and
// the first and the last two have no Check of their own.
func Rules() []Rule {
	all := []Rule{{Name: ruleForm, Statement: "the file is strict JSON of schema " + Schema}}
	all = append(all, builtin...)
	return append(all,
		Rule{Name: ruleKept, Statement: "every rule that held at recording still has something to check"},
		Rule{Name: ruleStale, Statement: "the sources that computed the numbers are unchanged (a warning when not)"})
}

// Statements are the members of a golden that no rule here or of packages recorder, parity and fuzz computes again: whoever
// recorded it says so, and a reader believes it or does not. What their rules compare (gates, the recipe of the arm, the
// examples of the digits, the first ten steps, the statement that a witness breaks) is not among them, nor what follows from
// matrices.
func Statements() []string {
	return []string{
		"created, as long as it is not in the future; provenance: git_commit, dirty, command, device, host, wall_s, rng, and of the engine that it was this one: name, version, platform and plugin, and so that it was a GPU",
		"kernels_sha256, where the sources are not at hand; where they are, another one is warned of",
		"data of images that are not at hand: name, sha256, decoder, split, n_train and n_test",
		"rules, the recorder's list of those that held; what must hold is the program's",
		"that no other seeds, reruns or arms were made and left out",
		"accuracies, losses, and the series at the steps whose matrices are not kept",
		"numbers of runs that keep no matrices: reruns on engines that need not repeat, and group G-B but for its first seeds",
		"where within its tolerance a number lies that follows from matrices, and the number where they do not determine it",
		"first steps of images, and those in arithmetics that the engine cpu does not have",
		"worst deviations over all steps: identity, balance_error, discrete_error, replay_error, average_error, moment_error, ball_error, views_distance",
		"that a run of the recipe went from its first ten steps to the matrices kept of later ones; not_reproduced and supersedes",
		"of a golden of parity, where within its bounds the values lie, that they came out twice, and timings",
		"of a counterexample, how it was found: stage, seed, budget, evaluations",
	}
}

// run applies every rule to s and returns the outcomes in order.
func (s *Subject) run() []Outcome {
	var out []Outcome
	for _, r := range slices.Concat(builtin, s.verifier.Extra) {
		if r.Kinds != nil && !slices.Contains(r.Kinds, s.Golden.Kind) {
			continue
		}
		s.done = out
		o := r.Check(s)
		o.Rule = r.Name
		out = append(out, s.filed(o))
	}
	return append(out, s.filed(checkKept(s, out)), s.filed(checkStale(s)))
}

// filed completes the error of an outcome with its file and rule.
func (s *Subject) filed(o Outcome) Outcome {
	if o.Err != nil {
		e := *o.Err
		e.Rule = o.Rule
		if e.File == "" {
			e.File = s.File
		}
		o.Err = &e
	}
	return o
}

// Failed returns the outcome of a broken law. Rules of other packages may use it.
func Failed(err error) Outcome {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Offset: -1, Err: err}
	}
	return Outcome{State: Fail, Err: e, Detail: e.Err.Error()}
}

// Passed returns the outcome of a law that held.
func Passed(format string, args ...any) Outcome {
	return Outcome{State: Pass, Detail: fmt.Sprintf(format, args...)}
}

// NothingToCheck returns the outcome of a law that is about nothing the golden records.
func NothingToCheck(format string, args ...any) Outcome {
	return Outcome{State: Inapplicable, Detail: fmt.Sprintf(format, args...)}
}

// gauge collects residuals against one tolerance.
type gauge struct {
	tolerance float64
	worst     float64
	checks    int
	err       *Error
}

// see records a residual; the first beyond the tolerance (or NaN) becomes the failure, named by field and format.
func (g *gauge) see(residual float64, field, format string, args ...any) {
	g.checks++
	if !(residual <= g.worst) {
		g.worst = residual
	}
	if g.err == nil && !(residual <= g.tolerance) {
		g.err = refuse(field, "%s (residual %.3g, tolerance %.3g)", fmt.Sprintf(format, args...), residual, g.tolerance)
	}
}

// outcome returns what was found; without any comparison the rule does not apply.
func (g *gauge) outcome(what string) Outcome {
	o := Outcome{State: Pass, Detail: what, Checks: g.checks, Worst: g.worst, Tolerance: g.tolerance}
	switch {
	case g.err != nil:
		o.State, o.Err, o.Detail = Fail, g.err, g.err.Err.Error()
	case g.checks == 0:
		o.State, o.Detail = Inapplicable, "nothing recorded: "+what
	}
	return o
}

// checkKept refuses a golden whose rules list names a rule that no longer finds anything to check, so that evidence
// cannot be dropped silently.
func checkKept(s *Subject, done []Outcome) Outcome {
	o := Passed("%d rules held at recording", len(s.Golden.Rules))
	for i, name := range s.Golden.Rules {
		j := slices.IndexFunc(done, func(d Outcome) bool { return d.Rule == name })
		field := fmt.Sprintf("rules[%d]", i)
		switch {
		case j < 0:
			o = Failed(refuse(field, "there is no rule %q for kind %s", name, s.Golden.Kind))
		case done[j].State == Inapplicable:
			o = Failed(refuse(field, "rule %s held at recording and now has nothing to check: %s", name, done[j].Detail))
		default:
			continue
		}
		break
	}
	o.Rule = ruleKept
	return o
}
