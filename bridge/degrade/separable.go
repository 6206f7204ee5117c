package degrade

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
)

// matrix is a sparse linear map of a line: row i of the result is the sum of
// its taps.
type matrix [][]tap

type tap struct {
	at     int
	weight float64
}

func (m matrix) add(row, at int, weight float64) { m[row] = append(m[row], tap{at, weight}) }

// transpose swaps rows and columns; n is the length of the input.
func (m matrix) transpose(n int) matrix {
	t := make(matrix, n)
	for i, row := range m {
		for _, p := range row {
			t.add(p.at, i, p.weight)
		}
	}
	return t
}

// both applies rows to the columns of x and cols to its rows.
func both(x *bridge.Image, rows, cols matrix) *bridge.Image {
	y := bridge.NewImage(x.C, len(rows), len(cols))
	half := make([]float64, x.H*len(cols))
	line := make([]float64, len(cols))
	for c := range x.C {
		src, dst := x.Plane(c), y.Plane(c)
		for i := range x.H {
			for j, taps := range cols {
				sum := 0.0
				for _, t := range taps {
					sum += t.weight * float64(src[i*x.W+t.at])
				}
				half[i*len(cols)+j] = sum
			}
		}
		for i, taps := range rows {
			clear(line)
			for _, t := range taps {
				for j, v := range half[t.at*len(cols):][:len(cols)] {
					line[j] += t.weight * v
				}
			}
			for j, v := range line {
				dst[i*len(cols)+j] = float32(v)
			}
		}
	}
	return y
}

// separable applies one 1-D map to both directions. small maps n to ⌈n/4⌉ and
// is enlarged; kernel is a blur of the same length.
type separable struct {
	name   string
	small  func(n int) matrix
	kernel *blurKernel
}

type blurKernel struct {
	taps []float64
	zero bool // zero borders, not reflected ones
}

func (o separable) Name() string { return o.name }

// full is the map of lines of n to lines of n.
func (o separable) full(n int) matrix {
	if o.small != nil {
		s := o.small(n)
		m := make(matrix, n)
		for i := range m {
			m[i] = s[i/4]
		}
		return m
	}
	m := make(matrix, n)
	r := len(o.kernel.taps) / 2
	for i := range m {
		for k, w := range o.kernel.taps {
			if j := i + k - r; !o.kernel.zero {
				m.add(i, reflect(j, n), w)
			} else if j >= 0 && j < n {
				m.add(i, j, w)
			}
		}
	}
	return m
}

// Apply works on [0, 1] as the reference does, which matters at zero borders:
// what comes in there is black.
func (o separable) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	rows, cols := o.full(x.H), o.full(x.W)
	y := both(x, rows, cols)
	if o.kernel != nil && o.kernel.zero {
		gain := func(m matrix) []float64 {
			g := make([]float64, len(m))
			for i, taps := range m {
				for _, t := range taps {
					g[i] += t.weight
				}
			}
			return g
		}
		gy, gx := gain(rows), gain(cols)
		for c := range y.C {
			for i, v := range y.Plane(c) {
				y.Plane(c)[i] = float32(float64(v) + gy[i/y.W]*gx[i%y.W] - 1)
			}
		}
	}
	return y, nil
}

func (o separable) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	return both(y, o.full(y.H).transpose(y.H), o.full(y.W).transpose(y.W)), nil
}

// Small implements Shrinker for super-resolution.
func (o separable) Small(x *bridge.Image) (*bridge.Image, error) {
	if o.small == nil {
		return nil, fmt.Errorf("degrade: %s keeps the size", o.name)
	}
	if err := check(x); err != nil {
		return nil, err
	}
	return both(x, o.small(x.H), o.small(x.W)), nil
}

// poolMatrix is the mean of four.
func poolMatrix(n int) matrix {
	m := make(matrix, (n+3)/4)
	for r := range m {
		for j := 4 * r; j < 4*r+4; j++ {
			m.add(r, reflect(j, n), 0.25)
		}
	}
	return m
}

// bicubicMatrix samples Keys' cubic (a = -0.5) of four times its width at 16
// taps around each fourth point; beyond the border the edge is repeated.
func bicubicMatrix(n int) matrix {
	var k [16]float64
	sum := 0.0
	for i := range k {
		k[i] = keys(math.Abs(float64(i)-7.5) / 4)
		sum += k[i]
	}
	padded := (n + 3) / 4 * 4
	m := make(matrix, padded/4)
	for r := range m {
		for i, w := range k {
			m.add(r, reflect(symmetric(4*r+2-8+i, padded), n), w/sum)
		}
	}
	return m
}

func keys(x float64) float64 {
	switch {
	case x < 1:
		return 1.5*x*x*x - 2.5*x*x + 1
	case x < 2:
		return -0.5*x*x*x + 2.5*x*x - 4*x + 2
	}
	return 0
}

func uniform(n int) []float64 {
	k := make([]float64, n)
	for i := range k {
		k[i] = 1 / float64(n)
	}
	return k
}

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

func parseUniform(name, arg string) (Operator, error) {
	arg, zero := strings.CutSuffix(arg, ".zero")
	n := 9
	if arg != "" {
		var err error
		if n, err = strconv.Atoi(arg); err != nil || n < 1 || n > 999 || n%2 == 0 {
			return nil, fmt.Errorf("degrade: %q: the width is no odd number from 1 to 999", name)
		}
	}
	return separable{name, nil, &blurKernel{uniform(n), zero}}, nil
}

func parseGaussian(name, arg string) (Operator, error) {
	arg, zero := strings.CutSuffix(arg, ".zero")
	if arg == "" {
		return separable{name, nil, &blurKernel{gaussian(10, 2), zero}}, nil
	}
	sigma, err := strconv.ParseFloat(arg, 64)
	if err != nil || !(sigma > 0 && sigma <= 100) {
		return nil, fmt.Errorf("degrade: %q: σ is no number above 0 up to 100", name)
	}
	return separable{name, nil, &blurKernel{gaussian(sigma, int(math.Ceil(3*sigma))), zero}}, nil
}
