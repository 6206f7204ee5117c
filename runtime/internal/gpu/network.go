package gpu

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
	"github.com/i2sb-go/i2sb/weights"
)

// network holds a network's weights on the device. The plans that are compiled
// of it have the same parameters in the same order.
type network struct {
	*gpu
	owned
	names  []string
	params []stored
	chunks []driver.Buffer
	once   sync.Once
}

// Load implements device.Device. Weights go up tensor by tensor; the host holds
// one at a time.
func (g *gpu) Load(ctx context.Context, p *plan.Plan, src weights.Source) (device.Network, error) {
	n := &network{gpu: g}
	var sizes []int64
	n.params, sizes = g.store(p)
	err := n.load(ctx, p, src, sizes)
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *network) Close() error {
	n.once.Do(n.release)
	return nil
}

// staging is the bytes of a tensor that go to the device at once.
const staging = 32 << 20

func (n *network) load(ctx context.Context, p *plan.Plan, src weights.Source, sizes []int64) error {
	for i, s := range sizes {
		b, err := n.dev.Buffer(fmt.Sprintf("weights %d", i), aligned(s), driver.Storage)
		if b, err = keep(&n.owned, b, err); err != nil {
			return err
		}
		n.chunks = append(n.chunks, b)
	}
	largest := 0
	for i, w := range p.Params {
		n.names = append(n.names, w.Name)
		largest = max(largest, w.Len())
		if s := n.params[i]; s.taps > 0 && 4*s.in*s.taps*4 > staging {
			return fmt.Errorf("gpu: weight %s is too wide", w.Name)
		}
	}
	stage, err := n.dev.Buffer("staging", int64(min(4*largest+256, staging)), driver.Storage)
	if err != nil {
		return err
	}
	defer stage.Release()
	host := make([]float32, largest+3)
	for i, w := range p.Params {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := host[:w.Len()]
		if err := src.ReadF32(w.Name, v); err != nil {
			return err
		}
		if n.params[i].taps == 0 {
			to := n.place(n.params[i].pieces[0].operand)
			padded := host[:to.Size/4]
			clear(padded[len(v):])
			err = n.dev.Write(to.Buffer, to.Offset, bytesOf(padded))
		} else {
			err = n.pack(ctx, w.Name, n.params[i], v, stage)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	return n.wait(ctx)
}

// pack uploads a matrix in parts of whole output blocks, which the device puts
// in its own order.
func (n *network) pack(ctx context.Context, name string, s stored, v []float32, stage driver.Buffer) error {
	block := 4 * s.in * s.taps // floats of four outputs
	for _, w := range s.pieces {
		for b := 0; b < w.blocks; {
			now := min(w.blocks-b, max(1, int(stage.Size())/(4*block)))
			o := 4 * (w.o0 + b)
			outs := min(4*now, s.out-o)
			if err := n.dev.Write(stage, 0, bytesOf(v[o*s.in*s.taps:][:outs*s.in*s.taps])); err != nil {
				return err
			}
			c := call{file: "pack", consts: shaders.Constants{"W16": flag(s.half)}, x: count(now, 64), z: 1,
				in: operands{"w": w.operand, "plain": operand{scratch, 0, int64(4 * outs * s.in * s.taps)}}}
			for row := 0; row < s.rows()*s.taps; row += 32768 {
				c.y = min(32768, s.rows()*s.taps-row)
				c.params = params{"OUT": outs, "IN": s.in, "TAPS": s.taps, "CI": s.rows(), "WB": w.blocks, "O0": b, "BLOCKS": now, "ROW": row}
				if err := n.runOnce(ctx, name, c, stage); err != nil {
					return err
				}
			}
			b += now
		}
	}
	return nil
}

// runOnce records, runs and waits for one call.
func (n *network) runOnce(ctx context.Context, name string, c call, stage driver.Buffer) error {
	r, err := n.record(ctx, name, []call{c}, func(o operand) driver.Range {
		if o.space == scratch {
			return driver.Range{Buffer: stage, Offset: o.at, Size: o.size}
		}
		return n.place(o)
	})
	if err != nil {
		return err
	}
	defer r.release()
	if err := n.submit(ctx, r); err != nil {
		return err
	}
	return n.wait(ctx)
}

// place finds a weight's memory.
func (n *network) place(o operand) driver.Range {
	chunk := chunkOf(n.limits)
	return driver.Range{Buffer: n.chunks[o.at/chunk], Offset: o.at % chunk, Size: o.size}
}

// bytesOf sees floats as bytes, as the device does.
func bytesOf(v []float32) []byte {
	if len(v) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}
