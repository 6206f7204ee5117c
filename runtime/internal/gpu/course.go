package gpu

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
)

// lowering is a plan with its way back as calls: those up to loss evaluate the
// network and its loss, the others lead to the gradients.
type lowering struct {
	*lowered
	loss                        int
	label, mask, weight, shares operand // of a batch's targets
}

// lowerGradient makes the calls, or says why the device cannot take batches of
// this size.
func lowerGradient(g *plan.Gradient, weights []stored, limits driver.Limits, c chooser) (*lowering, error) {
	l, err := placed(&g.Plan, false, weights, limits, c)
	if err != nil {
		return nil, err
	}
	w := &lowering{lowered: l}
	l.importX()
	for i, op := range g.Ops {
		if i == g.Forward {
			w.lose(g)
			w.loss = len(l.calls)
		}
		if err := l.operator(op); err != nil {
			return nil, err
		}
	}
	return w, l.fits()
}

// lose adds the loss, whose targets have memory of their own.
func (l *lowering) lose(g *plan.Gradient) {
	s := g.Shape(g.Output)
	at := int64(0)
	room := func(floats int) operand {
		o := operand{lesson, at, int64(4 * floats)}
		at += aligned(o.size)
		return o
	}
	runs := count(s.H*s.W, 64)
	l.label, l.mask, l.weight, l.shares = room(s.Len()), room(s.N*s.H*s.W), room(2*s.N), room(s.N*blocks(s.C)*runs)
	l.op, l.used = nil, 0
	l.add(call{file: "loss", consts: shaders.Constants{}, params: params{"C": s.C, "OB": blocks(s.C), "AREA": s.H * s.W},
		in: operands{"x": l.value(g.Output), "label": l.label, "mask": l.mask, "weight": l.weight, "seed": l.value(g.Seed), "shares": l.shares},
		x:  runs, y: blocks(s.C), z: s.N})
}

// course is a lowering with memory, recorded.
type course struct {
	*program
	*lowering
	learner       *learner
	targets       driver.Buffer
	turning       driver.Buffer
	forward, back *recording
}

// course lowers a plan and records it.
func (l *learner) course(ctx context.Context, g *plan.Gradient) (*course, error) {
	g = g.Join(apart)
	low, err := lowerGradient(g, l.params, l.limits, l.choose)
	if err != nil {
		return nil, err
	}
	c := &course{program: &program{network: l.network, p: &g.Plan, lowered: low.lowered}, lowering: low, learner: l}
	if err := c.make(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *course) make(ctx context.Context) error {
	if err := c.allocate(); err != nil {
		return err
	}
	for _, b := range []struct {
		to    *driver.Buffer
		label string
		size  int64
	}{{&c.targets, "targets", c.shares.at + c.shares.size}, {&c.turning, "turned weights", c.lowering.turned}} {
		made, err := c.dev.Buffer(b.label, max(256, aligned(b.size)), driver.Storage)
		if *b.to, err = keep(&c.owned, made, err); err != nil {
			return err
		}
	}
	calls, loss := c.lowering.calls, c.lowering.loss
	var err error
	if c.forward, err = c.keep(c.record(ctx, "network", calls[:loss], c.place)); err != nil {
		return err
	}
	c.back, err = c.keep(c.record(ctx, "way back", calls[loss:], c.place))
	return err
}

// place finds an operand's memory.
func (c *course) place(o operand) driver.Range {
	switch {
	case o.space == turned:
		return driver.Range{Buffer: c.turning, Offset: o.at, Size: o.size}
	case o.space == lesson:
		return driver.Range{Buffer: c.targets, Offset: o.at, Size: o.size}
	case o.space >= weight:
		return c.learner.place(o)
	}
	return c.program.place(o)
}

// evaluate runs the network and gives the loss.
func (c *course) evaluate(ctx context.Context, in device.Input, t device.Target) (loss float64, err error) {
	p := c.p
	if err := device.Check(p, in, make([]float32, p.Shape(p.Output).Len())); err != nil {
		return 0, err
	}
	if err := t.Check(p.Shape(p.Output)); err != nil {
		return 0, err
	}
	mask, weight := t.Mask, make([]float32, 0, 2*len(t.Weight))
	if mask == nil {
		mask = make([]float32, c.mask.size/4)
		for i := range mask {
			mask[i] = 1
		}
	}
	for _, w := range t.Weight {
		weight = append(weight, float32(w), float32(t.Charbonnier))
	}
	if err := c.fill(in); err != nil {
		return 0, err
	}
	for o, v := range map[operand][]float32{c.lowering.planarX: in.X, c.label: t.Label, c.mask: mask, c.weight: weight} {
		to := c.place(o)
		if err := c.dev.Write(to.Buffer, to.Offset, bytesOf(v)); err != nil {
			return 0, err
		}
	}
	if err := c.submit(ctx, c.forward); err != nil {
		return 0, err
	}
	return c.total(ctx, c.place(c.shares))
}

// total sums floats of the device.
func (g *gpu) total(ctx context.Context, r driver.Range) (sum float64, err error) {
	b := make([]byte, r.Size)
	if err := g.dev.Read(ctx, r.Buffer, r.Offset, b, patience); err != nil {
		return 0, err
	}
	for ; len(b) > 0; b = b[4:] {
		sum += float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return sum, nil
}
