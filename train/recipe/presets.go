package recipe

import (
	"fmt"

	"github.com/i2sb-go/i2sb/weights"
)

// Presets are the names that Preset takes, by rising size.
func Presets() []string { return []string{"tiny", "small", "base", "adm256"} }

// Preset is a network by name:
//
//	tiny     0.8 M parameters, to try things out
//	small    4.4 M, 50 GFLOP at 256×256
//	base     24 M, twice as wide, with two blocks a level
//	adm256   553 M, 2239 GFLOP: that of every official checkpoint
func Preset(name string) (weights.Network, error) {
	n := weights.Network{ImageSize: 256, InChannels: 3, OutChannels: 3, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,2,3,4", AttentionResolutions: "32",
		NumHeads: 4, NumHeadChannels: 32, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
	switch name {
	case "tiny":
		n.ChannelMult, n.AttentionResolutions = "1,2", ""
	case "small":
	case "base":
		n.NumChannels, n.NumResBlocks, n.AttentionResolutions = 64, 2, "32"
	case "adm256":
		n = weights.ADM256(false)
		n.OutChannels = 3
	default:
		return n, fmt.Errorf("there is no preset %q; there are tiny, small, base and adm256", name)
	}
	return n, nil
}
