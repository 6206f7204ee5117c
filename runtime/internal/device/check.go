package device

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// Fill writes an evaluation's input into the plan's input values, which value
// gives the memory of.
func Fill(p *plan.Plan, in Input, value func(plan.Value) []float32) {
	copy(value(p.X), in.X)
	if p.Time != plan.None {
		width := p.Shape(p.Time).C
		for i, level := range in.Levels {
			unet.Sinusoid(level, value(p.Time)[i*width:(i+1)*width])
		}
	}
	if p.Label != plan.None {
		for i, l := range in.Labels {
			value(p.Label)[i] = float32(l)
		}
	}
}

// Check compares an evaluation's input with what the plan wants.
func Check(p *plan.Plan, in Input, y []float32) error {
	x, out := p.Shape(p.X), p.Shape(p.Output)
	if len(in.X) != x.Len() || len(y) != out.Len() {
		return fmt.Errorf("device: the plan takes %v and gives %v; the buffers have %d and %d elements", x, out, len(in.X), len(y))
	}
	if len(in.Levels) != x.N {
		return fmt.Errorf("device: %d noise levels for a batch of %d", len(in.Levels), x.N)
	}
	for _, l := range in.Levels {
		if math.IsNaN(l) || math.IsInf(l, 0) {
			return fmt.Errorf("device: noise level %v", l)
		}
	}
	if p.Label == plan.None {
		if in.Labels != nil {
			return fmt.Errorf("device: the network takes no class labels")
		}
		return nil
	}
	if len(in.Labels) != x.N {
		return fmt.Errorf("device: the network is class-conditional: %d labels for a batch of %d", len(in.Labels), x.N)
	}
	classes := 0
	for _, op := range p.Ops {
		if e, ok := op.(*plan.Embed); ok {
			classes = p.Params[e.Table].Shape[0]
		}
	}
	for _, l := range in.Labels {
		if l < 0 || l >= classes {
			return fmt.Errorf("device: class %d is outside 0 to %d", l, classes-1)
		}
	}
	return nil
}
