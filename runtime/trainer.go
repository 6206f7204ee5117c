package runtime

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Trainer trains a network: gradients, AdamW or Muon and the moving average are
// work of its device. It is used by one goroutine.
type Trainer struct {
	header   weights.Header
	schedule *bridge.Schedule
	config   unet.Config
	opt      TrainOptions
	device   device.Device
	learner  device.Learner
	lessons  []*lesson // by shape
	batches  float64   // since the last Step
	steps    int
}

// TrainOptions say how a network is trained. The zero value of a field takes
// what is in brackets, which is what the reference does.
type TrainOptions struct {
	Shapes []TrainShape // of the batches; all train the same weights

	Rate         func(step int) float64 // of learning, for step 1, 2, … [StepRate(5e-5, 0.99, 1000)]
	Beta1, Beta2 float64                // [0.9, 0.999]
	Eps          float64                // [1e-8]
	Decay        float64                // of weights, decoupled [0]
	Muon         float64                // momentum of Muon (Jordan and others, 2024), which then moves the layers' matrices; AdamW moves the rest [AdamW moves all]
	Average      float64                // decay of the moving average [0.99], warmed up as min(Average, (1+n)/(10+n)) at step n
	Clip         float64                // greatest norm of the gradient [no limit]
	AreaLoss     bool                   // with masks: the mean over the holes, not over all elements
	Charbonnier  float64                // ε of √(d²+ε²)−ε, which takes the place of d² in the loss, in units of the label [squares]

	// Only tells which layers learn, such as input_blocks.1.0.emb_layers.1; see
	// Layer. The others keep their weights, exactly, and nothing is calculated for
	// them alone [all learn].
	Only func(layer string) bool

	Memory int64 // bytes that activations and their gradients may take; activations are made again to keep to it [no limit]
}

// TrainShape is how many pictures are evaluated at once [1], and their size, a
// multiple of the network's.
type TrainShape struct{ Batch, Height, Width int }

// String is "16 of 64×48": width, then height.
func (s TrainShape) String() string { return fmt.Sprintf("%d of %d×%d", s.Batch, s.Width, s.Height) }

// NewTrainer loads the weights of src for training. The moving average starts
// as the weights. The error is a DeviceError if the device cannot train.
func NewTrainer(ctx context.Context, h weights.Header, src weights.Source, o TrainOptions, opts ...OpenOption) (*Trainer, error) {
	var oo openOptions
	for _, f := range opts {
		f(&oo)
	}
	if !(o.Charbonnier >= 0) || math.IsInf(o.Charbonnier, 1) {
		return nil, fmt.Errorf("runtime: ε of Charbonnier's loss is %g; it is 0 or more", o.Charbonnier)
	}
	if !(o.Muon >= 0 && o.Muon < 1) {
		return nil, fmt.Errorf("runtime: Muon's momentum is %g; it is 0 or more and below 1", o.Muon)
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
	if o.Only != nil && o.Decay > 0 {
		return nil, errors.New("runtime: weights that are to stay cannot decay")
	}
	gradients, err := t.differentiate()
	if err != nil {
		return nil, err
	}
	teacher, err := openTeacher(oo)
	if err != nil {
		return nil, err
	}
	t.device = teacher
	if t.learner, err = teacher.Learn(ctx, gradients, src); err != nil {
		t.device.Close()
		return nil, err
	}
	return t, nil
}

// openTeacher opens a device that trains; auto takes the processor where the
// best device does not.
func openTeacher(o openOptions) (device.Teacher, error) {
	d, err := openDevice(o)
	if err != nil {
		return nil, err
	}
	if teacher, ok := d.(device.Teacher); ok {
		return teacher, nil
	}
	name := d.Info().Name
	d.Close()
	if (o.device == "" || o.device == "auto") && name != "cpu" {
		o.device = "cpu"
		return openTeacher(o)
	}
	return nil, &DeviceError{o.device, fmt.Errorf("%s cannot train", name)}
}

// differentiate makes the plan and the lesson of every shape.
func (t *Trainer) differentiate() (all []*plan.Gradient, err error) {
	if len(t.opt.Shapes) == 0 {
		return nil, errors.New("runtime: no shape of batches to train with")
	}
	for _, s := range t.opt.Shapes {
		s.Batch = max(1, s.Batch)
		p, err := unet.Build(t.header.Network, s.Batch, s.Height, s.Width)
		if err != nil {
			return nil, err
		}
		learns, err := t.learns(p)
		if err != nil {
			return nil, err
		}
		g, err := plan.Differentiate(p, int(t.opt.Memory/4), learns)
		if err != nil {
			return nil, err
		}
		l := newLesson(s, g, t.config.Classes > 0)
		l.target.Charbonnier = t.opt.Charbonnier
		t.lessons, all = append(t.lessons, l), append(all, g)
		l.share = float64(len(l.target.Label)) / float64(len(t.lessons[0].target.Label))
	}
	return all, nil
}

// Layer is the layer of a tensor of weights: its name without .weight or .bias.
func Layer(tensor string) string {
	return strings.TrimSuffix(strings.TrimSuffix(tensor, ".weight"), ".bias")
}

// learns is Only by parameters.
func (t *Trainer) learns(p *plan.Plan) (func(plan.Param) bool, error) {
	if t.opt.Only == nil {
		return nil, nil
	}
	only := func(w plan.Param) bool { return t.opt.Only(Layer(p.Params[w].Name)) }
	for w := range p.Params {
		if only(plan.Param(w)) {
			return only, nil
		}
	}
	return nil, errors.New("runtime: none of the network's layers would learn")
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
	return o
}

func (t *Trainer) params() []plan.ParamInfo { return t.lessons[0].plan.Params }

// Add evaluates a batch and adds its gradients to those since the last Step,
// which takes their mean, over elements: a batch of another shape counts as
// many times as much as it has more of them. Add returns the loss: the mean of
// Weight·(output − label)², or of Charbonnier's loss of that difference, output
// and label times the mask, over all elements or over the holes. If it fails on
// the way, all gradients since the last Step are forgotten.
func (t *Trainer) Add(ctx context.Context, batch []Example) (loss float64, err error) {
	l, err := t.evaluate(batch, func(i int, l *lesson) (err error) {
		if loss, err = t.learner.Batch(ctx, i, l.in, l.target); err != nil {
			t.batches = 0
			return errors.Join(err, t.learner.Forget())
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	t.batches += l.share
	return loss / l.share, nil
}

// Loss evaluates a batch and nothing else.
func (t *Trainer) Loss(ctx context.Context, batch []Example) (loss float64, err error) {
	l, err := t.evaluate(batch, func(i int, l *lesson) (err error) {
		loss, err = t.learner.Loss(ctx, i, l.in, l.target)
		return err
	})
	if err != nil {
		return 0, err
	}
	return loss / l.share, nil
}

func (t *Trainer) evaluate(batch []Example, f func(int, *lesson) error) (*lesson, error) {
	i, err := t.lesson(batch)
	if err != nil {
		return nil, err
	}
	l := t.lessons[i]
	if err := t.fill(l, batch); err != nil {
		return nil, err
	}
	return l, f(i, l)
}

// Step moves the weights and their moving average along the mean of the
// gradients since the last Step. A gradient that is no number leaves everything
// as it was, but for being forgotten, and is an error.
func (t *Trainer) Step() error {
	if t.batches == 0 {
		return errors.New("runtime: there are no gradients to step along")
	}
	u := device.Update{Step: t.steps + 1, Rate: t.opt.Rate(t.steps + 1), Beta1: t.opt.Beta1, Beta2: t.opt.Beta2, Eps: t.opt.Eps, Decay: t.opt.Decay,
		Muon: t.opt.Muon, Scale: 1 / t.batches, Average: min(t.opt.Average, float64(2+t.steps)/float64(11+t.steps))}
	t.batches = 0
	norm, err := t.learner.Norm()
	if err != nil {
		return err
	}
	if norm *= u.Scale; math.IsNaN(norm) || math.IsInf(norm, 0) {
		return errors.Join(fmt.Errorf("runtime: step %d was left out: %w", u.Step, ErrNoNumber), t.learner.Forget())
	}
	if t.opt.Clip > 0 && norm > t.opt.Clip {
		u.Scale *= t.opt.Clip / norm
	}
	t.steps++
	return t.learner.Update(u)
}

// DeviceInfo describes what trains.
func (t *Trainer) DeviceInfo() DeviceInfo { return DeviceInfo(t.device.Info()) }

// Steps is how many there were.
func (t *Trainer) Steps() int { return t.steps }

// Device says what the network is trained on.
func (t *Trainer) Device() string {
	i := t.device.Info()
	return i.Name + ": " + i.Detail
}

// Close frees the device.
func (t *Trainer) Close() error {
	err := t.learner.Close()
	if e := t.device.Close(); err == nil {
		err = e
	}
	return err
}
