package training

import (
	"fmt"
	"strings"

	"stopgrad/trainingcheck/figure"
	"stopgrad/trainingcheck/metric"
)

// namedFigure is a figure and its file's name without suffix.
type namedFigure struct {
	name   string
	figure figure.Figure
}

// figures are the plots of a run: what the projections do, what the predictor does, and the spectra and the loss.
// A run without predictor has no plot of it.
func figures(s *summary, seen *series) []namedFigure {
	kind, _, _ := strings.Cut(s.Data, ":")
	title := fmt.Sprintf("%s on %s (%s), seed %d: %s", s.Method, kind, s.Config.Net.Kind, s.Seed, s.Verdict)
	curve := func(column, name string) figure.Curve {
		x, y := seen.column(column)
		return figure.Curve{Name: name, X: x, Y: y}
	}
	top := func(prefix string) []figure.Curve {
		var out []figure.Curve
		for j := 1; ; j++ {
			c := curve(fmt.Sprintf("%s%d", prefix, j), fmt.Sprintf("%s_%d", prefix, j))
			if c.X == nil {
				return out
			}
			out = append(out, c)
		}
	}
	_, predictor := s.Measures["asym"]
	all := []namedFigure{{"collapse", figure.Figure{Title: title, X: "step", Panels: []figure.Panel{
		{Y: "zstd", Curves: []figure.Curve{curve("zstd", "")},
			Levels: []figure.Level{{Name: "alive above", Y: metric.AliveZStd}, {Name: "collapsed below", Y: metric.CollapsedZStd}}},
		{Y: "effective rank", Curves: []figure.Curve{curve("er", "uncentred"), curve("er_centered", "centred")},
			Levels: []figure.Level{{Name: "alive above", Y: metric.AliveRank}, {Name: "collapsed below", Y: metric.CollapsedRank}}},
	}}}}
	if predictor {
		all = append(all, namedFigure{"predictor", figure.Figure{Title: title, X: "step", Panels: []figure.Panel{
			{Y: "asymmetry of W_p", Curves: []figure.Curve{curve("asym", "")}},
			{Y: "commutator [F, W_p]", Curves: []figure.Curve{curve("comm", "")}},
			{Y: "cosine, correlation", Curves: []figure.Curve{curve("cos_top8", "cos(W_p v, v)"), curve("parabola", "corr(p, √s)")}},
		}}})
	}
	spectrum := figure.Figure{Title: title, X: "step", Panels: []figure.Panel{{Y: "eigenvalues of F", Log: true, Curves: top("s")}}}
	if predictor {
		spectrum.Panels = append(spectrum.Panels, figure.Panel{Y: "gains of W_p", Curves: top("p")})
	}
	spectrum.Panels = append(spectrum.Panels, figure.Panel{Y: "loss", Curves: []figure.Curve{curve("loss", "")}})
	return append(all, namedFigure{"spectrum", spectrum})
}
