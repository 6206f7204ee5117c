//go:build !js

package cpu

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

func TestBack(t *testing.T) {
	for _, s := range kernels.All() {
		t.Run(s.Name(), func(t *testing.T) {
			d := NewWith(s, 2)
			defer d.Close()
			optest.RunBackAgainst(t, d.(device.Teacher), ref.New().(device.Teacher))
			optest.RunBack(t, d.(device.Teacher), 1e-2)
		})
	}
}

func TestMuon(t *testing.T) {
	for _, s := range kernels.All() {
		t.Run(s.Name(), func(t *testing.T) {
			d := NewWith(s, 2)
			defer d.Close()
			optest.RunMuonAgainst(t, d.(device.Teacher), ref.New().(device.Teacher))
		})
	}
}

func TestBackTiles(t *testing.T) {
	optest.RunBackBFloat16(t, tiles(t).(device.Teacher), ref.New().(device.Teacher))
}

// Two steps end in the same weights, moments and averages bit for bit, whatever
// the number of threads, also where there are several shapes.
func TestThreadsDoNotChangeAStep(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	var shapes []*plan.Gradient
	for _, s := range [][3]int{{3, 16, 24}, {1, 32, 40}} {
		p, err := unet.Build(optest.Networks()["base"], s[0], s[1], s[2])
		if err != nil {
			t.Fatal(err)
		}
		g, err := plan.Differentiate(p, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		shapes = append(shapes, g)
	}
	for _, s := range everySet() {
		var first []float32
		for _, threads := range []int{1, 2, 7} {
			state := train(t, s, threads, shapes)
			if first == nil {
				first = state
			} else if !slices.Equal(first, state) {
				t.Errorf("%s: %d threads differ from one", s.Name(), threads)
			}
		}
	}
}

// train makes two steps of a batch of every shape and returns all tensors.
func train(t *testing.T, s kernels.Set, threads int, shapes []*plan.Gradient) (state []float32) {
	t.Helper()
	d := NewWith(s, threads)
	defer d.Close()
	l, err := d.(device.Teacher).Learn(context.Background(), shapes, optest.Random(&shapes[0].Plan))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for step := range 2 {
		for i, g := range shapes {
			in, target := optest.Lesson(&g.Plan, 0)
			if _, err := l.Batch(context.Background(), i, in, target); err != nil {
				t.Fatal(err)
			}
		}
		norm, err := l.Norm()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Update(device.Update{Step: step + 1, Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Scale: 1 / norm, Average: 0.9}); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range shapes[0].Params {
		for what := range device.Tensors {
			v := make([]float32, p.Len())
			if err := l.Get(p.Name, what, v); err != nil {
				t.Fatal(err)
			}
			state = append(state, v...)
		}
	}
	return state
}
