package data

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// wantFileError fails unless err is a FileError of that file and offset whose
// reason contains reason.
func wantFileError(t *testing.T, err error, file string, offset int64, reason string) {
	t.Helper()
	var fe *FileError
	if !errors.As(err, &fe) {
		t.Fatalf("error %v, want a FileError", err)
	}
	if !strings.HasSuffix(fe.File, file) || fe.Offset != offset || !strings.Contains(fe.Reason, reason) {
		t.Errorf("error %q, want file …%s, byte %d, reason …%s…", err, file, offset, reason)
	}
	if !strings.HasPrefix(err.Error(), "data: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q, want one line that starts with the package", err)
	}
}

func TestDigitsAreWhatDataMdSays(t *testing.T) {
	train, test, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 1400 || test.Len() != 397 {
		t.Fatalf("split %d/%d, want 1400/397", train.Len(), test.Len())
	}
	// Images of each digit, from the data set's own description (optdigits.names, test part).
	want := []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}
	got := train.ClassCounts()
	for k, n := range test.ClassCounts() {
		got[k] += n
	}
	if !slices.Equal(got, want) {
		t.Errorf("images of each digit %v, want %v", got, want)
	}
	if m := slices.Max(train.Pixels); m != train.White {
		t.Errorf("brightest pixel %d, white is %d", m, train.White)
	}
	for _, s := range []*Set{train, test} {
		if err := s.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestDigitsSplitIsAPartition(t *testing.T) {
	all, err := decodeDigits(digitsGz, digitsSHA256)
	if err != nil {
		t.Fatal(err)
	}
	train, test, err := Digits()
	if err != nil {
		t.Fatal(err)
	}
	key := func(s *Set, i int) string { return string(s.Image(i).Pixels) + string(rune('0'+s.Labels[i])) }
	count := map[string]int{}
	for i := range all.Len() {
		count[key(all, i)]++
	}
	for _, s := range []*Set{train, test} {
		for i := range s.Len() {
			count[key(s, i)]--
		}
	}
	for k, n := range count {
		if n != 0 {
			t.Fatalf("an image labelled %c is in the file %d times more than in the split", k[len(k)-1], n)
		}
	}
}

func digitsText(t *testing.T) []byte {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(digitsGz))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDamagedDigitsAreRefusedWithTheByte(t *testing.T) {
	text := digitsText(t)
	second := int64(bytes.IndexByte(text, '\n') + 1)
	edit := func(at int64, with string) []byte {
		return slices.Concat(text[:at], []byte(with), text[at+int64(len(with)):])
	}
	for _, c := range []struct {
		name   string
		text   []byte
		offset int64
		reason string
	}{
		{"pixel of 99", slices.Concat(text[:second], []byte("99"), text[second+1:]), second, "line 2, field 1: pixel 99"},
		{"letter", edit(second, "x"), second, "line 2, field 1: want a number"},
		{"missing comma", edit(second+1, ";"), second + 1, `want ',' after the number`},
		{"a field too many", slices.Concat(text[:second-1], []byte(",3"), text[second-1:]), second - 1, `line 1, field 65: want '\n'`},
		{"label of 11", slices.Concat(text[:second-2], []byte("11"), text[second-1:]), second - 2, "line 1: label 11"},
		{"cut inside a line", text[:second+7], second + 7, "line 2"},
		{"cut between lines", text[:second], second, "1 images, want 1797"},
		{"empty", nil, 0, "0 images"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := parseDigits(c.text)
			if set != nil {
				t.Error("a set came back with the error")
			}
			wantFileError(t, err, "digits.csv", c.offset, c.reason)
		})
	}
}

func TestDigitsHashSeesOneBit(t *testing.T) {
	gz := slices.Clone(digitsGz)
	gz[len(gz)/2] ^= 1
	_, err := decodeDigits(gz, digitsSHA256)
	wantFileError(t, err, digitsFile, 0, "SHA-256")

	// A damaged file whose hash is right: the decompression finds it.
	sum := sha256.Sum256(gz)
	if _, err := decodeDigits(gz, hex.EncodeToString(sum[:])); err == nil {
		t.Error("a damaged gzip file was read")
	}
}

func TestSetHashSeesEveryField(t *testing.T) {
	base := func() *Set {
		return &Set{H: 1, W: 2, C: 1, White: 9, Classes: []string{"a", "b"}, Labels: []int{0, 1}, Pixels: []uint8{1, 2, 3, 4}}
	}
	want := base().SHA256()
	if base().SHA256() != want {
		t.Fatal("the hash of one set differs between calls")
	}
	for name, change := range map[string]func(*Set){
		"shape":   func(s *Set) { s.H, s.W = 2, 1 },
		"white":   func(s *Set) { s.White = 8 },
		"classes": func(s *Set) { s.Classes = []string{"ab", ""} },
		"labels":  func(s *Set) { s.Labels[1] = 0 },
		"pixels":  func(s *Set) { s.Pixels[3] = 5 },
	} {
		s := base()
		change(s)
		if s.SHA256() == want {
			t.Errorf("the hash does not see a change of %s", name)
		}
	}
}

func TestSetCheckRefusesInconsistentSets(t *testing.T) {
	good := Set{H: 1, W: 2, C: 1, White: 9, Classes: []string{"a"}, Labels: []int{0, Unlabelled}, Pixels: make([]uint8, 4)}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Set){
		"no height":    func(s *Set) { s.H = 0 },
		"no white":     func(s *Set) { s.White = 0 },
		"pixel count":  func(s *Set) { s.Pixels = s.Pixels[:3] },
		"label range":  func(s *Set) { s.Labels = []int{0, 1} },
		"label below":  func(s *Set) { s.Labels = []int{0, -2} },
		"label number": func(s *Set) { s.Labels = []int{0} },
	} {
		s := good
		change(&s)
		if s.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
