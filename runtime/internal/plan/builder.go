package plan

import "fmt"

// Builder makes a plan operator by operator. Shapes are checked at once; the
// first error is kept and returned by Plan, and later calls do nothing.
type Builder struct {
	// Lead, if set, is put between the input and what reads it, so that a test
	// sees the gradient by an input as that by parameters.
	Lead func(x Value) Value

	p   Plan
	err error
}

// NewBuilder returns a builder of an empty plan.
func NewBuilder() *Builder {
	return &Builder{p: Plan{X: None, Time: None, Label: None, Output: None}}
}

func (b *Builder) fail(format string, args ...any) Value {
	if b.err == nil {
		b.err = fmt.Errorf("plan: "+format, args...)
	}
	return 0
}

func (b *Builder) value(name string, s Shape) Value {
	if b.err != nil {
		return 0
	}
	if s.N < 1 || s.C < 1 || s.H < 1 || s.W < 1 {
		return b.fail("%s: shape %v is empty", name, s)
	}
	b.p.Values = append(b.p.Values, ValueInfo{Name: name, Shape: s})
	return Value(len(b.p.Values) - 1)
}

func (b *Builder) param(name string, shape ...int) Param {
	b.p.Params = append(b.p.Params, ParamInfo{Name: name, Shape: shape})
	return Param(len(b.p.Params) - 1)
}

// shape is the shape of v, or a harmless one after an error.
func (b *Builder) shape(v Value) Shape {
	if b.err != nil || int(v) >= len(b.p.Values) {
		return Shape{1, 1, 1, 1}
	}
	return b.p.Values[v].Shape
}

// Channels is the number of channels of v.
func (b *Builder) Channels(v Value) int { return b.shape(v).C }

func (b *Builder) add(op Op) Value {
	if b.err == nil {
		b.p.Ops = append(b.p.Ops, op)
	}
	return op.Out()
}

// Input declares the network's input, N×C×H×W.
func (b *Builder) Input(s Shape) Value {
	b.p.X = b.value("x", s)
	if b.Lead != nil {
		return b.Lead(b.p.X)
	}
	return b.p.X
}

// Time declares the sinusoidal embedding, n×c.
func (b *Builder) Time(n, c int) Value {
	b.p.Time = b.value("t", Shape{n, c, 1, 1})
	return b.p.Time
}

// Label declares the class index of each sample.
func (b *Builder) Label(n int) Value {
	b.p.Label = b.value("label", Shape{n, 1, 1, 1})
	return b.p.Label
}

// Conv is a kernel×kernel convolution to out channels with weights
// name.weight and name.bias. With flat the weight has three dimensions, as
// the reference's Conv1d(…, 1).
func (b *Builder) Conv(name string, x Value, out, kernel, stride int, flat bool) Value {
	s := b.shape(x)
	if (kernel != 1 && kernel != 3) || (stride != 1 && stride != 2) {
		return b.fail("%s: convolution %d×%d with stride %d is not supported", name, kernel, kernel, stride)
	}
	y := b.value(name, Shape{s.N, out, (s.H + stride - 1) / stride, (s.W + stride - 1) / stride})
	dims := []int{out, s.C, kernel, kernel}
	if flat {
		dims = []int{out, s.C, kernel}
	}
	w := b.param(name+".weight", dims...)
	return b.add(&Conv{node: node{name, y}, Read: Read{X: []Value{x}, Affine: None}, Kernel: kernel, Stride: stride,
		W: w, B: b.param(name+".bias", out), Write: Write{Shift: None, Residual: None}})
}

// GroupNorm normalises x in groups; scaleShift is N×2C (see Norm) or None.
func (b *Builder) GroupNorm(name string, x Value, groups int, scaleShift Value) Value {
	s := b.shape(x)
	if s.C%groups != 0 {
		return b.fail("%s: %d channels do not divide into %d groups", name, s.C, groups)
	}
	if scaleShift != None && b.shape(scaleShift).C != 2*s.C {
		return b.fail("%s: scale and shift have %d values for %d channels", name, b.shape(scaleShift).C, s.C)
	}
	a := b.value(name+".affine", Shape{s.N, 2 * s.C, 1, 1})
	g := b.param(name+".weight", s.C)
	b.add(&Norm{node: node{name, a}, X: []Value{x}, Groups: groups, Eps: 1e-5,
		Gamma: g, Beta: b.param(name+".bias", s.C), ScaleShift: scaleShift})
	return b.Map(name, Read{X: []Value{x}, Affine: a}, Write{Shift: None, Residual: None})
}

// SiLU is x·sigmoid(x).
func (b *Builder) SiLU(name string, x Value) Value {
	return b.Map(name, Read{X: []Value{x}, Affine: None, SiLU: true}, Write{Shift: None, Residual: None})
}

// Resample doubles or halves the sides of x.
func (b *Builder) Resample(name string, x Value, r Resample) Value {
	return b.Map(name, Read{X: []Value{x}, Affine: None, Resample: r}, Write{Shift: None, Residual: None})
}

// Concat joins two tensors along the channels.
func (b *Builder) Concat(name string, x, z Value) Value {
	return b.Map(name, Read{X: []Value{x, z}, Affine: None}, Write{Shift: None, Residual: None})
}

// Add is x + r.
func (b *Builder) Add(name string, x, r Value) Value {
	return b.Map(name, Read{X: []Value{x}, Affine: None}, Write{Shift: None, Residual: r})
}

// AddChannels adds shift, N×C, to every pixel of x.
func (b *Builder) AddChannels(name string, x, shift Value) Value {
	return b.Map(name, Read{X: []Value{x}, Affine: None}, Write{Shift: shift, Residual: None})
}

// Map adds any combination of Read and Write.
func (b *Builder) Map(name string, r Read, w Write) Value {
	if b.err != nil {
		return 0
	}
	s := b.shape(r.X[0])
	s.C = 0
	for _, x := range r.X {
		t := b.shape(x)
		if t.N != s.N || t.H != s.H || t.W != s.W {
			return b.fail("%s: cannot join %v and %v", name, b.shape(r.X[0]), t)
		}
		s.C += t.C
	}
	if r.Resample == Down && (s.H%2 != 0 || s.W%2 != 0) {
		return b.fail("%s: %v cannot be halved", name, s)
	}
	s.H, s.W = r.Resample.Size(s.H), r.Resample.Size(s.W)
	if w.Shift != None && (b.shape(w.Shift).C != s.C || b.shape(w.Shift).N != s.N) {
		return b.fail("%s: shift %v does not fit %v", name, b.shape(w.Shift), s)
	}
	if w.Residual != None {
		t := b.shape(w.Residual)
		t.H, t.W = w.ResidualResample.Size(t.H), w.ResidualResample.Size(t.W)
		if t != s {
			return b.fail("%s: residual %v does not fit %v", name, t, s)
		}
	}
	return b.add(&Map{node{name, b.value(name, s)}, r, w})
}

// Linear is a fully connected layer with weights name.weight and name.bias.
func (b *Builder) Linear(name string, x Value, out int, silu bool) Value {
	s := b.shape(x)
	if s.H != 1 || s.W != 1 {
		return b.fail("%s: a linear layer needs a vector, not %v", name, s)
	}
	y := b.value(name, Shape{s.N, out, 1, 1})
	w := b.param(name+".weight", out, s.C)
	return b.add(&Linear{node: node{name, y}, X: x, SiLU: silu, W: w, B: b.param(name+".bias", out)})
}

// Embed adds row label of the table name.weight, [classes, C], to x.
func (b *Builder) Embed(name string, label, x Value, classes int) Value {
	s := b.shape(x)
	y := b.value(name, s)
	return b.add(&Embed{node: node{name, y}, Label: label, Add: x, Table: b.param(name+".weight", classes, s.C)})
}

// Attention attends over the pixels of qkv, N×3C×H×W.
func (b *Builder) Attention(name string, qkv Value, heads int, newOrder bool) Value {
	s := b.shape(qkv)
	if heads < 1 || s.C%(3*heads) != 0 {
		return b.fail("%s: %d channels do not divide into %d heads of q, k and v", name, s.C, heads)
	}
	s.C /= 3
	return b.add(&Attention{node: node{name, b.value(name, s)}, QKV: qkv, Heads: heads, NewOrder: newOrder})
}

// Plan ends the building: out is the network's output. The plan is not fused.
func (b *Builder) Plan(out Value) (*Plan, error) {
	if b.err != nil {
		return nil, b.err
	}
	p := b.p
	p.Output = out
	p.place()
	return &p, nil
}
