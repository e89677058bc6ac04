package dump

import (
	"archive/zip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The files in testdata were written by NumPy 2.4.6 and by safetensors 0.7 with PyTorch 2.13.
func TestFilesOfOtherProgramsAreRead(t *testing.T) {
	eighths := make([]float64, 24)
	for i := range eighths {
		eighths[i] = float64(i) / 8
	}
	for file, want := range map[string]map[string]*Array{
		"z1.npy":        {"z1": {[]int{2, 3, 4}, eighths}},
		"fortran.npy":   {"fortran": {[]int{2, 3}, []float64{0, 1, 2, 3, 4, 5}}},
		"bigendian.npy": {"bigendian": {[]int{4}, []float64{0, 1, 2, 3}}},
		"half.npy":      {"half": {[]int{5}, []float64{1, -2, .5, math.Ldexp(1, -24), 65504}}},
		"numpy.npz":     {"z1": {[]int{2, 3, 4}, eighths}, "step": {[]int{2}, []float64{0, 100}}, "lr": {nil, []float64{.05}}},
		"torch.safetensors": {"predictor.weight": {[]int{4, 4}, []float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}},
			"projector.3.weight": {[]int{4, 2}, []float64{0, 1, 2, 3, 4, 5, 6, 7}}, "projector.3.bias": {[]int{4}, []float64{1, 1, 1, 1}}, "step": {nil, []float64{100}}},
	} {
		f, err := Read(filepath.Join("testdata", file))
		if err != nil {
			t.Error(err)
			continue
		}
		for name, a := range want {
			got := f.Arrays[name]
			if got == nil || !slices.Equal(got.Shape, a.Shape) || !slices.Equal(got.Data, a.Data) {
				t.Errorf("%s: %s is %+v, want %+v", file, name, got, a)
			}
		}
		if len(f.Arrays) != len(want) {
			t.Errorf("%s: %v", file, f.Names())
		}
	}
}

// sample are arrays of every number of axes.
func sample() map[string]*Array {
	return map[string]*Array{
		"lr": {nil, []float64{.1}}, "step": {[]int{2}, []float64{0, 1}}, "Wp": {[]int{2, 2}, []float64{1, 2, 3, -4e-300}},
		"z1": {[]int{2, 2, 3}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1. / 3}},
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, format := range Formats {
		file := filepath.Join(t.TempDir(), "a"+format)
		if err := Write(file, sample()); err != nil {
			t.Fatal(err)
		}
		f, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for name, a := range sample() {
			got := f.Arrays[name]
			if a.Shape == nil && format == ".safetensors" {
				a.Shape = []int{1} // it has no tensors without axes here
			}
			if got == nil || len(got.Shape) != len(a.Shape) || len(a.Shape) > 0 && !reflect.DeepEqual(got.Shape, a.Shape) || !slices.Equal(got.Data, a.Data) {
				t.Errorf("%s: %s is %+v, want %+v", format, name, got, a)
			}
		}
		again := filepath.Join(t.TempDir(), "b"+format)
		if err := Write(again, sample()); err != nil {
			t.Fatal(err)
		}
		one, _ := os.ReadFile(file)
		two, _ := os.ReadFile(again)
		if !slices.Equal(one, two) {
			t.Errorf("%s: two files of the same arrays differ", format)
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "a.pt"), sample()); err == nil || !strings.Contains(err.Error(), ".npz, .safetensors, .csv") {
		t.Errorf("%v", err)
	}
}

// refused reads a file of some content and wants an error in one line that has the words.
func refused(t *testing.T, name string, content []byte, words ...string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Read(file)
	var e *Error
	if !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%s: %v", name, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v; want %q", name, err, w)
		}
	}
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPicklesAreNotOpened: neither a pickle, nor a checkpoint of torch.save (an archive with a pickle), nor an array of
// objects, whatever they are called.
func TestPicklesAreNotOpened(t *testing.T) {
	// A pickle whose reading would make a file: GLOBAL posix.system, a string, REDUCE.
	marker := filepath.Join(t.TempDir(), "executed")
	code := []byte("\x80\x02cposix\nsystem\nX" + string([]byte{byte(len("touch " + marker)), 0, 0, 0}) + "touch " + marker + "\x85R.")
	refused(t, "model.pt", code, "pickle", "not opened")
	refused(t, "z1.npy", code, "pickle")
	refused(t, "objects.npy", content(t, "objects.npy"), "pickle", "not opened")
	file := filepath.Join(t.TempDir(), "x.npz")
	if err := writeArchive(file, map[string][]byte{"archive/data.pkl": code, "archive/data/0": {1, 2}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("a checkpoint of torch: %v", err)
	}
	if err := writeArchive(file, map[string][]byte{"z1.npy": content(t, "objects.npy")}); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("objects in an archive: %v", err)
	}
	if _, err := os.Stat(marker); err == nil {
		t.Error("the pickle was executed")
	}
}

// TestDamagedFilesAreRefused: cut at every length, with wrong shapes and sizes, and with values that are no numbers.
func TestDamagedFilesAreRefused(t *testing.T) {
	for _, name := range []string{"z1.npy", "numpy.npz", "torch.safetensors", "fortran.npy", "half.npy"} {
		whole := content(t, name)
		for n := range len(whole) {
			refused(t, name, whole[:n])
		}
		if name != "numpy.npz" { // an archive may have bytes behind it
			refused(t, name, append(slices.Clone(whole), 0))
		}
	}
	npy := content(t, "z1.npy")
	change := func(from, to string) []byte { return []byte(strings.Replace(string(npy), from, to, 1)) }
	refused(t, "a.npy", npy[:len(npy)-4], "cut short", "96 bytes", "92 are left")
	refused(t, "a.npy", change("(2, 3, 4)", "(2, 3, 5)"), "cut short", "[2 3 5]")
	refused(t, "a.npy", change("(2, 3, 4)", "(2,-3,-4)"), "impossible shape")
	refused(t, "a.npy", change("(2, 3, 4)", "(0, 3, 4)"), "96 bytes too many")
	refused(t, "a.npy", change("'shape': (2, 3, 4), }     ", "'shape': (9999999999,4), }"), "impossible shape")
	refused(t, "a.npy", change("<f4", "<c8"), "type <c8")
	refused(t, "a.npy", change("}", " "), "damaged")
	nan := slices.Clone(npy)
	copy(nan[len(nan)-4:], []byte{0, 0, 0xc0, 0x7f})
	refused(t, "z1.npy", nan, "array z1", "entry [1 2 3] is NaN")
	refused(t, "b.txt", []byte("hello"), "neither")
	refused(t, "empty.npz", nil, "empty")
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Read("nowhere.npz"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no file: %v", err)
	}
}

func TestTablesAreRead(t *testing.T) {
	read := func(text string) *File {
		t.Helper()
		file := filepath.Join(t.TempDir(), "run.csv")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := Read(file)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := read("step,view,a,b\n0,1,1,2\n0,2,3,4\n0,1,5,6\n0,2,7,8\n10,1,9,10\n10,1,11,12\n10,2,13,14\n10,2,15,16\n")
	if got := f.Arrays["z2"]; !slices.Equal(got.Shape, []int{2, 2, 2}) || !slices.Equal(got.Data, []float64{3, 4, 7, 8, 13, 14, 15, 16}) {
		t.Errorf("z2 is %+v", got)
	}
	f = read("step,loss,zstd\n0,,1\n5,2,.5\n")
	if f.Arrays["loss"] != nil || !slices.Equal(f.Arrays["zstd"].Data, []float64{1, .5}) || !slices.Equal(f.Arrays["step"].Data, []float64{0, 5}) {
		t.Errorf("a series gives %v", f.Names())
	}
	for text, want := range map[string]string{
		"":                                      "empty",
		"a,b\n1,2\n":                            "line 1: the header is",
		"step,view,a\n0,3,1\n":                  `line 2: column view: "3"`,
		"step,view,a\n0,1,x\n":                  `line 2: column a: "x" is no number`,
		"step,view,a\n0,1,1\n1,1,1\n1,1,2\n":    "step 1 has 2 examples",
		"step,view\n0,1\n":                      "no column of coordinates",
		"step,zstd\n":                           "no lines",
		"step,zstd\n0,1,2\n":                    "line 2",
		"array,place,value\nw,0 0,1\nw,1 1,2\n": "2 entries for the shape [2 2]",
		"array,place,value\nw,0 0,1\nw,1,2\n":   "line 3: a place of 1 axes",
		"array,place,value\nw,0 x,1\n":          "no place",
		"step,view,a\n0,1,NaN\n0,1,1\n":         "array z1: entry [0 0 0] is NaN",
	} {
		refused(t, "a.csv", []byte(text), want)
	}
}

// TestSmallFilesOfHugeArraysAreRefused: what a few bytes may ask for is bounded before it is held.
func TestSmallFilesOfHugeArraysAreRefused(t *testing.T) {
	header := func(shape string) []byte {
		h := "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + ", }"
		h += strings.Repeat(" ", 246-len(h)) + "\n"
		return append([]byte("\x93NUMPY\x01\x00\xf7\x00"), h...)
	}
	// Zeros of one byte each, that would be held as float64: an archive of a megabyte of them takes eight gigabytes.
	file := filepath.Join(t.TempDir(), "bomb.npz")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("z1.npy")
	if err == nil {
		_, err = w.Write(header("(1048576, 1024)"))
	}
	zeros := make([]byte, 1<<20)
	for i := 0; i < 1<<10 && err == nil; i++ {
		_, err = w.Write(zeros)
	}
	if err = errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(file); err == nil || !strings.Contains(err.Error(), "more than the 536870912 numbers") {
		t.Errorf("a bomb: %v", err)
	}
	// Several arrays count together.
	together := &File{Name: "x", entries: maxEntries - 5}
	if _, err := together.count("a", []int{2, 3}); err == nil {
		t.Error("six numbers where five are left")
	}
	if n, err := together.count("a", []int{5}); err != nil || n != 5 {
		t.Errorf("five numbers where five are left: %v", err)
	}
	refused(t, "header.npy", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), "a header of 4294967295 bytes")
	refused(t, "axes.npy", append(header("("+strings.Repeat("1,", 33)+")"), 0), "33 axes")
	table := "array,place,value\n"
	// 3·6148914691236517206 is 2 in 64 bits, the number of entries.
	refused(t, "a.csv", []byte(table+"Wp,2 0,1\nWp,0 6148914691236517205,2\n"), "no place")
	refused(t, "a.csv", []byte(table+"Wp,9223372036854775807,1\n"), "no place")
	refused(t, "a.csv", []byte(table+"Wp,"+strings.Repeat("0 ", 1000)+",1\n"), "more than 32 axes")
	refused(t, "a.csv", []byte("step,view,a\nNaN,1,1\nNaN,1,1\n"), "line 2: column step")
}

// TestManyStepsAreReadInOnePass: the steps of a table are looked up and not searched; a search of these takes minutes.
func TestManyStepsAreReadInOnePass(t *testing.T) {
	var text strings.Builder
	text.WriteString("step,view,a\n")
	const steps = 200000
	for i := range steps {
		fmt.Fprintf(&text, "%d,1,1\n", i)
	}
	f := &File{Name: "run.csv", Arrays: map[string]*Array{}}
	if err := f.readCSV(strings.NewReader(text.String())); err != nil || f.Arrays["z1"].Shape[0] != steps {
		t.Errorf("%v, %v", f.Names(), err)
	}
}
