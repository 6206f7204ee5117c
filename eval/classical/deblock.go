package classical

import (
	"context"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// deblock is JPEG's re-application (Nosratinia, J. VLSI Signal Processing 27,
// 2001): the picture is moved by 0 to 7 pixels in both directions, compressed
// again with the same tables, moved back, and all 64 are averaged.
func deblock(ctx context.Context, op degrade.Operator, x1 *bridge.Image, _ []uint8) (*bridge.Image, error) {
	if !strings.HasPrefix(op.Name(), "jpeg-") {
		return nil, ErrNotFor
	}
	op, _, err := measured(op)
	if err != nil {
		return nil, err
	}
	y := bridge.NewImage(x1.C, x1.H, x1.W)
	for shift := range 64 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dy, dx := shift/8, shift%8
		moved := bridge.NewImage(x1.C, x1.H+dy, x1.W+dx)
		for i := range moved.Pix {
			c, r, s := i/(moved.H*moved.W), i/moved.W%moved.H, i%moved.W
			moved.Pix[i] = x1.Plane(c)[max(0, r-dy)*x1.W+max(0, s-dx)]
		}
		again, err := op.Apply(moved, 0)
		if err != nil {
			return nil, err
		}
		for i := range y.Pix {
			c, r, s := i/(y.H*y.W), i/y.W%y.H, i%y.W
			y.Pix[i] += again.Plane(c)[(r+dy)*again.W+s+dx] / 64
		}
	}
	return y, nil
}
