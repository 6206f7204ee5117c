package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Sizes of the staged transform. Up to fewTiles, a pair of output blocks is done
// in a core's cache, with pieceBlocks of its weights transformed at a time. With
// more, a stage's tiles let a frequency's inputs and products stay there, and a
// slice's transformed weights bound what they take beside the activations.
const (
	fewTiles    = 96
	pieceBlocks = 4
	stageTiles  = 256
	sliceFloats = 10 << 20
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
		q.transforms*(filterCost[m]*in*out+tileCost[m]*float64(tiles)*(in+out))
}

// staged appends the stages of a convolution.
func (l *lowered) staged(c *kernels.Conv, o *plan.Conv, y plan.Shape, m int, fill func(*kernels.Conv)) {
	th, tw := (y.H+m-1)/m, (y.W+m-1)/m
	bh, bw := even(th, 8), even(tw, 8)
	few := y.N*count(th, bh)*count(tw, bw)*bh*bw <= fewTiles
	if few {
		bh, bw = l.part(o, y.N, th, tw, bh, bw)
	}
	ny, nx := count(th, bh), count(tw, bw)
	c.BH, c.BW, c.NY, c.NX, c.KB, c.NK = int64(bh), int64(bw), int64(ny), int64(nx), int64(blocks(l.pk[o.W].out)), 1
	cols := bw*m + 2
	c.Strip = int64(line(o.Resample, cols))
	l.needs(0, int(c.Strip)+(bh*m+2)*cols*kernels.Block)
	if few {
		l.stagedPairs(o, y.N*ny*nx, bh*bw, m, fill)
	} else {
		l.stagedSlices(o, y.N*ny*nx, bh*bw, m, fill)
	}
}

// part makes an item's tiles fewer where threads would go without. Each item
// transforms its weights again, so there is an end to it.
func (l *lowered) part(o *plan.Conv, samples, th, tw, bh, bw int) (int, int) {
	pairs := count(blocks(l.pk[o.W].out), kernels.Slice)
	for samples*count(th, bh)*count(tw, bw)*pairs < itemsPerThread*l.threads && bh*bw > 4 {
		if bh >= bw {
			bh = even(th, (bh+1)/2)
		} else {
			bw = even(tw, (bw+1)/2)
		}
	}
	return bh, bw
}

// pitch is the floats of a frequency's blocks×tiles.
func pitch(blocks, tiles int) int { return (blocks*tiles + 1) * kernels.Block }

// stage appends one kernel of a stage; set fills in what differs.
func (l *lowered) stage(o *plan.Conv, k kernels.Kernel, items int, fill func(*kernels.Conv), set func(*kernels.Staged)) {
	add(l, o, k, items, func(a *kernels.Staged) {
		set(a)
		fill(&a.Conv)
	})
}

// stagedPairs is a stage of all tiles, in items of each: its inputs, then pairs
// of output blocks, of as many of the items as leaves work for every thread.
func (l *lowered) stagedPairs(o *plan.Conv, items, each, m int, fill func(*kernels.Conv)) {
	in, pairs := blocks(l.pk[o.W].in), count(blocks(l.pk[o.W].out), kernels.Slice)
	freq := (m + 2) * (m + 2)
	group := even(items, max(1, items/count(itemsPerThread*l.threads, pairs)))
	piece := min(in, pieceBlocks)
	l.needs(freq*pitch(in, items*each), freq*(pitch(kernels.Slice*kernels.Block, piece)+pitch(kernels.Slice, group*each)))
	set := func(a *kernels.Staged) {
		*a = kernels.Staged{Tile: int64(m), Count: int64(items), Group: int64(group), Piece: int64(piece), V: l.at(l.arena)}
	}
	l.stage(o, kernels.StageInput, items*in, fill, set)
	l.stage(o, kernels.StageProducts, count(items, group)*pairs, fill, set)
}

// stagedSlices is for every slice of outputs its weights, then for every stage
// of tiles inputs, products and outputs.
func (l *lowered) stagedSlices(o *plan.Conv, items, each, m int, fill func(*kernels.Conv)) {
	in, out := blocks(l.pk[o.W].in), blocks(l.pk[o.W].out)
	freq := (m + 2) * (m + 2)
	perStage := even(items, max(1, stageTiles/each))
	slice := even(out, max(kernels.Slice, sliceFloats/(freq*in*kernels.Block*kernels.Block)))
	slice = count(slice, kernels.Slice) * kernels.Slice
	uBlock := in * kernels.Block * kernels.Block
	uStep := slice*uBlock + kernels.Block
	v, p := freq*pitch(in, perStage*each), freq*pitch(slice, perStage*each)
	l.needs(v+p+freq*uStep, 2*in)
	for b := 0; b < out; b += slice {
		n := min(slice, out-b)
		for first := 0; first < items; first += perStage {
			now := min(perStage, items-first)
			set := func(a *kernels.Staged) {
				*a = kernels.Staged{Tile: int64(m), First: int64(first), Count: int64(now), B0: int64(b), B1: int64(b + n), Group: stageGroup,
					V: l.at(l.arena), M: l.at(l.arena + v), U: l.at(l.arena + v + p), UStep: int64(uStep), UBlock: int64(uBlock)}
			}
			if first == 0 {
				l.stage(o, kernels.StageWeights, n*in, fill, set)
			}
			l.stage(o, kernels.StageInput, now*in, fill, set)
			l.stage(o, kernels.StageMultiply, freq*count(n, stageGroup), fill, set)
			l.stage(o, kernels.StageOutput, now*n, fill, set)
		}
	}
}

// stageGroup is the output blocks of one piece of the multiplication.
const stageGroup = 4

// count is how many parts of at most b make n; even is the least size with
// which as many do.
func count(n, b int) int { return (n + b - 1) / b }
func even(n, b int) int  { return count(n, count(n, b)) }
