package data

import (
	"math/rand/v2"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
)

// Split holds a share of the items back for validation: at least one if there
// are two or more and the share is above 0, at most most of them. Which ones
// follows from the seed.
func Split(items []Item, share float64, most int, seed uint64) (training, held []Item) {
	n := int(share*float64(len(items)) + 0.5)
	if share > 0 {
		n = max(1, n)
	}
	n = min(n, most, len(items)-1)
	order := rand.New(bridge.NewStream(seed, splitStream)).Perm(len(items))
	chosen := order[:max(0, n)]
	for i, it := range items {
		if slices.Contains(chosen, i) {
			held = append(held, it)
		} else {
			training = append(training, it)
		}
	}
	return training, held
}

// splitStream is a stream that no position in the data reaches.
const splitStream = 1 << 63

// Centre is the middle of a picture: as much of side×side as it has, in
// multiples of 16 where it can be.
func Centre(side int) Place {
	fit := func(n int) int {
		if n = min(n, side); n >= 16 {
			n -= n % 16
		}
		return n
	}
	return func(w, h int) (int, int, int, int) {
		cw, ch := fit(w), fit(h)
		return (w - cw) / 2, (h - ch) / 2, cw, ch
	}
}
