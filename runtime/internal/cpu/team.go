package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/i2sb-go/i2sb/runtime/internal/cpu/kernels"
)

// A team is the threads that run one set of kernels, for all models of the
// process: a fixed number that grows to the largest asked for. They are the
// set's own or goroutines, and wait for a loop for a moment before they sleep,
// since a network is a hundred short loops.
type team struct {
	set     kernels.Set
	sharer  kernels.Sharer // hands out the loops in the goroutines' place; or nil
	running sync.Mutex     // one loop at a time
	members []*member      // the first is whoever calls
	scratch []int64        // of the members, for the sharer
	users   int            // open devices
}

// member is one goroutine's kernels, scratch and mailbox.
type member struct {
	kernels.Thread
	scratch kernels.Memory
	loop    atomic.Pointer[loop]
	asleep  atomic.Bool
	wake    chan struct{}
}

// loop is a kernel's items, handed out by index: what is computed does not
// depend on how many goroutines there are. It ends when every item is done.
type loop struct {
	kernel  kernels.Kernel
	args    int64
	n, step int64
	next    atomic.Int64
	left    atomic.Int64
	end     chan struct{}
}

var (
	teamsMu sync.Mutex
	teams   = map[kernels.Set]*team{}
)

// join returns the team of a set; leave is called when a device is closed.
func join(s kernels.Set) *team {
	teamsMu.Lock()
	defer teamsMu.Unlock()
	t := teams[s]
	if t == nil {
		t = &team{set: s}
		t.sharer, _ = s.(kernels.Sharer)
		teams[s] = t
	}
	t.users++
	return t
}

// leave ends the goroutines when no device needs them.
func (t *team) leave() {
	teamsMu.Lock()
	defer teamsMu.Unlock()
	if t.users--; t.users > 0 {
		return
	}
	t.running.Lock()
	defer t.running.Unlock()
	for i, m := range t.members {
		if i > 0 && t.sharer == nil {
			m.give(nil)
		} else {
			m.close(t.set)
		}
	}
	t.members = nil
	delete(teams, t.set)
}

func (m *member) close(s kernels.Set) {
	s.Free(m.scratch)
	m.Close()
}

// threads is how many threads a device that asked for n may use now.
func (t *team) threads(n int) int {
	most := runtime.GOMAXPROCS(0)
	if t.sharer != nil {
		most = t.sharer.Threads()
	}
	if n <= 0 || n > most {
		return most
	}
	return n
}

// prepare makes the team at least n strong, each with scratch bytes.
func (t *team) prepare(n int, scratch int64) error {
	t.running.Lock()
	defer t.running.Unlock()
	for len(t.members) < n {
		th, err := t.set.Thread()
		if err != nil {
			return err
		}
		m := &member{Thread: th, wake: make(chan struct{}, 1)}
		if len(t.members) > 0 && t.sharer == nil {
			go m.work(t.set)
		}
		t.members = append(t.members, m)
	}
	for _, m := range t.members {
		if int64(len(m.scratch.Bytes)) >= scratch {
			continue
		}
		t.set.Free(m.scratch)
		var err error
		if m.scratch, err = t.set.Alloc(scratch); err != nil {
			return err
		}
	}
	t.scratch = t.scratch[:0]
	for _, m := range t.members {
		t.scratch = append(t.scratch, m.scratch.Addr)
	}
	return nil
}

// run computes n items of a kernel on up to threads goroutines.
func (t *team) run(threads int, k kernels.Kernel, args int64, n int) {
	t.running.Lock()
	defer t.running.Unlock()
	threads = min(threads, n, len(t.members))
	if threads <= 1 {
		t.members[0].Run(k, args, 0, n, t.members[0].scratch.Addr)
		return
	}
	if t.sharer != nil {
		t.sharer.Share(k, args, n, t.scratch[:threads])
		return
	}
	step := max(1, n/(8*threads))
	l := &loop{kernel: k, args: args, n: int64(n), step: int64(step), end: make(chan struct{}, 1)}
	l.left.Store(l.n)
	for _, m := range t.members[1:threads] {
		m.give(l)
	}
	t.members[0].take(l)
	for i := 0; l.left.Load() > 0; i++ {
		if i >= patience {
			<-l.end
			return
		}
		pause(i)
	}
}

// patience is how often a goroutine looks before it sleeps: some tens of µs.
const patience = 200

func pause(i int) {
	if i%16 == 15 {
		runtime.Gosched()
		return
	}
	start := time.Now()
	for time.Since(start) < 200*time.Nanosecond {
	}
}

// take computes items until there are none left.
func (m *member) take(l *loop) {
	for {
		from := l.next.Add(l.step) - l.step
		if from >= l.n {
			return
		}
		to := min(from+l.step, l.n)
		m.Run(l.kernel, l.args, int(from), int(to), m.scratch.Addr)
		if l.left.Add(from-to) == 0 {
			l.end <- struct{}{}
		}
	}
}

// dismissed tells a member to end.
var dismissed = new(loop)

// give hands a loop to a member; nil ends it.
func (m *member) give(l *loop) {
	if l == nil {
		l = dismissed
	}
	m.loop.Store(l)
	if m.asleep.Swap(false) {
		m.wake <- struct{}{}
	}
}

// work is a member's goroutine.
func (m *member) work(s kernels.Set) {
	var last *loop
	for i := 0; ; i++ {
		if l := m.loop.Load(); l != last {
			if l == dismissed {
				m.close(s)
				return
			}
			m.take(l)
			last, i = l, 0
			continue
		}
		if i < patience {
			pause(i)
			continue
		}
		m.asleep.Store(true)
		if m.loop.Load() != last && m.asleep.Swap(false) {
			continue // a loop came just then
		}
		<-m.wake
		i = 0
	}
}
