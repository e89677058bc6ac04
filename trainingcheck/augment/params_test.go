package augment

import (
	"reflect"
	"slices"
	"testing"
)

// TestRecordsHoldEveryParameter: a record has Width values, each parameter at the
// place where Views reads it, and changing any one changes the record.
func TestRecordsHoldEveryParameter(t *testing.T) {
	p := Params{Y: 1, X: 2, H: 3, W: 4, Flip: true, Brightness: 0.5, Contrast: 0.6, Saturation: 0.7, Turn: -0.1, Order: [4]Change{2, 0, 3, 1}, Sigma: 1.5}
	r := p.Append([]float32{9})
	if len(r) != 1+Width || r[0] != 9 {
		t.Fatalf("appended %v, want %d values after the 9", r, Width)
	}
	r = r[1:]
	for at, want := range map[int]float32{atY: 1, atX: 2, atH: 3, atW: 4, atFlip: 1, atJitter: 0, atBrightness: 0.5, atContrast: 0.6,
		atSaturation: 0.7, atTurn: -0.1, atOrder: 2, atOrder + 1: 0, atOrder + 2: 3, atOrder + 3: 1, atGrey: 0, atSigma: 1.5} {
		if r[at] != want {
			t.Errorf("value %d is %v, want %v", at, r[at], want)
		}
	}
	fields := reflect.TypeFor[Params]()
	for i := range fields.NumField() {
		q := p
		switch f := reflect.ValueOf(&q).Elem().Field(i); f.Kind() {
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Int:
			f.SetInt(f.Int() + 1)
		case reflect.Float32, reflect.Float64:
			f.SetFloat(f.Float() + 0.25)
		default:
			q.Order = [4]Change{0, 1, 2, 3}
		}
		if slices.Equal(q.Append(nil), r) {
			t.Errorf("%s is not in the record", fields.Field(i).Name)
		}
	}
}
