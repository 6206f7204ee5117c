package optest

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// RunBack judges a device's gradients by finite differences of its own loss,
// over the table of operators and over whole networks, whole and with
// activations made again. Every parameter is moved along a random direction;
// a convolution behind the input makes the gradient by that count as well. The
// distance is part of a parameter's size: larger for a device whose sums are of
// float32, so that their rounding does not show in the difference.
func RunBack(t *testing.T, d device.Teacher, distance float64) {
	for _, c := range Cases() {
		b := plan.NewBuilder()
		b.Lead = func(x plan.Value) plan.Value { return b.Conv("lead", x, b.Channels(x), 1, 1, false) }
		p, err := b.Plan(c.Build(b))
		if err != nil {
			t.Fatal(err)
		}
		if p.FLOPs() > 2e6 || p.Shape(p.X).Len() > 20000 {
			continue // differences take two evaluations a parameter
		}
		t.Run(c.Name, func(t *testing.T) { differences(t, d, plan.Fuse(p), 0, distance) })
	}
	for name, cfg := range Networks() {
		p, err := unet.Build(cfg, 2, 4, 6)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("network "+name, func(t *testing.T) { differences(t, d, p, charbonniers[name], distance) })
	}
}

// charbonniers are the networks of Networks that learn by that loss, and its ε.
var charbonniers = map[string]float64{"conditional": 0.5, "grey": 0.1}

func differences(t *testing.T, d device.Teacher, p *plan.Plan, charbonnier, distance float64) {
	whole, err := plan.Differentiate(p, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := learner(t, d, whole)
	in, target := Lesson(p, charbonnier)
	loss := func() float64 {
		v, err := l.Loss(context.Background(), 0, in, target)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if _, err := l.Batch(context.Background(), 0, in, target); err != nil {
		t.Fatal(err)
	}
	grads, largest := gradients(t, l, p)
	// Small tables one by one, whole networks all at once in some directions.
	var groups [][]int
	if len(p.Params) <= 12 {
		for i := range p.Params {
			groups = append(groups, []int{i})
		}
	} else {
		all := make([]int, len(p.Params))
		for i := range all {
			all[i] = i
		}
		groups = [][]int{all, all, all}
	}
	r := rand.New(rand.NewPCG(8, 8))
	for _, group := range groups {
		weight, along := map[int][]float32{}, map[int][]float32{}
		dot, size := 0.0, 0.0
		for _, i := range group {
			w := get(t, l, p.Params[i], device.Weight)
			norm := 0.0
			for _, v := range w {
				norm += float64(v) * float64(v)
			}
			norm = math.Max(0.1, math.Sqrt(norm/float64(len(w))))
			a := make([]float32, len(w))
			for j := range a {
				a[j] = float32(r.NormFloat64() * norm)
				g := float64(a[j]) * float64(grads[i][j])
				dot += g
				size += g * g
			}
			weight[i], along[i] = w, a
		}
		move := func(by float64) float64 {
			for _, i := range group {
				to := make([]float32, len(weight[i]))
				for j := range to {
					to[j] = weight[i][j] + float32(by)*along[i][j]
				}
				set(t, l, p.Params[i], to)
			}
			return loss()
		}
		slope := func(h float64) float64 { return (move(h) - move(-h)) / (2 * h) }
		got := (4*slope(distance) - slope(2*distance)) / 3 // the error of third order goes
		move(0)
		if e := math.Abs(got - dot); !(e <= 2e-3*math.Sqrt(size)+2e-4*largest) {
			t.Errorf("%s and %d more: the slope is %g, the gradient says %g", p.Params[group[0]].Name, len(group)-1, got, dot)
		}
	}
	same(t, d, p, whole, charbonnier, grads)
	parts(t, d, p, charbonnier, grads)
}

// parts holds the gradients by some parameters alone against those by all: the
// last, every third, none but the first.
func parts(t *testing.T, d device.Teacher, p *plan.Plan, charbonnier float64, want [][]float32) {
	t.Helper()
	for name, only := range map[string]func(plan.Param) bool{
		"the first": func(w plan.Param) bool { return w == 0 }, "the last": func(w plan.Param) bool { return int(w) == len(p.Params)-1 },
		"every third": func(w plan.Param) bool { return w%3 == 0 },
	} {
		chosen := map[plan.Param]bool{}
		for _, op := range p.Ops {
			for _, w := range op.Weights() {
				if slices.ContainsFunc(op.Weights(), only) {
					chosen[w] = true
				}
			}
		}
		g, err := plan.Differentiate(p, 0, only)
		if err != nil {
			t.Fatal(err)
		}
		l := learner(t, d, g)
		in, target := Lesson(p, charbonnier)
		if _, err := l.Batch(context.Background(), 0, in, target); err != nil {
			t.Fatal(err)
		}
		got, _ := gradients(t, l, p)
		for i, info := range p.Params {
			expect := want[i]
			if !chosen[plan.Param(i)] {
				expect = make([]float32, info.Len())
			}
			if e := NMSE(got[i], expect); !(e <= 1e-9) {
				t.Errorf("%s of the parameters alone: the gradient by %s is another (normalised mean squared error %g)", name, info.Name, e)
			}
		}
	}
}

// same holds gradients with activations made again against those without.
func same(t *testing.T, d device.Teacher, p *plan.Plan, whole *plan.Gradient, charbonnier float64, want [][]float32) {
	t.Helper()
	least := whole.Arena
	for {
		g, err := plan.Differentiate(p, least-1, nil)
		if err != nil {
			return // no smaller arena
		}
		if g.Arena >= least || g.Segments < 2 {
			t.Fatalf("%d segments take %d elements, the limit was %d", g.Segments, g.Arena, least-1)
		}
		least = g.Arena
		l := learner(t, d, g)
		in, target := Lesson(p, charbonnier)
		if _, err := l.Batch(context.Background(), 0, in, target); err != nil {
			t.Fatal(err)
		}
		got, _ := gradients(t, l, p)
		for i := range want {
			if e := NMSE(got[i], want[i]); e > 1e-9 {
				t.Errorf("%s: %d segments change the gradient (normalised mean squared error %g)", p.Params[i].Name, g.Segments, e)
			}
		}
	}
}

func learner(t *testing.T, d device.Teacher, g *plan.Gradient) device.Learner {
	t.Helper()
	l, err := d.Learn(context.Background(), []*plan.Gradient{g}, Random(&g.Plan))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Lesson is a random batch with a mask, and the ε of its loss.
func Lesson(p *plan.Plan, charbonnier float64) (device.Input, device.Target) {
	y := p.Shape(p.Output)
	target := device.Target{Label: normals(y.Len(), 6), Mask: make([]float32, y.N*y.H*y.W), Weight: make([]float64, y.N), Charbonnier: charbonnier}
	for i := range target.Mask {
		target.Mask[i] = []float32{1, 0, 0.5, 1, 1}[i%5]
	}
	for n := range target.Weight {
		target.Weight[n] = float64(1+n) / float64(y.Len())
	}
	return input(p), target
}

func gradients(t *testing.T, l device.Learner, p *plan.Plan) (all [][]float32, largest float64) {
	t.Helper()
	for _, info := range p.Params {
		g := get(t, l, info, device.Grad)
		all = append(all, g)
		for _, v := range g {
			largest = math.Max(largest, math.Abs(float64(v)))
		}
	}
	return all, largest
}

func get(t *testing.T, l device.Learner, info plan.ParamInfo, what device.Tensor) []float32 {
	t.Helper()
	v := make([]float32, info.Len())
	if err := l.Get(info.Name, what, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func set(t *testing.T, l device.Learner, info plan.ParamInfo, v []float32) {
	t.Helper()
	if err := l.Set(info.Name, device.Weight, v); err != nil {
		t.Fatal(err)
	}
}

// RunBackAgainst compares a device's gradients with those of another.
func RunBackAgainst(t *testing.T, d, specification device.Teacher) {
	runBackAgainst(t, d, specification, 2e-4, 1e-5)
}

// RunBackBFloat16 is RunBackAgainst for a device that convolves in bfloat16.
func RunBackBFloat16(t *testing.T, d, specification device.Teacher) {
	runBackAgainst(t, d, specification, 4e-2, 1e-2)
}

// runBackAgainst allows gradients to be off by a part of a tensor's largest, and
// the loss by a part of itself.
func runBackAgainst(t *testing.T, d, specification device.Teacher, part, ofLoss float64) {
	for _, c := range Cases() {
		b := plan.NewBuilder()
		b.Lead = func(x plan.Value) plan.Value { return b.Conv("lead", x, b.Channels(x), 1, 1, false) }
		p, err := b.Plan(c.Build(b))
		if err != nil {
			t.Fatal(err)
		}
		if p.FLOPs() < 1e8 {
			t.Run(c.Name, func(t *testing.T) { compareBack(t, d, specification, plan.Fuse(p), 0, part, ofLoss) })
		}
	}
	for name, cfg := range Networks() {
		p, err := unet.Build(cfg, 2, 8, 12)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("network "+name, func(t *testing.T) { compareBack(t, d, specification, p, charbonniers[name], part, ofLoss) })
	}
}

func compareBack(t *testing.T, d, specification device.Teacher, p *plan.Plan, charbonnier, part, ofLoss float64) {
	g, err := plan.Differentiate(p, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, target := Lesson(p, charbonnier)
	run := func(d device.Teacher) (float64, [][]float32, float64) {
		l := learner(t, d, g)
		var loss float64
		for range 2 { // the second comes on top
			if loss, err = l.Batch(context.Background(), 0, in, target); err != nil {
				t.Fatal(err)
			}
		}
		all, largest := gradients(t, l, p)
		return loss, all, largest
	}
	loss, got, _ := run(d)
	wantLoss, want, largest := run(specification)
	if math.Abs(loss-wantLoss) > ofLoss*math.Abs(wantLoss) {
		t.Errorf("loss %g, want %g", loss, wantLoss)
	}
	for i := range want {
		own, off := 0.0, 0.0
		for j, v := range want[i] {
			own = math.Max(own, math.Abs(float64(v)))
			off = math.Max(off, math.Abs(float64(v)-float64(got[i][j])))
		}
		if !(off <= part*(own+5e-3*largest)) {
			t.Errorf("%s: off by %.2g; the largest is %.2g", p.Params[i].Name, off, own)
		}
	}
}
