package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample has what figures meet: a curve with a hole, a level, a logarithmic panel with a zero, an empty panel.
func sample() Figure {
	nan := math.NaN()
	x := []float64{0, 10, 20, 30, 40}
	return Figure{Title: "title of it", X: "step", Panels: []Panel{
		{Y: "first", Curves: []Curve{{Name: "one", X: x, Y: []float64{1, nan, 2, 3, math.Inf(1)}}, {Name: "two", X: x, Y: []float64{0, 0, 0, 0, 0}}}, Levels: []Level{{Name: "limit", Y: 5}}},
		{Y: "second", Log: true, Curves: []Curve{{X: x, Y: []float64{0, 1e-6, 1, 100, 3}}}},
		{Y: "third", Curves: []Curve{{X: x, Y: []float64{nan, nan, nan, nan, nan}}}},
	}}
}

func TestBothFormatsAreWhole(t *testing.T) {
	f := sample()
	var svg, image bytes.Buffer
	if err := f.SVG(&svg); err != nil {
		t.Fatal(err)
	}
	if err := f.PNG(&image); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(svg.Bytes()))
	var words []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the SVG is no XML: %v", err)
		}
		if text, ok := tok.(xml.CharData); ok {
			words = append(words, strings.TrimSpace(string(text)))
		}
	}
	for _, want := range []string{"title of it", "step", "first", "second", "third", "one", "two", "limit"} {
		if !slices.Contains(words, want) {
			t.Errorf("the SVG does not say %q", want)
		}
	}
	m, err := png.Decode(&image)
	if err != nil {
		t.Fatal(err)
	}
	// 18 cm at 150 dots an inch.
	if w := m.Bounds().Dx(); w < 1060 || w > 1066 {
		t.Errorf("the PNG is %d pixels wide", w)
	}
	coloured := 0
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			if r, g, b, _ := m.At(x, y).RGBA(); r != g || g != b {
				coloured++
			}
		}
	}
	if coloured < 500 {
		t.Errorf("%d coloured pixels: no curve", coloured)
	}
	var again bytes.Buffer
	if err := f.SVG(&again); err != nil || !bytes.Equal(again.Bytes(), svg.Bytes()) {
		t.Errorf("drawn again, the SVG differs (%v)", err)
	}
}

// TestHolesInterruptACurve: what is not finite, and on a logarithmic axis not positive, is no point.
func TestHolesInterruptACurve(t *testing.T) {
	f := sample()
	var lengths []int
	for _, p := range f.Panels {
		for _, c := range p.Curves {
			for _, piece := range p.pieces(c) {
				lengths = append(lengths, len(piece))
			}
		}
	}
	if !slices.Equal(lengths, []int{1, 2, 5, 4}) {
		t.Errorf("pieces of %v points", lengths)
	}
	if lo, hi := f.span(); lo != 0 || hi != 40 {
		t.Errorf("span %g to %g", lo, hi)
	}
}

func TestNothingToDrawIsAnError(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []Figure{{}, {Panels: []Panel{{}}}, {Panels: []Panel{{Log: true, Curves: []Curve{{X: []float64{1}, Y: []float64{0}}}}}}} {
		if _, err := f.Write(dir, "x"); !errors.Is(err, ErrEmpty) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	x := []float64{0, 1}
	for want, f := range map[string]Figure{
		"1 ordinates":        {Panels: []Panel{{Curves: []Curve{{X: x, Y: []float64{2}}}}}},
		"is not on the axis": {Panels: []Panel{{Log: true, Curves: []Curve{{X: x, Y: x}}, Levels: []Level{{Y: -1}}}}},
	} {
		if _, err := f.Write(dir, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files were left (%v)", len(left), err)
	}
}

func TestWriteReplacesBothFiles(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "x.svg")
	if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	names, err := sample().Write(dir, "x")
	if err != nil || !slices.Equal(names, []string{"x.svg", "x.png"}) {
		t.Fatalf("%v, %v", names, err)
	}
	text, err := os.ReadFile(old)
	if err != nil || !bytes.Contains(text, []byte("<svg")) {
		t.Errorf("the old file is still there (%v)", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%d files (%v)", len(left), err)
	}
	if _, err := sample().Write(filepath.Join(dir, "nowhere"), "x"); err == nil {
		t.Error("a missing folder is no error")
	}
}

// TestTicksAreRoundAndFew: multiples of 1, 2 or 5 times a power of ten inside the axis, four to eleven of them, with labels
// that read back to their values.
func TestTicksAreRoundAndFew(t *testing.T) {
	for _, c := range [][2]float64{{0, 1000}, {-0.3, 1.05}, {0.02, 0.31}, {-7e-5, 3e-4}, {5, 5.001}, {1e6, 9e6}, {-3, -1}} {
		ticks := roundTicks{}.Ticks(c[0], c[1])
		if len(ticks) < 4 || len(ticks) > 11 {
			t.Errorf("%v: %d ticks", c, len(ticks))
		}
		for _, k := range ticks {
			v, err := strconv.ParseFloat(k.Label, 64)
			if err != nil || math.Abs(v-k.Value) > 1e-9*(c[1]-c[0]) || k.Value < c[0]-1e-9 || k.Value > c[1]+1e-9 || strings.HasPrefix(k.Label, "-0") && v == 0 {
				t.Errorf("%v: tick %g labelled %q", c, k.Value, k.Label)
			}
		}
	}
	if ticks := (roundTicks{}).Ticks(1, 1); ticks != nil {
		t.Errorf("an empty axis has %d ticks", len(ticks))
	}
	for _, c := range []struct {
		lo, hi        float64
		ticks, labels int
		first         string
	}{{-3.2, 2.1, 6, 6, "0.001"}, {-9.4, 0.2, 10, 5, "1e-09"}, {0.2, 0.9, 0, 0, ""}} {
		ticks := decades{}.Ticks(c.lo, c.hi)
		labels := 0
		for _, k := range ticks {
			if k.Label != "" {
				labels++
			}
		}
		if len(ticks) != c.ticks || labels != c.labels || len(ticks) > 0 && ticks[0].Label != c.first {
			t.Errorf("decades %g to %g: %v", c.lo, c.hi, ticks)
		}
	}
}
