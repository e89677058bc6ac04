package data

import "fmt"

// recordFile is a file of labelled images, one record after another.
type recordFile struct {
	name    string
	records int
}

// cifarLayout describes the binary version of CIFAR-10 or CIFAR-100: records of
// labelBytes label bytes, the last of which is used, and 32·32·3 pixel bytes,
// channel after channel, each row by row.
type cifarLayout struct {
	dataset     string
	train, test []recordFile
	labelBytes  int
	coarse      int // number of values of the first label byte when there are two
	names       string
	classes     int
}

const (
	cifarSide     = 32
	cifarChannels = 3
	cifarPixels   = cifarSide * cifarSide * cifarChannels
)

var cifar10 = cifarLayout{
	dataset: "cifar10",
	train: []recordFile{{"data_batch_1.bin", 10000}, {"data_batch_2.bin", 10000}, {"data_batch_3.bin", 10000},
		{"data_batch_4.bin", 10000}, {"data_batch_5.bin", 10000}},
	test:       []recordFile{{"test_batch.bin", 10000}},
	labelBytes: 1, names: "batches.meta.txt", classes: 10,
}

var cifar100 = cifarLayout{
	dataset: "cifar100",
	train:   []recordFile{{"train.bin", 50000}}, test: []recordFile{{"test.bin", 10000}},
	labelBytes: 2, coarse: 20, names: "fine_label_names.txt", classes: 100,
}

// CIFAR10 reads the binary version of CIFAR-10 (Krizhevsky 2009): the folder
// cifar-10-batches-bin, a folder above it, or cifar-10-binary.tar.gz as it was
// downloaded.
func CIFAR10(path string) (train, test *Set, err error) { return cifar10.read(path) }

// CIFAR100 reads the binary version of CIFAR-100 with its 100 fine labels: the
// folder cifar-100-binary, a folder above it, or cifar-100-binary.tar.gz.
func CIFAR100(path string) (train, test *Set, err error) { return cifar100.read(path) }

func (l *cifarLayout) read(path string) (train, test *Set, err error) {
	var required []string
	for _, f := range l.train {
		required = append(required, f.name)
	}
	for _, f := range l.test {
		required = append(required, f.name)
	}
	files, err := collect(l.dataset, path, required, []string{l.names})
	if err != nil {
		return nil, nil, err
	}
	classes, err := classNames(files[l.names], l.classes)
	if err != nil {
		return nil, nil, err
	}
	if train, err = l.decode(files, l.train, classes); err != nil {
		return nil, nil, err
	}
	if test, err = l.decode(files, l.test, classes); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func (l *cifarLayout) decode(files map[string]*blob, list []recordFile, classes []string) (*Set, error) {
	n := 0
	for _, f := range list {
		n += f.records
	}
	set := &Set{H: cifarSide, W: cifarSide, C: cifarChannels, White: 255, Classes: classes,
		Labels: make([]int, 0, n), Pixels: make([]uint8, n*cifarPixels)}
	size := l.labelBytes + cifarPixels
	for _, f := range list {
		file := files[f.name]
		if err := file.records(size, f.records); err != nil {
			return nil, err
		}
		for r := range f.records {
			at := r * size
			if l.labelBytes == 2 && int(file.b[at]) >= l.coarse {
				return nil, fileErrorf(file.file, int64(at), "record %d: coarse label %d, want 0 to %d", r, file.b[at], l.coarse-1)
			}
			at += l.labelBytes - 1
			label := int(file.b[at])
			if label >= l.classes {
				return nil, fileErrorf(file.file, int64(at), "record %d: label %d, want 0 to %d", r, label, l.classes-1)
			}
			i := set.Len()
			channelsLast(set.Pixels[i*cifarPixels:(i+1)*cifarPixels], file.b[at+1:at+1+cifarPixels], cifarSide, cifarSide, cifarChannels, false)
			set.Labels = append(set.Labels, label)
		}
	}
	return set, nil
}

// classNames reads one class name a line, or numbers the classes when the file is not there.
func classNames(file *blob, want int) ([]string, error) {
	if file == nil {
		names := make([]string, want)
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		return names, nil
	}
	names := file.lines()
	if len(names) != want {
		return nil, fileErrorf(file.file, int64(len(file.b)), "%d class names, want %d, one a line", len(names), want)
	}
	return names, nil
}

// channelsLast copies an image stored channel after channel to channels last.
// Within a channel src runs row by row, or column by column when columnMajor.
func channelsLast(dst, src []uint8, h, w, c int, columnMajor bool) {
	for k := range c {
		for y := range h {
			for x := range w {
				from := y*w + x
				if columnMajor {
					from = x*h + y
				}
				dst[(y*w+x)*c+k] = src[k*h*w+from]
			}
		}
	}
}
