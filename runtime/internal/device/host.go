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
	x1    []float32
	cond  []float32
	x, y  []float32 // one window: network input, output
}

// NewHostCanvas returns a canvas in Go's memory.
func NewHostCanvas(s CanvasSpec) Canvas {
	n := s.C * s.H * s.W
	c := &host{spec: s, state: bridge.State{C: s.C, Rows: s.H, Cols: s.W, X: make([]float32, n), X0: make([]float32, s.C*s.X0Rows()*s.W), Ring: s.Ring, Mask: s.Mask}}
	c.x1 = c.state.X
	if s.KeepsX1() {
		c.x1 = make([]float32, n)
		c.state.X1 = c.x1
	}
	switch {
	case s.OwnCond():
		c.cond = make([]float32, n)
	case s.Cond:
		c.cond = c.x1
	}
	for i := range s.Table.History {
		c.state.H[i] = make([]float32, n)
	}
	return c
}

func (c *host) X1() *bridge.Image { return c.view(c.x1) }

func (c *host) Cond() *bridge.Image {
	if !c.spec.OwnCond() {
		return nil
	}
	return c.view(c.cond)
}

func (c *host) Start() error {
	copy(c.state.X, c.x1)
	return nil
}

func (c *host) Begin() error {
	clear(c.state.X0)
	return nil
}

func (c *host) view(pix []float32) *bridge.Image {
	return &bridge.Image{C: c.spec.C, H: c.spec.H, W: c.spec.W, Pix: pix}
}

func (c *host) Evaluate(ctx context.Context, p Program, w tile.Window, st bridge.Step) error {
	s := c.spec
	area := w.H * w.W
	in := p.Plan().Shape(p.Plan().X)
	if len(c.x) != in.Len() {
		c.x, c.y = make([]float32, in.Len()), make([]float32, s.C*area)
	}
	gather(c.x, c.state.X, s, w)
	if c.cond != nil {
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
	for ch := range c.spec.C {
		c.state.UpdateRows(st, k, c.spec.Noise, ch, from, to)
	}
	return nil
}

func (c *host) Result(x0 bool) (*bridge.Image, error) {
	pix := c.state.X
	if x0 {
		pix = c.whole()
	}
	c.Close()
	return c.view(pix), nil
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

func (c *host) Close() { c.state, c.x1, c.cond, c.x, c.y = bridge.State{}, nil, nil, nil, nil }

func (c *host) copy(pix []float32) *bridge.Image {
	m := bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	copy(m.Pix, pix)
	return m
}
