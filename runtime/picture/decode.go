package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoders
	_ "image/jpeg"
	_ "image/png"
	"io"

	"github.com/bep/imagemeta"
	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// FormatError says why bytes are no picture that can be restored.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

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
func Decode(r io.Reader, limits Limits) (p *Picture, err error) {
	limits = limits.defaults()
	b, err := io.ReadAll(io.LimitReader(r, limits.Bytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limits.Bytes {
		return nil, &FormatError{fmt.Sprintf("the file has more than %d bytes", limits.Bytes)}
	}
	defer func() { // decoders are others' code; a panic in one is a bad file
		if v := recover(); v != nil {
			p, err = nil, &FormatError{fmt.Sprintf("damaged (%v)", v)}
		}
	}()
	img, format, err := decodePixels(b, limits)
	if err != nil {
		return nil, err
	}
	if p, err = FromImage(img); err != nil {
		return nil, err
	}
	p.ICC = profile(b, format)
	if len(p.ICC) >= 20 {
		// A profile describes one kind of colour; ours are RGB or grey now.
		if space := string(p.ICC[16:20]); space != "RGB " && !p.Grey || space != "GRAY" && p.Grey {
			p.ICC = nil
		}
	} else {
		p.ICC = nil
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
		return c, format, damaged(format, err)
	}
	return c, format, nil
}

func damaged(format string, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &FormatError{fmt.Sprintf("the %s is cut off", format)}
	}
	return &FormatError{fmt.Sprintf("the %s is damaged: %v", format, err)}
}

func decodePixels(b []byte, limits Limits) (image.Image, string, error) {
	c, format, err := DecodeConfig(b)
	if err != nil {
		return nil, format, err
	}
	if c.Width < 1 || c.Height < 1 {
		return nil, format, &FormatError{fmt.Sprintf("the %s has no pixels (%d×%d)", format, c.Width, c.Height)}
	}
	if int64(c.Width)*int64(c.Height) > limits.Pixels {
		return nil, format, &FormatError{fmt.Sprintf("the picture has %d×%d pixels, more than the limit of %d million", c.Width, c.Height, limits.Pixels>>20)}
	}
	// No format packs a pixel into less than a thousandth of a byte; a header
	// that claims more lies, and is refused before memory is taken for it.
	if int64(c.Width)*int64(c.Height)/8192 > int64(len(b)) {
		return nil, format, &FormatError{fmt.Sprintf("the %s claims %d×%d pixels in %d bytes", format, c.Width, c.Height, len(b))}
	}
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, format, damaged(format, err)
	}
	return img, format, nil
}

var metaFormats = map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.WebP, "tiff": imagemeta.TIFF}

// orientation is the EXIF orientation, 1 to 8; 1 if there is none or it is
// unreadable, for a bad EXIF block is no reason to refuse a photograph.
func orientation(b []byte, format string) (o int) {
	defer func() {
		if recover() != nil {
			o = 1
		}
	}()
	f, ok := metaFormats[format]
	if !ok {
		return 1
	}
	o = 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(b), ImageFormat: f, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 && t.Namespace == "IFD0" {
				o = int(v)
			}
			return nil
		},
	})
	return o
}

// orient turns and mirrors the picture so that orientation o becomes 1.
func (p *Picture) orient(o int) {
	if o < 2 || o > 8 {
		return
	}
	x := p.Image
	w, h := x.W, x.H
	if o >= 5 {
		w, h = h, w
	}
	// from gives the source of a pixel of the result.
	from := func(i, j int) int {
		switch o {
		case 2:
			j = x.W - 1 - j
		case 3:
			i, j = x.H-1-i, x.W-1-j
		case 4:
			i = x.H - 1 - i
		case 5:
			i, j = j, i
		case 6:
			i, j = x.H-1-j, i
		case 7:
			i, j = x.H-1-j, x.W-1-i
		case 8:
			i, j = j, x.W-1-i
		}
		return i*x.W + j
	}
	y := *x
	y.W, y.H, y.Pix = w, h, make([]float32, len(x.Pix))
	for c := range x.C {
		src, dst := x.Plane(c), y.Plane(c)
		for i := range h {
			for j := range w {
				dst[i*w+j] = src[from(i, j)]
			}
		}
	}
	if p.Alpha != nil {
		a := make([]uint16, len(p.Alpha))
		for i := range h {
			for j := range w {
				a[i*w+j] = p.Alpha[from(i, j)]
			}
		}
		p.Alpha = a
	}
	p.Image = &y
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
