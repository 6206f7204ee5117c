package runtime

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
