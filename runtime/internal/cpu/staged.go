package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Sizes of the staged transform. A group's products and a piece's weights stay
// in a core's cache together; the transformed inputs of a stage in the last one.
const (
	groupTiles  = 96
	pieceBlocks = 4
	stageFloats = 4 << 20
)

// stages returns Winograd's m if the convolution is to be done in stages, else
// 0: where the weights are kept as they are and the transforms are repaid.
func (l *lowered) stages(o *plan.Conv, y plan.Shape) int {
	k := l.pk[o.W]
	if k.tile > 0 || !winogradable(o) {
		return 0
	}
	best, least := 0, float64(2*9*y.N*y.H*y.W)*float64(k.in*k.out)
	for _, m := range l.policy.tiles {
		if cost := l.policy.stagedCost(k, y, m); cost < least {
			best, least = m, cost
		}
	}
	return best
}

// tilesOf is how many m×m tiles cover all samples.
func tilesOf(y plan.Shape, m int) int { return y.N * count(y.H, m) * count(y.W, m) }

// What a transform costs beside a multiply-add that runs at the peak: for each
// filter, and for each channel of a tile.
var (
	filterCost = map[int]float64{2: 100, 4: 320}
	tileCost   = map[int]float64{2: 140, 4: 400}
)

// stagedCost estimates a staged convolution in arithmetic operations. Products
// of few rows take as long as those of four.
func (q policy) stagedCost(k packing, y plan.Shape, m int) float64 {
	freq, tiles := float64((m+2)*(m+2)), tilesOf(y, m)
	in, out := float64(k.in), float64(k.out)
	return 2*freq*float64(max(4, tiles))*in*out +
		q.transforms*(filterCost[m]*float64(count(tiles, groupTiles))*in*out+tileCost[m]*float64(tiles)*(in+out))
}

// staged appends the stages of a convolution: a stage's inputs, then its
// products.
func (l *lowered) staged(c *kernels.Conv, o *plan.Conv, y plan.Shape, m int, fill func(*kernels.Conv)) {
	k := l.pk[o.W]
	freq := (m + 2) * (m + 2)
	in, out := blocks(k.in), blocks(k.out)
	th, tw := (y.H+m-1)/m, (y.W+m-1)/m
	bh, bw := even(th, 4), even(tw, 8)
	ny, nx := count(th, bh), count(tw, bw)
	c.BH, c.BW, c.NY, c.NX, c.KB, c.NK = int64(bh), int64(bw), int64(ny), int64(nx), int64(out), 1
	items, pairs := y.N*ny*nx, count(out, kernels.Slice)

	perStage := max(1, stageFloats/(freq*in*kernels.Block*bh*bw))
	perGroup := max(1, groupTiles/(bh*bw))
	want := count(itemsPerThread*l.threads, pairs) // groups
	perStage = even(items, max(perStage, perGroup*want))
	perGroup = even(perStage, min(perGroup, max(1, perStage/want)))
	piece := min(in, pieceBlocks)

	pitch := func(blocks, tiles int) int { return (blocks*tiles + 1) * kernels.Block }
	cols := bw*m + 2
	c.Strip = int64(line(o.Resample, cols))
	l.needs(freq*pitch(in, perStage*bh*bw), max(int(c.Strip)+(bh*m+2)*cols*kernels.Block,
		freq*(pitch(kernels.Slice*kernels.Block, piece)+pitch(kernels.Slice, perGroup*bh*bw))))
	for first := 0; first < items; first += perStage {
		now := min(perStage, items-first)
		stage := func(kernel kernels.Kernel, items int) {
			add(l, o, kernel, items, func(a *kernels.Staged) {
				*a = kernels.Staged{Tile: int64(m), First: int64(first), Count: int64(now), Group: int64(perGroup), Piece: int64(piece)}
				fill(&a.Conv)
				a.V = l.at(l.arena)
			})
		}
		stage(kernels.StageInput, now*in)
		stage(kernels.StageProducts, count(now, perGroup)*pairs)
	}
}

// count is how many parts of at most b make n; even is the least size with
// which as many do.
func count(n, b int) int { return (n + b - 1) / b }
func even(n, b int) int  { return count(n, count(n, b)) }
