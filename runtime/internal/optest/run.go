package optest

import (
	"context"
	"math"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Run tests a device on the whole table and on whole networks, fused as it
// would run them, against ref on the unfused plan.
func Run(t *testing.T, d device.Device) { RunStored(t, d, weights.F32) }

// RunStored is Run with weights that a type of fewer digits holds exactly.
func RunStored(t *testing.T, d device.Device, stored weights.DType) {
	run(t, d, stored, tolerances{})
}

// RunNarrow is RunStored for a device that keeps weights in as few bytes as they
// are stored in, but int8 as halves, which round its products with the scales.
func RunNarrow(t *testing.T, d device.Device, stored weights.DType) {
	run(t, d, stored, tolerances{int8: 1e-6})
}

// RunHalf is Run for a device that stores activations as halves, whose
// rounding, 2⁻¹¹, comes in at every operator.
func RunHalf(t *testing.T, d device.Device) {
	run(t, d, weights.F16, tolerances{operator: 1e-6, network: 1e-5})
}

// RunBFloat16 is Run for a device that convolves in bfloat16, whose rounding is
// 2⁻⁹ of an input and of a weight.
func RunBFloat16(t *testing.T, d device.Device) {
	run(t, d, weights.F32, tolerances{operator: BFloat16NMSE, int8: BFloat16NMSE, network: 10 * BFloat16NMSE})
}

// BFloat16NMSE is what a single operator in bfloat16 may be off by.
const BFloat16NMSE = 1e-5

// tolerances are the least of a single operator, of one with weights in int8, and
// of a whole network.
type tolerances struct{ operator, int8, network float64 }

func run(t *testing.T, d device.Device, stored weights.DType, least tolerances) {
	for _, c := range Cases() {
		c.NMSE = max(least.operator, c.NMSE)
		t.Run(c.Name, func(t *testing.T) { RunCase(t, d, stored, c) })
	}
	for _, in := range []weights.DType{weights.F32, weights.F16, weights.BF16, weights.I8} {
		c := packed
		c.Name, c.NMSE = "weights of a pack, "+in.String(), max(least.operator, c.NMSE)
		if in == weights.I8 {
			c.NMSE = max(least.int8, c.NMSE)
		}
		t.Run(c.Name, func(t *testing.T) {
			p := c.plan(t)
			compareWith(t, d, c.Name, plan.Fuse(p), p, Packed(t, Random(p), in), c.NMSE)
		})
	}
	for name, cfg := range Networks() {
		t.Run("network "+name, func(t *testing.T) {
			fused, err := unet.Build(cfg, 2, 8, 12)
			if err != nil {
				t.Fatal(err)
			}
			p, err := unet.BuildUnfused(cfg, 2, 8, 12)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, d, "network "+name, fused, p, stored, max(least.network, 1e-9))
		})
	}
}

// RunCase is RunStored for one case.
func RunCase(t *testing.T, d device.Device, stored weights.DType, c Case) {
	t.Helper()
	p := c.plan(t)
	compare(t, d, c.Name, plan.Fuse(p), p, stored, c.NMSE)
}

func (c Case) plan(t *testing.T) *plan.Plan {
	t.Helper()
	b := plan.NewBuilder()
	p, err := b.Plan(c.Build(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Reference is what ref makes of a case, EvaluateCase what a device does.
func Reference(t *testing.T, c Case, stored weights.DType) []float32 {
	t.Helper()
	p := c.plan(t)
	return Evaluate(t, ref.New(), p, Stored(p, stored))
}

// EvaluateCase runs a case fused.
func EvaluateCase(t *testing.T, d device.Device, c Case, stored weights.DType) []float32 {
	t.Helper()
	p := plan.Fuse(c.plan(t))
	return Evaluate(t, d, p, Stored(p, stored))
}

// results keeps ref's results, which are slow, for the next device.
var results = map[string][]float32{}

func compare(t *testing.T, d device.Device, name string, fused, unfused *plan.Plan, stored weights.DType, tolerance float64) {
	t.Helper()
	compareWith(t, d, name+" "+stored.String(), fused, unfused, Stored(fused, stored), tolerance)
}

func compareWith(t *testing.T, d device.Device, key string, fused, unfused *plan.Plan, src weights.Source, tolerance float64) {
	t.Helper()
	want, ok := results[key]
	if !ok {
		want = Evaluate(t, ref.New(), unfused, src)
		results[key] = want
	}
	if e := NMSE(Evaluate(t, d, fused, src), want); !(e <= tolerance) {
		t.Errorf("normalised mean squared error %.2g, at most %.2g is allowed", e, tolerance)
	}
}

// Evaluate runs a plan once on a device with seeded random input.
func Evaluate(t testing.TB, d device.Device, p *plan.Plan, src weights.Source) []float32 {
	t.Helper()
	in := input(p)
	n, err := d.Load(context.Background(), p, src)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	y := make([]float32, p.Shape(p.Output).Len())
	if err := r.Run(context.Background(), in, y); err != nil {
		t.Fatal(err)
	}
	first := append([]float32(nil), y...)
	if err := r.Run(context.Background(), in, y); err != nil {
		t.Fatal(err)
	}
	for i := range y {
		if y[i] != first[i] {
			t.Fatalf("a second run differs at element %d: something is left over in the arena", i)
		}
	}
	return y
}

// input is a seeded random one.
func input(p *plan.Plan) device.Input {
	x := p.Shape(p.X)
	in := device.Input{X: normals(x.Len(), 5), Levels: make([]float64, x.N)}
	for i := range in.Levels {
		in.Levels[i] = 500.55 / float64(i+1)
	}
	if p.Label != plan.None {
		for i := range x.N {
			in.Labels = append(in.Labels, (3*i+1)%5)
		}
	}
	return in
}

// NMSE is Σ(a−b)²/Σb².
func NMSE(a, b []float32) float64 {
	var num, den float64
	for i := range b {
		d := float64(a[i]) - float64(b[i])
		num += d * d
		den += float64(b[i]) * float64(b[i])
	}
	if den == 0 {
		den = math.SmallestNonzeroFloat64
	}
	return num / den
}

// ScaledError is Σ(a−b)²/Σ(1+b²): of single values that should be of order 1
// but may happen to be close to 0.
func ScaledError(a, b []float32) float64 {
	var num, den float64
	for i := range b {
		d := float64(a[i]) - float64(b[i])
		num += d * d
		den += 1 + float64(b[i])*float64(b[i])
	}
	return num / den
}
