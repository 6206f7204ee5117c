// Package devices finds an executor by name.
package devices

import (
	"errors"
	"strings"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/ref"
)

// Options are how a device is used.
type Options struct {
	Threads int // the CPU's; 0 takes GOMAXPROCS
	// Precision is "f32"; "f16", in which a GPU stores; "bf16", in which a CPU with
	// AMX convolves; or "" and "auto": f16 on a GPU where that was measured to be
	// faster, else f32.
	Precision string
	NoTune    bool // a GPU's kernels are chosen by estimates alone
	// Chose is told by "auto" what it takes and why: the best GPU, or the CPU
	// because there is no real GPU. If there is one that cannot be opened, why is
	// its name, and the error what is wrong. It may be nil.
	Chose func(why string, failed error)
}

// Check tells whether the options can be meant.
func (o Options) Check() error {
	switch o.Precision {
	case "", "auto", "f32", "f16", "bf16":
		return nil
	}
	return errors.New("precision " + o.Precision + ": there are auto, f32, f16 (a GPU's) and bf16 (a CPU's)")
}

// Open opens the device of a name: "cpu", "ref", "gpu" (the best adapter, a
// software one if there is no other), "gpu:N", a part of an adapter's name, or
// "auto" and "" for the best real GPU, else the CPU.
func Open(name string, o Options) (device.Device, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Precision == "bf16" {
		return openBFloat16(name, o)
	}
	switch name {
	case "cpu":
		return cpu.New(o.Threads)
	case "ref":
		return ref.New(), nil
	case "auto", "":
		d, why, failed := auto(o)
		if o.Chose != nil {
			o.Chose(why, failed)
		}
		if d != nil {
			return d, nil
		}
		return cpu.New(o.Threads)
	}
	return openGPU(strings.TrimSpace(name), o)
}

// openBFloat16 opens the CPU, which alone has bf16.
func openBFloat16(name string, o Options) (device.Device, error) {
	switch name {
	case "auto", "":
		if o.Chose != nil {
			o.Chose("bf16 is the CPU's", nil)
		}
	case "cpu":
	default:
		return nil, errors.New("precision bf16 is the CPU's alone: take --device cpu, or another precision")
	}
	return cpu.NewBFloat16(o.Threads)
}
