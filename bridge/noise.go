package bridge

import (
	"fmt"
	"math"
)

// Draw is what a noise is for. Each has its own stream.
type Draw uint8

const (
	DrawHole Draw = iota // the hole of an inpainting start
	DrawX1               // noise on all of x1
	DrawStep             // a sampler's step
	DrawMask             // the known pixels of a stochastic inpainting
	DrawUser             // free for callers: degradations, training
)

// Noise gives standard normal numbers by global coordinate, so that batches,
// threads and tilings agree. Implementations may be used by several goroutines.
type Noise interface {
	// Fill writes the noise of len(dst) pixels of row y from column x on.
	Fill(dst []float32, draw Draw, step, channel, y, x int)
}

// NewNoise returns Philox4x32-10 (Salmon et al., SC 2011) with the seed as its
// key. The counter is (x>>2, y, channel, draw<<24 | step); the four words of a
// counter make, by Box–Muller, the normals of columns 4·(x>>2) … +3: words 0
// and 1 the first two, words 2 and 3 the others. Uniforms are
// ((word>>9)+½)·2⁻²³, which float32 holds exactly.
func NewNoise(seed uint64) Noise { return philox{uint32(seed), uint32(seed >> 32)} }

// Seed returns the seed of a Noise that NewNoise made, for executors that
// compute it themselves.
func Seed(n Noise) (seed uint64, ok bool) {
	p, ok := n.(philox)
	return uint64(p[0]) | uint64(p[1])<<32, ok
}

type philox [2]uint32

func (key philox) Fill(dst []float32, draw Draw, step, channel, y, x int) {
	var z [4]float32
	have := -1
	for i := range dst {
		if b := (x + i) >> 2; b != have {
			z = normals(philox4x32([4]uint32{uint32(b), uint32(y), uint32(channel), uint32(draw)<<24 | uint32(step)}, key))
			have = b
		}
		dst[i] = z[(x+i)&3]
	}
}

// philox4x32 is ten rounds of Philox-4x32.
func philox4x32(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		p0, p1 := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(p1>>32) ^ c[1] ^ k[0], uint32(p1), uint32(p0>>32) ^ c[3] ^ k[1], uint32(p0)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// normals is Box–Muller on both pairs of words.
func normals(w [4]uint32) (z [4]float32) {
	for i := 0; i < 4; i += 2 {
		u, v := uniform(w[i]), uniform(w[i+1])
		r := math.Sqrt(-2 * math.Log(u))
		sin, cos := math.Sincos(2 * math.Pi * v)
		z[i], z[i+1] = float32(r*cos), float32(r*sin)
	}
	return z
}

func uniform(w uint32) float64 { return (float64(w>>9) + 0.5) / (1 << 23) }

// AddNoise adds DrawX1 noise to every element of x1.
func AddNoise(x1 *Image, n Noise) {
	room := make([]float32, x1.W)
	for c := range x1.C {
		for y := range x1.H {
			AddRowNoise(x1.Plane(c)[y*x1.W:][:x1.W], n, room, c, y, 0)
		}
	}
}

// AddRowNoise is AddNoise for len(row) pixels of row y of a channel, from column
// x on. room is as long.
func AddRowNoise(row []float32, n Noise, room []float32, channel, y, x int) {
	n.Fill(room, DrawX1, 0, channel, y, x)
	for i, v := range room {
		row[i] += v
	}
}

// FillHole replaces the hole of x1 by DrawHole noise: x1 ← (1−m)·x1 + m·ε. The
// mask has H·W values, 255 in the hole.
func FillHole(x1 *Image, mask []uint8, n Noise) {
	room := make([]float32, x1.W)
	for c := range x1.C {
		for y := range x1.H {
			FillRowHole(x1.Plane(c)[y*x1.W:][:x1.W], mask[y*x1.W:][:x1.W], n, room, c, y, 0)
		}
	}
}

// FillRowHole is FillHole for len(row) pixels of row y of a channel, from column
// x on. mask has those alone; room is as long.
func FillRowHole(row []float32, mask []uint8, n Noise, room []float32, channel, y, x int) {
	from, to := 0, len(mask)
	for from < to && mask[from] == 0 {
		from++
	}
	for from < to && mask[to-1] == 0 {
		to--
	}
	if from == to {
		return // noise costs more than a look at the mask
	}
	row, mask, room = row[from:to], mask[from:to], room[from:to]
	n.Fill(room, DrawHole, 0, channel, y, x+from)
	for i, h := range mask {
		if h != 0 {
			m := float32(h) / 255
			row[i] = (1-m)*row[i] + m*room[i]
		}
	}
}

// Recorded replays draws of whole pictures in the order in which the reference
// used them: the hole's, if the first flag says so, then for every step its
// noise, if it has any, and then that of the known pixels.
type Recorded struct{ draws map[[2]int]*Image }

// NewRecorded assigns recorded draws to the steps of a walk. hole tells that
// the first draw fills the hole, masked that known pixels are noised.
func NewRecorded(draws []*Image, w *Walk, hole, masked bool) (*Recorded, error) {
	r := &Recorded{map[[2]int]*Image{}}
	next := 0
	take := func(d Draw, step int) {
		if next < len(draws) {
			r.draws[[2]int{int(d), step}] = draws[next]
		}
		next++
	}
	if hole {
		take(DrawHole, 0)
	}
	for i, st := range w.Steps {
		if st.Noise != 0 {
			take(DrawStep, i)
		}
		if masked && st.MaskNoise != 0 {
			take(DrawMask, i)
		}
	}
	if next != len(draws) {
		return nil, fmt.Errorf("bridge: the walk draws noise %d times, %d draws were recorded", next, len(draws))
	}
	return r, nil
}

// Fill implements Noise; what was not recorded is zero.
func (r *Recorded) Fill(dst []float32, draw Draw, step, channel, y, x int) {
	clear(dst)
	if m := r.draws[[2]int{int(draw), step}]; m != nil && channel < m.C && y < m.H && x < m.W {
		copy(dst, m.Plane(channel)[y*m.W+x:(y+1)*m.W])
	}
}
