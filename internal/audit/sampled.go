package audit

import (
	"context"
	"encoding/json"
	"errors"

	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// Sampling is what a property came to on a number of samples.
type Sampling struct {
	Tried      int // samples that met the hypotheses
	Holds      int // of these, how many kept the statement
	Violations int // and how many broke it; the rest decide nothing
	// Measures are the worst residual or margin met, the tolerance, and whatever else the property measures.
	Measures map[string]float64
	// Note says in words what was found, if there is something to say.
	Note string
	// Data is what else the property has to record, as JSON.
	Data json.RawMessage
	// Refutation and Witness are a counterexample that the model has confirmed; nil if there is none.
	Refutation *verdict.Refutation
	Witness    *verdict.Witness
}

// Properties decides statements by sampling; [Props] does it with package props.
type Properties interface {
	// Check says what is wrong with the name of a property; nil if nothing is.
	Check(property string) error
	// Run samples the property that a statement in words names.
	Run(ctx context.Context, property string, seed uint64, samples int) (Sampling, error)
	// Samples checks a statement in floating point on states of its own; ErrNoProperty if it has no way to.
	Samples(ctx context.Context, part *lang.Part, seed uint64, samples int) (Sampling, error)
}

// ErrNoProperty is returned where no property samples a statement.
var ErrNoProperty = errors.New("audit: no property samples this statement")

// NoProperties samples nothing: statements in words stay undecided.
type NoProperties struct{}

// Check returns nil: any name will do where nothing is sampled.
func (NoProperties) Check(string) error { return nil }

// Run returns [ErrNoProperty].
func (NoProperties) Run(context.Context, string, uint64, int) (Sampling, error) {
	return Sampling{}, ErrNoProperty
}

// Samples returns [ErrNoProperty].
func (NoProperties) Samples(context.Context, *lang.Part, uint64, int) (Sampling, error) {
	return Sampling{}, ErrNoProperty
}
