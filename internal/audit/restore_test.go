package audit

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"stopgrad/internal/ledger"
	"stopgrad/theory/lang"
)

// folder runs an audit of few claims into a folder and leaves there what an interrupted one leaves: certificates and
// the partial ledger.
func folder(t *testing.T, ids []string) (dir string, whole *ledger.Ledger) {
	t.Helper()
	dir = t.TempDir()
	whole, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: ids, Workers: 2,
		Keep: func(name string, content []byte) error { return KeepCertificate(dir, name, content) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := WritePartial(dir, "me", whole); err != nil {
		t.Fatal(err)
	}
	return dir, whole
}

// resume goes on from a folder and returns the ledger and how many claims were judged anew.
func resume(t *testing.T, dir string, ids []string) (*ledger.Ledger, int) {
	t.Helper()
	finished, err := ReadPartial(dir, "me")
	if err != nil {
		t.Fatal(err)
	}
	anew := 0
	l, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: ids, Workers: 1, Finished: finished,
		Certificate: func(name string) ([]byte, error) { return ReadCertificate(dir, name) },
		OnClaim:     func(int, int, string, func() *ledger.Ledger) { anew++ }})
	if err != nil {
		t.Fatal(err)
	}
	return l, anew
}

var certified = []string{"wd-units", "lemma2", "assump-ema", "nopred"}

func TestResumedWordsComeFromCertificates(t *testing.T) {
	dir, whole := folder(t, certified)
	data, err := os.ReadFile(filepath.Join(dir, PartialFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []ledger.Verdict{ledger.Proved, ledger.Refuted, ledger.IllFormed, ledger.NotKept, ledger.Supported} {
		if strings.Contains(string(data), fmt.Sprintf("%q: %q", "verdict", w)) {
			t.Errorf("the partial ledger says %s", w)
		}
	}
	l, anew := resume(t, dir, certified)
	if anew != 0 {
		t.Errorf("%d finished claims were judged again", anew)
	}
	if canonical(t, l) != canonical(t, whole) {
		t.Error("the resumed ledger is another")
	}
}

// TestResumedReasonsAreThoseOfTheJudgement: what is found again of a part is what was found when it was judged, a script that is
// missing or breaks off beside Γ that nothing meets included.
func TestResumedReasonsAreThoseOfTheJudgement(t *testing.T) {
	const absurd = "  scalar x\n  flow\n    x' = -1\n  says s: x tends to 3 from -1 < x < 2\n    assume always g: x == 0\n"
	f, err := lang.Parse(lang.Source{Name: "t.claim", Text: "claim without\n  title t\n" + absurd + "claim broken\n  title t\n" + absurd +
		"    proof\n      integrate x\nclaim found\n  title t\n  scalar x\n  says s: x^2 + 1 > 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Seed: 1, Depth: tiny, Workers: 1, Keep: func(name string, content []byte) error { return KeepCertificate(dir, name, content) }}
	whole, err := Run(context.Background(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := WritePartial(dir, "me", whole); err != nil {
		t.Fatal(err)
	}
	if o.Finished, err = ReadPartial(dir, "me"); err != nil {
		t.Fatal(err)
	}
	o.Certificate = func(name string) ([]byte, error) { return ReadCertificate(dir, name) }
	o.OnClaim = func(_, _ int, id string, _ func() *ledger.Ledger) { t.Errorf("%s is judged again", id) }
	l, err := Run(context.Background(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := canonical(t, l), canonical(t, whole); got != want {
		t.Errorf("resumed:\n%s\nwhole:\n%s", got, want)
	}
}

// TestForgedFoldersSayNothing changes what an interrupted audit left in every way that could turn into a word.
func TestForgedFoldersSayNothing(t *testing.T) {
	dir, whole := folder(t, certified)
	want := canonical(t, whole)
	partial := filepath.Join(dir, PartialFile)
	names, err := filepath.Glob(filepath.Join(dir, CertificateFolder, "*.cert"))
	if err != nil || len(names) < 8 {
		t.Fatalf("%d certificates: %v", len(names), err)
	}
	read := func(p string) []byte {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	write := func(p string, b []byte) {
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string) {
		t.Helper()
		l, anew := resume(t, dir, certified)
		if canonical(t, l) != want {
			t.Errorf("%s: the ledger is another", what)
		}
		if anew == 0 {
			t.Errorf("%s: nothing was judged again", what)
		}
	}
	for i, n := range names {
		if i%5 != 0 {
			continue
		}
		old := read(n)
		other := read(names[(i+1)%len(names)])
		write(n, other)
		check(filepath.Base(n) + " exchanged")
		write(n, old[:len(old)/2])
		check(filepath.Base(n) + " cut")
		if err := os.Remove(n); err != nil {
			t.Fatal(err)
		}
		check(filepath.Base(n) + " missing")
		write(n, old)
	}
	text := string(read(partial))
	for _, edit := range [][2]string{
		{`"statement": "at(next(W), wd, lr*eta) == W + lr*ddt(W)"`, `"statement": "1 == 2"`},
		{`"kind": "witness"`, `"kind": "proof"`},
		{`wd-units.printed.printed.counterexample.cert`, `wd-units.corrected.units.proof.cert`},
		{`"certificate": "certificates/lemma2.printed.decay.proof.cert"`, `"certificate": "../certificates/lemma2.printed.decay.proof.cert"`},
		{`"mutation": "decay: `, `"mutation": "delay: `},
	} {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("the partial ledger has no %s", edit[0])
		}
		write(partial, []byte(strings.Replace(text, edit[0], edit[1], 1)))
		l, _ := resume(t, dir, certified)
		for i, c := range l.Claims {
			if c.Verdict != whole.Claims[i].Verdict || c.Statement != whole.Claims[i].Statement {
				t.Errorf("%s: %s is %s: %s", edit[1], c.ID, c.Verdict, c.Statement)
			}
		}
	}
	for what, edit := range map[string]func(c *ledger.Claim){
		"another Γ":                    func(c *ledger.Claim) { c.Evidence[0].Detail.Given = append(c.Evidence[0].Detail.Given, "here 1 == 2") },
		"another twin":                 func(c *ledger.Claim) { c.Twins[0].Detail.Statement = "1 == 2" },
		"a twin's sequent":             func(c *ledger.Claim) { c.Twins[0].Detail.Sequent = "sha256:00" },
		"a twin without a certificate": func(c *ledger.Claim) { c.Twins[0].Certificate = "" },
		"a twin of no part":            func(c *ledger.Claim) { c.Twins[0].Detail.Part = "x" },
	} {
		l, err := ledger.Decode(partial, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		edit(l.Claim("wd-units"))
		if err := l.WriteFile(partial); err != nil {
			t.Fatal(err)
		}
		check(what)
	}
	// What a counterexample's record says of its state, and that of a proof of its steps, comes from the certificate.
	spoilt, err := ledger.Decode(partial, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	altered := map[ledger.Kind]int{}
	spoil := func(d *ledger.Detail) {
		d.State = &ledger.State{Scalars: map[string]string{"x": "7"}}
		d.Left, d.Right, d.Reason = "5", "6", "it fails"
		d.Hypotheses, d.Measures = map[string]bool{"h": true}, map[string]float64{"margin": -1}
		d.Steps, d.Uses = []ledger.Step{{Rule: "expand", Says: "1 == 2"}}, []string{"lemma2/decay"}
	}
	for i := range spoilt.Claims {
		for j := range spoilt.Claims[i].Evidence {
			if e := &spoilt.Claims[i].Evidence[j]; e.Certificate != "" {
				spoil(&e.Detail)
				altered[e.Kind]++
			}
		}
		for j := range spoilt.Claims[i].Twins {
			spoil(spoilt.Claims[i].Twins[j].Detail)
		}
	}
	if err := spoilt.WriteFile(partial); err != nil || altered[ledger.Witness] == 0 || altered[ledger.Proof] == 0 {
		t.Fatal(altered, err)
	}
	if l, _ := resume(t, dir, certified); canonical(t, l) != want {
		t.Error("a resumed ledger says of a counterexample what its certificate does not")
	}
	// States that were tried in the place of a counterexample.
	l, err := ledger.Decode(partial, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	forged := 0
	for i := range l.Claims {
		for j := range l.Claims[i].Evidence {
			if e := &l.Claims[i].Evidence[j]; e.Kind == ledger.Witness {
				e.Kind, e.Certificate, e.Detail.State, e.Detail.Drawn, e.Detail.Tried = ledger.Samples, "", nil, 1000, 1000
				forged++
			}
		}
	}
	if err := l.WriteFile(partial); err != nil || forged == 0 {
		t.Fatal(forged, err)
	}
	check("states tried instead of counterexamples")
	write(partial, []byte(text))
}

// TestSamplesAreNotBelieved: no certificate stands behind what is sampled for a statement in words, so that it is sampled again.
func TestSamplesAreNotBelieved(t *testing.T) {
	ids, dir := []string{"sym-hurts"}, t.TempDir()
	run := func(finished map[string]ledger.Claim) (*ledger.Ledger, int) {
		anew := 0
		l, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: ids, Workers: 1, Finished: finished, Properties: Props{},
			Keep:        func(name string, content []byte) error { return KeepCertificate(dir, name, content) },
			Certificate: func(name string) ([]byte, error) { return ReadCertificate(dir, name) },
			OnClaim:     func(int, int, string, func() *ledger.Ledger) { anew++ }})
		if err != nil {
			t.Fatal(err)
		}
		return l, anew
	}
	whole, _ := run(nil)
	forged, err := ledger.Decode("l", []byte(canonical(t, whole)))
	if err != nil {
		t.Fatal(err)
	}
	c := forged.Claims[0]
	for i := range c.Evidence {
		if d := &c.Evidence[i].Detail; d.Part == "harm" {
			d.Reason, d.Tried, d.Holds, d.Against = "", 1_000_000, 1_000_000, 0
		}
	}
	if l, anew := run(map[string]ledger.Claim{c.ID: c}); anew != 1 || canonical(t, l) != canonical(t, whole) {
		t.Errorf("%d claims judged anew, want 1; the word is %s", anew, l.Claims[0].Verdict)
	}
}

// TestKilledAuditsLoseNothing kills audits at random moments, first runs and resumed ones, and wants the ledger of an
// audit that nobody killed. STOPGRAD_LONG=1 kills fifty times.
func TestKilledAuditsLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("audits killed and resumed for a while: not with -short")
	}
	rounds := 6
	if os.Getenv("STOPGRAD_LONG") != "" {
		rounds = 50
	}
	whole, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: certified, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := canonical(t, whole)
	rng := rand.New(rand.NewPCG(7, 7))
	dir := t.TempDir()
	finished := map[string]bool{}
	for kills := 0; kills < rounds; {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAuditToBeKilled$")
		cmd.Env = append(os.Environ(), "STOPGRAD_AUDIT_FOLDER="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(filepath.Join(dir, LedgerFile))
			if err != nil {
				t.Fatal(err)
			}
			l, err := ledger.Decode(LedgerFile, data)
			if err != nil {
				t.Fatal(err)
			}
			if canonical(t, l) != want {
				t.Fatalf("after %d kills the ledger is another", kills)
			}
			dir, finished = t.TempDir(), map[string]bool{}
			kills++
		case <-time.After(time.Duration(20+rng.IntN(1200)) * time.Millisecond):
			cmd.Process.Kill()
			<-done
			kills++
			now, err := ReadPartial(dir, "me")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, LedgerFile)); err != nil {
				for id := range finished {
					if _, ok := now[id]; !ok {
						t.Fatalf("after %d kills the finished claim %s is lost", kills, id)
					}
				}
			}
			for id := range now {
				finished[id] = true
			}
		}
	}
}

// TestAuditToBeKilled is the audit that [TestKilledAuditsLoseNothing] starts and kills; by itself it does nothing.
func TestAuditToBeKilled(t *testing.T) {
	dir := os.Getenv("STOPGRAD_AUDIT_FOLDER")
	if dir == "" {
		return
	}
	finished, err := ReadPartial(dir, "me")
	if err != nil {
		t.Fatal(err)
	}
	l, err := Run(context.Background(), load(t), Options{Seed: 1, Depth: tiny, IDs: certified, Workers: 1, Finished: finished,
		Certificate: func(name string) ([]byte, error) { return ReadCertificate(dir, name) },
		Keep:        func(name string, content []byte) error { return KeepCertificate(dir, name, content) },
		OnClaim: func(_, _ int, id string, sofar func() *ledger.Ledger) {
			if slices.Contains(slices.Collect(keys(finished)), id) {
				t.Errorf("%s was finished and is judged again", id)
			}
			if err := WritePartial(dir, "me", sofar()); err != nil {
				t.Error(err)
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFinal(dir, "me", l); err != nil {
		t.Fatal(err)
	}
}

func keys(m map[string]ledger.Claim) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
