package degrade

import (
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/bridge"
)

// tensorJPEG quantises as JPEG does, on the tensor: no file, no clipping, and
// chroma is decimated (every second row and column), not averaged. This is
// what the released networks were trained on. Sides that are no multiple of 16
// are continued by reflection. It has no adjoint: rounding is not linear.
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

func parseJPEG(name, arg string, _ bool) (Operator, error) {
	q, ok := integer(arg, 1, 100)
	if !ok {
		return nil, fmt.Errorf("degrade: %q: the quality is no number from 1 to 100, as in jpeg-10", name)
	}
	return tensorJPEG{name, scaled(annexK[0], q), scaled(annexK[1], q)}, nil
}

// scaled is a table of Annex K for a quality, as the IJG's library scales it.
func scaled(base [64]int, quality int) (table [64]float64) {
	scale := 200 - 2*quality
	if quality < 50 {
		scale = 5000 / quality
	}
	for i, v := range base {
		table[i] = float64(min(255, max(1, (scale*v+50)/100)))
	}
	return table
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
	if x.C != 3 {
		return o.grey(x), nil
	}
	p := padTo(x, 16)
	h, w := p.H, p.W
	luma := make([]float64, h*w)
	blue, red := make([]float64, h*w/4), make([]float64, h*w/4)
	for i := range luma {
		r, g, b := (float64(p.Pix[i])+1)/2*255, (float64(p.Pix[h*w+i])+1)/2*255, (float64(p.Pix[2*h*w+i])+1)/2*255
		luma[i] = .299*r + .587*g + .114*b - 128
		if y, x := i/w, i%w; y%2 == 0 && x%2 == 0 { // even rows and columns only
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

// grey takes each channel as luma.
func (o tensorJPEG) grey(x *bridge.Image) *bridge.Image {
	p := padTo(x, 8).Clone()
	plane := make([]float64, p.H*p.W)
	for c := range p.C {
		for i, v := range p.Plane(c) {
			plane[i] = (float64(v)+1)/2*255 - 128
		}
		o.quantise(plane, p.W, &o.luma)
		for i, v := range plane {
			p.Plane(c)[i] = unit(v + 128)
		}
	}
	return crop(p, x.H, x.W)
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
					f[k][j] = math.RoundToEven(f[k][j]/q) * q
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
