package figure

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Curve is one line. Points whose coordinates are not finite, or not positive on a logarithmic axis, interrupt it.
type Curve struct {
	Name string // in the legend; empty for none
	X, Y []float64
}

// Level is a dashed line across a panel at height Y.
type Level struct {
	Name string
	Y    float64
}

// Panel is one pair of axes.
type Panel struct {
	Y      string // label of the vertical axis
	Log    bool   // logarithmic vertical axis
	Curves []Curve
	Levels []Level
}

// Figure is panels above one another with the same horizontal axis.
type Figure struct {
	Title  string
	X      string // label of the horizontal axis
	Panels []Panel
}

// ErrEmpty is returned for a figure without a point to draw.
var ErrEmpty = errors.New("figure: there is nothing to draw")

// The size of a figure, the column on the right that the legends have to themselves, and the resolution of the PNG.
const (
	width       = 18 * vg.Centimeter
	legendWidth = 3.4 * vg.Centimeter
	panelHeight = 5.6 * vg.Centimeter
	titleHeight = 1 * vg.Centimeter
	dpi         = 150
)

// palette are the eight colours of M. Okabe and K. Ito (Color Universal Design, 2008), told apart by colour-blind
// readers; black is left to the levels, yellow is too pale for a line.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff},
}

// dashes tell curves apart that share a colour.
var dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(2)}}

// levelDashes tell levels apart.
var levelDashes = [][]vg.Length{{vg.Points(4), vg.Points(3)}, {vg.Points(1), vg.Points(2)}}

// SVG draws the figure to w.
func (f Figure) SVG(w io.Writer) error {
	c := vgsvg.New(width, f.height())
	if err := f.draw(draw.New(c)); err != nil {
		return err
	}
	if _, err := c.WriteTo(w); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// PNG draws the figure to w at 150 dots per inch.
func (f Figure) PNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(width, f.height()), vgimg.UseDPI(dpi))
	if err := f.draw(draw.New(c)); err != nil {
		return err
	}
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// Write draws the figure to name.svg and name.png in dir and returns the two names. Each appears complete or not at
// all.
func (f Figure) Write(dir, name string) ([]string, error) {
	var names []string
	for _, x := range []struct {
		suffix string
		draw   func(io.Writer) error
	}{{".svg", f.SVG}, {".png", f.PNG}} {
		var b bytes.Buffer
		if err := x.draw(&b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := replace(filepath.Join(dir, name+x.suffix), b.Bytes()); err != nil {
			return nil, fmt.Errorf("figure: %w", err)
		}
		names = append(names, name+x.suffix)
	}
	return names, nil
}

// replace writes a file beside its place and renames it.
func replace(file string, data []byte) error {
	t, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = t.Write(data)
	if err == nil {
		err = t.Chmod(0o644)
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), file)
	}
	if err != nil {
		os.Remove(t.Name())
	}
	return err
}

func (f Figure) height() vg.Length {
	return panelHeight*vg.Length(len(f.Panels)) + titleHeight
}

// draw lays the panels out so that their axes line up.
func (f Figure) draw(dc draw.Canvas) error {
	for _, p := range f.Panels {
		for _, c := range p.Curves {
			if len(c.X) != len(c.Y) {
				return fmt.Errorf("figure: curve %q has %d abscissae and %d ordinates", c.Name, len(c.X), len(c.Y))
			}
		}
	}
	lo, hi := f.span()
	if !(lo <= hi) {
		return ErrEmpty
	}
	if lo == hi {
		hi = lo + 1
	}
	plots := make([][]*plot.Plot, len(f.Panels))
	legends := make([]plot.Legend, len(f.Panels))
	for i, panel := range f.Panels {
		p, legend, err := panel.plot(lo, hi)
		if err != nil {
			return err
		}
		if i == len(f.Panels)-1 {
			p.X.Label.Text = f.X
		}
		plots[i], legends[i] = []*plot.Plot{p}, legend
	}
	title := plot.New().Title.TextStyle
	dc.FillText(title, vg.Point{X: dc.Center().X, Y: dc.Max.Y - vg.Points(4)}, f.Title)
	area := draw.Crop(dc, 0, -legendWidth, 0, -titleHeight)
	tiles := draw.Tiles{Rows: len(f.Panels), Cols: 1, PadTop: vg.Points(4), PadBottom: vg.Points(4), PadLeft: vg.Points(4), PadRight: vg.Points(12), PadY: vg.Points(10)}
	for i, row := range plot.Align(plots, tiles, area) {
		plots[i][0].Draw(row[0])
		column := row[0]
		column.Min.X, column.Max.X = area.Max.X, dc.Max.X-vg.Points(4)
		legends[i].Draw(column)
	}
	return nil
}

// span is the range of the horizontal axis over all that is drawn.
func (f Figure) span() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, p := range f.Panels {
		for _, c := range p.Curves {
			for i := range c.X {
				if p.drawn(c.X[i], c.Y[i]) {
					lo, hi = min(lo, c.X[i]), max(hi, c.X[i])
				}
			}
		}
	}
	return lo, hi
}

// drawn tells whether a point is on the panel.
func (p Panel) drawn(x, y float64) bool {
	finite := !math.IsNaN(x) && !math.IsInf(x, 0) && !math.IsNaN(y) && !math.IsInf(y, 0)
	return finite && (!p.Log || y > 0)
}

// height is where y is drawn: a logarithmic panel has decimal logarithms on a linear axis, because the plotting library
// leaves room above a logarithmic axis for a label that it then draws beside it.
func (p Panel) height(y float64) float64 {
	if p.Log {
		return math.Log10(y)
	}
	return y
}

// pieces are the uninterrupted parts of a curve.
func (p Panel) pieces(c Curve) []plotter.XYs {
	var out []plotter.XYs
	var piece plotter.XYs
	for i := range c.X {
		if p.drawn(c.X[i], c.Y[i]) {
			piece = append(piece, plotter.XY{X: c.X[i], Y: p.height(c.Y[i])})
			continue
		}
		if piece != nil {
			out, piece = append(out, piece), nil
		}
	}
	if piece != nil {
		out = append(out, piece)
	}
	return out
}

// headroom is what the vertical axis has beyond the data on either side, as a part of their range.
const headroom = 0.06

// plot makes the axes and lines of a panel over steps lo to hi, and its legend.
func (p Panel) plot(lo, hi float64) (*plot.Plot, plot.Legend, error) {
	q := plot.New()
	q.X.Min, q.X.Max = lo, hi
	q.X.Tick.Marker = roundTicks{}
	q.Y.Label.Text = p.Y
	legend := plot.NewLegend()
	legend.Top, legend.Left = true, true
	legend.TextStyle.Font.Size = vg.Points(9)
	legend.Padding = vg.Points(2)
	q.Add(plotter.NewGrid())
	bottom, top := math.Inf(1), math.Inf(-1)
	see := func(y float64) { bottom, top = min(bottom, y), max(top, y) }
	for i, c := range p.Curves {
		for k, piece := range p.pieces(c) {
			line, points, err := plotter.NewLinePoints(piece)
			if err != nil {
				return nil, legend, fmt.Errorf("figure: curve %q: %w", c.Name, err)
			}
			line.Color = palette[i%len(palette)]
			line.Width = vg.Points(1.4)
			line.Dashes = dashes[i/len(palette)%len(dashes)]
			points.Color, points.Shape, points.Radius = line.Color, draw.CircleGlyph{}, vg.Points(1.3)
			q.Add(line, points)
			if k == 0 && c.Name != "" {
				legend.Add(c.Name, line)
			}
			for _, pt := range piece {
				see(pt.Y)
			}
		}
	}
	for i, l := range p.Levels {
		if !p.drawn(lo, l.Y) {
			return nil, legend, fmt.Errorf("figure: level %q at %g is not on the axis", l.Name, l.Y)
		}
		y := p.height(l.Y)
		line, err := plotter.NewLine(plotter.XYs{{X: lo, Y: y}, {X: hi, Y: y}})
		if err != nil {
			return nil, legend, fmt.Errorf("figure: level %q: %w", l.Name, err)
		}
		line.Color, line.Width, line.Dashes = color.Gray{0x50}, vg.Points(0.8), levelDashes[i%len(levelDashes)]
		q.Add(line)
		if l.Name != "" {
			legend.Add(l.Name, line)
		}
		see(y)
	}
	if bottom > top { // nothing on this panel
		bottom, top = 0, 1
	}
	// A logarithmic axis spans at least a decade, so that there is a tick; a linear one something.
	if least := map[bool]float64{true: 1, false: 0}[p.Log]; top-bottom <= least {
		middle := (bottom + top) / 2
		bottom, top = middle-0.5, middle+0.5
	}
	room := headroom * (top - bottom)
	q.Y.Min, q.Y.Max = bottom-room, top+room
	q.Y.Tick.Marker = roundTicks{}
	if p.Log {
		q.Y.Tick.Marker = decades{}
	}
	return q, legend, nil
}
