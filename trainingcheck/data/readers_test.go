package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree is the content of a folder, by slash-separated path.
type tree map[string][]byte

func (tr tree) with(name string, b []byte) tree {
	out := maps.Clone(tr)
	out[name] = b
	return out
}

func (tr tree) without(name string) tree {
	out := maps.Clone(tr)
	delete(out, name)
	return out
}

func (tr tree) folder(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, b := range tr {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// tar writes the tree as an archive, names in falling order so that the reader
// cannot rely on the order.
func (tr tree) tar(t *testing.T, compressed bool) []byte {
	t.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	names := slices.Sorted(maps.Keys(tr))
	slices.Reverse(names)
	for _, name := range names {
		if err := tw.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(tr[name]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(tr[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if !compressed {
		return buf.Bytes()
	}
	var gz bytes.Buffer
	zw := gzip.NewWriter(&gz)
	if _, err := zw.Write(buf.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return gz.Bytes()
}

func writeFile(t *testing.T, name string, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// small returns the layout with n records a file instead of the official number.
func (l cifarLayout) small(n int) cifarLayout {
	shrink := func(files []recordFile) []recordFile {
		out := slices.Clone(files)
		for i := range out {
			out[i].records = n
		}
		return out
	}
	l.train, l.test = shrink(l.train), shrink(l.test)
	return l
}

// cifarPixel is the value of a made-up image i at channel k, row y, column x.
func cifarPixel(i, k, y, x int) uint8 { return uint8(i*53 + k*101 + y*7 + x*3) }

// cifarTree makes the files of a layout: image i of a file has label (2i+1) mod classes.
func cifarTree(l cifarLayout) tree {
	out := tree{}
	for _, f := range slices.Concat(l.train, l.test) {
		var b []byte
		for i := range f.records {
			if l.labelBytes == 2 {
				b = append(b, uint8(i%l.coarse))
			}
			b = append(b, uint8((2*i+1)%l.classes))
			for k := range 3 {
				for y := range 32 {
					for x := range 32 {
						b = append(b, cifarPixel(i, k, y, x))
					}
				}
			}
		}
		out["cifar-bin/"+f.name] = b
	}
	out["cifar-bin/readme.html"] = []byte("not data")
	return out
}

func checkCIFAR(t *testing.T, l cifarLayout, path string) {
	t.Helper()
	train, test, err := l.read(path)
	if err != nil {
		t.Fatal(err)
	}
	n := l.train[0].records
	if train.Len() != n*len(l.train) || test.Len() != n {
		t.Fatalf("%d and %d images, want %d and %d", train.Len(), test.Len(), n*len(l.train), n)
	}
	for i := range train.Len() {
		if want := (2*(i%n) + 1) % l.classes; train.Labels[i] != want {
			t.Errorf("label %d of image %d, want %d", train.Labels[i], i, want)
		}
		px := train.Image(i).Pixels
		for y := range 32 {
			for x := range 32 {
				for k := range 3 {
					if got, want := px[(y*32+x)*3+k], cifarPixel(i%n, k, y, x); got != want {
						t.Fatalf("image %d pixel (%d,%d,%d) = %d, want %d", i, y, x, k, got, want)
					}
				}
			}
		}
	}
}

func TestCIFARFilesAreReadAsTheyAreLaidOut(t *testing.T) {
	for _, l := range []cifarLayout{cifar10.small(3), cifar100.small(3)} {
		files := cifarTree(l)
		checkCIFAR(t, l, files.folder(t))
		checkCIFAR(t, l, writeFile(t, "a.tar", files.tar(t, false)))
		checkCIFAR(t, l, writeFile(t, "archive-without-extension", files.tar(t, true)))
	}
}

func TestOfficialFileSizes(t *testing.T) {
	// Sizes of the distributed files in bytes, from the data sets' own pages:
	// CIFAR-10 30 730 000 a batch, CIFAR-100 153 700 000 and 30 740 000, STL-10
	// 138 240 000, 221 184 000 and 2 764 800 000.
	for _, c := range []struct{ got, want int }{
		{cifar10.train[4].records * (cifar10.labelBytes + cifarPixels), 30730000},
		{cifar10.test[0].records * (cifar10.labelBytes + cifarPixels), 30730000},
		{cifar100.train[0].records * (cifar100.labelBytes + cifarPixels), 153700000},
		{cifar100.test[0].records * (cifar100.labelBytes + cifarPixels), 30740000},
		{stl10.train * stl10.side * stl10.side * 3, 138240000},
		{stl10.test * stl10.side * stl10.side * 3, 221184000},
		{stl10.unlabeled * stl10.side * stl10.side * 3, 2764800000},
	} {
		if c.got != c.want {
			t.Errorf("layout expects %d bytes, the distributed file has %d", c.got, c.want)
		}
	}
}

func TestBadCIFARFilesAreRefusedWithFileAndByte(t *testing.T) {
	l := cifar10.small(3)
	good := cifarTree(l)
	const name = "cifar-bin/data_batch_2.bin"
	b := good[name]
	set := func(at int, v uint8) []byte {
		out := slices.Clone(b)
		out[at] = v
		return out
	}
	for _, c := range []struct {
		name   string
		files  tree
		file   string
		offset int64
		reason string
	}{
		{"cut inside record 2", good.with(name, b[:3073*2+100]), "data_batch_2.bin", 3073*2 + 100, "inside record 2 of 3, which begins at byte 6146"},
		{"cut between records", good.with(name, b[:3073]), "data_batch_2.bin", 3073, "inside record 1 of 3, which begins at byte 3073"},
		{"empty file", good.with(name, nil), "data_batch_2.bin", 0, "inside record 0"},
		{"one byte too many", good.with(name, append(slices.Clone(b), 7)), "data_batch_2.bin", 3 * 3073, "1 bytes after the last"},
		{"label out of range", good.with(name, set(3073, 10)), "data_batch_2.bin", 3073, "record 1: label 10, want 0 to 9"},
		{"nine class names", good.with("cifar-bin/batches.meta.txt", []byte("a\nb\nc\nd\ne\nf\ng\nh\ni\n\n")), "batches.meta.txt", 19, "9 class names, want 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			train, test, err := l.read(c.files.folder(t))
			if train != nil || test != nil {
				t.Error("a set came back with the error")
			}
			wantFileError(t, err, c.file, c.offset, c.reason)

			_, _, err = l.read(writeFile(t, "a.tar.gz", c.files.tar(t, true)))
			wantFileError(t, err, "a.tar.gz!cifar-bin/"+c.file, c.offset, c.reason)
		})
	}

	t.Run("missing file", func(t *testing.T) {
		_, _, err := l.read(good.without(name).folder(t))
		if err == nil || !strings.Contains(err.Error(), "data_batch_2.bin is missing") {
			t.Errorf("error %v, want data_batch_2.bin named", err)
		}
	})
	t.Run("file there twice", func(t *testing.T) {
		_, _, err := l.read(good.with("copy/data_batch_2.bin", b).folder(t))
		if err == nil || !strings.Contains(err.Error(), "data_batch_2.bin is there twice") {
			t.Errorf("error %v, want data_batch_2.bin named", err)
		}
	})
	t.Run("no such path", func(t *testing.T) {
		_, _, err := l.read(filepath.Join(t.TempDir(), "nowhere"))
		if err == nil || !strings.Contains(err.Error(), "nowhere: no such file") {
			t.Errorf("error %v, want the path named", err)
		}
	})
	t.Run("coarse label", func(t *testing.T) {
		l := cifar100.small(2)
		files := cifarTree(l)
		b := slices.Clone(files["cifar-bin/test.bin"])
		b[3074] = 20
		_, _, err := l.read(files.with("cifar-bin/test.bin", b).folder(t))
		wantFileError(t, err, "test.bin", 3074, "record 1: coarse label 20, want 0 to 19")
	})
}

func TestBrokenArchivesAreRefusedWithTheByte(t *testing.T) {
	l := cifar10.small(3)
	files := cifarTree(l)
	gz := files.tar(t, true)
	plain := files.tar(t, false)
	// The first member is the last name: header, then three records padded to 512.
	firstMember := 512 + (3*3073+511)/512*512
	flip := slices.Clone(gz)
	flip[len(flip)-5] ^= 0xff // inside gzip's checksum and length
	for _, c := range []struct {
		name   string
		b      []byte
		offset int64
		reason string
	}{
		{"gzip cut short", gz[:len(gz)/2], int64(len(gz) / 2), "breaks off"},
		{"tar cut inside a member", plain[:2000], 2000, "breaks off"},
		{"tar cut between members", plain[:firstMember], int64(firstMember), "its end marker is missing"},
		{"tar cut in its padding", plain[:firstMember-1], int64(firstMember - 1), "its end marker is missing"},
		{"gzip checksum", flip, int64(len(gz)), "damaged after the last file"},
		{"neither tar nor gzip", bytes.Repeat([]byte("text"), 200), 512, "not a whole tar"},
		{"gzip header only", gz[:5], 5, "not a gzip file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := l.read(writeFile(t, "a.bin", c.b))
			wantFileError(t, err, "a.bin", c.offset, c.reason)
		})
	}
}

// stlTree makes the files of a small STL layout: channel k, row y, column x of
// image i is i*16 + k*4 + (x == 1)*2 + (y == 1), which a transposition changes.
func stlTree(l stlLayout) tree {
	images := func(n int) []byte {
		var b []byte
		for i := range n {
			for k := range 3 {
				for x := range l.side {
					for y := range l.side {
						b = append(b, stlPixel(i, k, y, x))
					}
				}
			}
		}
		return b
	}
	labels := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = uint8(i%l.classes) + 1
		}
		return b
	}
	return tree{
		stlTrainX: images(l.train), stlTrainY: labels(l.train),
		stlTestX: images(l.test), stlTestY: labels(l.test),
		stlUnlabeledX: images(l.unlabeled),
		stlNames:      []byte("airplane\nbird\ncar\n"),
	}
}

func stlPixel(i, k, y, x int) uint8 {
	v := i*16 + k*4
	if x == 1 {
		v += 2
	}
	if y == 1 {
		v++
	}
	return uint8(v)
}

func TestSTLColumnsBecomeRows(t *testing.T) {
	l := stlLayout{side: 3, train: 4, test: 2, unlabeled: 5, classes: 3}
	path := stlTree(l).folder(t)
	for _, all := range []bool{false, true} {
		train, test, err := l.read(path, all)
		if err != nil {
			t.Fatal(err)
		}
		want := []int{0, 1, 2, 0}
		if all {
			want = append(want, Unlabelled, Unlabelled, Unlabelled, Unlabelled, Unlabelled)
		}
		if !slices.Equal(train.Labels, want) || !slices.Equal(test.Labels, []int{0, 1}) {
			t.Errorf("labels %v and %v", train.Labels, test.Labels)
		}
		for i := range train.Len() {
			for y := range 3 {
				for x := range 3 {
					for k := range 3 {
						if got, want := train.Image(i).Pixels[(y*3+x)*3+k], stlPixel(i%4*boolInt(i < 4)+(i-4)*boolInt(i >= 4), k, y, x); got != want {
							t.Fatalf("image %d (%d,%d,%d) = %d, want %d", i, y, x, k, got, want)
						}
					}
				}
			}
		}
		if train.Classes[2] != "car" {
			t.Errorf("class names %v", train.Classes)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestBadSTLFilesAreRefusedWithFileAndByte(t *testing.T) {
	l := stlLayout{side: 3, train: 4, test: 2, unlabeled: 5, classes: 3}
	good := stlTree(l)
	for _, c := range []struct {
		name   string
		files  tree
		file   string
		offset int64
		reason string
	}{
		{"label 0", good.with(stlTestY, []byte{1, 0}), stlTestY, 1, "image 1: label 0, want 1 to 3"},
		{"label 4", good.with(stlTrainY, []byte{1, 2, 4, 1}), stlTrainY, 2, "image 2: label 4"},
		{"labels cut short", good.with(stlTrainY, []byte{1, 2}), stlTrainY, 2, "inside record 2 of 4"},
		{"images cut short", good.with(stlTestX, good[stlTestX][:30]), stlTestX, 30, "inside record 1 of 2"},
		{"images too long", good.with(stlUnlabeledX, make([]byte, 27*5+1)), stlUnlabeledX, 27 * 5, "1 bytes after the last"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := l.read(c.files.folder(t), true)
			wantFileError(t, err, c.file, c.offset, c.reason)
		})
	}
	_, _, err := l.read(good.without(stlUnlabeledX).folder(t), true)
	if err == nil || !strings.Contains(err.Error(), "unlabeled_X.bin is missing") {
		t.Errorf("error %v, want unlabeled_X.bin named", err)
	}
	if _, _, err := l.read(good.without(stlUnlabeledX).folder(t), false); err != nil {
		t.Errorf("the labelled part needs no unlabelled images: %v", err)
	}
}

func picture(w, h int, shade uint8) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{shade, uint8(x * 9), uint8(y * 11), 255})
		}
	}
	return img
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func folderTree(t *testing.T) tree {
	return tree{
		"train/cat/a.png":       pngOf(t, picture(12, 9, 10)),
		"train/cat/b.PNG":       pngOf(t, picture(12, 9, 20)),
		"train/dog/a.jpg":       jpegOf(t, picture(12, 9, 30)),
		"train/ant/z.jpeg":      jpegOf(t, picture(12, 9, 40)),
		"test/dog/1.png":        pngOf(t, picture(12, 9, 50)),
		"train/.DS_Store":       []byte("junk"),
		".cache/train/x/y.png":  []byte("junk"),
		"test/dog/.hidden.jpeg": []byte("junk"),
	}
}

func TestFolderAndArchiveGiveTheSameImages(t *testing.T) {
	files := folderTree(t)
	var hashes []string
	for _, path := range []string{files.folder(t), writeFile(t, "x.tar", files.tar(t, false)), writeFile(t, "x.tgz", files.tar(t, true))} {
		train, test, err := Folder(path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(train.Classes, []string{"ant", "cat", "dog"}) || !slices.Equal(train.Labels, []int{0, 1, 1, 2}) || !slices.Equal(test.Labels, []int{2}) {
			t.Fatalf("classes %v, labels %v and %v", train.Classes, train.Labels, test.Labels)
		}
		if train.H != 9 || train.W != 12 || train.C != 3 {
			t.Fatalf("images of %d×%d×%d", train.H, train.W, train.C)
		}
		px := train.Image(2).Pixels // b.PNG
		if at := (4*12 + 7) * 3; px[at] != 20 || px[at+1] != 63 || px[at+2] != 44 {
			t.Errorf("row 4, column 7 is %v, want [20 63 44]", px[at:at+3])
		}
		hashes = append(hashes, train.SHA256()+test.SHA256())
	}
	if hashes[0] != hashes[1] || hashes[0] != hashes[2] {
		t.Error("a folder and its archives give different images")
	}
}

func TestBadImageFoldersAreRefusedWithFileAndByte(t *testing.T) {
	good := folderTree(t)
	dog := good["train/dog/a.jpg"]
	for _, c := range []struct {
		name   string
		files  tree
		file   string
		offset int64
		reason string
	}{
		{"cut JPEG", good.with("train/dog/a.jpg", dog[:len(dog)-40]), "train/dog/a.jpg", int64(len(dog) - 40), "damaged image"},
		{"cut header", good.with("train/dog/a.jpg", dog[:10]), "train/dog/a.jpg", 10, "not a readable image"},
		{"empty file", good.with("train/cat/a.png", nil), "train/cat/a.png", 0, "not a readable image"},
		{"text with an image's name", good.with("train/cat/a.png", []byte("hello, this is text")), "train/cat/a.png", 8, "not a readable image"},
		{"PNG called JPEG", good.with("train/dog/a.jpg", good["train/cat/a.png"]), "train/dog/a.jpg", 0, "holds a png image, its name says .jpg"},
		{"another size", good.with("train/cat/b.PNG", pngOf(t, picture(9, 12, 1))), "train/cat/b.PNG", 0, "image of 9×12 pixels, want 12×9"},
		{"unknown test class", good.with("test/cow/1.png", good["test/dog/1.png"]), "test/cow/1.png", 0, `class "cow" has no training images`},
		{"image without class", good.with("train/a.png", good["train/cat/a.png"]), "train/a.png", 0, "no class"},
		{"image too deep", good.with("train/cat/old/a.png", good["train/cat/a.png"]), "train/cat/old/a.png", 0, "no class"},
		{"foreign file", good.with("train/cat/notes.txt", []byte("x")), "train/cat/notes.txt", 0, "not an image file"},
		{"other part", good.with("val/cat/a.png", good["train/cat/a.png"]), "val/cat/a.png", 0, "no class"},
	} {
		t.Run(c.name, func(t *testing.T) {
			train, test, err := Folder(c.files.folder(t))
			if train != nil || test != nil {
				t.Error("a set came back with the error")
			}
			wantFileError(t, err, filepath.FromSlash(c.file), c.offset, c.reason)
			_, _, err = Folder(writeFile(t, "x.tar", c.files.tar(t, false)))
			wantFileError(t, err, "x.tar!"+c.file, c.offset, c.reason)
		})
	}
	_, _, err := Folder(good.without("test/dog/1.png").folder(t))
	if err == nil || !strings.Contains(err.Error(), "no images: want test/CLASS") {
		t.Errorf("error %v, want test/CLASS named", err)
	}
	t.Run("a header that announces a huge image", func(t *testing.T) {
		b := slices.Clone(good["train/cat/a.png"])
		copy(b[16:], []byte{0, 0x10, 0, 0, 0, 0x10, 0, 0}) // IHDR: 2²⁰×2²⁰
		fixCRC(b)
		_, _, err := Folder(good.with("train/cat/a.png", b).folder(t))
		wantFileError(t, err, "a.png", 0, fmt.Sprintf("want 1 to %d in all", maxImagePixels))
	})
}

// TestCIFARJPEGArchive reads the whole archive that the GPU checks train on.
func TestCIFARJPEGArchive(t *testing.T) {
	const path = "../../../shared/data/cifar10-jpeg75.tar.gz"
	if _, err := os.Stat(path); err != nil {
		t.Skip("not there: ../shared/data/cifar10-jpeg75.tar.gz (beside the project's folder)")
	}
	d, err := Open("folder:" + path)
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[*Set]int{d.Train: 5000, d.Test: 1000} {
		if part.H != 32 || part.W != 32 || part.C != 3 {
			t.Errorf("images of %d×%d×%d", part.H, part.W, part.C)
		}
		for k, n := range part.ClassCounts() {
			if n != want {
				t.Errorf("%d images of class %s, want %d", n, part.Classes[k], want)
			}
		}
	}
	if want := "airplane automobile bird cat deer dog frog horse ship truck"; strings.Join(d.Train.Classes, " ") != want {
		t.Errorf("classes %v", d.Train.Classes)
	}
	mean, std := ChannelMoments(d.Train)
	// The usual normalisation constants of CIFAR-10. JPEG at quality 75 moves a
	// channel mean by far less than one grey level (1/255 = .004) and lowers
	// the deviation by what it smooths away.
	wantMean, wantStd := [3]float64{0.4914, 0.4822, 0.4465}, [3]float64{0.2470, 0.2435, 0.2616}
	for k := range 3 {
		if diff := mean[k] - wantMean[k]; diff > 1./255 || diff < -1./255 {
			t.Errorf("mean of channel %d is %.4f, want %.4f within a grey level", k, mean[k], wantMean[k])
		}
		if diff := std[k] - wantStd[k]; diff > 1./255 || diff < -1./255 {
			t.Errorf("deviation of channel %d is %.4f, want %.4f within a grey level", k, std[k], wantStd[k])
		}
	}
}
