// Package initial makes the weights that training starts from: random ones, or
// another network's, fitted.
package initial

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// Fresh are the weights of an untrained network, as the reference draws them:
// uniform of ±1/√fan-in, norms of 1 and 0, and zeros in the last convolution of
// every residual block, after every attention and at the end. Each tensor is
// made as it is read, from the seed and its name alone.
func Fresh(n weights.Network, seed uint64) (weights.Source, error) {
	list, err := runtime.Tensors(n)
	if err != nil {
		return nil, err
	}
	f := &fresh{list: list, fan: map[string]float64{}, seed: seed}
	for _, t := range list {
		if prefix, ok := strings.CutSuffix(t.Name, ".weight"); ok && len(t.Shape) > 1 {
			f.fan[prefix] = float64(t.Len() / t.Shape[0])
		}
	}
	return f, nil
}

type fresh struct {
	list []weights.Info
	fan  map[string]float64 // inputs of each output of a layer
	seed uint64
}

func (f *fresh) Tensors() []weights.Info { return f.list }
func (f *fresh) Close() error            { return nil }

// ReadF32 implements weights.Source.
func (f *fresh) ReadF32(name string, dst []float32) error {
	if i := slices.IndexFunc(f.list, func(t weights.Info) bool { return t.Name == name }); i < 0 || f.list[i].Len() != len(dst) {
		return fmt.Errorf("initial: there is no tensor %q of %d elements", name, len(dst))
	}
	dot := strings.LastIndexByte(name, '.')
	layer, kind := name[:dot], name[dot+1:]
	h := fnv.New64a()
	h.Write([]byte(name))
	r := rand.New(bridge.NewStream(f.seed, h.Sum64()))
	fan, product := f.fan[layer]
	switch {
	case !product && kind == "weight": // of a norm
		for i := range dst {
			dst[i] = 1
		}
	case !product, strings.HasSuffix(layer, ".out_layers.3"), strings.HasSuffix(layer, ".proj_out"), layer == "out.2":
		clear(dst)
	case layer == "label_emb":
		for i := range dst {
			dst[i] = float32(r.NormFloat64())
		}
	default:
		for i := range dst {
			dst[i] = float32((2*r.Float64() - 1) / math.Sqrt(fan))
		}
	}
	return nil
}
