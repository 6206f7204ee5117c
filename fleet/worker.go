package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Engine restores pictures; a keeper.Keeper is one.
type Engine interface {
	Run(model string, group ...*keeper.Job)
}

// Worker takes jobs from a queue. Its fields are set before Run.
type Worker struct {
	Name   string
	Engine Engine
	Models []keeper.Model // the first is the default

	MaxBytes  int64    // of a picture's file; 1 GiB
	MaxPixels int64    // 0: picture.Limits' default
	Files     *os.Root // where file: sources lie, or nil
	URLs      bool     // fetch http: and https: sources
	Log       *slog.Logger

	q *Queue
}

// Run takes jobs one after another until the context ends. The job at work is
// then given back to the queue.
func (w *Worker) Run(ctx context.Context, q *Queue) error {
	w.q = q
	if w.MaxBytes == 0 {
		w.MaxBytes = 1 << 30
	}
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	var sweeping sync.WaitGroup
	sweeping.Go(func() { w.sweep(ctx) })
	defer sweeping.Wait()
	for ctx.Err() == nil {
		m, err := q.next(ctx)
		switch {
		case err == nil:
			w.handle(ctx, m)
		case ctx.Err() == nil:
			w.Log.Warn("the queue does not answer", "error", err)
			sleep(ctx, time.Second)
		}
	}
	return nil
}

// next waits for a job.
func (q *Queue) next(ctx context.Context) (jetstream.Msg, error) {
	for ctx.Err() == nil {
		batch, err := q.jobs.Fetch(1, jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			return nil, err
		}
		for m := range batch.Messages() {
			return m, nil
		}
		if err := batch.Error(); err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// handle does one job, and tells the queue how it ended.
func (w *Worker) handle(ctx context.Context, m jetstream.Msg) {
	stop := w.heartbeat(m)
	defer stop()
	attempt := uint64(1)
	if meta, err := m.Metadata(); err == nil {
		attempt = meta.NumDelivered
	}
	var j Job
	err := json.Unmarshal(m.Data(), &j)
	if err == nil {
		err = j.check()
	}
	if err != nil {
		err = &poison{err}
	} else {
		err = w.do(ctx, j)
	}
	log := w.Log.With("job", fmt.Sprintf("%.16s", j.ID), "attempt", attempt)
	var p *poison
	switch {
	case err == nil:
		if err := m.Ack(); err != nil { // it will come again, and be found done
			log.Warn("the queue did not hear that it is done", "error", err)
		}
	case ctx.Err() != nil:
		_ = m.Nak()
	case errors.As(err, &p) || attempt >= uint64(w.q.o.Attempts):
		log.Error("given up", "error", err)
		w.bury(ctx, m, j, err, attempt)
	default:
		delay := min(time.Second<<min(attempt-1, 6), time.Minute)
		log.Warn("failed; it will be tried again", "error", err, "delay", delay)
		_ = m.NakWithDelay(delay)
	}
}

// heartbeat says that a job is at work until the function it returns is called.
func (w *Worker) heartbeat(m jetstream.Msg) (stop func()) {
	done := make(chan struct{})
	var over sync.WaitGroup
	over.Go(func() {
		t := time.NewTicker(w.q.o.Wait / 3)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				_ = m.InProgress() // if it cannot be told, the job comes to another, too
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		over.Wait()
	}
}

// bury writes a dead letter; the job leaves the queue only when it is written.
func (w *Worker) bury(ctx context.Context, m jetstream.Msg, j Job, reason error, attempt uint64) {
	raw := json.RawMessage(m.Data())
	if !json.Valid(raw) {
		raw, _ = json.Marshal(string(m.Data()))
	}
	name := j.ID
	if j.check() != nil {
		name = "unreadable"
		if meta, err := m.Metadata(); err == nil {
			name = fmt.Sprintf("unreadable-%d", meta.Sequence.Stream)
		}
	}
	b, err := json.Marshal(Dead{Job: raw, Reason: reason.Error(), Attempts: attempt, Worker: w.Name})
	if err == nil {
		err = patient(ctx, 0, func(ctx context.Context) error {
			_, err := w.q.js.Publish(ctx, deadSubject+name, b)
			return err
		})
	}
	if err != nil {
		w.Log.Error("the dead letter could not be written", "error", err)
		_ = m.NakWithDelay(time.Second)
		return
	}
	_ = m.TermWithReason(reason.Error())
}

// do restores a job's picture and writes its result, unless that is there.
func (w *Worker) do(ctx context.Context, j Job) error {
	if done, err := w.q.done(ctx, j.ID); done || err != nil {
		return err
	}
	model, err := w.model(j.Parameters.Model)
	if err != nil {
		return err
	}
	b, err := w.fetch(ctx, j)
	if err != nil {
		return err
	}
	p, err := picture.DecodeBytes(b, picture.Limits{Bytes: w.MaxBytes, Pixels: w.MaxPixels})
	if err != nil {
		return &poison{err}
	}
	k := &keeper.Job{Context: ctx, Picture: p, Options: j.Parameters.options()}
	w.Engine.Run(model.Name, k)
	if k.Err != nil {
		return hopeless(k.Err)
	}
	format, quality := j.Parameters.Format, j.Parameters.Quality
	if format == "" {
		format = "png"
	}
	if quality == 0 {
		quality = 95
	}
	r := k.Result
	pack := model.Header.ID()
	k.Out.Text = map[string]string{"Software": "i2sb-run", "task": r.Task, "sampler": r.Sampler, "steps": fmt.Sprint(r.Steps),
		"seed": fmt.Sprint(r.Seed), "pack": pack, "job": j.ID}
	var out bytes.Buffer
	if err := picture.Encode(&out, k.Out, format, quality); err != nil {
		return &poison{err}
	}
	return w.q.keep(ctx, j.ID, out.Bytes(), Record{Format: format, Pack: pack, Task: r.Task, Sampler: r.Sampler, Steps: r.Steps,
		Device: r.Device, Worker: w.Name, Seconds: r.Elapsed.Seconds()})
}

func (w *Worker) model(name string) (keeper.Model, error) {
	for i, m := range w.Models {
		if m.Name == name || name == "" && i == 0 {
			return m, nil
		}
	}
	return keeper.Model{}, poisonf("there is no model %q on worker %s", name, w.Name)
}

// hopeless marks errors that another attempt would meet again.
func hopeless(err error) error {
	var option *runtime.OptionError
	var task *runtime.TaskError
	var size *runtime.SizeError
	var format *picture.FormatError
	if errors.As(err, &option) || errors.As(err, &task) || errors.As(err, &size) || errors.As(err, &format) {
		return &poison{err}
	}
	return err
}

// keep writes a result and then its record; the first record stays. A result
// is never seen in part: nobody looks for it before its record is there.
func (q *Queue) keep(ctx context.Context, id string, result []byte, r Record) error {
	r.Object = id + "." + q.conn.NewRespInbox()[len("_INBOX."):] // another worker's result may be under way
	o, err := put(ctx, q.results, r.Object, result)
	if err != nil {
		return err
	}
	r.Digest, r.Bytes = o.Digest, o.Size
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	err = patient(ctx, 0, func(ctx context.Context) error {
		_, err := q.records.Create(ctx, id, b)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyExists) { // it was faster, or our own record arrived and its answer did not
		if first, e := q.record(ctx, id); e == nil && first.Object != r.Object {
			_ = q.results.Delete(ctx, r.Object)
		}
		return nil
	}
	return err
}

func (q *Queue) record(ctx context.Context, id string) (r Record, err error) {
	err = patient(ctx, 0, func(ctx context.Context) error {
		e, err := q.records.Get(ctx, id)
		if err != nil {
			return err
		}
		return json.Unmarshal(e.Value(), &r)
	})
	return r, err
}
