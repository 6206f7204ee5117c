package cnn

import (
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// kernel gives the weights of the pixels around a place, t after the one
// before it; the first lies before−len/2+1.
type kernel func(t float64) []float64

func linear(t float64) []float64 { return []float64{1 - t, t} }

// cubic is Keys' with a = −¾, as PyTorch has it.
func cubic(t float64) []float64 {
	const a = -0.75
	near := func(x float64) float64 { return ((a+2)*x-(a+3))*x*x + 1 }
	far := func(x float64) float64 { return ((a*x-5*a)*x+8*a)*x - 4*a }
	return []float64{far(1 + t), near(t), near(1 - t), far(2 - t)}
}

// resize interpolates to h×w, with pixels as squares (PyTorch's
// align_corners=False), clamped to what is there, and without low-pass. One
// channel becomes three.
func resize(x *bridge.Image, h, w int, k kernel) *bridge.Image {
	y := bridge.NewImage(3, h, w)
	rows, cols := places(x.H, h, k), places(x.W, w, k)
	line := make([]float64, x.W)
	for c := range y.C {
		src := x.Plane(min(c, x.C-1))
		for i, r := range rows {
			clear(line)
			for t, weight := range r.weights {
				for j, v := range src[clampIndex(r.first+t, x.H)*x.W:][:x.W] {
					line[j] += weight * float64(v)
				}
			}
			for j, s := range cols {
				v := 0.0
				for t, weight := range s.weights {
					v += weight * line[clampIndex(s.first+t, x.W)]
				}
				y.Plane(c)[i*w+j] = float32(v)
			}
		}
	}
	return y
}

type place struct {
	first   int
	weights []float64
}

func places(from, to int, k kernel) []place {
	ps := make([]place, to)
	for i := range ps {
		at := (float64(i)+0.5)*float64(from)/float64(to) - 0.5
		before := math.Floor(at)
		w := k(at - before)
		ps[i] = place{int(before) - len(w)/2 + 1, w}
	}
	return ps
}

func clampIndex(i, n int) int { return min(n-1, max(0, i)) }
