package runtime

import (
	"context"
	"fmt"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
)

// DeviceListing is a device that WithDevice can name.
type DeviceListing struct {
	ID       string `json:"id"` // "cpu", "gpu:0", …
	Name     string `json:"name"`
	Kind     string `json:"kind"` // "cpu", "discrete", "integrated", "software", "other"
	Vendor   string `json:"vendor,omitempty"`
	Backend  string `json:"backend,omitempty"` // "vulkan", "metal", "d3d12"
	Driver   string `json:"driver,omitempty"`
	Software bool   `json:"software"` // a GPU's API computed by the processor; auto never takes it

	Buffer  int64 `json:"buffer_bytes,omitempty"`  // the largest buffer
	Binding int64 `json:"binding_bytes,omitempty"` // the largest part of one that a kernel sees

	// What was found by compiling and running, whatever the driver says of itself.
	F16        bool    `json:"f16"`
	Subgroups  bool    `json:"subgroups"`
	Timestamps bool    `json:"timestamps"`
	HalfSpeed  float64 `json:"half_speed,omitempty"` // of a kernel that moves halves; with floats it is 1

	Error string `json:"error,omitempty"` // it is there but cannot be used
}

// Devices lists the CPU and all GPUs. If GPUs cannot be had at all, the CPU
// alone is returned, with an error that says what is missing.
func Devices(ctx context.Context) ([]DeviceListing, error) {
	c, err := cpu.New(0)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	all := []DeviceListing{{ID: "cpu", Name: c.Info().Detail, Kind: "cpu"}}
	gpus, err := devices.GPUs(ctx)
	for i, g := range gpus {
		d := DeviceListing{ID: fmt.Sprintf("gpu:%d", i), Name: g.Name, Kind: g.Type, Vendor: g.Vendor, Backend: g.Backend, Driver: g.Driver,
			Software: g.Software, Buffer: g.Limits.Buffer, Binding: g.Limits.Binding, F16: g.F16, Subgroups: g.Subgroups,
			Timestamps: g.Timestamps, HalfSpeed: g.HalfSpeed}
		if g.Err != nil {
			d.Error = g.Err.Error()
		}
		all = append(all, d)
	}
	return all, err
}
