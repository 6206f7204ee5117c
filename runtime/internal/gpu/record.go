package gpu

import (
	"context"
	"errors"
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// releaser is what holds memory of the device.
type releaser interface{ Release() }

// owned are things of the device that go together.
type owned []releaser

func (o *owned) release() {
	for i := len(*o) - 1; i >= 0; i-- {
		(*o)[i].Release()
	}
	*o = nil
}

// keep notes what was made, if it was.
func keep[T releaser](o *owned, x T, err error) (T, error) {
	if err == nil {
		*o = append(*o, x)
	}
	return x, err
}

// recording is calls with pipelines, memory and uniforms, ready to be submitted
// as sequences of which none takes longer than the device's patience.
type recording struct {
	owned
	uniforms  driver.Buffer
	sequences []driver.Sequence
	spans     []string           // what each does, for errors
	commands  [][]driver.Command // of each sequence
	calls     [][]*call          // that they stand for
}

// slot is the bytes of a call's uniforms, which is what their offset must be a
// multiple of.
const slot = 256

// record prepares calls, whose operands lie where place says.
func (g *gpu) record(ctx context.Context, label string, calls []call, place func(operand) driver.Range) (_ *recording, err error) {
	if err := g.compile(ctx, calls); err != nil {
		return nil, err
	}
	r := &recording{}
	defer func() {
		if err != nil {
			r.release()
		}
	}()
	u, err := g.dev.Buffer(label+" uniforms", slot*int64(max(1, len(calls))), driver.Uniform)
	if r.uniforms, err = keep(&r.owned, u, err); err != nil {
		return nil, err
	}
	var commands []driver.Command
	var mine []*call
	work := int64(0)
	flush := func() error {
		if len(commands) == 0 {
			return nil
		}
		s, err := g.dev.Sequence(label, commands)
		if s, err = keep(&r.owned, s, err); err != nil {
			return err
		}
		r.sequences, r.spans = append(r.sequences, s), append(r.spans, span(label, mine))
		r.calls, r.commands = append(r.calls, mine), append(r.commands, commands)
		commands, mine, work = nil, nil, 0
		return nil
	}
	for i := range calls {
		c := &calls[i]
		cost := g.choose.work(c)
		if work > 0 && work+cost > g.choose.patience {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		work += cost
		if c.copyOf.size > 0 {
			commands = append(commands, driver.Command{Label: c.label(), From: place(c.copyOf), To: place(c.copied)})
		} else {
			p, err := g.pipeline(ctx, c.file, c.consts)
			if err != nil {
				return nil, err
			}
			var ranges []driver.Range
			for _, b := range p.kernel.Bindings {
				o, ok := c.in[b.Name]
				if !ok {
					return nil, fmt.Errorf("gpu: %s: nothing is bound to %s", c.label(), b.Name)
				}
				ranges = append(ranges, place(o))
			}
			ranges = append(ranges, driver.Range{Buffer: r.uniforms, Offset: int64(slot * i), Size: int64(4*len(p.kernel.Params)+15) &^ 15})
			group, err := g.dev.Group(c.label(), p.driver, ranges)
			if group, err = keep(&r.owned, group, err); err != nil {
				return nil, err
			}
			commands = append(commands, driver.Command{Label: c.label(), Pipeline: p.driver, Group: group, X: c.x, Y: c.y, Z: c.z})
		}
		mine = append(mine, c)
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return r, g.uniforms(r, calls)
}

// uniforms writes the uniforms of a recording's calls.
func (g *gpu) uniforms(r *recording, calls []call) error {
	data := make([]byte, slot*len(calls))
	for i := range calls {
		c := &calls[i]
		if c.copyOf.size > 0 {
			continue
		}
		p, err := g.pipeline(context.Background(), c.file, c.consts)
		if err != nil {
			return err
		}
		b, err := encode(p.kernel, c.params)
		if err != nil {
			return fmt.Errorf("%w (%s)", err, c.label())
		}
		copy(data[slot*i:], b)
	}
	return g.dev.Write(r.uniforms, 0, data)
}

// submit runs the sequences. Where there are several, each is waited for, so
// that a cancelled context takes effect soon and no queue builds up.
func (g *gpu) submit(ctx context.Context, r *recording) error {
	for i, s := range r.sequences {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i > 0 {
			if err := g.wait(ctx); err != nil {
				return err
			}
		}
		g.running.Store(&r.spans[i])
		if err := g.dev.Submit(s); err != nil {
			return g.named(err)
		}
	}
	return nil
}

// span names a sequence by its first and last operators.
func span(label string, calls []*call) string {
	first, last := calls[0].label(), calls[len(calls)-1].label()
	if first == last {
		return label + ": " + first
	}
	return label + ": " + first + " to " + last
}

// wait waits for all that was submitted.
func (g *gpu) wait(ctx context.Context) error { return g.named(g.dev.Wait(ctx, patience)) }

// read waits and copies part of a buffer to floats.
func (g *gpu) read(ctx context.Context, from driver.Range, to []float32) error {
	return g.named(g.dev.Read(ctx, from.Buffer, from.Offset, bytesOf(to), patience))
}

// named gives an error that came while the device worked the names of the
// operators that ran. One that an operator has already keeps it.
func (g *gpu) named(err error) error {
	var e *driver.Error
	if running := g.running.Load(); running != nil && errors.As(err, &e) && (e.Kind != driver.Invalid || e.Label == "" || e.Label == "wait") {
		return &driver.Error{Kind: e.Kind, Label: *running, Message: e.Message}
	}
	return err
}
