package parity

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"stopgrad/trainingcheck/method"
)

// TestTogetherTakesTurns measures shell scripts: each makes its steps in turn, and one that fails, at the start or later,
// does not end the others.
func TestTogetherTakesTurns(t *testing.T) {
	bash := tool(t, "bash")
	log := t.TempDir() + "/log"
	entrant := func(name, text string) Entrant {
		return Entrant{Program: name, Command: []string{bash, "-c", text}}
	}
	counts := `echo ready 1.0 beta; n=0; while read -r; do n=$((n + 1)); echo "$0 $n" >>` + log + `; echo $n.5; done`
	named := func(name string) Entrant {
		e := entrant(name, counts)
		e.Command = append(e.Command, name)
		return e
	}
	var told []string
	got, err := Together(t.Context(), []Entrant{named("a"), entrant("late", `echo ready 2; read -r; echo 7; read -r; echo soon`), entrant("never", `echo failed no such device`),
		entrant("silent", `exit 3`), named("b")}, 5, func(m Measured) { told = append(told, m.Program) })
	if err != nil {
		t.Fatal(err)
	}
	want := []Measured{{"a", "1.0 beta", 5, 3.5, 1.5, ""}, {"late", "2", 0, 0, 0, `the answer "soon" is no time`}, {"never", "", 0, 0, 0, "no such device"},
		{"silent", "", 0, 0, 0, "it ended without an answer"}, {"b", "1.0 beta", 5, 3.5, 1.5, ""}}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if strings.Join(told, " ") != "a late never silent b" {
		t.Errorf("told of %v", told)
	}
	text, err := readLines(log)
	if err != nil || strings.Join(text, ",") != "a 1,b 1,a 2,b 2,a 3,b 3,a 4,b 4,a 5,b 5" {
		t.Errorf("the turns were %v, %v", text, err)
	}
	if _, err := Together(t.Context(), nil, 0, nil); err == nil {
		t.Error("no round was accepted")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Together(ctx, []Entrant{entrant("endless", `exec sleep 1000`)}, 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestServeIsAnEntrant lets Serve make two steps.
func TestServeIsAnEntrant(t *testing.T) {
	c := method.Miniature(method.MLP)
	c.Precision = method.Float32
	var out bytes.Buffer
	if err := Serve(cpu(t), c, 1, strings.NewReader("\n\n"), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "ready ") {
		t.Fatalf("%q", lines)
	}
	c.Precision = method.BFloat16
	out.Reset()
	if err := Serve(cpu(t), c, 1, strings.NewReader("\n"), &out); err == nil || !strings.HasPrefix(out.String(), "failed ") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("bfloat16 on cpu: %v, %q", err, out.String())
	}
	for _, k := range Contests() {
		if err := k.Config.Validate(); err != nil || k.Rounds < 3 || math.Mod(float64(k.Rounds), 2) != 1 {
			t.Errorf("%s: %v, %d rounds; want an odd number for the median", k.Name, err, k.Rounds)
		}
	}
}

// readLines reads a text file.
func readLines(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	return strings.Split(strings.TrimSpace(string(text)), "\n"), err
}
