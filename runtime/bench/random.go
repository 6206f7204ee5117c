package bench

import (
	"fmt"
	"hash/fnv"
	"math"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// random is a source of weights that are made as they are read, so that a
// large network can be timed without a pack and without holding it twice. They
// are uniform with a variance of 1/fan-in, which keeps activations of order 1,
// and float16 numbers, as a pack of that size would hold.
type random struct {
	list  []weights.Info
	index map[string]int
}

func newRandom(p *plan.Plan) *random {
	r := &random{index: map[string]int{}}
	for i, w := range p.Params {
		r.list = append(r.list, weights.Info{Name: w.Name, Shape: w.Shape, DType: weights.F16})
		r.index[w.Name] = i
	}
	return r
}

func (r *random) Tensors() []weights.Info { return r.list }
func (r *random) Close() error            { return nil }

func (r *random) ReadF32(name string, dst []float32) error {
	i, ok := r.index[name]
	if !ok {
		return fmt.Errorf("bench: there is no tensor %q", name)
	}
	t := r.list[i]
	scale := 0.2
	if len(t.Shape) > 1 {
		scale = math.Sqrt(3 * float64(t.Shape[0]) / float64(t.Len()))
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	s := h.Sum64() | 1
	for i := range dst { // xorshift64*
		s ^= s >> 12
		s ^= s << 25
		s ^= s >> 27
		u := float32(int64(s*0x2545f4914f6cdd1d)) * float32(scale/(1<<63))
		if u > -1.0/(1<<14) && u < 1.0/(1<<14) {
			u = 0
		}
		dst[i] = math.Float32frombits(math.Float32bits(u) &^ (1<<13 - 1))
	}
	return nil
}
