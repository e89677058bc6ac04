package interior

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"stopgrad/props"
	"stopgrad/theory/eval"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// Word is gopter's word for the result of a property.
type Word string

// The words, each with gopter's status.
const (
	Proved    Word = "proved"    // TestProved: the kernel has made the theorems
	Passed    Word = "passed"    // TestPassed: as many states as asked for, no counterexample
	Falsified Word = "falsified" // TestFailed: a state that the model refutes the part at
	GaveUp    Word = "gave up"   // TestExhausted: too few drawn states met the hypotheses
)

// Report is the result of [Check].
type Report struct {
	Word      Word
	Succeeded int              // states at which the part holds
	Discarded int              // draws that met no hypotheses, or decided nothing
	State     *verdict.Witness // the counterexample of Falsified
}

// A point of the box is given up after attempts draws of everything but the hyper-parameters, and a property
// after maxDiscard points for one that counts.
const (
	attempts   = 20
	maxDiscard = 50
)

// Prop returns the property of a part in the interior of a box, for gopter: PropFalse at a state that the
// model refutes the part at, PropTrue where the part holds, PropUndecided where the draw meets no
// hypotheses or a failure is not confirmed. If prove is set and the kernel replays the part's proof it is
// PropProof, and nothing is sampled.
//
// It returns an error if the part has no formal statement or the box does not fit it.
func Prop(part *lang.Part, box Box, prove bool) (gopter.Prop, error) {
	p, _, err := property(part, box, prove)
	return p, err
}

func property(part *lang.Part, box Box, prove bool) (gopter.Prop, *State, error) {
	if part.Fault != nil || part.Stmt.Kind == lang.Sampled {
		return nil, nil, fmt.Errorf("interior: %s has no formal statement to judge at a state", part.Name)
	}
	axes, err := box.axes(part)
	if err != nil {
		return nil, nil, err
	}
	proved := prove && verdict.Prove(context.Background(), part).Verdict().IsProved()
	last := new(State)
	judge := func(u []float64, seed int64) *gopter.PropResult {
		if proved {
			return &gopter.PropResult{Status: gopter.PropProof}
		}
		ch := chooser{rand.New(rand.NewPCG(uint64(seed), 0))}
		there := narrowed(part, box, axes, u)
		if there == nil {
			return &gopter.PropResult{Status: gopter.PropUndecided}
		}
		for range attempts {
			st, err := sample.Draw(ch, there, props.MaxDim)
			if err != nil {
				continue
			}
			f, err := eval.Try(eval.Rational{}, part, st)
			if err != nil || !f.Met {
				continue
			}
			if *last = st; f.Holds {
				return &gopter.PropResult{Status: gopter.PropTrue}
			}
			if r, err := verdict.Refute(part, st); err == nil && r.Verdict().IsRefuted() {
				return &gopter.PropResult{Status: gopter.PropFalse, Labels: []string{part.Name}}
			}
		}
		return &gopter.PropResult{Status: gopter.PropUndecided}
	}
	return prop.ForAllNoShrink(judge, gen.SliceOfN(len(axes), gen.Float64Range(0, 1)), gen.Int64()), last, nil
}

// State is a state in exact numbers.
type State = eval.State[*big.Rat]

type chooser struct{ rng *rand.Rand }

func (c chooser) Intn(n int) int { return c.rng.IntN(n) }

func parameters(seed int64, n int) *gopter.TestParameters {
	p := gopter.DefaultTestParametersWithSeed(seed)
	p.MinSuccessfulTests, p.MaxDiscardRatio, p.Workers = n, maxDiscard, 1
	return p
}

// Check samples a part at n states in the interior of a box, from a seed.
func Check(part *lang.Part, box Box, prove bool, seed int64, n int) (Report, error) {
	p, last, err := property(part, box, prove)
	if err != nil {
		return Report{}, err
	}
	res := p.Check(parameters(seed, n))
	rep := Report{Succeeded: res.Succeeded, Discarded: res.Discarded}
	switch res.Status {
	case gopter.TestProved:
		rep.Word = Proved
	case gopter.TestPassed:
		rep.Word = Passed
	case gopter.TestExhausted:
		rep.Word = GaveUp
	case gopter.TestFailed:
		rep.Word, rep.State = Falsified, last
	default:
		return rep, fmt.Errorf("interior: %s: %w", part.Name, res.Error)
	}
	return rep, nil
}

// Run samples every part of a claim that has a formal statement, and writes gopter's report of each to w,
// under the label claim/part. It returns false if a part was falsified or gopter gave up on it, as gopter
// does.
func Run(w io.Writer, f *lang.File, id string, box Box, prove bool, seed int64, n int) (bool, error) {
	c := f.Claim(id)
	if c == nil {
		return false, fmt.Errorf("interior: no claim %q", id)
	}
	ps := gopter.NewProperties(parameters(seed, n))
	for _, part := range c.Parts {
		if part.Fault != nil || part.Stmt.Kind == lang.Sampled {
			continue
		}
		p, err := Prop(part, box, prove)
		if err != nil {
			return false, err
		}
		ps.Property(id+"/"+part.Name, p)
	}
	const width = 100
	return ps.Run(gopter.NewFormatedReporter(false, width, w)), nil
}
