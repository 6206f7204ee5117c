package bridge

import "sync"

// Fills of a hole, of which a bridge starts from one (Config.Fill).
const (
	FillNoise    = ""         // N(0,1), as the reference does
	FillHarmonic = "harmonic" // the surface without curvature: see FillSmooth
)

// FillSmooth replaces the hole of x1 by the surface that has no curvature
// (Laplace's equation): each of its pixels is the mean of its neighbours, to
// 1e-4. x1 ← (1−m)·x1 + m·fill. The mask has H·W values, 255 in the hole; pixels
// with any other than 0 count as unknown. It is solved by successive
// over-relaxation from the solution of half the size.
func FillSmooth(x1 *Image, mask []uint8) {
	var all sync.WaitGroup
	for c := range x1.C {
		all.Go(func() {
			x := x1.Plane(c)
			var blended []float32
			for i, m := range mask {
				if m != 0 && m != 255 {
					blended = append(blended, x[i])
				}
			}
			fillPlane(x, mask, x1.H, x1.W)
			for i, m := range mask {
				if m != 0 && m != 255 {
					a := float32(m) / 255
					x[i] = (1-a)*blended[0] + a*x[i]
					blended = blended[1:]
				}
			}
		})
	}
	all.Wait()
}

// fillPlane starts from the half-size solution.
func fillPlane(x []float32, mask []uint8, h, w int) {
	if min(h, w) > 4 {
		nh, nw := (h+1)/2, (w+1)/2
		small, n, hole := make([]float32, nh*nw), make([]uint8, nh*nw), make([]uint8, nh*nw)
		for r := range h {
			to := r / 2 * nw
			for s := range w {
				if i := r*w + s; mask[i] == 0 {
					small[to+s/2] += x[i]
					n[to+s/2]++
				}
			}
		}
		for k := range small {
			if n[k] == 0 {
				hole[k] = 255
			} else {
				small[k] /= float32(n[k])
			}
		}
		fillPlane(small, hole, nh, nw)
		for i := range x {
			if mask[i] != 0 {
				x[i] = small[i/w/2*nw+i%w/2]
			}
		}
	} else {
		fillWithMean(x, mask)
	}
	relax(x, mask, h, w)
}

func fillWithMean(x []float32, mask []uint8) {
	sum, n := 0.0, 0
	for i, v := range x {
		if mask[i] == 0 {
			sum += float64(v)
			n++
		}
	}
	for i := range x {
		if mask[i] != 0 {
			x[i] = float32(sum / float64(max(1, n)))
		}
	}
}

// span is a run of a hole's pixels in a row.
type span struct{ row, from, to int32 }

func spans(mask []uint8, h, w int) (all []span) {
	for r := range h {
		row := mask[r*w:][:w]
		for s := 0; s < w; s++ {
			if row[s] == 0 {
				continue
			}
			from := s
			for s < w && row[s] != 0 {
				s++
			}
			all = append(all, span{int32(r), int32(from), int32(s)})
		}
	}
	return all
}

// relax makes each pixel of the hole the mean of its neighbours.
func relax(x []float32, mask []uint8, h, w int) {
	const rounds, enough = 200, 1e-4
	if h*w == 1 {
		return
	}
	all := spans(mask, h, w)
	for range rounds {
		change := float32(0)
		for _, p := range all {
			r, from, to := int(p.row), int(p.from), int(p.to)
			row := x[r*w:][:w]
			above, below := x[max(0, r-1)*w:][:w], x[min(h-1, r+1)*w:][:w]
			if r > 0 && r < h-1 && from > 0 && to < w {
				for s := from; s < to; s++ { // nearly all
					change = max(change, toMean(&row[s], (above[s]+below[s]+row[s-1]+row[s+1])*0.25))
				}
				continue
			}
			for s := from; s < to; s++ {
				sum, n := float32(0), float32(0)
				if r > 0 {
					sum, n = sum+above[s], n+1
				}
				if r < h-1 {
					sum, n = sum+below[s], n+1
				}
				if s > 0 {
					sum, n = sum+row[s-1], n+1
				}
				if s < w-1 {
					sum, n = sum+row[s+1], n+1
				}
				change = max(change, toMean(&row[s], sum/n))
			}
		}
		if change < enough {
			return
		}
	}
}

// toMean moves a pixel over its neighbours' mean, and tells how far.
func toMean(v *float32, mean float32) float32 {
	d := 1.8 * (mean - *v)
	*v += d
	return max(d, -d)
}
