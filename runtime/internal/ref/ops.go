package ref

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

// read makes what plan.Read describes, N×C×H×W, in float64.
func (r *Program) read(d plan.Read) ([]float64, plan.Shape) {
	s := r.p.Shape(d.X[0])
	s.C = r.p.Channels(d.X)
	x := make([]float64, 0, s.Len())
	for n := range s.N {
		for _, v := range d.X {
			size := r.p.Shape(v).Len() / s.N
			for _, f := range r.value(v)[n*size : (n+1)*size] {
				x = append(x, float64(f))
			}
		}
	}
	area := s.H * s.W
	for n := range s.N {
		for c := range s.C {
			plane := x[(n*s.C+c)*area:][:area]
			if d.Affine != plan.None {
				a := r.value(d.Affine)[n*2*s.C:]
				for i := range plane {
					plane[i] = plane[i]*float64(a[c]) + float64(a[s.C+c])
				}
			}
			if d.SiLU {
				for i := range plane {
					plane[i] = silu(plane[i])
				}
			}
		}
	}
	return resample(x, s, d.Resample)
}

// resample doubles by repetition or halves by the mean of 2×2.
func resample(x []float64, s plan.Shape, how plan.Resample) ([]float64, plan.Shape) {
	if how == plan.Same {
		return x, s
	}
	t := plan.Shape{N: s.N, C: s.C, H: how.Size(s.H), W: how.Size(s.W)}
	y := make([]float64, t.Len())
	for m := range s.N * s.C {
		in, out := x[m*s.H*s.W:], y[m*t.H*t.W:]
		for i := range t.H {
			for j := range t.W {
				if how == plan.Up {
					out[i*t.W+j] = in[i/2*s.W+j/2]
				} else {
					out[i*t.W+j] = (in[2*i*s.W+2*j] + in[2*i*s.W+2*j+1] + in[(2*i+1)*s.W+2*j] + in[(2*i+1)*s.W+2*j+1]) / 4
				}
			}
		}
	}
	return y, t
}

// write adds what plan.Write describes to y and stores it.
func (r *Program) write(d plan.Write, to plan.Value, y []float64) {
	s := r.p.Shape(to)
	area := s.H * s.W
	if d.Shift != plan.None {
		shift := r.value(d.Shift)
		for m := range s.N * s.C {
			for i := range area {
				y[m*area+i] += float64(shift[m])
			}
		}
	}
	if d.Residual != plan.None {
		res, _ := r.read(plan.Read{X: []plan.Value{d.Residual}, Affine: plan.None, Resample: d.ResidualResample})
		for i := range y {
			y[i] += res[i]
		}
	}
	out := r.value(to)
	for i := range y {
		out[i] = float32(y[i])
	}
}

func (r *Program) pointwise(o *plan.Map) {
	y, _ := r.read(o.Read)
	r.write(o.Write, o.Y, y)
}

// conv correlates with zero padding Kernel/2:
// y[n,k,i,j] = b[k] + Σ w[k,c,u,v]·x[n,c,i·stride+u−pad,j·stride+v−pad].
func (r *Program) conv(o *plan.Conv) {
	x, s := r.read(o.Read)
	w, b := r.weight(o.W), r.weight(o.B)
	t := r.p.Shape(o.Y)
	pad := o.Kernel / 2
	y := make([]float64, t.Len())
	for n := range t.N {
		for k := range t.C {
			out := y[(n*t.C+k)*t.H*t.W:][:t.H*t.W]
			for i := range out {
				out[i] = float64(b[k])
			}
			for c := range s.C {
				plane := x[(n*s.C+c)*s.H*s.W:][:s.H*s.W]
				taps := w[(k*s.C+c)*o.Kernel*o.Kernel:]
				for u := range o.Kernel {
					for v := range o.Kernel {
						addTap(out, plane, t, s, float64(taps[u*o.Kernel+v]), o.Stride, u-pad, v-pad)
					}
				}
			}
		}
	}
	r.write(o.Write, o.Y, y)
}

// addTap adds w·x[i·stride+dy, j·stride+dx] to every y[i,j] for which there is
// such a pixel. The race detector, which would slow every comparison with this
// package tenfold, has nothing to find in one goroutine's loops.
//
//go:norace
func addTap(y, x []float64, t, s plan.Shape, w float64, stride, dy, dx int) {
	for i := range t.H {
		row := i*stride + dy
		if row < 0 || row >= s.H {
			continue
		}
		out, in := y[i*t.W:][:t.W], x[row*s.W:][:s.W]
		for j := range out {
			if col := j*stride + dx; col >= 0 && col < len(in) {
				out[j] += w * in[col]
			}
		}
	}
}

func (r *Program) norm(o *plan.Norm) {
	x, s := r.read(plan.Read{X: o.X, Affine: plan.None})
	gamma, beta := r.weight(o.Gamma), r.weight(o.Beta)
	y := r.value(o.Y)
	per := s.C / o.Groups
	size := per * s.H * s.W
	for n := range s.N {
		for g := range o.Groups {
			group := x[(n*o.Groups+g)*size:][:size]
			mean, variance := moments(group)
			rstd := 1 / math.Sqrt(variance+o.Eps)
			for c := g * per; c < (g+1)*per; c++ {
				scale := rstd * float64(gamma[c])
				shift := float64(beta[c]) - mean*scale
				if o.ScaleShift != plan.None {
					e := r.value(o.ScaleShift)[n*2*s.C:]
					scale *= 1 + float64(e[c])
					shift = shift*(1+float64(e[c])) + float64(e[s.C+c])
				}
				y[n*2*s.C+c], y[n*2*s.C+s.C+c] = float32(scale), float32(shift)
			}
		}
	}
}

// moments are the mean and the (biased) variance.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x))
}

func (r *Program) linear(o *plan.Linear) {
	in, out := r.p.Shape(o.X).C, r.p.Shape(o.Y).C
	w, b, x, y := r.weight(o.W), r.weight(o.B), r.value(o.X), r.value(o.Y)
	for n := range r.p.Shape(o.X).N {
		for k := range out {
			sum := float64(b[k])
			for c := range in {
				v := float64(x[n*in+c])
				if o.SiLU {
					v = silu(v)
				}
				sum += v * float64(w[k*in+c])
			}
			y[n*out+k] = float32(sum)
		}
	}
}

// attention is softmax over s of q[:,t]·k[:,s]/√d, times v.
func (r *Program) attention(o *plan.Attention) {
	s := r.p.Shape(o.Y)
	area := s.H * s.W
	d := s.C / o.Heads
	for n := range s.N {
		qkv := r.value(o.QKV)[n*3*s.C*area:]
		out := r.value(o.Y)[n*s.C*area:]
		for h := range o.Heads {
			q, k, v := o.Head(h, d)
			attend(out[h*d*area:], qkv[q*area:], qkv[k*area:], qkv[v*area:], d, area)
		}
	}
}

// attend is one head: every tensor is d×area.
//
//go:norace
func attend(y, q, k, v []float32, d, area int) {
	p := make([]float64, area)
	for t := range area {
		clear(p)
		for c := range d {
			for u, x := range k[c*area:][:area] {
				p[u] += float64(q[c*area+t]) * float64(x)
			}
		}
		top, total := math.Inf(-1), 0.0
		for u := range p {
			p[u] /= math.Sqrt(float64(d))
			top = math.Max(top, p[u])
		}
		for u := range p {
			p[u] = math.Exp(p[u] - top)
			total += p[u]
		}
		for c := range d {
			sum := 0.0
			for u, x := range v[c*area:][:area] {
				sum += p[u] * float64(x)
			}
			y[c*area+t] = float32(sum / total)
		}
	}
}

func (r *Program) embed(o *plan.Embed) {
	s := r.p.Shape(o.Y)
	label, table, x, y := r.value(o.Label), r.weight(o.Table), r.value(o.Add), r.value(o.Y)
	for n := range s.N {
		row := table[int(label[n])*s.C:]
		for c := range s.C {
			y[n*s.C+c] = x[n*s.C+c] + row[c]
		}
	}
}
