package native

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// crew runs the tasks of a job on several cores. Which worker takes which task is chance; a job's tasks write to places of
// their own, and how work is cut into tasks never depends on the number of workers, so that results do not either.
type crew struct {
	family  kernel.Family
	f32     store[float32]
	f64     store[float64]
	current atomic.Pointer[job]
	closed  atomic.Bool
	scratch []*scratch // by worker, the caller's first
	helpers sync.WaitGroup

	mu     sync.Mutex
	wake   *sync.Cond
	asleep int
}

// job is one call of run.
type job struct {
	tasks int64
	next  atomic.Int64 // the next task to take
	done  atomic.Int64 // finished tasks
	do    func(task int, s *scratch)
	first sync.Once
	broke any // the first panic of a task
}

// scratch is the memory of one worker, kept from task to task.
type scratch struct {
	f32 buffers[float32]
	f64 buffers[float64]
}

// buffers are a worker's for one type: packed factors, a tile, and the registers of a fused pass.
type buffers[T kernel.Real] struct {
	left, right, tile, registers []T
	product                      kernel.Tile[T]
	runs                         [1]int
	operands                     [][]T
	bases                        []int
}

func buffersOf[T kernel.Real](s *scratch) *buffers[T] {
	var b any = &s.f32
	if _, ok := b.(*buffers[T]); !ok {
		b = &s.f64
	}
	return b.(*buffers[T])
}

// store is memory that the workers share during one operation.
type store[T kernel.Real] struct {
	partial []T // sums of the cuts of products
	border  []T // an input with its border
	sums    []T // of the units of a pass
}

func storeOf[T kernel.Real](c *crew) *store[T] {
	var b any = &c.f32
	if _, ok := b.(*store[T]); !ok {
		b = &c.f64
	}
	return b.(*store[T])
}

// grow returns a slice of length n, which is *s if that is long enough.
func grow[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}

// busy counts the graphs of this process that are being executed: they share its processors.
var busy atomic.Int32

// spins is how often a helper looks for a new job before it sleeps: for about a tenth of a millisecond, longer than what
// lies between two jobs of a step, and than waking takes.
const spins = 500

func newCrew(f kernel.Family) *crew {
	c := &crew{family: f, scratch: []*scratch{{}}}
	c.wake = sync.NewCond(&c.mu)
	return c
}

// open starts the helpers of that many workers, the caller among them, or of fewer where other graphs are executed too.
func (c *crew) open(workers int) {
	workers /= int(busy.Add(1))
	c.closed.Store(false)
	c.current.Store(nil)
	for i := 1; i < workers; i++ {
		if i == len(c.scratch) {
			c.scratch = append(c.scratch, &scratch{})
		}
		c.helpers.Add(1)
		go c.help(c.scratch[i])
	}
}

// close ends the helpers and waits for them.
func (c *crew) close() {
	c.closed.Store(true)
	c.mu.Lock()
	c.wake.Broadcast()
	c.mu.Unlock()
	c.helpers.Wait()
	busy.Add(-1)
}

func (c *crew) help(s *scratch) {
	defer c.helpers.Done()
	var last *job
	for {
		j := c.current.Load()
		for i := 0; j == last && !c.closed.Load(); i++ {
			if i < spins {
				kernel.Pause()
			} else {
				c.sleep(last)
				i = 0
			}
			j = c.current.Load()
		}
		if j == last {
			return // closed
		}
		j.work(s)
		last = j
	}
}

// sleep waits for another job than the last, or the end.
func (c *crew) sleep(last *job) {
	c.mu.Lock()
	c.asleep++
	for c.current.Load() == last && !c.closed.Load() {
		c.wake.Wait()
	}
	c.asleep--
	c.mu.Unlock()
}

// run does tasks 0 … tasks−1, each once and in any order, and returns when all are done.
func (c *crew) run(tasks int, do func(task int, s *scratch)) {
	if tasks == 1 {
		do(0, c.scratch[0])
		return
	}
	j := &job{tasks: int64(tasks), do: do}
	c.current.Store(j)
	c.mu.Lock()
	if c.asleep > 0 {
		c.wake.Broadcast()
	}
	c.mu.Unlock()
	j.work(c.scratch[0])
	for i := 0; j.done.Load() < j.tasks; i++ {
		if i < spins {
			kernel.Pause()
		} else {
			runtime.Gosched()
		}
	}
	if j.broke != nil {
		panic(j.broke)
	}
}

// work takes tasks until there are none.
func (j *job) work(s *scratch) {
	for {
		t := j.next.Add(1) - 1
		if t >= j.tasks {
			return
		}
		j.task(int(t), s)
	}
}

// task does one task; a panic in it is the caller's, who waits for it.
func (j *job) task(t int, s *scratch) {
	defer func() {
		if r := recover(); r != nil {
			j.first.Do(func() { j.broke = fmt.Sprintf("native: %v", r) })
		}
		j.done.Add(1)
	}()
	j.do(t, s)
}
