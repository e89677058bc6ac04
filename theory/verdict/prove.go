package verdict

import (
	"bytes"
	"context"
	"fmt"

	"stopgrad/theory/kernel"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/prove"
)

// Proof is what became of a part's proof: theorems, or the reason why there are none.
type Proof struct {
	part    *lang.Part
	reading *lang.Reading
	outcome *prove.Outcome
	verdict Verdict
	failure error
	spent   int // the work of finding it
}

// Prove elaborates a part and establishes it by its script, or by search. It never returns nil.
func Prove(ctx context.Context, part *lang.Part) *Proof {
	return attempt(ctx, part, prove.Options{Search: true})
}

// Replay is [Prove] by the script alone.
func Replay(ctx context.Context, part *lang.Part) *Proof {
	return attempt(ctx, part, prove.Options{})
}

func attempt(ctx context.Context, part *lang.Part, o prove.Options) *Proof {
	p := &Proof{part: part}
	if part.Fault != nil {
		p.failure = part.Fault
		return p
	}
	if p.reading, p.failure = lang.Elaborate(part); p.failure != nil {
		return p
	}
	sig := p.reading.Context().Signature()
	sig.Limit(maxSearch)
	p.outcome = prove.Prove(ctx, p.reading, o)
	p.spent = sig.Spent()
	sig.Limit(0)
	p.failure = p.outcome.Failure()
	p.verdict = OfTheorems(p.reading, p.outcome.Theorems())
	if v := OfAbsurdity(p.reading, p.outcome.Vacuous()); v != Undecided {
		p.verdict = v
	}
	if err := p.recheck(); err != nil {
		p.verdict, p.failure = Undecided, fmt.Errorf("%s: a proof was found, and its certificate would be refused: %w", part.Pos, err)
	}
	return p
}

// cheap is the work up to which a proof is not read again before its word is said: what a certificate's steps take is at
// most what finding them took, and this is far below [certificate.MaxWork].
const cheap = certificate.MaxWork / 16

// maxSearch is the most work of looking for a proof. Terms share what is in them, so that short ones can be longer than any
// time when they are written out; the steps of a search alone bound nothing.
const maxSearch = 4 * certificate.MaxWork

// recheck writes the certificate of a proof that took much to find and reads it as a verifier would.
func (p *Proof) recheck() error {
	if p.verdict == Undecided || p.spent <= cheap {
		return nil
	}
	text, err := p.Certificate("_")
	if err == nil {
		_, err = certificate.Read(bytes.NewReader(text))
	}
	return err
}

// Verdict is proved, vacuous or inconsistent if there are theorems that say so, undecided otherwise.
func (p *Proof) Verdict() Verdict { return p.verdict }

// Reading is the part in the kernel's terms, nil if it has no meaning there.
func (p *Proof) Reading() *lang.Reading { return p.reading }

// Theorems are the theorems of the goals, if all are proved.
func (p *Proof) Theorems() []kernel.Theorem {
	if p.outcome == nil {
		return nil
	}
	return p.outcome.Theorems()
}

// Vacuous is the theorem that the hypotheses contradict each other, or the zero Theorem.
func (p *Proof) Vacuous() kernel.Theorem {
	if p.outcome == nil {
		return kernel.Theorem{}
	}
	return p.outcome.Vacuous()
}

// Steps is the derivation for readers, as far as it went.
func (p *Proof) Steps() []prove.Step {
	if p.outcome == nil {
		return nil
	}
	return p.outcome.Steps()
}

// Uses names the parts, as CLAIM/PART, whose theorems the proof uses.
func (p *Proof) Uses() []string {
	if p.outcome == nil {
		return nil
	}
	return p.outcome.Uses()
}

// Script says why the part's own script does not prove it, whatever a search found; nil if it does, or if there is none.
func (p *Proof) Script() error {
	if p.outcome == nil {
		return nil
	}
	return p.outcome.Script()
}

// Searched reports whether the theorems were found by search, not by the part's script.
func (p *Proof) Searched() bool { return p.outcome != nil && p.outcome.Searched() }

// Write is a script for the proof, the lines as they stand below `proof`: see [prove.Write].
func (p *Proof) Write(ctx context.Context) (string, error) {
	if p.outcome == nil {
		return "", p.failure
	}
	return prove.Write(ctx, p.part, p.outcome)
}

// Failure says why there are no theorems, with a position; nil if there are.
func (p *Proof) Failure() error { return p.failure }
