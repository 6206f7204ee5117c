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
	// Lines, if not 0, is how many rows of each channel are held of x1 and the
	// condition: they are made again for every step and window that reads them.
	// Results are the same.
	Lines int
}

// Rows writes len(dst) pixels of row y of a channel, from column x on. It is
// called by one goroutine at a time.
type Rows func(dst []float32, channel, y, x int)

// KeepsX1 tells whether the walk reads x1 after its start.
func (s CanvasSpec) KeepsX1() bool { return s.Table.UsesX1 || s.Mask != nil }

// ReadsX1 tells whether a step of it does.
func (s CanvasSpec) ReadsX1(st bridge.Step) bool { return st.X1 != 0 || s.Mask != nil }

// OwnCond tells whether the condition needs memory of its own.
func (s CanvasSpec) OwnCond() bool { return s.Lines == 0 && s.Cond && (s.Apart || !s.KeepsX1()) }

// X1Rows is how many rows of each channel x1 holds, and 0 if it has no memory of
// its own. With Lines they are the condition's too, which is read at other times.
func (s CanvasSpec) X1Rows() int {
	switch {
	case s.Lines > 0 && (s.KeepsX1() || s.Cond):
		return s.Lines
	case s.KeepsX1():
		return s.H
	}
	return 0
}

// X0Rows is how many rows of each channel x̂0 holds.
func (s CanvasSpec) X0Rows() int {
	if s.Ring == 0 {
		return s.H
	}
	return s.Ring
}

// Bytes is what a canvas holds.
func (s CanvasSpec) Bytes() int64 {
	rows := s.H*(1+s.Table.History) + s.X0Rows() + s.X1Rows()
	if s.OwnCond() {
		rows += s.H
	}
	n := 4 * int64(s.C) * int64(s.W) * int64(rows)
	if s.Mask != nil {
		n += int64(s.H) * int64(s.W)
	}
	return n
}

// Fill makes rows from up to but not including to of all channels, w columns of
// them from column x on, in a picture of which ring rows are held.
func (s CanvasSpec) Fill(dst []float32, ring int, rows Rows, from, to, x, w int) {
	for ch := range s.C {
		for y := from; y < to; y++ {
			rows(dst[(ch*ring+y%ring)*s.W+x:][:w], ch, y, x)
		}
	}
}

// Parts calls f for rows from up to but not including to, with as many at a time
// as Lines has.
func (s CanvasSpec) Parts(from, to int, f func(from, to int) error) error {
	for ; from < to; from += s.Lines {
		if err := f(from, min(from+s.Lines, to)); err != nil {
			return err
		}
	}
	return nil
}

// Canvas is one picture's state on a device. It is used by one goroutine.
type Canvas interface {
	// Start makes x1 the state. cond, the condition, is not called where there is
	// none or x1 serves. They are called later only by a canvas of Lines.
	Start(x1, cond Rows) error
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
