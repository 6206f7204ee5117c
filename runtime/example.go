package runtime

import (
	"fmt"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Example is a picture to learn from: its clean and its degraded form, and the
// index of the bridge at which it is asked: 0 to N−1, or N for x1 itself, where
// every walk begins (bridge.Schedule.Sample).
type Example struct {
	X0, X1 *bridge.Image
	Index  int
	Noise  bridge.Noise  // ε is its DrawStep; nil on OT-ODE bridges
	Draw   int           // the step that Noise is asked for
	Cond   *bridge.Image // what a conditional network reads; nil is X1
	Mask   []uint8       // H·W, 255 where there is something to learn; nil is everywhere
	Class  int
	Weight float64 // factor of this example's part of the loss; 0 is 1
}

// lesson is a shape of batches: its plan and the buffers of one batch.
type lesson struct {
	TrainShape
	plan   *plan.Gradient
	share  float64 // elements of a batch, beside the first shape's
	in     device.Input
	target device.Target
}

func newLesson(s TrainShape, g *plan.Gradient, classes bool) *lesson {
	x, y := g.Shape(g.X), g.Shape(g.Output)
	l := &lesson{TrainShape: s, plan: g, in: device.Input{X: make([]float32, x.Len()), Levels: make([]float64, x.N)}}
	if classes {
		l.in.Labels = make([]int, x.N)
	}
	l.target = device.Target{Label: make([]float32, y.Len()), Mask: make([]float32, y.N*y.H*y.W), Weight: make([]float64, y.N)}
	return l
}

// lesson finds the shape of a batch.
func (t *Trainer) lesson(batch []Example) (int, error) {
	var have []string
	for i, l := range t.lessons {
		if len(batch) == l.Batch && batch[0].X0 != nil && batch[0].X0.H == l.Height && batch[0].X0.W == l.Width {
			return i, nil
		}
		have = append(have, l.String())
	}
	size := ""
	if len(batch) > 0 && batch[0].X0 != nil {
		size = fmt.Sprintf(" of %d×%d", batch[0].X0.W, batch[0].X0.H)
	}
	return 0, fmt.Errorf("runtime: a batch of %d examples%s; this trainer takes %s", len(batch), size, strings.Join(have, ", or "))
}

// fill makes the network's input and label of a batch.
func (t *Trainer) fill(l *lesson, batch []Example) error {
	s := l.plan.Shape(l.plan.Output)
	each := s.Len() / s.N
	for n, e := range batch {
		if e.X0 == nil || e.X1 == nil || e.X0.C != s.C || e.X0.H != s.H || e.X0.W != s.W || (e.Noise == nil && !t.header.Bridge.OTODE) {
			return fmt.Errorf("runtime: example %d is not whole, or its pictures are not %d×%d×%d", n, s.C, s.H, s.W)
		}
		p, err := t.schedule.Sample(e.X0, e.X1, e.Index, e.Noise, e.Draw)
		if err != nil {
			return err
		}
		in := l.in.X[n*len(l.in.X)/s.N:]
		copy(in, p.X.Pix)
		if t.header.Bridge.CondX1 {
			cond := e.Cond
			if cond == nil {
				cond = e.X1
			}
			if err := cond.SameSize(e.X0); err != nil {
				return err
			}
			copy(in[each:], cond.Pix)
		}
		copy(l.target.Label[n*each:], p.Label.Pix)
		l.in.Levels[n] = p.Level
		if l.in.Labels != nil {
			l.in.Labels[n] = e.Class
		}
		if err := t.weigh(l, n, e); err != nil {
			return err
		}
	}
	return nil
}

// weigh fills in example n's mask and factor.
func (t *Trainer) weigh(l *lesson, n int, e Example) error {
	area := l.Height * l.Width
	if e.Mask != nil && len(e.Mask) != area {
		return fmt.Errorf("runtime: the mask of example %d has %d elements, the picture %d", n, len(e.Mask), area)
	}
	mask, holes := l.target.Mask[n*area:][:area], 0.0
	for i := range mask {
		mask[i] = 1
		if e.Mask != nil {
			mask[i] = float32(e.Mask[i]) / 255
		}
		holes += float64(mask[i])
	}
	w := l.share / float64(len(l.target.Label))
	if e.Weight != 0 {
		w *= e.Weight
	}
	if t.opt.AreaLoss && holes > 0 {
		w *= float64(area) / holes
	}
	l.target.Weight[n] = w
	return nil
}
