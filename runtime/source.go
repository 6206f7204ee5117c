package runtime

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/i2sb-go/i2sb/weights"
)

// Source is where a pack comes from: File, Reader, Bytes, FS or Default.
type Source struct {
	name string
	open func(context.Context) (io.ReaderAt, int64, io.Closer, error)
}

// String names the source in errors.
func (s Source) String() string { return s.name }

// File is a pack in the file system. It is open only while Open reads it.
func File(path string) Source {
	return Source{path, func(context.Context) (io.ReaderAt, int64, io.Closer, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, nil, err
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%s is not a regular file", path)
		}
		if err != nil {
			f.Close()
			return nil, 0, nil, err
		}
		return f, info.Size(), f, nil
	}}
}

// Reader is a pack of size bytes behind r, which must stay usable until Open
// returns, and until the model's Close if it may go over to the CPU; see
// WithFallback.
func Reader(name string, r io.ReaderAt, size int64) Source {
	return Source{name, func(context.Context) (io.ReaderAt, int64, io.Closer, error) {
		return r, size, nil, nil
	}}
}

// Bytes is a pack in memory.
func Bytes(name string, pack []byte) Source {
	return Reader(name, bytes.NewReader(pack), int64(len(pack)))
}

// FS is a pack in a file system such as an embed.FS. Files that cannot be
// read at an offset are read into memory.
func FS(fsys fs.FS, name string) Source {
	return Source{name, func(context.Context) (io.ReaderAt, int64, io.Closer, error) {
		f, err := fsys.Open(name)
		if err != nil {
			return nil, 0, nil, err
		}
		info, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, 0, nil, err
		}
		if r, ok := f.(io.ReaderAt); ok {
			return r, info.Size(), f, nil
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			return nil, 0, nil, err
		}
		return bytes.NewReader(b), int64(len(b)), nil, nil
	}}
}

// OpenPack opens the source's pack without a device: to read its header, to
// verify it or to take weights out of it.
func (s Source) OpenPack(ctx context.Context) (*weights.Pack, io.Closer, error) {
	if s.open == nil {
		return nil, nil, fmt.Errorf("runtime: no source was given")
	}
	r, size, c, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	if c == nil {
		c = io.NopCloser(nil)
	}
	p, err := weights.OpenPack(r, size)
	if err != nil {
		c.Close()
		return nil, nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return p, c, nil
}
