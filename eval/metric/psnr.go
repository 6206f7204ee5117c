package metric

import (
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// PSNR is the peak signal-to-noise ratio in dB over all channels. Equal
// pictures give +Inf.
func PSNR(a, b *bridge.Image) (float64, error) {
	return All[0].Compare(a, b)
}

func psnr(a, b planes) (float64, error) {
	sum := 0.0
	for c := range a.pix {
		for i, v := range a.pix[c] {
			d := v - b.pix[c][i]
			sum += d * d
		}
	}
	return 10 * math.Log10(float64(len(a.pix)*a.h*a.w)/sum), nil
}
