// Package cpu executes plans on the processor's cores in portable Go.
//
// Convolutions become matrix products on packed panels: 3×3 ones of stride 1
// by Winograd's F(4×4,3×3), which takes a quarter of the multiplications, the
// others by im2col. What Read describes (concatenation, normalisation, SiLU,
// resampling) is done once per input element while it is packed; what Write
// describes while results are stored.
package cpu

import (
	"context"
	"fmt"
	"sync"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// winogradLimit is the size of all transformed weights, which are four times
// the plain ones, up to which they are kept; larger networks use im2col.
const winogradLimit = 1 << 30

type cpu struct{ pool *pool }

// New returns the CPU as a device; threads of 0 takes GOMAXPROCS.
func New(threads int) device.Device { return &cpu{newPool(threads)} }

func (d *cpu) Info() device.Info {
	return device.Info{Name: "cpu", Detail: fmt.Sprintf("portable Go, %d threads", d.pool.threads), Threads: d.pool.threads}
}

func (d *cpu) Close() error {
	d.pool.close()
	return nil
}

func (d *cpu) Memory(p *plan.Plan) device.Memory {
	m := device.Memory{Arena: 4 * int64(p.Arena), Scratch: 4 * int64(scratch(p, winograds(p)))}
	wino := winograds(p)
	packed := map[plan.Param]bool{}
	for _, op := range p.Ops {
		if c, ok := op.(*plan.Conv); ok {
			packed[c.W] = true
			m.Weights += 4 * int64(packedLen(p, c, wino && c.Kernel == 3 && c.Stride == 1))
		}
	}
	for i, w := range p.Params {
		if !packed[plan.Param(i)] {
			m.Weights += 4 * int64(w.Len())
		}
	}
	return m
}

// winograds tells whether the network's weights are kept transformed. It
// depends on the weights alone, so that all sizes of a network agree.
func winograds(p *plan.Plan) bool {
	n := 0
	for _, op := range p.Ops {
		if c, ok := op.(*plan.Conv); ok {
			n += 4 * packedLen(p, c, c.Kernel == 3 && c.Stride == 1)
		}
	}
	return n <= winogradLimit
}

// network holds packed weights by name; tensors that are no convolution's are
// plain.
type network struct {
	pool *pool
	wino bool
	w    map[string][]float32
}

func (d *cpu) Load(ctx context.Context, p *plan.Plan, src weights.Source) (device.Network, error) {
	n := &network{pool: d.pool, wino: winograds(p), w: make(map[string][]float32, len(p.Params))}
	convs := map[plan.Param]*plan.Conv{}
	for _, op := range p.Ops {
		if c, ok := op.(*plan.Conv); ok {
			convs[c.W] = c
		}
	}
	var mu sync.Mutex
	var failed error
	d.pool.each(len(p.Params), func(i int) {
		err := ctx.Err()
		info := p.Params[i]
		w := make([]float32, info.Len())
		if err == nil {
			err = src.ReadF32(info.Name, w)
		}
		if c := convs[plan.Param(i)]; c != nil && err == nil {
			w = pack(p, c, w, n.wino && c.Kernel == 3 && c.Stride == 1)
		}
		mu.Lock()
		defer mu.Unlock()
		n.w[info.Name] = w
		if failed == nil {
			failed = err
		}
	})
	if failed != nil {
		return nil, failed
	}
	return n, nil
}

func (n *network) Close() error { return nil }

func (n *network) Compile(p *plan.Plan) (device.Program, error) {
	for _, w := range p.Params {
		if n.w[w.Name] == nil && w.Len() > 0 {
			return nil, fmt.Errorf("cpu: weight %s was not loaded", w.Name)
		}
	}
	return &program{p: p, network: n, arena: make([]float32, p.Arena), scratch: make([]float32, scratch(p, n.wino))}, nil
}

// program is a plan with its memory.
type program struct {
	*network
	p       *plan.Plan
	mu      sync.Mutex
	arena   []float32
	scratch []float32
}

func (r *program) Plan() *plan.Plan { return r.p }
func (r *program) Close() error     { return nil }

// value is the memory of v.
func (r *program) value(v plan.Value) []float32 {
	i := r.p.Values[v]
	return r.arena[i.Offset : i.Offset+i.Shape.Len()]
}

func (r *program) weight(w plan.Param) []float32 { return r.w[r.p.Params[w].Name] }

// Run implements device.Program; calls wait for each other.
func (r *program) Run(ctx context.Context, in device.Input, y []float32) error {
	if err := device.Check(r.p, in, y); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	device.Fill(r.p, in, r.value)
	for _, op := range r.p.Ops {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch o := op.(type) {
		case *plan.Conv:
			r.conv(o)
		case *plan.Map:
			r.pointwise(o)
		case *plan.Norm:
			r.norm(o)
		case *plan.Linear:
			r.linear(o)
		case *plan.Attention:
			r.attention(o)
		case *plan.Embed:
			r.embed(o)
		default:
			return fmt.Errorf("cpu: %s: unknown operator %T", op.Name(), op)
		}
	}
	copy(y, r.value(r.p.Output))
	return nil
}
