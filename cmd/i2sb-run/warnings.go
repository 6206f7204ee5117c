package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// warnings logs what a model warns of as lines for people.
func warnings(w io.Writer) *slog.Logger { return slog.New(lines{w}) }

// lines is a handler that prints messages without their attributes.
type lines struct{ w io.Writer }

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	_, err := fmt.Fprintf(l.w, "i2sb-run: %s\n", oneLine(r.Message))
	return err
}

func (l lines) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l lines) WithGroup(string) slog.Handler      { return l }
