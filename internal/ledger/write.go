package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes the ledger to a file, atomically: a reader finds the old file or the new one, never a part
// of it, and a failure leaves the old one.
func (l *Ledger) WriteFile(path string) error {
	data, err := l.Encode()
	if err != nil {
		return err
	}
	return WriteAtomically(path, data)
}

// WriteAtomically writes a file that a reader finds old or new, never in part.
func WriteAtomically(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("ledger: %s cannot be written: %w", path, reason(err))
	}
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err == nil {
		err = tmp.Sync()
	}
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return fmt.Errorf("ledger: %s cannot be written: %w", path, reason(err))
	}
	return nil
}

// PrepareFolder makes a folder for ledgers if there is none and checks that files can be written to it, so
// that an audit does not run for nothing.
func PrepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("ledger: the folder %s cannot be made: %w", dir, reason(err))
	}
	probe, err := os.CreateTemp(dir, ".writable.*")
	if err != nil {
		return fmt.Errorf("ledger: the folder %s cannot be written to: %w", dir, reason(err))
	}
	probe.Close()
	os.Remove(probe.Name())
	return nil
}

// reason strips the operation and the path, which the message already names.
func reason(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}
