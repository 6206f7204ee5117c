// Package plan describes a network as a static graph of operators for one
// size and batch. A plan is built once, checked while it is built, fused,
// and given one arena in which every activation has its place. Executors run
// it; they add no shapes of their own.
package plan

import "fmt"

// Value names a tensor of the plan: an index into Plan.Values.
type Value int

// None is the absent tensor.
const None Value = -1

// Param names a weight of the plan: an index into Plan.Params.
type Param int

// Shape is the size of an activation in NCHW order. Vectors have H = W = 1.
type Shape struct{ N, C, H, W int }

// Len is the number of elements.
func (s Shape) Len() int { return s.N * s.C * s.H * s.W }

// String prints N×C×H×W.
func (s Shape) String() string { return fmt.Sprintf("%d×%d×%d×%d", s.N, s.C, s.H, s.W) }

// ValueInfo says what a value holds and where it lies.
type ValueInfo struct {
	Name   string
	Shape  Shape
	Offset int // in float32 elements from the start of the arena
}

// ParamInfo is a weight with its name in the state dict of the reference.
type ParamInfo struct {
	Name  string
	Shape []int
}

// Len is the number of elements.
func (p ParamInfo) Len() int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// Plan is a network for one size and batch: operators in the order in which
// they run. A Plan is never changed once it was built and may be shared.
type Plan struct {
	Values []ValueInfo
	Params []ParamInfo
	Ops    []Op

	X      Value // network input, N×Cin×H×W
	Time   Value // sinusoidal embedding of the noise level, N×ch×1×1, or None
	Label  Value // class index as a float, N×1×1×1, or None
	Output Value // N×Cout×H×W

	Arena int // float32 elements that hold every activation
}

// Shape returns the shape of v.
func (p *Plan) Shape(v Value) Shape { return p.Values[v].Shape }

// Channels is the number of channels of the concatenation of xs.
func (p *Plan) Channels(xs []Value) int {
	c := 0
	for _, x := range xs {
		c += p.Values[x].Shape.C
	}
	return c
}

// ParamBytes is the size of all weights in float32.
func (p *Plan) ParamBytes() int64 {
	var n int64
	for _, w := range p.Params {
		n += 4 * int64(w.Len())
	}
	return n
}

// FLOPs counts the arithmetic of one evaluation, two for a multiply-add, as
// the unfused network would be counted (convolutions, linears, attention).
func (p *Plan) FLOPs() int64 {
	var n int64
	for _, op := range p.Ops {
		n += op.FLOPs(p)
	}
	return n
}

// Inputs lists the values that are given from outside.
func (p *Plan) Inputs() []Value {
	var in []Value
	for _, v := range []Value{p.X, p.Time, p.Label} {
		if v != None {
			in = append(in, v)
		}
	}
	return in
}
