package main

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// The codes of wasm/npm/i2sb.d.ts that arise on this side.
const (
	codeMemory   = "out-of-memory"
	codeDevice   = "unsupported"
	codeLost     = "device-lost"
	codePack     = "bad-pack"
	codeImage    = "bad-image"
	codeOption   = "bad-option"
	codeAborted  = "aborted"
	codeInternal = "internal"
)

// coded gives an error a code where its type does not tell.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string { return e.err.Error() }
func (e *coded) Unwrap() error { return e.err }

// thrown is a JavaScript exception, which has its own code or none.
type thrown struct{ js.Value }

func (e *thrown) Error() string {
	if e.Type() == js.TypeObject && e.Get("message").Type() == js.TypeString {
		return e.Get("message").String()
	}
	return e.String()
}

// failure is an error as the worker passes it on.
func failure(err error) any {
	var t *thrown
	if errors.As(err, &t) && t.Type() == js.TypeObject && t.Get("code").Type() == js.TypeString {
		return map[string]any{"code": t.Get("code"), "message": t.Error()}
	}
	return map[string]any{"code": code(err), "message": err.Error()}
}

func code(err error) string {
	var (
		known  *coded
		option *runtime.OptionError
		task   *runtime.TaskError
		size   *runtime.SizeError
		device *runtime.DeviceError
		format *picture.FormatError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return codeAborted
	case runtime.OutOfMemory(err):
		return codeMemory
	case runtime.DeviceLost(err):
		return codeLost
	case errors.As(err, &option), errors.As(err, &task):
		return codeOption
	case errors.As(err, &size), errors.As(err, &format):
		return codeImage
	case errors.As(err, &device):
		return codeDevice
	case errors.As(err, &known):
		return known.code
	}
	return codeInternal
}

// recovered turns a panic, which only a fault of ours can cause, into an error.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("internal fault: %v", v)
	}
}
