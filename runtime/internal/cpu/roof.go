package cpu

import (
	"context"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
)

// Roof implements device.Measurer: the best of some runs of both kernels, on all
// threads.
func (d *cpu) Roof(ctx context.Context) (device.Roof, error) {
	const (
		args   = 64
		bytes  = 1 << 27 // more than the last cache of most processors
		rounds = 1 << 12
		times  = 12
	)
	n := d.team.threads(d.asked)
	if err := d.team.prepare(n, 4*64); err != nil {
		return device.Roof{}, err
	}
	m, err := d.set.Alloc(args + bytes)
	if err != nil {
		return device.Roof{}, err
	}
	defer d.set.Free(m)
	x := m.Slice(args).Floats()
	for i := 0; i < len(x); i += 1024 { // every page is memory of its own
		x[i] = 1
	}
	kernels.Put(m, 0, &kernels.Roof{X: m.Addr + args, Bytes: bytes, Rounds: rounds})
	best := func(k kernels.Kernel, items int) float64 {
		least := time.Duration(1<<63 - 1)
		for range times {
			start := time.Now()
			d.team.run(n, k, m.Addr, items)
			least = min(least, time.Since(start))
		}
		return least.Seconds()
	}
	const items = 1 << 8
	flops := float64(items*rounds*kernels.PeakFLOPs(d.set.Vector())) / best(kernels.Peak, items*n) * float64(n)
	return device.Roof{FLOPs: flops, Bytes: bytes / best(kernels.Stream, bytes/kernels.Streamed)}, ctx.Err()
}
