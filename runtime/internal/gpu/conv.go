package gpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

// tiling is the shape of a product's work: bm pixels by 4·bn channels in a
// workgroup, tm by 4·tn in a thread. Bare ones use no workgroup memory.
type tiling struct {
	bm, bn, tm, tn int
	bare           bool
}

// The tilings, from those that read least to those that fill a device soonest.
// The last of each kind is for a few output channels.
var (
	tilings = []tiling{{128, 32, 8, 2, false}, {64, 16, 4, 2, false}, {32, 8, 4, 1, false}}
	skinny  = tiling{128, 1, 1, 1, false}

	bareTilings = []tiling{{256, 4, 8, 4, true}, {64, 4, 4, 4, true}, {32, 4, 4, 4, true}}
	bareSkinny  = tiling{256, 1, 4, 1, true}
)

// file is the kernel of a tiling.
func (t tiling) file() string {
	if t.bare {
		return "conv_bare"
	}
	return "conv"
}

// consts are the tiling's constants in its kernel.
func (t tiling) consts(c shaders.Constants) shaders.Constants {
	c["BM"], c["BN"], c["TM"], c["TN"] = t.bm, t.bn, t.tm, t.tn
	c["WX"], c["WY"] = t.bm/t.tm, t.bn/t.tn
	return c
}

func (l *lowered) conv(o *plan.Conv) {
	x, y := l.p.Channels(o.X), l.p.Shape(o.Y)
	if o.Resample == plan.Down && o.Kernel > 1 { // each mean of four is read by several taps
		o = l.resolve(o)
	}
	how := l.choose.conv(convShape{n: y.N, h: y.H, w: y.W, in: x, out: y.C, kernel: o.Kernel, stride: o.Stride, half: l.halved(o.Y)})
	for _, w := range l.weights[o.W].pieces {
		if how.winograd > 0 {
			l.winograd(o, w, how)
		} else {
			l.direct(o, w, how)
		}
	}
}

// resolve makes what a convolution reads in the scratch, and returns one that
// reads it there.
func (l *lowered) resolve(o *plan.Conv) *plan.Conv {
	s := l.p.Shape(o.Y)
	s.C, s.H, s.W = l.p.Channels(o.X), o.Resample.Size(l.p.Shape(o.X[0]).H), o.Resample.Size(l.p.Shape(o.X[0]).W)
	y := l.temporary(o.Name()+".read", s, l.halved(o.X[0]))
	c := call{file: "map", consts: l.stored(o.X[0]), params: params{"OB": blocks(s.C), "OH": s.H, "OW": s.W},
		in: operands{"y": l.value(y)}, x: count(s.H*s.W, 64), y: blocks(s.C), z: s.N}
	c.consts["SHIFT"], c.consts["RESIDUAL"] = 0, 0
	l.read(&c, o.Read)
	l.add(c)
	half := *o
	half.Read = plan.Read{X: []plan.Value{y}, Affine: plan.None}
	return &half
}

// direct is one product, or with split steps several and their sum.
func (l *lowered) direct(o *plan.Conv, w piece, how convChoice) {
	y, s := l.p.Shape(o.Y), l.weights[o.W]
	r := o.Resample
	in := l.p.Shape(o.X[0])
	m := y.N * y.H * y.W
	tilesM, tilesN := count(m, how.bm), count(w.blocks, how.bn)
	steps := s.rows() / 16 * s.taps
	split := max(1, min(how.split, steps))
	per := count(steps, split)
	split = count(steps, per)
	flops := 2 * int64(m) * int64(4*w.blocks) * int64(s.rows()*s.taps)

	// A device that is slow is given the tiles in several dispatches.
	part := max(1, min(tilesM, int(int64(tilesM)*l.choose.patience/max(1, flops))))
	var sums operand
	if split > 1 {
		sums = l.room(int64(split) * int64(w.blocks) * int64(m) * 16)
	}
	for first := 0; first < tilesM; first += part {
		n := min(part, tilesM-first)
		c := call{file: how.file(), consts: how.tiling.consts(l.stored(o.Y)), x: n, y: tilesN, z: split, part: n, of: tilesM, flops: flops * int64(n) / int64(tilesM),
			params: params{"H": r.Size(in.H), "W": r.Size(in.W), "OH": y.H, "OW": y.W, "M": m, "FIRST": first, "O0": w.o0, "WB": w.blocks,
				"CI": s.rows(), "STEPS": per}, in: operands{"w": w.operand}}
		c.consts["K"], c.consts["STRIDE"], c.consts["W16"], c.consts["RAW"] = o.Kernel, o.Stride, flag(s.half), 0
		l.read(&c, o.Read)
		if split > 1 {
			c.consts["RAW"] = 1
			c.params["OB"] = w.blocks
			c.in["y"] = sums
		} else {
			c.in["bias"] = l.param(o.B)
			l.write(&c, o.Write, o.Y)
		}
		l.add(c)
	}
	if split > 1 {
		c := call{file: "finish", consts: l.stored(o.Y), x: count(m, 64), y: w.blocks, z: 1,
			params: params{"M": m, "O0": w.o0, "WB": w.blocks, "PARTS": split}, in: operands{"part": sums, "bias": l.param(o.B)}}
		l.write(&c, o.Write, o.Y)
		l.add(c)
	}
}

// winograd is F(m×m, 3×3): transformed weights, then for every slice of tiles
// inputs, (m+2)² products, outputs. Slices bound the scratch.
func (l *lowered) winograd(o *plan.Conv, w piece, how convChoice) {
	y, s := l.p.Shape(o.Y), l.weights[o.W]
	in := l.p.Shape(o.X[0])
	m := how.winograd
	freq := (m + 2) * (m + 2)
	cb := blocks(s.in)
	th, tw := count(y.H, m), count(y.W, m)
	tiles := y.N * th * tw

	slice := max(1, min(w.blocks, int(min(how.weights, l.limits.Binding)/int64(16*freq*s.rows()))))
	slice = count(w.blocks, count(w.blocks, slice))
	column := int64(16 * freq * max(cb, slice))
	most := min(tiles, int(how.scratch/int64(16*freq*(cb+slice))), int(l.limits.Binding/column))
	perTile := 2 * int64(freq) * int64(s.rows()) * int64(4*slice)
	most = max(1, min(most, int(l.choose.patience/perTile)))
	if most < tiles && most > how.bm {
		most = most / how.bm * how.bm
	}
	most = count(tiles, count(tiles, most))

	u := l.room(int64(16*freq) * int64(s.rows()) * int64(slice))
	v := l.room(int64(16*freq) * int64(cb) * int64(most))
	p := l.room(int64(16*freq) * int64(slice) * int64(most))
	for b := 0; b < w.blocks; b += slice {
		n := min(slice, w.blocks-b)
		c := call{file: "winograd_weights", consts: shaders.Constants{"W16": flag(s.half), "TILE": m},
			params: params{"CI": s.rows(), "WB": w.blocks, "O0": b, "SB": n}, in: operands{"w": w.operand, "u": u},
			x: count(s.rows()*n, 64), y: 1, z: 1}
		l.add(c)
		for first := 0; first < tiles; first += most {
			now := min(most, tiles-first)
			c := call{file: "winograd_input", consts: l.stored(o.Y), params: params{"H": o.Resample.Size(in.H), "W": o.Resample.Size(in.W),
				"TH": th, "TW": tw, "T": now, "FIRST": first}, in: operands{"v": v}, x: count(now, 64), y: cb, z: 1, part: now, of: tiles}
			c.consts["TILE"], c.consts["ROLLED"] = m, flag(l.choose.bare)
			l.read(&c, o.Read)
			l.add(c)
			c = call{file: how.file(), consts: how.tiling.consts(shaders.Constants{"RAW": 2, "K": 1}), x: count(now, how.bm), y: count(n, how.bn), z: freq,
				params: params{"IH": 0, "IW": 0, "H": 0, "W": 0, "CB0": 0, "OH": 0, "OW": 0, "STEPS": 0, "O0": 0,
					"CB": cb, "OB": n, "M": now, "FIRST": 0, "WB": n, "CI": s.rows()},
				in: operands{"x0": v, "w": u, "y": p}, flops: 2 * int64(freq) * int64(now) * int64(s.rows()) * int64(4*n)}
			l.add(c)
			c = call{file: "winograd_output", consts: l.stored(o.Y), params: params{"O0": w.o0 + b, "SB": n, "TH": th, "TW": tw, "T": now, "FIRST": first},
				in: operands{"products": p, "bias": l.param(o.B)}, x: count(now, 64), y: n, z: 1, part: now, of: tiles}
			c.consts["TILE"], c.consts["ROLLED"] = m, flag(l.choose.bare)
			l.write(&c, o.Write, o.Y)
			l.add(c)
		}
	}
}
