package runtime

import (
	"context"
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
	device   device.Device
	network  device.Network
	log      *slog.Logger

	mu      sync.Mutex // held while the network is evaluated
	closed  bool
	program device.Program // of the last size
}

// Open reads a pack and loads its weights onto a device.
func Open(ctx context.Context, src Source, opts ...OpenOption) (*Model, error) {
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return nil, err
	}
	defer closer.Close() // the device holds all weights after loading
	m, err := load(ctx, p.Header(), p, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src, err)
	}
	return m, nil
}

// OpenWeights makes a model of a header and any source of weights, such as a
// checkpoint that was not packed. src is not used after it returns.
func OpenWeights(ctx context.Context, h weights.Header, src weights.Source, opts ...OpenOption) (*Model, error) {
	return load(ctx, h, src, opts)
}

func load(ctx context.Context, h weights.Header, src weights.Source, opts []OpenOption) (*Model, error) {
	o := openOptions{device: "auto", log: slog.New(slog.DiscardHandler)}
	for _, f := range opts {
		f(&o)
	}
	m := &Model{header: h, log: o.log}
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
	if m.device, err = openDevice(o); err != nil {
		return nil, err
	}
	side := m.config.Multiple()
	p, err := unet.Build(h.Network, 1, side, side)
	if err == nil {
		m.network, err = m.device.Load(ctx, p, src)
	}
	if err != nil {
		m.device.Close()
		return nil, err
	}
	m.log.Info("model loaded", "device", m.device.Info().Name, "detail", m.device.Info().Detail, "parameters", p.ParamBytes()/4)
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
	d, err := devices.Open(o.device, devices.Options{Threads: o.threads, Precision: o.precision, NoTune: o.noTune})
	if err != nil {
		return nil, &DeviceError{o.device, err}
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
	i := m.device.Info()
	return i.Name + ": " + i.Detail
}

// DeviceInfo describes what the model runs on.
func (m *Model) DeviceInfo() DeviceInfo { return DeviceInfo(m.device.Info()) }

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
	if m.program != nil {
		m.program.Close()
	}
	err := m.network.Close()
	if e := m.device.Close(); err == nil {
		err = e
	}
	return err
}

// evaluate runs f with the program of a size, one caller at a time.
func (m *Model) evaluate(h, w int, f func(device.Program) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.program == nil || m.program.Plan().Shape(m.program.Plan().X) != (plan.Shape{N: 1, C: m.config.In, H: h, W: w}) {
		p, err := unet.Build(m.header.Network, 1, h, w)
		if err != nil {
			return err
		}
		if m.program != nil {
			m.program.Close() // its arena goes before the next one comes
			m.program = nil
		}
		if m.program, err = m.network.Compile(p); err != nil {
			return err
		}
	}
	return f(m.program)
}
