package degrade

import (
	"math"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// gradient is the test image of the reference document, section 2.3.
func gradient() *bridge.Image {
	x := bridge.NewImage(3, 256, 256)
	for i := range 256 {
		for j := range 256 {
			x.Plane(0)[i*256+j] = float32(2*float64(j)/255 - 1)
			x.Plane(1)[i*256+j] = float32(2*float64(i)/255 - 1)
			x.Plane(2)[i*256+j] = -1
			if (j/16+i/16)%2 == 1 {
				x.Plane(2)[i*256+j] = 1
			}
		}
	}
	return x
}

func near(t *testing.T, what string, x *bridge.Image, row, col int, want [3]float64, tolerance float64) {
	t.Helper()
	for c, v := range want {
		if got := float64(x.Plane(c)[row*x.W+col]); math.Abs(got-v) > tolerance {
			t.Errorf("%s (%d,%d) channel %d: %.6f, want %.6f", what, row, col, c, got, v)
		}
	}
}

func means(x *bridge.Image) (m [3]float64) {
	for c := range m {
		for _, v := range x.Plane(c) {
			m[c] += float64(v)
		}
		m[c] /= float64(x.H * x.W)
	}
	return m
}

type at map[[2]int][3]float64

// Goldens of the reference document, sections 2.2 and 2.3.
func TestGoldenShrink(t *testing.T) {
	for name, golden := range map[string]at{
		"sr4x-pool": {{0, 0}: {-.988235, -.988235, -1}, {3, 5}: {-.831373, -.894118, 1}, {32, 32}: {.015686, .015686, -1},
			{10, 47}: {.486275, -.674510, 1}, {63, 63}: {.988235, .988235, -1}},
		"sr4x-bicubic": {{0, 0}: {-.989334, -.989334, -1}, {3, 5}: {-.831373, -.894118, .867176}, {32, 32}: {.015686, .015686, -.715214},
			{10, 47}: {.486275, -.674510, .867176}, {63, 63}: {.989334, .989334, -1}},
	} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		small, err := op.(Shrinker).Small(gradient(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for p, want := range golden {
			near(t, name, small, p[0], p[1], want, 1e-6)
		}
	}
	close := func(what string, got, want []float64, tolerance float64) {
		t.Helper()
		for i, w := range want {
			if math.Abs(got[i]-w) > tolerance {
				t.Errorf("%s %d: %.8f, want %.8f", what, i, got[i], w)
			}
		}
	}
	k := bicubicTaps()
	half := []float64{-.00170898, -.01098633, -.01831055, -.01196289, .02270508, .09741211, .18188477, .24096680}
	close("tap", k[:8], half, 1e-8)
	slices.Reverse(half)
	close("mirrored tap", k[8:], half, 1e-8)
	m := bicubicMatrix(256)
	dense := func(r int) []float64 {
		row := make([]float64, 256)
		for _, p := range m[r] {
			row[p.at] += p.weight
		}
		return row
	}
	close("row 0, tap", dense(0), []float64{.279297, .263672, .229004, .163574, .086426, .020996, -.011963, -.018311, -.010986, -.001709, 0, 0}, 1e-6)
	close("row 1, tap", dense(1), []float64{-.029297, -.013672, .022705}, 1e-6)
	for r, s := range m.sums() {
		if math.Abs(s-1) > 1e-12 {
			t.Errorf("row %d: sum %v", r, s)
		}
	}
}

// Section 2.4: the taps with the last one dropped, as a true convolution.
func TestGoldenTaps(t *testing.T) {
	g := gaussian(10, 2)
	for i, want := range []float64{.19800304, .20099547, .20200297, .20099547, .19800304} {
		if math.Abs(g[i]-want) > 1e-8 {
			t.Errorf("tap %d: %v", i, g[i])
		}
	}
	for _, c := range []struct {
		taps        []float64
		first, last float64 // sums of the rows
		golden      at
		mean        [3]float64
	}{
		{uniform(9), .4444, .5556, at{{0, 0}: {-.99768, -.99768, -1}, {0, 128}: {-.60494, -.99535, -.60494}, {7, 9}: {-.94733, -.95972, -1},
			{128, 128}: {-.20988, -.20988, -.20988}, {255, 255}: {-.38756, -.38756, -1}}, [3]float64{-.22369, -.22369, -.22218}},
		{g, .4030, .6010, at{{0, 0}: {-.99936, -.99936, -1}, {7, 9}: {-.95709, -.96718, -1}, {128, 128}: {-.35677, -.35677, -.35682},
			{255, 255}: {-.28041, -.28041, -1}}, [3]float64{-.36302, -.36302, -.36179}},
	} {
		taps := slices.Clone(c.taps)
		taps[len(taps)-1] = 0
		o := blur{"dropped", taps, true}
		sums := o.line(256).sums()
		if math.Abs(sums[0]-c.first) > 1e-4 || math.Abs(sums[255]-c.last) > 1e-4 {
			t.Errorf("%d taps: sums %v and %v", len(taps), sums[0], sums[255])
		}
		y, err := o.Apply(gradient(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for p, want := range c.golden {
			near(t, "dropped", y, p[0], p[1], want, 1e-5)
		}
		for i, m := range means(y) {
			if math.Abs(m-c.mean[i]) > 1e-5 {
				t.Errorf("%d taps: mean %v, want %v", len(taps), m, c.mean[i])
			}
		}
	}
}

// Section 2.4: what the released code does. The document allows 3e-3 for the
// order of ties, and gives three digits.
func TestGoldenOfficial(t *testing.T) {
	if testing.Short() {
		t.Skip("two decompositions of 256×256")
	}
	for name, c := range map[string]struct {
		golden at
		mean   [3]float64
	}{
		"blur-uni.official": {at{{0, 0}: {-.998, -.998, -.982}, {0, 128}: {-.727, -.992, -.723}, {7, 9}: {-.950, -.959, -.878},
			{128, 128}: {-.212, -.212, -.205}, {255, 255}: {-.681, -.681, -1.026}}, [3]float64{-.2366, -.2374, -.2360}},
		"blur-gauss.official": {at{{0, 0}: {-.998, -.997, -.993}, {7, 9}: {-.962, -.961, -1.017}, {128, 128}: {-.358, -.358, -.358},
			{255, 255}: {-.589, -.589, -1.001}}, [3]float64{-.3684, -.3686, -.3674}},
	} {
		y := apply(t, name, gradient(), 0)
		for p, want := range c.golden {
			near(t, name, y, p[0], p[1], want, 3.5e-3)
		}
		for i, m := range means(y) {
			if math.Abs(m-c.mean[i]) > 1e-3 {
				t.Errorf("%s: mean %v, want %v", name, m, c.mean[i])
			}
		}
	}
	for n, want := range map[string]int{"uni": 228, "gauss": 241} { // singular values kept
		o := official{n, uniform(9)}
		if n == "gauss" {
			o = official{n, gaussian(10, 2)}
		}
		s, err := o.spectrum(256)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, f := range s.factors {
			if f > 0 {
				kept++
			}
		}
		if kept != want*want {
			t.Errorf("%s keeps %d products, want %d²", n, kept, want)
		}
	}
}
