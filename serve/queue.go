package serve

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// queue holds jobs that wait for a device. It is fair by work: the client
// whose pictures have cost least comes first, and when the queue is full the
// client with most jobs in it loses its last one to a client with fewer.
type queue struct {
	limit  int   // jobs
	pixels int64 // of a group

	mu      sync.Mutex
	changed sync.Cond
	n       int
	clients map[string]*line
	clock   float64 // virtual time: what the client served last had been given
	closed  bool
	service time.Duration // moving mean of the device's time for a job
}

// line is one client's jobs, the oldest first; there may be none.
type line struct {
	jobs  []*job
	given float64 // virtual time
}

var (
	errFull   = errors.New("the queue is full")
	errClosed = errors.New("the queue is closed")
)

func newQueue(limit int, pixels int64) *queue {
	q := &queue{limit: limit, pixels: pixels, clients: map[string]*line{}, service: time.Second}
	q.changed.L = &q.mu
	return q
}

// push adds a job. The job that had to give way for it, if one had to, is
// returned.
func (q *queue) push(j *job) (gone *job, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, errClosed
	}
	l := q.clients[j.client]
	if q.n >= q.limit {
		if gone = q.makeRoom(l); gone == nil {
			return nil, errFull
		}
	}
	if l == nil {
		l = &line{given: q.clock}
		q.clients[j.client] = l
	}
	l.jobs = append(l.jobs, j)
	q.n++
	q.changed.Broadcast()
	return gone, nil
}

// makeRoom takes the last job of the longest line if that line stays at least
// as long as the newcomer's becomes.
func (q *queue) makeRoom(newcomer *line) *job {
	have := 0
	if newcomer != nil {
		have = len(newcomer.jobs)
	}
	var longest *line
	for _, l := range q.clients {
		if longest == nil || len(l.jobs) > len(longest.jobs) {
			longest = l
		}
	}
	if longest == nil || len(longest.jobs) <= have+1 {
		return nil
	}
	last := longest.jobs[len(longest.jobs)-1]
	q.take(last)
	return last
}

// take removes a job and tells whether it waited. What an empty line was given counts until
// the others have been given as much.
func (q *queue) take(j *job) bool {
	l := q.clients[j.client]
	if l == nil {
		return false
	}
	i := slices.Index(l.jobs, j)
	if i < 0 {
		return false
	}
	l.jobs = slices.Delete(l.jobs, i, i+1)
	if q.n--; q.n == 0 {
		clear(q.clients)
	}
	return true
}

// remove takes out a job that nobody waits for any more, and tells whether it
// was still there.
func (q *queue) remove(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.take(j)
}

// pop waits for the job that is next, and takes up to most-1 others of its
// shape with it, waiting a little for them. It returns nil once the queue is
// closed and empty.
func (q *queue) pop(most int, wait time.Duration) []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for q.n == 0 {
			if q.closed {
				return nil
			}
			q.changed.Wait()
		}
		if most > 1 && q.n < most && !q.closed {
			q.mu.Unlock()
			time.Sleep(wait)
			q.mu.Lock()
		}
		var group []*job
		for len(group) < most {
			j := q.next(group)
			if j == nil {
				break
			}
			l := q.clients[j.client]
			q.clock = max(q.clock, l.given)
			l.given += j.cost
			q.take(j)
			group = append(group, j)
		}
		maps.DeleteFunc(q.clients, func(_ string, l *line) bool { return len(l.jobs) == 0 && l.given <= q.clock })
		if group != nil { // else another lane was faster, or it was cancelled
			return group
		}
	}
}

// next is the first job of the client who was given least; with a group, the
// first of the group's shape that the group has room for.
func (q *queue) next(group []*job) *job {
	var best *line
	for _, l := range q.clients {
		if len(l.jobs) == 0 {
			continue
		}
		j := l.jobs[0]
		if len(group) > 0 && (j.shape != group[0].shape || int64(len(group)+1)*j.shape.pixels() > q.pixels) {
			continue
		}
		if best == nil || l.given < best.given || l.given == best.given && j.entered.Before(best.jobs[0].entered) {
			best = l
		}
	}
	if best == nil {
		return nil
	}
	return best.jobs[0]
}

// served tells how long the device took for a job.
func (q *queue) served(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.service += (d - q.service) / 8
}

// length is how many wait; wait is how long a newcomer would, by what jobs have
// taken so far.
func (q *queue) length(engines int) (n int, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n, q.service * time.Duration(q.n) / time.Duration(engines)
}

// close lets pop end after the last job.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}
