package unet

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// adm256 is the configuration of the released models.
func adm256(t testing.TB) (weights.Network, map[string][]int) {
	t.Helper()
	raw, err := os.ReadFile("testdata/adm256.shapes.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Config  weights.Network  `json:"config"`
		Tensors map[string][]int `json:"tensors"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f.Config, f.Tensors
}

func TestADM256HasTheReferencesTensors(t *testing.T) {
	cfg, want := adm256(t)
	p, err := Build(cfg, 1, 256, 256)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Params) != len(want) || len(want) != 566 {
		t.Fatalf("%d tensors, reference has %d", len(p.Params), len(want))
	}
	total := 0
	for _, w := range p.Params {
		if !slices.Equal(want[w.Name], w.Shape) {
			t.Errorf("%s: %v, reference has %v", w.Name, w.Shape, want[w.Name])
		}
		total += w.Len()
	}
	if total != 552807171 {
		t.Errorf("%d parameters", total)
	}
	// 1119.38 GMAC at 256×256 (reference document, section 3.1).
	if g := float64(p.FLOPs()) / 2e9; g < 1119 || g > 1120 {
		t.Errorf("%.2f GMAC", g)
	}
	t.Logf("arena %.1f MiB, %d operators", float64(p.Arena)*4/(1<<20), len(p.Ops))
}

func TestFusingLeavesNoMaps(t *testing.T) {
	cfg, _ := adm256(t)
	p, err := Build(cfg, 1, 64, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range p.Ops {
		if _, ok := op.(*plan.Map); ok {
			t.Errorf("%s was not fused into a neighbour", op.Name())
		}
	}
}

// A configuration that says nothing of heads means one, as in create_model.
func TestOneHead(t *testing.T) {
	n := weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1", AttentionResolutions: "32"}
	p, err := Build(n, 1, 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range p.Ops {
		if a, ok := op.(*plan.Attention); ok && a.Heads != 1 {
			t.Errorf("%s has %d heads", a.Name(), a.Heads)
		}
	}
}

func TestBadConfigurations(t *testing.T) {
	good, _ := adm256(t)
	for name, change := range map[string]func(*weights.Network){
		"width":     func(n *weights.Network) { n.NumChannels = 250 },
		"negative":  func(n *weights.Network) { n.NumChannels = -1 },
		"mult":      func(n *weights.Network) { n.ChannelMult = "1,x" },
		"huge mult": func(n *weights.Network) { n.ChannelMult = "1,1e9" },
		"size":      func(n *weights.Network) { n.ImageSize = 100 },
		"heads":     func(n *weights.Network) { n.NumHeadChannels = 7 },
		"attention": func(n *weights.Network) { n.AttentionResolutions = "a" },
		"blocks":    func(n *weights.Network) { n.NumResBlocks = 1 << 30 },
		"channels":  func(n *weights.Network) { n.InChannels = -3 },
		"parameters": func(n *weights.Network) {
			n.NumChannels, n.NumResBlocks, n.ChannelMult, n.AttentionResolutions = maxWidth, 8, "1", ""
		},
	} {
		bad := good
		change(&bad)
		if _, err := Build(bad, 1, 64, 64); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for _, side := range []int{0, -32, 40, 1} {
		if _, err := Build(good, 1, side, 64); err == nil {
			t.Errorf("side %d: no error", side)
		}
	}
}
