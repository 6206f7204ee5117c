package cpu

import (
	"context"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

func benchmark(b *testing.B, side int) {
	p, err := unet.Build(small, 1, side, side)
	if err != nil {
		b.Fatal(err)
	}
	d, err := New(0)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	n, err := d.Load(context.Background(), p, optest.Random(p))
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	in := device.Input{X: make([]float32, p.Shape(p.X).Len()), Levels: []float64{500}}
	for i := range in.X {
		in.X[i] = float32(i%17)/8 - 1
	}
	y := make([]float32, p.Shape(p.Output).Len())
	for b.Loop() {
		if err := r.Run(context.Background(), in, y); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(p.FLOPs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkNetwork64(b *testing.B)  { benchmark(b, 64) }
func BenchmarkNetwork256(b *testing.B) { benchmark(b, 256) }
func BenchmarkNetwork512(b *testing.B) { benchmark(b, 512) }
