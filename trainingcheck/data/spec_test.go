package data

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixCRC rewrites the checksum of the IHDR chunk of a PNG file.
func fixCRC(png []byte) {
	binary.BigEndian.PutUint32(png[29:], crc32.ChecksumIEEE(png[12:29]))
}

func TestBadSpecsAreRefused(t *testing.T) {
	for spec, want := range map[string]string{
		"":                       "no such data set",
		"mnist":                  "no such data set",
		"digits:here":            "takes no path",
		"cifar10":                "want cifar10:PATH",
		"stl10:":                 "want stl10:PATH",
		"folder:/does/not/exist": "/does/not/exist: no such file",
		"gaussian:dim=0":         `option "dim=0"`,
		"gaussian:dim=x":         `option "dim=x"`,
		"gaussian:sigma2=-1":     "view variance -1",
		"gaussian:sigma2=NaN":    "view variance NaN",
		"gaussian:rank=3":        "want dim=N or sigma2=X",
	} {
		if _, err := Open(spec); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "data: ") {
			t.Errorf("%q: error %v, want …%s…", spec, err, want)
		}
	}
}

func TestSpecsOpen(t *testing.T) {
	d, err := Open("gaussian:dim=5,sigma2=0.5")
	if err != nil {
		t.Fatal(err)
	}
	if h, w, c := d.ViewSize(); h != 1 || w != 1 || c != 5 {
		t.Errorf("views of %d×%d×%d", h, w, c)
	}
	if _, _, err := d.Evaluation(1); err == nil {
		t.Error("Gaussian data were evaluated")
	}
	d, err = Open("digits")
	if err != nil {
		t.Fatal(err)
	}
	if h, w, c := d.ViewSize(); h != 10 || w != 10 || c != 1 {
		t.Errorf("views of %d×%d×%d", h, w, c)
	}
	src, err := d.Source(1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if b := src.Batch(0); b.Check() != nil || b.Dim != 100 || src.Dim() != 100 {
		t.Errorf("batch of %d×%d: %v", b.N, b.Dim, b.Check())
	}
	d, err = Open("folder:" + folderTree(t).folder(t))
	if err != nil {
		t.Fatal(err)
	}
	if h, w, c := d.ViewSize(); h != 9 || w != 12 || c != 3 || d.Kind() != "folder" {
		t.Errorf("views of %d×%d×%d", h, w, c)
	}
}

func TestWritePNGLeavesNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	if err := WritePNG(filepath.Join(dir, "a.png"), picture(3, 2, 9)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "taken", "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WritePNG(filepath.Join(dir, "taken"), picture(3, 2, 9)); err == nil {
		t.Error("a folder was overwritten")
	}
	if err := WritePNG(filepath.Join(dir, "no", "a.png"), picture(3, 2, 9)); err == nil {
		t.Error("a picture was written to a folder that does not exist")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("%d entries in the folder, want a.png and taken only", len(entries))
	}
}
