package plan_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// Shapes that do not fit are refused when the plan is built, with the layer's
// name; what is built after an error does no harm.
func TestShapesRefused(t *testing.T) {
	in := plan.Shape{N: 2, C: 6, H: 5, W: 4}
	for name, build := range map[string]func(b *plan.Builder, x plan.Value) plan.Value{
		"kernel":      func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("bad", x, 4, 5, 1, false) },
		"stride":      func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("bad", x, 4, 3, 3, false) },
		"no channels": func(b *plan.Builder, x plan.Value) plan.Value { return b.Conv("bad", x, 0, 3, 1, false) },
		"groups":      func(b *plan.Builder, x plan.Value) plan.Value { return b.GroupNorm("bad", x, 4, plan.None) },
		"scale":       func(b *plan.Builder, x plan.Value) plan.Value { return b.GroupNorm("bad", x, 3, b.Time(2, 6)) },
		"odd halved":  func(b *plan.Builder, x plan.Value) plan.Value { return b.Resample("bad", x, plan.Down) },
		"concat": func(b *plan.Builder, x plan.Value) plan.Value {
			return b.Concat("bad", x, b.Conv("c", x, 2, 1, 2, false))
		},
		"residual":       func(b *plan.Builder, x plan.Value) plan.Value { return b.Add("bad", x, b.Conv("c", x, 2, 1, 1, false)) },
		"shift":          func(b *plan.Builder, x plan.Value) plan.Value { return b.AddChannels("bad", x, b.Time(2, 7)) },
		"shift of batch": func(b *plan.Builder, x plan.Value) plan.Value { return b.AddChannels("bad", x, b.Time(1, 6)) },
		"linear":         func(b *plan.Builder, x plan.Value) plan.Value { return b.Linear("bad", x, 3, false) },
		"heads":          func(b *plan.Builder, x plan.Value) plan.Value { return b.Attention("bad", x, 4, false) },
		"no heads":       func(b *plan.Builder, x plan.Value) plan.Value { return b.Attention("bad", x, 0, true) },
	} {
		b := plan.NewBuilder()
		y := build(b, b.Input(in))
		y = b.SiLU("s", b.Conv("after", y, 8, 3, 1, false))
		if p, err := b.Plan(y); err == nil || !strings.Contains(err.Error(), "bad") {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	b := plan.NewBuilder()
	if _, err := b.Plan(b.Input(plan.Shape{N: 1, C: 3, H: 0, W: 4})); err == nil {
		t.Error("an empty input is accepted")
	}
}

// random builds a graph of any operators that fit.
func random(r *rand.Rand) (*plan.Plan, error) {
	b := plan.NewBuilder()
	n := 1 + r.IntN(2)
	x := b.Input(plan.Shape{N: n, C: 4 * (1 + r.IntN(2)), H: 4, W: 4 + 2*r.IntN(2)})
	vec := b.Linear("t", b.Time(n, 6), 8, false)
	type tensor struct {
		v    plan.Value
		h, w int // relative to the input: 0 is its size, -1 half, 1 double
	}
	all := []tensor{{x, 0, 0}}
	channels := func(v plan.Value) int { return b.Channels(v) }
	for i := range 3 + r.IntN(14) {
		name := fmt.Sprintf("op%d", i)
		a := all[r.IntN(len(all))]
		if r.IntN(2) == 0 {
			a = all[len(all)-1]
		}
		y := a
		switch r.IntN(10) {
		case 0:
			y.v = b.Conv(name, a.v, 4*(1+r.IntN(3)), 3, 1, false)
		case 1:
			y.v = b.Conv(name, a.v, 4*(1+r.IntN(3)), 1, 1, r.IntN(2) == 0)
		case 2:
			y.v = b.GroupNorm(name, a.v, 4, plan.None)
		case 3:
			y.v = b.GroupNorm(name, a.v, 2, b.Linear(name+".e", vec, 2*channels(a.v), true))
		case 4, 5:
			y.v = b.SiLU(name, a.v)
		case 6:
			if how := plan.Resample(1 + r.IntN(2)); how == plan.Up && a.h < 1 {
				y = tensor{b.Resample(name, a.v, how), a.h + 1, a.w + 1}
			} else if a.h >= 0 {
				y = tensor{b.Resample(name, a.v, plan.Down), a.h - 1, a.w - 1}
			}
		case 7:
			y.v = b.AddChannels(name, a.v, b.Linear(name+".e", vec, channels(a.v), false))
		default:
			z := all[r.IntN(len(all))]
			if z.h != a.h {
				continue
			}
			if channels(z.v) == channels(a.v) && r.IntN(3) > 0 {
				y.v = b.Add(name, a.v, z.v)
			} else if channels(a.v)+channels(z.v) <= 24 {
				y.v = b.Concat(name, a.v, z.v)
			}
		}
		all = append(all, y)
	}
	return b.Plan(all[len(all)-1].v)
}

// plans calls f with random graphs and with whole networks, fused and not.
func plans(t *testing.T, f func(t *testing.T, p, fused *plan.Plan)) {
	for seed := range uint64(300) {
		p, err := random(rand.New(rand.NewPCG(seed, 9)))
		if err != nil {
			t.Fatalf("graph %d: %v", seed, err)
		}
		if p.Output == p.X {
			continue
		}
		t.Run(fmt.Sprint("graph ", seed), func(t *testing.T) { f(t, p, plan.Fuse(p)) })
	}
	for name, cfg := range optest.Networks() {
		p, err := unet.BuildUnfused(cfg, 2, 4, 6)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { f(t, p, plan.Fuse(p)) })
	}
}

func TestFusingKeepsNumbers(t *testing.T) {
	fewer := 0
	plans(t, func(t *testing.T, p, fused *plan.Plan) {
		if len(fused.Ops) > len(p.Ops) {
			t.Errorf("%d operators became %d", len(p.Ops), len(fused.Ops))
		}
		if len(fused.Ops) < len(p.Ops) {
			fewer++
		}
		joined := plan.Join(fused, func(a, b plan.Shape) bool { return a.C%8 == 0 })
		want := optest.Evaluate(t, ref.New(), p, optest.Random(p))
		for name, q := range map[string]*plan.Plan{"fused": fused, "joined": joined} {
			if e := optest.NMSE(optest.Evaluate(t, ref.New(), q, optest.Random(p)), want); !(e < 1e-10) {
				t.Errorf("%s: normalised mean squared error %g", name, e)
			}
		}
	})
	if fewer < 100 {
		t.Errorf("only %d graphs became smaller", fewer)
	}
}

// Two values that are alive during one operator never share memory.
func TestPlacesDoNotOverlap(t *testing.T) {
	saved := 0
	plans(t, func(t *testing.T, p, fused *plan.Plan) {
		for _, q := range []*plan.Plan{p, fused} {
			all := 0
			first, last := map[plan.Value]int{}, map[plan.Value]int{}
			for _, v := range q.Inputs() {
				first[v], last[v] = 0, 0
			}
			for i, op := range q.Ops {
				for _, v := range op.In() {
					if _, made := first[v]; !made {
						t.Fatalf("%s reads value %d before it is made", op.Name(), v)
					}
					last[v] = i
				}
				first[op.Out()], last[op.Out()] = i, i
			}
			last[q.Output] = len(q.Ops)
			for v, from := range first {
				a := q.Values[v]
				all += a.Shape.Len()
				if a.Offset%plan.Align != 0 || a.Offset < 0 || a.Offset+a.Shape.Len() > q.Arena {
					t.Errorf("value %d lies at %d of %d", v, a.Offset, q.Arena)
				}
				for w, since := range first {
					b := q.Values[w]
					if v < w && from <= last[w] && since <= last[v] && a.Offset < b.Offset+b.Shape.Len() && b.Offset < a.Offset+a.Shape.Len() {
						t.Errorf("values %d and %d live together and overlap", v, w)
					}
				}
			}
			if q.Arena < all {
				saved++
			}
		}
	})
	if saved < 300 {
		t.Errorf("memory was shared in %d plans only", saved)
	}
}
