package plan

import (
	"fmt"
	"slices"
)

// Gradient is a plan with its way back: first the operators of the network,
// then those that lead from the gradient by its output to those by its
// parameters, which an executor keeps outside the arena. Values of a forward
// segment that no later segment reads are made again before the segment's way
// back, if that was asked for.
type Gradient struct {
	Plan
	Forward  int   // how many of Ops are the network's
	Seed     Value // gradient of the loss by Output, which the executor fills in after Forward operators
	Segments int
	of       *Plan
	only     func(Param) bool
}

// Join is Join of the network, and then its way back in as many segments.
func (g *Gradient) Join(apart func(first, second Shape) bool) *Gradient {
	return differentiate(Join(g.of, apart), g.Segments, g.only)
}

// Differentiate makes the way back of a plan in an arena of at most limit
// elements, by making activations again in as many segments as that takes; 0
// is no limit. The error names the least that there is. If only is not nil, just
// the operators that have a parameter it holds for get gradients by parameters;
// those of the others stay 0, and nothing is done that leads only to them.
func Differentiate(p *Plan, limit int, only func(Param) bool) (*Gradient, error) {
	var best *Gradient
	for n := 1; n <= len(p.Ops); n *= 2 {
		g := differentiate(p, n, only)
		if limit == 0 || g.Arena <= limit {
			return g, nil
		}
		if best == nil || g.Arena < best.Arena {
			best = g
		}
	}
	if best == nil {
		return nil, fmt.Errorf("plan: nothing to differentiate")
	}
	return nil, fmt.Errorf("plan: the way back takes at least %d MiB, the limit is %d MiB; take smaller crops or a smaller batch", best.Arena>>18, limit>>18)
}

// differ makes a Gradient.
type differ struct {
	g     Gradient
	grads map[Value]Value // gradient by each value, so far
	again map[Value]Value // what stands for a forward value in the present segment
	given map[Value]bool  // needs no gradient
}

func differentiate(p *Plan, segments int, only func(Param) bool) *Gradient {
	d := &differ{g: Gradient{Plan: *p, Forward: len(p.Ops), Segments: segments, of: p, only: only}, grads: map[Value]Value{}, given: map[Value]bool{}}
	d.g.Values = append([]ValueInfo(nil), p.Values...)
	d.g.Ops = append([]Op(nil), p.Ops...)
	for _, v := range p.Inputs() {
		d.given[v] = true
	}
	for _, op := range p.Ops {
		d.given[op.Out()] = !d.learns(op) && !d.wanted(op.In())
	}
	d.g.Seed, _ = d.into(p.Output)
	for s := segments - 1; s >= 0; s-- {
		from, to := s*len(p.Ops)/segments, (s+1)*len(p.Ops)/segments
		d.again = map[Value]Value{}
		if s < segments-1 {
			d.remake(p, from, to)
		}
		for i := to - 1; i >= from; i-- {
			d.back(p.Ops[i])
		}
	}
	d.g.place()
	return &d.g
}

// remake runs a segment again, but for what later segments have read and is
// therefore still there.
func (d *differ) remake(p *Plan, from, to int) {
	inside := map[Value]bool{}
	for i, op := range p.Ops {
		if from <= i && i < to {
			inside[op.Out()] = true
		}
		if i >= to {
			for _, v := range op.In() {
				delete(inside, v)
			}
		}
	}
	for _, op := range p.Ops[from:to] {
		if y := op.Out(); inside[y] {
			op = substitute(op, d.now)
			d.again[y] = d.value(p.Values[y].Name+".again", p.Shape(y))
			setOut(op, d.again[y])
			d.g.Ops = append(d.g.Ops, op)
		}
	}
}

// now is what stands for a forward value.
func (d *differ) now(v Value) Value {
	if a, ok := d.again[v]; ok {
		return a
	}
	return v
}

func (d *differ) value(name string, s Shape) Value {
	d.g.Values = append(d.g.Values, ValueInfo{Name: name, Shape: s})
	return Value(len(d.g.Values) - 1)
}

// into is the place of the gradient by v, and whether there is one to add to.
func (d *differ) into(v Value) (grad Value, add bool) {
	if g, ok := d.grads[v]; ok {
		return g, true
	}
	i := d.g.Values[v]
	d.grads[v] = d.value("by "+i.Name, i.Shape)
	return d.grads[v], false
}

// by calls f with what an operator that makes a share of the gradient by v
// has, unless none is wanted.
func (d *differ) by(v Value, op Op, dy Value, f func(back) Op) {
	if v == None || d.given[v] {
		return
	}
	y, add := d.into(v)
	d.g.Ops = append(d.g.Ops, f(back{node{op.Name(), y}, dy, add}))
}

// back adds the way back of one operator, whose gradient is complete.
func (d *differ) back(op Op) {
	dy, ok := d.grads[op.Out()]
	if !ok {
		return // nothing that counts reads it
	}
	now := substitute(op, d.now)
	if d.learns(op) {
		d.g.Ops = append(d.g.Ops, &ParamBack{back{node{op.Name(), None}, dy, false}, now})
	}
	switch o := op.(type) {
	case *Conv:
		d.write(op, o.Write, dy)
		if !d.wanted(append([]Value{o.Affine}, o.X...)) {
			return
		}
		x := d.g.Shape(o.X[0])
		r := d.value("by what "+o.Layer+" reads", Shape{x.N, d.g.Channels(o.X), o.Resample.Size(x.H), o.Resample.Size(x.W)})
		d.g.Ops = append(d.g.Ops, &ConvBack{back{node{o.Layer, r}, dy, false}, now.(*Conv)})
		d.read(op, o.Read, now.(*Conv).Read, r)
	case *Map:
		d.write(op, o.Write, dy)
		d.read(op, o.Read, now.(*Map).Read, dy)
	case *Norm:
		n := now.(*Norm)
		for i, x := range o.X {
			d.by(x, op, dy, func(b back) Op { return &NormBack{b, n, i} })
		}
		d.by(o.ScaleShift, op, dy, func(b back) Op { return &ScaleBack{b, n} })
	case *Linear:
		d.by(o.X, op, dy, func(b back) Op { return &LinearBack{b, now.(*Linear)} })
	case *Attention:
		d.by(o.QKV, op, dy, func(b back) Op { return &AttentionBack{b, now.(*Attention)} })
	case *Embed:
		r := Read{X: []Value{o.Add}, Affine: None}
		d.read(op, r, r, dy)
	}
}

// read adds the way back of r; now is r with what stands for its values.
func (d *differ) read(op Op, r, now Read, dy Value) {
	for i, x := range r.X {
		d.by(x, op, dy, func(b back) Op { return &ReadBack{b, now, i} })
	}
	d.by(r.Affine, op, dy, func(b back) Op { return &AffineBack{b, now} })
}

func (d *differ) write(op Op, w Write, dy Value) {
	d.by(w.Shift, op, dy, func(b back) Op { return &SumBack{b} })
	if w.Residual != None {
		r := Read{X: []Value{w.Residual}, Affine: None, Resample: w.ResidualResample}
		d.read(op, r, r, dy)
	}
}

// learns tells whether the gradient by an operator's parameters is wanted.
func (d *differ) learns(op Op) bool {
	return slices.ContainsFunc(op.Weights(), func(w Param) bool { return d.g.only == nil || d.g.only(w) })
}

// wanted tells whether the gradient by any of vs is.
func (d *differ) wanted(vs []Value) bool {
	for _, v := range vs {
		if v != None && !d.given[v] {
			return true
		}
	}
	return false
}
