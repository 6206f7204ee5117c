package optest

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// muonPlan is layers of many shapes: square and not, of few and of odd channels,
// several matrices each.
func muonPlan(t *testing.T) *plan.Gradient {
	t.Helper()
	b := plan.NewBuilder()
	input, time := b.Input(plan.Shape{N: 1, C: 3, H: 4, W: 4}), b.Linear("time", b.Time(1, 40), 80, false)
	x := b.AddChannels("sum", b.Conv("a", b.Conv("in", input, 48, 3, 1, false), 80, 3, 1, false), time)
	x = b.Conv("wide", b.Conv("b", x, 33, 1, 1, false), 105, 1, 1, false)
	p, err := b.Plan(b.Conv("out", b.Conv("c", x, 32, 3, 2, false), 3, 3, 1, false))
	if err != nil {
		t.Fatal(err)
	}
	g, err := plan.Differentiate(p, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// muonUpdate is a step of which the gradients are random.
func muonUpdate(t *testing.T, l device.Learner, g *plan.Gradient, step int, decay float64) {
	t.Helper()
	for i, p := range g.Params {
		if err := l.Set(p.Name, device.Grad, normals(p.Len(), uint64(100*step+i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Update(device.Update{Step: step, Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: decay, Scale: 0.25, Average: 0.75, Muon: 0.9}); err != nil {
		t.Fatal(err)
	}
}

// RunMuon holds a step of Muon against what it is for: all singular values that
// were not tiny come near 1, and the step leads along the gradient.
func RunMuon(t *testing.T, d device.Teacher) {
	g := muonPlan(t)
	l := learner(t, d, g)
	var before [][]float32
	for _, p := range g.Params {
		before = append(before, get(t, l, p, device.Weight))
	}
	muonUpdate(t, l, g, 1, 0)
	seen := map[string]int{}
	for _, m := range device.Matrices(&g.Plan) {
		info := g.Params[m.W]
		seen[info.Name]++
		after, grad := get(t, l, info, device.Weight), normals(info.Len(), uint64(100+int(m.W)))
		step, u := mat.NewDense(m.Outputs, m.Inputs, nil), mat.NewDense(m.Outputs, m.Inputs, nil)
		for i := range m.Outputs * m.Inputs {
			at := m.First*m.Inputs + i
			step.Set(i/m.Inputs, i%m.Inputs, float64(before[m.W][at]-after[at])/m.Stride(1e-2))
			u.Set(i/m.Inputs, i%m.Inputs, float64(grad[at]))
		}
		var s, own mat.SVD
		if !s.Factorize(step, mat.SVDNone) || !own.Factorize(u, mat.SVDThin) {
			t.Fatal("no singular values")
		}
		// In the gradient's own directions the step is diagonal.
		var left, right, part, diagonal mat.Dense
		own.UTo(&left)
		own.VTo(&right)
		part.Mul(left.T(), step)
		diagonal.Mul(&part, &right)
		sizes, norm := own.Values(nil), mat.Norm(u, 2)
		for i, size := range sizes {
			if v := diagonal.At(i, i); size/norm > 4e-3 && (v < 0.65 || v > 1.16) {
				t.Errorf("%s: what was %.3g of the gradient is %.3g of the step", info.Name, size/norm, v)
			}
		}
		if v := s.Values(nil); v[0] > 1.16 {
			t.Errorf("%s: the step's largest singular value is %.3g", info.Name, v[0])
		}
	}
	for name, want := range map[string]int{"a.weight": 1, "b.weight": 1, "c.weight": 1, "wide.weight": 4, "time.weight": 2} {
		if seen[name] != want {
			t.Errorf("%s is %d matrices, not %d", name, seen[name], want)
		}
		delete(seen, name)
	}
	if len(seen) > 0 {
		t.Errorf("%v are no matrices", seen)
	}
}

// RunMuonAgainst compares steps with those of another device, all tensors
// and those that AdamW moves included.
func RunMuonAgainst(t *testing.T, d, specification device.Teacher) {
	g := muonPlan(t)
	l, want := learner(t, d, g), learner(t, specification, g)
	for step := range 2 {
		muonUpdate(t, l, g, step+1, 0.5)
		muonUpdate(t, want, g, step+1, 0.5)
	}
	// A gradient that is nothing moves nothing but by momentum and decay.
	for _, x := range []device.Learner{l, want} {
		if err := x.Update(device.Update{Step: 3, Rate: 1e-2, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Scale: 1, Average: 0.75, Muon: 0.9}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range g.Params {
		for what := range device.Tensors {
			a, b := get(t, l, p, what), get(t, want, p, what)
			largest, off := 0.0, 0.0
			for i := range a {
				largest = math.Max(largest, math.Abs(float64(b[i])))
				off = math.Max(off, math.Abs(float64(a[i])-float64(b[i])))
			}
			if !(off <= 2e-4*largest) {
				t.Errorf("%s, tensor %d: off by %.2g; the largest is %.2g", p.Name, what, off, largest)
			}
		}
	}
}
