package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// load is many clients who ask for different things at once.
type load struct {
	s       *service
	clients int
	kinds   []*kind
	bad     []bad
	badPart float64 // of the requests
	cancel  float64 // part of the requests whose client goes away

	mu   sync.Mutex
	seen tally
}

// tally is what came of all requests.
type tally struct {
	right, refused, cancelled, full int
	queue, request                  []float64 // of right answers, seconds
	walked                          float64   // pixels × steps of right answers
	wrong                           []string
}

// run lets the clients ask until the context ends. Then they wait for what
// they have asked for.
func (l *load) run(ctx context.Context) tally {
	var all sync.WaitGroup
	for i := range l.clients {
		all.Go(func() {
			r := rand.New(rand.NewPCG(8, uint64(i)))
			for n := i; ctx.Err() == nil; n++ {
				switch p := r.Float64(); {
				case p < l.badPart:
					l.refused(i, l.bad[r.IntN(len(l.bad))])
				case p < l.badPart+l.cancel:
					l.leave(ctx, i, l.kinds[r.IntN(len(l.kinds))], time.Duration(r.Float64()*float64(time.Second)))
				default:
					l.ask(ctx, i, l.kinds[n%len(l.kinds)])
				}
			}
		})
	}
	all.Wait()
	slices.Sort(l.seen.queue)
	slices.Sort(l.seen.request)
	return l.seen
}

func (l *load) count(f func(t *tally)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.seen)
}

func (l *load) wrong(what, format string, args ...any) {
	l.count(func(t *tally) { t.wrong = append(t.wrong, what+": "+fmt.Sprintf(format, args...)) })
}

// ask asks until there is an answer, which must be right.
func (l *load) ask(ctx context.Context, client int, k *kind) {
	for ctx.Err() == nil {
		start := time.Now()
		a, b, err := l.s.post(context.WithoutCancel(ctx), client, k)
		if err != nil {
			l.wrong(k.query, "no answer: %v", err)
			return
		}
		if a.StatusCode == http.StatusTooManyRequests {
			l.count(func(t *tally) { t.full++ })
			var s int
			_, _ = fmt.Sscan(a.Header.Get("Retry-After"), &s)
			time.Sleep(time.Duration(max(s, 1)) * time.Second)
			continue
		}
		took := time.Since(start).Seconds()
		l.answered(k, a, b, took)
		return
	}
}

func (l *load) answered(k *kind, a *http.Response, b []byte, took float64) {
	if a.StatusCode != http.StatusOK {
		l.wrong(k.query, "%s %.200s", a.Status, b)
		return
	}
	timing := a.Header.Get("Server-Timing")
	if k.events {
		var err error
		if bytes.Contains(b, []byte("\nevent: error\n")) && bytes.Contains(b, []byte(`"code":"queue-full"`)) {
			l.count(func(t *tally) { t.full++ }) // another client's request took its place
			return
		}
		if b, timing, err = lastEvent(b); err != nil {
			l.wrong(k.query, "%v", err)
			return
		}
	}
	if err := k.judge(b); err != nil {
		l.wrong(k.query, "%v", err)
		return
	}
	l.count(func(t *tally) {
		t.right++
		t.queue = append(t.queue, queued(timing))
		t.request = append(t.request, took)
		t.walked += float64(k.w * k.h * k.steps)
	})
}

// queued reads the time in the queue, in seconds, from a Server-Timing header.
func queued(timing string) (s float64) {
	_, v, _ := strings.Cut(timing, "queue;dur=")
	_, _ = fmt.Sscan(strings.SplitN(v, ",", 2)[0], &s)
	return s / 1000
}

// refused sends what must be refused.
func (l *load) refused(client int, x bad) {
	a, b, err := l.s.post(context.Background(), client, &kind{query: x.query, contentType: x.contentType, body: x.body})
	var p struct{ Code string }
	switch {
	case err != nil:
		l.wrong(x.code, "no answer: %v", err)
	case json.Unmarshal(b, &p) != nil || p.Code != x.code && p.Code != "queue-full":
		l.wrong(x.code, "%s %.200s", a.Status, b)
	default:
		l.count(func(t *tally) { t.refused++ })
	}
}

// leave goes away after a while; an answer that comes before must be right.
func (l *load) leave(ctx context.Context, client int, k *kind, after time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), after)
	defer cancel()
	start := time.Now()
	a, b, err := l.s.post(ctx, client, k)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		l.count(func(t *tally) { t.cancelled++ })
	case err != nil:
		l.wrong(k.query, "before it was cancelled: %v", err)
	case a.StatusCode == http.StatusTooManyRequests:
		l.count(func(t *tally) { t.full++ })
	default:
		l.answered(k, a, b, time.Since(start).Seconds())
	}
}

// post asks once.
func (s *service) post(ctx context.Context, client int, k *kind) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // nobody waits for ever
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/restore?"+k.query, bytes.NewReader(k.body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", k.contentType)
	r.Header.Set("Authorization", "Bearer "+s.tokens[client%len(s.tokens)])
	if k.events {
		r.Header.Set("Accept", "text/event-stream")
	}
	a, err := s.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer a.Body.Close()
	var b bytes.Buffer
	b.Grow(int(max(a.ContentLength, 0)) + bytes.MinRead) // what clients do not cost is the service's
	_, err = b.ReadFrom(a.Body)
	return a, b.Bytes(), err
}

// quantile of sorted values; 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
