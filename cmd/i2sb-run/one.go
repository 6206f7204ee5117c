package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// maxBytes bounds a picture file.
const maxBytes = 1 << 30

// one restores one picture.
func (r *restorer) one(ctx context.Context, j job, i, of int, batch bool) (record, error) {
	rec := record{Input: j.in, Output: j.out, Task: r.text["task"], Sampler: r.text["sampler"], Seed: r.seed}
	fmt.Sscan(r.text["steps"], &rec.Steps)
	b, err := r.read(ctx, j.in)
	if err != nil {
		return rec, err
	}
	sum := sha256.Sum256(b)
	text := maps.Clone(r.text)
	text["parameters"] = r.parameters + " input=" + hex.EncodeToString(sum[:16])
	if j.format == "jpeg" {
		text["parameters"] += fmt.Sprintf(" quality=%d", r.quality)
	}
	if done, err := r.existing(j, text["parameters"], batch); done || err != nil {
		rec.Skipped = done
		return rec, err
	}
	p, err := picture.DecodeBytes(b, r.limits())
	if err != nil {
		return rec, err
	}
	b = nil // it is not held while the picture is walked, nor is p
	if err := ctx.Err(); err != nil {
		return rec, err
	}
	m, err := r.open(ctx)
	if err != nil {
		return rec, err
	}
	if lost := p.Lossy(j.format); lost != "" && !r.quiet { // restoring keeps all of it
		r.complain(j.in, fmt.Errorf("the %s will be without its %s", j.format, lost))
	}
	t := r.newTrajectory(j, batch)
	r.bar.begin(filepath.Base(j.in), i, of, rec.Steps)
	q, result, err := m.RestorePicture(ctx, p, append(r.options[:len(r.options):len(r.options)], runtime.WithStep(func(s runtime.Step) error {
		r.bar.step(s.Done)
		return t.step(ctx, s)
	}))...)
	if err == nil {
		q.Text = text
		err = r.save(ctx, j, q)
	}
	if err != nil {
		t.remove()
		return rec, err
	}
	rec.Sampler, rec.Steps, rec.Device, rec.Tiles = result.Sampler, result.Steps, result.Device, result.Tiles
	rec.Instead = result.Fallback
	rec.Width, rec.Height, rec.Seconds = q.Image.W, q.Image.H, result.Elapsed.Seconds()
	return rec, nil
}

// read reads a picture file whole, but no more of it than is ever decoded.
// Waiting for standard input ends with the context.
func (r *restorer) read(ctx context.Context, name string) ([]byte, error) {
	if name == "-" {
		var b []byte
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			b, err = io.ReadAll(io.LimitReader(r.stdin, maxBytes+1))
		}()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-done:
			return b, err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if s, err := f.Stat(); err == nil {
		b.Grow(int(min(s.Size(), maxBytes)) + bytes.MinRead) // a buffer that grows is held twice
	}
	_, err = b.ReadFrom(io.LimitReader(f, maxBytes+1))
	return b.Bytes(), err
}

// existing looks at what lies at the output's place. In a batch, a file
// that records the same parameters is done; anything else is in the way.
func (r *restorer) existing(j job, parameters string, batch bool) (done bool, err error) {
	if j.out == "-" {
		return false, nil
	}
	if _, err := os.Lstat(j.out); err != nil {
		return false, nil
	}
	if sameFile(j.in, j.out) {
		return false, fmt.Errorf("the output would replace the input; give another -o")
	}
	if r.force {
		return false, nil
	}
	if batch {
		f, err := os.Open(j.out)
		if err != nil {
			return false, err
		}
		defer f.Close()
		if picture.ReadText(f)["parameters"] == parameters {
			return true, nil
		}
		return false, &otherwise{j.out, j.format}
	}
	return false, &fs.PathError{Op: "write", Path: j.out, Err: fs.ErrExist}
}

// otherwise is an output that other parameters or another input made, as far
// as can be told.
type otherwise struct{ path, format string }

func (e *otherwise) Error() string {
	if e.format == "bmp" {
		return e.path + " exists, and a BMP does not record how it was made"
	}
	return e.path + " exists and was made otherwise"
}
func (e *otherwise) Unwrap() error { return fs.ErrExist }

// save encodes a result and writes it.
func (r *restorer) save(ctx context.Context, j job, q *picture.Picture) error {
	encode := func(w io.Writer) error { return picture.Encode(w, q, j.format, r.quality) }
	if j.out == "-" {
		var b bytes.Buffer // nothing, if it cannot be encoded
		if err := encode(&b); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		_, err := r.stdout.Write(b.Bytes())
		return err
	}
	if err := os.MkdirAll(filepath.Dir(j.out), 0o777); err != nil {
		return err
	}
	return write(ctx, j.out, r.force, encode)
}

// trajectory writes the pictures of a walk's steps.
type trajectory struct {
	dir   string // "": none
	force bool
	files []string
}

func (r *restorer) newTrajectory(j job, batch bool) *trajectory {
	t := &trajectory{dir: r.trajectory, force: r.force}
	if t.dir != "" && batch {
		t.dir = filepath.Join(t.dir, strings.TrimPrefix(j.under, string(filepath.Separator)))
	}
	return t
}

func (t *trajectory) step(ctx context.Context, s runtime.Step) error {
	if t.dir == "" {
		return nil
	}
	if err := os.MkdirAll(t.dir, 0o777); err != nil {
		return err
	}
	for kind, get := range map[string]func() (*bridge.Image, error){"state": s.State, "x0": s.X0} {
		x, err := get()
		if err != nil {
			return err
		}
		name := filepath.Join(t.dir, fmt.Sprintf("step-%03d.%s.png", s.Done, kind))
		if err := write(ctx, name, t.force, func(w io.Writer) error {
			return picture.Encode(w, &picture.Picture{Image: x, Depth: 8}, "png", 0)
		}); err != nil {
			return err
		}
		t.files = append(t.files, name)
	}
	return nil
}

// remove takes back what was written for a picture that did not come to its
// end.
func (t *trajectory) remove() {
	for _, f := range t.files {
		os.Remove(f)
	}
	if len(t.files) > 0 {
		os.Remove(t.dir) // if it is empty
	}
}
