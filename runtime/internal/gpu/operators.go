package gpu

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

func (l *lowered) pointwise(o *plan.Map) {
	y := l.p.Shape(o.Y)
	if len(o.X) == 2 && !apart(l.p.Shape(o.X[0]), l.p.Shape(o.X[1])) { // made by plan.Join
		c0, c1 := l.p.Shape(o.X[0]).C, l.p.Shape(o.X[1]).C
		from := make([]uint32, 0, y.C)
		for c := range c0 + c1 {
			if c < c0 {
				from = append(from, uint32(c))
			} else {
				from = append(from, 1<<31|uint32(c-c0))
			}
		}
		x1 := l.value(o.X[1])
		if o.X[1] == o.X[0] {
			x1 = l.dup(x1)
		}
		l.shuffle(o.Y, y, from, l.value(o.X[0]), blocks(c0), &x1, blocks(c1), l.value(o.Y))
		return
	}
	c := call{file: "map", consts: l.stored(o.Y), params: params{}, in: operands{}, x: count(y.H*y.W, 64), y: blocks(y.C), z: y.N}
	l.read(&c, o.Read)
	l.write(&c, o.Write, o.Y)
	l.add(c)
}

// shuffle puts channels elsewhere: channel i of y is from[i]; like says how all
// are stored, and s is the shape of y.
func (l *lowered) shuffle(like plan.Value, s plan.Shape, from []uint32, x0 operand, b0 int, x1 *operand, b1 int, y operand) {
	at := int64(len(l.tables))
	for i := range 4 * blocks(s.C) {
		f := uint32(math.MaxUint32)
		if i < len(from) {
			f = from[i]
		}
		l.tables = binary.LittleEndian.AppendUint32(l.tables, f)
	}
	table := operand{tables, at, int64(len(l.tables)) - at}
	l.tables = append(l.tables, make([]byte, aligned(int64(len(l.tables)))-int64(len(l.tables)))...)
	c := call{file: "shuffle", consts: l.stored(like), params: params{"AREA": s.H * s.W, "CB0": b0, "CB1": b1, "OB": blocks(s.C)},
		in: operands{"x0": x0, "table": table, "y": y}, x: count(s.H*s.W, 64), y: blocks(s.C), z: s.N}
	c.consts["CONCAT"] = flag(x1 != nil)
	if x1 != nil {
		c.in["x1"] = *x1
	}
	l.add(c)
}

// run is the pixels whose moments are taken at once.
const run = 1024

func (l *lowered) norm(o *plan.Norm) {
	k := l.groups("norm", o)
	k.in["affine"] = l.value(o.Y)
	l.add(k)
}

// groups takes the moments of what a Norm reads, and is a call of a workgroup
// for each group and sample that joins them.
func (l *lowered) groups(file string, o *plan.Norm) call {
	s := l.p.Shape(o.X[0])
	c, area := l.p.Channels(o.X), s.H*s.W
	all, runs := blocks(c), count(area, run)
	moments := l.room(int64(s.N) * int64(all) * int64(runs) * 32)
	first := 0
	for _, x := range o.X {
		own := blocks(l.p.Shape(x).C)
		l.add(call{file: "moments", consts: l.stored(x), params: params{"OWN": own, "ALL": all, "FIRST": first, "AREA": area, "RUN": run, "RUNS": runs},
			in: operands{"x": l.value(x), "moments": moments}, x: runs, y: own, z: s.N})
		first += own
	}
	k := call{file: file, consts: shaders.Constants{"SCALE": flag(o.ScaleShift != plan.None)},
		params: params{"C": c, "ALL": all, "PER": c / o.Groups, "AREA": area, "RUN": run, "RUNS": runs, "EPS": float32(o.Eps)},
		in:     operands{"moments": moments, "gamma": l.param(o.Gamma), "beta": l.param(o.Beta)}, x: o.Groups, y: s.N, z: 1}
	if o.ScaleShift != plan.None {
		k.in["time"] = l.value(o.ScaleShift)
	}
	return k
}

func (l *lowered) linear(o *plan.Linear) {
	x, y := l.p.Shape(o.X), l.p.Shape(o.Y)
	for _, w := range l.weights[o.W].pieces {
		l.add(call{file: "linear", consts: shaders.Constants{"SILU": flag(o.SiLU), "W16": flag(l.weights[o.W].half)},
			params: params{"CB": blocks(x.C), "O0": w.o0, "OB": blocks(y.C), "WB": w.blocks},
			in:     operands{"x": l.value(o.X), "w": w.operand, "bias": l.param(o.B), "y": l.value(o.Y)},
			x:      count(w.blocks, 16), y: x.N, z: 1, flops: o.FLOPs(l.p)})
	}
}

func (l *lowered) embed(o *plan.Embed) {
	s := l.p.Shape(o.Y)
	l.add(call{file: "embed", consts: shaders.Constants{}, params: params{"C": s.C, "OB": blocks(s.C)},
		in: operands{"label": l.value(o.Label), "table": l.param(o.Table), "x": l.value(o.Add), "y": l.value(o.Y)}, x: count(4*blocks(s.C), 64), y: s.N, z: 1})
}

// attention runs on whole blocks; heads that lie across blocks are first put
// on blocks of their own, and back.
func (l *lowered) attention(o *plan.Attention) error {
	s := l.p.Shape(o.Y)
	area, d := s.H*s.W, s.C/o.Heads
	qkv, y := l.value(o.QKV), l.value(o.Y)
	lanes := 1
	for count(blocks(d), lanes) > 16 {
		lanes *= 2
	}
	hb := count(blocks(d), lanes) * lanes // of a head
	keys := 16
	if l.choose.bare {
		keys = 4 // they are written out
	}
	for keys > 4 && 32*keys*hb > l.limits.WorkgroupMemory-1024 {
		keys /= 2
	}
	if lanes > 64 || 32*keys*hb > l.limits.WorkgroupMemory-1024 {
		return fmt.Errorf("gpu: %s: heads of %d channels are not supported", o.Name(), d)
	}
	cb, ob := blocks(3*s.C), blocks(s.C)
	q, k, v := o.Head(0, d)
	next, _, _ := o.Head(1, d)
	q, k, v, next = q/4, k/4, v/4, next/4
	whole := d == 4*hb
	if !whole {
		cb, ob = 3*o.Heads*hb, o.Heads*hb
		q, k, v, next = 0, hb, 2*hb, 3*hb
		var from []uint32
		for h := range o.Heads {
			a, b, c := o.Head(h, d)
			for _, first := range []int{a, b, c} {
				for i := range 4 * hb {
					f := uint32(math.MaxUint32)
					if i < d {
						f = uint32(first + i)
					}
					from = append(from, f)
				}
			}
		}
		to := l.room(int64(s.N) * int64(cb) * int64(area) * vec(l.halved(o.QKV)))
		l.shuffle(o.QKV, plan.Shape{N: s.N, C: 4 * cb, H: s.H, W: s.W}, from, qkv, blocks(3*s.C), nil, 0, to)
		qkv, y = to, l.room(int64(s.N)*int64(ob)*int64(area)*vec(l.halved(o.Y)))
	}
	c := call{file: "attention", consts: l.stored(o.Y), params: params{"T": area, "CB": cb, "OB": ob, "STEP": next, "QAT": q, "KAT": k, "VAT": v,
		"SCALE": float32(1 / math.Sqrt(float64(d)))}, in: operands{"qkv": qkv, "y": y},
		x: count(area, 64/lanes), y: o.Heads, z: s.N, flops: o.FLOPs(l.p)}
	c.consts["LANES"], c.consts["D"], c.consts["KEYS"] = lanes, hb/lanes, keys
	l.add(c)
	if !whole {
		var from []uint32
		for h := range o.Heads {
			for i := range d {
				from = append(from, uint32(4*hb*h+i))
			}
		}
		l.shuffle(o.Y, s, from, y, ob, nil, 0, l.value(o.Y))
	}
	return nil
}
