package main

import (
	"context"
	"errors"
)

func (l *lab) scale(ctx context.Context, o options) error { return errors.New("x") }
func (l *lab) queue(ctx context.Context, o options) error { return errors.New("x") }
