package optest

import (
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
)

// FuzzedWalk is the shape of a fuzzed walk of a picture: any numbers will do.
type FuzzedWalk struct {
	H, W, NFE, Sampler uint8
	How                uint8 // bits: OT-ODE, mask, condition, one apart, recorded noise, clip, ring, lines
	Seed               uint64
}

// Spec returns the network and the walk, or false for a sampler that does not
// suit the bridge.
func (z FuzzedWalk) Spec(t *testing.T) (net string, s device.CanvasSpec, ok bool) {
	t.Helper()
	bit := func(i int) bool { return z.How>>i&1 != 0 }
	sched, err := bridge.NewSchedule(bridge.Config{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1, OTODE: bit(0)})
	if err != nil {
		t.Fatal(err)
	}
	names := bridge.SamplerNames()
	sampler, err := bridge.ParseSampler(names[int(z.Sampler)%len(names)])
	if err != nil {
		t.Fatal(err)
	}
	w, err := bridge.NewWalk(sched, bridge.WalkOptions{Sampler: sampler, NFE: 1 + int(z.NFE)%3})
	if err != nil {
		return "", s, false
	}
	s = device.CanvasSpec{C: 3, H: window + 4*int(z.H%2), W: 12 + 4*int(z.W%2), Label: -1, Table: w, Noise: bridge.NewNoise(z.Seed), Clip: bit(5)}
	if bit(6) && w.SavesX0 && s.H > window {
		s.Ring = window
	}
	if bit(7) {
		s.Lines = 1 + int(z.Seed%7)
	}
	net = "base"
	if bit(2) {
		net, s.Cond, s.Apart = "conditional", true, bit(3)
	}
	if bit(1) {
		s.Mask = make([]uint8, s.H*s.W)
		for i := range s.Mask {
			s.Mask[i] = uint8(z.Seed >> (i / 5 % 57)) // holes, known and between
		}
	}
	if bit(4) {
		s.Noise = stripes{}
	}
	return net, s, true
}

// Walk returns every state and x̂0 of a walk, one after the other.
func Walk(t *testing.T, d device.Device, net string, s device.CanvasSpec) []float32 {
	t.Helper()
	l := load(t, d, net)
	defer l.close()
	return l.walk(t, s)
}
