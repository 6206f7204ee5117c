package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/i2sb-go/i2sb/bridge"
	"github.com/i2sb-go/i2sb/runtime/internal/device"
	"github.com/i2sb-go/i2sb/runtime/internal/tile"
	"github.com/i2sb-go/i2sb/weights"
)

// walk is one picture's way from x1 to x0: the sampler's table, the windows,
// and the state. Sides are padded to the network's multiple.
type walk struct {
	m          *Model
	seat       *seat // where it began
	o          *options
	task       weights.Task
	table      *bridge.Walk
	clip       bool
	lastX0     bool
	w, h       int // of the picture
	padW, padH int
	windows    []tile.Window
	canvas     device.Canvas
	kept       kept
	told       int    // steps that the caller has heard of
	smaller    string // why the tiles are smaller than they were to be
}

// wholeLimit is the device memory beyond which a picture is cut into tiles when
// the caller left the choice to us: of autoTile, the largest that networks here
// were trained on, since their norms count over what they see; holes want to be
// seen from farther away.
const (
	wholeLimit = 1 << 30
	autoTile   = 256
	holedTile  = 512
	impossible = 1 << 60
)

// newWalk checks all options for a w×h picture; it allocates no state.
func (m *Model) newWalk(o *options, w, h int) (*walk, error) {
	if w < 1 || h < 1 {
		return nil, &SizeError{w, h, "it has no pixels"}
	}
	t, err := findTask(m.header.Tasks, o.task)
	if err != nil {
		return nil, err
	}
	if n := m.config.Classes; o.label < 0 || o.label > max(0, n-1) {
		reason := "this network knows no classes"
		if n > 0 {
			reason = fmt.Sprintf("this network knows the classes 0 to %d", n-1)
		}
		return nil, &OptionError{"label", o.label, reason}
	}
	k := &walk{m: m, seat: m.now(), o: o, task: t, w: w, h: h, clip: t.Clip, lastX0: t.LastX0}
	if o.clip != nil {
		k.clip = *o.clip
	}
	if o.lastX0 != nil {
		k.lastX0 = *o.lastX0
	}
	if k.table, err = m.table(o, t); err != nil {
		return nil, err
	}
	if o.mask != nil && !o.official { // known pixels are exact at the end
		last := &k.table.Steps[len(k.table.Steps)-1]
		last.MaskNoise, last.MaskX0 = 0, last.MaskX0 || k.lastX0
	}
	if o.mask != nil && (o.mask.W != w || o.mask.H != h || len(o.mask.Values) != w*h) {
		return nil, &OptionError{"mask", fmt.Sprintf("of %d×%d", o.mask.W, o.mask.H), fmt.Sprintf("the picture is %d×%d", w, h)}
	}
	if c := o.cond; c != nil && (c.C != m.Channels() || c.W != w || c.H != h || len(c.Pix) != c.C*h*w) {
		return nil, &OptionError{"condition", fmt.Sprintf("of %d×%d×%d", c.C, c.W, c.H), fmt.Sprintf("x1 is %d×%d×%d", m.Channels(), w, h)}
	}
	n := m.config.Multiple()
	k.padW, k.padH = (w+n-1)/n*n, (h+n-1)/n*n
	return k, k.cut(n)
}

// table makes the sampler's table from the options and the task's defaults.
func (m *Model) table(o *options, t weights.Task) (*bridge.Walk, error) {
	name := o.sampler
	if name == "" {
		name = t.Sampler
	}
	if name == "" {
		name = "posterior"
		if m.header.Bridge.OTODE {
			name = "ode"
		}
	}
	s, err := bridge.ParseSampler(name)
	if err != nil {
		return nil, &OptionError{"sampler", name, err.Error()}
	}
	nfe := t.Steps
	if o.steps != nil {
		nfe = *o.steps
	} else if nfe == 0 {
		nfe = 1
	}
	w, err := bridge.NewWalk(m.schedule, bridge.WalkOptions{Sampler: s, NFE: nfe, Eta: o.eta})
	var unsuited *bridge.UnsuitedError
	switch {
	case errors.As(err, &unsuited):
		return nil, &OptionError{"sampler", name, err.Error()}
	case errors.Is(err, bridge.ErrEta):
		return nil, &OptionError{"eta", *o.eta, err.Error()}
	case err != nil:
		return nil, &OptionError{"steps", nfe, err.Error()}
	}
	return w, nil
}

// cut chooses the windows.
func (k *walk) cut(multiple int) error {
	side, overlap := k.o.tile, k.o.overlap
	switch {
	case side < 0:
		side = 0
	case side > 0 && side < 2*multiple:
		return &OptionError{"tile", side, fmt.Sprintf("tiles of this network have at least %d pixels a side", 2*multiple)}
	case side == 0:
		need, err := k.m.need(k.padH, k.padW)
		if err != nil {
			return err
		}
		if need.Arena+need.Scratch > wholeLimit {
			side = autoTile
			if k.o.mask != nil {
				side = holedTile
			}
		}
		// A device that cannot bind tensors of that size says so by a need that
		// nothing has.
		for need.Total() > impossible && side/2 >= 2*multiple {
			if need, err = k.m.need(min(side, k.padH), min(side, k.padW)); err != nil {
				return err
			}
			if need.Total() > impossible {
				side /= 2
			}
		}
	}
	if overlap == 0 {
		overlap = side / 4
	}
	if overlap < 0 || (side > 0 && overlap > side-multiple) {
		return &OptionError{"overlap", overlap, fmt.Sprintf("it must lie between 1 and %d", side-multiple)}
	}
	k.windows = tile.Grid(k.padH, k.padW, side, overlap, multiple)
	return nil
}

func (k *walk) spec() device.CanvasSpec {
	b := k.m.header.Bridge
	s := device.CanvasSpec{C: k.m.Channels(), H: k.padH, W: k.padW, Table: k.table, Clip: k.clip,
		Cond: b.CondX1, Apart: k.o.cond != nil || b.AddX1Noise, Label: -1}
	if k.table.SavesX0 && k.windows[0].H < k.padH {
		s.Ring = k.windows[0].H
	}
	if k.m.config.Classes > 0 {
		s.Label = k.o.label
	}
	if k.o.mask != nil {
		s.Mask = padMask(k.o.mask, k.padW, k.padH)
	}
	if s.Noise = k.o.noise; s.Noise == nil {
		s.Noise = bridge.NewNoise(k.o.seed)
	}
	s.Lines = k.lines(s)
	return s
}

// run walks from x1 (the picture's size) and returns the result, as large. x1
// is let go once the walk has begun.
func (k *walk) run(ctx context.Context, spec device.CanvasSpec, x1 *bridge.Image) (*bridge.Image, error) {
	known := x1
	if k.fills() {
		x1 = k.filled(x1)
	}
	from := k.newOrigin(spec, x1)
	switch {
	case k.o.mask == nil || k.o.official:
	case spec.Lines > 0 && !k.fills():
		k.kept = kept{k.o.mask, from.noisy, from.picture, x1.H * x1.W}
	default:
		k.kept = keep(known, k.o.mask, from.noisy)
	}
	settle(x1)
	var err error
	if k.canvas, err = k.seat.network.NewCanvas(spec); err != nil {
		return nil, k.failed(err)
	}
	defer k.canvas.Close()
	if err := k.canvas.Start(from.x1, from.condition); err != nil {
		return nil, k.failed(err)
	}
	settle(x1)
	for i, st := range k.table.Steps {
		moved, err := k.step(ctx, st, i)
		for err != nil && moved == 0 && k.shrink(err) { // the state is as it was
			moved, err = k.step(ctx, st, i)
		}
		if err != nil {
			return nil, k.failed(err)
		}
		if k.o.onStep != nil && !st.Inner && i >= k.told {
			k.told = i + 1
			if err := k.o.onStep(Step{Done: i + 1, Of: len(k.table.Steps), Index: st.Next, walk: k}); err != nil {
				return nil, err
			}
		}
	}
	y, err := k.canvas.Result(k.lastX0)
	if err != nil {
		return nil, k.failed(err)
	}
	result := k.crop(y)
	k.kept.paste(result)
	return result, nil
}

// step makes a step's x̂0 window by window, and the next state of the rows that
// no later window changes; it tells how many of them there are.
func (k *walk) step(ctx context.Context, st bridge.Step, step int) (moved int, err error) {
	if err := k.canvas.Begin(); err != nil {
		return 0, err
	}
	for j, win := range k.windows {
		err := k.m.evaluate(k.seat, win.H, win.W, func(p device.Program) error {
			return k.canvas.Evaluate(k.watched(ctx, p, step, j), p, win, st)
		})
		if err != nil {
			return moved, err
		}
		if to := tile.Done(k.windows, j, k.padH); to > moved {
			if err := k.canvas.Update(st, step, moved, to); err != nil {
				return moved, err
			}
			moved = to
		}
	}
	return moved, nil
}

// failed marks an error as the device's, unless the caller ended the work.
func (k *walk) failed(err error) error {
	var is *DeviceError
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrClosed) || errors.As(err, &is) {
		return err
	}
	return &DeviceError{Device: k.seat.device.Info().Name, Err: err}
}

// shrink halves the windows if the device has no memory for them and their size
// was left to us.
func (k *walk) shrink(err error) bool {
	multiple := k.m.config.Multiple()
	side := max(k.windows[0].H, k.windows[0].W) / 2 / multiple * multiple
	overlap := k.o.overlap
	if overlap == 0 {
		overlap = side / 4
	}
	if !OutOfMemory(err) || k.o.tile != 0 || side < 2*multiple || overlap > side-multiple {
		return false
	}
	k.windows = tile.Grid(k.padH, k.padW, side, overlap, multiple)
	k.smaller = fmt.Sprintf("%v; restored in tiles of %d", err, side)
	k.m.log.Warn(k.smaller)
	return true
}

func (k *walk) cropped(x *bridge.Image, err error) (*bridge.Image, error) {
	if err != nil {
		return nil, err
	}
	return k.crop(x), nil
}

// crop cuts the padding off, in place.
func (k *walk) crop(x *bridge.Image) *bridge.Image {
	for i := range x.C * k.h { // rows only move down
		c, y := i/k.h, i%k.h
		copy(x.Pix[i*k.w:(i+1)*k.w], x.Pix[(c*x.H+y)*x.W:])
	}
	return &bridge.Image{C: x.C, H: k.h, W: k.w, Pix: x.Pix[:x.C*k.h*k.w]}
}
