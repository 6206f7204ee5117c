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
	x, y wave
	mean complex128 // of the taps, taken out with the Gaussian
}

// wave is a line of complex taps.
type wave struct{ re, im []float64 }

// response is a complex plane.
type response struct{ re, im []float64 }

var (
	envelope = gaussian(gaborSigma, gaborRadius)
	gabors   = func() (g [gaborAngles]gabor) {
		for k := range g {
			sin, cos := math.Sincos(math.Pi * float64(k) / gaborAngles)
			line := func(f float64) (taps wave, sum complex128) {
				for i, e := range envelope {
					t := cmplx.Rect(e, 2*math.Pi*f*float64(i-gaborRadius)/gaborWave)
					taps.re, taps.im, sum = append(taps.re, real(t)), append(taps.im, imag(t)), sum+t
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

// filter answers x, reflected at its borders; smooth is x under the Gaussian
// alone.
func (g gabor) filter(x, smooth []float64, h, w int) response {
	re, im := rows(x, h, w, g.x.re), rows(x, h, w, g.x.im)
	y := response{columns(re, h, w, g.y.re), columns(re, h, w, g.y.im)}
	a, b := columns(im, h, w, g.y.im), columns(im, h, w, g.y.re)
	for i, s := range smooth {
		y.re[i] -= a[i] + real(g.mean)*s
		y.im[i] += b[i] - imag(g.mean)*s
	}
	return y
}

// blur filters with taps in both directions, reflecting at the borders.
func blur(x []float64, h, w int, taps []float64) []float64 {
	return columns(rows(x, h, w, taps), h, w, taps)
}

func rows(x []float64, h, w int, taps []float64) []float64 {
	r := len(taps) / 2
	y, line := make([]float64, h*w), make([]float64, w+2*r)
	for i := range h {
		for j := range line {
			line[j] = x[i*w+reflect(j-r, w)]
		}
		addTaps(y[i*w:][:w], taps, func(k int) []float64 { return line[k:][:w] })
	}
	return y
}

func columns(x []float64, h, w int, taps []float64) []float64 {
	r := len(taps) / 2
	y := make([]float64, h*w)
	for i := range h {
		addTaps(y[i*w:][:w], taps, func(k int) []float64 { return x[reflect(i+k-r, h)*w:][:w] })
	}
	return y
}

// addTaps adds the lines, each with its tap.
func addTaps(out, taps []float64, line func(k int) []float64) {
	for k, t := range taps {
		if t == 0 {
			continue
		}
		in := line(k)[:len(out)]
		for j := range out {
			out[j] += t * in[j]
		}
	}
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
