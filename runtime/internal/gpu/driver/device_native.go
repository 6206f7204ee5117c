//go:build cgo && !js

package driver

// #include <stdlib.h>
// #include "native.h"
import "C"

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// nativeDevice is an opened adapter of wgpu-native.
type nativeDevice struct {
	c        *C.gpu_device
	key      deviceKey
	limits   Limits
	features Features

	mu     sync.RWMutex // held for reading by calls, for writing by Close
	closed atomic.Bool
	stuck  atomic.Bool // patience ran out: what was submitted may never end
	lost   atomic.Pointer[Error]

	liveMu sync.Mutex
	live   map[releaser]struct{}
}

// releaser is what a device made.
type releaser interface{ Release() }

func (d *nativeDevice) Limits() Limits     { return d.limits }
func (d *nativeDevice) Features() Features { return d.features }

func (d *nativeDevice) gone() error {
	if err := d.lost.Load(); err != nil {
		return err
	}
	if d.closed.Load() {
		return Errorf(Lost, "", "the device was closed")
	}
	return nil
}

func (d *nativeDevice) Live() int {
	d.liveMu.Lock()
	defer d.liveMu.Unlock()
	return len(d.live)
}

func (d *nativeDevice) add(r releaser) {
	d.liveMu.Lock()
	d.live[r] = struct{}{}
	d.liveMu.Unlock()
}

// remove tells whether r was still there, and frees it then.
func (d *nativeDevice) remove(r releaser, free func()) {
	d.liveMu.Lock()
	_, there := d.live[r]
	delete(d.live, r)
	d.liveMu.Unlock()
	if there && d.lost.Load() == nil && !d.stuck.Load() {
		free()
	}
}

// Close frees what was made and gives the device to the next who opens one like
// it. What hangs or was lost is left to the end of the process.
func (d *nativeDevice) Close() {
	if d.closed.Load() {
		return
	}
	d.flush()
	if !d.stuck.Load() { // else a call may hold it
		d.mu.Lock()
		defer d.mu.Unlock()
	}
	if d.closed.Swap(true) {
		return
	}
	d.liveMu.Lock()
	all := slices.Collect(maps.Keys(d.live))
	d.liveMu.Unlock()
	for _, r := range all {
		r.Release()
	}
	if d.stuck.Load() || d.lost.Load() != nil {
		return
	}
	f := new(C.gpu_fault)
	if C.gpu_poll(d.c, f); f.kind == C.GPU_OK {
		spare.put(d.key, d.c)
	}
}

// flush sends the writes that nothing was submitted after, and waits for all.
func (d *nativeDevice) flush() {
	const patience = 10 * time.Second
	none := new(C.gpu_command)
	d.bounded(context.Background(), after(patience), "close", func(context.Context) error {
		return d.call("close", func(f *C.gpu_fault) { C.gpu_submit(d.c, nil, none, 0, false, nil, nil, f) })
	})
	d.Wait(context.Background(), patience)
}

// text is a C string for the length of f.
func text(s string, f func(*C.char)) {
	c := C.CString(s)
	defer C.free(unsafe.Pointer(c))
	f(c)
}

type nativeBuffer struct {
	d     *nativeDevice
	c     unsafe.Pointer
	label string
	size  int64
}

func (b *nativeBuffer) Size() int64 { return b.size }
func (b *nativeBuffer) Release()    { b.d.remove(b, func() { C.gpu_buffer_free(b.c) }) }

func (d *nativeDevice) Buffer(label string, size int64, use Usage) (Buffer, error) {
	kind := C.int(C.GPU_STORAGE)
	if use == Uniform {
		kind = C.GPU_UNIFORM
	}
	b, err := d.buffer(label, size, kind)
	if err != nil {
		return nil, err
	}
	d.add(b)
	return b, nil
}

func (d *nativeDevice) buffer(label string, size int64, kind C.int) (*nativeBuffer, error) {
	if size < 0 || size%4 != 0 {
		return nil, Errorf(Invalid, label, "a buffer of %d bytes", size)
	}
	b := &nativeBuffer{d: d, label: label, size: size}
	err := d.call(label, func(f *C.gpu_fault) {
		text(label, func(l *C.char) { b.c = C.gpu_buffer(d.c, l, C.uint64_t(size), kind, f) })
	})
	return b, err
}

type nativePipeline struct {
	d         *nativeDevice
	c, layout unsafe.Pointer
	bindings  int
}

func (p *nativePipeline) Release() {
	p.d.remove(p, func() {
		C.gpu_pipeline_free(p.c)
		C.gpu_layout_free(p.layout)
	})
}

func (d *nativeDevice) Pipeline(ctx context.Context, label, wgsl string, layout []Binding) (Pipeline, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	kinds := make([]C.uint8_t, len(layout)+1)
	for i, b := range layout {
		kinds[i] = [...]C.uint8_t{ReadOnly: C.GPU_READ_ONLY, ReadWrite: C.GPU_READ_WRITE, Params: C.GPU_PARAMS}[b]
	}
	p := &nativePipeline{d: d, bindings: len(layout)}
	err := d.call(label, func(f *C.gpu_fault) {
		text(label, func(l *C.char) {
			if p.layout = C.gpu_layout(d.c, l, &kinds[0], C.size_t(len(layout)), f); f.kind != C.GPU_OK {
				return
			}
			text(wgsl, func(code *C.char) { p.c = C.gpu_pipeline(d.c, l, code, p.layout, f) })
			if f.kind != C.GPU_OK && f.kind != C.GPU_LOST {
				C.gpu_layout_free(p.layout)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	d.add(p)
	return p, nil
}

type nativeGroup struct {
	d *nativeDevice
	c unsafe.Pointer
}

func (g *nativeGroup) Release() { g.d.remove(g, func() { C.gpu_group_free(g.c) }) }

func (d *nativeDevice) Group(label string, pipeline Pipeline, ranges []Range) (Group, error) {
	p, ok := pipeline.(*nativePipeline)
	if !ok || p.bindings != len(ranges) {
		return nil, Errorf(Invalid, label, "%d ranges for the pipeline", len(ranges))
	}
	n := len(ranges)
	// Memory of C's, for pointers to its objects.
	buffers := (*unsafe.Pointer)(C.calloc(C.size_t(n+1), 8))
	defer C.free(unsafe.Pointer(buffers))
	offsets, sizes := make([]C.uint64_t, n+1), make([]C.uint64_t, n+1)
	for i, r := range ranges {
		b, size, err := d.within(label, r)
		if err != nil {
			return nil, err
		}
		unsafe.Slice(buffers, n)[i] = b.c
		offsets[i], sizes[i] = C.uint64_t(r.Offset), C.uint64_t(size)
	}
	g := &nativeGroup{d: d}
	err := d.call(label, func(f *C.gpu_fault) {
		text(label, func(l *C.char) {
			g.c = C.gpu_group(d.c, l, p.layout, buffers, &offsets[0], &sizes[0], C.size_t(n), f)
		})
	})
	if err != nil {
		return nil, err
	}
	d.add(g)
	return g, nil
}

// within checks a range of one of the device's buffers and gives its size.
func (d *nativeDevice) within(label string, r Range) (*nativeBuffer, int64, error) {
	b, ok := r.Buffer.(*nativeBuffer)
	if !ok || b.d != d || !d.alive(b) {
		return nil, 0, Errorf(Invalid, label, "a buffer of another device, or one that was released")
	}
	size := r.Size
	if size == 0 {
		size = b.size - r.Offset
	}
	if r.Offset < 0 || size <= 0 || r.Offset+size > b.size {
		return nil, 0, Errorf(Invalid, label, "bytes %d to %d of %s, which has %d", r.Offset, r.Offset+size, b.label, b.size)
	}
	return b, size, nil
}

func (d *nativeDevice) alive(r releaser) bool {
	d.liveMu.Lock()
	defer d.liveMu.Unlock()
	_, ok := d.live[r]
	return ok
}
