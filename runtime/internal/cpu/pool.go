package cpu

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool runs loops on a fixed set of goroutines, which sleep between loops.
// Work is handed out by index, so what is computed does not depend on how many
// goroutines there are.
type pool struct {
	threads int
	loops   chan *loop
	once    sync.Once
}

// loop is one call of each. It ends when every index is done, not when every
// goroutine has seen it: one that comes late finds nothing left.
type loop struct {
	n, next, done atomic.Int64
	body          func(i int)
	end           chan struct{}
}

func newPool(threads int) *pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &pool{threads: threads, loops: make(chan *loop, 4*threads)}
	for range threads - 1 {
		go func() {
			for l := range p.loops {
				l.run()
			}
		}()
	}
	return p
}

func (l *loop) run() {
	n := l.n.Load()
	for i := l.next.Add(1) - 1; i < n; i = l.next.Add(1) - 1 {
		l.body(int(i))
		if l.done.Add(1) == n {
			close(l.end)
		}
	}
}

// each calls body for 0 … n-1, on the caller's goroutine and on all that are
// free, and returns when all calls have.
func (p *pool) each(n int, body func(i int)) {
	if n == 0 {
		return
	}
	l := &loop{body: body, end: make(chan struct{})}
	l.n.Store(int64(n))
	for range min(p.threads, n) - 1 {
		select {
		case p.loops <- l:
		default: // every goroutine has work enough
		}
	}
	l.run()
	<-l.end
}

func (p *pool) close() { p.once.Do(func() { close(p.loops) }) }
