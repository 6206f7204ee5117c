package ref_test

import (
	"context"
	"math"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/weights"
)

// params are weights by name.
type params map[string][]float32

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

// Every operator against numbers that were worked out by hand.
func TestOperatorsByHand(t *testing.T) {
	one := plan.Shape{N: 1, C: 1, H: 3, W: 3}
	count := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9}
	rstd := 1 / math.Sqrt(1.25+1e-5) // of 1, 2, 3, 4
	e := math.Exp(1 / math.Sqrt(2))  // attention below: scores 1/√2 and 0
	for _, c := range []struct {
		name   string
		shape  plan.Shape
		x      []float32
		w      params
		build  func(b *plan.Builder, x plan.Value) plan.Value
		want   []float64
		labels []int
	}{
		{"conv 3×3: sums of neighbours, zeros outside", one, count, params{"c.weight": {1, 1, 1, 1, 1, 1, 1, 1, 1}, "c.bias": {0.5}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("c", x, 1, 3, 1, false) },
			[]float64{12.5, 21.5, 16.5, 27.5, 45.5, 33.5, 24.5, 39.5, 28.5}, nil},
		{"conv is a correlation: the tap of the right neighbour", one, count, params{"c.weight": {0, 0, 0, 0, 0, 1, 0, 0, 0}, "c.bias": {0}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("c", x, 1, 3, 1, false) },
			[]float64{2, 3, 0, 5, 6, 0, 8, 9, 0}, nil},
		{"conv of stride 2 starts at the corner", one, count, params{"c.weight": {0, 0, 0, 0, 1, 0, 0, 0, 0}, "c.bias": {0}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("c", x, 1, 3, 2, false) },
			[]float64{1, 3, 7, 9}, nil},
		{"conv 1×1 mixes channels: weights are out, in", plan.Shape{N: 1, C: 2, H: 1, W: 2}, []float32{1, 2, 10, 20}, params{"c.weight": {1, 2, 3, 4}, "c.bias": {0, 100}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("c", x, 2, 1, 1, true) },
			[]float64{21, 42, 143, 186}, nil},
		{"linear with SiLU before", plan.Shape{N: 2, C: 2, H: 1, W: 1}, []float32{1, -1, 0, 2}, params{"l.weight": {1, 2}, "l.bias": {0.25}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Linear("l", x, 1, true) },
			[]float64{silu(1) + 2*silu(-1) + 0.25, 2*silu(2) + 0.25}, nil},
		{"GroupNorm: one group of two channels", plan.Shape{N: 1, C: 2, H: 1, W: 2}, []float32{1, 2, 3, 4}, params{"n.weight": {1, 2}, "n.bias": {0, 5}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.GroupNorm("n", x, 1, plan.None) },
			[]float64{-1.5 * rstd, -0.5 * rstd, 2*0.5*rstd + 5, 2*1.5*rstd + 5}, nil},
		{"GroupNorm with the scale and shift of time", plan.Shape{N: 1, C: 1, H: 2, W: 2}, []float32{1, 2, 3, 4},
			params{"n.weight": {2}, "n.bias": {1}, "e.weight": {0, 0, 0, 0}, "e.bias": {0.5, -3}},
			func(b *plan.Builder, x plan.Value) plan.Value {
				return b.GroupNorm("n", x, 1, b.Linear("e", b.Time(1, 2), 2, false))
			},
			[]float64{(-3*rstd+1)*1.5 - 3, (-rstd+1)*1.5 - 3, (rstd+1)*1.5 - 3, (3*rstd+1)*1.5 - 3}, nil},
		{"nearest up", plan.Shape{N: 1, C: 1, H: 1, W: 2}, []float32{1, 2}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Resample("r", x, plan.Up) },
			[]float64{1, 1, 2, 2, 1, 1, 2, 2}, nil},
		{"mean down", plan.Shape{N: 1, C: 1, H: 2, W: 4}, []float32{1, 2, 3, 4, 5, 6, 7, 8}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Resample("r", x, plan.Down) },
			[]float64{3.5, 5.5}, nil},
		{"concat keeps samples apart", plan.Shape{N: 2, C: 1, H: 1, W: 1}, []float32{1, -2}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Concat("c", x, b.SiLU("s", x)) },
			[]float64{1, silu(1), -2, silu(-2)}, nil},
		{"sum", plan.Shape{N: 1, C: 1, H: 1, W: 2}, []float32{1, 2}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Add("a", x, x) },
			[]float64{2, 4}, nil},
		{"label", plan.Shape{N: 2, C: 1, H: 1, W: 1}, []float32{1, 2}, params{"l.weight": {10, 20, 30}},
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Embed("l", b.Label(2), x, 3) },
			[]float64{31, 12}, []int{2, 0}},
		// Two pixels, one head of two channels: q = (1,0) at both, k = (1,0) at the first only, v = (2,4), (6,8).
		{"attention", plan.Shape{N: 1, C: 6, H: 1, W: 2}, []float32{1, 1, 0, 0, 1, 0, 0, 0, 2, 6, 4, 8}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Attention("a", x, 1, false) },
			[]float64{(2*e + 6) / (e + 1), (2*e + 6) / (e + 1), (4*e + 8) / (e + 1), (4*e + 8) / (e + 1)}, nil},
		// One pixel gives its v; where that lies depends on the order.
		{"attention, heads before q, k, v", plan.Shape{N: 1, C: 6, H: 1, W: 1}, []float32{0, 1, 2, 3, 4, 5}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Attention("a", x, 2, false) }, []float64{2, 5}, nil},
		{"attention, q, k, v before heads", plan.Shape{N: 1, C: 6, H: 1, W: 1}, []float32{0, 1, 2, 3, 4, 5}, nil,
			func(b *plan.Builder, x plan.Value) plan.Value { return b.Attention("a", x, 2, true) }, []float64{4, 5}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := plan.NewBuilder()
			p, err := b.Plan(c.build(b, b.Input(c.shape)))
			if err != nil {
				t.Fatal(err)
			}
			y := make([]float32, p.Shape(p.Output).Len())
			in := device.Input{X: c.x, Levels: make([]float64, c.shape.N), Labels: c.labels}
			if err := compile(t, p, c.w).Run(context.Background(), in, y); err != nil {
				t.Fatal(err)
			}
			if len(y) != len(c.want) {
				t.Fatalf("%d values, want %d", len(y), len(c.want))
			}
			for i, want := range c.want {
				if math.Abs(float64(y[i])-want) > 1e-5*math.Max(1, math.Abs(want)) {
					t.Errorf("%v, want %v", y, c.want)
					break
				}
			}
		})
	}
}

func source(t *testing.T, p *plan.Plan, w params) weights.Source {
	var infos []weights.Info
	var data [][]float32
	for _, i := range p.Params {
		infos = append(infos, weights.Info{Name: i.Name, Shape: i.Shape, DType: weights.F32})
		data = append(data, w[i.Name])
	}
	m, err := weights.NewMemory(infos, data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func compile(t *testing.T, p *plan.Plan, w params) device.Program {
	t.Helper()
	n, err := ref.New().Load(context.Background(), p, source(t, p, w))
	if err != nil {
		t.Fatal(err)
	}
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A plan of another network is refused, and a context is looked at between
// operators.
func TestRefusals(t *testing.T) {
	build := func(out int) *plan.Plan {
		b := plan.NewBuilder()
		p, err := b.Plan(b.SiLU("s", b.Conv("c", b.Input(plan.Shape{N: 1, C: 1, H: 1, W: 1}), out, 1, 1, false)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := build(1)
	w := params{"c.weight": {2}, "c.bias": {0}}
	n, err := ref.New().Load(context.Background(), p, source(t, p, w))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Compile(build(2)); err == nil {
		t.Error("the plan of a wider network was compiled")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ref.New().Load(ctx, p, source(t, p, w)); err != context.Canceled {
		t.Errorf("loading: %v", err)
	}
	r, err := n.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(ctx, device.Input{X: []float32{1}, Levels: []float64{0}}, make([]float32, 1)); err != context.Canceled {
		t.Errorf("running: %v", err)
	}
}

func TestMuon(t *testing.T) { optest.RunMuon(t, ref.New().(device.Teacher)) }

func TestBack(t *testing.T) { optest.RunBack(t, ref.New().(device.Teacher), 2e-3) }
