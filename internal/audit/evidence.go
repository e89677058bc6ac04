package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"

	"stopgrad/fuzz/certify"
	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// finding is what became of one part of a claim.
type finding struct {
	verdict   verdict.Verdict
	statement string
	evidence  []ledger.Evidence
	twins     []ledger.Twin
	seconds   float64
	// certificates are the files behind the words, by name.
	certificates map[string][]byte
}

func word(v verdict.Verdict) ledger.Verdict { return ledger.Verdict(v.String()) }

// judge judges one part.
func judge(ctx context.Context, f *lang.File, c *lang.Claim, p *lang.Part, o Options) finding {
	start := time.Now()
	out := finding{certificates: map[string][]byte{}}
	detail := describe(p)
	var region *certify.Outcome // nil: nothing was left for the search of boxes
	var boxes ledger.Evidence
	r := theory.JudgePart(ctx, f, c, p, theory.Options{Seed: o.Seed, Budget: o.Depth.States, Hunter: o.Depth.Hunt, Doubt: o.Depth.Doubt,
		Certify: func(ctx context.Context, p *lang.Part) bool {
			boxes, region = regionEvidence(ctx, detail, p, o)
			return region.Verdict.IsDecided()
		}})
	out.statement = detail.Statement
	var words []verdict.Verdict
	add := func(e ledger.Evidence, v verdict.Verdict, kind string, certificate []byte) {
		e.Verdict = word(v)
		if certificate != nil {
			e.Certificate = certificateName(c, p, kind)
			out.certificates[e.Certificate] = certificate
		}
		out.evidence = append(out.evidence, e)
		words = append(words, v)
	}
	switch {
	case p.Fault != nil:
		d := detail
		d.Reason = p.Fault.Error()
		add(ledger.Evidence{Kind: ledger.Proof, Detail: d}, r.Verdict, "ill-formed", verdict.FaultCertificate(c.ID, p))
	default:
		if r.Proof != nil {
			certificate, err := r.Proof.Certificate(c.ID)
			e := proofEvidence(detail, r)
			if err != nil {
				e.Detail.Reason = err.Error()
			}
			add(e, r.Proof.Verdict(), "proof", certificate)
		}
		if p.Stmt.Kind != lang.Sampled {
			e, v := searchEvidence(detail, p, r.Search, r.Hunting, o.Seed)
			add(e, v, "counterexample", counterexample(c, r.Search.Refutation))
		}
		if region != nil && !verdict.Together(words...).IsDecided() {
			if region.Refutation != nil {
				boxes.Kind = ledger.Witness
				add(boxes, region.Verdict, "region-counterexample", counterexample(c, region.Refutation))
			} else {
				text, err := region.Certificate(c.ID)
				if err != nil {
					boxes.Detail.Reason = err.Error()
				}
				add(boxes, region.Verdict, "region", text)
			}
		}
		if e, s, ok := sampledEvidence(ctx, detail, p, o); ok {
			v := sampledWord(e, s.Refutation)
			if v == verdict.Supported && (r.Search.Undefined != "" || r.Search.Tested.Against != "") {
				v = verdict.Undecided
			}
			add(e, v, "sampled-counterexample", counterexample(c, s.Refutation))
		}
	}
	if r.Verdict == verdict.Contradiction {
		words = append(words, r.Verdict)
	}
	out.verdict = verdict.Together(words...)
	for i, t := range r.Twins {
		rec := twinRecord(p, t, o.Seed)
		if certificate := twinCertificate(c, t); certificate != nil {
			rec.Certificate = certificateName(c, p, fmt.Sprintf("twin%d", i+1))
			out.certificates[rec.Certificate] = certificate
		}
		out.twins = append(out.twins, rec)
	}
	out.seconds = time.Since(start).Seconds()
	return out
}

// Counterexample looks for a counterexample to a part by itself, as an audit of that depth does where there is no proof, and
// describes it with the word that it says; undecided if there is none.
func Counterexample(ctx context.Context, c *lang.Claim, p *lang.Part, depth Depth, seed uint64) (d ledger.Detail, v verdict.Verdict) {
	s := theory.Refute(ctx, c, p, theory.Options{Seed: seed, Budget: depth.States, Hunter: depth.Hunt})
	if s.Refutation == nil {
		return d, verdict.Undecided
	}
	describeSearch(&d, p, s, seed)
	return d, s.Refutation.Verdict()
}

// certificateName is the file that holds a certificate, relative to the ledger's folder.
func certificateName(c *lang.Claim, p *lang.Part, kind string) string {
	reading := "printed"
	if p.Corrected {
		reading = "corrected"
	}
	return CertificateFolder + "/" + FileWord(c.ID) + "." + reading + "." + FileWord(p.Name) + "." + kind + ".cert"
}

// longestWord is how long a word of a file name may be: two of them and what goes with them stay below 255 bytes.
const longestWord = 88

// FileWord keeps what is safe in a file name and spells out the rest, so that different words stay different; of a long one
// the end is a digest of the whole.
func FileWord(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 128 && (r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "_%x_", r)
		}
	}
	if b.Len() > longestWord {
		sum := sha256.Sum256([]byte(s))
		// No word that is spelled out has an s between its signs.
		digest := "_sha256_" + hex.EncodeToString(sum[:8])
		return b.String()[:longestWord-len(digest)] + digest
	}
	return b.String()
}

func counterexample(c *lang.Claim, r *verdict.Refutation) []byte {
	if r == nil {
		return nil
	}
	text, err := r.Certificate(c.ID)
	if err != nil {
		return nil
	}
	return text
}

// twinCertificate is the evidence that a twin is refuted, or else that it is proved; one that is both has none, so that a
// resumed audit judges it again.
func twinCertificate(c *lang.Claim, t theory.TwinResult) []byte {
	if t.Verdict == verdict.Contradiction {
		return nil
	}
	if text := counterexample(c, t.Search.Refutation); text != nil || t.Proof == nil {
		return text
	}
	text, err := t.Proof.Certificate(c.ID)
	if err != nil {
		return nil
	}
	return text
}

// describe begins the record of a part: what it says and under which Γ, printed from the kernel. What has no meaning there
// is recorded as it is written, and says so; of a statement in words it is said which property is sampled for it.
func describe(p *lang.Part) ledger.Detail {
	d := ledger.Detail{Part: p.Name, Reading: "printed"}
	if p.Corrected {
		d.Reading = "corrected"
	}
	statement, written := lang.Statement(p)
	d.Statement = statement
	if p.Stmt.Kind == lang.Sampled {
		d.Statement = fmt.Sprintf("in words, sampled as %s: %s", p.Stmt.Property, statement)
		return d
	}
	if written {
		d.Statement = "as written: " + statement
		return d
	}
	r, err := lang.Elaborate(p)
	if err != nil {
		return d
	}
	if lines, err := r.Lines(false); err == nil {
		for _, l := range lines {
			switch l.Word {
			case lang.Stated:
			case lang.Times:
				d.Given = append(d.Given, l.Text)
			default:
				d.Given = append(d.Given, l.Word+" "+l.Text)
			}
		}
	}
	if s, err := verdict.SequentsOf(p); err == nil {
		sum := sha256.Sum256([]byte(s.Statement))
		d.Sequent = "sha256:" + hex.EncodeToString(sum[:])
	}
	return d
}

// readingStatement renders the parts of a reading, each under its name where there are several.
func readingStatement(ps []*lang.Part, statement func(*lang.Part) string) string {
	if len(ps) == 1 {
		return statement(ps[0])
	}
	var out []string
	for _, p := range ps {
		out = append(out, p.Name+": "+statement(p))
	}
	return strings.Join(out, "; ")
}

// derived records a derivation as far as it went.
func derived(d *ledger.Detail, proof *verdict.Proof) {
	for _, l := range proof.Steps() {
		d.Steps = append(d.Steps, ledger.Step{Rule: l.Rule, Says: l.Says})
	}
	d.Uses, d.Reason, d.Script = proof.Uses(), "", ""
	if err := proof.Failure(); err != nil {
		d.Reason = err.Error()
	}
	if err := proof.Script(); err != nil {
		d.Script = err.Error()
	}
}

func proofEvidence(d ledger.Detail, r theory.PartResult) ledger.Evidence {
	derived(&d, r.Proof)
	return ledger.Evidence{Kind: ledger.Proof, Seconds: r.Proving.Seconds(), Detail: d}
}

func searchEvidence(d ledger.Detail, p *lang.Part, s sample.Result, took time.Duration, seed uint64) (ledger.Evidence, verdict.Verdict) {
	e := ledger.Evidence{Kind: ledger.Samples, Seconds: took.Seconds()}
	describeSearch(&d, p, s, seed)
	e.Detail = d
	switch {
	case s.Refutation != nil:
		e.Kind = ledger.Witness
		return e, s.Refutation.Verdict()
	case theory.Supports(p, s):
		return e, verdict.Supported
	}
	return e, verdict.Undecided
}

// describeSearch records a search for a counterexample: how far it went, and the witness if it found one.
func describeSearch(d *ledger.Detail, p *lang.Part, s sample.Result, seed uint64) {
	d.Seed, d.Drawn, d.Tried = &seed, s.Drawn, s.Tried
	if s.Tested.Against != "" {
		d.Against = 1
	}
	switch {
	case s.Refutation != nil:
		refuted(d, p, s.Witness, s.Refutation)
	case s.Undefined != "":
		d.Undefined, d.Reason = true, s.Undefined
	case eval.OverTime(p):
		d.Tested, d.Followed = s.Tested.String(), s.Tested.Followed
		if held := eval.Inputs(p); len(held) > 0 && s.Tested.Followed > 0 {
			d.Tested += "; inputs were held still, which says nothing of those that move: " + strings.Join(held, ", ")
		}
	case s.Tried == 0 && s.Err != nil:
		d.Reason = s.Err.Error()
	case s.Tried == 0:
		d.Reason = fmt.Sprintf("none of the %d states drawn met the hypotheses", s.Drawn)
	default:
		d.Tested = fmt.Sprintf("%d states", s.Tried)
		if c := sample.Closeness(s.Nearest); c != "" {
			d.Tested += "; " + c
		}
		if s.Cells > 0 {
			d.Tested += fmt.Sprintf("; a point of every open cell, %d", s.Cells)
		}
		if s.Tested.Against != "" {
			d.Tested += "; against it: " + s.Tested.Against
		}
	}
}

// regionEvidence searches for an argument that a statement holds at every point of the region that it states.
func regionEvidence(ctx context.Context, d ledger.Detail, p *lang.Part, o Options) (ledger.Evidence, *certify.Outcome) {
	start := time.Now()
	found, err := certify.Region(ctx, p, certify.Options{Nodes: o.Depth.Boxes, Workers: 1})
	switch {
	case err != nil:
		d.Reason = err.Error()
	case found.Refutation != nil:
		refuted(&d, p, found.Witness, found.Refutation)
	default:
		d.Reason = found.Say()
	}
	return ledger.Evidence{Kind: ledger.Certificate, Seconds: time.Since(start).Seconds(), Detail: d}, found
}

// sampledEvidence asks the properties about a part. A violation found in floating point does not refute: only
// the model can, at an exact state.
func sampledEvidence(ctx context.Context, d ledger.Detail, p *lang.Part, o Options) (ledger.Evidence, Sampling, bool) {
	start := time.Now()
	var s Sampling
	var err error
	if p.Stmt.Kind == lang.Sampled {
		s, err = o.Properties.Run(ctx, p.Stmt.Property, o.Seed, o.Depth.Runs)
	} else {
		s, err = o.Properties.Samples(ctx, p, o.Seed, o.Depth.Samples)
		if errors.Is(err, ErrNoProperty) {
			return ledger.Evidence{}, s, false
		}
	}
	d.Seed, d.Tried, d.Holds, d.Against = &o.Seed, s.Tried, s.Holds, s.Violations
	d.Measures, d.Reason, d.Data = finite(s.Measures), s.Note, s.Data
	kind := ledger.Samples
	switch {
	case err != nil:
		d.Reason, d.Holds = err.Error(), 0
	case s.Refutation != nil && s.Refutation.Verdict().IsRefuted():
		kind = ledger.Witness
		refuted(&d, p, *s.Witness, s.Refutation)
	case s.Violations > 0:
		d.Reason = fmt.Sprintf("%d of %d samples violate the statement, %d agree with it", s.Violations, s.Tried, s.Holds)
		if s.Note != "" {
			d.Reason += ": " + s.Note
		}
	}
	if p.Stmt.Kind == lang.Assumption || p.Stmt.Kind != lang.Sampled && eval.OverTime(p) {
		// Single states say nothing for a statement over time, nor for an assumption: see theory.Supports.
		d.Holds = 0
	}
	return ledger.Evidence{Kind: kind, Seconds: time.Since(start).Seconds(), Detail: d}, s, true
}

// sampledWord is what the samples of a property say.
func sampledWord(e ledger.Evidence, r *verdict.Refutation) verdict.Verdict {
	switch {
	case e.Kind == ledger.Witness:
		return r.Verdict()
	case e.Detail.Against == 0 && e.Detail.Holds > 0:
		return verdict.Supported
	}
	return verdict.Undecided
}

func twinRecord(p *lang.Part, t theory.TwinResult, seed uint64) ledger.Twin {
	d := &ledger.Detail{Part: p.Name, Reading: "printed"}
	if p.Corrected {
		d.Reading = "corrected"
	}
	if t.Err != nil {
		d.Reason = t.Err.Error()
	} else {
		full := describe(t.Part)
		d.Statement, d.Sequent = full.Statement, full.Sequent
		describeSearch(d, t.Part, t.Search, seed)
	}
	return ledger.Twin{Mutation: p.Name + ": " + t.Twin.String(), Verdict: word(t.Verdict), Detail: d}
}

// refuted records a counterexample.
func refuted(d *ledger.Detail, p *lang.Part, w verdict.Witness, r *verdict.Refutation) {
	f := r.Finding()
	d.State, d.Hypotheses, d.Measures, d.Reason = exactState(p, w), f.Hypotheses, finite(f.Measures), r.Reason()
	d.Left, d.Right, _ = r.Sides()
}

// exactState writes a witness in text, so that anyone can put it back into the statement by hand; square roots that the part
// declares are written where they are fractions.
func exactState(p *lang.Part, w verdict.Witness) *ledger.State {
	s := &ledger.State{Sizes: map[string]int{}, Scalars: map[string]string{}, Matrices: map[string][][]string{}}
	for d, n := range w.Dims {
		s.Sizes[string(d)] = n
	}
	for name, m := range w.Vals {
		if p.Env.Symbols[name].Root != nil {
			continue
		}
		text := rows(m)
		if x, ok := w.Surds[name]; ok {
			text = [][]string{{x.String()}}
		}
		if p.Env.Symbols[name].Kind == lang.Scalar {
			s.Scalars[name] = text[0][0]
		} else {
			s.Matrices[name] = text
		}
	}
	if len(w.Surds) > 0 {
		return s
	}
	e, err := eval.New(eval.Rational{}, p.Env, w)
	if err != nil {
		return s
	}
	for _, name := range p.Env.Order {
		if x := p.Env.Symbols[name]; x.Root != nil {
			if m, err := e.Eval(lang.NewCall(x.Pos, "root", x.Root)); err == nil {
				s.Scalars[name] = m.A[0].RatString()
			}
		}
	}
	return s
}

func rows(m eval.Matrix[*big.Rat]) [][]string {
	out := make([][]string, m.R)
	for i := range out {
		out[i] = make([]string, m.C)
		for j := range out[i] {
			out[i][j] = m.At(i, j).RatString()
		}
	}
	return out
}

// finite drops what JSON has no number for.
func finite(m map[string]float64) map[string]float64 {
	out := make(map[string]float64, len(m))
	for k, v := range m {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[k] = v
		}
	}
	return out
}
