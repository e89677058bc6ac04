package native

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"stopgrad/trainingcheck/engine/native/kernel"
)

// A fused pass computes many nodes of one size element by element, a few hundred elements at a time, so that what is
// between its operands and its results never leaves the first level of cache: a BatchNorm with its ReLU, its gradient
// with the four sums in it, or the update of a weight, its velocity and its average. Which nodes are computed together
// never changes a bit of any of them, but for sums: these are made in blocks that the shape alone decides.

// lane is an operation on elements.
type lane uint8

const (
	laneNone lane = iota
	laneAdd
	laneSub
	laneMul
	laneDiv
	laneMax
	laneMin
	laneGreater  // a mask
	laneChoose   // by a mask
	laneIndicate // 1 or 0 by a mask
	laneNeg
	laneSqrt
	laneCopy // broadcasts
)

var lanes = map[compute.OpType]lane{
	compute.OpTypeAdd: laneAdd, compute.OpTypeSub: laneSub, compute.OpTypeMul: laneMul, compute.OpTypeDiv: laneDiv,
	compute.OpTypeMax: laneMax, compute.OpTypeMin: laneMin, compute.OpTypeGreaterThan: laneGreater, compute.OpTypeWhere: laneChoose,
	compute.OpTypeNeg: laneNeg, compute.OpTypeSqrt: laneSqrt, compute.OpTypeBroadcastInDim: laneCopy,
}

// lane is the node's operation on elements, laneNone for others.
func (n *node) lane() lane {
	if n.op == compute.OpTypeConvertDType && n.inputs[0].shape.DType == dtypes.Bool {
		return laneIndicate
	}
	if n.alias != nil || n.op == compute.OpTypeBroadcastInDim && n.shape.DType == dtypes.Bool {
		return laneNone
	}
	return lanes[n.op]
}

// elements is the type that the node's lane works in.
func (n *node) elements() dtypes.DType {
	if n.op == compute.OpTypeGreaterThan {
		return n.inputs[0].shape.DType
	}
	return n.shape.DType
}

// fuser decides which nodes are computed together.
type fuser struct {
	nodes  []*node
	needed []bool
	users  [][]*node // of the storage of a node, by index
	output []bool
	// point nodes are computed inside passes; the others by their routines.
	point []bool
	// solid nodes have storage. The others are computed wherever they are used.
	solid []bool
	// level orders the solid nodes: everything that a node is computed from is on lower levels.
	level  []int
	relus  map[*node]*node // the maximum with zero, by its comparison
	passes map[passKey][]*pass
	order  []stage
}

type passKey struct {
	level, size int
	t           dtypes.DType
}

// stage is a node or a pass in the order of execution.
type stage struct {
	level, index int
	single       *node
	pass         *pass
}

// Limits of what is computed again rather than kept: operations and operands of full size of an expression, and those of
// a whole pass.
const (
	maxAgain    = 16
	maxOperands = 4
	maxOps      = 64
	maxLeaves   = 24
)

// fuse orders the nodes that the outputs need.
func fuse(f *function) []stage {
	n := len(f.nodes)
	u := &fuser{nodes: f.nodes, needed: make([]bool, n), users: make([][]*node, n), output: make([]bool, n), point: make([]bool, n),
		solid: make([]bool, n), level: make([]int, n), relus: map[*node]*node{}, passes: map[passKey][]*pass{}}
	var mark func(x *node)
	mark = func(x *node) {
		if u.needed[x.index] {
			return
		}
		u.needed[x.index] = true
		for _, in := range x.inputs {
			mark(in)
			if x.alias == nil {
				r := in.root().index
				u.users[r] = append(u.users[r], x)
			}
		}
	}
	for _, x := range f.outputs {
		mark(x)
		u.output[x.root().index] = true
	}
	u.classify()
	for _, x := range u.nodes {
		switch {
		case !u.needed[x.index] || x.alias != nil || x.parameter >= 0 || x.constant != nil:
		case x.op == compute.OpTypeReduceSum:
			if !u.join(x) {
				u.keep(x.inputs[0].root())
				u.alone(x)
			}
		case !u.point[x.index]:
			u.alone(x)
		case u.solid[x.index] || u.tooLarge(x):
			u.keep(x)
		}
	}
	slices.SortStableFunc(u.order, func(a, b stage) int {
		if a.level != b.level {
			return a.level - b.level
		}
		return a.index - b.index
	})
	return u.order
}

// classify sets point, and solid for what other than passes reads.
func (u *fuser) classify() {
	for _, x := range u.nodes {
		u.point[x.index] = u.needed[x.index] && x.lane() != laneNone
	}
	// Masks live inside passes only. One that is needed elsewhere is an ordinary node of booleans, and so is what chooses
	// by it.
	for changed := true; changed; {
		changed = false
		for _, x := range u.nodes {
			if !u.point[x.index] {
				continue
			}
			ok := true
			switch x.lane() {
			case laneGreater:
				ok = !u.output[x.index] && !slices.ContainsFunc(u.users[x.index], func(y *node) bool {
					return !u.point[y.index] || y.shape.Size() != x.shape.Size()
				})
			case laneChoose, laneIndicate:
				c := x.inputs[0].root()
				ok = u.point[c.index] && c.lane() == laneGreater && c.elements() == x.elements() && c.shape.Size() == x.shape.Size()
			}
			if !ok {
				u.point[x.index], changed = false, true
			}
		}
	}
	for _, x := range u.nodes {
		u.solid[x.index] = !u.point[x.index] || u.output[x.index] || slices.ContainsFunc(u.users[x.index], func(y *node) bool {
			return y.op != compute.OpTypeReduceSum && (!u.point[y.index] || y.shape.Size() != x.shape.Size())
		})
		if u.point[x.index] && x.lane() == laneChoose {
			if c := x.inputs[0].root(); x.inputs[1].root() == c.inputs[0].root() && isZero(x.inputs[2]) && isZero(c.inputs[1]) {
				u.relus[c] = x
			}
		}
	}
}

// isZero tells whether a node is a constant of zeros.
func isZero(n *node) bool {
	n = n.root()
	for n.op == compute.OpTypeBroadcastInDim {
		n = n.inputs[0].root()
	}
	if n.constant == nil {
		return false
	}
	switch v := n.constant.(type) {
	case []float32:
		return !slices.ContainsFunc(v, func(x float32) bool { return x != 0 })
	case []float64:
		return !slices.ContainsFunc(v, func(x float64) bool { return x != 0 })
	}
	return false
}

// operands are what a point node is computed from for a member of a pass. The mask of a ReLU whose result is kept is
// read off that: s > 0 exactly where max(s, 0) > 0. What is kept is decided in the order of the nodes, so that the answer
// for a member never changes.
func (u *fuser) operands(x, member *node, expanded map[*node]bool) []*node {
	if r := u.relus[x]; r != nil && r.index < member.index && u.solid[r.index] && !expanded[r] && !u.solid[x.inputs[0].root().index] {
		return []*node{r, x.inputs[1]}
	}
	return x.inputs
}

// alone makes a node a stage of its own.
func (u *fuser) alone(x *node) {
	for _, in := range x.inputs {
		u.level[x.index] = max(u.level[x.index], u.level[in.root().index])
	}
	u.level[x.index]++
	u.solid[x.index] = true
	u.order = append(u.order, stage{level: u.level[x.index], index: x.index, single: x})
}

// expression is what a node is computed from.
type expression struct {
	ops    map[*node]bool
	leaves map[*node]bool
}

// express collects the nodes under x down to solid ones, which expanded ones are not taken for.
func (u *fuser) express(x *node, expanded map[*node]bool) expression {
	e := expression{map[*node]bool{}, map[*node]bool{}}
	var visit func(n *node)
	visit = func(n *node) {
		if n != x && (!u.point[n.index] || u.solid[n.index] && !expanded[n]) {
			e.leaves[n] = true
			return
		}
		if e.ops[n] {
			return
		}
		e.ops[n] = true
		inputs := n.inputs
		if u.point[n.index] {
			inputs = u.operands(n, x, expanded)
		}
		for _, in := range inputs {
			visit(in.root())
		}
	}
	visit(x)
	return e
}

// tooLarge tells whether a node that need not be kept had better be.
func (u *fuser) tooLarge(x *node) bool {
	if x.lane() == laneGreater {
		return false // a mask
	}
	e := u.express(x, nil)
	large := 0
	for l := range e.leaves {
		if l.shape.Size() == x.shape.Size() {
			large++
		}
	}
	return len(e.ops) > maxOps/2 || len(e.leaves) > maxLeaves/2 || len(u.users[x.index]) > 1 && (len(e.ops) > maxAgain || large > maxOperands)
}

// keep gives a point node storage and puts it into a pass.
func (u *fuser) keep(x *node) {
	if u.level[x.index] > 0 || !u.point[x.index] {
		return
	}
	if !u.join(x) {
		panic("native: a pass of one node was refused")
	}
	u.solid[x.index] = true
}

// join puts a point node or a sum into a pass, and reports whether it could.
func (u *fuser) join(x *node) bool {
	size, t := x.shape.Size(), x.elements()
	if x.op == compute.OpTypeReduceSum {
		size = x.inputs[0].shape.Size()
	}
	// Operands on the highest level that passes compute are computed again here if that puts x on their level, where it
	// can be computed with them.
	expanded := map[*node]bool{}
	e := u.express(x, expanded)
	top := u.top(e)
	for range 4 {
		again := map[*node]bool{}
		for l := range e.leaves {
			if u.level[l.index] == top && top > 0 {
				again[l] = true
			}
		}
		ok := len(again) > 0
		for l := range again {
			ok = ok && u.point[l.index] && l.shape.Size() == size && l.elements() == t
		}
		if !ok {
			break
		}
		for l := range expanded {
			again[l] = true
		}
		more := u.express(x, again)
		if len(more.ops) > maxAgain || u.top(more) >= top {
			break
		}
		expanded, e, top = again, more, u.top(more)
	}
	u.level[x.index] = top + 1
	key := passKey{top + 1, size, t}
	member := member{node: x, expression: e, expanded: expanded}
	for _, p := range u.passes[key] {
		if p.add(u, member) {
			return true
		}
	}
	p := &pass{t: t, size: size}
	if !p.add(u, member) {
		u.level[x.index] = 0
		return false
	}
	u.passes[key] = append(u.passes[key], p)
	u.order = append(u.order, stage{level: top + 1, index: x.index, pass: p})
	return true
}

func (u *fuser) top(e expression) int {
	top := 0
	for l := range e.leaves {
		top = max(top, u.level[l.index])
	}
	return top
}

// member is one result of a pass.
type member struct {
	node *node
	expression
	expanded map[*node]bool
}

// pass is a set of results of the same size.
type pass struct {
	t       dtypes.DType
	size    int
	members []member
	program *program
}

// add takes a member in, unless it has nothing in common with the others, there would be too much, or its sums do not go
// with the pass.
func (p *pass) add(u *fuser, m member) bool {
	if len(p.members) > 0 {
		shared := p.size < chunk
		ops, leaves := map[*node]bool{}, map[*node]bool{}
		for _, o := range append(slices.Clone(p.members), m) {
			for x := range o.ops {
				ops[x] = true
			}
			for x := range o.leaves {
				leaves[x] = true
			}
		}
		for _, o := range p.members {
			for x := range m.leaves {
				shared = shared || o.leaves[x] && x.shape.Size() > 1
			}
		}
		if !shared || len(ops) > maxOps || len(leaves) > maxLeaves {
			return false
		}
	}
	all := append(slices.Clone(p.members), m)
	g, ok := compile(u, p.t, p.size, all)
	if !ok {
		return false
	}
	p.members, p.program = all, g
	return true
}

// The program of a pass goes over a nest of loops whose last two, rows and columns, are worked on by chunks.

// chunk is the number of elements that an instruction works on, or the columns where these are more, up to maxColumns.
const (
	chunk      = 1024
	maxColumns = 1 << 14
	minTask    = 8 * chunk // elements of a task
	maxUnits   = 64        // that rows are cut into
)

// program is a compiled pass.
type program struct {
	outer         []int // loops around rows and columns
	rows, columns int
	perChunk      int // rows
	perUnit       int // rows: sums are made of the sums of units
	perTask       int // units
	operands      []operand
	registers     int
	code          []instruction
	sums          []accumulation
	in, out       []*node // storages
}

// operand is a value that instructions read or write.
type operand struct {
	kind     operandKind
	register int
	storage  int   // index into in or out
	outer    []int // steps of the storage along the outer loops
	row      int   // step along the rows
}

type operandKind uint8

const (
	inRegister operandKind = iota
	inPlace                // an operand of the pass that is as contiguous as the chunk
	perRow                 // one value for each row
	perUnit                // one row, or one value, for all rows
	perUnitOne
	result // of the pass
)

type instruction struct {
	op         lane
	y, a, b, c int
}

// accumulation is a sum: over rows, over everything in a unit, or over the columns of each row.
type accumulation struct {
	value    int // operand
	kind     sumKind
	register int // of the sum so far
	width    int // values of a unit
	storage  int // index into out
	outer    []int
	row      int
}

type sumKind uint8

const (
	overRows sumKind = iota
	overAll
	overColumns
)

// access is a storage with its steps along axes.
type access struct {
	dims, step []int
}

// refine returns axes that all of the given ones are made of, without those of length 1.
func refine(size int, all []access) (dims []int, ok bool) {
	cuts := map[int]bool{1: true, size: true}
	for _, a := range all {
		n := 1
		for i := len(a.dims) - 1; i >= 0; i-- {
			n *= a.dims[i]
			cuts[n] = true
		}
	}
	sorted := make([]int, 0, len(cuts))
	for n := range cuts {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	for i := len(sorted) - 1; i > 0; i-- {
		if sorted[i]%sorted[i-1] != 0 {
			return nil, false
		}
		dims = append(dims, sorted[i]/sorted[i-1])
	}
	return dims, true
}

// along are the steps of a along axes that are parts of its own, or several that it walks as one.
func (a access) along(dims []int) []int {
	step := make([]int, len(dims))
	k, inner := len(dims)-1, 1 // the product of the lengths after k
	own := 1
	for i := len(a.dims) - 1; i >= 0; i-- {
		for ; k >= 0 && inner < own*a.dims[i]; k-- {
			step[k] = a.step[i] * (inner / own)
			inner *= dims[k]
		}
		own *= a.dims[i]
	}
	return step
}

// broadcast is the access of operand in of a point node.
func broadcast(x, in *node) access {
	step := make([]int, x.shape.Rank())
	if x.op == compute.OpTypeBroadcastInDim {
		return access{x.shape.Dimensions, x.steps}
	}
	if in.shape.Rank() == x.shape.Rank() {
		for i, s := range strides(in.shape.Dimensions) {
			if in.shape.Dimensions[i] != 1 {
				step[i] = s
			}
		}
	}
	return access{x.shape.Dimensions, step}
}

// compile makes the program of members; not ok means that their axes or sums do not go together.
func compile(u *fuser, t dtypes.DType, size int, members []member) (*program, bool) {
	g := &program{}
	// Accesses other than from end to end, and the sums.
	var accesses []access
	for _, m := range members {
		if m.node.op == compute.OpTypeReduceSum {
			accesses = append(accesses, access{m.node.inputs[0].shape.Dimensions, m.node.steps})
		}
		for x := range m.ops {
			if x.op == compute.OpTypeReduceSum {
				continue
			}
			for _, in := range u.operands(x, m.node, m.expanded) {
				if in.shape.Size() != size {
					accesses = append(accesses, broadcast(x, in))
				}
			}
		}
	}
	dims, ok := refine(size, accesses)
	if !ok {
		return nil, false
	}
	dims = mergeAll(dims, accesses)
	switch n := len(dims); {
	case n == 0:
		g.rows, g.columns = 1, 1
	case n == 1 || dims[n-1] > maxColumns:
		g.outer, g.rows, g.columns = dims[:n-1], dims[n-1], 1
	default:
		g.outer, g.rows, g.columns = dims[:n-2], dims[n-2], dims[n-1]
	}
	g.perChunk = max(1, min(g.rows, chunk/g.columns))
	g.cut(size)

	b := &assembler{g: g, u: u, size: size, dims: dims, values: map[*node]int{}, same: map[instruction]int{}, leaves: map[leaf]int{}, whole: access{dims, strides(dims)}}
	for _, m := range members {
		b.member = m
		if m.node.op != compute.OpTypeReduceSum {
			b.store(m.node)
		}
	}
	for _, m := range members {
		b.member = m
		if m.node.op == compute.OpTypeReduceSum && !b.sum(m.node) {
			return nil, false
		}
	}
	b.allocate()
	return g, true
}

// mergeAll joins neighbouring axes that every access walks as one.
func mergeAll(dims []int, all []access) []int {
	steps := make([][]int, len(all))
	for i, a := range all {
		steps[i] = a.along(dims)
	}
	var merged []int
	for k := len(dims) - 1; k >= 0; k-- {
		one := len(merged) > 0
		for _, s := range steps {
			one = one && s[k] == s[k+1]*dims[k+1]
		}
		if one {
			merged[len(merged)-1] *= dims[k]
		} else {
			merged = append(merged, dims[k])
		}
	}
	slices.Reverse(merged)
	return merged
}

// cut decides units and tasks.
func (g *program) cut(size int) {
	units := max(1, min(maxUnits, g.rows*g.columns/minTask))
	per := (g.rows + units - 1) / units
	g.perUnit = (per + g.perChunk - 1) / g.perChunk * g.perChunk
	g.perTask = max(1, minTask/(min(g.perUnit, g.rows)*g.columns))
}

func (g *program) unitsOfRows() int { return (g.rows + g.perUnit - 1) / g.perUnit }

func (g *program) units() int {
	n := g.unitsOfRows()
	for _, d := range g.outer {
		n *= d
	}
	return n
}

// assembler writes a program's code.
type assembler struct {
	g      *program
	u      *fuser
	size   int
	dims   []int
	whole  access
	member member
	values map[*node]int // operands by what they hold
	same   map[instruction]int
	leaves map[leaf]int
}

type leaf struct {
	n   *node
	key string
}

// split are an access's steps along the outer loops, the rows and the columns.
func (b *assembler) split(a access) (outer []int, row, column int) {
	step := a.along(b.dims)
	switch n := len(step); {
	case n == 0:
		return nil, 0, 0
	case b.g.columns == 1 && len(b.g.outer) == n-1:
		return step[:n-1], step[n-1], 1
	default:
		return step[:n-2], step[n-2], step[n-1]
	}
}

// leaf is the operand of a storage.
func (b *assembler) leaf(n *node, a access) int {
	outer, row, column := b.split(a)
	o := operand{outer: outer, row: row}
	switch {
	case b.size == 1 || column != 0 && row == b.g.columns:
		o.kind = inPlace
	case row != 0:
		o.kind = perRow
	case column != 0 && b.g.columns > 1:
		o.kind = perUnit
	default:
		o.kind = perUnitOne
	}
	key := make([]rune, 0, 8)
	for _, s := range append(slices.Clone(outer), row, int(o.kind)) {
		key = append(key, rune(s))
	}
	l := leaf{n, string(key)}
	if i, ok := b.leaves[l]; ok {
		return i
	}
	o.storage = slices.Index(b.g.in, n)
	if o.storage < 0 {
		o.storage = len(b.g.in)
		b.g.in = append(b.g.in, n)
	}
	b.leaves[l] = b.operand(o)
	return b.leaves[l]
}

func (b *assembler) operand(o operand) int {
	b.g.operands = append(b.g.operands, o)
	return len(b.g.operands) - 1
}

// value is the operand that holds a node of full size, computed if need be.
func (b *assembler) value(n *node) int {
	n = n.root()
	if i, ok := b.values[n]; ok {
		return i
	}
	if !b.member.ops[n] {
		i := b.leaf(n, b.whole)
		b.values[n] = i
		return i
	}
	return b.compute(n, -1)
}

// compute emits a node's instruction, into the operand y if there is one.
func (b *assembler) compute(n *node, y int) int {
	i := instruction{op: n.lane(), y: -1}
	for k, in := range b.u.operands(n, b.member.node, b.member.expanded) {
		var v int
		if in.shape.Size() == b.size {
			v = b.value(in)
		} else {
			v = b.leaf(in.root(), broadcast(n, in))
		}
		*[]*int{&i.a, &i.b, &i.c}[k] = v
	}
	if have, ok := b.same[i]; ok && y < 0 {
		b.values[n] = have
		return have
	}
	if i.op == laneCopy && y < 0 {
		b.values[n] = i.a
		return i.a
	}
	key := i
	if y < 0 {
		y = b.operand(operand{kind: inRegister})
	}
	i.y = y
	b.g.code = append(b.g.code, i)
	b.same[key], b.values[n] = y, y
	return y
}

// store emits a node whose values the pass keeps.
func (b *assembler) store(n *node) {
	outer, row, _ := b.split(b.whole)
	o := operand{kind: result, storage: len(b.g.out), outer: outer, row: row}
	b.g.out = append(b.g.out, n)
	y := b.operand(o)
	if have, ok := b.values[n]; ok {
		b.g.code = append(b.g.code, instruction{op: laneCopy, y: y, a: have})
		return
	}
	b.compute(n, y)
}

// sum emits a sum, if it goes with the loops.
func (b *assembler) sum(n *node) bool {
	outer, row, column := b.split(access{n.inputs[0].shape.Dimensions, n.steps})
	if b.g.columns == 1 && row == 0 {
		column = 0 // there is one column, over which a sum is nothing
	}
	s := accumulation{outer: outer, row: row, width: 1, storage: len(b.g.out)}
	switch {
	case row == 0 && column == 0:
		s.kind = overAll
	case row == 0:
		s.kind, s.width = overRows, b.g.columns
	case column == 0 && !slices.Contains(outer, 0):
		s.kind = overColumns
	default:
		return false
	}
	s.value = b.value(n.inputs[0])
	if s.kind != overColumns {
		s.register = b.operand(operand{kind: inRegister})
	}
	b.g.out = append(b.g.out, n)
	b.g.sums = append(b.g.sums, s)
	return true
}

// allocate gives operands registers; those of instructions are free again after their last use.
func (b *assembler) allocate() {
	g := b.g
	last := make([]int, len(g.operands))
	for k, i := range g.code {
		for _, o := range i.reads() {
			last[o] = k
		}
	}
	for _, s := range g.sums {
		last[s.value] = len(g.code)
	}
	for i, o := range g.operands {
		if o.kind == perRow || o.kind == perUnit || o.kind == perUnitOne {
			g.operands[i].register = g.registers
			g.registers++
		}
	}
	for _, s := range g.sums {
		if s.kind != overColumns {
			g.operands[s.register].register = g.registers
			g.registers++
		}
	}
	var free []int
	for k, i := range g.code {
		if o := &g.operands[i.y]; o.kind == inRegister {
			if n := len(free); n > 0 {
				o.register, free = free[n-1], free[:n-1]
			} else {
				o.register = g.registers
				g.registers++
			}
		}
		reads := i.reads()
		slices.Sort(reads)
		for _, r := range slices.Compact(reads) {
			if g.operands[r].kind == inRegister && last[r] == k {
				free = append(free, g.operands[r].register)
			}
		}
	}
}

// reads are the operands of an instruction.
func (i instruction) reads() []int {
	switch i.op {
	case laneChoose:
		return []int{i.a, i.b, i.c}
	case laneNeg, laneSqrt, laneCopy, laneIndicate:
		return []int{i.a}
	}
	return []int{i.a, i.b}
}

// fused is the routine of a program.
func fused[T kernel.Real](g *program) routine {
	units := g.units()
	tasks := (units + g.perTask - 1) / g.perTask
	perRows := g.unitsOfRows()
	size := g.perChunk * g.columns
	partial, starts := 0, make([]int, len(g.sums))
	for i, s := range g.sums {
		starts[i] = partial
		if s.kind != overColumns {
			partial += units * s.width
		}
	}
	// at is the offset of outer loops with the given steps.
	at := func(outer int, step []int) (offset int) {
		for i := len(g.outer) - 1; i >= 0; i-- {
			offset += outer % g.outer[i] * step[i]
			outer /= g.outer[i]
		}
		return offset
	}
	return func(w *crew, out, in []any) {
		set := kernel.Of[T](w.family)
		parts := grow(&storeOf[T](w).sums, partial)
		w.run(tasks, func(task int, s *scratch) {
			own := buffersOf[T](s)
			memory := grow(&own.registers, g.registers*size)
			v, base := grow(&own.operands, len(g.operands)), grow(&own.bases, len(g.operands))
			for unit := task * g.perTask; unit < min(units, (task+1)*g.perTask); unit++ {
				outer, first := unit/perRows, unit%perRows*g.perUnit
				for i, o := range g.operands {
					if o.kind != inRegister {
						base[i] = at(outer, o.outer)
					}
					if o.kind == inPlace || o.kind == result {
						continue
					}
					v[i] = memory[o.register*size:][:size]
					switch o.kind {
					case perUnit:
						copy(v[i], in[o.storage].([]T)[base[i]:][:g.columns])
						double(v[i], g.columns)
					case perUnitOne:
						v[i][0] = in[o.storage].([]T)[base[i]]
						double(v[i], 1)
					}
				}
				for _, s := range g.sums {
					if s.kind != overColumns {
						clear(v[s.register])
					}
				}
				for row := first; row < min(g.rows, first+g.perUnit); row += g.perChunk {
					rows := min(g.perChunk, g.rows-row, first+g.perUnit-row)
					n := rows * g.columns
					for i, o := range g.operands {
						switch o.kind {
						case inPlace:
							v[i] = in[o.storage].([]T)[base[i]+row*o.row:][:n]
						case result:
							v[i] = out[o.storage].([]T)[base[i]+row*o.row:][:n]
						case perRow:
							v[i] = v[i][:n]
							x := in[o.storage].([]T)[base[i]+row*o.row:]
							for r := range rows {
								to := v[i][r*g.columns:][:g.columns]
								to[0] = x[r*o.row]
								double(to, 1)
							}
						default:
							v[i] = v[i][:n]
						}
					}
					for _, i := range g.code {
						execute(set, i, v)
					}
					for _, s := range g.sums {
						if s.kind == overColumns {
							y := out[s.storage].([]T)[at(outer, s.outer)+row*s.row:]
							for r := range rows {
								y[r*s.row] = T(total(v[s.value][r*g.columns:][:g.columns]))
							}
							continue
						}
						a := v[s.register]
						set.Add(a, a, v[s.value])
					}
				}
				for i, s := range g.sums {
					to := parts[starts[i]:]
					switch s.kind {
					case overAll:
						to[unit] = T(total(memory[g.operands[s.register].register*size:][:size]))
					case overRows:
						copy(to[unit*s.width:][:s.width], fold(set, memory[g.operands[s.register].register*size:][:size], s.width))
					}
				}
			}
		})
		for i, s := range g.sums {
			if s.kind == overColumns {
				continue
			}
			y := out[s.storage].([]T)
			clear(y)
			for unit := range units {
				to := y[at(unit/perRows, s.outer):][:s.width]
				set.Add(to, to, parts[starts[i]+unit*s.width:])
			}
		}
	}
}

// double repeats the first n values to the end.
func double[T any](x []T, n int) {
	for ; n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}

// fold sums rows of the given width by halves and returns the first.
func fold[T kernel.Real](set *kernel.Set[T], x []T, width int) []T {
	for rows := len(x) / width; rows > 1; {
		half := rows / 2
		set.Add(x[:half*width], x[:half*width], x[(rows-half)*width:rows*width])
		rows -= half
	}
	return x[:width]
}

// total is a sum in float64, of four interleaved ones.
func total[T kernel.Real](x []T) float64 {
	var s [4]float64
	for ; len(x) >= 4; x = x[4:] {
		s[0] += float64(x[0])
		s[1] += float64(x[1])
		s[2] += float64(x[2])
		s[3] += float64(x[3])
	}
	for i, v := range x {
		s[i] += float64(v)
	}
	return s[0] + s[1] + (s[2] + s[3])
}

func execute[T kernel.Real](set *kernel.Set[T], i instruction, v [][]T) {
	y, a := v[i.y], v[i.a]
	switch i.op {
	case laneAdd:
		set.Add(y, a, v[i.b])
	case laneSub:
		set.Sub(y, a, v[i.b])
	case laneMul:
		set.Mul(y, a, v[i.b])
	case laneDiv:
		set.Div(y, a, v[i.b])
	case laneGreater:
		set.Greater(y, a, v[i.b])
	case laneChoose:
		set.Choose(y, a, v[i.b], v[i.c])
	case laneIndicate:
		set.Indicate(y, a)
	case laneNeg:
		set.Neg(y, a)
	case laneSqrt:
		set.Sqrt(y, a)
	case laneCopy:
		copy(y, a)
	case laneMax:
		for k, b := range v[i.b][:len(y)] {
			y[k] = max(a[k], b)
		}
	case laneMin:
		for k, b := range v[i.b][:len(y)] {
			y[k] = min(a[k], b)
		}
	}
}
