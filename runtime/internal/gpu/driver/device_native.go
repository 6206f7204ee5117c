//go:build cgo && !js

package driver

// #include <stdlib.h>
// #include "native.h"
import "C"

import (
	"context"
	"encoding/binary"
	"errors"
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

type nativeSequence struct {
	d     *nativeDevice
	label string
	c     *C.gpu_command
	n     int
	runs  []Command
}

func (s *nativeSequence) Release() {
	s.d.remove(s, func() { C.gpu_commands_drop(s.c, C.size_t(s.n)) })
}

func (d *nativeDevice) Sequence(label string, commands []Command) (Sequence, error) {
	c := make([]C.gpu_command, len(commands)+1)
	for i, cmd := range commands {
		var err error
		if c[i], err = d.command(cmd); err != nil {
			return nil, err
		}
	}
	s := &nativeSequence{d: d, label: label, n: len(commands), runs: commands}
	err := d.call(label, func(f *C.gpu_fault) {
		s.c = C.gpu_commands_hold(&c[0], C.size_t(s.n))
		text(label, func(l *C.char) { C.gpu_submit(d.c, l, s.c, C.size_t(s.n), true, nil, nil, f) })
	})
	if err != nil {
		err = d.culprit(s, err)
		if s.c != nil && !Is(err, Lost) {
			C.gpu_commands_drop(s.c, C.size_t(s.n))
		}
		return nil, err
	}
	d.add(s)
	return s, nil
}

func (d *nativeDevice) command(cmd Command) (c C.gpu_command, err error) {
	if cmd.Pipeline == nil {
		from, size, err := d.within(cmd.Label, cmd.From)
		if err != nil {
			return c, err
		}
		to, room, err := d.within(cmd.Label, cmd.To)
		if err != nil {
			return c, err
		}
		if size != room {
			return c, Errorf(Invalid, cmd.Label, "a copy of %d bytes to %d", size, room)
		}
		c.from, c.to, c.from_at, c.to_at, c.size = from.c, to.c, C.uint64_t(cmd.From.Offset), C.uint64_t(cmd.To.Offset), C.uint64_t(size)
		return c, nil
	}
	p, ok := cmd.Pipeline.(*nativePipeline)
	g, ok2 := cmd.Group.(*nativeGroup)
	if !ok || !ok2 || p.d != d || g.d != d || !d.alive(p) || !d.alive(g) {
		return c, Errorf(Invalid, cmd.Label, "a pipeline or group of another device, or one that was released")
	}
	for _, n := range []int{cmd.X, cmd.Y, cmd.Z} {
		if n < 0 || n > d.limits.Workgroups {
			return c, Errorf(Invalid, cmd.Label, "%d×%d×%d workgroups; each may be up to %d", cmd.X, cmd.Y, cmd.Z, d.limits.Workgroups)
		}
	}
	c.pipeline, c.group = p.c, g.c
	c.x, c.y, c.z = C.uint32_t(cmd.X), C.uint32_t(cmd.Y), C.uint32_t(cmd.Z)
	return c, nil
}

// culprit finds the command that is at fault by encoding each alone.
func (d *nativeDevice) culprit(s *nativeSequence, err error) error {
	if !Is(err, Invalid) {
		return err
	}
	for i, c := range unsafe.Slice(s.c, s.n) {
		one := d.call(s.runs[i].Label, func(f *C.gpu_fault) {
			text(s.label, func(l *C.char) { C.gpu_submit(d.c, l, &c, 1, true, nil, nil, f) })
		})
		if one != nil {
			return one
		}
	}
	return err
}

func (d *nativeDevice) Write(buffer Buffer, offset int64, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	b, _, err := d.within("write", Range{buffer, offset, int64(len(data))})
	if err != nil {
		return err
	}
	return d.call(b.label, func(f *C.gpu_fault) {
		C.gpu_write(d.c, b.c, C.uint64_t(offset), unsafe.Pointer(&data[0]), C.size_t(len(data)), f)
	})
}

// submitPatience bounds a submit, which a driver may hold up until earlier ones
// are done.
const submitPatience = 2 * time.Minute

func (d *nativeDevice) Submit(sequence Sequence) error {
	s, ok := sequence.(*nativeSequence)
	if !ok || s.d != d || !d.alive(s) {
		return Errorf(Invalid, "submit", "a sequence of another device, or one that was released")
	}
	return d.bounded(context.Background(), after(submitPatience), s.label, func(context.Context) error {
		return d.call(s.label, func(f *C.gpu_fault) {
			text(s.label, func(l *C.char) { C.gpu_submit(d.c, l, s.c, C.size_t(s.n), false, nil, nil, f) })
		})
	})
}

func (d *nativeDevice) Wait(ctx context.Context, patience time.Duration) error {
	return d.bounded(ctx, after(patience), "wait", func(ctx context.Context) error {
		var t *C.gpu_ticket
		if err := d.call("wait", func(f *C.gpu_fault) { t = C.gpu_done(d.c, f) }); err != nil {
			return err
		}
		return d.await(ctx, t, "wait")
	})
}

// await polls until a ticket's callback came. wgpu's own waiting can neither be
// ended nor bounded.
func (d *nativeDevice) await(ctx context.Context, t *C.gpu_ticket, label string) error {
	defer C.gpu_ticket_free(t)
	for pause := 10 * time.Microsecond; ; pause = min(2*pause, time.Millisecond) {
		if err := d.call(label, func(f *C.gpu_fault) { C.gpu_poll(d.c, f) }); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		switch C.gpu_ticket_state(t) {
		case 1:
			return nil
		case 2:
			return d.note(Errorf(Lost, label, "the driver gave up"))
		}
		time.Sleep(pause)
	}
}

func (d *nativeDevice) Read(ctx context.Context, buffer Buffer, offset int64, data []byte, patience time.Duration) error {
	if len(data) == 0 {
		return nil
	}
	b, size, err := d.within("read", Range{buffer, offset, int64(len(data))})
	if err != nil {
		return err
	}
	var got []byte // data is the caller's again if the wait ends early
	err = d.bounded(ctx, after(patience), b.label, func(ctx context.Context) (err error) {
		got, err = d.fetch(ctx, b, offset, size)
		return err
	})
	if err == nil {
		copy(data, got)
	}
	return err
}

// fetch copies part of a buffer to a staging buffer and maps that.
func (d *nativeDevice) fetch(ctx context.Context, b *nativeBuffer, offset, size int64) ([]byte, error) {
	staging, err := d.buffer(b.label, size, C.GPU_STAGING)
	if err != nil {
		return nil, err
	}
	d.add(staging)
	defer staging.Release()
	copied := []C.gpu_command{{from: b.c, to: staging.c, from_at: C.uint64_t(offset), size: C.uint64_t(size)}}
	var t *C.gpu_ticket
	err = d.call(b.label, func(f *C.gpu_fault) {
		text(b.label, func(l *C.char) { C.gpu_submit(d.c, l, &copied[0], 1, false, nil, nil, f) })
		if f.kind == C.GPU_OK {
			t = C.gpu_map(d.c, staging.c, C.uint64_t(size), f)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := d.await(ctx, t, b.label); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	return data, d.call(b.label, func(f *C.gpu_fault) {
		C.gpu_unmap(staging.c, unsafe.Pointer(&data[0]), C.uint64_t(size), f)
	})
}

// timesAtOnce bounds the dispatches that one set of queries measures.
const timesAtOnce = 1024

func (d *nativeDevice) Times(ctx context.Context, sequence Sequence, patience time.Duration) ([]time.Duration, error) {
	s, ok := sequence.(*nativeSequence)
	if !ok || s.d != d || !d.alive(s) {
		return nil, Errorf(Invalid, "times", "a sequence of another device, or one that was released")
	}
	period := float64(C.gpu_timestamp_period(d.c))
	if !d.features.Timestamps || period == 0 {
		return nil, errors.ErrUnsupported
	}
	var times []time.Duration
	all := unsafe.Slice(s.c, s.n)
	for from := 0; from < s.n; from += timesAtOnce {
		part := all[from:min(from+timesAtOnce, s.n)]
		ticks, err := d.ticks(ctx, s.label, part, patience)
		if err != nil {
			return nil, err
		}
		for _, c := range part {
			if c.pipeline == nil {
				times = append(times, 0)
				continue
			}
			times = append(times, time.Duration(float64(ticks[1]-ticks[0])*period))
			ticks = ticks[2:]
		}
	}
	return times, nil
}

// ticks runs commands and returns the device's clock before and after each
// dispatch.
func (d *nativeDevice) ticks(ctx context.Context, label string, commands []C.gpu_command, patience time.Duration) ([]uint64, error) {
	n := 2 * int64(len(commands))
	resolved, err := d.buffer(label, 8*n, C.GPU_QUERIES)
	if err != nil {
		return nil, err
	}
	d.add(resolved)
	defer resolved.Release()
	var queries unsafe.Pointer
	err = d.call(label, func(f *C.gpu_fault) {
		if queries = C.gpu_queries(d.c, C.uint32_t(n), f); f.kind != C.GPU_OK {
			return
		}
		text(label, func(l *C.char) {
			C.gpu_submit(d.c, l, &commands[0], C.size_t(len(commands)), false, queries, resolved.c, f)
		})
		if f.kind != C.GPU_LOST {
			C.gpu_queries_free(queries)
		}
	})
	if err != nil {
		return nil, err
	}
	b := make([]byte, 8*n)
	if err := d.Read(ctx, resolved, 0, b, patience); err != nil {
		return nil, err
	}
	ticks := make([]uint64, n)
	for i := range ticks {
		ticks[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return ticks, nil
}
