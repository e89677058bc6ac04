package training

import (
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/figure"
	"stopgrad/trainingcheck/metric"
)

// GoldenPlot draws recorded runs.
type GoldenPlot struct {
	ID  string `arg:"" help:"A golden, whose seeds are drawn, or the beginning of the names of several, such as T3-images, of which the means over the seeds are."`
	Dir string `placeholder:"DIR" help:"Folder of goldens. Default: those built into this program."`
	Out string `default:"." placeholder:"DIR" help:"Folder for the plots, as SVG and PNG."`
}

// Run draws them.
func (p *GoldenPlot) Run(c *Console) error {
	fsys, err := goldens(p.Dir)
	if err != nil {
		return err
	}
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	var drawn []*golden.Golden
	for _, name := range names {
		if !strings.HasPrefix(name, p.ID) {
			continue
		}
		g, err := golden.Read(fsys, name)
		if err != nil {
			return badInputf("%s: %v", name, err)
		}
		if g.ID == p.ID {
			drawn = []*golden.Golden{g}
			break
		}
		if len(g.Runs) > 0 {
			drawn = append(drawn, g)
		}
	}
	if len(drawn) == 0 || len(drawn[0].Runs) == 0 {
		return badInputf("no golden with runs is called %s", p.ID)
	}
	if err := writable(p.Out); err != nil {
		return badInput(err)
	}
	if err := os.MkdirAll(p.Out, 0o777); err != nil {
		return badInput(err)
	}
	for _, f := range recordedFigures(p.ID, drawn) {
		files, err := f.figure.Write(p.Out, f.name)
		if err != nil {
			return err
		}
		if err := c.write(func(w io.Writer) error { _, err := fmt.Fprintln(w, strings.Join(files, "\n")); return err }); err != nil {
			return err
		}
	}
	return nil
}

// recordedFigures are the plots of one golden's seeds, or of the means over the seeds of several.
func recordedFigures(name string, drawn []*golden.Golden) []namedFigure {
	title := fmt.Sprintf("%s, by seed", name)
	if len(drawn) > 1 {
		title = fmt.Sprintf("%s: means over the seeds", name)
	}
	curves := func(column string) []figure.Curve {
		var out []figure.Curve
		for _, g := range drawn {
			if len(drawn) > 1 {
				curve := meanCurve(g.Runs, column) // without points too: a colour is one arm's in all panels
				curve.Name = g.ID[strings.LastIndex(g.ID, ".")+1:]
				out = append(out, curve)
				continue
			}
			for _, r := range g.Runs {
				if r.Rerun == 0 {
					curve := meanCurve([]golden.Run{r}, column)
					curve.Name = fmt.Sprintf("seed %d", r.Seed)
					out = append(out, curve)
				}
			}
		}
		return out
	}
	var out []namedFigure
	add := func(name string, panels ...figure.Panel) {
		var full []figure.Panel
		for _, p := range panels {
			if slices.ContainsFunc(p.Curves, func(c figure.Curve) bool { return len(c.X) > 0 }) {
				full = append(full, p)
			}
		}
		if len(full) > 0 {
			out = append(out, namedFigure{name, figure.Figure{Title: title, X: "step", Panels: full}})
		}
	}
	add(name+"-collapse",
		figure.Panel{Y: "zstd", Curves: curves(golden.MetricZStd), Levels: []figure.Level{{Name: "alive above", Y: metric.AliveZStd}, {Name: "collapsed below", Y: metric.CollapsedZStd}}},
		figure.Panel{Y: "effective rank", Curves: curves(golden.MetricRank), Levels: []figure.Level{{Name: "alive above", Y: metric.AliveRank}, {Name: "collapsed below", Y: metric.CollapsedRank}}})
	add(name+"-predictor",
		figure.Panel{Y: "asymmetry of W_p", Curves: curves(golden.MetricAsymmetry)},
		figure.Panel{Y: "commutator [F, W_p]", Curves: curves(golden.MetricCommutator)},
		figure.Panel{Y: "cos(W_p v, v)", Curves: curves(golden.MetricTopCosine)})
	return out
}

// meanCurve is the mean of a column over the first runs of all seeds, at the steps at which every one of them has it.
func meanCurve(runs []golden.Run, column string) figure.Curve {
	var c figure.Curve
	var at []map[int]float64 // the column of each first run by step
	for _, r := range runs {
		if r.Rerun > 0 {
			continue
		}
		m := map[int]float64{}
		for _, p := range r.Series {
			if x, ok := p.Values[column]; ok {
				m[p.Step] = x
			}
		}
		at = append(at, m)
	}
	for _, p := range runs[0].Series {
		sum := 0.0
		for _, m := range at {
			v, ok := m[p.Step]
			if !ok {
				v = math.NaN()
			}
			sum += v
		}
		if mean := sum / float64(len(at)); !math.IsNaN(mean) {
			c.X, c.Y = append(c.X, float64(p.Step)), append(c.Y, mean)
		}
	}
	return c
}
