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
	Driver   string `json:"driver,omitempty"`  // with its version
	Library  string `json:"library,omitempty"` // WebGPU's, with its version
	Software bool   `json:"software"`          // a GPU's API computed by the processor; auto never takes it

	Auto bool   `json:"auto"`          // auto takes it
	Why  string `json:"why,omitempty"` // it does

	Buffer  int64 `json:"buffer_bytes,omitempty"`  // the largest buffer
	Binding int64 `json:"binding_bytes,omitempty"` // the largest part of one that a kernel sees

	StorageBuffers  int `json:"storage_buffers,omitempty"`        // that a kernel sees
	Workgroups      int `json:"workgroups,omitempty"`             // of a dispatch, in each dimension
	Invocations     int `json:"invocations,omitempty"`            // of a workgroup
	WorkgroupMemory int `json:"workgroup_memory_bytes,omitempty"` //

	// What was found by compiling and running, whatever the driver says of itself.
	F16        bool    `json:"f16"`
	Subgroups  bool    `json:"subgroups"`
	Timestamps bool    `json:"timestamps"`
	Allocated  int64   `json:"allocated_bytes,omitempty"` // the largest buffer that was had
	Reached    int64   `json:"reached_bytes,omitempty"`   // the largest binding whose end a kernel reached
	HalfSpeed  float64 `json:"half_speed,omitempty"`      // of a kernel that moves halves; with floats it is 1

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
	gpus, auto, why, err := devices.GPUs(ctx)
	if auto < 0 {
		all[0].Auto, all[0].Why = true, why
	}
	for i, g := range gpus {
		d := DeviceListing{ID: fmt.Sprintf("gpu:%d", i), Name: g.Name, Kind: g.Type, Vendor: g.Vendor, Backend: g.Backend, Driver: g.Driver,
			Software: g.Software, Buffer: g.Limits.Buffer, Binding: g.Limits.Binding, F16: g.F16, Subgroups: g.Subgroups,
			Timestamps: g.Timestamps, HalfSpeed: g.HalfSpeed, Library: g.Library, Allocated: g.Allocated, Reached: g.Reached, StorageBuffers: g.Limits.StorageBuffers,
			Workgroups: g.Limits.Workgroups, Invocations: g.Limits.Invocations, WorkgroupMemory: g.Limits.WorkgroupMemory}
		if i == auto {
			d.Auto, d.Why = true, why
		}
		if g.Err != nil {
			d.Error = g.Err.Error()
		}
		all = append(all, d)
	}
	return all, err
}
