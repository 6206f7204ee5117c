package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"

	"github.com/i2sb-go/i2sb/runtime/picture"
)

// Folder is where a training keeps its checkpoints: numbered ones, and last and
// best, which are other names of numbered ones.
type Folder string

// The names beside the numbered ones.
const (
	last = "last.safetensors"
	best = "best.safetensors"
)

// Last is the checkpoint to go on from.
func (d Folder) Last() string { return filepath.Join(string(d), last) }

// Best is the one whose validation was best.
func (d Folder) Best() string { return filepath.Join(string(d), best) }

func (d Folder) numbered(step int) string {
	return filepath.Join(string(d), fmt.Sprintf("step-%08d.safetensors", step))
}

// Lock keeps other processes out until it is closed, or this one ends.
func (d Folder) Lock() (io.Closer, error) {
	l := flock.New(filepath.Join(string(d), ".lock"))
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d, err)
	}
	if !ok {
		return nil, fmt.Errorf("%s: another process trains in it; give another folder, or end that one", d)
	}
	return l, nil
}

// Save writes a numbered checkpoint, whole or not at all, and names it last, and
// best if it is. Of the numbered ones the last keep stay. On an error everything
// is as it was, or the new one has fewer of its names.
func (d Folder) Save(step, keep int, isBest bool, write func(io.Writer) error) error {
	path := d.numbered(step)
	if err := picture.WriteFile(path, true, write); err != nil {
		return named(path, err)
	}
	names := []string{d.Last()}
	if isBest {
		names = append(names, d.Best())
	}
	for _, name := range names {
		if err := alias(path, name); err != nil {
			return named(name, err)
		}
	}
	d.sync()
	return d.prune(keep)
}

// alias gives a file another name, which may be taken: by a link, or where there
// are none by a copy.
func alias(path, name string) error {
	temp := name + ".new"
	_ = os.Remove(temp)
	if err := os.Link(path, temp); err == nil {
		return os.Rename(temp, name)
	}
	return picture.WriteFile(name, true, func(w io.Writer) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	})
}

// sync makes renames last; systems that cannot sync folders do so by themselves.
func (d Folder) sync() {
	if f, err := os.Open(string(d)); err == nil {
		_ = f.Sync()
		f.Close()
	}
}

// prune removes all numbered checkpoints but the last ones.
func (d Folder) prune(keep int) error {
	found, err := filepath.Glob(filepath.Join(string(d), "step-*.safetensors"))
	if err != nil {
		return err
	}
	slices.Sort(found)
	for _, f := range found[:max(0, len(found)-keep)] {
		if err := os.Remove(f); err != nil {
			return err
		}
	}
	return nil
}

// Clean removes what a killed process left under temporary names.
func (d Folder) Clean() {
	for _, pattern := range []string{".i2sb-*.tmp", "*.safetensors.new"} {
		found, _ := filepath.Glob(filepath.Join(string(d), pattern))
		for _, f := range found {
			_ = os.Remove(f)
		}
	}
}

// named puts the file's own name in place of a temporary one.
func named(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}
