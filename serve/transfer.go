package serve

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// pace is how fast clients must send and read in the mean, after a grace, or
// they are cut off.
type pace struct {
	rate  int64 // bytes a second
	grace time.Duration
}

var usualPace = pace{32 << 10, 10 * time.Second}

// due is when a transfer that began at start must have moved on from n bytes.
func (p pace) due(start time.Time, n int64) time.Time {
	return start.Add(p.grace + time.Duration(float64(n)/float64(p.rate)*float64(time.Second)))
}

// transfers bounds the bytes that are held for clients who send or read. When
// they are used up, the slowest client is cut off for the next one.
type transfers struct {
	pace  pace
	room  *semaphore.Weighted
	most  int64
	quick float64 // bytes a second from which nobody is cut off; 0: anybody may be

	mu     sync.Mutex
	moving map[*transfer]bool
}

// transfer is one body or answer.
type transfer struct {
	of    *transfers
	room  int64
	start time.Time
	cut   func() // ends the client's sending or reading
	moved atomic.Int64
	slow  atomic.Bool // it was cut off
	ended bool
}

var errBusy = errors.New("no room for this transfer")

func newTransfers(most int64, quick float64) *transfers {
	return &transfers{pace: usualPace, room: semaphore.NewWeighted(most), most: most, quick: quick, moving: map[*transfer]bool{}}
}

// begin waits a while for room.
func (t *transfers) begin(ctx context.Context, bytes int64, wait time.Duration, cut func()) (*transfer, error) {
	x := &transfer{of: t, room: min(max(bytes, 1), t.most), cut: cut}
	if !t.room.TryAcquire(x.room) {
		for until := time.Now().Add(wait); ; {
			t.cutSlowest()
			short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			err := t.room.Acquire(short, x.room)
			cancel()
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if time.Now().After(until) {
				return nil, errBusy
			}
		}
	}
	x.start = time.Now()
	t.mu.Lock()
	t.moving[x] = true
	t.mu.Unlock()
	return x, nil
}

// cutSlowest cuts off the slowest of those that have had a second.
func (t *transfers) cutSlowest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	var slowest *transfer
	var least float64
	for x := range t.moving {
		seconds := time.Since(x.start).Seconds()
		rate := float64(x.moved.Load()) / seconds
		if seconds > 1 && (t.quick == 0 || rate < t.quick) && (slowest == nil || rate < least) {
			slowest, least = x, rate
		}
	}
	if slowest != nil {
		delete(t.moving, slowest)
		slowest.slow.Store(true)
		slowest.cut()
	}
}

// arrived tells that all bytes have moved; they keep their room, and what was
// taken beyond them is given back.
func (x *transfer) arrived() {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	if !x.ended {
		x.shrink(max(1, x.moved.Load()))
	}
}

// end gives the room back; it may be called again.
func (x *transfer) end() {
	x.of.mu.Lock()
	defer x.of.mu.Unlock()
	if !x.ended {
		x.ended = true
		x.shrink(0)
	}
}

func (x *transfer) shrink(to int64) {
	delete(x.of.moving, x)
	if to < x.room {
		x.of.room.Release(x.room - to)
		x.room = to
	}
}
