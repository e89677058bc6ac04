package data

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	_ "image/jpeg" // decoders of labelled image folders
	_ "image/png"
	"io"
	"path"
	"slices"
	"strings"
)

// maxImagePixels bounds the size that an image header may announce, so that a
// damaged or hostile header cannot exhaust the memory: 4096·4096, far above any
// image trained on here.
const maxImagePixels = 1 << 24

// folderFile is one image file of a folder data set.
type folderFile struct {
	file  string
	class string
	b     []byte
}

// Folder reads labelled images from train/CLASS/*.jpg|jpeg|png and
// test/CLASS/*.jpg|jpeg|png below path, a folder or a tar or tar.gz archive.
//
// All images must have one size; grey ones count as colour. Classes are those of
// train in alphabetical order, images are in order of class and file name. Every
// class of test must be one of train. Files whose name begins with a dot are
// left out, any other file is an error, since an image that is silently left
// out changes the data. JPEG is decoded by Go's image/jpeg: another decoder may
// give pixels that differ by a unit or two.
func Folder(path string) (train, test *Set, err error) {
	lists := map[string][]folderFile{}
	err = walk(path, func(m *member) error { return sortFile(lists, m) })
	if err != nil {
		return nil, nil, err
	}
	for _, part := range []string{"train", "test"} {
		if len(lists[part]) == 0 {
			return nil, nil, fmt.Errorf("data: %s: no images: want %s/CLASS/*.jpg or *.png", path, part)
		}
		slices.SortFunc(lists[part], func(a, b folderFile) int {
			return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.file, b.file))
		})
	}
	var classes []string
	for _, f := range lists["train"] {
		if n := len(classes); n == 0 || classes[n-1] != f.class {
			classes = append(classes, f.class)
		}
	}
	if train, err = decodeFolder(lists["train"], classes, nil); err != nil {
		return nil, nil, err
	}
	if test, err = decodeFolder(lists["test"], classes, train); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// sortFile reads m and files it under train or test.
func sortFile(lists map[string][]folderFile, m *member) error {
	parts := strings.Split(m.name, "/")
	if len(parts) != 3 || parts[0] != "train" && parts[0] != "test" {
		return fileErrorf(m.file, 0, "no class: want train/CLASS/NAME or test/CLASS/NAME")
	}
	switch strings.ToLower(path.Ext(parts[2])) {
	case ".jpg", ".jpeg", ".png":
	default:
		return fileErrorf(m.file, 0, "not an image file: want .jpg, .jpeg or .png")
	}
	b, err := m.read()
	if err != nil {
		return err
	}
	lists[parts[0]] = append(lists[parts[0]], folderFile{file: m.file, class: parts[1], b: b})
	return nil
}

// decodeFolder decodes files, all of which must have the size of the images of
// like, or of the first file when like is nil.
func decodeFolder(files []folderFile, classes []string, like *Set) (*Set, error) {
	set := &Set{C: 3, White: 255, Classes: classes, Labels: make([]int, len(files))}
	if like != nil {
		set.H, set.W = like.H, like.W
	} else {
		cfg, err := imageHeader(files[0])
		if err != nil {
			return nil, err
		}
		set.H, set.W = cfg.Height, cfg.Width
	}
	size := set.H * set.W * set.C
	set.Pixels = make([]uint8, len(files)*size)
	err := inParallel(len(files), func(i int) error {
		f := files[i]
		label, ok := slices.BinarySearch(classes, f.class)
		if !ok {
			return fileErrorf(f.file, 0, "class %q has no training images: classes are %s", f.class, strings.Join(classes, ", "))
		}
		set.Labels[i] = label
		cfg, err := imageHeader(f)
		if err != nil {
			return err
		}
		if cfg.Height != set.H || cfg.Width != set.W {
			return fileErrorf(f.file, 0, "image of %d×%d pixels, want %d×%d like the first", cfg.Width, cfg.Height, set.W, set.H)
		}
		return decodeImage(set.Pixels[i*size:(i+1)*size], f)
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

// imageHeader reads the size of an image and checks that its content is what its name says.
func imageHeader(f folderFile) (image.Config, error) {
	cfg, format, err := image.DecodeConfig(bytes.NewReader(f.b))
	if err != nil {
		return cfg, fileErrorf(f.file, failureOffset(f.b), "not a readable image: %v", err)
	}
	if want := strings.ToLower(path.Ext(f.file)); (format == "png") != (want == ".png") {
		return cfg, fileErrorf(f.file, 0, "the file holds a %s image, its name says %s", format, want)
	}
	if cfg.Width < 1 || cfg.Height < 1 || cfg.Width > maxImagePixels/cfg.Height {
		return cfg, fileErrorf(f.file, 0, "image of %d×%d pixels, want 1 to %d in all", cfg.Width, cfg.Height, maxImagePixels)
	}
	return cfg, nil
}

func decodeImage(dst []uint8, f folderFile) error {
	img, _, err := image.Decode(bytes.NewReader(f.b))
	if err != nil {
		return fileErrorf(f.file, failureOffset(f.b), "damaged image: %v", err)
	}
	bounds := img.Bounds()
	at := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			dst[at], dst[at+1], dst[at+2] = uint8(r>>8), uint8(g>>8), uint8(b>>8)
			at += 3
		}
	}
	return nil
}

// failureOffset decodes b again, one byte a read, and returns how many bytes
// the decoder took before it gave up.
func failureOffset(b []byte) int64 {
	r := &byteAtATime{b: b}
	_, _, _ = image.Decode(r) // it fails: the position is what is wanted
	return int64(r.at)
}

type byteAtATime struct {
	b  []byte
	at int
}

func (r *byteAtATime) Read(p []byte) (int, error) {
	if r.at == len(r.b) {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p[0] = r.b[r.at]
	r.at++
	return 1, nil
}
