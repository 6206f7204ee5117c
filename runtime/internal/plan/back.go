package plan

// The operators of the way back. D is always the gradient of the loss by what
// a forward operator made; the gradient by one of its inputs is Out. With Add
// it comes on top of what other readers of the input gave. They read forward
// values again rather than keep what lies between: normalised, activated and
// resampled inputs are never stored.

// back is what every such operator has.
type back struct {
	node
	D   Value
	Add bool
}

func (b back) inputs(more ...Value) []Value {
	in := []Value{b.D}
	if b.Add {
		in = append(in, b.Y)
	}
	for _, v := range more {
		if v != None {
			in = append(in, v)
		}
	}
	return in
}

func (b back) Weights() []Param  { return nil }
func (b back) FLOPs(*Plan) int64 { return 0 }

// ConvBack is the gradient by what a convolution's Read gives: the convolution
// of D, spread by Stride, with the turned and transposed weights.
type ConvBack struct {
	back
	Of *Conv
}

func (o *ConvBack) In() []Value      { return o.inputs() }
func (o *ConvBack) Weights() []Param { return []Param{o.Of.W} }
func (o *ConvBack) FLOPs(p *Plan) int64 {
	return 2 * int64(p.Shape(o.D).Len()) * int64(p.Shape(o.Y).C) * int64(o.Of.Kernel*o.Of.Kernel)
}

// ReadBack is the gradient by tensor Part of a Read's X, D being that by its
// result.
type ReadBack struct {
	back
	Of   Read
	Part int
}

func (o *ReadBack) In() []Value {
	if o.Of.SiLU { // its slope depends on the input, that of the rest does not
		return o.inputs(o.Of.values()...)
	}
	return o.inputs(o.Of.Affine)
}

// AffineBack is the gradient by a Read's Affine.
type AffineBack struct {
	back
	Of Read
}

func (o *AffineBack) In() []Value { return o.inputs(o.Of.values()...) }

// SumBack is the gradient by a Write's Shift: the sum of D over the pixels.
type SumBack struct{ back }

func (o *SumBack) In() []Value { return o.inputs() }

// NormBack is the gradient by tensor Part of a Norm's X, by way of the mean
// and the variance alone: the rest of GroupNorm is a Read.
type NormBack struct {
	back
	Of   *Norm
	Part int
}

func (o *NormBack) In() []Value      { return o.inputs(o.Of.In()...) }
func (o *NormBack) Weights() []Param { return []Param{o.Of.Gamma} }

// ScaleBack is the gradient by a Norm's ScaleShift.
type ScaleBack struct {
	back
	Of *Norm
}

func (o *ScaleBack) In() []Value      { return o.inputs(o.Of.X...) }
func (o *ScaleBack) Weights() []Param { return o.Of.Weights() }

// LinearBack is the gradient by a Linear's X.
type LinearBack struct {
	back
	Of *Linear
}

func (o *LinearBack) In() []Value {
	if o.Of.SiLU {
		return o.inputs(o.Of.X)
	}
	return o.inputs()
}
func (o *LinearBack) Weights() []Param    { return []Param{o.Of.W} }
func (o *LinearBack) FLOPs(p *Plan) int64 { return o.Of.FLOPs(p) }

// AttentionBack is the gradient by an Attention's QKV.
type AttentionBack struct {
	back
	Of *Attention
}

func (o *AttentionBack) In() []Value         { return o.inputs(o.Of.QKV) }
func (o *AttentionBack) FLOPs(p *Plan) int64 { return 5 * o.Of.FLOPs(p) / 2 }

// ParamBack adds the gradients by the parameters of Of, a Conv, Norm, Linear
// or Embed, to those of the batches before. It makes no value.
type ParamBack struct {
	back
	Of Op
}

func (o *ParamBack) In() []Value {
	switch of := o.Of.(type) {
	case *Conv:
		return o.inputs(of.Read.values()...)
	case *Embed:
		return o.inputs(of.Label)
	}
	return o.inputs(o.Of.In()...)
}
func (o *ParamBack) Weights() []Param    { return o.Of.Weights() }
func (o *ParamBack) FLOPs(p *Plan) int64 { return o.Of.FLOPs(p) }
