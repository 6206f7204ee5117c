package degrade

import (
	"math"
	"slices"
	"testing"
)

func holes(m []uint8) (n int) {
	for _, v := range m {
		if v != 0 {
			n++
		}
	}
	return n
}

func TestFreeformBands(t *testing.T) {
	for name, band := range map[string][2]float64{"inpaint-freeform1020": {.1, .2}, "inpaint-freeform2030": {.2, .3}, "inpaint-freeform3040": {.3, .4}} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		different := map[string]bool{}
		for seed := range uint64(12) {
			for _, s := range [][2]int{{256, 256}, {64, 64}, {100, 333}, {20, 20}} {
				different[string(op.(Masker).Mask(s[0], s[1], seed))] = true
			}
			for _, s := range [][2]int{{256, 256}, {64, 64}, {100, 333}, {20, 20}, {512, 40}, {1, 1}, {2, 3}, {3, 3}, {1, 9}, {5, 4}, {7, 1}, {1, 3000}} {
				m := op.(Masker).Mask(s[0], s[1], seed)
				n, size := holes(m), float64(s[0]*s[1])
				if len(m) != s[0]*s[1] {
					t.Fatalf("%s: %v: %d values", name, s, len(m))
				}
				if math.Ceil(band[0]*size-1e-9) > math.Floor(band[1]*size+1e-9) {
					continue // no number of pixels lies in the band
				}
				if share := float64(n) / size; share < band[0]-1e-9 || share > band[1]+1e-9 {
					t.Errorf("%s, seed %d, %v: %.3f of the picture is hole", name, seed, s, share)
				}
			}
		}
		if len(different) != 48 {
			t.Errorf("%s: only %d different masks", name, len(different))
		}
	}
}

// Masks that miss the band are grown or shrunk to the pixel.
func TestSpread(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 20}, {9, 7}, {30, 30}} {
		size := s[0] * s[1]
		for start := range 4 {
			for n := range size + 1 {
				m := make([]uint8, size)
				for i := range m {
					if i%4 < start || start == 3 {
						m[i] = 255
					}
				}
				spread(m, s[0], s[1], n, random(1, 1))
				if holes(m) != n {
					t.Fatalf("%v: %d pixels, want %d", s, holes(m), n)
				}
			}
		}
	}
}

func TestMasks(t *testing.T) {
	for _, name := range []string{"inpaint-center", "inpaint-freeform1020", "inpaint-random-25", "inpaint-center+noise-1"} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		if m := op.(Masker).Mask(0, 3, 1); m != nil {
			t.Errorf("%s: a mask without size", name)
		}
		x := random3(3, 40, 50, 1)
		y := apply(t, name, x, 9)
		mask := op.(Masker).Mask(40, 50, 9)
		for i := range y.Pix {
			if hole := mask[i%2000] == 255; hole && y.Pix[i] != 1 {
				t.Fatalf("%s: the hole is %v, not white", name, y.Pix[i])
			} else if !hole && name != "inpaint-center+noise-1" && y.Pix[i] != x.Pix[i] {
				t.Fatalf("%s changed a known pixel", name)
			}
		}
	}
	for p, want := range map[string][2]int{"0": {0, 0}, "25": {2250, 2750}, "100": {10000, 10000}} {
		op, err := Parse("inpaint-random-" + p)
		if err != nil {
			t.Fatal(err)
		}
		if n := holes(op.(Masker).Mask(100, 100, 3)); n < want[0] || n > want[1] {
			t.Errorf("inpaint-random-%s: %d of 10000 pixels", p, n)
		}
	}
}

func TestMaskFromGray(t *testing.T) {
	values := []uint8{0, 127, 128, 255, 1, 254}
	m, err := MaskFromGray(values, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	values[0] = 255 // the mask is a copy
	if got := m.Mask(2, 3, 0); !slices.Equal(got, []uint8{0, 0, 255, 255, 0, 255}) {
		t.Errorf("mask %v", got)
	}
	if m.Mask(3, 2, 0) != nil {
		t.Error("a mask of another size")
	}
	x := random3(1, 2, 3, 1)
	y, err := m.Apply(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	if y.Pix[0] != x.Pix[0] || y.Pix[2] != 1 {
		t.Errorf("%v became %v", x.Pix, y.Pix)
	}
	if _, err := m.Apply(random3(1, 3, 2, 1), 0); err == nil {
		t.Error("a picture of another size: no error")
	}
	for _, s := range [][2]int{{0, 0}, {6, 2}, {-3, -2}} {
		if _, err := MaskFromGray(values, s[0], s[1]); err == nil {
			t.Errorf("six values as %v: no error", s)
		}
	}
}
