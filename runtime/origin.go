package runtime

import (
	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// origin is what x1 and the condition are made of, row by row: the degraded
// picture, and noise by coordinates.
type origin struct {
	picture pixels // C×h×w
	w, h    int
	cond    *bridge.Image // the caller's, or nil
	mask    []uint8       // padded, of a hole to be filled; or nil
	padW    int
	noise   bridge.Noise
	noisy   bool // x1 has noise that the condition has not
	room    []float32
}

// newOrigin keeps x1 itself, or its codes if the canvas will ask again.
func (k *walk) newOrigin(spec device.CanvasSpec, x1 *bridge.Image) *origin {
	f := &origin{picture: pixels{levels: x1.Pix}, w: x1.W, h: x1.H, cond: k.o.cond, padW: spec.W, noise: spec.Noise,
		noisy: k.m.header.Bridge.AddX1Noise, room: make([]float32, spec.W)}
	if !k.o.official && !k.fills() {
		f.mask = spec.Mask
	}
	if spec.Lines > 0 {
		f.picture = encode(x1.Pix)
	}
	return f
}

// x1 is a device.Rows.
func (f *origin) x1(dst []float32, channel, y, x int) {
	f.degraded(dst, channel, y, x)
	if f.noisy {
		bridge.AddRowNoise(dst, f.noise, f.room[:len(dst)], channel, y, x)
	}
}

// condition is a device.Rows.
func (f *origin) condition(dst []float32, channel, y, x int) {
	if c := f.cond; c != nil {
		pixels{levels: c.Pix}.pad(dst, c.W, c.H, channel, y, x)
		return
	}
	f.degraded(dst, channel, y, x)
}

func (f *origin) degraded(dst []float32, channel, y, x int) {
	f.picture.pad(dst, f.w, f.h, channel, y, x)
	if f.mask != nil {
		bridge.FillRowHole(dst, f.mask[y*f.padW+x:][:len(dst)], f.noise, f.room[:len(dst)], channel, y, x)
	}
}

// fills tells whether the hole starts from a smooth surface.
func (k *walk) fills() bool {
	return k.o.mask != nil && !k.o.official && k.m.header.Bridge.Fill == bridge.FillHarmonic
}

// filled is x1 with its hole filled by levels that have codes.
func (k *walk) filled(x1 *bridge.Image) *bridge.Image {
	y := x1.Clone()
	bridge.FillSmooth(y, k.o.mask.Values)
	for c := range y.C {
		p := y.Plane(c)
		for i, m := range k.o.mask.Values {
			if m != 0 {
				p[i] = picture.Level(picture.Code(p[i]))
			}
		}
	}
	return y
}
