package classical

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// scene is smooth, with an edge and some texture.
func scene(h, w int) *bridge.Image {
	x := bridge.NewImage(3, h, w)
	for i := range x.Pix {
		c, r, s := float64(i/(h*w)), float64(i/w%h), float64(i%w)
		v := 0.3*math.Sin(r/7+c) + 0.3*math.Cos(s/9) + 0.1*math.Sin(s+r/2)
		if r+2*s > float64(h) {
			v += 0.3
		}
		x.Pix[i] = float32(v)
	}
	return x
}

func psnr(a, b *bridge.Image) float64 {
	sum := 0.0
	for i, v := range a.Pix {
		d := float64(v - b.Pix[i])
		sum += d * d
	}
	return 10 * math.Log10(4*float64(len(a.Pix))/sum)
}

// TestGains: what each method gains on what it is made for, and that it leaves
// the rest to others.
func TestGains(t *testing.T) {
	least := map[string]map[string]float64{
		"bicubic":    {"sr4x-pool": 1, "sr4x-bicubic": 1},
		"lanczos":    {"sr4x-pool": 0.7, "sr4x-bicubic": 0.7},
		"deblocking": {"jpeg-10": 0.5},
		"wiener":     {"blur-gauss-1.5": 1.5, "blur-uni-5": 1.5},
		"harmonic":   {"inpaint-center": 10, "inpaint-random-50": 10, "inpaint-freeform1020": 10},
		"telea":      {"inpaint-center": 10, "inpaint-random-50": 10, "inpaint-freeform1020": 10},
	}
	tasks := []string{"sr4x-pool", "sr4x-bicubic", "jpeg-10", "blur-gauss-1.5", "blur-uni-5", "blur-uni.official", "decolor", "inpaint-center", "inpaint-random-50", "inpaint-freeform1020"}
	for _, task := range tasks {
		op, err := degrade.Parse(task)
		if err != nil {
			t.Fatal(err)
		}
		x := scene(66, 49)
		if task == "inpaint-freeform1020" {
			x = scene(256, 256)
		}
		y, err := op.Apply(x, 3)
		if err != nil {
			t.Fatal(err)
		}
		var mask []uint8
		if m, ok := op.(degrade.Masker); ok {
			mask = m.Mask(x.H, x.W, 3)
		}
		for _, m := range Methods {
			got, err := m.Restore(context.Background(), op, y, mask)
			want, has := least[m.Name][task]
			if !has {
				if !errors.Is(err, ErrNotFor) {
					t.Errorf("%s of %s: %v", m.Name, task, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s of %s: %v", m.Name, task, err)
				continue
			}
			gain := psnr(got, x) - psnr(y, x)
			t.Logf("%s: %s gains %.2f dB on %.2f", task, m.Name, gain, psnr(y, x))
			if !(gain >= want) {
				t.Errorf("%s of %s gains %.2f dB, want %.1f", m.Name, task, gain, want)
			}
			for i, v := range mask {
				if v == 0 && got.Pix[i] != y.Pix[i] {
					t.Fatalf("%s of %s: a known pixel changed", m.Name, task)
				}
			}
		}
	}
}

// TestEnlargedRamp: interpolation continues a ramp, but for its ends.
func TestEnlargedRamp(t *testing.T) {
	x := bridge.NewImage(1, 64, 48)
	for i := range x.Pix {
		x.Pix[i] = float32(i/48)/64 - float32(i%48)/96
	}
	op, _ := degrade.Parse("sr4x-pool")
	small, err := op.Apply(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods[:2] {
		y, err := m.Restore(context.Background(), op, small, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range y.Pix {
			if r, s := i/48, i%48; r > 11 && r < 52 && s > 11 && s < 36 && math.Abs(float64(v-x.Pix[i])) > 2e-3 {
				t.Fatalf("%s: %v at %d,%d, want %v", m.Name, v, r, s, x.Pix[i])
			}
		}
	}
}

// TestHarmonicOfALine: a plane has no curvature, so it comes back.
func TestHarmonicOfALine(t *testing.T) {
	x := bridge.NewImage(1, 40, 30)
	mask := make([]uint8, 40*30)
	for i := range x.Pix {
		x.Pix[i] = float32(i/30)/40 - float32(i%30)/50
		if r, s := i/30, i%30; r > 9 && r < 31 && s > 5 && s < 25 {
			mask[i] = 255
		}
	}
	y := x.Clone()
	for i, m := range mask {
		if m != 0 {
			y.Pix[i] = 1
		}
	}
	got, err := harmonic(context.Background(), nil, y, mask)
	if err != nil || psnr(got, x) < 60 {
		t.Errorf("%v dB, %v", psnr(got, x), err)
	}
}

// TestAllLost: no known pixel, and pictures of one pixel, are no trouble.
func TestAllLost(t *testing.T) {
	for _, x := range []*bridge.Image{bridge.NewImage(3, 5, 4), bridge.NewImage(1, 1, 1)} {
		mask := make([]uint8, x.H*x.W)
		for i := range mask {
			mask[i] = 255
		}
		for _, m := range Methods {
			for _, task := range []string{"sr4x-pool", "jpeg-10", "blur-gauss-1", "inpaint-center"} {
				op, _ := degrade.Parse(task)
				y, err := m.Restore(context.Background(), op, x, mask)
				if err == nil && len(y.Pix) != len(x.Pix) || err != nil && !errors.Is(err, ErrNotFor) {
					t.Errorf("%s of %s: %v", m.Name, task, err)
				}
			}
		}
	}
}
