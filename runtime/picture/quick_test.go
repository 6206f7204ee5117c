package picture

import (
	"bytes"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

// What is written quickly must be read as what is written slowly.
func TestQuickPNG(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []int{1, 3} {
		for _, depth := range []int{8, 16} {
			for _, alpha := range []string{"none", "opaque", "some"} {
				for _, side := range [][2]int{{1, 1}, {2, 1}, {1, 3}, {7, 5}, {33, 18}, {200, 150}} {
					w, h := side[0], side[1]
					p := &Picture{Image: bridge.NewImage(c, h, w), Depth: depth, Grey: c == 1, Text: map[string]string{"a": "b"},
						ICC: rgbProfile(100, map[int]string{1: "GRAY", 3: "RGB "}[c])}
					for i := range p.Image.Pix {
						p.Image.Pix[i] = 1.2 * float32(math.Sin(float64(i)/9))
						if w < 100 { // nothing repeats, and all bytes occur
							p.Image.Pix[i] = 2.2*random.Float32() - 1.1
						}
					}
					if alpha != "none" {
						p.Alpha = slices.Repeat([]uint16{65535}, w*h)
					}
					if alpha == "some" {
						for i := range p.Alpha {
							p.Alpha[i] = uint16(random.Uint32())
						}
					}
					var b bytes.Buffer
					if err := EncodeQuickly(&b, p, "png", 0); err != nil {
						t.Fatal(err)
					}
					slow := encode(t, p, "png")
					if raw := (c + 1) * depth / 8 * w * h; b.Len() > raw+h+400 {
						t.Errorf("%d channels of %d bits, alpha %s, %d×%d: %d bytes of %d", c, depth, alpha, w, h, b.Len(), raw)
					}
					got, want := decode(t, b.Bytes()), decode(t, slow)
					if want.Alpha != nil && opaque(want.Alpha) { // which is not written quickly
						want.Alpha = nil
					}
					if got.Grey != want.Grey || got.Depth != want.Depth || !slices.Equal(got.Image.Pix, want.Image.Pix) || !slices.Equal(got.Alpha, want.Alpha) ||
						!bytes.Equal(got.ICC, p.ICC) || !maps.Equal(ReadText(bytes.NewReader(b.Bytes())), p.Text) {
						t.Errorf("%d channels of %d bits, alpha %s, %d×%d: another picture", c, depth, alpha, w, h)
					}
				}
			}
		}
	}
}

// Noise has nothing that repeats, but its bytes are not all as frequent.
func TestQuickPNGOfNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	p := &Picture{Image: bridge.NewImage(3, 100, 100), Depth: 8}
	for i := range p.Image.Pix {
		p.Image.Pix[i] = float32(random.NormFloat64() / 10)
	}
	var b bytes.Buffer
	if err := EncodeQuickly(&b, p, "png", 0); err != nil || b.Len() > 27000 {
		t.Errorf("%d bytes of 30000, %v", b.Len(), err)
	}
}

// Rounding must be that of math.Round about every step, and exact between them.
func TestQuantize(t *testing.T) {
	for _, top := range []float64{255, 65535} {
		for i := range int(top) + 2 {
			v := float32((float64(i)-0.5)*2/top - 1)
			for _, v := range []float32{math.Nextafter32(v, -2), v, math.Nextafter32(v, 2)} {
				want := math.Round(min(max((float64(v)+1)*top/2, 0), top))
				if got := quantize(v, top); float64(got) != want {
					t.Fatalf("%v of %v is %d, want %v", v, top, got, want)
				}
			}
		}
	}
	for i := range 65536 {
		if v := Level(uint16(i)); v != float32(float64(i)/32767.5-1) || Code(v) != uint16(i) {
			t.Fatalf("%d: %v", i, v)
		}
	}
}
