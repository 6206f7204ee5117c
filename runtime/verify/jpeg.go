package verify

import "math"

// jpegRow judges a JPEG. A coefficient that lies within rounding error of a
// tie may be quantised to the other side; that changes one block by one
// cosine. Such blocks are left out of the error if they are at most one in a
// thousand, or the only one of the picture, and really differ by one cosine.
func jpegRow(name string, want, got *tensor) Row {
	r := compare(name, want.v, got.v, operatorTolerance)
	n := len(want.shape)
	if r.OK || r.MaxAbsErr > 4 || n < 3 {
		return r
	}
	h, w := want.shape[n-2], want.shape[n-1]
	if h%16 != 0 || w%16 != 0 || len(want.v)%(3*h*w) != 0 {
		return r
	}
	worst, ties, blocks := 0.0, 0, 0
	diff := make([]float64, 3*h*w)
	for at := 0; at < len(want.v); at += len(diff) {
		for i := range diff {
			diff[i] = float64(got.v[at+i]) - float64(want.v[at+i])
		}
		for y := 0; y < h; y += 16 {
			for x := 0; x < w; x += 16 {
				blocks += 6
				e, t := unit(diff, h, w, y, x)
				worst, ties = max(worst, e), ties+t
			}
		}
	}
	if ties > max(1, blocks/1000) {
		return r
	}
	return judge(name, worst, operatorTolerance)
}

// unit looks at 16×16 pixels, four blocks of luminance and two of chrominance:
// the largest error outside of ties, and the number of ties.
func unit(diff []float64, h, w, y, x int) (worst float64, ties int) {
	var bad [][2]int
	for _, b := range [][2]int{{0, 0}, {0, 8}, {8, 0}, {8, 8}} {
		if e := extent(diff, h, w, y+b[0], x+b[1], 8); e > operatorTolerance {
			bad = append(bad, b)
		} else {
			worst = max(worst, e)
		}
	}
	if len(bad) == 0 {
		return worst, 0
	}
	if len(bad) == 4 && cosine(diff, h, w, y, x, 2) {
		return worst, 1
	}
	for _, b := range bad {
		if cosine(diff, h, w, y+b[0], x+b[1], 1) {
			ties++
		} else {
			worst = max(worst, extent(diff, h, w, y+b[0], x+b[1], 8))
		}
	}
	return worst, ties
}

// extent is the largest difference in a square of all three channels.
func extent(diff []float64, h, w, y, x, side int) float64 {
	m := 0.0
	for c := range 3 {
		for i := range side {
			for k := range side {
				m = max(m, math.Abs(diff[(c*h+y+i)*w+x+k]))
			}
		}
	}
	return m
}

// cosine tells whether the difference in a block is one and the same function
// of the DCT's base in all channels. With scale 2 it is the block of a
// chrominance, each value twice in both directions.
func cosine(diff []float64, h, w, y, x, scale int) bool {
	var total [3]float64
	var coef [3][64]float64
	for c := range 3 {
		for i := range 8 * scale {
			for k := range 8 * scale {
				d := diff[(c*h+y+i)*w+x+k]
				total[c] += d * d / float64(scale*scale)
				for u := range 8 {
					for v := range 8 {
						coef[c][8*u+v] += d * basis(u, i/scale) * basis(v, k/scale) / float64(scale*scale)
					}
				}
			}
		}
	}
	loudest := 0
	for c := range 3 {
		if total[c] > total[loudest] {
			loudest = c
		}
	}
	best := 0
	for u := range 64 {
		if math.Abs(coef[loudest][u]) > math.Abs(coef[loudest][best]) {
			best = u
		}
	}
	for c := range 3 {
		rest := total[c] - coef[c][best]*coef[c][best]
		if rest > 1e-3*total[loudest] {
			return false
		}
	}
	return true
}

// basis is the orthonormal DCT-II's function u of 8 at i.
func basis(u, i int) float64 {
	if u == 0 {
		return math.Sqrt(0.125)
	}
	return 0.5 * math.Cos(float64(2*i+1)*float64(u)*math.Pi/16)
}
