package certify

import (
	"context"
	"os"
	"testing"
	"time"

	"stopgrad/theory/lang"
)

func TestScratch(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("SCRATCH"))
	if err != nil {
		t.Skip()
	}
	f, err := lang.Parse(lang.Source{Name: "a", Text: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			start := time.Now()
			o, err := Region(context.Background(), p, Options{Workers: 2, Nodes: 40000})
			if err != nil {
				t.Log(p.Name, err)
				continue
			}
			for i, r := range o.Results {
				n := 0
				if i < len(o.Certified) {
					n = o.Certified[i].Leaves()
				}
				t.Log(p.Name, o.Verdict, r.Nodes, "nodes", n, "leaves", len(r.Open), "open", len(r.Suspects), time.Since(start), "exact", o.Exact)
				for k, b := range r.Open {
					if k < 3 {
						t.Log("   open", b.Condition, boxText(b.Box), b.Reason)
					}
				}
			}
			if o.Refutation != nil {
				t.Log(o.Refutation.Reason())
			}
		}
	}
}
