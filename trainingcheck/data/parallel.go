package data

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls do(0) … do(n-1) on all processors and returns the error of
// the smallest index that failed. do(i) may touch only what belongs to i, so
// that the result does not depend on the number of processors.
func inParallel(n int, do func(i int) error) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	}
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		at    = n
	)
	for range workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(i); err != nil {
					mu.Lock()
					if i < at {
						first, at = err, i
					}
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
