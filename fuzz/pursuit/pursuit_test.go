package pursuit

import (
	"context"
	"testing"
	"time"

	"stopgrad/fuzz/optimise"
	"stopgrad/theory"
)

var wanted = map[string]bool{"thm3-alignment/parting": true, "basin/grows": true, "basin/collapses": true, "beta-tau/tends": true, "skew-vanishes/increasingly": true}

func TestTry(t *testing.T) {
	f, err := theory.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if !Able(p) || !wanted[c.ID+"/"+p.Name] {
				continue
			}
			start := time.Now()
			r := Search(context.Background(), p, 1, c.ID+"/"+p.Name, Effort{optimise.Effort{Scan: 200, Starts: 2, Global: 200, Local: 100, Restart: 1}, 300})
			t.Log(c.ID, p.Name, time.Since(start), r.Evals, r.Nearest, r.Err)
			if r.Refutation != nil {
				t.Log(r.Refutation.Trajectory().State(), r.Refutation.Reason(), r.Course.End.RatString(), r.Course.Steps)
			}
		}
	}
}
