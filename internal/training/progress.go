package training

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// barWidth is the width of the bar in characters; with its text a line fits 100 columns.
const barWidth = 24

// refresh is the least time between two drawings of the bar: ten a second are as many as an eye follows.
const refresh = 100 * time.Millisecond

// progress draws a bar on a terminal, and nothing anywhere else.
type progress struct {
	w     io.Writer
	width int
	start time.Time
	drawn time.Time
}

func newProgress(c *Console) *progress {
	p := &progress{start: time.Now(), width: c.width()}
	if terminal(c.Stderr) {
		p.w = c.Stderr
	}
	return p
}

// show draws the bar at done of total with a text behind it and the time to the end, estimated from the mean so
// far.
func (p *progress) show(done, total float64, text string) {
	if p.w == nil || total <= 0 {
		return
	}
	now := time.Now()
	if now.Sub(p.drawn) < refresh {
		return
	}
	p.drawn = now
	eta := ""
	if done > 0 && done < total {
		left := time.Duration(float64(now.Sub(p.start)) * (total - done) / done)
		eta = " ETA " + left.Round(time.Second).String()
	}
	n := int(barWidth * min(done/total, 1))
	line := []rune(strings.Repeat("█", n) + strings.Repeat("░", barWidth-n) + " " + text + eta)
	if len(line) > p.width-1 {
		line = line[:p.width-1]
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", string(line))
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
