package degrade

import (
	"math"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

func TestNoise(t *testing.T) {
	x := random3(3, 64, 64, 1)
	clean, bad, other := apply(t, "blur-uni", x, 0), apply(t, "blur-uni+noise-0.03", x, 0), apply(t, "blur-uni+noise-0.03", x, 1)
	sum, square, equal := 0.0, 0.0, 0
	for i := range bad.Pix {
		d := float64(bad.Pix[i] - clean.Pix[i])
		sum += d
		square += d * d
		if bad.Pix[i] == other.Pix[i] {
			equal++
		}
	}
	n := float64(len(bad.Pix))
	if sd := math.Sqrt(square / n); math.Abs(sd-.03) > .001 || math.Abs(sum/n) > .002 || equal > 10 {
		t.Errorf("deviation %v, mean %v, %d equal values", sd, sum/n, equal)
	}
	same(t, "no noise", apply(t, "blur-uni+noise-0", x, 0), clean, 0)
}

// The noise of super-resolution is that of the small picture.
func TestNoiseOfMeasurement(t *testing.T) {
	y := apply(t, "sr4x-pool+noise-0.5", bridge.NewImage(3, 10, 13), 3)
	seen := map[float32]bool{}
	for i, v := range y.Plane(0) {
		if v != y.Plane(0)[i/13/4*4*13+i%13/4*4] {
			t.Fatal("the blocks are not of one value")
		}
		seen[v] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d values for 3×4 blocks", len(seen))
	}
}

// TestEightBits: the measurement is what a file keeps of it, and nothing else is.
func TestEightBits(t *testing.T) {
	x := random3(3, 30, 41, 1)
	for i := range x.Pix {
		x.Pix[i] *= 1.2 // beyond what a file holds
	}
	for _, base := range []string{"sr4x-pool", "sr4x-bicubic", "blur-gauss-2", "blur-uni.zero", "jpeg-10", "inpaint-center", "decolor", "blur-gauss-2+noise-0.1",
		"sr4x-pool+noise-0.5", "inpaint-random-50+noise-0.1"} {
		y, got := apply(t, base, x, 3), apply(t, base+"+8bit", x, 3)
		rounded := 0
		for i, v := range y.Pix {
			code := math.Round((float64(min(1, max(-1, v))) + 1) * 127.5)
			if want := float32(code/127.5 - 1); got.Pix[i] != want {
				t.Fatalf("%s: value %d is %v, of %v should come %v", base, i, got.Pix[i], v, want)
			}
			if v != got.Pix[i] {
				rounded++
			}
		}
		if rounded < len(y.Pix)/4 {
			t.Errorf("%s: only %d values of %d were rounded", base, rounded, len(y.Pix))
		}
		op, _ := Parse(base + "+8bit")
		plain, _ := Parse(base)
		if l, ok := plain.(Linear); ok {
			a, _ := l.Adjoint(x, 3)
			b, err := op.(Linear).Adjoint(x, 3)
			if err != nil {
				t.Fatal(err)
			}
			same(t, base+"'s adjoint", b, a, 0)
		}
	}
}

func TestMixture(t *testing.T) {
	names := []string{"jpeg-5", "jpeg-10", "blur-uni.official", "blur-gauss.official", "sr4x-pool", "sr4x-bicubic", "inpaint-center",
		"inpaint-freeform1020", "inpaint-freeform2030"}
	for whole, suffix := range map[string]string{"mixture": "", "mixture+noise-0.1": "+noise-0.1", "mixture+8bit": "+8bit"} {
		op, err := Parse(whole)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for seed := range uint64(900) {
			seen[Chosen(op, seed).Name()]++
		}
		for _, n := range names {
			if k := seen[n+suffix]; k < 60 || k > 140 {
				t.Errorf("%s: %s was chosen %d times of 900", whole, n, k)
			}
		}
	}
	op, err := MixtureOf("mixture", "inpaint-center", "inpaint-random-50+noise-0.1")
	if err != nil {
		t.Fatal(err)
	}
	x := random3(3, 32, 32, 1)
	for seed := range uint64(40) {
		one := Chosen(op, seed)
		if _, ok := one.(mixture); ok {
			t.Fatal("a mixture was chosen")
		}
		y, err := op.Apply(x, seed)
		if err != nil {
			t.Fatal(err)
		}
		want := apply(t, one.Name(), x, seed)
		if m, ok := one.(Masker); ok {
			mask := m.Mask(32, 32, seed)
			for i, v := range y.Pix {
				if (mask[i%1024] == 255) == (v == want.Pix[i]) {
					t.Fatalf("%s, seed %d: holes are noise and the rest is as without a mixture, but for %d", one.Name(), seed, i)
				}
			}
		} else {
			same(t, one.Name(), y, want, 0)
		}
	}
	for _, bad := range [][]string{{}, {"jpeg-5", "x"}, {"jpeg-0"}} {
		if _, err := MixtureOf(bad...); err == nil {
			t.Errorf("a mixture of %q: no error", bad)
		}
	}
}

func TestDecolor(t *testing.T) {
	x := random3(3, 4, 5, 1)
	y := apply(t, "decolor", x, 0)
	for i := range 20 {
		want := .3333*float64(x.Plane(0)[i]) + .3334*float64(x.Plane(1)[i]) + .3333*float64(x.Plane(2)[i])
		for c := range 3 {
			if math.Abs(float64(y.Plane(c)[i])-want) > 1e-6 {
				t.Fatalf("(%d, %d): %v, want %v", c, i, y.Plane(c)[i], want)
			}
		}
	}
}

func BenchmarkApply(b *testing.B) {
	x := gradient()
	for _, name := range []string{"jpeg-10", "blur-gauss-2", "sr4x-bicubic", "inpaint-freeform2030", "blur-uni.official"} {
		b.Run(name, func(b *testing.B) {
			op, err := Parse(name)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := op.Apply(x, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
