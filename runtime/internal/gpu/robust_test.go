package gpu

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/cpu"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// small are the weights of restore's network.
var small = sync.OnceValue(func() weights.Source { return optest.RandomNetwork(optest.Networks()["base"]) })

// restore walks one step over a small picture, opening and closing everything.
func restore(ctx context.Context, d device.Device, between func()) ([]float32, error) {
	sched, err := bridge.NewSchedule(bridge.Config{Interval: 100, BetaMax: 0.3, T0: 1e-4, T: 1})
	if err != nil {
		return nil, err
	}
	table, err := bridge.NewWalk(sched, bridge.WalkOptions{Sampler: bridge.Posterior, NFE: 2})
	if err != nil {
		return nil, err
	}
	w := tile.Grid(8, 8, 0, 0, 4)[0]
	p, err := unet.Build(optest.Networks()["base"], 1, w.H, w.W)
	if err != nil {
		return nil, err
	}
	n, err := d.Load(ctx, p, small())
	if err != nil {
		return nil, err
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	c, err := n.NewCanvas(device.CanvasSpec{C: 3, H: 8, W: 8, Label: -1, Table: table, Noise: bridge.NewNoise(1)})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	x1 := func(dst []float32, channel, y, x int) {
		for i := range dst {
			dst[i] = float32((channel*64+y*8+x+i)%7)/7 - 0.5
		}
	}
	if err := c.Start(x1, nil); err != nil {
		return nil, err
	}
	for k, st := range table.Steps {
		if err := c.Begin(); err != nil {
			return nil, err
		}
		if k == 1 && between != nil {
			between()
		}
		if err := c.Evaluate(ctx, r, w, st); err != nil {
			return nil, err
		}
		if err := c.Update(st, k, 0, 8); err != nil {
			return nil, err
		}
	}
	y, err := c.Result(false)
	if err != nil {
		return nil, err
	}
	return y.Pix, nil
}

// Nothing is left on the device after a restoration, nor after one that was
// cancelled between or within steps; and the device is as good as before. With
// I2SB_LONG there are a thousand.
func TestSoakNothingIsLeft(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	want, err := restore(context.Background(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	live := g.dev.Live()
	if n := len(g.pipelines.made); live != n {
		t.Fatalf("%d things are left beside %d pipelines", live-n, n)
	}
	rounds := 6
	if os.Getenv("I2SB_LONG") != "" {
		rounds = 1000
	}
	for i := range rounds {
		ctx, cancel := context.WithCancel(context.Background())
		var between func()
		switch i % 3 {
		case 1:
			between = cancel
		case 2:
			between = func() { go func() { time.Sleep(time.Duration(i%20) * time.Millisecond); cancel() }() }
		}
		got, err := restore(ctx, g, between)
		if err != nil && !errors.Is(err, context.Canceled) || err == nil && !slices.Equal(got, want) {
			t.Fatalf("restoration %d: error %v, the same picture: %v", i, err, slices.Equal(got, want))
		}
		if i%3 == 1 && err == nil {
			t.Fatal("a cancelled restoration went on")
		}
		cancel()
		if n := g.dev.Live(); n != live {
			t.Fatalf("restoration %d left %d things", i, n-live)
		}
	}
}

// Two networks and several goroutines share one device.
func TestShared(t *testing.T) {
	g := open(t, Options{})
	want, err := restore(context.Background(), g, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got, err := restore(context.Background(), g, nil); err != nil || !slices.Equal(got, want) {
				t.Errorf("error %v, the same picture: %v", err, slices.Equal(got, want))
			}
		})
	}
	wg.Wait()
}

// With one seed the GPU's picture is the CPU's, to 48 dB at least.
func TestSamePictureAsTheCPU(t *testing.T) {
	c, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want, err := restore(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := restore(t.Context(), open(t, Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for i := range want {
		sum += math.Pow(float64(got[i]-want[i]), 2)
	}
	db := 10 * math.Log10(4*float64(len(want))/sum) // from -1 to 1
	t.Logf("%.1f dB", db)
	if !(db >= 48) {
		t.Errorf("they agree to %.1f dB only", db)
	}
}

// Memory tells what the driver is asked for, to a tenth.
func TestMemoryIsTold(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	p, err := unet.Build(optest.Networks()["base"], 1, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	n, err := g.Load(context.Background(), p, optest.Random(p))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var held int64
	q := r.(*program)
	for _, b := range append(slices.Clone(q.chunks), append(q.pages, q.scratch, q.tables, q.body.uniforms)...) {
		held += b.Size()
	}
	if told := g.Memory(p, weights.F32).Total(); float64(held) > 1.1*float64(told) || float64(told) > 1.1*float64(held) {
		t.Errorf("%d bytes are told, %d are held", told, held)
	}
}

// A batch whose tensors cannot be bound in one piece is evaluated in parts, with
// the same result; Memory tells what a part takes.
func TestBatchInParts(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	p, err := unet.Build(optest.Networks()["classes"], 6, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	want := optest.Evaluate(t, g, p, optest.Random(p))
	whole := g.Memory(p, weights.F32)
	largest := int64(0)
	for _, v := range p.Values {
		largest = max(largest, 4*int64(v.Shape.Len()))
	}
	for _, c := range []struct {
		binding int64
		part    int
	}{{largest/2 + 4096, 3}, {largest / 4, 1}} {
		g.limits.Binding = c.binding
		got := optest.Evaluate(t, g, p, optest.Random(p))
		if e := optest.NMSE(got, want); !(e <= 1e-11) {
			t.Errorf("bindings of %d bytes: normalised mean squared error %.2g", c.binding, e)
		}
		params, _ := g.store(p)
		part, _, err := g.lowerParts(p, params, g.choose)
		if err != nil || part.Shape(part.X).N != c.part {
			t.Errorf("bindings of %d bytes: parts of %d, error %v", c.binding, part.Shape(part.X).N, err)
		}
		if m := g.Memory(p, weights.F32); m.Arena >= whole.Arena {
			t.Errorf("parts of %d take %d bytes of arena, the whole %d", c.part, m.Arena, whole.Arena)
		}
	}
}

// A device that offers only WebGPU's defaults, as every one of these tests asks
// for, runs ADM-256; at 64×64, for a software adapter is slow.
func TestSoakADM256(t *testing.T) {
	if os.Getenv("I2SB_LONG") == "" {
		t.Skip("minutes on a software adapter; set I2SB_LONG")
	}
	p, err := unet.Build(weights.ADM256(false), 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cpu.New(0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := optest.Evaluate(t, c, p, spread{p})
	for _, half := range []bool{true, false} {
		got := optest.Evaluate(t, open(t, Options{Half: half}), p, spread{p})
		e := optest.NMSE(got, want)
		t.Logf("halves %v: normalised mean squared error %.2g", half, e)
		if limit := map[bool]float64{false: 1e-6, true: 4e-4}[half]; !(e <= limit) {
			t.Errorf("halves %v: %.2g is above %.2g", half, e, limit)
		}
	}
}

// An error of the device names the operator.
func TestErrorsNameTheOperator(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	_, err := g.record(context.Background(), "network", []call{{file: "clear", params: params{"COUNT": 1}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "clear") {
		t.Errorf("error %v", err)
	}
}
