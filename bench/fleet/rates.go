package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/i2sb-go/i2sb/fleet"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// scale compares two workers, each tied to a processor, with one.
func (l *lab) scale(ctx context.Context, o options) error {
	var one, two float64
	for _, processors := range []int{1, 2} {
		rate, err := l.workersRate(ctx, processors, o.span)
		if err != nil {
			return err
		}
		fmt.Printf("%d workers on %d processors: %.2f pictures/s\n", processors, processors, rate)
		one, two = two, rate
	}
	fmt.Printf("%.2f times one worker\n", two/one)
	return nil
}

// workersRate is how many pictures a second workers restore, each on a
// processor of its own, while the queue is never empty.
func (l *lab) workersRate(ctx context.Context, workers int, span time.Duration) (float64, error) {
	port, err := freePort()
	if err != nil {
		return 0, err
	}
	l.store = fmt.Sprintf("nats-%d", workers)
	server, err := l.nats(port)
	if err != nil {
		return 0, err
	}
	defer server.Kill()
	url := fmt.Sprintf("nats://127.0.0.1:%d", port)
	q, err := fleet.Open(ctx, url, fleet.Options{})
	if err != nil {
		return 0, err
	}
	defer q.Close()
	in := make([]fleet.Input, 400)
	for i := range in {
		in[i].From = filepath.Join(l.dir, fmt.Sprintf("scale-%d.png", i))
		if err := os.WriteFile(in[i].From, keepertest.PNG(96, 96, float64(i)), 0o666); err != nil {
			return 0, err
		}
	}
	if _, err := (&fleet.Submit{Parameters: fleet.Parameters{Task: "jpeg"}}).Run(ctx, q, in, false); err != nil {
		return 0, err
	}
	for i := range workers {
		p, err := l.start("working", "taskset", "-c", strconv.Itoa(i), l.program, "worker", "--pack", l.file, "--device", "cpu", "--threads", "1", "--nats", url)
		if err != nil {
			return 0, err
		}
		defer p.Kill()
	}
	return doneRate(ctx, q, span)
}

// doneRate is how many jobs a second are done, from the first that is seen
// done until the time is over.
func doneRate(ctx context.Context, q *fleet.Queue, span time.Duration) (float64, error) {
	var first, last uint64
	var start, at time.Time
	for start.IsZero() || time.Since(start) < span {
		c, err := q.Counts(ctx)
		if err != nil {
			return 0, err
		}
		if c.Waiting == 0 {
			break
		}
		if c.Done > last {
			last, at = c.Done, time.Now()
		}
		if start.IsZero() && last > 0 {
			first, start = last, at
		}
		time.Sleep(10 * time.Millisecond)
	}
	if last == first {
		return 0, fmt.Errorf("too little was done: %d jobs", last)
	}
	return float64(last-first) / at.Sub(start).Seconds(), nil
}

// nothing is an engine that gives pictures back as they came.
type nothing struct{}

func (nothing) Run(_ string, group ...*keeper.Job) {
	for _, j := range group {
		j.Out, j.Result = j.Picture, &runtime.Result{Task: "jpeg", Sampler: "posterior", Steps: 1}
	}
}

// queue measures what the queue itself carries: plain messages, and jobs whose
// restoration takes no time.
func (l *lab) queue(ctx context.Context, o options) error {
	url, stop, err := fleet.Embedded("127.0.0.1", -1, filepath.Join(l.dir, "embedded"))
	if err != nil {
		return err
	}
	defer stop()
	q, err := fleet.Open(ctx, url, fleet.Options{})
	if err != nil {
		return err
	}
	defer q.Close()
	if err := messages(ctx, url, o.jobs); err != nil {
		return err
	}
	in := make([]fleet.Input, o.jobs)
	for i := range in {
		in[i].From = filepath.Join(l.dir, fmt.Sprintf("queue-%d.png", i))
		if err := os.WriteFile(in[i].From, photo(i), 0o666); err != nil {
			return err
		}
	}
	for i, workers := range []int{1, 4, 16} {
		start := time.Now()
		if _, err := (&fleet.Submit{Parameters: fleet.Parameters{Seed: uint64(i)}}).Run(ctx, q, in, false); err != nil {
			return err
		}
		submitted := float64(o.jobs) / time.Since(start).Seconds()
		rate, err := carried(ctx, url, workers, o.jobs*(i+1))
		if err != nil {
			return err
		}
		fmt.Printf("%d workers that do nothing: %.0f jobs/s done; %.0f jobs/s submitted\n", workers, rate, submitted)
	}
	return nil
}

// carried is how many jobs a second workers of this process do until all are done.
func carried(ctx context.Context, url string, workers, all int) (float64, error) {
	pack, err := keepertest.MakePack()
	if err != nil {
		return 0, err
	}
	model, err := keeper.Read(ctx, "tiny", runtime.Bytes("tiny", pack))
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var over sync.WaitGroup
	defer over.Wait()
	defer cancel()
	q, err := fleet.Open(ctx, url, fleet.Options{})
	if err != nil {
		return 0, err
	}
	defer q.Close()
	before, err := q.Counts(ctx)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	for i := range workers {
		own, err := fleet.Open(ctx, url, fleet.Options{})
		if err != nil {
			return 0, err
		}
		over.Go(func() {
			defer own.Close()
			_ = (&fleet.Worker{Name: fmt.Sprint(i), Engine: nothing{}, Models: []keeper.Model{model}}).Run(ctx, own)
		})
	}
	for {
		c, err := q.Counts(ctx)
		if err != nil {
			return 0, err
		}
		if c.Done == uint64(all) {
			return float64(c.Done-before.Done) / time.Since(start).Seconds(), nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// messages measures a stream as the jobs' is: small messages written to a file
// and acknowledged, then taken and acknowledged.
func messages(ctx context.Context, url string, n int) error {
	conn, js, err := connect(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	s, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "BENCH", Subjects: []string{"bench.*"}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage})
	if err != nil {
		return err
	}
	defer func() { _ = js.DeleteStream(context.WithoutCancel(ctx), "BENCH") }()
	body := make([]byte, 300) // a job's size
	start := time.Now()
	for range n {
		if _, err := js.PublishAsync("bench.x", body); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		return ctx.Err()
	}
	in := float64(n) / time.Since(start).Seconds()
	c, err := s.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: "all", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 256})
	if err != nil {
		return err
	}
	start = time.Now()
	all, err := c.Messages()
	if err != nil {
		return err
	}
	defer all.Stop()
	for range n {
		m, err := all.Next()
		if err != nil {
			return err
		}
		if err := m.Ack(); err != nil {
			return err
		}
	}
	fmt.Printf("messages of %d bytes: %.0f/s in, %.0f/s out\n", len(body), in, float64(n)/time.Since(start).Seconds())
	return nil
}
