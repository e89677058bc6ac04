package native_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"stopgrad/trainingcheck/engine/native"
	"stopgrad/trainingcheck/engine/native/kernel"
)

// convolved is ConvGeneral by its definition, a sum over every tap and channel for each output.
func convolved(x, k array, s shapes.Shape, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int, inputDilations, kernelDilations []int) []float64 {
	offset := func(s shapes.Shape, axis, i int) int {
		for _, d := range s.Dimensions[axis+1:] {
			i *= d
		}
		return i
	}
	y := make([]float64, s.Size())
	spatial := len(axes.InputSpatial)
	o, t := make([]int, spatial), make([]int, spatial)
	each := func(at []int, dims shapes.Shape, ax []int, do func()) {
		var loop func(i int)
		loop = func(i int) {
			if i == spatial {
				do()
				return
			}
			for at[i] = range dims.Dimensions[ax[i]] {
				loop(i + 1)
			}
		}
		loop(0)
	}
	for n := range x.shape.Dimensions[axes.InputBatch] {
		for co := range s.Dimensions[axes.OutputChannels] {
			each(o, s, axes.OutputSpatial, func() {
				to := offset(s, axes.OutputBatch, n) + offset(s, axes.OutputChannels, co)
				for i := range o {
					to += offset(s, axes.OutputSpatial[i], o[i])
				}
				for ci := range x.shape.Dimensions[axes.InputChannels] {
					each(t, k.shape, axes.KernelSpatial, func() {
						from := offset(x.shape, axes.InputBatch, n) + offset(x.shape, axes.InputChannels, ci)
						tap := offset(k.shape, axes.KernelInputChannels, ci) + offset(k.shape, axes.KernelOutputChannels, co)
						for i := range o {
							at := o[i]*strides[i] + t[i]*kernelDilations[i] - paddings[i][0]
							if at < 0 || at%inputDilations[i] != 0 || at/inputDilations[i] >= x.shape.Dimensions[axes.InputSpatial[i]] {
								return
							}
							from += offset(x.shape, axes.InputSpatial[i], at/inputDilations[i])
							tap += offset(k.shape, axes.KernelSpatial[i], t[i])
						}
						y[to] += x.at(from) * k.at(tap)
					})
				}
			})
		}
	}
	return y
}

// TestConvolutionsMatchTheDefinition: one to three spatial axes in any order, strides, spacings, dilations and paddings
// (negative ones too), in every family. Values are halves, so that sums are exact.
func TestConvolutionsMatchTheDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for trial := range 200 {
		spatial := 1 + r.IntN(3)
		order := func() (batch, channels int, rest []int) {
			p := r.Perm(spatial + 2)
			return p[0], p[1], p[2:]
		}
		var axes compute.ConvolveAxesConfig
		axes.InputBatch, axes.InputChannels, axes.InputSpatial = order()
		axes.KernelInputChannels, axes.KernelOutputChannels, axes.KernelSpatial = order()
		axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial = order()
		in, kn := make([]int, spatial+2), make([]int, spatial+2)
		channels := 1 + r.IntN(6)
		in[axes.InputBatch], in[axes.InputChannels] = 1+r.IntN(3), channels
		kn[axes.KernelInputChannels], kn[axes.KernelOutputChannels] = channels, 1+r.IntN(20)
		var strides, inputDilations, kernelDilations []int
		var paddings [][2]int
		for i := range spatial {
			in[axes.InputSpatial[i]], kn[axes.KernelSpatial[i]] = 7+r.IntN(2), 1+r.IntN(3)
			strides, inputDilations, kernelDilations = append(strides, 1+r.IntN(3)), append(inputDilations, 1+r.IntN(3)), append(kernelDilations, 1+r.IntN(2))
			paddings = append(paddings, [2]int{r.IntN(4) - 1, r.IntN(4) - 1})
			if r.IntN(4) == 0 { // one value between borders
				in[axes.InputSpatial[i]], paddings[i] = 1, [2]int{2, 2}
			}
		}
		dt := types[trial%2]
		x, k := drawn(r, dt, in...), drawn(r, dt, kn...)
		p := func(f compute.Function, v []compute.Value) []compute.Value {
			return []compute.Value{must(f.ConvGeneral(v[0], v[1], axes, strides, paddings, inputDilations, kernelDilations, 1, 1))}
		}
		for _, family := range kernel.Available() {
			got, err := evaluate(native.New(family), p, []array{x, k})
			if err != nil {
				t.Fatal(err)
			}
			want := convolved(x, k, got[0].shape, axes, strides, paddings, inputDilations, kernelDilations)
			for i, v := range want {
				if got[0].at(i) != v {
					t.Fatalf("%s, %s of %v with %v to %v, axes %+v, strides %v, paddings %v, dilations %v and %v: element %d is %v, want %v",
						family, dt, in, kn, got[0].shape.Dimensions, axes, strides, paddings, inputDilations, kernelDilations, i, got[0].at(i), v)
				}
			}
		}
	}
	if _, err := evaluate(native.New(kernel.Generic), func(f compute.Function, v []compute.Value) []compute.Value {
		return []compute.Value{must(f.ConvGeneral(v[0], v[0], compute.ConvolveAxesConfig{InputChannels: 1, InputSpatial: []int{2}, KernelOutputChannels: 1,
			KernelSpatial: []int{2}, OutputChannels: 1, OutputSpatial: []int{2}}, nil, nil, nil, nil, 2, 1))}
	}, []array{drawn(r, dtypes.Float64, 2, 2, 2)}); err == nil {
		t.Error("groups: no error")
	}
}
