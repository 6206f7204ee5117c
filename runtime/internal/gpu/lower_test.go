package gpu

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/shaders"
	"github.com/i2sb-go/i2sb/weights"
)

// lowerNetwork lowers a network for a device of WebGPU's default limits.
func lowerNetwork(t testing.TB, net weights.Network, n, h, w int, half bool, c chooser) (*plan.Plan, *lowered, []int64) {
	t.Helper()
	p, err := unet.Build(net, n, h, w)
	if err != nil {
		t.Fatal(err)
	}
	params, chunks := store(p, half, driver.Defaults.Binding, chunkOf(driver.Defaults))
	l, err := lower(p, half, params, driver.Defaults, c)
	if err != nil {
		t.Fatal(err)
	}
	return p, l, chunks
}

// ADM-256 at its own size runs on a device that offers nothing but WebGPU's
// defaults: from the plan, every binding is at most 128 MiB, every buffer at
// most 256 MiB, every dispatch at most 65535 workgroups a side, and with halves
// all memory is within 2 GB.
func TestDefaultLimits(t *testing.T) {
	d := driver.Defaults
	for _, c := range []chooser{realDevice, softwareDevice} {
		for _, half := range []bool{false, true} {
			_, l, chunks := lowerNetwork(t, weights.ADM256(false), 1, 256, 256, half, c)
			kernels, largest := within(t, l, chunks)
			if l.page > d.Buffer || l.scratch > d.Buffer {
				t.Errorf("pages of %d, a scratch of %d bytes", l.page, l.scratch)
			}
			for _, n := range chunks {
				if n > d.Buffer {
					t.Errorf("a chunk of weights of %d bytes", n)
				}
			}
			m := l.memory()
			m.Weights = total(chunks)
			if half && m.Total() > 2e9 {
				t.Errorf("ADM-256 takes %d bytes with halves", m.Total())
			}
			if len(kernels) > 60 {
				t.Errorf("%d pipelines", len(kernels))
			}
			for _, line := range counted(l) {
				t.Log(line)
			}
			t.Logf("half %v: weights %d MiB, arena %d MiB, scratch %d MiB, largest binding %d MiB, %d calls of %d kernels", half,
				m.Weights>>20, m.Arena>>20, m.Scratch>>20, largest>>20, len(l.calls), len(kernels))
		}
	}
}

// counted are the calls, arithmetic and bytes of each kernel, for RATIONALE.md.
func counted(l *lowered) (lines []string) {
	type sum struct {
		calls        int
		flops, bytes int64
	}
	sums := map[string]sum{}
	for i := range l.calls {
		c := &l.calls[i]
		name := c.file
		if c.consts["RAW"] == 2 {
			name = "winograd " + name
		}
		s := sums[name]
		sums[name] = sum{s.calls + 1, s.flops + c.flops, s.bytes + c.bytes()}
	}
	for name, s := range sums {
		lines = append(lines, fmt.Sprintf("%-20s %4d calls %7.1f GFLOP %7.1f MB", name, s.calls, float64(s.flops)/1e9, float64(s.bytes)/1e6))
	}
	slices.Sort(lines)
	return lines
}

// A weight that cannot be bound in one piece is cut by output channels.
func TestWeightPieces(t *testing.T) {
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: 1, C: 20, H: 4, W: 4}), 30, 3, 1, false))
	if err != nil {
		t.Fatal(err)
	}
	params, chunks := store(p, false, 32*9*16*3, 20000)
	w := params[0]
	if len(w.pieces) != 3 || w.pieces[2].o0 != 6 || w.pieces[2].blocks != 2 || len(chunks) != 3 {
		t.Fatalf("%+v in %v", w, chunks)
	}
}

// What does not fit is an error that says so, and Memory tells it too.
func TestTooLarge(t *testing.T) {
	p, err := unet.Build(optest.Networks()["base"], 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	limits := driver.Defaults
	limits.Binding = 64 << 10
	params, _ := store(p, false, limits.Binding, chunkOf(limits))
	_, err = lower(p, false, params, limits, realDevice)
	var large *TooLargeError
	if !errors.As(err, &large) || !strings.Contains(err.Error(), "smaller tiles") {
		t.Fatalf("error %v", err)
	}
}

// within holds every call against WebGPU's defaults.
func within(t *testing.T, l *lowered, chunks []int64) (kernels map[string]*shaders.Kernel, largest int64) {
	t.Helper()
	d := driver.Defaults
	kernels = map[string]*shaders.Kernel{}
	for i := range l.calls {
		c := &l.calls[i]
		key := variant(c.file, c.consts)
		k := kernels[key]
		if k == nil && c.copyOf.size == 0 {
			var err error
			if k, err = shaders.Make(c.file, c.consts); err != nil {
				t.Fatal(err)
			}
			kernels[key] = k
			if len(k.Bindings) > d.StorageBuffers {
				t.Errorf("%s binds %d buffers", key, len(k.Bindings))
			}
		}
		for _, b := range k.Bindings {
			o, ok := c.in[b.Name]
			if !ok {
				t.Fatalf("%s: nothing is bound to %s", c.label(), b.Name)
			}
			largest = max(largest, o.size)
			if o.size > d.Binding || o.at%256 != 0 || o.size%4 != 0 || o.size <= 0 {
				t.Errorf("%s: %s is %d bytes at %d", c.label(), b.Name, o.size, o.at)
			}
			if size := l.page; o.space == arena && o.at/size != (o.at+o.size-1)/size {
				t.Errorf("%s: %s lies across pages", c.label(), b.Name)
			}
			if o.space == weight && o.at%chunkOf(d)+o.size > chunks[o.at/chunkOf(d)] {
				t.Errorf("%s: %s leaves its chunk", c.label(), b.Name)
			}
		}
		if c.x > d.Workgroups || c.y > d.Workgroups || c.z > d.Workgroups || c.x < 1 || c.y < 1 || c.z < 1 {
			t.Errorf("%s: %d×%d×%d workgroups", c.label(), c.x, c.y, c.z)
		}
		if _, err := encode(k, c.params); err != nil {
			t.Errorf("%s: %v", c.label(), err)
		}
	}
	return kernels, largest
}

// Training a small network, and steps of ADM-256, stay within the defaults
// too.
func TestDefaultLimitsOfTraining(t *testing.T) {
	for name, c := range map[string]struct {
		net     weights.Network
		n, side int
	}{"the tests' base": {optest.Networks()["base"], 16, 64}, "ADM-256": {weights.ADM256(false), 1, 256}} {
		for _, ch := range []chooser{realDevice, softwareDevice} {
			p, err := unet.Build(c.net, c.n, c.side, c.side)
			if err != nil {
				t.Fatal(err)
			}
			g, err := plan.Differentiate(p, 0, nil)
			if err != nil {
				t.Fatal(err)
			}
			g = g.Join(apart)
			params, chunks := store(&g.Plan, false, driver.Defaults.Binding, chunkOf(driver.Defaults))
			l, err := lowerGradient(g, params, driver.Defaults, ch)
			if err != nil {
				t.Fatal(err)
			}
			kernels, largest := within(t, l.lowered, chunks)
			t.Logf("%s: %d calls of %d kernels, activations %d MiB, scratch %d MiB, largest binding %d MiB", name, len(l.calls), len(kernels), l.arena>>20, l.scratch>>20, largest>>20)
		}
	}
}
