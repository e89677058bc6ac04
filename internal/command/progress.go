package command

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// barWidth is the width of the progress bar in characters; with its text it fits 80 columns.
const barWidth = 30

// progress draws a bar on a terminal, and nothing anywhere else.
type progress struct{ w io.Writer }

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &progress{w}
	}
	return &progress{}
}

func (p *progress) show(done, total int, id string) {
	if p.w != nil {
		n := barWidth * done / total
		fmt.Fprintf(p.w, "\r\x1b[K%s%s %d/%d %s", strings.Repeat("█", n), strings.Repeat("░", barWidth-n), done, total, id)
	}
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
