//go:build !js

package picture

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"io"
	"math"
	"path/filepath"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Formats that can be written, by the endings of their files.
var formats = map[string]string{".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".tif": "tiff", ".tiff": "tiff", ".bmp": "bmp"}

// FormatFromName is png, jpeg, tiff or bmp for a file's name.
func FormatFromName(name string) (string, error) {
	ext := strings.ToLower(filepath.Ext(name))
	if f, ok := formats[ext]; ok {
		return f, nil
	}
	return "", &FormatError{fmt.Sprintf("pictures are written as .png, .jpg, .tif or .bmp, not %q", ext)}
}

// Lossy tells what of the picture Encode drops in a format, such as
// "alpha, 16 bits", or "". Text, which a BMP has no place for, does not count.
func (p *Picture) Lossy(format string) string {
	var lost []string
	plain := format == "jpeg" || format == "bmp"
	if plain && !opaque(p.Alpha) {
		lost = append(lost, "alpha")
	}
	if plain && p.Depth == 16 {
		lost = append(lost, "16 bits")
	}
	// Grey with alpha is RGB in a TIFF, and a profile for grey is wrong there.
	grey := p.Image != nil && p.Image.C == 1 && (format != "tiff" || p.Alpha == nil)
	if p.ICC != nil && (format == "bmp" || !describes(p.ICC, grey)) {
		lost = append(lost, "colour profile")
	}
	return strings.Join(lost, ", ")
}

// Encode writes the picture as png, jpeg (of a quality from 1 to 100), tiff or
// bmp. Depth, alpha and profile are kept where the format has them (see Lossy).
// Text is recorded in a PNG's text chunks, a JPEG's comment or a TIFF's
// description, where ReadText finds it.
func Encode(w io.Writer, p *Picture, format string, quality int) error {
	return encodeAs(w, p, format, quality, false)
}

// EncodeQuickly is Encode with PNGs that are made in an eighth of the time and are
// a sixth larger.
func EncodeQuickly(w io.Writer, p *Picture, format string, quality int) error {
	return encodeAs(w, p, format, quality, true)
}

func encodeAs(w io.Writer, p *Picture, format string, quality int, quick bool) error {
	if err := p.check(); err != nil {
		return err
	}
	q := *p
	if format == "jpeg" || format == "bmp" {
		q.Depth, q.Alpha = 8, nil
	}
	if strings.Contains(q.Lossy(format), "profile") {
		q.ICC = nil
	}
	switch format {
	case "png":
		if quick {
			return q.quickPNG(w)
		}
		return q.png(w)
	case "jpeg":
		return q.jpeg(w, quality)
	case "tiff":
		return q.tiff(w)
	case "bmp":
		return bmp.Encode(w, q.ToImage())
	}
	return &FormatError{fmt.Sprintf("pictures are written as png, jpeg, tiff or bmp, not %q", format)}
}

// check tells whether the picture is one.
func (p *Picture) check() error {
	if p == nil || p.Image == nil {
		return &FormatError{"there is no picture to write: Image is nil"}
	}
	x := p.Image
	switch n := x.W * x.H; {
	case x.W < 1 || x.H < 1:
		return &FormatError{fmt.Sprintf("the picture to write has no pixels (%d×%d)", x.W, x.H)}
	case x.C != 1 && x.C != 3:
		return &FormatError{fmt.Sprintf("the picture to write has %d channels; give 1 (grey) or 3 (RGB)", x.C)}
	case len(x.Pix) != x.C*n:
		return &FormatError{fmt.Sprintf("the picture to write has %d values for %d×%d×%d", len(x.Pix), x.C, x.H, x.W)}
	case p.Alpha != nil && len(p.Alpha) != n:
		return &FormatError{fmt.Sprintf("the picture to write has %d alpha values for %d×%d pixels", len(p.Alpha), x.W, x.H)}
	case len(p.ICC) > maxPart:
		return &FormatError{fmt.Sprintf("the colour profile has %d bytes; at most %d are written", len(p.ICC), maxPart)}
	}
	return checkText(p.Text)
}

func (p *Picture) jpeg(w io.Writer, quality int) error {
	if quality < 1 || quality > 100 {
		return &FormatError{fmt.Sprintf("JPEG quality %d is outside 1 to 100", quality)}
	}
	more, err := segments(p.ICC, p.Text)
	if err != nil {
		return err
	}
	return jpeg.Encode(&splice{w: w, at: 2, put: func(head []byte) []byte { return append(head, more...) }},
		p.ToImage(), &jpeg.Options{Quality: quality})
}

func (p *Picture) tiff(w io.Writer) error {
	// The encoder keeps sides in 16 bits and would cut larger ones silently.
	if side := max(p.Image.W, p.Image.H); side > math.MaxUint16 {
		return &FormatError{fmt.Sprintf("a TIFF's side has at most 65535 pixels, not %d; write a PNG", side)}
	}
	var b bytes.Buffer
	if err := tiff.Encode(&b, p.ToImage(), &tiff.Options{Compression: tiff.Deflate}); err != nil {
		return err
	}
	tags := map[uint16][]byte{}
	if p.ICC != nil {
		tags[tagProfile] = p.ICC
	}
	if len(p.Text) > 0 {
		tags[tagDescription] = append(packText(p.Text), 0)
	}
	whole, err := withTags(b.Bytes(), tags)
	if err != nil {
		return err
	}
	_, err = w.Write(whole)
	return err
}
