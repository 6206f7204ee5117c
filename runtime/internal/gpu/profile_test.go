package gpu

import (
	"slices"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// What starting a command costs is not taken for its work.
func TestWithoutStarts(t *testing.T) {
	const start, idle = 100 * time.Microsecond, 20 * time.Microsecond
	want := []time.Duration{8 * time.Millisecond, 10000, 10000, 5 * time.Millisecond, 0, 900000}
	whole := idle
	var got []time.Duration
	for _, d := range want {
		got = append(got, start+d)
		whole += d
	}
	withoutStarts(got, whole, idle)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	one := []time.Duration{time.Millisecond}
	withoutStarts(one, 2*time.Millisecond, idle)
	if one[0] != time.Millisecond-idle {
		t.Errorf("a single command took %v", one[0])
	}
}

// A profile has a time for every call, and the result of Run.
func TestProfile(t *testing.T) {
	p, err := unet.Build(optest.Networks()["base"], 1, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	n, err := open(t, Options{}).Load(t.Context(), p, optest.Random(p))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	in := device.Input{X: make([]float32, p.Shape(p.X).Len()), Levels: []float64{3}}
	for i := range in.X {
		in.X[i] = float32(i%11)/11 - 0.5
	}
	want, got := make([]float32, p.Shape(p.Output).Len()), make([]float32, p.Shape(p.Output).Len())
	if err := r.Run(t.Context(), in, want); err != nil {
		t.Fatal(err)
	}
	kernels, err := r.(device.KernelProfiler).Kernels(t.Context(), in, got)
	calls := 0
	for _, k := range kernels {
		calls += k.Calls
	}
	if all := len(r.(*program).lowered.calls); err != nil || calls != all || !slices.Equal(got, want) {
		t.Errorf("%d of %d calls, error %v, the result of Run: %v", calls, all, err, slices.Equal(got, want))
	}
}
