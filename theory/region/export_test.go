package region

// NearlySpent is a meter that allows so much work more.
func NearlySpent(left int) *Meter { return &Meter{spent: maxWork - left} }

// Spent is the work that a meter has counted.
func (m *Meter) Spent() int { return m.spent }
