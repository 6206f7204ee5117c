//go:build !js

package cpu

import (
	"context"
	"math"
	"sync"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// learner is a network in training: its tensors, and for every shape the
// kernel calls of both ways. All shapes share one arena.
type learner struct {
	*cpu
	*store
	shapes   []*backward
	arena    kernels.Memory
	args     []kernels.Memory // of the shapes
	update   kernels.Memory   // arguments of the step, then sums of squares
	matrices kernels.Memory   // arguments of Muon's step
	stale    bool             // the packed weights are not those of the store
	once     sync.Once
}

// updateArgs is the bytes of update before the sums.
const updateBytes = 256

// Learn implements device.Teacher.
func (d *cpu) Learn(ctx context.Context, shapes []*plan.Gradient, src weights.Source) (device.Learner, error) {
	if err := device.SameParams(shapes); err != nil {
		return nil, err
	}
	l := &learner{cpu: d, stale: true}
	if err := l.build(ctx, shapes, src); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *learner) build(ctx context.Context, shapes []*plan.Gradient, src weights.Source) (err error) {
	n := l.team.threads(l.asked)
	turned := map[plan.Param]bool{}
	var most int64
	for _, g := range shapes {
		g = g.Join(apart)
		if l.store == nil {
			l.store = newStore(&g.Plan, l.policy.tiled)
		}
		b := lowerGradient(g, l.store.packed, l.policy, n, turned)
		l.shapes = append(l.shapes, b)
		most = max(most, 4*int64(b.arena+b.work))
	}
	if l.arena, err = l.set.Alloc(most); err != nil {
		return err
	}
	if l.update, err = l.set.Alloc(updateBytes + 4*int64(count(l.total, kernels.Stretch))); err != nil {
		return err
	}
	if err = l.store.alloc(l.set, turned); err != nil {
		return err
	}
	for _, b := range l.shapes {
		m, err := l.set.Alloc(b.lowered.args)
		if err != nil {
			return err
		}
		l.args = append(l.args, m)
		b.grad = func(w plan.Param) kernels.Memory { return l.store.tensor(device.Grad, w) }
		b.bind(l.arena, m, l.store.weight)
	}
	return l.store.load(ctx, src)
}

func (l *learner) Close() error {
	l.once.Do(func() {
		for _, m := range append(l.args, l.arena, l.update, l.matrices) {
			l.set.Free(m)
		}
		if l.store != nil {
			l.store.free(l.set)
		}
	})
	return nil
}

// run runs steps on the arena.
func (l *learner) run(ctx context.Context, steps []step) error {
	n, f := l.team.threads(l.asked), l.arena.Floats()
	for i := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &steps[i]
		if s.before != nil {
			s.before(f)
		}
		if s.items > 0 {
			l.team.run(n, s.kernel, s.args, s.items)
		}
		if s.after != nil {
			s.after(f)
		}
	}
	return nil
}

func (l *learner) Loss(ctx context.Context, shape int, in device.Input, t device.Target) (loss float64, err error) {
	b := l.shapes[shape]
	s := b.p.Shape(b.p.Output)
	if err := device.Check(b.p, in, l.arena.Floats()[:s.Len()]); err != nil {
		return 0, err
	}
	if err := t.Check(s); err != nil {
		return 0, err
	}
	if err := l.team.prepare(l.team.threads(l.asked), 4*int64(b.scratch)); err != nil {
		return 0, err
	}
	if l.stale {
		l.store.pack(l.team, l.team.threads(l.asked))
		l.stale = false
	}
	f := l.arena.Floats()
	b.fill(f, in)
	copy(f[b.planar:], in.X)
	if err := l.run(ctx, b.ends[:1]); err != nil {
		return 0, err
	}
	if err := l.run(ctx, b.steps[:b.forward]); err != nil {
		return 0, err
	}
	return b.loss(f, t), nil
}

func (l *learner) Batch(ctx context.Context, shape int, in device.Input, t device.Target) (float64, error) {
	loss, err := l.Loss(ctx, shape, in, t)
	if err != nil {
		return 0, err
	}
	b := l.shapes[shape]
	return loss, l.run(ctx, b.steps[b.forward:])
}

// step fills in the arguments of the kernels over the first floats of the
// parameters and returns their items.
func (l *learner) step(u device.Update, floats int) int {
	at := func(what device.Tensor) int64 { return l.store.all(what).Addr }
	kernels.Put(l.update, 0, &kernels.AdamW{
		W: at(device.Weight), Grad: at(device.Grad), M1: at(device.Moment1), M2: at(device.Moment2), Average: at(device.Average),
		Count: int64(floats), Squares: l.update.Addr + updateBytes,
		Beta1: u.Beta1, Beta2: u.Beta2, Over1: 1 / (1 - math.Pow(u.Beta1, float64(u.Step))), Over2: 1 / (1 - math.Pow(u.Beta2, float64(u.Step))),
		Scale: u.Scale, Rate: u.Rate, Eps: u.Eps, Decay: u.Decay, Follow: 1 - u.Average})
	return count(floats, kernels.Stretch)
}

func (l *learner) Norm() (float64, error) {
	n := l.step(device.Update{}, l.total)
	l.team.run(l.team.threads(l.asked), kernels.SquareSums, l.update.Addr, n)
	sum := 0.0
	for _, v := range l.update.Slice(updateBytes).Floats()[:n] {
		sum += float64(v)
	}
	return math.Sqrt(sum), nil
}

func (l *learner) Forget() error {
	clear(l.store.all(device.Grad).Floats()[:l.total])
	return nil
}

func (l *learner) Update(u device.Update) error {
	floats := l.total
	if u.Muon > 0 && len(l.store.matrices) > 0 {
		if err := l.muon(u); err != nil {
			return err
		}
		floats = l.plain
	}
	n := l.step(u, floats)
	l.team.run(l.team.threads(l.asked), kernels.RunAdamW, l.update.Addr, n)
	l.stale = true
	return nil
}

func (l *learner) Set(name string, what device.Tensor, src []float32) error {
	l.stale = l.stale || what == device.Weight
	return l.store.Set(name, what, src)
}
