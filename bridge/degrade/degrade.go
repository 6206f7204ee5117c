// Package degrade holds the degradations that I²SB undoes, as functions from
// a clean picture to a degraded one of the same size, with the adjoints of the
// linear ones. Pictures of any size and number of channels are taken: where an
// operator works in blocks, the picture is padded by reflection and the result
// cut back. Randomness comes from a seed only, so a picture and a seed always
// give the same result. Operators may be used by several goroutines.
package degrade

import (
	"fmt"
	"math/rand/v2"

	"github.com/i2sb-go/i2sb/bridge"
)

// Operator is a degradation.
type Operator interface {
	// Name is what makes the operator again when given to Parse.
	Name() string
	// Apply degrades x, values in [-1, 1]. The result is neither clipped nor
	// rounded; x is left alone. Equal seeds give equal results; operators
	// without randomness ignore the seed. A picture without pixels, or with
	// more or fewer than it says, is an error.
	Apply(x *bridge.Image, seed uint64) (*bridge.Image, error)
}

// Linear is an operator that is linear but for a constant.
type Linear interface {
	Operator
	// Adjoint applies the transpose of the linear part: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ for
	// Ax = Apply(x) − Apply(0), all with the same seed.
	Adjoint(y *bridge.Image, seed uint64) (*bridge.Image, error)
}

// Shrinker is a degradation with a smaller measurement.
type Shrinker interface {
	Operator
	// Small returns the measurement, ⌈H/4⌉×⌈W/4⌉.
	Small(x *bridge.Image, seed uint64) (*bridge.Image, error)
	// Enlarge repeats each pixel of a measurement 4×4 times and cuts the result
	// to h×w, as Apply does; the measurement must be ⌈h/4⌉×⌈w/4⌉.
	Enlarge(small *bridge.Image, h, w int) (*bridge.Image, error)
}

// Masker is an inpainting task. Its Apply fills the hole with white (+1).
type Masker interface {
	Operator
	// Mask returns the h·w values of a mask, 255 in the hole and 0 elsewhere.
	// It is nil if h or w is below 1, or is not that of a mask of fixed size.
	Mask(h, w int, seed uint64) []uint8
}

// The uses of a seed, kept apart.
const (
	saltChoice   = 1
	saltRandom   = 2
	saltFreeform = 3
)

// random is the generator of a seed and a use.
func random(seed, salt uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, salt)) }

// check tells whether a picture holds what it says.
func check(x *bridge.Image) error {
	if x == nil {
		return fmt.Errorf("degrade: no picture")
	}
	if x.C < 1 || x.H < 1 || x.W < 1 || len(x.Pix) != x.C*x.H*x.W {
		return fmt.Errorf("degrade: a picture of %d×%d×%d with %d values", x.C, x.H, x.W, len(x.Pix))
	}
	return nil
}
