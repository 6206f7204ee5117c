package metric

import (
	"fmt"
	"math"
	"sync"
)

// The perceptual distance compares what Gabor filters of four directions and
// up to four octaves answer, window by window:
//
//   - texture: whether there is as much energy, wherever its edges lie (the
//     contrast of STSIM; Zujovic, Pappas and Neuhoff, IEEE TIP 2013);
//   - structure: whether the responses move together but for a common phase
//     (CW-SSIM; Sampat et al., IEEE TIP 2009).
//
// Both are 1 where the pictures agree. What is left below the last octave is
// compared by its value. The distance is 1 less the mean: 0 for equal
// pictures, below 1 for others. It needs no weights.
const (
	levels         = 4
	visible        = 1e-4 // energy of a wave that one begins to see: an amplitude of 2 %
	textureShare   = 0.6
	lastDifference = 0.01 // a difference in colour that one begins to see
)

// shares of luma and the two differences of colour.
var opponent = [3]float64{0.8, 0.1, 0.1}

var windowTaps = gaussian(2, 5)

func perceptual(a, b planes) (float64, error) {
	if min(a.h, a.w) < 4*gaborRadius {
		return 0, fmt.Errorf("%w: the perceptual distance needs sides of %d, not %d×%d", ErrSmall, 4*gaborRadius, a.w, a.h)
	}
	a, b = opponents(a), opponents(b)
	if len(a.pix) == 1 {
		return 1 - likeness(a.pix[0], b.pix[0], a.h, a.w), nil
	}
	var like [3]float64
	var channels sync.WaitGroup
	for c := range like {
		channels.Go(func() {
			x, y, h, w := a.pix[c], b.pix[c], a.h, a.w
			if c > 0 { // the eye sees colour at half the resolution
				x, _, _ = halve(x, h, w)
				y, h, w = halve(y, h, w)
			}
			like[c] = likeness(x, y, h, w)
		})
	}
	channels.Wait()
	return 1 - opponent[0]*like[0] - opponent[1]*like[1] - opponent[2]*like[2], nil
}

// opponents turns R, G, B into luma and two differences.
func opponents(p planes) planes {
	if len(p.pix) != 3 {
		return p
	}
	q := planes{h: p.h, w: p.w, pix: [][]float64{make([]float64, p.h*p.w), make([]float64, p.h*p.w), make([]float64, p.h*p.w)}}
	for i := range q.pix[0] {
		r, g, b := p.pix[0][i], p.pix[1][i], p.pix[2][i]
		y := 0.299*r + 0.587*g + 0.114*b
		q.pix[0][i], q.pix[1][i], q.pix[2][i] = y, (b-y)/1.772, (r-y)/1.402
	}
	return q
}

// likeness is the mean over octaves, with the last low pass as one more.
func likeness(a, b []float64, h, w int) float64 {
	sum, n := 0.0, 0
	for level := 0; level < levels && min(h, w) >= 2*gaborRadius; level++ {
		sa, sb := blur(a, h, w, envelope), blur(b, h, w, envelope)
		for _, g := range gabors {
			sum += band(g.filter(a, sa, h, w), g.filter(b, sb, h, w), h, w) / gaborAngles
		}
		n++
		var nh, nw int
		a, nh, nw = halve(a, h, w)
		b, _, _ = halve(b, h, w)
		h, w = nh, nw
	}
	low := 0.0
	for i := range a {
		d := (a[i] - b[i]) / lastDifference
		low += 1 / (1 + d*d/16)
	}
	return (sum + low/float64(len(a))) / float64(n+1)
}

// band compares two responses.
func band(x, y response, h, w int) float64 {
	n := len(x.re)
	ex, ey, re, im := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		a, b, c, d := x.re[i], x.im[i], y.re[i], y.im[i]
		ex[i], ey[i] = a*a+b*b, c*c+d*d
		re[i], im[i] = a*c+b*d, b*c-a*d
	}
	ex, ey, re, im = blur(ex, h, w, windowTaps), blur(ey, h, w, windowTaps), blur(re, h, w, windowTaps), blur(im, h, w, windowTaps)
	sum := 0.0
	for i := range ex {
		all := ex[i] + ey[i] + visible
		texture := (2*math.Sqrt(ex[i]*ey[i]) + visible) / all
		structure := (2*math.Sqrt(re[i]*re[i]+im[i]*im[i]) + visible) / all
		sum += textureShare*texture + (1-textureShare)*structure
	}
	return sum / float64(n)
}
