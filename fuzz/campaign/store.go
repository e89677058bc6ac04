package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const (
	headerName = "campaign.json"
	logName    = "tiles.log"
)

// ErrOther is wrapped by the error of [Open] for a folder that holds another campaign.
var ErrOther = errors.New("campaign: the folder holds another campaign")

// Store is an open campaign. Its methods are for one goroutine.
type Store struct {
	dir  string
	log  *os.File
	done map[int][]byte
	// Dropped counts damaged or unfinished lines that were found on opening.
	Dropped int
}

// Open opens the store in dir, or makes one, for the campaign that header describes, a JSON text. A store of
// another header is left untouched, and the error wraps ErrOther.
func Open(dir string, header []byte) (*Store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("campaign: %w", err)
	}
	path := filepath.Join(dir, headerName)
	switch old, err := os.ReadFile(path); {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Join(dir, logName)); err == nil {
			return nil, fmt.Errorf("%w: %s has %s and no %s", ErrOther, dir, logName, headerName)
		}
		if err := WriteFile(path, header); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("campaign: %w", err)
	case !bytes.Equal(bytes.TrimSpace(old), bytes.TrimSpace(header)):
		return nil, fmt.Errorf("%w: %s differs from what is asked for%s", ErrOther, path, firstDifference(old, header))
	}
	s := &Store{dir: dir, done: map[int][]byte{}}
	if err := s.load(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, logName), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("campaign: %w", err)
	}
	s.log = f
	return s, nil
}

// firstDifference shows the first line in which two headers differ.
func firstDifference(old, new []byte) string {
	a, b := bytes.Split(bytes.TrimSpace(old), []byte("\n")), bytes.Split(bytes.TrimSpace(new), []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(bytes.TrimSpace(a[i]), bytes.TrimSpace(b[i])) {
			return fmt.Sprintf(": it has %s, asked for is %s", bytes.TrimRight(bytes.TrimSpace(a[i]), ","), bytes.TrimRight(bytes.TrimSpace(b[i]), ","))
		}
	}
	return ""
}

// load reads the log, drops what is damaged, and rewrites the file if there was any.
func (s *Store) load() error {
	path := filepath.Join(s.dir, logName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	var good []byte
	s.Dropped = read(text, func(name string, payload, line []byte) bool {
		tile, err := strconv.Atoi(name)
		if err != nil || tile < 0 {
			return false
		}
		if _, twice := s.done[tile]; !twice {
			s.done[tile] = payload
			good = append(append(good, line...), '\n')
		}
		return true
	})
	if s.Dropped == 0 {
		return nil
	}
	return WriteFile(path, good)
}

// Done returns the result of a tile, if it is finished.
func (s *Store) Done(tile int) ([]byte, bool) {
	p, ok := s.done[tile]
	return p, ok
}

// Append records the result of a tile, a text without line breaks, by one write.
func (s *Store) Append(tile int, payload []byte) error {
	line := sealed(strconv.Itoa(tile), payload)
	if _, err := s.log.Write(line); err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	s.done[tile] = bytes.Clone(payload)
	return nil
}

// Close flushes the log to the disk.
func (s *Store) Close() error {
	return errors.Join(s.log.Sync(), s.log.Close())
}

// WriteFile writes a file whole or not at all: to a temporary file in the same folder, renamed when it is on
// the disk.
func WriteFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("campaign: %w", err)
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
