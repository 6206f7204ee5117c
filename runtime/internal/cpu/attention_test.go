package cpu

import (
	"context"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

// Scores that grow without bound from chunk to chunk of the keys, or fall,
// make the kernel take its maximum again, or not.
func TestAttentionOfSteepScores(t *testing.T) {
	const d, area = 32, 3*kernels.Keys + 5
	b := plan.NewBuilder()
	p, err := b.Plan(b.Attention("a", b.Input(plan.Shape{N: 1, C: 3 * d, H: 1, W: area}), 1, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, slope := range []float32{0.01, 1, 100, 1000, -1000} {
		in := device.Input{X: make([]float32, 3*d*area), Levels: []float64{0}}
		for c := range 3 * d {
			for i := range area {
				x := float32((c*31+i*17)%23)/23 - 0.4
				if c >= d && c < 2*d {
					x = slope * float32(i) / area * (1 + x)
				}
				in.X[c*area+i] = x + 0.1
			}
		}
		want := run(t, ref.New(), p, in)
		for _, s := range kernels.All() {
			dev := NewWith(s, 2)
			if e := optest.NMSE(run(t, dev, p, in), want); !(e < 1e-7) {
				t.Errorf("%s, slope %g: normalised mean squared error %.2g", s.Name(), slope, e)
			}
			dev.Close()
		}
	}
}

func run(t *testing.T, d device.Device, p *plan.Plan, in device.Input) []float32 {
	t.Helper()
	n, err := d.Load(context.Background(), p, optest.Random(p))
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	y := make([]float32, p.Shape(p.Output).Len())
	if err := r.Run(context.Background(), in, y); err != nil {
		t.Fatal(err)
	}
	return y
}
