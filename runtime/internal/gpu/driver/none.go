//go:build !cgo && !js

package driver

import "errors"

// Open says why there are no GPUs here.
func Open() (Driver, error) {
	return nil, errors.New("this program was built without cgo and has no GPU; build it with CGO_ENABLED=1 and a C compiler, or use --device cpu")
}
