// Package gpu executes plans by WebGPU, natively and in the browser.
//
// Activations are kept in blocks of four channels, N×C/4×H×W of vectors.
// Convolutions are matrix products: implicit ones, or Winograd's in three
// stages. What Read describes (concatenation, normalisation, SiLU, resampling)
// is done where a kernel loads; what Write describes where it stores. A plan is
// lowered to calls (lower.go), which know their shader, uniforms and places but
// no device; a program gives them pipelines and memory, and records them once.
// The kernels are in package shaders, the bindings to WebGPU in package driver.
package gpu

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Options are how a device is used.
type Options struct {
	// Half stores weights and activations as halves; sums are of floats.
	Half bool
	Why  string // the precision was chosen so, for people; may be empty
	// Speed is what Speed measured; 0: the device is taken for a fast one.
	Speed float64
	// Tune times the ways to do each convolution the first time that its shape
	// is compiled, and keeps the results in the folder Cache, if it is not empty.
	Tune  bool
	Cache string
	// Library is WebGPU's and its version, which results of tuning go with.
	Library string
}

// patience is how long a submit may take before the device is taken for hung.
// No submit is planned to take more than a second.
const patience = 60 * time.Second

// gpu is a device with the pipelines that were compiled for it.
type gpu struct {
	about  device.Info
	dev    driver.Device
	half   bool
	limits driver.Limits
	choose chooser
	tuner  *tuner // or nil
	close  func()

	pipelines pipelines
	reached   atomic.Int64           // bytes of the largest binding that was seen to work
	running   atomic.Pointer[string] // what was submitted last, for errors
	once      sync.Once
}

// New makes an executor of an opened device. Close closes it, then calls
// after, which may be nil.
func New(d driver.Device, a driver.Adapter, o Options, after func()) device.Device {
	precision := "f32"
	if o.Half {
		precision = "f16 storage"
	}
	if o.Why != "" {
		precision += " (" + o.Why + ")"
	}
	kind := a.Type
	if a.Software {
		kind = "software"
	}
	g := &gpu{dev: d, half: o.Half, limits: d.Limits(), choose: realDevice.paced(o.Speed), close: after,
		about: device.Info{Name: a.Name, Detail: strings.Join(append(slices.DeleteFunc([]string{kind, a.Backend, a.Driver}, func(s string) bool { return s == "" }), precision), ", "), Software: a.Software}}
	if a.Software {
		g.choose = softwareDevice
	}
	if o.Tune {
		file := ""
		if o.Cache != "" {
			file = tuneFile(o.Cache, a, o.Library, o.Half)
		}
		g.tuner = newTuner(file)
	}
	return g
}

func (g *gpu) Info() device.Info { return g.about }

func (g *gpu) Close() error {
	g.once.Do(func() {
		g.dev.Close() // first: it waits for calls that use a pipeline
		g.pipelines.release()
		if g.close != nil {
			g.close()
		}
	})
	return nil
}

// store places the weights of a plan, in bindings that every WebGPU has.
func (g *gpu) store(p *plan.Plan) ([]stored, []int64) {
	return store(p, g.half, bindingOf(g.limits), chunkOf(g.limits))
}

// bindingOf and chunkOf are the bytes of bindings and of buffers where more than
// what every WebGPU has is not needed: for weights and pictures.
func bindingOf(l driver.Limits) int64 { return min(l.Binding, driver.Defaults.Binding) }

func chunkOf(l driver.Limits) int64 { return min(l.Buffer, driver.Defaults.Buffer) &^ 255 }

// Memory implements device.Device. Plans that are too large for the device are
// said to need more than there is.
func (g *gpu) Memory(p *plan.Plan, _ weights.DType) device.Memory {
	params, chunks := g.store(p)
	_, l, err := g.lowerParts(p, params, g.choose)
	if err != nil {
		return device.Memory{Weights: total(chunks), Arena: 1 << 62}
	}
	m := l.memory()
	m.Weights = total(chunks)
	return m
}
