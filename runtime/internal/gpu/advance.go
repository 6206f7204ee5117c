package gpu

import (
	"context"
	"maps"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/shaders"
)

// recordClear records what begins a step: x̂0 is zeroed.
func (c *canvas) recordClear() (err error) {
	var calls []call
	for b := range c.x0 {
		n := c.rows(spaceX0, b) * c.pitch / 4
		calls = append(calls, call{file: "clear", params: params{"COUNT": n, "STRIDE": c.pitch / 4}, in: operands{"y": c.in(spaceX0, b)},
			x: count(c.pitch/4, 64), y: count(n, c.pitch/4), z: 1})
	}
	if c.clear, err = c.record(context.Background(), "clear", calls, c.place); err == nil {
		c.owned = append(c.owned, &c.clear.owned)
	}
	return err
}

// strip is the update of some rows.
type strip struct {
	calls []call
	where []params // of each call, beside the step's
	*recording
}

// strip records the update of rows from up to but not including to.
func (c *canvas) strip(from, to int) (*strip, error) {
	if p := c.strips[[2]int{from, to}]; p != nil {
		return p, nil
	}
	s, p := c.spec, &strip{}
	_, seeded := bridge.Seed(s.Noise)
	consts := shaders.Constants{"X1": flag(s.KeepsX1()), "HISTORY": s.Table.History, "MASK": flag(s.Mask != nil), "RECORDED": flag(!seeded), "RING": flag(s.Ring != 0)}
	for ch := range s.C {
		c.cut(ch, from, to-from, func(r part) {
			in := operands{"x": c.in(spaceX, r.at.band), "x0": c.in(spaceX0, r.x0.band)}
			if s.KeepsX1() {
				in["x1"] = c.in(spaceX1, r.x1.band)
			}
			for name, o := range map[string]struct {
				used bool
				space
			}{"h0": {s.Table.History > 0, spaceH0}, "h1": {s.Table.History > 1, spaceH1},
				"eps": {!seeded, spaceEps}, "mask_eps": {!seeded && s.Mask != nil, spaceMaskEps}} {
				if o.used {
					in[name] = c.in(o.space, r.at.band)
				}
			}
			if s.Mask != nil {
				in["mask"] = operand{spaceMask, 0, int64(s.H * c.pitch)}
			}
			p.where = append(p.where, params{"CHANNEL": ch, "Y": r.y, "AT": r.at.row, "X0_AT": r.x0.row, "X1_AT": r.x1.row})
			p.calls = append(p.calls, call{file: "advance", consts: consts, in: in, x: count(c.pitch/4, 64), y: r.rows, z: 1})
		})
	}
	p.set(c.coefficients(bridge.Step{}, 0))
	var err error
	if p.recording, err = c.record(context.Background(), "advance", p.calls, c.place); err != nil {
		return nil, err
	}
	c.owned = append(c.owned, &p.recording.owned)
	c.strips[[2]int{from, to}] = p
	return p, nil
}

// set gives the calls a step's uniforms.
func (p *strip) set(step params) {
	for i := range p.calls {
		p.calls[i].params = maps.Clone(step)
		maps.Copy(p.calls[i].params, p.where[i])
	}
}

// coefficients are a step's uniforms.
func (c *canvas) coefficients(st bridge.Step, k int) params {
	seed, _ := bridge.Seed(c.spec.Noise)
	p := params{"PITCH": c.pitch, "KEY0": int(uint32(seed)), "KEY1": int(seed >> 32),
		"STEP": k, "DRAW": int(bridge.DrawStep), "MASK_DRAW": int(bridge.DrawMask), "SAVE": flag(st.Save), "MASK_X0": flag(st.MaskX0)}
	for name, v := range map[string]float64{"CX": st.X, "C0": st.X0, "C1": st.X1, "CH0": st.H[0], "CH1": st.H[1],
		"NOISE": st.Noise, "SAVE_X": st.SaveX, "SAVE_X0": st.SaveX0, "MASK_NOISE": st.MaskNoise} {
		p[name] = float32(v)
	}
	return p
}

func (c *canvas) Update(st bridge.Step, k, from, to int) error {
	s := c.spec
	for i, u := range []struct {
		draw bridge.Draw
		sd   float64
	}{{bridge.DrawStep, st.Noise}, {bridge.DrawMask, st.MaskNoise}} {
		if c.eps[i] == nil || u.sd == 0 || from > 0 {
			continue // recorded noise goes up for all rows at once
		}
		if err := c.upload(func(dst []float32, channel, y, x int) {
			s.Noise.Fill(dst, u.draw, k, channel, y, x)
		}, s.H, 0, s.H, 0, s.W, c.eps[i]); err != nil {
			return err
		}
	}
	if s.Lines == 0 || !s.ReadsX1(st) {
		return c.update(st, k, from, to)
	}
	return s.Parts(from, to, func(from, to int) error {
		if err := c.upload(c.x1Rows, s.Lines, from, to, 0, s.W, c.x1); err != nil {
			return err
		}
		return c.update(st, k, from, to)
	})
}

// update makes the next state of rows whose x1 is there.
func (c *canvas) update(st bridge.Step, k, from, to int) error {
	p, err := c.strip(from, to)
	if err != nil {
		return err
	}
	p.set(c.coefficients(st, k))
	if err := c.uniforms(p.recording, p.calls); err != nil {
		return err
	}
	return c.submit(context.Background(), p.recording)
}
