package gpu

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/shaders"
)

// recordSteps records what happens between evaluations: x̂0 is cleared, and the
// next state made.
func (c *canvas) recordSteps() (err error) {
	s := c.spec
	_, seeded := bridge.Seed(s.Noise)
	consts := shaders.Constants{"X1": flag(s.KeepsX1()), "HISTORY": s.Table.History, "MASK": flag(s.Mask != nil), "RECORDED": flag(!seeded)}
	var clear []call
	for b := range c.x {
		n := int(c.bytes(b)) / 16
		clear = append(clear, call{file: "clear", params: params{"COUNT": n, "STRIDE": c.pitch / 4}, in: operands{"y": c.in(spaceX0, b)},
			x: count(c.pitch/4, 64), y: count(n, c.pitch/4), z: 1})
		u := call{file: "advance", consts: consts, params: c.coefficients(bridge.Step{}, 0, b),
			in: operands{"x": c.in(spaceX, b), "x0": c.in(spaceX0, b)}, x: count(c.pitch/4, 64), y: n / (c.pitch / 4), z: 1}
		for name, p := range map[string]struct {
			used bool
			space
		}{"x1": {s.KeepsX1(), spaceX1}, "h0": {s.Table.History > 0, spaceH0}, "h1": {s.Table.History > 1, spaceH1},
			"eps": {!seeded, spaceEps}, "mask_eps": {!seeded && s.Mask != nil, spaceMaskEps}} {
			if p.used {
				u.in[name] = c.in(p.space, b)
			}
		}
		if s.Mask != nil {
			u.in["mask"] = operand{spaceMask, 0, int64(s.H * c.pitch)}
		}
		c.updates = append(c.updates, u)
	}
	if c.clear, err = c.record(context.Background(), "clear", clear, c.place); err != nil {
		return err
	}
	c.owned = append(c.owned, &c.clear.owned)
	if c.advance, err = c.record(context.Background(), "advance", c.updates, c.place); err == nil {
		c.owned = append(c.owned, &c.advance.owned)
	}
	return err
}

// coefficients are the uniforms of a step for a band.
func (c *canvas) coefficients(st bridge.Step, k, band int) params {
	seed, _ := bridge.Seed(c.spec.Noise)
	p := params{"PITCH": c.pitch, "FIRST": band * c.band, "H": c.spec.H, "KEY0": int(uint32(seed)), "KEY1": int(seed >> 32),
		"STEP": k, "DRAW": int(bridge.DrawStep), "MASK_DRAW": int(bridge.DrawMask), "SAVE": flag(st.Save), "MASK_X0": flag(st.MaskX0)}
	for name, v := range map[string]float64{"CX": st.X, "C0": st.X0, "C1": st.X1, "CH0": st.H[0], "CH1": st.H[1],
		"NOISE": st.Noise, "SAVE_X": st.SaveX, "SAVE_X0": st.SaveX0, "MASK_NOISE": st.MaskNoise} {
		p[name] = float32(v)
	}
	return p
}

func (c *canvas) Update(st bridge.Step, k int) error {
	for i, u := range []struct {
		draw bridge.Draw
		sd   float64
	}{{bridge.DrawStep, st.Noise}, {bridge.DrawMask, st.MaskNoise}} {
		if c.eps[i] == nil || u.sd == 0 {
			continue
		}
		if err := c.upload(c.eps[i], func(dst []float32, channel, y int) {
			c.spec.Noise.Fill(dst, u.draw, k, channel, y, 0)
		}); err != nil {
			return err
		}
	}
	for b := range c.updates {
		c.updates[b].params = c.coefficients(st, k, b)
	}
	if err := c.uniforms(c.advance, c.updates); err != nil {
		return err
	}
	return c.submit(context.Background(), c.advance)
}
