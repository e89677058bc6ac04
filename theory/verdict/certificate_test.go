package verdict_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/model"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// builtin parses the built-in claims.
func builtin(t testing.TB) *lang.File {
	t.Helper()
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEveryProofIsReadAgain writes the certificate of every proved part of the claims, reads it, and finds the same
// verdict on the same part and on no other.
func TestEveryProofIsReadAgain(t *testing.T) {
	f := builtin(t)
	files, size, largest, sharing := 0, 0, 0, 0
	var last *certificate.Certificate
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
				continue
			}
			proof := verdict.Prove(context.Background(), p)
			text, err := proof.Certificate(c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if text == nil {
				continue
			}
			cert, err := certificate.Read(bytes.NewReader(text))
			if err != nil {
				t.Errorf("%s/%s: %v\n%s", c.ID, p.Name, err, text)
				continue
			}
			if v, err := verdict.OfCertificate(p, cert); v != proof.Verdict() {
				t.Errorf("%s/%s: %s, read again %s: %v", c.ID, p.Name, proof.Verdict(), v, err)
			}
			if last != nil && last.Sequent() != cert.Sequent() {
				if v, _ := verdict.OfCertificate(p, last); v.IsDecided() {
					t.Errorf("%s/%s: %s by the certificate of another statement", c.ID, p.Name, v)
				}
			}
			var uses []string
			for _, u := range cert.Uses() {
				uses = append(uses, u.Claim+"/"+u.Part)
			}
			if !slices.Equal(uses, proof.Uses()) {
				t.Errorf("%s/%s uses %v, and the certificate says %v", c.ID, p.Name, proof.Uses(), uses)
			}
			if len(uses) > 0 {
				sharing++
			}
			last = cert
			files, size, largest = files+1, size+len(text), max(largest, len(text))
		}
	}
	t.Logf("%d certificates, %d bytes, the largest %d", files, size, largest)
	if sharing == 0 {
		t.Error("no proof uses another claim's theorem")
	}
	if files < 140 {
		t.Errorf("only %d parts have a certificate", files)
	}
}

// small are three small certificates: a proof, a counterexample, an ill-formed statement.
func small(t *testing.T) [][]byte {
	t.Helper()
	f := builtin(t)
	c := f.Claim("code-defects")
	proof, err := verdict.Prove(context.Background(), c.Reading(true)[0]).Certificate(c.ID)
	if err != nil || proof == nil {
		t.Fatal(err)
	}
	r := sample.Search(context.Background(), c.Parts[0], 1, "small", 100)
	if r.Refutation == nil {
		t.Fatal("no counterexample")
	}
	refutation, err := r.Refutation.Certificate(c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var fault []byte
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if b := verdict.FaultCertificate(c.ID, p); b != nil {
				fault = b
			}
		}
	}
	if fault == nil {
		t.Fatal("nothing is ill-formed")
	}
	return [][]byte{proof, refutation, fault}
}

// TestChangedBytesAreRefused changes every byte of three certificates in three ways and cuts them everywhere.
func TestChangedBytesAreRefused(t *testing.T) {
	for _, text := range small(t) {
		if _, err := certificate.Read(bytes.NewReader(text)); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		for i := range text {
			for _, to := range []byte{text[i] ^ 1, text[i] ^ 0x20, ' '} {
				if to == text[i] {
					continue
				}
				bad := bytes.Clone(text)
				bad[i] = to
				if _, err := certificate.Read(bytes.NewReader(bad)); err == nil {
					t.Errorf("byte %d changed to %q is accepted", i, to)
				}
			}
			if _, err := certificate.Read(bytes.NewReader(text[:i])); err == nil {
				t.Errorf("cut at byte %d is accepted", i)
			}
		}
		if _, err := certificate.Read(bytes.NewReader(append(bytes.Clone(text), '\n'))); err == nil {
			t.Error("something behind the digest is accepted")
		}
	}
}

// TestResealedEdits changes one word of a certificate and gives it a right digest: it is refused, or establishes a
// statement of its own, never the old one by another word.
func TestResealedEdits(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	texts := small(t)[:2]
	accepted := 0
	for range 4000 {
		text := texts[rng.IntN(len(texts))]
		edited, ok := resealed(rng, text)
		if !ok {
			continue
		}
		old, err := certificate.Read(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		c, err := certificate.Read(bytes.NewReader(edited))
		if err != nil {
			continue
		}
		accepted++
		if len(c.Goals()) > 0 != (len(old.Goals()) > 0) && c.Sequent() == old.Sequent() {
			t.Errorf("the same sequent is proved and refuted:\n%s", edited)
		}
	}
	t.Logf("%d resealed edits accepted", accepted)
}

// resealed replaces one word by another word of the same file.
func resealed(rng *rand.Rand, text []byte) ([]byte, bool) {
	body := text[:bytes.LastIndex(text, []byte("sha256 "))]
	words := bytes.Fields(body)
	from, to := words[rng.IntN(len(words))], words[rng.IntN(len(words))]
	at := bytes.Index(body, from)
	if bytes.Equal(from, to) || at < 0 {
		return nil, false
	}
	edited := append(append(bytes.Clone(body[:at]), to...), body[at+len(from):]...)
	sum := sha256.Sum256(edited)
	return append(edited, []byte("sha256 "+hex.EncodeToString(sum[:])+"\n")...), true
}

// TestUsesIsForReaders: what a proof is said to use stands directly below the label, changes nothing of what is
// established, and is refused anywhere else.
func TestUsesIsForReaders(t *testing.T) {
	lines := strings.SplitAfter(string(small(t)[0]), "\n")
	plain, err := certificate.Read(strings.NewReader(strings.Join(lines, "")))
	if err != nil {
		t.Fatal(err)
	}
	with := func(at int, line string) (*certificate.Certificate, error) {
		body := strings.Join(lines[:at], "") + line + strings.Join(lines[at:len(lines)-2], "")
		return certificate.Read(strings.NewReader(fmt.Sprintf("%ssha256 %x\n", body, sha256.Sum256([]byte(body)))))
	}
	c, err := with(2, "uses other part\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Sequent() != plain.Sequent() || !slices.Equal(c.Uses(), []certificate.Use{{Claim: "other", Part: "part"}}) {
		t.Errorf("uses %v", c.Uses())
	}
	for at, line := range map[int]string{1: "uses other part\n", 3: "uses other part\n", len(lines) - 2: "uses other part\n", 2: "uses other\n"} {
		if _, err := with(at, line); err == nil {
			t.Errorf("%q is accepted before line %d", line, at+1)
		}
	}
}

// TestMotionsThatKeepAnAssumption refutes “A ⊢ ⊥” for an assumption A by a motion at rest that keeps A: a true statement
// about A, and no verdict on it.
func TestMotionsThatKeepAnAssumption(t *testing.T) {
	f, err := lang.Parse(lang.Source{Name: "rest", Text: "claim rest\n  scalar x\n  scalar y\n  flow\n    x' = -x\n    y' = -2*y\n  says same: assumption x == y\n    consequence x == 0\n"})
	if err != nil {
		t.Fatal(err)
	}
	p := f.Claims[0].Parts[0]
	r, err := lang.Elaborate(p)
	if err != nil {
		t.Fatal(err)
	}
	zero := [][]*big.Rat{{new(big.Rat)}}
	st, err := model.NewState(r.Context().Signature(), nil, map[string][][]*big.Rat{"x": zero, "y": zero})
	if err != nil {
		t.Fatal(err)
	}
	x, err := model.Refute(r.Context(), r.Goals()[0], st)
	if err != nil {
		t.Fatal(err)
	}
	text, err := certificate.Refutation(certificate.Label{Claim: "rest", Part: p.Name, Reading: "printed"}, nil, x)
	if err != nil {
		t.Fatal(err)
	}
	c, err := certificate.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := verdict.OfCertificate(p, c); v.IsDecided() {
		t.Errorf("%s by a motion that keeps it", v)
	}
	if v := verdict.OfCounterexample(r, x); v.IsDecided() {
		t.Errorf("%s by a motion that keeps it", v)
	}
}

// TestLongProofsAreReadBack: a proof that took over a sixteenth of what a certificate may is read back before its word is said.
// One that is read again is proved; one whose certificate would be refused is undecided, for that reason.
func TestLongProofsAreReadBack(t *testing.T) {
	// of states that n variables rest, each because a polynomial with long coefficients is zero.
	of := func(n int) *lang.Part {
		var flow, at strings.Builder
		for i := range n {
			p := fmt.Sprintf("((3/7)^60^50*a + (5/11)^60^50*b + (13/17)^60^35*c + %d*d)", i+1)
			fmt.Fprintf(&flow, "    u%d' = %s^4 - %[2]s^2*%[2]s^2\n", i, p)
			fmt.Fprintf(&at, ", u%d = 0", i)
		}
		names := strings.ReplaceAll(strings.ReplaceAll(at.String(), " = 0", ""), ", u0", "u0")
		f, err := lang.Parse(lang.Source{Name: "long", Text: "claim long\n  scalar a, b, c, d\n  scalar " + names + "\n  flow\n" + flow.String() +
			"  says it: stationary " + at.String()[2:] + "\n    proof\n      expand\n"})
		if err != nil {
			t.Fatal(err)
		}
		return f.Claims[0].Parts[0]
	}
	work := verdict.Spent
	one := verdict.Replay(context.Background(), of(1))
	if !one.Verdict().IsProved() || one.Failure() != nil || work(one) <= certificate.MaxWork/16 {
		t.Fatalf("%s by work of %d: %v", one.Verdict(), work(one), one.Failure())
	}
	if testing.Short() {
		t.Skip("seconds of work: not with -short")
	}
	n := certificate.MaxWork/work(one) + 1
	many := verdict.Replay(context.Background(), of(n))
	err := many.Failure()
	if many.Verdict() != verdict.Undecided || err == nil || !strings.Contains(err.Error(), "its certificate would be refused") ||
		!strings.Contains(err.Error(), "steps of work in all") || len(many.Theorems()) != n {
		t.Errorf("%d of these are %s by work of %d: %v", n, many.Verdict(), work(many), err)
	}
	t.Logf("one takes %d of %d, %d take %d", work(one), certificate.MaxWork, n, work(many))
}
