package dump

import (
	"archive/zip"
	"errors"
	"maps"
	"os"
	"slices"
)

// writeArchive writes a zip file.
func writeArchive(file string, members map[string][]byte) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	z := zip.NewWriter(f)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		w, err := z.Create(name)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		if _, err := w.Write(members[name]); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(z.Close(), f.Close())
}
