package mapping

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"sort"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/palette"
	"gonum.org/v1/plot/palette/moreland"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Size and resolution of the drawings.
const (
	width  = 7 * vg.Inch
	height = 6.4 * vg.Inch
	dpi    = 150
)

// Colours, chosen so that outcomes differ in lightness as much as in hue (relative luminance about 0.85, 0.05 and
// 0.25) and lines stand out from both by a white rim.
var (
	growthColor    = color.RGBA{0xf6, 0xee, 0xc3, 0xff}
	collapseColor  = color.RGBA{0x2f, 0x3f, 0x73, 0xff}
	undecidedColor = color.RGBA{0xc8, 0x5a, 0x3c, 0xff}
	rim            = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink            = color.RGBA{0x00, 0x00, 0x00, 0xff}
	measuredColor  = color.RGBA{0xe2, 0x3b, 0x2e, 0xff}
)

// ramp is a scale whose lightness rises steadily, so that it reads in grey as well.
var ramp = []color.Color{
	color.RGBA{0x1c, 0x22, 0x4d, 0xff}, color.RGBA{0x2a, 0x5a, 0x8a, 0xff}, color.RGBA{0x3f, 0x95, 0x92, 0xff},
	color.RGBA{0xa3, 0xc9, 0x7c, 0xff}, color.RGBA{0xff, 0xf8, 0xd0, 0xff},
}

// WriteSVG draws the map as SVG.
func (r *Result) WriteSVG(w io.Writer) error {
	c := vgsvg.New(width, height)
	if err := r.draw(draw.New(c)); err != nil {
		return err
	}
	_, err := c.WriteTo(w)
	return err
}

// WritePNG draws the map as PNG.
func (r *Result) WritePNG(w io.Writer) error {
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	if err := r.draw(draw.New(c)); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}

// WriteSVG draws the certified map as SVG, beside the measured one.
func (c *Certified) WriteSVG(w io.Writer) error {
	cv := vgsvg.New(c.width(), height)
	if err := c.draw(draw.New(cv)); err != nil {
		return err
	}
	_, err := cv.WriteTo(w)
	return err
}

// WritePNG draws the certified map as PNG, beside the measured one.
func (c *Certified) WritePNG(w io.Writer) error {
	cv := vgimg.NewWith(vgimg.UseWH(c.width(), height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	if err := c.draw(draw.New(cv)); err != nil {
		return err
	}
	_, err := vgimg.PngCanvas{Canvas: cv}.WriteTo(w)
	return err
}

func (c *Certified) width() vg.Length {
	if c.Measured == nil {
		return width
	}
	return 2 * width
}

// hatch draws diagonals over a rectangle that go on in its neighbours, however small it is.
func hatch(c *draw.Canvas, q vg.Rectangle) {
	const apart = 5
	for d := vg.Length(math.Floor(float64((q.Min.X-q.Max.Y)/apart))) * apart; d <= q.Max.X-q.Min.Y; d += apart {
		// The line y = x − d.
		from, to := max(q.Min.X, q.Min.Y+d), min(q.Max.X, q.Max.Y+d)
		if from < to {
			c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.5}, from, from-d, to, to-d)
		}
	}
}

func (c *Certified) draw(cv draw.Canvas) error {
	right := cv
	if c.Measured != nil {
		if err := c.Measured.draw(draw.Crop(cv, 0, -width, 0, 0)); err != nil {
			return err
		}
		right = draw.Crop(cv, width, 0, 0, 0)
	}
	part := func(o Outcome) float64 { f, _ := c.Area[o].Float64(); return 100 * f }
	r := &Result{Spec: c.Spec}
	for _, t := range c.Tiles {
		r.Cells = append(r.Cells, t.cell())
	}
	return r.panel(right, fmt.Sprintf("certified: %.2f %% of the area", 100*c.Share()), hatch, func(p *plot.Plot, legend *plot.Legend, shade shades) {
		for _, o := range []Outcome{Growth, Collapse} {
			legend.Add(fmt.Sprintf("certified: %s (%.2f %%)", o, part(o)), swatch{shade.of(Cell{Outcome: o}), false})
		}
		legend.Add(fmt.Sprintf("not certified (%.2f %%)", part(Undecided)), swatch{undecidedColor, true})
		if c.Measured == nil {
			return
		}
		for _, cv := range c.Measured.Curves {
			if cv.Style == Boundary {
				l := &rimmed{cv.Lines, draw.LineStyle{Color: ink, Width: 1.2}}
				p.Add(l)
				legend.Add("predicted: "+cv.Name, l)
			}
		}
	})
}

func (r *Result) draw(c draw.Canvas) error { return r.panel(c, r.Title(), cross, r.measured) }

// panel draws cells under a title, undecided ones marked, with what describe adds to the plot and its legend.
func (r *Result) panel(c draw.Canvas, title string, mark func(*draw.Canvas, vg.Rectangle), describe func(*plot.Plot, *plot.Legend, shades)) error {
	p := plot.New()
	sans := func(s *font.Font, size vg.Length) {
		*s = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, size)
	}
	sans(&p.Title.TextStyle.Font, 11)
	for _, ax := range []*plot.Axis{&p.X, &p.Y} {
		sans(&ax.Label.TextStyle.Font, 12)
		sans(&ax.Tick.Label.Font, 10)
		ax.Padding = 0
	}
	sans(&p.Legend.TextStyle.Font, 10)
	p.Title.Text = title
	p.Title.Padding = 6
	r.axis(&p.X, r.Spec.X)
	r.axis(&p.Y, r.Spec.Y)

	shade, err := r.shades()
	if err != nil {
		return err
	}
	p.Add(&cellPlotter{r, shade, mark})
	legend := plot.NewLegend()
	sans(&legend.TextStyle.Font, 10)
	legend.Left, legend.Top, legend.Padding = true, true, 3
	legend.ThumbnailWidth = 26

	describe(p, &legend, shade)

	box := legend.Rectangle(c)
	foot := box.Max.Y - box.Min.Y + 20
	right := vg.Length(0)
	if shade.bar != nil {
		right = 78
	}
	const edge = 8
	main := draw.Crop(c, edge, -edge-right, foot, -edge)
	p.Draw(main)
	legend.Draw(draw.Crop(c, 60, -edge, edge, foot-6-c.Max.Y+c.Min.Y))
	if shade.bar != nil {
		data := p.DataCanvas(main)
		bar := plot.New()
		sans(&bar.Y.Label.TextStyle.Font, 10)
		sans(&bar.Y.Tick.Label.Font, 9)
		bar.Y.Label.Text, bar.Y.Tick.Marker, bar.Y.Padding = shade.label, shade.ticks, 0
		bar.HideX()
		bar.Add(&plotter.ColorBar{ColorMap: shade.bar, Vertical: true})
		bar.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: c.Max.X - right, Y: data.Min.Y - 4},
			Max: vg.Point{X: c.Max.X - edge, Y: data.Max.Y + 4},
		}})
	}
	return nil
}

// measured adds the boundary that was measured and what is predicted.
func (r *Result) measured(p *plot.Plot, legend *plot.Legend, shade shades) {
	line := func(width vg.Length, dashes ...vg.Length) draw.LineStyle {
		return draw.LineStyle{Color: ink, Width: width, Dashes: dashes}
	}
	kinds := map[Outcome]int{}
	for _, cell := range r.Cells {
		kinds[cell.Outcome]++
	}
	if shade.bar == nil {
		for _, o := range []Outcome{Growth, Collapse} {
			legend.Add("measured: "+o.String(), swatch{shade.of(Cell{Outcome: o}), false})
		}
	}
	if kinds[Undecided] > 0 {
		legend.Add(fmt.Sprintf("measured: undecided (%d cells)", kinds[Undecided]), swatch{undecidedColor, true})
	}
	if kinds[Pending] > 0 {
		legend.Add(fmt.Sprintf("not measured (%d cells)", kinds[Pending]), swatch{color.White, false})
	}
	boundary := r.Boundary()
	if shade.bar != nil && len(boundary) > 0 {
		b := &segments{boundary, draw.LineStyle{Color: measuredColor, Width: 4}}
		p.Add(b)
		name := "measured boundary of collapse"
		if r.Spec.Measure == Margin {
			name = "measured: k = 0"
		}
		legend.Add(name, b)
	}
	landmarks := [][]vg.Length{{7, 3}, {3, 3}, {1, 3}}
	curves := append([]Curve(nil), r.Curves...)
	sort.SliceStable(curves, func(i, j int) bool { return curves[i].Style > curves[j].Style })
	at := 0
	var later []func()
	for _, cv := range curves {
		var style draw.LineStyle
		switch cv.Style {
		case Boundary:
			style = line(1.6)
		case Landmark:
			style = line(1.2, landmarks[at%len(landmarks)]...)
			at++
		default:
			style = line(0.8, 4, 2, 1, 2)
		}
		l := &rimmed{cv.Lines, style}
		p.Add(l)
		later = append(later, func() { legend.Add("predicted: "+cv.Name, l) })
	}
	for i := len(later) - 1; i >= 0; i-- {
		later[i]()
	}
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.PyramidGlyph{}}
	for i, m := range r.Marks {
		g := &marker{m.At, shapes[i%len(shapes)]}
		p.Add(g)
		legend.Add("predicted: "+m.Name, g)
	}
}

func (r *Result) axis(p *plot.Axis, ax Axis) {
	q, _ := quantity(ax.Quantity)
	p.Label.Text = q.Symbol + "   (" + q.Name + ")"
	p.Min, p.Max = ax.at(0, 1), ax.at(1, 1)
	if ax.Log {
		p.Scale, p.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	}
}

// shades maps cells to colours.
type shades struct {
	of    func(Cell) color.Color
	bar   palette.ColorMap // nil for outcomes
	label string
	ticks plot.Ticker
}

func (r *Result) shades() (shades, error) {
	outcome := func(c Cell) color.Color {
		switch c.Outcome {
		case Collapse:
			return collapseColor
		case Growth:
			return growthColor
		case Undecided:
			return undecidedColor
		}
		return color.White
	}
	if r.Spec.Measure == OutcomeOf {
		return shades{of: outcome}, nil
	}
	// The time to a decision spans decades, so its logarithm is shown; certain from the start counts as the shortest
	// time that is not.
	scale := func(v float64) float64 { return v }
	s := shades{label: r.Spec.Measure.String(), ticks: plot.DefaultTicks{}}
	if r.Spec.Measure == Time {
		least := math.Inf(1)
		for _, c := range r.Cells {
			if c.Value > 0 {
				least = min(least, c.Value)
			}
		}
		scale = func(v float64) float64 { return math.Log10(max(v, least)) }
		s.label, s.ticks = "time", powerTicks{}
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range r.Cells {
		if v := scale(c.Value); !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return shades{of: outcome}, nil
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	bar, err := moreland.NewLuminance(ramp)
	if err != nil {
		return shades{}, err
	}
	s.bar = bar
	s.bar.SetMin(lo)
	s.bar.SetMax(hi)
	s.of = func(c Cell) color.Color {
		if v := scale(c.Value); !math.IsNaN(v) {
			if col, err := s.bar.At(min(max(v, lo), hi)); err == nil {
				return col
			}
		}
		if c.Outcome == Pending {
			return color.White
		}
		return undecidedColor
	}
	return s, nil
}

// powerTicks labels decimal logarithms as powers of ten, with 2 and 5 between where decades are few.
type powerTicks struct{}

func (powerTicks) Ticks(lo, hi float64) []plot.Tick {
	var ticks []plot.Tick
	steps := []float64{1}
	if hi-lo < 2.5 {
		steps = []float64{1, 2, 5}
	}
	for e := math.Floor(lo); e <= math.Ceil(hi); e++ {
		for _, m := range steps {
			if v := e + math.Log10(m); v >= lo && v <= hi {
				ticks = append(ticks, plot.Tick{Value: v, Label: fmt.Sprintf("%.4g", m*math.Pow(10, e))})
			}
		}
	}
	return ticks
}

// cellPlotter fills the cells; neighbours of one colour in a row become one rectangle.
type cellPlotter struct {
	r     *Result
	shade shades
	mark  func(*draw.Canvas, vg.Rectangle) // of undecided cells
}

func (cp *cellPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	// Anti-aliased edges of abutting rectangles would show as hairlines, so each reaches a little under the next.
	const lap = 0.75
	type run struct {
		x0, x1, y0, y1 float64
		col            color.Color
	}
	fill := func(q run) {
		x1, y1 := min(x(q.x1)+lap, c.Max.X), min(y(q.y1)+lap, c.Max.Y)
		c.FillPolygon(q.col, []vg.Point{{X: x(q.x0), Y: y(q.y0)}, {X: x1, Y: y(q.y0)}, {X: x1, Y: y1}, {X: x(q.x0), Y: y1}})
	}
	cells := append([]Cell(nil), cp.r.Cells...)
	// Rows from the top, each from the right, so that the lap of a rectangle is covered by the next.
	sort.Slice(cells, func(a, b int) bool {
		if cells[a].YLo != cells[b].YLo {
			return cells[a].YLo > cells[b].YLo
		}
		if cells[a].YHi != cells[b].YHi {
			return cells[a].YHi > cells[b].YHi
		}
		return cells[a].XLo > cells[b].XLo
	})
	var now *run
	for _, cell := range cells {
		col := cp.shade.of(cell)
		if now != nil && now.col == col && now.y0 == cell.YLo && now.y1 == cell.YHi && now.x0 == cell.XHi {
			now.x0 = cell.XLo
			continue
		}
		if now != nil {
			fill(*now)
		}
		now = &run{cell.XLo, cell.XHi, cell.YLo, cell.YHi, col}
	}
	if now != nil {
		fill(*now)
	}
	for _, cell := range cells {
		if cell.Outcome == Undecided {
			cp.mark(&c, vg.Rectangle{Min: vg.Point{X: x(cell.XLo), Y: y(cell.YLo)}, Max: vg.Point{X: x(cell.XHi), Y: y(cell.YHi)}})
		}
	}
}

func cross(c *draw.Canvas, q vg.Rectangle) {
	thin := draw.LineStyle{Color: ink, Width: 0.5}
	c.StrokeLine2(thin, q.Min.X, q.Min.Y, q.Max.X, q.Max.Y)
	c.StrokeLine2(thin, q.Min.X, q.Max.Y, q.Max.X, q.Min.Y)
}

// swatch is a coloured patch of a legend.
type swatch struct {
	col     color.Color
	crossed bool
}

func (s swatch) Thumbnail(c *draw.Canvas) {
	q := vg.Rectangle{Min: vg.Point{X: c.Min.X + 4, Y: c.Min.Y + 1}, Max: vg.Point{X: c.Max.X - 4, Y: c.Max.Y - 1}}
	box := []vg.Point{q.Min, {X: q.Max.X, Y: q.Min.Y}, q.Max, {X: q.Min.X, Y: q.Max.Y}}
	c.FillPolygon(s.col, box)
	c.StrokeLines(draw.LineStyle{Color: ink, Width: 0.5}, append(box, q.Min))
	if s.crossed {
		cross(c, q)
	}
}

// rimmed draws lines over a white rim, visible on light and dark.
type rimmed struct {
	lines [][]XY
	style draw.LineStyle
}

func (l *rimmed) stroke(c *draw.Canvas, lines [][]vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: rim, Width: l.style.Width + 1.6}, lines...)
	c.StrokeLines(l.style, lines...)
}

func (l *rimmed) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var lines [][]vg.Point
	for _, line := range l.lines {
		var pts []vg.Point
		for _, v := range line {
			pts = append(pts, vg.Point{X: x(v.X), Y: y(v.Y)})
		}
		lines = append(lines, pts)
	}
	l.stroke(&c, c.ClipLinesXY(lines...))
}

func (l *rimmed) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	l.stroke(c, [][]vg.Point{{{X: c.Min.X, Y: y}, {X: c.Max.X, Y: y}}})
}

// segments draws the measured boundary.
type segments struct {
	of    []Segment
	style draw.LineStyle
}

func (s *segments) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	lines := make([][]vg.Point, len(s.of))
	for i, g := range s.of {
		lines[i] = []vg.Point{{X: x(g.A.X), Y: y(g.A.Y)}, {X: x(g.B.X), Y: y(g.B.Y)}}
	}
	s.stroke(&c, lines)
}

func (s *segments) stroke(c *draw.Canvas, lines [][]vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: rim, Width: s.style.Width + 1.2}, lines...)
	c.StrokeLines(s.style, lines...)
}

func (s *segments) Thumbnail(c *draw.Canvas) {
	y := c.Center().Y
	s.stroke(c, [][]vg.Point{{{X: c.Min.X, Y: y}, {X: c.Max.X, Y: y}}})
}

// marker draws a point over a white rim.
type marker struct {
	at    XY
	shape draw.GlyphDrawer
}

func (m *marker) put(c *draw.Canvas, at vg.Point) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: rim, Radius: 5, Shape: m.shape}, at)
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: ink, Radius: 3.5, Shape: m.shape}, at)
}

func (m *marker) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	m.put(&c, vg.Point{X: x(m.at.X), Y: y(m.at.Y)})
}

func (m *marker) Thumbnail(c *draw.Canvas) { m.put(c, c.Center()) }
