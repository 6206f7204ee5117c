package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// leftAfter is the age from which a result without a record, a part of an
// object, or a temporary file is what somebody left who was killed. A worker
// that lives writes the record within minutes of the result: patient sees to that.
const leftAfter = time.Hour

// sweep sweeps the stores, at the beginning and every hour, as long as the
// context lasts; of all workers one does it.
func (w *Worker) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		if _, err := w.q.leases.Create(ctx, "sweep", []byte(w.Name)); err == nil {
			n, err := w.q.Sweep(ctx, leftAfter)
			if n > 0 || err != nil && ctx.Err() == nil {
				w.Log.Info("swept what killed workers and submitters left", "objects", n, "error", err)
			}
		}
		sleep(ctx, leftAfter+time.Minute)
	}
}

// Sweep deletes results that no record names, and parts of objects whose
// writer did not come to their end, once they are as old as age. It returns
// how many. The age must be more than a worker takes between a result and its
// record, 70 s where the way to the server fails all the while.
func (q *Queue) Sweep(ctx context.Context, age time.Duration) (n int, err error) {
	for _, store := range []string{inputs, results} {
		parts, err := q.sweepParts(ctx, store, age)
		n += parts
		if err != nil {
			return n, err
		}
	}
	all, err := q.results.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return n, err
	}
	for _, o := range all {
		if time.Since(o.ModTime) < age {
			continue
		}
		id, _, _ := strings.Cut(o.Name, ".")
		r, err := q.record(ctx, id)
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return n, fmt.Errorf("record of %.16s: %w", id, err)
		}
		if err == nil && r.Object == o.Name {
			continue
		}
		if err := q.results.Delete(ctx, o.Name); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// sweepParts deletes chunks that no object names. They are looked for first:
// an object that is finished meanwhile is then among the objects.
func (q *Queue) sweepParts(ctx context.Context, store string, age time.Duration) (n int, err error) {
	chunks := "$O." + store + ".C."
	s, err := q.js.Stream(ctx, "OBJ_"+store)
	if err != nil {
		return 0, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(chunks+">"))
	if err != nil {
		return 0, err
	}
	to := q.results
	if store == inputs {
		to = q.inputs
	}
	all, err := to.List(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoObjectsFound) {
		return 0, err
	}
	for _, o := range all {
		delete(info.State.Subjects, chunks+o.NUID)
	}
	for subject := range info.State.Subjects {
		m, err := s.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // deleted with its object
		}
		if err != nil {
			return n, err
		}
		if time.Since(m.Time) < age {
			continue
		}
		if err := s.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
