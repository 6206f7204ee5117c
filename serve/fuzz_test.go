package serve

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/runtime/keeper/keepertest"
)

// FuzzRestore gives the service any query, type and body. Every answer must be
// a picture or a declared problem, and none may be the server's fault.
func FuzzRestore(f *testing.F) {
	m := keepertest.Model(f)
	s, err := New(Config{Models: []keeper.Model{m}, Engines: []Engine{&fake{}}, MaxBytes: 1 << 20, MaxPixels: 1 << 14})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	photo := keepertest.PNG(9, 7, 0)
	both, kind := parts(f, "image", photo, "mask", hole(9, 7))
	for _, c := range []struct {
		query, kind, accept string
		body                []byte
	}{
		{"", "image/png", "", photo},
		{"task=jpeg-10&steps=3&seed=18446744073709551615&sampler=ode&format=jpg&quality=3", "", "", photo},
		{"sampler=i3sb&eta=0.5&steps=4&clip=true&last-x0=1&deadline=1h&previews=0", "application/octet-stream", "text/event-stream", photo},
		{"task=sr4x&tile=64&overlap=16&model=tiny&format=tiff", "image/png", "", photo},
		{"task=inpaint", kind, "", both},
		{"steps=%zz&;=&&tile=-1", kind, "*/*", both[:len(both)/2]},
		{"", "multipart/form-data; boundary=a", "", []byte("--a\r\nContent-Disposition: form-data; name=image\r\n\r\n\r\n--a--")},
	} {
		f.Add(c.query, c.kind, c.accept, c.body)
	}
	f.Fuzz(func(t *testing.T, query, kind, accept string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1/restore", bytes.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		a := w.Result()
		answer := w.Body.Bytes()
		if kind := a.Header.Get("Content-Type"); kind == "text/event-stream" {
			all := events(t, answer)
			last := all[len(all)-1]
			if last.name != "result" && (last.name != "error" || serverFault(last.data["code"])) {
				t.Errorf("a stream ends with %s %v", last.name, last.data)
			}
		} else if kind == "application/problem+json" {
			var p Problem
			if err := json.Unmarshal(answer, &p); err != nil || problems[p.Code].status != a.StatusCode || serverFault(p.Code) {
				t.Errorf("%d %s", a.StatusCode, answer)
			}
		} else if a.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "image/") {
			t.Errorf("%d %s %.100q", a.StatusCode, kind, answer)
		} else {
			decode(t, answer)
		}
	})
}

// serverFault tells whether a code is about the server. A deadline may be as
// short as the request says.
func serverFault(code any) bool {
	s, _ := code.(string)
	return problems[s].status >= 500 && s != "deadline"
}
