package ref

import "github.com/i2sb-go/i2sb/runtime/internal/plan"

// taps calls f with every tap of a convolution: its place in the weights, the
// plane of x that it reads, that of y which it adds to, and how far it lies
// from the middle.
func taps(o *plan.Conv, s, t plan.Shape, f func(tap, from, to, dy, dx int)) {
	for n := range t.N {
		for k := range t.C {
			for c := range s.C {
				for u := range o.Kernel {
					for v := range o.Kernel {
						f(((k*s.C+c)*o.Kernel+u)*o.Kernel+v, n*s.C+c, n*t.C+k, u-o.Kernel/2, v-o.Kernel/2)
					}
				}
			}
		}
	}
}

// plane is plane m of x.
func plane(x []float64, s plan.Shape, m int) []float64 { return x[m*s.H*s.W:][:s.H*s.W] }

func (r *Program) convBack(o *plan.ConvBack) []float64 {
	d, w := r.values(o.D), r.weight(o.Of.W)
	s, t := r.p.Shape(o.Y), r.p.Shape(o.D)
	x := make([]float64, s.Len())
	taps(o.Of, s, t, func(tap, from, to, dy, dx int) {
		spreadTap(plane(x, s, from), plane(d, t, to), s, t, float64(w[tap]), o.Of.Stride, dy, dx)
	})
	return x
}

// spreadTap is the adjoint of addTap: it adds w·d[i,j] to
// x[i·stride+dy, j·stride+dx].
//
//go:norace
func spreadTap(x, d []float64, s, t plan.Shape, w float64, stride, dy, dx int) {
	for i := range t.H {
		row := i*stride + dy
		if row < 0 || row >= s.H {
			continue
		}
		out, in := x[row*s.W:][:s.W], d[i*t.W:][:t.W]
		for j, v := range in {
			if col := j*stride + dx; col >= 0 && col < len(out) {
				out[col] += w * v
			}
		}
	}
}

// dotTap is Σ x[i·stride+dy, j·stride+dx]·d[i,j].
//
//go:norace
func dotTap(x, d []float64, s, t plan.Shape, stride, dy, dx int) (sum float64) {
	for i := range t.H {
		row := i*stride + dy
		if row < 0 || row >= s.H {
			continue
		}
		in := x[row*s.W:][:s.W]
		for j, v := range d[i*t.W:][:t.W] {
			if col := j*stride + dx; col >= 0 && col < len(in) {
				sum += in[col] * v
			}
		}
	}
	return sum
}
