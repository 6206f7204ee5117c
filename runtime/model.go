package runtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Model is an opened pack on a device. See the package comment for what may
// be done at the same time.
type Model struct {
	header   weights.Header
	schedule *bridge.Schedule
	config   unet.Config
	log      *slog.Logger
	open     openOptions
	again    func(context.Context) (weights.Source, func(), error) // the weights once more; nil: they cannot be had

	mu       sync.Mutex // held while the network is evaluated
	closed   bool
	seat     *seat
	fallback string
}

// Open reads a pack and loads its weights onto a device.
func Open(ctx context.Context, src Source, opts ...OpenOption) (*Model, error) {
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close() // the device holds all weights after loading
	m, err := load(ctx, p.Header(), p, func(ctx context.Context) (weights.Source, func(), error) {
		p, closer, err := src.OpenPack(ctx)
		if err != nil {
			return nil, nil, err
		}
		return p, func() { closer.Close() }, nil
	}, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src, err)
	}
	return m, nil
}

// OpenWeights makes a model of a header and any source of weights, such as a
// checkpoint that was not packed. src is not used after it returns.
func OpenWeights(ctx context.Context, h weights.Header, src weights.Source, opts ...OpenOption) (*Model, error) {
	return load(ctx, h, src, nil, opts)
}

func load(ctx context.Context, h weights.Header, src weights.Source, again func(context.Context) (weights.Source, func(), error), opts []OpenOption) (*Model, error) {
	o := openOptions{device: "auto", log: slog.New(slog.DiscardHandler)}
	for _, f := range opts {
		f(&o)
	}
	m := &Model{header: h, log: o.log, again: again}
	o.chose = func(why string, failed error) {
		if failed != nil {
			m.say(fmt.Sprintf("%v; the CPU takes its place", &DeviceError{Device: why, Err: failed}))
		} else {
			m.log.Info("auto chooses", "why", why)
		}
	}
	m.open = o
	var err error
	if m.config, err = unet.Parse(h.Network); err != nil {
		return nil, err
	}
	if m.schedule, err = bridge.NewSchedule(bridge.Config(h.Bridge)); err != nil {
		return nil, err
	}
	if want := m.Channels() * (1 + btoi(h.Bridge.CondX1)); m.config.In != want {
		return nil, fmt.Errorf("runtime: the network has %d input channels, its bridge needs %d", m.config.In, want)
	}
	if m.seat, err = m.sit(ctx, o, src); err != nil {
		var failed *DeviceError
		if o.device != "auto" && o.device != "" || !errors.As(err, &failed) || failed.Device == "cpu" || ctx.Err() != nil {
			return nil, err
		}
		o.device = "cpu"
		if m.seat, err = m.sit(ctx, o, src); err != nil {
			return nil, err
		}
		m.say(fmt.Sprintf("%v; the CPU takes its place", failed))
	}
	return m, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// openDevice finds a device by name.
func openDevice(o openOptions) (device.Device, error) {
	find := devices.Open
	if o.find != nil {
		find = o.find
	}
	d, err := find(o.device, devices.Options{Threads: o.threads, Precision: o.precision, NoTune: o.noTune, Chose: o.chose})
	if err != nil {
		return nil, &DeviceError{Device: o.device, Err: err}
	}
	return d, nil
}

// Header is the pack's header: network, bridge, tasks, licence, provenance.
func (m *Model) Header() weights.Header { return m.header }

// Channels is the number of channels of a picture: 3, or what the network
// gives.
func (m *Model) Channels() int { return m.config.Out }

// Device says what the model runs on.
func (m *Model) Device() string {
	i := m.now().device.Info()
	return i.Name + ": " + i.Detail
}

// DeviceInfo describes what the model runs on.
func (m *Model) DeviceInfo() DeviceInfo { return DeviceInfo(m.now().device.Info()) }

// DeviceInfo describes a device to people.
type DeviceInfo struct {
	Name     string // "cpu", "ref", or the adapter's name
	Detail   string // what was chosen and why: kernels, threads, backend
	Software bool   // a software adapter
	Threads  int    // 0 where they do not apply
}

// Close frees the device. Restorations that run return ErrClosed.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	return m.seat.close()
}

// evaluate runs f with the program of a size, one caller at a time. A walk
// whose seat the model has left gets an error of the device.
func (m *Model) evaluate(s *seat, h, w int, f func(device.Program) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.seat != s {
		return &DeviceError{Device: s.device.Info().Name, Err: errors.New("it failed, and was given up")}
	}
	if s.program == nil || s.program.Plan().Shape(s.program.Plan().X) != (plan.Shape{N: 1, C: m.config.In, H: h, W: w}) {
		p, err := unet.Build(m.header.Network, 1, h, w)
		if err != nil {
			return err
		}
		if s.program != nil {
			s.program.Close() // its arena goes before the next one comes
			s.program = nil
		}
		if s.program, err = s.network.Compile(p); err != nil {
			return err
		}
	}
	return f(s.program)
}
