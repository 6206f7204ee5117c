package runtime

import (
	"errors"
	"fmt"
	"strings"
)

// ErrClosed is returned by every method of a closed Model.
var ErrClosed = errors.New("runtime: the model is closed")

// ErrNoNumber is what Trainer.Step makes no step along.
var ErrNoNumber = errors.New("the gradient is no number")

// TaskError says that a pack was not trained for a task.
type TaskError struct {
	Task string   // as asked for
	Have []string // the pack's tasks
}

func (e *TaskError) Error() string {
	return fmt.Sprintf("this pack was not trained for task %q; it has: %s", e.Task, strings.Join(e.Have, ", "))
}

// OptionError says which option has a value that cannot be used, and why.
type OptionError struct {
	Option string // "steps", "mask", …
	Value  any
	Reason string
}

func (e *OptionError) Error() string {
	return fmt.Sprintf("%s %v: %s", e.Option, e.Value, e.Reason)
}

// SizeError says that a picture's size cannot be restored.
type SizeError struct {
	W, H   int
	Reason string
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("picture of %d×%d: %s", e.W, e.H, e.Reason)
}

// DeviceError says that a device is not there or failed.
type DeviceError struct {
	Device string
	Err    error
}

func (e *DeviceError) Error() string { return fmt.Sprintf("device %s: %v", e.Device, e.Err) }
func (e *DeviceError) Unwrap() error { return e.Err }

// OutOfMemory tells whether an error says that a device has no memory left for
// a network or a picture.
func OutOfMemory(err error) bool {
	var e interface{ OutOfMemory() bool }
	return errors.As(err, &e) && e.OutOfMemory()
}

// DeviceLost tells whether an error says that a GPU went away or does not
// answer. The Model is of no use any more: open it again, or on another device.
func DeviceLost(err error) bool {
	var e interface{ Gone() bool }
	return errors.As(err, &e) && e.Gone()
}
