package dump

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"codeberg.org/sbinet/npyio/npy"
	"codeberg.org/sbinet/npyio/npz"
	"github.com/nlpodyssey/safetensors"
)

// MaxBytes bounds what is read of a file, what an archive unpacks to, and the numbers of all arrays together as they are
// held, eight bytes each: a file of a few megabytes may unpack to more than a machine has.
const MaxBytes = 4 << 30

const (
	maxEntries = MaxBytes / 8
	maxAxes    = 32      // of an array; NumPy had no more for decades
	maxHeader  = 1 << 20 // bytes before the numbers of a .npy, which has some hundred
)

// Read reads a file. What it is is decided by its first bytes and, for CSV, by its name; the arrays of a .npy file and
// of a table without names of arrays are called by the file's name without its end.
func Read(file string) (*File, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, refuse(file, "", "%v", cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, refuse(file, "", "%v", cause(err))
	case info.IsDir():
		return nil, refuse(file, "", "a folder; name its files")
	case info.Size() == 0:
		return nil, refuse(file, "", "empty")
	case info.Size() > MaxBytes:
		return nil, refuse(file, "", "%d bytes, more than the %d that are read", info.Size(), int64(MaxBytes))
	}
	var start [8]byte
	n, err := f.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, refuse(file, "", "%v", cause(err))
	}
	out := &File{Name: file, Arrays: map[string]*Array{}}
	head := start[:n]
	switch {
	case bytes.HasPrefix(head, npy.Magic[:]):
		base := filepath.Base(file)
		out.Arrays[strings.TrimSuffix(base, filepath.Ext(base))], err = out.readNPY("", f, info.Size())
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		err = out.readNPZ(f, info.Size())
	case pickled(head):
		err = errPickle(file, "")
	case strings.EqualFold(filepath.Ext(file), ".csv"):
		err = out.readCSV(f)
	case n == 8 && n64(head) < uint64(info.Size()) && second(f) == '{' || strings.EqualFold(filepath.Ext(file), ".safetensors"):
		err = out.readSafetensors(f, info.Size())
	default:
		err = refuse(file, "", "neither .npy, .npz, safetensors nor .csv")
	}
	if err != nil {
		return nil, err
	}
	for _, name := range out.Names() {
		if err := out.Arrays[name].finite(file, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// cause leaves out what the caller says: the operation and the file.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func n64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }

// second is the ninth byte, where the header of safetensors begins.
func second(f io.ReaderAt) byte {
	var b [1]byte
	_, _ = f.ReadAt(b[:], 8)
	return b[0]
}

// pickled tells whether a file starts as a Python pickle of protocol 2 to 5 does.
func pickled(head []byte) bool {
	return len(head) > 1 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5
}

func errPickle(file, array string) *Error {
	return refuse(file, array, "a Python pickle, which can run any code when it is read: it is not opened; write .npz or safetensors instead")
}

// recovered turns a panic of a reader into an error: the libraries check less than a damaged file asks for.
func recovered(file, array string, err *error) {
	if r := recover(); r != nil {
		*err = refuse(file, array, "damaged: %v", r)
	}
}

// readNPY reads an array that takes at most size bytes, its header included.
func (f *File) readNPY(name string, from io.Reader, size int64) (a *Array, err error) {
	file := f.Name
	defer recovered(file, name, &err)
	ahead := bufio.NewReaderSize(from, 1<<16)
	// The package takes the header's length at its word, which may be four gigabytes.
	if start, err := ahead.Peek(12); err == nil && start[6] > 1 && binary.LittleEndian.Uint32(start[8:]) > maxHeader {
		return nil, refuse(file, name, "no NumPy array: a header of %d bytes", binary.LittleEndian.Uint32(start[8:]))
	}
	counted := &counter{r: ahead}
	r, err := npy.NewReader(counted)
	if err != nil {
		return nil, refuse(file, name, "no NumPy array: %v", err)
	}
	descr := strings.Trim(r.Header.Descr.Type, "'")
	shape := append([]int(nil), r.Header.Descr.Shape...)
	if strings.Contains(descr, "O") {
		return nil, errPickle(file, name)
	}
	width, ok := map[string]int64{"b1": 1, "i1": 1, "u1": 1, "i2": 2, "u2": 2, "f2": 2, "i4": 4, "u4": 4, "f4": 4, "i8": 8, "u8": 8, "f8": 8}[strings.TrimLeft(descr, "<>|=")]
	if !ok {
		return nil, refuse(file, name, "entries of type %s, want whole or floating-point numbers", descr)
	}
	entries, err := f.count(name, shape)
	if err != nil {
		return nil, err
	}
	if left := size - counted.n; entries*width > left {
		return nil, refuse(file, name, "cut short: %v entries of %d bytes take %d bytes, %d are left", shape, width, entries*width, left)
	} else if entries*width < left {
		return nil, refuse(file, name, "%d bytes too many behind the array", left-entries*width)
	}
	a = &Array{Shape: shape}
	if entries == 0 {
		return nil, refuse(file, name, "no entries: shape %v", shape)
	}
	if a.Data, err = numbers(r, strings.TrimLeft(descr, "<>|="), strings.HasPrefix(descr, ">"), counted, int(entries)); err != nil {
		return nil, refuse(file, name, "cut short: %v", err)
	}
	if r.Header.Descr.Fortran && len(shape) > 1 {
		a.Data = rowMajor(a.Data, shape)
	}
	return a, nil
}

// count is the number of entries of a shape that a file may have.
func (f *File) count(name string, shape []int) (int64, error) {
	n := int64(1)
	if len(shape) > maxAxes {
		return 0, refuse(f.Name, name, "%d axes, more than %d", len(shape), maxAxes)
	}
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt64/int64(d) {
			return 0, refuse(f.Name, name, "impossible shape %v", shape)
		}
		n *= int64(d)
	}
	if n > maxEntries-f.entries {
		return 0, refuse(f.Name, name, "impossible shape %v: with it the file has more than the %d numbers that are held", shape, int64(maxEntries))
	}
	f.entries += n
	return n, nil
}

// numbers reads entries of a type. NumPy's half precision is no type of the library.
func numbers(r *npy.Reader, kind string, big bool, raw io.Reader, n int) ([]float64, error) {
	switch kind {
	case "b1":
		return wide[uint8](raw, n, false)
	case "i1":
		return converted[int8](r, n)
	case "u1":
		return converted[uint8](r, n)
	case "i2":
		return converted[int16](r, n)
	case "u2":
		return converted[uint16](r, n)
	case "i4":
		return converted[int32](r, n)
	case "u4":
		return converted[uint32](r, n)
	case "i8":
		return converted[int64](r, n)
	case "u8":
		return converted[uint64](r, n)
	case "f4":
		return converted[float32](r, n)
	case "f8":
		v := make([]float64, n)
		return v, r.Read(&v)
	}
	v, err := wide[uint16](raw, n, big)
	for i, x := range v {
		v[i] = half(uint16(x))
	}
	return v, err
}

type number interface {
	~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32
}

func converted[T number](r *npy.Reader, n int) ([]float64, error) {
	v := make([]T, n)
	if err := r.Read(&v); err != nil {
		return nil, err
	}
	out := make([]float64, n)
	for i, x := range v {
		out[i] = float64(x)
	}
	return out, nil
}

// wide reads raw entries.
func wide[T number](r io.Reader, n int, big bool) ([]float64, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	v := make([]T, n)
	if err := binary.Read(r, order, v); err != nil {
		return nil, err
	}
	out := make([]float64, n)
	for i, x := range v {
		out[i] = float64(x)
	}
	return out, nil
}

// half is the value of a number of IEEE 754's binary16: sign, 5 bits of exponent, 10 of significand.
func half(b uint16) float64 {
	exponent, fraction := int(b>>10&0x1f), float64(b&0x3ff)
	v := math.Ldexp(fraction, -24)
	switch {
	case exponent == 0x1f && fraction == 0:
		v = math.Inf(1)
	case exponent == 0x1f:
		return math.NaN()
	case exponent > 0:
		v = math.Ldexp(fraction+1024, exponent-25)
	}
	if b&0x8000 != 0 {
		return -v
	}
	return v
}

// rowMajor reorders an array whose first axis is contiguous.
func rowMajor(v []float64, shape []int) []float64 {
	out := make([]float64, len(v))
	at := make([]int, len(shape))
	for _, x := range v {
		i := 0
		for k, d := range shape {
			i = i*d + at[k]
		}
		out[i] = x
		for k := range at { // the first axis runs fastest
			if at[k]++; at[k] < shape[k] {
				break
			}
			at[k] = 0
		}
	}
	return out
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// readNPZ reads an archive of .npy members.
func (f *File) readNPZ(from io.ReaderAt, size int64) (err error) {
	defer recovered(f.Name, "", &err)
	z, err := zip.NewReader(from, size)
	if err != nil {
		return refuse(f.Name, "", "a damaged or cut .npz: %v", err)
	}
	total := uint64(0)
	sizes := map[string]int64{}
	for _, m := range z.File {
		if strings.HasSuffix(m.Name, "data.pkl") || strings.HasSuffix(m.Name, ".pkl") {
			return errPickle(f.Name, "")
		}
		if !strings.HasSuffix(m.Name, ".npy") {
			return refuse(f.Name, m.Name, "no .npy: this is no archive of NumPy arrays")
		}
		if total += m.UncompressedSize64; total > MaxBytes {
			return refuse(f.Name, "", "unpacks to more than the %d bytes that are read", int64(MaxBytes))
		}
		sizes[m.Name] = int64(m.UncompressedSize64)
	}
	r, err := npz.NewReader(from, size)
	if err != nil {
		return refuse(f.Name, "", "%v", err)
	}
	for _, member := range r.Keys() {
		name := strings.TrimSuffix(member, ".npy")
		if f.Arrays[name] != nil {
			return refuse(f.Name, name, "occurs twice")
		}
		in, err := r.Open(member)
		if err != nil {
			return refuse(f.Name, name, "%v", err)
		}
		a, err := f.readNPY(name, in, sizes[member])
		if e := in.Close(); err == nil && e != nil {
			err = refuse(f.Name, name, "%v", e)
		}
		if err != nil {
			return err
		}
		f.Arrays[name] = a
	}
	if len(f.Arrays) == 0 {
		return refuse(f.Name, "", "an archive without arrays")
	}
	return nil
}

// readSafetensors reads a file of safetensors.
func (f *File) readSafetensors(from io.Reader, size int64) (err error) {
	defer recovered(f.Name, "", &err)
	text := make([]byte, size)
	if _, err := io.ReadFull(from, text); err != nil {
		return refuse(f.Name, "", "%v", err)
	}
	s, err := safetensors.Deserialize(text)
	if err != nil {
		return refuse(f.Name, "", "damaged or cut safetensors: %v", err)
	}
	for _, t := range s.Tensors() {
		v := t.TensorView
		shape := make([]int, len(v.Shape()))
		for i, d := range v.Shape() {
			if d > math.MaxInt32 {
				return refuse(f.Name, t.Name, "impossible shape %v", v.Shape())
			}
			shape[i] = int(d)
		}
		n, err := f.count(t.Name, shape)
		if err != nil {
			return err
		}
		if got := int64(len(v.Data())) / int64(max(v.DType().Size(), 1)); n == 0 {
			return refuse(f.Name, t.Name, "no entries: shape %v", shape)
		} else if got != n {
			return refuse(f.Name, t.Name, "%d numbers for the shape %v", got, shape)
		}
		data, err := decoded(v.DType(), v.Data())
		if err != nil {
			return refuse(f.Name, t.Name, "%v", err)
		}
		f.Arrays[t.Name] = &Array{shape, data}
	}
	if len(f.Arrays) == 0 {
		return refuse(f.Name, "", "no tensors")
	}
	return nil
}

// decoded turns little-endian entries into numbers.
func decoded(t safetensors.DType, b []byte) ([]float64, error) {
	r := bytes.NewReader(b)
	n := len(b) / int(max(t.Size(), 1))
	switch t {
	case safetensors.F64:
		v := make([]float64, n)
		return v, binary.Read(r, binary.LittleEndian, v)
	case safetensors.F32:
		return wide[float32](r, n, false)
	case safetensors.BF16:
		v, err := wide[uint16](r, n, false)
		for i, x := range v { // the upper half of a float32
			v[i] = float64(math.Float32frombits(uint32(x) << 16))
		}
		return v, err
	case safetensors.F16:
		v, err := wide[uint16](r, n, false)
		for i, x := range v {
			v[i] = half(uint16(x))
		}
		return v, err
	case safetensors.I64:
		return wide[int64](r, n, false)
	case safetensors.I32:
		return wide[int32](r, n, false)
	case safetensors.U8, safetensors.BOOL:
		return wide[uint8](r, n, false)
	}
	return nil, fmt.Errorf("entries of type %v, want F64, F32, F16, BF16, I64, I32, U8 or BOOL", t)
}
