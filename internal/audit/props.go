package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"stopgrad/props"
	"stopgrad/theory/lang"
)

// Props samples with package props.
type Props struct{}

// Check refuses a name that no property has.
func (Props) Check(property string) error {
	if names := props.Names(); !slices.Contains(names, property) {
		return fmt.Errorf("there is no property %q to sample; expected one of %s", property, strings.Join(names, ", "))
	}
	return nil
}

// Run samples a statement in words. Whatever the property measured goes into the record as it is.
func (Props) Run(ctx context.Context, property string, seed uint64, samples int) (Sampling, error) {
	m, err := props.Run(ctx, property, seed, samples)
	if err != nil {
		return Sampling{}, err
	}
	data, err := json.Marshal(struct {
		Says   string         `json:"says"`
		Detail map[string]any `json:"detail,omitempty"`
	}{m.Says, m.Detail})
	if err != nil {
		return Sampling{}, fmt.Errorf("audit: property %s: %w", property, err)
	}
	return Sampling{Tried: m.Tried, Holds: m.Holds, Violations: m.Violations, Data: data,
		Measures: map[string]float64{"worst": m.Worst, "tolerance": m.Tolerance, "holds": float64(m.Holds), "violations": float64(m.Violations)}}, nil
}

// Samples judges a formal statement at exact states of a stream of its own, and compares what float64
// arithmetic says there.
func (Props) Samples(ctx context.Context, part *lang.Part, seed uint64, samples int) (Sampling, error) {
	r := props.Samples(ctx, part, seed, samples)
	if r.Err != nil {
		return Sampling{}, r.Err
	}
	s := Sampling{Tried: r.Tried, Holds: r.Tried - r.Unjudged, Violations: r.Unjudged, Refutation: r.Refutation, Witness: r.Witness,
		Measures: map[string]float64{}}
	if r.Measure != "" {
		s.Measures["worst "+r.Measure] = r.Worst
		s.Measures["rounding"] = r.Rounding
	}
	if r.Unjudged > 0 {
		s.Note = "the model says nothing of them"
	}
	if r.Disagreements > 0 {
		s.Note = fmt.Sprintf("float64 arithmetic judges %d of the states otherwise", r.Disagreements)
	}
	return s, nil
}
