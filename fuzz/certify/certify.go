package certify

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"stopgrad/theory/eval"
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
	"stopgrad/theory/prove"
	"stopgrad/theory/region"
	"stopgrad/theory/trajectory"
	"stopgrad/theory/verdict"
)

// Outcome is what became of a part.
type Outcome struct {
	Verdict verdict.Verdict
	// Proof is what the prover made of the part. Where it has theorems, no region was searched.
	Proof *verdict.Proof
	// Certified are the goals that are certified over the region.
	Certified []region.Certified
	// Outcomes are those that are certified along all motions from it.
	Outcomes   []trajectory.Certified
	Refutation *verdict.Refutation
	Witness    verdict.Witness
	// Results are the searches, a goal each.
	Results []*Result
	// Exact counts the boxes that a theorem decided.
	Exact int

	reading *lang.Reading
}

// Part settles a part: by a proof, over the region that its hypotheses state, or by a point of it at which it fails.
// An error means that the question could not be put.
// Of a statement over time a proof is searched for last.
func Part(ctx context.Context, part *lang.Part, o Options) (*Outcome, error) {
	out := &Outcome{}
	if eval.OverTime(part) {
		out.Proof = verdict.Replay(ctx, part)
		if !out.Proof.Verdict().IsDecided() {
			if err := out.search(ctx, part, o); err != nil || out.Verdict.IsDecided() {
				return out, err
			}
		}
		if proof := verdict.Prove(ctx, part); proof.Verdict().IsDecided() {
			out.Proof, out.Verdict, out.reading = proof, proof.Verdict(), proof.Reading()
		}
		return out, nil
	}
	out.Proof = verdict.Prove(ctx, part)
	if out.Proof.Verdict().IsDecided() {
		out.Verdict, out.reading = out.Proof.Verdict(), out.Proof.Reading()
		return out, nil
	}
	return out, out.search(ctx, part, o)
}

// Region is [Part] without a proof of the whole.
func Region(ctx context.Context, part *lang.Part, o Options) (*Outcome, error) {
	out := &Outcome{}
	return out, out.search(ctx, part, o)
}

func (out *Outcome) search(ctx context.Context, part *lang.Part, o Options) error {
	if part.Fault != nil {
		return part.Fault
	}
	r, err := lang.Elaborate(part)
	if err != nil {
		return err
	}
	out.reading = r
	if r.Context().Time() == kernel.Motion {
		return out.flows(ctx, part, o)
	}
	o = o.filled()
	for i, goal := range r.Goals() {
		var found *Result
		_, counts := goal.Count()
		if counts {
			found, err = zeros(ctx, part, r, i, o)
		} else {
			found, err = Search(ctx, r.Context(), goal, o)
		}
		if err != nil {
			return err
		}
		out.Results = append(out.Results, found)
		o.Work = max(1, o.Work-found.Work)
		for _, x := range found.Suspects {
			w := witness(part, found.Names, x)
			ref, err := verdict.Refute(part, w)
			if err == nil && ref.Verdict().IsRefuted() {
				out.Refutation, out.Witness, out.Verdict = ref, w, ref.Verdict()
				return nil
			}
		}
		if counts {
			out.Exact += found.theorems()
		} else {
			out.Exact += found.exact(ctx, r, goal)
		}
		if !found.Decided() {
			return ctx.Err()
		}
		m := new(region.Meter)
		c, err := m.Check(r.Context(), goal, found.Sheds, found.Steps())
		switch {
		case err != nil && m.Left() < 0:
			// It would not be read again.
			found.Open = []Open{{Box: found.Box, Share: 1, Reason: err.Error()}}
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("certify: the argument that was found does not hold: %w", err)
		}
		out.Certified = append(out.Certified, c)
	}
	out.Verdict = verdict.OfCertified(r, out.Certified)
	return ctx.Err()
}

// maxExact is how many boxes are tried with the prover.
const maxExact = 16

// exact looks for theorems on the boxes that are left, the largest first, and puts them into the argument.
func (r *Result) exact(ctx context.Context, reading *lang.Reading, goal kernel.Formula) int {
	if len(r.Open) == 0 || len(r.Open) > maxExact || len(r.roots) == 0 {
		return 0
	}
	done := 0
	slices.SortStableFunc(r.Open, func(a, b Open) int { return cmp.Compare(b.Share, a.Share) })
	var left []Open
	for _, b := range r.Open {
		th, _, err := onBox(ctx, reading, goal, r.Names, b.Box, exactSteps)
		if err != nil {
			left = append(left, b)
			continue
		}
		b.at.step = region.Step{Rule: "theorem", Theorem: th}
		done++
	}
	r.Open = left
	return done
}

const (
	// exactSteps bounds the prover on one box.
	exactSteps = 2000
	// exactWork bounds the kernel on one box, see [kernel.Signature.Limit]: a step at a high power may be dear.
	exactWork = 1_000_000
)

// onBox proves the goal under the hypotheses and the bounds of the scalars on a box, and says how many operations that took.
func onBox(ctx context.Context, r *lang.Reading, goal kernel.Formula, names []string, box []region.Side, steps int) (th kernel.Theorem, work int, err error) {
	sig := r.Context().Signature()
	sig.Limit(exactWork)
	defer func() { work += kernelWork * sig.Spent(); sig.Limit(0) }()
	zero, err := sig.Number(new(big.Rat))
	if err != nil {
		return th, 0, err
	}
	var more []kernel.Formula
	bound := func(open bool, a, b *kernel.Term) error {
		form := kernel.AtLeast
		if open {
			form = kernel.Greater
		}
		f, err := kernel.NewFormula(form, a, b)
		more = append(more, f)
		return err
	}
	for i, d := range box {
		x := sig.Lookup(names[i])
		if x == nil || !x.Scalar() {
			continue
		}
		for _, end := range []struct {
			v    *big.Rat
			open bool
			low  bool
		}{{d.Lo, d.LoOpen, true}, {d.Hi, d.HiOpen, false}} {
			if end.v == nil {
				continue
			}
			v := zero
			if end.v.Sign() != 0 {
				if v, err = sig.Number(end.v); err != nil {
					return th, 0, err
				}
			}
			if end.low {
				err = bound(end.open, x, v)
			} else {
				err = bound(end.open, v, x)
			}
			if err != nil {
				return th, 0, err
			}
		}
	}
	th, labour, err := prove.Under(ctx, r, more, goal, prove.Options{Steps: steps})
	return th, labour / proverWork, err
}

// witness is a point of the region as a state of the part: the coordinates that occur, and simple values of the rest.
func witness(part *lang.Part, names []string, x []*big.Rat) verdict.Witness {
	values := map[string]*big.Rat{}
	for i, n := range names {
		values[n] = x[i]
	}
	env := part.Env
	w := verdict.Witness{Dims: map[lang.Dim]int{}, Vals: map[string]eval.Matrix[*big.Rat]{}}
	for _, n := range env.Sizes {
		w.Dims[n] = max(1, env.Fixed[n])
	}
	dim := func(d lang.Dim) int {
		if d == "1" {
			return 1
		}
		return w.Dims[d]
	}
	for _, name := range env.Order {
		s := env.Symbols[name]
		switch {
		case s.Root != nil:
		case s.Kind == lang.Scalar:
			v := values[name]
			if v == nil {
				v = simple(s.Domain)
			}
			w.Vals[name] = eval.ScalarOf(v)
		case s.Kind == lang.Matrix:
			m := eval.Matrix[*big.Rat]{R: dim(s.Rows), C: dim(s.Cols)}
			for i := range m.R {
				for j := range m.C {
					v := values[fmt.Sprintf("%s.%d.%d", name, i+1, j+1)]
					if mirrored := values[fmt.Sprintf("%s.%d.%d", name, j+1, i+1)]; v == nil && mirrored != nil && s.Attr&(lang.Symmetric|lang.Skew) != 0 {
						v = mirrored
						if s.Attr&lang.Skew != 0 {
							v = new(big.Rat).Neg(v)
						}
					}
					switch {
					case v != nil:
					case i == j && s.Attr&(lang.PSD|lang.PD|lang.Invertible|lang.Isometry) != 0:
						v = big.NewRat(1, 1)
					default:
						v = new(big.Rat)
					}
					m.A = append(m.A, v)
				}
			}
			w.Vals[name] = m
		}
	}
	return w
}

// simple is a number of a domain.
func simple(d lang.Domain) *big.Rat {
	one := big.NewRat(1, 1)
	for _, v := range []*big.Rat{one, new(big.Rat), big.NewRat(1, 2), big.NewRat(-1, 1)} {
		if d.Contains(v) {
			return v
		}
	}
	switch {
	case d.Lo != nil && d.Hi != nil:
		v := new(big.Rat).Add(d.Lo, d.Hi)
		return v.Mul(v, big.NewRat(1, 2))
	case d.Lo != nil:
		return new(big.Rat).Add(d.Lo, one)
	}
	return new(big.Rat).Sub(d.Hi, one)
}

// Reading is the part in the kernel's terms.
func (out *Outcome) Reading() *lang.Reading { return out.reading }

// Left is the share of the region that is undecided, of the goal that has most left.
func (out *Outcome) Left() (share float64, boxes int) {
	for _, r := range out.Results {
		s := 0.0
		for _, b := range r.Open {
			s += b.Share
		}
		if s >= share {
			share, boxes = s, len(r.Open)
		}
	}
	return share, boxes
}

// Slab is a part of the region at an end of a coordinate.
type Slab struct {
	Name  string
	End   *big.Rat
	Width *big.Rat
	upper bool
}

// Bounds are what is left of the region without the slab, as behind for in a claim file.
func (s Slab) Bounds() string {
	if s.upper {
		return fmt.Sprintf("%s in (-inf, %s]", s.Name, new(big.Rat).Sub(s.End, s.Width).RatString())
	}
	return fmt.Sprintf("%s in [%s, inf)", s.Name, new(big.Rat).Add(s.End, s.Width).RatString())
}

// Slab is the thinnest slab, of a scalar and by its share of the range, that all open boxes lie in; there is none if it
// would be more than half of the range.
func (out *Outcome) Slab() (Slab, bool) {
	var best Slab
	ratio := big.NewRat(1, 2)
	for _, r := range out.Results {
		if len(r.Open) == 0 {
			continue
		}
		for i, d := range r.Box {
			if d.Lo == nil || d.Hi == nil || d.Lo.Cmp(d.Hi) == 0 || out.reading.Context().Signature().Lookup(r.Names[i]) == nil {
				continue
			}
			low, high := d.Hi, d.Lo // of all boxes
			for _, b := range r.Open {
				if b.Box[i].Lo.Cmp(low) < 0 {
					low = b.Box[i].Lo
				}
				if b.Box[i].Hi.Cmp(high) > 0 {
					high = b.Box[i].Hi
				}
			}
			width := new(big.Rat).Sub(d.Hi, d.Lo)
			for _, s := range []Slab{{r.Names[i], d.Lo, new(big.Rat).Sub(high, d.Lo), false}, {r.Names[i], d.Hi, new(big.Rat).Sub(d.Hi, low), true}} {
				if q := new(big.Rat).Quo(s.Width, width); q.Cmp(ratio) < 0 {
					best, ratio = s, q
				}
			}
		}
	}
	return best, best.Width != nil
}

// certified says where something holds, and by how many boxes.
func certified(states []region.Certified, motions []trajectory.Certified) string {
	boxes, where := 0, "at every point of its region"
	for _, c := range states {
		boxes += c.Leaves()
	}
	for _, c := range motions {
		boxes, where = boxes+c.Leaves(), "along all motions from its region"
	}
	return fmt.Sprintf("certified %s, by %d boxes", where, boxes)
}

// looked is what Say adds to that of a search.
var looked = regexp.MustCompile(`^ of [0-9]+ looked at(, [0-9]+ of them by theorems)?$`)

// Says reports whether text is what [Outcome.Say] says of what is certified so, whatever the search took.
func Says(text string, states []region.Certified, motions []trajectory.Certified) bool {
	search, ok := strings.CutPrefix(text, certified(states, motions))
	return ok && looked.MatchString(search)
}

// Say says what became of the part, in one line or more.
func (out *Outcome) Say() string {
	switch v := out.Verdict; {
	case v.IsCertified():
		nodes := 0
		for _, r := range out.Results {
			nodes += r.Nodes
		}
		text := certified(out.Certified, out.Outcomes) + fmt.Sprintf(" of %d looked at", nodes)
		if out.Exact > 0 {
			text += fmt.Sprintf(", %d of them by theorems", out.Exact)
		}
		return text
	case v.IsRefuted():
		return fmt.Sprintf("%s: %s", v, out.Refutation.Reason())
	case v.IsDecided():
		return fmt.Sprintf("%s, wherever its hypotheses hold, those of its region included", v)
	}
	share, boxes := out.Left()
	text := fmt.Sprintf("undecided on %.3g of its region, %d boxes", share, boxes)
	for _, r := range out.Results {
		if r.Limit != "" {
			text += "; " + r.Limit
		}
	}
	for _, r := range out.Results {
		for k, b := range r.Open {
			if k == shownBoxes {
				text += fmt.Sprintf("\n  and %d more", len(r.Open)-k)
				break
			}
			if len(b.Box) > 0 {
				text += "\n  " + r.boxOf(b)
			}
		}
	}
	return text
}

// shownBoxes is how many of the boxes that are left are written out.
const shownBoxes = 4

func (r *Result) boxOf(b Open) string {
	var parts []string
	end := func(v *big.Rat, none string) string {
		if v == nil {
			return none
		}
		f, _ := v.Float64()
		return fmt.Sprintf("%.8g", f)
	}
	for i, d := range b.Box {
		parts = append(parts, fmt.Sprintf("%s in [%s, %s]", r.Names[i], end(d.Lo, "-inf"), end(d.Hi, "inf")))
	}
	text := strings.Join(parts, ", ")
	if b.Reason != "" {
		text += ": " + b.Reason
	}
	return text
}

// Certificate renders the evidence behind the verdict; nil if there is none.
func (out *Outcome) Certificate(claim string) ([]byte, error) {
	switch {
	case out.Verdict.IsRefuted():
		return out.Refutation.Certificate(claim)
	case out.Verdict.IsCertified() && len(out.Outcomes) > 0:
		return verdict.OutcomeCertificate(claim, out.reading, out.Outcomes)
	case out.Verdict.IsCertified():
		return verdict.RegionCertificate(claim, out.reading, out.Certified)
	case out.Proof != nil:
		return out.Proof.Certificate(claim)
	}
	return nil, nil
}
