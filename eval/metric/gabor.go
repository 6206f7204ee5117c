package metric

import (
	"math"
	"math/cmplx"
)

// A Gabor filter is a plane wave under a Gaussian: the field's model of a
// simple cell. Its absolute value, the local energy, does not depend on where
// in the wave an edge lies.
const (
	gaborWave   = 3.0 // pixels of a period
	gaborSigma  = 1.5
	gaborRadius = 5
	gaborAngles = 4
)

// gabor is separable: rows of one line of taps, then columns of the other.
type gabor struct {
	x, y []complex128
	mean complex128 // of the taps, taken out with the Gaussian
}

var (
	envelope = gaussian(gaborSigma, gaborRadius)
	gabors   = func() (g [gaborAngles]gabor) {
		for k := range g {
			sin, cos := math.Sincos(math.Pi * float64(k) / gaborAngles)
			line := func(f float64) (taps []complex128, sum complex128) {
				for i, e := range envelope {
					t := cmplx.Rect(e, 2*math.Pi*f*float64(i-gaborRadius)/gaborWave)
					taps, sum = append(taps, t), sum+t
				}
				return taps, sum
			}
			var sx, sy complex128
			g[k].x, sx = line(cos)
			g[k].y, sy = line(sin)
			g[k].mean = sx * sy
		}
		return g
	}()
)

// filter gives the complex responses of x, reflected at its borders; smooth is
// x under the Gaussian alone.
func (g gabor) filter(x, smooth []float64, h, w int) []complex128 {
	rows := make([]complex128, h*w)
	for i := range h {
		for k, t := range g.x {
			for j := range w {
				rows[i*w+j] += t * complex(x[i*w+reflect(j+k-gaborRadius, w)], 0)
			}
		}
	}
	y := make([]complex128, h*w)
	for i := range h {
		out := y[i*w:][:w]
		for k, t := range g.y {
			for j, v := range rows[reflect(i+k-gaborRadius, h)*w:][:w] {
				out[j] += t * v
			}
		}
		for j := range out {
			out[j] -= g.mean * complex(smooth[i*w+j], 0)
		}
	}
	return y
}

// blur filters with taps in both directions, reflecting at the borders.
func blur(x []float64, h, w int, taps []float64) []float64 {
	r := len(taps) / 2
	rows, y := make([]float64, h*w), make([]float64, h*w)
	for i := range h {
		for k, t := range taps {
			for j := range w {
				rows[i*w+j] += t * x[i*w+reflect(j+k-r, w)]
			}
		}
	}
	for i := range h {
		out := y[i*w:][:w]
		for k, t := range taps {
			for j, v := range rows[reflect(i+k-r, h)*w:][:w] {
				out[j] += t * v
			}
		}
	}
	return y
}

// reflect folds an index into 0…n−1 without repeating the edge.
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	i %= 2 * (n - 1)
	if i < 0 {
		i = -i
	}
	if i >= n {
		i = 2*(n-1) - i
	}
	return i
}
