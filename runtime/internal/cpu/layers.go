package cpu

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// norm computes the statistics of every group in two passes, in float64.
func (r *program) norm(o *plan.Norm) {
	s := r.p.Shape(o.X[0])
	c := r.p.Channels(o.X)
	per, area := c/o.Groups, s.H*s.W
	gamma, beta, y := r.weight(o.Gamma), r.weight(o.Beta), r.value(o.Y)
	r.pool.each(s.N*o.Groups, func(i int) {
		n, first := i/o.Groups, i%o.Groups*per
		channel := func(k int) []float32 {
			x := o.X[0]
			if k >= s.C {
				k -= s.C
				x = o.X[1]
			}
			return r.value(x)[(n*r.p.Shape(x).C+k)*area:][:area]
		}
		sum := 0.0
		for k := first; k < first+per; k++ {
			for _, v := range channel(k) {
				sum += float64(v)
			}
		}
		mean := sum / float64(per*area)
		sum = 0
		for k := first; k < first+per; k++ {
			for _, v := range channel(k) {
				d := float64(v) - mean
				sum += d * d
			}
		}
		rstd := 1 / math.Sqrt(sum/float64(per*area)+o.Eps)
		for k := first; k < first+per; k++ {
			scale := rstd * float64(gamma[k])
			shift := float64(beta[k]) - mean*scale
			if o.ScaleShift != plan.None {
				e := r.value(o.ScaleShift)[n*2*c:]
				scale, shift = scale*(1+float64(e[k])), shift*(1+float64(e[k]))+float64(e[c+k])
			}
			y[n*2*c+k], y[n*2*c+c+k] = float32(scale), float32(shift)
		}
	})
}

func (r *program) linear(o *plan.Linear) {
	s, out := r.p.Shape(o.X), r.p.Shape(o.Y).C
	w, b, y := r.weight(o.W), r.weight(o.B), r.value(o.Y)
	x := append([]float32(nil), r.value(o.X)...)
	if o.SiLU {
		for i, v := range x {
			x[i] = silu(v)
		}
	}
	const rows = 64 // outputs of one piece of work
	pieces := (out + rows - 1) / rows
	r.pool.each(s.N*pieces, func(i int) {
		in := x[i/pieces*s.C:][:s.C]
		for k := i % pieces * rows; k < min(out, (i%pieces+1)*rows); k++ {
			sum := b[k]
			for c, v := range w[k*s.C:][:s.C] {
				sum += v * in[c]
			}
			y[i/pieces*out+k] = sum
		}
	})
}

// attentionRows is how many queries are attended to in one piece of work: its
// scores, attentionRows×T, are all that is held of the T×T matrix.
const attentionRows = 16

func (r *program) attention(o *plan.Attention) {
	s := r.p.Shape(o.Y)
	area := s.H * s.W
	d := s.C / o.Heads
	scale := float32(1 / math.Sqrt(float64(d)))
	pieces := (area + attentionRows - 1) / attentionRows
	r.pool.each(s.N*o.Heads*pieces, func(i int) {
		n, h, first := i/(o.Heads*pieces), i/pieces%o.Heads, i%pieces*attentionRows
		qkv := r.value(o.QKV)[n*3*s.C*area:]
		out := r.value(o.Y)[n*s.C*area:]
		qc, kc, vc := o.Head(h, d)
		score := make([]float32, area)
		for t := first; t < min(area, first+attentionRows); t++ {
			clear(score)
			for c := range d {
				q := qkv[(qc+c)*area+t] * scale
				for u, k := range qkv[(kc+c)*area:][:area] {
					score[u] += q * k
				}
			}
			top := score[0]
			for _, v := range score {
				top = max(top, v)
			}
			sum := float32(0)
			for u, v := range score {
				e := float32(math.Exp(float64(v - top)))
				score[u] = e
				sum += e
			}
			for c := range d {
				acc := float32(0)
				for u, v := range qkv[(vc+c)*area:][:area] {
					acc += score[u] * v
				}
				out[(h*d+c)*area+t] = acc / sum
			}
		}
	})
}

func (r *program) embed(o *plan.Embed) {
	s := r.p.Shape(o.Y)
	label, table, x, y := r.value(o.Label), r.weight(o.Table), r.value(o.Add), r.value(o.Y)
	for n := range s.N {
		row := table[int(label[n])*s.C:]
		for c := range s.C {
			y[n*s.C+c] = x[n*s.C+c] + row[c]
		}
	}
}
