package gpu

import (
	"context"
	"errors"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
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

	fill      [2]*bridge.Image // x1 and the condition, before Start
	clear     *recording
	strips    map[[2]int]*strip // by their rows
	windows   map[[2]int]*windowCalls
	program   *program // that the windows were recorded for
	noiseRoom []float32
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
	if s.KeepsX1() {
		c.x1 = picture("x1")
	}
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
	if s == spaceX0 {
		all = c.spec.X0Rows()
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

func (c *canvas) host(i int) *bridge.Image {
	if c.fill[i] == nil {
		c.fill[i] = bridge.NewImage(c.spec.C, c.spec.H, c.spec.W)
	}
	return c.fill[i]
}

func (c *canvas) X1() *bridge.Image { return c.host(0) }

func (c *canvas) Cond() *bridge.Image {
	if !c.spec.OwnCond() {
		return nil
	}
	return c.host(1)
}

// Start sends x1 and the condition up, and lets go of the host's copies.
func (c *canvas) Start() error {
	for _, up := range []struct {
		to   plane
		from *bridge.Image
	}{{c.x, c.X1()}, {c.x1, c.X1()}, {c.cond, c.Cond()}} {
		if up.to == nil || up.from == nil {
			continue
		}
		if err := c.upload(up.to, func(dst []float32, channel, y int) {
			copy(dst, up.from.Plane(channel)[y*c.spec.W:][:c.spec.W])
		}); err != nil {
			return err
		}
	}
	c.fill = [2]*bridge.Image{}
	return nil
}

// upload writes a plane that row gives row by row.
func (c *canvas) upload(to plane, row func(dst []float32, channel, y int)) error {
	for b := range to {
		n := c.rows(spaceX, b)
		if len(c.noiseRoom) < n*c.pitch {
			c.noiseRoom = make([]float32, n*c.pitch)
		}
		for i := range n {
			r := b*c.band + i
			row(c.noiseRoom[i*c.pitch:][:c.spec.W], r/c.spec.H, r%c.spec.H)
		}
		if err := c.dev.Write(to[b], 0, bytesOf(c.noiseRoom[:n*c.pitch])); err != nil {
			return err
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

// windowCalls are what surrounds an evaluation of one window.
type windowCalls struct{ gather, scatter *recording }

func (c *canvas) Evaluate(ctx context.Context, p device.Program, w tile.Window, st bridge.Step) error {
	r, ok := p.(*program)
	if !ok {
		return errors.New("gpu: the program is another device's")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	calls, err := c.window(ctx, r, w)
	if err != nil {
		return err
	}
	share := make([]float32, 1+w.H+w.W)
	share[0] = float32(st.Sigma)
	copy(share[1:], w.WY)
	copy(share[1+w.H:], w.WX)
	if err := c.dev.Write(c.share, 0, bytesOf(share)); err != nil {
		return err
	}
	in := device.Input{Levels: []float64{st.Level}}
	if c.spec.Label >= 0 {
		in.Labels = []int{c.spec.Label}
	}
	if err := r.fill(in); err != nil {
		return err
	}
	for _, part := range []*recording{calls.gather, r.body, calls.scatter} {
		if err := c.submit(ctx, part); err != nil {
			return err
		}
	}
	return c.wait(ctx)
}

// window records a window's calls, which stay until the program changes.
func (c *canvas) window(ctx context.Context, r *program, w tile.Window) (*windowCalls, error) {
	if c.program != r {
		c.forget()
		c.program = r
	}
	key := [2]int{w.Y, w.X}
	if k := c.windows[key]; k != nil {
		return k, nil
	}
	s := c.spec
	var gather, scatter []call
	x, y := r.lowered.planarX, r.lowered.planarY
	area := w.H * w.W
	for i, from := range []space{spaceX, spaceCond} {
		if from == spaceCond && c.cond == nil {
			continue
		}
		for ch := range s.C {
			c.cut(ch, w.Y, w.H, func(at, x0 spot, row, rows int) {
				g := call{file: "gather", params: params{"PITCH": c.pitch, "FROM": at.row*c.pitch + w.X, "COLS": w.W, "TO": (i*s.C+ch)*area + row*w.W},
					in: operands{"picture": c.in(from, at.band), "planar": x}, x: count(w.W, 64), y: rows, z: 1}
				gather = append(gather, g)
				if from == spaceX {
					scatter = append(scatter, call{file: "scatter", params: params{"PITCH": c.pitch, "AT": at.row*c.pitch + w.X, "X0_AT": x0.row*c.pitch + w.X, "COLS": w.W,
						"FROM": ch*area + row*w.W, "WY": 1 + row, "WX": 1 + w.H, "CLIP": flag(s.Clip)},
						in: operands{"picture": c.in(from, at.band), "planar": y, "x0": c.in(spaceX0, x0.band), "share": {spaceShare, 0, int64(4 * (1 + w.H + w.W))}},
						x:  count(w.W, 64), y: rows, z: 1})
				}
			})
		}
	}
	k := &windowCalls{}
	var err error
	if k.gather, err = c.record(ctx, "gather", gather, c.place); err != nil {
		return nil, err
	}
	if k.scatter, err = c.record(ctx, "scatter", scatter, c.place); err != nil {
		k.gather.release()
		return nil, err
	}
	c.windows[key] = k
	return k, nil
}

// spot is a row of a band.
type spot struct{ band, row int }

// cut gives the parts of a channel's rows from first on that lie together: where
// in a picture and where in x̂0, after how many rows, and how many.
func (c *canvas) cut(channel, first, rows int, part func(at, x0 spot, row, rows int)) {
	ring := c.spec.X0Rows()
	spotOf := func(row int) spot { return spot{row / c.band, row % c.band} }
	for row := 0; row < rows; {
		y := first + row
		at, x0 := spotOf(channel*c.spec.H+y), spotOf(channel*ring+y%ring)
		n := min(rows-row, ring-y%ring, c.band-at.row, c.band-x0.row)
		part(at, x0, row, n)
		row += n
	}
}

// forget drops the windows' calls.
func (c *canvas) forget() {
	for _, k := range c.windows {
		k.gather.release()
		k.scatter.release()
	}
	clear(c.windows)
	c.program = nil
}

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
