package theory

import (
	"testing"

	"stopgrad/theory/lang"
)

// TestAllClaimsElaborate reads every part in the kernel's terms; what is ill-formed stays so.
func TestAllClaimsElaborate(t *testing.T) {
	f := load(t)
	for _, c := range f.Claims {
		for _, p := range c.Parts {
			if p.Stmt.Kind == lang.Sampled {
				continue
			}
			_, err := lang.Elaborate(p)
			if (err != nil) != (p.Fault != nil) {
				t.Errorf("%s/%s: %v, the fault %v", c.ID, p.Name, err, p.Fault)
			}
		}
	}
}
