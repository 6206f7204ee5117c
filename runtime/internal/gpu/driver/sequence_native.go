//go:build cgo && !js

package driver

// #include "native.h"
import "C"

import (
	"context"
	"encoding/binary"
	"errors"
	"time"
	"unsafe"
)

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
