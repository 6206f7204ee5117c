package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// load runs the load and prints what came of it.
func (l *lab) load(ctx context.Context, o options) error {
	kinds, err := makeKinds(ctx, l.pack, 40)
	if err != nil {
		return err
	}
	s, err := l.start()
	if err != nil {
		return err
	}
	defer s.Kill()
	before, err := s.held()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.span)
	defer cancel()
	memory := s.Watch(ctx, max(o.span/600, 50*time.Millisecond))
	start := time.Now()
	t := (&load{s: s, clients: o.clients, kinds: kinds, bad: badRequests(), badPart: 0.05, cancel: 0.05}).run(ctx)
	took := time.Since(start).Seconds()
	fmt.Printf("%d clients for %.0f s: %d answers right, %d wrong, %d bad requests refused, %d cancelled, %d times full\n",
		o.clients, took, t.right, len(t.wrong), t.refused, t.cancelled, t.full)
	fmt.Printf("%.1f answers/s, %.2f million pixels × steps/s\n", float64(t.right)/took, t.walked/took/1e6)
	for _, q := range []struct {
		name   string
		values []float64
	}{{"in the queue", t.queue}, {"request", t.request}} {
		fmt.Printf("%s: p50 %.0f ms, p99 %.0f ms, most %.0f ms\n", q.name, 1e3*quantile(q.values, 0.5), 1e3*quantile(q.values, 0.99), 1e3*quantile(q.values, 1))
	}
	middle, last := memory.Part(0.34, 0.67), memory.Part(0.67, 1)
	fmt.Printf("memory, MiB: median of the second third %.0f, of the last %.0f, peak %.0f\n", middle, last, memory.Peak())
	return errors.Join(t.check(), flat(o.span, middle, last), s.settled(before), s.end())
}

func (t tally) check() error {
	if len(t.wrong) > 0 {
		return fmt.Errorf("%d answers are wrong, such as\n%s", len(t.wrong), strings.Join(t.wrong[:min(len(t.wrong), 10)], "\n"))
	}
	if t.right == 0 {
		return errors.New("nothing was answered")
	}
	return nil
}

// flat tells whether memory stays as it is; in less than a minute it does not yet.
func flat(span time.Duration, middle, last float64) error {
	if span >= time.Minute && last > 1.1*middle+8 {
		return fmt.Errorf("memory grows from %.0f to %.0f MiB", middle, last)
	}
	return nil
}

// held is what a service holds at a time.
type held struct{ queued, goroutines, files float64 }

func (s *service) held() (h held, err error) {
	ctx := context.Background()
	if h.queued, err = s.metric(ctx, "i2sb_queue_length"); err == nil {
		h.goroutines, err = s.metric(ctx, "go_goroutines")
	}
	h.files = float64(s.Files())
	return h, err
}

// settled tells whether nothing is left of all requests: the queue is empty,
// and there are no more goroutines, files and connections than before but for
// the few that one request needs.
func (s *service) settled(before held) error {
	var h held
	for range 300 {
		s.client.CloseIdleConnections()
		var err error
		if h, err = s.held(); err != nil {
			return err
		}
		if h.queued == 0 && h.goroutines <= before.goroutines+8 && h.files <= before.files+4 {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("before there were %+v, and %+v are left", before, h)
}

// attack runs each attack for a while, beside four clients who must be
// answered rightly, and within the bound.
func (l *lab) attack(ctx context.Context, o options) error {
	kinds, err := makeKinds(ctx, l.pack, 8)
	if err != nil {
		return err
	}
	// A limit on bytes and pixels, from which the bound on memory follows.
	s, err := l.start("--max-bytes", fmt.Sprint(4<<20), "--max-pixels", fmt.Sprint(1<<20))
	if err != nil {
		return err
	}
	defer s.Kill()
	before, err := s.held()
	if err != nil {
		return err
	}
	var all error
	for _, a := range attacks(o.connections) {
		during, cancel := context.WithTimeout(ctx, o.span)
		memory := s.Watch(during, 50*time.Millisecond)
		ended := make(chan error, 1)
		go func() { ended <- a.run(during, s) }()
		t := (&load{s: s, clients: 4, kinds: kinds}).run(during)
		err := <-ended
		cancel()
		fmt.Printf("%-12s others: %d answers right, %d wrong, p50 %.0f ms, p99 %.0f ms, most %.0f ms; memory at most %.0f MiB\n", a.name, t.right, len(t.wrong),
			1e3*quantile(t.request, 0.5), 1e3*quantile(t.request, 0.99), 1e3*quantile(t.request, 1), memory.Peak())
		if len(t.wrong) > 0 {
			err = errors.Join(err, fmt.Errorf("%d wrong answers, such as %s", len(t.wrong), t.wrong[0]))
		}
		if most := quantile(t.request, 1); t.right == 0 || most > o.bound.Seconds() {
			err = errors.Join(err, fmt.Errorf("others had %d answers, and waited up to %.1f s", t.right, most))
		}
		if most := memory.Peak(); most > memoryBound {
			err = errors.Join(err, fmt.Errorf("memory reached %.0f MiB", most))
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	return errors.Join(all, s.settled(before), s.end())
}

// memoryBound in MiB: bodies and answers may take eight times the largest body
// each, the two pictures at work some tens of bytes a pixel, connections and
// Go's collector the rest.
const memoryBound = 2*8*4 + 2*60 + 160
