package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// extensions of the formats that are written.
var extensions = map[string]string{"png": ".png", "jpeg": ".jpg", "tiff": ".tif", "bmp": ".bmp"}

// inputs are the endings of files that are taken from directories.
var inputs = []string{".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif"}

// job is one picture: where it comes from and where its result goes.
type job struct {
	in, out string // "-": standard input and output
	under   string // the path below the output directory, for batches
	format  string
}

// jobs makes a command line's jobs. batch says that there may be several.
func (r *restorer) jobs(args []string) (list []job, batch bool, err error) {
	if slices.Contains(args, "-") {
		if len(args) > 1 {
			return nil, false, usagef("- stands for one picture and goes with no other")
		}
		j, err := r.single("-")
		return []job{j}, false, err
	}
	for _, a := range args {
		info, err := os.Stat(a)
		switch {
		case err == nil && info.IsDir():
			batch = true
			found, err := r.walk(a)
			if err != nil {
				return nil, true, err
			}
			list = append(list, found...)
		case err != nil && strings.ContainsAny(a, "*?["):
			batch = true
			names, err := filepath.Glob(a)
			if err != nil {
				return nil, true, usagef("%s: %v", a, err)
			}
			if len(names) == 0 {
				return nil, true, fmt.Errorf("%s: no file has such a name", a)
			}
			for _, n := range names {
				if info, err := os.Stat(n); err == nil && !info.IsDir() {
					list = append(list, job{in: n, under: filepath.Base(n)})
				}
			}
		default:
			list = append(list, job{in: a, under: filepath.Base(a)})
		}
	}
	if len(args) == 1 && !batch {
		j, err := r.single(args[0])
		return []job{j}, false, err
	}
	if len(list) == 0 {
		return nil, true, fmt.Errorf("%s: there are no pictures in it", strings.Join(args, ", "))
	}
	list, err = r.outputs(list)
	return list, true, err
}

// walk finds the pictures below a directory, but for hidden files and the
// output directory.
func (r *restorer) walk(dir string) (list []job, err error) {
	var out fs.FileInfo
	if r.out != "" {
		out, _ = os.Stat(r.out)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != dir && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			if info, err := d.Info(); path != dir && err == nil && out != nil && os.SameFile(info, out) {
				return fs.SkipDir
			}
			return nil
		}
		if slices.Contains(inputs, strings.ToLower(filepath.Ext(path))) {
			under, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			list = append(list, job{in: path, under: under})
		}
		return nil
	})
	return list, err
}

// single makes the job of one picture.
func (r *restorer) single(in string) (job, error) {
	j := job{in: in, out: r.out, format: r.format}
	isDir := strings.HasSuffix(r.out, string(filepath.Separator)) || strings.HasSuffix(r.out, "/")
	if info, err := os.Stat(r.out); r.out != "" && err == nil && info.IsDir() {
		isDir = true
	}
	switch {
	case isDir && in == "-":
		return j, usagef("-o %s: give a file for the result of -", r.out)
	case isDir:
		list, err := r.outputs([]job{{in: in, under: filepath.Base(in)}})
		if err != nil {
			return j, err
		}
		j = list[0]
	case r.out == "" && in == "-":
		j.out = "-"
	case r.out == "":
		j.out = strings.TrimSuffix(in, filepath.Ext(in)) + ".restored" + extensions[r.formatOr()]
	}
	if j.out == "-" {
		if r.asJSON {
			return j, usagef("--json and the picture cannot both go to standard output; give -o FILE")
		}
		if f, ok := r.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return j, usagef("the picture is not written to a terminal; give -o FILE")
		}
		j.format = r.formatOr()
	}
	if j.format == "" {
		f, err := picture.FormatFromName(j.out)
		if err != nil {
			return j, usagef("-o %s: %w; or give --format", j.out, err)
		}
		j.format = f
	}
	return j, nil
}

func (r *restorer) formatOr() string {
	if r.format == "" {
		return "png"
	}
	return r.format
}

// outputs names the results of a batch. An input that is another's result, as
// a second run over a directory finds, is left out.
func (r *restorer) outputs(list []job) ([]job, error) {
	if r.out == "-" {
		return nil, usagef("-o -: several pictures need a directory")
	}
	if info, err := os.Stat(r.out); r.out != "" && err == nil && !info.IsDir() {
		return nil, usagef("-o %s: several pictures need a directory, and this is a file", r.out)
	}
	ext := extensions[r.formatOr()]
	stem := func(j job) string {
		if r.out == "" {
			return strings.TrimSuffix(j.in, filepath.Ext(j.in)) + ".restored"
		}
		return filepath.Join(r.out, strings.TrimSuffix(j.under, filepath.Ext(j.under)))
	}
	count := map[string]int{}
	seen := map[string]bool{}
	list = slices.DeleteFunc(list, func(j job) bool {
		twice := seen[filepath.Clean(j.in)]
		seen[filepath.Clean(j.in)] = true
		return twice
	})
	results := map[string]bool{}
	if r.out == "" {
		for _, j := range list {
			results[filepath.Clean(stem(j)+ext)] = true
		}
		list = slices.DeleteFunc(list, func(j job) bool { return results[filepath.Clean(j.in)] })
	}
	for _, j := range list {
		count[stem(j)]++
	}
	for i, j := range list {
		list[i].format = r.formatOr()
		list[i].out = stem(j) + ext
		if count[stem(j)] > 1 { // a.jpg and a.png: keep both names whole
			list[i].out = strings.TrimSuffix(stem(j), ".restored") + filepath.Ext(j.in) + ext
			if r.out == "" {
				list[i].out = j.in + ".restored" + ext
			}
		}
	}
	return list, nil
}

// sameFile tells whether two names are one existing file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// write makes an output file whole or not at all. It is encoded into the file,
// and not held; a context that ends stops it.
func write(ctx context.Context, path string, force bool, encode func(io.Writer) error) error {
	writing.Lock()
	defer writing.Unlock()
	return picture.WriteFile(path, force, func(w io.Writer) error {
		if err := encode(stoppable{w, ctx}); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// stoppable is a writer that ends with a context.
type stoppable struct {
	io.Writer
	ctx context.Context
}

func (s stoppable) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.Writer.Write(b)
}
