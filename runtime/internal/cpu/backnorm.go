//go:build !js

package cpu

import (
	"math"
	"slices"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

func rsqrt(x float64) float64 { return 1 / math.Sqrt(x) }

// normBack is the way back of a Norm, the first of ops and those behind it that
// are of the same, and returns how many these are. The moments are taken again;
// then with M pixels in a group, scale k = γ·(1+s) and gradients a by the scales
// and b by the shifts,
//
//	∂rstd = Σ (a − b·mean)·k   ∂mean = −Σ b·rstd·k   ∂x = ∂mean/M − ∂rstd·rstd³·(x−mean)/M
//
// where ∂x is a scale and a shift of x, the group's statistics.
func (b *backward) normBack(of *plan.Norm, d plan.Value, ops []plan.Op) (more int) {
	n := &normBack{backward: b, o: of, d: d}
	b.task(ops[0], plan.None, append(of.In(), d), func() { n.lower(ops[0]) })
	for i, op := range ops {
		switch r := op.(type) {
		case *plan.ParamBack:
			if r.Of != plan.Op(of) {
				return i - 1
			}
			n.learns = true
		case *plan.NormBack:
			if r.Of != of {
				return i - 1
			}
			read := b.joined[r]
			in, adds := r.In(), r.Add
			if read != nil {
				in, adds = append(in, read.In()...), read.Add
			}
			b.task(r, r.Y, in, func() { n.apply(r, read, adds) })
		case *plan.ScaleBack:
			if r.Of != of {
				return i - 1
			}
			b.task(r, r.Y, r.In(), func() { n.scale(r) })
		default:
			return i - 1
		}
	}
	return len(ops) - 1
}

// normBack keeps what the parts of a Norm's way back share.
type normBack struct {
	*backward
	o      *plan.Norm
	d      plan.Value
	s      plan.Shape // of the concatenation
	runs   int
	learns bool      // the gradients by γ and β are wanted
	dscale []float32 // by ScaleShift, N×2C
}

// moments is the floats of work before the statistics.
func (n *normBack) moments() int { return n.s.N * blocks(n.s.C) * n.runs * 2 * kernels.Block }

func (n *normBack) lower(of plan.Op) {
	n.s = n.p.Shape(n.o.X[0])
	n.s.C = n.p.Channels(n.o.X)
	area, all := n.s.H*n.s.W, blocks(n.s.C)
	n.runs = count(area, kernels.Run)
	n.needs(n.moments()+n.s.N*2*all*kernels.Block, 0)
	first := 0
	for _, x := range n.o.X {
		part, at := blocks(n.p.Shape(x).C), first
		add(n.lowered, of, kernels.RunMoments, n.s.N*part*n.runs, func(a *kernels.Moments) {
			*a = kernels.Moments{X: n.addr(x), N: int64(n.s.N), Blocks: int64(part), Area: int64(area), Runs: int64(n.runs),
				To: n.at(n.arena), First: int64(at), All: int64(all)}
		})
		first += part
	}
	n.dscale = make([]float32, n.s.N*2*n.s.C)
	n.hook(of, n.statistics)
}

// statistics makes the groups' statistics and the gradients by γ, β and
// ScaleShift.
func (n *normBack) statistics(f []float32) {
	const block = kernels.Block
	c, all := n.s.C, blocks(n.s.C)
	per, area := c/n.o.Groups, n.s.H*n.s.W
	moments, to := f[n.arena:], f[n.arena+n.moments():]
	clear(to[:n.s.N*2*all*block])
	gamma, beta := n.param(n.o.Gamma).Floats(), n.param(n.o.Beta).Floats()
	dgamma, dbeta := make([]float64, c), make([]float64, c)
	for s := range n.s.N {
		d := f[n.offsets[n.d]+s*2*all*block:]
		var shift []float32
		if n.o.ScaleShift != plan.None {
			shift = f[n.offsets[n.o.ScaleShift]+s*blocks(2*c)*block:]
		}
		for first := 0; first < c; first += per {
			mean, variance := 0.0, 0.0
			for k, size := first, 0.0; k < first+per; k++ {
				for run := range n.runs {
					m := moments[((s*all+k/block)*n.runs+run)*2*block+k%block:]
					more := float64(min(kernels.Run, area-run*kernels.Run))
					delta, sum := float64(m[0])-mean, size+more
					mean += delta * more / sum
					variance += float64(m[block]) + delta*delta*size*more/sum
					size = sum
				}
			}
			size := float64(per * area)
			rstd := rsqrt(variance/size + n.o.Eps)
			dmean, drstd := 0.0, 0.0
			for k := first; k < first+per; k++ {
				a, b, more := float64(d[k]), float64(d[all*block+k]), 1.0
				if shift != nil {
					more += float64(shift[k])
				}
				centred, g := a-b*mean, float64(gamma[k])
				drstd += centred * g * more
				dmean -= b * rstd * g * more
				dgamma[k] += centred * rstd * more
				dbeta[k] += b * more
				n.dscale[s*2*c+k] = float32(centred*rstd*g + b*float64(beta[k]))
				n.dscale[s*2*c+c+k] = float32(b)
			}
			slope := -drstd * rstd * rstd * rstd / size
			for k := first; k < first+per; k++ {
				to[s*2*all*block+k] = float32(dmean/size - slope*mean)
				to[s*2*all*block+all*block+k] = float32(slope)
			}
		}
	}
	if !n.learns {
		return
	}
	for w, g := range map[plan.Param][]float64{n.o.Gamma: dgamma, n.o.Beta: dbeta} {
		to := n.grad(w).Floats()
		for i, v := range g {
			to[i] += float32(v)
		}
	}
}

// apply leads the gradient to one of the tensors, and by the way that of read.
func (n *normBack) apply(o *plan.NormBack, read *plan.ReadBack, adds bool) {
	s, first := n.p.Shape(o.Y), 0
	for _, x := range n.o.X[:o.Part] {
		first += blocks(n.p.Shape(x).C)
	}
	r, d := plan.Read{X: n.o.X, Affine: plan.None}, plan.None
	if read != nil {
		r, d = read.Of, read.D
	}
	add(n.lowered, o, kernels.RunReadBack, s.N*blocks(s.C)*s.H, func(a *kernels.ReadBack) {
		*a = kernels.ReadBack{In: n.read(r), N: int64(s.N), First: int64(first), Blocks: int64(blocks(s.C)), D: n.addr(d),
			Statistics: n.at(n.arena + n.moments()), Y: n.addr(o.Y), Add: bit(adds)}
	})
}

// joinReads finds what a Norm's way back does in the same pass as the gradient
// by its statistics: the read of what it normalised, if nothing touches the
// gradient between the two.
func joinReads(ops []plan.Op) map[plan.Op]*plan.ReadBack {
	joined := map[plan.Op]*plan.ReadBack{}
	for i, op := range ops {
		r, ok := op.(*plan.ReadBack)
		if !ok || r.Of.Affine == plan.None {
			continue
		}
		scales := plan.None // gradient by the scales and shifts of this read
		for _, op := range ops[i+1:] {
			if a, ok := op.(*plan.AffineBack); ok && a.D == r.D && !a.Add {
				scales = a.Y
			}
			if n, ok := op.(*plan.NormBack); ok && scales != plan.None && n.D == scales && n.Y == r.Y && n.Part == r.Part && slices.Equal(n.Of.X, r.Of.X) {
				joined[n] = r
				break
			}
			if op.Out() == r.Y || slices.Contains(op.In(), r.Y) {
				break
			}
		}
	}
	return joined
}

// scale gives the gradient by ScaleShift, which fills whole blocks.
func (n *normBack) scale(o *plan.ScaleBack) {
	c := n.p.Shape(o.Y).C
	n.hook(o, func(f []float32) {
		width := blocks(c) * kernels.Block
		for s := range n.s.N {
			y := f[n.offsets[o.Y]+s*width:][:width]
			if !o.Add {
				clear(y)
			}
			for i, v := range n.dscale[s*c:][:c] {
				y[i] += v
			}
		}
	})
}
