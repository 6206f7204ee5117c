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
	// narrow is the bytes of all weights in float32 beyond which they are kept
	// as they are stored.
	narrow int64
	// fused is how many pairs of input and output blocks of a 3×3 convolution
	// are kept transformed, for the fused kernel, which reads them once an item
	// and fetches them ahead. More are transformed when they are read, in stages,
	// and on the deep levels, where few tiles share them, more than deep.
	fused, deep int
	tiles       []int // Winograd's m, in the order of preference
	// transforms weighs the cost of what stages do beside products.
	transforms float64
	// tiled does convolutions of stride 1 in bfloat16, where the set can.
	tiled bool
}

var defaultPolicy = policy{narrow: 1 << 30, fused: 64, deep: 16, tiles: []int{4, 2}, transforms: 1}

// packing is how a weight lies in memory.
type packing struct {
	out, in, taps int  // 0: plain
	tile          int  // Winograd's m if it is kept transformed, or 0
	tiled         bool // in bfloat16 tiles
	typ           kernels.Type
	bytes         int64
}

// blocks is how many groups of 16 n channels take.
func blocks(n int) int { return (n + kernels.Block - 1) / kernels.Block }

// lines rounds bytes up to whole cache lines.
func lines(n int) int64 { return (int64(n) + 63) &^ 63 }

// packings tells how every parameter of a plan is packed. It depends on the
// weights alone, so that all sizes of a network agree.
func (q policy) packings(p *plan.Plan, stored weights.DType) []packing {
	pk, total := q.pack(p, kernels.F32)
	if total > q.narrow {
		pk, _ = q.pack(p, narrow[stored])
	}
	return pk
}

// pack packs weights with those that are not transformed in a type, and counts
// the bytes.
func (q policy) pack(p *plan.Plan, t kernels.Type) (pk []packing, total int64) {
	pk = make([]packing, len(p.Params))
	for _, op := range p.Ops {
		switch o := op.(type) {
		case *plan.Conv:
			k := packing{out: p.Shape(o.Y).C, in: p.Channels(o.X), taps: o.Kernel * o.Kernel, typ: t}
			most := q.fused
			if 8*p.Shape(o.Y).H <= p.Shape(p.X).H {
				most = min(most, q.deep)
			}
			if winogradable(o) && blocks(k.in)*blocks(k.out) <= most && len(q.tiles) > 0 {
				k.tile, k.typ = q.tiles[0], kernels.F32
			}
			if q.tiled && tileable(o, k) {
				k.tiled, k.tile, k.typ = true, 0, kernels.BF16
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
	if k.tiled {
		return int64(blocks(k.out) * pairs(k.in) * k.taps * kernels.TileBytes)
	}
	n := blocks(k.out) * blocks(k.in) * kernels.Block * kernels.Block
	if k.tile > 0 {
		n *= (k.tile + 2) * (k.tile + 2)
	} else {
		n *= k.taps
	}
	return lines(n * k.typ.Size())
}

// tileable: the first convolution reads the picture, and the last writes it;
// their few channels gain nothing, and what they lose is seen.
func tileable(o *plan.Conv, k packing) bool {
	return o.Stride == 1 && blocks(k.in) > 1 && blocks(k.out) > 1
}

// pairs is how many groups of 32 n channels take.
func pairs(n int) int { return (n + 2*kernels.Block - 1) / (2 * kernels.Block) }

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
			pack := kernels.PackWeights
			if k.tiled {
				pack = kernels.PackTiles
			}
			n.team.run(threads, pack, m.Addr, blocks(k.out))
			return nil
		})
	}
	return g.Wait()
}
