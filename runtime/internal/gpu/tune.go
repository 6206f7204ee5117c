package gpu

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
	"github.com/i2sb-go/i2sb/weights"
)

// tuner times the ways to do a convolution on this device. What it found is
// kept in a file, as texts: of a shape, and of the way that won.
type tuner struct {
	mu    sync.Mutex
	file  string // "": none
	known map[string]string
}

// tuneFile is the cache of an adapter, its driver, WebGPU's library and the
// kernels, with their versions, in a folder.
func tuneFile(folder string, a driver.Adapter, library string, half bool) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%v", shaders.Version(), a.Name, a.Driver, library, half))
	return filepath.Join(folder, fmt.Sprintf("tuned-%x.json", h[:8]))
}

// newTuner reads what was found before. A file that cannot be read is as good
// as none.
func newTuner(file string) *tuner {
	t := &tuner{file: file, known: map[string]string{}}
	if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &t.known) != nil {
		t.known = map[string]string{}
	}
	return t
}

// save writes the file whole or not at all. That it cannot be written costs
// nothing but the time to tune again.
func (t *tuner) save() {
	b, err := json.MarshalIndent(t.known, "", " ")
	if err != nil || t.file == "" || os.MkdirAll(filepath.Dir(t.file), 0o777) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(t.file), "tuning")
	if err != nil {
		return
	}
	_, err = f.Write(b)
	if f.Close() != nil || err != nil || os.Rename(f.Name(), t.file) != nil {
		os.Remove(f.Name())
	}
}

// chooser is the device's, with what the tuner knows of the plan's shapes; what
// it does not know it finds out.
func (g *gpu) chooser(ctx context.Context, p *plan.Plan) (chooser, error) {
	c := g.choose
	if g.tuner == nil {
		return c, nil
	}
	g.tuner.mu.Lock()
	defer g.tuner.mu.Unlock()
	c.tuned = maps.Clone(c.tuned)
	if c.tuned == nil {
		c.tuned = map[convShape]convChoice{}
	}
	found := false
	for _, op := range p.Ops {
		o, ok := op.(*plan.Conv)
		if !ok {
			continue
		}
		y := p.Shape(o.Y)
		s := convShape{n: y.N, h: y.H, w: y.W, in: p.Channels(o.X), out: y.C, kernel: o.Kernel, stride: o.Stride, half: g.half}
		if _, ok := c.tuned[s]; ok {
			continue
		}
		way, ok := g.tuner.recall(c, s)
		if !ok {
			var err error
			if way, err = g.try(ctx, s); driver.Is(err, driver.Memory) {
				continue // the estimate has to do: it may need less alone
			} else if err != nil {
				return c, err
			}
			g.tuner.known[fmt.Sprintf("%+v", s)] = fmt.Sprintf("%+v", way)
			found = true
		}
		c.tuned[s] = way
	}
	if found {
		g.tuner.save()
	}
	return c, nil
}

// recall finds a way among the candidates by its text.
func (t *tuner) recall(c chooser, s convShape) (convChoice, bool) {
	text := t.known[fmt.Sprintf("%+v", s)]
	for _, k := range c.candidates(s) {
		if fmt.Sprintf("%+v", k) == text {
			return k, true
		}
	}
	return convChoice{}, false
}

// try times every way of a convolution whose result is right, and returns the
// fastest. The chooser's own estimate is tried first and wins a tie. If none is
// right, the error is what was wrong with the last.
func (g *gpu) try(ctx context.Context, s convShape) (best convChoice, err error) {
	b := plan.NewBuilder()
	x := b.Input(plan.Shape{N: s.n, C: s.in, H: s.h * s.stride, W: s.w * s.stride})
	p, err := b.Plan(b.Conv("tuned", x, s.out, s.kernel, s.stride, false))
	if err != nil {
		return best, err
	}
	loaded, err := g.Load(ctx, p, spread{p})
	if err != nil {
		return best, err
	}
	defer loaded.Close()
	n := loaded.(*network)
	in := device.Input{X: make([]float32, p.Shape(p.X).Len()), Levels: make([]float64, s.n)}
	for i := range in.X {
		in.X[i] = noise(i, 1)
	}
	least := time.Duration(math.MaxInt64)
	var wrong error
	for _, k := range append([]convChoice{g.choose.conv(s)}, g.choose.candidates(s)...) {
		c := g.choose
		c.tuned = map[convShape]convChoice{s: k}
		d, err := n.time(ctx, p, c, s, in)
		if err != nil {
			if ctx.Err() != nil {
				return best, err
			}
			wrong = err // it does not run here, or is wrong
			continue
		}
		if d < least {
			best, least = k, d
		}
	}
	if least == math.MaxInt64 {
		return best, wrong
	}
	return best, nil
}

// time checks a way and times it.
func (n *network) time(ctx context.Context, p *plan.Plan, c chooser, s convShape, in device.Input) (time.Duration, error) {
	r, err := n.compile(ctx, p, c)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	y := make([]float32, p.Shape(p.Output).Len())
	if err := r.Run(ctx, in, y); err != nil {
		return 0, err
	}
	if err := n.right(p, s, in.X, y); err != nil {
		return 0, err
	}
	return n.best(ctx, r.body, 3)
}

// right compares some of a convolution's results, at edges and inside, with
// what package ref would make of the same numbers.
func (n *network) right(p *plan.Plan, s convShape, x, y []float32) error {
	src, in := spread{p}, p.Shape(p.X)
	tolerance := 1e-3
	if n.half {
		tolerance = 2e-2
	}
	for i := range 64 {
		at := i * (len(y) - 1) / 63
		col, row, o, b := at%s.w, at/s.w%s.h, at/(s.w*s.h)%s.out, at/(s.w*s.h*s.out)
		want := float64(src.at(1, o))
		for c := range s.in {
			for tap := range s.kernel * s.kernel {
				v, u := row*s.stride+tap/s.kernel-s.kernel/2, col*s.stride+tap%s.kernel-s.kernel/2
				if v >= 0 && v < in.H && u >= 0 && u < in.W {
					want += float64(x[((b*s.in+c)*in.H+v)*in.W+u]) * float64(src.at(0, (o*s.in+c)*s.kernel*s.kernel+tap))
				}
			}
		}
		if d := math.Abs(want - float64(y[at])); !(d <= tolerance*max(1, math.Abs(want))) {
			return fmt.Errorf("gpu: element %d is %g, not %g", at, y[at], want)
		}
	}
	return nil
}

// spread are weights of a scale that keeps results of order 1.
type spread struct{ p *plan.Plan }

func (w spread) at(param, i int) float32 {
	scale := float32(1)
	if s := w.p.Params[param].Shape; len(s) > 1 {
		scale = float32(math.Sqrt(float64(s[0]) / float64(w.p.Params[param].Len())))
	}
	return scale * noise(i, param+2)
}

func (w spread) Tensors() (list []weights.Info) {
	for _, q := range w.p.Params {
		list = append(list, weights.Info{Name: q.Name, Shape: q.Shape})
	}
	return list
}

func (w spread) ReadF32(name string, dst []float32) error {
	for j, q := range w.p.Params {
		if q.Name == name {
			for i := range dst {
				dst[i] = w.at(j, i)
			}
		}
	}
	return nil
}

func (w spread) Close() error { return nil }

// noise is a number between -1 and 1 that halves hold exactly.
func noise(i, stream int) float32 {
	h := uint32(i)*0x9E3779B9 + uint32(stream)*0x85EBCA6B
	h = (h ^ h>>15) * 0x2C1B3C6D
	return float32(int32(h>>22)-512) / 512
}
