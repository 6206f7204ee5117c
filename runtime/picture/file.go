package picture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile makes a file whole or not at all: it is written under a temporary
// name in the same folder, synced, and given its name. Without force an
// existing file is never replaced; the error then is fs.ErrExist.
func WriteFile(path string, force bool, write func(io.Writer) error) (err error) {
	exists := &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
	if _, e := os.Lstat(path); e == nil && !force {
		return exists
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".i2sb-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<20)
	if err = write(b); err != nil {
		return err
	}
	if err = b.Flush(); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if force {
		err = os.Rename(f.Name(), path)
	} else if err = os.Link(f.Name(), path); err == nil {
		os.Remove(f.Name()) // the link has taken the name only if it was free
	} else if errors.Is(err, fs.ErrExist) {
		err = exists
	} else { // no hard links here
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
