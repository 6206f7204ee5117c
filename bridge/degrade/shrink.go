package degrade

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// shrink is super-resolution's: one map of lines to lines of a quarter of the
// length in both directions, and each pixel repeated. Lines that are no
// multiple of four are continued by reflection up to the next.
type shrink struct {
	name  string
	small func(n int) matrix // n to ⌈n/4⌉
}

func (o shrink) Name() string { return o.name }

// Small implements Shrinker.
func (o shrink) Small(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	return both(x, o.small(x.H), o.small(x.W)), nil
}

// Enlarge implements Shrinker.
func (o shrink) Enlarge(small *bridge.Image, h, w int) (*bridge.Image, error) {
	if err := check(small); err != nil {
		return nil, err
	}
	if h < 1 || w < 1 || small.H != (h+3)/4 || small.W != (w+3)/4 {
		return nil, fmt.Errorf("degrade: %s: %d×%d cannot become %d×%d", o.name, small.H, small.W, h, w)
	}
	y := bridge.NewImage(small.C, h, w)
	for c := range y.C {
		for i := range h {
			from, to := small.Plane(c)[i/4*small.W:][:small.W], y.Plane(c)[i*w:][:w]
			for j := range to {
				to[j] = from[j/4]
			}
		}
	}
	return y, nil
}

// Apply is the enlarged measurement.
func (o shrink) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	small, err := o.Small(x, 0)
	if err != nil {
		return nil, err
	}
	return o.Enlarge(small, x.H, x.W)
}

// Adjoint implements Linear.
func (o shrink) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	sums := both(y, repeats(y.H), repeats(y.W))
	return both(sums, o.small(y.H).transpose(y.H), o.small(y.W).transpose(y.W)), nil
}

// repeats adds each four: the adjoint of the enlargement to n.
func repeats(n int) matrix {
	m := make(matrix, (n+3)/4)
	for i := range n {
		m.add(i/4, i, 1)
	}
	return m
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

// bicubicMatrix puts bicubicTaps around each fourth point; beyond the border
// the edge is repeated.
func bicubicMatrix(n int) matrix {
	k := bicubicTaps()
	m := make(matrix, (n+3)/4)
	for r := range m {
		for i, w := range k {
			m.add(r, reflect(symmetric(4*r+2-8+i, up(n, 4)), n), w)
		}
	}
	return m
}

// bicubicTaps are Keys' cubic (a = −½; IEEE Trans. ASSP 29, 1981) at four
// times its width, of sum 1.
func bicubicTaps() (k [16]float64) {
	sum := 0.0
	for i := range k {
		k[i] = keys(math.Abs(float64(i)-7.5) / 4)
		sum += k[i]
	}
	for i := range k {
		k[i] /= sum
	}
	return k
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
