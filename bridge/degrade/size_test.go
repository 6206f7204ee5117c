package degrade

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

func same(t *testing.T, what string, a, b *bridge.Image, tolerance float64) {
	t.Helper()
	if err := a.SameSize(b); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	for i := range a.Pix {
		if math.Abs(float64(a.Pix[i]-b.Pix[i])) > tolerance {
			t.Fatalf("%s: value %d is %v, want %v", what, i, a.Pix[i], b.Pix[i])
		}
	}
}

// A picture of any size must become what the picture continued by reflection
// becomes, cut back.
func TestPadding(t *testing.T) {
	for name, n := range map[string]int{"sr4x-pool": 4, "sr4x-bicubic": 4, "jpeg-10": 16, "jpeg-90": 16, "blur-gauss.official": 256} {
		for _, s := range sizes {
			if n == 256 && (testing.Short() || s[0] == s[1]) {
				continue // squares are their own block
			}
			x := random3(3, s[0], s[1], 4)
			big := bridge.NewImage(3, up(s[0], n), up(s[1], n))
			for c := range 3 {
				for i := range big.H {
					for j := range big.W {
						big.Plane(c)[i*big.W+j] = x.Plane(c)[mirrored(i, x.H)*x.W+mirrored(j, x.W)]
					}
				}
			}
			same(t, name, apply(t, name, x, 0), crop(apply(t, name, big, 0), x.H, x.W), 1e-6)
		}
	}
}

// mirrored walks back and forth between the edges.
func mirrored(i, n int) int {
	for at, step := 0, 1; n > 1; at += step {
		if i == 0 {
			return at
		}
		if i--; at+step < 0 || at+step >= n {
			step = -step
		}
	}
	return 0
}

func TestSmall(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic"} {
		op, _ := Parse(name)
		for _, s := range sizes {
			x := random3(3, s[0], s[1], 4)
			small, err := op.(Shrinker).Small(x, 0)
			if err != nil {
				t.Fatal(err)
			}
			if small.H != (s[0]+3)/4 || small.W != (s[1]+3)/4 || small.C != 3 {
				t.Errorf("%s: %v became %d×%d", name, s, small.H, small.W)
			}
			y, err := op.(Shrinker).Enlarge(small, s[0], s[1])
			if err != nil {
				t.Fatal(err)
			}
			same(t, name, y, apply(t, name, x, 0), 0)
			for i, v := range y.Plane(1) {
				if v != small.Plane(1)[i/y.W/4*small.W+i%y.W/4] {
					t.Fatalf("%s: %v is not repeated at %d", name, s, i)
				}
			}
			if _, err := op.(Shrinker).Enlarge(small, s[0]+4, s[1]); err == nil {
				t.Errorf("%s: a wrong size is no error", name)
			}
		}
	}
}

// A separable blur must be the double sum of its definition, also where it is
// wider than the picture.
func TestBlurIsAConvolution(t *testing.T) {
	for name, taps := range map[string][]float64{"blur-uni": uniform(9), "blur-uni-5.zero": uniform(5), "blur-gauss-1.5": gaussian(1.5, 5),
		"blur-gauss-2.zero": gaussian(2, 6)} {
		for _, s := range [][2]int{{1, 1}, {2, 3}, {3, 5}, {17, 31}} {
			x := random3(1, s[0], s[1], 5)
			want := bridge.NewImage(1, s[0], s[1])
			r := len(taps) / 2
			for i := range want.Pix {
				sum := 0.0
				for a, wa := range taps {
					for b, wb := range taps {
						y, x2 := i/s[1]+a-r, i%s[1]+b-r
						v := -1.0 // black
						if !strings.HasSuffix(name, ".zero") {
							v = float64(x.Pix[bounced(y, s[0])*s[1]+bounced(x2, s[1])])
						} else if y >= 0 && y < s[0] && x2 >= 0 && x2 < s[1] {
							v = float64(x.Pix[y*s[1]+x2])
						}
						sum += wa * wb * v
					}
				}
				want.Pix[i] = float32(sum)
			}
			same(t, name, apply(t, name, x, 0), want, 1e-6)
		}
	}
}

func bounced(i, n int) int { return mirrored(max(i, -i), n) }

func TestConstantsStay(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic", "blur-uni", "blur-gauss-3", "blur-gauss-100", "decolor"} {
		x := bridge.NewImage(3, 9, 40)
		for i := range x.Pix {
			x.Pix[i] = 0.5
		}
		same(t, name, apply(t, name, x, 0), x, 1e-6)
	}
}

func TestEveryOperatorTakesEverySize(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic", "blur-uni", "blur-gauss", "blur-gauss-1.5", "blur-uni.official", "jpeg-5", "jpeg-100",
		"inpaint-center", "inpaint-freeform1020", "inpaint-random-50", "decolor", "mixture", "sr4x-pool+noise-0.1", "inpaint-freeform3040+noise-0.1",
		"sr4x-bicubic+8bit", "jpeg-5+noise-0.1+8bit"} {
		for _, s := range [][3]int{{3, 1, 1}, {3, 3, 5}, {1, 17, 31}, {3, 20, 33}, {1, 4, 1}, {4, 7, 7}, {3, 100, 257}} {
			if testing.Short() && s[1] != s[2] && (name == "mixture" || strings.HasSuffix(name, "official")) {
				continue
			}
			x := random3(s[0], s[1], s[2], 3)
			before := slices.Clone(x.Pix)
			a, b := apply(t, name, x, 7), apply(t, name, x, 7)
			if !slices.Equal(a.Pix, b.Pix) {
				t.Errorf("%s: equal seeds differ", name)
			}
			if !slices.Equal(before, x.Pix) {
				t.Errorf("%s changed its input", name)
			}
			if len(a.Pix) > 0 && &a.Pix[0] == &x.Pix[0] {
				t.Errorf("%s returned its input", name)
			}
		}
	}
}

func TestBadPictures(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "blur-uni", "blur-uni.official", "jpeg-5", "inpaint-center", "decolor", "mixture", "sr4x-pool+noise-1",
		"inpaint-center+noise-1", "jpeg-5+noise-1", "sr4x-pool+8bit", "inpaint-center+8bit", "jpeg-5+8bit"} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []*bridge.Image{nil, {}, {C: 3, H: 2, W: 2}, {C: 1, H: -1, W: -1, Pix: make([]float32, 1)}} {
			if _, err := op.Apply(x, 0); err == nil {
				t.Errorf("%s takes %v", name, x)
			}
			if l, ok := op.(Linear); ok {
				if _, err := l.Adjoint(x, 0); err == nil {
					t.Errorf("%s's adjoint takes %v", name, x)
				}
			}
		}
	}
}
