package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"go.uber.org/goleak"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is an engine that gives pictures back as they came. hold makes it wait
// for a value of go on, or for the picture's context.
type fake struct {
	hold   chan struct{}
	mu     sync.Mutex // the device
	began  chan string
	result error
}

func (f *fake) Device() string { return "fake" }

func (f *fake) Run(model string, group ...*keeper.Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, j := range group {
		j.Begin()
		if f.began != nil {
			f.began <- model
		}
		if f.hold != nil {
			select {
			case <-f.hold:
			case <-j.Context.Done():
			}
		}
		if j.Err = j.Context.Err(); j.Err == nil {
			j.Err = f.result
		}
		if j.Err == nil {
			j.Out = j.Picture
			j.Result = &runtime.Result{Task: "jpeg", Sampler: "posterior", Steps: 2, Device: "fake", Tiles: 1, Elapsed: time.Millisecond}
		}
		j.End()
	}
}

// keep is the tiny network on the CPU.
func keep(t testing.TB, m *Metrics) *keeper.Keeper {
	t.Helper()
	k, err := keeper.New(t.Context(), []keeper.Model{keepertest.Model(t)}, keeper.Options{Device: "cpu", Threads: 1, On: m.Keeper})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// running is a server that listens.
type running struct {
	*Server
	url    string
	client *http.Client
	stop   context.CancelFunc
	ended  chan error
}

// start starts a server. Without engines it gets the tiny network.
func start(t testing.TB, c Config, change ...func(*Server)) *running {
	t.Helper()
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Engines == nil {
		c.Engines = []Engine{keep(t, c.Metrics)}
	}
	if c.Models == nil {
		c.Models = []keeper.Model{keepertest.Model(t)}
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{s, "http://" + l.Addr().String(), &http.Client{Transport: newChecked(t)}, stop, make(chan error, 1)}
	go func() { r.ended <- s.Serve(ctx, l, (*tls.Config)(nil)) }()
	t.Cleanup(func() {
		stop()
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
		s.Close()
		r.client.CloseIdleConnections()
	})
	return r
}

// post asks for a restoration.
func (r *running) post(t testing.TB, query string, body []byte, headers ...string) (*http.Response, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/restore?"+query, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", "image/png")
	return r.do(t, q, headers...)
}

func (r *running) get(t testing.TB, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.do(t, q, headers...)
}

func (r *running) do(t testing.TB, q *http.Request, headers ...string) (*http.Response, []byte) {
	t.Helper()
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	a, err := r.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

// wants tells that an answer is a problem of a code.
func wants(t testing.TB, what, code string, a *http.Response, b []byte) {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(b, &p); err != nil || p.Code != code || a.StatusCode != problems[code].status || p.Status != a.StatusCode {
		t.Errorf("%s: %s %.300s; want %s", what, a.Status, b, code)
	}
}

// eventually waits for something that another goroutine does.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: it did not come to that", what)
}

// checked is a transport that holds requests and answers against openapi.yaml.
type checked struct {
	http.RoundTripper
	t      testing.TB
	router routers.Router
}

func newChecked(t testing.TB) *checked {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &checked{http.DefaultTransport.(*http.Transport).Clone(), t, router}
}

func (c *checked) CloseIdleConnections() { c.RoundTripper.(*http.Transport).CloseIdleConnections() }

func (c *checked) RoundTrip(q *http.Request) (*http.Response, error) {
	shadow := q.Clone(q.Context())
	shadow.Body = http.NoBody // it is not validated, and may still be sent when the answer is there
	a, err := c.RoundTripper.RoundTrip(q)
	if err != nil || strings.HasPrefix(q.URL.Path, "/page") || q.Method == http.MethodOptions || q.Method == http.MethodHead {
		return a, err
	}
	shadow.URL.Scheme, shadow.URL.Host = "", ""
	route, params, err := c.router.FindRoute(shadow)
	if err != nil {
		if a.StatusCode != 404 && a.StatusCode != 405 && a.StatusCode != 403 {
			c.t.Errorf("%s %s is not described, and answers %s", q.Method, q.URL.Path, a.Status)
		}
		return a, nil
	}
	in := &openapi3filter.RequestValidationInput{Request: shadow, PathParams: params, Route: route, Options: &openapi3filter.Options{
		ExcludeRequestBody: true, IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if err := openapi3filter.ValidateRequest(q.Context(), in); err != nil && a.StatusCode < 400 {
		c.t.Errorf("%s %s is not as described, but answers %s: %v", q.Method, q.URL, a.Status, err)
	}
	kind := a.Header.Get("Content-Type")
	options := *in.Options
	options.ExcludeResponseBody = !strings.HasSuffix(kind, "json")
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.StatusCode, Header: a.Header, Options: &options}
	if !options.ExcludeResponseBody {
		b, err := io.ReadAll(a.Body)
		if err != nil {
			return nil, err
		}
		a.Body.Close()
		a.Body = io.NopCloser(bytes.NewReader(b))
		out.SetBodyBytes(b)
	} else if media := route.Operation.Responses.Status(a.StatusCode); media == nil || media.Value.Content.Get(kind) == nil {
		c.t.Errorf("%s %s answers %s with %s, which is not described", q.Method, q.URL.Path, a.Status, kind)
	}
	if err := openapi3filter.ValidateResponse(q.Context(), out); err != nil {
		c.t.Errorf("%s %s: the answer is not as described: %v", q.Method, q.URL, err)
	}
	return a, nil
}
