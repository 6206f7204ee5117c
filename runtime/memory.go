package runtime

import (
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Memory is what restoring a picture needs, in bytes.
type Memory struct {
	TileW  int   `json:"tile_width"`  // what the network sees at once
	TileH  int   `json:"tile_height"` //
	Tiles  int   `json:"tiles"`
	Weight int64 `json:"weights"` // in the device's layout
	Arena  int64 `json:"arena"`   // activations
	Work   int64 `json:"scratch"` // the device's own buffers
	State  int64 `json:"state"`   // the picture: states, histories and mask; see PlanMemory
	Peak   int64 `json:"peak"`    // the sum
	Alpha  int64 `json:"alpha"`   // more than that, if the picture has an alpha channel
}

// PlanMemory tells what restoring a w×h picture takes, without running it. For
// sr4x, w×h is the size of the result; an inpainting task counts with its mask.
// opts are OpenOptions and Options, of which device, task, sampler, steps, tile
// and overlap make a difference; the errors are Restore's.
//
// State is the most that the picture takes at any time: 12 bytes a pixel for
// each of the walk's states and histories (two for posterior and ode, three
// with a mask, up to four for dbim3), 2 or 3 for a mask, and x̂0 for the rows of
// a tile where a history saves it. Where that would be more than 60 with alpha,
// x1 and the condition are no states: they are made again, some rows at a time,
// from the picture's codes, 6 bytes, at some cost of time and none of accuracy.
// (A tensor that is no picture's levels takes 12.) Decoding before the walk and
// encoding after it take no more than the least walk, 24 bytes a pixel;
// RestorePicture lets go of what was decoded once the walk has begun. What comes
// on top is told apart or not counted: alpha, 2 bytes a pixel; pixels where a mask
// is neither black nor white, 6; 12 for a copy that a Step gives; and the program
// itself, some 25 MiB.
func PlanMemory(h weights.Header, w, ht int, opts ...any) (Memory, error) {
	var oo openOptions
	var o options
	for _, f := range opts {
		switch f := f.(type) {
		case OpenOption:
			f(&oo)
		case Option:
			f(&o)
		default:
			return Memory{}, fmt.Errorf("runtime: %T is no option", f)
		}
	}
	c, err := unet.Parse(h.Network)
	if err != nil {
		return Memory{}, err
	}
	s, err := bridge.NewSchedule(bridge.Config(h.Bridge))
	if err != nil {
		return Memory{}, err
	}
	d, err := openDevice(oo)
	if err != nil {
		return Memory{}, err
	}
	defer d.Close()
	return (&Model{header: h, schedule: s, config: c, seat: &seat{device: d}}).memory(&o, w, ht)
}

// Memory is PlanMemory on the model's device. For sr4x, w×ht is the size of the
// result.
func (m *Model) Memory(w, ht int, opts ...Option) (Memory, error) {
	return m.memory(apply(opts), w, ht)
}

func (m *Model) memory(o *options, w, ht int) (Memory, error) {
	masked := o.mask != nil || Family(o.task) == "inpaint"
	o.mask = nil
	wk, err := m.newWalk(o, w, ht)
	if err != nil {
		return Memory{}, err
	}
	win := wk.windows[0]
	need, err := m.need(win.H, win.W)
	if err != nil {
		return Memory{}, err
	}
	spec := wk.spec()
	r := Memory{TileW: win.W, TileH: win.H, Tiles: len(wk.windows), Weight: need.Weights, Arena: need.Arena, Work: need.Scratch}
	if masked {
		spec.Mask = []uint8{}
		spec.Lines = wk.lines(spec)
	}
	r.State = wk.state(spec)
	r.Alpha = alphaBytes * int64(w) * int64(ht)
	r.Peak = need.Total() + r.State
	return r, nil
}

// What a picture's state may take, in bytes a pixel, alpha with it, and how many
// rows of x1 and the condition are held at a time where planes would take more.
const (
	mostBytes  = 60
	alphaBytes = 2
	someLines  = 64
)

// lines chooses a canvas's Lines. Walks that have the room keep planes, since
// rows that are made again cost time.
func (k *walk) lines(s device.CanvasSpec) int {
	if s.Lines = 0; k.state(s) <= (mostBytes-alphaBytes)*int64(k.w)*int64(k.h) {
		return 0
	}
	return min(s.H, someLines)
}

// state is what a picture takes while it walks.
func (k *walk) state(s device.CanvasSpec) int64 {
	area := int64(k.w) * int64(k.h)
	n := s.Bytes()
	if s.Mask != nil { // the canvas has its own; the caller's, and a padded one
		n += area
		if s.W != k.w || s.H != k.h {
			n += int64(s.W) * int64(s.H)
		}
	}
	if s.Lines > 0 || s.Mask != nil && k.m.header.Bridge.AddX1Noise { // codes: see origin, kept
		n += 2 * int64(s.C) * area
	}
	return n
}

// need is the device memory of one window of h×w.
func (m *Model) need(h, w int) (device.Memory, error) {
	s := m.now()
	return s.needs.get(h, w, func() (device.Memory, error) {
		p, err := unet.Build(m.header.Network, 1, h, w)
		if err != nil {
			return device.Memory{}, err
		}
		stored, err := weights.ParseDType(m.header.Encoding)
		if err != nil {
			stored = weights.F32 // weights that do not come from a pack
		}
		return s.device.Memory(p, stored), nil
	})
}
