package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// A work item of a convolution should keep what it touches in a core's own
// cache, and there should be enough items for every thread. These are the
// floats of half a mebibyte, the least second-level cache of today's cores
// that run these kernels for long.
const cacheFloats = 1 << 17

// itemsPerThread is how many items a thread should find at least.
const itemsPerThread = 2

var winogradKernels = map[int]kernels.Kernel{2: kernels.ConvWinograd2, 4: kernels.ConvWinograd4}

func (l *lowered) conv(o *plan.Conv) {
	y := l.p.Shape(o.Y)
	k := l.pk[o.W]
	c := kernels.Conv{N: int64(y.N), Kernel: int64(o.Kernel), Stride: int64(o.Stride), Type: k.typ}
	fill := func(a *kernels.Conv) {
		*a = c
		a.In, a.Out = l.read(o.Read), l.write(o.Write, o.Y)
		if long(o) {
			a.In.H, a.In.W = 1, int64(y.H*y.W)
			a.Out.H, a.Out.W = 1, int64(y.H*y.W)
		}
		a.Weights, a.Out.Bias = l.weight(o.W), l.weight(o.B)
	}
	if k.tiled {
		if long(o) {
			y = plan.Shape{N: y.N, C: y.C, H: 1, W: y.H * y.W}
		}
		l.tiles(&c, o, y)
		add(l, o, kernels.ConvTiles, c.Items(), fill)
		return
	}
	if m := l.stages(o, y); m > 0 {
		l.staged(&c, o, y, m, fill)
		return
	}
	kernel := kernels.ConvDirect
	switch {
	case k.tile > 0:
		kernel = winogradKernels[k.tile]
		l.winograd(&c, o, y, k.tile)
	case long(o):
		if l.flat(o) {
			c.Flat = 1
		}
		l.direct(&c, o, plan.Shape{N: y.N, C: y.C, H: 1, W: y.H * y.W})
	default:
		l.direct(&c, o, y)
	}
	add(l, o, kernel, c.Items(), fill)
}

// long tells whether a convolution sees its picture as one row of pixels, and
// flat whether it can read that row as it lies. With many channels it copies
// what it reads: planes of the usual sizes lie a power of two apart, and a
// pixel's blocks would all fall into one set of the cache, which has 16 places.
func long(o *plan.Conv) bool {
	return o.Kernel == 1 && o.Stride == 1 && o.Resample == plan.Same && (o.Residual == plan.None || o.ResidualResample == plan.Same)
}

func (l *lowered) flat(o *plan.Conv) bool {
	return long(o) && o.Affine == plan.None && !o.SiLU && blocks(l.p.Channels(o.X)) <= flatBlocks
}

const (
	flatBlocks = 16
	flatFloats = 1 << 14 // of an item that is read as it lies
)

// direct chooses a direct convolution's items: rows of up to 64 pixels.
func (l *lowered) direct(c *kernels.Conv, o *plan.Conv, y plan.Shape) {
	in := blocks(l.p.Channels(o.X))
	k, s := o.Kernel, o.Stride
	window := func(bh, bw int) int { return in * ((bh-1)*s + k) * ((bw-1)*s + k) * kernels.Block }
	bw := min(y.W, 64)
	if long(o) {
		floats := cacheFloats
		if l.flat(o) {
			floats = flatFloats
		}
		bw = min(y.W, max(48, floats/(in*kernels.Block)/48*48))
	}
	bh := 1
	for bh < y.H && window(bh+1, bw) <= cacheFloats {
		bh++
	}
	l.share(c, y, y.H, y.W, bh, bw)
	bh, bw = int(c.BH), int(c.BW)
	segments := in * k * k
	c.Line = 0
	c.Strip = c.Line + int64(line(o.Resample, (bw-1)*s+k))
	c.Input = c.Strip
	if c.Flat == 0 {
		c.Input += int64(window(bh, bw))
	}
	c.Output = c.Input + c.KB*kernels.Block
	l.needs(0, int(c.Output)+expanded(c.Type)+2*segments)
}

// tiles chooses the items of a convolution in bfloat16 tiles: whole rows where
// the cache allows, for a turn's pixels go on from row to row.
func (l *lowered) tiles(c *kernels.Conv, o *plan.Conv, y plan.Shape) {
	in, k := pairs(l.p.Channels(o.X)), o.Kernel
	window := func(bh, bw int) int { return in * ((bh+k-1)*(bw+k-1) + kernels.Turn16) * kernels.Block }
	bw := min(y.W, 128)
	if long(o) {
		bw = min(y.W, max(kernels.Turn16, cacheFloats/(in*kernels.Block)/kernels.Turn16*kernels.Turn16))
	}
	bh := 1
	for bh < y.H && window(bh+1, bw) <= cacheFloats {
		bh++
	}
	l.share(c, y, y.H, y.W, bh, bw)
	bh, bw = int(c.BH), int(c.BW)
	cols := bw + k - 1
	c.Strip = int64(line(o.Resample, cols) + 2*cols*kernels.Block)
	c.Input = c.Strip + int64(window(bh, bw))
	c.Output = c.Input + c.KB*kernels.Block
	l.needs(0, int(c.Output)+kernels.Turn16*2*kernels.Block+2*in*k*k)
}

// expanded is the floats of scratch for a piece of narrow weights.
func expanded(t kernels.Type) int {
	if t == kernels.F32 {
		return 0
	}
	return 2 * kernels.Expanded * kernels.Block * kernels.Block
}

// winograd chooses a transformed convolution's items: blocks of m×m tiles.
func (l *lowered) winograd(c *kernels.Conv, o *plan.Conv, y plan.Shape, m int) {
	in := blocks(l.p.Channels(o.X)) * kernels.Block
	freq := (m + 2) * (m + 2)
	th, tw := (y.H+m-1)/m, (y.W+m-1)/m
	tiles := max(24, cacheFloats/(freq*(in+kernels.Slice*kernels.Block)))
	bw := min(tw, 8)
	bh := min(th, max(1, tiles/bw))
	if bh == th {
		bw = min(tw, max(bw, tiles/bh))
	}
	l.share(c, y, th, tw, bh, bw)
	bh, bw = int(c.BH), int(c.BW)
	cols := bw*m + 2
	pitch := func(blocks int) int64 { return int64(blocks*bh*bw+1) * kernels.Block }
	c.Strip = int64(line(o.Resample, cols))
	c.Input = c.Strip + int64(in*(bh*m+2)*cols)
	c.Output = c.Input + int64(freq)*pitch(in/kernels.Block)
	l.needs(0, int(c.Output+int64(freq)*pitch(kernels.Slice)))
}

// share fixes the items of a convolution over rows×cols pixels or tiles: bh×bw
// at most, evenly, smaller where threads would go without, and split over the
// outputs as a last resort, since every part prepares its input again.
func (l *lowered) share(c *kernels.Conv, y plan.Shape, rows, cols, bh, bw int) {
	want := itemsPerThread * l.threads
	bh, bw = even(rows, bh), even(cols, bw)
	for y.N*count(rows, bh)*count(cols, bw) < want && bh*bw > 24 {
		if bh > 1 {
			bh = even(rows, (bh+1)/2)
		} else {
			bw = even(cols, (bw+1)/2)
		}
	}
	bh, bw = l.level(y.N, rows, cols, bh, bw)
	ny, nx := count(rows, bh), count(cols, bw)
	out := blocks(y.C)
	kb := out
	if parts := count(want, y.N*ny*nx); parts > 1 {
		kb = max(kernels.Slice, count(count(out, parts), kernels.Slice)*kernels.Slice)
	}
	c.BH, c.BW, c.NY, c.NX, c.KB, c.NK = int64(bh), int64(bw), int64(ny), int64(nx), int64(kb), int64(count(out, kb))
}

// level makes few items a little smaller where each thread then has as many.
func (l *lowered) level(samples, rows, cols, bh, bw int) (int, int) {
	items := func(h, w int) int { return samples * count(rows, h) * count(cols, w) }
	for h, w := bh, bw; items(h, w) < 8*l.threads && h*w > 24; {
		if items(h, w)%l.threads == 0 {
			return h, w
		}
		if h > 1 {
			h = even(rows, h-1)
		} else {
			w = even(cols, w-1)
		}
	}
	return bh, bw
}

// linear is a 1×1 convolution of one pixel.
func (l *lowered) linear(o *plan.Linear) {
	x, y := l.p.Shape(o.X), l.p.Shape(o.Y)
	c := kernels.Conv{N: int64(y.N), Kernel: 1, Stride: 1, Type: l.pk[o.W].typ}
	l.share(&c, plan.Shape{N: 1, C: y.C}, 1, 1, 1, 1)
	c.Input = int64(blocks(x.C) * kernels.Block)
	c.Output = c.Input + c.KB*kernels.Block
	l.needs(0, int(c.Output)+expanded(c.Type)+2*blocks(x.C))
	add(l, o, kernels.ConvDirect, c.Items(), func(a *kernels.Conv) {
		*a = c
		a.In = l.read(plan.Read{X: []plan.Value{o.X}, Affine: plan.None, SiLU: o.SiLU})
		a.Out = l.write(plan.Write{Shift: plan.None, Residual: plan.None}, o.Y)
		a.Weights, a.Out.Bias = l.weight(o.W), l.weight(o.B)
	})
}
