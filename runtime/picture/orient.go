//go:build !js

package picture

import (
	"bytes"

	"github.com/bep/imagemeta"
)

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
