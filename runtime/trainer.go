package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Trainer trains a network: gradients, AdamW and the moving average are work
// of its device. It is used by one goroutine.
type Trainer struct {
	header   weights.Header
	schedule *bridge.Schedule
	config   unet.Config
	opt      TrainOptions
	device   device.Device
	learner  device.Learner
	plan     *plan.Gradient
	batches  int // since the last Step
	steps    int
	in       device.Input
	target   device.Target
}

// TrainOptions say how a network is trained. The zero value of a field takes
// what is in brackets, which is what the reference does.
type TrainOptions struct {
	Batch, Height, Width int // pictures that are evaluated at once [1], and their size, a multiple of the network's

	Rate         func(step int) float64 // of learning, for step 1, 2, … [StepRate(5e-5, 0.99, 1000)]
	Beta1, Beta2 float64                // [0.9, 0.999]
	Eps          float64                // [1e-8]
	Decay        float64                // of weights, decoupled [0]
	Average      float64                // decay of the moving average [0.99], warmed up as min(Average, (1+n)/(10+n)) at step n
	Clip         float64                // greatest norm of the gradient [no limit]
	AreaLoss     bool                   // with masks: the mean over the holes, not over all elements

	Memory int64 // bytes that activations and their gradients may take; activations are made again to keep to it [no limit]
}

// StepRate falls by a factor every so many steps, as the reference's StepLR.
func StepRate(rate, factor float64, every int) func(int) float64 {
	return func(step int) float64 { return rate * math.Pow(factor, float64((step-1)/every)) }
}

// CosineRate falls from rate to last over a number of steps, along half a
// cosine, after a linear rise over the first warm ones.
func CosineRate(rate, last float64, steps, warm int) func(int) float64 {
	return func(step int) float64 {
		if step <= warm {
			return rate * float64(step) / float64(warm)
		}
		t := min(1, float64(step-warm)/float64(max(1, steps-warm)))
		return last + (rate-last)*(1+math.Cos(math.Pi*t))/2
	}
}

// Example is a picture to learn from: its clean and its degraded form, and the
// index of the bridge at which it is asked.
type Example struct {
	X0, X1 *bridge.Image
	Index  int
	Noise  bridge.Noise  // ε is its DrawStep; nil on OT-ODE bridges
	Draw   int           // the step that Noise is asked for
	Cond   *bridge.Image // what a conditional network reads; nil is X1
	Mask   []uint8       // H·W, 255 where there is something to learn; nil is everywhere
	Class  int
}

// NewTrainer loads the weights of src for training. The moving average starts
// as the weights. The error is a DeviceError if the device cannot train.
func NewTrainer(ctx context.Context, h weights.Header, src weights.Source, o TrainOptions, opts ...OpenOption) (*Trainer, error) {
	var oo openOptions
	for _, f := range opts {
		f(&oo)
	}
	t := &Trainer{header: h, opt: o.defaults()}
	var err error
	if t.config, err = unet.Parse(h.Network); err != nil {
		return nil, err
	}
	if t.schedule, err = bridge.NewSchedule(bridge.Config(h.Bridge)); err != nil {
		return nil, err
	}
	if want := t.config.Out * (1 + btoi(h.Bridge.CondX1)); t.config.In != want {
		return nil, fmt.Errorf("runtime: the network has %d input channels, its bridge needs %d", t.config.In, want)
	}
	p, err := unet.Build(h.Network, t.opt.Batch, t.opt.Height, t.opt.Width)
	if err != nil {
		return nil, err
	}
	if t.plan, err = plan.Differentiate(p, int(t.opt.Memory/4)); err != nil {
		return nil, err
	}
	if t.device, err = openDevice(oo); err != nil {
		return nil, err
	}
	teacher, ok := t.device.(device.Teacher)
	if !ok {
		t.device.Close()
		return nil, &DeviceError{oo.device, errors.New("it cannot train yet; ref, which is slow, can")}
	}
	if t.learner, err = teacher.Learn(ctx, t.plan, src); err != nil {
		t.device.Close()
		return nil, err
	}
	t.allocate()
	return t, nil
}

func (o TrainOptions) defaults() TrainOptions {
	or := func(v *float64, standard float64) {
		if *v == 0 {
			*v = standard
		}
	}
	or(&o.Beta1, 0.9)
	or(&o.Beta2, 0.999)
	or(&o.Eps, 1e-8)
	or(&o.Average, 0.99)
	if o.Rate == nil {
		o.Rate = StepRate(5e-5, 0.99, 1000)
	}
	o.Batch = max(1, o.Batch)
	return o
}

func (t *Trainer) allocate() {
	x, y := t.plan.Shape(t.plan.X), t.plan.Shape(t.plan.Output)
	t.in = device.Input{X: make([]float32, x.Len()), Levels: make([]float64, x.N)}
	if t.config.Classes > 0 {
		t.in.Labels = make([]int, x.N)
	}
	t.target = device.Target{Label: make([]float32, y.Len()), Mask: make([]float32, y.N*y.H*y.W), Weight: make([]float64, y.N)}
}

// Add evaluates a batch and adds its gradients to those since the last Step,
// which takes their mean. It returns the loss: the mean of (output − label)²,
// both times the mask, over all elements or over the holes.
func (t *Trainer) Add(ctx context.Context, batch []Example) (loss float64, err error) {
	if err := t.fill(batch); err != nil {
		return 0, err
	}
	if loss, err = t.learner.Batch(ctx, t.in, t.target); err == nil {
		t.batches++
	}
	return loss, err
}

// Loss evaluates a batch and nothing else.
func (t *Trainer) Loss(ctx context.Context, batch []Example) (float64, error) {
	if err := t.fill(batch); err != nil {
		return 0, err
	}
	return t.learner.Loss(ctx, t.in, t.target)
}

// fill makes the network's input and label of a batch.
func (t *Trainer) fill(batch []Example) error {
	s := t.plan.Shape(t.plan.Output)
	if len(batch) != s.N {
		return fmt.Errorf("runtime: %d examples for batches of %d", len(batch), s.N)
	}
	each, area := s.Len()/s.N, s.H*s.W
	holes := make([]float64, s.N)
	for n, e := range batch {
		if e.X0 == nil || e.X1 == nil || e.X0.C != s.C || e.X0.H != s.H || e.X0.W != s.W || (e.Noise == nil && !t.header.Bridge.OTODE) {
			return fmt.Errorf("runtime: example %d is not whole, or its pictures are not %d×%d×%d", n, s.C, s.H, s.W)
		}
		p, err := t.schedule.Sample(e.X0, e.X1, e.Index, e.Noise, e.Draw)
		if err != nil {
			return err
		}
		in := t.in.X[n*len(t.in.X)/s.N:]
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
		copy(t.target.Label[n*each:], p.Label.Pix)
		t.in.Levels[n] = p.Level
		if t.in.Labels != nil {
			t.in.Labels[n] = e.Class
		}
		mask := t.target.Mask[n*area:][:area]
		if e.Mask != nil && len(e.Mask) != area {
			return fmt.Errorf("runtime: the mask of example %d has %d elements, the picture %d", n, len(e.Mask), area)
		}
		for i := range mask {
			mask[i] = 1
			if e.Mask != nil {
				mask[i] = float32(e.Mask[i]) / 255
			}
			holes[n] += float64(mask[i])
		}
	}
	for n := range holes {
		t.target.Weight[n] = 1 / float64(s.Len())
		if t.opt.AreaLoss && holes[n] > 0 {
			t.target.Weight[n] *= float64(area) / holes[n]
		}
	}
	return nil
}

// Step moves the weights and their moving average along the mean of the
// gradients since the last Step. A gradient that is no number leaves everything
// as it was, but for being forgotten, and is an error.
func (t *Trainer) Step() error {
	if t.batches == 0 {
		return errors.New("runtime: there are no gradients to step along")
	}
	u := device.Update{Step: t.steps + 1, Rate: t.opt.Rate(t.steps + 1), Beta1: t.opt.Beta1, Beta2: t.opt.Beta2, Eps: t.opt.Eps, Decay: t.opt.Decay,
		Scale: 1 / float64(t.batches), Average: min(t.opt.Average, float64(2+t.steps)/float64(11+t.steps))}
	t.batches = 0
	norm, err := t.learner.Norm()
	if err != nil {
		return err
	}
	if norm *= u.Scale; math.IsNaN(norm) || math.IsInf(norm, 0) {
		return errors.Join(fmt.Errorf("runtime: the gradient of step %d is no number; the step was left out", u.Step), t.learner.Forget())
	}
	if t.opt.Clip > 0 && norm > t.opt.Clip {
		u.Scale *= t.opt.Clip / norm
	}
	t.steps++
	return t.learner.Update(u)
}

// Steps is how many there were.
func (t *Trainer) Steps() int { return t.steps }

// Part is one of the sets of tensors that a Trainer holds.
type Part int

const (
	Weights Part = iota
	Gradients
	Moments1 // of AdamW
	Moments2
	Averages // the moving average of the weights
)

// Source reads one of the sets, for a pack or a checkpoint. It reads what is
// there when it is asked.
func (t *Trainer) Source(p Part) weights.Source { return trained{t, device.Tensor(p)} }

// Resume goes on from a saved state: the sets in order, and the number of
// steps.
func (t *Trainer) Resume(steps int, weights, moments1, moments2, averages weights.Source) error {
	for part, src := range map[Part]interface {
		ReadF32(string, []float32) error
	}{Weights: weights, Moments1: moments1, Moments2: moments2, Averages: averages} {
		for _, info := range t.plan.Params {
			v := make([]float32, info.Len())
			if err := src.ReadF32(info.Name, v); err != nil {
				return err
			}
			if err := t.learner.Set(info.Name, device.Tensor(part), v); err != nil {
				return err
			}
		}
	}
	t.steps = steps
	return nil
}

// Close frees the device.
func (t *Trainer) Close() error {
	err := t.learner.Close()
	if e := t.device.Close(); err == nil {
		err = e
	}
	return err
}

// trained is a part of a trainer as a source.
type trained struct {
	t    *Trainer
	part device.Tensor
}

func (s trained) Tensors() []weights.Info {
	var list []weights.Info
	for _, p := range s.t.plan.Params {
		list = append(list, weights.Info{Name: p.Name, Shape: p.Shape, DType: weights.F32})
	}
	return list
}

func (s trained) ReadF32(name string, dst []float32) error {
	return s.t.learner.Get(name, s.part, dst)
}

func (s trained) Close() error { return nil }
