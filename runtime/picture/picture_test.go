package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
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

// withOrientation puts an EXIF block behind a JPEG's start.
func withOrientation(b []byte, o byte) []byte {
	tiff := append([]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), o, 0, 0, 0, 0, 0, 0)
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xff, 0xd8, 0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(body)+2))...)
	return append(append(out, body...), b[2:]...)
}

func TestOrientations(t *testing.T) {
	// A 16×8 picture, dark but for its top left quarter; where is the bright
	// quarter after turning?
	m := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	for i := range m.Pix {
		m.Pix[i] = 255
		if x, y := i/4%32, i/4/32; i%4 < 3 && (x >= 16 || y >= 8) {
			m.Pix[i] = 0
		}
	}
	b := jpegOf(t, m)
	for o, want := range map[byte][3]int{1: {32, 0, 0}, 2: {32, 1, 0}, 3: {32, 1, 1}, 4: {32, 0, 1}, 5: {16, 0, 0}, 6: {16, 1, 0}, 7: {16, 1, 1}, 8: {16, 0, 1}, 9: {32, 0, 0}} {
		x := decode(t, withOrientation(b, o)).Image
		if x.W != want[0] || x.H != 48-want[0] {
			t.Errorf("orientation %d: %d×%d", o, x.W, x.H)
			continue
		}
		for qy := range 2 {
			for qx := range 2 {
				v := x.Pix[(x.H/4+qy*x.H/2)*x.W+x.W/4+qx*x.W/2]
				if (v > 0) != (qx == want[1] && qy == want[2]) {
					t.Errorf("orientation %d: the quarter %d,%d is %v", o, qx, qy, v)
				}
			}
		}
	}
}

// rgbProfile is a profile as far as this package looks into it.
func rgbProfile(n int, space string) []byte {
	p := bytes.Repeat([]byte("profile!"), n/8+3)
	copy(p[16:], space)
	return p
}

func TestProfilesGoOver(t *testing.T) {
	for _, n := range []int{100, 200000} { // one segment, several
		p := decode(t, pngOf(t, colours(8, 8)))
		p.ICC = rgbProfile(n, "RGB ")
		for _, format := range []string{"jpeg", "png"} {
			q := decode(t, encode(t, p, format))
			if !bytes.Equal(q.ICC, p.ICC) {
				t.Errorf("%s: the profile of %d bytes has %d", format, len(p.ICC), len(q.ICC))
			}
		}
	}
	p := decode(t, pngOf(t, colours(8, 8)))
	p.ICC = rgbProfile(100, "CMYK")
	if q := decode(t, encode(t, p, "png")); q.ICC != nil {
		t.Error("a profile of another kind of colour was kept")
	}
}

func TestText(t *testing.T) {
	p := decode(t, pngOf(t, colours(3, 3)))
	p.Text = map[string]string{"Software": "i2sb", "i2sb": `{"steps":1,"ü":"→"}`}
	text, err := ReadText(bytes.NewReader(encode(t, p, "png")))
	if err != nil || text["i2sb"] != p.Text["i2sb"] || text["Software"] != "i2sb" {
		t.Errorf("%v, %v", text, err)
	}
	if text, err := ReadText(bytes.NewReader(jpegOf(t, colours(3, 3)))); text != nil || err != nil {
		t.Errorf("JPEG: %v, %v", text, err)
	}
}

// samples has one small file of each format.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	m := colours(9, 6)
	var tf, bm, gf bytes.Buffer
	p := image.NewPaletted(m.Rect, color.Palette{color.Black, color.White, color.NRGBA{255, 0, 0, 255}})
	for i := range p.Pix {
		p.Pix[i] = uint8(i % 3)
	}
	if err := errors.Join(tiff.Encode(&tf, m, nil), bmp.Encode(&bm, m), gif.Encode(&gf, p, nil)); err != nil {
		t.Fatal(err)
	}
	// WebP: a lossless picture of one pixel.
	webp := []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	return map[string][]byte{"png": pngOf(t, m), "jpeg": withOrientation(jpegOf(t, m), 6), "tiff": tf.Bytes(), "bmp": bm.Bytes(), "gif": gf.Bytes(), "webp": webp}
}

func TestEveryFormatAndItsTruncations(t *testing.T) {
	for name, b := range samples(t) {
		p := decode(t, b)
		if name != "webp" && p.Image.W*p.Image.H != 54 {
			t.Errorf("%s: %d×%d", name, p.Image.W, p.Image.H)
		}
		for n := range len(b) / 2 {
			if _, err := Decode(bytes.NewReader(b[:n]), Limits{}); err == nil && name != "gif" && name != "bmp" {
				t.Errorf("%s: %d of %d bytes: no error", name, n, len(b))
				break
			} else if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: an error of several lines", name)
			}
		}
	}
}

// header is a PNG that claims a size and holds nothing.
func header(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 2, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

func TestWhatIsNoPicture(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":     {nil, "empty"},
		"text":      {[]byte("hello, this is a letter"), "not a picture"},
		"huge":      {header(60000, 60000), "60000×60000"},
		"lying":     {header(16000, 16000), "16000×16000"},
		"zero":      {header(0, 5), ""},
		"truncated": {jpegOf(t, colours(64, 64))[:400], ""},
	} {
		_, err := Decode(bytes.NewReader(c.b), Limits{})
		var f *FormatError
		if !errors.As(err, &f) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(bytes.NewReader(pngOf(t, colours(20, 20))), Limits{Pixels: 300}); err == nil {
		t.Error("the limit of pixels does not hold")
	}
	if _, err := Decode(bytes.NewReader(pngOf(t, colours(20, 20))), Limits{Bytes: 50}); err == nil {
		t.Error("the limit of bytes does not hold")
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

func FuzzDecode(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Add(header(60000, 60000))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(bytes.NewReader(b), Limits{Pixels: 1 << 16})
		if err != nil {
			return
		}
		if x := p.Image; x.W*x.H > 1<<16 || len(x.Pix) != x.C*x.W*x.H || (p.Alpha != nil && len(p.Alpha) != x.W*x.H) {
			t.Fatalf("%d×%d×%d, %d values", x.C, x.H, x.W, len(x.Pix))
		}
		if err := Encode(io.Discard, p, "png", 0); err != nil {
			t.Fatal(err)
		}
	})
}
