package fetch

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/weights"
)

var ctx = context.Background()

func pack(t *testing.T, v float32) []byte {
	t.Helper()
	data := make([]float32, 200000)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range data {
		data[i] = v * r.Float32()
	}
	m, err := weights.NewMemory([]weights.Info{{Name: "w", Shape: []int{200000}}}, [][]float32{data})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := weights.Write(&b, weights.Header{Name: "p"}, m, weights.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// server serves the pack that body holds, with its tag; cut ends answers
// after so many bytes once.
type server struct {
	body     atomic.Pointer[[]byte]
	tag      string
	cut      atomic.Int64
	requests atomic.Int64
	sent     atomic.Int64
	ranges   bool
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	b := *s.body.Load()
	w.Header().Set("ETag", s.tag)
	if !s.ranges {
		r.Header.Del("Range")
	}
	if n := s.cut.Swap(0); n > 0 {
		w.Header().Set("Content-Length", "999999999")
		w.Write(b[:n])
		w.(http.Flusher).Flush()
		s.sent.Add(n)
		panic(http.ErrAbortHandler)
	}
	count := &counter{ResponseWriter: w, n: &s.sent}
	http.ServeContent(count, r, "", time.Time{}, bytes.NewReader(b))
}

type counter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

func start(t *testing.T, body []byte) (*server, string) {
	t.Helper()
	s := &server{tag: `"1"`, ranges: true}
	s.body.Store(&body)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return s, h.URL + "/p.i2sb"
}

func fetched(t *testing.T, url string, o Options, want []byte) {
	t.Helper()
	path, err := Fetch(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d (%v)", len(got), len(want), err)
	}
	if e, _ := os.ReadDir(o.Dir); len(e) != 1 {
		t.Errorf("the cache holds %d files", len(e))
	}
}

func TestFetchedOnceOnly(t *testing.T) {
	b := pack(t, 1)
	s, url := start(t, b)
	var done int64
	o := Options{Dir: t.TempDir(), Progress: func(d, total int64) {
		if done = d; total != int64(len(b)) {
			t.Errorf("total %d", total)
		}
	}}
	fetched(t, url, o, b)
	fetched(t, url, o, b)
	if s.requests.Load() != 1 || done != int64(len(b)) {
		t.Errorf("%d requests, progress up to %d of %d", s.requests.Load(), done, len(b))
	}
}

func TestACutDownloadGoesOn(t *testing.T) {
	for name, change := range map[string]func(*server) []byte{
		"same file":  func(s *server) []byte { return *s.body.Load() },
		"no ranges":  func(s *server) []byte { s.ranges = false; return *s.body.Load() },
		"other file": func(s *server) []byte { b := pack(t, 2); s.body.Store(&b); s.tag = `"2"`; return b },
	} {
		t.Run(name, func(t *testing.T) {
			s, url := start(t, pack(t, 1))
			s.cut.Store(50000)
			o := Options{Dir: t.TempDir()}
			if _, err := Fetch(ctx, url, o); err == nil || !strings.Contains(err.Error(), "run it again") {
				t.Fatalf("a download that is cut off: %v", err)
			}
			want := change(s)
			before := s.sent.Load()
			fetched(t, url, o, want)
			if again := s.sent.Load() - before; name == "same file" && again > int64(len(want))-40000 {
				t.Errorf("%d bytes were sent again", again)
			}
		})
	}
}

func TestWhatIsNoPackIsNotKept(t *testing.T) {
	s, url := start(t, []byte("<html>login</html>"))
	o := Options{Dir: t.TempDir()}
	if _, err := Fetch(ctx, url, o); !errors.Is(err, weights.ErrNotPack) {
		t.Errorf("%v", err)
	}
	if e, _ := os.ReadDir(o.Dir); len(e) != 0 {
		t.Errorf("the cache holds %d files", len(e))
	}
	b := pack(t, 1)
	b[len(b)/2] ^= 1
	s.body.Store(&b)
	if _, err := Fetch(ctx, url, o); err == nil {
		t.Error("a damaged pack was kept")
	}
	var status *StatusError
	if _, err := Fetch(ctx, httptest.NewServer(http.NotFoundHandler()).URL, o); !errors.As(err, &status) {
		t.Errorf("404: %v", err)
	}
	if _, err := Fetch(ctx, "file:///etc/passwd", o); err == nil {
		t.Error("a file URL was fetched")
	}
}

func TestStall(t *testing.T) {
	end := make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("x"))
		w.(http.Flusher).Flush()
		<-end
	}))
	defer h.Close()
	defer close(end)
	if _, err := Fetch(ctx, h.URL, Options{Dir: t.TempDir(), Stall: 50 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "nothing came") {
		t.Errorf("%v", err)
	}
}

func TestRanges(t *testing.T) {
	b := pack(t, 1)
	s, url := start(t, b)
	r, err := OpenRanges(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := weights.OpenPack(r, r.Size)
	if err != nil {
		t.Fatal(err)
	}
	if s.sent.Load() > 4096 {
		t.Errorf("%d bytes were sent for the header", s.sent.Load())
	}
	if err := p.Verify(); err != nil {
		t.Error(err)
	}
	s.ranges = false
	if _, err := OpenRanges(ctx, url, nil); err == nil {
		t.Error("a server without ranges: no error")
	}
}
