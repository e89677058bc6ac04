//go:build !amd64

package kernel

func vectorised() []Family { return nil }

func vectorised32(Family, *Set[float32]) {}

func vectorised64(Family, *Set[float64]) {}

// Pause is what a loop that waits does between two looks.
func Pause() {}
