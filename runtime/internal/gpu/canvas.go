package gpu

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// canvas holds a picture's state on the device. A picture is the rows of its
// channels one after the other, each pitch floats, cut into bands that can be
// bound.
type canvas struct {
	*gpu
	owned
	spec  device.CanvasSpec
	pitch int
	band  int // rows of a band
	x, x0 plane
	x1    plane // nil if the walk does not read x1
	cond  plane // may be x1
	h     [2]plane
	eps   [2]plane // recorded noise: the step's, the mask's
	mask  driver.Buffer
	share driver.Buffer // σ and a window's weights

	clear   *recording
	strips  map[[2]int]*strip // by their rows
	windows map[[2]int]*windowCalls
	program *program  // that the windows were recorded for
	room    []float32 // rows on their way up

	x1Rows, condRows device.Rows // of a canvas of Lines
}

// plane is one picture, band by band.
type plane []driver.Buffer

// Spaces of a canvas's operands: a plane's bands are numbered from these on.
const (
	spaceX space = 16 + iota
	spaceX0
	spaceX1
	spaceCond
	spaceH0
	spaceH1
	spaceEps
	spaceMaskEps
	spaceMask
	spaceShare
)

// NewCanvas implements device.Network.
func (n *network) NewCanvas(s device.CanvasSpec) (device.Canvas, error) {
	c := &canvas{gpu: n.gpu, spec: s, pitch: (s.W + 63) &^ 63, strips: map[[2]int]*strip{}, windows: map[[2]int]*windowCalls{}}
	c.band = min(s.C*s.H, int(bindingOf(c.limits))/(4*c.pitch), c.limits.Workgroups)
	if c.band < 1 || int64(s.H)*int64(c.pitch) > bindingOf(c.limits) {
		return nil, &TooLargeError{Name: "a picture's row or mask", Bytes: int64(s.H) * int64(c.pitch), Max: bindingOf(c.limits)}
	}
	if err := c.make(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *canvas) make() (err error) {
	s := c.spec
	buffer := func(label string, size int) (b driver.Buffer) {
		if err == nil {
			b, err = c.dev.Buffer(label, aligned(int64(size)), driver.Storage)
			b, err = keep(&c.owned, b, err)
		}
		return b
	}
	of := func(label string, rows int) (p plane) {
		for row := 0; row < rows; row += c.band {
			p = append(p, buffer(label, 4*c.pitch*min(c.band, rows-row)))
		}
		return p
	}
	picture := func(label string) plane { return of(label, s.C*s.H) }
	c.x, c.x0 = picture("x"), of("x̂0", s.C*s.X0Rows())
	c.x1 = of("x1", s.C*s.X1Rows())
	if s.OwnCond() {
		c.cond = picture("condition")
	} else if s.Cond {
		c.cond = c.x1
	}
	for i := range s.Table.History {
		c.h[i] = picture("history")
	}
	if s.Mask != nil {
		c.mask = buffer("mask", s.H*c.pitch)
	}
	if _, seeded := bridge.Seed(s.Noise); !seeded {
		c.eps[0] = picture("noise")
		if s.Mask != nil {
			c.eps[1] = picture("mask's noise")
		}
	}
	c.share = buffer("share", 4*(1+s.H+s.W))
	if err != nil {
		return err
	}
	if s.Mask != nil {
		padded := make([]byte, s.H*c.pitch)
		for y := range s.H {
			copy(padded[y*c.pitch:], s.Mask[y*s.W:][:s.W])
		}
		if err := c.dev.Write(c.mask, 0, padded); err != nil {
			return err
		}
	}
	return c.recordClear()
}

// rows is how many rows a band has.
func (c *canvas) rows(s space, band int) int {
	all := c.spec.H
	switch s {
	case spaceX0:
		all = c.spec.X0Rows()
	case spaceX1, spaceCond:
		all = c.lines()
	}
	return min(c.band, c.spec.C*all-band*c.band)
}

// in is a band of a plane as an operand.
func (c *canvas) in(s space, band int) operand {
	return operand{s, int64(band), int64(4 * c.pitch * c.rows(s, band))}
}

func (c *canvas) place(o operand) driver.Range {
	switch o.space {
	case spaceMask:
		return driver.Range{Buffer: c.mask, Size: o.size}
	case spaceShare:
		return driver.Range{Buffer: c.share, Size: o.size}
	case scratch:
		return c.program.place(o)
	}
	p := [...]plane{c.x, c.x0, c.x1, c.cond, c.h[0], c.h[1], c.eps[0], c.eps[1]}[o.space-spaceX]
	return driver.Range{Buffer: p[o.at], Size: o.size}
}

// Start sends x1 and the condition up.
func (c *canvas) Start(x1, cond device.Rows) error {
	s := c.spec
	if s.Lines > 0 {
		c.x1Rows, c.condRows = x1, cond
		return c.upload(x1, s.H, 0, s.H, 0, s.W, c.x)
	}
	if err := c.upload(x1, s.H, 0, s.H, 0, s.W, c.x, c.x1); err != nil || !s.OwnCond() {
		return err
	}
	return c.upload(cond, s.H, 0, s.H, 0, s.W, c.cond)
}

// upload makes rows from up to but not including to of all channels, w columns
// of them from column x on, in planes of ring rows.
func (c *canvas) upload(rows device.Rows, ring, from, to, x, w int, planes ...plane) error {
	const most = 64 // rows on their way
	if c.room == nil {
		c.room = make([]float32, most*c.pitch)
	}
	for ch := range c.spec.C {
		for y, n := from, 0; y < to; y += n {
			row := ch*ring + y%ring
			n = min(to-y, ring-y%ring, c.band-row%c.band, most)
			for i := range n {
				rows(c.room[i*c.pitch+x:][:w], ch, y+i, x)
			}
			for _, p := range planes {
				if p == nil {
					continue
				}
				if err := c.dev.Write(p[row/c.band], int64(4*c.pitch*(row%c.band)), bytesOf(c.room[:n*c.pitch])); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// download reads a plane back.
func (c *canvas) download(from plane) (*bridge.Image, error) {
	m := bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	for b := range from {
		n := c.rows(spaceX, b)
		rows := make([]float32, n*c.pitch)
		if err := c.read(context.Background(), driver.Range{Buffer: from[b]}, rows); err != nil {
			return nil, err
		}
		for i := range n {
			r := b*c.band + i
			copy(m.Pix[r*c.spec.W:][:c.spec.W], rows[i*c.pitch:])
		}
	}
	return m, nil
}

func (c *canvas) Begin() error { return c.submit(context.Background(), c.clear) }

func (c *canvas) State() (*bridge.Image, error) { return c.download(c.x) }

func (c *canvas) X0() (*bridge.Image, error) {
	if c.spec.Ring != 0 {
		return c.download(c.h[0])
	}
	return c.download(c.x0)
}

func (c *canvas) Result(x0 bool) (*bridge.Image, error) {
	defer c.Close()
	if x0 {
		return c.X0()
	}
	return c.State()
}

func (c *canvas) Close() {
	c.forget()
	c.release()
}
