// Package verify judges fixture files — numbers that the reference
// implementation made — on any executor. A fixture's kind is recognised by
// what the file holds; every reference tensor in it gives one row.
package verify

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/devices"
)

// Options say where a fixture is run.
type Options struct {
	Device  string // as runtime.WithDevice; "" is auto
	Threads int    // 0: GOMAXPROCS
	// Precision is f32 (the default), a GPU's f16 or a CPU's bf16, which are judged
	// with the tolerance of halves.
	Precision string
}

// Check tells whether there is the device; the error is a runtime.DeviceError.
func (o Options) Check() error {
	j := &job{opt: o}
	defer j.close()
	_, err := j.device()
	return err
}

// Row is the judgement of one reference tensor. OK is false exactly when
// MaxAbsErr is above Tolerance; a NaN or an infinity counts as
// math.MaxFloat64. A relative tolerance is given as the absolute one that it
// comes to: for the largest element if the tensor is ok, else for the element
// that misses it most.
type Row struct {
	File      string  `json:"file"`   // as it was given
	Tensor    string  `json:"tensor"` // as in the file
	MaxAbsErr float64 `json:"max_abs_err"`
	Tolerance float64 `json:"tolerance"`
	OK        bool    `json:"ok"`
}

// File judges one fixture. The error says that the file cannot be judged: it
// is malformed, of no known kind, or names what is not there. Numbers that
// disagree are no error but rows that are not ok.
func File(ctx context.Context, path string, opt Options) ([]Row, error) {
	j := &job{path: path, opt: opt}
	defer j.close()
	rows, err := j.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range rows {
		rows[i].File = path
	}
	return rows, nil
}

// job is one file on its way: the opened fixture and the device, which is
// opened when a kind first asks for it.
type job struct {
	path string
	opt  Options
	*fixture
	dev device.Device
}

// half tells whether numbers of 16 bits are asked for.
func (j *job) half() bool { return j.opt.Precision == "f16" || j.opt.Precision == "bf16" }

// named is a device's name, and what it is judged by: the CPU is exact, but for
// bfloat16.
func (j *job) named(device string) string {
	if j.opt.Precision == "bf16" {
		return device + " in bfloat16"
	}
	return device
}

func (j *job) device() (device.Device, error) {
	if j.dev == nil {
		d, err := devices.Open(j.opt.Device, devices.Options{Threads: j.opt.Threads, Precision: cmp.Or(j.opt.Precision, "f32"), NoTune: true})
		if err != nil {
			return nil, &runtime.DeviceError{Device: j.opt.Device, Err: err}
		}
		j.dev = d
	}
	return j.dev, nil
}

func (j *job) close() {
	if j.dev != nil {
		j.dev.Close()
	}
	if j.fixture != nil {
		j.fixture.close()
	}
}

// Tolerances of DESIGN §4 for values of order 1.
const (
	scheduleTolerance = 1e-6 // relative, element by element
	operatorTolerance = 1e-5
	officialTolerance = 3e-3 // the released blur: ties in a sort
)

// networkTolerance is for outputs of a network or of a block of it.
func networkTolerance(deviceName string, half bool) float64 {
	switch {
	case exact(deviceName):
		return 2e-4
	case half:
		return 2e-2
	}
	return 1e-3
}

// stateTolerance is for the states of a sampler.
func stateTolerance(deviceName string, half bool) float64 {
	if exact(deviceName) {
		return 1e-4
	}
	return networkTolerance(deviceName, half)
}

// exact tells the executors that compute on the CPU in f32 or better from
// those that carry a GPU's name.
func exact(deviceName string) bool {
	switch deviceName {
	case "ref", "cpu", "wasm":
		return true
	}
	return false
}

// scaled is a tolerance for values of order 1 applied to a tensor of larger
// values.
func scaled(tolerance float64, want []float32) float64 {
	m := 1.0
	for _, v := range want {
		if a := math.Abs(float64(v)); a > m && a <= math.MaxFloat32 {
			m = a
		}
	}
	return tolerance * m
}

// compare makes the row of a tensor with an absolute tolerance.
func compare(name string, want, got []float32, tolerance float64) Row {
	return judge(name, maxAbs(want, got), tolerance)
}

func judge(name string, err, tolerance float64) Row {
	return Row{Tensor: name, MaxAbsErr: err, Tolerance: tolerance, OK: err <= tolerance}
}

func maxAbs(want, got []float32) float64 {
	worst := 0.0
	for i, w := range want {
		worst = max(worst, distance(float64(w), float64(got[i])))
	}
	return worst
}

// distance is |a-b|, and the largest number if that is none.
func distance(a, b float64) float64 {
	d := math.Abs(a - b)
	if math.IsNaN(d) || math.IsInf(d, 0) {
		return math.MaxFloat64
	}
	return d
}

// relative makes the row of a tensor whose every element has its own
// tolerance, a share of its size.
func relative(name string, want []float32, got []float64, share float64) Row {
	return within(name, want, got, func(i int) float64 { return share * math.Abs(float64(want[i])) })
}

// within makes the row of a tensor whose every element has its own tolerance.
func within(name string, want []float32, got []float64, allowed func(i int) float64) Row {
	largest, tolerance, ratio := 0.0, 0.0, 1.0
	worst := 0.0
	for i, w := range want {
		d, t := distance(float64(w), got[i]), allowed(i)
		worst = max(worst, d)
		if d <= t {
			largest = max(largest, t)
		} else if r := d / max(t, math.SmallestNonzeroFloat32); ratio <= 1 || r > ratio {
			ratio, tolerance = max(r, 1.5), t
		}
	}
	if ratio <= 1 {
		tolerance = largest
	}
	if math.IsNaN(tolerance) || math.IsInf(tolerance, 0) {
		tolerance = 0
	}
	return judge(name, worst, tolerance)
}
