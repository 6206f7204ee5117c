package device

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

// host holds a picture's state in Go's memory, for executors that are no
// faster at it.
type host struct {
	spec  CanvasSpec
	state bridge.State
	cond  []float32 // may be x1
	x, y  []float32 // one window: network input, output

	x1Rows, condRows Rows // of a canvas of Lines
}

// NewHostCanvas returns a canvas in Go's memory.
func NewHostCanvas(s CanvasSpec) Canvas {
	picture := func(rows int) []float32 { return make([]float32, s.C*rows*s.W) }
	c := &host{spec: s, state: bridge.State{C: s.C, Rows: s.H, Cols: s.W, X: picture(s.H), X0: picture(s.X0Rows()), Ring: s.Ring, Lines: s.Lines, Mask: s.Mask}}
	if n := s.X1Rows(); n > 0 {
		c.state.X1 = picture(n)
	}
	switch {
	case s.OwnCond():
		c.cond = picture(s.H)
	case s.Cond:
		c.cond = c.state.X1
	}
	for i := range s.Table.History {
		c.state.H[i] = picture(s.H)
	}
	return c
}

func (c *host) Start(x1, cond Rows) error {
	s := c.spec
	s.Fill(c.state.X, s.H, x1, 0, s.H, 0, s.W)
	if s.OwnCond() {
		s.Fill(c.cond, s.H, cond, 0, s.H, 0, s.W)
	}
	if s.Lines > 0 {
		c.x1Rows, c.condRows = x1, cond
	} else {
		copy(c.state.X1, c.state.X)
	}
	return nil
}

func (c *host) Begin() error {
	clear(c.state.X0)
	return nil
}

func (c *host) Evaluate(ctx context.Context, p Program, w tile.Window, st bridge.Step) error {
	s := c.spec
	area := w.H * w.W
	in := p.Plan().Shape(p.Plan().X)
	if len(c.x) != in.Len() {
		c.x, c.y = make([]float32, in.Len()), make([]float32, s.C*area)
	}
	gather(c.x, c.state.X, s, w)
	switch {
	case !s.Cond:
	case s.Lines > 0:
		for ch := range s.C {
			for i := range w.H {
				c.condRows(c.x[((s.C+ch)*w.H+i)*w.W:][:w.W], ch, w.Y+i, w.X)
			}
		}
	default:
		gather(c.x[s.C*area:], c.cond, s, w)
	}
	input := Input{X: c.x, Levels: []float64{st.Level}}
	if s.Label >= 0 {
		input.Labels = []int{s.Label}
	}
	if err := p.Run(ctx, input, c.y); err != nil {
		return err
	}
	sigma := float32(st.Sigma)
	for ch := range s.C {
		for i := range w.H {
			x := c.x[ch*area+i*w.W:][:w.W]
			y := c.y[ch*area+i*w.W:][:w.W]
			out := c.state.X0Row(ch, w.Y+i)[w.X:][:w.W]
			for j := range out {
				v := x[j] - sigma*y[j]
				if s.Clip {
					v = min(1, max(-1, v))
				}
				out[j] += w.WY[i] * w.WX[j] * v
			}
		}
	}
	return nil
}

// gather copies a window of a planar picture.
func gather(dst, src []float32, s CanvasSpec, w tile.Window) {
	for ch := range s.C {
		for i := range w.H {
			copy(dst[(ch*w.H+i)*w.W:][:w.W], src[(ch*s.H+w.Y+i)*s.W+w.X:])
		}
	}
}

func (c *host) Update(st bridge.Step, k, from, to int) error {
	s := c.spec
	update := func(from, to int) error {
		for ch := range s.C {
			c.state.UpdateRows(st, k, s.Noise, ch, from, to)
		}
		return nil
	}
	if s.Lines == 0 || !s.ReadsX1(st) {
		return update(from, to)
	}
	return s.Parts(from, to, func(from, to int) error {
		s.Fill(c.state.X1, s.Lines, c.x1Rows, from, to, 0, s.W)
		return update(from, to)
	})
}

func (c *host) Result(x0 bool) (*bridge.Image, error) {
	pix := c.state.X
	if x0 {
		pix = c.whole()
	}
	c.Close()
	return &bridge.Image{C: c.spec.C, H: c.spec.H, W: c.spec.W, Pix: pix}, nil
}

func (c *host) State() (*bridge.Image, error) { return c.copy(c.state.X), nil }
func (c *host) X0() (*bridge.Image, error)    { return c.copy(c.whole()), nil }

// whole is the last step's x̂0.
func (c *host) whole() []float32 {
	if c.spec.Ring != 0 {
		return c.state.H[0]
	}
	return c.state.X0
}

func (c *host) Close() { *c = host{spec: c.spec} }

func (c *host) copy(pix []float32) *bridge.Image {
	m := bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	copy(m.Pix, pix)
	return m
}
