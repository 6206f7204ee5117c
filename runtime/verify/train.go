package verify

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// lessons is a training fixture: some steps from known weights, with the pairs,
// indices and noise of each.
type lessons struct {
	*job
	header weights.Header
	opt    runtime.TrainOptions
	pairs  int // of a step
	mask   *tensor
	steps  int
	got    map[string]*tensor // ours, by the fixture's names
	noisy  map[string][]bool  // elements whose gradient is rounding noise
	most   float64            // greatest gradient of the network, of the reference
}

// isTraining recognises the fixtures of the trainer.
func isTraining(f *fixture) bool {
	return f.any("losses") || f.anyPrefix("grad0.") || f.anyPrefix("it0.")
}

// training judges every pair it makes (itK.xt, itK.label), losses, the first
// step's gradients (grad0.*), and after the last step the weights (paramsN.*)
// and their moving average (ema.*), which the file holds in brief.
func training(ctx context.Context, j *job) ([]Row, error) {
	l := &lessons{job: j, got: map[string]*tensor{}, noisy: map[string][]bool{}}
	for j.has(fmt.Sprintf("it%d.x0", l.steps)) {
		l.steps++
	}
	last := fmt.Sprintf("params%d.", l.steps)
	if err := j.only(func(n string) bool {
		kind, _, _ := strings.Cut(n, ".")
		it, ok := strings.CutPrefix(kind, "it")
		k, err := strconv.Atoi(it)
		return ok && err == nil && k < l.steps || n == "losses" || n == "mask" || strings.HasPrefix(n, last) ||
			kind == "grad0" || kind == "ema" || kind == "params" || kind == "params0"
	}); err != nil {
		return nil, err
	}
	if l.steps == 0 {
		return nil, errors.New("the tensor it0.x0 is missing")
	}
	src, err := j.weights()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	if err := l.readMeta(src); err != nil {
		return nil, err
	}
	if err := l.run(ctx, src); err != nil {
		return nil, err
	}
	return l.rows(last)
}

func (l *lessons) readMeta(src weights.Source) error {
	var err error
	if l.header.Network, err = l.network(src); err != nil {
		return err
	}
	b := &l.header.Bridge
	b.T0, b.T = 1e-4, 1
	if b.Interval, err = l.integer("interval", "1000"); err != nil {
		return err
	}
	if b.BetaMax, err = l.number("beta_max"); err != nil {
		return err
	}
	if b.OTODE, err = l.flag("ot_ode", "false"); err != nil {
		return err
	}
	if b.CondX1, err = l.flag("cond_x1", "false"); err != nil {
		return err
	}
	masked, err := l.flag("masked", "false")
	if err != nil {
		return err
	}
	if masked || l.has("mask") {
		if l.mask, err = l.read("mask"); err != nil {
			return err
		}
	}
	x, err := l.read("it0.x0")
	if err != nil {
		return err
	}
	if len(x.shape) != 4 {
		return fmt.Errorf("it0.x0 is %v, it should be [B, C, H, W]", x.shape)
	}
	l.pairs = x.shape[0]
	l.opt.Shapes = []runtime.TrainShape{{Batch: l.pairs, Height: x.shape[2], Width: x.shape[3]}}
	average, err := l.text("ema_decay", "0.99")
	if err != nil {
		return err
	}
	average, _, _ = strings.Cut(average, " ")
	if l.opt.Average, err = strconv.ParseFloat(average, 64); err != nil {
		return fmt.Errorf("the metadata says ema_decay %q, which is no number", average)
	}
	return l.optimizer()
}

// optimizer reads "AdamW lr=… betas=…,… eps=… weight_decay=…".
func (l *lessons) optimizer() error {
	s, err := l.text("optimizer")
	if err != nil {
		return err
	}
	bad := fmt.Errorf("the metadata says optimizer %q; verify knows AdamW lr=… betas=…,… eps=… weight_decay=…", s)
	words := strings.Fields(s)
	if len(words) == 0 || words[0] != "AdamW" {
		return bad
	}
	for _, w := range words[1:] {
		key, text, _ := strings.Cut(w, "=")
		var v []float64
		for _, f := range strings.Split(text, ",") {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return bad
			}
			v = append(v, x)
		}
		switch {
		case key == "lr" && len(v) == 1:
			l.opt.Rate = func(int) float64 { return v[0] }
		case key == "betas" && len(v) == 2:
			l.opt.Beta1, l.opt.Beta2 = v[0], v[1]
		case key == "eps" && len(v) == 1:
			l.opt.Eps = v[0]
		case key == "weight_decay" && len(v) == 1:
			l.opt.Decay = v[0]
		default:
			return bad
		}
	}
	if l.opt.Rate == nil {
		return bad
	}
	return nil
}

// run makes the steps.
func (l *lessons) run(ctx context.Context, src weights.Source) error {
	t, err := runtime.NewTrainer(ctx, l.header, src, l.opt, runtime.WithDevice(l.job.opt.Device), runtime.WithThreads(l.job.opt.Threads))
	if err != nil {
		return err
	}
	defer t.Close()
	losses := &tensor{shape: []int{l.steps}}
	for k := range l.steps {
		batch, err := l.batch(k)
		if err != nil {
			return err
		}
		loss, err := t.Add(ctx, batch)
		if err != nil {
			return err
		}
		losses.v = append(losses.v, float32(loss))
		if k == 0 {
			if err := l.take("grad0.", t.Source(runtime.Gradients)); err != nil {
				return err
			}
		}
		if err := t.Step(); err != nil {
			return err
		}
	}
	l.got["losses"] = losses
	if err := l.take(fmt.Sprintf("params%d.", l.steps), t.Source(runtime.Weights)); err != nil {
		return err
	}
	return l.take("ema.", t.Source(runtime.Averages))
}

func (l *lessons) take(prefix string, src weights.Source) error {
	for _, info := range src.Tensors() {
		v := &tensor{shape: info.Shape, v: make([]float32, info.Len())}
		if err := src.ReadF32(info.Name, v.v); err != nil {
			return err
		}
		l.got[prefix+info.Name] = v
	}
	return nil
}

// batch reads the pairs of step k and keeps what we make of them.
func (l *lessons) batch(k int) ([]runtime.Example, error) {
	at := func(name string) string { return fmt.Sprintf("it%d.%s", k, name) }
	in := map[string]*tensor{}
	for _, name := range []string{"x0", "x1", "noise", "step"} {
		if name == "noise" && l.header.Bridge.OTODE && !l.has(at(name)) {
			continue
		}
		t, err := l.read(at(name))
		if err != nil {
			return nil, err
		}
		if name != "step" && len(in) > 0 && !slices.Equal(t.shape, in["x0"].shape) || name == "step" && len(t.v) != l.pairs {
			return nil, fmt.Errorf("%s is %v", at(name), t.shape)
		}
		in[name] = t
	}
	s, err := bridge.NewSchedule(bridge.Config(l.header.Bridge))
	if err != nil {
		return nil, err
	}
	shape := in["x0"].shape
	xt, label := &tensor{shape: shape}, &tensor{shape: shape}
	var batch []runtime.Example
	for b := range l.pairs {
		image := func(t *tensor) *bridge.Image {
			return &bridge.Image{C: shape[1], H: shape[2], W: shape[3], Pix: t.slice(b)}
		}
		e := runtime.Example{X0: image(in["x0"]), X1: image(in["x1"]), Index: int(in["step"].v[b])}
		if n := in["noise"]; n != nil {
			e.Noise = drawn{image(n)}
		}
		if l.mask != nil {
			if len(l.mask.v)%(shape[2]*shape[3]) != 0 {
				return nil, fmt.Errorf("mask is %v, the pictures are %v", l.mask.shape, shape)
			}
			area := shape[2] * shape[3]
			for _, v := range l.mask.v[b*area%len(l.mask.v):][:area] {
				e.Mask = append(e.Mask, uint8(v*255+0.5))
			}
		}
		p, err := s.Sample(e.X0, e.X1, e.Index, e.Noise, 0)
		if err != nil {
			return nil, err
		}
		if e.Mask != nil {
			bridge.Masked(e.Mask, p.Label)
		}
		xt.v, label.v = append(xt.v, p.X.Pix...), append(label.v, p.Label.Pix...)
		batch = append(batch, e)
	}
	l.got[at("xt")], l.got[at("label")] = xt, label
	return batch, nil
}

// drawn is one recorded draw.
type drawn struct{ eps *bridge.Image }

func (d drawn) Fill(dst []float32, _ bridge.Draw, _, channel, y, x int) {
	copy(dst, d.eps.Plane(channel)[y*d.eps.W+x:])
}

// rows judges in the order of the file.
func (l *lessons) rows(last string) ([]Row, error) {
	if err := l.findNoise(); err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range l.names() {
		got := l.got[name]
		kind, param, _ := strings.Cut(name, ".")
		if got == nil {
			if kind == "grad0" || kind == "ema" || strings.HasPrefix(name, last) {
				return nil, fmt.Errorf("%s is of no parameter of this network", name)
			}
			continue // an input
		}
		want, err := l.read(name)
		if err != nil {
			return nil, err
		}
		switch {
		case kind == "grad0":
			own := 0.0
			for _, v := range want.v {
				own = max(own, math.Abs(float64(v)))
			}
			if err := sameShape(name, want, got); err != nil {
				return nil, err
			}
			rows = append(rows, compare(name, want.v, got.v, 1e-3*own+1e-6*l.most))
		case kind == "ema" || strings.HasPrefix(name, last):
			ours, tolerance := l.brief(got.v, l.noisy[param])
			if len(want.v) != len(ours) {
				return nil, fmt.Errorf("%s is %v, it should have %d elements", name, want.shape, len(ours))
			}
			rows = append(rows, within(name, want.v, ours, func(i int) float64 { return tolerance[i] + 1e-4*math.Abs(float64(want.v[i])) }))
		default:
			if !slices.Equal(want.shape, got.shape) {
				return nil, fmt.Errorf("%s is %v, it should be %v", name, want.shape, got.shape)
			}
			rows = append(rows, compare(name, want.v, got.v, scaled(1e-4, want.v)))
		}
	}
	return rows, nil
}

// findNoise finds the elements whose gradient is nothing but rounding: AdamW
// makes steps of the whole rate of it, in any direction.
func (l *lessons) findNoise() error {
	grads := map[string]*tensor{}
	for _, name := range l.names() {
		if param, ok := strings.CutPrefix(name, "grad0."); ok {
			g, err := l.read(name)
			if err != nil {
				return err
			}
			grads[param] = g
			for _, v := range g.v {
				l.most = max(l.most, math.Abs(float64(v)))
			}
		}
	}
	for param, g := range grads {
		for _, v := range g.v {
			l.noisy[param] = append(l.noisy[param], math.Abs(float64(v)) < 1e-6*l.most)
		}
	}
	return nil
}

// brief is a tensor as the fixture holds it: its sum, length, greatest element
// and first thirteen, and how far each may be off beside its 1e-4th part.
func (l *lessons) brief(v []float32, noisy []bool) (b, tolerance []float64) {
	var sum, squares, most, loose float64
	for i, x := range v {
		sum += float64(x)
		squares += float64(x) * float64(x)
		most = max(most, math.Abs(float64(x)))
		if i < len(noisy) && noisy[i] {
			loose++
		}
	}
	step := 2 * float64(l.steps) * l.opt.Rate(1) // of an element that walks at random
	n := float64(len(v))
	b = []float64{sum, math.Sqrt(squares), most}
	tolerance = []float64{1e-5*math.Sqrt(n) + step*loose, 1e-5 + step*math.Sqrt(loose), 1e-5 + step*min(1, loose)}
	for i := range min(13, len(v)) {
		b = append(b, float64(v[i]))
		t := 1e-5
		if i < len(noisy) && noisy[i] {
			t = step
		}
		tolerance = append(tolerance, t)
	}
	return b, tolerance
}
