package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/shaders"
)

// Kernels implements device.KernelProfiler.
func (r *program) Kernels(ctx context.Context, in device.Input, y []float32) ([]device.Kernel, error) {
	byName := map[string]device.Kernel{}
	err := r.profile(ctx, in, y, func(c *call, d time.Duration) {
		name := c.file
		if c.file == "conv" || c.file == "conv_bare" {
			name = fmt.Sprintf("%s %d×%d", c.file, c.consts["BM"], 4*c.consts["BN"])
			switch {
			case c.consts["RAW"] == 2:
				name = "winograd " + name
			case c.consts["K"] > 1:
				name += " 3×3"
			}
		}
		k := byName[name]
		byName[name] = device.Kernel{Name: name, Calls: k.Calls + 1, Time: k.Time + d, FLOPs: k.FLOPs + c.flops, Bytes: k.Bytes + c.bytes()}
	})
	return slices.SortedFunc(maps.Values(byName), func(a, b device.Kernel) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Name, b.Name))
	}), err
}

// Roof implements device.Measurer: multiply-adds in registers, and a copy.
func (g *gpu) Roof(ctx context.Context) (device.Roof, error) {
	bytes, scale := int64(64<<20), 16
	if g.about.Software {
		bytes, scale = 16<<20, 1
	}
	threads, rounds := 1<<14*scale, 64*scale
	arithmetic, err := g.arithmetic(ctx, threads, rounds)
	if err != nil {
		return device.Roof{}, err
	}
	x := operand{scratch, 0, bytes}
	y := operand{arena, 0, bytes}
	vectors := int(bytes / 16)
	memory, err := g.measure(ctx, x, y, call{file: "stream", consts: shaders.Constants{}, in: operands{"x": x, "y": y},
		params: params{"STRIDE": vectors / 4}, x: vectors / 4 / 256, y: 1, z: 1})
	return device.Roof{FLOPs: float64(threads) * float64(rounds) * perRound / arithmetic.Seconds(), Bytes: 2 * float64(bytes) / memory.Seconds()}, err
}

// perRound is the multiplications and additions that a thread of peak.wgsl does in a
// round.
const perRound = 32 * 8

// arithmetic is how long so many threads take for so many rounds.
func (g *gpu) arithmetic(ctx context.Context, threads, rounds int) (time.Duration, error) {
	x, y := operand{scratch, 0, 256}, operand{arena, 0, int64(16 * threads)}
	return g.measure(ctx, x, y, call{file: "peak", consts: shaders.Constants{}, in: operands{"y": y},
		params: params{"ROUNDS": rounds, "A": float32(0.5), "B": float32(0.25)}, x: threads / 256, y: 1, z: 1})
}

// Speed is about how many multiplications and additions a second a device does,
// or fewer if it is so fast that starting a kernel counts; 0 where the clock is
// too coarse to tell, as in browsers that look for finished work now and then. It
// takes some thousandths of a second where a second takes a million million.
func Speed(ctx context.Context, d driver.Device) (flops float64, err error) {
	g := &gpu{dev: d, limits: d.Limits(), choose: realDevice}
	defer g.pipelines.release()
	const threads, rounds = 1 << 16, 64
	idle, err := g.arithmetic(ctx, threads, 0)
	if err != nil || idle > 20*time.Millisecond {
		return 0, err
	}
	busy, err := g.arithmetic(ctx, threads, rounds)
	return threads * rounds * perRound / max(busy-idle, idle/10, time.Microsecond).Seconds(), err
}

// measure is the shortest of a few runs of a call on buffers of its own.
func (g *gpu) measure(ctx context.Context, x, y operand, c call) (best time.Duration, err error) {
	var mine owned
	defer mine.release()
	var buffers [2]driver.Buffer
	for i, o := range []operand{x, y} {
		b, err := g.dev.Buffer("measured", o.size, driver.Storage)
		if buffers[i], err = keep(&mine, b, err); err != nil {
			return 0, err
		}
	}
	r, err := g.record(ctx, c.file, []call{c}, func(o operand) driver.Range {
		return driver.Range{Buffer: buffers[flag(o.space == y.space)], Offset: o.at, Size: o.size}
	})
	if err != nil {
		return 0, err
	}
	mine = append(mine, &r.owned)
	return g.best(ctx, r, 5)
}

// best is the shortest of several runs of a recording.
func (g *gpu) best(ctx context.Context, r *recording, runs int) (best time.Duration, err error) {
	for i := range runs + 1 {
		d, err := g.timed(ctx, r)
		if err != nil {
			return 0, err
		}
		if i == 1 || i > 1 && d < best { // the first warms up
			best = d
		}
	}
	return max(best, time.Nanosecond), nil
}

// timed runs a recording once, by the device's clock where it has one.
func (g *gpu) timed(ctx context.Context, r *recording) (all time.Duration, err error) {
	for _, s := range r.sequences {
		times, err := g.dev.Times(ctx, s, patience)
		if errors.Is(err, errors.ErrUnsupported) {
			start := time.Now()
			if err := g.dev.Submit(s); err != nil {
				return 0, err
			}
			if err := g.wait(ctx); err != nil {
				return 0, err
			}
			times = []time.Duration{time.Since(start)}
		} else if err != nil {
			return 0, err
		}
		for _, d := range times {
			all += d
		}
	}
	return all, nil
}
