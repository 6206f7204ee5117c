// Package picture reads and writes picture files and turns them into planar
// tensors in [-1, 1]. Orientation is applied; depth, alpha and colour profile
// are carried from the file that is read to the one that is written. Browsers
// read and write files themselves: their builds have Picture alone.
package picture

import (
	"image"
	"image/color"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// Picture is a decoded picture.
type Picture struct {
	Image *bridge.Image     // 3 channels RGB, or 1 if Grey
	Alpha []uint16          // H·W, 65535 is opaque; nil without alpha
	Depth int               // bits of a channel, 8 or 16
	Grey  bool              // one channel
	ICC   []byte            // colour profile, or nil
	Text  map[string]string // to record in the file
}

// FormatError says why bytes are no picture that can be restored.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

// Derive returns a picture with everything of p but its pixels.
func (p *Picture) Derive() *Picture {
	return &Picture{Alpha: p.Alpha, Depth: p.Depth, Grey: p.Grey, ICC: p.ICC}
}

// EnlargeAlpha makes the alpha channel of a w×h picture n times larger,
// bilinearly.
func EnlargeAlpha(alpha []uint16, w, h, n int) []uint16 {
	if alpha == nil {
		return nil
	}
	at := func(v, limit int) (int, int, float64) {
		f := (float64(v)+0.5)/float64(n) - 0.5
		i := int(math.Floor(f))
		return min(max(i, 0), limit-1), min(max(i+1, 0), limit-1), f - float64(i)
	}
	out := make([]uint16, len(alpha)*n*n)
	for y := range h * n {
		y0, y1, fy := at(y, h)
		for x := range w * n {
			x0, x1, fx := at(x, w)
			a := float64(alpha[y0*w+x0])*(1-fx) + float64(alpha[y0*w+x1])*fx
			b := float64(alpha[y1*w+x0])*(1-fx) + float64(alpha[y1*w+x1])*fx
			out[y*w*n+x] = uint16(math.Round(a*(1-fy) + b*fy))
		}
	}
	return out
}

// EnlargeNearest repeats every pixel n times in both directions.
func EnlargeNearest(x *bridge.Image, n int) *bridge.Image {
	y := bridge.NewImage(x.C, x.H*n, x.W*n)
	for c := range x.C {
		src, dst := x.Plane(c), y.Plane(c)
		for i := range y.H {
			row := src[i/n*x.W:][:x.W]
			out := dst[i*y.W:][:y.W]
			for j := range out {
				out[j] = row[j/n]
			}
		}
	}
	return y
}

// FromImage takes the pixels of any image. Colours under alpha are kept where
// the image holds them (NRGBA); those of premultiplied ones are divided.
func FromImage(img image.Image) (*Picture, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 1 || h < 1 {
		return nil, &FormatError{"the picture has no pixels"}
	}
	p := &Picture{Depth: 8}
	switch img.(type) {
	case *image.Gray:
		p.Grey = true
	case *image.Gray16:
		p.Grey, p.Depth = true, 16
	case *image.RGBA64, *image.NRGBA64:
		p.Depth = 16
	}
	row := rows(img)
	opaque := true
	if o, ok := img.(interface{ Opaque() bool }); ok {
		opaque = o.Opaque()
	}
	if !opaque {
		p.Alpha = make([]uint16, w*h)
	}
	channels := 3
	if p.Grey {
		channels = 1
	}
	p.Image = bridge.NewImage(channels, h, w)
	line := make([]color.NRGBA64, w)
	for y := range h {
		row(b.Min.Y+y, line)
		for c := range channels {
			out := p.Image.Plane(c)[y*w:][:w]
			for x, v := range line {
				out[x] = Level([3]uint16{v.R, v.G, v.B}[c])
			}
		}
		if p.Alpha != nil {
			for x, v := range line {
				p.Alpha[y*w+x] = v.A
			}
		}
	}
	return p, nil
}

// Level is the value of a 16-bit code, from -1 to 1; those of 8 bits are 257
// times as large.
func Level(code uint16) float32 { return float32(float64(code)/32767.5 - 1) }

// Code is the 16-bit code nearest to a value.
func Code(level float32) uint16 { return quantize(level, 65535) }

// quantize gives -1 to 1 as 0 to top, clamped and rounded to the nearest.
func quantize(level float32, top float64) uint16 {
	c := (float64(level) + 1) * top / 2
	if !(c > 0) { // NaN becomes black
		return 0
	}
	return uint16(math.Round(min(c, top)))
}

// rows returns a function that reads one row of an image without loss.
func rows(img image.Image) func(y int, dst []color.NRGBA64) {
	b := img.Bounds()
	wide := func(v uint8) uint16 { return uint16(v) * 257 }
	switch m := img.(type) {
	case *image.NRGBA:
		return func(y int, dst []color.NRGBA64) {
			p := m.Pix[m.PixOffset(b.Min.X, y):]
			for x := range dst {
				dst[x] = color.NRGBA64{wide(p[4*x]), wide(p[4*x+1]), wide(p[4*x+2]), wide(p[4*x+3])}
			}
		}
	case *image.NRGBA64:
		return func(y int, dst []color.NRGBA64) {
			for x := range dst {
				dst[x] = m.NRGBA64At(b.Min.X+x, y)
			}
		}
	case *image.YCbCr:
		return func(y int, dst []color.NRGBA64) {
			for x := range dst {
				yi, ci := m.YOffset(b.Min.X+x, y), m.COffset(b.Min.X+x, y)
				r, g, bl := color.YCbCrToRGB(m.Y[yi], m.Cb[ci], m.Cr[ci])
				dst[x] = color.NRGBA64{wide(r), wide(g), wide(bl), 65535}
			}
		}
	case image.RGBA64Image: // all others of the standard library
		return func(y int, dst []color.NRGBA64) {
			for x := range dst {
				dst[x] = divide(m.RGBA64At(b.Min.X+x, y))
			}
		}
	}
	return func(y int, dst []color.NRGBA64) {
		for x := range dst {
			dst[x] = color.NRGBA64Model.Convert(img.At(b.Min.X+x, y)).(color.NRGBA64)
		}
	}
}

// divide takes alpha out of a premultiplied colour, as color.NRGBA64Model does
// but without an interface for every pixel.
func divide(c color.RGBA64) color.NRGBA64 {
	if c.A == 0 {
		return color.NRGBA64{}
	}
	a := uint32(c.A)
	part := func(v uint16) uint16 { return uint16(uint32(v) * 65535 / a) }
	return color.NRGBA64{R: part(c.R), G: part(c.G), B: part(c.B), A: c.A}
}

func byteOf(level float32) uint8 { return bridge.Code8(level) }

// ToImage is the picture as Gray, Gray16, NRGBA or NRGBA64, clamped and rounded
// to the nearest level.
func (p *Picture) ToImage() image.Image {
	w, h := p.Image.W, p.Image.H
	r := image.Rect(0, 0, w, h)
	if p.Image.C == 1 && p.Alpha == nil {
		if p.Depth == 16 {
			m := image.NewGray16(r)
			for i, v := range p.Image.Pix {
				m.SetGray16(i%w, i/w, color.Gray16{Y: Code(v)})
			}
			return m
		}
		m := image.NewGray(r)
		for i, v := range p.Image.Pix {
			m.Pix[i] = byteOf(v)
		}
		return m
	}
	plane := func(c int) []float32 { return p.Image.Plane(min(c, p.Image.C-1)) }
	alpha := func(i int) uint16 {
		if p.Alpha == nil {
			return 65535
		}
		return p.Alpha[i]
	}
	red, green, blue := plane(0), plane(1), plane(2)
	if p.Depth == 16 {
		m := image.NewNRGBA64(r)
		for i := range red {
			m.SetNRGBA64(i%w, i/w, color.NRGBA64{R: Code(red[i]), G: Code(green[i]), B: Code(blue[i]), A: alpha(i)})
		}
		return m
	}
	m := image.NewNRGBA(r)
	for i := range red {
		m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2] = byteOf(red[i]), byteOf(green[i]), byteOf(blue[i])
		m.Pix[4*i+3] = uint8((uint32(alpha(i)) + 128) / 257)
	}
	return m
}
