package train

import (
	"context"
	"fmt"
	"io"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/train/initial"
	"github.com/i2sb-go/i2sb/weights"
)

// Weights are weights to start from, with what is known of them.
type Weights struct {
	weights.Source
	Header weights.Header
	closer io.Closer
}

// Close frees the file.
func (w *Weights) Close() error { return w.closer.Close() }

// Origin opens what a recipe's Init names.
func Origin(ctx context.Context, name string) (*Weights, error) {
	if name == "default" {
		p, c, err := runtime.Default().OpenPack(ctx)
		if err != nil {
			return nil, err
		}
		return &Weights{p, p.Header(), c}, nil
	}
	o, err := initial.Open(name, false, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Weights{o.Source, o.Header, o}, nil
}
