package gpu

import (
	"context"
	"errors"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/gpu/driver"
)

// profile runs the body and tells how long each call took: by timestamps where
// the device has them, else submitted and waited for one by one.
func (r *program) profile(ctx context.Context, each func(*call, time.Duration)) error {
	for i, s := range r.body.sequences {
		times, err := r.dev.Times(ctx, s, patience)
		if errors.Is(err, errors.ErrUnsupported) {
			times, err = r.oneByOne(ctx, i)
		}
		if err != nil {
			return err
		}
		for j, d := range times {
			each(r.body.calls[i][j], d)
		}
	}
	return nil
}

// oneByOne times a sequence's calls from the host; what an empty submit takes is
// taken off.
func (r *program) oneByOne(ctx context.Context, sequence int) ([]time.Duration, error) {
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
	var times []time.Duration
	for _, c := range r.body.commands[sequence] {
		d, err := timed([]driver.Command{c})
		if err != nil {
			return nil, err
		}
		times = append(times, max(0, d-idle))
	}
	return times, nil
}
