package degrade

import (
	"fmt"
	"math"
	"strconv"

	"github.com/i2sb-go/i2sb/bridge"
)

// inpaint fills a hole with white: x·(1−m) + m.
type inpaint struct {
	name string
	mask func(h, w int, seed uint64) []uint8
}

func (o inpaint) Name() string                       { return o.name }
func (o inpaint) Mask(h, w int, seed uint64) []uint8 { return o.mask(h, w, seed) }

func (o inpaint) fill(x *bridge.Image, seed uint64, white float32) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	y := x.Clone()
	for i, hole := range o.mask(x.H, x.W, seed) {
		if hole != 0 {
			for c := range y.C {
				y.Plane(c)[i] = white
			}
		}
	}
	return y, nil
}

func (o inpaint) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.fill(x, seed, 1)
}

// Adjoint implements Linear: a mask is its own transpose.
func (o inpaint) Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.fill(y, seed, 0)
}

// centre is the middle half of both sides.
func centre(h, w int, _ uint64) []uint8 {
	m := make([]uint8, h*w)
	for y := h / 4; y < h*3/4; y++ {
		for x := w / 4; x < w*3/4; x++ {
			m[y*w+x] = 255
		}
	}
	return m
}

func parseRandom(name, arg string) (Operator, error) {
	p, err := strconv.ParseFloat(arg, 64)
	if err != nil || !(p >= 0 && p <= 100) {
		return nil, fmt.Errorf("degrade: %q: the share of lost pixels is no number from 0 to 100, as in inpaint-random-50", name)
	}
	return inpaint{name, func(h, w int, seed uint64) []uint8 {
		r := random(seed, 2)
		m := make([]uint8, h*w)
		for i := range m {
			if r.Float64()*100 < p {
				m[i] = 255
			}
		}
		return m
	}}, nil
}

// freeform makes brush strokes that cover a share between lo and hi. Strokes
// turn back and forth around a mean angle with a disc at each vertex, sized
// for 256 pixels and scaled with the picture (after the masks of DeepFill v2).
func freeform(lo, hi float64) func(h, w int, seed uint64) []uint8 {
	return func(h, w int, seed uint64) []uint8 {
		r := random(seed, 3)
		m := make([]uint8, h*w)
		scale := math.Sqrt(float64(h)*float64(w)) / 256
		holes := 0
		paint := func(cx, cy, radius float64) {
			for y := max(0, int(cy-radius)); y <= min(h-1, int(cy+radius)); y++ {
				for x := max(0, int(cx-radius)); x <= min(w-1, int(cx+radius)); x++ {
					dx, dy := float64(x)-cx, float64(y)-cy
					if dx*dx+dy*dy <= radius*radius && m[y*w+x] == 0 {
						m[y*w+x] = 255
						holes++
					}
				}
			}
		}
		share := func() float64 { return float64(holes) / float64(h*w) }
		for range 200 {
			clear(m)
			holes = 0
			for range 16 {
				if share() >= lo {
					break
				}
				x, y := r.Float64()*float64(w), r.Float64()*float64(h)
				mean, spread := 2*math.Pi/5, 2*math.Pi/15
				radius := (12 + r.Float64()*28) / 2 * scale
				length := math.Hypot(float64(h), float64(w)) / 8
				angle := r.Float64() * 2 * math.Pi
				for v := range 4 + r.IntN(8) {
					turn := mean + (2*r.Float64()-1)*spread
					if v%2 == 0 {
						turn = 2*math.Pi - turn
					}
					angle += turn
					step := min(2*length, max(0, length+r.NormFloat64()*length/2))
					for t := 0.0; t <= step; t += max(0.5, radius/3) {
						paint(x+t*math.Cos(angle), y+t*math.Sin(angle), radius)
						if share() >= hi-0.02 {
							break
						}
					}
					x = min(float64(w), max(0, x+step*math.Cos(angle)))
					y = min(float64(h), max(0, y+step*math.Sin(angle)))
					if share() >= hi-0.02 {
						break
					}
				}
			}
			if s := share(); s >= lo && s <= hi {
				return m
			}
		}
		// Pictures too small for a brush: a run of pixels of the right length.
		clear(m)
		count := max(1, int(math.Round((lo+hi)/2*float64(h*w))))
		first := r.IntN(h * w)
		for i := range count {
			m[(first+i)%(h*w)] = 255
		}
		return m
	}
}

// decolor replaces each channel by the mean of the three.
type decolor struct{ name string }

func (o decolor) Name() string { return o.name }

var grey = [3]float64{.3333, .3334, .3333}

func (o decolor) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	y := x.Clone()
	if x.C != 3 {
		return y, nil
	}
	for i := range x.H * x.W {
		v := 0.0
		for c, g := range grey {
			v += g * float64(x.Plane(c)[i])
		}
		for c := range grey {
			y.Plane(c)[i] = float32(v)
		}
	}
	return y, nil
}

// Adjoint implements Linear.
func (o decolor) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	x := y.Clone()
	if y.C != 3 {
		return x, nil
	}
	for i := range y.H * y.W {
		sum := float64(y.Plane(0)[i]) + float64(y.Plane(1)[i]) + float64(y.Plane(2)[i])
		for c, g := range grey {
			x.Plane(c)[i] = float32(g * sum)
		}
	}
	return x, nil
}
