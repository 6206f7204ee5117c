package cpu

import (
	"context"
	"fmt"
	"os"
	"sort"
	"testing"
	"time"

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
	if os.Getenv("PROFILE") != "" {
		profile(r.(*program))
	}
}

func profile(r *program) {
	n := threads(r.asked)
	type row struct {
		name string
		t    time.Duration
		fl   int64
	}
	rows := make([]row, len(r.lowered.steps))
	const reps = 15
	for i, s := range r.lowered.steps {
		rows[i].name = fmt.Sprintf("k%d items %d", s.kernel, s.items)
		if s.op != nil {
			rows[i].name = fmt.Sprintf("%-40s %v %T k%d items %d", s.op.Name(), r.lowered.p.Shape(s.op.Out()), s.op, s.kernel, s.items)
			rows[i].fl = s.op.FLOPs(r.lowered.p)
		}
		if s.host != nil {
			continue
		}
		var ts []time.Duration
		for range reps {
			t := time.Now()
			r.team.run(n, s.kernel, s.args, s.items)
			ts = append(ts, time.Since(t))
		}
		sort.Slice(ts, func(i, j int) bool { return ts[i] < ts[j] })
		rows[i].t = ts[reps/2]
	}
	var total time.Duration
	for _, r := range rows {
		total += r.t
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].t > rows[j].t })
	fmt.Println("total", total)
	for _, r := range rows[:min(len(rows), 60)] {
		fmt.Printf("%9.3f ms %7.1f GFLOP/s %s\n", r.t.Seconds()*1e3, float64(r.fl)/r.t.Seconds()/1e9, r.name)
	}
}

func BenchmarkNetwork64(b *testing.B)  { benchmark(b, 64) }
func BenchmarkNetwork256(b *testing.B) { benchmark(b, 256) }
func BenchmarkNetwork512(b *testing.B) { benchmark(b, 512) }
