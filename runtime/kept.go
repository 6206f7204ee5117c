package runtime

import (
	"runtime/debug"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// kept holds the known pixels that a canvas cannot give back exactly, for it
// has mixed noise into its x1: those where the mask blends, and all if the
// bridge adds noise to x1.
type kept struct {
	mask  *Mask
	noisy bool
	known []float32 // of each such pixel all channels,
	codes []uint16  // or, of half the size, where all are levels of a picture
}

func keep(x1 *bridge.Image, m *Mask, noisy bool) kept {
	k := kept{mask: m, noisy: noisy}
	n, exact := 0, true
	k.each(func(i int) {
		n++
		for c := range x1.C {
			exact = exact && picture.Level(picture.Code(x1.Plane(c)[i])) == x1.Plane(c)[i]
		}
	})
	if exact {
		k.codes = make([]uint16, 0, n*x1.C)
	} else {
		k.known = make([]float32, 0, n*x1.C)
	}
	k.each(func(i int) {
		for c := range x1.C {
			if exact {
				k.codes = append(k.codes, picture.Code(x1.Plane(c)[i]))
			} else {
				k.known = append(k.known, x1.Plane(c)[i])
			}
		}
	})
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
			var known float32
			if k.codes != nil {
				known = picture.Level(k.codes[j])
			} else {
				known = k.known[j]
			}
			out := y.Plane(c)
			out[i] = a*out[i] + (1-a)*known
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
