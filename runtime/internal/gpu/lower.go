package gpu

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

// apart tells whether two tensors can be read as one where they lie: the
// first must fill its last block.
func apart(first, _ plan.Shape) bool { return first.C%4 == 0 }

// lowered is a plan as calls, with places for everything that they touch but
// no memory. It can be made and examined without a device.
type lowered struct {
	p       *plan.Plan
	half    bool // activations are stored as halves
	limits  driver.Limits
	weights []stored
	choose  chooser
	page    int64   // bytes of a page of the arena: a buffer's that every WebGPU has, unless a value needs more
	largest operand // of all calls
	offsets []int
	vector  []bool // values that are always stored as floats
	affine  []bool // values of scales, then shifts

	calls   []call
	op      plan.Op // that is being lowered
	arena   int64   // bytes
	scratch int64   // bytes
	used    int64   // of the scratch, by the operator
	tables  []byte
	temps   map[plan.Value]operand
	planarX operand
	planarY operand
	turned  int64 // bytes of the largest convolution's turned weights
}

// lower makes the calls, or says why the device cannot take a plan of this
// size.
func lower(p *plan.Plan, half bool, weights []stored, limits driver.Limits, c chooser) (*lowered, error) {
	l, err := placed(plan.Join(p, apart), half, weights, limits, c)
	if err != nil {
		return nil, err
	}
	l.importX()
	for _, op := range l.p.Ops {
		if err := l.operator(op); err != nil {
			return nil, err
		}
	}
	l.op, l.used = nil, 0
	p, y := l.p, l.p.Shape(l.p.Output)
	l.planarY = l.room(4 * int64(y.Len()))
	l.add(call{file: "export", consts: l.stored(p.Output), params: params{"C": y.C, "CB": blocks(y.C), "AREA": y.H * y.W},
		in: operands{"x": l.value(p.Output), "planar": l.planarY}, x: count(y.H*y.W, 64), y: blocks(y.C), z: y.N})
	return l, l.fits()
}

// placed gives the values of a plan their places.
func placed(p *plan.Plan, half bool, weights []stored, limits driver.Limits, c chooser) (*lowered, error) {
	l := &lowered{p: p, temps: map[plan.Value]operand{}, half: half, limits: limits, weights: weights, choose: c}
	l.classify()
	l.page = driver.Defaults.Buffer
	for v := range p.Values {
		s := l.size(plan.Value(v))
		if s > limits.Binding {
			return nil, &TooLargeError{Name: p.Values[v].Name, Bytes: s, Max: limits.Binding}
		}
		l.page = max(l.page, s+4*plan.Align)
	}
	l.page = min(l.page, limits.Buffer, math.MaxInt32) &^ (4*plan.Align - 1)
	words := func(v plan.Value) int { return int(l.size(v) / 4) }
	var total int
	l.offsets, total = p.LayoutPages(words, int(l.page/4))
	l.arena = 4 * int64(total)
	return l, nil
}

// importX takes the planar input.
func (l *lowered) importX() {
	p, x := l.p, l.p.Shape(l.p.X)
	l.planarX = l.room(4 * int64(x.Len()))
	l.add(call{file: "import", consts: l.stored(p.X), params: params{"C": x.C, "OB": blocks(x.C), "AREA": x.H * x.W},
		in: operands{"planar": l.planarX, "y": l.value(p.X)}, x: count(x.H*x.W, 64), y: blocks(x.C), z: x.N})
}

func (l *lowered) operator(op plan.Op) error {
	l.op, l.used = op, 0
	switch o := op.(type) {
	case *plan.Conv:
		l.conv(o)
	case *plan.Linear:
		l.linear(o)
	case *plan.Norm:
		l.norm(o)
	case *plan.Map:
		l.pointwise(o)
	case *plan.Attention:
		return l.attention(o)
	case *plan.Embed:
		l.embed(o)
	default:
		l.back(op)
	}
	return nil
}

// fits holds all calls against the device's limits.
func (l *lowered) fits() error {
	for i := range l.calls {
		if err := l.check(&l.calls[i]); err != nil {
			return err
		}
	}
	if l.scratch > l.limits.Buffer {
		return &TooLargeError{Name: "what single operators need", Bytes: l.scratch, Max: l.limits.Buffer}
	}
	return nil
}

// check holds a call against the device's limits.
func (l *lowered) check(c *call) error {
	for name, o := range c.in {
		if o.size > l.largest.size {
			l.largest = o
		}
		if o.size > l.limits.Binding {
			return &TooLargeError{Name: c.label() + ", " + name, Bytes: o.size, Max: l.limits.Binding}
		}
	}
	if m := l.limits.Workgroups; c.x > m || c.y > m || c.z > m {
		return fmt.Errorf("gpu: %s: %d×%d×%d workgroups, the device runs %d a side; use smaller tiles", c.label(), c.x, c.y, c.z, m)
	}
	return nil
}

// TooLargeError says that a picture is too large for a device in one piece.
type TooLargeError struct {
	Name       string
	Bytes, Max int64
	Claimed    bool // the device says that it binds so much, and does not
}

// OutOfMemory and Gone are as driver.Error's: smaller tiles are the way out.
func (e *TooLargeError) OutOfMemory() bool { return true }

func (e *TooLargeError) Gone() bool { return false }

func (e *TooLargeError) Error() string {
	if e.Claimed {
		return fmt.Sprintf("gpu: %s takes %d MiB in one piece, whose end the device does not reach, though it says so; use smaller tiles", e.Name, e.Bytes>>20)
	}
	return fmt.Sprintf("gpu: %s would take %d MiB in one piece, the device binds %d MiB; use smaller tiles", e.Name, e.Bytes>>20, e.Max>>20)
}

// classify finds the vectors, which are always floats.
func (l *lowered) classify() {
	l.vector = make([]bool, len(l.p.Values))
	l.affine = make([]bool, len(l.p.Values))
	for _, v := range []plan.Value{l.p.Time, l.p.Label} {
		if v != plan.None {
			l.vector[v] = true
		}
	}
	for _, op := range l.p.Ops {
		switch o := op.(type) {
		case *plan.Norm:
			l.vector[o.Y], l.affine[o.Y] = true, true
		case *plan.Linear, *plan.Embed:
			l.vector[op.Out()] = true
		case *plan.Map:
			l.vector[o.Y] = l.vector[o.X[0]]
		case *plan.AffineBack:
			l.affine[o.Y] = true
		}
	}
}

// size is the bytes of a value.
func (l *lowered) size(v plan.Value) int64 {
	s := l.p.Shape(v)
	if l.affine[v] {
		return int64(s.N) * 2 * int64(blocks(s.C/2)) * 16
	}
	return int64(s.N) * int64(blocks(s.C)) * int64(s.H) * int64(s.W) * vec(l.halved(v))
}

// halved tells whether a value is stored as halves.
func (l *lowered) halved(v plan.Value) bool { return l.half && !l.vector[v] }

// stored are the constants that say how a value is stored.
func (l *lowered) stored(v plan.Value) shaders.Constants {
	return shaders.Constants{"F16": flag(l.halved(v))}
}

func (l *lowered) value(v plan.Value) operand {
	if at, ok := l.temps[v]; ok {
		return at
	}
	return operand{arena, 4 * int64(l.offsets[v]), l.size(v)}
}

// temporary is a value that only the operator knows, in the scratch.
func (l *lowered) temporary(name string, s plan.Shape, half bool) plan.Value {
	v := plan.Value(len(l.p.Values))
	l.p.Values = append(l.p.Values, plan.ValueInfo{Name: name, Shape: s})
	l.vector, l.affine = append(l.vector, !half && l.half), append(l.affine, false)
	l.temps[v] = l.room(l.size(v))
	return v
}

// room is a part of the scratch that the operator keeps until its end.
func (l *lowered) room(bytes int64) operand {
	o := operand{scratch, l.used, bytes}
	l.used += aligned(bytes)
	l.scratch = max(l.scratch, l.used)
	return o
}

func (l *lowered) add(c call) {
	c.op = l.op
	l.calls = append(l.calls, c)
}

// dup copies an operand to the scratch, where it may be bound beside itself:
// WebGPU forbids a buffer that is written to be bound twice at one place.
func (l *lowered) dup(o operand) operand {
	to := l.room(o.size)
	l.add(call{file: "copy", copyOf: o, copied: to})
	return to
}

// read adds what read.wgsl wants to a call.
func (l *lowered) read(c *call, r plan.Read) {
	s := l.p.Shape(r.X[0])
	c.params["IH"], c.params["IW"] = s.H, s.W
	c.params["CB"], c.params["CB0"] = blocks(l.p.Channels(r.X)), blocks(s.C)
	c.consts["RESAMPLE"], c.consts["SILU"] = int(r.Resample), flag(r.SiLU)
	c.consts["CONCAT"], c.consts["AFFINE"] = flag(len(r.X) > 1), flag(r.Affine != plan.None)
	c.in["x0"] = l.value(r.X[0])
	if len(r.X) > 1 {
		c.in["x1"] = l.value(r.X[1])
		if r.X[1] == r.X[0] {
			c.in["x1"] = l.dup(l.value(r.X[1]))
		}
	}
	if r.Affine != plan.None {
		c.in["affine"] = l.value(r.Affine)
	}
}

// write adds what write.wgsl wants to a call.
func (l *lowered) write(c *call, w plan.Write, y plan.Value) {
	s := l.p.Shape(y)
	c.params["OB"], c.params["OH"], c.params["OW"] = blocks(s.C), s.H, s.W
	c.consts["SHIFT"], c.consts["RESIDUAL"] = flag(w.Shift != plan.None), 0
	if w.Shift != plan.None {
		c.in["shift"] = l.value(w.Shift)
	}
	if w.Residual != plan.None {
		c.consts["RESIDUAL"] = 1 + int(w.ResidualResample)
		r := l.value(w.Residual)
		if c.in["x0"] == r || c.in["x1"] == r {
			r = l.dup(r)
		}
		c.in["residual"] = r
	}
	c.in["y"] = l.value(y)
}

// param is a vector's place.
func (l *lowered) param(w plan.Param) operand { return l.weights[w].pieces[0].operand }

// memory is what a program of this plan needs besides the weights.
func (l *lowered) memory() device.Memory {
	return device.Memory{Arena: l.arena, Scratch: aligned(l.scratch) + int64(len(l.tables)) + 256*int64(len(l.calls))}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// count is how many parts of at most b make n.
func count(n, b int) int { return (n + b - 1) / b }
