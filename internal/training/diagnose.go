package training

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"stopgrad/trainingcheck/diagnose"
	"stopgrad/trainingcheck/dump"
	"stopgrad/trainingcheck/figure"
	"stopgrad/trainingcheck/linear"
	"stopgrad/trainingcheck/metric"
)

// Diagnose is the command that holds somebody's own run against the theory.
type Diagnose struct {
	Files       []string `arg:"" name:"file" help:"Dumps: .npy, .npz, .safetensors or .csv, each with one step or several."`
	Predictor   string   `default:"auto" enum:"auto,none,linear,mlp,directpred,directcopy" help:"What the predictor is: none, linear, mlp, directpred, directcopy, or auto, what the arrays say."`
	LR          *float64 `name:"lr" placeholder:"RATE" help:"Learning rate, where the dump has none."`
	WeightDecay *float64 `placeholder:"RATE" help:"Weight decay, as torch.optim.SGD has it."`
	Momentum    *float64 `placeholder:"NUMBER" help:"Momentum of the optimiser."`
	AlphaP      *float64 `placeholder:"NUMBER" help:"The predictor's learning rate relative to the others'."`
	Epsilon     *float64 `placeholder:"NUMBER" help:"DirectPred's ε. Default: the nearest of 0, .01, .1 and .5."`
	Out         string   `placeholder:"DIR" help:"Folder for the plots, as SVG and PNG."`
	JSON        bool     `name:"json" help:"Write the findings as JSON."`
}

// Help describes what the flags cannot.
func (*Diagnose) Help() string {
	return `Reads what a run left behind and says whether its projections have collapsed, whether a linear predictor is symmetric and
aligned with F, whether Theorem 1's balance and DirectPred's rule are met, and how far an averaged target lags. Files are
read, never executed: a pickle (torch.save, an array of objects) is refused.

Arrays, with the steps along the first axis or one step a file: z1 and z2, projections of two views (examples × dimensions);
Wp, the predictor, W and b, the layer before it, Wa, that layer of the target, as torch.nn.Linear keeps them; F or Fhat; step;
lr, weight_decay, momentum, alpha_p, epsilon. Names in a state_dict of solo-learn (projector, momentum_projector, predictor) and of
lightly (projection_head, projection_head_momentum, prediction_head; views z0 and z1) are known too, and a series.csv of train.

Exit codes: 0 nothing is wrong, 1 collapsed or a law that the run should obey does not hold, 2 the files are at fault,
3 too early to say, or nothing to say it from.`
}

// NothingYet is the exit code of a diagnosis that says nothing about the collapse.
const NothingYet = 3

// diagnosis is a report as JSON.
type diagnosis struct {
	Files     []string                   `json:"files"`
	Predictor diagnose.Kind              `json:"predictor"`
	Findings  []diagnose.Finding         `json:"findings"`
	Series    []map[string]linear.Number `json:"series"`
	Notes     []string                   `json:"notes"`
}

// Run diagnoses.
func (d *Diagnose) Run(c *Console) error {
	if d.Out != "" {
		if err := writable(d.Out); err != nil {
			return badInput(err)
		}
	}
	var files []*dump.File
	for _, name := range d.Files {
		if c.Context.Err() != nil {
			return interrupted("%d of %d files are read", len(files), len(d.Files))
		}
		f, err := dump.Read(name)
		if err != nil {
			return badInput(err)
		}
		files = append(files, f)
	}
	run, err := diagnose.Assemble(files)
	if err != nil {
		return badInput(err)
	}
	for _, x := range []struct {
		flag     string
		from     *float64
		to       *float64
		low, top float64
	}{{"lr", d.LR, &run.Settings.LR, 0, math.MaxFloat64}, {"weight-decay", d.WeightDecay, &run.Settings.WD, 0, math.MaxFloat64}, {"momentum", d.Momentum, &run.Settings.Momentum, 0, 1 - 1e-9},
		{"alpha-p", d.AlphaP, &run.Settings.AlphaP, math.SmallestNonzeroFloat64, math.MaxFloat64}, {"epsilon", d.Epsilon, &run.Settings.Epsilon, -1, math.MaxFloat64}} {
		if x.from == nil {
			continue
		}
		if !(*x.from >= x.low && *x.from <= x.top) {
			return badInputf("--%s=%v is outside its domain", x.flag, *x.from)
		}
		*x.to = *x.from
	}
	report := run.Examine(diagnose.Kind(d.Predictor))
	if d.Out != "" {
		if err := os.MkdirAll(d.Out, 0o777); err != nil {
			return badInput(err)
		}
		for _, f := range diagnosisFigures(report) {
			if _, err := f.figure.Write(d.Out, f.name); err != nil {
				return err
			}
		}
	}
	err = c.write(func(w io.Writer) error {
		if d.JSON {
			text, err := json.MarshalIndent(diagnosis{d.Files, report.Predictor, report.Findings, pointTable(report.Points), append([]string{}, report.Notes...)}, "", "  ")
			if err == nil {
				_, err = w.Write(append(text, '\n'))
			}
			return err
		}
		return writeDiagnosis(c, w, report)
	})
	switch {
	case err != nil:
		return err
	case report.Failed():
		return &ExitError{Code: Difference}
	case report.Early():
		return &ExitError{Code: NothingYet}
	}
	return nil
}

// pointColumns are the numbers of a point, as the series has them.
var pointColumns = []struct {
	name string
	of   func(p diagnose.Point) float64
}{
	{"step", func(p diagnose.Point) float64 { return float64(p.Step) }},
	{"ηt", func(p diagnose.Point) float64 { return p.Decay }},
	{"zstd", func(p diagnose.Point) float64 { return p.ZStd }},
	{"er", func(p diagnose.Point) float64 { return p.Rank }},
	{"er_centered", func(p diagnose.Point) float64 { return p.CentredRank }},
	{"asym", func(p diagnose.Point) float64 { return p.Asymmetry }},
	{"comm", func(p diagnose.Point) float64 { return p.Commutator }},
	{"cos_top8", func(p diagnose.Point) float64 { return p.TopCosine }},
	{"parabola", func(p diagnose.Point) float64 { return p.Parabola }},
	{"bal", func(p diagnose.Point) float64 { return p.Balance }},
	{"tau", func(p diagnose.Point) float64 { return p.Tau }},
}

func pointTable(points []diagnose.Point) []map[string]linear.Number {
	var out []map[string]linear.Number
	for _, p := range points {
		m := map[string]linear.Number{}
		for _, col := range pointColumns {
			if v := col.of(p); !math.IsNaN(v) {
				m[col.name] = linear.Number(v)
			}
		}
		out = append(out, m)
	}
	return out
}

// shownPoints is how many steps the report for people shows.
const shownPoints = 6

// writeDiagnosis is the report for people.
func writeDiagnosis(c *Console, w io.Writer, r *diagnose.Report) error {
	var rows [][]string
	for _, f := range r.Findings {
		text := f.Detail
		if f.Limit != "" && f.Word != diagnose.Absent && f.Word != diagnose.Unfit {
			text += "\nheld against: " + f.Limit
		}
		rows = append(rows, []string{wrapWords(f.Subject, c.width()/5), wrapWords(string(f.Word), 16), text, wrapWords(strings.Join(f.Claims, " "), c.width()/5)})
	}
	text := fmt.Sprintf("predictor: %s, %d steps\n\n", r.Predictor, len(r.Points))
	text += c.renderTable([]string{"subject", "", "found", "bears on"}, rows, 2)
	if len(r.Points) > 1 {
		var header []string
		columns := slices.DeleteFunc(slices.Clone(pointColumns), func(col struct {
			name string
			of   func(p diagnose.Point) float64
		}) bool {
			return !slices.ContainsFunc(r.Points, func(p diagnose.Point) bool { return !math.IsNaN(col.of(p)) })
		})
		for _, col := range columns {
			header = append(header, col.name)
		}
		rows = nil
		n := min(shownPoints, len(r.Points))
		for i := range n {
			p := r.Points[i*(len(r.Points)-1)/(n-1)]
			var row []string
			for _, col := range columns {
				cell := ""
				if v := col.of(p); !math.IsNaN(v) {
					cell = fmt.Sprintf("%.4g", v)
				}
				row = append(row, cell)
			}
			rows = append(rows, row)
		}
		text += "\n" + c.renderTable(header, rows, len(header)-1)
	}
	for _, n := range r.Notes {
		text += "\n" + n + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// diagnosisFigures are the plots of a diagnosis; one without a point is left out.
func diagnosisFigures(r *diagnose.Report) []namedFigure {
	var steps []float64
	for _, p := range r.Points {
		steps = append(steps, float64(p.Step))
	}
	seen := func(values []float64) bool {
		return slices.ContainsFunc(values, func(v float64) bool { return !math.IsNaN(v) })
	}
	curve := func(name string, of func(p diagnose.Point) float64) figure.Curve {
		var y []float64
		for _, p := range r.Points {
			y = append(y, of(p))
		}
		return figure.Curve{Name: name, X: steps, Y: y}
	}
	title := fmt.Sprintf("collapse: %s; predictor: %s", r.Findings[0].Word, r.Predictor)
	panels := func(ps ...figure.Panel) []figure.Panel {
		return slices.DeleteFunc(ps, func(p figure.Panel) bool {
			return !slices.ContainsFunc(p.Curves, func(c figure.Curve) bool { return seen(c.Y) })
		})
	}
	spectrum := func(of func(p diagnose.Point) []float64, letter string) []figure.Curve {
		var out []figure.Curve
		for j := range topSpectrum {
			out = append(out, curve(fmt.Sprintf("%s_%d", letter, j+1), func(p diagnose.Point) float64 {
				if s := of(p); j < len(s) {
					return s[j]
				}
				return math.NaN()
			}))
		}
		return slices.DeleteFunc(out, func(c figure.Curve) bool { return !seen(c.Y) })
	}
	law := curve("law, momentum 0", func(p diagnose.Point) float64 { return r.Points[0].Balance * math.Exp(-2*(p.Decay-r.Points[0].Decay)) })
	all := []namedFigure{
		{"collapse", figure.Figure{Title: title, X: "step", Panels: panels(
			figure.Panel{Y: "zstd", Curves: []figure.Curve{curve("", func(p diagnose.Point) float64 { return p.ZStd })},
				Levels: []figure.Level{{Name: "alive above", Y: metric.AliveZStd}, {Name: "collapsed below", Y: metric.CollapsedZStd}}},
			figure.Panel{Y: "effective rank", Curves: []figure.Curve{curve("uncentred", func(p diagnose.Point) float64 { return p.Rank }), curve("centred", func(p diagnose.Point) float64 { return p.CentredRank })},
				Levels: []figure.Level{{Name: "alive above", Y: metric.AliveRank}, {Name: "collapsed below", Y: metric.CollapsedRank}}},
			figure.Panel{Y: "eigenvalues of F", Log: true, Curves: spectrum(func(p diagnose.Point) []float64 { return p.S }, "s")})}},
		{"predictor", figure.Figure{Title: title, X: "step", Panels: panels(
			figure.Panel{Y: "asymmetry of W_p", Curves: []figure.Curve{curve("", func(p diagnose.Point) float64 { return p.Asymmetry })}},
			figure.Panel{Y: "commutator [F, W_p]", Curves: []figure.Curve{curve("", func(p diagnose.Point) float64 { return p.Commutator })}},
			figure.Panel{Y: "cosine, correlation", Curves: []figure.Curve{curve("cos(W_p v, v)", func(p diagnose.Point) float64 { return p.TopCosine }), curve("corr(p, √s)", func(p diagnose.Point) float64 { return p.Parabola })}},
			figure.Panel{Y: "gains of W_p", Curves: spectrum(func(p diagnose.Point) []float64 { return p.P }, "p")})}},
		{"laws", figure.Figure{Title: title, X: "step", Panels: panels(
			figure.Panel{Y: "balance ‖D‖", Log: true, Curves: []figure.Curve{curve("the run", func(p diagnose.Point) float64 { return p.Balance }), law}},
			figure.Panel{Y: "τ", Curves: []figure.Curve{curve("", func(p diagnose.Point) float64 { return p.Tau })}, Levels: []figure.Level{{Name: "caught up", Y: 1}}})}},
	}
	return slices.DeleteFunc(all, func(f namedFigure) bool { return len(f.figure.Panels) == 0 })
}
