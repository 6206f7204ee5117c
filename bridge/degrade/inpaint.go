package degrade

import (
	"fmt"
	"slices"

	"github.com/i2sb-go/i2sb/bridge"
)

// inpaint fills a hole with white: x·(1−m) + m.
type inpaint struct {
	name string
	mask func(h, w int, seed uint64) []uint8 // nil if it has no such size
}

func (o inpaint) Name() string { return o.name }

// Mask implements Masker.
func (o inpaint) Mask(h, w int, seed uint64) []uint8 {
	if h < 1 || w < 1 {
		return nil
	}
	return o.mask(h, w, seed)
}

// fill returns x with v in the hole.
func (o inpaint) fill(x *bridge.Image, seed uint64, v float32) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	mask := o.mask(x.H, x.W, seed)
	if mask == nil {
		return nil, fmt.Errorf("degrade: %s: the mask is not of the picture's size, %d×%d", o.name, x.W, x.H)
	}
	y := x.Clone()
	for c := range y.C {
		plane := y.Plane(c)
		for i, hole := range mask {
			if hole != 0 {
				plane[i] = v
			}
		}
	}
	return y, nil
}

// Apply fills the hole with white.
func (o inpaint) Apply(x *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.fill(x, seed, 1)
}

// Adjoint implements Linear: a mask is its own transpose.
func (o inpaint) Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error) {
	return o.fill(y, seed, 0)
}

// MaskFromGray is inpainting with a given mask: the brighter half of the grey
// values, 128 to 255, is the hole. It takes pictures of w×h only. It is called
// "inpaint-mask", which Parse does not know.
func MaskFromGray(values []uint8, w, h int) (Masker, error) {
	if w < 1 || h < 1 || len(values) != w*h {
		return nil, fmt.Errorf("degrade: a mask of %d×%d with %d values", w, h, len(values))
	}
	m := make([]uint8, len(values))
	for i, v := range values {
		if v >= 128 {
			m[i] = 255
		}
	}
	return inpaint{"inpaint-mask", func(y, x int, _ uint64) []uint8 {
		if y != h || x != w {
			return nil
		}
		return slices.Clone(m)
	}}, nil
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

func parseRandom(name, arg string, _ bool) (Operator, error) {
	p, ok := number(arg, 0, 100)
	if !ok {
		return nil, fmt.Errorf("degrade: %q: the share of lost pixels is no number from 0 to 100, as in inpaint-random-50", name)
	}
	return inpaint{name, func(h, w int, seed uint64) []uint8 {
		r := random(seed, saltRandom)
		m := make([]uint8, h*w)
		for i := range m {
			if r.Float64()*100 < p {
				m[i] = 255
			}
		}
		return m
	}}, nil
}
