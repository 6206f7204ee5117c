package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// seat is the network on a device. A model that auto put on a GPU gets another
// one on the CPU when the GPU fails.
type seat struct {
	device  device.Device
	network device.Network
	program device.Program // of the last size
	needs   needs
}

// needs remembers what windows of a few sizes need, by height and width.
type needs struct {
	sync.Mutex
	of map[[2]int]device.Memory
}

// get is what a window needs, made if it is not known.
func (n *needs) get(h, w int, make func() (device.Memory, error)) (device.Memory, error) {
	n.Lock()
	defer n.Unlock()
	size := [2]int{h, w}
	if m, ok := n.of[size]; ok {
		return m, nil
	}
	m, err := make()
	if err != nil {
		return m, err
	}
	const few = 256
	if n.of == nil || len(n.of) == few { // begin anew
		n.of = map[[2]int]device.Memory{}
	}
	n.of[size] = m
	return m, nil
}

// sit opens a device and loads the network onto it.
func (m *Model) sit(ctx context.Context, o openOptions, src weights.Source) (*seat, error) {
	d, err := openDevice(o)
	if err != nil {
		return nil, err
	}
	side := m.config.Multiple()
	p, err := unet.Build(m.header.Network, 1, side, side)
	if err != nil {
		d.Close()
		return nil, err
	}
	s := &seat{device: d}
	if s.network, err = d.Load(ctx, p, src); err != nil {
		d.Close()
		if ofDevice(err) {
			err = &DeviceError{Device: d.Info().Name, Err: err}
		}
		return nil, err
	}
	m.log.Info("model loaded", "device", d.Info().Name, "detail", d.Info().Detail, "parameters", p.ParamBytes()/4)
	return s, nil
}

func (s *seat) close() error {
	if s.program != nil {
		s.program.Close()
	}
	err := s.network.Close()
	if e := s.device.Close(); err == nil {
		err = e
	}
	return err
}

// ofDevice tells whether an executor's error is its device's, and not one of
// the weights.
func ofDevice(err error) bool {
	var e interface{ OutOfMemory() bool }
	return errors.As(err, &e)
}

// substitutes tells whether the CPU may take the place of a model's device.
func (m *Model) substitutes(s *seat) bool {
	return m.again != nil && !m.open.stay && (m.open.device == "auto" || m.open.device == "") && s.device.Info().Name != "cpu"
}

// fall moves the model to the CPU after a walk's device failed, and tells
// whether the walk should begin again. Walks that come later find it done.
func (m *Model) fall(ctx context.Context, from *seat, err error) bool {
	var failed *DeviceError
	if !errors.As(err, &failed) || ctx.Err() != nil || !m.substitutes(from) {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || m.seat != from {
		return !m.closed
	}
	from.close() // its memory goes first: an integrated GPU's is the CPU's
	src, done, e := m.again(ctx)
	if e == nil {
		defer done()
		var next *seat
		o := m.open
		o.device = "cpu"
		if next, e = m.sit(ctx, o, src); e == nil {
			m.seat = next
			m.say(fmt.Sprintf("%v; the CPU takes its place", failed))
			return true
		}
	}
	m.closed = true // nothing is left to run on
	m.log.Error("the CPU cannot take the GPU's place", "error", e)
	return false
}

// say tells once that the model does not run as was asked; it holds for all
// results from then on.
func (m *Model) say(what string) {
	m.fallback = what
	m.log.Warn(what)
}

// Fallback says why the model runs on the CPU although auto found a GPU, or "".
func (m *Model) Fallback() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fallback
}

// now is where the model runs at present.
func (m *Model) now() *seat {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seat
}
