package classical

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/bridge/degrade"
)

// harmonic fills a hole with the surface that has no curvature.
func harmonic(_ context.Context, _ degrade.Operator, x1 *bridge.Image, mask []uint8) (*bridge.Image, error) {
	if mask == nil {
		return nil, ErrNotFor
	}
	y := x1.Clone()
	bridge.FillSmooth(y, mask)
	return y, nil
}
