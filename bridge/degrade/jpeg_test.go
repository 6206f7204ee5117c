package degrade

import (
	"math"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// ramps is the test image of the reference document, section 2.5.
func ramps() *bridge.Image {
	x := bridge.NewImage(3, 16, 16)
	for i := range 16 {
		for j := range 16 {
			x.Plane(0)[i*16+j] = float32(2*float64(j)/15 - 1)
			x.Plane(1)[i*16+j] = float32(2*float64(i)/15 - 1)
			x.Plane(2)[i*16+j] = float32(2*float64(i+j)/30 - 1)
		}
	}
	return x
}

func TestGoldenJPEG(t *testing.T) {
	five, ten := apply(t, "jpeg-5", ramps(), 0), apply(t, "jpeg-10", ramps(), 0)
	near(t, "jpeg-5", five, 0, 0, [3]float64{-.94261171, -.94261171, -.94261171}, 1e-6)
	near(t, "jpeg-5", five, 7, 9, [3]float64{.31965162, -.09246248, .04658482}, 1e-6)
	near(t, "jpeg-10", ten, 0, 0, [3]float64{-.93945251, -.93945251, -.93945251}, 1e-6)
	near(t, "jpeg-10", ten, 7, 9, [3]float64{.1697991, -.15603891, .05127508}, 1e-6)
	for _, m := range means(five) {
		if math.Abs(m-.00392157) > 1e-6 {
			t.Errorf("jpeg-5: mean %v", m)
		}
	}
	for _, c := range []struct {
		x      *bridge.Image
		lo, hi float64
	}{{five, -1.2488, 1.2566}, {ten, -.95912, .96697}} {
		lo, hi := float64(slices.Min(c.x.Pix)), float64(slices.Max(c.x.Pix))
		if math.Abs(lo-c.lo) > 1e-4 || math.Abs(hi-c.hi) > 1e-4 {
			t.Errorf("values from %v to %v, want %v to %v", lo, hi, c.lo, c.hi)
		}
	}
}

// coefficients are the quantised ones of the block at column x of a plane.
func coefficients(o tensorJPEG, plane []float64, w, x int, table [64]float64) (q [64]int) {
	plane = slices.Clone(plane)
	o.quantise(plane, w, &table)
	for k := range q {
		sum := 0.0
		for i := range 8 {
			for j := range 8 {
				sum += dct[k/8][i] * plane[i*w+x+j] * dct[k%8][j]
			}
		}
		q[k] = int(math.Round(sum / table[k]))
	}
	return q
}

// The document calls both its luma triples rows of block (0,0). The second is
// the first row of block (0,1): the luma of this picture is f(x) + g(y), so no
// coefficient but those of the first row and column differs from zero.
func TestGoldenCoefficients(t *testing.T) {
	x := ramps()
	for name, want := range map[string]struct{ luma, next, blue, red []int }{
		"jpeg-5":  {[]int{-3, -1, 0}, []int{-1, -1, 0}, nil, []int{0, -2, 0}},
		"jpeg-10": {[]int{-7, -2, 0}, []int{-2, -2, 0}, []int{0, -1, 0}, []int{0, -3, 0}},
	} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		o := op.(tensorJPEG)
		luma, blue, red := make([]float64, 256), make([]float64, 64), make([]float64, 64)
		for i := range luma {
			var v [3]float64
			for c := range v {
				v[c] = (float64(x.Plane(c)[i]) + 1) / 2 * 255
			}
			luma[i] = .299*v[0] + .587*v[1] + .114*v[2] - 128
			if y, x := i/16, i%16; y%2 == 0 && x%2 == 0 {
				blue[y/2*8+x/2] = -.1687*v[0] - .3313*v[1] + .5*v[2]
				red[y/2*8+x/2] = .5*v[0] - .4187*v[1] - .0813*v[2]
			}
		}
		compare := func(what string, q [64]int, want []int) {
			for i, w := range want {
				if q[i] != w {
					t.Errorf("%s: %s %d is %d, want %d", name, what, i, q[i], w)
				}
			}
		}
		q := coefficients(o, luma, 16, 0, o.luma)
		compare("luma", q, want.luma)
		if q[9] != 0 {
			t.Errorf("%s: luma (1,1) is %d", name, q[9])
		}
		compare("luma of the next block", coefficients(o, luma, 16, 8, o.luma), want.next)
		compare("Cb", coefficients(o, blue, 8, 0, o.chroma), want.blue)
		compare("Cr", coefficients(o, red, 8, 0, o.chroma), want.red)
	}
}

func TestTables(t *testing.T) {
	rows := func(base [64]int, q int, want ...[]float64) {
		t.Helper()
		table := scaled(base, q)
		for r := range 8 {
			for c := range 8 {
				w := 255.0
				if r < len(want) && c < len(want[r]) {
					w = want[r][c]
				}
				if table[8*r+c] != w {
					t.Errorf("quality %d (%d,%d): %v, want %v", q, r, c, table[8*r+c], w)
				}
			}
		}
	}
	rows(annexK[0], 5, []float64{160, 110, 100, 160, 240}, []float64{120, 120, 140, 190}, []float64{140, 130, 160, 240},
		[]float64{140, 170, 220}, []float64{180, 220}, []float64{240})
	rows(annexK[1], 5, []float64{170, 180, 240}, []float64{180, 210}, []float64{240})
	rows(annexK[0], 10, []float64{80, 55, 50, 80, 120, 200}, []float64{60, 60, 70, 95, 130}, []float64{70, 65, 80, 120, 200},
		[]float64{70, 85, 110, 145}, []float64{90, 110, 185}, []float64{120, 175}, []float64{245})
	rows(annexK[1], 10, []float64{85, 90, 120, 235}, []float64{90, 105, 130}, []float64{120, 130}, []float64{235})
	for i, v := range scaled(annexK[0], 100) {
		if v != 1 || scaled(annexK[0], 50)[i] != float64(annexK[0][i]) {
			t.Fatal("quality 100 must divide by 1, quality 50 by the table itself")
		}
	}
}
