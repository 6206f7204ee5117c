package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/bench"
	"github.com/i2sb-go/i2sb/runtime/keeper"
	"github.com/i2sb-go/i2sb/weights"
	"github.com/i2sb-go/i2sb/weights/fetch"
)

// openSource finds a pack by file name or URL, fetching it once; "" is the built-in one.
func (a *app) openSource(ctx context.Context, name string) (runtime.Source, error) {
	switch {
	case name == "":
		return runtime.Default(), nil
	case strings.HasPrefix(name, "http://"), strings.HasPrefix(name, "https://"):
		bar := newProgress(a.stderr, false)
		defer bar.end()
		path, err := fetch.Fetch(ctx, name, fetch.Options{Progress: bar.bytes})
		if err != nil {
			return runtime.Source{}, err
		}
		return runtime.File(path), nil
	}
	return runtime.File(name), nil
}

// header reads a pack's header.
func header(ctx context.Context, src runtime.Source) (weights.Header, error) {
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return weights.Header{}, err
	}
	defer closer.Close()
	defer p.Close()
	return p.Header(), nil
}

// network is what --net names: the header of a pack and its weights, or of
// adm256, which needs no pack and has none. done closes the pack.
func (a *app) network(ctx context.Context, name string) (h weights.Header, w weights.Source, done func(), err error) {
	switch name {
	case "adm256":
		h, err = bench.ADM256()
		return h, nil, func() {}, err
	case "default":
		name = ""
	}
	src, err := a.openSource(ctx, name)
	if err != nil {
		return h, nil, nil, err
	}
	p, closer, err := src.OpenPack(ctx)
	if err != nil {
		return h, nil, nil, err
	}
	return p.Header(), p, func() { p.Close(); closer.Close() }, nil
}

// readModels lists the default model first, and then those of a directory.
func (a *app) readModels(ctx context.Context, pack, dir string) ([]keeper.Model, error) {
	src, err := a.openSource(ctx, pack)
	if err != nil {
		return nil, err
	}
	first, err := keeper.Read(ctx, "default", src)
	if err != nil {
		return nil, err
	}
	models := []keeper.Model{first}
	if dir == "" {
		return models, nil
	}
	more, err := keeper.Dir(ctx, dir)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(more, func(m keeper.Model) bool { return m.Name == first.Name }) {
		return nil, &fileError{dir, fmt.Errorf("%s.i2sb has the default model's name; give it as --pack", first.Name)}
	}
	return append(models, more...), nil
}
