package prove

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"stopgrad/theory/checker"
	"stopgrad/theory/lang"
)

// claims parses the built-in claims.
func claims(t testing.TB) *lang.File {
	paths, err := filepath.Glob("../claims/*.claim")
	if err != nil || len(paths) == 0 {
		t.Fatal("no claims", err)
	}
	var srcs []lang.Source
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		srcs = append(srcs, lang.Source{Name: filepath.Base(p), Text: string(b)})
	}
	f, err := lang.Parse(srcs...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestScriptsReplay(t *testing.T) {
	f := claims(t)
	var spent time.Duration
	proved, old, twins := 0, 0, 0
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Stmt == nil || p.Stmt.Kind == lang.Sampled || p.Fault != nil {
				continue
			}
			start := time.Now()
			r, err := lang.Elaborate(p)
			if err != nil {
				t.Errorf("%s/%s: %v", c.ID, p.Name, err)
				continue
			}
			o := Prove(context.Background(), r, Options{})
			took := time.Since(start)
			spent += took
			was := checker.Prove(p).Verdict()
			if was.IsProved() {
				old++
			}
			if len(o.Theorems()) > 0 {
				proved++
			}
			if took > 50*time.Millisecond {
				t.Logf("%s/%s: %v", c.ID, p.Name, took)
			}
			if was.IsProved() != (len(o.Theorems()) > 0) {
				t.Errorf("%s/%s: was proved %v: %v", c.ID, p.Name, was.IsProved(), o.Failure())
			}
			if o.Vacuous().Valid() {
				t.Errorf("%s/%s: vacuous", c.ID, p.Name)
			}
		}
	}
	t.Logf("proved %d, before %d, twins %d; %v", proved, old, twins, spent)
}
