package metric_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
	"github.com/i2sb-go/i2sb/eval"
	"github.com/i2sb-go/i2sb/eval/metric"
)

// subjects are the photograph of testdata, halved, which takes the traces of
// JPEG out of it, or the crops of the list that I2SB_CROPS names, whose
// photographs lie beside it.
func subjects(t *testing.T) []*bridge.Image {
	list := os.Getenv("I2SB_CROPS")
	crops := []eval.Crop{{File: "canyon-wren.jpg", X: 0, Y: 0, W: 384, H: 256, Set: "main"}}
	dir := "../../testdata"
	if list != "" {
		f, err := os.Open(list)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if crops, err = eval.ReadCrops(f); err != nil {
			t.Fatal(err)
		}
		dir = filepath.Dir(list)
	}
	var x []*bridge.Image
	for _, c := range crops {
		if c.Set != "main" {
			continue
		}
		p, err := c.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if list == "" {
			p = halved(p)
		}
		x = append(x, p)
	}
	return x
}

func halved(x *bridge.Image) *bridge.Image {
	y := bridge.NewImage(x.C, x.H/2, x.W/2)
	for i := range y.Pix {
		in := x.Plane(i / (y.H * y.W))[i/y.W%y.H*2*x.W+i%y.W*2:]
		y.Pix[i] = (in[0] + in[1] + in[x.W] + in[x.W+1]) / 4
	}
	return y
}

func distance(t *testing.T, name string, y, x *bridge.Image) float64 {
	t.Helper()
	m, err := metric.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Compare(y, x)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func degraded(t *testing.T, name string, x *bridge.Image) *bridge.Image {
	t.Helper()
	op, err := degrade.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Apply(x, 1)
	if err != nil {
		t.Fatal(err)
	}
	return y
}

// TestPerceptualGrows with more blur, noise and JPEG.
func TestPerceptualGrows(t *testing.T) {
	series := map[string][]string{
		"blur":  {"blur-gauss-0.4", "blur-gauss-0.6", "blur-gauss-0.8", "blur-gauss-1.2", "blur-gauss-1.6", "blur-gauss-2.4", "blur-gauss-4", "blur-gauss-8"},
		"noise": {"blur-gauss-0.001+noise-0.01", "blur-gauss-0.001+noise-0.02", "blur-gauss-0.001+noise-0.05", "blur-gauss-0.001+noise-0.1", "blur-gauss-0.001+noise-0.2", "blur-gauss-0.001+noise-0.4"},
		"jpeg":  {"jpeg-90", "jpeg-70", "jpeg-50", "jpeg-30", "jpeg-20", "jpeg-10", "jpeg-5"},
	}
	for _, x := range subjects(t) {
		for name, ops := range series {
			last, line := 0.0, ""
			for _, op := range ops {
				d := distance(t, "perceptual", degraded(t, op, x), x)
				line += fmt.Sprintf(" %.4f", d)
				if d <= last {
					t.Errorf("%s: %s has %.4f, what is less degraded %.4f", name, op, d, last)
				}
				last = d
			}
			t.Log(name, line)
		}
	}
}

// sample reads x between pixels, repeating its edges.
func sample(x *bridge.Image, c int, i, j float64) float32 {
	fi, fj := math.Floor(i), math.Floor(j)
	at := func(i, j int) float64 {
		return float64(x.Plane(c)[min(x.H-1, max(0, i))*x.W+min(x.W-1, max(0, j))])
	}
	a, b, u, v := int(fi), int(fj), i-fi, j-fj
	return float32((1-u)*((1-v)*at(a, b)+v*at(a, b+1)) + u*((1-v)*at(a+1, b)+v*at(a+1, b+1)))
}

// warped moves the pixels of x by waves of some pixels.
func warped(x *bridge.Image, pixels float64) *bridge.Image {
	y := bridge.NewImage(x.C, x.H, x.W)
	for i := range y.Pix {
		c, r, s := i/(x.H*x.W), float64(i/x.W%x.H), float64(i%x.W)
		y.Pix[i] = sample(x, c, r+pixels*math.Sin(s/19), s+pixels*math.Cos(r/23))
	}
	return y
}

// redrawn is x blurred, with the details that the blur took from elsewhere:
// sharp, and wrong.
func redrawn(t *testing.T, x *bridge.Image, blur string, dy, dx int) *bridge.Image {
	smooth := degraded(t, blur, x)
	y := smooth.Clone()
	for i := range y.Pix {
		c, r, s := i/(x.H*x.W), i/x.W%x.H, i%x.W
		k := min(x.H-1, max(0, r+dy))*x.W + min(x.W-1, max(0, s+dx))
		y.Pix[i] += x.Plane(c)[k] - smooth.Plane(c)[k]
	}
	return y
}

// TestPerceptualPrefersSharp: of two pictures with the same error, or of one
// with less, the distance prefers what is sharp and slightly elsewhere to what
// is smooth.
func TestPerceptualPrefersSharp(t *testing.T) {
	for _, x := range subjects(t) {
		y := warped(x, 1.5)
		psnr := distance(t, "psnr", y, x)
		var smooth *bridge.Image
		for sigma := 0.3; sigma < 12; sigma *= 1.04 {
			if smooth = degraded(t, fmt.Sprintf("blur-gauss-%.3f", sigma), x); distance(t, "psnr", smooth, x) <= psnr {
				break
			}
		}
		w, s := distance(t, "perceptual", y, x), distance(t, "perceptual", smooth, x)
		t.Logf("%.2f dB: moved %.4f, blurred %.4f; ssim %.3f %.3f", psnr, w, s, distance(t, "ssim", y, x), distance(t, "ssim", smooth, x))
		if w >= s {
			t.Errorf("at %.1f dB what is moved has %.4f, what is blurred %.4f", psnr, w, s)
		}
		const blur = "blur-gauss-1.5"
		wrong, soft := redrawn(t, x, blur, 3, 2), degraded(t, blur, x)
		w, s = distance(t, "perceptual", wrong, x), distance(t, "perceptual", soft, x)
		t.Logf("redrawn %.2f dB %.4f, soft %.2f dB %.4f; ssim %.3f %.3f", distance(t, "psnr", wrong, x), w, distance(t, "psnr", soft, x), s,
			distance(t, "ssim", wrong, x), distance(t, "ssim", soft, x))
		if w >= s {
			t.Errorf("details from elsewhere: %.4f, none: %.4f", w, s)
		}
	}
}
