package parity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
)

// Row is the parity of an engine in an arithmetic with float64 on the engine cpu.
type Row struct {
	Engine     string
	Plugin     string
	Device     string
	Arithmetic golden.Precision
	// Worst is, by network, the largest relative difference of a recorded scalar from the same computed again.
	Worst map[string]float64
}

// ErrNoParity reports a folder without a golden of kind parity.
var ErrNoParity = errors.New("parity: no golden of kind parity")

// Table computes the parity goldens of a folder again and returns a row for each engine, device and arithmetic, in the
// order of engine.Kinds. It does not judge: golden.Verifier does.
func Table(ctx context.Context, fsys fs.FS) ([]Row, error) {
	names, err := fs.Glob(fsys, "parity.*.json")
	if err != nil {
		return nil, fmt.Errorf("parity: %w", err)
	}
	recompute := Recompute()
	rows := map[[4]string]*Row{}
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("parity: %w", err)
		}
		g, err := golden.Decode(text)
		if err != nil {
			return nil, fmt.Errorf("parity: %s: %w", name, err)
		}
		if g.Parity == nil || recompute[g.Parity.Computation] == nil {
			return nil, fmt.Errorf("parity: %s: no computation of this package", name)
		}
		want, err := recompute[g.Parity.Computation](ctx, g)
		if err != nil {
			return nil, fmt.Errorf("parity: %s: %w", name, err)
		}
		p := g.Provenance
		key := [4]string{p.Engine.Name, p.Engine.Plugin, p.Device.Name, string(p.Engine.Precision)}
		if rows[key] == nil {
			rows[key] = &Row{p.Engine.Name, p.Engine.Plugin, p.Device.Name, p.Engine.Precision, map[string]float64{}}
		}
		worst := 0.0
		for k, v := range g.Parity.Values {
			w := want[k].Value
			if v != w {
				worst = larger(worst, math.Abs(v-w)/max(math.Abs(v), math.Abs(w)))
			}
		}
		rows[key].Worst[g.ID[strings.LastIndex(g.ID, ".")+1:]] = worst
	}
	if len(rows) == 0 {
		return nil, ErrNoParity
	}
	var all []Row
	for _, r := range rows {
		all = append(all, *r)
	}
	order := func(r Row) string {
		return fmt.Sprintf("%02d %02d %s %s", slices.Index(engine.Kinds, r.Engine), slices.Index(arithmetics, r.Arithmetic), r.Device, r.Plugin)
	}
	slices.SortFunc(all, func(a, b Row) int { return strings.Compare(order(a), order(b)) })
	return all, nil
}

// arithmetics in the order of the table.
var arithmetics = []golden.Precision{golden.FP64, golden.FP32, golden.TF32, golden.BF16}

// Markdown writes rows as a table: an engine and an arithmetic by the networks of Networks.
func Markdown(rows []Row) string {
	var networks []string
	for _, n := range Networks() {
		if slices.ContainsFunc(rows, func(r Row) bool { _, ok := r.Worst[n.Name]; return ok }) {
			networks = append(networks, n.Name)
		}
	}
	var b strings.Builder
	b.WriteString("| engine | arithmetic | " + strings.Join(networks, " | ") + " |\n|" + strings.Repeat("---|", len(networks)+2) + "\n")
	for _, r := range rows {
		name := r.Engine
		if r.Plugin != "" {
			name += " (" + r.Plugin + ")"
		}
		cells := []string{name, string(r.Arithmetic)}
		for _, n := range networks {
			cell := "–"
			if v, ok := r.Worst[n]; ok {
				cell = fmt.Sprintf("%.0e", v)
			}
			cells = append(cells, cell)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	return b.String()
}
