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
			{Kind: ledger.Samples, Verdict: ledger.Supported, Detail: with(detail("a"), func(d *ledger.Detail) { d.Tried = 4 })},
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: with(detail("b"), func(d *ledger.Detail) { d.Steps = make([]ledger.Step, 1) })},
			{Kind: ledger.Samples, Verdict: ledger.Supported, Detail: with(detail("b"), func(d *ledger.Detail) { d.Tried = 4 })}},
			Twins: []ledger.Twin{{Mutation: "a: x → y", Verdict: ledger.Refuted}, {Mutation: "a: y → z", Verdict: ledger.Undecided}}},
		{ID: "refuted", Verdict: ledger.Refuted, Corrected: &ledger.Reading{Verdict: ledger.Certified}, Evidence: []ledger.Evidence{
			{Kind: ledger.Witness, Verdict: ledger.Refuted, Detail: with(detail("a"), func(d *ledger.Detail) { d.State = matrices })},
			{Kind: ledger.Certificate, Verdict: ledger.Certified, Detail: ledger.Detail{Part: "b", Reading: "corrected"}}}},
		{ID: "untried", Verdict: ledger.Proved, Evidence: []ledger.Evidence{
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: with(detail("a"), func(d *ledger.Detail) { d.Steps = make([]ledger.Step, 1) })},
			{Kind: ledger.Samples, Verdict: ledger.Undecided, Detail: with(detail("a"), func(d *ledger.Detail) { d.Reason = "none of the 9 states drawn met the hypotheses" })}}},
		{ID: "script", Verdict: ledger.Proved, Evidence: []ledger.Evidence{
			{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: with(detail("a"), func(d *ledger.Detail) { d.Script = "f.claim:7:7: expand: the sides differ by x" })},
			{Kind: ledger.Samples, Verdict: ledger.Supported, Detail: with(detail("a"), func(d *ledger.Detail) { d.Tried = 5 })}}},
		{ID: "vacuous", Verdict: ledger.Vacuous, Evidence: []ledger.Evidence{{Kind: ledger.Proof, Verdict: ledger.Vacuous, Detail: detail("a")}}},
		{ID: "inconsistent", Verdict: ledger.Inconsistent, Evidence: []ledger.Evidence{{Kind: ledger.Proof, Verdict: ledger.Inconsistent, Detail: detail("a")}}},
		{ID: "left", Verdict: ledger.NotKept, Evidence: []ledger.Evidence{
			{Kind: ledger.Witness, Verdict: ledger.NotKept, Detail: with(detail("a"), func(d *ledger.Detail) { d.State = scalars })}}},
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
		{ID: "contradiction", Verdict: ledger.Contradicted, Evidence: []ledger.Evidence{
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
		"untried":       "1 step of proof, no state tried",
		"script":        "0-step proof",
		"vacuous":       "nothing meets the hypotheses",
		"left":          "2-number witness",
		"refuted":       "witness n1=1 n2=2; certificate",
		"inconsistent":  "no motion keeps it",
		"ill-formed":    "has no meaning",
		"supported":     "77 samples",
		"open":          "open after 1 sample",
		"against":       "open: 13 of 20 samples against it",
		"nothing":       "nothing",
		"contradiction": "proved AND refuted",
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
		"14 claims as printed: 3 proved, 1 supported, 1 not observed, 1 refuted, 1 ill-formed, 1 inconsistent, 1 not kept, 1 vacuous, 1 contradiction, 3 undecided",
		"script of script/a: f.claim:7:7: expand: the sides differ by x",
		"untried/a is proved, and was tested at no state that meets its hypotheses: none of the 9 states drawn met the hypotheses",
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
	for _, wrong := range []string{"script of proved", "proved/a is proved, and no state", "proved/b is proved, and no state", "script/a is proved, and no state", "CONTRADICTION: proved"} {
		if strings.Contains(got, wrong) {
			t.Errorf("%q is in\n%s", wrong, got)
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
	proofs := map[*lang.Part]*verdict.Proof{}
	prove := func(p *lang.Part) *verdict.Proof {
		if proofs[p] == nil {
			proofs[p] = verdict.Prove(context.Background(), p)
		}
		return proofs[p]
	}
	for _, width := range []int{80, 100, 140} {
		p := Page{Width: width}
		for _, c := range f.Claims {
			var b strings.Builder
			if err := Show(&b, c, prove, none, false, p); err != nil {
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
			// The only statement shown as it is written is one that has no meaning, and it says so.
			faults := 0
			for _, part := range c.Parts {
				if part.Fault != nil {
					faults++
				}
			}
			if strings.Count(got, "\n  written ") != faults || strings.Count(strings.Join(strings.Fields(got), " "), "and so shown as it is written") != faults {
				t.Errorf("%s: %d statements have no meaning:\n%s", c.ID, faults, got)
			}
			if strings.Contains(got, "does not replay") {
				t.Errorf("%s: a script breaks off:\n%s", c.ID, got)
			}
		}
	}
}

// none finds no counterexample.
func none(*lang.Part) (ledger.Detail, verdict.Verdict) { return ledger.Detail{}, verdict.Undecided }

func TestShownDerivation(t *testing.T) {
	var b strings.Builder
	if err := Show(&b, load(t).Claim("thm1"), func(p *lang.Part) *verdict.Proof { return verdict.Prove(context.Background(), p) }, none, false, Page{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"as printed, balance\n  |-        D evolves at rate -2*eta\n  for       every motion with\n",
		"  param     X, Xp : n1 x n1\n            alpha, eta, beta\n", "  moment    E(xbar*xbar^T) == X\n", "  flow      Wp' = -alpha*grad(J, Wp) - eta*Wp\n",
		"  const     X psd\n            Xp psd\n            alpha > 0\n            eta >= 0\n", "D = W*W^T - (1/alpha)*Wp^T*Wp\n",
		"  proof     1. rate: ddt(D) == -2*eta*D\n               by expand\n            2. D evolves at rate -2*eta\n               by integrate rate\n",
		"  verdict   proved\n", "  here      X psd\n", "“-2*eta” → “-eta”",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// claimText parses and validates a claim file of the test.
func claimText(t *testing.T, text string) *lang.Claim {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "f.claim", Text: text})
	if err == nil {
		err = theory.Validate(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f.Claims[0]
}

func shown(t *testing.T, c *lang.Claim, unfolded bool) string {
	t.Helper()
	var b strings.Builder
	if err := Show(&b, c, func(p *lang.Part) *verdict.Proof { return verdict.Prove(context.Background(), p) }, none, unfolded, Page{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestShownIsWhatIsEstablished: an unusual way of writing a statement, a hypothesis or a fact is shown as what it means.
func TestShownIsWhatIsEstablished(t *testing.T) {
	c := claimText(t, `claim c
  title t
  printed p
  scalar x, k
  flow
    x' = -k*x
  let y = x
  says a: ddt(y*y)   <=    0
    assume k2: 0 <= k
    proof
      fact twice: ddt(y^2) == -2*k*(y*x) by expand
      manifest 2*k*x^2
`)
	got := shown(t, c, false)
	for _, want := range []string{"  |-        0 >= ddt(x*x)\n", "  here      k2: k >= 0\n", "1. twice: ddt(x^2) == -2*k*(x*x)\n", "2. 0 >= ddt(x*x)\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "<=") || strings.Contains(got, "y*y") {
		t.Errorf("the source is shown:\n%s", got)
	}
	unfolded := shown(t, c, true)
	if strings.Contains(unfolded, "|-        0 >= ddt") || !strings.Contains(unfolded, "  |-        0 >= ") {
		t.Errorf("not unfolded:\n%s", unfolded)
	}
}

func TestLaTeXIsBalanced(t *testing.T) {
	for _, c := range load(t).Claims {
		var b strings.Builder
		if err := ShowLaTeX(&b, c, false); err != nil {
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

// TestLaTeXSaysWhatAnAssumptionLeadsTo, and nothing of it of what is no assumption.
func TestLaTeXSaysWhatAnAssumptionLeadsTo(t *testing.T) {
	for src, want := range map[string]bool{
		"assumption x == 0\n    consequence y == 0": true,
		"always x == 0": false,
	} {
		f, err := lang.Parse(lang.Source{Name: "t.claim", Text: "claim c\n  scalar x, y\n  flow\n    x' = y\n    y' = 1\n  says s: " + src + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := ShowLaTeX(&b, f.Claims[0], false); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(b.String(), `\text{leads to}\quad & y = 0 \\`); got != want {
			t.Errorf("%s: leads to %v, want %v:\n%s", src, got, want, b.String())
		}
		if !strings.HasPrefix(b.String(), "% c\n\\paragraph{s (as printed)}\n") {
			t.Errorf("what the claim leaves out is set as empty:\n%s", b.String())
		}
	}
}

// TestLaTeXNamesWhatIsSampled: words alone would read as if they were what is tested.
func TestLaTeXNamesWhatIsSampled(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "t.claim", Text: "claim c\n  says s: sampled \"sym-hurts\"\n    words every network collapses\n"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := ShowLaTeX(&b, f.Claims[0], false); err != nil || !strings.Contains(b.String(), "In words, sampled as sym-hurts: every network collapses") {
		t.Errorf("%v:\n%s", err, b.String())
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
	s, err := statecheck.ReadState(strings.NewReader(`{"p":[0.5,0.9],"w":[0.4,1],"wa":[0.3,0.8],"t":1}`), "s")
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

// TestCertifiedOfNoState: what is certified where no state meets the hypotheses is said to be so, as what is proved is.
func TestCertifiedOfNoState(t *testing.T) {
	for verdict, want := range map[ledger.Verdict]int{ledger.Proved: 1, ledger.Certified: 1, ledger.Supported: 0} {
		c := ledger.Claim{ID: "c", Evidence: []ledger.Evidence{{Kind: ledger.Certificate, Verdict: verdict, Detail: ledger.Detail{Part: "p"}},
			{Kind: ledger.Samples, Verdict: ledger.Undecided, Detail: ledger.Detail{Part: "p", Drawn: 9}}}}
		if got := untried(&c); len(got) != want || want == 1 && got[0].verdict != verdict {
			t.Errorf("%s: %v", verdict, got)
		}
	}
}
