//go:build race

package linear

// raceDetector slows the inner loops of SGD twentyfold. The long tests are one
// goroutine a run; TestResultsDoNotDependOnTheWorkers covers what runs share.
const raceDetector = true
