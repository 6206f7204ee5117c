package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"
)

// colours is a picture whose pixels all differ.
func colours(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{uint8(40 * x), uint8(30 * y), uint8(9*x + 7*y), 255})
		}
	}
	return m
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, b []byte) *Picture {
	t.Helper()
	p, err := Decode(bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t testing.TB, p *Picture, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, p, format, 95); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every kind of PNG must come out as it went in, to the last bit.
func TestNothingIsLost(t *testing.T) {
	n16 := image.NewNRGBA64(image.Rect(0, 0, 5, 4))
	g16 := image.NewGray16(n16.Rect)
	alpha := colours(5, 4)
	grey := image.NewGray(n16.Rect)
	for i := range 20 {
		n16.SetNRGBA64(i%5, i/5, color.NRGBA64{uint16(3277 * i), uint16(65535 - i), uint16(7 * i), uint16(65535 - 1000*i)})
		g16.SetGray16(i%5, i/5, color.Gray16{Y: uint16(3000*i + i)})
		grey.SetGray(i%5, i/5, color.Gray{Y: uint8(12 * i)})
		alpha.Pix[4*i+3] = uint8(13 * i)
	}
	for name, m := range map[string]image.Image{"16 bits with alpha": n16, "grey 16": g16, "grey": grey, "alpha": alpha, "8 bits": colours(5, 4)} {
		again, err := png.Decode(bytes.NewReader(encode(t, decode(t, pngOf(t, m)), "png")))
		if err != nil {
			t.Fatal(err)
		}
		for y := range 4 {
			for x := range 5 {
				if a, b := color.NRGBA64Model.Convert(m.At(x, y)), color.NRGBA64Model.Convert(again.At(x, y)); a != b {
					t.Fatalf("%s: pixel %d,%d was %v, is %v", name, x, y, a, b)
				}
			}
		}
		if (name[:4] == "grey") != decode(t, pngOf(t, m)).Grey {
			t.Errorf("%s: grey was not seen", name)
		}
	}
}

func TestMask(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 2, 1))
	m.Pix[1] = 255
	v, w, h, err := DecodeMask(bytes.NewReader(pngOf(t, m)), Limits{})
	if err != nil || w != 2 || h != 1 || !slices.Equal(v, []uint8{0, 255}) {
		t.Errorf("%v %d×%d %v", v, w, h, err)
	}
}

// What is read quickly must be what is read pixel by pixel.
func TestQuickPaths(t *testing.T) {
	type slow struct{ image.Image } // hides the methods of the image
	r := image.Rect(-2, 3, 5, 9)
	palette := color.Palette{color.Black, color.NRGBA{9, 80, 200, 100}, color.Transparent, color.CMYK{9, 80, 200, 40}}
	for _, m := range []draw.Image{image.NewRGBA(r), image.NewRGBA64(r), image.NewGray(r), image.NewGray16(r), image.NewCMYK(r),
		image.NewAlpha(r), image.NewPaletted(r, palette)} {
		random := rand.New(rand.NewPCG(1, 2))
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				v := uint16(random.Uint32())
				m.Set(x, y, color.NRGBA64{v, v * 3, v * 5, v * 7})
			}
		}
		a, b := make([]color.NRGBA64, r.Dx()), make([]color.NRGBA64, r.Dx())
		for y := r.Min.Y; y < r.Max.Y; y++ {
			rows(m)(y, a)
			rows(slow{m})(y, b)
			if !slices.Equal(a, b) {
				t.Fatalf("%T, row %d: %v, pixel by pixel %v", m, y, a, b)
			}
		}
		if n := testing.AllocsPerRun(1, func() { rows(m)(r.Min.Y, a) }); n > 3 {
			t.Errorf("%T: %v allocations", m, n)
		}
	}
}
