// Package device is what every executor offers to the runtime: it loads the
// weights of a network once, compiles plans of it, and runs them. No type of
// an executor appears above this interface.
package device

import (
	"context"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/plan"
	"github.com/i2sb-go/i2sb/weights"
)

// Info describes a device to people.
type Info struct {
	Name     string // "cpu", "ref", or the adapter's name
	Detail   string // what was chosen and why: kernels, threads, backend
	Software bool   // a software adapter
	Threads  int
}

// Memory is what a plan needs on a device, in bytes.
type Memory struct {
	Weights, Arena, Scratch int64
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Weights + m.Arena + m.Scratch }

// Device executes plans. It may be used by several goroutines.
type Device interface {
	Info() Info
	// Load reads every weight of the plan from src and brings it into the
	// device's layout. The plan's size does not matter: any plan of the same
	// network may be compiled afterwards.
	Load(ctx context.Context, p *plan.Plan, src weights.Source) (Network, error)
	// Memory tells what a plan will need, without running it, with weights
	// that come stored in some way.
	Memory(p *plan.Plan, stored weights.DType) Memory
	Close() error
}

// Network is a network's weights on a device. It may be used by several
// goroutines.
type Network interface {
	Compile(p *plan.Plan) (Program, error)
	// NewCanvas makes a picture's state, for programs of this network.
	NewCanvas(s CanvasSpec) (Canvas, error)
	Close() error
}

// Input is one evaluation's input. X is N×Cin×H×W; Levels are the N noise
// levels; Labels the N class indices of a class-conditional network, else nil.
type Input struct {
	X      []float32
	Levels []float64
	Labels []int
}

// Program is a compiled plan with its arena. It runs one evaluation at a time.
type Program interface {
	Plan() *plan.Plan
	// Run evaluates the network into y, N×Cout×H×W.
	Run(ctx context.Context, in Input, y []float32) error
	Close() error
}

// Paced is a Program that can tell how often Run asks its context whether it
// has ended: the measure of progress within an evaluation.
type Paced interface{ Pace() int }

// Profiler is a Program that can time its operators.
type Profiler interface {
	// Profile is Run, and tells how long every operator took, in the order of
	// the plan; work between operators is told with a nil op.
	Profile(ctx context.Context, in Input, y []float32, each func(op plan.Op, d time.Duration)) error
}

// Roof is the most that a device can do in a second, measured: arithmetic in
// its kernels' own instructions, and bytes of memory that no cache holds.
type Roof struct{ FLOPs, Bytes float64 }

// Measurer is a Device that can measure its roof.
type Measurer interface {
	Roof(ctx context.Context) (Roof, error)
}

// Kernel is what one kind of kernel did in an evaluation: its arithmetic, and
// the bytes of the tensors it was given, each once a call.
type Kernel struct {
	Name         string
	Calls        int
	Time         time.Duration
	FLOPs, Bytes int64
}

// KernelProfiler is a Program whose operators run as kernels of its own.
type KernelProfiler interface {
	// Kernels is Run, and tells what each kernel took, the longest first.
	Kernels(ctx context.Context, in Input, y []float32) ([]Kernel, error)
}
