package bench

import (
	"context"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Session is a network that is ready to be evaluated again and again, on one
// input. It is used by one goroutine.
type Session struct {
	Found  time.Duration // opening the device
	Opened time.Duration // from the pack's header until the first evaluation could start

	plan    *plan.Plan
	device  device.Device
	network device.Network
	program device.Program
	in      device.Input
	y       []float32
}

// Open loads a network; o's Rounds and Layers do not matter.
func Open(ctx context.Context, o Options) (*Session, error) {
	p, err := unet.Build(o.Network, 1, o.H, o.W)
	if err != nil {
		return nil, err
	}
	s := &Session{plan: p, in: input(p), y: make([]float32, p.Shape(p.Output).Len())}
	start := time.Now()
	if s.device, err = devices.Open(o.Device, devices.Options{Threads: o.Threads, Precision: o.Precision, NoTune: o.NoTune}); err != nil {
		return nil, &runtime.DeviceError{Device: o.Device, Err: err}
	}
	src := o.Weights
	if src == nil {
		src = newRandom(p)
	}
	s.Found, start = time.Since(start), time.Now()
	if s.network, err = s.device.Load(ctx, p, src); err != nil {
		s.Close()
		return nil, err
	}
	if s.program, err = s.network.Compile(p); err != nil {
		s.Close()
		return nil, err
	}
	s.Opened = time.Since(start)
	return s, nil
}

// Device says what runs the network.
func (s *Session) Device() string {
	i := s.device.Info()
	return i.Name + ": " + i.Detail
}

// Evaluate runs the network once on Input's picture. The result, 1×Cout×H×W,
// is overwritten by the next evaluation.
func (s *Session) Evaluate(ctx context.Context) ([]float32, error) {
	return s.y, s.program.Run(ctx, s.in, s.y)
}

// Close frees everything.
func (s *Session) Close() error {
	if s.program != nil {
		s.program.Close()
	}
	if s.network != nil {
		s.network.Close()
	}
	return s.device.Close()
}

// Input is what a session evaluates: the picture, 1×Cin×H×W, and the noise
// level's embedding.
func Input(n weights.Network, w, h int) (x, t []float32, err error) {
	p, err := unet.Build(n, 1, h, w)
	if err != nil {
		return nil, nil, err
	}
	in := input(p)
	t = make([]float32, p.Shape(p.Time).C)
	unet.Sinusoid(in.Levels[0], t)
	return in.X, t, nil
}

// Random is the weights that a session takes when it is given none.
func Random(n weights.Network) (weights.Source, error) {
	c, err := unet.Parse(n)
	if err != nil {
		return nil, err
	}
	p, err := unet.Build(n, 1, c.Multiple(), c.Multiple())
	if err != nil {
		return nil, err
	}
	return newRandom(p), nil
}

// input is a picture of some contrast at the middle of the bridge.
func input(p *plan.Plan) device.Input {
	x := p.Shape(p.X)
	in := device.Input{X: make([]float32, x.Len())}
	for i := range in.X {
		in.X[i] = float32(i*7919%255)/127.5 - 1
	}
	for range x.N {
		in.Levels = append(in.Levels, 500)
		if p.Label != plan.None {
			in.Labels = append(in.Labels, 0)
		}
	}
	return in
}
