package certify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// question is a statement that both programs are asked: as the items of a claim, and as functions that are positive.
type question struct {
	name, says, items string
	Vars              [][]any  `json:"vars"`
	Positive          []string `json:"positive"`
	Where             []string `json:"where"`
	Eps               float64  `json:"eps"`
	Seconds           float64  `json:"seconds"`
	Runs              int      `json:"runs"`
	Round             float64  `json:"round"`
}

func over(name string, lo, hi float64) []any { return []any{name, lo, hi} }

const k11 = "f11/2+a**2+b**2-a+3*k/2"
const k22 = "f22/2+b**2+c**2-c+3*k/2"
const k12 = "f12/2+a*b+b*c-b"

var questions = []question{
	{name: "kappa > 1/4", says: "u*(1 - u) - k < 0", items: "k in [251/1000, 1], u in [-10, 10]",
		Vars: [][]any{over("k", .251, 1), over("u", -10, 10)}, Positive: []string{"k-u*(1-u)"}},
	{name: "kappa > 1/9 on the parabola", says: "3/2*u^2 - u + 3/2*k > 0", items: "k in [112/1000, 1], u in [-10, 10]",
		Vars: [][]any{over("k", .112, 1), over("u", -10, 10)}, Positive: []string{"3*u**2/2-u+3*k/2"}},
	{name: "the same, closed at 1/9", says: "3/2*u^2 - u + 3/2*k > 0", items: "k in (1/9, 1], u in [-10, 10]",
		Vars: [][]any{over("k", 1./9, 1), over("u", -10, 10)}, Positive: []string{"3*u**2/2-u+3*k/2"}},
	{name: "slopes of g before its top", says: "diff(u*(1 - u) - k, u) > 0", items: "k in [1/1000, 6/25], u in [0, 49/100]",
		Vars: [][]any{over("k", .001, .24), over("u", 0, .49)}, Positive: []string{"1-2*u+0*k"}},
	{name: "DirectPred above its threshold", says: "(u + c)*(1 - u - c) - k > 0", items: "k in [0, 4/25], c in [1/4, 1/2], u in [0, 1/4]",
		Vars: [][]any{over("k", 0, .16), over("c", .25, .5), over("u", 0, .25)}, Positive: []string{"(u+c)*(1-u-c)-k"}},
	{name: "DirectSet, cubes", says: "u^3*(1 - u^3) - k > 0", items: "k in [0, 4/25], u in [13/20, 9/10]",
		Vars: [][]any{over("k", 0, .16), over("u", .65, .9)}, Positive: []string{"u**3*(1-u**3)-k"}},
	{name: "K of two modes, F in [-1, 1]", says: "1/2*F + S^2 - S + 3/2*k*I pd", items: "n = 2, k in [1/2, 1], S in [-1, 1], F in [-1, 1]",
		Vars:     [][]any{over("k", .5, 1), over("a", -1, 1), over("b", -1, 1), over("c", -1, 1), over("f11", 0, 1), over("f12", -1, 1), over("f22", 0, 1)},
		Positive: []string{k11, "(" + k11 + ")*(" + k22 + ")-(" + k12 + ")**2"}, Where: []string{"f11*f22-f12**2"}},
	{name: "K of two modes, any F", says: "1/2*F + S^2 - S + 3/2*k*I pd", items: "n = 2, k in [17/100, 1], S in [-1, 1]",
		Vars:     [][]any{over("k", .17, 1), over("a", -1, 1), over("b", -1, 1), over("c", -1, 1), over("f11", 0, 1), over("f12", -1, 1), over("f22", 0, 1)},
		Positive: []string{k11, "(" + k11 + ")*(" + k22 + ")-(" + k12 + ")**2"}, Where: []string{"f11*f22-f12**2"}},
}

// The two are timed in turns, warmed up: of each the best of several runs in every round, as many as there are time for.
const (
	rounds    = 6
	runs      = 200
	roundTime = 700 * time.Millisecond
	patience  = 90 * time.Second // with Codac
	longest   = 3.0              // seconds of a run after which no other round is worth it
)

// short is a time in milliseconds, to two digits.
func short(seconds float64) string {
	ms := 1e3 * seconds
	scale := math.Pow(10, 1-math.Floor(math.Log10(ms)))
	return strconv.FormatFloat(math.Round(ms*scale)/scale, 'f', -1, 64)
}

// best is the shortest of several runs, after one that warms up, where there is time.
func best(run func() time.Duration) time.Duration {
	start := time.Now()
	least := run()
	for n := 0; n < runs && time.Since(start)+least < roundTime; n++ {
		least = min(least, run())
	}
	return least
}

// answer is Codac's: the boxes that it leaves, and the seconds of the best of its runs, by the paving alone and from the text
// of the functions on.
type answer struct {
	Left    int     `json:"left"`
	Seconds float64 `json:"seconds"`
	Whole   float64 `json:"whole"`
}

// paved asks Codac. It is false if there was no answer in time.
func paved(t *testing.T, python string, q question) (a answer, ok bool) {
	t.Helper()
	input, err := json.Marshal([]question{q})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "testdata/paving.py")
	cmd.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if ctx.Err() != nil {
		return a, false
	}
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answers []answer
	// Codac prints lines of its own.
	if err := json.Unmarshal(text[bytes.LastIndex(text, []byte("[{")):], &answers); err != nil {
		t.Fatal(err)
	}
	return answers[0], true
}

// TestCodacAgrees asks Codac about the same boxes, which leaves none of some: every statement is certified here. What is
// timed is all of Region, from the statement as it was read to the checked argument; of Codac the paving alone, and with
// the making of its functions. Skipped without $CODAC_PYTHON, a Python with codac.
func TestCodacAgrees(t *testing.T) {
	python := os.Getenv("CODAC_PYTHON")
	if python == "" {
		t.Skip("no $CODAC_PYTHON, a Python that has codac")
	}
	for _, q := range questions {
		q.Eps, q.Seconds, q.Runs, q.Round = 1e-3, 20, runs, roundTime.Seconds()
		if q.Where == nil {
			q.Where = []string{}
		}
		if len(q.Vars) > 4 {
			q.Eps = 0.4
		}
		f := claims(t, "claim t\n  size n\n  scalar k, u, c\n  matrix S : n x n symmetric\n  matrix F : n x n psd\n  says q: "+q.says+"\n    for "+q.items+"\n")
		var out *Outcome
		var err error
		once := func() time.Duration {
			start := time.Now()
			out, err = Region(context.Background(), f.Claims[0].Parts[0], Options{Workers: 2, Nodes: 40_000})
			return time.Since(start)
		}
		ours, theirs, answered := time.Hour, answer{Seconds: math.Inf(1), Whole: math.Inf(1)}, true
		for range rounds {
			var a answer
			if a, answered = paved(t, python, q); answered {
				theirs = answer{a.Left, min(theirs.Seconds, a.Seconds), min(theirs.Whole, a.Whole)}
			}
			ours = min(ours, best(once))
			if !answered || theirs.Whole > longest || ours.Seconds() > longest {
				break
			}
		}
		if err != nil {
			t.Errorf("%s: %v", q.name, err)
			continue
		}
		if !out.Verdict.IsCertified() {
			t.Errorf("%s: %s", q.name, out.Say())
		}
		said := "no answer in " + patience.String()
		if answered {
			said = fmt.Sprintf("%d boxes left, %s ms (paving alone %s)", theirs.Left, short(theirs.Whole), short(theirs.Seconds))
		}
		t.Logf("| %s | %s, %s ms | %s |", q.name, out.Verdict, short(ours.Seconds()), said)
	}
}
