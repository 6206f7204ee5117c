package gpu

import (
	"context"
	"errors"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

// windowCalls are what surrounds an evaluation of one window. gather has one
// recording, or with Lines those of the condition's parts, then the state's.
type windowCalls struct {
	gather  []*recording
	scatter *recording
}

func (k *windowCalls) release() {
	for _, r := range append(k.gather, k.scatter) {
		if r != nil {
			r.release()
		}
	}
}

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
	parts := calls.gather
	if c.spec.Lines > 0 && c.spec.Cond {
		if err := c.spec.Parts(w.Y, w.Y+w.H, func(from, to int) error {
			if err := c.upload(c.condRows, c.spec.Lines, from, to, w.X, w.W, c.x1); err != nil {
				return err
			}
			part := parts[0]
			parts = parts[1:]
			return c.submit(ctx, part)
		}); err != nil {
			return err
		}
	}
	for _, part := range append(slices.Clone(parts), r.body, calls.scatter) {
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
	x, y := r.lowered.planarX, r.lowered.planarY
	area := w.H * w.W
	gather := func(from space, first, rows int) (calls []call) {
		for ch := range s.C {
			c.cut(ch, first, rows, func(p part) {
				at, channel := p.at, ch
				if from == spaceCond {
					at, channel = p.x1, s.C+ch
				}
				calls = append(calls, call{file: "gather", params: params{"PITCH": c.pitch, "FROM": at.row*c.pitch + w.X, "COLS": w.W, "TO": channel*area + (p.y-w.Y)*w.W},
					in: operands{"picture": c.in(from, at.band), "planar": x}, x: count(w.W, 64), y: p.rows, z: 1})
			})
		}
		return calls
	}
	var scatter []call
	for ch := range s.C {
		c.cut(ch, w.Y, w.H, func(p part) {
			row := p.y - w.Y
			scatter = append(scatter, call{file: "scatter", params: params{"PITCH": c.pitch, "AT": p.at.row*c.pitch + w.X, "X0_AT": p.x0.row*c.pitch + w.X, "COLS": w.W,
				"FROM": ch*area + row*w.W, "WY": 1 + row, "WX": 1 + w.H, "CLIP": flag(s.Clip)},
				in: operands{"picture": c.in(spaceX, p.at.band), "planar": y, "x0": c.in(spaceX0, p.x0.band), "share": {spaceShare, 0, int64(4 * (1 + w.H + w.W))}},
				x:  count(w.W, 64), y: p.rows, z: 1})
		})
	}
	k := &windowCalls{}
	record := func(label string, calls []call) (*recording, error) {
		p, err := c.record(ctx, label, calls, c.place)
		if err != nil {
			k.release()
		}
		return p, err
	}
	add := func(calls []call) error {
		p, err := record("gather", calls)
		k.gather = append(k.gather, p)
		return err
	}
	state := gather(spaceX, w.Y, w.H)
	switch {
	case !s.Cond:
	case s.Lines > 0:
		if err := s.Parts(w.Y, w.Y+w.H, func(from, to int) error { return add(gather(spaceCond, from, to-from)) }); err != nil {
			return nil, err
		}
	default:
		state = append(state, gather(spaceCond, w.Y, w.H)...)
	}
	err := add(state)
	if err != nil {
		return nil, err
	}
	if k.scatter, err = record("scatter", scatter); err != nil {
		return nil, err
	}
	c.windows[key] = k
	return k, nil
}

// spot is a row of a band.
type spot struct{ band, row int }

// part is rows of a channel from y on that lie together: where in a picture,
// in x̂0, and in x1 and the condition.
type part struct {
	at, x0, x1 spot
	y, rows    int
}

// cut gives the parts of a channel's rows from first on.
func (c *canvas) cut(channel, first, rows int, each func(part)) {
	ring, lines := c.spec.X0Rows(), c.lines()
	spotOf := func(row int) spot { return spot{row / c.band, row % c.band} }
	for y := first; y < first+rows; {
		p := part{spotOf(channel*c.spec.H + y), spotOf(channel*ring + y%ring), spotOf(channel*lines + y%lines), y, 0}
		p.rows = min(first+rows-y, ring-y%ring, lines-y%lines, c.band-p.at.row, c.band-p.x0.row, c.band-p.x1.row)
		each(p)
		y += p.rows
	}
}

// lines is how many rows of each channel x1 and the condition hold.
func (c *canvas) lines() int {
	if c.spec.Lines > 0 {
		return c.spec.Lines
	}
	return c.spec.H
}

// forget drops the windows' calls.
func (c *canvas) forget() {
	for _, k := range c.windows {
		k.release()
	}
	clear(c.windows)
	c.program = nil
}
