package theory

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "stopgrad"

// trusted are the packages that README's TRUST names, and what each may import besides the standard library.
var trusted = map[string][]string{
	"theory/kernel":             nil,
	"theory/model":              {"theory/kernel"},
	"theory/region":             {"theory/kernel", "numeric/interval"},
	"theory/trajectory":         {"theory/kernel", "theory/model", "numeric/enclosure", "numeric/interval"},
	"theory/kernel/certificate": {"theory/kernel", "theory/model", "theory/region", "theory/trajectory"},
	"numeric/interval":          nil,
	"numeric/enclosure":         {"numeric/interval"},
}

// sources reads the Go files of a folder that are no tests, whatever their build constraints.
func sources(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		if strings.HasSuffix(p, "_test.go") {
			continue
		}
		if out[p], err = os.ReadFile(p); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 {
		t.Fatalf("no Go files in %s", dir)
	}
	return out
}

// counted is the size of the trusted packages in lines, comments and blank lines included.
func counted(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for dir := range trusted {
		for _, text := range sources(t, dir) {
			out[dir] += bytes.Count(text, []byte("\n"))
		}
	}
	out["proved"] = out["theory/kernel"] + out["theory/kernel/certificate"]
	out["refuted"] = out["proved"] + out["theory/model"]
	out["certified"] = out["proved"] + out["theory/region"] + out["numeric/interval"]
	out["followed"] = out["refuted"] + out["theory/trajectory"] + out["numeric/enclosure"] + out["numeric/interval"]
	return out
}

var (
	packageRow = regexp.MustCompile("(?m)^\\| `((?:theory|numeric)/[a-z/]+)` \\| ([0-9,]+) \\|")
	excess     = regexp.MustCompile(`exceeded by ([0-9,]+) and ([0-9,]+) lines`)
	wordRow    = regexp.MustCompile(`(?m)^\| \*([a-z]+)\* together \| ([0-9,]+) \|`)
)

// miscounts compares the numbers that a text prints with the counted ones: a number is an upper bound, by 2 % at most.
func miscounts(readme string, lines map[string]int) []string {
	printed := map[string]int{}
	for _, row := range append(packageRow.FindAllStringSubmatch(readme, -1), wordRow.FindAllStringSubmatch(readme, -1)...) {
		n, err := strconv.Atoi(strings.ReplaceAll(row[2], ",", ""))
		if err != nil {
			return []string{row[0] + ": " + err.Error()}
		}
		printed[row[1]] = n
	}
	var out []string
	for name, n := range lines {
		switch p, ok := printed[name]; {
		case !ok:
			out = append(out, name+" is not printed")
		case n > p:
			out = append(out, fmt.Sprintf("%s has %d lines, and README says at most %d", name, n, p))
		case 100*(p-n) > 2*n:
			out = append(out, fmt.Sprintf("%s has %d lines, and README says %d, which is over 2 %% more", name, n, p))
		}
	}
	slices.Sort(out)
	return out
}

// TestReadmeCountsTheTrustedLines holds README to the size of what has to be believed.
func TestReadmeCountsTheTrustedLines(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := counted(t)
	// What is said of the bound that the design set, 3,000 lines and 3,600, follows from the table.
	comma := func(n int) string { return fmt.Sprintf("%d,%03d", n/1000, n%1000) }
	over := excess.FindStringSubmatch(string(text))
	for i, word := range []string{"proved", "refuted"} {
		for _, row := range wordRow.FindAllStringSubmatch(string(text), -1) {
			n, err := strconv.Atoi(strings.ReplaceAll(row[2], ",", ""))
			if row[1] == word && (err != nil || len(over) == 0 || over[i+1] != comma(n-[]int{3_000, 3_600}[i])) {
				t.Errorf("README prints %s lines for %s, and says %v of the bound", row[2], word, over)
			}
		}
	}
	for _, m := range miscounts(string(text), lines) {
		t.Error(m)
	}
	// The comparison can fail: in each direction, and for a number that is not there.
	for name, n := range lines {
		for what, wrong := range map[string]int{"fewer": n - 1, "far more": n + n/40} {
			row := fmt.Sprintf("\n| `%s` | %d |", name, wrong)
			if !strings.Contains(name, "/") {
				row = fmt.Sprintf("\n| *%s* together | %d |", name, wrong)
			}
			got := miscounts(row, map[string]int{name: n})
			if len(got) != 1 || strings.Contains(got[0], "not printed") {
				t.Errorf("%s lines of %s than there are: %v", what, name, got)
			}
		}
		if len(miscounts("", map[string]int{name: n})) != 1 {
			t.Errorf("%s may be left out", name)
		}
	}
}

// randomness, reflection and the outside world are no part of a check.
var forbidden = []string{"unsafe", "C", "reflect", "plugin", "os", "syscall", "time", "runtime", "net", "math/rand", "crypto/rand"}

// misimports lists the imports of a file that a trusted package may not have.
func misimports(name string, text []byte, allowed []string) []string {
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, s := range f.Imports {
		path, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			return []string{err.Error()}
		}
		first, _, _ := strings.Cut(path, "/")
		own, isOwn := strings.CutPrefix(path, module+"/")
		bad := slices.ContainsFunc(forbidden, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
		switch {
		case isOwn && slices.Contains(allowed, own):
		case isOwn || path == module, strings.Contains(first, "."), bad:
			out = append(out, name+" imports "+path)
		}
	}
	return out
}

// TestTrustedPackagesStandAlone reads the import graph of what `verify` rests on: the standard library and one another, no
// claim parser, no search, no randomness. The imports of the packages named are all looked at, so nothing else comes in.
func TestTrustedPackagesStandAlone(t *testing.T) {
	for dir, allowed := range trusted {
		for name, text := range sources(t, dir) {
			for _, m := range misimports(name, text, allowed) {
				t.Error(m)
			}
		}
		for _, a := range allowed {
			if _, ok := trusted[a]; !ok {
				t.Errorf("%s may import %s, which is not looked at", dir, a)
			}
		}
	}
	for _, path := range []string{module + "/theory/lang", module + "/theory/prove", module + "/fuzz", module, "math/rand", "math/rand/v2", "unsafe", "os/exec", "gonum.org/v1/gonum/mat"} {
		text := fmt.Appendf(nil, "package p\nimport (\n\t\"math/big\"\n\t\"%s/theory/kernel\"\n\t_ %q\n)\n", module, path)
		if got := misimports("f.go", text, []string{"theory/kernel"}); len(got) != 1 {
			t.Errorf("the import of %s gives %v", path, got)
		}
	}
}

// handed lists where a function that turns a failure into its result err has set another result before: what was refused would
// be in its caller's hands. Numbers say where it was refused, and are left out.
func handed(name string, text []byte) (out []string) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil || fn.Type.Results == nil {
			continue
		}
		results, fails := map[string]bool{}, false
		for _, r := range fn.Type.Results.List {
			t, ok := r.Type.(*ast.Ident)
			fails = fails || ok && t.Name == "error"
			if ok && (t.Name == "error" || t.Name == "int") {
				continue
			}
			for _, n := range r.Names {
				results[n.Name] = true
			}
		}
		catches := slices.ContainsFunc(fn.Body.List, func(s ast.Stmt) bool {
			d, ok := s.(*ast.DeferStmt)
			if !ok {
				return false
			}
			called, ok := d.Call.Fun.(*ast.Ident)
			return ok && called.Name == "caught"
		})
		if !catches || !fails {
			continue
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
				for _, l := range a.Lhs {
					if x, ok := l.(*ast.Ident); ok && results[x.Name] {
						out = append(out, fmt.Sprintf("%s: %s sets %s", files.Position(a.Pos()), fn.Name.Name, x.Name))
					}
				}
			}
			return true
		})
	}
	return out
}

// TestNothingIsHandedOutBesideAnError: contexts, states, theorems and what rests on them are results once everything about them
// has been looked at.
func TestNothingIsHandedOutBesideAnError(t *testing.T) {
	for dir := range trusted {
		for name, text := range sources(t, dir) {
			for _, m := range handed(name, text) {
				t.Error(m)
			}
		}
	}
	const early = "package p\nfunc New() (c *int, k int, err error) {\n\tdefer caught(&err)\n\tc = new(int)\n\tk = 1\n\trefuse()\n\treturn c, k, nil\n}\n"
	if got := handed("early.go", []byte(early)); len(got) != 1 || !strings.Contains(got[0], "early.go:4:2: New sets c") {
		t.Errorf("%v", got)
	}
	if got := handed("late.go", []byte(strings.Replace(early, "c = new", "c := new", 1))); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// evasions lists what in a file could go round the type system: unsafe, cgo, and names linked to those of other packages.
func evasions(name string, text []byte) []string {
	switch filepath.Ext(name) {
	case ".go":
	case ".s", ".S", ".c", ".h", ".cc", ".cpp", ".m", ".f", ".syso", ".swig":
		return []string{name + " is not Go"}
	default:
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, s := range f.Imports {
		if p := s.Path.Value; p == `"unsafe"` || p == `"C"` {
			out = append(out, name+" imports "+p)
		}
	}
	for _, g := range f.Comments {
		for _, c := range g.List {
			for _, word := range []string{"//go:linkname", "//go:cgo_", "//go:noescape"} {
				if strings.HasPrefix(c.Text, word) {
					out = append(out, name+" has "+word)
				}
			}
		}
	}
	return out
}

// TestNothingGoesRoundTheTypes: a Theorem and a Counterexample are unforgeable as long as Go's types are kept. Nothing that
// links into the program below this folder has unsafe, cgo or assembly, and nothing in the module links names.
func TestNothingGoesRoundTheTypes(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() != ".." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		below := strings.HasPrefix(filepath.ToSlash(path), "../theory/")
		if !below && filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen++
		for _, e := range evasions(path, text) {
			if below || strings.Contains(e, "go:linkname") {
				t.Error(e)
			}
		}
		return nil
	})
	if err != nil || seen < 100 {
		t.Fatalf("%d files, error %v", seen, err)
	}
	for name, text := range map[string]string{
		"unsafe.go":  "package p\nimport \"unsafe\"\n",
		"renamed.go": "package p\nimport u \"unsafe\"\n",
		"cgo.go":     "package p\nimport \"C\"\n",
		"link.go":    "package p\nimport _ \"strings\"\n//go:linkname a b.c\nfunc a()\n",
		"tagged.go":  "//go:build never\n\npackage p\nimport \"unsafe\"\n",
		"a.s":        "TEXT ·a(SB), 4, $0\n",
		"broken.go":  "package",
	} {
		if len(evasions(name, []byte(text))) == 0 {
			t.Errorf("%s passes", name)
		}
	}
	if got := evasions("good.go", []byte("package p\n// go:linkname is spoken of here, and unsafe too.\n//go:generate true\n")); got != nil {
		t.Errorf("a harmless file: %v", got)
	}
}
