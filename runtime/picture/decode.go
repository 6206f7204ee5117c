//go:build !js

package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoders
	_ "image/jpeg"
	_ "image/png"
	"io"
	"slices"
	"strings"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/i2sb-go/i2sb/bridge"
)

// Limits bound what is decoded, before it is.
type Limits struct {
	Bytes  int64 // of the file; 0: 1 GiB
	Pixels int64 // 0: 256 million
}

func (l Limits) defaults() Limits {
	if l.Bytes == 0 {
		l.Bytes = 1 << 30
	}
	if l.Pixels == 0 {
		l.Pixels = 256 << 20
	}
	return l
}

// Decode reads a JPEG, PNG, WebP, TIFF, BMP or GIF (its first frame). The size
// is held against the limits before pixels are decoded; a file that is cut off
// is an error.
func Decode(r io.Reader, limits Limits) (*Picture, error) {
	b, err := io.ReadAll(io.LimitReader(r, limits.defaults().Bytes+1))
	if err != nil {
		return nil, err
	}
	return DecodeBytes(b, limits)
}

// DecodeBytes is Decode for a file that is in memory.
func DecodeBytes(b []byte, limits Limits) (p *Picture, err error) {
	limits = limits.defaults()
	if int64(len(b)) > limits.Bytes {
		return nil, &FormatError{fmt.Sprintf("the file has more than %d bytes", limits.Bytes)}
	}
	defer func() { // decoders are others' code; a panic in one is a bad file
		if v := recover(); v != nil {
			p, err = nil, &FormatError{fmt.Sprintf("damaged (%v)", v)}
		}
	}()
	format, err := checkSize(b, limits)
	if err != nil {
		return nil, err
	}
	var ok bool
	if p, ok = readPNG(b); !ok {
		if p, err = decodePixels(b, format); err != nil {
			return nil, err
		}
	}
	if icc := profile(b, format); describes(icc, p.Grey) {
		p.ICC = icc
	}
	p.orient(orientation(b, format))
	return p, nil
}

// DecodeConfig reads a picture's size without its pixels.
func DecodeConfig(b []byte) (image.Config, string, error) {
	if len(b) == 0 {
		return image.Config{}, "", &FormatError{"the file is empty"}
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(b))
	switch {
	case errors.Is(err, image.ErrFormat):
		return c, "", &FormatError{"not a picture that this program reads (JPEG, PNG, WebP, TIFF, BMP, GIF)"}
	case err != nil:
		return c, format, damaged(b, format, err)
	}
	return c, format, nil
}

// damaged says what a decoder's error about a file means.
func damaged(b []byte, format string, err error) error {
	const otherwise = "save it as PNG and take that"
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return &FormatError{fmt.Sprintf("the %s is cut off", format)}
	case format == "webp" && len(b) > 20 && string(b[12:16]) == "VP8X" && b[20]&2 != 0:
		return &FormatError{"the webp is an animation, which this program does not read; " + otherwise}
	case strings.Contains(err.Error(), "unsupported"): // so all decoders say it, with types of their own
		return &FormatError{fmt.Sprintf("of a kind of %s that this program does not read (%v); %s", format, err, otherwise)}
	}
	return &FormatError{fmt.Sprintf("the %s is damaged: %v", format, err)}
}

func decodePixels(b []byte, format string) (*Picture, error) {
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, damaged(b, format, err)
	}
	p, err := FromImage(img)
	if err == nil && format == "png" && !p.Grey && pngIsGrey(b) { // grey with alpha, decoded as RGBA
		p.Grey = true
		p.Image = &bridge.Image{C: 1, H: p.Image.H, W: p.Image.W, Pix: slices.Clone(p.Image.Plane(0))}
	}
	return p, err
}

// checkSize holds the size against the limits and the length of the file.
func checkSize(b []byte, limits Limits) (format string, err error) {
	c, format, err := DecodeConfig(b)
	if err != nil {
		return format, err
	}
	if c.Width < 1 || c.Height < 1 {
		return format, &FormatError{fmt.Sprintf("the %s has no pixels (%d×%d)", format, c.Width, c.Height)}
	}
	pixels := int64(c.Width) * int64(c.Height)
	if pixels > limits.Pixels {
		return format, &FormatError{fmt.Sprintf("the picture has %d×%d pixels, more than the limit of %d", c.Width, c.Height, limits.Pixels)}
	}
	// A header that claims more than its format can pack lies, and is refused
	// before memory is taken for it.
	if most := densest(format, int64(c.Width)); most > 0 && pixels/most > int64(len(b)) {
		return format, &FormatError{fmt.Sprintf("the %s claims %d×%d pixels in %d bytes", format, c.Width, c.Height, len(b))}
	}
	// The decoder stops before the padding at the end.
	if format == "webp" && int64(binary.LittleEndian.Uint32(b[4:]))+8 > int64(len(b)) {
		return format, damaged(b, format, io.ErrUnexpectedEOF)
	}
	return format, nil
}

// densest is the most pixels that a format can pack into a byte; 0 where there
// is no bound: a blank lossless WebP has none in its code, and a GIF's picture
// may be a small part of its canvas. Only Limits.Pixels holds for these.
func densest(format string, width int64) int64 {
	const deflate = 8 * 1032 // one-bit pixels at the best ratio
	switch format {
	case "png":
		return deflate
	case "tiff":
		return max(deflate, 8*width) // a bit for a row, in fax code
	case "jpeg":
		return 8 * 64 // a bit for a block
	case "bmp":
		return 8
	}
	return 0
}

// DecodeMask reads a picture as a mask: its luminance, white is the hole.
func DecodeMask(r io.Reader, limits Limits) (values []uint8, w, h int, err error) {
	p, err := Decode(r, limits)
	if err != nil {
		return nil, 0, 0, err
	}
	x := p.Image
	values = make([]uint8, x.W*x.H)
	weights := [3]float32{0.299, 0.587, 0.114}
	for i := range values {
		v := x.Pix[i]
		if x.C == 3 {
			v = 0
			for c, k := range weights {
				v += k * x.Plane(c)[i]
			}
		}
		values[i] = uint8(min(255, max(0, (v+1)*127.5+0.5)))
	}
	return values, x.W, x.H, nil
}
