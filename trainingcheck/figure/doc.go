// Package figure draws the series of a training run: curves over the steps in panels above one another, as SVG and
// PNG.
package figure
