// Package cnn runs the two classifiers that pictures are judged by: ResNet-50
// and Inception v3, with the user's weights. It is plain: every convolution is
// one matrix product on all cores, normalisation folded into it.
package cnn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/weights"
)

// Network is a loaded network. It must be used by one goroutine at a time.
type Network struct {
	layers  map[string]layer
	forward func(n *Network, x tensor) tensor
	scratch []float32

	src weights.Source // while loading
	err error
}

// layer is a convolution, or a fully connected layer as one of 1×1.
type layer struct {
	w blas32.General // outputs × inputs·kernel
	b []float32
}

// tensor is channels × height × width.
type tensor struct {
	c, h, w int
	x       []float32 // nil while the network is loaded
}

// load walks through the network once to read the layers that it has, for
// pictures of a side.
func load(src weights.Source, side int, forward func(*Network, tensor) tensor) (*Network, error) {
	n := &Network{layers: map[string]layer{}, forward: forward, src: src}
	forward(n, tensor{3, side, side, nil})
	n.src = nil
	return n, n.err
}

// Run gives the network's answer to a picture made by ForResNet or
// ForInception.
func (n *Network) Run(x *bridge.Image) ([]float32, error) {
	if x.C != 3 || x.H < 75 || x.W < 75 {
		return nil, fmt.Errorf("a picture of %d channels and %d×%d pixels; these networks take 3 channels, 75 pixels and more", x.C, x.W, x.H)
	}
	return n.forward(n, tensor{3, x.H, x.W, x.Pix}).x, nil
}

// read reads a tensor and checks its shape.
func (n *Network) read(name string, shape ...int) []float32 {
	size := 1
	for _, d := range shape {
		size *= d
	}
	x := make([]float32, size)
	if n.err != nil {
		return x
	}
	for _, t := range n.src.Tensors() {
		if t.Name == name {
			if fmt.Sprint(t.Shape) != fmt.Sprint(shape) {
				n.err = fmt.Errorf("%s is %v, not %v: another network's weights", name, t.Shape, shape)
				return x
			}
			n.err = n.src.ReadF32(name, x)
			return x
		}
	}
	n.err = fmt.Errorf("it has no tensor %s: another network's weights, or another naming", name)
	return x
}

// spec is a convolution: names of weights and normalisation, output channels,
// kernel, stride and padding.
type spec struct {
	conv, norm string
	eps        float64
	out        int
	kh, kw     int
	stride     int
	ph, pw     int
}

// conv applies a convolution and its normalisation.
func (n *Network) conv(x tensor, s spec) tensor {
	y := tensor{c: s.out, h: (x.h+2*s.ph-s.kh)/s.stride + 1, w: (x.w+2*s.pw-s.kw)/s.stride + 1}
	if n.src != nil {
		n.loadConv(x.c, s)
		return y
	}
	l := n.layers[s.conv]
	columns := x.x
	if s.kh*s.kw > 1 || s.stride > 1 {
		columns = n.columns(x, y, s)
	}
	y.x = make([]float32, y.c*y.h*y.w)
	for k, b := range l.b {
		plane := y.x[k*y.h*y.w:][:y.h*y.w]
		for i := range plane {
			plane[i] = b
		}
	}
	area := y.h * y.w
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, l.w, blas32.General{Rows: l.w.Cols, Cols: area, Stride: area, Data: columns}, 1,
		blas32.General{Rows: y.c, Cols: area, Stride: area, Data: y.x})
	return y
}

func (n *Network) loadConv(in int, s spec) {
	taps := in * s.kh * s.kw
	w := n.read(s.conv+".weight", s.out, in, s.kh, s.kw)
	gamma, beta := n.read(s.norm+".weight", s.out), n.read(s.norm+".bias", s.out)
	mean, variance := n.read(s.norm+".running_mean", s.out), n.read(s.norm+".running_var", s.out)
	for k := range s.out {
		f := float64(gamma[k]) / math.Sqrt(float64(variance[k])+s.eps)
		for i := range taps {
			w[k*taps+i] = float32(float64(w[k*taps+i]) * f)
		}
		beta[k] = float32(float64(beta[k]) - float64(mean[k])*f)
	}
	n.layers[s.conv] = layer{w: blas32.General{Rows: s.out, Cols: taps, Stride: taps, Data: w}, b: beta}
}

// columns lays out what each pixel of y sees, one row for each tap.
func (n *Network) columns(x, y tensor, s spec) []float32 {
	area := y.h * y.w
	size := x.c * s.kh * s.kw * area
	if cap(n.scratch) < size {
		n.scratch = make([]float32, size)
	}
	out := n.scratch[:size]
	clear(out)
	row := 0
	for c := range x.c {
		plane := x.x[c*x.h*x.w:][:x.h*x.w]
		for u := range s.kh {
			for v := range s.kw {
				to := out[row*area:][:area]
				row++
				for i := range y.h {
					r := i*s.stride + u - s.ph
					if r < 0 || r >= x.h {
						continue
					}
					line, dst := plane[r*x.w:][:x.w], to[i*y.w:][:y.w]
					for j := range dst {
						if k := j*s.stride + v - s.pw; k >= 0 && k < len(line) {
							dst[j] = line[k]
						}
					}
				}
			}
		}
	}
	return out
}

// linear is a fully connected layer with a bias.
func (n *Network) linear(x tensor, name string, out int) tensor {
	if n.src != nil {
		n.layers[name] = layer{w: blas32.General{Rows: out, Cols: x.c, Stride: x.c, Data: n.read(name+".weight", out, x.c)}, b: n.read(name+".bias", out)}
		return tensor{c: out, h: 1, w: 1}
	}
	l := n.layers[name]
	y := append([]float32(nil), l.b...)
	blas32.Gemv(blas.NoTrans, 1, l.w, blas32.Vector{N: x.c, Inc: 1, Data: x.x}, 1, blas32.Vector{N: out, Inc: 1, Data: y})
	return tensor{out, 1, 1, y}
}

func relu(x tensor) tensor {
	for i, v := range x.x {
		x.x[i] = max(0, v)
	}
	return x
}

// add is x + y, in x.
func add(x, y tensor) tensor {
	for i, v := range y.x {
		x.x[i] += v
	}
	return x
}

// join puts tensors of one size after each other.
func join(parts ...tensor) tensor {
	y := tensor{h: parts[0].h, w: parts[0].w}
	for _, p := range parts {
		y.c += p.c
		y.x = append(y.x, p.x...)
	}
	return y
}

// pool takes the greatest of 3×3, or the mean of those that exist.
func pool(x tensor, stride, pad int, mean bool) tensor {
	y := tensor{c: x.c, h: (x.h+2*pad-3)/stride + 1, w: (x.w+2*pad-3)/stride + 1}
	if x.x == nil {
		return y
	}
	y.x = make([]float32, y.c*y.h*y.w)
	for i := range y.x {
		plane := x.x[i/(y.h*y.w)*x.h*x.w:][:x.h*x.w]
		top, left := i/y.w%y.h*stride-pad, i%y.w*stride-pad
		most, sum, count := float32(math.Inf(-1)), float32(0), float32(0)
		for r := max(0, top); r < min(x.h, top+3); r++ {
			for s := max(0, left); s < min(x.w, left+3); s++ {
				v := plane[r*x.w+s]
				most, sum, count = max(most, v), sum+v, count+1
			}
		}
		y.x[i] = most
		if mean {
			y.x[i] = sum / count
		}
	}
	return y
}

// average is the mean of each channel.
func average(x tensor) tensor {
	y := tensor{c: x.c, h: 1, w: 1}
	if x.x == nil {
		return y
	}
	for c := range x.c {
		sum := 0.0
		for _, v := range x.x[c*x.h*x.w:][:x.h*x.w] {
			sum += float64(v)
		}
		y.x = append(y.x, float32(sum/float64(x.h*x.w)))
	}
	return y
}
