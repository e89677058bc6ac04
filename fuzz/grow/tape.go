// Package grow writes claims and scripts from bytes, for fuzz targets whose engine mutates bytes.
//
// Its native fuzz target stands apart from those of package fuzz for its speed: the engine of go test counts the edges of
// everything that a test binary contains, and compares and sends all its counters for each input that it keeps, so that a
// target in a binary three times as large takes twice as long.
package grow

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"stopgrad/theory/lang"
)

// Tape reads choices from bytes; past its end every choice is the first.
type Tape struct {
	Bytes []byte
	at    int
}

// Choose is a choice among n: a number from 0 to n−1.
func (t *Tape) Choose(n int) int {
	if t.at >= len(t.Bytes) {
		return 0
	}
	v := int(t.Bytes[t.at]) % n
	t.at++
	return v
}

// Located returns an error unless err is a *lang.Error that points into the text of a file (or at the end of one of its
// lines) and says something.
func Located(err error, file, text string) error {
	var e *lang.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("an error without a place: %v", err)
	}
	lines := strings.Split(text, "\n")
	if e.Pos.File != file || e.Pos.Line < 1 || e.Pos.Line > len(lines) {
		return fmt.Errorf("an error outside the %d lines of the file: %v", len(lines), err)
	}
	if n := utf8.RuneCountInString(lines[e.Pos.Line-1]); e.Pos.Col < 1 || e.Pos.Col > n+1 {
		return fmt.Errorf("an error outside the %d columns of its line: %v", n, err)
	}
	if e.Msg == "" || strings.Contains(e.Msg, "\n") || !strings.HasPrefix(err.Error(), file+":") {
		return fmt.Errorf("an error that says nothing, or too much: %q", err)
	}
	return nil
}
