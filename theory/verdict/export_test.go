package verdict

// Spent is the work that finding a proof took.
func Spent(p *Proof) int { return p.spent }
