// Package metric compares restored pictures with their originals. Pictures
// are clamped to [-1, 1], and compared on [0, 1] without rounding to 8 bits.
package metric

import (
	"errors"
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// ErrSmall says that a picture is too small for a metric.
var ErrSmall = errors.New("the picture is too small")

// Metric is a number that tells how near two pictures of one size are.
type Metric struct {
	Name   string // psnr, psnr-y, …
	Title  string // for headings
	Lower  bool   // the lower, the better
	Digits int    // after the point, worth printing
	// Border is how many pixels are left out along each side.
	Border  int
	luma    bool
	compare func(a, b planes) (float64, error)
}

// All are the metrics that Parse knows, in the order of reports.
var All = []Metric{
	{Name: "psnr", Title: "PSNR dB", Digits: 2, compare: psnr},
	{Name: "psnr-y", Title: "PSNR-Y dB", Digits: 2, luma: true, compare: psnr},
	{Name: "ssim", Title: "SSIM", Digits: 4, compare: ssim},
	{Name: "ssim-y", Title: "SSIM-Y", Digits: 4, luma: true, compare: ssim},
	{Name: "ms-ssim", Title: "MS-SSIM", Digits: 4, compare: msssim},
	{Name: "ms-ssim-y", Title: "MS-SSIM-Y", Digits: 4, luma: true, compare: msssim},
	{Name: "perceptual", Title: "perceptual", Lower: true, Digits: 4, compare: perceptual},
}

// Names lists the metrics.
func Names() []string {
	var names []string
	for _, m := range All {
		names = append(names, m.Name)
	}
	return names
}

// Parse finds a metric by name.
func Parse(name string) (Metric, error) {
	for _, m := range All {
		if m.Name == name {
			return m, nil
		}
	}
	return Metric{}, fmt.Errorf("metric %q: there are %s", name, strings.Join(Names(), ", "))
}

// Compare measures a restored picture of three channels (or one) against its
// original. ErrSmall means that the metric does not exist for this size.
func (m Metric) Compare(restored, original *bridge.Image) (float64, error) {
	if err := restored.SameSize(original); err != nil {
		return 0, err
	}
	a, err := m.planes(restored)
	if err != nil {
		return 0, err
	}
	b, err := m.planes(original)
	if err != nil {
		return 0, err
	}
	return m.compare(a, b)
}

// planes are the channels of a picture on [0, 1].
type planes struct {
	h, w int
	pix  [][]float64
}

func (m Metric) planes(x *bridge.Image) (planes, error) {
	p := planes{h: x.H - 2*m.Border, w: x.W - 2*m.Border}
	if m.Border < 0 || p.h < 1 || p.w < 1 {
		return p, fmt.Errorf("a border of %d leaves nothing of %d×%d", m.Border, x.W, x.H)
	}
	for c := range x.C {
		plane := make([]float64, 0, p.h*p.w)
		for i := range p.h {
			for _, v := range x.Plane(c)[(i+m.Border)*x.W+m.Border:][:p.w] {
				plane = append(plane, (clamp(v)+1)/2)
			}
		}
		p.pix = append(p.pix, plane)
	}
	if m.luma && x.C == 3 {
		p.pix = [][]float64{luma(p.pix)}
	}
	return p, nil
}

// luma is Y of BT.601 with its foot- and headroom, 16/255 to 235/255, as the
// literature on super-resolution takes it.
func luma(rgb [][]float64) []float64 {
	y := make([]float64, len(rgb[0]))
	for i := range y {
		y[i] = (16 + 65.481*rgb[0][i] + 128.553*rgb[1][i] + 24.966*rgb[2][i]) / 255
	}
	return y
}

func clamp(v float32) float64 { return float64(min(1, max(-1, v))) }

// Truncate is a picture on the levels of 8 bits as the reference makes them
// before its metrics: (x+1)·127.5, clamped, and its fraction cut off.
func Truncate(x *bridge.Image) *bridge.Image {
	y := x.Clone()
	for i, v := range y.Pix {
		y.Pix[i] = float32(int(min(255, max(0, (v+1)*127.5))))/127.5 - 1
	}
	return y
}
