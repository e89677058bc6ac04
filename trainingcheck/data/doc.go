// Package data reads the images and draws the views that the training checks train on.
//
// A Dataset is named by a spec: digits (embedded in the program), gaussian
// (drawn), cifar10:PATH, cifar100:PATH, stl10:PATH or folder:PATH. Files that
// are missing, cut short, mislabelled or of the wrong size are refused with one
// error that names the file and the byte. Every random choice (order of the
// examples, crop, noise) is a pure function of (seed, stream, step, sample,
// view), see Key, so that a run can be resumed at any step and gives the same
// batches whatever the number of processors.
package data
