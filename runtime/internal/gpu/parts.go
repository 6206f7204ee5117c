package gpu

import (
	"context"
	"errors"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// lowerParts lowers a plan, or of a batch that the device cannot bind in one
// piece the largest equal part that it can; p is then the part's plan.
func (g *gpu) lowerParts(p *plan.Plan, params []stored, c chooser) (*plan.Plan, *lowered, error) {
	var tooLarge *TooLargeError
	n := p.Shape(p.X).N
	l, err := lower(p, g.half, params, g.limits, c)
	for part := n / 2; part > 0 && errors.As(err, &tooLarge); part-- {
		if n%part == 0 {
			p = p.Batch(part)
			l, err = lower(p, g.half, params, g.limits, c)
		}
	}
	return p, l, err
}

// parts evaluates a batch part by part.
type parts struct {
	*program // of a part
	whole    *plan.Plan
}

func (r *parts) Plan() *plan.Plan { return r.whole }

// each runs f for every part of the input.
func (r *parts) each(in device.Input, y []float32, f func(device.Input, []float32) error) error {
	if err := device.Check(r.whole, in, y); err != nil {
		return err
	}
	n, part := r.whole.Shape(r.whole.X).N, r.p.Shape(r.p.X).N
	x, out := len(in.X)/n, len(y)/n
	for i := 0; i < n; i += part {
		of := device.Input{X: in.X[i*x : (i+part)*x], Levels: in.Levels[i : i+part]}
		if in.Labels != nil {
			of.Labels = in.Labels[i : i+part]
		}
		if err := f(of, y[i*out:(i+part)*out]); err != nil {
			return err
		}
	}
	return nil
}

func (r *parts) Run(ctx context.Context, in device.Input, y []float32) error {
	return r.each(in, y, func(in device.Input, y []float32) error { return r.program.Run(ctx, in, y) })
}

func (r *parts) Profile(ctx context.Context, in device.Input, y []float32, each func(plan.Op, time.Duration)) error {
	return r.each(in, y, func(in device.Input, y []float32) error { return r.program.Profile(ctx, in, y, each) })
}

func (r *parts) Kernels(ctx context.Context, in device.Input, y []float32) (all []device.Kernel, err error) {
	err = r.each(in, y, func(in device.Input, y []float32) error {
		some, err := r.program.Kernels(ctx, in, y)
		for _, k := range some {
			at := 0
			for at < len(all) && all[at].Name != k.Name {
				at++
			}
			if at == len(all) {
				all = append(all, device.Kernel{Name: k.Name})
			}
			a := &all[at]
			a.Calls, a.Time, a.FLOPs, a.Bytes = a.Calls+k.Calls, a.Time+k.Time, a.FLOPs+k.FLOPs, a.Bytes+k.Bytes
		}
		return err
	})
	return all, err
}
