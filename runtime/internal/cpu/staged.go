package cpu

import (
	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
)

// Sizes of the staged transform. A stage's tiles let a frequency's inputs and
// products stay in a core's cache; a slice's transformed weights bound what
// they take beside the activations.
const (
	stageTiles  = 256
	sliceFloats = 10 << 20
)

// stages returns Winograd's m if the convolution is to be done in stages, else
// 0: where the weights are kept as they are and the transforms are repaid, or
// where they are kept transformed but are too many for the fused one.
func (l *lowered) stages(o *plan.Conv, y plan.Shape) int {
	k := l.pk[o.W]
	if k.tile > 0 {
		if k.in > l.policy.fused && tilesOf(y, k.tile) >= l.policy.few {
			return k.tile
		}
		return 0
	}
	if !winogradable(o) || tilesOf(y, 2) < l.policy.few {
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

// stagedCost estimates a staged convolution in arithmetic operations.
func (q policy) stagedCost(k packing, y plan.Shape, m int) float64 {
	freq, tiles := float64((m+2)*(m+2)), float64(tilesOf(y, m))
	in, out := float64(k.in), float64(k.out)
	moved := 4 * freq * 2 * (in*out + tiles*in + tiles*out)
	return 2*freq*tiles*in*out + q.byteCost*moved
}

// staged appends the stages of a convolution: for every slice of outputs its
// weights, then for every stage of tiles inputs, products and outputs.
func (l *lowered) staged(c *kernels.Conv, o *plan.Conv, y plan.Shape, m int, fill func(*kernels.Conv)) {
	k := l.pk[o.W]
	freq := (m + 2) * (m + 2)
	in, out := blocks(k.in), blocks(k.out)
	th, tw := (y.H+m-1)/m, (y.W+m-1)/m
	bh, bw := even(th, 8), even(tw, 8)
	ny, nx := count(th, bh), count(tw, bw)
	c.BH, c.BW, c.NY, c.NX, c.KB, c.NK = int64(bh), int64(bw), int64(ny), int64(nx), int64(out), 1
	items := y.N * ny * nx
	perStage := even(items, max(1, stageTiles/(bh*bw)))
	tiles := perStage * bh * bw

	slice := out
	if k.tile == 0 {
		slice = even(out, max(kernels.Slice, sliceFloats/(freq*in*kernels.Block*kernels.Block)))
		slice = count(slice, kernels.Slice) * kernels.Slice
	}
	pitch := func(blocks, tiles int) int { return (blocks*tiles + 1) * kernels.Block }
	s := kernels.Staged{Tile: int64(m)}
	s.UBlock = int64(in * kernels.Block * kernels.Block)
	s.UStep = int64(out) * s.UBlock
	v, p, u := freq*pitch(in, tiles), freq*pitch(slice, tiles), 0
	if k.tile == 0 {
		s.UStep = int64(slice)*s.UBlock + kernels.Block
		u = freq * int(s.UStep)
	}
	cols := bw*m + 2
	c.Strip = int64(line(o.Resample, cols))
	l.needs(v+p+u, max(int(c.Strip)+(bh*m+2)*cols*kernels.Block, 2*in))

	stage := func(kernel kernels.Kernel, items int, b0, first, count int) {
		add(l, o, kernel, items, func(a *kernels.Staged) {
			*a = s
			fill(&a.Conv)
			a.V, a.M, a.U = l.at(l.arena), l.at(l.arena+v), l.at(l.arena+v+p)
			if k.tile > 0 {
				a.U = a.Weights + 4*int64(b0)*s.UBlock
			}
			a.B0, a.B1 = int64(b0), int64(min(out, b0+slice))
			a.First, a.Count = int64(first), int64(count)
			a.Group = stageGroup
		})
	}
	for b := 0; b < out; b += slice {
		n := min(slice, out-b)
		if k.tile == 0 {
			stage(kernels.StageWeights, n*in, b, 0, 0)
		}
		for first := 0; first < items; first += perStage {
			now := min(perStage, items-first)
			stage(kernels.StageInput, now*in, b, first, now)
			stage(kernels.StageMultiply, freq*count(n, stageGroup), b, first, now)
			stage(kernels.StageOutput, now*n, b, first, now)
		}
	}
}

// stageGroup is the output blocks of one piece of the multiplication.
const stageGroup = 4

// count is how many parts of at most b make n; even is the least size with
// which as many do.
func count(n, b int) int { return (n + b - 1) / b }
func even(n, b int) int  { return count(n, count(n, b)) }
