package metric

import (
	"fmt"
	"math"
)

// ssimTaps is the window of SSIM (Wang et al., IEEE TIP 2004): 11 taps of a
// Gaussian of σ 1.5, in both directions.
var ssimTaps = gaussian(1.5, 5)

const (
	ssimC1 = 0.01 * 0.01
	ssimC2 = 0.03 * 0.03
)

// ssim is the mean over windows that lie wholly within the picture, and over
// channels.
func ssim(a, b planes) (float64, error) {
	if min(a.h, a.w) < len(ssimTaps) {
		return 0, fmt.Errorf("%w: SSIM's window of 11×11 does not fit into %d×%d", ErrSmall, a.w, a.h)
	}
	sum := 0.0
	for c := range a.pix {
		s, _ := structure(a.pix[c], b.pix[c], a.h, a.w)
		sum += s
	}
	return sum / float64(len(a.pix)), nil
}

// msssimWeights are the exponents of MS-SSIM's five scales (Wang, Simoncelli
// and Bovik, 2003).
var msssimWeights = []float64{0.0448, 0.2856, 0.3001, 0.2363, 0.1333}

// msssim is the product over scales of SSIM's contrast and structure, with
// the luminance of the last, averaged over channels. A mean below zero counts
// as zero. The last scale's window must fit: sides of 161 at least.
func msssim(a, b planes) (float64, error) {
	if min(a.h, a.w) < 161 {
		return 0, fmt.Errorf("%w: MS-SSIM's five scales need sides of 161, not %d×%d", ErrSmall, a.w, a.h)
	}
	sum := 0.0
	for c := range a.pix {
		x, y, h, w := a.pix[c], b.pix[c], a.h, a.w
		product := 1.0
		for level, weight := range msssimWeights {
			s, cs := structure(x, y, h, w)
			if level == len(msssimWeights)-1 {
				cs = s
			}
			product *= math.Pow(max(0, cs), weight)
			var nh, nw int
			x, nh, nw = halve(x, h, w)
			y, _, _ = halve(y, h, w)
			h, w = nh, nw
		}
		sum += product
	}
	return sum / float64(len(a.pix)), nil
}

// structure is the mean of SSIM, and that of its contrast and structure alone.
func structure(a, b []float64, h, w int) (all, cs float64) {
	mul := func(x, y []float64) []float64 {
		z := make([]float64, len(x))
		for i := range z {
			z[i] = x[i] * y[i]
		}
		return z
	}
	ma, mb := window(a, h, w), window(b, h, w)
	aa, bb, ab := window(mul(a, a), h, w), window(mul(b, b), h, w), window(mul(a, b), h, w)
	for i := range ma {
		va, vb, cov := aa[i]-ma[i]*ma[i], bb[i]-mb[i]*mb[i], ab[i]-ma[i]*mb[i]
		c := (2*cov + ssimC2) / (va + vb + ssimC2)
		cs += c
		all += c * (2*ma[i]*mb[i] + ssimC1) / (ma[i]*ma[i] + mb[i]*mb[i] + ssimC1)
	}
	n := float64(len(ma))
	return all / n, cs / n
}

// window filters with ssimTaps in both directions where they fit.
func window(x []float64, h, w int) []float64 {
	n := len(ssimTaps)
	rows := make([]float64, h*(w-n+1))
	for i := range h {
		out := rows[i*(w-n+1):][:w-n+1]
		for k, t := range ssimTaps {
			for j, v := range x[i*w+k:][:len(out)] {
				out[j] += t * v
			}
		}
	}
	w -= n - 1
	y := make([]float64, (h-n+1)*w)
	for i := range h - n + 1 {
		out := y[i*w:][:w]
		for k, t := range ssimTaps {
			for j, v := range rows[(i+k)*w:][:w] {
				out[j] += t * v
			}
		}
	}
	return y
}

// halve takes the means of 2×2 pixels; the last row or column of an odd side
// is paired with itself.
func halve(x []float64, h, w int) (y []float64, nh, nw int) {
	nh, nw = (h+1)/2, (w+1)/2
	y = make([]float64, 0, nh*nw)
	for i := range nh {
		r0, r1 := x[2*i*w:][:w], x[min(2*i+1, h-1)*w:][:w]
		for j := range nw {
			k := min(2*j+1, w-1)
			y = append(y, (r0[2*j]+r0[k]+r1[2*j]+r1[k])/4)
		}
	}
	return y, nh, nw
}

// gaussian has 2·radius+1 taps of sum 1.
func gaussian(sigma float64, radius int) []float64 {
	k := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range k {
		x := float64(i-radius) / sigma
		k[i] = math.Exp(-x * x / 2)
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
}
