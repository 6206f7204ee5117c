package degrade

import (
	"math"
	"math/rand/v2"
)

const (
	freeformTries   = 32 // masks that miss the band before one is adjusted
	freeformStrokes = 16 // of a mask
)

// freeform makes masks of brush strokes that cover a share of the picture from
// lo to hi. Strokes turn back and forth around a mean angle and are round at
// each vertex, with the sizes of DeepFill v2 (Yu et al., ICCV 2019) for 256
// pixels, scaled with the picture. Strokes are added up to lo and cut short of
// hi. Masks that miss the band are drawn again, a bounded number of times; then
// the last one grows or shrinks at its rim. Where no number of pixels lies in
// the band, the nearest is taken, at least one.
func freeform(lo, hi float64) func(h, w int, seed uint64) []uint8 {
	return func(h, w int, seed uint64) []uint8 {
		b := newBrush(h, w, random(seed, saltFreeform), hi-0.02)
		for range freeformTries {
			b.clean()
			for range freeformStrokes {
				if b.share() >= lo {
					break
				}
				b.stroke()
			}
			if s := b.share(); s >= lo && s <= hi {
				return b.mask
			}
		}
		spread(b.mask, h, w, max(1, int(math.Round((lo+hi)/2*float64(h*w)))), b.r)
		return b.mask
	}
}

// brush paints a mask until it covers too much.
type brush struct {
	h, w  int
	mask  []uint8
	holes int
	limit float64
	scale float64
	r     *rand.Rand
}

func newBrush(h, w int, r *rand.Rand, limit float64) *brush {
	return &brush{h: h, w: w, mask: make([]uint8, h*w), limit: limit, scale: math.Sqrt(float64(h)*float64(w)) / 256, r: r}
}

func (b *brush) clean() { clear(b.mask); b.holes = 0 }

func (b *brush) share() float64 { return float64(b.holes) / float64(len(b.mask)) }

// stroke paints 4 to 11 straight pieces, 12 to 40 wide at 256 pixels.
func (b *brush) stroke() {
	const mean, spread = 2 * math.Pi / 5, 2 * math.Pi / 15
	h, w := float64(b.h), float64(b.w)
	x, y := b.r.Float64()*w, b.r.Float64()*h
	radius := (12 + b.r.Float64()*28) / 2 * b.scale
	length := math.Hypot(h, w) / 8
	angle := b.r.Float64() * 2 * math.Pi
	for v := range 4 + b.r.IntN(8) {
		turn := mean + (2*b.r.Float64()-1)*spread
		if v%2 == 0 {
			turn = 2*math.Pi - turn
		}
		angle += turn
		sin, cos := math.Sincos(angle)
		step := min(2*length, max(0, length+b.r.NormFloat64()*length/2))
		for t := 0.0; t <= step; t += max(0.5, radius/3) {
			b.disc(x+t*cos, y+t*sin, radius)
			if b.share() >= b.limit {
				return
			}
		}
		x = min(w, max(0, x+step*cos))
		y = min(h, max(0, y+step*sin))
	}
}

func (b *brush) disc(cx, cy, radius float64) {
	for y := max(0, int(cy-radius)); y <= min(b.h-1, int(cy+radius)); y++ {
		for x := max(0, int(cx-radius)); x <= min(b.w-1, int(cx+radius)); x++ {
			dx, dy := float64(x)-cx, float64(y)-cy
			if dx*dx+dy*dy <= radius*radius && b.mask[y*b.w+x] == 0 {
				b.mask[y*b.w+x] = 255
				b.holes++
			}
		}
	}
}

// spread grows or shrinks the hole of a mask at its rim, evenly, until it is of
// n pixels. A mask without a rim gets one somewhere.
func spread(m []uint8, h, w, n int, r *rand.Rand) {
	holes := 0
	for _, v := range m {
		holes += int(v / 255)
	}
	to, missing := uint8(255), n-holes
	if missing < 0 {
		to, missing = 0, -missing
	}
	var queue []int // pixels next to those that are to already, nearest first
	queued := make([]bool, len(m))
	beside := func(i int) {
		y, x := i/w, i%w
		for _, p := range [4][2]int{{y - 1, x}, {y + 1, x}, {y, x - 1}, {y, x + 1}} {
			if k := p[0]*w + p[1]; p[0] >= 0 && p[0] < h && p[1] >= 0 && p[1] < w && m[k] != to && !queued[k] {
				queue, queued[k] = append(queue, k), true
			}
		}
	}
	for i, v := range m {
		if v == to {
			beside(i)
		}
	}
	r.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	if len(queue) == 0 {
		queue = append(queue, r.IntN(len(m)))
		queued[queue[0]] = true
	}
	for ; missing > 0; missing-- {
		m[queue[0]] = to
		beside(queue[0])
		queue = queue[1:]
	}
}
