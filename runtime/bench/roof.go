package bench

import (
	"context"
	"errors"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// roofOf measures a device's roof.
func roofOf(ctx context.Context, d device.Device) (device.Roof, error) {
	m, ok := d.(device.Measurer)
	if !ok {
		return device.Roof{}, errors.New("this device cannot measure its roof")
	}
	return m.Roof(ctx)
}

// seconds is what an operator must take under a roof: its nominal arithmetic
// at the peak, or every tensor once through memory.
func seconds(r device.Roof, p *plan.Plan, op plan.Op) float64 {
	return max(float64(op.FLOPs(p))/r.FLOPs, float64(traffic(p, op))/r.Bytes)
}

// traffic is the bytes of an operator's inputs, weights and output in float32.
func traffic(p *plan.Plan, op plan.Op) int64 {
	n := p.Shape(op.Out()).Len()
	for _, v := range op.In() {
		n += p.Shape(v).Len()
	}
	for _, w := range op.Weights() {
		n += p.Params[w].Len()
	}
	return 4 * int64(n)
}
