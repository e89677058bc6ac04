package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// stamped runs the rest of a test as a program built with a stamp.
func stamped(t *testing.T, text string) {
	t.Helper()
	old := stamp
	stamp = text
	t.Cleanup(func() { stamp = old })
}

func TestStampSpeaksForTheSources(t *testing.T) {
	sets := [][]string{{"golden"}, {"numeric/measure", "golden"}}
	text, err := Stamp(t.Context(), "..", sets...)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text, " \t\n'\"") {
		t.Errorf("stamp %q cannot be given to the linker as it is", text)
	}
	stamped(t, text)
	for _, set := range sets {
		want, err := Collect(t.Context(), "..", set...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Collect(t.Context(), "", set...)
		if err != nil {
			t.Fatal(err)
		}
		if got.GitCommit != want.GitCommit || got.Dirty != want.Dirty || got.KernelsSHA256 != want.KernelsSHA256 || got.Host != want.Host {
			t.Errorf("%v: the stamp says %+v, the sources say %+v", set, got, want)
		}
	}
}

func TestNothingIsCollectedWithoutSourcesAndStamp(t *testing.T) {
	sum := strings.Repeat("0a", 32)
	for name, c := range map[string]struct{ stamp, says string }{
		"none":              {"", "neither the project's sources nor a stamp"},
		"another set":       {"abcdef0,clean,trainingcheck/data=" + sum, "does not cover the sources golden"},
		"a larger set":      {"abcdef0,clean,golden+numeric/measure=" + sum, "does not cover"},
		"cut off":           {"abcdef0,clean", "damaged"},
		"a hash cut off":    {"abcdef0,clean,golden=" + sum[:60], "damaged"},
		"no commit":         {"HEAD,clean,golden=" + sum, "damaged"},
		"no dirtiness":      {"abcdef0,golden=" + sum + ",golden=" + sum, "damaged"},
		"none, and clean":   {"none,clean,golden=" + sum, "damaged"},
		"an unset linker …": {"X", "damaged"},
	} {
		stamped(t, c.stamp)
		if p, err := Collect(t.Context(), "", "golden"); err == nil || !strings.Contains(err.Error(), c.says) || p.GitCommit != "" {
			t.Errorf("%s: %+v, %v; want an error with %q", name, p, err, c.says)
		}
	}
	if _, err := Stamp(t.Context(), ".."); err == nil {
		t.Error("a stamp of nothing was made")
	}
	if _, err := Stamp(t.Context(), "..", []string{"absent"}); err == nil {
		t.Error("a stamp of a folder that does not exist was made")
	}
}

func TestRootIsTheProjectAndNoOther(t *testing.T) {
	if got := Root("."); got != ".." {
		t.Errorf("from golden: %q", got)
	}
	if got := Root("data"); got != ".." {
		t.Errorf("from golden/data: %q", got)
	}
	other := t.TempDir()
	if got := Root(other); got != "" {
		t.Errorf("from an empty folder: %q", got)
	}
	if err := os.WriteFile(filepath.Join(other, "go.mod"), []byte("module other\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := Root(other); got != "" {
		t.Errorf("from another module: %q", got)
	}
}
