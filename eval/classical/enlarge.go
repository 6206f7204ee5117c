package classical

import (
	"context"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// cubic is Keys' kernel with a = −½.
func cubic(x float64) float64 {
	switch x = math.Abs(x); {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// lanczos is a sinc under the first lobe of a sinc three times as wide.
func lanczos(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= 3 {
		return 0
	}
	p := math.Pi * x
	return 3 * math.Sin(p) * math.Sin(p/3) / (p * p)
}

// enlargement interpolates the measurement of a Shrinker, which x1 repeats
// 4×4 times, with a kernel of a radius. Edges are repeated.
func enlargement(kernel func(float64) float64, radius int) func(context.Context, degrade.Operator, *bridge.Image, []uint8) (*bridge.Image, error) {
	return func(_ context.Context, op degrade.Operator, x1 *bridge.Image, _ []uint8) (*bridge.Image, error) {
		if _, ok := op.(degrade.Shrinker); !ok {
			return nil, ErrNotFor
		}
		small := blockMeans(x1, 4)
		y := bridge.NewImage(x1.C, x1.H, x1.W)
		for c := range y.C {
			in := make([]float64, len(small.Plane(c)))
			for i, v := range small.Plane(c) {
				in[i] = float64(v)
			}
			wide := enlargeLines(in, small.H, small.W, y.W, kernel, radius)
			tall := enlargeLines(transpose(wide, small.H, y.W), y.W, small.H, y.H, kernel, radius)
			for i, v := range transpose(tall, y.W, y.H) {
				y.Plane(c)[i] = float32(v)
			}
		}
		return y, nil
	}
}

// blockMeans are the means of blocks; those at the border may be smaller.
func blockMeans(x *bridge.Image, n int) *bridge.Image {
	y := bridge.NewImage(x.C, (x.H+n-1)/n, (x.W+n-1)/n)
	count := make([]float32, y.H*y.W)
	for c := range x.C {
		for i, v := range x.Plane(c) {
			k := i/x.W/n*y.W + i%x.W/n
			y.Plane(c)[k] += v
			if c == 0 {
				count[k]++
			}
		}
		for i := range count {
			y.Plane(c)[i] /= count[i]
		}
	}
	return y
}

// enlargeLines makes lines of w pixels four times longer, cut to n.
func enlargeLines(x []float64, h, w, n int, kernel func(float64) float64, radius int) []float64 {
	y := make([]float64, h*n)
	for j := range n {
		centre := (float64(j)+0.5)/4 - 0.5
		first := int(math.Floor(centre)) - radius + 1
		taps, sum := make([]float64, 2*radius), 0.0
		for k := range taps {
			taps[k] = kernel(centre - float64(first+k))
			sum += taps[k]
		}
		for i := range h {
			v := 0.0
			for k, t := range taps {
				v += t * x[i*w+min(w-1, max(0, first+k))]
			}
			y[i*n+j] = v / sum
		}
	}
	return y
}

func transpose(x []float64, h, w int) []float64 {
	y := make([]float64, len(x))
	for i := range h {
		for j := range w {
			y[j*h+i] = x[i*w+j]
		}
	}
	return y
}
