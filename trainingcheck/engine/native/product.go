package native

import (
	"stopgrad/trainingcheck/engine/native/kernel"
)

// contraction is a sum of products over pairs of places in two arrays, L and R,
//
//	y[out(i) + j] = Σ_r Σ_k L[rows[i] + left[r] + k·stepL] · R[right[r] + k·stepR + j·column],
//
// for i < m and j < n, where r runs over the runs and k over their length: a matrix product whatever is transposed, and a
// convolution or either of its gradients without a copy of its patches.
type contraction struct {
	m, n        int
	rows        []int32
	left, right []int
	length      int
	stepL       int
	stepR       int
	column      int
	out         []int32 // out(i); i·stride if nil
	stride      int

	blocks []block
	parts  [3]int // of rows, columns and blocks: the tasks
	packed bool   // whether the left factor is copied: where its values are far apart, and needed often
}

// block is a part of the contracted index that is short enough for the first level of cache.
type block struct {
	left, right []int // offsets of runs
	length      int
	count       int // of all runs
}

// Sizes in elements or multiply-adds. A panel of the right factor's block takes half of 32 KiB, a chunk of the left
// factor 256 KiB; a task is some tens of microseconds, and there are never more than maxTasks: all shapes alone decide.
const (
	maxBlock  = 256
	chunkRows = 192
	taskWork  = 1 << 19
	maxTasks  = 16
)

// plan cuts the work into blocks and tasks. Results depend on the cut, so it depends on nothing but the shape.
func (c *contraction) plan() *contraction {
	// Runs that are too long are cut into equal pieces, and a rest.
	pieces := max(1, (c.length+maxBlock-1)/maxBlock)
	piece := (c.length + pieces - 1) / pieces
	if pieces == 1 {
		group := max(1, maxBlock/c.length)
		blocks := (len(c.left) + group - 1) / group
		for i := range blocks {
			from, to := i*len(c.left)/blocks, (i+1)*len(c.left)/blocks
			c.blocks = append(c.blocks, block{c.left[from:to], c.right[from:to], c.length, (to - from) * c.length})
		}
	} else {
		for r := range c.left {
			for k := 0; k < c.length; k += piece {
				n := min(piece, c.length-k)
				c.blocks = append(c.blocks, block{[]int{c.left[r] + k*c.stepL}, []int{c.right[r] + k*c.stepR}, n, n})
			}
		}
	}

	total := c.length * len(c.left)
	tasks := min(maxTasks, max(1, c.m*c.n*total/taskWork))
	rows := min(tasks, max(1, c.m/256))
	cuts := 1
	if c.out == nil {
		cuts = min(tasks/rows, max(1, total/512), len(c.blocks))
	}
	columns := min(tasks/(rows*cuts), max(1, c.n/32))
	rows = min(tasks/(cuts*columns), max(rows, c.m/48))
	c.parts = [3]int{rows, columns, cuts}
	c.packed = c.stepL != 1 && c.n > 32
	return c
}

// tasks is the number of tasks.
func (c *contraction) tasks() int { return c.parts[0] * c.parts[1] * c.parts[2] }

// partial is the number of values that tasks of the cuts after the first write, before they are added.
func (c *contraction) partial() int { return (c.parts[2] - 1) * c.m * c.n }

// multiply computes contractions that write to different places of y, each after the sums of the one before.
func multiply[T kernel.Real](w *crew, all []*contraction, y, l, r []T) {
	set := kernel.Of[T](w.family)
	tasks, n := 0, 0
	for _, c := range all {
		tasks, n = tasks+c.tasks(), n+c.partial()
	}
	partial := grow(&storeOf[T](w).partial, n)
	w.run(tasks, func(task int, s *scratch) {
		at := 0
		for _, c := range all {
			n := c.tasks()
			if task < n {
				part(c, set, task, s, y, l, r, partial[at:])
				return
			}
			task, at = task-n, at+c.partial()
		}
	})
	at := 0
	for _, c := range all {
		if c.parts[2] > 1 {
			rows := min(c.m, max(1, c.m*c.n*c.parts[2]/(1<<15)))
			p := partial[at:]
			w.run(rows, func(task int, _ *scratch) {
				from, to := task*c.m/rows*c.n, (task+1)*c.m/rows*c.n
				for cut := range c.parts[2] - 1 {
					if c.stride == c.n {
						set.Add(y[from:to], y[from:to], p[cut*c.m*c.n+from:])
						continue
					}
					for i := from / c.n; i < to/c.n; i++ {
						row := y[i*c.stride:][:c.n]
						set.Add(row, row, p[cut*c.m*c.n+i*c.n:])
					}
				}
			})
		}
		at += c.partial()
	}
}

// part computes one task of a contraction.
func part[T kernel.Real](c *contraction, set *kernel.Set[T], task int, s *scratch, y, l, r, partial []T) {
	const mr = kernel.Rows
	nr := set.Columns
	cut := task % c.parts[2]
	task /= c.parts[2]
	column, row := task%c.parts[1], task/c.parts[1]
	panels, tiles := (c.n+nr-1)/nr, (c.m+mr-1)/mr
	panel0, panel1 := column*panels/c.parts[1], (column+1)*panels/c.parts[1]
	tile0, tile1 := row*tiles/c.parts[0], (row+1)*tiles/c.parts[0]
	blocks := c.blocks[cut*len(c.blocks)/c.parts[2] : (cut+1)*len(c.blocks)/c.parts[2]]
	stride := c.stride
	if cut > 0 {
		y, stride = partial[(cut-1)*c.m*c.n:], c.n
	}

	own := buffersOf[T](s)
	edge := grow(&own.tile, mr*nr)
	t := &own.product
	*t = kernel.Tile[T]{A: l}
	for index, b := range blocks {
		right := grow(&own.right, (panel1-panel0)*b.count*nr)
		for p := panel0; p < panel1; p++ {
			packRight(c, set, b, r, right[(p-panel0)*b.count*nr:][:b.count*nr], p*nr)
		}
		for chunk := tile0; chunk < tile1; chunk += chunkRows / mr {
			end := min(tile1, chunk+chunkRows/mr)
			if c.packed {
				left := grow(&own.left, (end-chunk)*b.count*mr)
				for i := chunk; i < end; i++ {
					packLeft(c, set, b, l, left[(i-chunk)*b.count*mr:][:b.count*mr], i*mr)
				}
				t.A, t.Runs, t.Length, t.Step = left, own.runs[:], b.count, mr
			} else {
				t.Runs, t.Length, t.Step = b.left, b.length, c.stepL
			}
			for p := panel0; p < panel1; p++ {
				t.B = right[(p-panel0)*b.count*nr:]
				j := p * nr
				for i := chunk; i < end; i++ {
					for k := range t.Rows {
						if c.packed {
							t.Rows[k] = (i-chunk)*b.count*mr + k
						} else {
							t.Rows[k] = int(c.rows[min(i*mr+k, c.m-1)])
						}
					}
					if whole := i*mr+mr <= c.m && j+nr <= c.n; whole && c.out == nil {
						t.C, t.Stride, t.Add = y[i*mr*stride+j:], stride, index > 0
						set.Tile(t)
						continue
					}
					t.C, t.Stride, t.Add = edge, nr, false
					set.Tile(t)
					write(c, y, edge, i*mr, j, stride, nr, index > 0)
				}
			}
		}
	}
}

// place is where row i of the result begins.
func (c *contraction) place(i, stride int) int {
	if c.out == nil {
		return i * stride
	}
	return int(c.out[i])
}

// write puts what of a tile at (i, j) is inside the result in its place.
func write[T kernel.Real](c *contraction, y, tile []T, i, j, stride, columns int, add bool) {
	width := min(columns, c.n-j)
	for k := range min(kernel.Rows, c.m-i) {
		to, from := y[c.place(i+k, stride)+j:][:width], tile[k*columns:][:width]
		if !add {
			copy(to, from)
			continue
		}
		for x, v := range from {
			to[x] += v
		}
	}
}

// packRight copies a block of the columns from j on, zeros after the last.
func packRight[T kernel.Real](c *contraction, set *kernel.Set[T], b block, r, to []T, j int) {
	nr := set.Columns
	width := min(nr, c.n-j)
	if width < nr {
		clear(to)
	}
	for _, run := range b.right {
		from := r[run+j*c.column:]
		switch {
		case c.column == 1 && width == nr:
			set.PackColumns(to, from, b.length, c.stepR)
		case c.stepR == 1:
			for x := range width {
				at := x
				for _, v := range from[x*c.column:][:b.length] {
					to[at] = v
					at += nr
				}
			}
		default:
			for k := range b.length {
				for x := range width {
					to[k*nr+x] = from[k*c.stepR+x*c.column]
				}
			}
		}
		to = to[b.length*nr:]
	}
}

// packLeft copies a block of the rows from i on, the last again where there are no more.
func packLeft[T kernel.Real](c *contraction, set *kernel.Set[T], b block, l, to []T, i int) {
	const mr = kernel.Rows
	var rows [mr]int
	adjacent := true
	for k := range rows {
		rows[k] = int(c.rows[min(i+k, c.m-1)])
		adjacent = adjacent && rows[k] == rows[0]+k
	}
	for _, run := range b.left {
		if adjacent {
			set.PackRows(to, l[rows[0]+run:], b.length, c.stepL)
		} else {
			for k := range b.length {
				at := run + k*c.stepL
				for x, row := range rows {
					to[k*mr+x] = l[row+at]
				}
			}
		}
		to = to[b.length*mr:]
	}
}

// matrix is the contraction L·R of m×k and k×n matrices. A transposed factor is stored as k×m, or n×k.
func matrix(m, n, k int, lTrans, rTrans bool) *contraction {
	c := &contraction{m: m, n: n, left: []int{0}, right: []int{0}, length: k, stepL: 1, stepR: n, column: 1, stride: n}
	step := k
	if lTrans {
		c.stepL, step = m, 1
	}
	if rTrans {
		c.stepR, c.column = 1, k
	}
	c.rows = make([]int32, m)
	for i := range c.rows {
		c.rows[i] = int32(i * step)
	}
	return c
}

// products is the routine of a batch of products of matrices.
func products[T kernel.Real](batch int, c *contraction) routine {
	all := []*contraction{c}
	k := c.length
	return func(w *crew, out, in []any) {
		y, l, r := out[0].([]T), in[0].([]T), in[1].([]T)
		for b := range batch {
			multiply(w, all, y[b*c.m*c.n:], l[b*c.m*k:], r[b*c.n*k:])
		}
	}
}
