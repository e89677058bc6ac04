package parity

import (
	"slices"
	"testing"

	"stopgrad/trainingcheck/augment"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/recorder"
)

var residentPrecisions = []method.Precision{method.Float64, method.Float32}

// TestParityOfResidentData makes steps from images on each engine's device.
func TestParityOfResidentData(t *testing.T) {
	for _, kind := range kinds(engine.CPUGoMLX, engine.XLACPU, engine.GPU, engine.GPUTF32) {
		if kind == engine.CPU {
			continue // it has no images of its own
		}
		t.Run(kind, func(t *testing.T) {
			other := start(t, kind)
			for _, n := range ResidentNetworks() {
				for _, p := range residentPrecisions {
					d, err := CompareResident(cpu(t), other, n.Config, p)
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%s in %s: loss %.2g, gradient %.2g", n.Name, p, d.Loss, d.Gradient)
					if err := d.WithinResident(recorder.Arithmetic(kind, p)); err != nil {
						t.Errorf("%s in %s: %v", n.Name, p, err)
					}
				}
			}
		})
	}
}

// mistaken is a source whose drawn views have one number of every record changed.
type mistaken struct {
	method.Resident
	change func(record []float32)
}

func (m mistaken) Draws(step int) augment.Draws {
	d := m.Resident.Draws(step)
	for v := range d.Views {
		d.Views[v] = slices.Clone(d.Views[v])
		for i := 0; i < len(d.Views[v]); i += augment.Width {
			m.change(d.Views[v][i : i+augment.Width])
		}
	}
	return d
}

// TestParityOfResidentDataNoticesOtherViews is the twin: a device that ignored one parameter of the views must fail.
func TestParityOfResidentDataNoticesOtherViews(t *testing.T) {
	other := start(t, engine.CPUGoMLX)
	// The places of a record that Params.Append fills, found by what one parameter changes.
	place := func(p augment.Params) int {
		return slices.IndexFunc(p.Append(nil), func(x float32) bool { return x != 0 })
	}
	for what, at := range map[string]int{
		"the flip": place(augment.Params{Flip: true}),
		"the hue":  place(augment.Params{Turn: 1}),
		"the grey": place(augment.Params{Grey: true}),
		"the blur": place(augment.Params{Sigma: 1}),
	} {
		for _, n := range ResidentNetworks() {
			d, err := compareResident(cpu(t), other, n.Config, method.Float32, func(r method.Resident) method.Resident {
				return mistaken{r, func(record []float32) { record[at] = 0 }}
			})
			if err != nil {
				t.Fatal(err)
			}
			if d.WithinResident(recorder.Arithmetic(engine.CPUGoMLX, method.Float32)) == nil {
				t.Errorf("%s: a device that ignores %s passes: %+v", n.Name, what, d)
			}
		}
	}
}
