package method

import "testing"

func BenchmarkStep(b *testing.B) {
	e := cpu(b)
	for _, c := range []struct {
		name string
		cfg  Config
	}{
		{"digits", Digits()},
		{"digits64", func() Config { c := Digits(); c.Precision = Float64; return c }()},
		{"mini", DigitsMini()},
		{"linear", LinearGaussian()},
	} {
		b.Run(c.name, func(b *testing.B) {
			t, err := New(e, c.cfg, 1)
			if err != nil {
				b.Fatal(err)
			}
			defer t.Close()
			batch := gaussian{1, c.cfg.Batch, c.cfg.Net.dim(), 0.5}.Batch(0)
			for b.Loop() {
				if _, err := t.Step(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
