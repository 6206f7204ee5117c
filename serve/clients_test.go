package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

type event struct {
	name string
	data map[string]any
}

func events(t *testing.T, b []byte) (all []event) {
	t.Helper()
	for part := range strings.SplitSeq(strings.TrimSuffix(string(b), "\n\n"), "\n\n") {
		var e event
		for line := range strings.SplitSeq(part, "\n") {
			if v, ok := strings.CutPrefix(line, "event: "); ok {
				e.name = v
			} else if v, ok := strings.CutPrefix(line, "data: "); !ok {
				t.Fatalf("line %.50q", line)
			} else if err := json.Unmarshal([]byte(v), &e.data); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, e)
	}
	return all
}

func TestEvents(t *testing.T) {
	s := start(t, Config{})
	photo := keepertest.PNG(300, 12, 0)
	_, plain := s.post(t, "steps=5", photo)
	for _, previews := range []bool{true, false} {
		a, b := s.post(t, fmt.Sprintf("steps=5&previews=%v", previews), photo, "Accept", "text/event-stream")
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatal(a.Status, a.Header)
		}
		done, seen := 0.0, 0
		all := events(t, b)
		for i, e := range all {
			switch {
			case i == 0 && e.name == "queued", i == len(all)-1 && e.name == "result":
			case e.name == "step" && e.data["done"] == done+1 && e.data["of"] == 5.0:
				done++
			case e.name == "preview":
				seen++
				b, _ := base64.StdEncoding.DecodeString(e.data["data"].(string))
				if p := decode(t, b); p.Image.W != 150 || p.Image.H != 6 {
					t.Errorf("a preview of %d×%d", p.Image.W, p.Image.H)
				}
			default:
				t.Errorf("event %d of %d: %s %v", i, len(all), e.name, e.data["done"])
			}
		}
		result, _ := base64.StdEncoding.DecodeString(all[len(all)-1].data["data"].(string))
		if done != 5 || (seen > 0) != previews || !bytes.Equal(result, plain) {
			t.Errorf("%v steps, %d previews, the same result: %v", done, seen, bytes.Equal(result, plain))
		}
	}
	a, b := s.post(t, "", photo[:400], "Accept", "text/html, text/event-stream;q=0.5")
	if all := events(t, b); a.StatusCode != 200 || all[len(all)-1].name != "error" || all[len(all)-1].data["code"] != "bad-picture" {
		t.Error(string(b))
	}
}

func TestTokens(t *testing.T) {
	for text, ok := range map[string]bool{"": false, "# none\n": false, "short": false, "a b 0123456789abcdef0": false,
		"0123456789abcdef0\nanna 0123456789abcdef1\n": true} {
		if _, err := ReadTokens(strings.NewReader(text)); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	tokens, err := ReadTokens(strings.NewReader("# staff\n\nanna 0123456789abcdef1\n0123456789abcdef0 \n"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var said bytes.Buffer
	log := slog.New(slog.NewJSONHandler(writerFunc(func(b []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return said.Write(b)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := start(t, Config{Engines: []Engine{&fake{}}, Tokens: tokens, Log: log})
	photo := keepertest.PNG(8, 8, 0)
	for header, ok := range map[string]bool{"": false, "Bearer 0123456789abcdef": false, "Basic 0123456789abcdef1": false,
		"Bearer 0123456789abcdef1": true, "bearer 0123456789abcdef0": true, "0123456789abcdef0": false} {
		a, b := s.post(t, "", photo, "Authorization", header)
		if (a.StatusCode == 200) != ok {
			t.Errorf("%q: %s", header, a.Status)
		}
		if !ok {
			wants(t, header, "unauthorized", a, b)
		}
	}
	for path, code := range map[string]int{"/healthz": 200, "/readyz": 200, "/openapi.yaml": 200, "/metrics": 401, "/v1/models": 401} {
		if a, _ := s.get(t, path); a.StatusCode != code {
			t.Errorf("%s: %s", path, a.Status)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if text := said.String(); strings.Contains(text, "0123456789abcdef") || !strings.Contains(text, `"client":"anna"`) {
		t.Error(text)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestHeadersAndOrigins(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })
	s := start(t, Config{Engines: []Engine{&fake{}}, Page: page})
	a, b := s.get(t, "/page")
	if string(b) != "page" || !strings.Contains(a.Header.Get("Content-Security-Policy"), "'self'") {
		t.Errorf("%s %v", b, a.Header)
	}
	a, _ = s.get(t, "/v1/models", "Origin", "https://a.example")
	for name, v := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": ""} {
		if a.Header.Get(name) != v {
			t.Errorf("%s: %q", name, a.Header.Get(name))
		}
	}
	open := start(t, Config{Engines: []Engine{&fake{}}, Origins: []string{"https://a.example"}})
	for origin, ok := range map[string]bool{"https://a.example": true, "https://b.example": false} {
		a, _ := open.post(t, "", keepertest.PNG(8, 8, 0), "Origin", origin, "Sec-Fetch-Site", "cross-site")
		if (a.StatusCode == 200) != ok || (a.Header.Get("Access-Control-Allow-Origin") == origin) != ok {
			t.Errorf("%s: %s %v", origin, a.Status, a.Header)
		}
	}
}

func TestMetricsAndTraces(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	s := start(t, Config{Tracer: trace.NewTracerProvider(trace.WithSpanProcessor(spans))})
	s.post(t, "steps=3", keepertest.PNG(16, 12, 0), "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	s.post(t, "", nil)
	_, b := s.get(t, "/metrics")
	for _, line := range []string{`i2sb_requests_total{path="/v1/restore",status="200"} 1`, `i2sb_requests_total{path="/v1/restore",status="422"} 1`,
		`i2sb_errors_total{code="bad-picture"} 1`, `i2sb_step_seconds_count{model="tiny"} 3`, `i2sb_restore_seconds_count{model="tiny"} 1`,
		"i2sb_queue_seconds_count 1", "i2sb_batch_size_count 1", "i2sb_queue_length 0", "i2sb_pixels_total 192",
		`i2sb_bytes_total{direction="out"}`, `i2sb_device_memory_bytes{device="cpu",part="weights"}`, "i2sb_device_lost_total 0",
		"i2sb_device_fallbacks_total 0", "go_goroutines"} {
		if !strings.Contains(string(b), line) {
			t.Errorf("no %s", line)
		}
	}
	names := map[string]bool{}
	eventually(t, "spans", func() bool { return len(spans.Ended()) >= 6 })
	for _, e := range spans.Ended() {
		if e.SpanContext().TraceID().String() == "0af7651916cd43dd8448eb211c80319c" {
			names[e.Name()] = true
		}
	}
	for _, n := range []string{"POST /v1/restore", "queue", "decode", "restore", "encode"} {
		if !names[n] {
			t.Errorf("no span %s: %v", n, names)
		}
	}
}

// What a keeper does about a device that is lost is counted.
func TestALostDeviceIsCounted(t *testing.T) {
	m := NewMetrics()
	s := start(t, Config{Metrics: m})
	for _, k := range []keeper.Kind{keeper.Lost, keeper.Opened, keeper.Lost, keeper.Fallback, keeper.Opened} {
		m.Keeper(keeper.Event{Kind: k, Model: "lost"})
	}
	_, b := s.get(t, "/metrics")
	for _, line := range []string{"i2sb_device_lost_total 2", "i2sb_device_fallbacks_total 1", `i2sb_models_opened_total{model="lost"} 2`} {
		if !strings.Contains(string(b), line) {
			t.Errorf("no %s", line)
		}
	}
}

func TestEndingFinishesWhatRuns(t *testing.T) {
	f := &fake{hold: make(chan struct{}), began: make(chan string, 10)}
	s := start(t, Config{Engines: []Engine{f}})
	photo := keepertest.PNG(8, 8, 0)
	answers := make(chan int, 3)
	for range 3 {
		go func() {
			a, _ := s.post(t, "", photo)
			answers <- a.StatusCode
		}()
	}
	<-f.began
	eventually(t, "all are in", func() bool { n, _ := s.queue.length(); return n == 1 })
	s.stop()
	eventually(t, "it ends", s.ending.Load)
	for path, code := range map[string]string{"/readyz": "closing", "/v1/restore": "closing"} {
		w := recorded{header: http.Header{}}
		method := http.MethodGet
		if path != "/readyz" {
			method = http.MethodPost
		}
		q, _ := http.NewRequest(method, path, bytes.NewReader(photo))
		s.Handler().ServeHTTP(&w, q)
		if !strings.Contains(w.body.String(), code) || w.status != 503 {
			t.Errorf("%s: %d %s", path, w.status, w.body.String())
		}
	}
	close(f.hold)
	for range 3 {
		if code := <-answers; code != 200 {
			t.Error(code)
		}
	}
}

type recorded struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorded) Header() http.Header         { return r.header }
func (r *recorded) WriteHeader(n int)           { r.status = n }
func (r *recorded) Write(b []byte) (int, error) { return r.body.Write(b) }

func TestTheGraceIsABound(t *testing.T) {
	f := &fake{hold: make(chan struct{}), began: make(chan string, 10)}
	s := start(t, Config{Engines: []Engine{f}, Grace: 50 * time.Millisecond})
	answered := make(chan bool)
	go func() {
		defer close(answered)
		a, b := s.post(t, "", keepertest.PNG(8, 8, 0))
		wants(t, "what did not end in time", "closing", a, b)
	}()
	<-f.began
	began := time.Now()
	s.stop()
	err := <-s.ended
	s.ended <- err
	<-answered
	if took := time.Since(began); err != nil || took > time.Minute {
		t.Errorf("%v after %v", err, took)
	}
}

// raw opens a connection and writes to it.
func raw(t testing.TB, s *running, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSlowClients(t *testing.T) {
	photo := keepertest.PNG(200, 200, 0)
	s := start(t, Config{Engines: []Engine{&fake{}}, MaxBytes: 1 << 20, Buffer: 2 << 20}, func(s *Server) {
		s.bodies.pace = pace{1 << 20, 2 * time.Second} // enough for an honest client on a busy machine
		s.answers.pace = s.bodies.pace
	})
	header := "POST /v1/restore?format=bmp HTTP/1.1\r\nHost: x\r\nContent-Length: "
	slow := raw(t, s, header+"1000000\r\n\r\n0123456789")
	a, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(a.Body)
	wants(t, "slow body", "slow-client", a, b)

	// Under pressure the slowest goes at once, long before its pace ends.
	s.bodies.pace.grace = time.Hour
	var held []net.Conn
	for range 4 {
		held = append(held, raw(t, s, header+"1000000\r\n\r\n0123456789"))
	}
	began := time.Now()
	if a, b := s.post(t, "", photo); a.StatusCode != 200 || time.Since(began) > time.Minute {
		t.Errorf("beside slow clients: %s %s after %v", a.Status, b, time.Since(began))
	}
	for _, c := range held {
		c.Close()
	}

	// Who does not read is cut off, and the room is free again.
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			c := raw(t, s, header+fmt.Sprint(len(photo))+"\r\n\r\n"+string(photo))
			_ = c.(*net.TCPConn).SetReadBuffer(1)
			time.Sleep(4 * time.Second)
		})
	}
	if a, b := s.post(t, "", photo); a.StatusCode != 200 {
		t.Errorf("beside clients who do not read: %s %s", a.Status, b)
	}
	wait.Wait()
	for _, r := range []*transfers{s.bodies, s.answers} {
		eventually(t, "the room is free", func() bool {
			ok := r.room.TryAcquire(r.most)
			if ok {
				r.room.Release(r.most)
			}
			return ok
		})
	}
}

func TestWrongLengthsAndHeaders(t *testing.T) {
	s := start(t, Config{Engines: []Engine{&fake{}}})
	c := raw(t, s, "POST /v1/restore HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n0123456789")
	_ = c.(*net.TCPConn).CloseWrite()
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(a.Body)
	wants(t, "wrong length", "cut-off", a, b)
	c = raw(t, s, "GET /healthz HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 40<<10))
	if a, err = http.ReadResponse(bufio.NewReader(c), nil); err != nil || a.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("huge header: %v %v", a, err)
	}
}

func TestAHalfClosedConnectionGetsNoEmptyAnswer(t *testing.T) {
	s := start(t, Config{Engines: []Engine{&fake{hold: make(chan struct{})}}})
	photo := keepertest.PNG(8, 8, 0)
	c := raw(t, s, fmt.Sprintf("POST /v1/restore HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(photo), photo))
	_ = c.(*net.TCPConn).CloseWrite() // for net/http the client is gone
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Errorf("it is answered %q", b)
	}
}

func TestIdleConnectionsGiveWay(t *testing.T) {
	s := start(t, Config{Engines: []Engine{&fake{}}, Conns: 20})
	for range 100 {
		raw(t, s, "G")
	}
	if a, _ := s.get(t, "/healthz"); a.StatusCode != 200 {
		t.Error(a.Status)
	}
	if n := s.conns.count(); n > 20 {
		t.Errorf("%d connections", n)
	}
}

func TestTLS(t *testing.T) {
	s, err := New(Config{Engines: []Engine{&fake{}}, Models: start(t, Config{Engines: []Engine{&fake{}}}).c.Models})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cert, client := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, cert) }()
	a, err := client.Get("https://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if a.ProtoMajor != 2 || a.Header.Get("Strict-Transport-Security") == "" {
		t.Error(a.Proto, a.Header)
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
