package cpu

import "github.com/i2sb-go/i2sb/runtime/internal/plan"

// A convolution is done for a block of columns at a time: output pixels for
// im2col, output tiles of 4×4 pixels for Winograd. Scratch holds, for a block,
// the prepared input plane of each channel, the packed input and the products.

// blockColumns bounds the columns of a block, a multiple of 4.
const blockColumns = 256

// shape of a convolution's matrix product: freq products (36 for Winograd, 1
// for im2col) of out×depth by depth×columns.
type product struct {
	freq, out, depth, columns int
	tilesW                    int // Winograd: tiles in a row
}

func productOf(p *plan.Plan, c *plan.Conv, wino bool) product {
	y := p.Shape(c.Y)
	in := p.Channels(c.X)
	if wino {
		tw := (y.W + 3) / 4
		return product{36, y.C, in, (y.H + 3) / 4 * tw, tw}
	}
	return product{1, y.C, in * c.Kernel * c.Kernel, y.H * y.W, 0}
}

func (m product) block() int { return 4 * panels(min(m.columns, blockColumns)) }

// packedLen is the number of elements of packed weights.
func packedLen(p *plan.Plan, c *plan.Conv, wino bool) int {
	m := productOf(p, c, wino)
	return m.freq * panels(m.out) * 4 * m.depth
}

// scratch is the largest need of any convolution, in elements.
func scratch(p *plan.Plan, wino bool) int {
	n := 0
	for _, op := range p.Ops {
		if c, ok := op.(*plan.Conv); ok {
			m := productOf(p, c, wino && c.Kernel == 3 && c.Stride == 1)
			s := p.Shape(c.X[0])
			area := c.Resample.Size(s.H) * c.Resample.Size(s.W)
			n = max(n, p.Channels(c.X)*area+m.freq*m.block()*(m.depth+4*panels(m.out)))
		}
	}
	return n
}

// pack lays weights [out, in, k, k] out as panels of four outputs.
func pack(p *plan.Plan, c *plan.Conv, w []float32, wino bool) []float32 {
	m := productOf(p, c, wino)
	out := make([]float32, packedLen(p, c, wino))
	for k := range m.out {
		panel := out[k/4*4*m.depth:]
		if !wino {
			for d := range m.depth {
				panel[4*d+k%4] = w[k*m.depth+d]
			}
			continue
		}
		for d := range m.depth {
			var g [36]float32
			transformWeights((*[9]float32)(w[(k*m.depth+d)*9:]), &g)
			for f, v := range g {
				panel[f*panels(m.out)*4*m.depth+4*d+k%4] = v
			}
		}
	}
	return out
}

func (r *program) conv(o *plan.Conv) {
	wino := r.wino && o.Kernel == 3 && o.Stride == 1
	m := productOf(r.p, o, wino)
	s, y := r.readShape(o.Read), r.p.Shape(o.Y)
	area, outArea := s.H*s.W, y.H*y.W
	w, bias := r.weight(o.W), r.weight(o.B)
	input := r.scratch[:s.C*area]
	block := m.block()
	packed := r.scratch[len(input):][:m.freq*block*m.depth]
	result := r.scratch[len(input)+len(packed):][:m.freq*block*4*panels(m.out)]
	for n := range y.N {
		r.pool.each(s.C, func(c int) { r.plane(o.Read, n, c, input[c*area:][:area]) })
		out := r.value(o.Y)[n*y.C*outArea:][:y.C*outArea]
		for first := 0; first < m.columns; first += block {
			count := min(block, m.columns-first)
			r.pool.each(s.C, func(c int) {
				if wino {
					packTiles(input[c*area:][:area], s, m, c, first, count, packed)
				} else {
					packPixels(input[c*area:][:area], s, y, o, m, c, first, count, packed)
				}
			})
			r.multiply(m, w, packed, result, count)
			r.pool.each(m.out, func(k int) {
				if wino {
					storeTiles(result, m, k, first, count, block, bias[k], y, out[k*outArea:][:outArea])
				} else {
					storePixels(result, k, first, count, block, bias[k], out[k*outArea:][:outArea])
				}
			})
		}
		r.pool.each(y.C, func(k int) { r.finish(o.Write, o.Y, n, k, out[k*outArea:][:outArea]) })
	}
}

// multiply computes result[f][k][column] for all outputs of a block.
func (r *program) multiply(m product, w, packed, result []float32, count int) {
	block := m.block()
	rows := panels(m.out)
	r.pool.each(m.freq*rows, func(i int) {
		f, k := i/rows, i%rows
		a := w[(f*rows+k)*4*m.depth:][:4*m.depth]
		to := result[(f*rows+k)*4*block:][:4*block]
		var c [4][4]float32
		for j := range panels(count) {
			dot4(a, packed[(f*block/4+j)*4*m.depth:][:4*m.depth], &c)
			for q := range c {
				copy(to[q*block+4*j:][:4], c[q][:])
			}
		}
	})
}

// packPixels packs one input channel for the output pixels first … first+count
// of an im2col product.
func packPixels(in []float32, s, y plan.Shape, o *plan.Conv, m product, c, first, count int, packed []float32) {
	kk := o.Kernel * o.Kernel
	pad := o.Kernel / 2
	for j := range 4 * panels(count) {
		to := packed[j/4*4*m.depth+c*kk*4+j%4:]
		at := first + j
		i0, j0 := at/y.W*o.Stride-pad, at%y.W*o.Stride-pad
		for t := range kk {
			row, col := i0+t/o.Kernel, j0+t%o.Kernel
			if j < count && row >= 0 && row < s.H && col >= 0 && col < s.W {
				to[4*t] = in[row*s.W+col]
			} else {
				to[4*t] = 0
			}
		}
	}
}

func storePixels(result []float32, k, first, count, block int, bias float32, out []float32) {
	from := result[k*block:][:count]
	for j, v := range from {
		out[first+j] = v + bias
	}
}
