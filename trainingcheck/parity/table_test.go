package parity

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/golden"
	"stopgrad/trainingcheck/engine"
	"stopgrad/trainingcheck/method"
)

// TestReadmeHasTheTable: the table in the README is that of the committed goldens.
func TestReadmeHasTheTable(t *testing.T) {
	if root() == "" {
		t.Skip("the project's sources are not here")
	}
	rows, err := Table(t.Context(), golden.Committed())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	// Rounding differs between processors in the last bits of float64, so that fp64 is compared by its names alone.
	for _, line := range strings.Split(strings.TrimSpace(Markdown(rows)), "\n") {
		if strings.Contains(line, "| "+string(golden.FP64)+" |") {
			line = line[:strings.Index(line, string(golden.FP64))]
		}
		if !strings.Contains(string(text), line) {
			t.Errorf("README.md lacks the row %q; go run . golden parity prints the table", line)
		}
	}
}

// TestTableShowsWhatDiffers records a golden, moves one of its values, and finds that much in the table.
func TestTableShowsWhatDiffers(t *testing.T) {
	_, g := recorded(t)
	parity := *g.Parity
	parity.Values = maps.Clone(parity.Values)
	parity.Values[ValueLoss] *= 1.01
	g.Parity = &parity
	dir, err := forge(t, g)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Table(t.Context(), os.DirFS(dir))
	if err != nil || len(rows) != 1 || rows[0].Engine != engine.CPU || rows[0].Arithmetic != golden.FP32 {
		t.Fatalf("%+v, %v", rows, err)
	}
	if w := rows[0].Worst["smallconv"]; w < 0.009 || w > 0.011 {
		t.Errorf("a loss off by 1 %% is %.2g in the table", w)
	}
	if text := Markdown(rows); !strings.Contains(text, "| cpu | fp32 | 1e-02 |") || !strings.Contains(text, "| smallconv |") {
		t.Errorf("%s", text)
	}
	if _, err := Table(t.Context(), os.DirFS(t.TempDir())); !errors.Is(err, ErrNoParity) {
		t.Errorf("an empty folder: %v", err)
	}
	if ID(engine.XLACPU, method.Float64, "mlp") != "parity.xla-cpu-fp64.mlp" {
		t.Error("ids have changed")
	}
}
