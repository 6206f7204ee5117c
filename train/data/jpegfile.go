package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"strconv"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// jpegFile is a JPEG as files have it: chroma averaged, values rounded and
// clipped. bridge/degrade's jpeg is the one that the released networks saw.
type jpegFile struct {
	name    string
	quality int
}

func newJPEGFile(name, quality string) (degrade.Operator, error) {
	q, err := strconv.Atoi(quality)
	if err != nil || q < 1 || q > 100 || strconv.Itoa(q) != quality {
		return nil, fmt.Errorf("%q: the quality is no number from 1 to 100, as in jpeg-file-10", name)
	}
	return jpegFile{name, q}, nil
}

func (o jpegFile) Name() string { return o.name }

// Apply implements degrade.Operator. Pictures of one channel become grey files.
func (o jpegFile) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if x.C != 1 && x.C != 3 {
		return nil, fmt.Errorf("%s: a JPEG has 1 or 3 channels, not %d", o.name, x.C)
	}
	frame := image.Rect(0, 0, x.W, x.H)
	var img image.Image
	if x.C == 1 {
		m := image.NewGray(frame)
		for i, v := range x.Pix {
			m.Pix[i] = bridge.Code8(v)
		}
		img = m
	} else {
		m := image.NewRGBA(frame)
		for i := range x.H * x.W {
			for c := range 3 {
				m.Pix[4*i+c] = bridge.Code8(x.Plane(c)[i])
			}
			m.Pix[4*i+3] = 255
		}
		img = m
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: o.quality}); err != nil {
		return nil, err
	}
	img, err := jpeg.Decode(&b)
	if err != nil {
		return nil, err
	}
	y := bridge.NewImage(x.C, x.H, x.W)
	for i := range x.H * x.W {
		p := color.RGBAModel.Convert(img.At(i%x.W, i/x.W)).(color.RGBA)
		for c := range x.C {
			y.Plane(c)[i] = bridge.Level8([3]uint8{p.R, p.G, p.B}[c])
		}
	}
	return y, nil
}
