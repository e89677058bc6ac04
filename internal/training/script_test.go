package training

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("GOLDENS", filepath.Join(root, "golden", "data"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			// edit FILE OLD NEW replaces the first OLD.
			"edit": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 3 {
					ts.Fatalf("usage: edit file old new")
				}
				file := ts.MkAbs(args[0])
				text, err := os.ReadFile(file)
				ts.Check(err)
				if !strings.Contains(string(text), args[1]) {
					ts.Fatalf("%s does not contain %q", args[0], args[1])
				}
				ts.Check(os.WriteFile(file, []byte(strings.Replace(string(text), args[1], args[2], 1)), 0o644))
			},
		},
	})
}
