package runtime

import (
	"runtime/debug"

	"github.com/i2sb-go/i2sb/bridge"
)

// kept holds the known pixels that a canvas cannot give back exactly, for it
// has mixed noise into its x1: those where the mask blends, and all if the
// bridge adds noise to x1.
type kept struct {
	mask   *Mask
	noisy  bool
	pixels pixels // of each such pixel all channels,
	area   int    // or, if not 0, the whole picture, of so many pixels a channel
}

func keep(x1 *bridge.Image, m *Mask, noisy bool) kept {
	k := kept{mask: m, noisy: noisy}
	n := 0
	k.each(func(int) { n += x1.C })
	known := make([]float32, 0, n)
	k.each(func(i int) {
		for c := range x1.C {
			known = append(known, x1.Plane(c)[i])
		}
	})
	k.pixels = encode(known)
	return k
}

// each calls f for every pixel that is kept.
func (k kept) each(f func(i int)) {
	if k.mask == nil {
		return
	}
	for i, hole := range k.mask.Values {
		if hole != 255 && (hole != 0 || k.noisy) {
			f(i)
		}
	}
}

// paste puts them into the result, in proportion where the mask blends.
func (k kept) paste(y *bridge.Image) {
	j := 0
	k.each(func(i int) {
		a := float32(k.mask.Values[i]) / 255
		for c := range y.C {
			at := j
			if k.area > 0 {
				at = c*k.area + i
			}
			out := y.Plane(c)
			out[i] = a*out[i] + (1-a)*k.pixels.at(at)
			j++
		}
	})
}

// settle returns the memory of what is done with, such as the decoder's
// picture, if x is large: canvases lie outside Go's heap, whose collector does
// not see that they need the room.
func settle(x *bridge.Image) {
	if len(x.Pix) >= 8<<20 {
		debug.FreeOSMemory()
	}
}
