package bench

import (
	"errors"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Roof is the most that a device can do, as measured beside the network.
type Roof = device.Roof

// roofOf measures a device's roof.
func roofOf(d device.Device) (Roof, error) {
	r, ok := d.(device.Roofed)
	if !ok {
		return Roof{}, errors.New("this device cannot measure its roof")
	}
	return r.Roof()
}

// seconds is what an operator must take under a roof: its nominal arithmetic
// at the peak, or every tensor once through memory.
func seconds(r Roof, p *plan.Plan, op plan.Op) float64 {
	return max(float64(op.FLOPs(p))/r.GFLOPS, float64(traffic(p, op))/r.GBs) / 1e9
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
