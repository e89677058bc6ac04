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

// TestRegions settles the statements of theory/testdata/regions.claim: each is proved or certified, and its certificate
// read again says so of it; each twin is refuted.
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
	ctx := context.Background()
	certified := 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
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
	if certified < 2 {
		t.Errorf("%d statements are certified over boxes", certified)
	}
}
