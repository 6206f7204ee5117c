package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// echo gives pictures back as they came; fails says how many attempts fail.
type echo struct {
	runs  atomic.Int64
	fails atomic.Int64
	hold  chan struct{} // if not nil, a run waits for it or for its context
	began chan struct{}
}

func (e *echo) Run(_ string, group ...*keeper.Job) {
	for _, j := range group {
		e.runs.Add(1)
		if e.began != nil {
			e.began <- struct{}{}
		}
		if e.hold != nil {
			select {
			case <-e.hold:
			case <-j.Context.Done():
			}
		}
		if j.Err = j.Context.Err(); j.Err == nil && e.fails.Add(-1) >= 0 {
			j.Err = errors.New("out of luck")
		}
		if j.Err == nil {
			j.Out, j.Result = j.Picture, &runtime.Result{Task: "jpeg", Sampler: "posterior", Steps: 1, Device: "echo"}
		}
	}
}

func embedded(t testing.TB, dir string, port int) (url string, stop func()) {
	t.Helper()
	url, stop, err := Embedded("127.0.0.1", port, dir)
	if err != nil {
		t.Fatal(err)
	}
	return url, stop
}

func open(t testing.TB, url string) *Queue {
	t.Helper()
	q, err := Open(t.Context(), url, Options{Wait: 3 * time.Second, Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

// work starts a worker; it ends with the function that is returned.
func work(t testing.TB, url string, e Engine, change ...func(*Worker)) (stop func()) {
	t.Helper()
	q := open(t, url)
	w := &Worker{Name: "w", Engine: e, Models: []keeper.Model{keepertest.Model(t)}}
	for _, f := range change {
		f(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var over sync.WaitGroup
	over.Go(func() { _ = w.Run(ctx, q) })
	stop = func() { cancel(); over.Wait() }
	t.Cleanup(stop)
	return stop
}

// photos writes n pictures and names their results.
func photos(t testing.TB, n int) (in []Input) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		f := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		if err := os.WriteFile(f, keepertest.PNG(9, 7, float64(i)), 0o666); err != nil {
			t.Fatal(err)
		}
		in = append(in, Input{f, filepath.Join(dir, "out", fmt.Sprintf("%d.png", i))})
	}
	return in
}

func submit(t testing.TB, q *Queue, s Submit, in []Input) []Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := s.Run(ctx, q, in, true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func pixels(t testing.TB, file string) []float32 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Image.Pix
}

func TestPicturesComeBackOnce(t *testing.T) {
	url, stop := embedded(t, t.TempDir(), -1)
	defer stop()
	e := &echo{}
	work(t, url, e)
	work(t, url, e)
	q := open(t, url)
	in := photos(t, 20)
	twice := append(append([]Input{}, in...), Input{in[3].From, filepath.Join(filepath.Dir(in[3].Out), "again.png")})
	for _, o := range submit(t, q, Submit{}, twice) {
		if o.State != Done || o.Err != nil || fmt.Sprint(pixels(t, o.Out)) != fmt.Sprint(pixels(t, o.From)) {
			t.Errorf("%+v", o)
		}
	}
	// All of it once more: nothing runs, nothing is written.
	for _, o := range submit(t, q, Submit{}, in) {
		if o.State != Done || !o.Old {
			t.Errorf("%+v", o)
		}
	}
	os.Remove(in[0].Out) // this comes from the store
	submit(t, q, Submit{}, in)
	pixels(t, in[0].Out)
	if n := e.runs.Load(); n != 20 {
		t.Errorf("%d runs", n)
	}
	// Other parameters are other jobs, and do not replace results.
	if o := submit(t, q, Submit{Parameters: Parameters{Seed: 1}}, in[:1])[0]; o.State != Failed {
		t.Errorf("%+v", o)
	}
	c, err := q.Counts(t.Context())
	if err != nil || c.Done != 20 || c.Dead != 0 || c.Waiting+c.Held != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestRealPictures(t *testing.T) {
	url, stop := embedded(t, t.TempDir(), -1)
	defer stop()
	m := keepertest.Model(t)
	k, err := keeper.New(t.Context(), []keeper.Model{m}, keeper.Options{Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	work(t, url, k)
	in := photos(t, 1)
	o := submit(t, open(t, url), Submit{Parameters: Parameters{Task: "sr4x", Seed: 5, Sampler: "posterior", Steps: 3}}, in)[0]
	if o.State != Done {
		t.Fatalf("%+v", o)
	}
	r, err := runtime.Open(t.Context(), m.Source, runtime.WithDevice("cpu"), runtime.WithThreads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, _ := os.ReadFile(in[0].From)
	p, _ := picture.Decode(bytes.NewReader(b), picture.Limits{})
	want, _, err := r.RestorePicture(t.Context(), p, runtime.WithTask("sr4x"), runtime.WithSeed(5), runtime.WithSampler("posterior"), runtime.WithSteps(3))
	if err != nil {
		t.Fatal(err)
	}
	var direct bytes.Buffer
	if err := picture.Encode(&direct, want, "png", 0); err != nil {
		t.Fatal(err)
	}
	q, _ := picture.Decode(&direct, picture.Limits{})
	if fmt.Sprint(pixels(t, in[0].Out)) != fmt.Sprint(q.Image.Pix) {
		t.Error("another picture than without a fleet")
	}
}

func TestPoisonIsBuried(t *testing.T) {
	url, stop := embedded(t, t.TempDir(), -1)
	defer stop()
	e := &echo{}
	root, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	work(t, url, e, func(w *Worker) { w.Files = root })
	q := open(t, url)
	in := photos(t, 3)
	if err := os.WriteFile(in[1].From, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	for i, o := range submit(t, q, Submit{}, in) {
		if (o.State == Buried) != (i == 1) || (i == 1) != strings.Contains(fmt.Sprint(o.Err), "not a picture") {
			t.Errorf("%d: %+v", i, o)
		}
	}
	// Once more it is known at once; with Retry it is tried again.
	if o := submit(t, q, Submit{}, in[1:2])[0]; o.State != Buried {
		t.Errorf("%+v", o)
	}
	if o := submit(t, q, Submit{Retry: true}, in[1:2])[0]; o.State != Buried {
		t.Errorf("%+v", o)
	}
	// What fails again and again is given up after its attempts.
	e.fails.Store(3)
	if o := submit(t, q, Submit{Parameters: Parameters{Seed: 2}}, []Input{{From: in[0].From}})[0]; o.State != Buried || !strings.Contains(o.Err.Error(), "luck") {
		t.Errorf("%+v", o)
	}
	// Files outside of the folder, URLs and messages that are no jobs.
	for _, b := range []string{"{", "null", `{"id":"x","picture":"y","source":"object:z","parameters":{}}`} {
		if _, err := q.js.Publish(t.Context(), jobSubject+"x", []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range []string{"file:../../etc/passwd", "file:/etc/passwd", "file:none", "http://127.0.0.1/x", "object:none"} {
		j := NewJob("0", source, Parameters{})
		j.Parameters.Seed = uint64(len(source))
		j = NewJob("0"+source[:4], source, j.Parameters)
		b := fmt.Sprintf(`{"id":%q,"picture":%q,"source":%q,"parameters":{"seed":%d}}`, j.ID, j.Picture, j.Source, j.Parameters.Seed)
		if _, err := q.js.Publish(t.Context(), jobSubject+j.ID, []byte(b)); err != nil {
			t.Fatal(err)
		}
	}
	var c Counts
	for range 1200 {
		if c, err = q.Counts(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.Waiting+c.Held == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if c.Dead != 2+8 || c.Waiting+c.Held != 0 {
		t.Errorf("%+v", c)
	}
}

func TestAWorkerThatVanishes(t *testing.T) {
	url, stop := embedded(t, t.TempDir(), -1)
	defer stop()
	stuck := &echo{hold: make(chan struct{}), began: make(chan struct{}, 10)}
	p := newProxy(t, url)
	work(t, p.url, stuck) // its connection will be cut
	in := photos(t, 1)
	q := open(t, url)
	ended := make(chan Outcome)
	go func() { ended <- submit(t, q, Submit{}, in)[0] }()
	<-stuck.began
	time.Sleep(4 * time.Second) // longer than Wait: the heartbeat holds the job
	healthy := &echo{}
	work(t, url, healthy)
	time.Sleep(500 * time.Millisecond)
	if healthy.runs.Load() != 0 {
		t.Error("a job was taken from a worker who was at it")
	}
	p.cut()
	if o := <-ended; o.State != Done || healthy.runs.Load() != 1 {
		t.Errorf("%+v after %d runs", o, healthy.runs.Load())
	}
	p.mend() // the first one comes back, with the same result, too late
	close(stuck.hold)
	time.Sleep(300 * time.Millisecond)
	c, err := q.Counts(t.Context())
	if err != nil || c.Done != 1 || c.Waiting != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestTheServerRestarts(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	url, stop := embedded(t, dir, port)
	e := &echo{hold: make(chan struct{}), began: make(chan struct{}, 1000)}
	work(t, url, e)
	in := photos(t, 30)
	ended := make(chan []Outcome)
	go func() { ended <- submit(t, open(t, url), Submit{}, in) }()
	for range 5 {
		<-e.began
		e.hold <- struct{}{}
	}
	stop()
	time.Sleep(200 * time.Millisecond)
	_, stop = embedded(t, dir, port)
	defer stop()
	close(e.hold)
	for _, o := range <-ended {
		if o.State != Done || fmt.Sprint(pixels(t, o.Out)) != fmt.Sprint(pixels(t, o.From)) {
			t.Errorf("%+v", o)
		}
	}
}

// proxy is a network that can be cut.
type proxy struct {
	url   string
	to    string
	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{url: "nats://" + l.Addr().String(), to: strings.TrimPrefix(to, "nats://")}
	go func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			b, err := net.Dial("tcp", p.to)
			if p.down || err != nil {
				a.Close()
				p.mu.Unlock()
				continue
			}
			p.conns = append(p.conns, a, b)
			p.mu.Unlock()
			go func() { _, _ = io.Copy(a, b); a.Close() }()
			go func() { _, _ = io.Copy(b, a); b.Close() }()
		}
	}()
	return p
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}
