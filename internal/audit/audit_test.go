package audit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stopgrad/internal/ledger"
	"stopgrad/theory"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// tiny is a depth for tests: enough for the twins of the claims in few.
var tiny = Depth{Name: "tiny", States: 100, Samples: 10, Runs: 2}

// few are claims that are quick to judge: proved, refuted with a correction, ill-formed, not kept, in words.
var few = []string{"lemma2", "wd-units", "nopred", "assump-ema", "sym-hurts"}

func load(t testing.TB) *lang.File {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func canonical(t *testing.T, l *ledger.Ledger) string {
	t.Helper()
	data, err := l.Canonical().Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestVerdictsOfEachKind(t *testing.T) {
	l, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: few, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		id                 string
		printed, corrected ledger.Verdict
	}{
		{"wd-units", ledger.Refuted, ledger.Proved},
		{"nopred", ledger.IllFormed, ledger.Proved},
		{"lemma2", ledger.Proved, ""},
		{"assump-ema", ledger.NotKept, ledger.Proved},
		{"sym-hurts", ledger.Undecided, ""},
	} {
		c := l.Claims[i]
		corrected := ledger.Verdict("")
		if c.Corrected != nil {
			corrected = c.Corrected.Verdict
		}
		if c.ID != want.id || c.Verdict != want.printed || corrected != want.corrected {
			t.Errorf("claim %d is %s, %s, %s; want %v", i, c.ID, c.Verdict, corrected, want)
		}
		if c.Where == "" || c.Statement == "" || len(c.Evidence) == 0 || len(c.Twins) == 0 {
			t.Errorf("%s: where, statement, evidence or twins are missing", c.ID)
		}
		for _, tw := range c.Twins {
			if !tw.Verdict.Denies() || tw.Detail.State == nil {
				t.Errorf("%s: twin %s is %s", c.ID, tw.Mutation, tw.Verdict)
			}
		}
	}
	if !l.Summary.Complete || l.Summary.Claims != len(few) {
		t.Errorf("summary %+v", l.Summary)
	}
	if w := witness(l.Claim("wd-units")); w == nil || w.Detail.State == nil || w.Detail.Drawn == 0 || w.Certificate == "" {
		t.Errorf("the evidence against wd-units is %+v", w)
	}
	// What is stated, and Γ with its marks, comes from the kernel; an ill-formed statement says that it does not.
	d := l.Claim("lemma2").Evidence[0].Detail
	if d.Statement != "|w| decays at rate lambda" || !slices.Contains(d.Given, "const lambda > 0") || d.Given[0] != "motion" || d.Sequent == "" {
		t.Errorf("lemma2 is recorded as %+v", d)
	}
	if d := l.Claim("nopred").Evidence[0].Detail; !strings.HasPrefix(d.Statement, "as written: ") || d.Sequent != "" {
		t.Errorf("what has no meaning is recorded as %+v", d)
	}
	if d := l.Claim("nopred").Evidence[0].Detail; !strings.Contains(d.Reason, "claim:") {
		t.Errorf("nopred does not say where its shapes do not fit: %+v", d)
	}
}

// witness is the first counterexample in the record of a claim.
func witness(c *ledger.Claim) *ledger.Evidence {
	for i := range c.Evidence {
		if c.Evidence[i].Kind == ledger.Witness {
			return &c.Evidence[i]
		}
	}
	return nil
}

func TestWorkersDoNotChangeTheLedger(t *testing.T) {
	f := load(t)
	first := ""
	for _, workers := range []int{1, 4} {
		l, err := Run(context.Background(), f, Options{Seed: 3, Depth: tiny, IDs: few, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		switch got := canonical(t, l); {
		case first == "":
			first = got
		case got != first:
			t.Errorf("%d workers make another ledger", workers)
		}
	}
	other, err := Run(context.Background(), f, Options{Seed: 4, Depth: tiny, IDs: few, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	if canonical(t, other) == first {
		t.Error("another seed makes the same ledger")
	}
}

func TestUnknownClaim(t *testing.T) {
	l, err := Run(context.Background(), load(t), Options{Depth: tiny, IDs: []string{"lemma2", "lemma3"}})
	var unknown *UnknownError
	if !errors.As(err, &unknown) || unknown.ID != "lemma3" || l != nil {
		t.Errorf("ledger %v, error %v", l, err)
	}
}

// TestInterruptedAuditGoesOn stops an audit after two claims and goes on from its partial ledger: the result is
// that of an audit that was never stopped, and nothing is judged twice.
func TestInterruptedAuditGoesOn(t *testing.T) {
	f, dir := load(t), t.TempDir()
	o := Options{Seed: 1, Depth: tiny, IDs: few, Workers: 2, Sources: "sha256:00"}
	identity, err := Identity(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Keep = func(name string, content []byte) error { return KeepCertificate(dir, name, content) }
	o.Certificate = func(name string) ([]byte, error) { return ReadCertificate(dir, name) }
	o.OnClaim = func(done, total int, id string, sofar func() *ledger.Ledger) {
		if done > 2 {
			return
		}
		if err := WritePartial(dir, identity, sofar()); err != nil {
			t.Error(err)
		}
		if done == 2 {
			cancel()
		}
	}
	cut, err := Run(ctx, f, o)
	if !errors.Is(err, context.Canceled) || cut.Summary.Complete || len(cut.Claims) < 2 || len(cut.Claims) == len(few) {
		t.Fatalf("interrupted after %d claims, complete %v, error %v", len(cut.Claims), cut.Summary.Complete, err)
	}
	finished, err := ReadPartial(dir, identity)
	if err != nil || len(finished) != 2 {
		t.Fatalf("%d claims in the partial ledger, error %v", len(finished), err)
	}
	for id, c := range finished {
		if c.Verdict != ledger.Undecided || c.Evidence[0].Verdict != ledger.Undecided {
			t.Errorf("%s: the partial ledger holds the word %s", id, c.Verdict)
		}
	}
	o.Finished = finished
	o.OnClaim = func(_, _ int, id string, _ func() *ledger.Ledger) {
		if _, again := finished[id]; again {
			t.Errorf("%s is judged twice", id)
		}
	}
	resumed, err := Run(context.Background(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Finished, o.OnClaim = nil, nil
	whole, err := Run(context.Background(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	if canonical(t, resumed) != canonical(t, whole) {
		t.Error("the resumed audit differs from an uninterrupted one")
	}
	if err := WriteFinal(dir, identity, whole); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, PartialFile)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the partial ledger is still there")
	}
}

func TestPartialLedgerOfAnotherAudit(t *testing.T) {
	dir := t.TempDir()
	base := Options{Seed: 1, Depth: tiny, Sources: "a"}
	identity, err := Identity(base)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger.Ledger{Schema: ledger.Schema, Seed: 1, Depth: "tiny", Claims: []ledger.Claim{{ID: "x", Verdict: ledger.Proved}}}
	if err := WritePartial(dir, identity, l); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"same": base, "seed": {Seed: 2, Depth: tiny, Sources: "a"}, "depth": {Seed: 1, Depth: Quick, Sources: "a"}, "claims": {Seed: 1, Depth: tiny, Sources: "b"},
	} {
		id, err := Identity(o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadPartial(dir, id)
		if same := name == "same"; (err == nil) != same || same && len(got) != 1 || !same && !errors.As(err, new(*OtherError)) {
			t.Errorf("%s: %d claims taken over, error %v", name, len(got), err)
		}
		// Nothing that another audit left is lost, at the end of this one or on the way.
		if name == "same" {
			continue
		}
		if err := WritePartial(dir, id, l); !errors.As(err, new(*OtherError)) {
			t.Errorf("%s: written over: %v", name, err)
		}
		if err := WriteFinal(dir, id, l); err != nil {
			t.Error(err)
		}
		if got, err := ReadPartial(dir, identity); len(got) != 1 || err != nil {
			t.Errorf("%s: %d claims are left, error %v", name, len(got), err)
		}
	}
	// Nor what the same audit, of other claims, left.
	y := &ledger.Ledger{Schema: ledger.Schema, Seed: 1, Depth: "tiny", Claims: []ledger.Claim{{ID: "y", Verdict: ledger.Proved}}}
	for _, write := range []func(string, string, *ledger.Ledger) error{WritePartial, WriteFinal} {
		if err := write(dir, identity, y); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadPartial(dir, identity); len(got) != 2 || err != nil {
			t.Errorf("%d claims are kept, error %v", len(got), err)
		}
	}
	both := *y
	both.Claims = append(both.Claims, l.Claims...)
	if err := WriteFinal(dir, identity, &both); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadPartial(dir, identity); got != nil || err != nil {
		t.Errorf("%d claims are left of a finished audit, error %v", len(got), err)
	}
	if err := os.WriteFile(filepath.Join(dir, PartialFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPartial(dir, identity); err == nil || !strings.Contains(err.Error(), PartialFile) {
		t.Errorf("a broken partial ledger: error %v", err)
	}
	if got, err := ReadPartial(t.TempDir(), identity); got != nil || err != nil {
		t.Errorf("no partial ledger: %v, %v", got, err)
	}
}

// TestContradictionIsLoud puts findings together that only an error of the suite can produce.
func TestContradictionIsLoud(t *testing.T) {
	c := load(t).Claim("lemma2")
	found := []finding{{verdict: verdict.Contradiction, evidence: []ledger.Evidence{
		{Kind: ledger.Proof, Verdict: ledger.Proved, Detail: ledger.Detail{Part: "decay", Reading: "printed"}},
		{Kind: ledger.Witness, Verdict: ledger.Refuted, Detail: ledger.Detail{Part: "decay", Reading: "printed"}}}}}
	rec := record(c, found)
	if rec.Verdict != ledger.Contradicted || rec.Verdict.Affirms() || rec.Verdict.Denies() || len(rec.Evidence) != 2 {
		t.Errorf("verdict %s with %d pieces of evidence", rec.Verdict, len(rec.Evidence))
	}
	if got := rec.Contradictions(); len(got) != 1 || got[0] != "lemma2/decay" {
		t.Errorf("contradictions %v", got)
	}
}

// answers is a property engine that says what it is told.
type answers struct {
	words Sampling
	err   error
	part  func(*lang.Part) (Sampling, error)
}

func (answers) Check(string) error { return nil }

func (a answers) Run(context.Context, string, uint64, int) (Sampling, error) { return a.words, a.err }

func (a answers) Samples(_ context.Context, p *lang.Part, _ uint64, _ int) (Sampling, error) {
	if a.part == nil {
		return Sampling{}, ErrNoProperty
	}
	return a.part(p)
}

// TestAPropertyThatNothingIsCalled: a statement in words names a property; one that there is not is a mistake of the file.
func TestAPropertyThatNothingIsCalled(t *testing.T) {
	const text = "claim c\n  title t\n  says s: sampled \"sym-hurts\"\n    words w\n"
	read := func(text string) *lang.File {
		f, err := lang.Parse(lang.Source{Name: "a.claim", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for name, a := range map[string]Properties{"with properties": Props{}, "without": NoProperties{}} {
		// The words are whoever wrote them; what is sampled for them is said beside.
		l, err := Run(context.Background(), read(text), Options{Depth: Depth{Runs: 1}, Properties: a, Workers: 1})
		if err != nil || l.Claims[0].Statement != "in words, sampled as sym-hurts: w" || l.Claims[0].Evidence[0].Detail.Statement != l.Claims[0].Statement {
			t.Errorf("%s: %+v, %v", name, l, err)
		}
	}
	l, err := Run(context.Background(), read(strings.Replace(text, "sym", "asym", 1)), Options{Depth: tiny, Properties: Props{}, Workers: 1})
	var at *lang.Error
	if l != nil || !errors.As(err, &at) || at.Pos.Line != 3 || !strings.Contains(at.Msg, `"asym-hurts"`) {
		t.Errorf("ledger %v, error %v", l, err)
	}
}

func TestPropertiesDecideStatementsInWords(t *testing.T) {
	f := load(t)
	for _, c := range []struct {
		name   string
		a      answers
		want   ledger.Verdict
		reason string
	}{
		{"supported", answers{words: Sampling{Tried: 10, Holds: 9, Measures: map[string]float64{"worst": 1}}}, ledger.Supported, ""},
		{"violated", answers{words: Sampling{Tried: 10, Holds: 7, Violations: 3, Note: "seed 4"}}, ledger.Undecided, "3 of 10 samples violate the statement, 7 agree with it: seed 4"},
		{"nothing decided", answers{words: Sampling{Tried: 10}}, ledger.Undecided, ""},
		{"nothing tried", answers{}, ledger.Undecided, ""},
		{"failure", answers{err: errors.New("no such property")}, ledger.Undecided, "no such property"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Run(context.Background(), f, Options{Seed: 1, Depth: tiny, IDs: []string{"sym-hurts"}, Properties: c.a})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range l.Claims[0].Evidence {
				if e.Detail.Part == "harm" && (e.Verdict != c.want || e.Detail.Reason != c.reason || e.Kind != ledger.Samples) {
					t.Errorf("evidence %+v; want %s, %q", e, c.want, c.reason)
				}
			}
			if l.Claims[0].Verdict != c.want {
				t.Errorf("verdict %s; want %s", l.Claims[0].Verdict, c.want)
			}
		})
	}
}

// TestTheAuditHunts: a stationary point that is not aligned has to be solved for, and a counterexample that is
// reported has to be small enough to check by hand.
func TestTheAuditHunts(t *testing.T) {
	f := load(t)
	entries := func(d Depth) int {
		t.Helper()
		l, err := Run(context.Background(), f, Options{Seed: 1, Depth: d, IDs: []string{"noniso-align"}, Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l.Claims[0].Evidence {
			if e.Detail.Part != "stationary" || e.Kind != ledger.Witness {
				continue
			}
			if l.Claims[0].Verdict != ledger.Refuted {
				t.Errorf("depth %s: %s with a counterexample", d.Name, l.Claims[0].Verdict)
			}
			n := 0
			for _, rows := range e.Detail.State.Matrices {
				for _, row := range rows {
					for _, x := range row {
						n += len(x)
					}
				}
			}
			return n
		}
		if v := l.Claims[0].Verdict; v != ledger.Undecided {
			t.Errorf("depth %s: %s without a counterexample", d.Name, v)
		}
		return 0
	}
	if n := entries(tiny); n != 0 {
		t.Errorf("drawing finds it: %d digits", n)
	}
	hunting := tiny
	hunting.Name, hunting.Hunt = "hunting", Quick.Hunt
	n := entries(hunting)
	hunting.Hunt.Limit = 0
	if large := entries(hunting); n == 0 || 3*n > large {
		t.Errorf("%d digits, before it is made small %d", n, large)
	}
}

// TestSampledRefutation lets the properties find the counterexample to a statement that the search is too
// short for, and one to a proved statement, which is a contradiction.
func TestSampledRefutation(t *testing.T) {
	f := load(t)
	c := f.Claim("F-def")
	found := theory.JudgePart(context.Background(), f, c, c.Parts[0], theory.Options{Seed: 1, Budget: 40}).Search
	if found.Refutation == nil {
		t.Fatal("no counterexample to F-def")
	}
	a := answers{part: func(p *lang.Part) (Sampling, error) {
		return Sampling{Tried: 1, Refutation: found.Refutation, Witness: &found.Witness}, nil
	}}
	l, err := Run(context.Background(), f, Options{Seed: 1, Depth: Depth{Name: "none", Samples: 1, Runs: 1}, IDs: []string{"F-def"}, Properties: a})
	if err != nil {
		t.Fatal(err)
	}
	got := l.Claims[0]
	if got.Verdict != ledger.Refuted {
		t.Errorf("as printed %s; want refuted", got.Verdict)
	}
	if got.Corrected.Verdict != ledger.Contradicted || len(got.Contradictions()) == 0 {
		t.Errorf("corrected %s, contradictions %v: the proved parts are refuted too", got.Corrected.Verdict, got.Contradictions())
	}
}

// TestNothingSupportsAnAssumption: a motion at rest keeps this one, and leads to what it is said to lead to.
func TestNothingSupportsAnAssumption(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "f", Text: "claim rest\n  scalar x, y\n  flow\n    x' = -x\n    y' = -2*y\n  says same: assumption x == y\n    consequence x == y\n    assume h: y == 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	a := answers{part: func(*lang.Part) (Sampling, error) { return Sampling{Tried: 7, Holds: 7}, nil }}
	l, err := Run(context.Background(), f, Options{Seed: 1, Depth: tiny, Properties: a})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Claims[0]; got.Verdict != ledger.Undecided {
		t.Errorf("%s: %+v", got.Verdict, got.Evidence)
	}
}

func TestParseDepth(t *testing.T) {
	for _, d := range Depths {
		if got, err := ParseDepth(d.Name); got != d || err != nil {
			t.Errorf("%s: %v, %v", d.Name, got, err)
		}
	}
	if _, err := ParseDepth("shallow"); err == nil {
		t.Error("an unknown depth is taken")
	}
}

func TestDigestSeesNamesAndTexts(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range [][]lang.Source{{{Name: "a", Text: "b"}}, {{Name: "ab", Text: ""}}, {{Name: "", Text: "ab"}}, {{Name: "a", Text: "b"}, {Name: "", Text: ""}}} {
		seen[Digest(s)] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d digests of 4 different sources", len(seen))
	}
}

// TestStatesAreRationalsInText puts a witness from the ledger back into the statement.
func TestStatesAreRationalsInText(t *testing.T) {
	l, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: []string{"code-defects"}})
	if err != nil {
		t.Fatal(err)
	}
	w := witness(&l.Claims[0])
	if w == nil {
		t.Fatal("no counterexample to code-defects")
	}
	st := w.Detail.State
	if st == nil || st.Scalars["v1"] == st.Scalars["v2"] || st.Scalars["v1"] == "" {
		t.Errorf("v1 = v2 at the counterexample to code-defects: %+v", st)
	}
	data, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Decode("l", data); err != nil {
		t.Error(err)
	}
	if bytes.Contains(data, []byte("NaN")) {
		t.Error("NaN in a ledger")
	}
}

func BenchmarkAuditQuick(b *testing.B) {
	f := load(b)
	for b.Loop() {
		if _, err := Run(context.Background(), f, Options{Seed: 1, Depth: Quick, Workers: 1}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLongNamesMakeFiles(t *testing.T) {
	long := strings.Repeat("a", 500)
	a, b := FileWord(long), FileWord(long+"b")
	if len(a) > longestWord || len(b) > longestWord || a == b {
		t.Errorf("%s and %s", a, b)
	}
	if w := FileWord("kappa_1-x"); w != "kappa_5f_1-x" {
		t.Errorf("a short name became %s", w)
	}
	name := CertificateFolder + "/" + a + ".corrected." + b + ".sampled-counterexample.cert"
	if err := KeepCertificate(t.TempDir(), name, []byte("x")); err != nil {
		t.Error(err)
	}
}
