// Package page holds the files of the web page: plain modules, style sheets and
// pictures that any static host can serve beside the browser module.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed site
var site embed.FS

// Files are the page's own files, index.html at the root. A whole site has
// besides: the module under i2sb/, the packs under packs/, and Precache's
// answer as precache.js.
var Files = func() fs.FS {
	files, err := fs.Sub(site, "site")
	if err != nil {
		panic(err) // a constant path
	}
	return files
}()

// CSP is the page's Content-Security-Policy, which index.html states itself.
// Sent as a header it also holds in the module's worker, and keeps other sites
// from framing the page.
const CSP = policy + "; frame-ancestors 'self'"

// What index.html says: a meta element cannot speak of ancestors.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' blob:; " +
	"img-src 'self' blob: data:; style-src 'self'; manifest-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'"

// PrecacheName is where a site keeps Precache's answer.
const PrecacheName = "precache.js"

// Precache makes the script that tells the service worker what to keep: all
// files of a whole site but its packs, which the module keeps, each with its
// SHA-256. It has to be made again whenever a file changes.
func Precache(site fs.FS) ([]byte, error) {
	list := struct {
		Version string            `json:"version"`
		CSP     string            `json:"csp"`
		Files   map[string]string `json:"files"`
	}{CSP: CSP, Files: map[string]string{}}
	err := fs.WalkDir(site, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "packs" || hidden(path)):
			return fs.SkipDir
		case d.IsDir() || path == PrecacheName || path == "sw.js" || compressed(path) || hidden(path):
			return nil
		}
		b, err := fs.ReadFile(site, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		list.Files[path] = base64.StdEncoding.EncodeToString(sum[:])
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing the site's files: %w", err)
	}
	if _, ok := list.Files["index.html"]; !ok {
		return nil, fmt.Errorf("the site has no index.html: give the folder that holds it")
	}
	files, err := json.Marshal(list.Files) // sorted by path
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(files)
	list.Version = hex.EncodeToString(sum[:8])
	b, err := json.Marshal(list)
	return []byte("self.precache = " + string(b) + ";\n"), err
}

// hidden files (a host's own) are not part of the page.
func hidden(path string) bool {
	return path != "." && strings.HasPrefix(path[strings.LastIndex(path, "/")+1:], ".")
}

// compressed twins are chosen by the host, under the plain name.
func compressed(path string) bool {
	return strings.HasSuffix(path, ".br") || strings.HasSuffix(path, ".gz")
}
