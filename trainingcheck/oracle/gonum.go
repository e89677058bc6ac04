package oracle

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"

	"stopgrad/trainingcheck/method"
)

// Gonum trains with gradients written by hand on gonum's products.
//
// The views of a step are stacked as blocks of rows, so that one product serves
// both; BatchNorm works on one block at a time.
type Gonum struct {
	*state
	online, target, predictor []layer
	onlinePass, targetPass    pass
	predictorPass             pass
	grad                      map[string][]float64
	x, xt, z, dz, dp, df      blas64.General
}

// NewGonum starts a run at step 0 with the weights of c.Initial(seed).
func NewGonum(c method.Config, seed uint64) (*Gonum, error) {
	if err := supported(c); err != nil {
		return nil, err
	}
	g := &Gonum{state: newState(c, seed), online: inGroup("online", networkLayers(c)), predictor: predictorLayers(c), grad: map[string][]float64{}}
	if c.Target.Kind == method.EMA {
		g.target = inGroup("target", networkLayers(c))
	}
	for _, l := range append(append([]layer{}, g.online...), g.predictor...) {
		g.grad[l.w] = make([]float64, len(g.value[l.w]))
		if l.b != "" {
			g.grad[l.b] = make([]float64, len(g.value[l.b]))
		}
	}
	return g, nil
}

// general makes or reuses a row-major matrix.
func general(m *blas64.General, rows, cols int) blas64.General {
	if m.Rows != rows || m.Cols != cols {
		*m = blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
	}
	return *m
}

// rowBlock is rows [from, to) of m, sharing its data.
func rowBlock(m blas64.General, from, to int) blas64.General {
	return blas64.General{Rows: to - from, Cols: m.Cols, Stride: m.Stride, Data: m.Data[from*m.Stride : to*m.Stride]}
}

// record is what the backward pass needs of one layer.
type record struct {
	x, hat, y, dx  blas64.General
	r              [][]float64 // 1/√(var+ε), block by block
	mean, variance [][]float64
}

// pass is a forward pass with its records.
type pass struct{ layers []record }

// forward maps x, made of blocks of n rows, through the layers.
func (g *Gonum) forward(p *pass, layers []layer, x blas64.General, n int) blas64.General {
	if len(p.layers) == 0 {
		p.layers = make([]record, len(layers))
	}
	for i, l := range layers {
		rec := &p.layers[i]
		d := g.dims(l.w)
		w := blas64.General{Rows: d[0], Cols: d[1], Stride: d[1], Data: g.value[l.w]}
		rec.x = x
		y := general(&rec.y, x.Rows, d[1])
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, x, w, 0, y)
		if l.b != "" {
			b := g.value[l.b]
			for i := range y.Rows {
				row := y.Data[i*y.Stride : i*y.Stride+y.Cols]
				for j := range row {
					row[j] += b[j]
				}
			}
		}
		if l.norm != "" {
			general(&rec.hat, y.Rows, y.Cols)
			rec.normalise(n)
			y = rec.hat
		}
		if l.relu {
			if l.norm != "" { // x̂ is needed again, the rectified copy goes to y
				y = rec.y
				for i, v := range rec.hat.Data {
					y.Data[i] = max(v, 0)
				}
			} else {
				for i, v := range y.Data {
					y.Data[i] = max(v, 0)
				}
			}
		}
		x = y
	}
	return x
}

// normalise fills hat from y and keeps the statistics of every block.
func (rec *record) normalise(n int) {
	y, hat := rec.y, rec.hat
	blocks, c := y.Rows/n, y.Cols
	if len(rec.r) != blocks {
		rec.r, rec.mean, rec.variance = make([][]float64, blocks), make([][]float64, blocks), make([][]float64, blocks)
		for b := range blocks {
			rec.r[b], rec.mean[b], rec.variance[b] = make([]float64, c), make([]float64, c), make([]float64, c)
		}
	}
	for b := range blocks {
		mean, variance, r := rec.mean[b], rec.variance[b], rec.r[b]
		clear(mean)
		clear(variance)
		at := b * n * c
		data := y.Data[at : at+n*c]
		for i := 0; i < len(data); i += c {
			for j, v := range data[i : i+c] {
				mean[j] += v
			}
		}
		for j := range mean {
			mean[j] /= float64(n)
		}
		for i := 0; i < len(data); i += c {
			for j, v := range data[i : i+c] {
				d := v - mean[j]
				variance[j] += d * d
			}
		}
		for j := range variance {
			variance[j] /= float64(n)
			r[j] = 1 / math.Sqrt(variance[j]+bnEpsilon)
		}
		out := hat.Data[at : at+n*c]
		for i := 0; i < len(data); i += c {
			for j, v := range data[i : i+c] {
				out[i+j] = (v - mean[j]) * r[j]
			}
		}
	}
}

// backward adds the gradients of the layers' tensors, given the gradient of
// their output, and returns that of their input when wanted. dy is overwritten.
func (g *Gonum) backward(p *pass, layers []layer, dy blas64.General, n int, wantInput bool) blas64.General {
	for i := len(layers) - 1; i >= 0; i-- {
		l, rec := layers[i], &p.layers[i]
		if l.relu {
			for k, v := range rec.y.Data {
				if v <= 0 {
					dy.Data[k] = 0
				}
			}
		}
		if l.norm != "" {
			rec.denormalise(dy, n)
		}
		if l.b != "" {
			db := g.grad[l.b]
			for k := 0; k < len(dy.Data); k += dy.Cols {
				for j, v := range dy.Data[k : k+dy.Cols] {
					db[j] += v
				}
			}
		}
		d := g.dims(l.w)
		w := blas64.General{Rows: d[0], Cols: d[1], Stride: d[1], Data: g.value[l.w]}
		dw := blas64.General{Rows: d[0], Cols: d[1], Stride: d[1], Data: g.grad[l.w]}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, rec.x, dy, 1, dw)
		if i > 0 || wantInput {
			dx := general(&rec.dx, dy.Rows, d[0])
			blas64.Gemm(blas.NoTrans, blas.Trans, 1, dy, w, 0, dx)
			dy = dx
		}
	}
	return dy
}

// denormalise turns ∂L/∂x̂ in dy into ∂L/∂y: with u = r·∂L/∂x̂,
// ∂L/∂y = u − mean(u) − x̂·mean(u∘x̂) over the rows of a block.
func (rec *record) denormalise(dy blas64.General, n int) {
	c := dy.Cols
	sum, dot := make([]float64, c), make([]float64, c)
	for b := range rec.r {
		r := rec.r[b]
		clear(sum)
		clear(dot)
		at := b * n * c
		d, hat := dy.Data[at:at+n*c], rec.hat.Data[at:at+n*c]
		for i := 0; i < len(d); i += c {
			for j := range c {
				u := d[i+j] * r[j]
				d[i+j] = u
				sum[j] += u
				dot[j] += u * hat[i+j]
			}
		}
		for j := range c {
			sum[j] /= float64(n)
			dot[j] /= float64(n)
		}
		for i := 0; i < len(d); i += c {
			for j := range c {
				d[i+j] -= sum[j] + hat[i+j]*dot[j]
			}
		}
	}
}

// Step trains on one batch and returns the loss before the update.
func (g *Gonum) Step(batch method.Batch) (float64, error) {
	if err := g.check(batch); err != nil {
		return 0, err
	}
	c := g.cfg
	n := batch.N
	shared, both := c.Target.Kind == method.Shared, c.Loss.BothDirections
	noSG := c.Method == method.NoStopGradient
	for _, v := range g.grad {
		clear(v)
	}

	blocks := 1
	if both || shared {
		blocks = 2
	}
	x := general(&g.x, blocks*n, batch.Dim)
	fill(x.Data, batch.X1)
	if blocks == 2 {
		fill(x.Data[n*batch.Dim:], batch.X2)
	}
	f := g.forward(&g.onlinePass, g.online, x, n)
	g.trackAll(&g.onlinePass, g.online, n)

	predicting := 1
	if both {
		predicting = 2
	}
	from := rowBlock(f, 0, predicting*n)
	p := g.forward(&g.predictorPass, g.predictor, from, n)
	g.trackAll(&g.predictorPass, g.predictor, n)

	z := general(&g.z, predicting*n, c.Net.Out)
	if shared {
		source := []int{1, 0}
		for b := range predicting {
			copy(z.Data[b*n*z.Cols:(b+1)*n*z.Cols], rowBlock(f, source[b]*n, (source[b]+1)*n).Data)
		}
	} else {
		xt := general(&g.xt, predicting*n, batch.Dim)
		fill(xt.Data, batch.X2)
		if both {
			fill(xt.Data[n*batch.Dim:], batch.X1)
		}
		copy(z.Data, g.forward(&g.targetPass, g.target, xt, n).Data)
	}

	dp, dz := general(&g.dp, p.Rows, p.Cols), general(&g.dz, p.Rows, p.Cols)
	loss := lossAndGradients(c.Loss.Kind, p, z, dp, dz, n)

	df := general(&g.df, f.Rows, f.Cols)
	clear(df.Data)
	din := dp
	if len(g.predictor) > 0 {
		din = g.backward(&g.predictorPass, g.predictor, dp, n, true)
	}
	copy(df.Data, din.Data)
	if noSG { // the target is the online projection of the other view
		other := []int{1, 0}
		for b := range predicting {
			to := rowBlock(df, other[b]*n, (other[b]+1)*n).Data
			for i, v := range rowBlock(dz, b*n, (b+1)*n).Data {
				to[i] += v
			}
		}
	}
	g.backward(&g.onlinePass, g.online, df, n, false)
	g.update(g.grad)
	return loss, nil
}

func (s *state) check(b method.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	if b.N != s.cfg.Batch || b.Dim != s.cfg.Net.In {
		return fmt.Errorf("oracle: batch is %d×%d, the configuration wants %d×%d", b.N, b.Dim, s.cfg.Batch, s.cfg.Net.In)
	}
	return nil
}

func fill(to []float64, from []float32) {
	for i, v := range from {
		to[i] = float64(v)
	}
}

func (g *Gonum) trackAll(p *pass, layers []layer, n int) {
	for i, l := range layers {
		if l.norm == "" {
			continue
		}
		for b := range p.layers[i].mean {
			g.track(l.norm, p.layers[i].mean[b], p.layers[i].variance[b], n)
		}
	}
}

// lossAndGradients returns the loss of package method, a mean over the n rows
// of each block, and fills its gradients in p and in z.
func lossAndGradients(kind method.LossKind, p, z, dp, dz blas64.General, n int) float64 {
	inv := 1 / float64(n)
	loss := 0.0
	if kind == method.Euclidean {
		for i, v := range p.Data {
			d := v - z.Data[i]
			loss += d * d
			dp.Data[i], dz.Data[i] = d*inv, -d*inv
		}
		return loss * inv / 2
	}
	for i := 0; i < len(p.Data); i += p.Cols {
		pi, zi := p.Data[i:i+p.Cols], z.Data[i:i+p.Cols]
		var pp, zz, pz float64
		for j, v := range pi {
			pp += v * v
			zz += zi[j] * zi[j]
			pz += v * zi[j]
		}
		pp, zz = pp+normEpsilon, zz+normEpsilon
		np, nz := math.Sqrt(pp), math.Sqrt(zz)
		cos := pz / (np * nz)
		loss += 2 - 2*cos
		// ∂cos/∂p = z/(|p||z|) − cos·p/|p|²
		for j := range pi {
			dp.Data[i+j] = -2 * inv * (zi[j]/(np*nz) - cos*pi[j]/pp)
			dz.Data[i+j] = -2 * inv * (pi[j]/(np*nz) - cos*zi[j]/zz)
		}
	}
	return loss * inv
}
