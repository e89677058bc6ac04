package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"stopgrad/internal/ledger"
)

// The files of an output folder.
const (
	LedgerFile  = "ledger.json"
	PartialFile = "ledger.partial.json"
	// CertificateFolder holds a certificate for each word that rests on one.
	CertificateFolder = "certificates"
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

// OtherError says that a folder holds what another audit has left unfinished.
type OtherError struct {
	Path  string
	Found *ledger.Ledger
}

// Error says of which audit it is, and what can be done.
func (e *OtherError) Error() string {
	return fmt.Sprintf("audit: %s keeps %d claims of another audit that was cut short (depth %s, seed %d; other claims, depth, seed or program): finish that one, remove the file, or use another folder",
		e.Path, len(e.Found.Claims), e.Found.Depth, e.Found.Seed)
}

// ReadPartial returns the claims that an interrupted audit of the given identity left in the folder, or none
// if there is no partial ledger. A partial ledger that cannot be read is an error, and that of another audit an
// [*OtherError]: its claims may have taken hours.
func ReadPartial(dir, identity string) (map[string]ledger.Claim, error) {
	path := filepath.Join(dir, PartialFile)
	l, err := ledger.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if l.Summary.Resume != identity {
		return nil, &OtherError{path, l}
	}
	out := map[string]ledger.Claim{}
	for _, c := range l.Claims {
		out[c.ID] = c
	}
	return out, nil
}

// WritePartial writes the ledger so far into the folder, without its words: they are said again by the certificates. What
// the folder has of the same audit and the ledger has not is kept: claims that were not asked for this time, or that another
// process has finished.
func WritePartial(dir, identity string, l *ledger.Ledger) error {
	kept, err := ReadPartial(dir, identity)
	if err != nil {
		return err
	}
	p := *l
	p.Claims = slices.Clone(l.Claims)
	for _, id := range slices.Sorted(maps.Keys(kept)) {
		if l.Claim(id) == nil {
			p.Claims = append(p.Claims, kept[id])
		}
	}
	for i := range p.Claims {
		c := &p.Claims[i]
		c.Verdict = ledger.Undecided
		if c.Corrected != nil {
			c.Corrected = &ledger.Reading{Statement: c.Corrected.Statement, Verdict: ledger.Undecided}
		}
		c.Evidence, c.Twins = slices.Clone(c.Evidence), slices.Clone(c.Twins)
		for j := range c.Evidence {
			c.Evidence[j].Verdict = ledger.Undecided
		}
		for j := range c.Twins {
			c.Twins[j].Verdict = ledger.Undecided
		}
	}
	p.Summarise()
	p.Summary.Complete, p.Summary.Resume = false, identity
	return p.WriteFile(filepath.Join(dir, PartialFile))
}

// KeepCertificate writes a certificate into the folder, atomically.
func KeepCertificate(dir, name string, content []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return ledger.WriteAtomically(path, content)
}

// ReadCertificate reads a certificate of the folder. Names that lead out of the folder of certificates are refused.
func ReadCertificate(dir, name string) ([]byte, error) {
	if filepath.Dir(filepath.FromSlash(name)) != CertificateFolder || !filepath.IsLocal(filepath.FromSlash(name)) {
		return nil, fmt.Errorf("audit: %q is not the name of a certificate", name)
	}
	return os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
}

// WriteFinal writes the ledger of a finished audit into the folder and removes the partial one, unless that has claims of the
// same audit that were not asked for this time, or is of another audit.
func WriteFinal(dir, identity string, l *ledger.Ledger) error {
	if err := l.WriteFile(filepath.Join(dir, LedgerFile)); err != nil {
		return err
	}
	kept, err := ReadPartial(dir, identity)
	if errors.As(err, new(*OtherError)) {
		return nil
	}
	if err != nil {
		return err
	}
	for id := range kept {
		if l.Claim(id) == nil {
			return WritePartial(dir, identity, l)
		}
	}
	if err := os.Remove(filepath.Join(dir, PartialFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
