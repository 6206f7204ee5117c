package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

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
	return map[string][]byte{"png": pngOf(t, m), "jpeg": withOrientation(jpegOf(t, m), 6), "tiff": tf.Bytes(), "bmp": bm.Bytes(), "gif": gf.Bytes(), "webp": webp(riff("VP8L", twoPixels()))}
}

// A file that is cut off is an error, or has all its pixels already.
func TestEveryFormatAndItsTruncations(t *testing.T) {
	for name, b := range samples(t) {
		p := decode(t, b)
		if name != "webp" && p.Image.W*p.Image.H != 54 {
			t.Errorf("%s: %d×%d", name, p.Image.W, p.Image.H)
		}
		for n := range b {
			q, err := Decode(bytes.NewReader(b[:n]), Limits{})
			if err == nil && (name == "webp" || !slices.Equal(q.Image.Pix, p.Image.Pix)) {
				t.Errorf("%s: %d of %d bytes: no error", name, n, len(b))
			} else if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: an error of several lines", name)
			}
		}
	}
}

// A blank picture of one-bit pixels packs as well as its format can; it must
// not be taken for a lie.
func TestBlankPicture(t *testing.T) {
	b := header(16000, 12000)[:pngHead-9]
	b = append(b, 1, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, zlib.BestCompression)
	w.Write(make([]byte, (1+16000/8)*12000))
	w.Close()
	b = appendChunk(appendChunk(b, "IDAT", z.Bytes()), "IEND", nil)
	if _, err := checkSize(b, Limits{}.defaults()); err != nil {
		t.Error(err)
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
	cmyk := bytes.Clone(samples(t)["tiff"])
	for e := cmyk[binary.LittleEndian.Uint32(cmyk[4:])+2:]; len(e) >= tagSize; e = e[tagSize:] {
		if binary.LittleEndian.Uint16(e) == 262 { // the colour model
			e[8] = 5
			break
		}
	}
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
		"animation": {webp(riff("VP8X", []byte{2, 0, 0, 0, 1, 0, 0, 0, 0, 0}), riff("ANIM", make([]byte, 6))), "an animation, which this program does not read; save"},
		"CMYK":      {cmyk, "kind of tiff that this program does not read (tiff: unsupported feature: color model); save it as PNG"},
	} {
		_, err := Decode(bytes.NewReader(c.b), Limits{})
		var f *FormatError
		if !errors.As(err, &f) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decode(bytes.NewReader(pngOf(t, colours(20, 20))), Limits{Pixels: 300}); err == nil || !strings.Contains(err.Error(), "20×20 pixels, more than the limit of 300") {
		t.Errorf("the limit of pixels: %v", err)
	}
	if _, err := Decode(bytes.NewReader(pngOf(t, colours(20, 20))), Limits{Bytes: 50}); err == nil {
		t.Error("the limit of bytes does not hold")
	}
}

func FuzzDecode(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	for _, m := range kinds(9, 6) {
		f.Add(pngOf(f, m))
	}
	f.Add(header(60000, 60000))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(bytes.NewReader(b), Limits{Pixels: 1 << 16})
		if err != nil {
			return
		}
		if quick, ok := readPNG(b); ok {
			slow, err := decodePixels(b, "png")
			if err != nil || !equal(quick, slow) {
				t.Fatalf("image/png reads another picture: %v", err)
			}
		}
		if x := p.Image; x.W*x.H > 1<<16 || len(x.Pix) != x.C*x.W*x.H || (p.Alpha != nil && len(p.Alpha) != x.W*x.H) {
			t.Fatalf("%d×%d×%d, %d values", x.C, x.H, x.W, len(x.Pix))
		}
		if err := Encode(io.Discard, p, "png", 0); err != nil {
			t.Fatal(err)
		}
	})
}
