package gpu

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver/drivertest"
)

var kindsOfFault = []driver.Kind{driver.Invalid, driver.Memory, driver.Lost, driver.Hang}

// failing makes a device whose n-th call fails with a kind: once, unless that is
// Lost.
func failing(inner driver.Device, n int, kind driver.Kind) *drivertest.Faulty {
	return &drivertest.Faulty{Device: inner, Fail: func(call, label string, i int) error {
		if i == n {
			return driver.Errorf(kind, label, "provoked in %s", call)
		}
		return nil
	}}
}

// Whichever call of a restoration fails, and however, the error is of that
// kind, nothing but pipelines is left, the device is usable again where it was
// not lost, and after Close nothing is left at all. Of a device's first
// restoration every tenth call is tried, of later ones, which have their
// pipelines, every one.
func TestEveryCallMayFail(t *testing.T) {
	fresh := func(fail func(n int) error) (*gpu, *drivertest.Faulty, *drivertest.Null) {
		null := drivertest.NewNull()
		f := &drivertest.Faulty{Device: null, Fail: func(_, label string, n int) error { return fail(n) }}
		return New(f, driver.Adapter{Name: "null"}, Options{}, nil).(*gpu), f, null
	}
	g, f, _ := fresh(func(int) error { return nil })
	var calls [3]int // before the first restoration, before the second, after it
	for i := range 2 {
		if _, err := restore(t.Context(), g, nil); err != nil {
			t.Fatal(err)
		}
		calls[i+1] = f.Calls()
	}
	first, later := calls[1], calls[2]-calls[1]
	t.Logf("a device's first restoration is %d calls, the next %d", first, later)
	if later < 200 || first < later {
		t.Fatal("so few calls cannot be")
	}
	try := func(g *gpu, null *drivertest.Null, n int, kind driver.Kind) {
		t.Helper()
		_, err := restore(t.Context(), g, nil)
		if !driver.Is(err, kind) || !strings.Contains(err.Error(), "provoked") || strings.Contains(err.Error(), "\n") {
			t.Fatalf("call %d, kind %d: error %v", n, kind, err)
		}
		if made := len(g.pipelines.made); null.Live() != made {
			t.Fatalf("call %d, %v: %d things are left beside %d pipelines", n, err, null.Live()-made, made)
		}
	}
	for n := 0; n < first; n += 10 {
		kind := kindsOfFault[n/10%4]
		at := n
		g, _, null := fresh(func(i int) error {
			if i == at {
				return driver.Errorf(kind, "", "provoked")
			}
			return nil
		})
		try(g, null, n, kind)
		_, err := restore(t.Context(), g, nil)
		if kind == driver.Lost && !driver.Is(err, driver.Lost) || kind != driver.Lost && err != nil {
			t.Fatalf("call %d, kind %d: the next restoration's error is %v", n, kind, err)
		}
		if g.Close(); null.Live() != 0 {
			t.Fatalf("call %d, kind %d: %d things are left after Close", n, kind, null.Live())
		}
	}
	at, kind := -1, driver.Invalid
	g, f, null := fresh(func(i int) error {
		if i == at {
			return driver.Errorf(kind, "", "provoked")
		}
		return nil
	})
	if _, err := restore(t.Context(), g, nil); err != nil {
		t.Fatal(err)
	}
	for n := range later {
		at, kind = f.Calls()+n, []driver.Kind{driver.Invalid, driver.Memory, driver.Hang}[n%3]
		try(g, null, n, kind)
	}
	if _, err := restore(t.Context(), g, nil); err != nil {
		t.Fatal(err)
	}
	at, kind = f.Calls()+later/2, driver.Lost
	try(g, null, later/2, kind)
	if g.Close(); null.Live() != 0 {
		t.Fatalf("%d things are left after Close", null.Live())
	}
}

// An error that comes while the device works names the operators that ran, and
// one of making things the operator that they are for.
func TestFaultsNameOperators(t *testing.T) {
	open := func(fail func(call, label string) error) *gpu {
		return New(&drivertest.Faulty{Device: drivertest.NewNull(), Fail: func(call, label string, _ int) error { return fail(call, label) }}, driver.Adapter{}, Options{}, nil).(*gpu)
	}
	all := map[string]int{}
	if _, err := restore(t.Context(), open(func(call, _ string) error { all[call]++; return nil }), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		call string
		last int // the last call is 1, the one before it 2
		kind driver.Kind
		want []string
	}{
		{"Pipeline", 1, driver.Memory, []string{"gather|scatter|advance", "memory"}},
		{"Pipeline", 8, driver.Invalid, []string{": the GPU refuses"}},
		{"Group", 20, driver.Memory, []string{"output_blocks.", "memory"}},
		{"Submit", 3, driver.Lost, []string{"lost", "network: import to export"}},
		{"Wait", 1, driver.Hang, []string{"does not answer", "scatter"}},
		{"Wait", 3, driver.Hang, []string{"does not answer", "out.2.weight: unpack"}},
		{"Read", 1, driver.Lost, []string{"lost", "advance"}},
		{"Write", 30, driver.Lost, []string{"output_blocks.", "lost"}},
	} {
		seen := 0
		g := open(func(call, label string) error {
			if call == c.call {
				if seen++; seen == all[call]+1-c.last {
					return driver.Errorf(c.kind, label, "provoked")
				}
			}
			return nil
		})
		_, err := restore(t.Context(), g, nil)
		g.Close()
		for _, w := range c.want {
			if err == nil || !regexp.MustCompile(w).MatchString(err.Error()) {
				t.Errorf("%s %d: error %v does not say %q", c.call, c.last, err, w)
			}
		}
	}
}

// The same on a device that computes: after a fault that is not a loss the
// picture comes out as ever, and so it does on a device opened afresh after a
// loss. Some calls only, for it takes its time.
func TestFaultsOnADevice(t *testing.T) {
	want, err := restore(t.Context(), open(t, Options{}), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range []float64{0.02, 0.5, 0.9, 0.97, 0.999} {
		for _, kind := range []driver.Kind{kindsOfFault[i%4], driver.Lost} {
			g := open(t, Options{}).(*gpu)
			if _, err := restore(t.Context(), g, nil); err != nil { // makes the pipelines
				t.Fatal(err)
			}
			count := &drivertest.Faulty{Device: g.dev}
			g.dev = count
			if _, err := restore(t.Context(), g, nil); err != nil {
				t.Fatal(err)
			}
			f := failing(count.Device, int(part*float64(count.Calls())), kind)
			g.dev = f
			before := f.Live()
			if _, err := restore(t.Context(), g, nil); !driver.Is(err, kind) {
				t.Fatalf("kind %d: error %v", kind, err)
			}
			if f.Live() != before {
				t.Errorf("kind %d: %d things are left", kind, f.Live()-before)
			}
			if kind == driver.Lost {
				g.Close()
				g = open(t, Options{}).(*gpu)
			}
			got, err := restore(t.Context(), g, nil)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("kind %d: afterwards: error %v, the same picture: %v", kind, err, slices.Equal(got, want))
			}
		}
	}
}

// A pipeline that could not be made for want of memory is made the next time.
func TestPipelineIsTriedAgain(t *testing.T) {
	f := failing(drivertest.NewNull(), 0, driver.Memory)
	g := New(f, driver.Adapter{}, Options{}, nil).(*gpu)
	defer g.Close()
	c := []call{{file: "clear"}}
	if err := g.compile(context.Background(), c); !driver.Is(err, driver.Memory) {
		t.Fatalf("error %v", err)
	}
	if err := g.compile(context.Background(), c); err != nil {
		t.Error(err)
	}
}
