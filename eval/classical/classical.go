// Package classical holds restorations from before networks, to compare with.
// Each knows the degradation, as a network that is trained for one does, and
// sees nothing of the original.
package classical

import (
	"context"
	"errors"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// ErrNotFor says that a method has no answer to a degradation.
var ErrNotFor = errors.New("not a method for this degradation")

// Method undoes some degradations.
type Method struct {
	Name string
	// Restore takes the degraded picture, of the size of the result, and the
	// mask of an inpainting task, 255 in the hole.
	Restore func(ctx context.Context, op degrade.Operator, x1 *bridge.Image, mask []uint8) (*bridge.Image, error)
}

// measured is the operator without the stages behind it, and these.
func measured(op degrade.Operator) (bare degrade.Operator, stages string, err error) {
	name, stages, staged := strings.Cut(op.Name(), "+")
	if !staged {
		return op, "", nil
	}
	bare, err = degrade.Parse(name)
	return bare, stages, err
}

// Methods are all there are.
var Methods = []Method{
	{"bicubic", enlargement(cubic, 2)},
	{"lanczos", enlargement(lanczos, 3)},
	{"deblocking", deblock},
	{"wiener", wiener},
	{"harmonic", harmonic},
	{"telea", telea},
}
