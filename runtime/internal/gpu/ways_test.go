package gpu

import (
	"fmt"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

// Every way to do a convolution gives the same result, with all that may be
// read before and written after it, cut into slices and parts or whole.
func TestWays(t *testing.T) {
	g := open(t, Options{}).(*gpu)
	build := func(s plan.Shape, r plan.Resample, out int) (unfused *plan.Plan, shape convShape) {
		b := plan.NewBuilder()
		x := b.Input(s)
		z := b.Concat("z", b.Conv("a", x, 16, 1, 1, false), x)
		h := b.SiLU("s", b.GroupNorm("n", z, 8, plan.None))
		skip := b.Conv("skip", x, out, 1, 1, false)
		if r != plan.Same {
			h, skip = b.Resample("hr", h, r), b.Resample("sr", skip, r)
		}
		e := b.Linear("e", b.Time(s.N, 8), out, true)
		p, err := b.Plan(b.Add("y", b.AddChannels("t", b.Conv("c", h, out, 3, 1, false), e), skip))
		if err != nil {
			t.Fatal(err)
		}
		y := p.Shape(p.Output)
		return p, convShape{n: y.N, h: y.H, w: y.W, in: 16 + s.C, out: out, kernel: 3, stride: 1}
	}
	for _, c := range []struct {
		s plan.Shape
		r plan.Resample
	}{{plan.Shape{N: 2, C: 24, H: 10, W: 14}, plan.Same}, {plan.Shape{N: 1, C: 40, H: 5, W: 9}, plan.Up}, {plan.Shape{N: 1, C: 16, H: 22, W: 18}, plan.Down}} {
		p, shape := build(c.s, c.r, 36)
		want := optest.Evaluate(t, ref.New(), p, optest.Random(p))
		ways := append(realDevice.candidates(shape), softwareDevice.candidates(shape)...)
		for _, w := range ways[:len(ways):len(ways)] {
			if w.winograd > 0 { // slices of one block and few tiles
				w.weights, w.scratch = 1, int64(16*36*40*5)
			} else {
				w.split = 3
			}
			ways = append(ways, w)
		}
		for _, w := range ways {
			t.Run(fmt.Sprintf("%v %d %+v", c.s, c.r, w), func(t *testing.T) {
				g.choose.tuned = map[convShape]convChoice{shape: w}
				g.choose.patience = 1e6
				got := optest.Evaluate(t, g, plan.Fuse(p), optest.Random(p))
				if e := optest.NMSE(got, want); !(e <= 1e-11) {
					t.Errorf("normalised mean squared error %.2g", e)
				}
			})
		}
	}
}
