package gpu

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/shaders"
	"github.com/i2sb-go/i2sb/weights"
)

// learner is a network in training. Everything is in floats, whatever the
// device's precision; gradients, moments and averages lie as the weights do, so
// that a step goes over whole chunks.
type learner struct {
	*network
	owned
	shapes []*course
	index  map[string]int
	extra  [device.Tensors][]driver.Buffer // beside the weights, chunk by chunk
	sums   driver.Buffer

	norm, forget, update *recording
	updates              []call
	matrices             []device.Matrix
	muon                 *muon // if it was asked for
}

// chunkPart is how much of a chunk one call of a step takes, and normParts into
// how many sums the gradient's length is cut there.
const (
	chunkPart = 32 << 20
	normParts = 1024
)

// Learn implements device.Teacher.
func (g *gpu) Learn(ctx context.Context, shapes []*plan.Gradient, src weights.Source) (device.Learner, error) {
	l := &learner{network: &network{gpu: g}, index: map[string]int{}, matrices: device.Matrices(&shapes[0].Plan)}
	var sizes []int64
	l.params, sizes = store(&shapes[0].Plan, false, bindingOf(g.limits), chunkOf(g.limits))
	if err := l.make(ctx, shapes, src, sizes); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *learner) make(ctx context.Context, shapes []*plan.Gradient, src weights.Source, sizes []int64) error {
	if err := l.load(ctx, &shapes[0].Plan, src, sizes); err != nil {
		return err
	}
	for i, name := range l.names {
		l.index[name] = i
	}
	for what := device.Grad; what < device.Tensors; what++ {
		for i, s := range sizes {
			b, err := l.dev.Buffer(fmt.Sprintf("training %d.%d", what, i), aligned(s), driver.Storage)
			if b, err = keep(&l.owned, b, err); err != nil {
				return err
			}
			l.extra[what] = append(l.extra[what], b)
		}
	}
	if err := l.steps(ctx, sizes); err != nil {
		return err
	}
	for _, g := range shapes {
		c, err := l.course(ctx, g)
		if err != nil {
			return err
		}
		l.shapes = append(l.shapes, c)
	}
	return nil
}

// steps records what is done with all parameters at once.
func (l *learner) steps(ctx context.Context, sizes []int64) (err error) {
	var norm, forget, average []call
	for i, size := range sizes {
		for at := int64(0); at < size; at += chunkPart {
			w := operand{weight, int64(i)*chunkOf(l.limits) + at, min(chunkPart, size-at)}
			vectors := int(w.size / 16)
			per := max(64, count(vectors, normParts))
			sums := operand{scratch, int64(4 * normParts * len(norm)), int64(4 * count(vectors, per))}
			norm = append(norm, call{file: "squares", consts: shaders.Constants{}, in: operands{"x": grad(w), "y": sums},
				params: params{"COUNT": vectors, "PER": per}, x: count(vectors, per), y: 1, z: 1})
			forget = append(forget, call{file: "clear", consts: shaders.Constants{}, in: operands{"y": grad(w)},
				params: params{"COUNT": vectors, "STRIDE": vectors}, x: count(vectors, 64), y: 1, z: 1})
			average = append(average, call{file: "copy", copyOf: w, copied: learnt(w, device.Average)})
			l.updates = append(l.updates, adamw(w, device.Update{Step: 1}))
		}
	}
	b, err := l.dev.Buffer("sums", int64(4*normParts*len(norm)), driver.Storage)
	if l.sums, err = keep(&l.owned, b, err); err != nil {
		return err
	}
	var start *recording
	for _, r := range []struct {
		to    **recording
		label string
		calls []call
	}{{&l.norm, "length", norm}, {&l.forget, "forget", forget}, {&l.update, "AdamW", l.updates}, {&start, "average", average}} {
		made, err := l.record(ctx, r.label, r.calls, l.place)
		if err != nil {
			return err
		}
		l.owned = append(l.owned, &made.owned)
		*r.to = made
	}
	return l.run(ctx, start)
}

// adamw moves a piece of the weights.
func adamw(w operand, u device.Update) call {
	vectors := int(w.size / 16)
	return call{file: "adamw", consts: shaders.Constants{}, x: count(vectors, 64), y: 1, z: 1, params: step(vectors, u),
		in: operands{"w": w, "grad": grad(w), "m1": learnt(w, device.Moment1), "m2": learnt(w, device.Moment2), "average": learnt(w, device.Average)}}
}

// step is the uniforms of AdamW over some vectors; see adamw.wgsl.
func step(vectors int, u device.Update) params {
	fix1, fix2 := 1-math.Pow(u.Beta1, float64(u.Step)), 1-math.Pow(u.Beta2, float64(u.Step))
	return params{"COUNT": vectors, "SCALE": float32(u.Scale), "BETA1": float32(u.Beta1), "REST1": float32(1 - u.Beta1), "BETA2": float32(u.Beta2), "REST2": float32(1 - u.Beta2),
		"KEEP": float32(1 - u.Rate*u.Decay), "RATE": float32(u.Rate / fix1), "FIX2": float32(1 / fix2), "EPS": float32(u.Eps), "FOLLOW": float32(1 - u.Average)}
}

// place finds what lies in chunks, and the sums.
func (l *learner) place(o operand) driver.Range {
	if o.space == scratch {
		return driver.Range{Buffer: l.sums, Offset: o.at, Size: o.size}
	}
	what := o.space - weight
	o.space = weight
	r := l.network.place(o)
	if what > 0 {
		r.Buffer = l.extra[what][o.at/chunkOf(l.limits)]
	}
	return r
}

// run submits and waits.
func (l *learner) run(ctx context.Context, r *recording) error {
	if err := l.submit(ctx, r); err != nil {
		return err
	}
	return l.wait(ctx)
}

func (l *learner) Loss(ctx context.Context, shape int, in device.Input, t device.Target) (float64, error) {
	return l.shapes[shape].evaluate(ctx, in, t)
}

func (l *learner) Batch(ctx context.Context, shape int, in device.Input, t device.Target) (float64, error) {
	c := l.shapes[shape]
	loss, err := c.evaluate(ctx, in, t)
	if err != nil {
		return 0, err
	}
	return loss, l.run(ctx, c.back)
}

func (l *learner) Norm() (float64, error) {
	ctx := context.Background()
	if err := l.submit(ctx, l.norm); err != nil {
		return 0, err
	}
	sum, err := l.total(ctx, driver.Range{Buffer: l.sums, Size: l.sums.Size()})
	return math.Sqrt(sum), err
}

func (l *learner) Forget() error { return l.run(context.Background(), l.forget) }

func (l *learner) Update(u device.Update) error {
	if u.Muon > 0 && len(l.matrices) > 0 {
		return l.moveByMuon(u)
	}
	for i := range l.updates {
		l.updates[i].params = step(l.updates[i].params["COUNT"].(int), u)
	}
	if err := l.uniforms(l.update, l.updates); err != nil {
		return err
	}
	return l.run(context.Background(), l.update)
}

func (l *learner) Get(name string, what device.Tensor, dst []float32) error {
	return l.each(name, what, len(dst), func(r driver.Range, w piece, s stored) error {
		v := make([]float32, r.Size/4)
		if err := l.dev.Read(context.Background(), r.Buffer, r.Offset, bytesOf(v), patience); err != nil {
			return err
		}
		s.elements(w, len(dst), func(plain, packed int) { dst[plain] = v[packed] })
		return nil
	})
}

func (l *learner) Set(name string, what device.Tensor, src []float32) error {
	return l.each(name, what, len(src), func(r driver.Range, w piece, s stored) error {
		v := make([]float32, r.Size/4)
		s.elements(w, len(src), func(plain, packed int) { v[packed] = src[plain] })
		return l.dev.Write(r.Buffer, r.Offset, bytesOf(v))
	})
}

// each calls f with the pieces of a parameter's tensor.
func (l *learner) each(name string, what device.Tensor, n int, f func(driver.Range, piece, stored) error) error {
	i, ok := l.index[name]
	if !ok || what < 0 || what >= device.Tensors {
		return fmt.Errorf("gpu: the network has no parameter %q", name)
	}
	s := l.params[i]
	if info := l.shapes[0].p.Params[i]; info.Len() != n {
		return fmt.Errorf("gpu: %s has %v elements, not %d", name, info.Shape, n)
	}
	for _, w := range s.pieces {
		if err := f(l.place(learnt(w.operand, what)), w, s); err != nil {
			return err
		}
	}
	return nil
}

// elements calls f with the index of each element of a piece in the whole plain
// tensor of n, and in the piece.
func (s stored) elements(w piece, n int, f func(plain, packed int)) {
	if s.taps == 0 {
		for i := range n {
			f(i, i)
		}
		return
	}
	for o := 4 * w.o0; o < min(s.out, 4*(w.o0+w.blocks)); o++ {
		for c := range s.in {
			for tap := range s.taps {
				f((o*s.in+c)*s.taps+tap, 4*((tap*s.rows()+c)*w.blocks-w.o0)+o)
			}
		}
	}
}

func (l *learner) Close() error {
	for _, c := range slices.Backward(l.shapes) {
		c.Close()
	}
	l.owned.release()
	return l.network.Close()
}
