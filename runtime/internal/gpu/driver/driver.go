// Package driver is what the executor needs of WebGPU, and nothing else. One
// file a binding implements it; no type of a binding appears above it.
//
// Errors are reported where they occur: a call that makes something returns
// the validation error of that thing, and one that runs something those of the
// run. All of them are *Error. Everything that is made is released by its
// maker's Release, or at the latest by Device.Close.
package driver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Driver is one binding. Each platform's file has a func Open() (Driver,
// error), whose error is one line that says what is missing and what to install.
type Driver interface {
	// Name is the binding and its version, for people and for the tuner's key.
	Name() string
	// Adapters lists what there is, in a stable order, software adapters too.
	// The browser has one or none. No adapter is not an error.
	Adapters(ctx context.Context) ([]Adapter, error)
	// Device opens an adapter of the list with the limits and features asked
	// for. A limit that the adapter does not have is lowered to what it has.
	Device(ctx context.Context, adapter int, want Want) (Device, error)
	Close()
}

// Adapter describes an adapter to people, and what it claims to be able to do.
type Adapter struct {
	Name     string // of the card or the software renderer
	Vendor   string
	Backend  string // "vulkan", "metal", "d3d12", "gl", "browser"
	Driver   string // with its version
	Type     string // "discrete", "integrated", "software", "other"
	Software bool   // computes on the processor: lavapipe, SwiftShader, WARP
	Limits   Limits
	Features Features // as advertised; believe none before it was probed
}

// Limits are those of WebGPU that matter here.
type Limits struct {
	Buffer          int64 // bytes of one buffer
	Binding         int64 // bytes of one storage binding
	StorageBuffers  int   // storage bindings of a stage
	Workgroups      int   // of a dispatch in each dimension
	Invocations     int   // of a workgroup
	WorkgroupMemory int   // bytes
}

// Defaults are the limits that every WebGPU has.
var Defaults = Limits{Buffer: 256 << 20, Binding: 128 << 20, StorageBuffers: 8, Workgroups: 65535, Invocations: 256, WorkgroupMemory: 16 << 10}

// Features are optional abilities.
type Features struct {
	F16        bool // `enable f16`
	Subgroups  bool
	Timestamps bool
}

// Want is what a device is opened with. Zero limits are the defaults. A
// feature that cannot be had is left out and not an error.
type Want struct {
	Limits   Limits
	Features Features
}

// Device is an opened adapter. Its methods may be called by several
// goroutines. After an error with Kind Lost every call returns that error.
type Device interface {
	// Limits and Features are what was granted.
	Limits() Limits
	Features() Features

	// Buffer makes a buffer of size bytes, a multiple of 4, filled with zeros.
	// Storage buffers may be bound, written, read, and copied from and to.
	Buffer(label string, size int64, use Usage) (Buffer, error)
	// Pipeline compiles WGSL with the entry point main. Pipelines may be
	// compiled at the same time.
	Pipeline(ctx context.Context, label, wgsl string, layout []Binding) (Pipeline, error)
	// Group binds ranges of buffers, one for each binding of the pipeline's
	// layout, in its order. Offsets are multiples of 256, sizes of 4.
	Group(label string, p Pipeline, ranges []Range) (Group, error)
	// Sequence prepares commands that run in order, each seeing what those
	// before it wrote, in one compute pass where there are no copies between.
	// It keeps the slice and may be run many times, one submit each.
	Sequence(label string, commands []Command) (Sequence, error)

	// Write copies data, a multiple of 4 bytes, to a buffer before whatever is
	// submitted after it. Data may be changed as soon as it returns.
	Write(b Buffer, offset int64, data []byte) error
	// Submit starts a sequence and returns at once.
	Submit(s Sequence) error
	// Wait returns when all that was submitted is done. If the context ends or
	// patience (0: for ever) runs out first, it returns the context's error or
	// one with Kind Hang, and what was submitted goes on.
	Wait(ctx context.Context, patience time.Duration) error
	// Read copies part of a buffer to data, a multiple of 4 bytes, after all
	// that was submitted. It waits as Wait does.
	Read(ctx context.Context, b Buffer, offset int64, data []byte, patience time.Duration) error
	// Times runs a sequence and returns how long each command took on the
	// device, by timestamps. Without Features().Timestamps it returns
	// errors.ErrUnsupported.
	Times(ctx context.Context, s Sequence, patience time.Duration) ([]time.Duration, error)

	// Live counts buffers, pipelines, groups and sequences that were made and
	// not released, for tests of leaks.
	Live() int
	Close()
}

// Usage says how a buffer is bound.
type Usage uint8

const (
	Storage Usage = iota
	Uniform
)

// Binding is how a shader sees a buffer: @group(0) @binding(i) for the i-th of
// a layout.
type Binding uint8

const (
	ReadOnly  Binding = iota // var<storage, read>
	ReadWrite                // var<storage, read_write>
	Params                   // var<uniform>
)

// Buffer, Pipeline, Group and Sequence belong to the device that made them.
// Releasing twice does nothing; what is submitted still runs.
type (
	Buffer interface {
		Size() int64
		Release()
	}
	Pipeline interface{ Release() }
	Group    interface{ Release() }
	Sequence interface{ Release() }
)

// Range is a part of a buffer. A size of 0 is the rest.
type Range struct {
	Buffer       Buffer
	Offset, Size int64
}

// Command is a dispatch of X×Y×Z workgroups, or a copy if Pipeline is nil.
type Command struct {
	Label    string
	Pipeline Pipeline
	Group    Group
	X, Y, Z  int
	From, To Range // of one size; offsets and size are multiples of 4
}

// Kind is what sort of error occurred.
type Kind uint8

const (
	Invalid Kind = iota // a shader, binding or command is wrong: a mistake of ours
	Memory              // out of device memory
	Lost                // the device is gone
	Hang                // patience ran out
)

// Error is an error of the device. Label is that of the thing at fault.
type Error struct {
	Kind    Kind
	Label   string
	Message string // one line
}

var kinds = [...]string{"the GPU refuses it", "out of GPU memory", "the GPU was lost", "the GPU does not answer"}

func (e *Error) Error() string {
	s := kinds[e.Kind]
	if e.Label != "" {
		s = e.Label + ": " + s
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	return s
}

// OutOfMemory and Gone tell errors apart for those above who do not know this
// package: Gone is a device that is lost or does not answer.
func (e *Error) OutOfMemory() bool { return e.Kind == Memory }
func (e *Error) Gone() bool        { return e.Kind == Lost || e.Kind == Hang }

// Is tells whether an error is of a kind.
func Is(err error, k Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == k
}

// Errorf makes an error of a kind.
func Errorf(k Kind, label, format string, args ...any) error {
	return &Error{k, label, fmt.Sprintf(format, args...)}
}
