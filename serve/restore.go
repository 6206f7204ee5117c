package serve

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// restore answers POST /v1/restore.
func (s *Server) restore(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	defer func() { s.c.Metrics.request.Observe(since(start)) }()
	if s.ending.Load() {
		s.fail(w, r, ending())
		return
	}
	q, p := s.parse(r.URL.RawQuery)
	if p != nil {
		s.fail(w, r, p)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), q.deadline)
	defer cancel()
	b, err := s.read(w, r, q)
	if err != nil {
		s.fail(w, r, problemOf(ctx, err))
		return
	}
	j := s.newJob(ctx, exchangeOf(ctx).client, q, b)
	s.note(j)
	if wantsEvents(r.Header.Get("Accept")) {
		s.stream(w, r, j)
		return
	}
	if err := s.admit(j); err != nil {
		s.fail(w, r, problemOf(ctx, err))
		return
	}
	if err := s.wait(j); err != nil {
		s.fail(w, r, problemOf(ctx, err))
		return
	}
	s.noteResult(j)
	s.send(w, r, j)
}

// admit puts a job into the queue.
func (s *Server) admit(j *job) error {
	gone, err := s.queue.push(j)
	if gone != nil {
		gone.finish(s.full("a client with fewer pictures came"))
	}
	if err != nil {
		j.body.room.end()
	}
	if errors.Is(err, errFull) {
		n, wait := s.queue.length()
		return s.full("%d pictures wait, for about %.0f s", n, wait.Seconds())
	}
	return err
}

// full is the answer when there is no place, with the time after which there
// should be one.
func (s *Server) full(detail string, args ...any) *Problem {
	p := problem("queue-full", detail, args...)
	_, p.retry = s.queue.length()
	p.retry = max(p.retry, time.Second)
	return p
}

// wait waits for a job's end. One whose client went away, or whose time is
// over, leaves its place at once.
func (s *Server) wait(j *job) error {
	select {
	case <-j.done:
		return j.err
	case <-j.ctx.Done():
	}
	s.leave(j)
	return j.ctx.Err()
}

// leave gives a waiting job's place to others; one that runs ends with its
// context.
func (s *Server) leave(j *job) {
	if s.queue.remove(j) {
		j.body.room.end()
	}
}

func (s *Server) note(j *job) {
	x, q := exchangeOf(j.ctx), j.request
	x.attrs = append(x.attrs, slog.String("model", q.model.Name), slog.String("task", q.settings.Task), slog.Int("steps", q.settings.Steps),
		slog.Int("width", j.body.w), slog.Int("height", j.body.h), slog.Int64("received", j.body.room.moved.Load()))
	trace.SpanFromContext(j.ctx).SetAttributes(attribute.String("i2sb.model", q.model.Name), attribute.String("i2sb.task", q.settings.Task),
		attribute.Int("i2sb.steps", q.settings.Steps), attribute.Int("i2sb.width", j.body.w), attribute.Int("i2sb.height", j.body.h))
}

func (s *Server) noteResult(j *job) {
	x := exchangeOf(j.ctx)
	x.attrs = append(x.attrs, slog.Duration("queued", j.begun.Sub(j.entered)), slog.Duration("restored", j.answer.result.Elapsed),
		slog.String("device", j.answer.device))
}
