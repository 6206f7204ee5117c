package site

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/i2sb-go/i2sb/weights/pack0"
)

func fake(t *testing.T) fs.FS {
	t.Helper()
	built := fstest.MapFS{}
	for _, name := range Built {
		built[name] = &fstest.MapFile{Data: []byte(strings.Repeat("of "+name+" ", 100))}
	}
	s, err := assemble(built)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSiteHasEverything(t *testing.T) {
	s := fake(t)
	for _, name := range []string{"index.html", "sw.js", "precache.js", "i2sb/i2sb.mjs", "i2sb/worker.mjs", "i2sb/i2sb.wasm", "i2sb/wasm_exec.js", "packs/default.i2sb"} {
		if _, err := fs.Stat(s, name); err != nil {
			t.Error(err)
		}
	}
	dir := t.TempDir()
	for range 2 { // again over what is there
		if err := Write(s, dir); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "packs", "default.i2sb"))
	if err != nil || string(b) != pack0.Pack {
		t.Errorf("the default pack was not written: %v", err)
	}
}

func TestHandler(t *testing.T) {
	s := httptest.NewServer(Handler(fake(t), false))
	defer s.Close()
	get := func(path string, headers ...string) (*http.Response, string) {
		t.Helper()
		r, _ := http.NewRequest(http.MethodGet, s.URL+path, nil)
		r.Header.Set("Accept-Encoding", "identity")
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	for path, typ := range map[string]string{
		"/":                   "text/html; charset=utf-8",
		"/i2sb/i2sb.mjs":      "text/javascript; charset=utf-8",
		"/i2sb/i2sb.wasm":     "application/wasm",
		"/packs/default.i2sb": "application/octet-stream",
	} {
		r, _ := get(path)
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != typ || r.Header.Get("Content-Security-Policy") == "" || r.Header.Get("ETag") == "" {
			t.Errorf("%s: %s %v", path, r.Status, r.Header)
		}
		if r.Header.Get("Cross-Origin-Opener-Policy") != "" {
			t.Errorf("%s: COOP without being asked", path)
		}
	}
	for _, path := range []string{"/nothing", "/../go.mod", "/i2sb/../../go.mod", "/i2sb", "/i2sb/"} {
		if r, _ := get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, r.Status)
		}
	}
	_, plain := get("/i2sb/i2sb.wasm")
	r, packed := get("/i2sb/i2sb.wasm", "Accept-Encoding", "br;q=1, gzip")
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(z); string(b) != plain || r.Header.Get("Content-Encoding") != "gzip" || r.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("gzip: %v", r.Header)
	}
	if r, _ := get("/i2sb/i2sb.wasm", "Accept-Encoding", "gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was sent though refused")
	}
	r, part := get("/packs/default.i2sb", "Range", "bytes=1000-1999", "If-Range", mustTag(t, get))
	if r.StatusCode != http.StatusPartialContent || part != pack0.Pack[1000:2000] {
		t.Errorf("a range: %s, %d bytes", r.Status, len(part))
	}
	if r, _ := get("/packs/default.i2sb", "If-None-Match", mustTag(t, get)); r.StatusCode != http.StatusNotModified {
		t.Errorf("the same tag: %s", r.Status)
	}
	if resp, err := http.Post(s.URL+"/", "text/plain", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v %v", resp, err)
	}
}

func mustTag(t *testing.T, get func(string, ...string) (*http.Response, string)) string {
	t.Helper()
	r, _ := get("/packs/default.i2sb")
	return r.Header.Get("ETag")
}

func TestIsolated(t *testing.T) {
	w := httptest.NewRecorder()
	Handler(fake(t), true).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Header().Get("Cross-Origin-Opener-Policy") != "same-origin" || w.Header().Get("Cross-Origin-Embedder-Policy") != "require-corp" {
		t.Errorf("%v", w.Header())
	}
}
