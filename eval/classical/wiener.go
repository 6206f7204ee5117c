package classical

import (
	"context"
	"strings"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// wiener undoes a known blur with reflected borders: in the cosines of DCT-I,
// whose lines are reflected without repeating the edge as well, the blur is a
// factor h at each frequency f, and the estimate of least error is
// h·s/(h²·s+n). The spectrum s of photographs falls as 1/f²; its scale is that
// of the picture. n is the noise of rounding to 8 bits, which x1 gets first:
// in float32 a blur is hardly a loss, and files do not hold float32.
func wiener(_ context.Context, op degrade.Operator, x1 *bridge.Image, _ []uint8) (*bridge.Image, error) {
	if !strings.HasPrefix(op.Name(), "blur-") || strings.Contains(op.Name(), ".official") || strings.Contains(op.Name(), ".zero") || min(x1.H, x1.W) < 2 {
		return nil, ErrNotFor
	}
	op, stages, err := measured(op)
	if err != nil {
		return nil, err
	}
	if stages != "" && stages != "8bit" {
		return nil, ErrNotFor
	}
	rows, err := response(op, x1.H)
	if err != nil {
		return nil, err
	}
	cols, err := response(op, x1.W)
	if err != nil {
		return nil, err
	}
	const noise = 2.0 / 255 * 2 / 255 / 12
	y := bridge.NewImage(x1.C, x1.H, x1.W)
	dr, dc := fourier.NewDCT(x1.H), fourier.NewDCT(x1.W)
	for c := range y.C {
		plane := make([]float64, x1.H*x1.W)
		for i, v := range x1.Plane(c) {
			plane[i] = float64(bridge.Level8(bridge.Code8(v)))
		}
		z := transform(plane, x1.H, x1.W, dr, dc)
		scale := spectrum(z, rows, cols)
		n := noise * 4 * float64((x1.H-1)*(x1.W-1)) // the transform's own scale
		for i := range z {
			u, v := i/x1.W, i%x1.W
			if h, s := rows[u]*cols[v], scale/max(1e-9, frequency(u, v, x1.H, x1.W)); i > 0 {
				z[i] *= h * s / (h*h*s + n)
			}
		}
		z = transform(z, x1.H, x1.W, dr, dc)
		for i, v := range z {
			y.Plane(c)[i] = float32(v / (4 * float64((x1.H-1)*(x1.W-1))))
		}
	}
	return y, nil
}

// response is the factor of each frequency of a line of n, from the answer to
// cosines: a separable blur gives a line of n the same as a column of it.
func response(op degrade.Operator, n int) ([]float64, error) {
	probe := bridge.NewImage(1, n, 1)
	probe.Pix[0] = 1
	line, err := op.Apply(probe, 0)
	if err != nil {
		return nil, err
	}
	dct := fourier.NewDCT(n)
	in, out := make([]float64, n), make([]float64, n)
	in[0], out[0] = 1, 0
	for i, v := range line.Pix {
		out[i] = float64(v)
	}
	a, b := dct.Transform(nil, in), dct.Transform(nil, out)
	for i := range b {
		b[i] /= a[i]
	}
	return b, nil
}

// frequency is f² in cycles per pixel.
func frequency(u, v, h, w int) float64 {
	a, b := float64(u)/float64(2*(h-1)), float64(v)/float64(2*(w-1))
	return a*a + b*b
}

// spectrum is the scale of s = scale/f² that explains the blurred picture.
func spectrum(z, rows, cols []float64) float64 {
	var power, expected float64
	for i, v := range z {
		if u, w := i/len(cols), i%len(cols); i > 0 {
			h := rows[u] * cols[w]
			power += v * v
			expected += h * h / frequency(u, w, len(rows), len(cols))
		}
	}
	return power / expected
}

// transform is the DCT-I in both directions; twice it is 4(h−1)(w−1).
func transform(x []float64, h, w int, rows, cols *fourier.DCT) []float64 {
	for i := range h {
		cols.Transform(x[i*w:][:w], x[i*w:][:w])
	}
	x = transpose(x, h, w)
	for i := range w {
		rows.Transform(x[i*h:][:h], x[i*h:][:h])
	}
	return transpose(x, w, h)
}
