package region

// NearlySpent is a meter that allows so much work more.
func NearlySpent(left int) *Meter { return &Meter{spent: maxWork - left} }
