package cpu

import (
	"testing"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
	"github.com/i2sb-go/i2sb/runtime/internal/optest"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
	"github.com/i2sb-go/i2sb/weights"
)

// FuzzOperators compares every set of kernels with ref on operators of any
// size, done in any of the ways of which there is a choice.
func FuzzOperators(f *testing.F) {
	// Attention in both orders, a linear layer, convolutions of every kind.
	f.Add(uint8(0), uint8(1), uint8(0), uint8(0), uint8(6), uint8(10), uint16(2<<5|20), uint8(0), uint8(0), uint8(0), uint8(0x40))
	f.Add(uint8(0), uint8(0), uint8(0), uint8(0), uint8(0), uint8(63), uint16(3<<5|31), uint8(0), uint8(1), uint8(0), uint8(0))
	f.Add(uint8(1), uint8(2), uint8(37), uint8(9), uint8(0), uint8(0), uint16(77), uint8(0), uint8(1), uint8(0), uint8(0x10))
	for i, c := range []struct{ c, c1, h, w, kernel, read, change, how uint8 }{
		{30, 0, 30, 40, 1, 0, 0, 0},                  // F(4,3)
		{207, 20, 30, 40, 1, 0b1011, 0b10, 0b1000},   // in stages, two inputs
		{15, 0, 12, 60, 1, 0b10011, 0b110, 0b0100},   // F(2,3), doubled
		{47, 0, 13, 9, 1, 0b100111, 0b1010, 0b10001}, // float16, halved
		{63, 0, 22, 31, 1, 0b1, 0b1, 0b100110},       // bfloat16, without transforms
		{150, 0, 10, 17, 0, 0b10, 0b10, 0},           // 1×1
		{19, 0, 31, 29, 3, 0, 0, 0},                  // stride 2
		{2, 0, 0, 0, 2, 0, 0, 0},                     // one pixel
	} {
		f.Add(uint8(2), uint8(i), c.c, c.c1, c.h, c.w, uint16(20+13*i), c.kernel, c.read, c.change, c.how)
	}
	f.Fuzz(func(t *testing.T, kind, n, c, c1, h, w uint8, out uint16, kernel, read, change, how uint8) {
		z := optest.Fuzzed{Kind: kind, N: n, C: c, C1: c1, H: h, W: w, Out: out, Kernel: kernel, Read: read, Change: change}
		stored := []weights.DType{weights.F32, weights.F16, weights.BF16}[int(how>>4)%3]
		p := defaultPolicy
		if stored != weights.F32 || how&1 != 0 {
			p.narrow = 0
		}
		p.tiles = [][]int{{4, 2}, {4}, {2}, nil}[how>>1&3]
		if how&8 != 0 {
			p.fused, p.transforms = 0, 0
		}
		check := z.Case()
		reference := optest.Reference(t, check, stored)
		for _, s := range everySet() {
			d := NewWith(s, 1+int(how>>6)).(*cpu)
			most := check.NMSE
			if p.tiled = d.policy.tiled; p.tiled {
				most = max(most, optest.BFloat16NMSE)
			}
			d.policy = p
			if e := optest.ScaledError(optest.EvaluateCase(t, d, check, stored), reference); !(e <= most) {
				t.Errorf("%s, %s, %s, %+v: mean squared error %.2g, at most %.2g is allowed", s.Name(), check.Name, stored, p, e, most)
			}
			d.Close()
		}
	})
}

// FuzzWalks compares the kernels that cut windows, put them together and move
// the state with ref's.
func FuzzWalks(f *testing.F) {
	for i, how := range []uint8{0, 0b10, 0b1110, 0b10010, 0b100100, 0b1, 0b110001, 0b10001110, 0b11000111} {
		for sampler := range uint8(2) {
			f.Add(uint8(i), uint8(i), uint8(i), uint8(i)+4*sampler, how, uint64(i+1)*0x9e3779b97f4a7c15)
		}
	}
	f.Fuzz(func(t *testing.T, h, w, nfe, sampler, how uint8, seed uint64) {
		net, spec, ok := optest.FuzzedWalk{H: h, W: w, NFE: nfe, Sampler: sampler, How: how, Seed: seed}.Spec(t)
		if !ok {
			return
		}
		want := optest.Walk(t, ref.New(), net, spec)
		for _, s := range kernels.All() {
			d := NewWith(s, 2)
			if e := optest.ScaledError(optest.Walk(t, d, net, spec), want); !(e <= 1e-9) {
				t.Errorf("%s, %s of %d×%d: mean squared error %.2g", s.Name(), net, spec.W, spec.H, e)
			}
			d.Close()
		}
	})
}
