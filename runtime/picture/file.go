//go:build !js

package picture

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// WriteFile makes a file whole or not at all: it is written under a temporary
// name in the same folder, synced, and given its name. Without force an
// existing file is never replaced; the error then is fs.ErrExist.
func WriteFile(path string, force bool, write func(io.Writer) error) error {
	exists := &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	if _, err := os.Lstat(path); err == nil && !force {
		return exists
	}
	f, err := temporary(path)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // also if write panics; the finished file no longer has this name
	defer f.Close()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if force {
		err = os.Rename(f.Name(), path)
	} else if err = os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		err = claim(f.Name(), path) // no hard links here
	}
	if errors.Is(err, fs.ErrExist) {
		return exists
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// temporary makes a file beside path. Its name is short, for path's may have
// the greatest length already; its mode is what the umask leaves.
func temporary(path string) (*os.File, error) {
	name := filepath.Join(filepath.Dir(path), ".i2sb-"+rand.Text()[:12]+".tmp")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		pe.Path = path // that is the name the caller knows
	}
	return f, err
}

// Sweep removes what writers that were killed left in a folder: temporary
// files that nobody has written to for as long as age. It returns how many.
func Sweep(dir string, age time.Duration) (n int, err error) {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, f := range all {
		if is, _ := filepath.Match(".i2sb-????????????.tmp", f.Name()); !is || !f.Type().IsRegular() {
			continue
		}
		i, e := f.Info()
		if e != nil || time.Since(i.ModTime()) < age {
			continue
		}
		if e = os.Remove(filepath.Join(dir, f.Name())); e == nil {
			n++
		} else if !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return n, err
}

// claim gives a file its name if that is free: an empty file takes the name,
// which fails if there is one, and is replaced.
func claim(temp, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	f.Close()
	if err = os.Rename(temp, path); err != nil {
		os.Remove(path)
	}
	return err
}
