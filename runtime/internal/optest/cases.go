package optest

import (
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Case is one small plan that shows one operator or combination.
type Case struct {
	Name  string
	NMSE  float64 // tolerated normalised mean squared error against ref
	Build func(b *plan.Builder) plan.Value
}

const exact = 1e-11 // float32 rounding in sums of a few thousand terms

// Cases is the table. The first tensor of every case is the network's input.
func Cases() []Case {
	var cs []Case
	add := func(name string, build func(b *plan.Builder) plan.Value) {
		cs = append(cs, Case{name, exact, build})
	}
	conv := func(s plan.Shape, out, kernel, stride int) {
		add(fmt.Sprintf("conv %v to %d, %d×%d stride %d", s, out, kernel, kernel, stride), func(b *plan.Builder) plan.Value {
			return b.Conv("c", b.Input(s), out, kernel, stride, false)
		})
	}
	for _, s := range []plan.Shape{{N: 1, C: 3, H: 1, W: 1}, {N: 1, C: 32, H: 8, W: 8}, {N: 2, C: 5, H: 7, W: 13}, {N: 1, C: 1, H: 33, W: 2}, {N: 1, C: 40, H: 20, W: 36}, {N: 3, C: 17, H: 11, W: 1}} {
		for _, k := range [][3]int{{32, 3, 1}, {7, 3, 1}, {3, 1, 1}, {33, 1, 1}, {6, 3, 2}, {1, 3, 1}} {
			conv(s, k[0], k[1], k[2])
		}
	}
	conv(plan.Shape{N: 1, C: 16, H: 67, W: 131}, 19, 3, 1) // many items, none of them whole
	conv(plan.Shape{N: 1, C: 16, H: 67, W: 131}, 19, 3, 2)
	conv(plan.Shape{N: 1, C: 208, H: 34, W: 33}, 24, 3, 1) // beyond what is transformed at once
	conv(plan.Shape{N: 5, C: 144, H: 9, W: 7}, 100, 1, 1)
	conv(plan.Shape{N: 1, C: 1030, H: 2, W: 3}, 48, 1, 1)
	block := func(name string, s plan.Shape, r plan.Resample, kernel int) {
		add(fmt.Sprintf("%s %v", name, s), func(b *plan.Builder) plan.Value {
			x := b.Input(s)
			h := b.SiLU("s", b.GroupNorm("n", x, 8, plan.None))
			skip := x
			if r != plan.Same {
				h, skip = b.Resample("hr", h, r), b.Resample("xr", x, r)
			}
			return b.Add("y", b.Conv("c", h, s.C, kernel, 1, false), skip)
		})
	}
	for _, s := range []plan.Shape{{N: 1, C: 16, H: 8, W: 8}, {N: 2, C: 24, H: 6, W: 10}, {N: 1, C: 8, H: 2, W: 2}, {N: 3, C: 8, H: 14, W: 22}} {
		block("norm, silu, conv, residual", s, plan.Same, 3)
		block("… up", s, plan.Up, 3)
		block("… down", s, plan.Down, 3)
		block("… 1×1 up", s, plan.Up, 1)
	}
	block("norm of one pixel", plan.Shape{N: 2, C: 32, H: 1, W: 1}, plan.Same, 3)
	add("concat, norm, conv, skip", func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: 2, C: 8, H: 5, W: 9})
		z := b.Concat("z", b.Conv("a", x, 16, 3, 1, false), b.Conv("b", x, 24, 1, 1, false))
		h := b.Conv("c", b.SiLU("s", b.GroupNorm("n", z, 8, plan.None)), 12, 3, 1, false)
		return b.Add("y", h, b.Conv("skip", z, 12, 1, 1, false))
	})
	add("scale and shift of time", func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: 2, C: 16, H: 4, W: 4})
		e := b.Linear("e1", b.Linear("e0", b.Time(2, 10), 32, false), 32, true)
		return b.Conv("c", b.SiLU("s", b.GroupNorm("n", x, 4, e)), 8, 3, 1, false)
	})
	add("shift of time", func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: 2, C: 16, H: 4, W: 6})
		e := b.Linear("e", b.Time(2, 7), 12, true)
		return b.SiLU("s", b.AddChannels("a", b.Conv("c", x, 12, 3, 1, false), e))
	})
	add("label", func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: 3, C: 16, H: 4, W: 4})
		e := b.Embed("l", b.Label(3), b.Linear("e", b.Time(3, 8), 16, false), 5)
		return b.AddChannels("a", x, e)
	})
	for _, order := range []bool{false, true} {
		for _, s := range []plan.Shape{{N: 1, C: 48, H: 8, W: 8}, {N: 2, C: 24, H: 3, W: 7}, {N: 1, C: 12, H: 1, W: 1}, {N: 1, C: 96, H: 16, W: 20}, {N: 1, C: 60, H: 1, W: 331}} {
			add(fmt.Sprintf("attention %v, new order %v", s, order), func(b *plan.Builder) plan.Value {
				return b.Attention("a", b.Input(s), 4, order)
			})
		}
	}
	add("map: concat, silu, up, residual", func(b *plan.Builder) plan.Value {
		x := b.Input(plan.Shape{N: 2, C: 4, H: 6, W: 4})
		z := b.Concat("z", x, b.SiLU("s", x))
		up := b.Resample("u", b.SiLU("t", z), plan.Up)
		return b.Resample("d", b.Add("r", up, up), plan.Down)
	})
	return cs
}

// packed is the case whose weights come from packs of every encoding: 3×3, 1×1 and
// linear ones, with channels that fill no block and elements that fill no word.
var packed = Case{"", exact, func(b *plan.Builder) plan.Value {
	x := b.Conv("a", b.Input(plan.Shape{N: 1, C: 3, H: 6, W: 7}), 21, 3, 1, false)
	y := b.Conv("b", x, 7, 1, 1, false)
	return b.Conv("d", b.AddChannels("c", y, b.Linear("e", b.Time(1, 9), 7, true)), 5, 3, 1, false)
}}

// Networks are whole networks of every kind of configuration.
func Networks() map[string]weights.Network {
	base := weights.Network{ImageSize: 32, NumChannels: 32, NumResBlocks: 1, ChannelMult: "1,2", AttentionResolutions: "16",
		NumHeads: 4, NumHeadChannels: 16, NumHeadsUpsample: -1, UseScaleShiftNorm: true, ResblockUpdown: true}
	nets := map[string]weights.Network{"base": base}
	vary := func(name string, f func(*weights.Network)) {
		n := base
		f(&n)
		nets[name] = n
	}
	vary("plain", func(n *weights.Network) {
		n.UseScaleShiftNorm, n.ResblockUpdown, n.NumHeadChannels, n.NumHeads = false, false, -1, 2
	})
	vary("new order", func(n *weights.Network) { n.UseNewAttentionOrder, n.NumResBlocks = true, 2 })
	vary("conditional", func(n *weights.Network) { n.InChannels = 6 })
	vary("classes", func(n *weights.Network) { n.ClassCond, n.NumClasses = true, 10 })
	vary("grey", func(n *weights.Network) { n.InChannels, n.OutChannels = 1, 1 })
	return nets
}
