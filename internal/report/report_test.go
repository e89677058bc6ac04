package report

import (
	"context"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"

	"stopgrad/internal/ledger"
	"stopgrad/internal/statecheck"
	"stopgrad/numeric/flow"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

func load(t *testing.T) *lang.File {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fits requires that no line is wider than the page, unless it is a single word behind its indentation.
func fits(t *testing.T, what, s string, width int) {
	t.Helper()
	for i, l := range strings.Split(s, "\n") {
		if w := text.RuneWidthWithoutEscSequences(l); w > width && len(strings.Fields(l)) > 1 {
			t.Errorf("%s: line %d is %d wide, the page %d: %s", what, i+1, w, width, l)
		}
		if strings.TrimRight(l, " ") != l {
			t.Errorf("%s: line %d ends in blanks", what, i+1)
		}
	}
}

// every is a ledger with a claim for every verdict and kind of evidence.
func every() *ledger.Ledger {
	detail := func(part string) ledger.Detail { return ledger.Detail{Part: part, Reading: "printed"} }
	with := func(d ledger.Detail, f func(*ledger.Detail)) ledger.Detail { f(&d); return d }
	scalars := &ledger.State{Scalars: map[string]string{"p": "1", "s": "0"}}
	matrices := &ledger.State{Sizes: map[string]int{"n2": 2, "n1": 1}, Matrices: map[string][][]string{"W": {{"1"}, {"0"}}}}
	l := &ledger.Ledger{Schema: ledger.Schema, Seed: 9, Depth: "quick", Claims: []ledger.Claim{
		{ID: "proved", Verdict: ledger.Proved, Evidence: []ledger.Evidence{
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: with(detail("a"), func(d *ledger.Detail) { d.Steps = make([]ledger.Step, 2) })},
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: with(detail("b"), func(d *ledger.Detail) { d.Steps = make([]ledger.Step, 1) })}},
			Twins: []ledger.Twin{{Mutation: "a: x → y", Verdict: ledger.Refuted}, {Mutation: "a: y → z", Verdict: ledger.Undecided}}},
		{ID: "refuted", Verdict: ledger.Refuted, Corrected: &ledger.Reading{Verdict: ledger.Certified}, Evidence: []ledger.Evidence{
			{Kind: ledger.Witness, Verdict: ledger.Refuted, Detail: with(detail("a"), func(d *ledger.Detail) { d.State = matrices })},
			{Kind: ledger.Certificate, Verdict: ledger.Certified, Detail: ledger.Detail{Part: "b", Reading: "corrected"}}}},
		{ID: "inconsistent", Verdict: ledger.Inconsistent, Evidence: []ledger.Evidence{
			{Kind: ledger.Witness, Verdict: ledger.Inconsistent, Detail: with(detail("a"), func(d *ledger.Detail) { d.State = scalars })}}},
		{ID: "ill-formed", Verdict: ledger.IllFormed, Evidence: []ledger.Evidence{{Kind: ledger.Proof, Verdict: ledger.IllFormed, Detail: detail("a")}}},
		{ID: "supported", Verdict: ledger.Supported, Evidence: []ledger.Evidence{
			{Kind: ledger.Samples, Verdict: ledger.Supported, Detail: with(detail("a"), func(d *ledger.Detail) { d.Tried = 77 })}}},
		{ID: "open", Verdict: ledger.Undecided, Evidence: []ledger.Evidence{
			{Kind: ledger.Samples, Verdict: ledger.Undecided, Detail: with(detail("a"), func(d *ledger.Detail) { d.Tried = 1 })}}},
		{ID: "against", Verdict: ledger.Undecided, Evidence: []ledger.Evidence{
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: detail("a")},
			{Kind: ledger.Samples, Verdict: ledger.Supported, Detail: with(detail("a"), func(d *ledger.Detail) { d.Tried = 100 })},
			{Kind: ledger.Samples, Verdict: ledger.Undecided, Detail: with(detail("b"), func(d *ledger.Detail) { d.Tried, d.Measures = 20, map[string]float64{"violations": 13} })}}},
		{ID: "nothing", Verdict: ledger.Undecided},
		{ID: "contradiction", Verdict: ledger.Undecided, Evidence: []ledger.Evidence{
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: detail("a")}, {Kind: ledger.Witness, Verdict: ledger.Refuted, Detail: detail("a")}}},
		{ID: "seen", Verdict: ledger.NotObserved, Evidence: []ledger.Evidence{{Kind: ledger.Training, Verdict: ledger.NotObserved, Detail: detail("a")}}},
	}}
	l.Summarise()
	return l
}

func TestEvidenceInAFewWords(t *testing.T) {
	l := every()
	for id, want := range map[string]string{
		"proved":        "3-step proof",
		"refuted":       "witness n1=1 n2=2; certificate",
		"inconsistent":  "2-number witness",
		"ill-formed":    "shapes do not fit",
		"supported":     "77 samples",
		"open":          "open after 1 sample",
		"against":       "open: 13 of 20 samples against it",
		"nothing":       "nothing",
		"contradiction": "CONTRADICTION",
		"seen":          "training",
	} {
		if got := Evidence(l.Claim(id)); got != want {
			t.Errorf("%s: %q; want %q", id, got, want)
		}
	}
}

func TestAuditTable(t *testing.T) {
	l := every()
	var b strings.Builder
	if err := Audit(&b, l, Page{}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	fits(t, "audit", got, DefaultWidth)
	for _, c := range l.Claims {
		if !strings.Contains(got, "\n"+c.ID+" ") {
			t.Errorf("no row for %s", c.ID)
		}
	}
	for _, want := range []string{
		"10 claims as printed: 1 proved, 1 supported, 1 not observed, 1 refuted, 1 ill-formed, 1 inconsistent, 4 undecided",
		"1 corrected reading: 1 certified",
		"1 of 2 mutated twins refuted; depth quick, seed 9",
		"INCOMPLETE: the audit was interrupted",
		"CONTRADICTION: contradiction/a is proved and yet false",
		"twin not refuted but undecided: proved, a: y → z",
	} {
		if !strings.Contains(strings.Join(strings.Fields(got), " "), want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("colours on a page without")
	}
	l.Summary.Complete = true
	b.Reset()
	if err := Audit(&b, l, Page{Width: 80, Colour: true}); err != nil {
		t.Fatal(err)
	}
	fits(t, "audit at 80", b.String(), 80)
	if !strings.Contains(b.String(), "\x1b[32mproved\x1b[0m") || strings.Contains(b.String(), "INCOMPLETE") {
		t.Errorf("in colour:\n%s", b.String())
	}
}

// TestEveryClaimIsShown renders each claim, its derivation included, and looks for what must not be missing.
func TestEveryClaimIsShown(t *testing.T) {
	f := load(t)
	for _, width := range []int{80, 100, 140} {
		p := Page{Width: width}
		for _, c := range f.Claims {
			var b strings.Builder
			if err := Show(&b, c, func(p *lang.Part) *verdict.Proof { return verdict.Prove(context.Background(), p) }, p); err != nil {
				t.Fatal(err)
			}
			got := b.String()
			fits(t, c.ID, got, width)
			for _, want := range []string{c.ID + ": ", "printed in", "quote", "twins"} {
				if !strings.Contains(got, want) {
					t.Errorf("%s: %q is missing", c.ID, want)
				}
			}
			for _, part := range c.Parts {
				if !strings.Contains(got, ", "+part.Name+"\n") {
					t.Errorf("%s: part %s is missing", c.ID, part.Name)
				}
			}
			if strings.Contains(got, "it ends here") != strings.Contains(got, "along the flow, ") && c.ID != "assump-ema" {
				t.Errorf("%s: a proof breaks off:\n%s", c.ID, got)
			}
			if strings.Contains(got, statecheck.NamePlace) {
				t.Errorf("%s: a domain without its name", c.ID)
			}
		}
	}
}

func TestShownDerivation(t *testing.T) {
	var b strings.Builder
	if err := Show(&b, load(t).Claim("thm1"), func(p *lang.Part) *verdict.Proof { return verdict.Prove(context.Background(), p) }, Page{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"as printed, balance", "where   ", "D = W·Wᵀ − 1/α·Wₚᵀ·Wₚ", "along   the flow anytarget", "proof   1. rate: d/dt(D) = −2·η·D", "by expand (", "2. (D)(t) = exp(", "by integrate rate",
		"α > 0; η ≥ 0", "Wₚ : n2×n2",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestLaTeXIsBalanced(t *testing.T) {
	for _, c := range load(t).Claims {
		var b strings.Builder
		if err := ShowLaTeX(&b, c); err != nil {
			t.Fatal(err)
		}
		got := b.String()
		depth := 0
		for i, r := range got {
			escaped := i > 0 && got[i-1] == '\\'
			switch {
			case r == '{' && !escaped:
				depth++
			case r == '}' && !escaped:
				depth--
			}
			if depth < 0 {
				break
			}
		}
		if depth != 0 {
			t.Errorf("%s: unbalanced braces:\n%s", c.ID, got)
		}
		if l, r := strings.Count(got, `\left`), strings.Count(got, `\right`); l != r {
			t.Errorf("%s: %d \\left, %d \\right", c.ID, l, r)
		}
		if strings.Count(got, `\begin{align*}`) != strings.Count(got, `\end{align*}`) {
			t.Errorf("%s: unbalanced environments", c.ID)
		}
		_, body, _ := strings.Cut(got, "\n") // the first line is a comment
		for _, r := range body {
			if r >= 'α' && r <= 'ω' || r == '·' || r == '≥' {
				t.Errorf("%s: the character %c in LaTeX:\n%s", c.ID, r, got)
				break
			}
		}
	}
}

func TestListOfClaims(t *testing.T) {
	f := load(t)
	var b strings.Builder
	if err := Claims(&b, f.Claims, Page{}); err != nil {
		t.Fatal(err)
	}
	fits(t, "claims", b.String(), DefaultWidth)
	for _, c := range f.Claims {
		if !strings.Contains(b.String(), "\n"+c.ID+" ") {
			t.Errorf("%s is missing", c.ID)
		}
	}
}

func TestCheckReport(t *testing.T) {
	s, err := flow.DecodeState(strings.NewReader(`{"p":[0.5,0.9],"w":[0.4,1],"wa":[0.3,0.8],"t":1}`), "s")
	if err != nil {
		t.Fatal(err)
	}
	r, err := statecheck.Check(context.Background(), load(t).Claim("decoupled"), s, statecheck.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Check(&b, r, Page{}); err != nil {
		t.Fatal(err)
	}
	fits(t, "check", b.String(), DefaultWidth)
	for _, want := range []string{"course    followed over [0, 1]", "assumed   alpha = default", "skipped   predictorframe: ", "decoupled, as printed: holds"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

func TestTrajectoryTableFitsThePage(t *testing.T) {
	s, err := flow.DecodeState(strings.NewReader(`{"p":[0.5,0.9,1],"w":[0.4,1,0],"wa":[0.3,0.8,0]}`), "s")
	if err != nil {
		t.Fatal(err)
	}
	f, err := flow.ByName("modes")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := flow.Simulate(context.Background(), f, s, 2, &flow.Settings{Points: 3})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := Trajectory(&b, tr, Page{Width: 60}); err != nil {
		t.Fatal(err)
	}
	fits(t, "trajectory", b.String(), 60)
	for name := range tr.Measures[0] {
		if !strings.Contains(b.String(), name) {
			t.Errorf("no column for %s", name)
		}
	}
}
