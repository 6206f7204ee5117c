package degrade

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
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
		if want == nil {
			t.Fatalf("the fixture has no %s", name)
		}
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

func random3(c, h, w int, seed uint64) *bridge.Image {
	r := rand.New(rand.NewPCG(seed, 9))
	x := bridge.NewImage(c, h, w)
	for i := range x.Pix {
		x.Pix[i] = float32(2*r.Float64() - 1)
	}
	return x
}
