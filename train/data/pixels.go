package data

import (
	"fmt"
	"math"
	"os"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// pixels is a decoded picture as small as it can be kept: a byte a channel, or
// two.
type pixels struct {
	c, h, w int
	bytes   []uint8
	words   []uint16
}

func (p *pixels) size() int64 { return int64(len(p.bytes) + 2*len(p.words)) }

// load decodes a file with as many channels as a network wants: 3, or 1, for
// which colours become their luminance.
func load(path string, channels int) (*pixels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	q, err := picture.Decode(f, picture.Limits{})
	if err != nil {
		return nil, bare(err)
	}
	x := q.Image
	if channels == 1 && x.C == 3 {
		x = luminance(x)
	}
	p := &pixels{c: x.C, h: x.H, w: x.W}
	if q.Depth == 8 {
		p.bytes = make([]uint8, len(x.Pix))
		for i, v := range x.Pix {
			p.bytes[i] = bridge.Code8(v)
		}
		return p, nil
	}
	p.words = make([]uint16, len(x.Pix))
	for i, v := range x.Pix {
		p.words[i] = uint16(math.Round((float64(v) + 1) * 32767.5))
	}
	return p, nil
}

func luminance(x *bridge.Image) *bridge.Image {
	y := bridge.NewImage(1, x.H, x.W)
	for c, k := range [3]float32{0.299, 0.587, 0.114} {
		for i, v := range x.Plane(c) {
			y.Pix[i] += k * v
		}
	}
	return y
}

// crop is the part from x, y on, mirrored if flip says so, with the planes of a
// grey picture repeated up to channels.
func (p *pixels) crop(channels, x, y, w, h int, flip bool) (*bridge.Image, error) {
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > p.w || y+h > p.h {
		return nil, fmt.Errorf("a crop of %d×%d from %d,%d on lies outside of %d×%d", w, h, x, y, p.w, p.h)
	}
	out := bridge.NewImage(channels, h, w)
	for c := range channels {
		dst, from := out.Plane(c), min(c, p.c-1)*p.h*p.w
		for i := range h {
			row := dst[i*w : (i+1)*w]
			at := from + (y+i)*p.w + x
			if p.bytes != nil {
				for j, v := range p.bytes[at : at+w] {
					row[j] = bridge.Level8(v)
				}
			} else {
				for j, v := range p.words[at : at+w] {
					row[j] = float32(float64(v)/32767.5 - 1)
				}
			}
			if flip {
				for a, b := 0, w-1; a < b; a, b = a+1, b-1 {
					row[a], row[b] = row[b], row[a]
				}
			}
		}
	}
	return out, nil
}
