package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/bridge"
)

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
		for _, format := range []string{"jpeg", "png", "tiff"} {
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

func TestLossy(t *testing.T) {
	p := &Picture{Image: bridge.NewImage(3, 2, 2), Depth: 16, Alpha: []uint16{1, 2, 3, 4}, ICC: rgbProfile(100, "RGB ")}
	grey := &Picture{Image: bridge.NewImage(1, 2, 2), Depth: 8, Alpha: p.Alpha, ICC: rgbProfile(100, "GRAY")}
	opaque := &Picture{Image: p.Image, Depth: 8, Alpha: []uint16{65535, 65535, 65535, 65535}}
	for _, c := range []struct {
		p            *Picture
		format, want string
	}{
		{p, "png", ""}, {p, "tiff", ""}, {p, "jpeg", "alpha, 16 bits"}, {p, "bmp", "alpha, 16 bits, colour profile"},
		{grey, "png", ""}, {grey, "tiff", "colour profile"}, {grey, "jpeg", "alpha"},
		{opaque, "jpeg", ""}, {opaque, "bmp", ""},
	} {
		if got := c.p.Lossy(c.format); got != c.want {
			t.Errorf("%s: %q, want %q", c.format, got, c.want)
		}
		q := decode(t, encode(t, c.p, c.format))
		if strings.Contains(c.want, "profile") == bytes.Equal(q.ICC, c.p.ICC) && c.p.ICC != nil {
			t.Errorf("%s: the profile is %.30q", c.format, q.ICC)
		}
	}
}

// Grey with alpha must stay so, to the last bit and with its profile, and be
// read alike by others.
func TestGreyWithAlpha(t *testing.T) {
	for _, depth := range []int{8, 16} {
		for _, opaque := range []bool{false, true} {
			p := &Picture{Image: bridge.NewImage(1, 3, 5), Alpha: make([]uint16, 15), Depth: depth, Grey: true, ICC: rgbProfile(100, "GRAY")}
			for i := range p.Alpha {
				p.Image.Pix[i], p.Alpha[i] = Level(uint16(257*(17*i+1))), 65535
				if depth == 16 {
					p.Image.Pix[i] = Level(uint16(4321 * i))
				}
				if !opaque {
					p.Alpha[i] = uint16(257 * 11 * i)
				}
			}
			b := encode(t, p, "png")
			m, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			want := p.ToImage()
			for i := range p.Alpha {
				if got, want := color.NRGBA64Model.Convert(m.At(i%5, i/5)), color.NRGBA64Model.Convert(want.At(i%5, i/5)); got != want {
					t.Fatalf("%d bits: pixel %d is %v, want %v", depth, i, got, want)
				}
			}
			q := decode(t, b)
			if !q.Grey || q.Image.C != 1 || q.Depth != depth || !slices.Equal(q.Image.Pix, p.Image.Pix) ||
				!opaque && !slices.Equal(q.Alpha, p.Alpha) || !bytes.Equal(q.ICC, p.ICC) {
				t.Errorf("%d bits: grey %v, %d channels of %d bits, profile of %d bytes", depth, q.Grey, q.Image.C, q.Depth, len(q.ICC))
			}
		}
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	x := bridge.NewImage(3, 2, 2)
	for want, p := range map[string]*Picture{
		"Image is nil":   nil,
		"is nil":         {},
		"no pixels":      {Image: bridge.NewImage(3, 0, 2)},
		"2 channels":     {Image: bridge.NewImage(2, 2, 2)},
		"11 values":      {Image: &bridge.Image{C: 3, H: 2, W: 2, Pix: x.Pix[:11]}},
		"3 alpha values": {Image: x, Alpha: make([]uint16, 3)},
		"profile":        {Image: x, ICC: make([]byte, maxPart+1)},
		`key ""`:         {Image: x, Text: map[string]string{"": "a"}},
		`"a\x00b"`:       {Image: x, Text: map[string]string{"a\x00b": "a"}},
		"not 80":         {Image: x, Text: map[string]string{strings.Repeat("a", 80): "a"}},
		`"→"`:            {Image: x, Text: map[string]string{"→": "a"}},
		`" a"`:           {Image: x, Text: map[string]string{" a": "a"}},
		"NUL":            {Image: x, Text: map[string]string{"a": "b\x00"}},
		"UTF-8":          {Image: x, Text: map[string]string{"a": "b\xff"}},
	} {
		for _, format := range []string{"png", "jpeg", "tiff", "bmp"} {
			err := Encode(io.Discard, p, format, 90)
			var f *FormatError
			if !errors.As(err, &f) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %s: %v", format, want, err)
			}
		}
	}
	for format, p := range map[string]*Picture{
		"tiff": {Image: bridge.NewImage(1, 1, 65536)},
		"jpeg": {Image: x, Text: map[string]string{"a": strings.Repeat("a", 65536)}},
		"webp": {Image: x},
	} {
		if err := Encode(io.Discard, p, format, 90); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
	if q := decode(t, encode(t, &Picture{Image: bridge.NewImage(1, 1, 65535)}, "tiff")); q.Image.W != 65535 {
		t.Errorf("the widest TIFF has %d pixels", q.Image.W)
	}
}

func TestText(t *testing.T) {
	for _, p := range []*Picture{
		decode(t, pngOf(t, colours(3, 3))),
		{Image: bridge.NewImage(1, 1, 1), Grey: true, ICC: rgbProfile(99, "GRAY")},
	} {
		p.Text = map[string]string{"Software": "i2sb", "i2sb": `{"steps":1,"ü":"→"}`, "Größe": "1\n2 <&>"}
		for _, format := range []string{"png", "jpeg", "tiff"} {
			b := encode(t, p, format)
			if text := ReadText(bytes.NewReader(b)); !maps.Equal(text, p.Text) {
				t.Errorf("%s: %v", format, text)
			}
			if q := decode(t, b); q.Image.W != p.Image.W || !bytes.Equal(q.ICC, p.ICC) {
				t.Errorf("%s: is %d wide with a profile of %d bytes", format, q.Image.W, len(q.ICC))
			}
			for n := range b {
				ReadText(bytes.NewReader(b[:n])) // no panic
			}
		}
		if text := ReadText(bytes.NewReader(encode(t, p, "bmp"))); text != nil {
			t.Errorf("BMP: %v", text)
		}
	}
	for name, b := range samples(t) {
		if text := ReadText(bytes.NewReader(b)); len(text) != 0 {
			t.Errorf("%s: %v", name, text)
		}
	}
}

func TestTextOfOthers(t *testing.T) {
	j := jpegOf(t, colours(3, 3))
	j = slices.Concat(j[:2], []byte("\xff\xff\xfe\x00\x07hello"), j[2:])
	if text := ReadText(bytes.NewReader(j)); text["Comment"] != "hello" {
		t.Errorf("JPEG: %v", text)
	}
	tf, err := withTags(samples(t)["tiff"], map[uint16][]byte{tagDescription: []byte("hello\x00")})
	if err != nil {
		t.Fatal(err)
	}
	if text := ReadText(bytes.NewReader(tf)); text["Description"] != "hello" {
		t.Errorf("TIFF: %v", text)
	}
}

// Text behind megabytes of pixels is found.
func TestTextBehindPixels(t *testing.T) {
	b := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	end := len(b) - 12
	b = slices.Concat(appendChunk(b[:end:end], "IDAT", make([]byte, 3<<20)), appendChunk(nil, "tEXt", []byte("gr\xfc\xdfe\x00wo\xdf")), b[end:])
	if text := ReadText(bytes.NewReader(b)); text["grüße"] != "woß" {
		t.Errorf("%v", text)
	}
}
