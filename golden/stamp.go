package golden

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stamp is the Stamp of the tree that this program was built from. The linker sets it, by
// -ldflags '-X stopgrad/golden.stamp=…'; a program built without has none and needs its sources to record.
var stamp string

// Stamped reports whether this program was built with a stamp, so that Collect works without the sources.
func Stamped() bool { return stamp != "" }

// moduleLine is the first line of the project's go.mod.
const moduleLine = "module stopgrad"

// Root returns the first of dir and the folders above it that is the project's root, and "" if there is none.
func Root(dir string) string {
	for dir = filepath.Clean(dir); ; dir = filepath.Join(dir, "..") {
		if f, err := os.Open(filepath.Join(dir, "go.mod")); err == nil {
			s := bufio.NewScanner(f)
			found := s.Scan() && strings.TrimSpace(s.Text()) == moduleLine
			f.Close()
			if found {
				return dir
			}
		}
		if abs, err := filepath.Abs(dir); err != nil || abs == filepath.Dir(abs) {
			return ""
		}
	}
}

// Separators of a stamp. Neither occurs in a commit, a hash, or a folder of this project.
const (
	stampPart   = ","
	stampFolder = "+"
	stampHash   = "="
)

// Stamp returns what a program copied away from its sources needs for Collect: the commit of the project at root, its
// dirtiness, and the hash of each set of kernels,
//
//	COMMIT,clean|dirty,FOLDER+FOLDER+…=HASH,…
//
// without spaces, so that it can be given to the linker. See Collect for the errors.
func Stamp(ctx context.Context, root string, kernels ...[]string) (string, error) {
	var parts []string
	for _, set := range kernels {
		p, err := Collect(ctx, root, set...)
		if err != nil {
			return "", err
		}
		if parts == nil {
			parts = []string{p.GitCommit, map[bool]string{true: "dirty", false: "clean"}[p.Dirty]}
		}
		for _, folder := range set {
			if strings.ContainsAny(folder, stampPart+stampFolder+stampHash+" ") {
				return "", fmt.Errorf("golden: stamp: folder %q has a separator in its name", folder)
			}
		}
		parts = append(parts, strings.Join(set, stampFolder)+stampHash+p.KernelsSHA256)
	}
	if parts == nil {
		return "", fmt.Errorf("golden: stamp: no kernels")
	}
	return strings.Join(parts, stampPart), nil
}

// readStamp fills commit, dirtiness and the hash of p.Kernels.
func (p *Provenance) readStamp(text string) error {
	if text == "" {
		return fmt.Errorf("golden: this program has neither the project's sources nor a stamp of them: run it in the project's root, or build it by trainingcheck/parity/build.sh")
	}
	parts := strings.Split(text, stampPart)
	if len(parts) < 3 || !commitPattern.MatchString(parts[0]) || parts[1] != "clean" && parts[1] != "dirty" || parts[0] == "none" && parts[1] == "clean" {
		return fmt.Errorf("golden: the stamp %q of this program is damaged", text)
	}
	for _, set := range parts[2:] {
		folders, sum, _ := strings.Cut(set, stampHash)
		if !isSHA256(sum) {
			return fmt.Errorf("golden: the stamp %q of this program is damaged", text)
		}
		if slices.Equal(strings.Split(folders, stampFolder), p.Kernels) {
			p.GitCommit, p.Dirty, p.KernelsSHA256 = parts[0], parts[1] == "dirty", sum
			return nil
		}
	}
	return fmt.Errorf("golden: the stamp of this program does not cover the sources %s", strings.Join(p.Kernels, ", "))
}
