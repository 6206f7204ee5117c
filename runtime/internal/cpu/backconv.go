//go:build !js

package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// plain reads a value as it is.
func plain(v plan.Value) plan.Read { return plan.Read{X: []plan.Value{v}, Affine: plan.None} }

// turn is the turned weight of w, which it notes.
func (b *backward) turn(w plan.Param) plan.Param {
	b.turned[w] = true
	return w + plan.Param(len(b.g.Params))
}

// convBack is a convolution with turned weights; a stride of 2 put zeros
// between the pixels of what it convolves.
func (b *backward) convBack(o *plan.ConvBack) {
	d := o.D
	if o.Of.Stride == 2 {
		s := b.plan.Shape(o.Y)
		s.C = b.plan.Shape(o.D).C
		d = b.value(s)
		b.task(o, d, []plan.Value{o.D}, func() {
			add(b.lowered, o, kernels.RunSpread, s.N*blocks(s.C)*s.H, func(a *kernels.Spread) {
				*a = kernels.Spread{X: b.addr(o.D), Y: b.addr(d), H: int64(s.H), W: int64(s.W)}
			})
		})
	}
	c := *o.Of
	c.Read, c.Write, c.Stride = plain(d), plan.Write{Shift: plan.None, Residual: plan.None}, 1
	c.W, c.B, c.Y = b.turn(c.W), noParam, o.Y
	b.task(o, o.Y, []plan.Value{d}, func() { b.conv(&c) })
}

func (b *backward) linearBack(o *plan.LinearBack) {
	l := *o.Of
	l.X, l.SiLU, l.W, l.B, l.Y = o.D, false, b.turn(l.W), noParam, o.Y
	r := plan.Read{X: []plan.Value{o.Of.X}, Affine: plan.None, SiLU: o.Of.SiLU}
	whole := !o.Add && !o.Of.SiLU
	if !whole {
		l.Y = b.value(b.plan.Shape(o.Y))
	}
	b.task(o, l.Y, []plan.Value{o.D}, func() { b.linear(&l) })
	if !whole {
		b.task(o, o.Y, append(o.In(), l.Y), func() { b.readBack(o, r, 0, l.Y, o.Y, o.Add) })
	}
}

func (b *backward) linearParams(o *plan.ParamBack, of *plan.Linear) {
	r := plan.Read{X: []plan.Value{of.X}, Affine: plan.None, SiLU: of.SiLU}
	b.bias(o, of.B)
	b.flatParams(o, r, of.W)
}

func (b *backward) convParams(o *plan.ParamBack, of *plan.Conv) {
	b.bias(o, of.B)
	y := b.p.Shape(o.D)
	switch {
	case b.pk[of.W].tiled:
		b.tileParams16(o, of)
	case of.Kernel == 1 && of.Stride == 1:
		b.flatParams(o, of.Read, of.W)
	case winogradable(of) && 4*tilesOf(y, 4) <= y.N*y.H*y.W:
		b.tileParams(o, of)
	default:
		b.tapParams(o, of)
	}
}

// bias adds up the gradients by all pixels.
func (b *backward) bias(o *plan.ParamBack, w plan.Param) {
	s := b.p.Shape(o.D)
	width := blocks(s.C) * kernels.Block
	b.needs(s.N*width, 0)
	add(b.lowered, o, kernels.RunSums, s.N*blocks(s.C), func(a *kernels.Sums) {
		*a = kernels.Sums{D: b.addr(o.D), Area: int64(s.H * s.W), Y: b.at(b.arena)}
	})
	b.hook(o, func(f []float32) {
		g := b.grad(w).Floats()[:s.C]
		for n := range s.N {
			for c, v := range f[b.arena+n*width:][:s.C] {
				g[c] += v
			}
		}
	})
}

// correlation is the sums of products with the gradient by o, without inputs.
func (b *backward) correlation(o *plan.ParamBack, in int) kernels.Correlate {
	y := b.p.Shape(o.D)
	c := kernels.Correlate{Frequencies: 1, Samples: int64(y.N), In: int64(in), InBlocks: int64(blocks(in)), OutBlocks: int64(blocks(y.C)),
		Blocks0: int64(blocks(in)), MBlock: int64(y.H * y.W * kernels.Block), Start: kernels.Accumulate, GroupIn: 1, GroupOut: 2}
	c.MSample = c.OutBlocks * c.MBlock
	c.UIn = kernels.Block * kernels.Block
	c.UOut = c.InBlocks * c.UIn
	return c
}

// flatParams is a 1×1's: pixels are read where they lie, or prepared first.
func (b *backward) flatParams(o *plan.ParamBack, r plan.Read, w plan.Param) {
	y, in := b.p.Shape(o.D), b.p.Channels(r.X)
	area := y.H * y.W
	c := b.correlation(o, in)
	c.Count, c.VBlock = int64(area), int64(area*kernels.Block)
	prepared := r.Affine != plan.None || r.SiLU || r.Resample != plan.Same
	if prepared {
		b.needs(y.N*blocks(in)*area*kernels.Block, line(r.Resample, y.W))
		add(b.lowered, o, kernels.RunMap, y.N*blocks(in)*y.H, func(a *kernels.Map) {
			*a = kernels.Map{In: b.read(r), N: int64(y.N), Out: kernels.Write{Y: b.at(b.arena), Blocks: int64(blocks(in)), H: int64(y.H), W: int64(y.W)}}
		})
	}
	c.VSample0 = c.InBlocks * c.VBlock
	if !prepared && len(r.X) == 2 {
		c.Blocks0 = int64(blocks(b.p.Shape(r.X[0]).C))
		c.VSample0, c.VSample1 = c.Blocks0*c.VBlock, (c.InBlocks-c.Blocks0)*c.VBlock
	}
	add(b.lowered, o, kernels.RunCorrelate, c.Items(), func(a *kernels.Correlate) {
		*a = c
		a.M, a.U = b.addr(o.D), b.grad(w).Addr
		a.V0 = b.at(b.arena)
		if !prepared {
			a.V0 = b.addr(r.X[0])
			if len(r.X) == 2 {
				a.V1 = b.addr(r.X[1])
			}
		}
	})
}

// bandFloats is what the taps of a band of rows may take.
const bandFloats = 1 << 18

// tapParams lays out what every tap reads, a band at a time.
func (b *backward) tapParams(o *plan.ParamBack, of *plan.Conv) {
	y, in := b.p.Shape(o.D), b.p.Channels(of.X)
	taps := of.Kernel * of.Kernel
	row := taps * blocks(in) * y.W * kernels.Block
	samples, rows := min(y.N, max(1, bandFloats/(row*y.H))), y.H
	if row*y.H > bandFloats {
		rows = max(1, bandFloats/row)
	}
	cols := (y.W-1)*of.Stride + of.Kernel
	t := kernels.Taps{}
	t.Kernel, t.Stride = int64(of.Kernel), int64(of.Stride)
	t.Strip = int64(line(of.Resample, cols))
	b.needs(samples*rows*row, int(t.Strip)+((rows-1)*of.Stride+of.Kernel)*cols*kernels.Block)
	for n := 0; n < y.N; n += samples {
		for at := 0; at < y.H; at += rows {
			now, high := min(samples, y.N-n), min(rows, y.H-at)
			add(b.lowered, o, kernels.LearnTaps, now*blocks(in), func(a *kernels.Taps) {
				*a = t
				a.In, a.Out.W = b.read(of.Read), int64(y.W)
				a.First, a.Samples, a.Y0, a.Rows, a.V = int64(n), int64(now), int64(at), int64(high), b.at(b.arena)
			})
			c := b.correlation(o, in)
			c.Frequencies, c.Samples, c.Count = int64(taps), int64(now), int64(high*y.W)
			c.VSample0 = c.Count * kernels.Block
			c.VBlock = c.Samples * c.VSample0
			c.VStep = c.InBlocks * c.VBlock
			c.UStep, c.UIn, c.UOut = c.UIn, int64(taps)*c.UIn, int64(taps)*c.UOut
			add(b.lowered, o, kernels.RunCorrelate, c.Items(), func(a *kernels.Correlate) {
				*a = c
				a.V0, a.U = b.at(b.arena), b.grad(of.W).Addr
				a.M = b.addr(o.D) + 4*(int64(n)*c.MSample+int64(at*y.W*kernels.Block))
			})
		}
	}
}

// How a 3×3's gradient by F(4,3) is divided. Few channels are done in slots,
// each by one thread, whose tiles (itemFloats) and sums (slotFloats) stay in a
// core's cache; many in stages of tiles for all threads.
const (
	slotFloats  = 5 << 15
	itemFloats  = 3 << 15
	slotTiles   = 128 // of a slot at least
	slots       = 16  // at most
	stageTiles4 = 256 // of a stage at most
	stageFloats = 1 << 21
)

// frequencies of F(4,3).
const frequencies = 36

func (b *backward) tileParams(o *plan.ParamBack, of *plan.Conv) {
	in, out := blocks(b.p.Channels(of.X)), blocks(b.p.Shape(o.D).C)
	step := in*out*kernels.Block*kernels.Block + kernels.Block
	f := kernels.Filter{UStep: int64(step), Slots: 1}
	var u int
	if frequencies*step <= slotFloats {
		n := b.slotParams(o, of, step)
		f.Slots, f.USlot = int64(n), int64(frequencies*step)
	} else {
		u = b.stageParams(o, of, step)
	}
	add(b.lowered, o, kernels.LearnFilter, in*out, func(a *kernels.Filter) {
		*a = f
		a.U, a.Y = b.at(b.arena+u), b.grad(of.W).Addr
	})
}

// tiling divides a convolution's tiles into items of at most so many.
func (b *backward) tiling(o *plan.ParamBack, of *plan.Conv, most int) (c kernels.Conv, items int) {
	y := b.p.Shape(o.D)
	th, tw := count(y.H, 4), count(y.W, 4)
	bw := even(tw, min(8, most))
	bh := even(th, min(8, max(1, most/bw)))
	ny, nx := count(th, bh), count(tw, bw)
	c = kernels.Conv{N: int64(y.N), BH: int64(bh), BW: int64(bw), NY: int64(ny), NX: int64(nx), KB: int64(blocks(y.C)), NK: 1}
	c.Strip = int64(line(of.Resample, bw*4+2))
	c.Input = c.Strip + int64((bh*4+2)*(bw*4+2)*kernels.Block)
	return c, y.N * ny * nx
}

// tiled fills in what a tiled convolution reads.
func (b *backward) tiled(c *kernels.Conv, o *plan.ParamBack, of *plan.Conv) {
	y := b.p.Shape(o.D)
	c.In = b.read(of.Read)
	c.Out = kernels.Write{Y: b.addr(o.D), Blocks: int64(blocks(y.C)), H: int64(y.H), W: int64(y.W)}
}

// slotParams leaves the sums of some slots at the beginning of work.
func (b *backward) slotParams(o *plan.ParamBack, of *plan.Conv, step int) (n int) {
	in, out := blocks(b.p.Channels(of.X)), blocks(b.p.Shape(o.D).C)
	c, items := b.tiling(o, of, max(1, itemFloats/(frequencies*(in+out)*kernels.Block)))
	each := int(c.BH * c.BW)
	n = min(items, slots, max(1, items*each/slotTiles))
	c.Output = c.Input + int64(frequencies*pitch(in, each))
	b.needs(n*frequencies*step, int(c.Output)+frequencies*pitch(out, each))
	add(b.lowered, o, kernels.LearnTiles, n, func(a *kernels.Tiles) {
		*a = kernels.Tiles{Conv: c, Items: int64(items), Slots: int64(n), U: b.at(b.arena), USlot: int64(frequencies * step), UStep: int64(step)}
		b.tiled(&a.Conv, o, of)
	})
	return n
}

// stageParams leaves the sums at u of work.
func (b *backward) stageParams(o *plan.ParamBack, of *plan.Conv, step int) (u int) {
	channels := b.p.Channels(of.X)
	in, out := blocks(channels), blocks(b.p.Shape(o.D).C)
	conv, items := b.tiling(o, of, 64)
	each := int(conv.BH * conv.BW)
	most := min(stageTiles4, stageFloats/(frequencies*(in+out)*kernels.Block))
	perStage := even(items, max(1, most/each))
	v := frequencies * pitch(in, perStage*each)
	u = v + frequencies*pitch(out, perStage*each)
	b.needs(u+frequencies*step, int(conv.Input))
	for first := 0; first < items; first += perStage {
		now := min(perStage, items-first)
		stage := func(k kernels.Kernel, n int) {
			add(b.lowered, o, k, n, func(a *kernels.Staged) {
				*a = kernels.Staged{Conv: conv, Tile: 4, First: int64(first), Count: int64(now), V: b.at(b.arena), M: b.at(b.arena + v)}
				b.tiled(&a.Conv, o, of)
			})
		}
		stage(kernels.LearnInput, now*in)
		stage(kernels.LearnOutput, now*out)
		tiles := now * each
		c := b.correlation(o, channels)
		c.Frequencies, c.Samples, c.Count = frequencies, 1, int64(tiles)
		c.VStep, c.VBlock = int64(pitch(in, tiles)), int64(tiles*kernels.Block)
		c.MStep, c.MBlock = int64(pitch(out, tiles)), int64(tiles*kernels.Block)
		c.UStep = int64(step)
		if first == 0 {
			c.Start = kernels.Zero
		}
		c.GroupIn, c.GroupOut = int64(in), int64(out)
		add(b.lowered, o, kernels.RunCorrelate, c.Items(), func(a *kernels.Correlate) {
			*a = c
			a.V0, a.M, a.U = b.at(b.arena), b.at(b.arena+v), b.at(b.arena+u)
		})
	}
	return u
}

// How the gradient of a convolution in bfloat16 tiles is divided: into slots,
// whose sums take so much at most, and where they are large into groups of
// outputs, each of which prepares its windows for itself.
const (
	slotsFloats16  = 2 << 20
	windowFloats16 = 3 << 16 // of an item
)

func (b *backward) tileParams16(o *plan.ParamBack, of *plan.Conv) {
	y, k, in, out := b.p.Shape(o.D), of.Kernel, blocks(b.p.Channels(of.X)), blocks(b.p.Shape(o.D).C)
	if long(of) {
		y = plan.Shape{N: y.N, C: y.C, H: 1, W: y.H * y.W}
	}
	sums := k * k * in * out * kernels.Block * kernels.Block
	parts := min(slots, max(1, slotsFloats16/sums))
	group := 2 * even(count(out, 2), count(count(out, 2), count(slots, parts)))
	pixels := max(32, windowFloats16*2/((in+min(group, out))*kernels.Block))
	bw := even(y.W, min(y.W, 128, pixels))
	if long(of) {
		bw = even(y.W, min(y.W, pixels))
	}
	bh := even(y.H, max(1, pixels/bw))
	ny, nx := count(y.H, bh), count(y.W, bw)
	items := y.N * ny * nx
	parts = min(parts, items)
	cols := bw + k - 1
	n := count(bh*cols, 32) * 32
	pitch := (count((k-1)*(cols+1)+n, 32) | 1) * 32
	c := kernels.Conv{N: int64(y.N), Kernel: int64(k), Stride: 1, BH: int64(bh), BW: int64(bw), NY: int64(ny), NX: int64(nx), KB: int64(out), NK: 1}
	c.Strip = int64(line(of.Resample, cols))
	c.Input = c.Strip + int64(pitch*kernels.Block)
	c.Output = c.Input + int64(in*pitch*kernels.Block/2)
	b.needs(parts*sums, int(c.Output)+group*n*kernels.Block/2)
	add(b.lowered, o, kernels.LearnWeights16, parts*count(out, group), func(a *kernels.Learn16) {
		*a = kernels.Learn16{Conv: c, Items: int64(items), Slots: int64(parts), Group: int64(group), Pitch: int64(pitch), U: b.at(b.arena), USlot: int64(sums)}
		b.tiled(&a.Conv, o, of)
		a.In.H, a.In.W, a.Out.H, a.Out.W = int64(y.H), int64(y.W), int64(y.H), int64(y.W)
	})
	add(b.lowered, o, kernels.JoinSlots, k*k*in*out, func(a *kernels.Join16) {
		*a = kernels.Join16{U: b.at(b.arena), USlot: int64(sums), Slots: int64(parts), Y: b.grad(of.W).Addr}
	})
}
