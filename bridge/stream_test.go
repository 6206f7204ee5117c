package bridge

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestStreams(t *testing.T) {
	const n = 1 << 12
	seen := map[uint64]bool{}
	sum, squares := 0.0, 0.0
	for index := range uint64(4) {
		a, b := NewStream(7, index), NewStream(7, index)
		for range n {
			v := a.Uint64()
			if w := b.Uint64(); v != w {
				t.Fatalf("stream %d gives %x and %x", index, v, w)
			}
			if seen[v] {
				t.Fatalf("%x came twice", v)
			}
			seen[v] = true
			u := float64(v>>11) / (1 << 53)
			sum += u
			squares += u * u
		}
	}
	mean := sum / (4 * n)
	if variance := squares/(4*n) - mean*mean; math.Abs(mean-0.5) > 0.01 || math.Abs(variance-1.0/12) > 0.003 {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
	if NewStream(8, 0).Uint64() == NewStream(7, 0).Uint64() || NewStream(7, 1<<32).Uint64() == NewStream(7, 0).Uint64() {
		t.Error("another seed or a far index gives the same")
	}
	// The first words are those of Philox itself, not of a noise.
	w := philox4x32([4]uint32{3, 0, 0, 255 << 24}, [2]uint32{7, 0})
	if v := NewStream(7, 3).Uint64(); v != uint64(w[2])|uint64(w[3])<<32 {
		t.Errorf("%x is not the counter's block", v)
	}
	if r := rand.New(NewStream(1, 2)); r.IntN(10) < 0 {
		t.Error("no rand.Source")
	}
}
