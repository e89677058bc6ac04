package fuzz_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stopgrad/fuzz/campaign"
	"stopgrad/props/shrink"
)

// results is what the machine needs of a store of finished tiles.
type results interface {
	Done(tile int) ([]byte, bool)
	Append(tile int, payload []byte) error
	Close() error
}

// opener opens the store in a folder and tells how many damaged lines it found.
type opener func(dir string, header []byte) (results, int, error)

func openCampaign(dir string, header []byte) (results, int, error) {
	s, err := campaign.Open(dir, header)
	if err != nil {
		return nil, 0, err
	}
	return s, s.Dropped, nil
}

// The store's files, as the documentation of package campaign names them.
const (
	storeHeader = "campaign.json"
	storeLog    = "tiles.log"
)

// entry is a line of the log as the model remembers it.
type entry struct {
	tile    int
	payload string
	length  int64 // in bytes, with its line break
}

// storeMachine interrupts a store at random: processes die between and within writes, a disk turns a bit, a stranger
// leaves a file. What was finished stays finished and nothing else is.
func storeMachine(open opener) func(*rapid.T) {
	return func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "store")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		header := []byte(`{"claim": "thm1", "tiles": 12}`)
		log := filepath.Join(dir, storeLog)
		var s results
		var model []entry
		reopen := func(t *rapid.T, damaged bool) {
			if s != nil {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			var dropped int
			if s, dropped, err = open(dir, header); err != nil {
				t.Fatal(err)
			}
			if (dropped > 0) != damaged {
				t.Fatalf("%d damaged lines found where damaged is %v", dropped, damaged)
			}
		}
		reopen(t, false)
		defer func() { s.Close() }()
		size := func() (n int64) {
			for _, e := range model {
				n += e.length
			}
			return n
		}
		finished := func(tile int) (string, bool) {
			for _, e := range model {
				if e.tile == tile {
					return e.payload, true
				}
			}
			return "", false
		}
		damage := func(t *rapid.T, f func(text []byte) []byte) {
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(log, f(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		const tiles = 12
		t.Repeat(map[string]func(*rapid.T){
			"finish a tile": func(t *rapid.T) {
				tile := rapid.IntRange(0, tiles-1).Draw(t, "tile")
				if _, done := finished(tile); done {
					t.Skip("no unfinished tile: this one is done")
				}
				payload := rapid.StringMatching(`[0-9a-f ":{},.]{0,40}`).Draw(t, "payload")
				before := size()
				if err := s.Append(tile, []byte(payload)); err != nil {
					t.Fatal(err)
				}
				info, err := os.Stat(log)
				if err != nil {
					t.Fatal(err)
				}
				model = append(model, entry{tile, payload, info.Size() - before})
			},
			"close and open": func(t *rapid.T) { reopen(t, false) },
			"die within a write": func(t *rapid.T) {
				n := size()
				if n == 0 {
					t.Skip("no log yet: nothing is written")
				}
				cut := rapid.Int64Range(0, n).Draw(t, "bytes left")
				damage(t, func(text []byte) []byte { return text[:cut] })
				var kept []entry
				var at int64
				for _, e := range model {
					if at += e.length; at <= cut {
						kept = append(kept, e)
					}
				}
				model = kept
				reopen(t, size() != cut)
			},
			"die in the middle of a line": func(t *rapid.T) {
				half := rapid.StringMatching(`[0-9a-f ]{1,30}`).Draw(t, "half a line")
				damage(t, func(text []byte) []byte { return append(text, half...) })
				reopen(t, true)
			},
			"turn a bit": func(t *rapid.T) {
				n := size()
				if n == 0 {
					t.Skip("no log yet: nothing is written")
				}
				at, bit := rapid.Int64Range(0, n-1).Draw(t, "byte"), rapid.IntRange(0, 7).Draw(t, "bit")
				var was byte
				damage(t, func(text []byte) []byte {
					was = text[at]
					text[at] ^= 1 << bit
					return text
				})
				// The line is lost, and with its line break the next line too. A letter of a hexadecimal checksum in capitals
				// says the same.
				const capital, checksum = 5, 8
				broken := was == '\n'
				harmless := bit == capital && was >= 'a' && was <= 'f'
				var kept []entry
				var from int64
				lost := false
				for _, e := range model {
					if at >= from && at < from+checksum && harmless {
						reopen(t, false)
						return
					}
					hit := from <= at && at < from+e.length
					from += e.length
					if hit || lost && broken {
						lost = hit
						continue
					}
					lost = false
					kept = append(kept, e)
				}
				model = kept
				reopen(t, true)
			},
			"a stranger's file": func(t *rapid.T) {
				name := rapid.SampledFrom([]string{"." + storeLog + ".123", "." + storeHeader + ".9", "notes.txt"}).Draw(t, "name")
				if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o644); err != nil {
					t.Fatal(err)
				}
				reopen(t, false)
			},
			"ask for another campaign": func(t *rapid.T) {
				before, err := os.ReadFile(log)
				if err != nil {
					t.Fatal(err)
				}
				if other, _, err := open(dir, []byte(`{"claim": "thm2"}`)); err == nil {
					other.Close()
					t.Fatal("another campaign is opened in the same folder")
				}
				if after, err := os.ReadFile(log); err != nil || !bytes.Equal(before, after) {
					t.Fatal("refusing another campaign changed the log")
				}
			},
			"": func(t *rapid.T) {
				for tile := range tiles {
					want, done := finished(tile)
					got, is := s.Done(tile)
					if is != done || string(got) != want {
						t.Fatalf("tile %d: %q %v, want %q %v", tile, got, is, want, done)
					}
				}
			},
		})
	}
}

// Whatever interrupts it, a campaign's store has the results of the tiles that were finished, and no others.
func TestStoreSurvivesInterruption(t *testing.T) {
	rapidly(t, "25", storeMachine(openCampaign))
}

// plainStore is the obvious store, one line of text per tile, without what makes a log safe.
type plainStore struct {
	f    *os.File
	done map[int][]byte
}

// openPlain opens a store without checksums; strict drops a last line that was not ended.
func openPlain(strict bool) opener {
	return func(dir string, header []byte) (results, int, error) {
		path := filepath.Join(dir, storeHeader)
		if old, err := os.ReadFile(path); errors.Is(err, os.ErrNotExist) {
			if err := os.WriteFile(path, header, 0o644); err != nil {
				return nil, 0, err
			}
		} else if err != nil || !bytes.Equal(old, header) {
			return nil, 0, errors.New("another campaign")
		}
		s := &plainStore{done: map[int][]byte{}}
		log := filepath.Join(dir, storeLog)
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, 0, err
		}
		dropped := 0
		if end := bytes.LastIndexByte(text, '\n') + 1; strict && end < len(text) {
			dropped = 1
			text = text[:end]
			if err := os.WriteFile(log, text, 0o644); err != nil {
				return nil, 0, err
			}
		}
		for _, line := range strings.Split(string(text), "\n") {
			var tile int
			if n, _ := fmt.Sscanf(line, "%d", &tile); n == 1 {
				_, payload, _ := strings.Cut(line, " ")
				s.done[tile] = []byte(payload)
			}
		}
		s.f, err = os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		return s, dropped, err
	}
}

func (s *plainStore) Done(tile int) ([]byte, bool) { p, ok := s.done[tile]; return p, ok }

func (s *plainStore) Append(tile int, payload []byte) error {
	s.done[tile] = payload
	_, err := fmt.Fprintf(s.f, "%d %s\n", tile, payload)
	return err
}

func (s *plainStore) Close() error { return s.f.Close() }

// The machine finds what is wrong with stores without checksums, with and without care for the last line.
func TestStoreMachineFindsUnsafeStores(t *testing.T) {
	for _, strict := range []bool{false, true} {
		failed, err := shrink.Falsify(60, 1, time.Millisecond, storeMachine(openPlain(strict)))
		if err != nil {
			t.Fatal(err)
		}
		if !failed {
			t.Errorf("a store without checksums (last line dropped: %v) passes", strict)
		}
	}
}
