package runtime_test

import (
	"math"
	goruntime "runtime"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// Known pixels are exact whatever the walk ends with, and where a mask blends
// the result lies between what is known and what a hole would get.
func TestKnownPixelsWithEverySampler(t *testing.T) {
	const w, h = 21, 18 // padded
	x := noise(3, h, w)
	mask := &runtime.Mask{W: w, H: h, Values: make([]uint8, w*h)}
	for i := range mask.Values {
		mask.Values[i] = []uint8{0, 0, 255, 128, 1}[i%w/3%5]
	}
	for how := range 4 {
		noisy, fill := how&1 != 0, []string{bridge.FillNoise, bridge.FillHarmonic}[how>>1]
		m := open(t, header(func(h *weights.Header) { h.Bridge.AddX1Noise, h.Bridge.Fill = noisy, fill }))
		for _, sampler := range []string{"posterior", "i3sb", "dbim3"} {
			for _, last := range []bool{false, true} {
				y := restore(t, m, x, runtime.WithTask("inpaint"), runtime.WithMask(mask), runtime.WithSteps(3), runtime.WithSampler(sampler), runtime.WithLastX0(last))
				for c := range 3 {
					for i, v := range mask.Values {
						d := math.Abs(float64(y.Plane(c)[i] - x.Plane(c)[i]))
						if v == 0 && d != 0 || v == 1 && !(d < 0.05) {
							t.Fatalf("%s, last x̂0 %v, noise on x1 %v, fill %q: pixel %d of mask %d is off by %g", sampler, last, noisy, fill, i, v, d)
						}
					}
				}
			}
		}
	}
}

// A hole that starts from a smooth surface has neither what was in it nor noise.
func TestHarmonicFill(t *testing.T) {
	const w, h = 40, 36
	m := open(t, header(func(h *weights.Header) { h.Bridge.Fill, h.Bridge.OTODE = bridge.FillHarmonic, true }))
	mask := &runtime.Mask{W: w, H: h, Values: make([]uint8, w*h)}
	for i := range mask.Values {
		if i%w > 10 && i%w < 30 && i/w > 5 {
			mask.Values[i] = 255
		}
	}
	x, filled := noise(3, h, w), noise(3, h, w)
	bridge.FillSmooth(filled, mask.Values)
	opts := []runtime.Option{runtime.WithTask("inpaint"), runtime.WithMask(mask), runtime.WithSteps(2)}
	y := restore(t, m, x, opts...)
	if !equal(y, restore(t, m, filled, append(opts, runtime.WithSeed(7))...)) {
		t.Error("what the hole held, or the seed, matters")
	}
	if equal(y, restore(t, open(t, header(func(h *weights.Header) { h.Bridge.OTODE = true })), x, opts...)) {
		t.Error("noise fills the hole as well")
	}
}

// RestorePicture holds no pixels of its input once the walk has begun, not even
// where x1 and the condition are made again.
func TestPictureIsLetGo(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*weights.Header)
		opts   []runtime.Option
	}{
		{"plain", nil, []runtime.Option{runtime.WithSteps(1)}},
		{"mask", nil, []runtime.Option{runtime.WithSteps(1), runtime.WithTask("inpaint-center")}},
		{"filled", func(h *weights.Header) { h.Bridge.Fill = bridge.FillHarmonic }, []runtime.Option{runtime.WithSteps(1), runtime.WithTask("inpaint-center")}},
		{"few rows", func(h *weights.Header) { h.Bridge.CondX1, h.Bridge.AddX1Noise, h.Network.InChannels = true, true, 6 },
			[]runtime.Option{runtime.WithSteps(5), runtime.WithSampler("dbim3"), runtime.WithTask("inpaint-center")}},
	} {
		m := open(t, header(c.change))
		gone := make(chan struct{})
		p := &picture.Picture{Image: noise(3, 32, 48), Depth: 8}
		for i, v := range p.Image.Pix {
			p.Image.Pix[i] = picture.Level(picture.Code(v))
		}
		goruntime.SetFinalizer(&p.Image.Pix[0], func(*float32) { close(gone) })
		opts := append(c.opts, runtime.WithStep(func(s runtime.Step) error {
			for range 100 {
				goruntime.GC()
				select {
				case <-gone:
					return nil
				default:
					goruntime.Gosched()
				}
			}
			t.Errorf("%s: the decoded pixels are still held", c.name)
			return nil
		}))
		if _, _, err := m.RestorePicture(ctx, p, opts...); err != nil {
			t.Fatal(err)
		}
	}
}

// What PlanMemory says of a picture's state is what the walk's planes come to,
// and at most 60 bytes a pixel: with every sampler, any number of steps, mask and
// alpha, noise on x1, a condition apart from it or not, in tiles and whole.
func TestPlannedState(t *testing.T) {
	const w, h, side = 4000, 3000, 256
	type network struct{ ot, cond, noisy bool }
	head := func(n network) weights.Header {
		return header(func(h *weights.Header) {
			h.Bridge.OTODE, h.Bridge.CondX1, h.Bridge.AddX1Noise = n.ot, n.cond, n.noisy
		})
	}
	plan := func(n network, task, sampler string, steps, tile int) float64 {
		t.Helper()
		m, err := runtime.PlanMemory(head(n), w, h,
			runtime.WithDevice("cpu"), runtime.WithTask(task), runtime.WithSampler(sampler), runtime.WithSteps(steps), runtime.WithTile(tile))
		if err != nil {
			t.Fatal(err)
		}
		if m.Peak != m.State+m.Weight+m.Arena+m.Work {
			t.Errorf("%+v does not add up", m)
		}
		perPixel := float64(m.State+m.Alpha) / (w * h)
		if perPixel > 60 {
			t.Errorf("%+v, %s, %s, %d steps, tiles of %d: %.1f bytes a pixel", n, task, sampler, steps, tile, perPixel)
		}
		return perPixel
	}
	for i := range 8 {
		n := network{i&1 != 0, i&2 != 0, i&4 != 0}
		for _, sampler := range bridge.SamplerNames() {
			for _, steps := range []int{1, 2, 3, 4, 5, 51} {
				if _, err := runtime.Resolve(head(n), runtime.WithSampler(sampler), runtime.WithSteps(steps)); err != nil {
					continue // not this bridge's, or not so many
				}
				for _, task := range []string{"jpeg", "inpaint"} {
					for _, tile := range []int{side, -1} {
						plan(n, task, sampler, steps, tile)
					}
				}
			}
		}
	}
	const alpha, mask, ring, codes, lines = 2, 2, 12. * side / h, 6, 12. * 64 / h
	for _, c := range []struct {
		network
		task, sampler string
		steps, tile   int
		bytes         float64
	}{
		{network{}, "jpeg", "posterior", 1, side, 24},
		{network{}, "jpeg", "posterior", 5, side, 24},
		{network{}, "inpaint", "posterior", 5, side, 36 + mask},
		{network{}, "jpeg", "i3sb", 4, side, 36},
		{network{}, "jpeg", "dbim3", 8, side, 48 + ring},
		{network{}, "inpaint", "dbim3", 8, side, 48 + ring + mask},
		{network{cond: true, noisy: true}, "inpaint", "posterior", 5, side, 48 + mask + codes},
		{network{cond: true, noisy: true}, "jpeg", "dbim3", 8, side, 36 + ring + lines + codes},
		{network{cond: true, noisy: true}, "inpaint", "dbim3", 8, -1, 48 + lines + codes + mask},
	} {
		if got := plan(c.network, c.task, c.sampler, c.steps, c.tile); math.Abs(got-c.bytes-alpha) > 0.01 {
			t.Errorf("%+v: %.2f bytes a pixel, not %.2f", c, got, c.bytes+alpha)
		}
	}
}
