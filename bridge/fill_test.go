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

// x² − y² has no curvature on pixels either: a large hole with a ragged rim gives
// it back, and so it does beside the picture's border if nothing changes across.
func TestFillLargeHole(t *testing.T) {
	const h, w = 301, 400
	for name, value := range map[string]func(y, x float64) float64{
		"saddle": func(y, x float64) float64 { return (x*x - y*y) / (w * w) },
		"border": func(y, x float64) float64 { return 1 - x/w },
	} {
		want, holed, mask := NewImage(1, h, w), NewImage(1, h, w), make([]uint8, h*w)
		for i := range mask {
			y, x := i/w, i%w
			want.Pix[i] = float32(value(float64(y), float64(x)))
			holed.Pix[i] = want.Pix[i]
			top := 12
			if name == "border" {
				top = 0
			}
			if y >= top && y < 280+x%7 && x > 20-y%5 && x < 390 {
				mask[i], holed.Pix[i] = 255, 7
			}
		}
		FillSmooth(holed, mask)
		most := 0.0
		for i, v := range holed.Pix {
			most = max(most, math.Abs(float64(v-want.Pix[i])))
		}
		if most > 5e-4 {
			t.Errorf("%s: off by %g", name, most)
		}
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
