package golden

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// HashSources returns the SHA-256 of the sources under the named folders of fsys: the path, length and content of
// every .go file except tests, and of every .s file, in path order. It returns an error for a folder that does not exist or holds no source.
func HashSources(fsys fs.FS, folders ...string) (string, error) {
	var files []string
	for _, folder := range folders {
		found := len(files)
		err := fs.WalkDir(fsys, folder, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && name != folder && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case !d.IsDir() && (path.Ext(name) == ".go" || path.Ext(name) == ".s") && !strings.HasSuffix(name, "_test.go"):
				files = append(files, name)
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("golden: sources: %w", err)
		}
		if len(files) == found {
			return "", fmt.Errorf("golden: sources: %s holds no Go source", folder)
		}
	}
	slices.Sort(files)
	h := sha256.New()
	for _, name := range slices.Compact(files) {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return "", fmt.Errorf("golden: sources: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n", name, len(content))
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Collect fills the members of a provenance that this process can find out: commit and dirtiness of the project at
// root (through git), the kernels' hash, the host and the Go toolchain. The recorder adds command, engine, device,
// data, wall time and rng. A project without git or commits gives "none" and dirty.
//
// An empty root says that the program runs without its sources. Then commit, dirtiness and hash are those of the Stamp
// that it was built with; without a stamp, or with one that does not cover these kernels, Collect returns an error.
func Collect(ctx context.Context, root string, kernels ...string) (Provenance, error) {
	p := Provenance{Kernels: kernels, GitCommit: "none", Dirty: true, Host: ThisHost()}
	if root == "" {
		if err := p.readStamp(stamp); err != nil {
			return Provenance{}, err
		}
		return p, nil
	}
	var err error
	if p.KernelsSHA256, err = HashSources(os.DirFS(root), kernels...); err != nil {
		return Provenance{}, err
	}
	git := func(args ...string) ([]byte, error) {
		return exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
	}
	commit, err := git("rev-parse", "--verify", "HEAD")
	if ctx.Err() != nil {
		return Provenance{}, ctx.Err()
	}
	if err != nil {
		return p, nil
	}
	status, err := git("status", "--porcelain")
	if err != nil {
		return Provenance{}, fmt.Errorf("golden: git status: %w", err)
	}
	p.GitCommit = strings.TrimSpace(string(commit))
	p.Dirty = len(bytes.TrimSpace(status)) > 0
	return p, nil
}

// ThisHost describes this machine and toolchain without naming the machine.
func ThisHost() Host {
	h := Host{CPU: cpuModel(), Cores: runtime.NumCPU(), OS: runtime.GOOS, Go: runtime.Version(), GOARCH: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "GOAMD64":
				h.GOAMD64 = s.Value
			case "GOEXPERIMENT":
				h.GOEXPERIMENT = s.Value
			}
		}
	}
	return h
}

// cpuModel returns the processor's name where the system tells it, and its architecture elsewhere.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		key, value, _ := strings.Cut(sc.Text(), ":")
		if strings.TrimSpace(key) == "model name" && strings.TrimSpace(value) != "" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// identifying reports whether a host name is one that no ordinary word is.
func identifying(host string) bool { return strings.ContainsAny(host, "0123456789-.") }

// checkAnonymous refuses texts that contain the machine's host name, or its first label, as a word. Names that could
// be ordinary words are let through: they tell nothing.
func checkAnonymous(g *Golden, host string) error {
	n, err := g.tree()
	if err != nil {
		return err
	}
	host = strings.ToLower(host)
	label, _, _ := strings.Cut(host, ".")
	return scanTexts(n, "", func(field, text string) error {
		words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
			return !(r == '-' || r == '.' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z')
		})
		for _, w := range words {
			if w == host && identifying(host) || w == label && identifying(label) {
				return refuse(field, "%q contains this machine's host name", text)
			}
		}
		return nil
	})
}

// isNotExist reports whether err says that a file is absent.
func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
