package devices

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver/drivertest"
)

func TestChoose(t *testing.T) {
	software := driver.Adapter{Name: "llvmpipe (LLVM 15)", Type: "software", Software: true}
	inside := driver.Adapter{Name: "Intel UHD", Type: "integrated"}
	card := driver.Adapter{Name: "NVIDIA H100", Type: "discrete"}
	for _, c := range []struct {
		name string
		as   []driver.Adapter
		want int
		err  string
	}{
		{"", []driver.Adapter{software, inside, card}, 2, ""},
		{"", []driver.Adapter{software, inside}, 1, ""},
		{"", []driver.Adapter{software}, 0, "gpu:0 is llvmpipe"},
		{"gpu", []driver.Adapter{software}, 0, ""},
		{"gpu", []driver.Adapter{software, card, inside}, 1, ""},
		{"gpu", nil, 0, "install"},
		{"gpu:1", []driver.Adapter{software, card}, 1, ""},
		{"gpu:2", []driver.Adapter{software, card}, 0, "gpu:1 is NVIDIA H100"},
		{"gpu:x", nil, 0, "install"},
		{"h100", []driver.Adapter{software, card}, 1, ""},
		{"tpu", []driver.Adapter{card}, 0, "no such device"},
	} {
		got, err := choose(c.name, c.as)
		if c.err == "" && (err != nil || got != c.want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q of %d adapters: %d, error %v", c.name, len(c.as), got, err)
		}
	}
}

func TestPrecision(t *testing.T) {
	for _, name := range []string{"ref", "gpu", "gpu:0"} {
		if _, err := Open(name, Options{Precision: "bf16"}); err == nil || !strings.Contains(err.Error(), "--device cpu") {
			t.Errorf("bf16 on %s: error %v", name, err)
		}
	}
	if _, err := Open("cpu", Options{Precision: "f64"}); err == nil || !strings.Contains(err.Error(), "f16") {
		t.Errorf("error %v", err)
	}
}

// What auto takes has a reason, also where it is the CPU.
func TestWhy(t *testing.T) {
	software := driver.Adapter{Name: "llvmpipe", Type: "software", Software: true}
	card := driver.Adapter{Name: "NVIDIA H100", Type: "discrete"}
	for _, c := range []struct {
		as   []driver.Adapter
		want int
		why  string
	}{{nil, -1, "install"}, {[]driver.Adapter{software}, -1, "only software"}, {[]driver.Adapter{card}, 0, "only GPU"},
		{[]driver.Adapter{software, card}, 1, "of 2 adapters"}} {
		if i, why := best(c.as); i != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%d adapters: %d, %s", len(c.as), i, why)
		}
	}
}

// card is an adapter that moves halves so many times as fast as floats; with 0
// that cannot be timed.
type card struct {
	driver.Driver
	*drivertest.Null
	speed float64
	half  map[driver.Pipeline]bool
}

func (c *card) Name() string { return "card" }
func (c *card) Close()       {}

func (c *card) Device(context.Context, int, driver.Want) (driver.Device, error) { return c, nil }

func (c *card) Pipeline(ctx context.Context, label, wgsl string, layout []driver.Binding) (driver.Pipeline, error) {
	p, err := c.Null.Pipeline(ctx, label, wgsl, layout)
	c.half[p] = strings.Contains(label, "F16=1")
	return p, err
}

type timed struct {
	driver.Sequence
	label string
	half  bool
}

func (c *card) Sequence(label string, commands []driver.Command) (driver.Sequence, error) {
	s, err := c.Null.Sequence(label, commands)
	return timed{s, label, c.half[commands[0].Pipeline]}, err
}

func (c *card) Times(_ context.Context, s driver.Sequence, _ time.Duration) ([]time.Duration, error) {
	if c.speed == 0 && s.(timed).label == "map" {
		return nil, errors.New("no clock")
	}
	if s.(timed).half {
		return []time.Duration{time.Duration(1e6 / c.speed)}, nil
	}
	return []time.Duration{1e6}, nil
}

// The precision is what was measured, and said, unless it was asked for.
func TestPrecisionIsMeasured(t *testing.T) {
	for _, c := range []struct {
		speed     float64
		asked     string
		software  bool
		want, not string
	}{
		{1.9, "", false, "f16 storage (halves move 1.9 times as fast)", ""},
		{1.9, "auto", false, "f16 storage (halves move 1.9 times as fast)", ""},
		{1.1, "", false, "f32 (halves move 1.1 times as fast)", ""},
		{1.9, "f32", false, "f32", "halves"},
		{1.1, "f16", false, "f16 storage", "halves"},
		{1.9, "", true, "f32 (arithmetic", ""},
		{0, "", false, "f32 (halves could not be measured: no clock)", ""},
	} {
		d := &card{Null: drivertest.NewNull(), speed: c.speed, half: map[driver.Pipeline]bool{}}
		g, err := openAdapter(t.Context(), d, 0, driver.Adapter{Name: "card", Software: c.software}, Options{Precision: c.asked})
		if err != nil {
			t.Fatal(err)
		}
		if s := g.Info().Detail; !strings.Contains(s, c.want) || c.not != "" && strings.Contains(s, c.not) {
			t.Errorf("%+v: %s", c, s)
		}
		if g.Close(); d.Live() != 0 {
			t.Errorf("%+v: %d things are left", c, d.Live())
		}
	}
}
