package runtime

import "github.com/i2sb-go/i2sb/bridge"

// pad writes x into y, which may be larger at its right and bottom: by
// reflection, without repeating the edge.
func pad(y, x *bridge.Image) {
	for c := range x.C {
		src, dst := x.Plane(c), y.Plane(c)
		for i := range y.H {
			row := src[reflect(i, x.H)*x.W:][:x.W]
			out := dst[i*y.W:][:y.W]
			n := copy(out, row)
			for j := n; j < y.W; j++ {
				out[j] = row[reflect(j, x.W)]
			}
		}
	}
}

// padMask enlarges a mask like its picture.
func padMask(m *Mask, w, h int) []uint8 {
	if m.W == w && m.H == h {
		return m.Values
	}
	y := make([]uint8, w*h)
	for i := range h {
		for j := range w {
			y[i*w+j] = m.Values[reflect(i, m.H)*m.W+reflect(j, m.W)]
		}
	}
	return y
}

// reflect folds i into [0, n).
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	if i >= n {
		i = 2*(n-1) - i
	}
	return i
}
