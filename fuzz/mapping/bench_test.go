package mapping

import (
	"testing"

	"stopgrad/numeric/ode"
)

// One cell of the map of reference, near the boundary and far from it, against the same mode integrated to the horizon
// without the traps, which is what a map by thresholds at a fixed time would do.
func BenchmarkCell(b *testing.B) {
	for name, pt := range map[string]point{
		"near": {Parameters: reference, beta: 1, p0: 0.1127, s0: 0.0127},
		"far":  {Parameters: reference, beta: 1, p0: 0.6, s0: 0.1},
	} {
		for _, m := range []Model{Frozen, Modes} {
			b.Run(m.String()+"/"+name, func(b *testing.B) {
				for b.Loop() {
					d, err := m.bind(pt)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := d.read(b.Context(), OutcomeOf, 0); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(m.String()+"/"+name+"/peer=horizon", func(b *testing.B) {
				for b.Loop() {
					d, err := m.bind(pt)
					if err != nil {
						b.Fatal(err)
					}
					end := d.horizon(0)
					if _, err := ode.Solve(b.Context(), d.rhs, 0, d.y0, end, &ode.Settings{
						RelTol: relTol, AbsTol: absTol, InitialStep: d.firstStep(), Output: []float64{end},
					}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("threshold", func(b *testing.B) {
		for b.Loop() {
			if _, err := reference.Threshold(b.Context(), 0.01); err != nil {
				b.Fatal(err)
			}
		}
	})
}
