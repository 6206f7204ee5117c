package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/i2sb-go/i2sb/runtime"
	"github.com/i2sb-go/i2sb/runtime/picture"
)

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// exitError ends the command with a code after everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// fileError says which file an error is about.
type fileError struct {
	file string
	err  error
}

func (e *fileError) Error() string { return message(e.file, e.err) }
func (e *fileError) Unwrap() error { return e.err }

// classify turns an error about a flag's value into a usage error.
func classify(err error) error {
	var option *runtime.OptionError
	var task *runtime.TaskError
	var device *runtime.DeviceError
	switch {
	case errors.As(err, &option) && option.Option != "mask", errors.As(err, &task), errors.As(err, &device) && !runtime.OutOfMemory(err) && !runtime.DeviceLost(err):
		return &usageError{err}
	}
	return err
}

// message is an error as people read it: the file, what is wrong, what to do.
func message(file string, err error) string {
	text := err.Error()
	var fe *fileError
	if errors.As(err, &fe) {
		return text // complete already
	}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		if file == "" || file == pe.Path {
			file, text = pe.Path, pe.Err.Error()
		} else {
			text = pe.Path + ": " + pe.Err.Error()
		}
	}
	if file != "" && !strings.HasPrefix(text, file+": ") {
		text = file + ": " + text
	}
	if h := hint(err, text); h != "" {
		text += "; " + h
	}
	return text
}

// hint is what can be done about an error.
func hint(err error, text string) string {
	var format *picture.FormatError
	var option *runtime.OptionError
	switch {
	case errors.Is(err, fs.ErrExist):
		return "--force replaces it"
	case errors.As(err, &format) && strings.Contains(text, "more than the limit"):
		return "--max-pixels raises it"
	case errors.As(err, &option) && option.Option == "mask":
		return "give --mask FILE, a picture of the same size"
	}
	return ""
}
