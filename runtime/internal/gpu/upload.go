package gpu

import (
	"context"
	"fmt"
	"maps"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
	"github.com/i2sb-go/i2sb/weights"
)

// encoded is a source that gives its tensors as they are stored, in one of the
// encodings of packs; see weights.Pack. Of any other, floats go up, a tensor at
// a time.
type encoded interface {
	Chunks(name string, f func(part []byte) error) error
	Scales(name string) ([]float32, error)
}

// staging is the bytes of a tensor that wait on the device to be unpacked, and
// transfer those that wait on the host to be sent.
const (
	staging  = 32 << 20
	transfer = 256 << 10
)

// upload is weights on their way to a network. Matrices go as they are stored,
// part by part, and the device unpacks them.
type upload struct {
	*network
	src   weights.Source
	infos map[string]weights.Info
	parts encoded // src, if it can; else nil

	stage  driver.Buffer // scales, then elements
	scales int64         // bytes that scales may take
	room   []byte        // of transfer
	sent   int           // bytes since the device was waited for
	floats []float32     // the largest tensor that is read in floats, in whole blocks
}

func (n *network) load(ctx context.Context, p *plan.Plan, src weights.Source, sizes []int64) error {
	for i, s := range sizes {
		b, err := n.dev.Buffer(fmt.Sprintf("weights %d", i), aligned(s), driver.Storage)
		if b, err = keep(&n.owned, b, err); err != nil {
			return err
		}
		n.chunks = append(n.chunks, b)
	}
	u := &upload{network: n, src: src, infos: map[string]weights.Info{}}
	u.parts, _ = src.(encoded)
	for _, t := range src.Tensors() {
		u.infos[t.Name] = t
	}
	floats := 0
	for i, w := range p.Params {
		if n.params[i].taps == 0 || u.parts == nil {
			floats = max(floats, 4*blocks(w.Len()))
		}
		n.names = append(n.names, w.Name)
		if t, ok := u.infos[w.Name]; !ok || t.Len() != w.Len() {
			return fmt.Errorf("gpu: the source has no tensor %s of %d elements", w.Name, w.Len())
		}
	}
	u.floats = make([]float32, floats)
	if err := u.makeStage(); err != nil {
		return err
	}
	defer u.stage.Release()
	for i, w := range p.Params {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if s := n.params[i]; s.taps == 0 {
			err = u.vector(w, s)
		} else {
			err = u.matrix(ctx, w, s)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	return n.wait(ctx)
}

// dtype is how a tensor goes up.
func (u *upload) dtype(name string) weights.DType {
	if u.parts == nil {
		return weights.F32
	}
	return u.infos[name].DType
}

// makeStage makes room for the largest tensor, or if that is much for a part of
// it, and at least for four outputs.
func (u *upload) makeStage() (err error) {
	var most, block int64
	for i, s := range u.params {
		if s.taps == 0 {
			continue
		}
		name := u.names[i]
		size := int64(u.dtype(name).Size())
		block = max(block, int64(4*s.in*s.taps)*size)
		most = max(most, int64(s.out*s.in*s.taps)*size)
		if u.dtype(name) == weights.I8 {
			u.scales = max(u.scales, aligned(4*int64(u.infos[name].Shape[0])))
		}
	}
	most = max(256, block, min(most, staging, bindingOf(u.limits)/4))
	u.room = make([]byte, min(transfer, aligned(most)))
	u.stage, err = u.dev.Buffer("staging", u.scales+aligned(most), driver.Storage)
	return err
}

// read gives a whole tensor in floats.
func (u *upload) read(w plan.ParamInfo) ([]float32, error) {
	v := u.floats[:w.Len()]
	return v, u.src.ReadF32(w.Name, v)
}

func (u *upload) vector(w plan.ParamInfo, s stored) error {
	v, err := u.read(w)
	if err != nil {
		return err
	}
	to := u.place(s.pieces[0].operand)
	clear(u.floats[len(v) : to.Size/4])
	return u.dev.Write(to.Buffer, to.Offset, bytesOf(u.floats[:to.Size/4]))
}

// matrix is a tensor on its way.
type matrix struct {
	*upload
	name   string
	s      stored
	per    int // bytes of an output
	call   call
	pieces []piece // that are not yet unpacked

	done, at, waiting int // bytes that are unpacked, in the stage, and in the room
}

func (u *upload) matrix(ctx context.Context, w plan.ParamInfo, s stored) error {
	d := u.dtype(w.Name)
	m := &matrix{upload: u, name: w.Name, s: s, per: s.in * s.taps * d.Size(), pieces: s.pieces,
		call: call{file: "unpack", consts: shaders.Constants{"W16": flag(s.half), "FROM": int(d)}, z: 1,
			params: params{"IN": s.in, "TAPS": s.taps, "CI": s.rows(), "PER": 1}, in: operands{}}}
	if u.parts == nil {
		v, err := u.read(w)
		if err != nil {
			return err
		}
		return m.take(ctx, bytesOf(v))
	}
	if d == weights.I8 {
		scales, err := u.parts.Scales(w.Name)
		if err != nil {
			return err
		}
		if err := u.dev.Write(u.stage, 0, bytesOf(scales)); err != nil {
			return err
		}
		m.call.params["PER"] = w.Len() / len(scales)
		m.call.in["scale"] = operand{scratch, 0, int64(4 * len(scales))}
	}
	err := u.parts.Chunks(w.Name, func(part []byte) error { return m.take(ctx, part) })
	if err == nil && m.done < s.out*m.per {
		err = fmt.Errorf("gpu: it ends after %d of %d bytes", m.done+m.at+m.waiting, s.out*m.per)
	}
	return err
}

// full is how many bytes the stage is to hold: whole blocks of outputs, of one
// piece, or the end of the tensor.
func (m *matrix) full() int {
	p, block := m.pieces[0], 4*m.per
	return min(int(m.stage.Size()-m.scales)/block*block, (p.o0+p.blocks)*block-m.done, m.s.out*m.per-m.done)
}

// take sends a part to the stage. What waits in the room is less than a transfer.
func (m *matrix) take(ctx context.Context, part []byte) error {
	for len(part) > 0 {
		if m.done == m.s.out*m.per {
			return fmt.Errorf("gpu: it goes on after %d bytes", m.done)
		}
		full := m.full()
		n := copy(m.room[m.waiting:min(len(m.room), full-m.at)], part)
		part, m.waiting = part[n:], m.waiting+n
		if m.waiting < len(m.room) && m.at+m.waiting < full {
			continue
		}
		words := m.room[:(m.waiting+3)&^3]
		clear(words[m.waiting:])
		if err := m.dev.Write(m.stage, m.scales+int64(m.at), words); err != nil {
			return err
		}
		if m.at, m.waiting = m.at+m.waiting, 0; m.at == full {
			if err := m.unpack(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpack makes weights of what the stage holds. What was sent keeps memory until it
// is waited for, and waiting takes its time in browsers, so not every tensor is.
func (m *matrix) unpack(ctx context.Context) error {
	first, outs, p := m.done/m.per, m.at/m.per, m.pieces[0]
	rows := m.s.rows() * m.s.taps
	var calls []call
	for row := 0; row < rows; row += 32768 {
		c := m.call
		c.params, c.in = maps.Clone(c.params), maps.Clone(c.in)
		maps.Copy(c.params, params{"OUT": outs, "WB": p.blocks, "O0": first/4 - p.o0, "BLOCKS": blocks(outs), "ROW": row, "FIRST": first * m.s.in * m.s.taps})
		maps.Copy(c.in, operands{"plain": {scratch, m.scales, int64(m.at+3) &^ 3}, "w": p.operand})
		c.x, c.y = count(blocks(outs), 64), min(32768, rows-row)
		calls = append(calls, c)
	}
	r, err := m.record(ctx, m.name, calls, func(o operand) driver.Range {
		if o.space == scratch {
			return driver.Range{Buffer: m.stage, Offset: o.at, Size: o.size}
		}
		return m.place(o)
	})
	if err != nil {
		return err
	}
	defer r.release()
	if err := m.submit(ctx, r); err != nil {
		return err
	}
	m.sent += m.at
	if m.done, m.at = m.done+m.at, 0; first/4+blocks(outs) == p.o0+p.blocks {
		m.pieces = m.pieces[1:]
	}
	if m.sent < staging {
		return nil
	}
	m.sent = 0
	return m.wait(ctx)
}
