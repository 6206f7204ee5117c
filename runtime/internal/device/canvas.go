package device

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

// CanvasSpec is one picture's walk: its padded size, its start and how it
// goes. X1 and CondImage are taken over.
type CanvasSpec struct {
	C, H, W   int
	X1        *bridge.Image
	Cond      bool          // the network also reads a condition
	CondImage *bridge.Image // nil: x1 as it is before AddNoise
	AddNoise  bool          // x1 gets N(0,1)
	Mask      []uint8       // H·W, 255 is a hole; or nil
	Label     int           // class, or -1
	Table     *bridge.Walk
	Noise     bridge.Noise
	Clip      bool
}

// Canvas holds a picture's state in host memory. Executors whose tensors are
// host memory share it.
type Canvas struct {
	spec  CanvasSpec
	state bridge.State
	cond  []float32
	x, y  []float32 // one window: network input, output
}

// CanvasBytes is what a canvas holds per picture, without its window.
func CanvasBytes(s CanvasSpec) int64 {
	planes := 2 + s.Table.History // x, x̂0
	if s.keepsX1() {
		planes++
	}
	if s.Cond && (s.CondImage != nil || s.AddNoise || !s.keepsX1()) {
		planes++
	}
	n := int64(s.H) * int64(s.W)
	b := 4 * int64(s.C) * n * int64(planes)
	if s.Mask != nil {
		b += n
	}
	return b
}

// keepsX1 tells whether the walk reads x1 after its start.
func (s CanvasSpec) keepsX1() bool { return s.Table.UsesX1 || s.Mask != nil }

// NewCanvas makes the state at the start of the walk.
func NewCanvas(s CanvasSpec) *Canvas {
	c := &Canvas{spec: s}
	if s.Cond {
		switch {
		case s.CondImage != nil:
			c.cond = s.CondImage.Pix
		case s.AddNoise || !s.keepsX1():
			c.cond = append([]float32(nil), s.X1.Pix...)
		default:
			c.cond = s.X1.Pix
		}
	}
	if s.AddNoise {
		bridge.AddNoise(s.X1, s.Noise)
	}
	n := s.C * s.H * s.W
	c.state = bridge.State{C: s.C, Rows: s.H, Cols: s.W, X: s.X1.Pix, X0: make([]float32, n), Mask: s.Mask}
	if s.keepsX1() {
		c.state.X1 = s.X1.Pix
		c.state.X = append([]float32(nil), s.X1.Pix...)
	}
	for i := range s.Table.History {
		c.state.H[i] = make([]float32, n)
	}
	return c
}

// Begin clears x̂0 for a step's windows.
func (c *Canvas) Begin() { clear(c.state.X0) }

// Evaluate runs the network on one window and adds its weighted share to x̂0.
func (c *Canvas) Evaluate(ctx context.Context, p Program, w tile.Window, st bridge.Step) error {
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
			out := c.state.X0[(ch*s.H+w.Y+i)*s.W+w.X:][:w.W]
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

// Update makes the next state, step k of the walk.
func (c *Canvas) Update(st bridge.Step, k int) {
	c.state.Update(st, k, c.spec.Noise)
}

// Result ends the walk: it returns the state, or x̂0, without copying it, and
// lets go of everything else.
func (c *Canvas) Result(x0 bool) *bridge.Image {
	pix := c.state.X
	if x0 {
		pix = c.state.X0
	}
	c.state, c.cond, c.x, c.y = bridge.State{}, nil, nil, nil
	return &bridge.Image{C: c.spec.C, H: c.spec.H, W: c.spec.W, Pix: pix}
}

// State copies the present state.
func (c *Canvas) State() *bridge.Image { return c.image(c.state.X) }

// X0 copies the present x̂0.
func (c *Canvas) X0() *bridge.Image { return c.image(c.state.X0) }

func (c *Canvas) image(pix []float32) *bridge.Image {
	m := bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	copy(m.Pix, pix)
	return m
}
