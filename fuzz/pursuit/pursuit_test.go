package pursuit

import (
	"context"
	"os"
	"testing"
	"time"

	"stopgrad/fuzz/optimise"
	"stopgrad/theory"
	"stopgrad/theory/lang"
)

func TestTry(t *testing.T) {
	text, err := os.ReadFile("/tmp/C2/t.claim")
	if err != nil {
		t.Skip()
	}
	src, err := theory.Sources()
	if err != nil {
		t.Fatal(err)
	}
	f, err := lang.Parse(src[0], lang.Source{Name: "t.claim", Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			start := time.Now()
			r := Search(context.Background(), p, 1, c.ID+"/"+p.Name, Effort{optimise.Effort{Scan: 200, Starts: 2, Global: 200, Local: 100, Restart: 4}, 300})
			t.Log(c.ID, p.Name, time.Since(start), r.Evals, r.Nearest, r.Err)
			if r.Refutation != nil {
				t.Log(r.Refutation.Trajectory().State(), r.Refutation.Reason(), r.Course.End.RatString(), r.Course.Steps)
				text, err := r.Refutation.Certificate(c.ID)
				if err != nil {
					t.Fatal(err)
				}
				os.WriteFile("/tmp/C2/"+c.ID+p.Name+".cert", text, 0o644)
			}
		}
	}
}
