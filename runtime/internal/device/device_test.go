package device_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

func TestCheck(t *testing.T) {
	build := func(labels bool) *plan.Plan {
		b := plan.NewBuilder()
		x := b.Input(plan.Shape{N: 2, C: 4, H: 1, W: 1})
		y := b.AddChannels("a", x, b.Linear("t", b.Time(2, 6), 4, false))
		if labels {
			y = b.AddChannels("b", y, b.Embed("l", b.Label(2), b.Linear("u", b.Time(2, 6), 4, false), 5))
		}
		p, err := b.Plan(y)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		name    string
		x, y    int
		levels  []float64
		classes bool
		labels  []int
		want    string // of the error; "": none
	}{
		{"good", 8, 8, []float64{1, 2}, false, nil, ""},
		{"short input", 7, 8, []float64{1, 2}, false, nil, "7 and 8 elements"},
		{"long output", 8, 9, []float64{1, 2}, false, nil, "8 and 9 elements"},
		{"one level", 8, 8, []float64{1}, false, nil, "1 noise levels for a batch of 2"},
		{"level is not a number", 8, 8, []float64{1, math.NaN()}, false, nil, "noise level NaN"},
		{"endless level", 8, 8, []float64{math.Inf(1), 1}, false, nil, "noise level +Inf"},
		{"labels for nothing", 8, 8, []float64{1, 2}, false, []int{1, 2}, "takes no class labels"},
		{"classes", 8, 8, []float64{1, 2}, true, []int{0, 4}, ""},
		{"no labels", 8, 8, []float64{1, 2}, true, nil, "0 labels for a batch of 2"},
		{"class too high", 8, 8, []float64{1, 2}, true, []int{0, 5}, "class 5 is outside 0 to 4"},
		{"class too low", 8, 8, []float64{1, 2}, true, []int{-1, 0}, "class -1"},
	} {
		err := device.Check(build(c.classes), device.Input{X: make([]float32, c.x), Levels: c.levels, Labels: c.labels}, make([]float32, c.y))
		if (c.want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// half is a network of one picture: half of its first channels, and its level.
type half struct{ p *plan.Plan }

func newHalf(t *testing.T, in, out, h, w int) half {
	t.Helper()
	b := plan.NewBuilder()
	p, err := b.Plan(b.Conv("c", b.Input(plan.Shape{N: 1, C: in, H: h, W: w}), out, 1, 1, false))
	if err != nil {
		t.Fatal(err)
	}
	return half{p}
}

func (f half) Plan() *plan.Plan { return f.p }
func (f half) Close() error     { return nil }
func (f half) Run(_ context.Context, in device.Input, y []float32) error {
	if err := device.Check(f.p, in, y); err != nil {
		return err
	}
	for i := range y {
		y[i] = in.X[i]/2 + float32(in.Levels[0])/1000
		if len(in.X) > len(y) {
			y[i] += in.X[len(y)+i] // the condition
		}
	}
	return nil
}

// The host's canvas against the bridge's own state, by every sampler, whole
// and in windows, which make no difference to a network that sees one pixel.
func TestHostCanvasIsTheBridge(t *testing.T) {
	const c, h, w = 3, 20, 12
	x1 := bridge.NewImage(c, h, w)
	for i := range x1.Pix {
		x1.Pix[i] = float32(math.Sin(float64(i)))
	}
	mask := make([]uint8, h*w)
	for i := range mask {
		mask[i] = []uint8{0, 255, 77}[i%3]
	}
	for _, ot := range []bool{false, true} {
		s, err := bridge.NewSchedule(bridge.Config{Interval: 1000, BetaMax: 0.3, T0: 1e-4, T: 1, OTODE: ot})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range bridge.SamplerNames() {
			sampler, _ := bridge.ParseSampler(name)
			table, err := bridge.NewWalk(s, bridge.WalkOptions{Sampler: sampler, NFE: 5})
			if errors.As(err, new(*bridge.UnsuitedError)) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range [][]uint8{nil, mask} {
				for _, cond := range []bool{false, true} {
					spec := device.CanvasSpec{C: c, H: h, W: w, Label: -1, Table: table, Noise: bridge.NewNoise(5), Clip: cond, Mask: m, Cond: cond}
					want := direct(spec, x1)
					for _, side := range []int{0, 8} {
						if table.SavesX0 {
							spec.Ring = side
						}
						spec.Lines = 0
						got := walk(t, spec, x1, tile.Grid(h, w, side, 4, 4))
						spec.Lines = 7
						if again := walk(t, spec, x1, tile.Grid(h, w, side, 4, 4)); !slices.Equal(got, again) {
							t.Fatalf("%s, OT-ODE %v, mask %v, condition %v, windows of %d: not the same when rows of x1 are made again", name, ot, m != nil, cond, side)
						}
						for i := range want {
							if d := math.Abs(float64(got[i] - want[i])); d > 1e-5 {
								t.Fatalf("%s, OT-ODE %v, mask %v, condition %v, windows of %d: element %d is %g, not %g", name, ot, m != nil, cond, side, i, got[i], want[i])
							}
						}
					}
				}
			}
		}
	}
}

// direct walks without a canvas.
func direct(s device.CanvasSpec, x1 *bridge.Image) []float32 {
	st := bridge.State{C: s.C, Rows: s.H, Cols: s.W, X: slices.Clone(x1.Pix), X1: x1.Pix, Mask: s.Mask, X0: make([]float32, len(x1.Pix))}
	for i := range st.H {
		st.H[i] = make([]float32, len(x1.Pix))
	}
	for k, step := range s.Table.Steps {
		for i, x := range st.X {
			y := x/2 + float32(step.Level)/1000
			if s.Cond {
				y += x1.Pix[i]
			}
			st.X0[i] = x - float32(step.Sigma)*y
			if s.Clip {
				st.X0[i] = min(1, max(-1, st.X0[i]))
			}
		}
		st.Update(step, k, s.Noise)
	}
	return append(st.X, st.X0...)
}

// walk does the same on a canvas.
func walk(t *testing.T, s device.CanvasSpec, x1 *bridge.Image, windows []tile.Window) []float32 {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := s.C
	if s.Cond {
		in *= 2
	}
	f := newHalf(t, in, s.C, windows[0].H, windows[0].W)
	c := device.NewHostCanvas(s)
	rows := func(dst []float32, channel, y, x int) { copy(dst, x1.Plane(channel)[y*s.W+x:]) }
	must(c.Start(rows, rows))
	for k, st := range s.Table.Steps {
		must(c.Begin())
		from := 0
		for j, w := range windows {
			must(c.Evaluate(context.Background(), f, w, st))
			to := tile.Done(windows, j, s.H)
			must(c.Update(st, k, from, to))
			from = to
		}
	}
	x0, err := c.X0()
	must(err)
	state, err := c.State()
	must(err)
	y, err := c.Result(false)
	must(err)
	if !slices.Equal(y.Pix, state.Pix) {
		t.Error("the result is not the state")
	}
	return append(state.Pix, x0.Pix...)
}
