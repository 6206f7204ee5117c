package plan

// Op is one operator. The concrete types are Conv, Map, Norm, Linear,
// Attention and Embed; an executor switches over them.
type Op interface {
	// Name is the layer's name in the reference, for errors and profiles.
	Name() string
	// Out is the value that the operator makes.
	Out() Value
	// In lists the activations that it reads, without None.
	In() []Value
	// Weights lists the parameters that it reads.
	Weights() []Param
	// FLOPs is the arithmetic of the operator, two for a multiply-add.
	FLOPs(*Plan) int64
}

// Resample changes the size of a feature map by two.
type Resample uint8

const (
	Same Resample = iota
	Up            // nearest ×2
	Down          // mean of 2×2
)

// Size applies the resampling to a length.
func (r Resample) Size(n int) int {
	switch r {
	case Up:
		return 2 * n
	case Down:
		return n / 2
	}
	return n
}

// node is what every operator has.
type node struct {
	Layer string
	Y     Value
}

func (n node) Name() string { return n.Layer }
func (n node) Out() Value   { return n.Y }

// Read says how an operator reads its input: X are concatenated along the
// channels, then each channel is scaled and shifted by Affine (made by Norm),
// then SiLU, then resampled. All but X may be absent.
type Read struct {
	X        []Value // one or two
	Affine   Value   // N×2C: C scales, then C shifts; or None
	SiLU     bool
	Resample Resample
}

func (r Read) values() []Value {
	v := append([]Value(nil), r.X...)
	if r.Affine != None {
		v = append(v, r.Affine)
	}
	return v
}

// Write says what is added to an operator's result: Shift to every pixel of a
// channel, Residual (resampled) to every element. Both may be None.
type Write struct {
	Shift            Value // N×C
	Residual         Value
	ResidualResample Resample
}

func (w Write) values() []Value {
	var v []Value
	if w.Shift != None {
		v = append(v, w.Shift)
	}
	if w.Residual != None {
		v = append(v, w.Residual)
	}
	return v
}

// Conv is a convolution with zero padding Kernel/2 of what Read gives. W is
// [Cout, Cin, Kernel, Kernel] ([Cout, Cin, 1] for the reference's 1-D ones).
type Conv struct {
	node
	Read
	Kernel, Stride int // 1 or 3; 1 or 2
	W, B           Param
	Write
}

func (c *Conv) In() []Value      { return append(c.Read.values(), c.Write.values()...) }
func (c *Conv) Weights() []Param { return []Param{c.W, c.B} }

// FLOPs counts the multiply-adds with the padding, as the field does.
func (c *Conv) FLOPs(p *Plan) int64 {
	y := p.Shape(c.Y)
	return 2 * int64(y.Len()) * int64(p.Channels(c.X)) * int64(c.Kernel*c.Kernel)
}

// Map is Read and Write with nothing between: what remains of activations,
// concatenations, sums and resamplings that no neighbour could take.
type Map struct {
	node
	Read
	Write
}

func (m *Map) In() []Value       { return append(m.Read.values(), m.Write.values()...) }
func (m *Map) Weights() []Param  { return nil }
func (m *Map) FLOPs(*Plan) int64 { return 0 }

// Norm takes the statistics of GroupNorm over the concatenation of X and
// folds them, γ, β and the time step's scale and shift into one scale and one
// shift per sample and channel, N×2C:
//
//	y = (x−mean)·rstd·γ + β, then y·(1+s) + t if ScaleShift holds [s, t].
type Norm struct {
	node
	X           []Value
	Groups      int
	Eps         float64
	Gamma, Beta Param
	ScaleShift  Value // N×2C or None
}

func (n *Norm) In() []Value {
	v := append([]Value(nil), n.X...)
	if n.ScaleShift != None {
		v = append(v, n.ScaleShift)
	}
	return v
}
func (n *Norm) Weights() []Param  { return []Param{n.Gamma, n.Beta} }
func (n *Norm) FLOPs(*Plan) int64 { return 0 }

// Linear is y = W·x + b, with SiLU applied to x first if asked for. W is
// [out, in].
type Linear struct {
	node
	X    Value
	SiLU bool
	W, B Param
}

func (l *Linear) In() []Value      { return []Value{l.X} }
func (l *Linear) Weights() []Param { return []Param{l.W, l.B} }
func (l *Linear) FLOPs(p *Plan) int64 {
	return 2 * int64(p.Shape(l.Y).Len()) * int64(p.Shape(l.X).C)
}

// Attention is softmax(qᵀk/√d)·v over the pixels of one feature map, head by
// head. QKV has 3C channels: grouped by head, inside a head q, k, v (legacy
// order), or q, k, v, inside each the heads (new order).
type Attention struct {
	node
	QKV      Value
	Heads    int
	NewOrder bool
}

func (a *Attention) In() []Value      { return []Value{a.QKV} }
func (a *Attention) Weights() []Param { return nil }
func (a *Attention) FLOPs(p *Plan) int64 {
	y := p.Shape(a.Y)
	t := int64(y.H * y.W)
	return 4 * int64(y.N) * int64(y.C) * t * t
}

// Head returns the first channel in QKV of q, k and v of head h, where a head
// has d channels.
func (a *Attention) Head(h, d int) (q, k, v int) {
	if a.NewOrder {
		c := a.Heads * d
		return h * d, c + h*d, 2*c + h*d
	}
	return 3 * h * d, (3*h + 1) * d, (3*h + 2) * d
}

// Embed adds row Label of Table [classes, C] to Add.
type Embed struct {
	node
	Label, Add Value
	Table      Param
}

func (e *Embed) In() []Value       { return []Value{e.Label, e.Add} }
func (e *Embed) Weights() []Param  { return []Param{e.Table} }
func (e *Embed) FLOPs(*Plan) int64 { return 0 }
