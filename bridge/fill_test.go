package bridge

import (
	"math"
	"slices"
	"testing"
)

// A plane has no curvature, so it comes back, with a hole anywhere; what a hole
// held does not matter, known pixels stay, and a soft edge is blended.
func TestFillSmooth(t *testing.T) {
	const h, w = 40, 30
	for name, in := range map[string]func(y, x int) bool{
		"inside":  func(y, x int) bool { return y > 9 && y < 31 && x > 5 && x < 25 },
		"corner":  func(y, x int) bool { return y < 3 && x < 3 },
		"pixels":  func(y, x int) bool { return (7*y+3*x)%5 == 0 && y > 0 && x > 0 && y < h-1 && x < w-1 },
		"columns": func(y, x int) bool { return x%4 == 2 && y > 0 && y < h-1 },
	} {
		plane, holed, mask := NewImage(2, h, w), NewImage(2, h, w), make([]uint8, h*w)
		for i := range plane.Pix {
			y, x := i/w%h, i%w
			plane.Pix[i] = float32(y)/h - float32(x)/50
			holed.Pix[i] = plane.Pix[i]
			if in(y, x) {
				mask[i%(h*w)], holed.Pix[i] = 255, float32(math.NaN())
			}
		}
		FillSmooth(holed, mask)
		most := 2e-3
		if name == "corner" {
			most = 0.2 // nothing is known beyond
		}
		for i, v := range holed.Pix {
			off := math.Abs(float64(v - plane.Pix[i]))
			if mask[i%(h*w)] == 0 && off != 0 || !(off <= most) {
				t.Fatalf("%s: %g at %d, want %g", name, v, i, plane.Pix[i])
			}
		}
	}
	x, mask := NewImage(1, 8, 8), make([]uint8, 64)
	x.Pix[27], mask[27] = 1, 51
	FillSmooth(x, mask)
	if math.Abs(float64(x.Pix[27])-0.8) > 1e-6 {
		t.Errorf("a fifth of the fill: %g", x.Pix[27])
	}
}

// Pictures without a known pixel, and of one pixel, are no trouble.
func TestFillNothingKnown(t *testing.T) {
	for _, x := range []*Image{NewImage(3, 5, 4), NewImage(1, 1, 1), NewImage(1, 1, 9), NewImage(1, 70, 1)} {
		for i := range x.Pix {
			x.Pix[i] = 7
		}
		FillSmooth(x, slices.Repeat([]uint8{255}, x.H*x.W))
		for _, v := range x.Pix {
			if v != 0 {
				t.Fatalf("%d×%d: %g", x.W, x.H, v)
			}
		}
	}
}
