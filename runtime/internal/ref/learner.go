package ref

import (
	"context"
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Learn implements device.Teacher.
func (d ref) Learn(ctx context.Context, shapes []*plan.Gradient, src weights.Source) (device.Learner, error) {
	if err := device.SameParams(shapes); err != nil {
		return nil, err
	}
	first := shapes[0]
	n, err := d.Load(ctx, &first.Plan, src)
	if err != nil {
		return nil, err
	}
	l := &learner{params: first.Params, shapes: shapes, index: map[string]int{}}
	var grads [][]float32
	for i, info := range first.Params {
		l.index[info.Name] = i
		w := n.(*network).w[info.Name]
		t := [device.Tensors][]float32{device.Weight: w, device.Average: append([]float32(nil), w...)}
		for what := range t {
			if t[what] == nil {
				t[what] = make([]float32, len(w))
			}
		}
		l.tensors = append(l.tensors, t)
		grads = append(grads, t[device.Grad])
	}
	for _, g := range shapes {
		p, err := n.Compile(&g.Plan)
		if err != nil {
			return nil, err
		}
		r := p.(*Program)
		r.grads = grads
		l.programs = append(l.programs, r)
	}
	return l, nil
}

// learner is a network's tensors, and a Program for every shape.
type learner struct {
	params   []plan.ParamInfo
	shapes   []*plan.Gradient
	programs []*Program
	index    map[string]int
	tensors  [][device.Tensors][]float32
}

func (l *learner) Close() error { return nil }

func (l *learner) Loss(ctx context.Context, shape int, in device.Input, t device.Target) (loss float64, err error) {
	g, r := l.shapes[shape], l.programs[shape]
	s, y := g.Shape(g.Output), r.value(g.Output)
	if err := device.Check(&g.Plan, in, y); err != nil {
		return 0, err
	}
	if err := t.Check(s); err != nil {
		return 0, err
	}
	device.Fill(&g.Plan, in, r.value)
	if err := r.all(ctx, g.Ops[:g.Forward]); err != nil {
		return 0, err
	}
	return lossOf(t, s, y, r.value(g.Seed)), nil
}

func (l *learner) Batch(ctx context.Context, shape int, in device.Input, t device.Target) (float64, error) {
	loss, err := l.Loss(ctx, shape, in, t)
	if err != nil {
		return 0, err
	}
	g := l.shapes[shape]
	return loss, l.programs[shape].all(ctx, g.Ops[g.Forward:])
}

func (r *Program) all(ctx context.Context, ops []plan.Op) error {
	for _, op := range ops {
		if err := ctx.Err(); err != nil {
			return err
		}
		r.run(op)
	}
	return nil
}

// lossOf is the loss and its gradient by y.
func lossOf(t device.Target, s plan.Shape, y, seed []float32) (loss float64) {
	each, area := s.Len()/s.N, s.H*s.W
	for i := range y {
		n, m := i/each, 1.0
		if t.Mask != nil {
			m = float64(t.Mask[n*area+i%area])
		}
		d := m * (float64(y[i]) - float64(t.Label[i]))
		part, slope := t.Of(d)
		loss += t.Weight[n] * part
		seed[i] = float32(t.Weight[n] * m * slope)
	}
	return loss
}

func (l *learner) Norm() (float64, error) {
	sum := 0.0
	for _, t := range l.tensors {
		for _, v := range t[device.Grad] {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum), nil
}

func (l *learner) Forget() error {
	for _, t := range l.tensors {
		clear(t[device.Grad])
	}
	return nil
}

// Update is Muon where that is asked for and there are matrices, AdamW elsewhere:
// decay by itself, then the step along the corrected moments.
func (l *learner) Update(u device.Update) error {
	moved := map[plan.Param]bool{}
	if u.Muon > 0 {
		for _, m := range device.Matrices(&l.shapes[0].Plan) {
			l.muon(m, u)
			moved[m.W] = true
		}
	}
	fix1, fix2 := 1-math.Pow(u.Beta1, float64(u.Step)), 1-math.Pow(u.Beta2, float64(u.Step))
	for p, t := range l.tensors {
		if moved[plan.Param(p)] {
			clear(t[device.Grad])
			continue
		}
		w, grad, m1, m2, average := t[device.Weight], t[device.Grad], t[device.Moment1], t[device.Moment2], t[device.Average]
		for i := range w {
			g := float64(grad[i]) * u.Scale
			a := u.Beta1*float64(m1[i]) + (1-u.Beta1)*g
			b := u.Beta2*float64(m2[i]) + (1-u.Beta2)*g*g
			m1[i], m2[i] = float32(a), float32(b)
			v := float64(w[i]) * (1 - u.Rate*u.Decay)
			v -= u.Rate * (a / fix1) / (math.Sqrt(b/fix2) + u.Eps)
			w[i] = float32(v)
			average[i] += float32((1 - u.Average) * (float64(w[i]) - float64(average[i])))
		}
		clear(grad)
	}
	return nil
}

func (l *learner) Get(name string, what device.Tensor, dst []float32) error {
	t, err := l.tensor(name, what, len(dst))
	copy(dst, t)
	return err
}

func (l *learner) Set(name string, what device.Tensor, src []float32) error {
	t, err := l.tensor(name, what, len(src))
	copy(t, src)
	return err
}

func (l *learner) tensor(name string, what device.Tensor, n int) ([]float32, error) {
	i, ok := l.index[name]
	if !ok || what < 0 || what >= device.Tensors {
		return nil, fmt.Errorf("ref: the network has no parameter %q", name)
	}
	if t := l.tensors[i][what]; len(t) == n {
		return t, nil
	}
	return nil, fmt.Errorf("ref: %s has %v elements, not %d", name, l.params[i].Shape, n)
}
