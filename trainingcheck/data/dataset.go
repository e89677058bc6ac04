package data

import (
	"fmt"
	"strconv"
	"strings"

	"stopgrad/trainingcheck/method"
)

// Dataset is what a spec names: images with their augmentation, or Gaussian data.
type Dataset struct {
	Spec  string // as given to Open
	Train *Set   // nil for Gaussian data
	Test  *Set   // nil for Gaussian data

	Augment Augmentation // training views; nil for Gaussian data

	// EvalAugment and the two counts say how features are evaluated: each
	// training image in TrainViews views, each test image in TestViews.
	EvalAugment           Augmentation
	TrainViews, TestViews int

	// EvalTrain and EvalTest limit the labelled images that features are evaluated
	// on, see [Set.Labelled]; 0 is all of them.
	EvalTrain, EvalTest int

	Gaussian *Gaussian // nil for images

	// Half tells that the images are means of 2×2 pixels of those that Spec names.
	Half bool
}

// Halve returns colour images of up to 32×32 pixels at half their size, normalised by their own moments; others are an
// error.
func (d *Dataset) Halve() (*Dataset, error) {
	if d.Gaussian != nil || d.Train.C != 3 || max(d.Train.H, d.Train.W) > cifarSide || d.Train.H%2 != 0 || d.Train.W%2 != 0 {
		return nil, fmt.Errorf("data: %s: only colour images of up to %d×%d pixels, both even, are halved", d.Spec, cifarSide, cifarSide)
	}
	out := *d
	out.Train, out.Test, out.Half = d.Train.Halved(), d.Test.Halved(), true
	out.normalise()
	return &out, nil
}

// normalise sets the augmentation of colour images like those of CIFAR.
func (d *Dataset) normalise() {
	mean, std := ChannelMoments(d.Train)
	for k := range std {
		if std[k] == 0 { // a constant channel carries nothing to normalise
			std[k] = 1
		}
	}
	d.Augment = CIFARAugmentation(mean, std)
	d.EvalAugment = ColourAugmentation{Mean: mean, Std: std}
}

// SpecHelp lists the specs that Open accepts.
const SpecHelp = `digits            the embedded UCI digits, 1400 training and 397 test images of 8×8
gaussian          x ~ N(0, I), views x + N(0, σ²I); gaussian:dim=16,sigma2=0.25 sets the two numbers
cifar10:PATH      binary version of CIFAR-10, folder or tar.gz
cifar100:PATH     binary version of CIFAR-100, folder or tar.gz
stl10:PATH        binary version of STL-10, its labelled images, folder or tar.gz
stl10-all:PATH    the same with its 100000 unlabelled images added to the training set
folder:PATH       train/CLASS/*.jpg|png and test/CLASS/*.jpg|png, folder or tar(.gz)`

// Defaults of the gaussian spec: the setting of the linear-network checks.
const (
	gaussianDim    = 16
	gaussianSigma2 = 0.25
)

// Kind returns the part of the spec before the colon.
func (d *Dataset) Kind() string {
	kind, _, _ := strings.Cut(d.Spec, ":")
	return kind
}

// Open reads the data set that spec names; see SpecHelp.
//
// Views of the digits are drawn by DigitsAugmentation, also for evaluation (3
// views of a training image, 2 of a test image), so that invariance counts.
// Colour images are evaluated as they are, once; their training views follow
// CIFARAugmentation up to 32×32 pixels and STLAugmentation above, and
// normalisation takes the moments of the training set.
func Open(spec string) (*Dataset, error) {
	kind, path, hasPath := strings.Cut(spec, ":")
	d := &Dataset{Spec: spec}
	switch kind {
	case "digits":
		if hasPath {
			return nil, fmt.Errorf("data: spec %q: digits takes no path", spec)
		}
	case "gaussian":
	case "cifar10", "cifar100", "stl10", "stl10-all", "folder":
		if path == "" {
			return nil, fmt.Errorf("data: spec %q: want %s:PATH", spec, kind)
		}
	default:
		return nil, fmt.Errorf("data: spec %q: no such data set; known are\n%s", spec, SpecHelp)
	}
	var err error
	switch kind {
	case "gaussian":
		if d.Gaussian, err = parseGaussian(spec, path); err != nil {
			return nil, err
		}
		return d, nil
	case "digits":
		d.Train, d.Test, err = Digits()
	case "cifar10":
		d.Train, d.Test, err = CIFAR10(path)
	case "cifar100":
		d.Train, d.Test, err = CIFAR100(path)
	case "stl10":
		d.Train, d.Test, err = STL10(path, false)
	case "stl10-all":
		d.Train, d.Test, err = STL10(path, true)
	case "folder":
		d.Train, d.Test, err = Folder(path)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case kind == "digits":
		d.Augment, d.EvalAugment = DigitsAugmentation(), DigitsAugmentation()
		d.TrainViews, d.TestViews = 3, 2
	case max(d.Train.H, d.Train.W) <= cifarSide:
		d.normalise()
		d.TrainViews, d.TestViews = 1, 1
	default:
		d.Augment, d.EvalAugment = STLAugmentation(), ColourAugmentation{}
		d.TrainViews, d.TestViews = 1, 1
	}
	if _, _, _, err := d.Augment.Size(d.Train.H, d.Train.W, d.Train.C); err != nil {
		return nil, fmt.Errorf("data: spec %q: %w", spec, err)
	}
	return d, nil
}

func parseGaussian(spec, options string) (*Gaussian, error) {
	dim, sigma2 := gaussianDim, gaussianSigma2
	if options != "" {
		for option := range strings.SplitSeq(options, ",") {
			name, value, _ := strings.Cut(option, "=")
			var err error
			switch name {
			case "dim":
				dim, err = strconv.Atoi(value)
				if err == nil && (dim < 1 || dim > 1<<16) {
					err = fmt.Errorf("want 1 to %d", 1<<16)
				}
			case "sigma2":
				sigma2, err = strconv.ParseFloat(value, 64)
			default:
				err = fmt.Errorf("want dim=N or sigma2=X")
			}
			if err != nil {
				return nil, fmt.Errorf("data: spec %q: option %q: %v", spec, option, err)
			}
		}
	}
	variances := make([]float64, dim)
	for j := range variances {
		variances[j] = sigma2
	}
	return NewGaussian(nil, variances)
}

// Source returns training batches of n view pairs.
func (d *Dataset) Source(seed uint64, n int) (method.Source, error) {
	if d.Gaussian != nil {
		return NewGaussianSource(d.Gaussian, seed, n)
	}
	return NewImageSource(d.Train, d.Augment, seed, n)
}

// ViewSize returns height, width and channels of a training view; Gaussian data
// count as 1×1×dimension.
func (d *Dataset) ViewSize() (h, w, c int) {
	if d.Gaussian != nil {
		return 1, 1, d.Gaussian.Dim()
	}
	h, w, c, err := d.Augment.Size(d.Train.H, d.Train.W, d.Train.C)
	if err != nil {
		panic(err) // Open asked before
	}
	return h, w, c
}
