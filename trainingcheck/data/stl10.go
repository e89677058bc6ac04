package data

// stlLayout describes the binary version of STL-10: image files of 96·96·3
// bytes an image, channel after channel, each column by column, and label files
// of one byte an image, 1 to 10.
type stlLayout struct {
	side                   int
	train, test, unlabeled int // number of images
	classes                int
}

var stl10 = stlLayout{side: 96, train: 5000, test: 8000, unlabeled: 100000, classes: 10}

const (
	stlTrainX     = "train_X.bin"
	stlTrainY     = "train_y.bin"
	stlTestX      = "test_X.bin"
	stlTestY      = "test_y.bin"
	stlUnlabeledX = "unlabeled_X.bin"
	stlNames      = "class_names.txt"
)

// STL10 reads the binary version of STL-10 (Coates, Lee and Ng 2011): the folder
// stl10_binary, a folder above it, or stl10_binary.tar.gz.
//
// With unlabelled the training set has the 100 000 unlabelled images after the
// 5 000 labelled ones, as in the paper's pretraining; that takes 2.9 GB of memory.
func STL10(path string, unlabelled bool) (train, test *Set, err error) {
	return stl10.read(path, unlabelled)
}

func (l *stlLayout) read(path string, unlabelled bool) (train, test *Set, err error) {
	required := []string{stlTrainX, stlTrainY, stlTestX, stlTestY}
	if unlabelled {
		required = append(required, stlUnlabeledX)
	}
	files, err := collect("stl10", path, required, []string{stlNames})
	if err != nil {
		return nil, nil, err
	}
	classes, err := classNames(files[stlNames], l.classes)
	if err != nil {
		return nil, nil, err
	}
	train = &Set{H: l.side, W: l.side, C: 3, White: 255, Classes: classes}
	test = &Set{H: l.side, W: l.side, C: 3, White: 255, Classes: classes}
	if err := l.append(train, files[stlTrainX], files[stlTrainY], l.train); err != nil {
		return nil, nil, err
	}
	if unlabelled {
		if err := l.append(train, files[stlUnlabeledX], nil, l.unlabeled); err != nil {
			return nil, nil, err
		}
	}
	if err := l.append(test, files[stlTestX], files[stlTestY], l.test); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// append adds n images, unlabelled when labels is nil.
func (l *stlLayout) append(set *Set, images, labels *blob, n int) error {
	size := l.side * l.side * 3
	if err := images.records(size, n); err != nil {
		return err
	}
	if labels != nil {
		if err := labels.records(1, n); err != nil {
			return err
		}
	}
	at := len(set.Pixels)
	set.Pixels = append(set.Pixels, make([]uint8, n*size)...)
	for i := range n {
		label := Unlabelled
		if labels != nil {
			label = int(labels.b[i]) - 1
			if label < 0 || label >= l.classes {
				return fileErrorf(labels.file, int64(i), "image %d: label %d, want 1 to %d", i, labels.b[i], l.classes)
			}
		}
		set.Labels = append(set.Labels, label)
		channelsLast(set.Pixels[at+i*size:at+(i+1)*size], images.b[i*size:(i+1)*size], l.side, l.side, 3, true)
	}
	return nil
}
