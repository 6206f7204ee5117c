// Package ref executes a plan in plain Go, slowly and obviously. It is the
// specification of every operator: the other executors are tested against it,
// and it against the reference implementation's numbers.
package ref

import (
	"context"
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// New returns the reference device.
func New() device.Device { return ref{} }

type ref struct{}

func (ref) Info() device.Info {
	return device.Info{Name: "ref", Detail: "plain Go, one thread, sums in float64: the specification", Threads: 1}
}
func (ref) Close() error { return nil }

func (ref) Memory(p *plan.Plan, _ weights.DType) device.Memory {
	return device.Memory{Weights: p.ParamBytes(), Arena: 4 * int64(p.Arena)}
}

func (ref) Load(ctx context.Context, p *plan.Plan, src weights.Source) (device.Network, error) {
	n := &network{w: map[string][]float32{}}
	for _, info := range p.Params {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := make([]float32, info.Len())
		if err := src.ReadF32(info.Name, w); err != nil {
			return nil, err
		}
		n.w[info.Name] = w
	}
	return n, nil
}

type network struct{ w map[string][]float32 }

func (n *network) Close() error { return nil }

func (n *network) NewCanvas(s device.CanvasSpec) (device.Canvas, error) {
	return device.NewHostCanvas(s), nil
}

func (n *network) Compile(p *plan.Plan) (device.Program, error) {
	for _, info := range p.Params {
		if len(n.w[info.Name]) != info.Len() {
			return nil, fmt.Errorf("ref: weight %s has %d elements, the plan wants %v", info.Name, len(n.w[info.Name]), info.Shape)
		}
	}
	return &Program{p: p, w: n.w, arena: make([]float32, p.Arena)}, nil
}

// Program runs one plan. Observe, if set, sees every operator's result.
type Program struct {
	p       *plan.Plan
	w       map[string][]float32
	arena   []float32
	grads   [][]float32 // by parameter, while training
	Observe func(op plan.Op, value string, y []float32)
}

func (r *Program) Plan() *plan.Plan { return r.p }
func (r *Program) Close() error     { return nil }

// value is the memory of v.
func (r *Program) value(v plan.Value) []float32 {
	i := r.p.Values[v]
	return r.arena[i.Offset : i.Offset+i.Shape.Len()]
}

func (r *Program) weight(w plan.Param) []float32 { return r.w[r.p.Params[w].Name] }

// Run evaluates the network.
func (r *Program) Run(ctx context.Context, in device.Input, y []float32) error {
	if err := device.Check(r.p, in, y); err != nil {
		return err
	}
	device.Fill(r.p, in, r.value)
	for _, op := range r.p.Ops {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.run(op)
		if r.Observe != nil {
			r.Observe(op, r.p.Values[op.Out()].Name, r.value(op.Out()))
		}
	}
	copy(y, r.value(r.p.Output))
	return nil
}

func (r *Program) run(op plan.Op) {
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
		r.back(op)
	}
}
