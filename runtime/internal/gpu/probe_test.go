package gpu

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver/drivertest"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Limits that an adapter claims are not believed: a program that needs more than
// every WebGPU has finds out whether a kernel reaches the end of it, and one that
// does not need it does not ask.
func TestLimitsAreNotBelieved(t *testing.T) {
	for channels, claimed := range map[int]bool{16: false, 48: true} { // 64 and 192 MiB in a piece
		null := drivertest.NewNull() // on which nothing is ever reached
		null.Granted.Binding, null.Granted.Buffer = 1<<30, 2<<30
		g := New(null, driver.Adapter{}, Options{}, nil).(*gpu)
		b := plan.NewBuilder()
		p, err := b.Plan(b.SiLU("s", b.Input(plan.Shape{N: 1, C: channels, H: 1024, W: 1024})))
		if err != nil {
			t.Fatal(err)
		}
		n, err := g.Load(t.Context(), p, optest.Random(p))
		if err != nil {
			t.Fatal(err)
		}
		r, err := n.Compile(p)
		var e *TooLargeError
		if errors.As(err, &e) != claimed || claimed && (!e.OutOfMemory() || !strings.Contains(err.Error(), "does not reach")) {
			t.Errorf("%d channels: error %v", channels, err)
		}
		if err == nil {
			r.Close()
		}
		n.Close()
		if g.Close(); null.Live() != 0 {
			t.Errorf("%d things are left", null.Live())
		}
	}
}

// A slow device gets shorter submits, and a tiny one no shorter ones than a
// software adapter.
func TestSlowDevicesGetShortSubmits(t *testing.T) {
	last := 0
	for _, c := range []struct {
		speed    float64
		patience int64
	}{{0, 400e9}, {60e12, 400e9}, {400e9, 50e9}, {16e9, 2e9}} {
		g := New(drivertest.NewNull(), driver.Adapter{}, Options{Speed: c.speed}, nil).(*gpu)
		if g.choose.patience != c.patience {
			t.Errorf("%g a second: submits of %d", c.speed, g.choose.patience)
		}
		p, err := unet.Build(weights.ADM256(false), 1, 256, 256)
		if err != nil {
			t.Fatal(err)
		}
		params, _ := g.store(p)
		l, err := lower(p, false, params, g.limits, g.choose)
		if err != nil {
			t.Fatal(err)
		}
		submits, work := 1, int64(0)
		for i := range l.calls {
			cost := g.choose.work(&l.calls[i])
			if cost > 4*c.patience {
				t.Errorf("%g a second: %s alone is work of %d", c.speed, l.calls[i].label(), cost)
			}
			if work+cost > c.patience {
				submits, work = submits+1, 0
			}
			work += cost
		}
		t.Logf("%g a second: %d submits", c.speed, submits)
		if submits < last {
			t.Errorf("%g a second: %d submits", c.speed, submits)
		}
		last = submits
	}
}

// clocked is a device on which everything takes a time of its own, and rounds of
// arithmetic some more.
type clocked struct {
	*drivertest.Null
	idle, busy time.Duration
	rounds     uint32
}

func (c *clocked) Write(b driver.Buffer, offset int64, data []byte) error {
	c.rounds = binary.LittleEndian.Uint32(data) // the uniforms of peak.wgsl
	return c.Null.Write(b, offset, data)
}

func (c *clocked) Times(context.Context, driver.Sequence, time.Duration) ([]time.Duration, error) {
	if c.rounds > 0 {
		return []time.Duration{c.idle + c.busy}, nil
	}
	return []time.Duration{c.idle}, nil
}

// What starting a kernel takes is not taken for its work.
func TestSpeed(t *testing.T) {
	const work = 1 << 16 * 64 * perRound
	for _, c := range []struct {
		idle, busy time.Duration
		want       float64
	}{
		{0, 10 * time.Millisecond, work / 0.01},
		{2 * time.Millisecond, 10 * time.Millisecond, work / 0.01},
		{2 * time.Millisecond, 0, work / 0.0002}, // at least
		{100 * time.Millisecond, 0, 0},
	} {
		d := &clocked{Null: drivertest.NewNull(), idle: c.idle, busy: c.busy}
		got, err := Speed(t.Context(), d)
		if err != nil || math.Abs(got-c.want) > 1e-3*c.want || d.Live() != 0 {
			t.Errorf("%v and %v more: %g a second, error %v, %d things are left", c.idle, c.busy, got, err, d.Live())
		}
	}
	g := open(t, Options{}).(*gpu)
	if s, err := Speed(t.Context(), g.dev); err != nil || s < 0 {
		t.Errorf("%g a second, error %v", s, err)
	}
}

// Probe makes and uses what it tells.
func TestProbe(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	live := g.dev.Live()
	p := Probe(t.Context(), g.dev)
	if l := g.dev.Limits(); p.Reached <= 0 || p.Reached > l.Binding || p.Allocated < p.Reached || p.Allocated > l.Buffer {
		t.Errorf("%+v of %+v", p, l)
	}
	if n := g.dev.Live(); n != live {
		t.Errorf("%d things are left", n-live)
	}
	if p := Probe(t.Context(), drivertest.NewNull()); p.Reached != 0 || p.F16 || p.Subgroups {
		t.Errorf("a device that computes nothing can do %+v", p)
	}
}
