package gpu

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// The tuner's choice is kept and found again; a wrong result never wins.
func TestTuner(t *testing.T) {
	g := open(t, Options{Tune: true, Cache: t.TempDir()}).(*gpu)
	s := convShape{n: 1, h: 9, w: 10, in: 20, out: 17, kernel: 3, stride: 1}
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: s.n, C: s.in, H: s.h, W: s.w}), s.out, s.kernel, s.stride, false))
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.chooser(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	way, ok := newTuner(g.tuner.file).recall(g.choose, s)
	if !ok || way != c.tuned[s] {
		t.Errorf("%+v was found, %+v is kept", c.tuned[s], way)
	}
	x, y := make([]float32, s.in*s.h*s.w), make([]float32, s.out*s.h*s.w)
	if err := (&network{gpu: g}).right(p, s, x, y); err == nil {
		t.Error("zeros pass for the result")
	}
	if err := os.WriteFile(g.tuner.file, []byte(`{"`), 0o666); err != nil {
		t.Fatal(err)
	}
	if len(newTuner(g.tuner.file).known) != 0 {
		t.Error("half a file is believed")
	}
	files := map[string]bool{}
	for _, name := range []string{"card", "other"} {
		for _, version := range []string{"1", "2"} {
			for _, library := range []string{"a", "b"} {
				for _, half := range []bool{false, true} {
					f := tuneFile("d", driver.Adapter{Name: name, Driver: version}, library, half)
					if files[f] = true; filepath.Dir(f) != "d" {
						t.Error(f)
					}
				}
			}
		}
	}
	if len(files) != 16 {
		t.Errorf("%d files of 16 devices", len(files))
	}
}

// miscompiling is a device whose products of one tiling, of Winograd's or of others,
// do nothing, and so are the fastest.
type miscompiling struct {
	driver.Device
	breaks func(label string) bool
}

func (m miscompiling) Pipeline(ctx context.Context, label, wgsl string, layout []driver.Binding) (driver.Pipeline, error) {
	if m.breaks(label) {
		head, body, ok := strings.Cut(wgsl, "fn main(")
		args, body, cut := strings.Cut(body, "{\n")
		if !ok || !cut {
			return nil, fmt.Errorf("%s has no main", label)
		}
		wgsl = head + "fn main(" + args + "{\nif (p.CI > 0u) { return; }\n" + body
	}
	return m.Device.Pipeline(ctx, label, wgsl, layout)
}

// A kernel that is fast and wrong, direct or Winograd's, does not win; where all
// are wrong there is an error and nothing is kept.
func TestWrongKernelNeverWins(t *testing.T) {
	s := convShape{n: 1, h: 9, w: 10, in: 20, out: 17, kernel: 3, stride: 1}
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: s.n, C: s.in, H: s.h, W: s.w}), s.out, s.kernel, s.stride, false))
	if err != nil {
		t.Fatal(err)
	}
	tuned := func(breaks func(label string) bool) (*gpu, convChoice, error) {
		g := open(t, Options{Tune: true, Cache: t.TempDir()}).(*gpu)
		g.dev = miscompiling{g.dev, breaks}
		c, err := g.chooser(t.Context(), p)
		return g, c.tuned[s], err
	}
	ways := open(t, Options{}).(*gpu).choose.candidates(s)
	for _, wrong := range []convChoice{ways[0], ways[len(ways)-1]} {
		breaks := func(label string) bool {
			return strings.HasPrefix(label, wrong.file()+" ") && strings.Contains(label, fmt.Sprintf(" BM=%d ", wrong.bm)) && strings.Contains(label, " RAW=2") == (wrong.winograd > 0)
		}
		g, way, err := tuned(breaks)
		if err != nil || way == wrong || !slices.Contains(ways, way) {
			t.Errorf("%+v is wrong; %+v won, error %v", wrong, way, err)
		}
		if kept, ok := newTuner(g.tuner.file).recall(g.choose, s); !ok || kept != way {
			t.Errorf("%+v is wrong; %+v is kept", wrong, kept)
		}
	}
	g, _, err := tuned(func(label string) bool { return strings.HasPrefix(label, "conv") })
	if err == nil || !strings.Contains(err.Error(), "element") {
		t.Errorf("all are wrong: error %v", err)
	}
	if _, ok := newTuner(g.tuner.file).recall(g.choose, s); ok {
		t.Error("all are wrong, and one is kept")
	}
}

// Without a tuner nothing is measured or written, and every shape gets the way
// of least estimated cost.
func TestNoTune(t *testing.T) {
	cache := t.TempDir()
	g := open(t, Options{Cache: cache}).(*gpu)
	s := convShape{n: 1, h: 9, w: 10, in: 20, out: 17, kernel: 3, stride: 1}
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: s.n, C: s.in, H: s.h, W: s.w}), s.out, s.kernel, s.stride, false))
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.chooser(t.Context(), p)
	if err != nil || len(c.tuned) != 0 || len(g.pipelines.made) != 0 {
		t.Fatalf("%d shapes are tuned, %d pipelines made, error %v", len(c.tuned), len(g.pipelines.made), err)
	}
	for _, k := range c.candidates(s) {
		if c.cost(s, k) < c.cost(s, c.conv(s)) {
			t.Errorf("%+v costs less than %+v", k, c.conv(s))
		}
	}
	if files, _ := filepath.Glob(cache + "/*"); len(files) > 0 {
		t.Errorf("%v was written", files)
	}
}
