package runtime_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/weights"
)

var ctx = context.Background()

// header describes the smallest network with attention and two levels.
func header(change func(*weights.Header)) weights.Header {
	h := weights.Header{
		Network: weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,1",
			AttentionResolutions: "16", NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true},
		Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1},
		Tasks:  []weights.Task{{Name: "jpeg", Sampler: "posterior", Steps: 2}, {Name: "sr4x"}, {Name: "inpaint"}},
	}
	if change != nil {
		change(&h)
	}
	return h
}

// open makes a model with random weights.
func open(t testing.TB, h weights.Header, opts ...runtime.OpenOption) *runtime.Model {
	t.Helper()
	m, err := runtime.OpenWeights(ctx, h, optest.RandomNetwork(h.Network), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// noise is a random picture that is smooth enough to be restored.
func noise(c, h, w int) *bridge.Image {
	r := rand.New(rand.NewPCG(1, 2))
	x := bridge.NewImage(c, h, w)
	for ch := range c {
		a, b := r.Float64(), r.Float64()
		for i := range h {
			for j := range w {
				x.Plane(ch)[i*w+j] = float32(0.6*math.Sin(a*float64(i))*math.Cos(b*float64(j)) + 0.2*r.NormFloat64())
			}
		}
	}
	return x
}

func restore(t testing.TB, m *runtime.Model, x *bridge.Image, opts ...runtime.Option) *bridge.Image {
	t.Helper()
	y, err := m.RestoreTensor(ctx, x, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func equal(a, b *bridge.Image) bool {
	for i := range a.Pix {
		if a.Pix[i] != b.Pix[i] {
			return false
		}
	}
	return a.SameSize(b) == nil
}

func TestAnySize(t *testing.T) {
	m := open(t, header(nil))
	for _, s := range [][2]int{{1, 1}, {1, 17}, {31, 2}, {33, 18}} {
		x := noise(3, s[0], s[1])
		if y := restore(t, m, x, runtime.WithSteps(1)); y.SameSize(x) != nil {
			t.Errorf("%v became %d×%d", s, y.H, y.W)
		}
	}
}

func TestKnownPixelsStayExact(t *testing.T) {
	for _, ode := range []bool{false, true} {
		m := open(t, header(func(h *weights.Header) { h.Bridge.OTODE = ode }))
		x := noise(3, 20, 24)
		mask := &runtime.Mask{W: 24, H: 20, Values: make([]uint8, 20*24)}
		for i := range mask.Values {
			if i%24 > 10 && i/24 > 6 {
				mask.Values[i] = 255
			}
		}
		y := restore(t, m, x, runtime.WithTask("inpaint"), runtime.WithMask(mask), runtime.WithSteps(3), runtime.WithSampler("posterior"))
		changed := 0
		for c := range 3 {
			for i, v := range mask.Values {
				if v == 0 && y.Plane(c)[i] != x.Plane(c)[i] {
					t.Fatalf("ode %v: known pixel %d changed", ode, i)
				}
				if v == 255 && y.Plane(c)[i] != x.Plane(c)[i] {
					changed++
				}
			}
		}
		if changed == 0 {
			t.Errorf("ode %v: nothing was filled in", ode)
		}
	}
}

func TestErrorsAreTyped(t *testing.T) {
	m := open(t, header(nil))
	x := noise(3, 16, 16)
	var te *runtime.TaskError
	if _, err := m.RestoreTensor(ctx, x, runtime.WithTask("decolor")); !errors.As(err, &te) || len(te.Have) != 3 {
		t.Errorf("wrong task: %v", err)
	}
	for name, opt := range map[string]runtime.Option{
		"no steps":       runtime.WithSteps(0),
		"negative steps": runtime.WithSteps(-1),
		"many steps":     runtime.WithSteps(1000),
		"sampler":        runtime.WithSampler("euler"),
		"small tile":     runtime.WithTile(1),
		"label":          runtime.WithLabel(1),
		"mask":           runtime.WithMask(&runtime.Mask{W: 2, H: 2, Values: make([]uint8, 4)}),
	} {
		var oe *runtime.OptionError
		if _, err := m.RestoreTensor(ctx, x, opt); !errors.As(err, &oe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.Close()
	if _, err := m.RestoreTensor(ctx, x); !errors.Is(err, runtime.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestLabels(t *testing.T) {
	m := open(t, header(func(h *weights.Header) { h.Network.ClassCond, h.Network.NumClasses = true, 3 }))
	x := noise(3, 16, 16)
	first := restore(t, m, x)
	if !equal(first, restore(t, m, x, runtime.WithLabel(0))) || equal(first, restore(t, m, x, runtime.WithLabel(2))) {
		t.Error("the label is not what is said, or 0")
	}
	for _, label := range []int{-1, 3} {
		var oe *runtime.OptionError
		if _, err := m.RestoreTensor(ctx, x, runtime.WithLabel(label)); !errors.As(err, &oe) || oe.Option != "label" {
			t.Errorf("label %d: %v", label, err)
		}
	}
}

func TestCancel(t *testing.T) {
	m := open(t, header(nil))
	c, cancel := context.WithCancel(ctx)
	_, err := m.RestoreTensor(c, noise(3, 16, 16), runtime.WithSteps(50), runtime.WithStep(func(s runtime.Step) error {
		if s.Done == 2 {
			cancel()
		}
		if s.Done > 2 {
			t.Error("went on after the context had ended")
		}
		return nil
	}))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestConcurrentRestorationsDoNotMix(t *testing.T) {
	m := open(t, header(nil))
	sizes := [][2]int{{16, 16}, {16, 24}, {32, 16}}
	want := make([]*bridge.Image, len(sizes))
	for i, s := range sizes {
		want[i] = restore(t, m, noise(3, s[0], s[1]), runtime.WithSeed(uint64(i)))
	}
	var wg sync.WaitGroup
	for range 3 {
		for i, s := range sizes {
			wg.Go(func() {
				y, err := m.RestoreTensor(ctx, noise(3, s[0], s[1]), runtime.WithSeed(uint64(i)))
				if err != nil || !equal(y, want[i]) {
					t.Errorf("size %v differs when run beside others (%v)", s, err)
				}
			})
		}
	}
	wg.Wait()
}
