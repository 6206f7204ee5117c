package cpu

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

func silu(x float32) float32 { return x / (1 + float32(math.Exp(-float64(x)))) }

// readShape is the shape of what d gives.
func (r *program) readShape(d plan.Read) plan.Shape {
	s := r.p.Shape(d.X[0])
	return plan.Shape{N: s.N, C: r.p.Channels(d.X), H: d.Resample.Size(s.H), W: d.Resample.Size(s.W)}
}

// plane writes channel c of sample n of what d gives into dst, H·W elements.
func (r *program) plane(d plan.Read, n, c int, dst []float32) {
	x := d.X[0]
	s := r.p.Shape(x)
	at := c
	if c >= s.C {
		at -= s.C
		x = d.X[1]
	}
	cx := r.p.Shape(x).C
	src := r.value(x)[(n*cx+at)*s.H*s.W:][:s.H*s.W]
	scale, shift := float32(1), float32(0)
	if d.Affine != plan.None {
		all := r.p.Channels(d.X)
		a := r.value(d.Affine)[n*2*all:]
		scale, shift = a[c], a[all+c]
	}
	switch d.Resample {
	case plan.Same:
		prepare(dst, src, scale, shift, d)
	case plan.Up:
		w := 2 * s.W
		for i := range s.H {
			row := dst[2*i*w:][:w]
			prepare(row[:s.W], src[i*s.W:][:s.W], scale, shift, d)
			for j := s.W - 1; j >= 0; j-- { // spread in place, from the right
				v := row[j]
				row[2*j], row[2*j+1] = v, v
			}
			copy(dst[(2*i+1)*w:][:w], row)
		}
	case plan.Down:
		h, w := s.H/2, s.W/2
		line := make([]float32, 2*s.W)
		for i := range h {
			prepare(line, src[2*i*s.W:][:2*s.W], scale, shift, d)
			for j := range w {
				dst[i*w+j] = (line[2*j] + line[2*j+1] + line[s.W+2*j] + line[s.W+2*j+1]) * 0.25
			}
		}
	}
}

// prepare normalises and activates a run of one channel.
func prepare(dst, src []float32, scale, shift float32, d plan.Read) {
	switch {
	case d.SiLU:
		for i, v := range src {
			dst[i] = silu(v*scale + shift)
		}
	case d.Affine != plan.None:
		for i, v := range src {
			dst[i] = v*scale + shift
		}
	default:
		copy(dst, src)
	}
}

// finish adds what d describes to channel k of sample n, a whole plane.
func (r *program) finish(d plan.Write, to plan.Value, n, k int, y []float32) {
	s := r.p.Shape(to)
	if d.Shift != plan.None {
		v := r.value(d.Shift)[n*s.C+k]
		for i := range y {
			y[i] += v
		}
	}
	if d.Residual == plan.None {
		return
	}
	t := r.p.Shape(d.Residual)
	res := r.value(d.Residual)[(n*t.C+k)*t.H*t.W:][:t.H*t.W]
	switch d.ResidualResample {
	case plan.Same:
		for i, v := range res {
			y[i] += v
		}
	case plan.Up:
		for i := range s.H {
			row := res[i/2*t.W:][:t.W]
			for j := range s.W {
				y[i*s.W+j] += row[j/2]
			}
		}
	case plan.Down:
		for i := range s.H {
			a, b := res[2*i*t.W:][:t.W], res[(2*i+1)*t.W:][:t.W]
			for j := range s.W {
				y[i*s.W+j] += (a[2*j] + a[2*j+1] + b[2*j] + b[2*j+1]) * 0.25
			}
		}
	}
}

func (r *program) pointwise(o *plan.Map) {
	s := r.p.Shape(o.Y)
	y := r.value(o.Y)
	area := s.H * s.W
	r.pool.each(s.N*s.C, func(i int) {
		out := y[i*area:][:area]
		r.plane(o.Read, i/s.C, i%s.C, out)
		r.finish(o.Write, o.Y, i/s.C, i%s.C, out)
	})
}
