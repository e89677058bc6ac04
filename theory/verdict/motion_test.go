package verdict_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// motions are recorded certificates of statements over time that fail along a motion, by CLAIM/PART. They are left by
//
//	stopgrad audit --out out thm3-alignment basin skew-vanishes beta-tau
func motions(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/motions/*.cert")
	if err != nil || len(paths) == 0 {
		t.Fatal("no recorded motions", err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		w := strings.Split(strings.TrimSuffix(filepath.Base(p), ".cert"), ".")
		out[w[0]+"/"+w[2]] = text
	}
	return out
}

// TestMotionsRefuteTheirClaims integrates the recorded motions again: each refutes its own statement and no other.
func TestMotionsRefuteTheirClaims(t *testing.T) {
	f := builtin(t)
	for name, text := range motions(t) {
		cert, err := certificate.Read(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !cert.Trajectory().Valid() || cert.Trajectory().Reason() == "" || cert.Counterexample().Valid() {
			t.Errorf("%s is not refuted along a motion", name)
		}
		hits := 0
		for _, c := range f.Claims {
			for _, p := range c.Parts {
				if p.Fault != nil || p.Stmt.Kind == lang.Sampled {
					continue
				}
				v, err := verdict.OfCertificate(p, cert)
				if err != nil {
					continue
				}
				if hits++; !v.IsRefuted() || c.ID+"/"+p.Name != name {
					t.Errorf("the motion of %s says %s of %s/%s", name, v, c.ID, p.Name)
				}
			}
		}
		if hits != 1 {
			t.Errorf("%s: the motion is one for %d statements", name, hits)
		}
	}
}

func reseal(body string) []byte {
	sum := sha256.Sum256([]byte(body))
	return []byte(body + "sha256 " + hex.EncodeToString(sum[:]) + "\n")
}

// TestChangedMotionsAreRefused flips a bit of every byte of a certificate, and changes what it says under a right digest.
func TestChangedMotionsAreRefused(t *testing.T) {
	text := motions(t)["basin/collapses"]
	for i := range text {
		flipped := bytes.Clone(text)
		flipped[i] ^= 1 << (i % 7)
		if _, err := certificate.Read(bytes.NewReader(flipped)); err == nil {
			t.Errorf("byte %d may be changed", i)
		}
	}
	body := string(text[:bytes.LastIndex(text, []byte("sha256"))])
	if _, err := certificate.Read(bytes.NewReader(reseal(body))); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	edit := func(word string, change func(string) string) string {
		out := ""
		done := false
		for _, l := range lines {
			if !done && strings.HasPrefix(l, word) {
				done = true
				if l = change(l); l == "" {
					continue
				}
			}
			out += l + "\n"
		}
		if !done {
			t.Fatalf("there is no line %s", word)
		}
		return out
	}
	field := func(k int, to string) func(string) string {
		return func(l string) string {
			w := strings.Split(l, " ")
			w[k] = to
			return strings.Join(w, " ")
		}
	}
	for about, changed := range map[string]string{
		"too early":             edit("course", field(1, "1/100")),
		"no time":               edit("course", field(1, "0")),
		"a negative time":       edit("course", field(1, "-1")),
		"too few steps":         edit("course", field(3, "2")),
		"too high an order":     edit("course", field(2, "99")),
		"no course":             edit("course", func(string) string { return "" }),
		"two courses":           edit("course", func(l string) string { return l + "\n" + l }),
		"a trap that is none":   edit("trap", field(1, "-1000")),
		"a trap upside down":    edit("trap", field(2, "-1000")),
		"a trap too few":        edit("trap", func(string) string { return "" }),
		"a trap too many":       edit("trap", func(l string) string { return l + "\n" + l }),
		"a start above p−":      edit("value p", field(5, "3")),
		"a start that is not ≥": edit("value s", field(5, "-1")),
		"a point is refuted":    edit("follows", func(l string) string { return "refutes" + strings.TrimPrefix(l, "follows") }),
		"a course for nothing":  edit("follows", func(string) string { return "illformed no" }),
	} {
		if _, err := certificate.Read(bytes.NewReader(reseal(changed))); err == nil {
			t.Errorf("%s: accepted", about)
		}
	}
}
