package cpu

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// winogradLimit is the size of all weights up to which 3×3 ones are kept
// transformed, four times as large; larger networks use them as they are.
const winogradLimit = 1 << 30

// packing is how a weight lies in memory.
type packing struct {
	out, in, taps int // 0: plain
	tile          int // Winograd's m, or 0
	floats        int
}

// blocks is how many groups of 16 n channels take.
func blocks(n int) int { return (n + kernels.Block - 1) / kernels.Block }

// packings tells how every parameter of a plan is packed. It depends on the
// weights alone, so that all sizes of a network agree.
func packings(p *plan.Plan) []packing {
	pk := make([]packing, len(p.Params))
	for i, w := range p.Params {
		pk[i] = packing{floats: kernels.Block * blocks(w.Len())}
	}
	total := 0
	for _, op := range p.Ops {
		switch o := op.(type) {
		case *plan.Conv:
			pk[o.W] = direct(p.Shape(o.Y).C, p.Channels(o.X), o.Kernel*o.Kernel)
			if winogradable(p, o) {
				total += 4 * 36 * pk[o.W].floats / 9
			}
		case *plan.Linear:
			pk[o.W] = direct(p.Shape(o.Y).C, p.Shape(o.X).C, 1)
		}
	}
	if total > winogradLimit {
		return pk
	}
	for _, op := range p.Ops {
		if o, ok := op.(*plan.Conv); ok && winogradable(p, o) {
			pk[o.W].tile = 4
			pk[o.W].floats = pk[o.W].floats / 9 * 36
		}
	}
	return pk
}

func direct(out, in, taps int) packing {
	return packing{out: out, in: in, taps: taps, floats: blocks(out) * blocks(in) * taps * kernels.Block * kernels.Block}
}

func winogradable(p *plan.Plan, o *plan.Conv) bool {
	return o.Kernel == 3 && o.Stride == 1 && min(p.Channels(o.X), p.Shape(o.Y).C) >= kernels.Block
}

// load reads and packs every weight.
func (n *network) load(ctx context.Context, p *plan.Plan, pk []packing, src weights.Source) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads(n.asked))
	for i, w := range p.Params {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := n.memory.Floats()[n.where[w.Name]:][:pk[i].floats]
			if pk[i].taps == 0 {
				return src.ReadF32(w.Name, to[:w.Len()])
			}
			const head = 64
			m, err := n.set.Alloc(head + 4*int64(w.Len()))
			if err != nil {
				return err
			}
			defer n.set.Free(m)
			if err := src.ReadF32(w.Name, m.Floats()[head/4:]); err != nil {
				return err
			}
			kernels.Put(m, 0, &kernels.Pack{W: m.Addr + head, To: n.memory.Addr + 4*int64(n.where[w.Name]),
				Out: int64(pk[i].out), In: int64(pk[i].in), Taps: int64(pk[i].taps), Tile: int64(pk[i].tile)})
			n.team.run(threads(n.asked), kernels.PackWeights, m.Addr, blocks(pk[i].out))
			return nil
		})
	}
	return g.Wait()
}
