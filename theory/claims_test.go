package theory

import (
	"bytes"
	"context"
	"os"
	"testing"

	"stopgrad/theory/kernel/certificate"
	"stopgrad/theory/lang"
	"stopgrad/theory/verdict"
)

// ledgerIDs are the entries of the ledger of claims, in order; entry 5 has two ids and 21b is an addition.
var ledgerIDs = []string{
	"objective", "lemma1", "moments", "simsiam-reduction", "lr-mapping", "wd-units", "hyper-table",
	"thm1", "thm1-vs-assumption3", "thm1-discrete", "nopred", "nostopgrad", "lemma2",
	"assump-isotropic", "assump-ema", "assump-sym", "fixedpoint-sym", "skew-vanishes", "sym-dynamics", "F-def",
	"thm3-identity", "thm3-bound", "thm3-true-ema", "thm3-alignment", "angle-law", "decoupled", "invariance-scalar",
	"1d-dynamics", "fixed-points", "eta-critical", "basin", "pminus-monotone", "invariant-parabola-attract", "tau-closed-form",
	"wd-alignment", "alpha-positive-1", "alpha-positive-2", "alpha-negative", "beta-tau", "ema-positive", "ema-negative",
	"wd-split", "sym-hurts", "bounded-vs-gd",
	"noniso-fixed", "noniso-align", "D4-3d",
	"dp-estimator", "dp-formula", "dp-invariance", "dp-guaranteed-alignment", "dp-no-basin", "dp-cj", "dp-freq",
	"directset", "cosine-loss", "code-defects",
	"kappa-windows", "definite-live", "fixed-points-counted", "direct-thresholds", "basin-sides",
}

func load(t testing.TB) *lang.File {
	t.Helper()
	f, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestLedgerIsComplete(t *testing.T) {
	f := load(t)
	for i, id := range ledgerIDs {
		if i >= len(f.Claims) || f.Claims[i].ID != id {
			t.Fatalf("entry %d should be %s", i+1, id)
		}
	}
	if len(f.Claims) != len(ledgerIDs) {
		t.Errorf("%d claims, the ledger has %d", len(f.Claims), len(ledgerIDs))
	}
	for _, c := range f.Claims {
		if c.Title == "" || c.Printed == "" || c.Quote == "" {
			t.Errorf("%s: title, source or quotation is missing", c.ID)
		}
	}
}

// TestEveryTwinIsRefuted requires that each claim has a mutated twin and that the suite's own search finds a
// counterexample to every twin, from two seeds. Twins over time with a region may need a motion, which package certify looks for
// (TestRegions): here they only must not be proved.
func TestEveryTwinIsRefuted(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			twins := 0
			for _, p := range c.Parts {
				for _, tw := range p.Twins {
					twins++
					for _, seed := range []uint64{1, 2} {
						r := judgeTwin(context.Background(), f, c, p, tw, Options{Seed: seed, Budget: 400})
						if r.Err != nil {
							t.Errorf("%s: %v", tw, r.Err)
						} else if !r.Verdict.IsRefuted() && (!late(r.Part) || r.Verdict.IsDecided()) {
							t.Errorf("%s/%s: twin %s is %s after %d of %d states, seed %d", c.ID, p.Name, tw, r.Verdict, r.Search.Tried, r.Search.Drawn, seed)
						}
					}
				}
			}
			if twins == 0 {
				t.Error("no mutated twin")
			}
		})
	}
}

// TestProofsAndSearchAgree requires that nothing is both proved and refuted, that every script given
// replays, and that every part without a script is refuted, ill-formed, left to a property or, with a region, to boxes. A stationary point
// without isotropy has to be solved for: drawing alone does not find one, package fuzz does. Nor does it find what fails
// along a motion only: the motion that package fuzz has found is recorded, and integrated again.
func TestProofsAndSearchAgree(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			t.Run(c.ID+"/"+p.Name, func(t *testing.T) {
				t.Parallel()
				q := *p
				q.Twins = nil
				r := JudgePart(context.Background(), f, c, &q, Options{Seed: 3, Budget: 100})
				proved := r.Proof != nil && r.Proof.Verdict().IsProved()
				if proved && r.Search.Refutation != nil {
					t.Fatalf("proved and refuted at %v", r.Search.Witness.Vals)
				}
				if len(p.Proof) > 0 && p.Stmt.Kind != lang.Assumption && !proved {
					t.Errorf("the proof does not replay: %v", r.Proof.Failure())
				}
				if text, err := os.ReadFile("verdict/testdata/motions/" + c.ID + ".printed." + p.Name + ".cert"); err == nil {
					cert, err := certificate.Read(bytes.NewReader(text))
					if err != nil {
						t.Fatal(err)
					}
					if r.Verdict, err = verdict.OfCertificate(p, cert); err != nil || proved {
						t.Fatalf("the recorded motion refutes another statement, or a theorem: %v", err)
					}
				}
				if hunted := c.ID+"/"+p.Name == "noniso-align/stationary"; hunted != (len(p.Proof) == 0 && !p.Region && p.Stmt.Kind != lang.Sampled && !r.Verdict.Denies() && !proved) {
					t.Errorf("no proof and no counterexample: %s after %d states", r.Verdict, r.Search.Tried)
				}
				if proved && r.Search.Tried == 0 {
					t.Errorf("no state meets the hypotheses: %v", r.Search.Err)
				}
			})
		}
	}
}

// TestVerdictsDoNotDependOnOrder judges a claim twice, the second time after others.
func TestVerdictsDoNotDependOnOrder(t *testing.T) {
	f := load(t)
	c := f.Claim("F-def")
	first := JudgePart(context.Background(), f, c, c.Parts[0], Options{Seed: 5, Budget: 50})
	JudgePart(context.Background(), f, f.Claim("thm1-discrete"), f.Claim("thm1-discrete").Parts[0], Options{Seed: 5, Budget: 50})
	again := JudgePart(context.Background(), load(t), c, c.Parts[0], Options{Seed: 5, Budget: 50})
	if first.Search.Drawn != again.Search.Drawn || first.Verdict != again.Verdict {
		t.Errorf("judged %v after %d states, then %v after %d", first.Verdict, first.Search.Drawn, again.Verdict, again.Search.Drawn)
	}
}

func BenchmarkAllProofs(b *testing.B) {
	f := load(b)
	for b.Loop() {
		n := 0
		for _, c := range f.Claims {
			for _, p := range c.Parts {
				if verdict.Replay(b.Context(), p).Verdict().IsProved() {
					n++
				}
			}
		}
		b.ReportMetric(float64(n), "proofs/op")
	}
}
