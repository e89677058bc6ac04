package data

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxMemberBytes is the largest file read: unlabeled_X.bin of STL-10 has
// 100 000·96·96·3 = 2 764 800 000 bytes, and nothing else comes near it.
const maxMemberBytes = 3 << 30

// member is one regular file of a folder or of a tar archive.
type member struct {
	name string // path below the root, with slashes
	file string // the name for error messages
	size int64
	r    io.Reader
	at   func() int64 // bytes of the outer file consumed so far
	root string       // outer file of an archive, empty in a folder
}

// read returns the whole member.
func (m *member) read() ([]byte, error) {
	if m.size > maxMemberBytes {
		return nil, fileErrorf(m.file, maxMemberBytes, "file of %d bytes, want at most %d", m.size, int64(maxMemberBytes))
	}
	// The size is a promise of the archive's header: the memory grows only as
	// data arrive.
	b := make([]byte, 0, min(m.size, 1<<20))
	var err error
	for err == nil && int64(len(b)) < m.size {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(m.size, 2*int64(cap(b)))), b...)
		}
		var n int
		n, err = m.r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
	}
	n := len(b)
	if int64(n) == m.size {
		err = nil // the reader may report the end together with the last bytes
	}
	switch {
	case err == nil:
		return b, nil
	case m.root != "":
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fileErrorf(m.root, m.at(), "the archive breaks off or is damaged inside %s, after %d of its %d bytes (%v)", m.name, n, m.size, err)
	default:
		return nil, fileErrorf(m.file, int64(n), "cannot read on: %v", err)
	}
}

// countingReader counts the bytes taken from an outer file. It is an
// io.ByteReader, so that decompression takes no byte it does not use.
type countingReader struct {
	r *bufio.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *countingReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// tarBlock is the unit of a tar archive: headers fill one, contents are padded to it.
const tarBlock = 512

// tally counts the bytes read from r.
type tally struct {
	r io.Reader
	n int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.n += int64(n)
	return n, err
}

// walk visits the regular files below root, a folder or a tar archive,
// compressed with gzip or not, in no promised order. Files whose name begins
// with a dot, and what lies in folders named so, are left out. Symbolic links
// to files are followed in a folder, not in an archive.
func walk(root string, visit func(m *member) error) error {
	info, err := os.Stat(root)
	if err != nil {
		return fmt.Errorf("data: %s: %v", root, errors.Unwrap(err))
	}
	if info.IsDir() {
		return walkFolder(root, visit)
	}
	return walkTar(root, visit)
}

func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

func walkFolder(root string, visit func(m *member) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && hidden(rel) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(p)
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		f, err := os.Open(p)
		if err != nil {
			return fmt.Errorf("data: %w", err)
		}
		defer f.Close()
		return visit(&member{name: rel, file: p, size: info.Size(), r: f})
	})
}

func walkTar(root string, visit func(m *member) error) error {
	f, err := os.Open(root)
	if err != nil {
		return fmt.Errorf("data: %w", err)
	}
	defer f.Close()
	outer := &countingReader{r: bufio.NewReaderSize(f, 1<<20)}
	var stream io.Reader = outer
	if magic, err := outer.r.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zr, err := gzip.NewReader(outer)
		if err != nil {
			return fileErrorf(root, outer.n, "not a gzip file: %v", err)
		}
		stream = zr
	}
	unpacked := &tally{r: stream}
	tr := tar.NewReader(unpacked)
	var end int64 // of the last member with its padding, in the unpacked archive
	for {
		h, err := tr.Next()
		if err == io.EOF {
			// archive/tar takes the end of the file for the end of the archive; a
			// whole archive has at least one block of zeros there.
			if unpacked.n < end+tarBlock {
				return fileErrorf(root, outer.n, "the archive breaks off: its end marker is missing")
			}
			break
		}
		if err != nil {
			return fileErrorf(root, outer.n, "not a folder, and not a whole tar or tar.gz archive: %v", err)
		}
		name := path.Clean(h.Name)
		m := &member{name: name, file: root + "!" + name, size: h.Size, r: tr, at: func() int64 { return outer.n }, root: root}
		if h.Typeflag == tar.TypeReg && !hidden(name) {
			if err := visit(m); err != nil {
				return err
			}
		}
		if n, err := io.Copy(io.Discard, tr); err != nil {
			return fileErrorf(root, outer.n, "the archive breaks off or is damaged inside %s, after %d of its %d bytes (%v)", name, n, h.Size, err)
		}
		end = (unpacked.n + tarBlock - 1) / tarBlock * tarBlock
	}
	// The end marker of a tar archive precedes gzip's checksum: read on to have it checked.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return fileErrorf(root, outer.n, "damaged after the last file: %v", err)
	}
	return nil
}

// collect reads the files below root whose base name is wanted, by base name.
// Every name of required must be there, once.
func collect(dataset, root string, required, optional []string) (map[string]*blob, error) {
	found := make(map[string]*blob)
	var seen []string
	err := walk(root, func(m *member) error {
		base := path.Base(m.name)
		if !slices.Contains(required, base) && !slices.Contains(optional, base) {
			if len(seen) < 4 {
				seen = append(seen, m.name)
			}
			return nil
		}
		if old, twice := found[base]; twice {
			return fmt.Errorf("data: %s: %s is there twice: %s and %s", root, base, old.file, m.file)
		}
		b, err := m.read()
		if err != nil {
			return err
		}
		found[base] = &blob{file: m.file, b: b}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range required {
		if found[name] == nil {
			other := ""
			if len(seen) > 0 {
				other = fmt.Sprintf("; other files there: %s", strings.Join(seen, ", "))
			}
			return nil, fmt.Errorf("data: %s: %s is missing: %s needs %s%s", root, name, dataset, strings.Join(required, ", "), other)
		}
	}
	return found, nil
}

// blob is the content of a file and its name for error messages.
type blob struct {
	file string
	b    []byte
}

// lines returns the non-empty lines of b.
func (b *blob) lines() []string {
	var out []string
	for line := range strings.Lines(string(b.b)) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// records checks that the file holds exactly want records of size bytes.
func (b *blob) records(size, want int) error {
	have, need := int64(len(b.b)), int64(size)*int64(want)
	switch {
	case have < need:
		whole := have / int64(size)
		return fileErrorf(b.file, have, "the file ends inside record %d of %d, which begins at byte %d: %d bytes, want %d·%d = %d",
			whole, want, whole*int64(size), have, want, size, need)
	case have > need:
		return fileErrorf(b.file, need, "%d bytes after the last of %d records: %d bytes, want %d·%d = %d", have-need, want, have, want, size, need)
	}
	return nil
}
