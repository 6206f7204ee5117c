package keeper

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/weights"
)

// Model is a pack that can be asked for by name.
type Model struct {
	Name   string
	Header weights.Header
	Source runtime.Source
}

// Read reads a pack's header.
func Read(ctx context.Context, name string, src runtime.Source) (Model, error) {
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return Model{}, err
	}
	defer closer.Close()
	defer p.Close()
	return Model{name, p.Header(), src}, nil
}

// Dir reads the headers of a directory's packs, named by their files without
// .i2sb, in the order of their names.
func Dir(ctx context.Context, dir string) ([]Model, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.i2sb"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: errors.New("there is no file *.i2sb in it")}
	}
	var models []Model
	for _, f := range files {
		m, err := Read(ctx, strings.TrimSuffix(filepath.Base(f), ".i2sb"), runtime.File(f))
		if err != nil {
			return nil, err
		}
		models = append(models, m)
	}
	return models, nil
}
