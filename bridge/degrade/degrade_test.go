package degrade

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// fixture reads a tensor of the reference's own operators, run on a 64×64
// photograph in PyTorch 1.13 (testdata/operators.safetensors).
func fixture(t *testing.T) map[string]*bridge.Image {
	t.Helper()
	raw, err := os.ReadFile("testdata/operators.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	header := map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}{}
	if err := json.Unmarshal(raw[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	out := map[string]*bridge.Image{}
	for name, h := range header {
		if h.DType != "F32" {
			continue
		}
		s := h.Shape[len(h.Shape)-3:]
		x := bridge.NewImage(s[0], s[1], s[2])
		for i := range x.Pix {
			x.Pix[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[8+int(n)+h.Offsets[0]+4*i:]))
		}
		out[name] = x
	}
	return out
}

func apply(t *testing.T, name string, x *bridge.Image, seed uint64) *bridge.Image {
	t.Helper()
	op, err := Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Apply(x, seed)
	if err != nil {
		t.Fatal(err)
	}
	if y.SameSize(x) != nil {
		t.Fatalf("%s: %d×%d became %d×%d", name, x.H, x.W, y.H, y.W)
	}
	return y
}

func TestOperatorsMatchTheReference(t *testing.T) {
	f := fixture(t)
	for name, tolerance := range map[string]float64{"sr4x-pool": 1e-5, "sr4x-bicubic": 1e-5, "jpeg-5": 1e-5, "jpeg-10": 1e-5, "jpeg-50": 1e-5,
		"inpaint-center": 0, "blur-uni.official": 3e-3, "blur-gauss.official": 3e-3} {
		y, want := apply(t, name, f["clean"], 0), f[name]
		worst := 0.0
		for i := range want.Pix {
			worst = max(worst, math.Abs(float64(y.Pix[i]-want.Pix[i])))
		}
		t.Logf("%s: %.2g", name, worst)
		if worst > tolerance {
			t.Errorf("%s: largest difference %.3g, allowed %.3g", name, worst, tolerance)
		}
	}
	op, _ := Parse("inpaint-center")
	for i, m := range op.(Masker).Mask(64, 64, 0) {
		if (m == 255) != (f["inpaint-center.mask"].Pix[i] == 1) {
			t.Fatal("inpaint-center: the mask differs")
		}
	}
}

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

// Goldens of the reference document, sections 2.2 to 2.5, made with numpy.
func TestGoldens(t *testing.T) {
	for name, golden := range map[string]map[[2]int][3]float64{
		"sr4x-pool": {{0, 0}: {-.988235, -.988235, -1}, {3, 5}: {-.831373, -.894118, 1}, {32, 32}: {.015686, .015686, -1},
			{10, 47}: {.486275, -.674510, 1}, {63, 63}: {.988235, .988235, -1}},
		"sr4x-bicubic": {{0, 0}: {-.989334, -.989334, -1}, {3, 5}: {-.831373, -.894118, .867176}, {32, 32}: {.015686, .015686, -.715214},
			{10, 47}: {.486275, -.674510, .867176}, {63, 63}: {.989334, .989334, -1}},
	} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		small, err := op.(Shrinker).Small(gradient())
		if err != nil {
			t.Fatal(err)
		}
		for at, want := range golden {
			near(t, name, small, at[0], at[1], want, 1e-6)
		}
	}
	if testing.Short() {
		return
	}
	uni := apply(t, "blur-uni.official", gradient(), 0)
	near(t, "blur-uni.official", uni, 128, 128, [3]float64{-.212, -.212, -.205}, 4e-3)
	near(t, "blur-uni.official", uni, 255, 255, [3]float64{-.681, -.681, -1.026}, 4e-3)
	gauss := apply(t, "blur-gauss.official", gradient(), 0)
	near(t, "blur-gauss.official", gauss, 7, 9, [3]float64{-.962, -.961, -1.017}, 4e-3)
	near(t, "blur-gauss.official", gauss, 255, 255, [3]float64{-.589, -.589, -1.001}, 4e-3)
}

func TestJPEGGolden(t *testing.T) {
	x := bridge.NewImage(3, 16, 16)
	for i := range 16 {
		for j := range 16 {
			x.Plane(0)[i*16+j] = float32(2*float64(j)/15 - 1)
			x.Plane(1)[i*16+j] = float32(2*float64(i)/15 - 1)
			x.Plane(2)[i*16+j] = float32(2*float64(i+j)/30 - 1)
		}
	}
	five, ten := apply(t, "jpeg-5", x, 0), apply(t, "jpeg-10", x, 0)
	near(t, "jpeg-5", five, 0, 0, [3]float64{-.94261171, -.94261171, -.94261171}, 1e-6)
	near(t, "jpeg-5", five, 7, 9, [3]float64{.31965162, -.09246248, .04658482}, 1e-6)
	near(t, "jpeg-10", ten, 7, 9, [3]float64{.1697991, -.15603891, .05127508}, 1e-6)
	if lo, hi := slices.Min(five.Pix), slices.Max(five.Pix); math.Abs(float64(lo)+1.2488) > 1e-4 || math.Abs(float64(hi)-1.2566) > 1e-4 {
		t.Errorf("jpeg-5: values from %v to %v", lo, hi)
	}
}

func random3(c, h, w int, seed uint64) *bridge.Image {
	r := rand.New(rand.NewPCG(seed, 9))
	x := bridge.NewImage(c, h, w)
	for i := range x.Pix {
		x.Pix[i] = float32(2*r.Float64() - 1)
	}
	return x
}

func TestAdjoints(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic", "blur-uni", "blur-gauss", "blur-gauss-1.5", "blur-uni-5.zero", "blur-gauss-2.zero",
		"blur-uni.official", "blur-gauss.official", "inpaint-center", "inpaint-freeform2030", "inpaint-random-30", "decolor"} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		sizes := [][2]int{{1, 1}, {3, 5}, {17, 31}, {64, 64}}
		if strings.HasSuffix(name, "official") {
			sizes = [][2]int{{1, 1}, {16, 16}, {64, 64}}
			if !testing.Short() {
				sizes = append(sizes, [2]int{30, 300})
			}
		}
		for _, s := range sizes {
			x, y := random3(3, s[0], s[1], 1), random3(3, s[0], s[1], 2)
			ax, err := op.Apply(x, 5)
			if err != nil {
				t.Fatal(err)
			}
			a0, err := op.Apply(bridge.NewImage(3, s[0], s[1]), 5)
			if err != nil {
				t.Fatal(err)
			}
			aty, err := op.(Linear).Adjoint(y, 5)
			if err != nil {
				t.Fatal(err)
			}
			var left, right float64
			for i := range y.Pix {
				left += float64(ax.Pix[i]-a0.Pix[i]) * float64(y.Pix[i])
				right += float64(x.Pix[i]) * float64(aty.Pix[i])
			}
			if math.Abs(left-right) > 1e-5*(1+math.Abs(left))*math.Sqrt(float64(len(x.Pix))) {
				t.Errorf("%s %v: ⟨Ax,y⟩ = %v, ⟨x,Aᵀy⟩ = %v", name, s, left, right)
			}
		}
	}
}

func TestEveryOperatorTakesEverySize(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic", "blur-uni", "blur-gauss", "blur-gauss-1.5", "jpeg-5", "jpeg-100", "inpaint-center",
		"inpaint-freeform1020", "inpaint-random-50", "decolor", "sr4x-pool+noise-0.1"} {
		for _, s := range [][3]int{{3, 1, 1}, {3, 3, 5}, {1, 17, 31}, {3, 20, 33}, {1, 4, 1}} {
			x := random3(s[0], s[1], s[2], 3)
			before := slices.Clone(x.Pix)
			a, b := apply(t, name, x, 7), apply(t, name, x, 7)
			if !slices.Equal(a.Pix, b.Pix) {
				t.Errorf("%s: equal seeds differ", name)
			}
			if !slices.Equal(before, x.Pix) {
				t.Errorf("%s changed its input", name)
			}
		}
	}
	for i, v := range apply(t, "blur-gauss-3", func() *bridge.Image {
		x := bridge.NewImage(1, 9, 40)
		for i := range x.Pix {
			x.Pix[i] = 0.5
		}
		return x
	}(), 0).Pix {
		if math.Abs(float64(v)-0.5) > 1e-6 {
			t.Fatalf("reflected borders must keep a constant; pixel %d is %v", i, v)
		}
	}
}

func TestFreeformBands(t *testing.T) {
	for name, band := range map[string][2]float64{"inpaint-freeform1020": {.1, .2}, "inpaint-freeform2030": {.2, .3}, "inpaint-freeform3040": {.3, .4}} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		different := map[string]bool{}
		for seed := range uint64(12) {
			for _, s := range [][2]int{{256, 256}, {64, 64}, {100, 333}, {20, 20}} {
				m := op.(Masker).Mask(s[0], s[1], seed)
				holes := 0
				for _, v := range m {
					if v != 0 {
						holes++
					}
				}
				if share := float64(holes) / float64(len(m)); share < band[0] || share > band[1] {
					t.Errorf("%s, seed %d, %v: %.3f of the picture is hole", name, seed, s, share)
				}
				different[string(m)] = true
			}
		}
		if len(different) != 48 {
			t.Errorf("%s: only %d different masks", name, len(different))
		}
		op.(Masker).Mask(1, 1, 0)
		op.(Masker).Mask(2, 3, 0)
	}
}

func TestMixtureChoosesEveryOne(t *testing.T) {
	op, err := MixtureOf("jpeg-5", "sr4x-pool", "inpaint-center")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for seed := range uint64(300) {
		seen[Chosen(op, seed).Name()]++
	}
	for _, n := range []string{"jpeg-5", "sr4x-pool", "inpaint-center"} {
		if seen[n] < 70 {
			t.Errorf("%s was chosen %d times of 300", n, seen[n])
		}
	}
	if _, err := MixtureOf("jpeg-5", "x"); err == nil {
		t.Error("no error for an unknown name")
	}
	apply(t, "mixture", random3(3, 32, 32, 1), 4)
}

func TestBadNames(t *testing.T) {
	for _, name := range []string{"", "jpeg", "jpeg-0", "jpeg-101", "jpeg-x", "jpeg-010", "sr4x", "sr4x-pool-2", "blur-gauss-0", "blur-gauss-x", "blur-uni-4",
		"inpaint-random", "inpaint-random-101", "jpeg-5+noise-x", "nothing", "blur-gauss-NaN"} {
		if op, err := Parse(name); err == nil {
			t.Errorf("%q became %T", name, op)
		}
	}
	if _, err := (decolor{}).Apply(&bridge.Image{C: 3, H: 2, W: 2}, 0); err == nil {
		t.Error("a picture without pixels: no error")
	}
}
