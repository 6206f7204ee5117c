package main

import (
	"context"
	"strings"

	"github.com/i2sb-go/i2sb/runtime"
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
