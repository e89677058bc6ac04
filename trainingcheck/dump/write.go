package dump

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"codeberg.org/sbinet/npyio/npz"
	"github.com/nlpodyssey/safetensors"
)

// Formats are the ends of names that Write knows.
var Formats = []string{".npz", ".safetensors", ".csv"}

// CheckName reports why Write would not know the format of a file.
func CheckName(file string) error {
	if !slices.Contains(Formats, strings.ToLower(filepath.Ext(file))) {
		return refuse(file, "", "unknown format; the name must end in one of %s", strings.Join(Formats, ", "))
	}
	return nil
}

// Write writes arrays in float64, in the format that the file's name ends in. The file appears complete or not at all.
func Write(file string, arrays map[string]*Array) error {
	if err := CheckName(file); err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(arrays))
	for _, name := range names {
		if a := arrays[name]; Size(a.Shape) != len(a.Data) {
			panic(fmt.Sprintf("dump: array %s: %d entries for the shape %v", name, len(a.Data), a.Shape))
		}
	}
	t, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("dump: %w", err)
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".npz":
		err = writeNPZ(t, arrays, names)
	case ".safetensors":
		err = writeSafetensors(t, arrays, names)
	default:
		err = writeCSV(t, arrays, names)
	}
	if err == nil {
		err = t.Chmod(0o644)
	}
	if e := t.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(t.Name(), file)
	}
	if err != nil {
		os.Remove(t.Name())
		return fmt.Errorf("dump: %s: %w", file, err)
	}
	return nil
}

func writeNPZ(w io.Writer, arrays map[string]*Array, names []string) error {
	z := npz.NewWriter(w)
	for _, name := range names {
		if err := z.Write(name+".npy", nested(arrays[name]).Interface()); err != nil {
			return err
		}
	}
	return z.Close()
}

// nested is an array as the library takes it: a number, or slices of slices.
func nested(a *Array) reflect.Value {
	switch len(a.Shape) {
	case 0:
		return reflect.ValueOf(a.Data[0])
	case 1:
		return reflect.ValueOf(a.Data)
	}
	var out reflect.Value
	for i := range a.Shape[0] {
		v := nested(a.Row(i))
		if i == 0 {
			out = reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, a.Shape[0])
		}
		out = reflect.Append(out, v)
	}
	return out
}

func writeSafetensors(w io.Writer, arrays map[string]*Array, names []string) error {
	views := map[string]safetensors.TensorView{}
	for _, name := range names {
		a := arrays[name]
		shape := make([]uint64, max(1, len(a.Shape))) // the library has no tensors without axes
		shape[0] = 1
		for i, d := range a.Shape {
			shape[i] = uint64(d)
		}
		data, err := binary.Append(nil, binary.LittleEndian, a.Data)
		if err != nil {
			return err
		}
		if views[name], err = safetensors.NewTensorView(safetensors.F64, shape, data); err != nil {
			return err
		}
	}
	return safetensors.SerializeToWriter(views, nil, w)
}
