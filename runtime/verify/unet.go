package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// network judges one evaluation of a network: y, and the output of every
// block that the file brings as act.NAME.
func network(ctx context.Context, j *job) ([]Row, error) {
	if err := j.only(func(n string) bool {
		return n == "x" || n == "t" || n == "y" || n == "label" || strings.HasPrefix(n, "params.") || strings.HasPrefix(n, "act.")
	}); err != nil {
		return nil, err
	}
	in, err := j.input()
	if err != nil {
		return nil, err
	}
	e, err := load(ctx, j, j.params("params."), in)
	if err != nil {
		return nil, err
	}
	defer e.close()
	var rows []Row
	for _, name := range j.names() {
		if name != "y" && !strings.HasPrefix(name, "act.") {
			continue
		}
		want, err := j.read(name)
		if err != nil {
			return nil, err
		}
		var got *tensor
		if name == "y" {
			got, err = e.run(ctx, e.plan)
		} else {
			got, err = e.block(ctx, strings.TrimPrefix(name, "act."))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		row, err := e.row(name, want, got)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// input reads x, t and label, of any batch.
func (j *job) input() (device.Input, error) {
	x, err := j.read("x")
	if err != nil {
		return device.Input{}, err
	}
	t, err := j.read("t")
	if err != nil {
		return device.Input{}, err
	}
	if len(x.shape) != 4 || len(t.v) != x.shape[0] {
		return device.Input{}, fmt.Errorf("x is %v and t is %v; they should be [B, C, H, W] and [B]", x.shape, t.shape)
	}
	in := device.Input{X: x.v}
	for _, l := range t.v {
		in.Levels = append(in.Levels, float64(l))
	}
	in.Labels, err = j.labels(x.shape[0])
	return in, err
}

// labels reads the class indices of a batch, which may be absent.
func (j *job) labels(batch int) ([]int, error) {
	if !j.has("label") {
		return nil, nil
	}
	l, err := j.read("label")
	if err != nil {
		return nil, err
	}
	if len(l.v) != batch {
		return nil, fmt.Errorf("label is %v for a batch of %d", l.shape, batch)
	}
	var labels []int
	for _, v := range l.v {
		if v != float32(int32(v)) {
			return nil, fmt.Errorf("label %v is no class index", v)
		}
		labels = append(labels, int(v))
	}
	return labels, nil
}

// evaluation is a network on a device with one input.
type evaluation struct {
	net     device.Network
	device  string
	half    bool
	in      device.Input
	unfused *plan.Plan // block by block
	plan    *plan.Plan // as it is run
}

// load brings a network's weights onto the job's device.
func load(ctx context.Context, j *job, src weights.Source, in device.Input) (*evaluation, error) {
	cfg, err := j.network(src)
	if err != nil {
		return nil, err
	}
	x, err := j.read("x")
	if err != nil {
		return nil, err
	}
	e := &evaluation{in: in}
	if e.unfused, err = unet.BuildUnfused(cfg, x.shape[0], x.shape[2], x.shape[3]); err != nil {
		return nil, err
	}
	if c := e.unfused.Shape(e.unfused.X).C; c != x.shape[1] {
		return nil, fmt.Errorf("x has %d channels, the network takes %d", x.shape[1], c)
	}
	d, err := j.device()
	if err != nil {
		return nil, err
	}
	e.plan, e.device, e.half = plan.Fuse(e.unfused), j.named(d.Info().Name), j.half()
	e.net, err = d.Load(ctx, e.plan, src)
	return e, err
}

func (e *evaluation) close() { e.net.Close() }

func (e *evaluation) row(name string, want, got *tensor) (Row, error) {
	if err := sameShape(name, want, got); err != nil {
		return Row{}, err
	}
	return compare(name, want.v, got.v, scaled(networkTolerance(e.device, e.half), want.v)), nil
}

// run evaluates a plan of the network and returns its output.
func (e *evaluation) run(ctx context.Context, p *plan.Plan) (*tensor, error) {
	prog, err := e.net.Compile(p)
	if err != nil {
		return nil, err
	}
	defer prog.Close()
	s := p.Shape(p.Output)
	y := make([]float32, s.Len())
	in := e.in
	if p.Label == plan.None && e.unfused.Label == plan.None && in.Labels != nil {
		return nil, fmt.Errorf("there is a label, but the network takes none")
	}
	if p.Label == plan.None {
		in.Labels = nil
	}
	if err := prog.Run(ctx, in, y); err != nil {
		return nil, err
	}
	return &tensor{shape: []int{s.N, s.C, s.H, s.W}, v: y}, nil
}

// block evaluates the network up to the end of a block (input_blocks.3,
// middle_block, out, time_embed, …) or of a layer in it, by a plan that ends
// there. That way any executor can be asked for it.
func (e *evaluation) block(ctx context.Context, name string) (*tensor, error) {
	switch name {
	case "timestep_embedding":
		return e.embedding(ctx)
	case "label_emb": // the plan adds it to time_embed in one operator
		sum, err := e.upTo(ctx, name)
		if err != nil {
			return nil, err
		}
		rest, err := e.upTo(ctx, "time_embed")
		if err != nil {
			return nil, err
		}
		for i, v := range rest.v {
			sum.v[i] -= v
		}
		return sum, nil
	}
	return e.upTo(ctx, name)
}

func (e *evaluation) upTo(ctx context.Context, name string) (*tensor, error) {
	p := *e.unfused
	end := -1
	for i, op := range p.Ops {
		if v := p.Values[op.Out()].Name; v == name || strings.HasPrefix(v, name+".") {
			end = i
		}
	}
	if end < 0 {
		return nil, fmt.Errorf("the network has no block of this name")
	}
	p.Ops, p.Output = p.Ops[:end+1], p.Ops[end].Out()
	if !slices.ContainsFunc(p.Ops, func(op plan.Op) bool { return slices.Contains(op.In(), p.Label) }) {
		p.Label = plan.None // no operator of this part reads it
	}
	return e.run(ctx, plan.Fuse(&p))
}

// embedding evaluates the sinusoidal embedding of t.
func (e *evaluation) embedding(ctx context.Context) (*tensor, error) {
	b := plan.NewBuilder()
	b.Input(e.unfused.Shape(e.unfused.X))
	s := e.unfused.Shape(e.unfused.Time)
	p, err := b.Plan(b.Map("timestep_embedding", plan.Read{X: []plan.Value{b.Time(s.N, s.C)}, Affine: plan.None},
		plan.Write{Shift: plan.None, Residual: plan.None}))
	if err != nil {
		return nil, err
	}
	return e.run(ctx, p)
}
