//go:build !js

package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// backward is a plan and its way back as kernel calls.
type backward struct {
	*lowered
	g       *plan.Gradient
	forward int // how many steps are the network's
	grad    func(plan.Param) kernels.Memory

	plan   plan.Plan // g's, with tasks in place of its operators
	affine map[plan.Value]bool
	turned map[plan.Param]bool        // weights that lead gradients back
	joined map[plan.Op]*plan.ReadBack // by the NormBack that does it as well
}

// task is a part of the way back as the plan's layout sees it.
type task struct {
	of    plan.Op
	y     plan.Value
	in    []plan.Value
	lower func()
}

func (t *task) Name() string           { return t.of.Name() }
func (t *task) Out() plan.Value        { return t.y }
func (t *task) In() []plan.Value       { return t.in }
func (t *task) Weights() []plan.Param  { return nil }
func (t *task) FLOPs(*plan.Plan) int64 { return 0 }

// lowerGradient makes the steps, and notes the weights that it wants turned.
func lowerGradient(g *plan.Gradient, pk []packing, q policy, threads int, turned map[plan.Param]bool) *backward {
	b := &backward{g: g, plan: g.Plan, affine: map[plan.Value]bool{}, turned: turned, joined: joinReads(g.Ops)}
	later := map[plan.Op]bool{}
	for _, r := range b.joined {
		later[r] = true
	}
	b.plan.Values = append([]plan.ValueInfo(nil), g.Values...)
	b.plan.Ops = nil
	for i := 0; i < len(g.Ops); i++ {
		switch o := g.Ops[i].(type) {
		case *plan.Norm:
			b.affine[o.Y] = true
		case *plan.AffineBack:
			b.affine[o.Y] = true
		}
		if !later[g.Ops[i]] {
			i += b.tasks(g.Ops[i:])
		}
	}
	b.lowered = &lowered{p: &b.plan, pk: pk, policy: q, threads: threads}
	b.offsets, b.arena = b.plan.Layout(sizes(&b.plan, b.affine))
	b.planars()
	for i, op := range b.plan.Ops {
		if i == g.Forward {
			b.forward = len(b.steps)
		}
		if t, ok := op.(*task); ok {
			t.lower()
		} else {
			b.lower(op)
		}
	}
	if g.Forward == len(b.plan.Ops) {
		b.forward = len(b.steps)
	}
	return b
}

// task appends one.
func (b *backward) task(of plan.Op, y plan.Value, in []plan.Value, lower func()) {
	b.plan.Ops = append(b.plan.Ops, &task{of, y, in, lower})
}

// value makes one that the plan does not have.
func (b *backward) value(s plan.Shape) plan.Value {
	b.plan.Values = append(b.plan.Values, plan.ValueInfo{Shape: s})
	return plan.Value(len(b.plan.Values) - 1)
}

// tasks appends what the first of some operators is, and returns how many
// others it did with it.
func (b *backward) tasks(ops []plan.Op) (more int) {
	switch o := ops[0].(type) {
	case *plan.ConvBack:
		b.convBack(o)
	case *plan.LinearBack:
		b.linearBack(o)
	case *plan.ReadBack:
		b.task(o, o.Y, o.In(), func() { b.readBack(o, o.Of, o.Part, o.D, o.Y, o.Add) })
	case *plan.AffineBack:
		b.task(o, o.Y, o.In(), func() { b.affineBack(o) })
	case *plan.SumBack:
		b.task(o, o.Y, o.In(), func() { b.sumBack(o) })
	case *plan.AttentionBack:
		b.task(o, o.Y, o.In(), func() { b.attentionBack(o) })
	case *plan.ParamBack:
		switch of := o.Of.(type) {
		case *plan.Conv:
			b.task(o, plan.None, o.In(), func() { b.convParams(o, of) })
		case *plan.Linear:
			b.task(o, plan.None, o.In(), func() { b.linearParams(o, of) })
		case *plan.Embed:
			b.task(o, plan.None, o.In(), func() { b.embedParams(o, of) })
		case *plan.Norm:
			return b.normBack(of, o.D, ops)
		}
	case *plan.NormBack: // of one whose parameters do not learn
		return b.normBack(o.Of, o.D, ops)
	case *plan.ScaleBack:
		return b.normBack(o.Of, o.D, ops)
	default:
		b.plan.Ops = append(b.plan.Ops, o)
	}
	return 0
}

// readBack leads d back through a read to its tensor of a part.
func (b *backward) readBack(of plan.Op, r plan.Read, part int, d, y plan.Value, adds bool) {
	if len(r.X) == 2 && !apart(b.p.Shape(r.X[0]), b.p.Shape(r.X[1])) {
		b.split(of, r, part, d, y, adds)
		return
	}
	first, s := 0, b.p.Shape(y)
	for _, x := range r.X[:part] {
		first += blocks(b.p.Shape(x).C)
	}
	add(b.lowered, of, kernels.RunReadBack, s.N*blocks(s.C)*s.H, func(a *kernels.ReadBack) {
		*a = kernels.ReadBack{In: b.read(r), N: int64(s.N), First: int64(first), Blocks: int64(blocks(s.C)),
			D: b.addr(d), Y: b.addr(y), Add: bit(adds)}
	})
}

// split leads d back through a concatenation of tensors that do not fill their
// blocks. No network that can be configured has one.
func (b *backward) split(of plan.Op, r plan.Read, part int, d, y plan.Value, adds bool) {
	s, all := b.p.Shape(y), blocks(b.p.Channels(r.X))
	first := 0
	if part > 0 {
		first = b.p.Shape(r.X[0]).C
	}
	area, to := s.H*s.W, blocks(s.C)
	const block = kernels.Block
	b.hook(of, func(f []float32) {
		from, out := f[b.offsets[d]:], f[b.offsets[y]:]
		for n := range s.N {
			for c := range to * block {
				at := first + c
				for i := range area {
					v := float32(0)
					if c < s.C {
						v = from[((n*all+at/block)*area+i)*block+at%block]
					}
					p := &out[((n*to+c/block)*area+i)*block+c%block]
					if adds {
						v += *p
					}
					*p = v
				}
			}
		}
	})
}

func (b *backward) affineBack(o *plan.AffineBack) {
	s := b.p.Shape(o.Of.X[0])
	add(b.lowered, o, kernels.RunAffineBack, s.N*blocks(b.p.Channels(o.Of.X)), func(a *kernels.ReadBack) {
		*a = kernels.ReadBack{In: b.read(o.Of), N: int64(s.N), D: b.addr(o.D), Y: b.addr(o.Y), Add: bit(o.Add)}
	})
}

func (b *backward) sumBack(o *plan.SumBack) {
	s := b.p.Shape(o.D)
	add(b.lowered, o, kernels.RunSums, s.N*blocks(s.C), func(a *kernels.Sums) {
		*a = kernels.Sums{D: b.addr(o.D), Area: int64(s.H * s.W), Y: b.addr(o.Y), Add: bit(o.Add)}
	})
}

func (b *backward) attentionBack(o *plan.AttentionBack) {
	s, of := b.p.Shape(o.D), o.Of
	area, d := s.H*s.W, s.C/of.Heads
	pitch := blocks(area) * kernels.Block
	b.needs(0, (7*d+2*kernels.Together)*pitch)
	add(b.lowered, o, kernels.RunAttentionBack, s.N*of.Heads, func(a *kernels.AttentionBack) {
		q0, k0, v0 := of.Head(0, d)
		q1, _, _ := of.Head(1, d)
		*a = kernels.AttentionBack{QKV: b.addr(of.QKV), D: b.addr(o.D), Y: b.addr(o.Y), Add: bit(o.Add), N: int64(s.N), Heads: int64(of.Heads),
			Dim: int64(d), Area: int64(area), Blocks: int64(blocks(3 * s.C)), DBlocks: int64(blocks(s.C)),
			QC: int64(q0), KC: int64(k0), VC: int64(v0), Step: int64(q1 - q0), Scale: rsqrt(float64(d))}
	})
}

func (b *backward) embedParams(o *plan.ParamBack, of *plan.Embed) {
	s := b.p.Shape(o.D)
	width := blocks(s.C) * kernels.Block
	b.hook(o, func(f []float32) {
		table := b.grad(of.Table).Floats()
		for n := range s.N {
			row := table[int(f[b.offsets[of.Label]+n])*s.C:][:s.C]
			for c, v := range f[b.offsets[o.D]+n*width:][:s.C] {
				row[c] += v
			}
		}
	})
}

// hook appends work that is too small to be a kernel.
func (b *backward) hook(of plan.Op, f func([]float32)) {
	b.steps = append(b.steps, step{op: of, bind: func(*lowered) {}, before: f})
}

// loss is the loss of the network's output, whose gradient becomes the seed.
func (b *backward) loss(f []float32, t device.Target) (loss float64) {
	s := b.p.Shape(b.p.Output)
	area, width := s.H*s.W, blocks(s.C)*s.H*s.W*kernels.Block
	y, seed := f[b.offsets[b.p.Output]:][:s.N*width], f[b.offsets[b.g.Seed]:][:s.N*width]
	clear(seed)
	for n := range s.N {
		for c := range s.C {
			label := t.Label[(n*s.C+c)*area:][:area]
			at := n*width + c/kernels.Block*area*kernels.Block + c%kernels.Block
			for i, want := range label {
				m := 1.0
				if t.Mask != nil {
					m = float64(t.Mask[n*area+i])
				}
				d := m * (float64(y[at]) - float64(want))
				part, slope := t.Of(d)
				loss += t.Weight[n] * part
				seed[at] = float32(t.Weight[n] * m * slope)
				at += kernels.Block
			}
		}
	}
	return loss
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
