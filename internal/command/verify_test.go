package command

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestNamesOfFilesStayOnTheirLine checks that a file's name reaches the terminal as text alone, also in the error of a file
// that cannot be read: names may hold lines that look like verify's own, and escapes, of eight bits too.
func TestNamesOfFilesStayOnTheirLine(t *testing.T) {
	for _, name := range []string{"a\nb.cert: proved: 1 == 2", "a\x1b[2Kb.cert", "a\x9b2Kb.cert", "a.cert: proved: 1 == 2"} {
		_, err := readCertificate(name)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%q: %v", name, err)
		}
		for what, text := range map[string]string{"the name": onOneLine(name), "its error": err.Error()} {
			if strings.ContainsAny(text, "\n\x1b") || strings.Contains(text, "\x9b") || !strings.Contains(text, `"a`) {
				t.Errorf("%s is not quoted: %q", what, text)
			}
		}
	}
	if got := onOneLine("out/größe.cert"); got != "out/größe.cert" {
		t.Errorf("an ordinary name is quoted: %s", got)
	}
	if named(nil) != nil {
		t.Error("an error of nothing")
	}
}
