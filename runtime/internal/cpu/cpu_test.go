package cpu

import (
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
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
		})
	}
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	cfg := optest.Networks()["base"]
	p, err := unet.Build(cfg, 1, 16, 24)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for _, threads := range []int{1, 2, 3, 7} {
		d := NewWith(kernels.All()[0], threads)
		y := optest.Evaluate(t, d, p, optest.Random(p))
		d.Close()
		if first == nil {
			first = y
		} else if !slices.Equal(first, y) {
			t.Errorf("%d threads differ from one", threads)
		}
	}
}

// small is the configuration of the default pack.
var small = weights.Network{ImageSize: 256, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,2,3,4", AttentionResolutions: "32",
	NumHeadChannels: 32, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
