//go:build !js

package cpu

import (
	"context"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

func benchmarkStep(b *testing.B, n, side int) {
	p, err := unet.Build(small, n, side, side)
	if err != nil {
		b.Fatal(err)
	}
	g, err := plan.Differentiate(p, 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	d, err := New(0)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	dl, err := d.(device.Teacher).Learn(context.Background(), []*plan.Gradient{g}, optest.Random(p))
	if err != nil {
		b.Fatal(err)
	}
	defer dl.Close()
	l := dl.(*learner)
	in := device.Input{X: make([]float32, p.Shape(p.X).Len()), Levels: make([]float64, n)}
	for i := range in.X {
		in.X[i] = float32(i%17)/8 - 1
	}
	s := p.Shape(p.Output)
	target := device.Target{Label: make([]float32, s.Len()), Weight: make([]float64, n)}
	for i := range target.Weight {
		target.Weight[i] = 1 / float64(s.Len())
	}
	once := func() {
		if _, err := l.Batch(context.Background(), 0, in, target); err != nil {
			b.Fatal(err)
		}
		if _, err := l.Norm(); err != nil {
			b.Fatal(err)
		}
		if err := l.Update(device.Update{Step: 1, Rate: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Average: 0.99}); err != nil {
			b.Fatal(err)
		}
	}
	once()
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "images/s")
	b.ReportMetric(float64(len(l.arena.Bytes))/1e6, "arena-MB")
	if testing.Verbose() {
		total := map[string]time.Duration{}
		order := []string{}
		all := append([]step{l.shapes[0].ends[0]}, l.shapes[0].steps...)
		for range 5 {
			for i := range all {
				start := time.Now()
				l.run(context.Background(), all[i:i+1])
				where := "forward"
				if i-1 >= l.shapes[0].forward {
					where = "back"
				}
				total[fmt.Sprintf("%s kernel %d %T", where, all[i].kernel, all[i].op)] += time.Since(start) / 5
			}
			start := time.Now()
			l.store.pack(l.team, l.team.threads(l.asked))
			total["pack"] += time.Since(start) / 5
			start = time.Now()
			l.Norm()
			total["norm"] += time.Since(start) / 5
			start = time.Now()
			l.Update(device.Update{Step: 1, Rate: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Average: 0.99})
			total["update"] += time.Since(start) / 5
			start = time.Now()
			l.Update(device.Update{Step: 1, Rate: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Average: 0.99, Muon: 0.95})
			total["update by Muon"] += time.Since(start) / 5
			start = time.Now()
			l.shapes[0].loss(l.arena.Floats(), target)
			total["loss"] += time.Since(start) / 5
		}
		var sum time.Duration
		for k, v := range total {
			order = append(order, k)
			sum += v
		}
		sort.Slice(order, func(i, j int) bool { return total[order[i]] > total[order[j]] })
		for _, k := range order {
			fmt.Printf("%8.2f ms  %s\n", total[k].Seconds()*1e3, k)
		}
		fmt.Printf("%8.2f ms  sum, %d steps\n", sum.Seconds()*1e3, len(all))
	}
}

func BenchmarkStep16x64(b *testing.B) { benchmarkStep(b, 16, 64) }
func BenchmarkStep4x128(b *testing.B) { benchmarkStep(b, 4, 128) }
