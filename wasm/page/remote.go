package page

import (
	"embed"
	"io/fs"
	"strings"
	"testing/fstest"
)

//go:embed remote
var remote embed.FS

// Remote is the page of a server that restores the pictures itself: the same
// files, which say that pictures are sent, and a module that sends them. It
// needs neither packs nor anything that is built.
func Remote() (fs.FS, error) {
	files := fstest.MapFS{}
	put := func(from fs.FS, name func(string) string) error {
		return fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(from, path)
			files[name(path)] = &fstest.MapFile{Data: b, Mode: 0o644}
			return err
		})
	}
	if err := put(Files, func(path string) string { return path }); err != nil {
		return nil, err
	}
	own, err := fs.Sub(remote, "remote")
	if err != nil {
		return nil, err
	}
	err = put(own, func(path string) string {
		if path == "sw.js" {
			return path
		}
		return "i2sb/" + path
	})
	say := strings.NewReplacer("<html ", "<html data-sends ", "on your own device. Nothing is uploaded.", "on a server.")
	for _, name := range []string{"index.html", "manifest.webmanifest"} {
		files[name].Data = []byte(say.Replace(string(files[name].Data)))
	}
	return files, err
}
