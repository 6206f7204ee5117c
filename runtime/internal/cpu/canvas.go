package cpu

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

// canvas holds a picture's state in the kernels' memory.
type canvas struct {
	set     kernels.Set
	spares  *spares
	team    *team
	threads int
	spec    device.CanvasSpec
	planes  []kernels.Memory // all pictures, to be freed
	x, x0   kernels.Memory
	x1      kernels.Memory    // none if the walk does not read x1
	cond    kernels.Memory    // may be x1
	h       [2]kernels.Memory // the walk's saved combinations
	mask    kernels.Memory
	eps     [2]kernels.Memory // recorded noise: the step's, the mask's
	args    kernels.Memory    // arguments, then a window's weights
	closed  bool

	x1Rows, condRows device.Rows // of a canvas of Lines
}

// Where the arguments of the canvas's kernels lie in args, in bytes.
const (
	windowArgs  = 0
	partArgs    = 256 // of the window's rows that Lines has room for
	updateArgs  = 512
	weightBytes = 768
)

func (n *network) NewCanvas(s device.CanvasSpec) (device.Canvas, error) {
	c := &canvas{set: n.set, spares: &n.spares, team: join(n.set), threads: n.asked, spec: s}
	if err := c.alloc(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *canvas) alloc() (err error) {
	s := c.spec
	get := func(bytes int64) (m kernels.Memory) {
		if err == nil {
			if m, err = c.spares.get(c.set, bytes); err == nil {
				c.planes = append(c.planes, m)
			}
		}
		return m
	}
	row := 4 * int64(s.C) * int64(s.W)
	picture := row * int64(s.H)
	c.x, c.x0 = get(picture), get(row*int64(s.X0Rows()))
	if n := s.X1Rows(); n > 0 {
		c.x1 = get(row * int64(n))
	}
	if s.OwnCond() {
		c.cond = get(picture)
	} else if s.Cond {
		c.cond = c.x1
	}
	for i := range s.Table.History {
		c.h[i] = get(picture)
	}
	if s.Mask != nil {
		c.mask = get(int64(len(s.Mask)))
		copy(c.mask.Bytes, s.Mask)
	}
	if _, seeded := bridge.Seed(s.Noise); !seeded {
		c.eps[0] = get(picture)
		if s.Mask != nil {
			c.eps[1] = get(picture)
		}
	}
	c.args = get(weightBytes + 4*int64(s.H+s.W))
	if err != nil {
		return err
	}
	return c.team.prepare(c.team.threads(c.threads), 4*int64(kernels.AdvanceScratch(s.W)))
}

// Start calls x1 once, for a copy costs less than making it again.
func (c *canvas) Start(x1, cond device.Rows) error {
	s := c.spec
	fill := func(to kernels.Memory, rows device.Rows) { s.Fill(to.Floats(), s.H, rows, 0, s.H, 0, s.W) }
	fill(c.x, x1)
	if s.OwnCond() {
		fill(c.cond, cond)
	}
	if s.Lines > 0 {
		c.x1Rows, c.condRows = x1, cond
	} else if c.x1.Addr != 0 {
		copy(c.x1.Bytes, c.x.Bytes)
	}
	return nil
}

func (c *canvas) Begin() error {
	clear(c.x0.Bytes)
	return nil
}

func (c *canvas) Evaluate(ctx context.Context, p device.Program, w tile.Window, st bridge.Step) error {
	r, s := p.(*program), c.spec
	l := r.lowered
	weights := c.args.Slice(weightBytes)
	copy(weights.Floats(), w.WY)
	copy(weights.Floats()[w.H:], w.WX)
	a := kernels.Window{State: c.x.Addr, Cond: c.cond.Addr, X0: c.x0.Addr, C: int64(s.C), H: int64(s.H), W: int64(s.W), Ring: int64(s.X0Rows()), Lines: c.lines(),
		Y: int64(w.Y), X: int64(w.X), Rows: int64(w.H), Cols: int64(w.W),
		In: l.addr(l.p.X), InBlocks: int64(blocks(l.p.Shape(l.p.X).C)), Out: l.addr(l.p.Output),
		WeightY: weights.Addr, WeightX: weights.Addr + 4*int64(w.H), Sigma: st.Sigma}
	if s.Clip {
		a.Clip = 1
	}
	kernels.Put(c.args, windowArgs, &a)
	in := device.Input{Levels: []float64{st.Level}}
	if s.Label >= 0 {
		in.Labels = []int{s.Label}
	}
	gather := step{kernel: kernels.GatherWindow, args: c.args.Addr + windowArgs, items: w.H}
	if s.Cond && s.Lines > 0 {
		gather.items, gather.before = 0, func([]float32) { c.gather(a, w) }
	}
	return r.run(ctx, in, gather,
		step{kernel: kernels.ScatterWindow, args: c.args.Addr + windowArgs, items: s.C * w.H}, func(_ plan.Op, f func()) { f() })
}

// lines is how many rows x1 and the condition hold.
func (c *canvas) lines() int64 {
	if c.spec.Lines > 0 {
		return int64(c.spec.Lines)
	}
	return int64(c.spec.H)
}

// gather is the kernel of that name, with the condition made as it is read.
func (c *canvas) gather(a kernels.Window, w tile.Window) {
	s, in := c.spec, a.In
	s.Parts(w.Y, w.Y+w.H, func(from, to int) error {
		s.Fill(c.x1.Floats(), s.Lines, c.condRows, from, to, w.X, w.W)
		a.Y, a.In = int64(from), in+4*int64((from-w.Y)*w.W*kernels.Block)
		kernels.Put(c.args, partArgs, &a)
		c.team.run(c.team.threads(c.threads), kernels.GatherWindow, c.args.Addr+partArgs, to-from)
		return nil
	})
}

func (c *canvas) Update(st bridge.Step, k, from, to int) error {
	s := c.spec
	if s.Lines == 0 || !s.ReadsX1(st) {
		return c.update(st, k, from, to)
	}
	return s.Parts(from, to, func(from, to int) error {
		s.Fill(c.x1.Floats(), s.Lines, c.x1Rows, from, to, 0, s.W)
		return c.update(st, k, from, to)
	})
}

// update makes the next state of rows whose x1 is there.
func (c *canvas) update(st bridge.Step, k, from, to int) error {
	s := c.spec
	a := kernels.Update{X: c.x.Addr, X0: c.x0.Addr, X1: c.x1.Addr, H0: c.h[0].Addr, H1: c.h[1].Addr, Mask: c.mask.Addr,
		C: int64(s.C), H: int64(s.H), W: int64(s.W), Ring: int64(s.X0Rows()), Lines: c.lines(), Y: int64(from), Rows: int64(to - from), Step: int64(k), Draw: int64(bridge.DrawStep), MaskDraw: int64(bridge.DrawMask),
		CX: st.X, C0: st.X0, C1: st.X1, CH0: st.H[0], CH1: st.H[1], Noise: st.Noise,
		SaveX: st.SaveX, SaveX0: st.SaveX0, MaskNoise: st.MaskNoise, Save: flag(st.Save), MaskX0: flag(st.MaskX0), Clear: flag(s.Ring != 0)}
	if seed, ok := bridge.Seed(s.Noise); ok {
		a.Key = int64(seed)
	} else {
		a.Eps, a.MaskEps = c.eps[0].Addr, c.eps[1].Addr
		for i, draw := range []bridge.Draw{bridge.DrawStep, bridge.DrawMask} {
			if c.eps[i].Addr != 0 {
				c.record(c.eps[i].Floats(), draw, k, from, to)
			}
		}
	}
	kernels.Put(c.args, updateArgs, &a)
	n := c.team.threads(c.threads)
	if err := c.team.prepare(n, 4*int64(kernels.AdvanceScratch(s.W))); err != nil {
		return err
	}
	c.team.run(n, kernels.Advance, c.args.Addr+updateArgs, s.C*(to-from))
	return nil
}

// record writes noise that is not the kernels' own.
func (c *canvas) record(eps []float32, draw bridge.Draw, step, from, to int) {
	c.spec.Fill(eps, c.spec.H, func(dst []float32, channel, y, x int) {
		c.spec.Noise.Fill(dst, draw, step, channel, y, x)
	}, from, to, 0, c.spec.W)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (c *canvas) State() (*bridge.Image, error) { return c.copy(c.x), nil }
func (c *canvas) X0() (*bridge.Image, error)    { return c.copy(c.whole()), nil }

// whole is the last step's x̂0.
func (c *canvas) whole() kernels.Memory {
	if c.spec.Ring != 0 {
		return c.h[0]
	}
	return c.x0
}

func (c *canvas) copy(m kernels.Memory) *bridge.Image {
	y := bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	copy(y.Pix, m.Floats())
	return y
}

// Result frees everything else before it copies.
func (c *canvas) Result(x0 bool) (*bridge.Image, error) {
	keep := c.x
	if x0 {
		keep = c.whole()
	}
	c.free(keep.Addr)
	y := c.copy(keep)
	c.Close()
	return y, nil
}

// free frees all memory but that at an address.
func (c *canvas) free(but int64) {
	kept := c.planes[:0]
	for _, m := range c.planes {
		if m.Addr == but && but != 0 {
			kept = append(kept, m)
		} else {
			c.spares.put(c.set, m)
		}
	}
	c.planes = kept
}

func (c *canvas) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.free(0)
	c.team.leave()
}
