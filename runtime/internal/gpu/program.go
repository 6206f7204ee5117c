package gpu

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
)

// program is a plan's calls, recorded, with their memory.
type program struct {
	*network
	owned
	p       *plan.Plan
	lowered *lowered
	pages   []driver.Buffer
	scratch driver.Buffer
	tables  driver.Buffer
	body    *recording // from the planar input to the planar output
	mu      sync.Mutex
	once    sync.Once
}

// Compile implements device.Network.
func (n *network) Compile(p *plan.Plan) (device.Program, error) {
	for i, w := range p.Params {
		if i >= len(n.names) || n.names[i] != w.Name {
			return nil, fmt.Errorf("gpu: weight %s was not loaded", w.Name)
		}
	}
	part, _, err := n.lowerParts(p, n.params, n.choose)
	if err != nil {
		return nil, err
	}
	c, err := n.chooser(context.Background(), part)
	if err != nil {
		return nil, err
	}
	r, err := n.compile(context.Background(), part, c)
	if err != nil {
		return nil, err
	}
	if part != p {
		return &parts{r, p}, nil
	}
	return r, nil
}

// compile lowers a plan as a chooser says, and gives it memory.
func (n *network) compile(ctx context.Context, p *plan.Plan, c chooser) (*program, error) {
	l, err := lower(p, n.half, n.params, n.limits, c)
	if err != nil {
		return nil, err
	}
	r := &program{network: n, p: p, lowered: l}
	err = r.allocate()
	if err == nil {
		r.body, err = r.keep(r.record(ctx, "network", l.calls, r.place))
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// keep notes a recording, if it was made.
func (r *program) keep(made *recording, err error) (*recording, error) {
	if err == nil {
		r.owned = append(r.owned, &made.owned)
	}
	return made, err
}

// allocate gives a program its memory.
func (r *program) allocate() (err error) {
	l := r.lowered
	buffer := func(label string, size int64) (b driver.Buffer) {
		if err == nil {
			b, err = r.dev.Buffer(label, max(256, aligned(size)), driver.Storage)
			b, err = keep(&r.owned, b, err)
		}
		return b
	}
	for left := l.arena; left > 0; left -= l.page {
		r.pages = append(r.pages, buffer("activations", min(left, l.page)))
	}
	r.scratch = buffer("scratch", l.scratch)
	r.tables = buffer("tables", int64(len(l.tables)))
	if err != nil {
		return err
	}
	if len(l.tables) > 0 {
		if err := r.dev.Write(r.tables, 0, l.tables); err != nil {
			return err
		}
	}
	return r.believe(l.largest)
}

// believe holds against the device that it binds what it says, the first time
// that a program needs more than every WebGPU has.
func (r *program) believe(o operand) error {
	if o.size <= max(driver.Defaults.Binding, r.reached.Load()) {
		return nil
	}
	ok, err := reaches(context.Background(), r.dev, r.place(o))
	if err != nil {
		return err
	}
	if !ok {
		return &TooLargeError{Name: "a tensor", Bytes: o.size, Claimed: true}
	}
	r.reached.Store(o.size)
	return nil
}

// Release lets owned things be owned.
func (o *owned) Release() { o.release() }

// place finds an operand's memory.
func (r *program) place(o operand) driver.Range {
	switch o.space {
	case arena:
		page := r.lowered.page
		return driver.Range{Buffer: r.pages[o.at/page], Offset: o.at % page, Size: o.size}
	case scratch:
		return driver.Range{Buffer: r.scratch, Offset: o.at, Size: o.size}
	case tables:
		return driver.Range{Buffer: r.tables, Offset: o.at, Size: o.size}
	}
	return r.network.place(o)
}

func (r *program) Plan() *plan.Plan { return r.p }

func (r *program) Close() error {
	r.once.Do(r.owned.release)
	return nil
}

// Run implements device.Program; calls wait for each other.
func (r *program) Run(ctx context.Context, in device.Input, y []float32) error {
	return r.run(ctx, in, y, func() error { return r.submit(ctx, r.body) })
}

func (r *program) run(ctx context.Context, in device.Input, y []float32, body func() error) error {
	if err := device.Check(r.p, in, y); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := r.fill(in); err != nil {
		return err
	}
	x := r.place(r.lowered.planarX)
	if err := r.dev.Write(x.Buffer, x.Offset, bytesOf(in.X)); err != nil {
		return err
	}
	if err := body(); err != nil {
		return err
	}
	return r.read(ctx, r.place(r.lowered.planarY), y)
}

// fill writes an evaluation's noise levels and labels.
func (r *program) fill(in device.Input) error {
	write := func(v plan.Value, rows [][]float32) error {
		to := r.place(r.lowered.value(v))
		all := make([]float32, to.Size/4)
		for i, row := range rows {
			copy(all[i*len(all)/len(rows):], row)
		}
		return r.dev.Write(to.Buffer, to.Offset, bytesOf(all))
	}
	if t := r.lowered.p.Time; t != plan.None {
		var rows [][]float32
		for _, level := range in.Levels {
			row := make([]float32, r.lowered.p.Shape(t).C)
			unet.Sinusoid(level, row)
			rows = append(rows, row)
		}
		if err := write(t, rows); err != nil {
			return err
		}
	}
	if v := r.lowered.p.Label; v != plan.None {
		var rows [][]float32
		for _, label := range in.Labels {
			rows = append(rows, []float32{float32(label)})
		}
		return write(v, rows)
	}
	return nil
}

// Profile implements device.Profiler.
func (r *program) Profile(ctx context.Context, in device.Input, y []float32, each func(plan.Op, time.Duration)) error {
	return r.profile(ctx, in, y, func(c *call, d time.Duration) { each(c.op, d) })
}
