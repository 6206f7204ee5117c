package cpu

import (
	"runtime"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

func TestOperators(t *testing.T) {
	for _, s := range kernels.All() {
		t.Run(s.Name(), func(t *testing.T) {
			d := NewWith(s, 2)
			defer d.Close()
			optest.Run(t, d)
			optest.RunCanvas(t, d)
		})
	}
}

func TestTiles(t *testing.T) { optest.RunBFloat16(t, tiles(t)) }

// tiles is the CPU in bfloat16, where this machine has it.
func tiles(t *testing.T) device.Device {
	d, err := NewBFloat16(2)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// everySet is all sets of kernels, those of bfloat16 with them.
func everySet() []kernels.Set {
	all := kernels.All()
	if s, err := kernels.BFloat16(); err == nil {
		all = append(slices.Clip(all), s)
	}
	return all
}

// The table takes every way in which a convolution can be done.
func TestPolicies(t *testing.T) {
	f32, all := []weights.DType{weights.F32}, []weights.DType{weights.F32, weights.F16, weights.BF16}
	for _, c := range []struct {
		name   string
		policy policy
		stored []weights.DType
	}{
		{"F(2,3) fused", policy{narrow: 1 << 30, fused: 1 << 20, deep: 1 << 20, tiles: []int{2}}, f32},
		{"F(4,3) in stages", policy{narrow: 1 << 30, tiles: []int{4}}, f32},
		{"F(2,3) in stages", policy{narrow: 1 << 30, tiles: []int{2}}, f32},
		{"narrow, F(4,3)", policy{tiles: []int{4}}, all},
		{"narrow, F(2,3)", policy{tiles: []int{2}}, f32},
		{"narrow and direct", policy{}, all},
	} {
		for _, stored := range c.stored {
			t.Run(c.name+" "+stored.String(), func(t *testing.T) {
				d := NewWith(kernels.All()[0], 2).(*cpu)
				defer d.Close()
				d.policy = c.policy
				if c.policy.narrow == 0 {
					optest.RunNarrow(t, d, stored)
				} else {
					optest.RunStored(t, d, stored)
				}
			})
		}
	}
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	p, err := unet.Build(optest.Networks()["base"], 1, 16, 24)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range everySet() {
		var first []float32
		for _, threads := range []int{1, 2, 3, 7} {
			d := NewWith(s, threads)
			y := optest.Evaluate(t, d, p, optest.Random(p))
			d.Close()
			if first == nil {
				first = y
			} else if !slices.Equal(first, y) {
				t.Errorf("%s: %d threads differ from one", s.Name(), threads)
			}
		}
	}
}

// small has four levels, of width 32, and attention at the last.
var small = weights.Network{ImageSize: 256, NumChannels: 64, NumResBlocks: 1, ChannelMult: "1,1,2,2", AttentionResolutions: "32",
	NumHeads: 4, NumHeadChannels: 32, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
