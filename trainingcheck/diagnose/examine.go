package diagnose

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// Word is what is said of a subject.
type Word string

// The words, besides those of [metric.Verdict] for a collapse.
const (
	Holds   Word = "holds"
	Fails   Word = "does not hold"
	Early   Word = Word(metric.TooEarly)
	Absent  Word = "not in the dump"
	Unfit   Word = "does not apply"
	Neither Word = "not judged" // a number without a limit that means something here

	CaughtUp Word = "caught up"
	Behind   Word = "not caught up"
)

// Finding is what the dump says about one subject.
type Finding struct {
	Subject string `json:"subject"`
	Word    Word   `json:"word"`
	// Detail has the numbers, Limit what they are held against.
	Detail string `json:"detail"`
	Limit  string `json:"limit"`
	// Claims are those of the paper that the finding bears on; it proves none.
	Claims []string `json:"claims"`
	// Gate tells whether a failure makes the run one that failed.
	Gate bool `json:"gate"`
}

// Kind is a kind of predictor.
type Kind string

// The kinds. Auto is what the dump says: a matrix W_p, several layers, or none.
const (
	Auto       Kind = "auto"
	NoneKind   Kind = "none"
	LinearKind Kind = "linear"
	MLPKind    Kind = "mlp"
	DirectPred Kind = "directpred"
	DirectCopy Kind = "directcopy"
)

// Kinds lists the kinds.
var Kinds = []Kind{Auto, NoneKind, LinearKind, MLPKind, DirectPred, DirectCopy}

// Report is the diagnosis of a run.
type Report struct {
	Predictor Kind
	Points    []Point
	Findings  []Finding
	Notes     []string
}

// Failed tells whether a subject that a run can fail on failed.
func (r *Report) Failed() bool {
	for _, f := range r.Findings {
		if f.Gate && (f.Word == Fails || f.Word == Word(metric.Collapsed) || f.Word == Word(metric.PartlyCollapsed) || f.Word == Word(metric.Undefined)) {
			return true
		}
	}
	return false
}

// Early tells whether nothing can be said yet about the collapse, or the dump has no projections.
func (r *Report) Early() bool { return r.Findings[0].Word == Early || r.Findings[0].Word == Absent }

// Limits of the findings. Those of alignment are the gates of the tier mini (package check).
const (
	limitAsymmetry  = 0.2
	limitCommutator = 0.08
	limitCosine     = 0.7
	// limitTau: a target within a twentieth of the online weights, in size and direction, has caught up.
	limitTau       = 0.05
	limitTauCosine = 0.99
	// limitRule bounds ‖W_p − c·U·diag(p)·Uᵀ‖/‖W_p‖ for a recorded F̂ in float32; with F of one batch in place of the
	// average of past ones the distance is the estimation error of F, a tenth at 64 examples of 16 dimensions.
	limitRule      = 1e-3
	limitRuleBatch = 0.1
	// The flow's law of Theorem 1 is met to first order in the learning rate: the worst of ten seeds on the digits was off
	// by .96 (rate .05) to .99 (.0125) of it (README, Limits). A quarter more is allowed.
	balancePerRate = 1.25
	// limitStep bounds the law of one step in float32; see package check.
	limitStep = 1e-3
)

// Examine diagnoses the run.
func (r *Run) Examine(kind Kind) *Report {
	rep := &Report{Predictor: kind, Points: r.points()}
	last := r.Frames[len(r.Frames)-1]
	if kind == Auto {
		switch {
		case r.MLP:
			rep.Predictor = MLPKind
		case last.Wp != nil || !math.IsNaN(rep.Points[len(rep.Points)-1].Asymmetry):
			rep.Predictor = LinearKind
		default:
			rep.Predictor = NoneKind
		}
	}
	rep.Findings = []Finding{r.collapse(rep), r.alignment(rep), r.balance(rep), r.rule(rep), r.average(rep)}
	if r.Counted {
		rep.Notes = append(rep.Notes, "the dump does not say its steps (array step): they are numbered from 0, and nothing that depends on time is judged")
	}
	if len(r.Unused) > 0 {
		rep.Notes = append(rep.Notes, "no use for the arrays "+some(r.Unused))
	}
	return rep
}

// early tells whether a point is too early for an effect of training.
func early(p Point) bool {
	return p.Decay > 0 && p.Decay < metric.SettledDecay || !(p.Decay > 0) && p.Step < metric.SettledSteps
}

// when says where a point stands.
func when(p Point) string {
	if p.Decay > 0 {
		return fmt.Sprintf("step %d, ηt = %.3g", p.Step, p.Decay)
	}
	return fmt.Sprintf("step %d, ηt not known", p.Step)
}

func (r *Run) collapse(rep *Report) Finding {
	f := Finding{Subject: "collapse", Gate: true, Claims: []string{"nopred", "nostopgrad", "eta-critical", "fixed-points"},
		Limit: fmt.Sprintf("alive: zstd > %g and rank > %g; collapsed: < %g and < %g; judged from ηt = %g, or step %d without decay, on",
			metric.AliveZStd, metric.AliveRank, metric.CollapsedZStd, metric.CollapsedRank, metric.SettledDecay, metric.SettledSteps)}
	p := rep.Points[len(rep.Points)-1]
	if math.IsNaN(p.ZStd) {
		f.Word, f.Detail = Absent, "no projections z1 (and z2)"
		return f
	}
	frame := r.Frames[len(r.Frames)-1]
	f.Word = Word(metric.JudgeAt(p.ZStd, p.Rank, p.Decay, p.Step))
	f.Detail = fmt.Sprintf("zstd %.3g, effective rank %.3g, centred %.3g (%s)", p.ZStd, p.Rank, p.CentredRank, when(p))
	if first := rep.Points[0]; len(rep.Points) > 1 {
		f.Detail += fmt.Sprintf("; %.3g, %.3g, %.3g at step %d", first.ZStd, first.Rank, first.CentredRank, first.Step)
		if !math.IsNaN(p.Norm) {
			f.Detail += fmt.Sprintf("; ‖z‖ is %.3g of its start", p.Norm/first.Norm)
		}
	}
	if r.Counted && f.Word != Word(metric.Collapsed) {
		f.Word = Early
	}
	if frame.Z1 != nil {
		n, d := frame.Z1.Dims()
		if n < 4*d {
			f.Detail += fmt.Sprintf("; %d examples of %d dimensions: the ranks are at most %d", n, d, min(n, d))
		}
		if frame.Z2 != nil && mat.Equal(frame.Z1, frame.Z2) {
			f.Word = Fails
			f.Detail = "the two views are identical, bit by bit: nothing is augmented; " + f.Detail
		}
	}
	return f
}

func (r *Run) alignment(rep *Report) Finding {
	f := Finding{Subject: "W_p symmetric and aligned with F", Claims: []string{"skew-vanishes", "assump-sym", "thm3-alignment", "emp-align-sym"},
		Limit: fmt.Sprintf("asymmetry < %g, commutator < %g, cosine > %g", limitAsymmetry, limitCommutator, limitCosine)}
	p := rep.Points[len(rep.Points)-1]
	switch {
	case rep.Predictor == MLPKind:
		f.Word, f.Detail = Unfit, "the predictor has several layers: it is no matrix"
		return f
	case rep.Predictor == NoneKind:
		f.Word, f.Detail = Unfit, "no predictor"
		return f
	case math.IsNaN(p.Asymmetry):
		f.Word, f.Detail = Absent, "no W_p"
		return f
	}
	show := func(p Point) string {
		text := fmt.Sprintf("asymmetry %.3g", p.Asymmetry)
		if !math.IsNaN(p.Commutator) {
			text += fmt.Sprintf(", commutator %.3g, cosine %.3g", p.Commutator, p.TopCosine)
		}
		return text
	}
	f.Detail = show(p) + " (" + when(p) + ")"
	if first := rep.Points[0]; len(rep.Points) > 1 && !math.IsNaN(first.Asymmetry) {
		f.Detail += fmt.Sprintf("; %s at step %d", show(first), first.Step)
	}
	switch {
	case math.IsNaN(p.Commutator):
		f.Word, f.Detail = Neither, f.Detail+"; no F or projections to align with"
	case p.Asymmetry < limitAsymmetry && p.Commutator < limitCommutator && p.TopCosine > limitCosine:
		f.Word = Holds
	case r.Counted || early(p):
		f.Word = Early
	default:
		f.Word = Fails
	}
	return f
}

// balance holds the imbalance against the law of the step where steps follow each other, and else against the flow's.
func (r *Run) balance(rep *Report) Finding {
	f := Finding{Subject: "balance of W and W_p (Theorem 1)", Gate: true, Claims: []string{"thm1", "thm1-discrete"}}
	s := r.Settings
	alpha := s.AlphaP
	if math.IsNaN(alpha) {
		alpha = 1
	}
	var at []int // frames with both
	for i, p := range rep.Points {
		if !math.IsNaN(p.Balance) {
			at = append(at, i)
		}
	}
	switch {
	case rep.Predictor != LinearKind:
		f.Word, f.Detail = Unfit, "the theorem is about a linear predictor that is trained"
		return f
	case len(at) < 2:
		f.Word, f.Detail = Absent, "wants W_p and the layer W (and b) before it at two steps or more"
		return f
	}
	first, last := rep.Points[at[0]], rep.Points[at[len(at)-1]]
	f.Detail = fmt.Sprintf("‖WWᵀ + bbᵀ − W_pᵀW_p/α_p‖ falls to %.4g of its start", last.Balance/first.Balance)
	switch {
	case math.IsNaN(s.LR) && r.Rates == nil || math.IsNaN(s.WD) || math.IsNaN(s.Momentum) || r.Counted:
		f.Word, f.Detail = Neither, f.Detail+"; lr, wd, momentum and the steps are wanted to hold it against e^{−2ηt}"
		return f
	case s.Momentum != 0:
		f.Word = Unfit
		f.Detail += fmt.Sprintf(", e^{−2ηt} = %.4g; the law is exact without momentum alone, this run has %g", math.Exp(-2*(last.Decay-first.Decay)), s.Momentum)
		return f
	}
	if n, worst := r.stepLaw(alpha); n > 0 {
		f.Limit = fmt.Sprintf("the law of the discrete step within %g of ‖D‖", limitStep)
		f.Detail += fmt.Sprintf("; over %d single steps the worst deviation from the step's law is %.2g", n, worst)
		f.Word = Fails
		if worst <= limitStep {
			f.Word = Holds
		}
		return f
	}
	rate, worst := s.LR, 0.
	if r.Rates != nil {
		rate = 0
		for _, v := range r.Rates {
			rate = max(rate, v)
		}
	}
	limit := balancePerRate * rate
	for _, i := range at[1:] {
		p := rep.Points[i]
		worst = math.Max(worst, math.Abs(p.Balance/first.Balance/math.Exp(-2*(p.Decay-first.Decay))-1))
	}
	f.Limit = fmt.Sprintf("e^{−2ηt} within %.3g: the law of the flow, of first order in the rate %.3g", limit, rate)
	f.Detail += fmt.Sprintf(", e^{−2ηt} = %.4g, worst deviation %.2g", math.Exp(-2*(last.Decay-first.Decay)), worst)
	f.Word = Fails
	if worst <= limit {
		f.Word = Holds
	}
	return f
}

// stepLaw follows D' = c²·D + U·Uᵀ + u·uᵀ − Vᵀ·V/α_p, c = 1 − lr·wd, W' = c·W − U, b' = c·b − u, W_p' = c·W_p − V, over the
// pairs of frames one step apart; it returns their number and the largest deviation relative to ‖D'‖.
func (r *Run) stepLaw(alpha float64) (n int, worst float64) {
	for i := 1; i < len(r.Frames); i++ {
		a, b := &r.Frames[i-1], &r.Frames[i]
		if b.Step != a.Step+1 || a.W == nil || b.W == nil || a.Wp == nil || b.Wp == nil || (a.B == nil) != (b.B == nil) {
			continue
		}
		rate := r.Settings.LR
		if r.Rates != nil {
			rate = r.Rates[i-1]
		}
		c := 1 - rate*r.Settings.WD
		moved := func(before, after *mat.Dense) *mat.Dense {
			var m mat.Dense
			m.Scale(c, before)
			m.Sub(&m, after)
			return &m
		}
		var u []float64
		if a.B != nil {
			u = make([]float64, len(a.B))
			for j := range u {
				u[j] = c*a.B[j] - b.B[j]
			}
		}
		want := metric.Balance(a.W, a.B, a.Wp, alpha)
		want.Scale(c*c, want)
		want.Add(want, metric.Balance(moved(a.W, b.W), u, moved(a.Wp, b.Wp), alpha))
		now := metric.Balance(b.W, b.B, b.Wp, alpha)
		size := mat.Norm(now, 2)
		now.Sub(now, want)
		worst = math.Max(worst, mat.Norm(now, 2)/size)
		n++
	}
	return n, worst
}

// epsilons are tried for DirectPred's rule when the dump does not say its ε: those of the paper's Table 6.
var epsilons = []float64{0, 0.01, 0.1, 0.5}

// rule holds W_p against U·diag(p)·Uᵀ of F̂, up to a factor, by the printed formula and that of the paper's code.
func (r *Run) rule(rep *Report) Finding {
	f := Finding{Subject: "DirectPred's rule", Gate: rep.Predictor == DirectPred || rep.Predictor == DirectCopy, Claims: []string{"dp-formula", "dp-estimator", "dp-guaranteed-alignment"}}
	last := r.Frames[len(r.Frames)-1]
	moment, of, limit := last.Fhat, "the recorded F̂", limitRule
	if moment == nil {
		if m := last.moment(); m != nil {
			moment, of, limit = mat.DenseCopyOf(m), "F of this batch in place of F̂", limitRuleBatch
		}
	}
	f.Limit = fmt.Sprintf("W_p within %g of the prescribed one up to a factor, by %s", limit, of)
	switch {
	case rep.Predictor == MLPKind || rep.Predictor == NoneKind:
		f.Word, f.Detail = Unfit, "the rule is about a matrix W_p"
		return f
	case last.Wp == nil || moment == nil:
		f.Word, f.Detail, f.Limit = Absent, "wants W_p, and F̂, F or projections", ""
		return f
	}
	methods := []method.Method{method.DirectPred, method.DirectCopy}
	switch rep.Predictor {
	case DirectPred:
		methods = methods[:1]
	case DirectCopy:
		methods = methods[1:]
	}
	try := epsilons
	if !math.IsNaN(r.Settings.Epsilon) {
		try = []float64{r.Settings.Epsilon}
	}
	best, name := math.Inf(1), ""
	for _, m := range methods {
		for _, formula := range []method.Formula{method.Code, method.Slide} {
			for _, eps := range try {
				w, err := method.Direct{Formula: formula, Epsilon: eps}.Predictor(m, moment)
				if err != nil {
					continue
				}
				if d := distance(last.Wp, w); d < best {
					best, name = d, fmt.Sprintf("%s, formula %s, ε = %g", m, formula, eps)
				}
			}
		}
	}
	if name == "" {
		f.Word, f.Detail = Neither, "F̂ is zero: the rule prescribes nothing"
		return f
	}
	f.Detail = fmt.Sprintf("nearest is %s, at a distance of %.3g (%s)", name, best, when(rep.Points[len(rep.Points)-1]))
	switch {
	case best <= limit:
		f.Word = Holds
	case f.Gate:
		f.Word = Fails
	default:
		f.Word = Neither
		f.Detail += "; a trained predictor need not follow it"
	}
	return f
}

// distance is min over c of ‖a − c·b‖/‖a‖.
func distance(a, b *mat.Dense) float64 {
	var ab mat.Dense
	ab.MulElem(a, b)
	na, nb := mat.Norm(a, 2), mat.Norm(b, 2)
	cos := mat.Sum(&ab) / (na * nb)
	var far mat.Dense
	far.Scale(cos*na/nb, b)
	far.Sub(a, &far)
	return mat.Norm(&far, 2) / na
}

func (r *Run) average(rep *Report) Finding {
	f := Finding{Subject: "τ of the averaged target", Claims: []string{"beta-tau", "assump-ema", "ema-negative"},
		Limit: fmt.Sprintf("|τ − 1| < %g and cosine > %g", limitTau, limitTauCosine)}
	p := rep.Points[len(rep.Points)-1]
	if math.IsNaN(p.Tau) {
		f.Word, f.Detail = Absent, "wants W and W_a, the same layer of both networks"
		return f
	}
	f.Detail = fmt.Sprintf("τ = %.4g", p.Tau)
	if !math.IsNaN(p.TauCosine) {
		f.Detail += fmt.Sprintf(", cosine %.4g", p.TauCosine)
	}
	low, lowAt := p.Tau, p.Step
	for _, q := range rep.Points {
		if q.Tau < low {
			low, lowAt = q.Tau, q.Step
		}
	}
	f.Detail += fmt.Sprintf(" (%s); least %.4g at step %d", when(p), low, lowAt)
	caught := math.Abs(p.Tau-1) < limitTau && (math.IsNaN(p.TauCosine) || p.TauCosine > limitTauCosine)
	switch {
	case caught:
		f.Word = CaughtUp
	case r.Counted || early(p):
		f.Word = Early
	default:
		f.Word = Behind
	}
	return f
}
