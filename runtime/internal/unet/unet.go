package unet

import (
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Build returns the fused plan of the network for a batch of n pictures of h
// rows and w columns, both multiples of Config.Multiple.
func Build(net weights.Network, n, h, w int) (*plan.Plan, error) {
	p, err := BuildUnfused(net, n, h, w)
	if err != nil {
		return nil, err
	}
	return plan.Fuse(p), nil
}

// BuildUnfused returns the plan with every operator on its own, as the
// reference runs it.
func BuildUnfused(net weights.Network, n, h, w int) (*plan.Plan, error) {
	c, err := Parse(net)
	if err != nil {
		return nil, err
	}
	if m := c.Multiple(); h%m != 0 || w%m != 0 || h < 1 || w < 1 || n < 1 {
		return nil, fmt.Errorf("unet: %d pictures of %d×%d: sides must be positive multiples of %d", n, w, h, m)
	}
	b := &builder{Builder: plan.NewBuilder(), c: c, n: n}
	out := b.network(h, w)
	if b.err != nil {
		return nil, b.err
	}
	p, err := b.Plan(out)
	if err == nil && p.ParamBytes() > 4*maxParams {
		return nil, fmt.Errorf("unet: a network of %d parameters, more than %d", p.ParamBytes()/4, maxParams)
	}
	return p, err
}

// builder holds what all blocks share.
type builder struct {
	*plan.Builder
	c   Config
	n   int
	emb plan.Value // N×4·Model, before the SiLU of each block
	err error
}

func (b *builder) network(h, w int) plan.Value {
	c := b.c
	x := b.Input(plan.Shape{N: b.n, C: c.In, H: h, W: w})
	e := b.Linear("time_embed.0", b.Time(b.n, c.Model), c.embeddingWidth, false)
	b.emb = b.Linear("time_embed.2", e, c.embeddingWidth, true)
	if c.Classes > 0 {
		b.emb = b.Embed("label_emb", b.Label(b.n), b.emb, c.Classes)
	}

	var skips []plan.Value
	push := func(v plan.Value) plan.Value { skips = append(skips, v); return v }

	k := 0 // index of the block in input_blocks or output_blocks
	name := func(list string, j int) string { return fmt.Sprintf("%s.%d.%d", list, k, j) }

	x = push(b.Conv(name("input_blocks", 0), x, c.Width[0], 3, 1, false))
	scale := 1
	for level, width := range c.Width {
		for range c.Blocks {
			k++
			x = b.residual(name("input_blocks", 0), x, width, plan.Same)
			if c.attention[scale] {
				x = b.attend(name("input_blocks", 1), x, c.heads)
			}
			push(x)
		}
		if level < len(c.Width)-1 {
			k++
			if c.updown {
				x = b.residual(name("input_blocks", 0), x, width, plan.Down)
			} else {
				x = b.Conv(name("input_blocks", 0)+".op", x, width, 3, 2, false)
			}
			push(x)
			scale *= 2
		}
	}

	last := c.Width[len(c.Width)-1]
	x = b.residual("middle_block.0", x, last, plan.Same)
	x = b.attend("middle_block.1", x, c.heads)
	x = b.residual("middle_block.2", x, last, plan.Same)

	k = 0
	for level := len(c.Width) - 1; level >= 0; level-- {
		width := c.Width[level]
		for i := range c.Blocks + 1 {
			skip := skips[len(skips)-1]
			skips = skips[:len(skips)-1]
			x = b.residual(name("output_blocks", 0), b.Concat(name("output_blocks", 0)+".concat", x, skip), width, plan.Same)
			j := 1
			if c.attention[scale] {
				x = b.attend(name("output_blocks", 1), x, c.headsUp)
				j = 2
			}
			if level > 0 && i == c.Blocks {
				if c.updown {
					x = b.residual(name("output_blocks", j), x, width, plan.Up)
				} else {
					up := b.Resample(name("output_blocks", j)+".up", x, plan.Up)
					x = b.Conv(name("output_blocks", j)+".conv", up, width, 3, 1, false)
				}
				scale /= 2
			}
			k++
		}
	}
	return b.Conv("out.2", b.SiLU("out.1", b.GroupNorm("out.0", x, groups, plan.None)), c.Out, 3, 1, false)
}

// residual is ADM's ResBlock: norm, SiLU, (resample,) conv, the time step as a
// scale and shift of the second norm or as an added bias, SiLU, conv, skip.
func (b *builder) residual(name string, x plan.Value, width int, r plan.Resample) plan.Value {
	h := b.SiLU(name+".in_layers.1", b.GroupNorm(name+".in_layers.0", x, groups, plan.None))
	skip := x
	if r != plan.Same {
		h = b.Resample(name+".h_upd", h, r)
		skip = b.Resample(name+".x_upd", x, r)
	}
	h = b.Conv(name+".in_layers.2", h, width, 3, 1, false)
	if b.c.scaleShift {
		e := b.Linear(name+".emb_layers.1", b.emb, 2*width, true)
		h = b.GroupNorm(name+".out_layers.0", h, groups, e)
	} else {
		e := b.Linear(name+".emb_layers.1", b.emb, width, true)
		h = b.GroupNorm(name+".out_layers.0", b.AddChannels(name+".emb", h, e), groups, plan.None)
	}
	h = b.Conv(name+".out_layers.3", b.SiLU(name+".out_layers.1", h), width, 3, 1, false)
	if b.Channels(x) != width {
		skip = b.Conv(name+".skip_connection", skip, width, 1, 1, false)
	}
	return b.Add(name, h, skip)
}

// attend is ADM's AttentionBlock: norm, qkv, attention over all pixels,
// projection, skip.
func (b *builder) attend(name string, x plan.Value, heads int) plan.Value {
	channels := b.Channels(x)
	heads, err := b.c.headsFor(name, channels, heads)
	if err != nil {
		if b.err == nil {
			b.err = err
		}
		return x
	}
	qkv := b.Conv(name+".qkv", b.GroupNorm(name+".norm", x, groups, plan.None), 3*channels, 1, 1, true)
	a := b.Attention(name+".attention", qkv, heads, b.c.newOrder)
	return b.Add(name, b.Conv(name+".proj_out", a, channels, 1, 1, true), x)
}
