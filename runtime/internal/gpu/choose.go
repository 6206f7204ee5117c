package gpu

// convShape is all that the speed of a convolution depends on.
type convShape struct {
	n, h, w, in, out int // of the result
	kernel, stride   int
	half             bool
}

// convChoice is one way to do a convolution.
type convChoice struct {
	tiling
	split    int   // parts of the steps
	winograd int   // m of F(m×m, 3×3), or 0
	weights  int64 // bytes of transformed weights at a time
	scratch  int64 // bytes of transformed inputs and products at a time
}

// chooser decides how convolutions are done.
type chooser struct {
	groups   int     // workgroups that fill the device
	byteCost float64 // arithmetic operations that cost as much as a byte of memory
	patience int64   // arithmetic operations that one submit may take, at most
	bare     bool    // workgroup memory does not pay
	tuned    map[convShape]convChoice
}

// What a device is taken for until it was measured.
var (
	realDevice     = chooser{groups: 128, byteCost: 20, patience: 400e9}
	softwareDevice = chooser{groups: 4, byteCost: 4, patience: 2e9, bare: true}
)

// Bounds of the scratch that a Winograd convolution asks for.
const (
	weightSlice = 48 << 20
	tileSlice   = 64 << 20
)

// paced is the chooser of a device of a speed, see Speed, whose submits are to
// take half a second where products run at a quarter of it.
func (c chooser) paced(flops float64) chooser {
	if flops > 0 {
		c.patience = min(c.patience, max(softwareDevice.patience, int64(flops/8)))
	}
	return c
}

// work is a call's arithmetic, and its bytes as if they were.
func (c chooser) work(k *call) int64 { return k.flops + int64(c.byteCost*float64(k.bytes())) }

// conv is the least estimated cost of the candidates, or what the tuner found.
func (c chooser) conv(s convShape) convChoice {
	if t, ok := c.tuned[s]; ok {
		return t
	}
	var best convChoice
	least := 0.0
	for i, k := range c.candidates(s) {
		if cost := c.cost(s, k); i == 0 || cost < least {
			best, least = k, cost
		}
	}
	return best
}

// candidates are the ways that may be the fastest.
func (c chooser) candidates(s convShape) []convChoice {
	m := s.n * s.h * s.w
	tilings, direct, thin, transforms := tilings, tilings, skinny, []int{4, 2}
	if c.bare {
		// Such a device compiles long shaders for seconds: it gets few, and short ones.
		tilings, direct, thin, transforms = bareTilings, bareTilings[1:], bareSkinny, []int{4}
	}
	if s.out <= 4 {
		return []convChoice{{tiling: thin, split: c.split(s, thin, m)}}
	}
	var all []convChoice
	for _, t := range direct {
		all = append(all, convChoice{tiling: t, split: c.split(s, t, m)})
	}
	if s.kernel == 3 && s.stride == 1 && min(s.in, s.out) >= 16 {
		for _, w := range transforms {
			for _, t := range tilings {
				all = append(all, convChoice{tiling: t, winograd: w, weights: weightSlice, scratch: tileSlice})
			}
		}
	}
	return all
}

// split is into how many parts the steps are cut so that the device is full,
// each part keeping enough steps to be worth its sums.
func (c chooser) split(s convShape, t tiling, m int) int {
	groups := count(m, t.bm) * count(blocks(s.out), t.bn)
	steps := count(s.in, 16) * s.kernel * s.kernel
	return max(1, min(c.groups/groups, steps/8, 16))
}

// cost estimates a way in arithmetic operations of the whole device.
func (c chooser) cost(s convShape, k convChoice) float64 {
	m, vec := s.n*s.h*s.w, vec(s.half)
	rows := count(s.in, 16) * 16
	if k.winograd == 0 {
		reads := float64(count(blocks(s.out), k.bn)) * float64(m*blocks(s.in)) * float64(vec) // of x, tap by tap from the caches
		writes := float64(m*blocks(s.out)) * float64(vec)
		if k.split > 1 {
			writes += 32 * float64(k.split*m*blocks(s.out))
		}
		return c.product(k.tiling, m, blocks(s.out), rows*s.kernel*s.kernel, k.split, 1) + c.byteCost*(reads+writes)
	}
	w := k.winograd
	freq := (w + 2) * (w + 2)
	tiles := s.n * count(s.h, w) * count(s.w, w)
	bytes := float64(16*freq) * (2*float64(rows*blocks(s.out)) + float64(tiles*blocks(s.in))*(1+float64(count(blocks(s.out), k.bn))) + 2*float64(tiles*blocks(s.out)))
	bytes += float64(vec) * float64(m) * float64(2*blocks(s.in)+blocks(s.out))
	return c.product(k.tiling, tiles, blocks(s.out), rows, 1, freq) + c.byteCost*bytes
}

// product is the cost of many products of m × rows by rows × 4·n, each in split
// parts, with the waste of ragged tiles and of a device that is not full.
func (c chooser) product(t tiling, m, n, rows, split, many int) float64 {
	groups := many * count(m, t.bm) * count(n, t.bn)
	work := 2 * float64(groups*t.bm*t.bn*4) * float64(rows)
	groups *= max(1, split)
	if groups < c.groups {
		work *= float64(c.groups) / float64(groups)
	}
	return work / t.efficiency()
}

// efficiency is the share of the arithmetic roof that a tile reaches: vectors
// read from workgroup memory against multiplications of vectors by numbers.
func (t tiling) efficiency() float64 {
	loads, products := float64(t.tm+4*t.tn), float64(4*t.tm*t.tn)
	if t.bare {
		loads *= 2
	}
	return products / (products + 1.5*loads)
}
