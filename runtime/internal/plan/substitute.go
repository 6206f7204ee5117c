package plan

// substitute returns op with other values read in place of its own.
func substitute(op Op, by func(Value) Value) Op {
	at := func(v Value) Value {
		if v == None {
			return None
		}
		return by(v)
	}
	all := func(vs []Value) []Value {
		out := make([]Value, len(vs))
		for i, v := range vs {
			out[i] = at(v)
		}
		return out
	}
	read := func(r Read) Read {
		r.X, r.Affine = all(r.X), at(r.Affine)
		return r
	}
	write := func(w Write) Write {
		w.Shift, w.Residual = at(w.Shift), at(w.Residual)
		return w
	}
	switch o := op.(type) {
	case *Conv:
		c := *o
		c.Read, c.Write = read(o.Read), write(o.Write)
		return &c
	case *Map:
		c := *o
		c.Read, c.Write = read(o.Read), write(o.Write)
		return &c
	case *Norm:
		c := *o
		c.X, c.ScaleShift = all(o.X), at(o.ScaleShift)
		return &c
	case *Linear:
		c := *o
		c.X = at(o.X)
		return &c
	case *Attention:
		c := *o
		c.QKV = at(o.QKV)
		return &c
	case *Embed:
		c := *o
		c.Label, c.Add = at(o.Label), at(o.Add)
		return &c
	}
	panic("plan: an operator of the way back has none itself")
}

// setOut makes a copy that substitute returned write another value.
func setOut(op Op, y Value) {
	switch o := op.(type) {
	case *Conv:
		o.Y = y
	case *Map:
		o.Y = y
	case *Norm:
		o.Y = y
	case *Linear:
		o.Y = y
	case *Attention:
		o.Y = y
	case *Embed:
		o.Y = y
	}
}
