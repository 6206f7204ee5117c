//go:build cgo || js

package driver_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

const double = `
struct P { n: u32, k: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> p: P;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < p.n) { y[id.x] = p.k * x[id.x]; }
}`

var doubleLayout = []driver.Binding{driver.ReadOnly, driver.ReadWrite, driver.Params}

// open opens the first adapter, or skips where the machine has none.
func open(t *testing.T) driver.Device {
	t.Helper()
	d, err := driver.Open()
	if err != nil {
		t.Skip(err)
	}
	a, err := d.Adapters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(a) == 0 {
		t.Skip("no adapter")
	}
	dev, err := d.Device(t.Context(), 0, driver.Want{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(dev.Close)
	return dev
}

// Vulkan's drivers have versions, which the tuner's results go with.
func TestDriverIsNamed(t *testing.T) {
	d, err := driver.Open()
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	as, err := d.Adapters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range as {
		if a.Backend == "vulkan" && !strings.ContainsAny(a.Driver, "0123456789") {
			t.Errorf("the driver of %s is %q", a.Name, a.Driver)
		}
	}
}

// doubler is everything for one run of the test shader.
type doubler struct {
	dev     driver.Device
	x, y, p driver.Buffer
	s       driver.Sequence
	made    []interface{ Release() }
}

func newDoubler(t testing.TB, dev driver.Device, n int, k float32) *doubler {
	t.Helper()
	d := &doubler{dev: dev}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	d.x, err = dev.Buffer("x", int64(4*n), driver.Storage)
	must(err)
	d.y, err = dev.Buffer("y", int64(4*n), driver.Storage)
	must(err)
	d.p, err = dev.Buffer("p", 16, driver.Uniform)
	must(err)
	pipe, err := dev.Pipeline(t.Context(), "double", double, doubleLayout)
	must(err)
	g, err := dev.Group("double", pipe, []driver.Range{{Buffer: d.x}, {Buffer: d.y}, {Buffer: d.p}})
	must(err)
	cmd := driver.Command{Label: "double", Pipeline: pipe, Group: g, X: (n + 63) / 64, Y: 1, Z: 1}
	back := driver.Command{Label: "back", From: driver.Range{Buffer: d.y}, To: driver.Range{Buffer: d.x}}
	d.s, err = dev.Sequence("twice", []driver.Command{cmd, back, cmd})
	must(err)
	params := make([]byte, 16)
	binary.LittleEndian.PutUint32(params, uint32(n))
	binary.LittleEndian.PutUint32(params[4:], math.Float32bits(k))
	must(dev.Write(d.p, 0, params))
	d.made = []interface{ Release() }{d.x, d.y, d.p, pipe, g, d.s}
	return d
}

func (d *doubler) run(ctx context.Context, x []float32) ([]float32, error) {
	b := make([]byte, 4*len(x))
	for i, v := range x {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
	}
	if err := d.dev.Write(d.x, 0, b); err != nil {
		return nil, err
	}
	if err := d.dev.Submit(d.s); err != nil {
		return nil, err
	}
	if err := d.dev.Read(ctx, d.y, 0, b, time.Minute); err != nil {
		return nil, err
	}
	y := make([]float32, len(x))
	for i := range y {
		y[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return y, nil
}

func (d *doubler) release() {
	for _, r := range d.made {
		r.Release()
		r.Release() // twice does nothing
	}
}

func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	return x
}

func checkRun(ctx context.Context, d *doubler, n int, k float32) error {
	y, err := d.run(ctx, ramp(n))
	if err != nil {
		return err
	}
	for i, v := range y {
		if v != k*k*float32(i) {
			return errors.New("wrong result")
		}
	}
	return nil
}

// A sequence of dispatches and copies computes, and nothing of it is left.
func TestSequence(t *testing.T) {
	dev := open(t)
	for range 3 {
		d := newDoubler(t, dev, 1000, 3)
		if err := checkRun(t.Context(), d, 1000, 3); err != nil {
			t.Fatal(err)
		}
		if err := dev.Wait(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		d.release()
		if n := dev.Live(); n != 0 {
			t.Fatalf("%d things are left", n)
		}
	}
}

// Released buffers and groups serve the sequences that name them.
func TestReleasedParts(t *testing.T) {
	dev := open(t)
	d := newDoubler(t, dev, 64, 2)
	x := ramp(64)
	if _, err := d.run(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	d.made[3].Release() // pipeline
	d.made[4].Release() // group
	if err := checkRun(t.Context(), d, 64, 2); err != nil {
		t.Fatal(err)
	}
	d.x.Release()
	if err := dev.Write(d.x, 0, make([]byte, 4)); !driver.Is(err, driver.Invalid) {
		t.Errorf("writing a released buffer: %v", err)
	}
}

// Every mistake is an error of its kind that names the thing, and the device
// lives on.
func TestErrors(t *testing.T) {
	dev := open(t)
	ctx := t.Context()
	d := newDoubler(t, dev, 64, 2)
	pipe, group := d.made[3].(driver.Pipeline), d.made[4].(driver.Group)
	for _, c := range []struct {
		label string
		do    func(label string) error
	}{
		{"bad syntax", func(l string) error {
			_, err := dev.Pipeline(ctx, l, "fn main( {", nil)
			return err
		}},
		{"bad types", func(l string) error {
			_, err := dev.Pipeline(ctx, l, "@compute @workgroup_size(1) fn main() { var x: u32 = 1.5; }", nil)
			return err
		}},
		{"no main", func(l string) error {
			_, err := dev.Pipeline(ctx, l, "@compute @workgroup_size(1) fn other() { }", nil)
			return err
		}},
		{"short layout", func(l string) error {
			_, err := dev.Pipeline(ctx, l, double, doubleLayout[:1])
			return err
		}},
		{"large workgroup", func(l string) error {
			_, err := dev.Pipeline(ctx, l, "@compute @workgroup_size(4096) fn main() { }", nil)
			return err
		}},
		{"large buffer", func(l string) error {
			_, err := dev.Buffer(l, 1<<40, driver.Storage)
			return err
		}},
		{"odd buffer", func(l string) error {
			_, err := dev.Buffer(l, 3, driver.Storage)
			return err
		}},
		{"few ranges", func(l string) error {
			_, err := dev.Group(l, pipe, []driver.Range{{Buffer: d.x}})
			return err
		}},
		{"odd offset", func(l string) error {
			_, err := dev.Group(l, pipe, []driver.Range{{Buffer: d.x, Offset: 4}, {Buffer: d.y}, {Buffer: d.p}})
			return err
		}},
		{"beyond the buffer", func(l string) error {
			_, err := dev.Group(l, pipe, []driver.Range{{Buffer: d.x, Size: 4096}, {Buffer: d.y}, {Buffer: d.p}})
			return err
		}},
		{"uniform as storage", func(l string) error {
			_, err := dev.Group(l, pipe, []driver.Range{{Buffer: d.p}, {Buffer: d.y}, {Buffer: d.p}})
			return err
		}},
		{"read and written", func(l string) error {
			g, err := dev.Group("same", pipe, []driver.Range{{Buffer: d.x}, {Buffer: d.x}, {Buffer: d.p}})
			if err != nil {
				return driver.Errorf(driver.Invalid, l, "%v", err) // may be refused here already
			}
			_, err = dev.Sequence("s", []driver.Command{{Label: "fine", Pipeline: pipe, Group: group, X: 1, Y: 1, Z: 1},
				{Label: l, Pipeline: pipe, Group: g, X: 1, Y: 1, Z: 1}})
			return err
		}},
		{"many workgroups", func(l string) error {
			_, err := dev.Sequence("s", []driver.Command{{Label: l, Pipeline: pipe, Group: group, X: 1 << 20, Y: 1, Z: 1}})
			return err
		}},
		{"uneven copy", func(l string) error {
			_, err := dev.Sequence("s", []driver.Command{{Label: l, From: driver.Range{Buffer: d.x}, To: driver.Range{Buffer: d.y, Size: 8}}})
			return err
		}},
	} {
		err := c.do(c.label)
		if !driver.Is(err, driver.Invalid) || !strings.HasPrefix(err.Error(), c.label+": ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", c.label, err)
		}
		t.Log(err)
	}
	if err := checkRun(ctx, d, 64, 2); err != nil {
		t.Errorf("after the errors: %v", err)
	}
}

// Goroutines share a device, compile at the same time, and each gets its own
// errors.
func TestGoroutines(t *testing.T) {
	dev := open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 4 {
				d := newDoubler(t, dev, 640, float32(i))
				if err := checkRun(context.Background(), d, 640, float32(i)); err != nil {
					t.Error(i, err)
				}
				d.release()
				if _, err := dev.Pipeline(context.Background(), "wrong", "fn", nil); !driver.Is(err, driver.Invalid) {
					t.Error(i, err)
				}
			}
		})
	}
	wg.Wait()
	if n := dev.Live(); n != 0 {
		t.Errorf("%d things are left", n)
	}
}

// spin takes long, as a hanging shader would. Many workgroups do it: lavapipe
// ends a loop after 65535 rounds.
const spin = `
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var h = id.x;
  for (var i = 0u; i < 60000u; i++) { h = h * 1664525u + y[h & 63u]; }
  y[id.x & 63u] = h;
}`

// Waiting ends with the context and with patience; the work goes on.
func TestPatience(t *testing.T) {
	dev := open(t)
	y, err := dev.Buffer("y", 4*64, driver.Storage)
	if err != nil {
		t.Fatal(err)
	}
	p, err := dev.Pipeline(t.Context(), "spin", spin, []driver.Binding{driver.ReadWrite})
	if err != nil {
		t.Fatal(err)
	}
	g, err := dev.Group("spin", p, []driver.Range{{Buffer: y}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := dev.Sequence("spin", []driver.Command{{Label: "spin", Pipeline: p, Group: g, X: 200, Y: 1, Z: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Submit(s); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if err := dev.Wait(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a context that ends: %v", err)
	}
	if err := dev.Read(t.Context(), y, 0, make([]byte, 4), 5*time.Millisecond); !driver.Is(err, driver.Hang) {
		t.Errorf("without patience: %v", err)
	}
	if err := dev.Wait(t.Context(), time.Minute); err != nil {
		t.Errorf("with patience: %v", err)
	}
}

// A closed device says so.
func TestClosed(t *testing.T) {
	dev := open(t)
	d := newDoubler(t, dev, 64, 2)
	dev.Close()
	dev.Close()
	if n := dev.Live(); n != 0 {
		t.Errorf("%d things are left", n)
	}
	if _, err := d.run(t.Context(), ramp(64)); err == nil {
		t.Error("a closed device computes")
	}
	if _, err := dev.Buffer("b", 4, driver.Storage); !driver.Is(err, driver.Lost) {
		t.Errorf("a buffer of a closed device: %v", err)
	}
	d.release()
}
