package campaign

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const resultsName = "results.log"

// Key is the address of a result: the digest of everything that it depends on.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		// Lengths keep the end of one part from passing for the start of the next.
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Results is a folder of results by the digest of what they depend on. It is one file that is only ever appended to, a
// line a result, by one write each: a process that is killed at any moment loses no finished result, several processes
// may share a folder, and whoever asks for the same thing again, in whatever campaign, finds it. A line that was cut short
// or damaged is passed over. Its methods may be called by several goroutines.
type Results struct {
	mu   sync.Mutex
	log  *os.File
	done map[string][]byte
	// Dropped counts damaged or unfinished lines that were found on opening.
	Dropped int
}

// OpenResults opens the results in dir, or makes them.
func OpenResults(dir string) (*Results, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("campaign: %w", err)
	}
	path := filepath.Join(dir, resultsName)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("campaign: %w", err)
	}
	r := &Results{done: map[string][]byte{}}
	cut := len(text) > 0 && text[len(text)-1] != '\n'
	r.Dropped = read(text, func(key string, payload, _ []byte) bool {
		r.done[key] = bytes.Clone(payload)
		return true
	})
	if r.log, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
		return nil, fmt.Errorf("campaign: %w", err)
	}
	if cut {
		// What is appended must not continue the line that was cut short.
		if _, err := r.log.WriteString("\n"); err != nil {
			return nil, errors.Join(fmt.Errorf("campaign: %w", err), r.log.Close())
		}
	}
	return r, nil
}

// Get returns the result under a key, if there is one.
func (r *Results) Get(key string) ([]byte, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.done[key]
	return p, ok
}

// Put records a result, a text without line breaks.
func (r *Results) Put(key string, payload []byte) error {
	line := sealed(key, payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.log.Write(line); err != nil {
		return fmt.Errorf("campaign: %w", err)
	}
	r.done[key] = bytes.Clone(payload)
	return nil
}

// Close flushes the results to the disk.
func (r *Results) Close() error { return errors.Join(r.log.Sync(), r.log.Close()) }
