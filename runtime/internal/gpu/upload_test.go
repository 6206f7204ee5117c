package gpu

import (
	"bytes"
	"math"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver/drivertest"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// floats hides that a source can give its tensors as they are stored.
type floats struct{ weights.Source }

// crumbs gives tensors in parts that end anywhere between elements. After off
// bytes, if that is not 0, or beyond the end if it is negative, something is wrong.
type crumbs struct {
	*weights.Pack
	off int
}

func (c crumbs) Chunks(name string, f func([]byte) error) error {
	var all []byte
	c.Pack.Chunks(name, func(part []byte) error { all = append(all, part...); return nil })
	if c.off < 0 {
		all = append(all, 0, 0, 0, 0)
	} else if c.off > 0 {
		all = all[:min(len(all), c.off)]
	}
	for i := 6; len(all) > 0; i += 26 {
		n := min(len(all), i)
		if err := f(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// held reads all weights back.
func held(t *testing.T, g *gpu, p *plan.Plan, src weights.Source) []byte {
	t.Helper()
	loaded, err := g.Load(t.Context(), p, src)
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	var all []byte
	for _, c := range loaded.(*network).chunks {
		b := make([]byte, c.Size())
		if err := g.dev.Read(t.Context(), c, 0, b, patience); err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// What the device unpacks is bit for bit what the host would have decoded,
// however it is cut: in transfer, in stages, in pieces.
func TestUnpack(t *testing.T) {
	b := plan.NewBuilder()
	x := b.Conv("a", b.Input(plan.Shape{N: 1, C: 5, H: 4, W: 4}), 70, 3, 1, false)
	x = b.Conv("c", b.Conv("b", x, 270, 1, 1, false), 6, 3, 1, false)
	p, err := b.Plan(b.AddChannels("d", x, b.Linear("e", b.Time(1, 9), 6, true)))
	if err != nil {
		t.Fatal(err)
	}
	for _, half := range []bool{false, true} {
		g := open(t, Options{Half: half}).(*gpu)
		for _, in := range []weights.DType{weights.F32, weights.F16, weights.BF16, weights.I8} {
			pack := optest.Packed(t, optest.Random(p), in)
			for _, binding := range []int64{g.limits.Binding, 100 << 10} {
				g.limits.Binding = binding
				want := held(t, g, p, floats{pack})
				for _, src := range []weights.Source{pack, crumbs{pack, 0}} {
					if got := held(t, g, p, src); !bytes.Equal(got, want) {
						t.Errorf("halves %v, %v, bindings of %d bytes, %T: the weights differ", half, in, binding, src)
					}
				}
			}
			g.limits = g.dev.Limits()
		}
	}
}

// Every finite half and bfloat16 (but subnormal ones) and every int8 is what the
// host makes of it.
func TestUnpackEveryValue(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: 1, C: 256, H: 1, W: 1}), 256, 1, 1, false))
	if err != nil {
		t.Fatal(err)
	}
	for d, value := range map[weights.DType]func(i int) float64{
		weights.F16: func(i int) float64 {
			if e := i >> 10 & 31; e == 0 {
				return math.Ldexp(float64(i&1023), -24)
			} else if e < 31 {
				return math.Ldexp(float64(i&1023+1024), e-25)
			}
			return 1
		},
		weights.BF16: func(i int) float64 {
			if e := i >> 7 & 255; e > 0 && e < 255 {
				return math.Ldexp(float64(i&127+128), e-134)
			}
			return 1
		},
		weights.I8: func(i int) float64 { return float64(i%128) * math.Exp(float64(i>>8)/10) },
	} {
		v := make([]float32, 1<<16)
		for i := range v {
			v[i] = float32(math.Copysign(value(i), float64(1<<14-i%(1<<15))))
			if d != weights.I8 {
				v[i] = float32(math.Copysign(value(i), float64(1<<15-1-i)))
			}
		}
		src, err := weights.NewMemory([]weights.Info{{Name: p.Params[0].Name, Shape: p.Params[0].Shape}, {Name: p.Params[1].Name, Shape: p.Params[1].Shape}}, [][]float32{v, v[:256]})
		if err != nil {
			t.Fatal(err)
		}
		pack := optest.Packed(t, src, d)
		if !bytes.Equal(held(t, g, p, pack), held(t, g, p, floats{pack})) {
			t.Errorf("%v: the weights differ", d)
		}
	}
}

// A source whose tensors end too early or go on too long is an error that names
// the tensor.
func TestUnpackNothingElse(t *testing.T) {
	g := New(drivertest.NewNull(), driver.Adapter{}, Options{}, nil).(*gpu)
	p, err := unet.Build(optest.Networks()["base"], 1, 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	pack := optest.Packed(t, optest.Random(p), weights.I8)
	for off, want := range map[int]string{100: "it ends after 100 of", -1: "it goes on after"} {
		if _, err := g.Load(t.Context(), p, crumbs{pack, off}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ".weight: ") {
			t.Errorf("off by %d: error %v", off, err)
		}
	}
	other, err := weights.NewMemory(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Load(t.Context(), p, other); err == nil || !strings.Contains(err.Error(), "no tensor") {
		t.Errorf("error %v", err)
	}
}

// halves are tensors of nothing but zeros, in chunks of a pack's size.
type halves struct {
	infos []weights.Info
	chunk []byte
}

func (h halves) Tensors() []weights.Info               { return h.infos }
func (h halves) ReadF32(_ string, dst []float32) error { clear(dst); return nil }
func (h halves) Scales(string) ([]float32, error)      { return nil, nil }
func (h halves) Close() error                          { return nil }

func (h halves) Chunks(name string, f func([]byte) error) error {
	i := slices.IndexFunc(h.infos, func(t weights.Info) bool { return t.Name == name })
	for left := 2 * h.infos[i].Len(); left > 0; left -= len(h.chunk) {
		if err := f(h.chunk[:min(left, len(h.chunk))]); err != nil {
			return err
		}
	}
	return nil
}

// Loading ADM-256 the host holds a chunk, whatever the largest tensor is, or of
// a source that decodes that tensor; the device gets what Memory tells, and a
// staging buffer.
func TestLoadingHoldsAChunk(t *testing.T) {
	p, err := unet.Build(weights.ADM256(false), 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	largest := 0
	stored := halves{chunk: make([]byte, 256<<10)}
	for _, w := range p.Params {
		largest = max(largest, 4*w.Len())
		stored.infos = append(stored.infos, weights.Info{Name: w.Name, Shape: w.Shape, DType: weights.F16})
	}
	for _, c := range []struct {
		src  weights.Source
		half bool
		most int // bytes
	}{{stored, false, 4 << 20}, {stored, true, 4 << 20}, {floats{stored}, false, largest + 4<<20}} {
		null := drivertest.NewNull()
		g := New(null, driver.Adapter{}, Options{Half: c.half}, nil)
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		n, err := g.Load(t.Context(), p, c.src)
		if err != nil {
			t.Fatal(err)
		}
		goruntime.ReadMemStats(&after)
		took := int(after.TotalAlloc - before.TotalAlloc)
		told := g.Memory(p, weights.F16).Weights
		t.Logf("%T, halves %v: the host allocated %d KiB, the largest tensor is %d KiB; the device held %d MiB at most, its weights are %d MiB",
			c.src, c.half, took>>10, largest>>10, null.Most()>>20, told>>20)
		if took > c.most {
			t.Errorf("the host allocated %d bytes", took)
		}
		if null.Most() > told+staging+1<<20 {
			t.Errorf("the device held %d bytes for weights of %d", null.Most(), told)
		}
		n.Close()
		if g.Close(); null.Live() != 0 {
			t.Errorf("%d things are left", null.Live())
		}
	}
}
