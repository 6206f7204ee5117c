package cpu

import (
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// adm is ADM-256's configuration.
var adm = weights.Network{ImageSize: 256, NumChannels: 256, NumResBlocks: 2, AttentionResolutions: "32,16,8", NumHeads: 4,
	NumHeadChannels: 64, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}

// Kernels that only prepare what others multiply have none of the arithmetic.
var prepares = map[kernels.Kernel]bool{kernels.StageWeights: true, kernels.StageInput: true, kernels.StageOutput: true,
	kernels.PackHeads: true, kernels.RunMoments: true, kernels.RunNorm: true}

// balance is the share of the time that threads work if items take equally
// long: of every operator, and of the plan by arithmetic.
func balance(t *testing.T, p *plan.Plan, threads int) (of float64, least map[plan.Op]float64) {
	l := lower(plan.Join(p, apart), defaultPolicy.packings(p, weights.F16), defaultPolicy, threads)
	used, taken := map[plan.Op]float64{}, map[plan.Op]float64{}
	for _, s := range l.steps {
		if s.op != nil && s.items > 0 && !prepares[s.kernel] {
			used[s.op] += float64(s.items)
			taken[s.op] += float64(count(s.items, threads) * threads)
		}
	}
	least = map[plan.Op]float64{}
	var work, time float64
	for op, n := range used {
		f := float64(op.FLOPs(l.p))
		least[op] = n / taken[op]
		work, time = work+f, time+f/least[op]
	}
	return work / time, least
}

// Work is split finely enough for few threads and for many.
func TestBalance(t *testing.T) {
	for _, c := range []struct {
		name    string
		net     weights.Network
		side    int
		threads int
		least   float64
	}{
		{"default", small, 256, 2, 0.99}, {"default", small, 256, 16, 0.9}, {"default", small, 256, 64, 0.7},
		{"default", small, 64, 2, 0.95}, {"ADM-256", adm, 256, 2, 0.99}, {"ADM-256", adm, 256, 64, 0.7},
	} {
		p, err := unet.Build(c.net, 1, c.side, c.side)
		if err != nil {
			t.Fatal(err)
		}
		of, least := balance(t, p, c.threads)
		t.Logf("%s at %d×%d, %d threads: %.1f %% of their time is work", c.name, c.side, c.side, c.threads, 100*of)
		for op, b := range least {
			if _, ok := op.(*plan.Conv); ok && b < c.least/2 {
				y := p.Shape(op.Out())
				t.Logf("  %d channels of %d×%d: %.0f %%", y.C, y.W, y.H, 100*b)
			}
		}
		if of < c.least {
			t.Errorf("%s at %d×%d: %d threads work %.2f of their time", c.name, c.side, c.side, c.threads, of)
		}
	}
}
