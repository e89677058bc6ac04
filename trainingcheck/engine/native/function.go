package native

import (
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// builder implements compute.Builder with one function.
type builder struct {
	notimplemented.Builder
	backend *Backend
	name    string
	main    *function
}

// Name implements compute.Builder.
func (b *builder) Name() string { return b.name }

// Main implements compute.Builder.
func (b *builder) Main() compute.Function { return b.main }

// OpShape implements compute.Builder.
func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return b.main.Shape(v) }

// Compile implements compute.Builder.
func (b *builder) Compile() (compute.Executable, error) {
	if b.main.outputs == nil {
		return nil, fmt.Errorf("native: compiling %s: its function has not returned", b.name)
	}
	return plan(b)
}

// routine computes values into out from those in in: for a node one result, from its inputs.
type routine func(w *crew, out, in []any)

// node is one value of a graph.
type node struct {
	function *function
	index    int // in order of creation, which is an order of evaluation
	op       compute.OpType
	shape    shapes.Shape
	inputs   []*node
	run      routine // nil for what passes compute
	// steps are those of the input along a broadcast's axes, or of the result along a sum's.
	steps []int
	// alias is the node whose storage this one shares, if not nil.
	alias *node
	// constant holds the values of a constant, parameter the place of a parameter.
	constant  any
	parameter int
}

// root is the node that owns the storage.
func (n *node) root() *node {
	for n.alias != nil {
		n = n.alias
	}
	return n
}

// function implements compute.Function.
type function struct {
	notimplemented.Function
	builder    *builder
	nodes      []*node
	parameters []*node
	names      []string
	outputs    []*node
}

// Builder implements compute.Function.
func (f *function) Builder() compute.Builder { return f.builder }

// add appends a node.
func (f *function) add(op compute.OpType, s shapes.Shape, run routine, inputs ...*node) (*node, error) {
	if f.outputs != nil {
		return nil, fmt.Errorf("native: operation %s after the function's return", op)
	}
	switch s.DType {
	case dtypes.Float32, dtypes.Float64, dtypes.Bool:
	default:
		return nil, fmt.Errorf("native: %s of type %s: %w", op, s.DType, compute.ErrNotImplemented)
	}
	if s.IsZeroSize() {
		return nil, fmt.Errorf("native: %s of shape %s, which has no elements: %w", op, s, compute.ErrNotImplemented)
	}
	n := &node{function: f, index: len(f.nodes), op: op, shape: s, inputs: inputs, run: run, parameter: -1}
	f.nodes = append(f.nodes, n)
	return n, nil
}

// input casts values of this function.
func (f *function) input(op compute.OpType, values ...compute.Value) ([]*node, error) {
	nodes := make([]*node, len(values))
	for i, v := range values {
		n, ok := v.(*node)
		if !ok || n.function != f {
			return nil, fmt.Errorf("native: input %d of %s is not a value of this function", i, op)
		}
		nodes[i] = n
	}
	return nodes, nil
}

// Shape implements compute.Function.
func (f *function) Shape(v compute.Value) (shapes.Shape, error) {
	n, err := f.input(compute.OpTypeInvalid, v)
	if err != nil {
		return shapes.Invalid(), err
	}
	return n[0].shape, nil
}

// Parameter implements compute.Function.
func (f *function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	if sharding != nil || shape.IsDynamic() {
		return nil, fmt.Errorf("native: sharded or dynamic parameter %s: %w", name, compute.ErrNotImplemented)
	}
	n, err := f.add(compute.OpTypeParameter, shape, nil)
	if err != nil {
		return nil, err
	}
	n.parameter = len(f.parameters)
	f.parameters, f.names = append(f.parameters, n), append(f.names, name)
	return n, nil
}

// Constant implements compute.Function.
func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	v := reflect.ValueOf(flat)
	if v.Kind() != reflect.Slice {
		return nil, fmt.Errorf("native: constant of %T, want a slice", flat)
	}
	s := shapes.Make(dtypes.FromGoType(v.Type().Elem()), dims...)
	own, err := makeFlat(s)
	if err != nil {
		return nil, err
	}
	if v.Len() != s.Size() {
		return nil, fmt.Errorf("native: constant %s of %d values", s, v.Len())
	}
	dtypes.CopyAnySlice(own, flat)
	n, err := f.add(compute.OpTypeConstant, s, nil)
	if err != nil {
		return nil, err
	}
	n.constant = own
	return n, nil
}

// Return implements compute.Function.
func (f *function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if len(shardings) > 0 {
		return fmt.Errorf("native: sharded outputs: %w", compute.ErrNotImplemented)
	}
	n, err := f.input(compute.OpTypeInvalid, outputs...)
	if err != nil {
		return err
	}
	f.outputs = append([]*node{}, n...)
	return nil
}

// addressable reports operands of a contraction that are too long for its offsets.
func addressable(op compute.OpType, nodes ...*node) error {
	for _, n := range nodes {
		if n.shape.Size() > maxOffset {
			return fmt.Errorf("native: %s of %s, which has more than %d values: %w", op, n.shape, maxOffset, compute.ErrNotImplemented)
		}
	}
	return nil
}

// maxOffset is less than the largest offset of a row that a contraction holds.
const maxOffset = math.MaxInt32 / 2

// float reports a type without arithmetic here.
func float(op compute.OpType, nodes ...*node) error {
	for _, n := range nodes {
		if t := n.shape.DType; t != dtypes.Float32 && t != dtypes.Float64 {
			return fmt.Errorf("native: %s of %s: %w", op, t, compute.ErrNotImplemented)
		}
	}
	return nil
}

// share makes a node with the values of another in a new shape.
func (f *function) share(op compute.OpType, x *node, s shapes.Shape) (compute.Value, error) {
	n, err := f.add(op, s, nil, x)
	if err != nil {
		return nil, err
	}
	n.alias = x
	return n, nil
}

// Identity implements compute.Function.
func (f *function) Identity(v compute.Value) (compute.Value, error) {
	x, err := f.input(compute.OpTypeIdentity, v)
	if err != nil {
		return nil, err
	}
	return f.share(compute.OpTypeIdentity, x[0], x[0].shape)
}

// Reshape implements compute.Function.
func (f *function) Reshape(v compute.Value, dims ...int) (compute.Value, error) {
	x, err := f.input(compute.OpTypeReshape, v)
	if err != nil {
		return nil, err
	}
	s, err := shapeinference.Reshape(x[0].shape, dims)
	if err != nil {
		return nil, err
	}
	return f.share(compute.OpTypeReshape, x[0], s)
}

func (f *function) unary(op compute.OpType, v compute.Value) (compute.Value, error) {
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	if err := float(op, x[0]); err != nil {
		return nil, err
	}
	return f.add(op, x[0].shape, nil, x[0])
}

func byType(t dtypes.DType, k32, k64 routine) routine {
	if t == dtypes.Float32 {
		return k32
	}
	return k64
}

// Neg implements compute.Function.
func (f *function) Neg(x compute.Value) (compute.Value, error) {
	return f.unary(compute.OpTypeNeg, x)
}

// Sqrt implements compute.Function.
func (f *function) Sqrt(x compute.Value) (compute.Value, error) {
	return f.unary(compute.OpTypeSqrt, x)
}

// ConvertDType implements compute.Function.
func (f *function) ConvertDType(v compute.Value, t dtypes.DType) (compute.Value, error) {
	x, err := f.input(compute.OpTypeConvertDType, v)
	if err != nil {
		return nil, err
	}
	from := x[0].shape.DType
	if from == t {
		return f.share(compute.OpTypeConvertDType, x[0], x[0].shape)
	}
	run := conversion(from, t)
	if run == nil {
		return nil, fmt.Errorf("native: conversion of %s to %s: %w", from, t, compute.ErrNotImplemented)
	}
	s := x[0].shape.Clone()
	s.DType = t
	return f.add(compute.OpTypeConvertDType, s, run, x[0])
}

func (f *function) binary(op compute.OpType, l, r compute.Value) (compute.Value, error) {
	x, err := f.input(op, l, r)
	if err != nil {
		return nil, err
	}
	if err := float(op, x...); err != nil {
		return nil, err
	}
	s, err := shapeinference.BinaryOp(op, x[0].shape, x[1].shape)
	if err != nil {
		return nil, err
	}
	return f.add(op, s, nil, x...)
}

// Add implements compute.Function.
func (f *function) Add(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeAdd, l, r)
}

// Sub implements compute.Function.
func (f *function) Sub(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeSub, l, r)
}

// Mul implements compute.Function.
func (f *function) Mul(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeMul, l, r)
}

// Div implements compute.Function.
func (f *function) Div(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeDiv, l, r)
}

// Max implements compute.Function.
func (f *function) Max(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeMax, l, r)
}

// Min implements compute.Function.
func (f *function) Min(l, r compute.Value) (compute.Value, error) {
	return f.binary(compute.OpTypeMin, l, r)
}

// GreaterThan implements compute.Function.
func (f *function) GreaterThan(l, r compute.Value) (compute.Value, error) {
	const op = compute.OpTypeGreaterThan
	x, err := f.input(op, l, r)
	if err != nil {
		return nil, err
	}
	if err := float(op, x...); err != nil {
		return nil, err
	}
	s, err := shapeinference.ComparisonOp(op, x[0].shape, x[1].shape)
	if err != nil {
		return nil, err
	}
	loop := newLoop(s.Dimensions, x[0].shape.Dimensions, x[1].shape.Dimensions)
	return f.add(op, s, byType(x[0].shape.DType, elementwise(loop, greater[float32]()), elementwise(loop, greater[float64]())), x...)
}

// Where implements compute.Function.
func (f *function) Where(c, l, r compute.Value) (compute.Value, error) {
	const op = compute.OpTypeWhere
	x, err := f.input(op, c, l, r)
	if err != nil {
		return nil, err
	}
	if err := float(op, x[1:]...); err != nil {
		return nil, err
	}
	s, err := shapeinference.Where(x[0].shape, x[1].shape, x[2].shape)
	if err != nil {
		return nil, err
	}
	return f.add(op, s, byType(s.DType, choose32, choose64), x...)
}

// Transpose implements compute.Function.
func (f *function) Transpose(v compute.Value, permutation ...int) (compute.Value, error) {
	const op = compute.OpTypeTranspose
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	s, err := shapeinference.Transpose(x[0].shape, permutation)
	if err != nil {
		return nil, err
	}
	own := strides(x[0].shape.Dimensions)
	step := make([]int, len(own))
	for i, p := range permutation {
		step[i] = own[p]
	}
	return f.add(op, s, gather(s.DType, s.Dimensions, step, 0), x[0])
}

// Reverse implements compute.Function.
func (f *function) Reverse(v compute.Value, axes ...int) (compute.Value, error) {
	const op = compute.OpTypeReverse
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	s := x[0].shape
	base, step := 0, strides(s.Dimensions)
	for i, a := range axes {
		if a < 0 || a >= s.Rank() || slices.Contains(axes[:i], a) {
			return nil, fmt.Errorf("native: reversing axes %v of %s", axes, s)
		}
		base += (s.Dimensions[a] - 1) * step[a]
		step[a] = -step[a]
	}
	return f.add(op, s, gather(s.DType, s.Dimensions, step, base), x[0])
}

// BroadcastInDim implements compute.Function.
func (f *function) BroadcastInDim(v compute.Value, s shapes.Shape, axes []int) (compute.Value, error) {
	const op = compute.OpTypeBroadcastInDim
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	out := s.Clone()
	out.DType = x[0].shape.DType
	step := make([]int, out.Rank())
	own := strides(x[0].shape.Dimensions)
	for i, a := range axes {
		if a < 0 || a >= out.Rank() || x[0].shape.Dimensions[i] != 1 && x[0].shape.Dimensions[i] != out.Dimensions[a] {
			return nil, fmt.Errorf("native: broadcast of %s to %s along %v", x[0].shape, s, axes)
		}
		if x[0].shape.Dimensions[i] != 1 {
			step[a] = own[i]
		}
	}
	if x[0].shape.Size() == out.Size() {
		return f.share(op, x[0], out)
	}
	if out.DType == dtypes.Bool {
		return f.add(op, out, gather(out.DType, out.Dimensions, step, 0), x[0])
	}
	n, err := f.add(op, out, nil, x[0])
	if err != nil {
		return nil, err
	}
	n.steps = step
	return n, nil
}

// Slice implements compute.Function.
func (f *function) Slice(v compute.Value, starts, limits, by []int) (compute.Value, error) {
	const op = compute.OpTypeSlice
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	if len(by) == 0 {
		by = slices.Repeat([]int{1}, x[0].shape.Rank())
	}
	s, err := shapeinference.Slice(x[0].shape, starts, limits, by)
	if err != nil {
		return nil, err
	}
	own := strides(x[0].shape.Dimensions)
	base, step := 0, slices.Clone(own)
	for i := range own {
		base += starts[i] * own[i]
		step[i] *= by[i]
	}
	return f.add(op, s, gather(s.DType, s.Dimensions, step, base), x[0])
}

// Pad implements compute.Function, for padding that is not negative.
func (f *function) Pad(v, fill compute.Value, config ...compute.PadAxis) (compute.Value, error) {
	const op = compute.OpTypePad
	x, err := f.input(op, v, fill)
	if err != nil {
		return nil, err
	}
	s, err := shapeinference.Pad(x[0].shape, config...)
	if err != nil {
		return nil, err
	}
	own := strides(s.Dimensions)
	base, step := 0, slices.Clone(own)
	for i, c := range config {
		if c.Start < 0 || c.End < 0 || c.Interior < 0 {
			return nil, fmt.Errorf("native: negative padding: %w", compute.ErrNotImplemented)
		}
		base += c.Start * own[i]
		step[i] *= 1 + c.Interior
	}
	return f.add(op, s, scatter(s.DType, x[0].shape.Dimensions, step, base), x...)
}

// Concatenate implements compute.Function.
func (f *function) Concatenate(axis int, values ...compute.Value) (compute.Value, error) {
	const op = compute.OpTypeConcatenate
	x, err := f.input(op, values...)
	if err != nil {
		return nil, err
	}
	in := make([]shapes.Shape, len(x))
	for i, n := range x {
		in[i] = n.shape
	}
	s, err := shapeinference.Concatenate(in, axis)
	if err != nil {
		return nil, err
	}
	runs := make([]int, len(x)) // consecutive values of each operand
	for i := range x {
		runs[i] = 1
		for _, d := range in[i].Dimensions[axis:] {
			runs[i] *= d
		}
	}
	return f.add(op, s, concatenation(s.DType, runs), x...)
}

// ReduceSum implements compute.Function.
func (f *function) ReduceSum(v compute.Value, axes ...int) (compute.Value, error) {
	const op = compute.OpTypeReduceSum
	x, err := f.input(op, v)
	if err != nil {
		return nil, err
	}
	if err := float(op, x...); err != nil {
		return nil, err
	}
	if len(axes) == 0 {
		for i := range x[0].shape.Rank() {
			axes = append(axes, i)
		}
	}
	s, err := shapeinference.Reduce(x[0].shape, axes)
	if err != nil {
		return nil, err
	}
	groups := newSum(x[0].shape.Dimensions, axes)
	n, err := f.add(op, s, byType(s.DType, sum[float32](groups), sum[float64](groups)), x[0])
	if err != nil {
		return nil, err
	}
	n.steps = make([]int, x[0].shape.Rank())
	for i, step := len(n.steps)-1, 1; i >= 0; i-- {
		if !slices.Contains(axes, i) {
			n.steps[i] = step
			step *= x[0].shape.Dimensions[i]
		}
	}
	return n, nil
}

// DotGeneral implements compute.Function.
func (f *function) DotGeneral(l compute.Value, lContract, lBatch []int, r compute.Value, rContract, rBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	const op = compute.OpTypeDotGeneral
	x, err := f.input(op, l, r)
	if err != nil {
		return nil, err
	}
	if err := float(op, x...); err != nil {
		return nil, err
	}
	if err := addressable(op, x...); err != nil {
		return nil, err
	}
	for _, t := range []dtypes.DType{config.AccumulatorDType, config.OutputDType} {
		if t != dtypes.InvalidDType && t != x[0].shape.DType {
			return nil, fmt.Errorf("native: product of %s into %s: %w", x[0].shape.DType, t, compute.ErrNotImplemented)
		}
	}
	s, err := shapeinference.DotGeneral(x[0].shape, lContract, lBatch, x[1].shape, rContract, rBatch, config)
	if err != nil {
		return nil, err
	}
	left, lTrans, err := f.operand(x[0], lContract, lBatch, true)
	if err != nil {
		return nil, err
	}
	right, rTrans, err := f.operand(x[1], rContract, rBatch, false)
	if err != nil {
		return nil, err
	}
	batch, k := size(x[0].shape, lBatch), size(x[0].shape, lContract)
	m, n := x[0].shape.Size()/(batch*k), x[1].shape.Size()/(batch*k)
	c := matrix(m, n, k, lTrans, rTrans).plan()
	return f.add(op, s, byType(s.DType, products[float32](batch, c), products[float64](batch, c)), left, right)
}

func size(s shapes.Shape, axes []int) int {
	n := 1
	for _, a := range axes {
		n *= s.Dimensions[a]
	}
	return n
}

// operand brings a factor to the order batch, then rows and columns of a matrix
// (contracted axes last on the left, first on the right, or the other way round
// with transposed true), and transposes it only where its axes are not already so.
func (f *function) operand(x *node, contract, batch []int, left bool) (*node, bool, error) {
	var cross []int
	for a := range x.shape.Rank() {
		if !slices.Contains(contract, a) && !slices.Contains(batch, a) {
			cross = append(cross, a)
		}
	}
	crossFirst, contractFirst := slices.Concat(batch, cross, contract), slices.Concat(batch, contract, cross)
	if slices.IsSorted(crossFirst) {
		return x, !left, nil
	}
	if slices.IsSorted(contractFirst) {
		return x, left, nil
	}
	v, err := f.Transpose(x, crossFirst...)
	if err != nil {
		return nil, false, err
	}
	return v.(*node), !left, nil
}
