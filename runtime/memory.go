package runtime

import (
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
	State  int64 `json:"state"`   // the picture's states and histories
	Peak   int64 `json:"peak"`    // the sum
}

// PlanMemory tells what restoring a w×h picture takes, without running it.
// For sr4x, w×h is the size of the result.
func PlanMemory(h weights.Header, w, ht int, opts ...any) (Memory, error) {
	var oo openOptions
	var o options
	for _, f := range opts {
		switch f := f.(type) {
		case OpenOption:
			f(&oo)
		case Option:
			f(&o)
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
	m := &Model{header: h, schedule: s, config: c, device: d}
	return m.memory(w, ht, &o)
}

// Memory tells what restoring a w×h picture takes on the model's device,
// without running it. For sr4x, w×h is the size of the result.
func (m *Model) Memory(w, h int, opts ...Option) (Memory, error) {
	return m.memory(w, h, apply(opts))
}

func (m *Model) memory(w, h int, o *options) (Memory, error) {
	wk, err := m.newWalk(o, w, h)
	if err != nil {
		return Memory{}, err
	}
	win := wk.windows[0]
	need, err := m.need(win.H, win.W)
	if err != nil {
		return Memory{}, err
	}
	r := Memory{TileW: win.W, TileH: win.H, Tiles: len(wk.windows),
		Weight: need.Weights, Arena: need.Arena, Work: need.Scratch, State: wk.stateBytes()}
	r.Peak = need.Total() + r.State
	return r, nil
}

// need is the device memory of one window of h×w.
func (m *Model) need(h, w int) (device.Memory, error) {
	p, err := unet.Build(m.header.Network, 1, h, w)
	if err != nil {
		return device.Memory{}, err
	}
	stored, err := weights.ParseDType(m.header.Encoding)
	if err != nil {
		stored = weights.F32 // weights that do not come from a pack
	}
	return m.device.Memory(p, stored), nil
}
