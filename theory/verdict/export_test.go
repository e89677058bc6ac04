package verdict

import (
	"stopgrad/theory/kernel"
	"stopgrad/theory/lang"
)

// Spent is the work that finding a proof took.
func Spent(p *Proof) int { return p.spent }

// OfCertificates is the verdict of certified sequents of any kind.
func OfCertificates[C interface {
	Valid() bool
	Context() *kernel.Context
	Formula() kernel.Formula
}](r *lang.Reading, cs []C) Verdict {
	return ofCertified(r, cs)
}
