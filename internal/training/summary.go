package training

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"stopgrad/trainingcheck/method"
	"stopgrad/trainingcheck/metric"
)

// series collects the records of a run.
type series struct {
	columns []string // loss first
	records []method.Record
}

// add takes the record that a progress report carries, if it has not seen it yet.
func (s *series) add(p method.Progress) {
	if p.Values == nil || len(s.records) > 0 && &s.records[len(s.records)-1].Values[0] == &p.Values[0] {
		return
	}
	s.columns = p.Columns
	s.records = append(s.records, method.Record{Step: p.Step, Values: p.Values})
}

// column returns a column and the steps of its records; nil if there is none of that name.
func (s *series) column(name string) (steps, values []float64) {
	i := slices.Index(s.columns, name)
	if i < 0 {
		return nil, nil
	}
	for _, r := range s.records {
		steps = append(steps, float64(r.Step))
		values = append(values, r.Values[i])
	}
	return steps, values
}

// summary is what became of a run.
type summary struct {
	identity
	TotalDecay float64        `json:"eta_t"`
	Verdict    metric.Verdict `json:"verdict"`
	// Measures are those of the last record, and the accuracies; what the run does not have is missing.
	Measures map[string]float64 `json:"measures"`
	// Start are the measures before the first step.
	Start map[string]float64 `json:"start"`
	// Falling tells whether the asymmetry of W_p is lower at the end than after six tenths of the run.
	Falling *bool    `json:"asym_falling,omitempty"`
	Sample  string   `json:"evaluated_on"`
	Files   []string `json:"files,omitempty"`
}

func summarise(t *method.Trainer, e *evaluation, id identity, seen *series) (*summary, error) {
	s := &summary{identity: id, TotalDecay: id.Config.TotalDecay(), Measures: map[string]float64{}, Start: map[string]float64{}, Sample: e.sample}
	put := func(m map[string]float64, name string, v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			m[name] = v
		}
	}
	for _, name := range seen.columns {
		_, values := seen.column(name)
		put(s.Start, name, values[0])
		put(s.Measures, name, values[len(values)-1])
	}
	if e.few != e.views { // the end is looked at whole
		columns, values := e.columns(), []float64(nil)
		var err error
		if values, err = e.lookAt(e.views, t); err != nil {
			return nil, err
		}
		for i, name := range columns {
			delete(s.Measures, name)
			put(s.Measures, name, values[i])
		}
		s.Sample += fmt.Sprintf("; along the run on %d views", e.few.Train.N)
	}
	accuracies, err := e.judge(t)
	if err != nil {
		return nil, err
	}
	for name, v := range accuracies {
		put(s.Measures, name, v)
	}
	value := func(name string) float64 {
		if v, ok := s.Measures[name]; ok {
			return v
		}
		return math.NaN()
	}
	s.Verdict = metric.JudgeAt(value("zstd"), value("er"), s.TotalDecay, id.Config.Steps)
	if end, ok := s.Measures["asym"]; ok {
		steps, values := seen.column("asym")
		i := slices.IndexFunc(steps, func(x float64) bool { return x >= 0.6*float64(id.Config.Steps) })
		falling := end < values[i]
		s.Falling = &falling
	}
	return s, nil
}

func (s *summary) encode() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	return append(text, '\n'), nil
}

// keep writes the plots and the summary to the run's folder.
func (s *summary) keep(ctx context.Context, dir string, seen *series) error {
	s.Files = []string{runFile, method.SeriesJSONFile, method.SeriesCSVFile, method.CheckpointFile, summaryFile}
	for _, f := range figures(s, seen) {
		if ctx.Err() != nil {
			return interrupted("the run is complete; the same command with --resume draws the plots")
		}
		names, err := f.figure.Write(dir, f.name)
		if err != nil {
			return err
		}
		s.Files = append(s.Files, names...)
	}
	text, err := s.encode()
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, summaryFile), text)
}

// meanings are the measures of the report, in order.
var meanings = []struct{ name, meaning string }{
	{"zstd", "spread of the directions of z: 0 collapsed, 1 the most"},
	{"er", "effective rank of E[ẑẑᵀ]"},
	{"er_centered", "the same, centred"},
	{"asym", "‖W_p − W_pᵀ‖/‖W_p‖"},
	{"comm", "‖[F, W_p]‖/(‖F‖‖W_p‖)"},
	{"cos_top8", "cosine of W_p·v and v over F's leading eigenvectors"},
	{"parabola", "correlation of the gains of W_p with the roots of F's eigenvalues"},
	{"bal", "‖W_L·W_Lᵀ + b·bᵀ − W_pᵀ·W_p/α_p‖"},
	{"tau", "τ in W_a ≈ τ·W"},
	{"loss", "loss of the last batch"},
	{"knn", "accuracy of nearest neighbours, encoder"},
	{"zknn", "accuracy of nearest neighbours, projections"},
	{"lin", "accuracy of ridge regression, encoder"},
	{"lin10", "the same from ten labels a class"},
}

// write is the report for people.
func (s *summary) write(c *Console, w io.Writer) error {
	var rows [][]string
	number := func(m map[string]float64, name string) string {
		if v, ok := m[name]; ok {
			return fmt.Sprintf("%.4g", v)
		}
		return ""
	}
	for _, m := range meanings {
		if _, ok := s.Measures[m.name]; ok {
			rows = append(rows, []string{m.name, number(s.Start, m.name), number(s.Measures, m.name), m.meaning})
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s, seed %d, %d steps: %s\n\n", s.Method, s.Data, s.Seed, s.Config.Steps, s.Verdict)
	b.WriteString(c.renderTable([]string{"measure", "start", "end", ""}, rows, 3))
	fmt.Fprintf(&b, "\nbackend %s, %s target, ηt = %.4g, recipe %.12s", s.Backend, s.Config.Target.Kind, s.TotalDecay, s.ConfigSHA256)
	if s.Falling != nil && s.Config.Direct == nil {
		fmt.Fprintf(&b, ", asymmetry of W_p %s since six tenths of the run", map[bool]string{true: "falling", false: "not falling"}[*s.Falling])
	}
	fmt.Fprintf(&b, "\nevaluated on %s\n", s.Sample)
	_, err := io.WriteString(w, b.String())
	return err
}
