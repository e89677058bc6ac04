package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Schema is the value of a ledger's "schema" member.
const Schema = "stopgrad-ledger/1"

// Verdict is one of the words of [Verdicts]. It is a record of what a theorem, a counterexample or a property said, not an
// authority: whoever doubts it re-runs the audit.
type Verdict string

// The verdict words.
const (
	Proved       Verdict = "proved"
	Certified    Verdict = "certified"
	Supported    Verdict = "supported"
	Observed     Verdict = "observed"
	NotObserved  Verdict = "not observed"
	Refuted      Verdict = "refuted"
	IllFormed    Verdict = "ill-formed"
	Inconsistent Verdict = "inconsistent"  // no motion keeps the assumption
	NotKept      Verdict = "not kept"      // some motion leaves the assumption
	Vacuous      Verdict = "vacuous"       // the hypotheses contradict each other
	Contradicted Verdict = "contradiction" // proved and refuted: an error of the suite
	Undecided    Verdict = "undecided"
)

// Verdicts is the closed set of verdict words, from the strongest affirmation to the weakest, then the
// denials, then undecided.
var Verdicts = []Verdict{Proved, Certified, Supported, Observed, NotObserved, Refuted, IllFormed, Inconsistent, NotKept, Vacuous, Contradicted, Undecided}

// Affirms reports whether the verdict speaks for the statement: proved, certified, supported or observed.
func (v Verdict) Affirms() bool {
	return v == Proved || v == Certified || v == Supported || v == Observed
}

// Denies reports whether the verdict says that the statement is false or has no meaning.
func (v Verdict) Denies() bool {
	return v == Refuted || v == IllFormed || v == Inconsistent || v == NotKept
}

// Kind is a kind of evidence.
type Kind string

// The kinds of evidence.
const (
	Proof       Kind = "proof"       // a replayed derivation, or the typing that finds a statement ill-formed
	Certificate Kind = "certificate" // interval arithmetic over a region
	Samples     Kind = "samples"     // states drawn without a counterexample
	Witness     Kind = "witness"     // a counterexample
	Training    Kind = "training"    // real training runs
)

// Kinds is the closed set of kinds of evidence.
var Kinds = []Kind{Proof, Certificate, Samples, Witness, Training}

// Ledger is the record of one audit.
type Ledger struct {
	Schema  string  `json:"schema"`
	Seed    uint64  `json:"seed"`
	Depth   string  `json:"depth"`
	Claims  []Claim `json:"claims"`
	Summary Summary `json:"summary"`
}

// Claim is the record of one claim.
type Claim struct {
	ID        string     `json:"id"`
	Where     string     `json:"where"`     // where it is printed
	Statement string     `json:"statement"` // of the printed reading, from the kernel
	Verdict   Verdict    `json:"verdict"`   // of the statement as printed
	Corrected *Reading   `json:"corrected,omitempty"`
	Evidence  []Evidence `json:"evidence"`
	Twins     []Twin     `json:"twins"`
	// Seconds is how long the claim occupied a worker, its twins included.
	Seconds float64 `json:"seconds"`
}

// Reading is the corrected reading of a claim.
type Reading struct {
	Statement string  `json:"statement"`
	Verdict   Verdict `json:"verdict"`
}

// Evidence is one piece of evidence about one part of a claim.
type Evidence struct {
	Kind    Kind    `json:"kind"`
	Verdict Verdict `json:"verdict"` // what this piece alone says
	Seconds float64 `json:"seconds"`
	Detail  Detail  `json:"detail"`
	// Certificate names the file, in the ledger's folder, by which the verdict can be checked again.
	Certificate string `json:"certificate,omitempty"`
}

// Twin is a mutated copy of a part, which must be refuted.
type Twin struct {
	Mutation    string  `json:"mutation"` // "PART: OLD → NEW", or "PART: drop hypothesis NAME"
	Verdict     Verdict `json:"verdict"`
	Certificate string  `json:"certificate,omitempty"`
	Detail      *Detail `json:"detail,omitempty"`
}

// Detail says what a piece of evidence consists of. Which members are present depends on its kind.
type Detail struct {
	Part      string `json:"part"`
	Reading   string `json:"reading"` // printed or corrected
	Statement string `json:"statement,omitempty"`
	// Given is Γ, a line for each size, symbol, moment, equation, marked hypothesis and abbreviation; statement and Γ
	// are printed from the kernel.
	Given []string `json:"given,omitempty"`
	// Sequent is a digest of the canonical text of Γ and statement: equal for equal sequents.
	Sequent string `json:"sequent,omitempty"`

	// Reason is why the evidence is no better than it is: the typing error, the step at which a script broke
	// off, what kept states from being tried.
	Reason string `json:"reason,omitempty"`

	Steps []Step `json:"steps,omitempty"` // proof: the derivation, as far as it went
	// Uses names the parts, as CLAIM/PART, whose theorems the script uses; each is proved again in this proof.
	Uses []string `json:"uses,omitempty"`
	// Script says where and why the part's own proof script breaks off; empty if it does not, or if there is none.
	Script string `json:"script,omitempty"`

	// Samples and witnesses: the stream's seed, the states drawn, and those that met every hypothesis.
	Seed  *uint64 `json:"seed,omitempty"`
	Drawn int     `json:"drawn,omitempty"`
	Tried int     `json:"tried,omitempty"`
	// Undefined is set where the statement has no value at a state that meets every hypothesis; Reason says which.
	Undefined bool `json:"undefined,omitempty"`
	// Tested says of a statement over time what was followed of it beside single states, and how closely it came to failing.
	// Followed counts the orbits and trajectories of which it says something.
	Tested   string `json:"tested,omitempty"`
	Followed int    `json:"followed,omitempty"`
	// Holds and Against count the samples of a property that kept the statement and that broke it in floating point.
	Holds   int `json:"holds,omitempty"`
	Against int `json:"against,omitempty"`

	State *State `json:"state,omitempty"` // witness
	// Left and Right are the two sides of the refuted statement at the witness, as numbers; of a statement over time Reason
	// says in numbers how it fails.
	Left       string             `json:"left,omitempty"`
	Right      string             `json:"right,omitempty"`
	Hypotheses map[string]bool    `json:"hypotheses,omitempty"` // at the witness
	Measures   map[string]float64 `json:"measures,omitempty"`   // at the witness, or the worst of the samples

	// Data is what another package records under its own format: a certificate, a training run.
	Data json.RawMessage `json:"data,omitempty"`
}

// Step is one step of a derivation.
type Step struct {
	Rule string `json:"rule"`
	Says string `json:"says"`
}

// State is an exact state: sizes, scalars as rationals in text, matrices as rows of rationals in text.
type State struct {
	Sizes    map[string]int        `json:"sizes,omitempty"`
	Scalars  map[string]string     `json:"scalars,omitempty"`
	Matrices map[string][][]string `json:"matrices,omitempty"`
}

// Summary counts what the claims of a ledger came to.
type Summary struct {
	Claims    int             `json:"claims"`
	Complete  bool            `json:"complete"` // false if the audit was interrupted
	Printed   map[Verdict]int `json:"printed"`
	Corrected map[Verdict]int `json:"corrected"`
	Twins     TwinCount       `json:"twins"`
	// Contradictions lists "CLAIM/PART" of parts that are both proved and refuted: each reveals an error of the
	// suite.
	Contradictions []string `json:"contradictions"`
	Sources        string   `json:"sources"` // digest of the claim files
	// Resume, in a partial ledger, identifies the audit that may go on from it.
	Resume  string  `json:"resume,omitempty"`
	Seconds float64 `json:"seconds"` // from start to end
}

// TwinCount counts twins and the refuted ones among them.
type TwinCount struct {
	Total   int `json:"total"`
	Refuted int `json:"refuted"`
}

// Summarise fills the counts of the summary from the claims; it leaves Complete, Sources, Resume and Seconds
// alone.
func (l *Ledger) Summarise() {
	s := &l.Summary
	s.Claims = len(l.Claims)
	s.Printed, s.Corrected = map[Verdict]int{}, map[Verdict]int{}
	s.Twins, s.Contradictions = TwinCount{}, []string{}
	for _, c := range l.Claims {
		s.Printed[c.Verdict]++
		if c.Corrected != nil {
			s.Corrected[c.Corrected.Verdict]++
		}
		s.Contradictions = append(s.Contradictions, c.Contradictions()...)
		for _, t := range c.Twins {
			s.Twins.Total++
			if t.Verdict.Denies() {
				s.Twins.Refuted++
			}
		}
	}
}

// Contradictions names the parts that one piece of evidence affirms, or finds vacuous, and another denies.
func (c *Claim) Contradictions() []string {
	var out []string
	for _, e := range c.Evidence {
		if e.Verdict != Proved && e.Verdict != Certified && e.Verdict != Vacuous {
			continue
		}
		for _, w := range c.Evidence {
			if w.Verdict.Denies() && w.Detail.Part == e.Detail.Part && w.Detail.Reading == e.Detail.Reading {
				out = append(out, c.ID+"/"+e.Detail.Part)
			}
		}
	}
	return slices.Compact(out)
}

// Claim returns the record of the claim with the given id, or nil.
func (l *Ledger) Claim(id string) *Claim {
	for i := range l.Claims {
		if l.Claims[i].ID == id {
			return &l.Claims[i]
		}
	}
	return nil
}

// Select returns the ledger restricted to the claims with the given ids.
func (l *Ledger) Select(ids []string) *Ledger {
	out := *l
	out.Claims = nil
	for _, c := range l.Claims {
		if slices.Contains(ids, c.ID) {
			out.Claims = append(out.Claims, c)
		}
	}
	out.Summarise()
	return &out
}

// Canonical returns a copy of the ledger with every "seconds" zero: what is left is the same for the same
// program, claims, seed and depth, whatever the number of workers.
func (l *Ledger) Canonical() *Ledger {
	out := *l
	out.Summary.Seconds = 0
	out.Claims = slices.Clone(l.Claims)
	for i := range out.Claims {
		c := &out.Claims[i]
		c.Seconds = 0
		c.Evidence = slices.Clone(c.Evidence)
		for j := range c.Evidence {
			c.Evidence[j].Seconds = 0
		}
	}
	return &out
}

// Encode renders the ledger as indented JSON with a final line feed.
func (l *Ledger) Encode() ([]byte, error) {
	out := *l
	if out.Claims == nil {
		out.Claims = []Claim{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(&out); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return b.Bytes(), nil
}
