package kernel

// Print renders a term in the claim language.
func Print(t *Term) string { return t.head.String() }

type Printer struct{}

func NewPrinter() *Printer { return &Printer{} }

func (p *Printer) Abbreviate(name string, t *Term) error { return nil }

func (p *Printer) Sequent(c *Context, goals ...Formula) (string, error) { return "", nil }
