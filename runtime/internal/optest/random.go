// Package optest is the one table of operator cases that every executor is
// tested with, against the reference executor.
package optest

import (
	"bytes"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/runtime/internal/unet"
	"github.com/i2sb-go/i2sb/weights"
)

// Random gives every parameter of a plan random values of a scale that keeps
// activations of order 1. The values depend on the names alone.
func Random(p *plan.Plan) weights.Source { return Stored(p, weights.F32) }

// Stored is Random with values that F16 or BF16 hold exactly, said to be stored
// so.
func Stored(p *plan.Plan, stored weights.DType) weights.Source {
	var infos []weights.Info
	var data [][]float32
	for _, w := range p.Params {
		h := fnv.New64a()
		h.Write([]byte(w.Name))
		r := rand.New(rand.NewPCG(h.Sum64(), 1))
		fan := w.Len() / max(1, w.Shape[0])
		v := make([]float32, w.Len())
		for i := range v {
			v[i] = float32(r.NormFloat64() / math.Sqrt(float64(max(fan, 1))))
		}
		if len(w.Shape) == 1 {
			for i := range v {
				v[i] *= 0.2
			}
		}
		for i := range v {
			v[i] = cut(v[i], stored)
		}
		infos = append(infos, weights.Info{Name: w.Name, Shape: w.Shape, DType: stored})
		data = append(data, v)
	}
	m, err := weights.NewMemory(infos, data)
	if err != nil {
		panic(err) // the plan has a parameter twice: a mistake in the test
	}
	return m
}

// Packed makes a pack of an encoding.
func Packed(t testing.TB, src weights.Source, in weights.DType) *weights.Pack {
	t.Helper()
	var b bytes.Buffer
	if err := weights.Write(&b, weights.Header{}, src, weights.WriteOptions{Encoding: in}); err != nil {
		t.Fatal(err)
	}
	pack, err := weights.OpenPack(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pack.Close() })
	return pack
}

// cut drops the digits of x that a type does not have.
func cut(x float32, t weights.DType) float32 {
	switch t {
	case weights.F16:
		if math.Abs(float64(x)) < 1.0/(1<<14) {
			return 0
		}
		return math.Float32frombits(math.Float32bits(x) &^ (1<<13 - 1))
	case weights.BF16:
		return math.Float32frombits(math.Float32bits(x) &^ (1<<16 - 1))
	}
	return x
}

// RandomNetwork is Random for a network's configuration.
func RandomNetwork(n weights.Network) weights.Source {
	c, err := unet.Parse(n)
	if err != nil {
		panic(err)
	}
	p, err := unet.Build(n, 1, c.Multiple(), c.Multiple())
	if err != nil {
		panic(err)
	}
	return Random(p)
}

// normals are n standard normal numbers.
func normals(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 2))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}
