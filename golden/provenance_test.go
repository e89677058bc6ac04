package golden

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourceHashFollowsSourcesAndNothingElse(t *testing.T) {
	base := func() fstest.MapFS {
		return fstest.MapFS{
			"k/a.go":          {Data: []byte("package k\n")},
			"k/deep/b.go":     {Data: []byte("package deep\n")},
			"k/deep/b.s":      {Data: []byte("RET\n")},
			"k/a_test.go":     {Data: []byte("package k\n")},
			"k/testdata/x.go": {Data: []byte("package x\n")},
			"k/notes.md":      {Data: []byte("notes")},
			"l/c.go":          {Data: []byte("package l\n")},
		}
	}
	hash := func(files fstest.MapFS, folders ...string) string {
		t.Helper()
		sum, err := HashSources(files, folders...)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	want := hash(base(), "k")
	for name, change := range map[string]func(fstest.MapFS){
		"a test":        func(f fstest.MapFS) { f["k/a_test.go"].Data = nil },
		"test data":     func(f fstest.MapFS) { f["k/testdata/x.go"].Data = nil },
		"a text":        func(f fstest.MapFS) { f["k/notes.md"].Data = nil },
		"another place": func(f fstest.MapFS) { f["l/c.go"].Data = nil },
	} {
		files := base()
		change(files)
		if hash(files, "k") != want {
			t.Errorf("changing %s changes the hash", name)
		}
	}
	for name, change := range map[string]func(fstest.MapFS){
		"a byte":     func(f fstest.MapFS) { f["k/a.go"].Data = []byte("package k ") },
		"a name":     func(f fstest.MapFS) { f["k/z.go"] = f["k/a.go"]; delete(f, "k/a.go") },
		"a new file": func(f fstest.MapFS) { f["k/n.go"] = &fstest.MapFile{} },
		"assembly":   func(f fstest.MapFS) { f["k/deep/b.s"].Data = []byte("NOP") },
		"a deep one": func(f fstest.MapFS) { f["k/deep/b.go"].Data = nil },
		// Moving a byte between files that are hashed one after the other.
		"a boundary": func(f fstest.MapFS) {
			f["k/a.go"].Data, f["k/deep/b.go"].Data = []byte("package k\np"), []byte("ackage deep\n")
		},
	} {
		files := base()
		change(files)
		if hash(files, "k") == want {
			t.Errorf("changing %s does not change the hash", name)
		}
	}
	if hash(base(), "k", "l") == want || hash(base(), "k", "l") != hash(base(), "l", "k") {
		t.Error("the set of folders must matter, their order not")
	}
	for _, folder := range []string{"absent", "k/testdata/none", "../x"} {
		if _, err := HashSources(base(), folder); err == nil {
			t.Errorf("folder %s was hashed", folder)
		}
	}
}

func TestCollectReadsCommitAndDirtinessFromGit(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	root := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, "k"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "k", "a.go"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", root, "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	collect := func() Provenance {
		t.Helper()
		p, err := Collect(t.Context(), root, "k")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	write("package k\n")
	git("init", "-q")
	if p := collect(); p.GitCommit != "none" || !p.Dirty {
		t.Errorf("without commits: %s, dirty %t", p.GitCommit, p.Dirty)
	}
	git("add", ".")
	git("commit", "-q", "--no-verify", "-m", "one")
	clean := collect()
	if len(clean.GitCommit) < 40 || clean.Dirty {
		t.Errorf("after a commit: %s, dirty %t", clean.GitCommit, clean.Dirty)
	}
	write("package k // changed\n")
	if p := collect(); p.GitCommit != clean.GitCommit || !p.Dirty || p.KernelsSHA256 == clean.KernelsSHA256 {
		t.Errorf("after a change: %s, dirty %t", p.GitCommit, p.Dirty)
	}
	if h := clean.Host; h.Go != runtime.Version() || h.GOARCH != runtime.GOARCH || h.CPU == "" || h.Cores < 1 {
		t.Errorf("host %+v", h)
	}
	if h := clean.Host; h.GOARCH == "amd64" && !strings.HasPrefix(h.GOAMD64, "v") {
		t.Errorf("GOAMD64 is %q", h.GOAMD64)
	}
	if _, err := Collect(t.Context(), root, "absent"); err == nil {
		t.Error("a kernel folder that does not exist was accepted")
	}
}
