package device

import (
	"context"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
)

// CanvasSpec is one picture's walk: its padded size and how it goes.
type CanvasSpec struct {
	C, H, W int
	Cond    bool    // the network also reads a condition
	Apart   bool    // the condition is not x1
	Mask    []uint8 // H·W, 255 is a hole; or nil
	Label   int     // class, or -1
	Table   *bridge.Walk
	Noise   bridge.Noise
	Clip    bool
	// Ring, if not 0, is how many rows of x̂0 are held at a time, as in
	// bridge.State: at least a window's. The table must save x̂0.
	Ring int
}

// KeepsX1 tells whether the walk reads x1 after its start.
func (s CanvasSpec) KeepsX1() bool { return s.Table.UsesX1 || s.Mask != nil }

// OwnCond tells whether the condition needs memory of its own.
func (s CanvasSpec) OwnCond() bool { return s.Cond && (s.Apart || !s.KeepsX1()) }

// X0Rows is how many rows of each channel x̂0 holds.
func (s CanvasSpec) X0Rows() int {
	if s.Ring == 0 {
		return s.H
	}
	return s.Ring
}

// Planes is how many whole pictures of C channels a canvas holds.
func (s CanvasSpec) Planes() int {
	n := 1 + s.Table.History // x
	if s.Ring == 0 {
		n++ // x̂0
	}
	if s.KeepsX1() {
		n++
	}
	if s.OwnCond() {
		n++
	}
	return n
}

// Bytes is what a canvas holds.
func (s CanvasSpec) Bytes() int64 {
	rows := s.H*s.Planes() + s.Ring
	return 4*int64(s.C)*int64(s.W)*int64(rows) + int64(len(s.Mask))
}

// Canvas is one picture's state on a device. It is used by one goroutine.
type Canvas interface {
	// X1 and Cond are what the caller fills before Start. Cond is nil if there
	// is no condition, or if x1 serves as it is at Start.
	X1() *bridge.Image
	Cond() *bridge.Image
	// Start makes x1 the state.
	Start() error
	// Begin clears x̂0 for a step's windows, which come from the top down.
	Begin() error
	// Evaluate runs the network on one window and adds its share to x̂0.
	Evaluate(ctx context.Context, p Program, w tile.Window, st bridge.Step) error
	// Update makes the next state of rows from up to but not including to, in
	// step k of the walk, once no window to come reads or writes them.
	Update(st bridge.Step, k, from, to int) error
	// State and X0 copy the present state and x̂0.
	State() (*bridge.Image, error)
	X0() (*bridge.Image, error)
	// Result returns the state, or x̂0, and closes the canvas.
	Result(x0 bool) (*bridge.Image, error)
	Close()
}
