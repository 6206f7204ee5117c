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
// client with most jobs in it loses its last one to a client with fewer. Full
// is a queue of so many jobs, or of so much work that a newcomer would wait too
// long.
type queue struct {
	limit    int           // jobs
	patience time.Duration // for which a newcomer may be expected to wait; 0: for ever
	pixels   int64         // of a group
	engines  int

	mu      sync.Mutex
	changed sync.Cond
	n       int
	cost    float64 // of all jobs
	clients map[string]*line
	clock   float64 // virtual time: what the client served last had been given
	closed  bool
	took    float64 // seconds of devices of late, and the jobs' cost: older ones count less
	worth   float64
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

func newQueue(limit int, pixels int64, engines int, patience time.Duration) *queue {
	q := &queue{limit: limit, patience: patience, pixels: pixels, engines: engines, clients: map[string]*line{}}
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
	if q.n >= q.limit || q.patience > 0 && q.wait() > q.patience {
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
	q.cost += j.cost
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
	q.cost -= j.cost
	if q.n--; q.n == 0 {
		q.cost = 0
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

// served tells how long a device took for a job.
func (q *queue) served(cost float64, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.took += d.Seconds() - q.took/16
	q.worth += cost - q.worth/16
}

// wait is how long a newcomer would wait, by what work has taken of late.
func (q *queue) wait() time.Duration {
	if q.worth == 0 {
		return 0
	}
	return time.Duration(q.took / q.worth * q.cost / float64(q.engines) * float64(time.Second))
}

// length is how many wait, and how long a newcomer would.
func (q *queue) length() (n int, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n, q.wait()
}

// close lets pop end after the last job.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}
