package devices

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// ranks orders the types of adapters.
var ranks = map[string]int{"discrete": 3, "integrated": 2, "other": 1}

// choose finds the adapter that a name means: "" the best real one, "gpu" the
// best one, "gpu:N" the N-th, else the first whose name holds the name.
func choose(name string, as []driver.Adapter) (int, error) {
	names := make([]string, len(as))
	for i, a := range as {
		names[i] = fmt.Sprintf("gpu:%d is %s", i, a.Name)
	}
	there := "there is no GPU; install the graphics card's Vulkan driver (mesa-vulkan-drivers for a software one)"
	if len(as) > 0 {
		there = strings.Join(names, ", ")
	}
	if name != "" && name != "gpu" {
		n, number := strings.CutPrefix(name, "gpu:")
		if number {
			i, err := strconv.Atoi(n)
			if err == nil && i >= 0 && i < len(as) {
				return i, nil
			}
			return 0, fmt.Errorf("there is no such adapter: %s", there)
		}
		for i, a := range as {
			if strings.Contains(strings.ToLower(a.Name), strings.ToLower(name)) {
				return i, nil
			}
		}
		return 0, fmt.Errorf("no such device; there are auto, cpu, gpu, gpu:N, ref and names of GPUs: %s", there)
	}
	best := -1
	for i, a := range as {
		if a.Software && name == "" {
			continue
		}
		if best < 0 || rank(a) > rank(as[best]) {
			best = i
		}
	}
	if best < 0 {
		return 0, fmt.Errorf("%s", there)
	}
	return best, nil
}

func rank(a driver.Adapter) int {
	if a.Software {
		return 0
	}
	return max(1, ranks[a.Type])
}

// openGPU opens the adapter that a name means.
func openGPU(name string, o Options) (device.Device, error) {
	ctx := context.Background()
	d, as, err := adapters(ctx)
	if err != nil {
		if name != "" && name != "gpu" && !strings.HasPrefix(name, "gpu:") {
			return nil, fmt.Errorf("no such device; there are auto, cpu and ref, and no GPU: %w", err)
		}
		return nil, err
	}
	i, err := choose(name, as)
	if err != nil {
		d.Close()
		return nil, err
	}
	g, err := openAdapter(ctx, d, i, as[i], o)
	if err != nil {
		d.Close()
		return nil, err
	}
	return g, nil
}

// want is what is asked of an adapter beyond the least that every one has.
func want(a driver.Adapter) driver.Want {
	return driver.Want{Limits: driver.Limits{Buffer: a.Limits.Buffer, Binding: a.Limits.Binding}, Features: a.Features}
}

// openAdapter opens the i-th adapter; closing the device closes the driver.
func openAdapter(ctx context.Context, d driver.Driver, i int, a driver.Adapter, o Options) (device.Device, error) {
	h, err := d.Device(ctx, i, want(a))
	if err != nil {
		return nil, err
	}
	q := gpu.Options{Library: d.Name(), Half: o.Precision == "f16", Tune: !o.NoTune && !a.Software && runtime.GOOS != "js"}
	if !a.Software {
		if q.Speed, err = gpu.Speed(ctx, h); err != nil {
			h.Close()
			return nil, err
		}
	}
	if o.Precision == "" || o.Precision == "auto" {
		q.Half, q.Why = prefersHalf(ctx, h, a)
	}
	if dir, err := os.UserCacheDir(); err == nil {
		q.Cache = filepath.Join(dir, "i2sb")
	}
	return gpu.New(h, a, q, d.Close), nil
}

// auto opens the best real GPU and says why it is taken, or why none is; the
// error is that of one that cannot be opened, and why its name.
func auto(o Options) (g device.Device, why string, failed error) {
	ctx := context.Background()
	d, as, err := adapters(ctx)
	if err != nil {
		return nil, err.Error(), nil
	}
	i, why := best(as)
	if i < 0 {
		d.Close()
		return nil, why, nil
	}
	if g, failed = openAdapter(ctx, d, i, as[i], o); failed != nil {
		d.Close()
		return nil, as[i].Name, failed
	}
	return g, why, nil
}

// best is the adapter that auto takes, and why; or -1, and why the CPU.
func best(as []driver.Adapter) (int, string) {
	i, err := choose("", as)
	switch {
	case err == nil && len(as) == 1:
		return i, "it is the only GPU, and real"
	case err == nil:
		return i, fmt.Sprintf("of %d adapters it is the first %s one", len(as), cmp.Or(as[i].Type, "real"))
	case len(as) > 0:
		return -1, "there are only software adapters, which are no faster than the processor's own kernels"
	}
	return -1, err.Error()
}

// prefersHalf chooses halves where they were measured to be clearly faster, and
// says why.
func prefersHalf(ctx context.Context, h driver.Device, a driver.Adapter) (bool, string) {
	if a.Software { // i2sb-run devices measures there too
		return false, "arithmetic is what costs a processor"
	}
	speed, err := gpu.HalfSpeed(ctx, h, a)
	if err != nil {
		return false, fmt.Sprintf("halves could not be measured: %v", err)
	}
	return speed > 1.3, fmt.Sprintf("halves move %.1f times as fast", speed)
}

func adapters(ctx context.Context) (driver.Driver, []driver.Adapter, error) {
	d, err := driver.Open()
	if err != nil {
		return nil, nil, err
	}
	as, err := d.Adapters(ctx)
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return d, as, nil
}

// GPU is an adapter and what it was seen to do.
type GPU struct {
	driver.Adapter
	gpu.Probed
	Library string // WebGPU's, with its version
	Err     error  // it cannot be opened
}

// GPUs lists the adapters and probes each. Auto is the one that auto takes, or
// -1, and why says why. The error says what is missing.
func GPUs(ctx context.Context) (all []GPU, auto int, why string, err error) {
	d, as, err := adapters(ctx)
	if err != nil {
		return nil, -1, err.Error(), err
	}
	defer d.Close()
	auto, why = best(as)
	for i, a := range as {
		g := GPU{Adapter: a, Library: d.Name()}
		h, err := d.Device(ctx, i, want(a))
		if g.Err = err; err == nil {
			g.Probed = gpu.Probe(ctx, h)
			g.HalfSpeed, g.Err = gpu.HalfSpeed(ctx, h, a)
			h.Close()
		} else if i == auto {
			auto, why = -1, fmt.Sprintf("%s cannot be opened: %v", a.Name, err)
		}
		all = append(all, g)
	}
	return all, auto, why, ctx.Err()
}
