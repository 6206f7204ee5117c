package tile

import (
	"math"
	"testing"
)

func TestWeightsSumToOneAndWindowsFit(t *testing.T) {
	for _, c := range []struct{ h, w, size, overlap, align int }{
		{256, 256, 128, 32, 8}, {256, 256, 0, 32, 8}, {8, 8, 128, 32, 8}, {136, 72, 64, 16, 8},
		{1024, 40, 100, 60, 8}, {512, 288, 256, 64, 32}, {72, 72, 64, 1000, 8}, {80, 80, 16, 8, 8},
	} {
		sum := make([]float64, c.h*c.w)
		for _, w := range Grid(c.h, c.w, c.size, c.overlap, c.align) {
			if w.Y < 0 || w.X < 0 || w.Y+w.H > c.h || w.X+w.W > c.w || w.Y%c.align != 0 || w.X%c.align != 0 || w.H%c.align != 0 || w.W%c.align != 0 {
				t.Fatalf("%+v: window %d,%d %d×%d", c, w.X, w.Y, w.W, w.H)
			}
			for i, wy := range w.WY {
				for j, wx := range w.WX {
					sum[(w.Y+i)*c.w+w.X+j] += float64(wy) * float64(wx)
				}
			}
		}
		for i, s := range sum {
			if math.Abs(s-1) > 1e-5 {
				t.Fatalf("%+v: weights of pixel %d,%d sum to %v", c, i%c.w, i/c.w, s)
			}
		}
	}
}

func TestOverlapIsAtLeastAsAsked(t *testing.T) {
	for length := 136; length < 2000; length += 8 {
		ss := axis(length, 128, 32, 8)
		for i := 1; i < len(ss); i++ {
			if got := ss[i-1].at + ss[i-1].size - ss[i].at; got < 32 {
				t.Fatalf("length %d: spans %d and %d overlap by %d", length, i-1, i, got)
			}
		}
	}
}
