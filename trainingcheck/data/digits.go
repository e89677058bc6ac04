package data

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"io"
	"sync"
)

// digitsGz is described in DATA.md.
//
//go:embed digits.csv.gz
var digitsGz []byte

// digitsSHA256 is the SHA-256 of digits.csv.gz, printed by sha256sum.
const digitsSHA256 = "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a"

const (
	digitsSide    = 8
	digitsWhite   = 16 // a pixel counts the inked points of a 4×4 block of the scan
	digitsCount   = 1797
	digitsTrain   = 1400
	digitsClasses = 10
	digitsFile    = "digits.csv.gz (embedded)"
)

// Digits returns the UCI optical recognition of handwritten digits (test part,
// 1797 images of 8×8), split into 1400 training and 397 test images.
//
// The split is one fixed random permutation, the same for every seed: writers
// follow one another in the file, so a split by position would put whole writers
// on one side. The sets are decoded once and shared: they must not be changed.
// An error means that the program's own copy is damaged.
func Digits() (train, test *Set, err error) {
	split, err := digitsOnce()
	return split[0], split[1], err
}

var digitsOnce = sync.OnceValues(func() (split [2]*Set, err error) {
	all, err := decodeDigits(digitsGz, digitsSHA256)
	if err != nil {
		return split, err
	}
	order := Key{Stream: StreamSplit}.Rand().Perm(all.Len())
	return [2]*Set{all.Subset(order[:digitsTrain]), all.Subset(order[digitsTrain:])}, nil
})

// decodeDigits checks the hash of gz and reads 65 integers a line: 64 pixels
// row by row, then the digit.
func decodeDigits(gz []byte, wantSHA256 string) (*Set, error) {
	if sum := sha256.Sum256(gz); hex.EncodeToString(sum[:]) != wantSHA256 {
		return nil, fileErrorf(digitsFile, 0, "SHA-256 is %x, want %s", sum, wantSHA256)
	}
	zr, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return nil, fileErrorf(digitsFile, 0, "%v", err)
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		return nil, fileErrorf(digitsFile, int64(len(text)), "%v", err)
	}
	return parseDigits(text)
}

// parseDigits reads the decompressed table; offsets of errors count its bytes.
func parseDigits(text []byte) (*Set, error) {
	const file = "digits.csv"
	set := &Set{H: digitsSide, W: digitsSide, C: 1, White: digitsWhite,
		Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
		Pixels:  make([]uint8, 0, digitsCount*digitsSide*digitsSide),
		Labels:  make([]int, 0, digitsCount)}
	const fields = digitsSide*digitsSide + 1
	pos := 0
	for pos < len(text) {
		for f := range fields {
			start, v := pos, 0
			for pos < len(text) && text[pos] >= '0' && text[pos] <= '9' && pos-start < 3 {
				v = 10*v + int(text[pos]-'0')
				pos++
			}
			if pos == start {
				return nil, fileErrorf(file, int64(start), "line %d, field %d: want a number", set.Len()+1, f+1)
			}
			end := byte(',')
			if f == fields-1 {
				end = '\n'
			}
			if pos == len(text) || text[pos] != end {
				return nil, fileErrorf(file, int64(pos), "line %d, field %d: want %q after the number", set.Len()+1, f+1, end)
			}
			pos++
			switch {
			case f < fields-1 && v > digitsWhite:
				return nil, fileErrorf(file, int64(start), "line %d, field %d: pixel %d, want 0 to %d", set.Len()+1, f+1, v, digitsWhite)
			case f < fields-1:
				set.Pixels = append(set.Pixels, uint8(v))
			case v >= digitsClasses:
				return nil, fileErrorf(file, int64(start), "line %d: label %d, want 0 to %d", set.Len()+1, v, digitsClasses-1)
			default:
				set.Labels = append(set.Labels, v)
			}
		}
	}
	if set.Len() != digitsCount {
		return nil, fileErrorf(file, int64(pos), "%d images, want %d", set.Len(), digitsCount)
	}
	return set, nil
}
