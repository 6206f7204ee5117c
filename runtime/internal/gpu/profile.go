package gpu

import (
	"context"
	"errors"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// profile is Run, and tells how long each call took: by timestamps where the
// device has them, else by submits of their parts.
func (r *program) profile(ctx context.Context, in device.Input, y []float32, each func(*call, time.Duration)) error {
	err := r.run(ctx, in, y, func() error {
		for i, s := range r.body.sequences {
			times, err := r.dev.Times(ctx, s, patience)
			if errors.Is(err, errors.ErrUnsupported) {
				times, err = r.apart(ctx, r.body.commands[i])
			}
			if err != nil {
				return err
			}
			for j, d := range times {
				each(r.body.calls[i][j], d)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return r.Run(ctx, in, y) // calls that ran more than once spoil what others left for them
}

// apart times a submit's commands by submits of their own, from the host: what
// halving the submit again and again ends with. What it costs to start and await a
// command is taken off each, so that together they take as long as in one submit.
// On lavapipe, 168 commands in two submits, medians of nine: 294 ms, 281 by
// timestamps. Taking off an empty submit's time only gave 404 (by timestamps 287),
// and sharing the whole's time between halves, down to single commands, 293 (284)
// for some eight times the work. Either way kernels much shorter than a start
// look two to three times as long as they are.
func (r *program) apart(ctx context.Context, commands []driver.Command) ([]time.Duration, error) {
	timed := func(commands []driver.Command) (time.Duration, error) {
		s, err := r.dev.Sequence("profile", commands)
		if err != nil {
			return 0, err
		}
		defer s.Release()
		start := time.Now()
		if err := r.dev.Submit(s); err != nil {
			return 0, err
		}
		err = r.wait(ctx)
		return time.Since(start), err
	}
	idle, err := timed(nil)
	if err != nil {
		return nil, err
	}
	whole, err := timed(commands)
	if err != nil {
		return nil, err
	}
	times := make([]time.Duration, len(commands))
	for i := range commands {
		if times[i], err = timed(commands[i : i+1]); err != nil {
			return nil, err
		}
	}
	withoutStarts(times, whole, idle)
	return times, nil
}

// withoutStarts takes off what starting a command costs: what the commands took
// apart beyond what they took together, in equal parts, and an empty submit's time
// at least.
func withoutStarts(times []time.Duration, whole, idle time.Duration) {
	var sum time.Duration
	for _, d := range times {
		sum += d
	}
	start := max(idle, (sum-whole+idle)/time.Duration(len(times)))
	for i, d := range times {
		times[i] = max(0, d-start)
	}
}
