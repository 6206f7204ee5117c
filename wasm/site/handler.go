package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/i2sb-go/i2sb/wasm/page"
)

// The types do not depend on what the system knows.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".mjs": "text/javascript; charset=utf-8", ".ts": "text/plain; charset=utf-8", ".json": "application/json",
	".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg",
	".webp": "image/webp", ".ico": "image/x-icon", ".wasm": "application/wasm", ".md": "text/plain; charset=utf-8",
}

// compressible files are worth gzip.
func compressible(ext string) bool {
	switch ext {
	case ".html", ".css", ".js", ".mjs", ".ts", ".json", ".webmanifest", ".svg", ".wasm", ".md":
		return true
	}
	return false
}

// Handler serves a site. With isolated it also sends the headers that allow
// several threads (COOP and COEP), which a page never needs.
func Handler(site fs.FS, isolated bool) http.Handler {
	return &handler{site: site, isolated: isolated, known: map[string]*content{}}
}

type handler struct {
	site     fs.FS
	isolated bool
	mu       sync.Mutex
	known    map[string]*content
}

// content is a file in memory, and packed if that makes it smaller.
type content struct {
	plain, packed []byte
	tag           string
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	head := w.Header()
	head.Set("Content-Security-Policy", page.CSP)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cache-Control", "no-cache") // kept, but asked about
	if h.isolated {
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Embedder-Policy", "require-corp")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
	c, err := h.content(name)
	if err != nil {
		http.Error(w, "there is no such file", http.StatusNotFound)
		return
	}
	ext := path.Ext(name)
	typ := types[ext]
	if typ == "" {
		typ = "application/octet-stream"
	}
	head.Set("Content-Type", typ)
	body, tag := c.plain, c.tag
	if c.packed != nil {
		head.Set("Vary", "Accept-Encoding")
		if r.Header.Get("Range") == "" && acceptsGzip(r.Header.Get("Accept-Encoding")) {
			head.Set("Content-Encoding", "gzip")
			body, tag = c.packed, tag+"-gzip"
		}
	}
	head.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

func (h *handler) content(name string) (*content, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.known[name]; c != nil {
		return c, nil
	}
	b, err := fs.ReadFile(h.site, name)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	c := &content{plain: b, tag: hex.EncodeToString(sum[:12])}
	if compressible(path.Ext(name)) {
		var z bytes.Buffer
		w, _ := gzip.NewWriterLevel(&z, gzip.BestCompression)
		w.Write(b) // a buffer takes everything
		w.Close()
		if z.Len() < len(b) {
			c.packed = z.Bytes()
		}
	}
	h.known[name] = c
	return c, nil
}

func acceptsGzip(accepted string) bool {
	for part := range strings.SplitSeq(accepted, ",") {
		kind, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if kind == "gzip" && strings.ReplaceAll(q, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
