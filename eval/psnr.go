// Package eval measures restorations: degraded crops of photographs against
// their originals.
package eval

import (
	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval/metric"
)

// PSNR is the peak signal-to-noise ratio in dB of two pictures of one size,
// both clamped to [-1, 1] (a peak of 2), over all channels, without rounding
// to 8 bits. Equal pictures give +Inf.
func PSNR(a, b *bridge.Image) (float64, error) { return metric.PSNR(a, b) }
