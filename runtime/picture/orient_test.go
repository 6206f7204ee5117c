package picture

import (
	"encoding/binary"
	"image"
	"slices"
	"testing"
)

// exif is an EXIF block with an orientation.
func exif(o byte) []byte {
	return append([]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), o, 0, 0, 0, 0, 0, 0)
}

// withOrientation puts an EXIF block behind a JPEG's start.
func withOrientation(b []byte, o byte) []byte {
	body := append([]byte("Exif\x00\x00"), exif(o)...)
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

// A picture of a bright and a dark pixel side by side, turned to the right by
// orientation 6, has the bright one on top, and by 8 at the bottom.
func TestOrientationOfOtherFormats(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 2, 1))
	m.Pix[0] = 255
	p := pngOf(t, m)
	tf := encode(t, decode(t, p), "tiff")
	for o, bright := range map[byte]int{6: 0, 8: 1} {
		for name, b := range map[string][]byte{
			"png":  slices.Concat(p[:pngHead], appendChunk(nil, "eXIf", exif(o)), p[pngHead:]),
			"tiff": tiffOriented(tf, o),
			"webp": webp(riff("VP8X", []byte{8, 0, 0, 0, 1, 0, 0, 0, 0, 0}), riff("VP8L", twoPixels()), riff("EXIF", exif(o))),
		} {
			x := decode(t, b).Image
			if x.W != 1 || x.H != 2 || x.Pix[bright] != 1 || x.Pix[1-bright] != -1 {
				t.Errorf("%s, orientation %d: %d×%d, %v", name, o, x.W, x.H, x.Pix)
			}
		}
	}
}

// tiffOriented puts the orientation in the place of the XResolution, which no
// decoder needs. Entries are sorted: those from tag 277 on move up by one.
func tiffOriented(b []byte, o byte) []byte {
	b = slices.Clone(b)
	find := func(tag uint16) uint32 {
		at := binary.LittleEndian.Uint32(b[4:]) + 2
		for binary.LittleEndian.Uint16(b[at:]) != tag {
			at += tagSize
		}
		return at
	}
	from, to := find(277), find(282)
	copy(b[from+tagSize:], b[from:to])
	copy(b[from:], []byte{18, 1, 3, 0, 1, 0, 0, 0, o, 0, 0, 0})
	return b
}

// riff is a chunk of a WebP.
func riff(kind string, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, len(body)%2)...)
}

func webp(chunks ...[]byte) []byte {
	return riff("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

// twoPixels is white and black in lossless WebP: after the header, five codes
// of one symbol each or, for green, red and blue, of the symbols 255 and 0,
// and the pixels.
func twoPixels() []byte {
	var b []byte
	at := 0
	put := func(v, n int) {
		for i := range n {
			if at%8 == 0 {
				b = append(b, 0)
			}
			b[at/8] |= byte(v>>i&1) << (at % 8)
			at++
		}
	}
	put(0x2f, 8)
	put(1, 14) // width - 1
	put(0, 14) // height - 1
	put(0, 1)  // no alpha
	put(0, 3)  // version
	put(0, 3)  // no transform, colour cache or meta codes
	for range 3 {
		put(1, 1)   // a simple code
		put(1, 1)   // of two symbols
		put(1, 1)   // the first in 8 bits
		put(0, 8)   // 0
		put(255, 8) // 255
	}
	put(1, 1) // alpha: a simple code of one symbol in 8 bits
	put(0, 1)
	put(1, 1)
	put(255, 8)
	put(1, 4) // distance: of the symbol 0 in one bit
	put(7, 3)
	put(0, 3)
	return b
}
