package certify

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"stopgrad/theory"
	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/sample"
	"stopgrad/theory/verdict"
)

// TestRegions settles the statements of theory/testdata/regions.claim and those of the built-in claims that have a region:
// each is proved or certified, and its certificate read again says so of it; each twin is refuted.
func TestRegions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "theory", "testdata", "regions.claim"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(lang.Source{Name: "regions.claim", Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	if err := theory.Validate(f); err != nil {
		t.Fatal(err)
	}
	builtin, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	if certified := settle(t, builtin); certified < 1 {
		t.Error("no built-in statement is certified over boxes")
	}
	if certified := settle(t, f); certified < 2 {
		t.Errorf("%d statements of the file are certified over boxes", certified)
	}
}

// settle settles the parts of a file that have a region and returns how many of them are certified over boxes.
func settle(t *testing.T, f *lang.File) (certified int) {
	ctx := context.Background()
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if !p.Region {
				continue
			}
			name := c.ID + "/" + p.Name
			if len(p.Twins) == 0 {
				t.Errorf("%s has no twin", name)
			}
			out, err := Part(ctx, p, Options{Workers: 2, Nodes: 40_000})
			if err != nil || !out.Verdict.IsProved() && !out.Verdict.IsCertified() {
				t.Errorf("%s: %s, %v", name, out.Say(), err)
				continue
			}
			if out.Verdict.IsCertified() {
				certified++
			}
			text, err := out.Certificate(c.ID)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			cert, err := certificate.Read(bytes.NewReader(text))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if v, err := verdict.OfCertificate(p, cert); err != nil || v != out.Verdict {
				t.Errorf("%s: %s read again, %v", name, v, err)
			}
			for _, twin := range p.Twins {
				m, err := theory.Mutant(f, c, p, twin)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if r := sample.Search(ctx, m, 1, name+twin.String(), 1600); r.Refutation != nil && r.Refutation.Verdict().IsRefuted() {
					continue
				}
				// The search of boxes meets points, too.
				out, err := Region(ctx, m, Options{Workers: 2, Nodes: 40_000})
				if err != nil || !out.Verdict.IsRefuted() {
					t.Errorf("%s, twin %s: %s, %v", name, twin, out.Say(), err)
				}
			}
		}
	}
	return certified
}
