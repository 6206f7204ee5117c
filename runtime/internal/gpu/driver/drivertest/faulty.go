// Package drivertest has, for tests, a device that fails when it is told to and
// one that computes nothing.
package drivertest

import (
	"context"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// Faulty is a device whose calls a test may fail. What it makes is the inner
// device's, so a call that fails makes nothing.
type Faulty struct {
	driver.Device
	// Fail is asked before every call with its name, such as "Buffer", with what
	// it is about, and with how many calls there were before it. An error is
	// returned in the call's place; after one with Kind Lost it is for ever.
	Fail func(call, label string, n int) error

	mu    sync.Mutex
	calls int
	lost  error
}

func (f *Faulty) fails(call, label string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lost != nil {
		return f.lost
	}
	n := f.calls
	f.calls++
	if f.Fail == nil {
		return nil
	}
	err := f.Fail(call, label, n)
	if driver.Is(err, driver.Lost) {
		f.lost = err
	}
	return err
}

// Calls is how many calls there were.
func (f *Faulty) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *Faulty) Buffer(label string, size int64, use driver.Usage) (driver.Buffer, error) {
	if err := f.fails("Buffer", label); err != nil {
		return nil, err
	}
	return f.Device.Buffer(label, size, use)
}

func (f *Faulty) Pipeline(ctx context.Context, label, wgsl string, layout []driver.Binding) (driver.Pipeline, error) {
	if err := f.fails("Pipeline", label); err != nil {
		return nil, err
	}
	return f.Device.Pipeline(ctx, label, wgsl, layout)
}

func (f *Faulty) Group(label string, p driver.Pipeline, ranges []driver.Range) (driver.Group, error) {
	if err := f.fails("Group", label); err != nil {
		return nil, err
	}
	return f.Device.Group(label, p, ranges)
}

func (f *Faulty) Sequence(label string, commands []driver.Command) (driver.Sequence, error) {
	if err := f.fails("Sequence", label); err != nil {
		return nil, err
	}
	return f.Device.Sequence(label, commands)
}

func (f *Faulty) Write(b driver.Buffer, offset int64, data []byte) error {
	if err := f.fails("Write", "write"); err != nil {
		return err
	}
	return f.Device.Write(b, offset, data)
}

func (f *Faulty) Submit(s driver.Sequence) error {
	if err := f.fails("Submit", "submit"); err != nil {
		return err
	}
	return f.Device.Submit(s)
}

func (f *Faulty) Wait(ctx context.Context, patience time.Duration) error {
	if err := f.fails("Wait", "wait"); err != nil {
		return err
	}
	return f.Device.Wait(ctx, patience)
}

func (f *Faulty) Read(ctx context.Context, b driver.Buffer, offset int64, data []byte, patience time.Duration) error {
	if err := f.fails("Read", "read"); err != nil {
		return err
	}
	return f.Device.Read(ctx, b, offset, data, patience)
}

func (f *Faulty) Times(ctx context.Context, s driver.Sequence, patience time.Duration) ([]time.Duration, error) {
	if err := f.fails("Times", "times"); err != nil {
		return nil, err
	}
	return f.Device.Times(ctx, s, patience)
}
