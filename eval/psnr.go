// Package eval measures restorations: degraded crops of photographs against
// their originals.
package eval

import (
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// PSNR is the peak signal-to-noise ratio in dB of two pictures of one size,
// both clamped to [-1, 1] (a peak of 2), over all channels, without rounding
// to 8 bits. Equal pictures give +Inf.
func PSNR(a, b *bridge.Image) (float64, error) {
	if err := a.SameSize(b); err != nil {
		return 0, err
	}
	sum := 0.0
	for i, v := range a.Pix {
		d := clamp(v) - clamp(b.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(4*float64(len(a.Pix))/sum), nil
}

func clamp(v float32) float64 { return float64(min(1, max(-1, v))) }
