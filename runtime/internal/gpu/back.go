package gpu

import (
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

// back lowers an operator of the way back; everything is in floats.
func (l *lowered) back(op plan.Op) {
	switch o := op.(type) {
	case *plan.ConvBack:
		l.convBack(o)
	case *plan.ReadBack:
		l.readBack(o)
	case *plan.AffineBack:
		l.affineBack(o)
	case *plan.SumBack:
		l.sums(o.D, l.value(o.Y), o.Add, false)
	case *plan.NormBack:
		l.normBack(o)
	case *plan.ScaleBack:
		k := l.groups("norm_back", o.Of)
		k.consts["OUT"], k.consts["ADD"] = 1, flag(o.Add)
		k.in["d"], k.in["y"] = l.value(o.D), l.value(o.Y)
		l.add(k)
	case *plan.LinearBack:
		l.linearBack(o)
	case *plan.AttentionBack:
		l.attentionBack(o)
	case *plan.ParamBack:
		l.paramBack(o)
	}
}

// grad is the place of the gradient by what lies at a weight's place.
func grad(o operand) operand { return learnt(o, device.Grad) }

// learnt is the place of one of a parameter's tensors, which all lie as the
// weights do.
func learnt(o operand, what device.Tensor) operand {
	o.space = weight + space(what)
	return o
}

// convBack is the convolution of D, spread by the stride, with turned weights.
func (l *lowered) convBack(o *plan.ConvBack) {
	w := l.weights[o.Of.W]
	to := stored{out: w.in, in: w.out, taps: w.taps}
	bytes := int64(to.rows()*to.taps*blocks(to.out)) * 16
	at := operand{turned, 0, bytes}
	to.pieces = []piece{{0, blocks(to.out), at}}
	l.turned = max(l.turned, bytes)
	for i, from := range w.pieces {
		rows := 4 * from.blocks
		if i == len(w.pieces)-1 {
			rows = to.rows() - 4*from.o0
		}
		l.add(call{file: "turn", consts: shaders.Constants{}, in: operands{"w": from.operand, "y": at},
			params: params{"CI": w.rows(), "WB": from.blocks, "CO": to.rows(), "IB": blocks(to.out), "TAPS": w.taps, "O0": from.o0, "ROWS": rows},
			x:      count(rows*blocks(to.out), 64), y: w.taps, z: 1})
	}
	from := o.D
	if s := l.p.Shape(o.D); o.Of.Stride == 2 {
		y := l.p.Shape(o.Y)
		from = l.temporary(o.Name()+".spread", plan.Shape{N: s.N, C: s.C, H: y.H, W: y.W}, false)
		l.add(call{file: "spread", consts: shaders.Constants{}, in: operands{"x": l.value(o.D), "y": l.value(from)},
			params: params{"CB": blocks(s.C), "H": y.H, "W": y.W, "IH": s.H, "IW": s.W}, x: count(y.H*y.W, 64), y: blocks(s.C), z: s.N})
	}
	c := *o.Of
	c.Y, c.Stride = o.Y, 1
	c.Read, c.Write = plan.Read{X: []plan.Value{from}, Affine: plan.None}, plan.Write{Shift: plan.None, Residual: plan.None}
	c.W, c.B = l.extra(to), l.extra(stored{pieces: []piece{{operand: l.zeros(blocks(to.out))}}})
	l.conv(&c)
}

// extra is a parameter that only the way back knows.
func (l *lowered) extra(s stored) plan.Param {
	l.weights = append(l.weights[:len(l.weights):len(l.weights)], s)
	return plan.Param(len(l.weights) - 1)
}

// zeros are some vectors of them.
func (l *lowered) zeros(n int) operand {
	at := int64(len(l.tables))
	l.tables = append(l.tables, make([]byte, aligned(int64(16*n)))...)
	return operand{tables, at, int64(16 * n)}
}

// unread adds what unread.wgsl wants to a call.
func (l *lowered) unread(c *call, r plan.Read, d operand, reads bool) {
	l.read(c, r)
	c.in["d"] = d
	if !reads {
		delete(c.in, "x0")
		delete(c.in, "x1")
	}
	c.consts["READS"] = flag(reads)
}

func (l *lowered) readBack(o *plan.ReadBack) {
	s, d := l.p.Shape(o.Y), l.value(o.D)
	r, first := o.Of, 0
	if len(r.X) > 1 {
		if whole := l.p.Shape(r.X[0]).C; whole%4 != 0 { // of a Map that joins and does nothing else
			if o.Part == 0 {
				whole = 0
			}
			from := make([]uint32, s.C)
			for i := range from {
				from[i] = uint32(whole + i)
			}
			to := l.room(l.size(o.Y))
			l.shuffle(o.Y, s, from, d, blocks(l.p.Channels(r.X)), nil, 0, to)
			d, r.X = to, []plan.Value{r.X[o.Part]}
		} else if o.Part == 1 {
			first = whole / 4
		}
	}
	c := call{file: "read_back", consts: shaders.Constants{"ADD": flag(o.Add)}, params: params{"FIRST": first, "OB": blocks(s.C)},
		in: operands{"y": l.value(o.Y)}, x: count(s.H*s.W, 64), y: blocks(s.C), z: s.N}
	l.unread(&c, r, d, r.SiLU)
	l.add(c)
}

func (l *lowered) affineBack(o *plan.AffineBack) {
	s := l.p.Shape(o.Of.X[0])
	c := call{file: "affine_back", consts: shaders.Constants{"ADD": flag(o.Add)}, params: params{}, in: operands{"y": l.value(o.Y)},
		x: blocks(l.p.Channels(o.Of.X)), y: s.N, z: 1}
	l.unread(&c, o.Of, l.value(o.D), true)
	l.add(c)
}

// sums adds up the pixels of every sample, or of all.
func (l *lowered) sums(of plan.Value, to operand, add, all bool) {
	s := l.p.Shape(of)
	c := call{file: "sums", consts: shaders.Constants{"ADD": flag(add), "ALL": flag(all)}, in: operands{"x": l.value(of), "y": to},
		params: params{"N": s.N, "CB": blocks(s.C), "AREA": s.H * s.W}, x: blocks(s.C), y: s.N, z: 1}
	if all {
		c.y = 1
	}
	l.add(c)
}

func (l *lowered) normBack(o *plan.NormBack) {
	s, n := l.p.Shape(o.Y), o.Of
	k := l.groups("norm_back", n)
	stats := l.room(int64(16 * s.N * n.Groups))
	k.consts["OUT"], k.consts["ADD"] = 0, 0
	k.in["d"], k.in["y"] = l.value(o.D), stats
	l.add(k)
	first := 0
	if o.Part == 1 {
		first = l.p.Shape(n.X[0]).C
	}
	l.add(call{file: "norm_input", consts: shaders.Constants{"ADD": flag(o.Add)}, in: operands{"x": l.value(n.X[o.Part]), "stats": stats, "y": l.value(o.Y)},
		params: params{"AREA": s.H * s.W, "CB": blocks(s.C), "C": s.C, "FIRST": first, "PER": l.p.Channels(n.X) / n.Groups, "GROUPS": n.Groups},
		x:      count(s.H*s.W, 64), y: blocks(s.C), z: s.N})
}

func (l *lowered) linearBack(o *plan.LinearBack) {
	s, d := l.p.Shape(o.Y), l.p.Shape(o.D)
	for i, w := range l.weights[o.Of.W].pieces {
		c := call{file: "linear_back", consts: shaders.Constants{"SILU": flag(o.Of.SiLU), "ADD": flag(o.Add || i > 0)},
			in:     operands{"d": l.value(o.D), "w": w.operand, "y": l.value(o.Y)},
			params: params{"CB": blocks(s.C), "O0": w.o0, "OB": blocks(d.C), "WB": w.blocks}, x: count(4*blocks(s.C), 64), y: s.N, z: 1}
		if o.Of.SiLU {
			c.in["x"] = l.value(o.Of.X)
		}
		l.add(c)
	}
}

// attentionScores is the bytes of a part of the scores, which are kept for the
// way back of attention alone.
const attentionScores = 32 << 20

func (l *lowered) attentionBack(o *plan.AttentionBack) {
	s, heads := l.p.Shape(o.D), o.Of.Heads
	t, dim, pairs := s.H*s.W, s.C/o.Of.Heads, s.N*o.Of.Heads
	qkv, d, y := l.value(o.Of.QKV), l.value(o.D), l.value(o.Y)
	if 3*s.C%4 != 0 && !o.Add { // lanes that no head has
		n := int(y.size / 16)
		l.add(call{file: "clear", consts: shaders.Constants{}, in: operands{"y": y}, params: params{"COUNT": n, "STRIDE": 64 * min(n, 32768)},
			x: min(n, 32768), y: count(n, 64*min(n, 32768)), z: 1})
	}
	q, k, v := o.Of.Head(0, dim)
	next, _, _ := o.Of.Head(1, dim)
	scale := float32(1 / math.Sqrt(float64(dim)))
	queries := max(1, min(t, attentionScores/(4*t)))
	some := max(1, min(pairs, attentionScores/(4*t*queries), 65535/3))
	scores, grads := l.room(int64(4*some*queries*t)), l.room(int64(4*some*queries*t))
	for pair := 0; pair < pairs; pair += some {
		now := min(some, pairs-pair)
		for first := 0; first < t; first += queries {
			n := min(queries, t-first)
			own := func(c call, more params) {
				c.params = params{"T": t, "QUERIES": n}
				for name, v := range more {
					c.params[name] = v
				}
				c.flops = o.FLOPs(l.p) / 3 * int64(now*n) / int64(pairs*t)
				l.add(c)
			}
			where := params{"CB": blocks(3 * s.C), "OB": blocks(s.C), "HEADS": heads, "PAIR": pair, "DIM": dim, "STEP": next - q, "QAT": q, "KAT": k, "VAT": v, "FIRST": first}
			scaled := params{"SCALE": scale}
			for name, v := range where {
				scaled[name] = v
			}
			own(call{file: "attention_scores", consts: shaders.Constants{}, in: operands{"qkv": qkv, "d": d, "scores": scores, "grads": grads},
				x: count(t, 64), y: n, z: now}, scaled)
			own(call{file: "attention_slopes", consts: shaders.Constants{}, in: operands{"scores": scores, "grads": grads}, x: n, y: now, z: 1}, params{"SCALE": scale})
			own(call{file: "attention_back", consts: shaders.Constants{"ADD": flag(o.Add)}, in: operands{"qkv": qkv, "d": d, "slopes": grads, "shares": scores, "y": y},
				x: count(t, 64), y: dim, z: 3 * now}, where)
		}
	}
}

// paramBack adds to the gradients by an operator's parameters.
func (l *lowered) paramBack(o *plan.ParamBack) {
	d := l.p.Shape(o.D)
	switch of := o.Of.(type) {
	case *plan.Conv:
		l.convWeights(o, of)
		l.sums(o.D, grad(l.param(of.B)), true, true)
	case *plan.Norm:
		k := l.groups("norm_back", of)
		all := k.params["ALL"].(int)
		parts := l.room(int64(32 * d.N * all))
		k.consts["OUT"], k.consts["ADD"] = 2, 0
		k.in["d"], k.in["y"] = l.value(o.D), parts
		l.add(k)
		for i, w := range []plan.Param{of.Gamma, of.Beta} {
			part := operand{scratch, parts.at, parts.size}
			l.add(call{file: "gather_parts", consts: shaders.Constants{}, in: operands{"x": part, "y": grad(l.param(w))},
				params: params{"COUNT": all, "PARTS": d.N, "FIRST": i * all, "STRIDE": 2 * all}, x: count(all, 64), y: 1, z: 1})
		}
	case *plan.Linear:
		s := l.p.Shape(of.X)
		for _, w := range l.weights[of.W].pieces {
			l.add(call{file: "linear_weights", consts: shaders.Constants{"SILU": flag(of.SiLU)}, in: operands{"x": l.value(of.X), "d": l.value(o.D), "y": grad(w.operand)},
				params: params{"N": d.N, "CB": blocks(s.C), "O0": w.o0, "OB": blocks(d.C), "WB": w.blocks}, x: count(w.blocks, 64), y: 4 * blocks(s.C), z: 1})
		}
		l.sums(o.D, grad(l.param(of.B)), true, true)
	case *plan.Embed:
		l.add(call{file: "embed_back", consts: shaders.Constants{}, in: operands{"label": l.value(of.Label), "d": l.value(o.D), "table": grad(l.param(of.Table))},
			params: params{"N": d.N, "C": d.C, "OB": blocks(d.C)}, x: count(d.C, 64), y: 1, z: 1})
	}
}

// weightParts bounds the scratch of the gradient by a convolution's weights.
const weightParts = 64 << 20

// outputs is how many blocks of outputs a thread of conv_weights.wgsl makes.
const outputs = 4

// convWeights sums over parts of the rows of pixels, then over the parts.
func (l *lowered) convWeights(o *plan.ParamBack, of *plan.Conv) {
	if r := of.Read; len(r.X) > 1 || r.Affine != plan.None || r.SiLU || r.Resample != plan.Same {
		of = l.resolve(of)
	}
	x, d, s := l.p.Shape(of.X[0]), l.p.Shape(o.D), l.weights[of.W]
	rows := d.N * d.H
	for _, w := range s.pieces {
		size := int64(16 * s.taps * s.rows() * w.blocks)
		flops := 2 * int64(rows) * int64(d.W) * int64(s.taps*s.rows()) * int64(4*w.blocks)
		gx, gy := count(s.taps*s.rows()/4, 64), count(w.blocks, outputs)
		parts := max(1, l.choose.groups/(gx*gy), int(flops/l.choose.patience))
		parts = max(1, min(parts, rows, int(weightParts/size)))
		per := count(rows, parts)
		parts = count(rows, per)
		most := max(1, min(parts, int(l.choose.patience*int64(parts)/max(1, flops))))
		sums := l.room(int64(parts) * size)
		for part := 0; part < parts; part += most {
			n := min(most, parts-part)
			l.add(call{file: "conv_weights", consts: shaders.Constants{"K": of.Kernel, "STRIDE": of.Stride, "TN": outputs},
				in: operands{"x": l.value(of.X[0]), "d": l.value(o.D), "y": sums}, x: gx, y: gy, z: n, flops: flops * int64(n) / int64(parts),
				params: params{"H": x.H, "W": x.W, "CB": blocks(x.C), "OH": d.H, "OW": d.W, "OB": blocks(d.C), "CI": s.rows(), "WB": w.blocks, "O0": w.o0,
					"ROWS": rows, "PER": per, "PART": part}})
		}
		vectors := int(size / 16)
		l.add(call{file: "gather_parts", consts: shaders.Constants{}, in: operands{"x": sums, "y": grad(w.operand)},
			params: params{"COUNT": vectors, "PARTS": parts, "FIRST": 0, "STRIDE": vectors}, x: min(count(vectors, 64), 32768), y: count(vectors, 64*32768), z: 1})
	}
}
