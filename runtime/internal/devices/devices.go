// Package devices finds an executor by name.
package devices

import (
	"errors"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

// Open opens the device of a name; "" is auto. threads limits the CPU's; 0
// takes GOMAXPROCS.
func Open(name string, threads int) (device.Device, error) {
	switch name {
	case "auto", "cpu", "":
		return cpu.New(threads)
	case "ref":
		return ref.New(), nil
	}
	if name == "gpu" || strings.HasPrefix(name, "gpu:") {
		return openGPU(name)
	}
	return nil, errors.New("no such device; there are auto, cpu, gpu, gpu:N and ref")
}
