package runtime_test

import (
	"math"
	goruntime "runtime"
	"testing"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
	"github.com/i2sb-go/i2sb/weights"
)

// Known pixels are exact whatever the walk ends with, and where a mask blends
// the result lies between what is known and what a hole would get.
func TestKnownPixelsWithEverySampler(t *testing.T) {
	const w, h = 21, 18 // padded
	x := noise(3, h, w)
	mask := &runtime.Mask{W: w, H: h, Values: make([]uint8, w*h)}
	for i := range mask.Values {
		mask.Values[i] = []uint8{0, 0, 255, 128, 1}[i%w/3%5]
	}
	for _, noisy := range []bool{false, true} {
		m := open(t, header(func(h *weights.Header) { h.Bridge.AddX1Noise = noisy }))
		for _, sampler := range []string{"posterior", "i3sb", "dbim3"} {
			for _, last := range []bool{false, true} {
				y := restore(t, m, x, runtime.WithTask("inpaint"), runtime.WithMask(mask), runtime.WithSteps(3), runtime.WithSampler(sampler), runtime.WithLastX0(last))
				for c := range 3 {
					for i, v := range mask.Values {
						d := math.Abs(float64(y.Plane(c)[i] - x.Plane(c)[i]))
						if v == 0 && d != 0 || v == 1 && !(d < 0.05) {
							t.Fatalf("%s, last x̂0 %v, noise on x1 %v: pixel %d of mask %d is off by %g", sampler, last, noisy, i, v, d)
						}
					}
				}
			}
		}
	}
}

// RestorePicture holds no pixels of its input once the walk has begun.
func TestPictureIsLetGo(t *testing.T) {
	m := open(t, header(nil))
	for _, masked := range []bool{false, true} {
		gone := make(chan struct{})
		p := &picture.Picture{Image: noise(3, 32, 48), Depth: 8}
		goruntime.SetFinalizer(&p.Image.Pix[0], func(*float32) { close(gone) })
		opts := []runtime.Option{runtime.WithSteps(1), runtime.WithStep(func(runtime.Step) error {
			for range 100 {
				goruntime.GC()
				select {
				case <-gone:
					return nil
				default:
					goruntime.Gosched()
				}
			}
			t.Errorf("mask %v: the decoded pixels are still held", masked)
			return nil
		})}
		if masked {
			opts = append(opts, runtime.WithTask("inpaint-center"))
		}
		if _, _, err := m.RestorePicture(ctx, p, opts...); err != nil {
			t.Fatal(err)
		}
	}
}

// What PlanMemory says of a picture's state is what the walk's planes come to.
func TestPlannedState(t *testing.T) {
	for _, c := range []struct {
		task, sampler string
		steps         int
		bytes         int64 // a pixel
	}{
		{"jpeg", "posterior", 1, 24}, {"jpeg", "posterior", 5, 24}, {"inpaint", "posterior", 5, 36 + 2},
		{"jpeg", "dbim3", 8, 60}, {"inpaint", "dbim3", 8, 60 + 2}, {"jpeg", "i3sb", 4, 36},
	} {
		m, err := runtime.PlanMemory(header(nil), 640, 480, runtime.WithTask(c.task), runtime.WithSampler(c.sampler), runtime.WithSteps(c.steps), runtime.WithTile(64))
		if err != nil {
			t.Fatal(err)
		}
		if m.State != c.bytes*640*480 {
			t.Errorf("%s, %s, %d steps: %.1f bytes a pixel, not %d", c.task, c.sampler, c.steps, float64(m.State)/(640*480), c.bytes)
		}
		if m.Peak != m.State+m.Weight+m.Arena+m.Work {
			t.Errorf("%+v does not add up", m)
		}
	}
}
