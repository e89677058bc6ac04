package certify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// claims parses a claim text.
func claims(t testing.TB, text string) *lang.File {
	t.Helper()
	f, err := lang.Parse(lang.Source{Name: "t", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// settled certifies the named part of the first claim.
func settled(t testing.TB, f *lang.File, name string, o Options) (*lang.Part, *Outcome) {
	t.Helper()
	for _, p := range f.Claims[0].Parts {
		if p.Name == name {
			out, err := Region(context.Background(), p, o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return p, out
		}
	}
	t.Fatalf("no part %s", name)
	return nil, nil
}

const examples = `claim t
  size n
  scalar eta, sigma2, p, q
  scalar c > 0
  matrix S : n x n symmetric
  matrix F : n x n psd
  says small: p^2 - p + eta > 0
    for eta in [1/3, 1), p in [-1, 2]
  says wider: p^2 - p + eta > 0
    for eta in [1/4, 1), p in [-1, 2]
  says weaker: p^2 - p + eta >= 0
    for eta in [1/3, 1), p in [-1, 2]
  says open: (1 - 4*eta)/(1 + sigma2) > 0
    for eta in [0, 1/4), sigma2 in [0, inf)
  says inside: 3/2*p^2 - p + 3/2*eta > 0
    for eta in (1/9, inf)
  says matrix: c*F + S^2 - S + 3/2*eta*I pd
    for n = 2, eta in [1/4, 1], S in [-1, 1]
  says large: c*F + S^2 - S + 3/2*eta*I pd
    for n = 2, eta in [9/50, 1], S in [-1, 1]
  says curve: p - q >= 0
    assume h: p^3 >= q^3 + 1/10
    for p in [0, 1], q in [0, 1]
  says false: p^2 - p + eta > 0
    for eta in [1/5, 1), p in [-1, 2]
  says touching: (p - q)^2 + eta*p > 0
    for eta in [0, 1], p in [0, 1], q in [0, 1]
  says cusp: (p - q)^2*(1 + eta) >= 0
    for eta in [0, 1], p in [0, 1], q in [0, 1]
`

// TestOutcomes settles statements that are certified, refuted and left.
func TestOutcomes(t *testing.T) {
	f := claims(t, examples)
	for name, want := range map[string]string{"small": "certified", "open": "certified", "inside": "certified", "matrix": "certified",
		"curve": "certified", "false": "refuted", "touching": "refuted", "wider": "refuted", "cusp": "certified"} {
		_, out := settled(t, f, name, Options{Workers: 2, Nodes: 20_000})
		if got := out.Verdict.String(); got != want {
			t.Errorf("%s is %s: %s", name, got, out.Say())
		}
		// What is said of it is that, and of nothing else.
		said := out.Verdict.IsCertified()
		if Says(out.Say(), out.Certified, out.Outcomes) != said || said && (Says(out.Say(), append(out.Certified, out.Certified...), nil) || Says(out.Say()+"!", out.Certified, nil)) {
			t.Errorf("%s: %s", name, out.Say())
		}
		text, err := out.Certificate("t")
		if err != nil || text == nil {
			t.Errorf("%s has no certificate: %v", name, err)
			continue
		}
		if _, err := certificate.Read(bytes.NewReader(text)); err != nil {
			t.Errorf("%s is not read again: %v", name, err)
		}
	}
}

// TestFewBoxes: a box is cut where the derivative changes its sign, and hypotheses that bound a coordinate in other words than
// the region's are used.
func TestFewBoxes(t *testing.T) {
	f := claims(t, `claim t
  scalar k, u, x, y
  says vertex: u*(1 - u) - k < 0
    for k in [251/1000, 1], u in [-10, 10]
  says touch: (3*u - 1)^2*(k + 1) >= 0
    for k in [0, 1], u in [-10, 10]
  says words: x*y > 1/8
    assume h: x - 1/2 >= 0
    assume i: 2*y >= 1
    for x in [0, 1], y in [0, 1]
`)
	for name, most := range map[string]int{"vertex": 3, "touch": 3, "words": 40} {
		_, out := settled(t, f, name, Options{Nodes: 1_000})
		if !out.Verdict.IsCertified() || out.Results[0].Nodes > most {
			t.Errorf("%s looked at %d boxes: %s", name, out.Results[0].Nodes, out.Say())
		}
	}
}

// TestWorkersChangeNothing: the same boxes, the same certificate.
func TestWorkersChangeNothing(t *testing.T) {
	f := claims(t, examples)
	var first []byte
	for _, workers := range []int{1, 3, 8} {
		_, out := settled(t, f, "matrix", Options{Workers: workers})
		text, err := out.Certificate("t")
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(first, text) {
			t.Errorf("%d workers find another certificate", workers)
		}
	}
}

func resealed(lines []string) []byte {
	body := strings.Join(lines, "\n") + "\n"
	sum := sha256.Sum256([]byte(body))
	return []byte(body + "sha256 " + hex.EncodeToString(sum[:]) + "\n")
}

func linesOf(text []byte) []string {
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return all[:len(all)-1] // without the digest
}

func read(text []byte) (*certificate.Certificate, error) {
	return certificate.Read(bytes.NewReader(text))
}

// TestChangedBytesAreRefused flips bits of every byte of a small certificate, and of 10,000 bytes of a large one, 300 of
// them in a short run.
func TestChangedBytesAreRefused(t *testing.T) {
	f := claims(t, examples)
	flip := func(text []byte, at int, bit byte) {
		t.Helper()
		bad := bytes.Clone(text)
		bad[at] ^= bit
		if _, err := read(bad); err == nil {
			t.Fatalf("byte %d of %d, %q made %q, is accepted", at, len(text), text[at], bad[at])
		}
	}
	_, small := settled(t, f, "small", Options{})
	text, err := small.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	for at := range text {
		for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			flip(text, at, bit)
		}
	}
	_, large := settled(t, f, "large", Options{})
	if text, err = large.Certificate("t"); err != nil {
		t.Fatal(err)
	}
	if len(text) < 5_000 {
		t.Fatalf("a large certificate of %d bytes", len(text))
	}
	n := 10_000
	if testing.Short() {
		n = 300
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		flip(text, rng.IntN(len(text)), 1<<rng.IntN(8))
	}
}

// TestResealedEditsAreRefused edits the arguments of certificates and gives them a right digest: a leaf or a branch that is
// missing, doubled, or swapped with another; a cut that is moved; an argument of another kind where it does not hold. What is
// accepted still states the same.
func TestResealedEditsAreRefused(t *testing.T) {
	f := claims(t, examples)
	for _, name := range []string{"inside", "matrix", "curve"} {
		part, out := settled(t, f, name, Options{})
		text, err := out.Certificate("t")
		if err != nil {
			t.Fatal(err)
		}
		lines := linesOf(text)
		var argument []int
		for i, l := range lines {
			if strings.HasPrefix(l, "split ") || strings.HasPrefix(l, "leaf ") {
				argument = append(argument, i)
			}
		}
		refuse := func(what string, edited []string) {
			t.Helper()
			if _, err := read(resealed(edited)); err == nil {
				t.Errorf("%s: %s is accepted", name, what)
			}
		}
		step := max(1, len(argument)/40)
		for k := 0; k < len(argument); k += step {
			i := argument[k]
			refuse(fmt.Sprintf("without %q", lines[i]), slices.Delete(slices.Clone(lines), i, i+1))
			refuse(fmt.Sprintf("with %q twice", lines[i]), slices.Insert(slices.Clone(lines), i, lines[i]))
			if strings.HasPrefix(lines[i], "split ") && strings.HasPrefix(lines[i+1], "leaf ") && strings.HasPrefix(lines[i+2], "leaf ") {
				// A branch is dropped: the box is taken for its lower, or its upper half.
				for _, keep := range []int{1, 2} {
					edited := slices.Clone(lines)
					edited[i] = lines[i+keep]
					edited = slices.Delete(edited, i+1, i+3)
					// What the leaf says of the half need not be false of the whole; but a rule that was needed is.
					if c, err := read(resealed(edited)); err == nil {
						if v, err := verdict.OfCertificate(part, c); err != nil || !v.IsCertified() {
							t.Errorf("%s: without a branch it states something else", name)
						}
					}
				}
			}
			for _, rule := range []string{"leaf interval", "leaf slope", "leaf bernstein", "leaf exact", "leaf outside 0 interval", "leaf theorem 0"} {
				if !strings.HasPrefix(lines[i], "leaf ") {
					continue
				}
				edited := slices.Clone(lines)
				edited[i] = rule
				if c, err := read(resealed(edited)); err == nil {
					if v, err := verdict.OfCertificate(part, c); err != nil || !v.IsCertified() {
						t.Errorf("%s: by %q it states something else", name, rule)
					}
				}
			}
		}
	}
}

// TestSwappedArgumentsAreRefused: the simplest arguments stand where nothing simpler does, so that every leaf by slope,
// bernstein or exact is refused with the argument interval in its place.
func TestSwappedArgumentsAreRefused(t *testing.T) {
	f := claims(t, examples)
	for _, name := range []string{"small", "inside", "matrix"} {
		_, out := settled(t, f, name, Options{})
		text, err := out.Certificate("t")
		if err != nil {
			t.Fatal(err)
		}
		lines := linesOf(text)
		tried := 0
		for i, l := range lines {
			if l != "leaf slope" && l != "leaf bernstein" && l != "leaf exact" || tried > 60 {
				continue
			}
			tried++
			edited := slices.Clone(lines)
			edited[i] = "leaf interval"
			if _, err := read(resealed(edited)); err == nil {
				t.Errorf("%s: line %d, %s, holds by interval", name, i+1, l)
			}
		}
		if tried == 0 {
			t.Errorf("%s: nothing was tried", name)
		}
	}
}

// TestOtherStatementsAreNotCertified: a certificate is that of its own sequent, whatever it is filed under.
func TestOtherStatementsAreNotCertified(t *testing.T) {
	f := claims(t, examples)
	part, out := settled(t, f, "small", Options{})
	text, err := out.Certificate("t")
	if err != nil {
		t.Fatal(err)
	}
	c, err := read(text)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := verdict.OfCertificate(part, c); err != nil || !v.IsCertified() {
		t.Errorf("its own: %s, %v", v, err)
	}
	for _, other := range f.Claims[0].Parts {
		if other.Name == part.Name {
			continue
		}
		if v, err := verdict.OfCertificate(other, c); err == nil || v.IsDecided() {
			t.Errorf("%s is %s by the certificate of %s", other.Name, v, part.Name)
		}
	}
	// The conclusion moved to a larger region, or to a stronger statement, does not follow.
	lines := linesOf(text)
	edit := func(old, new string) []string {
		out := slices.Clone(lines)
		found := false
		for i, l := range out {
			if l == old {
				out[i], found = new, true
			}
		}
		if !found {
			t.Fatalf("there is no line %q in\n%s", old, strings.Join(lines, "\n"))
		}
		return out
	}
	if _, err := read(resealed(edit("t number 1/3", "t number 1/5"))); err == nil {
		t.Error("a larger region is accepted")
	}
}

// TestCountsStayWithinTheirBoxes: of a count that the prover finds nothing for, on boxes however small, few boxes are looked at
// where few are given, and what is left is said.
func TestCountsStayWithinTheirBoxes(t *testing.T) {
	f := claims(t, `claim t
  scalar x, k
  says s: (x - k)*(1/(x^2 + 1)) has 0 falling zeros for x in (-k, k + 1]
    for k in [1/4, 1]
`)
	_, out := settled(t, f, "s", Options{Nodes: 3 * zerosNodes})
	if share, _ := out.Left(); out.Verdict.IsDecided() || share == 0 || out.Results[0].Nodes != 3 {
		t.Errorf("%d boxes: %s", out.Results[0].Nodes, out.Say())
	}
}

// TestCountsStayWithinTheirWork: a box on which a step of the prover is dear counts as what it took, so that few are looked at,
// as many whatever the number of workers.
func TestCountsStayWithinTheirWork(t *testing.T) {
	f := claims(t, `claim t
  scalar x, y
  says s: x^2 - (y^64)^64 has 2 zeros for x in (-2, 2)
    for y in [1/2, 1]
`)
	nodes := map[int]bool{}
	for _, workers := range []int{1, 3} {
		_, out := settled(t, f, "s", Options{Work: 5_000_000, Workers: workers})
		r := out.Results[0]
		nodes[r.Nodes] = true
		if out.Verdict.IsDecided() || r.Limit == "" || r.Nodes > 100 {
			t.Errorf("%d boxes, %q: %s", r.Nodes, r.Limit, out.Say())
		}
	}
	if len(nodes) != 1 {
		t.Errorf("with other workers other boxes: %v", nodes)
	}
}

// TestLooksAtZerosCountAsWork: where the zeros of a polynomial of high degree lie takes the prover longer than the kernel's part
// of the proof, and ends the search as that does.
func TestLooksAtZerosCountAsWork(t *testing.T) {
	f := claims(t, `claim t
  scalar x, a
  says s: (x - a)^20*(x + a)^21 - x has 3 zeros for x in (-inf, inf)
    for a in (0, 1)
`)
	_, out := settled(t, f, "s", Options{Work: 60_000_000, Workers: 2})
	if r := out.Results[0]; out.Verdict.IsDecided() || r.Limit == "" || r.Nodes > 48 || r.Work != 60_000_000 {
		t.Errorf("%d boxes, %d operations, %q: %s", r.Nodes, r.Work, r.Limit, out.Say())
	}
}
