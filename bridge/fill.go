package bridge

import "sync"

// Fills of a hole, of which a bridge starts from one (Config.Fill).
const (
	FillNoise    = ""         // N(0,1), as the reference does
	FillHarmonic = "harmonic" // the surface without curvature: see FillSmooth
)

// FillSmooth replaces the hole of x1 by the surface that has no curvature
// (Laplace's equation): each of its pixels is the mean of its neighbours.
// x1 ← (1−m)·x1 + m·fill. The mask has H·W values, 255 in the hole; pixels with
// any other than 0 count as unknown. It is solved by multigrid cycles that start
// from the solution of half the size, until they move no pixel by 1e-4.
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
	newGrid(mask, h, w).solve(x)
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
