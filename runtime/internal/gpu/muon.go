package gpu

import (
	"context"
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/shaders"
)

// muon is a step of Muon for the matrices and of AdamW for the rest.
type muon struct {
	moved   map[int]bool // parameters that matrices are of
	norms   int64        // where norms lie in scratch, behind four squares
	squares driver.Buffer
	step    *recording
}

// prepareMuon records the step; it is made once.
func (l *learner) prepareMuon(ctx context.Context, u device.Update) error {
	m := &muon{moved: map[int]bool{}}
	for _, x := range l.matrices {
		if n := len(l.params[x.W].pieces); n > 1 {
			return fmt.Errorf("gpu: %s takes %d bindings on this GPU, Muon needs it in one; train it with AdamW", l.names[x.W], n)
		}
		m.moved[int(x.W)] = true
		m.norms = max(m.norms, 4*square(x))
	}
	b, err := l.dev.Buffer("squares", m.norms+256, driver.Storage)
	if m.squares, err = keep(&l.owned, b, err); err != nil {
		return err
	}
	place := func(o operand) driver.Range {
		if o.space == scratch {
			return driver.Range{Buffer: m.squares, Offset: o.at, Size: o.size}
		}
		return l.place(o)
	}
	if m.step, err = l.record(ctx, "Muon", l.muonCalls(m, u), place); err != nil {
		return err
	}
	l.owned = append(l.owned, &m.step.owned)
	l.muon = m
	return nil
}

// square is the bytes of a matrix's Gram matrix.
func square(m device.Matrix) int64 {
	return aligned(64 * int64(blocks(m.Outputs)) * int64(blocks(m.Outputs)))
}

// muonCalls are the calls of a step.
func (l *learner) muonCalls(m *muon, u device.Update) (calls []call) {
	for i, s := range l.params {
		for _, w := range s.pieces {
			if n := int(w.size / 16); m.moved[i] {
				calls = append(calls, call{file: "muon_momentum", consts: shaders.Constants{}, in: operands{"grad": grad(w.operand), "m1": learnt(w.operand, device.Moment1)},
					params: params{"COUNT": n, "MOMENTUM": float32(u.Muon), "REST": float32((1 - u.Muon) * u.Scale)}, x: count(n, 64), y: 1, z: 1})
			} else {
				calls = append(calls, adamw(w.operand, u))
			}
		}
	}
	for _, x := range l.matrices {
		calls = append(calls, l.orthogonalise(m, x, u)...)
	}
	return calls
}

// orthogonalise is the calls of one matrix, whose momentum lies in the gradient's
// place: as muon.h of the CPU's kernels says.
func (l *learner) orthogonalise(m *muon, x device.Matrix, u device.Update) (calls []call) {
	s, o := l.params[x.W], device.Ortho
	w, rows, ob := s.pieces[0].operand, s.rows()*s.taps, blocks(x.Outputs)
	of := func(p params) params {
		p["ROWS"], p["WB"], p["FIRST"], p["OB"] = rows, s.pieces[0].blocks, x.First/4, ob
		return p
	}
	at := func(i int64) operand { return operand{scratch, i * square(x), 64 * int64(ob) * int64(ob)} }
	r, q, p, t, norm := at(0), at(1), at(2), at(3), operand{scratch, m.norms, 4}
	side, whole, small := count(ob, 8), 2*int64(rows)*16*int64(ob*ob), 2*64*int64(ob*ob*ob)
	product := func(a, b, y operand, diagonal, plain, times float64) {
		c := call{file: "muon_product", consts: shaders.Constants{"SQUARE": 0}, in: operands{"a": a, "b": b, "y": y}, x: side, y: side, z: 1, flops: small,
			params: params{"OB": ob, "DIAGONAL": float32(diagonal), "PLAIN": float32(plain), "TIMES": float32(times)}}
		if a == b {
			c.consts["SQUARE"] = 1
			delete(c.in, "b")
		}
		calls = append(calls, c)
	}
	calls = append(calls,
		call{file: "muon_gram", consts: shaders.Constants{}, in: operands{"u": grad(w), "y": t}, params: of(params{}), x: side, y: side, z: 1, flops: whole},
		call{file: "muon_unit", consts: shaders.Constants{}, in: operands{"x": t, "y": r, "norm": norm}, params: params{"OB": ob}, x: count(4*ob*ob, 64), y: 1, z: 1})
	product(r, r, q, o.A, o.B, o.C)
	last := q
	for range o.Turns - 1 {
		product(r, last, t, 0, 0, 1)
		product(t, last, r, 0, 0, 1)
		product(r, r, p, o.A, o.B, o.C)
		product(q, p, t, 0, 0, 1)
		q, t, last = t, q, p
	}
	return append(calls, call{file: "muon", consts: shaders.Constants{}, x: side, y: count(rows, 32), z: 1, flops: whole,
		in:     operands{"u": grad(w), "q": q, "norm": norm, "w": w, "average": learnt(w, device.Average)},
		params: of(params{"KEEP": float32(1 - u.Rate*u.Decay), "RATE": float32(x.Stride(u.Rate)), "FOLLOW": float32(1 - u.Average)})})
}

// moveByMuon makes the step.
func (l *learner) moveByMuon(u device.Update) error {
	ctx := context.Background()
	if l.muon == nil {
		if err := l.prepareMuon(ctx, u); err != nil {
			return err
		}
	} else if err := l.uniforms(l.muon.step, l.muonCalls(l.muon, u)); err != nil {
		return err
	}
	if err := l.submit(ctx, l.muon.step); err != nil {
		return err
	}
	return l.Forget()
}
