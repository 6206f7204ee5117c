package serve

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// lanes for each engine: one has the device while another decodes or encodes.
const lanes = 2

// batchWait is how long a lane waits for pictures of equal size.
const batchWait = 3 * time.Millisecond

// job is a request that was admitted.
type job struct {
	ctx     context.Context // ends with the client, the deadline or the server
	client  string
	request *request
	body    *body
	shape   shape
	cost    float64 // pixels that the network sees
	entered time.Time
	watch   func(runtime.Step) // told of every step; may be nil

	begun   time.Time // the device was free for it
	decoded time.Duration
	encoded time.Duration
	answer  *answer
	err     error
	done    chan struct{} // closed when answer or err is set
}

// shape is what pictures must share to be restored together.
type shape struct {
	model, task string
	w, h, steps int
}

func (s shape) pixels() int64 { return int64(s.w) * int64(s.h) }

// answer is a result as it is sent.
type answer struct {
	bytes  []byte
	result *runtime.Result
	device string
	lossy  string
	w, h   int
}

func (s *Server) newJob(ctx context.Context, client string, q *request, b *body) *job {
	j := &job{ctx: ctx, client: client, request: q, body: b, entered: time.Now(), done: make(chan struct{}),
		shape: shape{q.model.Name, q.settings.Task, b.w, b.h, q.settings.Steps}}
	j.cost = float64(j.shape.pixels()) * float64(q.settings.Steps)
	if runtime.Family(q.settings.Task) == "sr4x" {
		j.cost *= 16
	}
	return j
}

// finish ends a job, with j.answer or an error.
func (j *job) finish(err error) {
	j.err = err
	j.body.room.end()
	close(j.done)
}

// lane takes jobs from the queue until it is closed.
func (s *Server) lane(e Engine) {
	defer s.running.Done()
	for {
		group := s.queue.pop(s.c.Batch, batchWait)
		if group == nil {
			return
		}
		s.c.Metrics.batch.Observe(float64(len(group)))
		s.run(e, group)
	}
}

// run restores a group of one shape.
func (s *Server) run(e Engine, group []*job) {
	var work []*keeper.Job
	var encoding sync.WaitGroup
	for _, j := range group {
		k, err := s.prepare(e, j)
		if err != nil {
			j.finish(err)
			continue
		}
		k.End = func() { encoding.Go(func() { s.encode(e, j, k) }) }
		work = append(work, k)
	}
	if len(work) > 0 {
		e.Run(group[0].shape.model, work...)
	}
	encoding.Wait()
}

// prepare decodes a picture and makes the engine's job of it.
func (s *Server) prepare(e Engine, j *job) (k *keeper.Job, err error) {
	defer guard(&err)
	if j.ctx.Err() != nil {
		return nil, j.ctx.Err()
	}
	_, span := s.tracer.Start(j.ctx, "decode")
	defer span.End()
	start := time.Now()
	p, mask, err := j.body.decode(s.c.MaxPixels)
	if err != nil {
		return nil, err
	}
	j.body.image, j.body.mask = nil, nil
	j.decoded = time.Since(start)
	options := slices.Clone(j.request.options)
	if mask != nil {
		options = append(options, runtime.WithMask(mask))
	}
	steps := s.c.Metrics.step.WithLabelValues(j.shape.model)
	var last time.Time
	options = append(options, runtime.WithStep(func(step runtime.Step) error {
		steps.Observe(since(last))
		if j.watch != nil {
			j.watch(step)
		}
		last = time.Now()
		return nil
	}))
	return &keeper.Job{Context: j.ctx, Picture: p, Options: options, Begin: func() {
		j.begun = time.Now()
		last = j.begun
		s.c.Metrics.waiting.Observe(j.begun.Sub(j.entered).Seconds())
	}}, nil
}

// encode makes the answer of a result. The device works on the next picture
// meanwhile.
func (s *Server) encode(e Engine, j *job, k *keeper.Job) {
	err := k.Err
	defer func() { j.finish(err) }()
	defer guard(&err)
	if err != nil {
		return
	}
	s.queue.served(j.cost, k.Result.Elapsed)
	s.c.Metrics.restore.WithLabelValues(j.shape.model).Observe(k.Result.Elapsed.Seconds())
	s.c.Metrics.pixels.Add(float64(k.Out.Image.W * k.Out.Image.H))
	_, span := s.tracer.Start(j.ctx, "queue", trace.WithTimestamp(j.entered))
	span.End(trace.WithTimestamp(j.begun))
	_, span = s.tracer.Start(j.ctx, "restore", trace.WithTimestamp(j.begun))
	span.End()
	_, span = s.tracer.Start(j.ctx, "encode")
	defer span.End()
	start := time.Now()
	r := k.Result
	k.Out.Text = map[string]string{"Software": "i2sb-run", "task": j.request.settings.Task, "sampler": r.Sampler, "steps": strconv.Itoa(r.Steps),
		"seed": strconv.FormatUint(r.Seed, 10), "pack": j.request.model.Header.ID()}
	var b bytes.Buffer
	if err = picture.EncodeQuickly(&b, k.Out, j.request.format, j.request.quality); err != nil {
		return
	}
	j.encoded = time.Since(start)
	j.answer = &answer{b.Bytes(), r, r.Device, k.Out.Lossy(j.request.format), k.Out.Image.W, k.Out.Image.H}
}

// guard turns a panic into an error: one picture must not end the others.
func guard(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
	}
}
