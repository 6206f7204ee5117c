// Package site puts together what a browser is given: the page, the module
// beside it and the default pack, as a file system that any static host can
// repeat:
//
//	/                     the page (wasm/page), with the list that its service worker keeps
//	/i2sb/                the module (wasm/npm, and what is built of Go and C)
//	/packs/default.i2sb   the default pack
package site

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/i2sb-go/i2sb/wasm/npm"
	"github.com/i2sb-go/i2sb/wasm/page"
	"github.com/i2sb-go/i2sb/weights/pack0"
)

// Beside is the folder in which the built files are looked for beside the
// program.
const Beside = "i2sb-web"

// Open returns the whole site. The built files come with the program (build
// tag page), or lie beside it, or are built with the Go toolchain into the
// user's cache; the error says in one line what is missing.
func Open(ctx context.Context) (fs.FS, error) {
	built, err := find(ctx)
	if err != nil {
		return nil, err
	}
	return assemble(built)
}

func find(ctx context.Context) (fs.FS, error) {
	if embedded != nil {
		return embedded, nil
	}
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			if dir := filepath.Join(filepath.Dir(exe), Beside); complete(dir) {
				return os.DirFS(dir), nil
			}
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "i2sb", "web")
	err = Build(ctx, dir) // quick if nothing has changed
	if errors.Is(err, errNoSource) {
		if complete(dir) {
			return os.DirFS(dir), nil
		}
		err = fmt.Errorf("the browser module is missing: put %s beside the program in %s/, or run this once in i2sb's source folder with Go installed", strings.Join(Built, ", "), Beside)
	}
	if err != nil {
		return nil, err
	}
	return os.DirFS(dir), nil
}

func complete(dir string) bool {
	for _, name := range Built {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// assemble puts all files in their places.
func assemble(built fs.FS) (fs.FS, error) {
	site := fstest.MapFS{}
	put := func(from fs.FS, under string, only []string) error {
		return fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || only != nil && !slices.Contains(only, name) {
				return err
			}
			b, err := fs.ReadFile(from, name)
			site[under+name] = &fstest.MapFile{Data: b, Mode: 0o644}
			return err
		})
	}
	if err := put(page.Files, "", nil); err != nil {
		return nil, err
	}
	if err := put(npm.Files, "i2sb/", nil); err != nil {
		return nil, err
	}
	if err := put(built, "i2sb/", Built); err != nil {
		return nil, err
	}
	site["packs/default.i2sb"] = &fstest.MapFile{Data: []byte(pack0.Pack), Mode: 0o644}
	list, err := page.Precache(site)
	site[page.PrecacheName] = &fstest.MapFile{Data: list, Mode: 0o644}
	return site, err
}

// Write copies a site into a folder, for a static host.
func Write(site fs.FS, dir string) error {
	return fs.WalkDir(site, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		b, err := fs.ReadFile(site, name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o644)
	})
}
