package device

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

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
