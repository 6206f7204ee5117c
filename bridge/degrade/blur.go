package degrade

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// blur is a true convolution with the same taps in both directions.
type blur struct {
	name string
	taps []float64 // an odd number
	zero bool      // black beyond the borders, not a reflection
}

func (o blur) Name() string { return o.name }

// line is the map of lines of n.
func (o blur) line(n int) matrix {
	m := make(matrix, n)
	r := len(o.taps) / 2
	for i := range m {
		for k, w := range o.taps {
			if j := i + k - r; !o.zero {
				m.add(i, reflect(j, n), w)
			} else if j >= 0 && j < n {
				m.add(i, j, w)
			}
		}
	}
	return m
}

// Apply blurs z = (x+1)/2, as the reference does: 2Hz − 1 = Hx + H1 − 1. The
// constant matters at zero borders, where what comes in is black.
func (o blur) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	rows, cols := o.line(x.H), o.line(x.W)
	y := both(x, rows, cols)
	if !o.zero {
		return y, nil
	}
	gy, gx := rows.sums(), cols.sums()
	for c := range y.C {
		for i, v := range y.Plane(c) {
			y.Plane(c)[i] = float32(float64(v) + gy[i/y.W]*gx[i%y.W] - 1)
		}
	}
	return y, nil
}

// Adjoint implements Linear.
func (o blur) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	return both(y, o.line(y.H).transpose(y.H), o.line(y.W).transpose(y.W)), nil
}

// uniform is a box of n taps.
func uniform(n int) []float64 {
	k := make([]float64, n)
	for i := range k {
		k[i] = 1 / float64(n)
	}
	return k
}

// gaussian is of 2·radius+1 taps, of sum 1.
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

func parseUniform(name, arg string, zero bool) (Operator, error) {
	n, ok := 9, true
	if arg != "" {
		n, ok = integer(arg, 1, 999)
	}
	if !ok || n%2 == 0 {
		return nil, fmt.Errorf("degrade: %q: the width is no odd number from 1 to 999", name)
	}
	return blur{name, uniform(n), zero}, nil
}

func parseGaussian(name, arg string, zero bool) (Operator, error) {
	if arg == "" {
		return blur{name, gaussian(10, 2), zero}, nil
	}
	sigma, ok := number(arg, 0, 100)
	if !ok || sigma < 1e-3 {
		return nil, fmt.Errorf("degrade: %q: σ is no number from 0.001 to 100", name)
	}
	return blur{name, gaussian(sigma, int(math.Ceil(3*sigma))), zero}, nil
}
