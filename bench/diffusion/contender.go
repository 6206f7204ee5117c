package main

import (
	"context"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/data"
	"github.com/i2sb-go/i2sb/train/initial"
	"github.com/i2sb-go/i2sb/train/recipe"
	"github.com/i2sb-go/i2sb/weights"
)

// contender is a network that is trained, and its way to sample.
type contender struct {
	name      string
	sampler   string
	header    weights.Header
	trainer   *runtime.Trainer
	fromNoise bool // x1 is noise and the degraded picture the condition
	took      time.Duration
}

// interval is the number of indices of every path.
const interval = 1000

// contenders are the three: what differs is all in this table.
//
// The diffusion is the straight path from pictures to noise of flow matching
// (Lipman et al., ICLR 2023), whose ODE is DDIM's on that path: an OT-ODE bridge
// to noise, so that path, loss, sampler and code are those of the OT-ODE bridge.
// β is such that σ_N = 1: the label (x_n − x0)/σ_n is σ_n·(noise − x0) then, of
// the size that networks like.
func contenders(ctx context.Context, preset string, shape runtime.TrainShape, rate func(int) float64) ([]*contender, error) {
	released := weights.Bridge{Interval: interval, BetaMax: 0.3, T0: 1e-4, T: 1}
	ode, noise := released, released
	ode.OTODE = true
	noise.OTODE, noise.CondX1, noise.BetaMax = true, true, 7.75
	list := []*contender{
		{name: "bridge, SDE", sampler: "posterior", header: weights.Header{Bridge: released}},
		{name: "bridge, OT-ODE", sampler: "ode", header: weights.Header{Bridge: ode}},
		{name: "diffusion", sampler: "ode", header: weights.Header{Bridge: noise}, fromNoise: true},
	}
	for _, c := range list {
		if err := c.open(ctx, preset, shape, rate); err != nil {
			return list, err
		}
	}
	return list, nil
}

func (c *contender) open(ctx context.Context, preset string, shape runtime.TrainShape, rate func(int) float64) (err error) {
	if c.header.Network, err = recipe.Preset(preset); err != nil {
		return err
	}
	c.header.Name = c.name
	if c.fromNoise {
		c.header.Network.InChannels *= 2
	}
	src, err := initial.Fresh(c.header.Network, 1)
	if err != nil {
		return err
	}
	c.trainer, err = runtime.NewTrainer(ctx, c.header, src, runtime.TrainOptions{Shapes: []runtime.TrainShape{shape}, Rate: rate, Average: 0.999, Clip: 1},
		runtime.WithDevice("cpu"))
	return err
}

// example is what the contender learns from a sample: all by the paper's
// algorithm 1, all times alike and the plain loss.
func (c *contender) example(q *data.Sample, index int, noise bridge.Noise) runtime.Example {
	e := runtime.Example{X0: q.X0, X1: q.X1, Index: index, Noise: noise}
	if c.fromNoise {
		e.X1, e.Cond = gaussian(q.X1, noise), q.X1
	}
	return e
}

// step takes one step of the optimiser.
func (c *contender) step(ctx context.Context, batch []runtime.Example) error {
	began := time.Now()
	defer func() { c.took += time.Since(began) }()
	if _, err := c.trainer.Add(ctx, batch); err != nil {
		return err
	}
	return c.trainer.Step()
}

// methods are the contender with each number of steps.
func (c *contender) methods(m *runtime.Model, nfe []int) []eval.Method {
	var list []eval.Method
	for _, k := range nfe {
		restore := func(ctx context.Context, s eval.Sample, more ...runtime.Option) (*bridge.Image, error) {
			return eval.Network(m, c.sampler, k, append(more, runtime.WithClip(true), runtime.WithLastX0(true))...).Restore(ctx, s)
		}
		method := eval.Method{Name: c.name, Sampler: c.sampler, Steps: k}
		method.Restore = func(ctx context.Context, s eval.Sample) (*bridge.Image, error) {
			if !c.fromNoise {
				return restore(ctx, s)
			}
			degraded := runtime.WithCondition(s.X1)
			s.X1 = gaussian(s.X1, bridge.NewNoise(s.Seed))
			return restore(ctx, s, degraded)
		}
		list = append(list, method)
	}
	return list
}

// gaussian is a picture of noise, of x's size.
func gaussian(x *bridge.Image, noise bridge.Noise) *bridge.Image {
	z := bridge.NewImage(x.C, x.H, x.W)
	for c := range z.C {
		for y := range z.H {
			noise.Fill(z.Plane(c)[y*z.W:(y+1)*z.W], bridge.DrawX1, 0, c, y, 0)
		}
	}
	return z
}
