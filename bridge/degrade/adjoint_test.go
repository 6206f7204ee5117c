package degrade

import (
	"math"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

var sizes = [][2]int{{1, 1}, {1, 6}, {3, 5}, {5, 1}, {17, 31}, {64, 64}, {100, 257}}

func TestAdjoints(t *testing.T) {
	for _, name := range []string{"sr4x-pool", "sr4x-bicubic", "blur-uni", "blur-gauss", "blur-gauss-1.5", "blur-uni-5.zero", "blur-gauss-2.zero",
		"blur-uni.official", "blur-gauss.official", "inpaint-center", "inpaint-freeform2030", "inpaint-random-30", "decolor",
		"sr4x-bicubic+noise-0.1", "inpaint-center+noise-0.1", "blur-uni.zero+noise-0.1"} {
		op, err := Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range append(sizes, [2]int{16, 16}) {
			if testing.Short() && strings.HasSuffix(name, "official") && s[0] != s[1] {
				continue // they decompose 256×256
			}
			adjoint(t, op.(Linear), s[0], s[1], 3)
		}
		adjoint(t, op.(Linear), 12, 12, 1)
		adjoint(t, op.(Linear), 7, 7, 4)
	}
	mask, err := MaskFromGray([]uint8{0, 255, 127, 128, 3, 200}, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	adjoint(t, mask.(Linear), 3, 2, 3)
}

func adjoint(t *testing.T, op Linear, h, w, c int) {
	t.Helper()
	x, y := random3(c, h, w, 1), random3(c, h, w, 2)
	ax, err := op.Apply(x, 5)
	if err != nil {
		t.Fatal(err)
	}
	a0, err := op.Apply(bridge.NewImage(c, h, w), 5)
	if err != nil {
		t.Fatal(err)
	}
	aty, err := op.Adjoint(y, 5)
	if err != nil {
		t.Fatal(err)
	}
	var left, right, norms float64
	for i := range y.Pix {
		left += float64(ax.Pix[i]-a0.Pix[i]) * float64(y.Pix[i])
		right += float64(x.Pix[i]) * float64(aty.Pix[i])
		norms += math.Abs(float64(x.Pix[i])*float64(aty.Pix[i])) + float64(y.Pix[i]*y.Pix[i])
	}
	if math.Abs(left-right) > 1e-6*(1+norms) {
		t.Errorf("%s %d×%d×%d: ⟨Ax,y⟩ = %v, ⟨x,Aᵀy⟩ = %v", op.Name(), c, h, w, left, right)
	}
}
