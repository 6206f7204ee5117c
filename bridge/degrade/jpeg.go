package degrade

import (
	"fmt"
	"math"
	"strconv"

	"github.com/i2sb-go/i2sb/bridge"
)

// tensorJPEG quantises as JPEG does, on the tensor: no file, no clipping, and
// chroma is decimated (every second row and column), not averaged. This is
// what the released networks were trained on.
type tensorJPEG struct {
	name         string
	luma, chroma [64]float64
}

// The tables of Annex K of the JPEG standard (ITU-T T.81).
var annexK = [2][64]int{{
	16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
}, {
	17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
}}

func parseJPEG(name, arg string) (Operator, error) {
	q, err := strconv.Atoi(arg)
	if err != nil || q < 1 || q > 100 || strconv.Itoa(q) != arg {
		return nil, fmt.Errorf("degrade: %q: the quality is no number from 1 to 100, as in jpeg-10", name)
	}
	o := tensorJPEG{name: name}
	scale := 200 - 2*q
	if q < 50 {
		scale = 5000 / q
	}
	for t, table := range []*[64]float64{&o.luma, &o.chroma} {
		for i, v := range annexK[t] {
			table[i] = float64(min(255, max(1, (scale*v+50)/100)))
		}
	}
	return o, nil
}

func (o tensorJPEG) Name() string { return o.name }

// dct is the orthonormal DCT-II of eight points.
var dct = func() (m [8][8]float64) {
	for k := range 8 {
		for n := range 8 {
			m[k][n] = math.Cos(math.Pi*float64(k)*(2*float64(n)+1)/16) / 2
			if k == 0 {
				m[k][n] = math.Sqrt(1.0 / 8)
			}
		}
	}
	return m
}()

func (o tensorJPEG) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	p := padTo(x, 16)
	h, w := p.H, p.W
	if x.C != 3 { // grey and others: each channel as luma
		for c := range x.C {
			plane := make([]float64, h*w)
			for i, v := range p.Plane(c) {
				plane[i] = (float64(v)+1)/2*255 - 128
			}
			o.quantise(plane, w, &o.luma)
			if c == 0 && p == x {
				p = x.Clone()
			}
			for i, v := range plane {
				p.Plane(c)[i] = float32((v+128)/255*2 - 1)
			}
		}
		return crop(p, x.H, x.W), nil
	}
	luma := make([]float64, h*w)
	blue, red := make([]float64, h*w/4), make([]float64, h*w/4)
	for i := range luma {
		r, g, b := (float64(p.Pix[i])+1)/2*255, (float64(p.Pix[h*w+i])+1)/2*255, (float64(p.Pix[2*h*w+i])+1)/2*255
		luma[i] = .299*r + .587*g + .114*b - 128
		if y, x := i/w, i%w; y%2 == 0 && x%2 == 0 {
			// The offset of 128 and its removal before the DCT cancel.
			blue[y/2*(w/2)+x/2] = -.1687*r - .3313*g + .5*b
			red[y/2*(w/2)+x/2] = .5*r - .4187*g - .0813*b
		}
	}
	o.quantise(luma, w, &o.luma)
	o.quantise(blue, w/2, &o.chroma)
	o.quantise(red, w/2, &o.chroma)
	out := bridge.NewImage(3, h, w)
	for i, v := range luma {
		k := i/w/2*(w/2) + i%w/2
		y, cb, cr := v+128, blue[k], red[k]
		out.Pix[i] = unit(y - 3.68199903e-5*cb + 1.40198758*cr)
		out.Pix[h*w+i] = unit(y - .344113281*cb - .714103821*cr)
		out.Pix[2*h*w+i] = unit(y + 1.77197812*cb - 1.34583413e-4*cr)
	}
	return crop(out, x.H, x.W), nil
}

func unit(v float64) float32 { return float32(v/255*2 - 1) }

// quantise replaces every 8×8 block of a plane of width w by what the table
// leaves of it.
func (o tensorJPEG) quantise(plane []float64, w int, table *[64]float64) {
	for y := 0; y < len(plane)/w; y += 8 {
		for x := 0; x < w; x += 8 {
			var b, t [8][8]float64
			for i := range 8 {
				copy(b[i][:], plane[(y+i)*w+x:])
			}
			for i := range 8 { // t = b·Dᵀ
				for k := range 8 {
					for n := range 8 {
						t[i][k] += b[i][n] * dct[k][n]
					}
				}
			}
			var f [8][8]float64
			for k := range 8 { // f = D·t
				for j := range 8 {
					for n := range 8 {
						f[k][j] += dct[k][n] * t[n][j]
					}
					q := table[8*k+j]
					f[k][j] = round(f[k][j]/q) * q
				}
			}
			t = [8][8]float64{}
			for n := range 8 { // t = Dᵀ·f
				for j := range 8 {
					for k := range 8 {
						t[n][j] += dct[k][n] * f[k][j]
					}
				}
			}
			for i := range 8 { // t·D
				for n := range 8 {
					sum := 0.0
					for k := range 8 {
						sum += t[i][k] * dct[k][n]
					}
					plane[(y+i)*w+x+n] = sum
				}
			}
		}
	}
}
