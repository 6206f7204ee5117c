package degrade

import (
	"fmt"
	"sync"

	"github.com/i2sb-go/i2sb/bridge"
	"gonum.org/v1/gonum/mat"
)

// official is a blur as the released code computes it, faults included, which
// its networks were trained on: the last tap of the kernel is dropped, small
// singular values of H = UΣVᵀ are zeroed, and the products σ_iσ_j are applied
// to the wrong coefficients: with the products sorted falling, coefficient
// (i, j) of channel c, of rank p, gets number (3p+c) mod D².
type official struct {
	name string
	taps []float64
}

const (
	officialBlock     = 256 // oblong and large pictures are blurred in blocks
	officialSquare    = 512 // squares up to this side as a whole
	officialThreshold = 3e-2
)

func (o official) Name() string { return o.name }

// spectrum is what the operator needs for a side.
type spectrum struct {
	u, v    *mat.Dense
	rank    []int32   // of coefficient i·D+j
	factors []float64 // the products, falling
}

// spectra keeps those of all sides used, each once: some 7 MB for 512.
var spectra sync.Map // "taps side" → func() (*spectrum, error)

func (o official) spectrum(d int) (*spectrum, error) {
	f, _ := spectra.LoadOrStore(fmt.Sprint(len(o.taps), d), sync.OnceValues(func() (*spectrum, error) { return o.decompose(d) }))
	return f.(func() (*spectrum, error))()
}

func (o official) decompose(d int) (*spectrum, error) {
	h := mat.NewDense(d, d, nil)
	r := len(o.taps) / 2
	for i := range d {
		for j := max(0, i-r); j < min(d, i+r); j++ { // i+r itself is left out
			h.Set(i, j, o.taps[j-i+r])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(h, mat.SVDFull) {
		return nil, fmt.Errorf("degrade: no singular values of a blur of %d", d)
	}
	s := &spectrum{u: new(mat.Dense), v: new(mat.Dense), rank: make([]int32, d*d), factors: make([]float64, d*d)}
	svd.UTo(s.u)
	svd.VTo(s.v)
	sigma := svd.Values(nil)
	for i, v := range sigma {
		if v < officialThreshold {
			sigma[i] = 0
		}
	}
	keys := make([]float32, d*d) // the reference sorts in float32
	for k := range keys {
		keys[k] = float32(sigma[k/d]) * float32(sigma[k%d])
	}
	for p, k := range order(keys) {
		s.rank[k] = int32(p)
		s.factors[p] = sigma[int(k)/d] * sigma[int(k)%d]
	}
	return s, nil
}

// blocks returns the side of the blocks of a picture.
func blocks(h, w int) int {
	if h == w && h <= officialSquare {
		return h
	}
	return officialBlock
}

func (o official) Apply(x *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(x); err != nil {
		return nil, err
	}
	d := blocks(x.H, x.W)
	z := padTo(x, d).Clone()
	for i, v := range z.Pix {
		z.Pix[i] = (v + 1) / 2
	}
	if err := o.inBlocks(z, d, false); err != nil {
		return nil, err
	}
	y := crop(z, x.H, x.W)
	for i, v := range y.Pix {
		y.Pix[i] = 2*v - 1
	}
	return y, nil
}

// Adjoint implements Linear.
func (o official) Adjoint(y *bridge.Image, _ uint64) (*bridge.Image, error) {
	if err := check(y); err != nil {
		return nil, err
	}
	d := blocks(y.H, y.W)
	z := uncrop(y, up(y.H, d), up(y.W, d))
	if err := o.inBlocks(z, d, true); err != nil {
		return nil, err
	}
	return fold(z, y.H, y.W), nil
}

// inBlocks blurs z, whose sides are multiples of d, in place.
func (o official) inBlocks(z *bridge.Image, d int, adjoint bool) error {
	s, err := o.spectrum(d)
	if err != nil {
		return err
	}
	from, to := s.v, s.u
	if adjoint {
		from, to = s.u, s.v
	}
	block := mat.NewDense(d, d, nil)
	var t, tmp mat.Dense
	for c := range z.C {
		plane := z.Plane(c)
		for y0 := 0; y0 < z.H; y0 += d {
			for x0 := 0; x0 < z.W; x0 += d {
				for i := range d {
					for j := range d {
						block.Set(i, j, float64(plane[(y0+i)*z.W+x0+j]))
					}
				}
				tmp.Mul(from.T(), block)
				t.Mul(&tmp, from)
				for k, p := range s.rank {
					f := s.factors[(3*int(p)+c%3)%(d*d)]
					t.Set(k/d, k%d, t.At(k/d, k%d)*f)
				}
				tmp.Mul(to, &t)
				block.Mul(&tmp, to.T())
				for i := range d {
					for j := range d {
						plane[(y0+i)*z.W+x0+j] = float32(block.At(i, j))
					}
				}
			}
		}
	}
	return nil
}
