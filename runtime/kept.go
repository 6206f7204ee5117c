package runtime

import (
	"runtime/debug"

	"github.com/i2sb-go/i2sb/bridge"
)

// kept holds the known pixels that a canvas cannot give back exactly, for it
// has mixed noise into its x1: those where the mask blends, and all if the
// bridge adds noise to x1.
type kept struct {
	at    []int     // pixels
	known []float32 // of each, all channels
	share []float32 // of what was made there
}

func keep(x1 *bridge.Image, m *Mask, noisy bool) (k kept) {
	for i, hole := range m.Values {
		if hole == 255 || hole == 0 && !noisy {
			continue
		}
		k.at = append(k.at, i)
		k.share = append(k.share, float32(hole)/255)
		for c := range x1.C {
			k.known = append(k.known, x1.Plane(c)[i])
		}
	}
	return k
}

// paste puts them into the result, in proportion where the mask blends.
func (k kept) paste(y *bridge.Image) {
	for c := range y.C {
		out := y.Plane(c)
		for j, i := range k.at {
			known, a := k.known[j*y.C+c], k.share[j]
			out[i] = a*out[i] + (1-a)*known
		}
	}
}

// settle returns the memory of what is done with, such as the decoder's
// picture, if x is large: canvases lie outside Go's heap, whose collector does
// not see that they need the room.
func settle(x *bridge.Image) {
	if len(x.Pix) >= 8<<20 {
		debug.FreeOSMemory()
	}
}
