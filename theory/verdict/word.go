package verdict

import (
	"math/big"

	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
)

// Verdict is a word from the closed set. Its zero value is undecided.
type Verdict struct{ w string }

// The words anyone may say.
var (
	Undecided     = Verdict{"undecided"}
	Supported     = Verdict{"supported"}
	Contradiction = Verdict{"contradiction"}
)

const (
	proved       = "proved"
	certified    = "certified"
	refuted      = "refuted"
	illFormed    = "ill-formed"
	vacuous      = "vacuous"
	inconsistent = "inconsistent"
	notKept      = "not kept"
)

// OfTheorems is the verdict of theorems on a reading: proved if each of its goals is among them, in its own context.
// For an assumption, whose goal is an absurdity, that is inconsistent.
func OfTheorems(r *lang.Reading, ths []kernel.Theorem) Verdict {
	goals := r.Goals()
	// Soundness: see kernel.Context.Whole; a goal that was overwritten is not that of the part.
	if r.Context().Whole() != nil {
		return Undecided
	}
	for _, g := range goals {
		found := false
		for _, t := range ths {
			// Soundness: the theorem states this goal under this Γ.
			found = found || t.Valid() && t.Context() == r.Context() && t.Formula().Same(g)
		}
		if !found {
			return Undecided
		}
	}
	switch {
	case len(goals) == 0:
		return Undecided
	case r.Part().Stmt.Kind == lang.Assumption:
		return Verdict{inconsistent}
	}
	return Verdict{proved}
}

// OfCertified is the verdict of sequents certified over their region: certified if each goal of the reading is among them,
// in its own context.
func OfCertified(r *lang.Reading, cs []region.Certified) Verdict { return ofCertified(r, cs) }

// OfOutcomes is the same of sequents certified along all motions from their region.
func OfOutcomes(r *lang.Reading, cs []trajectory.Certified) Verdict { return ofCertified(r, cs) }

func ofCertified[C interface {
	Valid() bool
	Context() *kernel.Context
	Formula() kernel.Formula
}](r *lang.Reading, cs []C) Verdict {
	goals := r.Goals()
	if r.Context().Whole() != nil || len(goals) == 0 || r.Part().Stmt.Kind == lang.Assumption {
		return Undecided
	}
	for _, g := range goals {
		found := false
		for _, c := range cs {
			// Soundness: this goal, under this Γ.
			found = found || c.Valid() && c.Context() == r.Context() && c.Formula().Same(g)
		}
		if !found {
			return Undecided
		}
	}
	return Verdict{certified}
}

// OfAbsurdity is the verdict of a theorem of ⊥ in the reading's context: vacuous. Of an assumption, it has to be a theorem of
// what is assumed beside it: that nothing keeps the assumption itself is what is said of it.
func OfAbsurdity(r *lang.Reading, t kernel.Theorem) Verdict {
	f := t.Formula()
	want := r.Context()
	if r.Part().Stmt.Kind == lang.Assumption {
		want = r.Beside()
	}
	absurd := f.Form() == kernel.Absurd || f.Form() == kernel.Always && f.Inner().Form() == kernel.Absurd
	if !t.Valid() || t.Context() != want || r.Context().Whole() != nil || want.Whole() != nil || !absurd {
		return Undecided
	}
	return Verdict{vacuous}
}

// OfCounterexample is the verdict of a counterexample on a reading: refuted if one of its goals fails in its context.
func OfCounterexample(r *lang.Reading, c model.Counterexample) Verdict {
	// Soundness: a motion that refutes A ⊢ ⊥ keeps the assumption A; it does not refute A.
	if !c.Valid() || c.Context() != r.Context() || r.Context().Whole() != nil || r.Part().Stmt.Kind == lang.Assumption {
		return Undecided
	}
	for _, g := range r.Goals() {
		if c.Formula().Same(g) {
			return Verdict{refuted}
		}
	}
	return Undecided
}

// OfTrajectory is the verdict of a motion on a reading: refuted if one of its goals fails along it in its context.
func OfTrajectory(r *lang.Reading, x trajectory.Refutation) Verdict {
	// Soundness: a motion that refutes A ⊢ ⊥ keeps the assumption A; it does not refute A.
	if !x.Valid() || x.Context() != r.Context() || r.Context().Whole() != nil || r.Part().Stmt.Kind == lang.Assumption {
		return Undecided
	}
	for _, g := range r.Goals() {
		if x.Formula().Same(g) {
			return Verdict{refuted}
		}
	}
	return Undecided
}

// Loss returns what refutes that motions keep an assumption: Γ without its equations, and the statement that they stay what
// they are at the start. A counterexample is a state at which they hold and from which a motion (an orbit) leaves them along
// which everything else holds as it is marked. That their derivatives differ at some state is not enough: there need be no
// such motion there, or none that has left what is assumed beside them at once.
func Loss(r *lang.Reading) (c *kernel.Context, goals []kernel.Formula, err error) {
	var sides []*kernel.Term
	for i, f := range r.Kept() {
		if i%2 == 1 {
			continue
		}
		sig, ts := r.Context().Signature(), f.Terms()
		if z := ts[1]; z.Head() == kernel.Zero || z.Head() == kernel.Number && z.Value().Sign() == 0 {
			sides = append(sides, ts[0])
			continue
		}
		minus, err := sig.Number(big.NewRat(-1, 1))
		if err != nil {
			return nil, nil, err
		}
		if minus, err = sig.Make(kernel.Product, 0, minus, ts[1]); err != nil {
			return nil, nil, err
		}
		side, err := sig.Make(kernel.Sum, 0, ts[0], minus)
		if err != nil {
			return nil, nil, err
		}
		sides = append(sides, side)
	}
	stay, err := kernel.NewFormula(kernel.StayZero, sides...)
	return r.Beside(), []kernel.Formula{stay}, err
}

// OfLoss is the verdict of a counterexample to “the equations of A stay”, see [Loss], on an assumption A: not kept. From the
// state a motion leaves it.
func OfLoss(r *lang.Reading, c model.Counterexample) Verdict {
	// Soundness: along the motion holds all that Γ says beside the assumption, and no less.
	if !c.Valid() || r.Part().Stmt.Kind != lang.Assumption || c.Context() != r.Beside() || r.Context().Whole() != nil || r.Beside().Whole() != nil {
		return Undecided
	}
	_, goals, err := Loss(r)
	if err != nil {
		return Undecided
	}
	for _, g := range goals {
		if c.Formula().Same(g) {
			return Verdict{notKept}
		}
	}
	return Undecided
}

// OfFault is the verdict of a printed statement that has no meaning, and undecided for any other part.
func OfFault(p *lang.Part) Verdict {
	if p.Fault != nil && p.Fault.Shape {
		return Verdict{illFormed}
	}
	return Undecided
}

// String returns the verdict word.
func (v Verdict) String() string {
	if v.w == "" {
		return Undecided.w
	}
	return v.w
}

// IsProved reports whether the verdict is proved.
func (v Verdict) IsProved() bool { return v.w == proved }

// IsCertified reports whether the verdict is certified.
func (v Verdict) IsCertified() bool { return v.w == certified }

// IsRefuted reports whether a counterexample decided the verdict: refuted or not kept.
func (v Verdict) IsRefuted() bool { return v.w == refuted || v.w == notKept }

// IsIllFormed reports whether the statement has no meaning.
func (v Verdict) IsIllFormed() bool { return v.w == illFormed }

// Denies reports whether the verdict speaks against the statement: refuted, not kept, ill-formed or inconsistent.
func (v Verdict) Denies() bool { return v.IsRefuted() || v.w == illFormed || v.w == inconsistent }

// IsDecided reports whether the verdict is neither undecided nor only supported.
func (v Verdict) IsDecided() bool { return v.w != "" && v != Undecided && v != Supported }

// Together is the verdict of several pieces of evidence about one statement: a contradiction if one affirms it or finds
// it vacuous and another denies it; else the strongest that is said.
func Together(vs ...Verdict) Verdict {
	out := Undecided
	affirmed, denied := Undecided, Undecided
	for _, v := range vs {
		switch {
		case v == Contradiction:
			return v
		case v.Denies():
			// No motion keeps an assumption that is inconsistent; that some leave it says less.
			if denied == Undecided || v.w == inconsistent {
				denied = v
			}
		case v.IsDecided():
			// A theorem says more than a certificate of the same statement.
			if affirmed == Undecided || affirmed.w == certified {
				affirmed = v
			}
		case v == Supported:
			out = v
		}
	}
	switch {
	case affirmed != Undecided && denied != Undecided:
		return Contradiction
	case affirmed != Undecided:
		return affirmed
	case denied != Undecided:
		return denied
	}
	return out
}

// rank orders the verdicts of the parts of a conjunction: the least decides it.
var rank = map[string]int{Contradiction.w: 0, illFormed: 1, inconsistent: 2, notKept: 3, refuted: 4, Undecided.w: 5, "": 5,
	Supported.w: 6, certified: 7, vacuous: 8, proved: 9}

// Conjunction is the verdict of “all of these”: a contradiction if any is one, false if any is false, vacuous if one is
// and the others are proved, certified if one is and the others are certified, vacuous or proved, proved only if all are.
func Conjunction(vs ...Verdict) Verdict {
	if len(vs) == 0 {
		return Undecided
	}
	low := vs[0]
	for _, v := range vs[1:] {
		if rank[v.w] < rank[low.w] {
			low = v
		}
	}
	return low
}

// MarshalText renders the verdict word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
