package plan

// Fuse returns the plan in which Map operators have moved into their
// neighbours: what prepares an input into the operators that read it, what
// adds to a result into the operator that makes it. The numbers are the same
// up to rounding; fewer tensors are written.
func Fuse(p *Plan) *Plan {
	f := fuser{p: *p}
	f.p.Values = append([]ValueInfo(nil), p.Values...)
	f.p.Ops = nil
	for _, op := range p.Ops {
		f.p.Ops = append(f.p.Ops, clone(op))
	}
	for f.reads() || f.writes() {
	}
	f.compact()
	f.p.place()
	return &f.p
}

func clone(op Op) Op {
	switch o := op.(type) {
	case *Conv:
		c := *o
		return &c
	case *Map:
		c := *o
		return &c
	case *Norm:
		c := *o
		return &c
	}
	return op // never changed by fusing
}

type fuser struct{ p Plan }

func (f *fuser) consumers(v Value) []Op {
	var ops []Op
	for _, op := range f.p.Ops {
		for _, x := range op.In() {
			if x == v {
				ops = append(ops, op)
				break
			}
		}
	}
	return ops
}

func (f *fuser) remove(i int) { f.p.Ops = append(f.p.Ops[:i], f.p.Ops[i+1:]...) }

// reads moves one Map without Write into all of its consumers.
func (f *fuser) reads() bool {
	for i, op := range f.p.Ops {
		m, ok := op.(*Map)
		if !ok || m.Shift != None || m.Residual != None || m.Y == f.p.Output {
			continue
		}
		users := f.consumers(m.Y)
		for _, u := range users {
			if !absorbs(u, m, false) {
				ok = false
				break
			}
		}
		if !ok || len(users) == 0 {
			continue
		}
		for _, u := range users {
			absorbs(u, m, true)
		}
		f.remove(i)
		return true
	}
	return false
}

// absorbs tells whether op can read m's input in place of m's output, and
// makes it do so if do is set.
func absorbs(op Op, m *Map, do bool) bool {
	switch o := op.(type) {
	case *Norm:
		if len(o.X) != 1 || o.X[0] != m.Y || o.ScaleShift == m.Y || m.stage() > 0 {
			return false
		}
		if do {
			o.X = m.X
		}
		return true
	case *Conv:
		return into(&o.Read, &o.Write, m, do)
	case *Map:
		return into(&o.Read, &o.Write, m, do)
	}
	return false
}

// stage is the last step of a Read that is in use: 0 none or concatenation,
// 1 affine, 2 SiLU, 3 resampling.
func (r *Read) stage() int {
	switch {
	case r.Resample != Same:
		return 3
	case r.SiLU:
		return 2
	case r.Affine != None:
		return 1
	}
	return 0
}

// first is the first step of a Read that is in use, 4 if none.
func (r *Read) first() int {
	switch {
	case r.Affine != None:
		return 1
	case r.SiLU:
		return 2
	case r.Resample != Same:
		return 3
	}
	return 4
}

func into(r *Read, w *Write, m *Map, do bool) bool {
	inRead := len(r.X) == 1 && r.X[0] == m.Y
	inResidual := w.Residual == m.Y
	if (len(r.X) == 2 && (r.X[0] == m.Y || r.X[1] == m.Y)) || w.Shift == m.Y {
		return false
	}
	if inRead && m.stage() >= r.first() {
		return false
	}
	plain := len(m.X) == 1 && m.Affine == None && !m.SiLU
	if inResidual && (!plain || (m.Resample != Same && w.ResidualResample != Same)) {
		return false
	}
	if !do {
		return true
	}
	if inRead {
		r.X = m.X
		if m.Affine != None {
			r.Affine = m.Affine
		}
		r.SiLU = r.SiLU || m.SiLU
		if m.Resample != Same {
			r.Resample = m.Resample
		}
	}
	if inResidual {
		w.Residual = m.X[0]
		if m.Resample != Same {
			w.ResidualResample = m.Resample
		}
	}
	return true
}

// writes moves one Map that only adds into the operator that makes its input,
// which then runs at the Map's place.
func (f *fuser) writes() bool {
	for i, op := range f.p.Ops {
		m, ok := op.(*Map)
		if !ok || len(m.X) != 1 || m.stage() > 0 || m.X[0] == m.Residual || len(f.consumers(m.X[0])) != 1 {
			continue
		}
		j := f.producer(m.X[0])
		if j < 0 {
			continue
		}
		var w *Write
		var y *Value
		switch o := f.p.Ops[j].(type) {
		case *Conv:
			w, y = &o.Write, &o.Y
		case *Map:
			w, y = &o.Write, &o.Y
		default:
			continue
		}
		if (m.Residual != None && w.Residual != None) || (m.Shift != None && w.Shift != None) {
			continue
		}
		if m.Residual != None {
			w.Residual, w.ResidualResample = m.Residual, m.ResidualResample
		}
		if m.Shift != None {
			w.Shift = m.Shift
		}
		*y = m.Y
		f.p.Ops[i] = f.p.Ops[j]
		f.remove(j)
		return true
	}
	return false
}

func (f *fuser) producer(v Value) int {
	for i, op := range f.p.Ops {
		if op.Out() == v {
			return i
		}
	}
	return -1
}

// compact drops values that no operator makes or reads any more.
func (f *fuser) compact() {
	used := make([]bool, len(f.p.Values))
	for _, v := range f.p.Inputs() {
		used[v] = true
	}
	for _, op := range f.p.Ops {
		used[op.Out()] = true
	}
	for i := range used {
		if !used[i] {
			f.p.Values[i].Shape = Shape{}
		}
	}
}
