package train

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/i2sb-go/i2sb/train/checkpoint"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

var ctx = context.Background()

// device is what the tests train on.
const device = "cpu"

// paint writes a PNG with something to see, another for every k. A tint makes the
// colours of its grey values.
func paint(t *testing.T, path string, w, h, k int, tint func(uint8) color.NRGBA) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := func(f float64) uint8 {
				return uint8(128 + 60*math.Sin(f*float64(x+3*k))*math.Cos(float64(y)*f/2) + 50*float64((x/5+y/7+k)%2))
			}
			c := color.NRGBA{v(0.3), v(0.5), v(0.7), 255}
			if tint != nil {
				c = tint(c.G)
			}
			m.SetNRGBA(x, y, c)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

func grey(l uint8) color.NRGBA   { return color.NRGBA{l, l, l, 255} }
func sunset(l uint8) color.NRGBA { return color.NRGBA{l/2 + 120, l / 2, 255 - l, 255} }

// photos is a folder of pictures.
func photos(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for k := range n {
		paint(t, filepath.Join(dir, fmt.Sprintf("photo-%d.png", k)), 40+k, 33, k, nil)
	}
	return dir
}

// short is a recipe of a few steps on a network of one level.
func short(dir string) recipe.Recipe {
	r := recipe.Default()
	r.Data.Photos, r.Steps = dir, 6
	r.Network = weights.Network{ImageSize: 256, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1", NumHeads: 1, NumHeadChannels: 32, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
	r.Crops = []recipe.Crop{{Size: 8, Batch: 2, Share: 0.6}, {Size: 16, Batch: 1, Share: 0.4}}
	r.Optimizer.Warm = 2
	r.Validation.Every, r.Validation.Side, r.Keep.Log = 3, 16, 2
	return r
}

// heard collects what a training says.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) say(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

// count is how many lines have a text.
func (h *heard) count(text string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lines {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

func options(out string) (Options, *heard) {
	h := &heard{}
	return Options{Out: out, Device: device, Threads: 2, Say: h.say}, h
}

// run completes and runs a recipe.
func run(t *testing.T, r recipe.Recipe, o Options) error {
	t.Helper()
	if err := r.Complete(nil); err != nil {
		t.Fatal(err)
	}
	return Run(ctx, &r, o)
}

// must runs without an error and opens the last checkpoint.
func must(t *testing.T, r recipe.Recipe, o Options) *checkpoint.Checkpoint {
	t.Helper()
	if err := run(t, r, o); err != nil {
		t.Fatal(err)
	}
	return last(t, o.Out)
}

func last(t *testing.T, out string) *checkpoint.Checkpoint {
	t.Helper()
	c, err := checkpoint.Open(checkpoint.Folder(out).Last())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// all reads a set of tensors.
func all(t *testing.T, s weights.Source) (v []float32) {
	t.Helper()
	for _, info := range s.Tensors() {
		v = append(v, one(t, s, info)...)
	}
	return v
}

func one(t *testing.T, s weights.Source, info weights.Info) []float32 {
	t.Helper()
	v := make([]float32, info.Len())
	if err := s.ReadF32(info.Name, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// same tells whether two checkpoints are equal, bit for bit.
func same(t *testing.T, a, b *checkpoint.Checkpoint) {
	t.Helper()
	if a.State.Steps != b.State.Steps || a.State.Position != b.State.Position || a.State.Images != b.State.Images {
		t.Errorf("states %+v and %+v", a.State, b.State)
	}
	for i, p := range [][2]weights.Source{{a.Weights, b.Weights}, {a.Average, b.Average}, {a.Moment1, b.Moment1}, {a.Moment2, b.Moment2}} {
		x, y := all(t, p[0]), all(t, p[1])
		differ := 0
		for k := range x {
			if math.Float32bits(x[k]) != math.Float32bits(y[k]) {
				differ++
			}
		}
		if len(x) != len(y) || differ > 0 {
			t.Errorf("set %d: %d of %d numbers differ", i, differ, len(x))
		}
	}
}

func degradations(names ...string) (list []data.Degradation) {
	for _, n := range names {
		list = append(list, data.Degradation{Name: n, Weight: 1})
	}
	return list
}
