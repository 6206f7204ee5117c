package classical

import (
	"context"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// harmonic fills a hole with the surface that has no curvature (Laplace's
// equation), by successive over-relaxation from the means of ever finer
// grids.
func harmonic(ctx context.Context, _ degrade.Operator, x1 *bridge.Image, mask []uint8) (*bridge.Image, error) {
	if mask == nil {
		return nil, ErrNotFor
	}
	y := x1.Clone()
	for c := range y.C {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fillPlane(y.Plane(c), mask, y.H, y.W)
	}
	return y, nil
}

// fillPlane starts from the half-size solution.
func fillPlane(x []float32, mask []uint8, h, w int) {
	if min(h, w) > 4 {
		nh, nw := (h+1)/2, (w+1)/2
		small, sum, hole := make([]float32, nh*nw), make([]float32, nh*nw), make([]uint8, nh*nw)
		for i, v := range x {
			if k := i/w/2*nw + i%w/2; mask[i] == 0 {
				small[k] += v
				sum[k]++
			}
		}
		for k := range small {
			if sum[k] == 0 {
				hole[k] = 255
			} else {
				small[k] /= sum[k]
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

// relax makes each pixel of the hole the mean of its neighbours.
func relax(x []float32, mask []uint8, h, w int) {
	var hole []int
	for i, m := range mask {
		if m != 0 {
			hole = append(hole, i)
		}
	}
	const over = 1.8
	for range 400 {
		change := 0.0
		for _, i := range hole {
			sum, n := float32(0), float32(0)
			r, s := i/w, i%w
			if r > 0 {
				sum, n = sum+x[i-w], n+1
			}
			if r < h-1 {
				sum, n = sum+x[i+w], n+1
			}
			if s > 0 {
				sum, n = sum+x[i-1], n+1
			}
			if s < w-1 {
				sum, n = sum+x[i+1], n+1
			}
			d := over * (sum/n - x[i])
			x[i] += d
			change = max(change, math.Abs(float64(d)))
		}
		if change < 1e-5 {
			return
		}
	}
}
