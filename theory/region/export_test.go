package region

// Spent is the work that a meter has counted.
func (m *Meter) Spent() int { return m.spent }
