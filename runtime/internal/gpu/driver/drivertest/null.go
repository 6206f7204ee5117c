package drivertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// Null is a device that takes everything and computes nothing: what is read
// from it is zero. It keeps count of what is alive, and of buffers' bytes.
type Null struct {
	Granted driver.Limits

	mu    sync.Mutex
	live  map[*thing]bool
	bytes int64
	most  int64
}

// NewNull returns a device with WebGPU's default limits.
func NewNull() *Null { return &Null{Granted: driver.Defaults, live: map[*thing]bool{}} }

// thing is a buffer, pipeline, group or sequence.
type thing struct {
	d    *Null
	size int64
}

func (d *Null) make(size int64) *thing {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := &thing{d, size}
	d.live[t] = true
	d.bytes += size
	d.most = max(d.most, d.bytes)
	return t
}

func (t *thing) Size() int64 { return t.size }

func (t *thing) Release() {
	t.d.mu.Lock()
	defer t.d.mu.Unlock()
	if t.d.live[t] {
		delete(t.d.live, t)
		t.d.bytes -= t.size
	}
}

func (d *Null) alive(all ...any) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range all {
		if t, ok := x.(*thing); !ok || !d.live[t] {
			return driver.Errorf(driver.Invalid, "null", "a thing of another device, or one that was released")
		}
	}
	return nil
}

// Most is the most bytes of buffers that were alive at once.
func (d *Null) Most() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.most
}

func (d *Null) Live() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.live)
}

func (d *Null) Limits() driver.Limits     { return d.Granted }
func (d *Null) Features() driver.Features { return driver.Features{} }
func (d *Null) Close()                    {}

func (d *Null) Buffer(label string, size int64, _ driver.Usage) (driver.Buffer, error) {
	if size > d.Granted.Buffer {
		return nil, driver.Errorf(driver.Memory, label, "a buffer of %d bytes", size)
	}
	return d.make(size), nil
}

func (d *Null) Pipeline(context.Context, string, string, []driver.Binding) (driver.Pipeline, error) {
	return d.make(0), nil
}

func (d *Null) Group(_ string, p driver.Pipeline, ranges []driver.Range) (driver.Group, error) {
	all := []any{p}
	for _, r := range ranges {
		all = append(all, r.Buffer)
	}
	if err := d.alive(all...); err != nil {
		return nil, err
	}
	return d.make(0), nil
}

func (d *Null) Sequence(_ string, commands []driver.Command) (driver.Sequence, error) {
	for _, c := range commands {
		all := []any{c.Pipeline, c.Group}
		if c.Pipeline == nil {
			all = []any{c.From.Buffer, c.To.Buffer}
		}
		if err := d.alive(all...); err != nil {
			return nil, err
		}
	}
	return d.make(0), nil
}

func (d *Null) Write(b driver.Buffer, _ int64, _ []byte) error  { return d.alive(b) }
func (d *Null) Submit(s driver.Sequence) error                  { return d.alive(s) }
func (d *Null) Wait(ctx context.Context, _ time.Duration) error { return ctx.Err() }
func (d *Null) Times(context.Context, driver.Sequence, time.Duration) ([]time.Duration, error) {
	return nil, errors.ErrUnsupported
}

func (d *Null) Read(ctx context.Context, b driver.Buffer, _ int64, data []byte, _ time.Duration) error {
	clear(data)
	return errors.Join(ctx.Err(), d.alive(b))
}
