package plan

// Join returns a plan in which two tensors that are read as one are joined by
// a Map of their own where an executor cannot read them apart: where apart
// says no. The Map has Read.X and nothing else.
func Join(p *Plan, apart func(first, second Shape) bool) *Plan {
	q := *p
	q.Values = append([]ValueInfo(nil), p.Values...)
	q.Ops = nil
	joined := map[[2]Value]Value{}
	join := func(layer string, xs []Value) []Value {
		if len(xs) < 2 || apart(p.Shape(xs[0]), p.Shape(xs[1])) {
			return xs
		}
		pair := [2]Value(xs)
		y, ok := joined[pair]
		if !ok {
			s := p.Shape(xs[0])
			s.C = p.Channels(xs)
			q.Values = append(q.Values, ValueInfo{Name: layer + ".joined", Shape: s})
			y = Value(len(q.Values) - 1)
			joined[pair] = y
			q.Ops = append(q.Ops, &Map{node{layer + ".joined", y}, Read{X: xs, Affine: None}, Write{Shift: None, Residual: None}})
		}
		return []Value{y}
	}
	for _, op := range p.Ops {
		op = clone(op)
		switch o := op.(type) {
		case *Conv:
			o.X = join(o.Layer, o.X)
		case *Norm:
			o.X = join(o.Layer, o.X)
		case *Map:
			o.X = join(o.Layer, o.X)
		}
		q.Ops = append(q.Ops, op)
	}
	q.place()
	return &q
}
