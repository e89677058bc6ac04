package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"stopgrad/internal/ledger"
)

// The files of an output folder.
const (
	LedgerFile  = "ledger.json"
	PartialFile = "ledger.partial.json"
)

// Identity identifies an audit for the purpose of going on with it: what it is a digest of decides every
// verdict. The program's own bytes are in it, so that a changed program starts afresh.
func Identity(o Options) (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	exe, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	defer exe.Close()
	h := sha256.New()
	if _, err := io.Copy(h, exe); err != nil {
		return "", fmt.Errorf("audit: %w", err)
	}
	fmt.Fprintf(h, "%s %d %v", o.Sources, o.Seed, o.Depth)
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// ReadPartial returns the claims that an interrupted audit of the given identity left in the folder, or none
// if there is no partial ledger or it is that of another audit. A partial ledger that cannot be read is an
// error.
func ReadPartial(dir, identity string) (map[string]ledger.Claim, error) {
	l, err := ledger.ReadFile(filepath.Join(dir, PartialFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if l.Summary.Resume != identity {
		return nil, nil
	}
	out := map[string]ledger.Claim{}
	for _, c := range l.Claims {
		out[c.ID] = c
	}
	return out, nil
}

// WritePartial writes the ledger so far into the folder.
func WritePartial(dir, identity string, l *ledger.Ledger) error {
	p := *l
	p.Summary.Complete, p.Summary.Resume = false, identity
	return p.WriteFile(filepath.Join(dir, PartialFile))
}

// WriteFinal writes the ledger of a finished audit into the folder and removes the partial one.
func WriteFinal(dir string, l *ledger.Ledger) error {
	if err := l.WriteFile(filepath.Join(dir, LedgerFile)); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, PartialFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
