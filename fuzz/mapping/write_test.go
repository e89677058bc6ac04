package mapping

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// small is a map with every outcome: κ on both sides of 1/4 and, at the fold, cells without a decision.
func small(t *testing.T) *Result {
	t.Helper()
	s := spec(t, "p0=0:1:6", "kappa=0.05:0.45:5")
	s.Model, s.Refine = Parabola, NoRefine
	r := runMap(t, s)
	if n := r.Summary(); n.Collapse == 0 || n.Growth == 0 || n.Undecided == 0 {
		t.Fatalf("%s", n)
	}
	return r
}

func TestFilesAppearWholeOrNotAtAll(t *testing.T) {
	r := small(t)
	dir := t.TempDir()
	for _, name := range []string{"map.csv", "map.svg", "map.png", "MAP.SVG"} {
		path := filepath.Join(dir, name)
		for range 2 { // an old file is replaced
			if err := r.WriteFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if info, err := os.Stat(path); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	for _, name := range []string{"map.pdf", "map", "map.csv.gz", ".png.x"} {
		path := filepath.Join(dir, name)
		err := r.WriteFile(path)
		if err == nil || !strings.Contains(err.Error(), "must end in .svg, .png or .csv") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
		if e := CheckFile(path); e == nil || e.Error() != err.Error() {
			t.Errorf("%s: CheckFile says %v", name, e)
		}
	}
	if err := r.WriteFile(filepath.Join(dir, "absent", "map.csv")); err == nil {
		t.Error("a file in a folder that does not exist")
	}
	// A writer that fails half-way leaves nothing.
	broken := errors.New("disk full")
	writers[".broken"] = func(_ drawing, w io.Writer) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return broken
	}
	defer delete(writers, ".broken")
	if err := r.WriteFile(filepath.Join(dir, "map.broken")); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "mapping: ") {
		t.Errorf("the error of a writer is %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 4 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCSVReadsBack(t *testing.T) {
	s := spec(t, "p0=-1:3:8", "eta=0:0.5:8")
	s.Measure = Time
	r := runMap(t, s)
	r.Cells[3].Outcome, r.Cells[3].Value = Pending, math.NaN()
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ","); got != "p0,eta,p0_lo,p0_hi,eta_lo,eta_hi,outcome,predicted,time" {
		t.Errorf("header %s", got)
	}
	if len(rows) != 1+len(r.Cells) {
		t.Fatalf("%d rows for %d cells", len(rows)-1, len(r.Cells))
	}
	for k, c := range r.Cells {
		row := rows[k+1]
		for i, want := range []float64{c.X, c.Y, c.XLo, c.XHi, c.YLo, c.YHi} {
			if got, err := strconv.ParseFloat(row[i], 64); err != nil || got != want {
				t.Errorf("row %d column %d: %s, want %v", k, i, row[i], want)
			}
		}
		if row[6] != c.Outcome.String() || row[7] != c.Predicted.String() {
			t.Errorf("row %d: %v", k, row)
		}
		if got, err := strconv.ParseFloat(row[8], 64); (err != nil) != math.IsNaN(c.Value) || err == nil && got != c.Value {
			t.Errorf("row %d: time %q, want %v", k, row[8], c.Value)
		}
	}
}

// What a picture shows: its words, and of a PNG the colours of the outcomes where the cells are.
func TestDrawings(t *testing.T) {
	for _, m := range []Measure{OutcomeOf, Margin, Time, FinalS} {
		s := spec(t, "p0=-1:3:12", "s0=0:4:12", "eta=0.1")
		s.Measure = m
		r := runMap(t, s)
		var svg bytes.Buffer
		if err := r.WriteSVG(&svg); err != nil {
			t.Fatal(err)
		}
		text := svg.String()
		words := []string{r.Title(), "p(0)   (p0)", "predicted: stable manifold of the saddle", "predicted: invariant parabola", "saddle"}
		if m == OutcomeOf {
			words = append(words, "measured: collapse", "measured: growth")
		} else {
			words = append(words, "measured")
		}
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%v: %q is not in the drawing", m, w)
			}
		}
		if strings.Contains(text, "undecided") {
			t.Errorf("%v: a legend for undecided cells, of which there are none", m)
		}
		dec := xml.NewDecoder(&svg)
		for {
			if _, err := dec.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%v: %v", m, err)
			}
		}
		var again bytes.Buffer
		if err := r.WriteSVG(&again); err != nil || again.String() != text {
			t.Errorf("%v: drawn twice, not the same (%v)", m, err)
		}
	}
	var b bytes.Buffer
	r := small(t)
	if err := r.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	count := map[[3]uint32]int{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			cr, cg, cb, _ := img.At(x, y).RGBA()
			count[[3]uint32{cr >> 8, cg >> 8, cb >> 8}]++
		}
	}
	n := r.Summary()
	area := float64(count[[3]uint32{0x2f, 0x3f, 0x73}]+count[[3]uint32{0xf6, 0xee, 0xc3}]+count[[3]uint32{0xc8, 0x5a, 0x3c}]) / float64(n.Cells)
	for name, c := range map[string]struct {
		colour [3]uint32
		cells  int
	}{
		"collapse": {[3]uint32{0x2f, 0x3f, 0x73}, n.Collapse}, "growth": {[3]uint32{0xf6, 0xee, 0xc3}, n.Growth},
		"undecided": {[3]uint32{0xc8, 0x5a, 0x3c}, n.Undecided},
	} {
		// Lines, crosses and swatches take or add less than a third of a kind's area.
		if got, want := float64(count[c.colour]), area*float64(c.cells); math.Abs(got-want) > want/3 {
			t.Errorf("%s: %v pixels for %d cells of about %v", name, got, c.cells, area)
		}
	}
	// In grey the outcomes stay apart.
	grey := func(c interface{ RGBA() (r, g, b, a uint32) }) float64 {
		r, g, b, _ := c.RGBA()
		return (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / 0xffff
	}
	if l, m, h := grey(collapseColor), grey(undecidedColor), grey(growthColor); m-l < 0.15 || h-m < 0.15 {
		t.Errorf("greys %.2f %.2f %.2f", l, m, h)
	}
	for i := 1; i < len(ramp); i++ {
		if grey(ramp[i])-grey(ramp[i-1]) < 0.08 {
			t.Errorf("the ramp does not rise from %v to %v", ramp[i-1], ramp[i])
		}
	}
}

// An empty and an unmeasured map can be written.
func TestPartialMapsAreWritten(t *testing.T) {
	r := small(t)
	for k := range r.Cells {
		if k%2 == 0 {
			r.Cells[k].Outcome, r.Cells[k].Value = Pending, math.NaN()
		}
	}
	for _, m := range []Measure{OutcomeOf, Time} {
		r.Spec.Measure = m
		for ext, write := range writers {
			var b bytes.Buffer
			if err := write(r, &b); err != nil || b.Len() == 0 {
				t.Errorf("%s: %v", ext, err)
			}
			if ext == ".svg" && !strings.Contains(b.String(), "not measured (15 cells)") {
				t.Errorf("%v: the drawing does not say that cells are missing", m)
			}
		}
	}
}
