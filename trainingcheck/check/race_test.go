//go:build race

package check

// raceDetector slows training several times over; the short tests share the same goroutines.
const raceDetector = true
