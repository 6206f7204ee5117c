package ref

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// back runs an operator of the way back.
func (r *Program) back(op plan.Op) {
	switch o := op.(type) {
	case *plan.ConvBack:
		r.put(o.Y, o.Add, r.convBack(o))
	case *plan.ReadBack:
		r.put(o.Y, o.Add, r.part(o.Of.X, o.Part, r.readBack(o.Of, r.values(o.D))))
	case *plan.AffineBack:
		r.put(o.Y, o.Add, r.affineBack(o))
	case *plan.SumBack:
		r.put(o.Y, o.Add, sums(r.values(o.D), r.p.Shape(o.D)))
	case *plan.NormBack:
		x, _, _, _ := r.normBack(o.Of, o.D)
		r.put(o.Y, o.Add, r.part(o.Of.X, o.Part, x))
	case *plan.ScaleBack:
		_, scale, _, _ := r.normBack(o.Of, o.D)
		r.put(o.Y, o.Add, scale)
	case *plan.LinearBack:
		r.put(o.Y, o.Add, r.linearBack(o))
	case *plan.AttentionBack:
		r.put(o.Y, o.Add, r.attentionBack(o))
	case *plan.ParamBack:
		r.paramBack(o)
	}
}

// values is v in float64.
func (r *Program) values(v plan.Value) []float64 {
	x, _ := r.read(plan.Read{X: []plan.Value{v}, Affine: plan.None})
	return x
}

// put stores a gradient, or adds it to what is there.
func (r *Program) put(to plan.Value, add bool, g []float64) {
	out := r.value(to)
	for i, v := range g {
		if add {
			v += float64(out[i])
		}
		out[i] = float32(v)
	}
}

// part cuts tensor k out of the concatenation of xs.
func (r *Program) part(xs []plan.Value, k int, all []float64) []float64 {
	if len(xs) == 1 {
		return all
	}
	s := r.p.Shape(xs[0])
	area, whole, from := s.H*s.W, r.p.Channels(xs), 0
	for _, x := range xs[:k] {
		from += r.p.Shape(x).C
	}
	n := r.p.Shape(xs[k]).C
	var out []float64
	for b := range s.N {
		out = append(out, all[(b*whole+from)*area:][:n*area]...)
	}
	return out
}

// unread is d, the gradient by what a Read gives, led back through its
// resampling and SiLU: the gradient by its scaled and shifted input.
func (r *Program) unread(o plan.Read, d []float64) ([]float64, plan.Shape) {
	s := r.p.Shape(o.X[0])
	s.C = r.p.Channels(o.X)
	d = unresample(d, s, o.Resample)
	if o.SiLU {
		z, _ := r.read(plan.Read{X: o.X, Affine: o.Affine})
		for i := range d {
			d[i] *= slope(z[i])
		}
	}
	return d, s
}

// slope is the derivative of SiLU.
func slope(x float64) float64 {
	s := 1 / (1 + math.Exp(-x))
	return s * (1 + x*(1-s))
}

// unresample is the adjoint of resample; s is the shape before it.
func unresample(d []float64, s plan.Shape, how plan.Resample) []float64 {
	if how == plan.Same {
		return d
	}
	w := how.Size(s.W)
	y := make([]float64, s.Len())
	for m := range s.N * s.C {
		in, out := d[m*how.Size(s.H)*w:], y[m*s.H*s.W:]
		for i := range s.H {
			for j := range s.W {
				if how == plan.Up {
					out[i*s.W+j] = in[2*i*w+2*j] + in[2*i*w+2*j+1] + in[(2*i+1)*w+2*j] + in[(2*i+1)*w+2*j+1]
				} else {
					out[i*s.W+j] = in[i/2*w+j/2] / 4
				}
			}
		}
	}
	return y
}

// readBack is the gradient by a Read's concatenated input.
func (r *Program) readBack(o plan.Read, d []float64) []float64 {
	d, s := r.unread(o, d)
	if o.Affine == plan.None {
		return d
	}
	area := s.H * s.W
	for m := range s.N * s.C {
		scale := float64(r.value(o.Affine)[m/s.C*2*s.C+m%s.C])
		for i := range area {
			d[m*area+i] *= scale
		}
	}
	return d
}

// affineBack is Σ d·x by the scales, Σ d by the shifts.
func (r *Program) affineBack(o *plan.AffineBack) []float64 {
	d, s := r.unread(o.Of, r.values(o.D))
	x, _ := r.read(plan.Read{X: o.Of.X, Affine: plan.None})
	area := s.H * s.W
	y := make([]float64, s.N*2*s.C)
	for m := range s.N * s.C {
		at := m/s.C*2*s.C + m%s.C
		for i := m * area; i < (m+1)*area; i++ {
			y[at] += d[i] * x[i]
			y[at+s.C] += d[i]
		}
	}
	return y
}

// sums adds up every plane.
func sums(d []float64, s plan.Shape) []float64 {
	y := make([]float64, s.N*s.C)
	for m := range y {
		for _, v := range d[m*s.H*s.W:][:s.H*s.W] {
			y[m] += v
		}
	}
	return y
}

// normBack leads the gradient by Norm's scales and shifts back to its input,
// its ScaleShift, γ and β.
func (r *Program) normBack(o *plan.Norm, from plan.Value) (dx, dscale, dgamma, dbeta []float64) {
	x, s := r.read(plan.Read{X: o.X, Affine: plan.None})
	gamma, beta, d := r.weight(o.Gamma), r.weight(o.Beta), r.value(from)
	dx, dscale = make([]float64, s.Len()), make([]float64, s.N*2*s.C)
	dgamma, dbeta = make([]float64, s.C), make([]float64, s.C)
	per := s.C / o.Groups
	size := per * s.H * s.W
	for n := range s.N {
		for g := range o.Groups {
			group := x[(n*o.Groups+g)*size:][:size]
			mean, variance := moments(group)
			rstd := 1 / math.Sqrt(variance+o.Eps)
			var dmean, drstd float64
			for c := g * per; c < (g+1)*per; c++ {
				at := n*2*s.C + c
				a, b, more := float64(d[at]), float64(d[at+s.C]), 1.0
				if o.ScaleShift != plan.None {
					more += float64(r.value(o.ScaleShift)[at])
				}
				k := float64(gamma[c]) * more
				drstd += (a - b*mean) * k
				dmean -= b * rstd * k
				dgamma[c] += (a - b*mean) * rstd * more
				dbeta[c] += b * more
				dscale[at] = (a-b*mean)*rstd*float64(gamma[c]) + b*float64(beta[c])
				dscale[at+s.C] = b
			}
			m := float64(size)
			out := dx[(n*o.Groups+g)*size:]
			for i, v := range group {
				out[i] = dmean/m - drstd*rstd*rstd*rstd*(v-mean)/m
			}
		}
	}
	return dx, dscale, dgamma, dbeta
}

func (r *Program) linearBack(o *plan.LinearBack) []float64 {
	in, out := r.p.Shape(o.Y).C, r.p.Shape(o.D).C
	d, w := r.value(o.D), r.weight(o.Of.W)
	y := make([]float64, r.p.Shape(o.Y).Len())
	for i := range y {
		n, c := i/in, i%in
		for k := range out {
			y[i] += float64(d[n*out+k]) * float64(w[k*in+c])
		}
		if o.Of.SiLU {
			y[i] *= slope(float64(r.value(o.Of.X)[i]))
		}
	}
	return y
}

// attentionBack: with P = softmax(S), S = qᵀk/√d and a = P·v,
// dP = da·vᵀ and dS = P∘(dP − Σ P∘dP).
func (r *Program) attentionBack(o *plan.AttentionBack) []float64 {
	s := r.p.Shape(o.D)
	area, d := s.H*s.W, s.C/o.Of.Heads
	root := math.Sqrt(float64(d))
	y := make([]float64, 3*s.Len())
	p, ds := make([]float64, area), make([]float64, area)
	for n := range s.N {
		qkv := r.value(o.Of.QKV)[n*3*s.C*area:]
		da, dqkv := r.value(o.D)[n*s.C*area:], y[n*3*s.C*area:]
		for h := range o.Of.Heads {
			qc, kc, vc := o.Of.Head(h, d)
			row := func(all []float32, c int) []float32 { return all[c*area:][:area] }
			for t := range area {
				clear(p)
				for c := range d {
					addScaled(p, float64(row(qkv, qc+c)[t])/root, row(qkv, kc+c))
				}
				softmax(p)
				clear(ds)
				for c := range d {
					g := float64(row(da, h*d+c)[t])
					addScaled(ds, g, row(qkv, vc+c))
					dv := dqkv[(vc+c)*area:]
					for u, w := range p {
						dv[u] += w * g
					}
				}
				mean := 0.0
				for u := range p {
					mean += p[u] * ds[u]
				}
				for u := range p {
					ds[u] = p[u] * (ds[u] - mean) / root
				}
				for c := range d {
					q, k := float64(row(qkv, qc+c)[t]), row(qkv, kc+c)
					dq, dk := &dqkv[(qc+c)*area+t], dqkv[(kc+c)*area:]
					for u, g := range ds {
						*dq += g * float64(k[u])
						dk[u] += g * q
					}
				}
			}
		}
	}
	return y
}

// addScaled adds a·x to y.
//
//go:norace
func addScaled(y []float64, a float64, x []float32) {
	for i, v := range x {
		y[i] += a * float64(v)
	}
}

// softmax turns scores into weights.
func softmax(p []float64) {
	top, total := math.Inf(-1), 0.0
	for u := range p {
		top = math.Max(top, p[u])
	}
	for u := range p {
		p[u] = math.Exp(p[u] - top)
		total += p[u]
	}
	for u := range p {
		p[u] /= total
	}
}

// paramBack adds to the gradients by an operator's parameters.
func (r *Program) paramBack(o *plan.ParamBack) {
	switch of := o.Of.(type) {
	case *plan.Conv:
		x, s := r.read(of.Read)
		d, t := r.values(o.D), r.p.Shape(o.D)
		w := make([]float64, len(r.weight(of.W)))
		taps(of, s, t, func(tap, from, to, dy, dx int) {
			w[tap] += dotTap(plane(x, s, from), plane(d, t, to), s, t, of.Stride, dy, dx)
		})
		r.learn(of.W, w)
		b := make([]float64, t.C)
		for i, v := range sums(d, t) {
			b[i%t.C] += v
		}
		r.learn(of.B, b)
	case *plan.Norm:
		_, _, gamma, beta := r.normBack(of, o.D)
		r.learn(of.Gamma, gamma)
		r.learn(of.Beta, beta)
	case *plan.Linear:
		x, d := r.values(of.X), r.values(o.D)
		in, out := r.p.Shape(of.X).C, r.p.Shape(o.D).C
		w, b := make([]float64, in*out), make([]float64, out)
		for i, g := range d {
			n, k := i/out, i%out
			b[k] += g
			for c := range in {
				v := x[n*in+c]
				if of.SiLU {
					v = silu(v)
				}
				w[k*in+c] += g * v
			}
		}
		r.learn(of.W, w)
		r.learn(of.B, b)
	case *plan.Embed:
		s := r.p.Shape(o.D)
		table := make([]float64, len(r.weight(of.Table)))
		for i, g := range r.value(o.D) {
			table[int(r.value(of.Label)[i/s.C])*s.C+i%s.C] += float64(g)
		}
		r.learn(of.Table, table)
	}
}

// learn adds to the gradient by a parameter.
func (r *Program) learn(w plan.Param, g []float64) {
	to := r.grads[w]
	for i, v := range g {
		to[i] += float32(v)
	}
}
