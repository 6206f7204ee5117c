package runtime

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver/drivertest"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/weights"
)

// card is the first adapter, taken for a real one by auto, whose calls fail as
// a test likes.
type card struct {
	fail   func(call, label string) error
	opened []*drivertest.Faulty
}

func (c *card) find(t *testing.T) func(string, devices.Options) (device.Device, error) {
	return func(name string, o devices.Options) (device.Device, error) {
		if name != "auto" {
			return devices.Open(name, o)
		}
		skip := t.Skip
		if os.Getenv("I2SB_TEST_GPU") != "" {
			skip = t.Fatal
		}
		d, err := driver.Open()
		if err != nil {
			skip("no GPU driver: ", err)
		}
		as, err := d.Adapters(t.Context())
		if err != nil || len(as) == 0 {
			skip("no GPU adapter: ", err)
		}
		h, err := d.Device(t.Context(), 0, driver.Want{})
		if err != nil {
			t.Fatal(err)
		}
		f := &drivertest.Faulty{Device: h, Fail: func(call, label string, _ int) error {
			if c.fail == nil {
				return nil
			}
			return c.fail(call, label)
		}}
		c.opened = append(c.opened, f)
		return gpu.New(f, as[0], gpu.Options{}, nil), nil
	}
}

// smallPack is a network of two levels with random weights, as a pack.
func smallPack(t *testing.T) Source {
	t.Helper()
	h := weights.Header{
		Network: weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,1", AttentionResolutions: "16",
			NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true},
		Bridge: weights.Bridge{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1},
		Tasks:  []weights.Task{{Name: "jpeg", Sampler: "posterior", Steps: 4}},
	}
	var b bytes.Buffer
	if err := weights.Write(&b, h, optest.RandomNetwork(h.Network), weights.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return Bytes("small", b.Bytes())
}

func waves(h, w int) *bridge.Image {
	x := bridge.NewImage(3, h, w)
	for i := range x.Pix {
		x.Pix[i] = float32(i*37%101)/101 - 0.5
	}
	return x
}

// onCard opens the small network on a card and counts the lines that the log
// warns with.
func onCard(t *testing.T, c *card, opts ...OpenOption) (*Model, *strings.Builder, error) {
	t.Helper()
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	m, err := Open(t.Context(), smallPack(t), append(opts, WithLogger(log), func(o *openOptions) { o.find = c.find(t) })...)
	if err == nil {
		t.Cleanup(func() { m.Close() })
	}
	return m, &said, err
}

// on the CPU alone.
func onCPU(t *testing.T, x *bridge.Image, opts ...Option) []float32 {
	t.Helper()
	m, err := Open(t.Context(), smallPack(t), WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	y, err := m.RestoreTensor(t.Context(), x, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return y.Pix
}

// A GPU that auto took and that fails in the middle of a walk is replaced by
// the CPU: the result is the CPU's, every step is told once, all that the GPU
// held is given back, and one line says what happened. The next picture is the
// CPU's from the start.
func TestAutoFallsToTheCPU(t *testing.T) {
	x := waves(32, 32)
	want := onCPU(t, x, WithSeed(7))
	for _, kind := range []driver.Kind{driver.Lost, driver.Hang, driver.Invalid} {
		for _, when := range []int{0, 2} {
			c := &card{}
			m, said, err := onCard(t, c)
			if err != nil {
				t.Fatal(err)
			}
			var steps []int
			failing := false
			c.fail = func(call, label string) error {
				if failing = failing || call == "Submit" && len(steps) == when; failing && call == "Wait" {
					return driver.Errorf(kind, label, "provoked")
				}
				return nil
			}
			y, r, err := m.restore(t.Context(), clone(x), apply([]Option{WithSeed(7), WithStep(func(s Step) error { steps = append(steps, s.Done); return nil })}))
			if err != nil {
				t.Fatalf("kind %d after %d steps: %v", kind, when, err)
			}
			if !slices.Equal(y.Pix, want) {
				t.Errorf("kind %d after %d steps: the result is not the CPU's", kind, when)
			}
			if !slices.Equal(steps, []int{1, 2, 3, 4}) {
				t.Errorf("kind %d after %d steps: the steps %v were told", kind, when, steps)
			}
			if !strings.HasPrefix(r.Device, "cpu") || !strings.Contains(r.Fallback, "scatter") || !strings.Contains(r.Fallback, "the CPU takes its place") {
				t.Errorf("on %s, because: %s", r.Device, r.Fallback)
			}
			if n := c.opened[0].Live(); n != 0 {
				t.Errorf("kind %d: %d things are left on the device", kind, n)
			}
			again, err := m.RestoreTensor(t.Context(), x, WithSeed(7))
			if err != nil || !slices.Equal(again.Pix, want) {
				t.Errorf("the next picture: error %v", err)
			}
			if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), "the CPU takes its place") {
				t.Errorf("%d lines are said: %s", n, said)
			}
			if len(c.opened) != 1 {
				t.Errorf("the card was opened %d times", len(c.opened))
			}
		}
	}
}

// What fails while the network is loaded, or when the card is opened, is no
// reason to give up either, and is said.
func TestAutoFallsToTheCPUWhenOpening(t *testing.T) {
	x := waves(32, 32)
	want := onCPU(t, x)
	c := &card{fail: func(call, label string) error {
		if call == "Buffer" && strings.HasPrefix(label, "weights") {
			return driver.Errorf(driver.Memory, label, "provoked")
		}
		return nil
	}}
	m, said, err := onCard(t, c)
	if err != nil {
		t.Fatal(err)
	}
	y, err := m.RestoreTensor(t.Context(), x)
	if err != nil || !slices.Equal(y.Pix, want) {
		t.Errorf("error %v, or not the CPU's result", err)
	}
	if s := said.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "out of GPU memory") || m.Fallback() == "" || c.opened[0].Live() != 0 {
		t.Errorf("said: %s; fallback: %s; %d things are left", s, m.Fallback(), c.opened[0].Live())
	}

	// devices tells that there is a card that cannot be opened.
	m, err = Open(t.Context(), smallPack(t), func(o *openOptions) {
		o.find = func(name string, o devices.Options) (device.Device, error) {
			o.Chose("the card", driver.Errorf(driver.Lost, "", "provoked"))
			return devices.Open("cpu", o)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if f := m.Fallback(); !strings.Contains(f, "device the card: the GPU was lost") {
		t.Errorf("fallback: %s", f)
	}
}

// Where the device has no memory for a picture its tiles are halved, if their
// size was left to us, and the walk goes on where it was; then comes the CPU.
func TestSmallerTiles(t *testing.T) {
	x := waves(64, 64)
	for _, c := range []struct {
		name     string
		fails    int // times that activations find no memory
		tile     int
		tiles    int
		on, says string
	}{
		{"halved once", 1, 0, 4, "gpu", "in tiles of 32"},
		{"halved until the CPU", 100, 0, 1, "cpu", "the CPU takes its place"},
		{"as asked for", 100, 32, 4, "cpu", "the CPU takes its place"},
	} {
		t.Run(c.name, func(t *testing.T) {
			failed, steps := 0, 0
			k := &card{}
			k.fail = func(call, label string) error {
				if call == "Buffer" && label == "activations" && failed < c.fails {
					failed++
					return driver.Errorf(driver.Memory, label, "provoked")
				}
				return nil
			}
			m, said, err := onCard(t, k)
			if err != nil {
				t.Fatal(err)
			}
			y, r, err := m.restore(t.Context(), clone(x), apply([]Option{WithTile(c.tile), WithStep(func(Step) error { steps++; return nil })}))
			if err != nil {
				t.Fatal(err)
			}
			want := onCPU(t, x, WithTile(map[bool]int{true: 32, false: c.tile}[c.on == "gpu"]))
			worst := float32(0)
			for i, v := range y.Pix {
				worst = max(worst, v-want[i], want[i]-v)
			}
			if c.on == "cpu" && worst != 0 || worst > 1e-3 {
				t.Errorf("the result is off by %g", worst)
			}
			if on := map[bool]string{true: "cpu", false: "gpu"}[strings.HasPrefix(r.Device, "cpu")]; on != c.on || r.Tiles < c.tiles || steps != 4 || !strings.Contains(r.Fallback, c.says) {
				t.Errorf("on %s, %d tiles, %d steps told, because: %s", r.Device, r.Tiles, steps, r.Fallback)
			}
			if said.Len() == 0 {
				t.Error("nothing is said")
			}
		})
	}
}

// A device that was asked for by name, or a caller who wants to know, gets the
// error; the process lives, and the model can be opened again.
func TestNamedDevicesDoNotFall(t *testing.T) {
	x := waves(32, 32)
	for _, opt := range []OpenOption{WithFallback(false), func(o *openOptions) {
		o.device = "gpu"
		find := o.find
		o.find = func(_ string, q devices.Options) (device.Device, error) { return find("auto", q) }
	}} {
		lost := false
		c := &card{}
		c.fail = func(call, label string) error {
			if lost && call == "Submit" {
				return driver.Errorf(driver.Lost, label, "provoked")
			}
			return nil
		}
		open := func() *Model {
			m, err := Open(t.Context(), smallPack(t), func(o *openOptions) { o.find = c.find(t) }, opt)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		m := open()
		want, err := m.RestoreTensor(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		lost = true
		_, err = m.RestoreTensor(t.Context(), x)
		var failed *DeviceError
		if !DeviceLost(err) || !errors.As(err, &failed) {
			t.Errorf("error %v", err)
		}
		m.Close()
		lost = false
		m = open()
		if y, err := m.RestoreTensor(t.Context(), x); err != nil || !slices.Equal(y.Pix, want.Pix) {
			t.Errorf("after opening again: error %v", err)
		}
		m.Close()
		for _, f := range c.opened {
			if f.Live() != 0 {
				t.Errorf("%d things are left", f.Live())
			}
		}
	}
}

// Several walks on a card that fails all end on the CPU, which is opened once.
func TestManyWalksFallTogether(t *testing.T) {
	x := waves(32, 32)
	want := onCPU(t, x)
	c := &card{}
	m, said, err := onCard(t, c)
	if err != nil {
		t.Fatal(err)
	}
	var submits atomic.Int32
	c.fail = func(call, label string) error {
		if call == "Submit" && submits.Add(1) > 12 {
			return driver.Errorf(driver.Lost, label, "provoked")
		}
		return nil
	}
	results := make(chan error, 3)
	for range 3 {
		go func() {
			y, err := m.RestoreTensor(context.Background(), clone(x))
			if err == nil && !slices.Equal(y.Pix, want) {
				err = driver.Errorf(driver.Invalid, "", "another picture")
			}
			results <- err
		}()
	}
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(said.String(), "\n"); n != 1 {
		t.Errorf("%d lines are said: %s", n, said)
	}
}

func clone(x *bridge.Image) *bridge.Image {
	y := *x
	y.Pix = slices.Clone(x.Pix)
	return &y
}
