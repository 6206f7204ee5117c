package runtime_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/weights"
)

func trainer(t *testing.T, o runtime.TrainOptions, change func(*weights.Header)) *runtime.Trainer {
	t.Helper()
	h := header(change)
	if o.Shapes == nil {
		o.Shapes = []runtime.TrainShape{{Height: 4, Width: 6}}
	}
	tr, err := runtime.NewTrainer(ctx, h, optest.RandomNetwork(h.Network), o, runtime.WithDevice("cpu"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// example is a pair for step k: x1 is a blurred x0.
func example(k int) runtime.Example {
	x0 := noise(3, 4, 6)
	x1 := x0.Clone()
	for i := 1; i < len(x1.Pix); i++ {
		x1.Pix[i] = (x0.Pix[i] + x0.Pix[i-1]) / 2
	}
	return runtime.Example{X0: x0, X1: x1, Index: (k*337 + 100) % 1000, Noise: bridge.NewNoise(3), Draw: k}
}

// pairs is a shape of two examples.
var pairs = []runtime.TrainShape{{Batch: 2, Height: 4, Width: 6}}

func add(t *testing.T, tr *runtime.Trainer, batch ...runtime.Example) float64 {
	t.Helper()
	loss, err := tr.Add(ctx, batch)
	if err != nil {
		t.Fatal(err)
	}
	return loss
}

func step(t *testing.T, tr *runtime.Trainer) {
	t.Helper()
	if err := tr.Step(); err != nil {
		t.Fatal(err)
	}
}

// all copies a set of tensors.
func all(t *testing.T, src weights.Source) (v []float32) {
	t.Helper()
	for _, info := range src.Tensors() {
		w := make([]float32, info.Len())
		if err := src.ReadF32(info.Name, w); err != nil {
			t.Fatal(err)
		}
		v = append(v, w...)
	}
	return v
}

func copied(t *testing.T, src weights.Source) weights.Source {
	t.Helper()
	var data [][]float32
	for _, info := range src.Tensors() {
		w := make([]float32, info.Len())
		if err := src.ReadF32(info.Name, w); err != nil {
			t.Fatal(err)
		}
		data = append(data, w)
	}
	m, err := weights.NewMemory(src.Tensors(), data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTrainingLearns(t *testing.T) {
	tr := trainer(t, runtime.TrainOptions{Rate: runtime.CosineRate(4e-3, 1e-4, 30, 3)}, nil)
	var first, last float64
	for k := range 30 {
		last = add(t, tr, example(0))
		if k == 0 {
			first = last
		}
		step(t, tr)
	}
	if !(last < first/2) {
		t.Errorf("the loss went from %g to %g", first, last)
	}
	if v, err := tr.Loss(ctx, []runtime.Example{example(0)}); err != nil || !(v < first/2) {
		t.Errorf("loss alone: %g, %v", v, err)
	}
}

// Four steps at once are two, saved, and two more in another trainer.
func TestResumeIsExact(t *testing.T) {
	o := runtime.TrainOptions{Rate: runtime.StepRate(1e-3, 0.5, 1), Decay: 0.1}
	whole, half := trainer(t, o, nil), trainer(t, o, nil)
	for k := range 4 {
		add(t, whole, example(k))
		step(t, whole)
		add(t, half, example(k))
		step(t, half)
		if k == 1 {
			rest := trainer(t, o, nil)
			if err := rest.Resume(half.Steps(), copied(t, half.Source(runtime.Weights)), copied(t, half.Source(runtime.Moments1)),
				copied(t, half.Source(runtime.Moments2)), copied(t, half.Source(runtime.Averages))); err != nil {
				t.Fatal(err)
			}
			half = rest
		}
	}
	for _, p := range []runtime.Part{runtime.Weights, runtime.Moments1, runtime.Moments2, runtime.Averages} {
		if !slices.Equal(all(t, whole.Source(p)), all(t, half.Source(p))) {
			t.Errorf("part %d differs after resuming", p)
		}
	}
}

// A batch of two is two batches of one, and making activations again changes
// nothing but the memory.
func TestAccumulationIsTheMean(t *testing.T) {
	one := trainer(t, runtime.TrainOptions{}, nil)
	two := trainer(t, runtime.TrainOptions{Shapes: pairs}, nil)
	a := add(t, one, example(0))
	b := add(t, one, example(1))
	if c := add(t, two, example(0), example(1)); math.Abs(c-(a+b)/2) > 1e-6*c {
		t.Errorf("losses %g and %g, together %g", a, b, c)
	}
	g, h := all(t, one.Source(runtime.Gradients)), all(t, two.Source(runtime.Gradients))
	for i := range g {
		g[i] /= 2
	}
	if e := optest.NMSE(g, h); e > 1e-9 {
		t.Errorf("gradients differ: %g", e)
	}
	both := trainer(t, runtime.TrainOptions{Shapes: append([]runtime.TrainShape{{Height: 4, Width: 6}}, pairs...)}, nil)
	add(t, both, example(0))
	if c := add(t, both, example(1), example(0)); math.Abs(c-(a+b)/2) > 1e-6*c || both.Batches() != 3 {
		t.Errorf("losses %g and %g, in a second shape %g; %g batches", a, b, c, both.Batches())
	}
	add(t, one, example(0)) // now one has 0, 1, 0
	if e := optest.NMSE(all(t, both.Source(runtime.Gradients)), all(t, one.Source(runtime.Gradients))); e > 1e-9 {
		t.Errorf("gradients of two shapes differ: %g", e)
	}
	small := trainer(t, runtime.TrainOptions{Shapes: pairs, Memory: 300 << 10}, nil)
	add(t, small, example(0), example(1))
	if e := optest.NMSE(all(t, small.Source(runtime.Gradients)), h); e > 1e-9 {
		t.Errorf("a limit of memory changes the gradients: %g", e)
	}
	if _, err := runtime.NewTrainer(ctx, header(nil), optest.RandomNetwork(header(nil).Network), runtime.TrainOptions{Shapes: pairs, Memory: 1 << 10}); err == nil {
		t.Error("a kilobyte is enough")
	}
}

// Two trainers that exchange gradients step as one that sees all examples.
func TestGradientsCanBeExchanged(t *testing.T) {
	whole := trainer(t, runtime.TrainOptions{}, nil)
	parts := []*runtime.Trainer{trainer(t, runtime.TrainOptions{}, nil), trainer(t, runtime.TrainOptions{}, nil)}
	for k, p := range []*runtime.Trainer{parts[0], parts[1], parts[1]} {
		add(t, p, example(k))
		add(t, whole, example(k))
	}
	var sum [][]float32
	for i, p := range parts {
		src := p.Source(runtime.Gradients)
		for k, info := range src.Tensors() {
			v := make([]float32, info.Len())
			if err := src.ReadF32(info.Name, v); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				sum = append(sum, v)
				continue
			}
			for j := range v {
				sum[k][j] += v[j]
			}
		}
	}
	src, err := weights.NewMemory(whole.Source(runtime.Gradients).Tensors(), sum)
	if err != nil {
		t.Fatal(err)
	}
	batches := parts[0].Batches() + parts[1].Batches()
	step(t, whole)
	for _, p := range parts {
		if err := p.SetGradients(src, batches); err != nil {
			t.Fatal(err)
		}
		step(t, p)
		if e := optest.NMSE(all(t, p.Source(runtime.Moments1)), all(t, whole.Source(runtime.Moments1))); e > 1e-9 {
			t.Errorf("the step differs from that of one trainer: %g", e)
		}
	}
	if err := parts[0].SetGradients(src, 0); err == nil {
		t.Error("gradients of no batches")
	}
}

// Masked losses: the reference's mean over all elements, and that over the hole.
func TestMaskedLoss(t *testing.T) {
	e := example(0)
	whole := trainer(t, runtime.TrainOptions{}, nil)
	full := add(t, whole, e)
	e.Mask = make([]uint8, 24)
	parts := 0.0
	official, area := trainer(t, runtime.TrainOptions{}, nil), trainer(t, runtime.TrainOptions{AreaLoss: true}, nil)
	for half := range 2 {
		for i := range e.Mask {
			e.Mask[i] = 255 * uint8((i/6/2+half)%2) // two rows of four
		}
		v := add(t, official, e)
		parts += v
		if w := add(t, area, e); math.Abs(w-2*v) > 1e-6*w {
			t.Errorf("the loss of half a picture is %g, by its area %g", v, w)
		}
	}
	if math.Abs(parts-full) > 1e-6*full {
		t.Errorf("the halves make %g, the whole %g", parts, full)
	}
	light := example(0)
	light.Weight = 0.25
	if v := add(t, whole, light); math.Abs(v-full/4) > 1e-6*full {
		t.Errorf("a quarter of the weight makes a loss of %g, the whole %g", v, full)
	}
}

func TestClippingAndNoNumbers(t *testing.T) {
	free, tight := trainer(t, runtime.TrainOptions{Eps: 1}, nil), trainer(t, runtime.TrainOptions{Eps: 1, Clip: 1e-3}, nil)
	before := all(t, free.Source(runtime.Weights))
	moved := func(tr *runtime.Trainer) (sum float64) {
		add(t, tr, example(0))
		step(t, tr)
		for _, v := range all(t, tr.Source(runtime.Moments1)) {
			sum += float64(v) * float64(v)
		}
		return math.Sqrt(sum)
	}
	// After one step the first moment is a tenth of the gradient.
	if a, b := moved(free), moved(tight); math.Abs(b-1e-4) > 1e-8 || a < 10*b {
		t.Errorf("moments of %g without clipping, %g with", a, b)
	}
	tr := trainer(t, runtime.TrainOptions{}, nil)
	bad := example(0)
	bad.X0 = bad.X0.Clone()
	bad.X0.Pix[3] = float32(math.NaN())
	add(t, tr, bad)
	if err := tr.Step(); err == nil {
		t.Error("a step along NaN")
	}
	if !slices.Equal(all(t, tr.Source(runtime.Weights)), before) || tr.Steps() != 0 {
		t.Error("NaN reached the weights")
	}
	add(t, tr, example(0))
	step(t, tr)
	if slices.ContainsFunc(all(t, tr.Source(runtime.Weights)), func(v float32) bool { return v != v }) {
		t.Error("NaN came with the next step")
	}
}

func TestTrainerRefuses(t *testing.T) {
	tr := trainer(t, runtime.TrainOptions{}, nil)
	if err := tr.Step(); err == nil {
		t.Error("a step without gradients")
	}
	wrong := example(0)
	wrong.X1 = noise(3, 6, 4)
	noMask := example(0)
	noMask.Mask = make([]uint8, 5)
	silent := example(0)
	silent.Noise = nil
	far := example(0)
	far.Index = 1001
	for name, batch := range map[string][]runtime.Example{"none": nil, "two": {example(0), example(1)}, "size": {wrong}, "mask": {noMask}, "no noise": {silent}, "index": {far}} {
		if _, err := tr.Add(ctx, batch); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := tr.Add(stopped, []runtime.Example{example(0)}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := tr.Step(); err == nil {
		t.Error("a step along part of a gradient")
	}
	if _, err := tr.Add(ctx, []runtime.Example{wrong, wrong}); err == nil || !strings.Contains(err.Error(), "1 of 6×4") {
		t.Errorf("the error does not name the shapes there are: %v", err)
	}
	h := header(nil)
	if _, err := runtime.NewTrainer(ctx, h, optest.RandomNetwork(h.Network), runtime.TrainOptions{}, runtime.WithDevice("ref")); err == nil {
		t.Error("no shape")
	}
	for _, e := range []float64{-1, math.NaN(), math.Inf(1)} {
		o := runtime.TrainOptions{Shapes: []runtime.TrainShape{{Batch: 1, Height: 4, Width: 6}}, Charbonnier: e}
		if _, err := runtime.NewTrainer(ctx, h, optest.RandomNetwork(h.Network), o, runtime.WithDevice("ref")); err == nil || !strings.Contains(err.Error(), "Charbonnier") {
			t.Errorf("ε %g: %v", e, err)
		}
	}
	for _, m := range []float64{-0.1, 1, math.NaN()} {
		o := runtime.TrainOptions{Shapes: []runtime.TrainShape{{Batch: 1, Height: 4, Width: 6}}, Muon: m}
		if _, err := runtime.NewTrainer(ctx, h, optest.RandomNetwork(h.Network), o, runtime.WithDevice("ref")); err == nil || !strings.Contains(err.Error(), "Muon") {
			t.Errorf("momentum %g: %v", m, err)
		}
	}
	for want, o := range map[string]runtime.TrainOptions{
		"cannot decay": {Only: func(string) bool { return true }, Decay: 0.1}, "none of the network's layers": {Only: func(string) bool { return false }},
	} {
		o.Shapes = []runtime.TrainShape{{Batch: 1, Height: 4, Width: 6}}
		if _, err := runtime.NewTrainer(ctx, h, optest.RandomNetwork(h.Network), o, runtime.WithDevice("ref")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestRates(t *testing.T) {
	s, c := runtime.StepRate(1, 0.5, 10), runtime.CosineRate(1, 0.1, 110, 10)
	for _, v := range [][2]float64{{s(1), 1}, {s(10), 1}, {s(11), 0.5}, {s(31), 0.125}, {c(1), 0.1}, {c(10), 1}, {c(60), 0.55}, {c(110), 0.1}, {c(500), 0.1}} {
		if math.Abs(v[0]-v[1]) > 1e-12 {
			t.Errorf("%g, want %g", v[0], v[1])
		}
	}
}
