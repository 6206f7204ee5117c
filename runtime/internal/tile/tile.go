// Package tile cuts a picture into overlapping windows for a network and says
// with which weight each window counts at each pixel.
package tile

// Window is one tile: its place and size in pixels, and its weight at each of
// its rows and columns. The weight of a pixel is WY[row]·WX[column]; over all
// windows the weights of a pixel sum to 1.
type Window struct {
	Y, X, H, W int
	WY, WX     []float32
}

// Span is one axis of a window.
type span struct {
	at, size int
	weight   []float32
}

// Grid covers h×w pixels (both multiples of align) by windows of at most
// size×size (rounded up to align) that overlap by at least overlap pixels.
// A size of 0, or one that holds the whole side, does not cut that side.
// All windows have the same size.
func Grid(h, w, size, overlap, align int) []Window {
	var ws []Window
	xs := axis(w, size, overlap, align)
	for _, y := range axis(h, size, overlap, align) {
		for _, x := range xs {
			ws = append(ws, Window{Y: y.at, X: x.at, H: y.size, W: x.size, WY: y.weight, WX: x.weight})
		}
	}
	return ws
}

// Done is how many rows of h, from the top, no window after the j-th touches.
func Done(ws []Window, j, h int) int {
	if j+1 == len(ws) {
		return h
	}
	return ws[j+1].Y
}

// axis cuts a length into spans that start at multiples of align, so that
// every window meets the network's down-sampling at the same phase.
func axis(length, size, overlap, align int) []span {
	size = (size + align - 1) / align * align
	if size == 0 || size >= length {
		return []span{{0, length, ones(length)}}
	}
	overlap = min(overlap, size-align)
	n := (length - overlap + size - overlap - 1) / (size - overlap)
	spans := make([]span, 0, n)
	for i := range n {
		at := (length - size) * i / (n - 1) / align * align
		if i == n-1 {
			at = length - size
		}
		spans = append(spans, span{at: at, size: size})
	}
	blend(spans, length)
	return spans
}

func ones(n int) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = 1
	}
	return w
}

// margin is the share of an overlap, on each side, in which the nearer window
// counts alone: the pixels next to a window's cut edge have seen padding in
// place of the picture and are not used where another window has them.
const margin = 0.25

// blend gives each span its weights: 1 inside, linear across the middle of an
// overlap, then divided so that they sum to 1 (three spans may meet).
func blend(spans []span, length int) {
	total := make([]float64, length)
	raw := make([][]float64, len(spans))
	for i, s := range spans {
		left, right := 0, 0
		if i > 0 {
			left = spans[i-1].at + spans[i-1].size - s.at
		}
		if i < len(spans)-1 {
			right = s.at + s.size - spans[i+1].at
		}
		raw[i] = make([]float64, s.size)
		for j := range s.size {
			raw[i][j] = ramp(j, left) * ramp(s.size-1-j, right)
			total[s.at+j] += raw[i][j]
		}
	}
	for i := range spans {
		spans[i].weight = make([]float32, spans[i].size)
		for j := range raw[i] {
			spans[i].weight[j] = float32(raw[i][j] / total[spans[i].at+j])
		}
	}
}

// ramp rises from 0 to 1 over the middle of an overlap; j counts from the
// window's edge.
func ramp(j, overlap int) float64 {
	if overlap <= 0 {
		return 1
	}
	t := ((float64(j)+0.5)/float64(overlap) - margin) / (1 - 2*margin)
	return min(1, max(1e-6, t))
}
