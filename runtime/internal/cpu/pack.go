package cpu

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// policy is how convolutions are done where there is a choice. All choices
// give the same result up to rounding.
type policy struct {
	// transformed is the bytes of all weights up to which 3×3 ones are kept
	// transformed: by F(4,3), four times as large, else by F(2,3), not twice
	// as large; larger networks keep them as they are.
	transformed int64
	// fused is how many input channels the fused transform is used for;
	// beyond, the inputs of the few tiles that fit a core's cache do not pay
	// for reading all weights.
	fused int
	// few is the tiles below which there are no stages.
	few int
	// byteCost is the additions and multiplications that a core does while it
	// moves a byte between memory and its cache.
	byteCost float64
	tiles    []int // Winograd's m, in the order of preference
}

var defaultPolicy = policy{transformed: 1 << 30, fused: 192, few: 64, byteCost: 12, tiles: []int{4, 2}}

// packing is how a weight lies in memory.
type packing struct {
	out, in, taps int // 0: plain
	tile          int // Winograd's m if it is kept transformed, or 0
	typ           kernels.Type
	bytes         int64
}

// blocks is how many groups of 16 n channels take.
func blocks(n int) int { return (n + kernels.Block - 1) / kernels.Block }

// lines rounds bytes up to whole cache lines.
func lines(n int) int64 { return (int64(n) + 63) &^ 63 }

// packings tells how every parameter of a plan is packed. It depends on the
// weights alone, so that all sizes of a network agree. A network whose
// transformed weights would be too large keeps them narrow, as they are stored.
func (q policy) packings(p *plan.Plan, stored weights.DType) []packing {
	for _, m := range q.tiles {
		pk, total := pack(p, m, kernels.F32)
		if total <= q.transformed {
			return pk
		}
	}
	pk, _ := pack(p, 0, narrow[stored])
	return pk
}

// pack packs 3×3 weights transformed for m×m tiles, or with m = 0 all weights
// as they are, and counts the bytes.
func pack(p *plan.Plan, m int, t kernels.Type) (pk []packing, total int64) {
	pk = make([]packing, len(p.Params))
	for _, op := range p.Ops {
		switch o := op.(type) {
		case *plan.Conv:
			k := packing{out: p.Shape(o.Y).C, in: p.Channels(o.X), taps: o.Kernel * o.Kernel, typ: t}
			if winogradable(o) {
				k.tile = m
			}
			pk[o.W] = k
		case *plan.Linear:
			pk[o.W] = packing{out: p.Shape(o.Y).C, in: p.Shape(o.X).C, taps: 1, typ: t}
		}
	}
	for i, w := range p.Params {
		pk[i].bytes = pk[i].size()
		if pk[i].taps == 0 {
			pk[i].bytes = lines(4 * w.Len())
		}
		total += pk[i].bytes
	}
	return pk, total
}

// narrow tells how weights that are stored in some way are kept where they
// are not transformed. Scaled bytes are made float16, which holds all of their
// digits.
var narrow = map[weights.DType]kernels.Type{weights.F16: kernels.F16, weights.BF16: kernels.BF16, weights.I8: kernels.F16}

// size is the bytes of a matrix.
func (k packing) size() int64 {
	n := blocks(k.out) * blocks(k.in) * kernels.Block * kernels.Block
	if k.tile > 0 {
		n *= (k.tile + 2) * (k.tile + 2)
	} else {
		n *= k.taps
	}
	return lines(n * k.typ.Size())
}

func winogradable(o *plan.Conv) bool {
	return o.Kernel == 3 && o.Stride == 1
}

// storedAs is how a source stores the weights of a plan's first convolution,
// which stands for all.
func storedAs(p *plan.Plan, src weights.Source) weights.DType {
	for _, op := range p.Ops {
		if o, ok := op.(*plan.Conv); ok {
			for _, t := range src.Tensors() {
				if t.Name == p.Params[o.W].Name {
					return t.DType
				}
			}
		}
	}
	return weights.F32
}

// load reads and packs every weight.
func (n *network) load(ctx context.Context, p *plan.Plan, src weights.Source) error {
	const head = 128 // bytes of a kernel's arguments, before the weights that it packs
	largest := 0
	for _, w := range p.Params {
		largest = max(largest, w.Len())
	}
	threads := n.team.threads(n.asked)
	rooms := make(chan kernels.Memory, threads)
	defer func() {
		for range threads {
			n.set.Free(<-rooms)
		}
	}()
	for range threads {
		m, err := n.set.Alloc(head + 4*int64(largest))
		rooms <- m
		if err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for i, w := range p.Params {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			k, to := n.packed[i], n.memory.Slice(n.where[w.Name])
			if k.taps == 0 {
				return src.ReadF32(w.Name, to.Floats()[:w.Len()])
			}
			m := <-rooms
			defer func() { rooms <- m }()
			if err := src.ReadF32(w.Name, m.Floats()[head/4:][:w.Len()]); err != nil {
				return err
			}
			kernels.Put(m, 0, &kernels.Pack{W: m.Addr + head, To: to.Addr,
				Out: int64(k.out), In: int64(k.in), Taps: int64(k.taps), Tile: int64(k.tile), Type: k.typ})
			n.team.run(threads, kernels.PackWeights, m.Addr, blocks(k.out))
			return nil
		})
	}
	return g.Wait()
}
