//go:build !js

package runtime

import (
	"strings"

	"github.com/i2sb-go/i2sb/weights/pack0"
)

// Default is the pack that is embedded in this package: 6.09 M parameters,
// blind over 4× super-resolution, JPEG artefacts and Gaussian blur. Its card
// is weights/MODELS.md. Programs that never call Default do not carry it.
func Default() Source {
	return Reader(pack0.Name, strings.NewReader(pack0.Pack), int64(len(pack0.Pack)))
}
