//go:build !js

package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"slices"
	"strings"
)

// Of a PNG: the signature and the IHDR chunk, which come first, and where in
// them depth and kind of colour are.
const (
	pngHead  = 8 + 12 + 13
	pngDepth = 24
	pngKind  = 25
)

// greyKind is the kind of colour of grey with alpha.
const greyKind = 4

// pngIsGrey tells whether a PNG has no colour: bit 1 of its kind.
func pngIsGrey(b []byte) bool { return len(b) > pngKind && b[pngKind]&2 == 0 }

func (p *Picture) png(w io.Writer) error {
	grey := p.Image.C == 1 && p.Alpha != nil
	var img image.Image
	switch {
	case grey:
		img = pairs(p.ToImage())
	case p.Image.C == 3 && p.Depth == 16:
		img = newDeep(p)
	default:
		img = p.ToImage()
	}
	return png.Encode(&splice{w: w, at: pngHead, put: func(head []byte) []byte {
		if grey {
			head[pngDepth], head[pngKind] = 8, greyKind
			if p.Depth == 16 {
				head[pngDepth] = 16
			}
			binary.BigEndian.PutUint32(head[pngHead-4:], crc32.ChecksumIEEE(head[12:pngHead-4]))
		}
		return p.describe(head)
	}}, img)
}

// describe appends the profile and the text.
func (p *Picture) describe(head []byte) []byte {
	if p.ICC != nil {
		var z bytes.Buffer
		z.WriteString("icc\x00\x00")
		c := zlib.NewWriter(&z)
		c.Write(p.ICC)
		c.Close()
		head = appendChunk(head, "iCCP", z.Bytes())
	}
	for _, k := range slices.Sorted(maps.Keys(p.Text)) {
		name, _ := latin1(k)
		// iTXt: keyword, no compression, no language, UTF-8 text.
		head = appendChunk(head, "iTXt", []byte(name+"\x00\x00\x00\x00\x00"+p.Text[k]))
	}
	return head
}

// pairs is for grey with alpha, which the encoder cannot write. A pixel of it
// has as many bytes as one of 16-bit grey, or at 16 bits as one of 8-bit RGBA,
// and filters see only bytes: encoded as that, only the header is wrong.
func pairs(img image.Image) image.Image {
	r := img.Bounds()
	take := func(pix []byte, n int) []byte { // red and alpha, of n bytes each
		out := make([]byte, 0, len(pix)/2)
		for px := range slices.Chunk(pix, 4*n) {
			out = append(append(out, px[:n]...), px[3*n:]...)
		}
		return out
	}
	if m, ok := img.(*image.NRGBA64); ok {
		return fourBytes{&image.NRGBA{Pix: take(m.Pix, 2), Stride: 4 * r.Dx(), Rect: r}}
	}
	return &image.Gray16{Pix: take(img.(*image.NRGBA).Pix, 1), Stride: 2 * r.Dx(), Rect: r}
}

// fourBytes is an image that the encoder does not take for an opaque one, of
// which it would write three bytes a pixel.
type fourBytes struct{ *image.NRGBA }

func (fourBytes) Opaque() bool { return false }

// deep is a colour picture of 16 bits as its encoder reads it, pixel by pixel:
// without a copy, and without garbage where it is opaque.
type deep struct {
	*Picture
	opaque bool
	pixel  *color.NRGBA64 // the last
}

func newDeep(p *Picture) deep {
	return deep{p, opaque(p.Alpha), &color.NRGBA64{A: 65535}}
}

func (d deep) ColorModel() color.Model { return color.NRGBA64Model }
func (d deep) Bounds() image.Rectangle { return image.Rect(0, 0, d.Image.W, d.Image.H) }
func (d deep) Opaque() bool            { return d.opaque }

func (d deep) At(x, y int) color.Color {
	i := y*d.Image.W + x
	d.pixel.R, d.pixel.G, d.pixel.B = Code(d.Image.Plane(0)[i]), Code(d.Image.Plane(1)[i]), Code(d.Image.Plane(2)[i])
	if d.opaque {
		return d.pixel
	}
	d.pixel.A = d.Alpha[i]
	return *d.pixel // the encoder wants this type
}

func appendChunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	start := len(out)
	out = append(append(out, kind...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// pngChunks calls f with every chunk until it returns false. Only bodies that
// are asked for are read.
func pngChunks(r io.ReaderAt, f func(kind string, body func() []byte) bool) {
	for at := int64(8); ; {
		head := readAt(r, at, 8)
		if head == nil {
			return
		}
		n := int64(binary.BigEndian.Uint32(head))
		if !f(string(head[4:]), func() []byte { return readAt(r, at+8, n) }) {
			return
		}
		at += 12 + n
	}
}

func pngProfile(r io.ReaderAt) (icc []byte) {
	pngChunks(r, func(kind string, body func() []byte) bool {
		if kind == "iCCP" {
			b := body()
			if i := bytes.IndexByte(b, 0); i > 0 && i+2 <= len(b) {
				icc = inflate(b[i+2:])
			}
		}
		return kind != "IDAT" && icc == nil
	})
	return icc
}

// inflate is nil for what is malformed or too large.
func inflate(z []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(z))
	if err != nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(maxPart)+1))
	if err != nil || len(b) > maxPart {
		return nil
	}
	return b
}

// pngText reads tEXt and uncompressed iTXt chunks.
func pngText(r io.ReaderAt) map[string]string {
	text := map[string]string{}
	pngChunks(r, func(kind string, body func() []byte) bool {
		if kind != "tEXt" && kind != "iTXt" {
			return kind != "IEND"
		}
		k, v, ok := strings.Cut(string(body()), "\x00")
		if kind == "tEXt" && ok {
			text[fromLatin1(k)] = fromLatin1(v)
		}
		if kind == "iTXt" && ok && strings.HasPrefix(v, "\x00\x00\x00\x00") {
			text[fromLatin1(k)] = v[4:]
		}
		return true
	})
	return text
}
