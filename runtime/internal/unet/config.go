// Package unet builds the ADM U-Net (Dhariwal & Nichol 2021, the network of
// I²SB) as a plan, from the configuration of a pack.
package unet

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/i2sb-go/i2sb/weights"
)

// groups is the number of groups of every GroupNorm of ADM.
const groups = 32

// Config is a network configuration with its defaults filled in.
type Config struct {
	In, Out        int
	Model          int   // width of the first level
	Width          []int // channels of each level
	Blocks         int   // residual blocks per level of the encoder
	attention      map[int]bool
	heads          int // where headChannels is not above 0
	headsUp        int
	headChannels   int
	scaleShift     bool
	updown         bool
	newOrder       bool
	Classes        int // 0: no labels
	embeddingWidth int
}

// defaultMult is channel_mult for each image size when it is left empty.
var defaultMult = map[int]string{
	512: "0.5,1,1,2,2,4,4",
	256: "1,1,2,2,4,4",
	128: "1,1,2,3,4",
	64:  "1,2,3,4",
}

// Limits of a configuration: far above every known network, low enough that a
// hostile header cannot ask for absurd plans.
const (
	maxWidth  = 8192
	maxBlocks = 16
	maxLevels = 10
	maxParams = 1 << 34 // an executor's list of work grows with them
)

// Parse checks a pack's network configuration and fills in its defaults.
func Parse(n weights.Network) (Config, error) {
	c := Config{
		In: n.InChannels, Out: n.OutChannels, Model: n.NumChannels, Blocks: n.NumResBlocks,
		heads: n.NumHeads, headsUp: n.NumHeadsUpsample, headChannels: n.NumHeadChannels,
		scaleShift: n.UseScaleShiftNorm, updown: n.ResblockUpdown, newOrder: n.UseNewAttentionOrder,
		attention: map[int]bool{},
	}
	if c.In == 0 {
		c.In = 3
	}
	if c.Out == 0 {
		c.Out = 3
		if n.LearnSigma {
			c.Out = 6
		}
	}
	if c.heads == 0 {
		c.heads = 1
	}
	if c.headsUp <= 0 {
		c.headsUp = c.heads
	}
	if n.ClassCond {
		c.Classes = n.NumClasses
		if c.Classes == 0 {
			c.Classes = 1000
		}
	}
	if c.In < 1 || c.In > 64 || c.Out < 1 || c.Out > 64 {
		return c, fmt.Errorf("unet: %d input and %d output channels are outside 1 to 64", c.In, c.Out)
	}
	if c.Model < 1 || c.Model > maxWidth || c.Blocks < 1 || c.Blocks > maxBlocks || c.Classes < 0 || c.Classes > 1<<20 {
		return c, fmt.Errorf("unet: num_channels %d, num_res_blocks %d or %d classes are out of range", c.Model, c.Blocks, c.Classes)
	}
	c.embeddingWidth = 4 * c.Model
	mult := n.ChannelMult
	if mult == "" {
		if mult = defaultMult[n.ImageSize]; mult == "" {
			return c, fmt.Errorf("unet: no default channel_mult for image_size %d; give channel_mult", n.ImageSize)
		}
	}
	for _, f := range strings.Split(mult, ",") {
		m, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
		w := int(m * float64(c.Model))
		if err != nil || math.IsNaN(m) || w < groups || w > maxWidth || w%groups != 0 {
			return c, fmt.Errorf("unet: channel_mult %q with num_channels %d does not give widths that are multiples of %d up to %d", mult, c.Model, groups, maxWidth)
		}
		c.Width = append(c.Width, w)
	}
	if len(c.Width) > maxLevels {
		return c, fmt.Errorf("unet: %d levels, more than %d", len(c.Width), maxLevels)
	}
	for _, f := range strings.Split(n.AttentionResolutions, ",") {
		if f = strings.TrimSpace(f); f == "" {
			continue
		}
		r, err := strconv.Atoi(f)
		if err != nil || r < 1 {
			return c, fmt.Errorf("unet: attention_resolutions %q is not a list of sides", n.AttentionResolutions)
		}
		c.attention[n.ImageSize/r] = true
	}
	return c, nil
}

// Multiple is what the sides of an input must be multiples of.
func (c Config) Multiple() int { return 1 << (len(c.Width) - 1) }

func (c Config) headsFor(name string, channels, heads int) (int, error) {
	if c.headChannels > 0 {
		heads = channels / c.headChannels
		if heads*c.headChannels != channels {
			return 0, fmt.Errorf("unet: %s: %d channels do not divide into heads of %d", name, channels, c.headChannels)
		}
	}
	if heads < 1 || channels%heads != 0 {
		return 0, fmt.Errorf("unet: %s: %d channels do not divide into %d heads", name, channels, heads)
	}
	return heads, nil
}

// Sinusoid writes the embedding of a noise level (not of an index): cosines of
// the falling frequencies 10000^(-i/half), then sines. An odd width ends in 0.
func Sinusoid(level float64, dst []float32) {
	half := len(dst) / 2
	for i := range half {
		f := math.Exp(-math.Log(10000) * float64(i) / float64(half))
		// The reference computes the frequency and the product in float32;
		// at levels near 1000 that rounding is part of what networks saw.
		arg := float64(float32(level) * float32(f))
		dst[i] = float32(math.Cos(arg))
		dst[half+i] = float32(math.Sin(arg))
	}
	if len(dst)%2 == 1 {
		dst[len(dst)-1] = 0
	}
}
