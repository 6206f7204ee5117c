package serve

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

func decode(t testing.TB, b []byte) *picture.Picture {
	t.Helper()
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// parts makes a multipart body of names and contents.
func parts(t testing.TB, named ...any) (body []byte, kind string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i < len(named); i += 2 {
		w, err := m.CreateFormFile(named[i].(string), "picture")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(named[i+1].([]byte))
	}
	m.Close()
	return b.Bytes(), m.FormDataContentType()
}

// hole is a mask that is white on the right.
func hole(w, h int) []byte {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		if i%w > w/2 {
			m.Pix[i] = 255
		}
	}
	return encoded(m)
}

func encoded(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestResultsAreTheRuntimes(t *testing.T) {
	s := start(t, Config{})
	m, err := runtime.Open(t.Context(), runtime.Bytes("tiny", keepertest.Pack(t)), runtime.WithDevice("cpu"), runtime.WithThreads(1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	photo := keepertest.PNG(22, 13, 0)
	mask := hole(22, 13)
	values, w, h, err := picture.DecodeMask(bytes.NewReader(mask), picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	both, kind := parts(t, "mask", mask, "image", photo)
	alone, kindAlone := parts(t, "image", photo)
	for _, c := range []struct {
		query, kind string
		body        []byte
		options     []runtime.Option
	}{
		{"", "image/png", photo, nil},
		{"task=jpeg-10&steps=3&seed=18446744073709551615&sampler=ode", "", photo,
			[]runtime.Option{runtime.WithTask("jpeg-10"), runtime.WithSteps(3), runtime.WithSeed(1<<64 - 1), runtime.WithSampler("ode")}},
		{"sampler=i3sb&eta=0.5&steps=4&clip=true&last-x0=1", "application/octet-stream", photo,
			[]runtime.Option{runtime.WithSampler("i3sb"), runtime.WithEta(0.5), runtime.WithSteps(4), runtime.WithClip(true), runtime.WithLastX0(true)}},
		{"task=sr4x&tile=64&overlap=16&model=tiny", kindAlone, alone, []runtime.Option{runtime.WithTask("sr4x"), runtime.WithTile(64), runtime.WithOverlap(16)}},
		{"task=inpaint&steps=2", kind, both, []runtime.Option{runtime.WithTask("inpaint"), runtime.WithSteps(2),
			runtime.WithMask(&runtime.Mask{W: w, H: h, Values: values})}},
	} {
		a, b := s.post(t, c.query, c.body, "Content-Type", c.kind)
		if a.StatusCode != 200 {
			t.Errorf("%s: %s %s", c.query, a.Status, b)
			continue
		}
		want, r, err := m.RestorePicture(t.Context(), decode(t, photo), c.options...)
		if err != nil {
			t.Fatal(err)
		}
		if got := decode(t, b).Image; !same(got, decode(t, encoded(want.ToImage())).Image) {
			t.Errorf("%s: another picture", c.query)
		}
		for name, v := range map[string]string{"Content-Type": "image/png", "I2sb-Model": "tiny", "I2sb-Task": r.Task, "I2sb-Sampler": r.Sampler,
			"I2sb-Steps": fmt.Sprint(r.Steps), "I2sb-Seed": fmt.Sprint(r.Seed), "I2sb-Device": m.Device(), "I2sb-Tiles": fmt.Sprint(r.Tiles),
			"Content-Length": fmt.Sprint(len(b))} {
			if a.Header.Get(name) != v {
				t.Errorf("%s: %s is %q, not %q", c.query, name, a.Header.Get(name), v)
			}
		}
		if !strings.Contains(a.Header.Get("Server-Timing"), "restore;dur=") {
			t.Error(a.Header)
		}
		text := picture.ReadText(bytes.NewReader(b))
		if text["seed"] != fmt.Sprint(r.Seed) || !strings.HasPrefix(text["pack"], "tiny@") {
			t.Errorf("%s: the picture says %v", c.query, text)
		}
	}
}

func same(a, b *bridge.Image) bool {
	if a.SameSize(b) != nil {
		return false
	}
	for i := range a.Pix {
		if a.Pix[i] != b.Pix[i] {
			return false
		}
	}
	return true
}

func TestFormats(t *testing.T) {
	s := start(t, Config{Engines: []Engine{&fake{}}})
	clear := image.NewNRGBA(image.Rect(0, 0, 8, 6))
	clear.Set(1, 1, color.NRGBA{1, 2, 3, 4})
	for query, kind := range map[string]string{"": "image/png", "format=jpg": "image/jpeg", "format=jpeg&quality=3": "image/jpeg",
		"format=tiff": "image/tiff", "format=bmp": "image/bmp"} {
		a, b := s.post(t, query, encoded(clear))
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != kind {
			t.Fatalf("%s: %s %s %s", query, a.Status, a.Header.Get("Content-Type"), b)
		}
		if p := decode(t, b); p.Image.W != 8 || p.Image.H != 6 {
			t.Errorf("%s: %d×%d", query, p.Image.W, p.Image.H)
		}
		if lossy := kind == "image/jpeg" || kind == "image/bmp"; (a.Header.Get("I2sb-Lossy") == "alpha") != lossy {
			t.Errorf("%s: lossy %q", query, a.Header.Get("I2sb-Lossy"))
		}
	}
}

func TestProblems(t *testing.T) {
	s := start(t, Config{MaxBytes: 10000, MaxPixels: 1600})
	photo := keepertest.PNG(16, 12, 0)
	cut := photo[:len(photo)/2]
	ask := func(method, path string) func() (*http.Response, []byte) {
		return func() (*http.Response, []byte) {
			q, _ := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
			return s.do(t, q)
		}
	}
	post := func(query string, body []byte, headers ...string) func() (*http.Response, []byte) {
		return func() (*http.Response, []byte) { return s.post(t, query, body, headers...) }
	}
	multi := func(query string, named ...any) func() (*http.Response, []byte) {
		body, kind := parts(t, named...)
		return post(query, body, "Content-Type", kind)
	}
	for _, c := range []struct {
		what, code string
		ask        func() (*http.Response, []byte)
	}{
		{"unknown parameter", "bad-parameter", post("step=1", photo)},
		{"parameter twice", "bad-parameter", post("steps=1&steps=2", photo)},
		{"query", "bad-parameter", post("steps=%zz", photo)},
		{"steps", "bad-parameter", post("steps=many", photo)},
		{"no steps", "bad-parameter", post("steps=0", photo)},
		{"many steps", "bad-parameter", post("steps=1000", photo)},
		{"seed", "bad-parameter", post("seed=-1", photo)},
		{"sampler", "bad-parameter", post("sampler=euler", photo)},
		{"eta", "bad-parameter", post("eta=NaN", photo)},
		{"task", "bad-parameter", post("task=decolor", photo)},
		{"format", "bad-parameter", post("format=gif", photo)},
		{"quality", "bad-parameter", post("quality=0", photo)},
		{"deadline", "bad-parameter", post("deadline=-1s", photo)},
		{"previews", "bad-parameter", post("previews=2", photo)},
		{"small tile", "bad-parameter", post("tile=1", photo)},
		{"no mask", "bad-parameter", post("task=inpaint", photo)},
		{"mask's size", "bad-parameter", multi("task=inpaint", "image", photo, "mask", hole(5, 5))},
		{"model", "no-such-model", post("model=huge", photo)},
		{"empty", "bad-picture", post("", nil)},
		{"text", "bad-picture", post("", []byte("This is no picture."))},
		{"cut off", "bad-picture", post("", cut)},
		{"mask is none", "bad-picture", multi("task=inpaint", "image", photo, "mask", cut)},
		{"bytes", "too-many-bytes", post("", make([]byte, 10001))},
		{"pixels", "too-many-pixels", post("", keepertest.PNG(41, 40, 0))},
		{"pixels of the result", "too-many-pixels", post("task=sr4x", photo)},
		{"pixels of the mask", "too-many-pixels", multi("task=inpaint", "image", photo, "mask", hole(41, 40))},
		{"no image", "bad-multipart", multi("task=inpaint", "mask", photo)},
		{"unknown part", "bad-multipart", multi("", "image", photo, "picture", photo)},
		{"two images", "bad-multipart", multi("", "image", photo, "image", photo)},
		{"no boundary", "bad-multipart", post("", photo, "Content-Type", "multipart/form-data")},
		{"wrong boundary", "bad-multipart", post("", photo, "Content-Type", "multipart/form-data; boundary=x")},
		{"type", "unsupported-type", post("", photo, "Content-Type", "application/json")},
		{"type's form", "unsupported-type", post("", photo, "Content-Type", "image/png; =")},
		{"encoding", "unsupported-type", post("", photo, "Content-Encoding", "gzip")},
		{"cross-origin", "cross-origin", post("", photo, "Origin", "https://example.com", "Sec-Fetch-Site", "cross-site")},
		{"deadline over", "deadline", post("deadline=1us", photo)},
		{"method", "method-not-allowed", ask("GET", "/v1/restore")},
		{"method of models", "method-not-allowed", ask("DELETE", "/v1/models")},
		{"path", "not-found", ask("GET", "/v1/train")},
		{"no page", "not-found", ask("GET", "/")},
	} {
		a, b := c.ask()
		wants(t, c.what, c.code, a, b)
		if a.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s", c.what, a.Header.Get("Content-Type"))
		}
	}
	if a, _ := s.post(t, "", photo); a.StatusCode != 200 {
		t.Error("and then it answers nobody:", a.Status)
	}
	// The table, the description and what can be asked for agree.
	doc := newChecked(t)
	if doc == nil || len(problems) != strings.Count(between(string(OpenAPI), "enum: [bad-parameter", "]"), ",")+1 {
		t.Error("openapi.yaml lists other codes")
	}
	for code := range problems {
		if !strings.Contains(string(OpenAPI), code) {
			t.Errorf("openapi.yaml does not have the code %s", code)
		}
	}
	for name := range parameters {
		if !strings.Contains(string(OpenAPI), "{name: "+name+", in: query") {
			t.Errorf("openapi.yaml does not have the parameter %s", name)
		}
	}
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func TestFullQueue(t *testing.T) {
	f := &fake{hold: make(chan struct{}), began: make(chan string, 100)}
	s := start(t, Config{Engines: []Engine{f}, Queue: 2})
	photo := keepertest.PNG(8, 8, 0)
	statuses := make(chan int, 10)
	for range 2 { // two lanes hold one each, then two wait
		for range 2 {
			go func() {
				a, _ := s.post(t, "", photo)
				statuses <- a.StatusCode
			}()
		}
		eventually(t, "they are taken", func() bool {
			n, _ := s.queue.length()
			return n == 0 || n == 2
		})
		time.Sleep(50 * time.Millisecond)
	}
	eventually(t, "two wait", func() bool { n, _ := s.queue.length(); return n == 2 })
	a, b := s.post(t, "", photo)
	wants(t, "a fifth", "queue-full", a, b)
	if a.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	close(f.hold)
	for range 4 {
		if code := <-statuses; code != 200 {
			t.Error(code)
		}
	}
}

func TestCancelledRequestsLeaveTheirPlace(t *testing.T) {
	f := &fake{hold: make(chan struct{}), began: make(chan string, 100)}
	s := start(t, Config{Engines: []Engine{f}, Queue: 8})
	photo := keepertest.PNG(8, 8, 0)
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 10)
	for range 6 {
		go func() {
			q, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/restore", bytes.NewReader(photo))
			_, err := s.client.Do(q)
			errs <- err
		}()
	}
	eventually(t, "four wait", func() bool { n, _ := s.queue.length(); return n == 4 })
	cancel()
	for range 6 {
		if err := <-errs; err == nil {
			t.Error("a cancelled request was answered")
		}
	}
	eventually(t, "the places are free", func() bool { n, _ := s.queue.length(); return n == 0 })
	eventually(t, "the room is free", func() bool { return s.bodies.room.TryAcquire(s.c.Buffer) })
	s.bodies.room.Release(s.c.Buffer)
	close(f.hold) // the device was given up, too: else this would not be answered
	if a, b := s.post(t, "", photo); a.StatusCode != 200 {
		t.Errorf("%s %s", a.Status, b)
	}
}

func TestDeadlineWhileItRuns(t *testing.T) {
	s := start(t, Config{Engines: []Engine{&fake{hold: make(chan struct{})}}, Deadline: 50 * time.Millisecond})
	a, b := s.post(t, "deadline=1h", keepertest.PNG(8, 8, 0))
	wants(t, "it runs too long", "deadline", a, b)
}

func TestDeviceErrors(t *testing.T) {
	photo := keepertest.PNG(8, 8, 0)
	f := &fake{result: &runtime.DeviceError{Device: "gpu", Err: context.Canceled}}
	s := start(t, Config{Engines: []Engine{f}})
	a, b := s.post(t, "", photo)
	wants(t, "device", "device-failed", a, b)
	f.mu.Lock()
	f.result = fmt.Errorf("secret of the machine")
	f.mu.Unlock()
	a, b = s.post(t, "", photo)
	wants(t, "other", "internal", a, b)
	if strings.Contains(string(b), "secret") {
		t.Error("the machine's secrets are told")
	}
}
