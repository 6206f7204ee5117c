package driver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall/js"
	"time"
	"unsafe"
)

// In the browser the calls to WebGPU are made by JavaScript (wasm/npm/gpu.mjs),
// which the page's engine puts into i2sb.gpu: a submit is one call from Go, and
// bytes go between Go's memory and the GPU's without a copy. Objects of this
// package hold those of JavaScript.

// Open finds the engine's WebGPU.
func Open() (Driver, error) {
	v := js.Global().Get("i2sb")
	if v.Type() == js.TypeObject {
		v = v.Get("gpu")
	}
	if v.Type() != js.TypeObject {
		return nil, errors.New("this worker has no WebGPU")
	}
	return &browser{v}, nil
}

type browser struct{ js.Value }

func (b *browser) Name() string { return "browser" }
func (b *browser) Close()       {}

func (b *browser) Adapters(ctx context.Context) ([]Adapter, error) {
	v, err := settle(ctx, b.Call("adapter"), 0)
	if err != nil || v.IsNull() {
		return nil, err
	}
	a := Adapter{Name: v.Get("name").String(), Vendor: v.Get("vendor").String(), Backend: "browser", Driver: "WebGPU",
		Software: v.Get("software").Bool(), Type: "other", Limits: limitsOf(v.Get("limits")), Features: featuresOf(v.Get("features"))}
	if a.Software {
		a.Type = "software"
	}
	return []Adapter{a}, nil
}

func limitsOf(v js.Value) Limits {
	n := func(name string) int64 { return int64(v.Get(name).Float()) }
	return Limits{Buffer: n("buffer"), Binding: n("binding"), StorageBuffers: int(n("storageBuffers")), Workgroups: int(n("workgroups")),
		Invocations: int(n("invocations")), WorkgroupMemory: int(n("workgroupMemory"))}
}

func featuresOf(v js.Value) Features {
	return Features{F16: v.Get("f16").Bool(), Subgroups: v.Get("subgroups").Bool(), Timestamps: v.Get("timestamps").Bool()}
}

func (b *browser) Device(ctx context.Context, adapter int, want Want) (Device, error) {
	l, f := want.Limits, want.Features
	v, err := settle(ctx, b.Call("device", map[string]any{
		"buffer": float64(l.Buffer), "binding": float64(l.Binding), "storageBuffers": l.StorageBuffers, "workgroups": l.Workgroups,
		"invocations": l.Invocations, "workgroupMemory": l.WorkgroupMemory,
	}, map[string]any{"f16": f.F16, "subgroups": f.Subgroups, "timestamps": f.Timestamps}), 0)
	if err != nil {
		return nil, err
	}
	return &browserDevice{v: v, limits: limitsOf(v.Get("limits")), features: featuresOf(v.Get("features"))}, nil
}

type browserDevice struct {
	v        js.Value
	limits   Limits
	features Features
	live     atomic.Int64
	closed   sync.Once
}

func (d *browserDevice) Limits() Limits     { return d.limits }
func (d *browserDevice) Features() Features { return d.features }
func (d *browserDevice) Live() int          { return int(d.live.Load()) }
func (d *browserDevice) Close()             { d.closed.Do(func() { d.v.Call("close") }) }

// object is anything that the device made.
type object struct {
	js.Value
	d    *browserDevice
	size int64
	once sync.Once
}

func (d *browserDevice) made(v js.Value, size int64) *object {
	d.live.Add(1)
	return &object{Value: v, d: d, size: size}
}

func (o *object) Size() int64 { return o.size }

func (o *object) Release() {
	o.once.Do(func() {
		o.d.live.Add(-1)
		o.d.v.Call("release", o.Value)
		o.Value = js.Undefined()
	})
}

// of is the JavaScript side of a thing, if it is of this device and alive.
func (d *browserDevice) of(thing any, label string) (js.Value, error) {
	o, ok := thing.(*object)
	if !ok || o == nil || o.d != d || o.IsUndefined() {
		return js.Value{}, Errorf(Invalid, label, "it is not of this device, or was released")
	}
	return o.Value, nil
}

func (d *browserDevice) Buffer(label string, size int64, use Usage) (Buffer, error) {
	if size <= 0 || size%4 != 0 {
		return nil, Errorf(Invalid, label, "a buffer of %d bytes", size)
	}
	v, err := settle(context.Background(), d.v.Call("buffer", label, float64(size), use == Uniform), 0)
	if err != nil {
		return nil, err
	}
	return d.made(v, size), nil
}

func (d *browserDevice) Pipeline(ctx context.Context, label, wgsl string, layout []Binding) (Pipeline, error) {
	kinds := make([]any, len(layout))
	for i, b := range layout {
		kinds[i] = [...]string{ReadOnly: "read-only-storage", ReadWrite: "storage", Params: "uniform"}[b]
	}
	v, err := settle(ctx, d.v.Call("pipeline", label, wgsl, kinds), 0)
	if err != nil {
		return nil, err
	}
	return d.made(v, 0), nil
}

func (d *browserDevice) Group(label string, p Pipeline, ranges []Range) (Group, error) {
	pipeline, err := d.of(p, label)
	if err != nil {
		return nil, err
	}
	flat := make([]any, 0, 3*len(ranges))
	for _, r := range ranges {
		b, size, err := d.within(label, r)
		if err != nil {
			return nil, err
		}
		flat = append(flat, b, float64(r.Offset), float64(size))
	}
	v, err := invoke(d.v, "group", label, pipeline, flat)
	if err != nil {
		return nil, err
	}
	return d.made(v, 0), nil
}

// within resolves a range's buffer and size.
func (d *browserDevice) within(label string, r Range) (js.Value, int64, error) {
	b, err := d.of(r.Buffer, label)
	if err != nil {
		return b, 0, err
	}
	size := r.Size
	if size == 0 {
		size = r.Buffer.Size() - r.Offset
	}
	if r.Offset < 0 || size <= 0 || r.Offset%4 != 0 || size%4 != 0 || r.Offset > r.Buffer.Size()-size {
		return b, 0, Errorf(Invalid, label, "bytes %d to %d of a buffer of %d", r.Offset, r.Offset+size, r.Buffer.Size())
	}
	return b, size, nil
}

func (d *browserDevice) Sequence(label string, commands []Command) (Sequence, error) {
	flat := make([]any, len(commands))
	for i, c := range commands {
		if c.Pipeline == nil {
			from, size, err := d.within(c.Label, c.From)
			if err != nil {
				return nil, err
			}
			to, n, err := d.within(c.Label, c.To)
			if err != nil {
				return nil, err
			}
			if n != size {
				return nil, Errorf(Invalid, c.Label, "a copy of %d bytes to %d", size, n)
			}
			flat[i] = []any{from, float64(c.From.Offset), to, float64(c.To.Offset), float64(size)}
			continue
		}
		p, err := d.of(c.Pipeline, c.Label)
		if err != nil {
			return nil, err
		}
		g, err := d.of(c.Group, c.Label)
		if err != nil {
			return nil, err
		}
		flat[i] = []any{p, g, c.X, c.Y, c.Z}
	}
	v, err := invoke(d.v, "sequence", label, flat)
	if err != nil {
		return nil, err
	}
	return d.made(v, 0), nil
}

func (d *browserDevice) Write(b Buffer, offset int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	v, _, err := d.within("write", Range{b, offset, int64(len(data))})
	if err != nil {
		return err
	}
	_, err = invoke(d.v, "write", v, float64(offset), float64(uintptr(unsafe.Pointer(&data[0]))), len(data))
	runtime.KeepAlive(data)
	return err
}

func (d *browserDevice) Submit(s Sequence) error {
	v, err := d.of(s, "submit")
	if err != nil {
		return err
	}
	_, err = invoke(d.v, "submit", v)
	return err
}

func (d *browserDevice) Wait(ctx context.Context, patience time.Duration) error {
	_, err := settle(ctx, d.v.Call("done"), patience)
	return err
}

func (d *browserDevice) Read(ctx context.Context, b Buffer, offset int64, data []byte, patience time.Duration) error {
	if len(data) == 0 {
		return nil
	}
	v, _, err := d.within("read", Range{b, offset, int64(len(data))})
	if err != nil {
		return err
	}
	r, err := settle(ctx, d.v.Call("read", v, float64(offset), len(data)), patience)
	if err != nil {
		return err
	}
	_, err = invoke(r, "into", float64(uintptr(unsafe.Pointer(&data[0]))))
	runtime.KeepAlive(data)
	return err
}

// Times implements Device; browsers round timestamps too coarsely.
func (d *browserDevice) Times(context.Context, Sequence, time.Duration) ([]time.Duration, error) {
	return nil, errors.ErrUnsupported
}

// settle waits for a promise.
func settle(ctx context.Context, p js.Value, patience time.Duration) (js.Value, error) {
	type result struct {
		v   js.Value
		err error
	}
	c := make(chan result, 1)
	var ok, bad js.Func
	end := func() { ok.Release(); bad.Release() }
	ok = js.FuncOf(func(_ js.Value, args []js.Value) any {
		end()
		c <- result{v: args[0]}
		return nil
	})
	bad = js.FuncOf(func(_ js.Value, args []js.Value) any {
		end()
		c <- result{err: failure(args[0])}
		return nil
	})
	p.Call("then", ok, bad)
	var late <-chan time.Time
	if patience > 0 {
		t := time.NewTimer(patience)
		defer t.Stop()
		late = t.C
	}
	select {
	case r := <-c:
		return r.v, r.err
	case <-ctx.Done():
		return js.Value{}, ctx.Err()
	case <-late:
		return js.Value{}, Errorf(Hang, "", "no answer for %v", patience)
	}
}

// invoke calls a method; what it throws is an error.
func invoke(v js.Value, method string, args ...any) (r js.Value, err error) {
	defer func() {
		if x := recover(); x != nil {
			e, ok := x.(js.Error)
			if !ok {
				panic(x)
			}
			err = failure(e.Value)
		}
	}()
	return v.Call(method, args...), nil
}

// failure is what gpu.mjs threw: {kind, label, message}, or any exception.
func failure(v js.Value) error {
	if v.Type() != js.TypeObject {
		return &Error{Kind: Invalid, Message: fmt.Sprint(v)}
	}
	e := &Error{Kind: Invalid, Message: v.Get("message").String()}
	if l := v.Get("label"); l.Type() == js.TypeString {
		e.Label = l.String()
	}
	switch v.Get("kind").String() {
	case "memory":
		e.Kind = Memory
	case "lost":
		e.Kind = Lost
	}
	return e
}
