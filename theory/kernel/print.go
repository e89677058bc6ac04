package kernel

// Print renders a term in the claim language.
func Print(t *Term) string { return t.head.String() }
